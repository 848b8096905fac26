/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * GET /events: server-sent events to one client.
 *
 *     follows   [_sse]      frames are gathered in buffers, a turn of the event
 *                           loop at a time, and sent [_send]
 *     blocked   [_send]     the socket is full; frames wait for [_writable]
 *     ends      [_end]      at once, or when its timer says so
 *
 * The buffers are made when they are needed, at most sixteen, and used again
 * for as long as the stream lives.  A client for whose next event there is no
 * room is ended alone; it comes again and is told what it missed.
 *
 * The timer is always set: it writes the comment that shows that the
 * connection lives, ends the stream with its token, and keeps an exiting
 * worker until it has said good-bye.
 */

#include "ngx_camera_api_events.h"

#define NGX_CAMERA_API_SSE_BUFFER   4096
#define NGX_CAMERA_API_SSE_BUFFERS  16

#define NGX_CAMERA_API_SSE_RETRY    "retry: 2000\n\n"


typedef struct {
    ngx_camera_api_follower_t   follower;
    ngx_camera_api_ctx_t       *ctx;
    ngx_http_request_t         *request;

    ngx_chain_t                *free;
    ngx_chain_t                *busy;          /* nginx has them */
    ngx_chain_t                *out;           /* to be sent */
    ngx_chain_t                *last;          /* of out */
    ngx_uint_t                  buffers;

    ngx_event_t                 turn;
    ngx_event_t                 timer;
    ngx_msec_t                  comment;
    ngx_msec_t                  end_at;
    ngx_int_t                   slot;
    unsigned                    started:1;
    unsigned                    ends:1;
    unsigned                    slow:1;
} ngx_camera_api_sse_t;


static ngx_int_t ngx_camera_api_sse_place(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_follower_t *follower);
static void ngx_camera_api_sse_start(ngx_camera_api_sse_t *sse);
static void ngx_camera_api_sse_begin(ngx_camera_api_follower_t *follower,
    const cam_event_id_t *id, ngx_uint_t reset);
static ngx_int_t ngx_camera_api_sse_event(ngx_camera_api_follower_t *follower,
    const cam_event_t *event, const cam_event_id_t *id);
static ngx_int_t ngx_camera_api_sse_frame(ngx_camera_api_sse_t *sse,
    const char *type, const cam_event_id_t *id, const char *data, size_t len);
static size_t ngx_camera_api_sse_room(ngx_camera_api_sse_t *sse);
static ngx_int_t ngx_camera_api_sse_put(ngx_camera_api_sse_t *sse,
    const char *data, size_t len);
static ngx_buf_t *ngx_camera_api_sse_buffer(ngx_camera_api_sse_t *sse);
static void ngx_camera_api_sse_ends(ngx_camera_api_follower_t *follower,
    ngx_msec_t after);
static void ngx_camera_api_sse_set_timer(ngx_camera_api_sse_t *sse);
static void ngx_camera_api_sse_timer(ngx_event_t *ev);
static void ngx_camera_api_sse_turn(ngx_event_t *ev);
static void ngx_camera_api_sse_writable(ngx_http_request_t *r);
static void ngx_camera_api_sse_send(ngx_camera_api_sse_t *sse);
static ngx_int_t ngx_camera_api_sse_output(ngx_camera_api_sse_t *sse);
static void ngx_camera_api_sse_end(ngx_camera_api_sse_t *sse, ngx_int_t rc);
static void ngx_camera_api_sse_cleanup(void *data);


void
ngx_camera_api_sse(ngx_camera_api_ctx_t *ctx)
{
    ngx_http_cleanup_t    *cln;
    ngx_camera_api_sse_t  *sse;

    cln = ngx_http_cleanup_add(ctx->request, 0);
    sse = ngx_pcalloc(ctx->request->pool, sizeof(ngx_camera_api_sse_t));

    if (cln == NULL || sse == NULL) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    ctx->data = sse;

    sse->ctx = ctx;
    sse->request = ctx->request;
    sse->slot = NGX_ERROR;

    cln->handler = ngx_camera_api_sse_cleanup;
    cln->data = sse;

    if (ngx_camera_api_sse_place(ctx, &sse->follower) != NGX_OK) {
        ngx_camera_api_problem(ctx, "Last-Event-ID", "is no id of an event");
        ngx_camera_api_error(ctx, NGX_CAMERA_API_VALIDATION_FAILED, NULL);
        return;
    }

    sse->slot = ngx_camera_api_follow_enter(ctx->request, ctx->principal);

    if (sse->slot == NGX_BUSY) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_CONCURRENT_LIMIT_EXCEEDED,
                             "Too many streams at once: close another one.");
        return;
    }

    if (ngx_camera_api_stream(ctx, "text/event-stream") == NGX_OK) {
        ngx_camera_api_sse_start(sse);
    }
}


