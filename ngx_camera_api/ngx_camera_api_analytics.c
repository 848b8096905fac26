/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /analytics/dashboard: a tenant at a glance; /cameras/:id/analytics: a camera
 * day by day; /analytics/cameras/:cameraId/metrics: as a series of time.  What
 * they are made of is sampled each minute.
 */

#include "ngx_camera_api_analytics.h"
#include "ngx_camera_hls.h"
#include "rfc3339.h"

#define NGX_CAMERA_API_ANALYTICS_FROM      0      /* fields, by their place */
#define NGX_CAMERA_API_ANALYTICS_TO        1
#define NGX_CAMERA_API_ANALYTICS_INTERVAL  2

#define NGX_CAMERA_API_ANALYTICS_IDLE      30     /* s: who is silent for longer
                                                     has left */
#define NGX_CAMERA_API_ANALYTICS_DAY       86400000LL
#define NGX_CAMERA_API_ANALYTICS_DAYS      366
#define NGX_CAMERA_API_ANALYTICS_POINTS    2000
#define NGX_CAMERA_API_ANALYTICS_DATE      10     /* "2026-01-01" */


static ngx_int_t ngx_camera_api_analytics_init(ngx_cycle_t *cycle);
static void ngx_camera_api_analytics_viewers(ngx_camera_api_ctx_t *ctx,
    const char *name, const PGresult *res, int row, int column);
static void ngx_camera_api_analytics_days(ngx_camera_api_ctx_t *ctx);
static int64_t ngx_camera_api_analytics_date(const cam_value_t *value,
    int64_t msec);
static const char *ngx_camera_api_analytics_check(const char *text,
    size_t len);
static int ngx_camera_api_analytics_parse(const char *text, size_t len,
    int64_t *msec);
