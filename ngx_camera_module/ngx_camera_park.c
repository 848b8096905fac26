/*
 * Copyright (C) The nginx camera platform authors
 */

/* Parked requests: one queue and one timer for each kind, in each worker. */

#include "ngx_camera.h"
#include "ngx_camera_park.h"


static void ngx_camera_park_tick(ngx_event_t *ev);
static void ngx_camera_park_done(ngx_camera_parked_t *parked);
static void ngx_camera_park_leave(ngx_camera_parked_t *parked);
static void ngx_camera_park_cleanup(void *data);


ngx_int_t
ngx_camera_park(ngx_camera_park_t *park, ngx_http_request_t *r,
    ngx_camera_parked_t *parked)
{
    ngx_http_cleanup_t  *cln;

    if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_camera_park_cleanup;
    cln->data = parked;

    if (park->tick.handler == NULL) {
        ngx_queue_init(&park->waiting);
        ngx_camera_background_event(&park->tick, ngx_camera_park_tick,
                                    ngx_cycle->log);
        park->tick.cancelable = 0;
    }

    parked->request = r;
    parked->waiting = 1;
    ngx_queue_insert_tail(&park->waiting, &parked->queue);

    if (!park->tick.timer_set) {
        ngx_add_timer(&park->tick, park->msec);
    }

    r->read_event_handler = ngx_http_test_reading;
    r->main->count++;

    return NGX_DONE;
}


static void
ngx_camera_park_tick(ngx_event_t *ev)
{
    ngx_queue_t           over, *q, *next;
    ngx_camera_park_t    *park;
    ngx_camera_parked_t  *parked;

    park = (ngx_camera_park_t *) ((u_char *) ev
                                  - offsetof(ngx_camera_park_t, tick));
    ngx_queue_init(&over);

    for (q = ngx_queue_head(&park->waiting);
         q != ngx_queue_sentinel(&park->waiting);
         q = next)
    {
        next = ngx_queue_next(q);
        parked = ngx_queue_data(q, ngx_camera_parked_t, queue);

        if (parked->over(parked)) {
            ngx_queue_remove(q);
            ngx_queue_insert_tail(&over, q);
        }
    }

    /* one by one from the head: an answer may end other requests, too */

    while (!ngx_queue_empty(&over)) {
        q = ngx_queue_head(&over);
        ngx_camera_park_done(ngx_queue_data(q, ngx_camera_parked_t, queue));
    }

    if (!ngx_queue_empty(&park->waiting) && !ev->timer_set) {
        ngx_add_timer(ev, park->msec);
    }
}


static void
ngx_camera_park_done(ngx_camera_parked_t *parked)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = parked->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, c->log, 0, "camera park: over");

    ngx_camera_park_leave(parked);

    ngx_http_finalize_request(r, parked->answer(parked));
    ngx_http_run_posted_requests(c);
}


static void
ngx_camera_park_leave(ngx_camera_parked_t *parked)
{
    parked->waiting = 0;
    ngx_queue_remove(&parked->queue);

    parked->request->read_event_handler = ngx_http_block_reading;

    if (parked->left) {
        parked->left(parked);
    }
}


static void
ngx_camera_park_cleanup(void *data)
{
    ngx_camera_parked_t *parked = data;

    if (parked->waiting) {
        ngx_camera_park_leave(parked);
    }
}