/* where the client was, and what it wants */

static ngx_int_t
ngx_camera_api_sse_place(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_follower_t *follower)
{
    ngx_str_t  *id;

    follower->principal = ctx->principal;
    follower->types = CAM_EVENT_ALL;

    if (ctx->query[0].text) {
        follower->types = cam_event_types_parse(ctx->query[0].text,
                                                ctx->query[0].len);
    }

    id = ngx_camera_api_header_in(ctx->request, "last-event-id");

    if (id == NULL || id->len == 0) {
        return NGX_OK;
    }

    follower->resumes = 1;

    return cam_event_id_parse(&follower->last, (char *) id->data, id->len)
           == 0 ? NGX_OK : NGX_DECLINED;
}


static void
ngx_camera_api_sse_start(ngx_camera_api_sse_t *sse)
{
    ngx_connection_t            *c;
    ngx_http_request_t          *r;
    ngx_camera_api_main_conf_t  *amcf;

    r = sse->request;
    c = r->connection;
    amcf = ngx_http_get_module_main_conf(r, ngx_camera_api_module);

    sse->comment = amcf->events_comment;
    sse->end_at = ngx_current_msec
                  + 1000 * (ngx_msec_t) ngx_max(sse->ctx->principal->expires
                                                - ngx_time(), 0);

    sse->turn.handler = ngx_camera_api_sse_turn;
    sse->turn.data = sse;
    sse->turn.log = c->log;

    sse->timer.handler = ngx_camera_api_sse_timer;
    sse->timer.data = sse;
    sse->timer.log = c->log;

    sse->follower.connection = c;
    sse->follower.begin = ngx_camera_api_sse_begin;
    sse->follower.event = ngx_camera_api_sse_event;
    sse->follower.end = ngx_camera_api_sse_ends;

    r->write_event_handler = ngx_camera_api_sse_writable;

    /* a frame is small, and the next one may be long in coming */

    (void) ngx_tcp_nodelay(c);

    (void) ngx_camera_api_sse_put(sse, NGX_CAMERA_API_SSE_RETRY,
                                  sizeof(NGX_CAMERA_API_SSE_RETRY) - 1);

    sse->started = 1;

    ngx_camera_api_sse_set_timer(sse);
    ngx_camera_api_follow(&sse->follower);
}


static void
ngx_camera_api_sse_begin(ngx_camera_api_follower_t *follower,
    const cam_event_id_t *id, ngx_uint_t reset)
{
    ngx_int_t              rc;
    ngx_camera_api_sse_t  *sse = (ngx_camera_api_sse_t *) follower;

    rc = NGX_OK;

    if (!follower->begun) {
        rc = ngx_camera_api_sse_frame(sse, "ready", id, "{}", 2);
    }

    if (rc == NGX_OK && reset) {
        rc = ngx_camera_api_sse_frame(sse, "reset", id, "{}", 2);
    }

    if (rc != NGX_OK) {
        ngx_camera_api_sse_ends(follower, 0);
    }
}


static ngx_int_t
ngx_camera_api_sse_event(ngx_camera_api_follower_t *follower,
    const cam_event_t *event, const cam_event_id_t *id)
{
    ngx_int_t              rc;
    ngx_camera_api_sse_t  *sse = (ngx_camera_api_sse_t *) follower;

    rc = ngx_camera_api_sse_frame(sse, cam_event_type_name(event->type), id,
                                  event->json, event->len);

    if (rc != NGX_OK && follower->live) {
        sse->slow = 1;
    }

    return rc;
}


/* the whole of it or nothing */

