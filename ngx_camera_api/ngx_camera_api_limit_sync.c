/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Limits over several nodes: each worker tells Redis ten times a second what
 * was counted since and takes back the sum of all nodes.
 *
 *     rate_limit:{id}:{first second of the window}     kept for an hour
 *
 * No request waits for it.  Without Redis each node limits for itself.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <hiredis/hiredis.h>

#include "ngx_camera.h"
#include "ngx_camera_metrics.h"
#include "ngx_camera_redis.h"
#include "ngx_camera_api_limit.h"
#include "ngx_camera_api_limit_sync.h"

#define NGX_CAMERA_API_SYNC_MSEC     100
#define NGX_CAMERA_API_SYNC_KEYS     14    /* of one command */
#define NGX_CAMERA_API_SYNC_BATCHES  16    /* of one turn, or in flight */
#define NGX_CAMERA_API_SYNC_TEXT     96

#define NGX_CAMERA_API_SYNC_PREFIX   "rate_limit:"


typedef struct {
    ngx_queue_t                   queue;
    ngx_uint_t                    n;
    ngx_camera_api_limit_delta_t  deltas[NGX_CAMERA_API_SYNC_KEYS];
} ngx_camera_api_sync_batch_t;


static void ngx_camera_api_sync_metrics(ngx_camera_metrics_page_t *page);
static void ngx_camera_api_sync_tick(ngx_event_t *ev);
static ngx_int_t ngx_camera_api_sync_send(ngx_camera_redis_t *redis,
    ngx_camera_api_sync_batch_t *batch);
static void ngx_camera_api_sync_done(void *data, ngx_camera_redis_rc_e rc,
    const redisReply *reply);
static ngx_uint_t ngx_camera_api_sync_is_sum(const redisReply *reply,
    ngx_uint_t i);
static ngx_camera_api_sync_batch_t *ngx_camera_api_sync_batch(void);


static ngx_camera_redis_script_t  ngx_camera_api_sync_script = {
    ngx_string("local sums = {}\n"
               "for i, key in ipairs(KEYS) do\n"
               "    sums[i] = redis.call('INCRBY', key, ARGV[i])\n"
               "    redis.call('EXPIRE', key, 3600)\n"
               "end\n"
               "return sums\n"),
    ""
};


static struct {
    ngx_event_t                   tick;
    ngx_log_t                    *log;
    ngx_queue_t                   free;
    ngx_uint_t                    in_flight;
    ngx_uint_t                    shared;      /* Redis takes commands */
    ngx_camera_metrics_source_t   source;
} ngx_camera_api_sync;


void
ngx_camera_api_sync_init(ngx_cycle_t *cycle)
{
    ngx_camera_api_sync.log = cycle->log;
    ngx_queue_init(&ngx_camera_api_sync.free);

    ngx_camera_api_sync.source.write = ngx_camera_api_sync_metrics;
    ngx_camera_metrics_add_source(&ngx_camera_api_sync.source);

    if (ngx_camera_redis_client() == NULL) {
        return;
    }

    ngx_camera_background_event(&ngx_camera_api_sync.tick,
                                ngx_camera_api_sync_tick, cycle->log);
    ngx_add_timer(&ngx_camera_api_sync.tick, NGX_CAMERA_API_SYNC_MSEC);
}


static void
ngx_camera_api_sync_metrics(ngx_camera_metrics_page_t *page)
{
    ngx_camera_metrics_head(page, "camera_api_limits_shared", "gauge",
                            "1 while limits hold over all nodes, 0 while "
                            "each is on its own.");
    ngx_camera_metrics_sample(page, "camera_api_limits_shared", "",
                              ngx_camera_api_sync.shared);
}


