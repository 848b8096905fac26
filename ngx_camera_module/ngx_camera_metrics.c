/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Metrics in Prometheus' text format (version 0.0.4).
 *
 *     location = /metrics { camera_metrics; allow 127.0.0.1; deny all; }
 *
 * Counters lie in shm/metrics and are those of the whole node, whichever
 * worker answers.  Gauges are read from shared memory when they are asked for.
 * Nothing here names a camera: an operator with ten thousand of them would get
 * a hundred thousand series.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <sys/statvfs.h>

#include "heartbeat.h"
#include "ngx_camera.h"
#include "ngx_camera_metrics.h"


#define NGX_CAMERA_METRICS_PAGE  16384
#define NGX_CAMERA_METRICS_LINE  512


static char *ngx_camera_metrics(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_camera_metrics_init_process(ngx_cycle_t *cycle);
static void ngx_camera_metrics_exit_process(ngx_cycle_t *cycle);
static ngx_int_t ngx_camera_metrics_handler(ngx_http_request_t *r);
static void ngx_camera_metrics_counters(ngx_camera_metrics_page_t *page);
static void ngx_camera_metrics_refusals(ngx_camera_metrics_page_t *page);
static void ngx_camera_metrics_cameras(ngx_camera_metrics_page_t *page,
    ngx_camera_conf_t *ccf);
static void ngx_camera_metrics_memory(ngx_camera_metrics_page_t *page,
    ngx_camera_conf_t *ccf);
static void ngx_camera_metrics_workers(ngx_camera_metrics_page_t *page,
    ngx_camera_conf_t *ccf);
static void ngx_camera_metrics_gauge(ngx_camera_metrics_page_t *page,
    const char *name, const char *help, int64_t value);
static u_char *ngx_camera_metrics_room(ngx_camera_metrics_page_t *page);
static ngx_int_t ngx_camera_metrics_send(ngx_http_request_t *r,
    ngx_camera_metrics_page_t *page);


static ngx_command_t  ngx_camera_metrics_commands[] = {

    { ngx_string("camera_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_camera_metrics,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_camera_metrics_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_camera_metrics_module = {
    NGX_MODULE_V1,
    &ngx_camera_metrics_module_ctx,        /* module context */
    ngx_camera_metrics_commands,           /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_camera_metrics_init_process,       /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_camera_metrics_exit_process,       /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static cam_metrics_t                *ngx_camera_metrics_map;
static ngx_camera_metrics_source_t  *ngx_camera_metrics_sources;


void
ngx_camera_count(cam_metric_e metric, uint64_t n)
{
    cam_metrics_add(ngx_camera_metrics_map, metric, n);
}


void
ngx_camera_metrics_add_source(ngx_camera_metrics_source_t *source)
{
    source->next = ngx_camera_metrics_sources;
    ngx_camera_metrics_sources = source;
}


static ngx_int_t
ngx_camera_metrics_init_process(ngx_cycle_t *cycle)
{
    ngx_camera_conf_t  *ccf;

    ccf = ngx_camera_conf(cycle);

    if (ccf == NULL || !ngx_camera_is_worker()) {
        return NGX_OK;
    }

    /* a node that cannot count serves nevertheless */

    ngx_camera_metrics_map = cam_metrics_open((char *) ccf->shm.data);

    if (ngx_camera_metrics_map == NULL) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_errno,
                      "cam_metrics_open(\"%V\") failed, nothing is counted",
                      &ccf->shm);
    }

    return NGX_OK;
}


static void
ngx_camera_metrics_exit_process(ngx_cycle_t *cycle)
{
    cam_metrics_close(ngx_camera_metrics_map);
    ngx_camera_metrics_map = NULL;
}


static ngx_int_t
ngx_camera_metrics_handler(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    ngx_camera_conf_t            *ccf;
    ngx_camera_metrics_page_t     page;
    ngx_camera_metrics_source_t  *source;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    if (ccf == NULL || ngx_camera_metrics_map == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    ngx_memzero(&page, sizeof(ngx_camera_metrics_page_t));
    page.pool = r->pool;

    ngx_camera_metrics_counters(&page);
    ngx_camera_metrics_refusals(&page);
    ngx_camera_metrics_cameras(&page, ccf);
    ngx_camera_metrics_memory(&page, ccf);
    ngx_camera_metrics_workers(&page, ccf);

    for (source = ngx_camera_metrics_sources; source; source = source->next) {
        source->write(&page);
    }

    return ngx_camera_metrics_send(r, &page);
}


static void
ngx_camera_metrics_counters(ngx_camera_metrics_page_t *page)
{
    ngx_uint_t                i;
    const char               *name;
    const cam_metric_info_t  *info;

    name = "";

    for (i = 0; i < CAM_METRICS_NAMED; i++) {
        info = cam_metrics_info(i);

        if (ngx_strcmp(name, info->name) != 0) {
            name = info->name;
            ngx_camera_metrics_head(page, name,
                                    info->gauge ? "gauge" : "counter",
                                    info->help);
        }

        ngx_camera_metrics_sample(page, name, info->labels,
                                  cam_metrics_get(ngx_camera_metrics_map, i));
    }
}


static void
ngx_camera_metrics_refusals(ngx_camera_metrics_page_t *page)
{
    ngx_uint_t   reason;
    const char  *name;

    name = "camera_publish_refused_total";

    ngx_camera_metrics_head(page, name, "counter",
                            "Publishers that were turned away, by reason.");

    for (reason = CAM_REASON_NONE + 1; reason <= CAM_REASON_DRAINED; reason++) {

        ngx_camera_metrics_line(page, "%s{reason=\"%s\"} %uL", name,
                                cam_reason_name(reason),
                                cam_metrics_get(ngx_camera_metrics_map,
                                                CAM_METRIC_REFUSED + reason));
    }
}


static void
ngx_camera_metrics_cameras(ngx_camera_metrics_page_t *page,
    ngx_camera_conf_t *ccf)
{
    uint32_t               i;
    uint64_t               generation, ended;
    ngx_uint_t             live;
    cam_registry_info_t    info;
    cam_registry_state_t  *state;

    cam_registry_info(ccf->registry, &info);

    for (i = 0, live = 0; i < info.capacity; i++) {
        state = cam_registry_state(ccf->registry, i);

        generation = __atomic_load_n(&state->generation, __ATOMIC_RELAXED);
        ended = __atomic_load_n(&state->ended_generation, __ATOMIC_RELAXED);

        live += generation > ended;
    }

    ngx_camera_metrics_gauge(page, "camera_cameras_known",
                             "Cameras that this node knows.", info.used);
    ngx_camera_metrics_gauge(page, "camera_cameras_capacity",
                             "Cameras that there is room for.", info.capacity);
    ngx_camera_metrics_gauge(page, "camera_cameras_live",
                             "Cameras that publish to this node.", live);
    ngx_camera_metrics_gauge(page, "camera_registry_age_seconds",
                             "Since the database was read, -1: never.",
                             info.fed_at ? ngx_max(ngx_time() - info.fed_at, 0)
                                         : -1);
}


static void
ngx_camera_metrics_memory(ngx_camera_metrics_page_t *page,
    ngx_camera_conf_t *ccf)
{
    struct statvfs  vfs;

    if (fstatvfs(ccf->live_fd, &vfs) == -1) {
        return;
    }

    ngx_camera_metrics_gauge(page, "camera_shm_size_bytes",
                             "Size of the shared memory.",
                             (int64_t) vfs.f_blocks * vfs.f_frsize);
    ngx_camera_metrics_gauge(page, "camera_shm_free_bytes",
                             "What of it is free.",
                             (int64_t) vfs.f_bavail * vfs.f_frsize);
}


/* those of older configurations serve what they have until it leaves */

static void
ngx_camera_metrics_workers(ngx_camera_metrics_page_t *page,
    ngx_camera_conf_t *ccf)
{
    int                    fd;
    ngx_uint_t             i, n;
    cam_heartbeat_slot_t   slot[CAM_HEARTBEAT_SLOTS];

    fd = open((char *) ccf->shm.data, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd != -1 && cam_heartbeat_read(fd, slot) == 0) {

        for (i = 0, n = 0; i < CAM_HEARTBEAT_SLOTS; i++) {
            n += slot[i].owner != 0;
        }

        ngx_camera_metrics_gauge(page, "camera_nginx_workers",
                                 "Workers of nginx, old ones included.", n);
    }

    if (fd != -1) {
        close(fd);
    }

    ngx_camera_metrics_gauge(page, "camera_nginx_reloads",
                             "Configurations taken since the start, less one.",
                             ccf->generation - 1);

#if (NGX_STAT_STUB)
    ngx_camera_metrics_gauge(page, "nginx_connections_active",
                             "Connections of clients.", *ngx_stat_active);
    ngx_camera_metrics_head(page, "nginx_http_requests_total", "counter",
                            "Requests over HTTP, of every kind.");
    ngx_camera_metrics_sample(page, "nginx_http_requests_total", "",
                              *ngx_stat_requests);
#endif
}


static void
ngx_camera_metrics_gauge(ngx_camera_metrics_page_t *page, const char *name,
    const char *help, int64_t value)
{
    ngx_camera_metrics_head(page, name, "gauge", help);
    ngx_camera_metrics_sample(page, name, "", value);
}


void
ngx_camera_metrics_head(ngx_camera_metrics_page_t *page, const char *name,
    const char *type, const char *help)
{
    ngx_camera_metrics_line(page, "# HELP %s %s", name, help);
    ngx_camera_metrics_line(page, "# TYPE %s %s", name, type);
}


void
ngx_camera_metrics_sample(ngx_camera_metrics_page_t *page, const char *name,
    const char *labels, int64_t value)
{
    ngx_camera_metrics_line(page, *labels ? "%s{%s} %L" : "%s%s %L",
                            name, labels, value);
}


void
ngx_camera_metrics_line(ngx_camera_metrics_page_t *page, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    p = ngx_camera_metrics_room(page);

    if (p == NULL) {
        return;
    }

    va_start(args, fmt);
    p = ngx_vslprintf(p, p + NGX_CAMERA_METRICS_LINE - 1, fmt, args);
    va_end(args);

    *p++ = '\n';
    page->last = p;
}


/* where a line goes; the page doubles, and its pool keeps the halves */

static u_char *
ngx_camera_metrics_room(ngx_camera_metrics_page_t *page)
{
    size_t   len, size;
    u_char  *p;

    if (page->failed) {
        return NULL;
    }

    if (page->end - page->last >= NGX_CAMERA_METRICS_LINE) {
        return page->last;
    }

    len = page->last - page->start;
    size = ngx_max(2 * (page->end - page->start), NGX_CAMERA_METRICS_PAGE);

    p = ngx_pnalloc(page->pool, size);
    if (p == NULL) {
        page->failed = 1;
        return NULL;
    }

    ngx_memcpy(p, page->start, len);

    page->start = p;
    page->last = p + len;
    page->end = p + size;

    return page->last;
}


static ngx_int_t
ngx_camera_metrics_send(ngx_http_request_t *r, ngx_camera_metrics_page_t *page)
{
    ngx_str_t                 type;
    ngx_http_complex_value_t  cv;

    if (page->failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&type, "text/plain; version=0.0.4; charset=utf-8");

    ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));
    cv.value.data = page->start;
    cv.value.len = page->last - page->start;

    return ngx_http_send_response(r, NGX_HTTP_OK, &type, &cv);
}


static char *
ngx_camera_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_camera_metrics_handler;

    return NGX_CONF_OK;
}
