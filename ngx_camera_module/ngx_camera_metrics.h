/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What is counted, and the page that shows it.  Counters of this module and of
 * camera-worker are listed in common/metrics.h; another module adds its own
 * lines as a source.
 */

#ifndef NGX_CAMERA_METRICS_H
#define NGX_CAMERA_METRICS_H

#include <ngx_config.h>
#include <ngx_core.h>

#include "metrics.h"


/* in any process: where nothing is mapped nothing is counted */
void ngx_camera_count(cam_metric_e metric, uint64_t n);


/* a page that is being written; out of memory shows at its end */
typedef struct {
    ngx_pool_t   *pool;
    u_char       *start;
    u_char       *last;
    u_char       *end;
    unsigned      failed:1;
} ngx_camera_metrics_page_t;


typedef struct ngx_camera_metrics_source_s  ngx_camera_metrics_source_t;

struct ngx_camera_metrics_source_s {
    void                        (*write)(ngx_camera_metrics_page_t *page);
    ngx_camera_metrics_source_t  *next;
};

/* in init_process; source lives as long as the worker */
void ngx_camera_metrics_add_source(ngx_camera_metrics_source_t *source);

/* HELP and TYPE, once before the samples of a name */
void ngx_camera_metrics_head(ngx_camera_metrics_page_t *page,
    const char *name, const char *type, const char *help);

/* labels without brackets, "" for none */
void ngx_camera_metrics_sample(ngx_camera_metrics_page_t *page,
    const char *name, const char *labels, int64_t value);

/* a whole line by nginx's formats, at most 512 bytes */
void ngx_camera_metrics_line(ngx_camera_metrics_page_t *page,
    const char *fmt, ...);


#endif /* NGX_CAMERA_METRICS_H */
