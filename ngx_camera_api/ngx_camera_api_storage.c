/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /analytics/storage/usage: what the recordings of a tenant take, by camera,
 * tier and day, what the volumes have, and how long that will do.  Sums are
 * kept by the database with each recording, so nothing is counted here.
 */

#include "ngx_camera_api.h"


static ngx_camera_api_statement_t  ngx_camera_api_storage_usage = {
    "api_storage_usage",
    "SELECT bytes, recordings, recorded_sec, bytes_total, bytes_free,"
    " growth_per_day, days_left::float8, tiers::text, cameras::text,"
    " days::text FROM api_storage_usage()",
    0, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_storage_statements[] =
{
    &ngx_camera_api_storage_usage,
    NULL
};


static const ngx_camera_api_column_t  ngx_camera_api_storage_columns[] = {
    { "bytes", NGX_CAMERA_API_INT, NULL },
    { "recordings", NGX_CAMERA_API_INT, NULL },
    { "recordedSeconds", NGX_CAMERA_API_INT, NULL },
    { "bytesTotal", NGX_CAMERA_API_INT, NULL },
    { "bytesFree", NGX_CAMERA_API_INT, NULL },
    { "growthPerDay", NGX_CAMERA_API_INT, NULL },
    { "daysLeft", NGX_CAMERA_API_FLOAT, NULL },
    { "tiers", NGX_CAMERA_API_JSON, NULL },
    { "cameras", NGX_CAMERA_API_JSON, NULL },
    { "days", NGX_CAMERA_API_JSON, NULL },
    NGX_CAMERA_API_COLUMNS_END
};


static const ngx_camera_api_route_t  ngx_camera_api_storage_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/analytics/storage/usage",
        .needs = CAM_PERMIT_ANALYTICS_READ,
        .statement = &ngx_camera_api_storage_usage,
        .columns = ngx_camera_api_storage_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_storage = {
    "storage",
    ngx_camera_api_storage_routes,
    ngx_camera_api_storage_statements,
    NULL,
    NULL
};
