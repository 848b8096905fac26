/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Draining: a worker that a reload has replaced keeps its publications, but
 * not for ever; one that exits without a successor ends them at once.
 *
 *   kept      until "drain" has passed since the worker was told to exit, or
 *             until more than three reloads came after its own
 *   draining  one more with each tick of the watch, or all with the first
 *                                            [ngx_camera_ingest_drain()]
 *   ended     in front of its next key frame, so that the last group of
 *             pictures is whole              [ngx_camera_ingest_drain_media()]
 *             or, when none comes in 10 s, by the watch
 *
 * The camera comes again at once and finds a new worker.  The value of
 * "drain" is the worker's own, from before the reload.
 *
 * Without a successor the master was told to quit, or a new binary has taken
 * over.  Keeping cameras then only delays their way to whoever serves next: a
 * container runtime would lose patience and kill everything.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_camera_ingest.h"


#define NGX_CAMERA_INGEST_DRAIN_OLD   3       /* generations kept */
#define NGX_CAMERA_INGEST_DRAIN_MSEC  10000   /* for a key frame to come */


static ngx_uint_t ngx_camera_ingest_drain_due(ngx_camera_conf_t *ccf,
    ngx_uint_t newer);


void
ngx_camera_ingest_drain(ngx_camera_conf_t *ccf, ngx_queue_t *publishers)
{
    ngx_uint_t                newer;
    ngx_queue_t              *q, *next;
    ngx_camera_ingest_ctx_t  *ctx;

    if (!ngx_exiting) {
        return;
    }

    newer = ngx_camera_newer(ccf);

    if (!ngx_camera_ingest_drain_due(ccf, newer)) {
        return;
    }

    for (q = ngx_queue_head(publishers);
         q != ngx_queue_sentinel(publishers);
         q = next)
    {
        next = ngx_queue_next(q);
        ctx = ngx_queue_data(q, ngx_camera_ingest_ctx_t, queue);

        if (!ctx->draining) {
            ctx->draining = 1;
            ctx->draining_at = ngx_current_msec;

            ngx_log_error(NGX_LOG_INFO, ctx->session->connection->log, 0,
                          "publishing drains");

            if (newer) {
                return;
            }

            continue;
        }

        if (ngx_current_msec - ctx->draining_at
            >= NGX_CAMERA_INGEST_DRAIN_MSEC)
        {
            ngx_camera_ingest_drained(ctx);
        }
    }
}


static ngx_uint_t
ngx_camera_ingest_drain_due(ngx_camera_conf_t *ccf, ngx_uint_t newer)
{
    static ngx_msec_t  exiting_at;
    static ngx_uint_t  exiting;

    if (!exiting) {
        exiting = 1;
        exiting_at = ngx_current_msec;
    }

    return newer == 0 || newer > NGX_CAMERA_INGEST_DRAIN_OLD
           || ngx_current_msec - exiting_at >= ccf->drain;
}


ngx_int_t
ngx_camera_ingest_drain_media(ngx_camera_ingest_ctx_t *ctx,
    cam_frame_t *frame)
{
    if (!ctx->draining || frame->track != CAM_TRACK_VIDEO
        || !(frame->flags & CAM_FRAME_KEY))
    {
        return NGX_DECLINED;
    }

    ngx_camera_ingest_drained(ctx);

    return NGX_DONE;
}
