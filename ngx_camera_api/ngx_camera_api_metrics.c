/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What /metrics says of the API: requests by route and class of status, and
 * how long they took; by kind of credential; how many were refused as too many,
 * and how many run.  They are counted over all workers in a zone that survives
 * reloads.  Routes are patterns ("/cameras/:id"), so there are few of them, and
 * nobody is named.  Streams of events are counted when they end and not timed.
 */

#include "ngx_camera_api_core.h"
#include "ngx_camera.h"
#include "ngx_camera_metrics.h"

#define NGX_CAMERA_API_METRICS_ROUTES   129   /* the last one: no route */
#define NGX_CAMERA_API_METRICS_CLASSES  4     /* 2xx to 5xx */
#define NGX_CAMERA_API_METRICS_BUCKETS  9


typedef struct {
    ngx_atomic_t       classes[NGX_CAMERA_API_METRICS_CLASSES];
    ngx_atomic_t       buckets[NGX_CAMERA_API_METRICS_BUCKETS];
    ngx_atomic_t       timed;
    ngx_atomic_t       msec;
} ngx_camera_api_metrics_route_t;


/* whose requests; not good ones are nobody's */

enum {
    NGX_CAMERA_API_METRICS_NONE = 0,
    NGX_CAMERA_API_METRICS_SESSION,
    NGX_CAMERA_API_METRICS_TOKEN,
    NGX_CAMERA_API_METRICS_CREDENTIALS
};


typedef struct {
    ngx_camera_api_metrics_route_t  routes[NGX_CAMERA_API_METRICS_ROUTES];
    ngx_atomic_t       credentials[NGX_CAMERA_API_METRICS_CREDENTIALS]
                                  [NGX_CAMERA_API_METRICS_CLASSES];
    ngx_atomic_t       limited[NGX_CAMERA_API_POLICIES];
} ngx_camera_api_metrics_t;


static ngx_int_t ngx_camera_api_metrics_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_camera_api_metrics_init_zone(ngx_shm_zone_t *zone,
    void *data);
static ngx_int_t ngx_camera_api_metrics_init_process(ngx_cycle_t *cycle);
static ngx_int_t ngx_camera_api_metrics_count(ngx_http_request_t *r);
static ngx_uint_t ngx_camera_api_metrics_credential(
    const ngx_camera_api_principal_t *principal);
static void ngx_camera_api_metrics_time(ngx_http_request_t *r,
    ngx_camera_api_metrics_route_t *count);
static void ngx_camera_api_metrics_write(ngx_camera_metrics_page_t *page);
static void ngx_camera_api_metrics_write_routes(
    ngx_camera_metrics_page_t *page);
static void ngx_camera_api_metrics_write_classes(
    ngx_camera_metrics_page_t *page, const char *name, ngx_uint_t i,
    const char *labels);
static void ngx_camera_api_metrics_write_times(
    ngx_camera_metrics_page_t *page, const char *name, ngx_uint_t i,
    const char *labels);
static void ngx_camera_api_metrics_write_credentials(
    ngx_camera_metrics_page_t *page);
static void ngx_camera_api_metrics_write_limits(
    ngx_camera_metrics_page_t *page);
static u_char *ngx_camera_api_metrics_labels(u_char *p, u_char *last,
    ngx_uint_t i);
static const char *ngx_camera_api_metrics_method(ngx_uint_t method);


