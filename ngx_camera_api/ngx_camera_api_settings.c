/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /settings: what a tenant has chosen, in sections, each of which is changed at
 * an address of its own.  Of them /settings/recording is a file of its own;
 * what a tenant may have at most is no setting of theirs, see /tenant.
 */

#include "ngx_camera_api.h"

#define NGX_CAMERA_API_SETTINGS_GAP_MAX  86400  /* s, as the table has it */


static void ngx_camera_api_settings_recording(ngx_camera_api_ctx_t *ctx,
    const char *name, const PGresult *res, int row, int column);
static void ngx_camera_api_settings_alerts(ngx_camera_api_ctx_t *ctx,
    const char *name, const PGresult *res, int row, int column);


static const ngx_camera_api_column_t  ngx_camera_api_settings_all[] = {
    { "recording", NGX_CAMERA_API_BY, ngx_camera_api_settings_recording },
    { "retentionBytes", NGX_CAMERA_API_HIDDEN, NULL },
    { "alerts", NGX_CAMERA_API_BY, ngx_camera_api_settings_alerts },
    NGX_CAMERA_API_COLUMNS_END
};

static const ngx_camera_api_column_t  ngx_camera_api_settings_of_alerts[] = {
    { "recordingGapSeconds", NGX_CAMERA_API_INT, NULL },
    NGX_CAMERA_API_COLUMNS_END
};


static ngx_camera_api_statement_t  ngx_camera_api_settings_list = {
    "api_settings",
    "SELECT s.retention_days, s.retention_bytes, t.gap_alert_sec"
    " FROM tenants t, api_recording_settings s",
    0, NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_settings_alerts_get = {
    "api_alert_settings",
    "SELECT gap_alert_sec FROM tenants",
    0, NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_settings_alerts_set = {
    "api_alert_settings_set",
    "UPDATE tenants SET gap_alert_sec = coalesce($1::integer, gap_alert_sec)"
    " RETURNING gap_alert_sec",
    1, 0, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_settings_sections[] =
{
    &ngx_camera_api_settings_list,
    &ngx_camera_api_settings_alerts_get,
    &ngx_camera_api_settings_alerts_set,
    NULL
};


static const cam_field_t  ngx_camera_api_settings_alerts_fields[] = {
    { "recordingGapSeconds", CAM_FIELD_INT, 0, 1,
      NGX_CAMERA_API_SETTINGS_GAP_MAX, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_route_t  ngx_camera_api_settings_of_tenant[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/settings",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .statement = &ngx_camera_api_settings_list,
        .columns = ngx_camera_api_settings_all,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/settings/alerts",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .statement = &ngx_camera_api_settings_alerts_get,
        .columns = ngx_camera_api_settings_of_alerts,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_PATCH,
        .path = "/settings/alerts",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .body = ngx_camera_api_settings_alerts_fields,
        .statement = &ngx_camera_api_settings_alerts_set,
        .columns = ngx_camera_api_settings_of_alerts,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_settings = {
    "settings",
    ngx_camera_api_settings_of_tenant,
    ngx_camera_api_settings_sections,
    NULL,
    NULL
};


static void
ngx_camera_api_settings_recording(ngx_camera_api_ctx_t *ctx, const char *name,
    const PGresult *res, int row, int column)
{
    ngx_camera_api_begin(ctx, name, '{');
    ngx_camera_api_put_int_of(ctx, "retentionDays", res, row, column);
    ngx_camera_api_put_int_of(ctx, "retentionBytes", res, row, column + 1);
    ngx_camera_api_end(ctx, '}');
}


static void
ngx_camera_api_settings_alerts(ngx_camera_api_ctx_t *ctx, const char *name,
    const PGresult *res, int row, int column)
{
    ngx_camera_api_begin(ctx, name, '{');
    ngx_camera_api_put_int_of(ctx, "recordingGapSeconds", res, row, column);
    ngx_camera_api_end(ctx, '}');
}