static void ngx_camera_api_analytics_metrics(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_analytics_ask(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_statement_t *statement, int64_t from, int64_t to,
    int64_t step);
static void ngx_camera_api_analytics_wrong(ngx_camera_api_ctx_t *ctx,
    const char *message);


static ngx_camera_api_statement_t  ngx_camera_api_analytics_dashboard = {
    "api_dashboard",
    "SELECT cameras::text, 0, alerts::text, hours::text, stored_bytes"
    " FROM api_dashboard",
    0, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_analytics_daily = {
    "api_camera_days",
    "SELECT day, uptime, bitrate, viewers_peak, bytes"
    " FROM api_camera_days($1,"
    " (to_timestamp($2::bigint / 1000) AT TIME ZONE 'UTC')::date,"
    " (to_timestamp($3::bigint / 1000) AT TIME ZONE 'UTC')::date)",
    3, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_analytics_series = {
    "api_camera_metrics",
    "SELECT at, uptime, fps, bitrate, viewers"
    " FROM api_camera_metrics($1, to_timestamp($2::bigint / 1000.0),"
    " to_timestamp($3::bigint / 1000.0),"
    " make_interval(secs => $4::bigint / 1000))",
    4, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_analytics_statements[] =
{
    &ngx_camera_api_analytics_dashboard,
    &ngx_camera_api_analytics_daily,
    &ngx_camera_api_analytics_series,
    &ngx_camera_api_analytics_add,
    NULL
};


static const ngx_camera_api_column_t  ngx_camera_api_analytics_glance[] = {
    { "cameras", NGX_CAMERA_API_JSON, NULL },
    { "viewers", NGX_CAMERA_API_BY, ngx_camera_api_analytics_viewers },
    { "alerts", NGX_CAMERA_API_JSON, NULL },
    { "recordingHours", NGX_CAMERA_API_JSON, NULL },
    { "storedBytes", NGX_CAMERA_API_INT, NULL },
    NGX_CAMERA_API_COLUMNS_END
};

static const ngx_camera_api_column_t  ngx_camera_api_analytics_day[] = {
    { "date", NGX_CAMERA_API_TEXT, NULL },
    { "totalUptime", NGX_CAMERA_API_INT, NULL },
    { "avgBitrate", NGX_CAMERA_API_INT, NULL },
    { "peakViewers", NGX_CAMERA_API_INT, NULL },
    { "recordingSize", NGX_CAMERA_API_INT, NULL },
    NGX_CAMERA_API_COLUMNS_END
};

static const ngx_camera_api_column_t  ngx_camera_api_analytics_point[] = {
    { "time", NGX_CAMERA_API_TIME, NULL },
    { "uptime", NGX_CAMERA_API_INT, NULL },
    { "fps", NGX_CAMERA_API_FLOAT, NULL },
    { "bitrate", NGX_CAMERA_API_INT, NULL },
    { "viewers", NGX_CAMERA_API_FLOAT, NULL },
    NGX_CAMERA_API_COLUMNS_END
};


static const char *const  ngx_camera_api_analytics_intervals[] = {
    "5m", "1h", "1d", NULL
};

static const cam_field_t  ngx_camera_api_analytics_days_query[] = {
    { "from", CAM_FIELD_TEXT, 0, NGX_CAMERA_API_ANALYTICS_DATE,
      NGX_CAMERA_API_ANALYTICS_DATE, NULL, ngx_camera_api_analytics_check },
    { "to", CAM_FIELD_TEXT, 0, NGX_CAMERA_API_ANALYTICS_DATE,
      NGX_CAMERA_API_ANALYTICS_DATE, NULL, ngx_camera_api_analytics_check },
    CAM_FIELD_END
};

static const cam_field_t  ngx_camera_api_analytics_metrics_query[] = {
    { "from", CAM_FIELD_TIME, 0, 0, 0, NULL, NULL },
    { "to", CAM_FIELD_TIME, 0, 0, 0, NULL, NULL },
    { "interval", CAM_FIELD_ENUM, 0, 0, 0, ngx_camera_api_analytics_intervals,
      NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_route_t  ngx_camera_api_analytics_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/analytics/dashboard",
        .needs = CAM_PERMIT_ANALYTICS_READ,
        .statement = &ngx_camera_api_analytics_dashboard,
        .columns = ngx_camera_api_analytics_glance,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/cameras/:id/analytics",
        .needs = CAM_PERMIT_ANALYTICS_READ,
        .flags = NGX_CAMERA_API_ROWS,
        .ids = NGX_CAMERA_API_ID_CAMERA,
        .query = ngx_camera_api_analytics_days_query,
        .handler = ngx_camera_api_analytics_days,
        .columns = ngx_camera_api_analytics_day,
        .missing = NGX_CAMERA_API_CAMERA_NOT_FOUND
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/analytics/cameras/:cameraId/metrics",
        .needs = CAM_PERMIT_ANALYTICS_READ,
        .flags = NGX_CAMERA_API_ROWS,
        .ids = NGX_CAMERA_API_ID_CAMERA,
        .query = ngx_camera_api_analytics_metrics_query,
        .handler = ngx_camera_api_analytics_metrics,
        .columns = ngx_camera_api_analytics_point,
        .missing = NGX_CAMERA_API_CAMERA_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_analytics = {
    "analytics",
    ngx_camera_api_analytics_routes,
    ngx_camera_api_analytics_statements,
    ngx_camera_api_analytics_init,
    NULL
};


static ngx_int_t
ngx_camera_api_analytics_init(ngx_cycle_t *cycle)
{
    return ngx_camera_api_analytics_sample_init(cycle);
}


/* of the tenant on this node: not for somebody who sees some cameras only */

static void
ngx_camera_api_analytics_viewers(ngx_camera_api_ctx_t *ctx, const char *name,
    const PGresult *res, int row, int column)
{
    cam_sessions_use_t  use;

    if (ctx->principal->scoped) {
        ngx_camera_api_put_null(ctx, name);
        return;
    }

    ngx_memzero(&use, sizeof(cam_sessions_use_t));

    if (ngx_camera_hls_worker.sessions) {
        cam_sessions_use(ngx_camera_hls_worker.sessions,
                         ctx->principal->tenant, NGX_CAMERA_API_ANALYTICS_IDLE,
                         &use);
    }

    ngx_camera_api_put_int(ctx, name, use.viewers);
}


/* a week up to today, where nothing else is said; both ends are included */

static void
ngx_camera_api_analytics_days(ngx_camera_api_ctx_t *ctx)
{
    int64_t  from, to, days;

    to = ngx_camera_api_analytics_date(
             &ctx->query[NGX_CAMERA_API_ANALYTICS_TO],
             (int64_t) ngx_time() * 1000);
    from = ngx_camera_api_analytics_date(
               &ctx->query[NGX_CAMERA_API_ANALYTICS_FROM],
               to - 6 * NGX_CAMERA_API_ANALYTICS_DAY);

    days = (to - from) / NGX_CAMERA_API_ANALYTICS_DAY + 1;

    if (to < from) {
        ngx_camera_api_analytics_wrong(ctx, "must not be before from");

    } else if (days > NGX_CAMERA_API_ANALYTICS_DAYS) {
        ngx_camera_api_analytics_wrong(ctx,
                                       "must make 366 days at most");

    } else {
        ngx_camera_api_analytics_ask(ctx, &ngx_camera_api_analytics_daily,
                                     from, to, 0);
    }
}


/* where a day begins: that of the value, or without one that of msec */

static int64_t
ngx_camera_api_analytics_date(const cam_value_t *value, int64_t msec)
{
    if (value->text) {
        (void) ngx_camera_api_analytics_parse(value->text, value->len, &msec);
    }

    return msec - msec % NGX_CAMERA_API_ANALYTICS_DAY;
}


static const char *
ngx_camera_api_analytics_check(const char *text, size_t len)
{
    int64_t  msec;

    return ngx_camera_api_analytics_parse(text, len, &msec) == 0 && msec >= 0
           ? NULL : "must be a date such as 2026-01-01";
}


static int
ngx_camera_api_analytics_parse(const char *text, size_t len, int64_t *msec)
{
    u_char  time[NGX_CAMERA_API_ANALYTICS_DATE + sizeof("T00:00:00Z")], *p;

    if (len != NGX_CAMERA_API_ANALYTICS_DATE) {
        return -1;
    }

    p = ngx_cpymem(time, text, len);
    p = ngx_cpymem(p, "T00:00:00Z", sizeof("T00:00:00Z") - 1);

    return cam_rfc3339_parse((char *) time, p - time, msec);
}


/* a day up to now, where nothing else is said; points lie at whole steps */

static void
ngx_camera_api_analytics_metrics(ngx_camera_api_ctx_t *ctx)
{
    int64_t             from, to, step, points;
    const cam_value_t  *query;

    static const int64_t  steps[] = {
        300000, 3600000, NGX_CAMERA_API_ANALYTICS_DAY
    };

    query = ctx->query;

    to = query[NGX_CAMERA_API_ANALYTICS_TO].text
         ? query[NGX_CAMERA_API_ANALYTICS_TO].number
         : (int64_t) ngx_time() * 1000;
    from = query[NGX_CAMERA_API_ANALYTICS_FROM].text
           ? query[NGX_CAMERA_API_ANALYTICS_FROM].number
           : to - NGX_CAMERA_API_ANALYTICS_DAY;
    step = query[NGX_CAMERA_API_ANALYTICS_INTERVAL].text
           ? steps[query[NGX_CAMERA_API_ANALYTICS_INTERVAL].number]
           : steps[0];

    points = (to + step - 1) / step - from / step;

    if (to <= from) {
        ngx_camera_api_analytics_wrong(ctx, "must be later than the other one");

    } else if (points > NGX_CAMERA_API_ANALYTICS_POINTS) {
        ngx_camera_api_analytics_wrong(ctx, "must make 2000 points at most");

    } else {
        ngx_camera_api_analytics_ask(ctx, &ngx_camera_api_analytics_series,
                                     from, to, step);
    }
}


static void
ngx_camera_api_analytics_wrong(ngx_camera_api_ctx_t *ctx, const char *message)
{
    ngx_camera_api_problem(ctx, "to", message);
    ngx_camera_api_error(ctx, NGX_CAMERA_API_VALIDATION_FAILED, NULL);
}


/* step is 0 for a statement without one */

static void
ngx_camera_api_analytics_ask(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_statement_t *statement, int64_t from, int64_t to,
    int64_t step)
{
    ngx_camera_api_param_text(ctx, (char *) ctx->ids[0].data);
    ngx_camera_api_param_int(ctx, from);
    ngx_camera_api_param_int(ctx, to);

    if (step) {
        ngx_camera_api_param_int(ctx, step);
    }

    ngx_camera_api_query(ctx, statement, ngx_camera_api_reply_rows);
}
