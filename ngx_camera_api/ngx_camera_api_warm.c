/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A worker that has just started takes requests before its connections to the
 * database are there.  Those requests wait for a moment, so that a reload
 * costs nobody a 503; after two seconds nobody waits any more, and an outage is
 * answered at once ever after.
 */

#include "ngx_camera.h"
#include "ngx_camera_api_core.h"

#define NGX_CAMERA_API_WARM_MSEC  2000


static void ngx_camera_api_warm_timeout(ngx_event_t *ev);


static struct {
    ngx_queue_t   waiting;
    ngx_event_t   timer;
    ngx_uint_t    done;
} ngx_camera_api_warming;


void
ngx_camera_api_warm_init(ngx_cycle_t *cycle)
{
    ngx_queue_init(&ngx_camera_api_warming.waiting);

    ngx_camera_background_event(&ngx_camera_api_warming.timer,
                                ngx_camera_api_warm_timeout, cycle->log);
    ngx_add_timer(&ngx_camera_api_warming.timer, NGX_CAMERA_API_WARM_MSEC);
}


ngx_int_t
ngx_camera_api_warm(ngx_camera_api_ctx_t *ctx)
{
    if (ngx_camera_api_warming.done) {
        return NGX_OK;
    }

    ngx_queue_insert_tail(&ngx_camera_api_warming.waiting, &ctx->warming);
    ctx->cold = 1;

    ctx->request->read_event_handler = ngx_http_test_reading;

    return NGX_AGAIN;
}


void
ngx_camera_api_warm_cancel(ngx_camera_api_ctx_t *ctx)
{
    if (ctx->cold) {
        ngx_queue_remove(&ctx->warming);
        ctx->cold = 0;
    }
}


/* each may end, and others with it that wait, too */

void
ngx_camera_api_warm_done(void)
{
    ngx_queue_t           *q;
    ngx_camera_api_ctx_t  *ctx;

    if (ngx_camera_api_warming.done) {
        return;
    }

    ngx_camera_api_warming.done = 1;

    if (ngx_camera_api_warming.timer.timer_set) {
        ngx_del_timer(&ngx_camera_api_warming.timer);
    }

    while (!ngx_queue_empty(&ngx_camera_api_warming.waiting)) {
        q = ngx_queue_head(&ngx_camera_api_warming.waiting);
        ctx = ngx_queue_data(q, ngx_camera_api_ctx_t, warming);

        ngx_camera_api_warm_cancel(ctx);
        ngx_camera_api_resume(ctx);
    }
}


static void
ngx_camera_api_warm_timeout(ngx_event_t *ev)
{
    ngx_camera_api_warm_done();
}