static void
ngx_camera_api_sync_tick(ngx_event_t *ev)
{
    ngx_int_t                     rc;
    ngx_uint_t                    from;
    ngx_camera_redis_t           *redis;
    ngx_camera_api_sync_batch_t  *batch;

    ngx_add_timer(ev, NGX_CAMERA_API_SYNC_MSEC);

    redis = ngx_camera_redis_client();

    if (!ngx_camera_redis_ready(redis)) {
        ngx_camera_api_sync.shared = 0;
        return;
    }

    from = 0;
    rc = NGX_OK;
    ngx_camera_api_sync.shared = 1;

    while (rc == NGX_OK
           && ngx_camera_api_sync.in_flight < NGX_CAMERA_API_SYNC_BATCHES)
    {
        batch = ngx_camera_api_sync_batch();

        if (batch == NULL) {
            return;
        }

        for (batch->n = 0; batch->n < NGX_CAMERA_API_SYNC_KEYS; batch->n++) {

            if (ngx_camera_api_limit_take(&from, &batch->deltas[batch->n])
                != NGX_OK)
            {
                rc = NGX_DONE;
                break;
            }
        }

        if (batch->n == 0 || ngx_camera_api_sync_send(redis, batch) != NGX_OK)
        {
            rc = NGX_DONE;
            ngx_queue_insert_head(&ngx_camera_api_sync.free, &batch->queue);
        }
    }
}


static ngx_int_t
ngx_camera_api_sync_send(ngx_camera_redis_t *redis,
    ngx_camera_api_sync_batch_t *batch)
{
    u_char                         text[2 * NGX_CAMERA_API_SYNC_KEYS]
                                       [NGX_CAMERA_API_SYNC_TEXT];
    ngx_str_t                      args[2 * NGX_CAMERA_API_SYNC_KEYS];
    ngx_uint_t                     i, n;
    ngx_camera_api_limit_delta_t  *delta;

    n = batch->n;
    ngx_memzero(args, sizeof(args));

    for (i = 0; i < n; i++) {
        delta = &batch->deltas[i];

        args[i].data = text[i];
        args[i].len = ngx_snprintf(text[i], NGX_CAMERA_API_SYNC_TEXT,
                                   NGX_CAMERA_API_SYNC_PREFIX "%*s:%T",
                                   delta->len, delta->id, delta->window)
                      - text[i];

        args[n + i].data = text[n + i];
        args[n + i].len = ngx_sprintf(text[n + i], "%D", delta->n)
                          - text[n + i];
    }

    if (ngx_camera_redis_script(redis, &ngx_camera_api_sync_script, n, args,
                                2 * n, ngx_camera_api_sync_done, batch)
        == NULL)
    {
        for (i = 0; i < n; i++) {
            ngx_camera_api_limit_put_back(&batch->deltas[i]);
        }

        return NGX_ERROR;
    }

    ngx_camera_api_sync.in_flight++;

    return NGX_OK;
}


static void
ngx_camera_api_sync_done(void *data, ngx_camera_redis_rc_e rc,
    const redisReply *reply)
{
    ngx_uint_t                    i;
    ngx_camera_api_sync_batch_t  *batch = data;

    for (i = 0; i < batch->n; i++) {

        if (rc == NGX_CAMERA_REDIS_OK && ngx_camera_api_sync_is_sum(reply, i))
        {
            ngx_camera_api_limit_told(&batch->deltas[i],
                           (uint32_t) ngx_min(reply->element[i]->integer,
                                              NGX_MAX_INT32_VALUE));
        }
    }

    ngx_camera_api_sync.in_flight--;

    ngx_queue_insert_head(&ngx_camera_api_sync.free, &batch->queue);
}


static ngx_uint_t
ngx_camera_api_sync_is_sum(const redisReply *reply, ngx_uint_t i)
{
    return reply->type == REDIS_REPLY_ARRAY && i < reply->elements
           && reply->element[i]->type == REDIS_REPLY_INTEGER
           && reply->element[i]->integer >= 0;
}


static ngx_camera_api_sync_batch_t *
ngx_camera_api_sync_batch(void)
{
    ngx_queue_t  *q;

    if (ngx_queue_empty(&ngx_camera_api_sync.free)) {
        return ngx_alloc(sizeof(ngx_camera_api_sync_batch_t),
                         ngx_camera_api_sync.log);
    }

    q = ngx_queue_head(&ngx_camera_api_sync.free);
    ngx_queue_remove(q);

    return ngx_queue_data(q, ngx_camera_api_sync_batch_t, queue);
}