static ngx_http_module_t  ngx_camera_api_metrics_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_camera_api_metrics_postconfiguration, /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_camera_api_metrics_module = {
    NGX_MODULE_V1,
    &ngx_camera_api_metrics_module_ctx,    /* module context */
    NULL,                                  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_camera_api_metrics_init_process,   /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* upper bounds; what is slower counts in the last bucket, "+Inf" */

static const struct {
    ngx_msec_t         msec;
    const char        *seconds;
} ngx_camera_api_metrics_bounds[NGX_CAMERA_API_METRICS_BUCKETS] = {
    { 1, "0.001" },
    { 5, "0.005" },
    { 10, "0.01" },
    { 25, "0.025" },
    { 50, "0.05" },
    { 100, "0.1" },
    { 250, "0.25" },
    { 1000, "1" },
    { 2500, "2.5" }
};


static const char  *ngx_camera_api_metrics_credentials[] = {
    [NGX_CAMERA_API_METRICS_NONE] = "none",
    [NGX_CAMERA_API_METRICS_SESSION] = "session",
    [NGX_CAMERA_API_METRICS_TOKEN] = "token"
};


static ngx_camera_api_metrics_t  *ngx_camera_api_metrics;


static ngx_int_t
ngx_camera_api_metrics_postconfiguration(ngx_conf_t *cf)
{
    size_t                      size;
    ngx_shm_zone_t             *zone;
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    static ngx_str_t  name = ngx_string("camera_api_metrics");

    size = sizeof(ngx_camera_api_metrics_t) + 16 * ngx_pagesize;

    zone = ngx_shared_memory_add(cf, &name, size,
                                 &ngx_camera_api_metrics_module);
    if (zone == NULL) {
        return NGX_ERROR;
    }

    zone->init = ngx_camera_api_metrics_init_zone;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_camera_api_metrics_count;

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_metrics_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t  *pool;

    pool = (ngx_slab_pool_t *) zone->shm.addr;

    zone->data = data ? data : pool->data;

    if (zone->data == NULL) {
        zone->data = ngx_slab_calloc(pool, sizeof(ngx_camera_api_metrics_t));
        if (zone->data == NULL) {
            return NGX_ERROR;
        }

        pool->data = zone->data;
    }

    ngx_camera_api_metrics = zone->data;

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_metrics_init_process(ngx_cycle_t *cycle)
{
    static ngx_camera_metrics_source_t  source = {
        ngx_camera_api_metrics_write, NULL
    };

    if (ngx_camera_is_worker() && ngx_camera_api_metrics) {
        ngx_camera_metrics_add_source(&source);
    }

    return NGX_OK;
}


/* log phase */

static ngx_int_t
ngx_camera_api_metrics_count(ngx_http_request_t *r)
{
    ngx_uint_t                       i, class, credential;
    ngx_camera_api_ctx_t            *ctx;
    ngx_camera_api_metrics_route_t  *count;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_api_module);

    if (ctx == NULL) {
        return NGX_OK;
    }

    i = NGX_CAMERA_API_METRICS_ROUTES - 1;

    if (ctx->route) {
        i = ngx_min(i, ngx_camera_api_route_number(ctx->route));
    }

    /* 101 counts as served */

    class = r->headers_out.status / 100;
    class = ngx_min(ngx_max(class, 2), 5) - 2;

    count = &ngx_camera_api_metrics->routes[i];
    credential = ngx_camera_api_metrics_credential(ctx->principal);

    (void) ngx_atomic_fetch_add(&count->classes[class], 1);
    (void) ngx_atomic_fetch_add(
                  &ngx_camera_api_metrics->credentials[credential][class], 1);

    if (ctx->route == NULL
        || !(ctx->route->flags & NGX_CAMERA_API_STREAM))
    {
        ngx_camera_api_metrics_time(r, count);
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_camera_api_metrics_credential(const ngx_camera_api_principal_t *principal)
{
    if (principal == NULL) {
        return NGX_CAMERA_API_METRICS_NONE;
    }

    return principal->kind == NGX_CAMERA_API_TOKEN
           ? NGX_CAMERA_API_METRICS_TOKEN : NGX_CAMERA_API_METRICS_SESSION;
}


void
ngx_camera_api_metrics_limited(ngx_camera_api_policy_e policy)
{
    (void) ngx_atomic_fetch_add(&ngx_camera_api_metrics->limited[policy], 1);
}


static void
ngx_camera_api_metrics_time(ngx_http_request_t *r,
    ngx_camera_api_metrics_route_t *count)
{
    ngx_uint_t       i;
    ngx_time_t      *tp;
    ngx_msec_int_t   msec;

    tp = ngx_timeofday();

    msec = (ngx_msec_int_t) ((tp->sec - r->start_sec) * 1000
                             + (tp->msec - r->start_msec));
    msec = ngx_max(msec, 0);

    (void) ngx_atomic_fetch_add(&count->timed, 1);
    (void) ngx_atomic_fetch_add(&count->msec, msec);

    for (i = 0; i < NGX_CAMERA_API_METRICS_BUCKETS; i++) {

        if ((ngx_msec_t) msec <= ngx_camera_api_metrics_bounds[i].msec) {
            (void) ngx_atomic_fetch_add(&count->buckets[i], 1);
            return;
        }
    }
}


static void
ngx_camera_api_metrics_write(ngx_camera_metrics_page_t *page)
{
    ngx_camera_api_metrics_write_routes(page);
    ngx_camera_api_metrics_write_credentials(page);
    ngx_camera_api_metrics_write_limits(page);
}


static void
ngx_camera_api_metrics_write_routes(ngx_camera_metrics_page_t *page)
{
    u_char       labels[NGX_CAMERA_API_METRICS_ROUTES][128];
    ngx_uint_t   i;
    const char  *name;

    for (i = 0; i < NGX_CAMERA_API_METRICS_ROUTES; i++) {
        *ngx_camera_api_metrics_labels(labels[i], labels[i] + 127, i) = '\0';
    }

    name = "camera_api_requests_total";

    ngx_camera_metrics_head(page, name, "counter",
                            "Requests by route and class of status.");

    for (i = 0; i < NGX_CAMERA_API_METRICS_ROUTES; i++) {
        ngx_camera_api_metrics_write_classes(page, name, i,
                                             (char *) labels[i]);
    }

    name = "camera_api_request_seconds";

    ngx_camera_metrics_head(page, name, "histogram",
                            "From a request's first byte to its answer's "
                            "last.");

    for (i = 0; i < NGX_CAMERA_API_METRICS_ROUTES; i++) {
        ngx_camera_api_metrics_write_times(page, name, i, (char *) labels[i]);
    }
}


static void
ngx_camera_api_metrics_write_classes(ngx_camera_metrics_page_t *page,
    const char *name, ngx_uint_t i, const char *labels)
{
    ngx_uint_t                       class;
    ngx_camera_api_metrics_route_t  *count;

    count = &ngx_camera_api_metrics->routes[i];

    for (class = 0; class < NGX_CAMERA_API_METRICS_CLASSES; class++) {

        if (count->classes[class]) {
            ngx_camera_metrics_line(page, "%s{%s,class=\"%uixx\"} %uA", name,
                                    labels, class + 2, count->classes[class]);
        }
    }
}


/* buckets are cumulative */

static void
ngx_camera_api_metrics_write_times(ngx_camera_metrics_page_t *page,
    const char *name, ngx_uint_t i, const char *labels)
{
    ngx_uint_t                       b, sum;
    ngx_camera_api_metrics_route_t  *count;

    count = &ngx_camera_api_metrics->routes[i];

    if (count->timed == 0) {
        return;
    }

    for (b = 0, sum = 0; b < NGX_CAMERA_API_METRICS_BUCKETS; b++) {
        sum += count->buckets[b];

        ngx_camera_metrics_line(page, "%s_bucket{%s,le=\"%s\"} %ui", name,
                                labels,
                                ngx_camera_api_metrics_bounds[b].seconds, sum);
    }

    ngx_camera_metrics_line(page, "%s_bucket{%s,le=\"+Inf\"} %uA", name,
                            labels, count->timed);
    ngx_camera_metrics_line(page, "%s_sum{%s} %uA.%03uA", name, labels,
                            count->msec / 1000, count->msec % 1000);
    ngx_camera_metrics_line(page, "%s_count{%s} %uA", name, labels,
                            count->timed);
}


static void
ngx_camera_api_metrics_write_credentials(ngx_camera_metrics_page_t *page)
{
    ngx_uint_t   i, class;
    const char  *name;

    name = "camera_api_credential_requests_total";

    ngx_camera_metrics_head(page, name, "counter",
                            "Requests by kind of credential and class of "
                            "status; one that is not good is none.");

    for (i = 0; i < NGX_CAMERA_API_METRICS_CREDENTIALS; i++) {

        for (class = 0; class < NGX_CAMERA_API_METRICS_CLASSES; class++) {
            ngx_camera_metrics_line(page,
                                    "%s{credential=\"%s\",class=\"%uixx\"} %uA",
                                    name, ngx_camera_api_metrics_credentials[i],
                                    class + 2,
                                    ngx_camera_api_metrics->credentials[i]
                                                                       [class]);
        }
    }
}


static void
ngx_camera_api_metrics_write_limits(ngx_camera_metrics_page_t *page)
{
    ngx_uint_t   i;
    const char  *name;

    name = "camera_api_limited_total";

    ngx_camera_metrics_head(page, name, "counter",
                            "Requests that were too many, by the first limit "
                            "that refused them.");

    for (i = 0; i < NGX_CAMERA_API_POLICIES; i++) {
        ngx_camera_metrics_line(page, "%s{policy=\"%s\"} %uA", name,
                                ngx_camera_api_policy_name(i),
                                ngx_camera_api_metrics->limited[i]);
    }

    name = "camera_api_requests_running";

    ngx_camera_metrics_head(page, name, "gauge",
                            "Requests that passed the limits and were not "
                            "answered yet.");
    ngx_camera_metrics_sample(page, name, "",
                              ngx_camera_api_limit_at_once());
}


static u_char *
ngx_camera_api_metrics_labels(u_char *p, u_char *last, ngx_uint_t i)
{
    const ngx_camera_api_route_t  *route;

    route = ngx_camera_api_route_at(i);

    if (route == NULL) {
        return ngx_slprintf(p, last, "method=\"\",route=\"none\"");
    }

    return ngx_slprintf(p, last, "method=\"%s\",route=\"%s\"",
                        ngx_camera_api_metrics_method(route->method),
                        route->path);
}


static const char *
ngx_camera_api_metrics_method(ngx_uint_t method)
{
    switch (method) {

    case NGX_HTTP_GET:
        return "GET";

    case NGX_HTTP_POST:
        return "POST";

    case NGX_HTTP_PUT:
        return "PUT";

    case NGX_HTTP_PATCH:
        return "PATCH";

    default:
        return "DELETE";
    }
}