static ngx_int_t
ngx_camera_api_sse_frame(ngx_camera_api_sse_t *sse, const char *type,
    const cam_event_id_t *id, const char *data, size_t len)
{
    char     text[CAM_EVENT_ID_TEXT + 1];
    u_char   head[128], *p;

    p = head;

    if (id) {
        (void) cam_event_id_print(text, id);
        p = ngx_sprintf(p, "id: %s\n", text);
    }

    p = ngx_sprintf(p, "event: %s\ndata: ", type);

    if (ngx_camera_api_sse_room(sse) < (size_t) (p - head) + len + 2) {
        return NGX_AGAIN;
    }

    if (ngx_camera_api_sse_put(sse, (char *) head, p - head) != NGX_OK
        || ngx_camera_api_sse_put(sse, data, len) != NGX_OK
        || ngx_camera_api_sse_put(sse, "\n\n", 2) != NGX_OK)
    {
        ngx_camera_api_sse_ends(&sse->follower, 0);
    }

    return NGX_OK;
}


static size_t
ngx_camera_api_sse_room(ngx_camera_api_sse_t *sse)
{
    size_t        room;
    ngx_chain_t  *cl;

    room = (NGX_CAMERA_API_SSE_BUFFERS - sse->buffers)
           * NGX_CAMERA_API_SSE_BUFFER;

    for (cl = sse->free; cl; cl = cl->next) {
        room += NGX_CAMERA_API_SSE_BUFFER;
    }

    if (sse->out) {
        room += sse->last->buf->end - sse->last->buf->last;
    }

    return room;
}


static ngx_int_t
ngx_camera_api_sse_put(ngx_camera_api_sse_t *sse, const char *data, size_t len)
{
    size_t      n;
    ngx_buf_t  *b;

    while (len) {
        b = ngx_camera_api_sse_buffer(sse);

        if (b == NULL) {
            return NGX_ERROR;
        }

        n = ngx_min(len, (size_t) (b->end - b->last));

        b->last = ngx_cpymem(b->last, data, n);
        data += n;
        len -= n;
    }

    ngx_post_event(&sse->turn, &ngx_posted_events);

    return NGX_OK;
}


/* one with room in it */

static ngx_buf_t *
ngx_camera_api_sse_buffer(ngx_camera_api_sse_t *sse)
{
    ngx_chain_t  *cl;

    if (sse->out && sse->last->buf->last < sse->last->buf->end) {
        return sse->last->buf;
    }

    cl = sse->free;

    if (cl) {
        sse->free = cl->next;

    } else {
        cl = ngx_alloc_chain_link(sse->request->pool);

        if (cl == NULL) {
            return NULL;
        }

        cl->buf = ngx_create_temp_buf(sse->request->pool,
                                      NGX_CAMERA_API_SSE_BUFFER);
        if (cl->buf == NULL) {
            return NULL;
        }

        cl->buf->tag = (ngx_buf_tag_t) &ngx_camera_api_sse;
        sse->buffers++;
    }

    cl->next = NULL;
    cl->buf->flush = 1;

    if (sse->out) {
        sse->last->next = cl;

    } else {
        sse->out = cl;
    }

    sse->last = cl;

    return cl->buf;
}


static void
ngx_camera_api_sse_ends(ngx_camera_api_follower_t *follower, ngx_msec_t after)
{
    ngx_msec_t             at;
    ngx_camera_api_sse_t  *sse = (ngx_camera_api_sse_t *) follower;

    at = ngx_current_msec + after;

    if ((ngx_msec_int_t) (sse->end_at - at) > 0) {
        sse->end_at = at;
    }

    if (after == 0) {
        sse->ends = 1;
        ngx_post_event(&sse->turn, &ngx_posted_events);

    } else {
        ngx_camera_api_sse_set_timer(sse);
    }
}


/* the next comment or the end, whatever comes first */

static void
ngx_camera_api_sse_set_timer(ngx_camera_api_sse_t *sse)
{
    ngx_msec_int_t  left;

    left = (ngx_msec_int_t) (sse->end_at - ngx_current_msec);
    left = ngx_max(left, 1);

    ngx_add_timer(&sse->timer, ngx_min((ngx_msec_t) left, sse->comment));
}


