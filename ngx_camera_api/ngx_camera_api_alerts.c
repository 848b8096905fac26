/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /alerts: what an operator has to know.  The database raises and resolves
 * them; here they are read, and marked as read by somebody.
 */

#include "ngx_camera_api.h"


static void ngx_camera_api_alerts_acknowledge(ngx_camera_api_ctx_t *ctx);


#define NGX_CAMERA_API_ALERT                                                  \
    "id, type, severity, title, message, details::text, camera_id,"           \
    " created_at, acknowledged, acknowledged_by, acknowledged_at,"            \
    " last_seen_at, count, resolved_at"


static const ngx_camera_api_column_t  ngx_camera_api_alerts_columns[] = {
    { "id", NGX_CAMERA_API_UUID, NULL },
    { "type", NGX_CAMERA_API_TEXT, NULL },
    { "severity", NGX_CAMERA_API_TEXT, NULL },
    { "title", NGX_CAMERA_API_TEXT, NULL },
    { "message", NGX_CAMERA_API_TEXT, NULL },
    { "details", NGX_CAMERA_API_JSON, NULL },
    { "cameraId", NGX_CAMERA_API_UUID, NULL },
    { "timestamp", NGX_CAMERA_API_TIME, NULL },
    { "acknowledged", NGX_CAMERA_API_BOOL, NULL },
    { "acknowledgedBy", NGX_CAMERA_API_TEXT, NULL },
    { "acknowledgedAt", NGX_CAMERA_API_TIME, NULL },
    { "lastSeenAt", NGX_CAMERA_API_TIME, NULL },
    { "count", NGX_CAMERA_API_INT, NULL },
    { "resolvedAt", NGX_CAMERA_API_TIME, NULL },
    NGX_CAMERA_API_COLUMNS_END
};


static ngx_camera_api_statement_t  ngx_camera_api_alerts_list = {
    "api_alerts_list",
    "SELECT " NGX_CAMERA_API_ALERT " FROM api_alerts"
    " WHERE " NGX_CAMERA_API_FILTERS("$1::boolean, $2::boolean, $3::text,"
                                     " $4::text, $5::uuid",
        "($1 IS NULL OR acknowledged = $1)"
        " AND ($2 IS NULL OR (resolved_at IS NOT NULL) = $2)"
        " AND ($3 IS NULL OR type = $3)"
        " AND ($4 IS NULL OR severity = $4)"
        " AND ($5 IS NULL OR camera_id = $5)")
    " AND " NGX_CAMERA_API_BEFORE("created_at", "id", "$7", "$8")
    " ORDER BY created_at DESC, id DESC LIMIT $6::bigint + 1",
    8, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_alerts_get = {
    "api_alerts_get",
    "SELECT " NGX_CAMERA_API_ALERT " FROM api_alerts WHERE id = $1",
    1, NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_alerts_read = {
    "api_alert_acknowledge",
    "SELECT " NGX_CAMERA_API_ALERT " FROM api_alert_acknowledge($1, $2)",
    2, 0, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_alerts_statements[] =
{
    &ngx_camera_api_alerts_list,
    &ngx_camera_api_alerts_get,
    &ngx_camera_api_alerts_read,
    NULL
};


static const char  *const ngx_camera_api_alerts_severities[] = {
    "low", "medium", "high", "critical", NULL
};

static const cam_field_t  ngx_camera_api_alerts_filters[] = {
    { "acknowledged", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },
    { "resolved", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },
    { "type", CAM_FIELD_TEXT, 0, 1, 64, NULL, NULL },
    { "severity", CAM_FIELD_ENUM, 0, 0, 0, ngx_camera_api_alerts_severities,
      NULL },
    { "cameraId", CAM_FIELD_UUID, 0, 0, 0, NULL, NULL },
    { "limit", CAM_FIELD_LIMIT, 0, 1, 200, NULL, NULL },
    { "cursor", CAM_FIELD_CURSOR, 0, 1, 200, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_route_t  ngx_camera_api_alerts_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/alerts",
        .needs = CAM_PERMIT_CAMERAS_READ,
        .flags = NGX_CAMERA_API_LIST,
        .query = ngx_camera_api_alerts_filters,
        .statement = &ngx_camera_api_alerts_list,
        .columns = ngx_camera_api_alerts_columns
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/alerts/:id",
        .needs = CAM_PERMIT_CAMERAS_READ,
        .ids = NGX_CAMERA_API_ID_UUID,
        .statement = &ngx_camera_api_alerts_get,
        .columns = ngx_camera_api_alerts_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_POST,
        .path = "/alerts/:id/acknowledge",
        .needs = CAM_PERMIT_ALERTS_MANAGE,
        .ids = NGX_CAMERA_API_ID_UUID,
        .handler = ngx_camera_api_alerts_acknowledge,
        .columns = ngx_camera_api_alerts_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_alerts = {
    "alerts",
    ngx_camera_api_alerts_routes,
    ngx_camera_api_alerts_statements,
    NULL,
    NULL
};


/* whoever was first stays the one who did */

static void
ngx_camera_api_alerts_acknowledge(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_param_text(ctx, (char *) ctx->ids[0].data);
    ngx_camera_api_param_uuid(ctx, ctx->principal->user);

    ngx_camera_api_query(ctx, &ngx_camera_api_alerts_read,
                         ngx_camera_api_reply_rows);
}
