/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The wire to one who follows events (see ngx_camera_api_wire.h).
 *
 * The timer is always set: it shows that the connection lives, ends it with its
 * token, and keeps an exiting worker until it has said good-bye.
 */

#include "ngx_camera_api_wire.h"

#define NGX_CAMERA_API_WIRE_USER  "streams:"   /* before a user's id */


static void ngx_camera_api_wire_begin(ngx_camera_api_follower_t *follower,
    const cam_event_id_t *id, ngx_uint_t reset);
static ngx_int_t ngx_camera_api_wire_event(ngx_camera_api_follower_t *follower,
    const cam_event_t *event, const cam_event_id_t *id);
static void ngx_camera_api_wire_ends(ngx_camera_api_follower_t *follower,
    ngx_msec_t after);
static void ngx_camera_api_wire_timer(ngx_event_t *ev);
static void ngx_camera_api_wire_turn(ngx_event_t *ev);
static void ngx_camera_api_wire_writable(ngx_http_request_t *r);
static void ngx_camera_api_wire_destroy(void *data);


ngx_int_t
ngx_camera_api_wire_create(ngx_camera_api_wire_t *wire,
    ngx_camera_api_ctx_t *ctx)
{
    ngx_http_cleanup_t  *cln;

    cln = ngx_http_cleanup_add(ctx->request, 0);

    if (cln == NULL) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return NGX_ERROR;
    }

    cln->handler = ngx_camera_api_wire_destroy;
    cln->data = wire;

    ctx->data = wire;

    wire->ctx = ctx;
    wire->request = ctx->request;
    wire->slot = NGX_ERROR;

    return NGX_OK;
}


/* beside the slot of requests, under a name that is no id of theirs; when it
   cannot be counted it is let in */

ngx_int_t
ngx_camera_api_wire_enter(ngx_camera_api_wire_t *wire,
    const ngx_camera_api_principal_t *principal)
{
    u_char                       text[sizeof(NGX_CAMERA_API_WIRE_USER)
                                      + CAM_UUID_TEXT];
    ngx_str_t                    id;
    ngx_camera_api_main_conf_t  *amcf;

    if (wire->slot >= 0) {
        return NGX_OK;
    }

    amcf = ngx_http_get_module_main_conf(wire->request, ngx_camera_api_module);

    id.data = text;
    id.len = sizeof(NGX_CAMERA_API_WIRE_USER) - 1 + CAM_UUID_TEXT;

    (void) cam_uuid_print((char *) ngx_cpymem(text, NGX_CAMERA_API_WIRE_USER,
                                        sizeof(NGX_CAMERA_API_WIRE_USER) - 1),
                          principal->user);

    wire->slot = ngx_camera_api_limit_enter(&id, amcf->streams);

    return wire->slot == NGX_BUSY ? NGX_BUSY : NGX_OK;
}


void
ngx_camera_api_wire_busy(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_error(ctx, NGX_CAMERA_API_CONCURRENT_LIMIT_EXCEEDED,
                         "Too many streams at once: close another one.");
}


void
ngx_camera_api_wire_start(ngx_camera_api_wire_t *wire)
{
    ngx_connection_t            *c;
    ngx_camera_api_main_conf_t  *amcf;

    c = wire->request->connection;
    amcf = ngx_http_get_module_main_conf(wire->request, ngx_camera_api_module);

    wire->comment = amcf->events_comment;
    wire->beat_at = ngx_current_msec + wire->comment;

    wire->turn.handler = ngx_camera_api_wire_turn;
    wire->turn.data = wire;
    wire->turn.log = c->log;

    wire->timer.handler = ngx_camera_api_wire_timer;
    wire->timer.data = wire;
    wire->timer.log = c->log;

    wire->follower.connection = c;
    wire->follower.begin = ngx_camera_api_wire_begin;
    wire->follower.event = ngx_camera_api_wire_event;
    wire->follower.end = ngx_camera_api_wire_ends;

    wire->request->write_event_handler = ngx_camera_api_wire_writable;

    /* a frame is small, and the next one may be long in coming */

    (void) ngx_tcp_nodelay(c);
}


void
ngx_camera_api_wire_follow(ngx_camera_api_wire_t *wire)
{
    wire->follows = 1;

    ngx_camera_api_wire_expires(wire);
    ngx_camera_api_follow(&wire->follower);
}


void
ngx_camera_api_wire_expires(ngx_camera_api_wire_t *wire)
{
    time_t  left;

    if (!wire->leaves) {
        left = wire->follower.principal->expires - ngx_time();

        wire->end_at = ngx_current_msec
                       + 1000 * (ngx_msec_t) ngx_max(left, 0);

        ngx_camera_api_wire_set_timer(wire);
    }
}


static void
ngx_camera_api_wire_begin(ngx_camera_api_follower_t *follower,
    const cam_event_id_t *id, ngx_uint_t reset)
{
    ngx_int_t               rc;
    ngx_camera_api_wire_t  *wire = (ngx_camera_api_wire_t *) follower;

    rc = NGX_OK;

    if (!follower->begun) {
        rc = wire->tell(wire, "ready", id, NULL);
    }

    if (rc == NGX_OK && reset) {
        rc = wire->tell(wire, "reset", id, NULL);
    }

    if (rc != NGX_OK) {
        ngx_camera_api_wire_ends(follower, 0);
    }
}


