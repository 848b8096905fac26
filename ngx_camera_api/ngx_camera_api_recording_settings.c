/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /settings/recording: how long a tenant keeps its recordings, where a camera
 * does not say otherwise, and /recordings/retention/preview: what would go by
 * that now.  Looking changes nothing.
 */

#include "ngx_camera_api.h"


static void ngx_camera_api_settings_change(ngx_camera_api_ctx_t *ctx);


static ngx_camera_api_statement_t  ngx_camera_api_settings_get = {
    "api_recording_settings",
    "SELECT retention_days, retention_bytes FROM api_recording_settings",
    0, NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_settings_set = {
    "api_recording_settings_set",
    "SELECT retention_days, retention_bytes"
    " FROM api_recording_settings_set($1, $2)",
    2, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_settings_preview = {
    "api_retention_preview",
    "SELECT id, camera_id, start_time, end_time, file_size, why"
    " FROM api_retention_preview($1::integer)",
    1, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_settings_statements[] =
{
    &ngx_camera_api_settings_get,
    &ngx_camera_api_settings_set,
    &ngx_camera_api_settings_preview,
    NULL
};


static const ngx_camera_api_column_t  ngx_camera_api_settings_columns[] = {
    { "retentionDays", NGX_CAMERA_API_INT, NULL },
    { "retentionBytes", NGX_CAMERA_API_INT, NULL },
    NGX_CAMERA_API_COLUMNS_END
};

static const ngx_camera_api_column_t  ngx_camera_api_settings_next[] = {
    { "id", NGX_CAMERA_API_UUID, NULL },
    { "cameraId", NGX_CAMERA_API_UUID, NULL },
    { "startTime", NGX_CAMERA_API_TIME, NULL },
    { "endTime", NGX_CAMERA_API_TIME, NULL },
    { "fileSize", NGX_CAMERA_API_INT, NULL },
    { "why", NGX_CAMERA_API_TEXT, NULL },
    NGX_CAMERA_API_COLUMNS_END
};


static const cam_field_t  ngx_camera_api_settings_fields[] = {
    { "retentionDays", CAM_FIELD_INT, CAM_FIELD_NULLABLE, 1,
      NGX_CAMERA_API_RETENTION_DAYS, NULL, NULL },
    { "retentionBytes", CAM_FIELD_INT, CAM_FIELD_NULLABLE, 1,
      NGX_CAMERA_API_RETENTION_BYTES, NULL, NULL },
    CAM_FIELD_END
};

static const cam_field_t  ngx_camera_api_settings_query[] = {
    { "max", CAM_FIELD_INT, 0, 1, 1000, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_route_t  ngx_camera_api_settings_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/settings/recording",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .statement = &ngx_camera_api_settings_get,
        .columns = ngx_camera_api_settings_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_PATCH,
        .path = "/settings/recording",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .body = ngx_camera_api_settings_fields,
        .handler = ngx_camera_api_settings_change,
        .columns = ngx_camera_api_settings_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/recordings/retention/preview",
        .needs = CAM_PERMIT_RECORDINGS_DELETE,
        .flags = NGX_CAMERA_API_LIST,
        .query = ngx_camera_api_settings_query,
        .statement = &ngx_camera_api_settings_preview,
        .columns = ngx_camera_api_settings_next
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_recording_settings = {
    "recording settings",
    ngx_camera_api_settings_routes,
    ngx_camera_api_settings_statements,
    NULL,
    NULL
};


static void
ngx_camera_api_settings_change(ngx_camera_api_ctx_t *ctx)
{
    ngx_uint_t  i;

    for (i = 0; ngx_camera_api_settings_fields[i].name; i++) {
        ngx_camera_api_null_is(&ctx->body[i], "0");
    }

    ngx_camera_api_params(ctx);
    ngx_camera_api_query(ctx, &ngx_camera_api_settings_set,
                         ngx_camera_api_reply_rows);
}
