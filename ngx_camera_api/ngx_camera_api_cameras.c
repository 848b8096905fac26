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


static ngx_camera_api_statement_t  ngx_camera_api_cameras_get = {
    "api_cameras_get",
    "SELECT " NGX_CAMERA_API_CAMERA("key_generation", "stream_status",
                                    "allowed_cidrs::text[]", "tags",
                                    "version")
    " FROM cameras WHERE id = $1 AND deleted_at IS NULL",
    1, NGX_CAMERA_API_READS, 0
};

/* A list shows neither what a key makes nor an ETag of each camera.  PostgreSQL
   takes longer to send an empty array than to see that it is one. */

#define NGX_CAMERA_API_CAMERAS_NONEMPTY(array, as)                            \
    "CASE WHEN array_ndims(" array ") = 1 THEN " array as " END"

#define NGX_CAMERA_API_CAMERAS_LIST(filters)                                  \
    "SELECT " NGX_CAMERA_API_CAMERA("NULL::bigint", "stream_status",          \
        NGX_CAMERA_API_CAMERAS_NONEMPTY("allowed_cidrs", "::text[]"),         \
        NGX_CAMERA_API_CAMERAS_NONEMPTY("tags", ""), "NULL::bigint")          \
    " FROM cameras WHERE deleted_at IS NULL" filters                          \
    " AND " NGX_CAMERA_API_AFTER("created_at", "id", "$2", "$3")              \
    " ORDER BY created_at, id LIMIT $1::bigint + 1"

static ngx_camera_api_statement_t  ngx_camera_api_cameras_list = {
    "api_cameras_list",
    NGX_CAMERA_API_CAMERAS_LIST(""),
    3, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

/* the filters are one condition, so that the plan does not expect that hardly
   any row passes all of them, and sort a tenant's cameras for each page */

static ngx_camera_api_statement_t  ngx_camera_api_cameras_find = {
    "api_cameras_find",
    NGX_CAMERA_API_CAMERAS_LIST(
    " AND CASE WHEN num_nonnulls($4::text, $5::boolean, $6::text, $7::text,"
    " $8::text) = 0 THEN true"
    " ELSE ($4 IS NULL OR stream_status = $4::stream_status)"
    " AND ($5 IS NULL OR is_active = $5)"
    " AND ($6 IS NULL OR location = $6)"
    " AND ($7 IS NULL OR $7 = ANY (tags))"
    " AND ($8 IS NULL OR strpos(lower(concat_ws(E'\\n', name, location, place,"
    " serial_number)), lower($8)) > 0) END"),
    8, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_cameras_statements[] =
{
    &ngx_camera_api_cameras_get,
    &ngx_camera_api_cameras_list,
    &ngx_camera_api_cameras_find,
    NULL
};


static const char  *const ngx_camera_api_cameras_status[] = {
    "online", "offline", "connecting", "error", NULL
};

static const cam_field_t  ngx_camera_api_cameras_filters[] = {
    { "limit", CAM_FIELD_LIMIT, 0, 1, 200, NULL, NULL },
    { "cursor", CAM_FIELD_CURSOR, 0, 1, 200, NULL, NULL },
    { "status", CAM_FIELD_ENUM, 0, 0, 0, ngx_camera_api_cameras_status, NULL },
    { "isActive", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },
    { "location", CAM_FIELD_TEXT, 0, 1, 200, NULL, NULL },
    { "tag", CAM_FIELD_TEXT, 0, 1, 50, NULL, NULL },
    { "q", CAM_FIELD_TEXT, 0, 1, 100, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_route_t  ngx_camera_api_cameras_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/cameras",
        .needs = CAM_PERMIT_CAMERAS_READ,
        .flags = NGX_CAMERA_API_LIST,
        .query = ngx_camera_api_cameras_filters,
        .statement = &ngx_camera_api_cameras_find,
        .plain = &ngx_camera_api_cameras_list,
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
