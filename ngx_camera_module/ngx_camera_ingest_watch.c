/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The watch: four times a second it walks this worker's publications and
 * ends those that were superseded or revoked.  Most ticks cost two loads from
 * shared memory per camera; the entry is read when its version has changed,
 * and once a second for what time alone changes: an overlap of keys that is
 * over, a token's expiry.
 *
 * The timer does not keep an exiting worker alive, but an exiting worker with
 * publications lives, by their own timers, and so does its watch, until they
 * are drained.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_camera_ingest.h"


#define NGX_CAMERA_INGEST_WATCH_MSEC  250


static void ngx_camera_ingest_watch_handler(ngx_event_t *ev);
static void ngx_camera_ingest_watch_one(ngx_camera_conf_t *ccf,
    ngx_camera_ingest_ctx_t *ctx);


static ngx_event_t  ngx_camera_ingest_watch_event;
static ngx_queue_t  ngx_camera_ingest_publishers;


ngx_int_t
ngx_camera_ingest_watch_start(ngx_cycle_t *cycle)
{
    ngx_queue_init(&ngx_camera_ingest_publishers);

    ngx_camera_background_event(&ngx_camera_ingest_watch_event,
                                ngx_camera_ingest_watch_handler, cycle->log);

    ngx_add_timer(&ngx_camera_ingest_watch_event,
                  NGX_CAMERA_INGEST_WATCH_MSEC);

    return NGX_OK;
}


/* readers need not find out by the locks that a worker leaves behind */

void
ngx_camera_ingest_watch_stop(void)
{
    ngx_queue_t  *q;

    if (ngx_camera_ingest_watch_event.timer_set) {
        ngx_del_timer(&ngx_camera_ingest_watch_event);
    }

    while (!ngx_queue_empty(&ngx_camera_ingest_publishers)) {
        q = ngx_queue_head(&ngx_camera_ingest_publishers);

        ngx_camera_ingest_stop(ngx_queue_data(q, ngx_camera_ingest_ctx_t,
                                              queue));
    }
}


void
ngx_camera_ingest_watch_add(ngx_camera_ingest_ctx_t *ctx)
{
    ngx_queue_insert_tail(&ngx_camera_ingest_publishers, &ctx->queue);
}


static void
ngx_camera_ingest_watch_handler(ngx_event_t *ev)
{
    ngx_queue_t              *q, *next;
    ngx_camera_conf_t        *ccf;
    ngx_camera_ingest_ctx_t  *ctx;

    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    for (q = ngx_queue_head(&ngx_camera_ingest_publishers);
         q != ngx_queue_sentinel(&ngx_camera_ingest_publishers);
         q = next)
    {
        next = ngx_queue_next(q);
        ctx = ngx_queue_data(q, ngx_camera_ingest_ctx_t, queue);

        ngx_camera_ingest_watch_one(ccf, ctx);
    }

    ngx_camera_ingest_drain(ccf, &ngx_camera_ingest_publishers);

    ngx_add_timer(ev, NGX_CAMERA_INGEST_WATCH_MSEC);
}


static void
ngx_camera_ingest_watch_one(ngx_camera_conf_t *ccf,
    ngx_camera_ingest_ctx_t *ctx)
{
    uint64_t              version;
    cam_reason_e          reason;
    cam_registry_entry_t  entry;

    if (__atomic_load_n(&ctx->state->generation, __ATOMIC_RELAXED)
        != ctx->generation)
    {
        ngx_camera_ingest_superseded(ctx);
        return;
    }

    version = cam_registry_slot_version(ccf->registry, ctx->slot);

    if (version == ctx->version && ctx->checked == ngx_time()) {
        return;
    }

    ctx->version = version;
    ctx->checked = ngx_time();

    ngx_camera_ingest_count(ctx);

    if (cam_registry_get(ccf->registry, ctx->slot, &entry) != 0
        || ngx_memcmp(entry.camera, ctx->camera, CAM_UUID_LEN) != 0)
    {
        reason = CAM_REASON_TOKEN_REVOKED;

    } else {
        reason = ngx_camera_ingest_check(&entry, &ctx->credential,
                                    ctx->session->connection->sockaddr,
                                    ngx_time());
    }

    if (reason != CAM_REASON_NONE) {
        ngx_camera_ingest_cut(ctx, reason, 0);
    }
}
