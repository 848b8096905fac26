/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /recordings: reading them, hour file by hour file, and how much of each day
 * there is.  The functions of the database look only into the days in
 * question; a list walks ids, whose order is that of their starts.
 */

#include "ngx_camera_api_recordings.h"



const ngx_camera_api_column_t  ngx_camera_api_recordings_columns[] = {
    { "id", NGX_CAMERA_API_UUID, NULL },
    { "cameraId", NGX_CAMERA_API_UUID, NULL },
    { "filename", NGX_CAMERA_API_TEXT, NULL },
    { "duration", NGX_CAMERA_API_INT, NULL },
    { "fileSize", NGX_CAMERA_API_INT, NULL },
    { "startTime", NGX_CAMERA_API_TIME, NULL },
    { "endTime", NGX_CAMERA_API_TIME, NULL },
    { "isArchived", NGX_CAMERA_API_BOOL, NULL },
    { "cloudUrl", NGX_CAMERA_API_TEXT, NULL },
    { "segmentNumber", NGX_CAMERA_API_INT, NULL },
    { "state", NGX_CAMERA_API_TEXT, NULL },
    { "storageTier", NGX_CAMERA_API_TEXT, NULL },
    { "isLocked", NGX_CAMERA_API_BOOL, NULL },
    { "lockedReason", NGX_CAMERA_API_TEXT, NULL },
    { "width", NGX_CAMERA_API_INT, NULL },
    { "height", NGX_CAMERA_API_INT, NULL },
    { "codecs", NGX_CAMERA_API_TEXT, NULL },
    NGX_CAMERA_API_COLUMNS_END
};


/* the id is cursor enough, its time stands in it */

static ngx_camera_api_statement_t  ngx_camera_api_recordings_list = {
    "api_recording_list",
    "SELECT " NGX_CAMERA_API_RECORDING ", start_time AS cursor_at"
    " FROM api_recording_list($8::integer + 1, $1, $2, $3, $4, $5, $6, $10,"
    " coalesce($7::text = 'startTime', false))"
    " WHERE $9::timestamptz IS NULL OR id <> $10",
    10, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_recordings_get = {
    "api_recording_get",
    "SELECT " NGX_CAMERA_API_RECORDING " FROM api_recording_get($1)",
    1, NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_recordings_statements[] =
{
    &ngx_camera_api_recordings_list,
    &ngx_camera_api_recordings_get,
    NULL
};


static const char  *const ngx_camera_api_recordings_tiers[] = {
    "hot", "warm", "cold", "archived", NULL
};

static const char  *const ngx_camera_api_recordings_states[] = {
    "recording", "complete", "damaged", NULL
};

static const char  *const ngx_camera_api_recordings_sorts[] = {
    "startTime", "-startTime", NULL
};

static const cam_field_t  ngx_camera_api_recordings_filters[] = {
    { "cameraId", CAM_FIELD_UUID, 0, 0, 0, NULL, NULL },
    { "startTime", CAM_FIELD_TIME, 0, 0, 0, NULL, NULL },
    { "endTime", CAM_FIELD_TIME, 0, 0, 0, NULL, NULL },
    { "storageTier", CAM_FIELD_ENUM, 0, 0, 0, ngx_camera_api_recordings_tiers,
      NULL },
    { "isArchived", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },
    { "state", CAM_FIELD_ENUM, 0, 0, 0, ngx_camera_api_recordings_states,
      NULL },
    { "sort", CAM_FIELD_ENUM, 0, 0, 0, ngx_camera_api_recordings_sorts,
      NULL },
    { "limit", CAM_FIELD_LIMIT, 0, 1, 200, NULL, NULL },
    { "cursor", CAM_FIELD_CURSOR, 0, 1, 200, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_route_t  ngx_camera_api_recordings_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/recordings",
        .needs = CAM_PERMIT_RECORDINGS_READ,
        .flags = NGX_CAMERA_API_LIST,
        .query = ngx_camera_api_recordings_filters,
        .statement = &ngx_camera_api_recordings_list,
        .columns = ngx_camera_api_recordings_columns
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/recordings/:id",
        .needs = CAM_PERMIT_RECORDINGS_READ,
        .ids = NGX_CAMERA_API_ID_UUID,
        .statement = &ngx_camera_api_recordings_get,
        .columns = ngx_camera_api_recordings_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_recordings = {
    "recordings",
    ngx_camera_api_recordings_routes,
    ngx_camera_api_recordings_statements,
    NULL,
    NULL
};
