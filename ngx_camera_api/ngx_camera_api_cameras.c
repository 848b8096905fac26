/*
 * Copyright (C) The nginx camera platform authors
 */

/* /cameras: reading them. */

#include "ngx_camera_api_cameras.h"


const ngx_camera_api_column_t  ngx_camera_api_cameras_columns[] = {
    { "id", NGX_CAMERA_API_UUID, NULL },
    { "externalId", NGX_CAMERA_API_TEXT, NULL },
    { "name", NGX_CAMERA_API_TEXT, NULL },
    { "company", NGX_CAMERA_API_TEXT, NULL },
    { "model", NGX_CAMERA_API_TEXT, NULL },
    { "serialNumber", NGX_CAMERA_API_TEXT, NULL },
    { "location", NGX_CAMERA_API_TEXT, NULL },
    { "place", NGX_CAMERA_API_TEXT, NULL },
    { "rtmpUrl", NGX_CAMERA_API_BY, ngx_camera_api_cameras_rtmp_url },
    { "rtmpKey", NGX_CAMERA_API_HIDDEN, NULL },
    { "keyGeneration", NGX_CAMERA_API_HIDDEN, NULL },
    { "isActive", NGX_CAMERA_API_BOOL, NULL },
    { "isRecording", NGX_CAMERA_API_BOOL, NULL },
    { "streamStatus", NGX_CAMERA_API_TEXT, NULL },
    { "assignedNode", NGX_CAMERA_API_TEXT, NULL },
    { "allowedCidrs", NGX_CAMERA_API_TEXTS, NULL },
    { "cutAtExpiry", NGX_CAMERA_API_BOOL, NULL },
    { "retentionDays", NGX_CAMERA_API_INT, NULL },
    { "retentionBytes", NGX_CAMERA_API_INT, NULL },
    { "recordingEncrypted", NGX_CAMERA_API_BOOL, NULL },
    { "tags", NGX_CAMERA_API_TEXTS, NULL },
    { "createdAt", NGX_CAMERA_API_TIME, NULL },
    { "updatedAt", NGX_CAMERA_API_TIME, NULL },
    { "version", NGX_CAMERA_API_HIDDEN, NULL },
    NGX_CAMERA_API_COLUMNS_END
};


#define NGX_CAMERA_API_CAMERAS_READ                                           \
    NGX_CAMERA_API_CAMERA("stream_status::text", "allowed_cidrs::text[]")

static ngx_camera_api_statement_t  ngx_camera_api_cameras_get = {
    "api_cameras_get",
    "SELECT " NGX_CAMERA_API_CAMERAS_READ
    " FROM cameras WHERE id = $1 AND deleted_at IS NULL",
    1, NGX_CAMERA_API_READS, 0
};

/* the filters are one condition, so that the plan does not expect that hardly
   any row passes all of them, and sort a tenant's cameras for each page; whether
   there is a filter is asked once, not for each row */

static ngx_camera_api_statement_t  ngx_camera_api_cameras_list = {
    "api_cameras_list",
    "SELECT " NGX_CAMERA_API_CAMERAS_READ
    " FROM cameras WHERE deleted_at IS NULL"
    " AND CASE WHEN (SELECT num_nonnulls($1::text, $2::boolean, $3::text,"
    " $4::text, $5::text) = 0) THEN true"
    " ELSE ($1 IS NULL OR stream_status = $1::stream_status)"
    " AND ($2 IS NULL OR is_active = $2)"
    " AND ($3 IS NULL OR location = $3)"
    " AND ($4 IS NULL OR $4 = ANY (tags))"
    " AND ($5 IS NULL OR strpos(lower(concat_ws(E'\\n', name, location, place,"
    " serial_number)), lower($5)) > 0) END"
    " AND " NGX_CAMERA_API_AFTER("created_at", "id", "$7", "$8")
    " ORDER BY created_at, id LIMIT $6::bigint + 1",
    8, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_cameras_statements[] =
{
    &ngx_camera_api_cameras_get,
    &ngx_camera_api_cameras_list,
    NULL
};


static const char  *const ngx_camera_api_cameras_status[] = {
    "online", "offline", "connecting", "error", NULL
};

static const cam_field_t  ngx_camera_api_cameras_filters[] = {
    { "status", CAM_FIELD_ENUM, 0, 0, 0, ngx_camera_api_cameras_status, NULL },
    { "isActive", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },
    { "location", CAM_FIELD_TEXT, 0, 1, 200, NULL, NULL },
    { "tag", CAM_FIELD_TEXT, 0, 1, 50, NULL, NULL },
    { "q", CAM_FIELD_TEXT, 0, 1, 100, NULL, NULL },
    { "limit", CAM_FIELD_LIMIT, 0, 1, 200, NULL, NULL },
    { "cursor", CAM_FIELD_CURSOR, 0, 1, 200, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_route_t  ngx_camera_api_cameras_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/cameras",
        .needs = CAM_PERMIT_CAMERAS_READ,
        .flags = NGX_CAMERA_API_LIST,
        .query = ngx_camera_api_cameras_filters,
        .statement = &ngx_camera_api_cameras_list,
        .columns = ngx_camera_api_cameras_columns
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/cameras/:id",
        .needs = CAM_PERMIT_CAMERAS_READ,
        .flags = NGX_CAMERA_API_ETAG,
        .ids = NGX_CAMERA_API_ID_CAMERA,
        .statement = &ngx_camera_api_cameras_get,
        .columns = ngx_camera_api_cameras_columns,
        .missing = NGX_CAMERA_API_CAMERA_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_cameras = {
    "cameras",
    ngx_camera_api_cameras_routes,
    ngx_camera_api_cameras_statements,
    NULL,
    NULL
};