static ngx_int_t
ngx_camera_api_wire_event(ngx_camera_api_follower_t *follower,
    const cam_event_t *event, const cam_event_id_t *id)
{
    ngx_camera_api_wire_t  *wire = (ngx_camera_api_wire_t *) follower;

    return wire->tell(wire, "event", id, event);
}


static void
ngx_camera_api_wire_ends(ngx_camera_api_follower_t *follower, ngx_msec_t after)
{
    ngx_msec_t              at;
    ngx_camera_api_wire_t  *wire = (ngx_camera_api_wire_t *) follower;

    at = ngx_current_msec + after;

    if (after == 0) {
        wire->leaves = 1;
        wire->over(wire);

    } else if ((ngx_msec_int_t) (wire->end_at - at) > 0) {
        wire->leaves = 1;
        wire->end_at = at;
        ngx_camera_api_wire_set_timer(wire);
    }
}


void
ngx_camera_api_wire_slow(ngx_camera_api_wire_t *wire)
{
    if (wire->follower.live && !wire->failed) {
        ngx_log_error(NGX_LOG_INFO, wire->request->connection->log, 0,
                      "client that follows events is too slow");
        wire->failed = 1;
        ngx_camera_api_wire_post(wire);
    }
}


void
ngx_camera_api_wire_post(ngx_camera_api_wire_t *wire)
{
    ngx_post_event(&wire->turn, &ngx_posted_events);
}


/* the next beat or the end, whatever comes first */

void
ngx_camera_api_wire_set_timer(ngx_camera_api_wire_t *wire)
{
    ngx_msec_int_t  left, beat;

    left = (ngx_msec_int_t) (wire->end_at - ngx_current_msec);
    beat = (ngx_msec_int_t) (wire->beat_at - ngx_current_msec);

    left = ngx_min(left, beat);

    ngx_add_timer(&wire->timer, (ngx_msec_t) ngx_max(left, 1));
}


ngx_uint_t
ngx_camera_api_wire_is_over(const ngx_camera_api_wire_t *wire)
{
    return (ngx_msec_int_t) (wire->end_at - ngx_current_msec) <= 0;
}


static void
ngx_camera_api_wire_timer(ngx_event_t *ev)
{
    ngx_camera_api_wire_t  *wire = ev->data;

    ngx_http_set_log_request(wire->request->connection->log, wire->request);

    if (ngx_camera_api_wire_is_over(wire)) {
        wire->over(wire);

    } else if ((ngx_msec_int_t) (wire->beat_at - ngx_current_msec) <= 0) {
        wire->beat_at = ngx_current_msec + wire->comment;
        wire->beat(wire);
    }

    ngx_camera_api_wire_set_timer(wire);
}


static void
ngx_camera_api_wire_turn(ngx_event_t *ev)
{
    ngx_connection_t       *c;
    ngx_camera_api_wire_t  *wire = ev->data;

    c = wire->request->connection;

    ngx_http_set_log_request(c->log, wire->request);

    wire->work(wire);

    ngx_http_run_posted_requests(c);
}


static void
ngx_camera_api_wire_writable(ngx_http_request_t *r)
{
    ngx_camera_api_ctx_t   *ctx;
    ngx_camera_api_wire_t  *wire;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_api_module);
    wire = ctx->data;

    if (r->connection->write->timedout) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, NGX_ETIMEDOUT,
                      "client that follows events timed out");
        r->connection->timedout = 1;
        ngx_camera_api_wire_end(wire, NGX_ERROR);
        return;
    }

    wire->work(wire);
}


ngx_int_t
ngx_camera_api_wire_left(ngx_camera_api_wire_t *wire, ngx_uint_t left)
{
    ngx_event_t               *wev;
    ngx_http_core_loc_conf_t  *clcf;

    wev = wire->request->connection->write;
    clcf = ngx_http_get_module_loc_conf(wire->request, ngx_http_core_module);

    if (left && !wev->timer_set) {
        ngx_add_timer(wev, clcf->send_timeout);

    } else if (!left && wev->timer_set) {
        ngx_del_timer(wev);
    }

    return ngx_handle_write_event(wev, clcf->send_lowat);
}


void
ngx_camera_api_wire_end(ngx_camera_api_wire_t *wire, ngx_int_t rc)
{
    /* the request may stay for what is still to be sent or read */

    ngx_camera_api_wire_cleanup(wire);

    ngx_camera_api_finish(wire->ctx, rc);
}


static void
ngx_camera_api_wire_destroy(void *data)
{
    ngx_camera_api_wire_cleanup(data);
}


void
ngx_camera_api_wire_cleanup(ngx_camera_api_wire_t *wire)
{
    if (wire->follows) {
        wire->follows = 0;
        ngx_camera_api_unfollow(&wire->follower);
    }

    if (wire->timer.timer_set) {
        ngx_del_timer(&wire->timer);
    }

    if (wire->turn.posted) {
        ngx_delete_posted_event(&wire->turn);
    }

    if (wire->wipe) {
        wire->wipe(wire);
    }

    if (wire->slot >= 0) {
        ngx_camera_api_limit_leave(wire->slot);
    }

    wire->slot = NGX_ERROR;
}
