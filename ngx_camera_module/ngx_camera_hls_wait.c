/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Requests that wait for the packager: blocking playlist reloads and parts
 * that were hinted at.
 *
 * One timer per worker looks at the indexes of waiting requests, every 20 ms
 * and only while there are any.  It keeps an exiting worker alive, for three
 * target durations at most.  Waiting ends when the index has what is wanted or
 * the deadline passes (both: resume() answers), when the camera's registry
 * entry changes so that playing is forbidden, or when the client leaves.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_camera_hls.h"


#define NGX_CAMERA_HLS_TICK_MSEC  20


static void ngx_camera_hls_wait_tick(ngx_event_t *ev);
static ngx_uint_t ngx_camera_hls_wait_over(ngx_camera_conf_t *ccf,
    ngx_camera_hls_ctx_t *ctx);
static void ngx_camera_hls_wait_done(ngx_camera_hls_ctx_t *ctx);
static void ngx_camera_hls_wait_detach(ngx_camera_hls_ctx_t *ctx);
static void ngx_camera_hls_wait_cleanup(void *data);


static ngx_queue_t  ngx_camera_hls_waiting;
static ngx_event_t  ngx_camera_hls_tick;


ngx_int_t
ngx_camera_hls_wait(ngx_http_request_t *r, ngx_camera_live_t *live,
    ngx_uint_t (*ready)(ngx_http_request_t *r),
    ngx_int_t (*resume)(ngx_http_request_t *r))
{
    ngx_http_cleanup_t    *cln;
    ngx_camera_hls_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);

    if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_camera_hls_wait_cleanup;
    cln->data = ctx;

    if (ngx_camera_hls_tick.handler == NULL) {
        ngx_queue_init(&ngx_camera_hls_waiting);
        ngx_camera_background_event(&ngx_camera_hls_tick,
                                    ngx_camera_hls_wait_tick, ngx_cycle->log);
        ngx_camera_hls_tick.cancelable = 0;
    }

    ctx->live = live;
    ctx->changes = live->changes;
    ctx->ready = ready;
    ctx->resume = resume;
    ctx->waiting = 1;
    ctx->deadline = ngx_current_msec + 3 * live->index.target_msec;

    live->holds++;
    ngx_queue_insert_tail(&ngx_camera_hls_waiting, &ctx->queue);

    if (!ngx_camera_hls_tick.timer_set) {
        ngx_add_timer(&ngx_camera_hls_tick, NGX_CAMERA_HLS_TICK_MSEC);
    }

    r->read_event_handler = ngx_http_test_reading;
    r->main->count++;

    return NGX_DONE;
}


static void
ngx_camera_hls_wait_tick(ngx_event_t *ev)
{
    ngx_queue_t            over, *q, *next;
    ngx_camera_conf_t     *ccf;
    ngx_camera_hls_ctx_t  *ctx;

    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);
    ngx_queue_init(&over);

    for (q = ngx_queue_head(&ngx_camera_hls_waiting);
         q != ngx_queue_sentinel(&ngx_camera_hls_waiting);
         q = next)
    {
        next = ngx_queue_next(q);
        ctx = ngx_queue_data(q, ngx_camera_hls_ctx_t, queue);

        if (ngx_camera_hls_wait_over(ccf, ctx)) {
            ngx_queue_remove(q);
            ngx_queue_insert_tail(&over, q);
        }
    }

    /* one by one from the head: an answer may end other requests, too */

    while (!ngx_queue_empty(&over)) {
        q = ngx_queue_head(&over);
        ngx_camera_hls_wait_done(ngx_queue_data(q, ngx_camera_hls_ctx_t,
                                                queue));
    }

    if (!ngx_queue_empty(&ngx_camera_hls_waiting) && !ev->timer_set) {
        ngx_add_timer(ev, NGX_CAMERA_HLS_TICK_MSEC);
    }
}


static ngx_uint_t
ngx_camera_hls_wait_over(ngx_camera_conf_t *ccf, ngx_camera_hls_ctx_t *ctx)
{
    ngx_camera_live_t  *live;

    live = ctx->live;
    live->used = ngx_current_msec;

    (void) ngx_camera_live_refresh(ccf, live);

    if ((ngx_msec_int_t) (ngx_current_msec - ctx->deadline) >= 0) {
        return 1;
    }

    ctx->refused = ngx_camera_hls_recheck(ctx->request, ctx);

    if (ctx->refused) {
        return 1;
    }

    if (ctx->changes == live->changes) {
        return 0;
    }

    ctx->changes = live->changes;

    return ctx->ready(ctx->request);
}


static void
ngx_camera_hls_wait_done(ngx_camera_hls_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_camera_hls_wait_detach(ctx);

    rc = ctx->refused ? ctx->refused : ctx->resume(r);

    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}


static void
ngx_camera_hls_wait_detach(ngx_camera_hls_ctx_t *ctx)
{
    ctx->waiting = 0;
    ctx->live->holds--;

    ngx_queue_remove(&ctx->queue);

    ctx->request->read_event_handler = ngx_http_block_reading;
}


static void
ngx_camera_hls_wait_cleanup(void *data)
{
    ngx_camera_hls_ctx_t *ctx = data;

    if (ctx->waiting) {
        ngx_camera_hls_wait_detach(ctx);
    }
}
