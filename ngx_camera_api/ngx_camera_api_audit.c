/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /audit: who did what to which object, from where, with which result, and
 * what was there before and after.  What writes it is in the database, by
 * triggers, and in ngx_camera_api_audit_note.c.  Entries are numbered; the
 * cursor of a list has room for a UUID, so a number travels as one.
 */

#include "ngx_camera_api.h"

#define NGX_CAMERA_API_AUDIT_COLUMNS                                          \
    "a.id AS entry, a.at, a.user_id, a.actor, a.credential_type,"             \
    " a.credential_id, a.request_id, a.address, a.action, a.object_type,"     \
    " a.object_id, a.object_name, a.camera_id, a.result, a.code,"             \
    " a.old::text, a.new::text, a.details::text, a.last_at, a.count"


static const ngx_camera_api_column_t  ngx_camera_api_audit_columns[] = {
    { "id", NGX_CAMERA_API_INT, NULL },
    { "at", NGX_CAMERA_API_TIME, NULL },
    { "userId", NGX_CAMERA_API_UUID, NULL },
    { "actor", NGX_CAMERA_API_TEXT, NULL },
    { "credentialType", NGX_CAMERA_API_TEXT, NULL },
    { "credentialId", NGX_CAMERA_API_TEXT, NULL },
    { "requestId", NGX_CAMERA_API_TEXT, NULL },
    { "address", NGX_CAMERA_API_TEXT, NULL },
    { "action", NGX_CAMERA_API_TEXT, NULL },
    { "objectType", NGX_CAMERA_API_TEXT, NULL },
    { "objectId", NGX_CAMERA_API_TEXT, NULL },
    { "objectName", NGX_CAMERA_API_TEXT, NULL },
    { "cameraId", NGX_CAMERA_API_UUID, NULL },
    { "result", NGX_CAMERA_API_TEXT, NULL },
    { "code", NGX_CAMERA_API_TEXT, NULL },
    { "old", NGX_CAMERA_API_JSON, NULL },
    { "new", NGX_CAMERA_API_JSON, NULL },
    { "details", NGX_CAMERA_API_JSON, NULL },
    { "lastAt", NGX_CAMERA_API_TIME, NULL },
    { "count", NGX_CAMERA_API_INT, NULL },
    NGX_CAMERA_API_COLUMNS_END
};


static ngx_camera_api_statement_t  ngx_camera_api_audit_list = {
    "api_audit_list",
    "SELECT " NGX_CAMERA_API_AUDIT_COLUMNS ", a.at AS cursor_at,"
    " lpad(to_hex(a.id), 32, '0')::uuid AS id"
    " FROM api_audit_list($8::integer + 1, $1, $2, $3, $4, $5, $6, $7, $9,"
    " ('x' || right(translate($10::uuid::text, '-', ''), 16))::bit(64)::bigint"
    ") a",
    10, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_audit_get = {
    "api_audit_get",
    "SELECT " NGX_CAMERA_API_AUDIT_COLUMNS
    " FROM api_audit a WHERE a.id = CASE WHEN $1 ~ '^[1-9][0-9]{0,17}$'"
    " THEN $1::bigint END",
    1, NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  *const ngx_camera_api_audit_statements[] =
{
    &ngx_camera_api_audit_list,
    &ngx_camera_api_audit_get,
    NULL
};


static const char  *const ngx_camera_api_audit_results[] = {
    "ok", "denied", "failed", NULL
};

static const cam_field_t  ngx_camera_api_audit_filters[] = {
    { "from", CAM_FIELD_TIME, 0, 0, 0, NULL, NULL },
    { "to", CAM_FIELD_TIME, 0, 0, 0, NULL, NULL },
    { "userId", CAM_FIELD_UUID, 0, 0, 0, NULL, NULL },
    { "objectType", CAM_FIELD_TEXT, 0, 1, 100, NULL, NULL },
    { "objectId", CAM_FIELD_TEXT, 0, 1, 200, NULL, NULL },
    { "action", CAM_FIELD_TEXT, 0, 1, 100, NULL, NULL },
    { "result", CAM_FIELD_ENUM, 0, 0, 0, ngx_camera_api_audit_results, NULL },
    { "limit", CAM_FIELD_LIMIT, 0, 1, 200, NULL, NULL },
    { "cursor", CAM_FIELD_CURSOR, 0, 1, 200, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_route_t  ngx_camera_api_audit_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/audit",
        .needs = CAM_PERMIT_AUDIT_READ,
        .flags = NGX_CAMERA_API_LIST,
        .query = ngx_camera_api_audit_filters,
        .statement = &ngx_camera_api_audit_list,
        .columns = ngx_camera_api_audit_columns
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/audit/:id",
        .needs = CAM_PERMIT_AUDIT_READ,
        .ids = NGX_CAMERA_API_ID_TEXT,
        .statement = &ngx_camera_api_audit_get,
        .columns = ngx_camera_api_audit_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_audit = {
    "audit",
    ngx_camera_api_audit_routes,
    ngx_camera_api_audit_statements,
    NULL,
    NULL
};
