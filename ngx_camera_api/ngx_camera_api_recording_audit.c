/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /recordings/audit: who was given what to watch or to download, who exported,
 * deleted, held and released: what the audit log has of recordings, as one
 * asked for it before there was more in it.  Entries are numbered and nobody
 * changes them; the cursor of a list has room for a UUID, so a number travels
 * as one.
 */

#include "ngx_camera_api.h"


static const ngx_camera_api_column_t
    ngx_camera_api_recording_audit_columns[] =
{
    { "id", NGX_CAMERA_API_INT, NULL },
    { "at", NGX_CAMERA_API_TIME, NULL },
    { "userId", NGX_CAMERA_API_UUID, NULL },
    { "username", NGX_CAMERA_API_TEXT, NULL },
    { "sessionId", NGX_CAMERA_API_UUID, NULL },
    { "cameraId", NGX_CAMERA_API_UUID, NULL },
    { "cameraName", NGX_CAMERA_API_TEXT, NULL },
    { "recordingId", NGX_CAMERA_API_UUID, NULL },
    { "action", NGX_CAMERA_API_TEXT, NULL },
    { "from", NGX_CAMERA_API_TIME, NULL },
    { "to", NGX_CAMERA_API_TIME, NULL },
    { "address", NGX_CAMERA_API_TEXT, NULL },
    { "result", NGX_CAMERA_API_TEXT, NULL },
    { "tokenId", NGX_CAMERA_API_UUID, NULL },
    { "lastAt", NGX_CAMERA_API_TIME, NULL },
    { "count", NGX_CAMERA_API_INT, NULL },
    NGX_CAMERA_API_COLUMNS_END
};


static ngx_camera_api_statement_t  ngx_camera_api_recording_audit_list = {
    "api_recording_audit",
    "SELECT a.id AS entry, a.at, a.user_id, a.username, a.session_id,"
    " a.camera_id, a.camera_name, a.recording_id, a.action, a.from_time,"
    " a.to_time, a.address, a.result, a.token_id, a.last_at, a.count,"
    " a.at AS cursor_at,"
    " lpad(to_hex(a.id), 32, '0')::uuid AS id"
    " FROM api_recording_audit a"
    " WHERE ($1::uuid IS NULL OR a.camera_id = $1)"
    " AND ($2::uuid IS NULL OR a.user_id = $2)"
    " AND ($3::uuid IS NULL OR a.recording_id = $3)"
    " AND ($4::text IS NULL OR a.action = $4)"
    " AND ($5::timestamptz IS NULL OR a.at >= $5)"
    " AND ($6::timestamptz IS NULL OR a.at < $6)"
    " AND (a.at, a.id) < (CASE WHEN $8::timestamptz IS NULL THEN 'infinity'"
    " ELSE $8 END, CASE WHEN $9::uuid IS NULL THEN 0"
    " ELSE ('x' || right(translate($9::text, '-', ''), 16))::bit(64)::bigint"
    " END) ORDER BY a.at DESC, a.id DESC LIMIT $7::bigint + 1",
    9, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_recording_audit_statements[] =
{
    &ngx_camera_api_recording_audit_list,
    NULL
};


static const char  *const ngx_camera_api_recording_audit_actions[] = {
    "watch", "download", "export", "delete", "hold", "release", NULL
};

static const cam_field_t  ngx_camera_api_recording_audit_filters[] = {
    { "cameraId", CAM_FIELD_UUID, 0, 0, 0, NULL, NULL },
    { "userId", CAM_FIELD_UUID, 0, 0, 0, NULL, NULL },
    { "recordingId", CAM_FIELD_UUID, 0, 0, 0, NULL, NULL },
    { "action", CAM_FIELD_ENUM, 0, 0, 0,
      ngx_camera_api_recording_audit_actions, NULL },
    { "from", CAM_FIELD_TIME, 0, 0, 0, NULL, NULL },
    { "to", CAM_FIELD_TIME, 0, 0, 0, NULL, NULL },
    { "limit", CAM_FIELD_LIMIT, 0, 1, 200, NULL, NULL },
    { "cursor", CAM_FIELD_CURSOR, 0, 1, 200, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_route_t
    ngx_camera_api_recording_audit_routes[] =
{

    {
        .method = NGX_HTTP_GET,
        .path = "/recordings/audit",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .flags = NGX_CAMERA_API_LIST,
        .query = ngx_camera_api_recording_audit_filters,
        .statement = &ngx_camera_api_recording_audit_list,
        .columns = ngx_camera_api_recording_audit_columns
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_recording_audit = {
    "recording audit",
    ngx_camera_api_recording_audit_routes,
    ngx_camera_api_recording_audit_statements,
    NULL,
    NULL
};
