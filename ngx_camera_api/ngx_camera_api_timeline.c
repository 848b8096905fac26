/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /recordings/timeline/:cameraId: what there is of a camera between two times,
 * what is missing and why, and what somebody should look at, by one statement;
 * /recordings/coverage/:cameraId: how much of each day.
 *
 * Rows learn once a minute of a recording that goes on.  How far it is now
 * stands beside them, out of shared memory.
 */

#include "ngx_camera_api_recordings.h"

#define NGX_CAMERA_API_TIMELINE_MAX_MSEC  (366 * NGX_CAMERA_API_DAY_MSEC)


static void ngx_camera_api_timeline_get(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_timeline_answer(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_timeline_coverage(ngx_camera_api_ctx_t *ctx);
static ngx_int_t ngx_camera_api_timeline_range(ngx_camera_api_ctx_t *ctx);


static ngx_camera_api_statement_t  ngx_camera_api_timeline_statement = {
    "api_recording_timeline",
    "SELECT $1::uuid, $2::timestamptz, $3::timestamptz, t.resolution,"
    " t.segments::text, t.gaps::text, t.markers::text"
    " FROM api_recording_timeline($1, $2, $3, $4::integer) t",
    4, NGX_CAMERA_API_READS, 0
};

/* a camera without any day is a row of NULLs */

static ngx_camera_api_statement_t  ngx_camera_api_timeline_daily = {
    "api_recording_coverage",
    "SELECT to_char(v.day, 'YYYY-MM-DD'), v.wanted_sec, v.recorded_sec,"
    " v.percent::float8 FROM cameras c LEFT JOIN LATERAL"
    " recording_coverage(c.id,"
    " ($2::timestamptz AT TIME ZONE 'UTC')::date,"
    " (($3::timestamptz - interval '1 microsecond') AT TIME ZONE 'UTC')::date)"
    " v ON true WHERE c.id = $1",
    3, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_timeline_statements[] =
{
    &ngx_camera_api_timeline_statement,
    &ngx_camera_api_timeline_daily,
    NULL
};


/* they are JSON already, as the database wrote it */

static const ngx_camera_api_column_t  ngx_camera_api_timeline_columns[] = {
    { "cameraId", NGX_CAMERA_API_UUID, NULL },
    { "from", NGX_CAMERA_API_TIME, NULL },
    { "to", NGX_CAMERA_API_TIME, NULL },
    { "resolution", NGX_CAMERA_API_INT, NULL },
    { "segments", NGX_CAMERA_API_JSON, NULL },
    { "gaps", NGX_CAMERA_API_JSON, NULL },
    { "markers", NGX_CAMERA_API_JSON, NULL },
    NGX_CAMERA_API_COLUMNS_END
};

static const ngx_camera_api_column_t  ngx_camera_api_timeline_day[] = {
    { "date", NGX_CAMERA_API_TEXT, NULL },
    { "wantedSeconds", NGX_CAMERA_API_INT, NULL },
    { "recordedSeconds", NGX_CAMERA_API_INT, NULL },
    { "percent", NGX_CAMERA_API_FLOAT, NULL },
    NGX_CAMERA_API_COLUMNS_END
};


static const cam_field_t  ngx_camera_api_timeline_query[] = {
    { "from", CAM_FIELD_TIME, CAM_FIELD_REQUIRED, 0, 0, NULL, NULL },
    { "to", CAM_FIELD_TIME, CAM_FIELD_REQUIRED, 0, 0, NULL, NULL },
    { "resolution", CAM_FIELD_INT, 0, 0, 86400, NULL, NULL },
    CAM_FIELD_END
};

static const cam_field_t  ngx_camera_api_timeline_days_query[] = {
    { "from", CAM_FIELD_TIME, CAM_FIELD_REQUIRED, 0, 0, NULL, NULL },
    { "to", CAM_FIELD_TIME, CAM_FIELD_REQUIRED, 0, 0, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_route_t  ngx_camera_api_timeline_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/recordings/timeline/:cameraId",
        .needs = CAM_PERMIT_RECORDINGS_READ,
        .ids = NGX_CAMERA_API_ID_CAMERA,
        .query = ngx_camera_api_timeline_query,
        .handler = ngx_camera_api_timeline_get,
        .columns = ngx_camera_api_timeline_columns,
        .missing = NGX_CAMERA_API_CAMERA_NOT_FOUND
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/recordings/coverage/:cameraId",
        .needs = CAM_PERMIT_RECORDINGS_READ,
        .flags = NGX_CAMERA_API_ROWS,
        .ids = NGX_CAMERA_API_ID_CAMERA,
        .query = ngx_camera_api_timeline_days_query,
        .handler = ngx_camera_api_timeline_coverage,
        .columns = ngx_camera_api_timeline_day,
        .missing = NGX_CAMERA_API_CAMERA_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_timeline = {
    "timeline",
    ngx_camera_api_timeline_routes,
    ngx_camera_api_timeline_statements,
    NULL,
    NULL
};


static void
ngx_camera_api_timeline_get(ngx_camera_api_ctx_t *ctx)
{
    if (ngx_camera_api_timeline_range(ctx) != NGX_OK) {
        return;
    }

    ngx_camera_api_params(ctx);
    ngx_camera_api_query(ctx, &ngx_camera_api_timeline_statement,
                         ngx_camera_api_timeline_answer);
}


static ngx_int_t
ngx_camera_api_timeline_range(ngx_camera_api_ctx_t *ctx)
{
    return ngx_camera_api_recordings_range(ctx,
                                       NGX_CAMERA_API_TIMELINE_MAX_MSEC,
                                       "must be 366 days after from at most");
}


static void
ngx_camera_api_timeline_answer(ngx_camera_api_ctx_t *ctx,
    const PGresult *res)
{
    if (PQntuples(res) == 0) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_CAMERA_NOT_FOUND, NULL);
        return;
    }

    ngx_camera_api_begin(ctx, NULL, '{');
    ngx_camera_api_put_row(ctx, ctx->route->columns, res, 0);
    ngx_camera_api_recording_put(ctx, (u_char *) PQgetvalue(res, 0, 0));
    ngx_camera_api_end(ctx, '}');

    ngx_camera_api_send(ctx, NGX_HTTP_OK);
}


static void
ngx_camera_api_timeline_coverage(ngx_camera_api_ctx_t *ctx)
{
    if (ngx_camera_api_timeline_range(ctx) != NGX_OK) {
        return;
    }

    ngx_camera_api_params(ctx);
    ngx_camera_api_query(ctx, &ngx_camera_api_timeline_daily,
                         ngx_camera_api_reply_rows);
}