static void
ngx_camera_api_sse_timer(ngx_event_t *ev)
{
    ngx_camera_api_sse_t  *sse = ev->data;

    if ((ngx_msec_int_t) (sse->end_at - ngx_current_msec) <= 0) {
        sse->ends = 1;
        ngx_post_event(&sse->turn, &ngx_posted_events);

    } else if (sse->busy == NULL) {
        (void) ngx_camera_api_sse_put(sse, ":\n\n", 3);
    }

    ngx_camera_api_sse_set_timer(sse);
}


static void
ngx_camera_api_sse_turn(ngx_event_t *ev)
{
    ngx_connection_t      *c;
    ngx_camera_api_sse_t  *sse = ev->data;

    c = sse->request->connection;

    ngx_http_set_log_request(c->log, sse->request);

    ngx_camera_api_sse_send(sse);

    ngx_http_run_posted_requests(c);
}


static void
ngx_camera_api_sse_writable(ngx_http_request_t *r)
{
    ngx_event_t           *wev;
    ngx_camera_api_ctx_t  *ctx;
    ngx_camera_api_sse_t  *sse;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_api_module);
    sse = ctx->data;
    wev = r->connection->write;

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, NGX_ETIMEDOUT,
                      "client that follows events timed out");
        r->connection->timedout = 1;
        ngx_camera_api_sse_end(sse, NGX_ERROR);
        return;
    }

    ngx_camera_api_sse_send(sse);
}


/*
 * While nginx has something that it could not send, frames are gathered here,
 * so that buffers are full when they go.
 */

static void
ngx_camera_api_sse_send(ngx_camera_api_sse_t *sse)
{
    if (ngx_camera_api_sse_output(sse) != NGX_OK) {
        ngx_camera_api_sse_end(sse, NGX_ERROR);
        return;
    }

    if (sse->ends) {
        ngx_camera_api_sse_end(sse, sse->busy || sse->slow ? NGX_ERROR
                                                           : NGX_OK);
        return;
    }

    if (sse->busy == NULL) {
        ngx_camera_api_follow_on(&sse->follower);
    }
}


static ngx_int_t
ngx_camera_api_sse_output(ngx_camera_api_sse_t *sse)
{
    ngx_int_t                  rc;
    ngx_chain_t               *out;
    ngx_event_t               *wev;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = sse->request;
    wev = r->connection->write;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    do {
        out = sse->busy ? NULL : sse->out;

        if (out) {
            sse->out = NULL;
        }

        rc = ngx_http_output_filter(r, out);

        ngx_chain_update_chains(r->pool, &sse->free, &sse->busy, &out,
                                (ngx_buf_tag_t) &ngx_camera_api_sse);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

    } while (sse->out && sse->busy == NULL);

    if (sse->busy == NULL && !r->connection->buffered) {

        if (wev->timer_set) {
            ngx_del_timer(wev);
        }

    } else if (!wev->timer_set) {
        ngx_add_timer(wev, clcf->send_timeout);
    }

    return ngx_handle_write_event(wev, clcf->send_lowat);
}


static void
ngx_camera_api_sse_end(ngx_camera_api_sse_t *sse, ngx_int_t rc)
{
    ngx_http_request_t  *r;

    r = sse->request;

    if (sse->slow) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "client that follows events is too slow");
    }

    /* the request may stay for what is still to be sent or read */

    ngx_camera_api_sse_cleanup(sse);

    if (rc == NGX_OK) {
        rc = ngx_http_send_special(r, NGX_HTTP_LAST);
    }

    ngx_camera_api_finish(sse->ctx, rc);
}


static void
ngx_camera_api_sse_cleanup(void *data)
{
    ngx_camera_api_sse_t *sse = data;

    if (sse->started) {
        sse->started = 0;
        ngx_camera_api_unfollow(&sse->follower);
    }

    if (sse->timer.timer_set) {
        ngx_del_timer(&sse->timer);
    }

    if (sse->turn.posted) {
        ngx_delete_posted_event(&sse->turn);
    }

    ngx_camera_api_follow_leave(sse->slot);
    sse->slot = NGX_ERROR;
}
