/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Requests that wait for the packager: blocking playlist reloads and parts
 * that were hinted at.
 *
 * Waiting ends when the index has what is wanted or after three target
 * durations (both: resume() answers), when the camera's registry entry changes
 * so that playing is forbidden, or when the client leaves.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_camera_hls.h"


#define NGX_CAMERA_HLS_TICK_MSEC  20


static ngx_uint_t ngx_camera_hls_wait_over(ngx_camera_parked_t *parked);
static ngx_int_t ngx_camera_hls_wait_answer(ngx_camera_parked_t *parked);
static void ngx_camera_hls_wait_left(ngx_camera_parked_t *parked);


static ngx_camera_park_t  ngx_camera_hls_park = {
    .msec = NGX_CAMERA_HLS_TICK_MSEC
};


ngx_int_t
ngx_camera_hls_wait(ngx_http_request_t *r, ngx_camera_live_t *live,
    ngx_uint_t (*ready)(ngx_http_request_t *r),
    ngx_int_t (*resume)(ngx_http_request_t *r))
{
    ngx_int_t              rc;
    ngx_camera_hls_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);

    ctx->parked.over = ngx_camera_hls_wait_over;
    ctx->parked.answer = ngx_camera_hls_wait_answer;
    ctx->parked.left = ngx_camera_hls_wait_left;

    ctx->live = live;
    ctx->changes = live->changes;
    ctx->ready = ready;
    ctx->resume = resume;
    ctx->deadline = ngx_current_msec + 3 * live->index.target_msec;

    rc = ngx_camera_park(&ngx_camera_hls_park, r, &ctx->parked);

    if (rc == NGX_DONE) {
        live->holds++;
    }

    return rc;
}


static ngx_uint_t
ngx_camera_hls_wait_over(ngx_camera_parked_t *parked)
{
    ngx_camera_hls_ctx_t *ctx = (ngx_camera_hls_ctx_t *) parked;

    ngx_http_request_t  *r;
    ngx_camera_live_t   *live;

    r = parked->request;
    live = ctx->live;
    live->used = ngx_current_msec;

    (void) ngx_camera_live_refresh(ngx_camera_conf((ngx_cycle_t *) ngx_cycle),
                                   live);

    if ((ngx_msec_int_t) (ngx_current_msec - ctx->deadline) >= 0) {
        return 1;
    }

    ctx->refused = ngx_camera_hls_recheck(r, ctx);

    if (ctx->refused) {
        return 1;
    }

    if (ctx->changes == live->changes) {
        return 0;
    }

    ctx->changes = live->changes;

    return ctx->ready(r);
}


static ngx_int_t
ngx_camera_hls_wait_answer(ngx_camera_parked_t *parked)
{
    ngx_camera_hls_ctx_t *ctx = (ngx_camera_hls_ctx_t *) parked;

    return ctx->refused ? ctx->refused : ctx->resume(parked->request);
}


static void
ngx_camera_hls_wait_left(ngx_camera_parked_t *parked)
{
    ngx_camera_hls_ctx_t *ctx = (ngx_camera_hls_ctx_t *) parked;

    ctx->live->holds--;
}
