/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * GET /events: server-sent events to one client.
 *
 *     follows   [_sse]      frames are gathered in buffers, a turn of the event
 *                           loop at a time, and sent [_work]
 *     blocked   [_work]     the socket is full; frames wait until it is not
 *     ends      [_over]     with the next turn
 *
 * The buffers are made when they are needed, at most sixteen, and used again
 * for as long as the stream lives.  A client for whose next event there is no
 * room is ended alone; it comes again and is told what it missed.
 */

#include "ngx_camera_api_wire.h"

#define NGX_CAMERA_API_SSE_BUFFER   4096
#define NGX_CAMERA_API_SSE_BUFFERS  16

#define NGX_CAMERA_API_SSE_RETRY    "retry: 2000\n\n"


typedef struct {
    ngx_camera_api_wire_t       wire;

    ngx_chain_t                *free;
    ngx_chain_t                *busy;          /* nginx has them */
    ngx_chain_t                *out;           /* to be sent */
    ngx_chain_t                *last;          /* of out */
    ngx_uint_t                  buffers;

    unsigned                    ends:1;
} ngx_camera_api_sse_t;


static ngx_int_t ngx_camera_api_sse_place(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_follower_t *follower);
static void ngx_camera_api_sse_start(ngx_camera_api_sse_t *sse);
static ngx_int_t ngx_camera_api_sse_tell(ngx_camera_api_wire_t *wire,
    const char *type, const cam_event_id_t *id, const cam_event_t *event);
static ngx_int_t ngx_camera_api_sse_frame(ngx_camera_api_sse_t *sse,
    const char *type, const cam_event_id_t *id, const char *data, size_t len);
static size_t ngx_camera_api_sse_room(ngx_camera_api_sse_t *sse);
static ngx_int_t ngx_camera_api_sse_put(ngx_camera_api_sse_t *sse,
    const char *data, size_t len);
static ngx_buf_t *ngx_camera_api_sse_buffer(ngx_camera_api_sse_t *sse);
static void ngx_camera_api_sse_beat(ngx_camera_api_wire_t *wire);
static void ngx_camera_api_sse_over(ngx_camera_api_wire_t *wire);
static void ngx_camera_api_sse_work(ngx_camera_api_wire_t *wire);
static ngx_int_t ngx_camera_api_sse_output(ngx_camera_api_sse_t *sse);
static void ngx_camera_api_sse_end(ngx_camera_api_sse_t *sse);


void
ngx_camera_api_sse(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_sse_t  *sse;

    sse = ngx_pcalloc(ctx->request->pool, sizeof(ngx_camera_api_sse_t));

    if (sse == NULL) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    if (ngx_camera_api_wire_create(&sse->wire, ctx) != NGX_OK) {
        return;
    }

    if (ngx_camera_api_sse_place(ctx, &sse->wire.follower) != NGX_OK) {
        ngx_camera_api_problem(ctx, "Last-Event-ID", "is no id of an event");
        ngx_camera_api_error(ctx, NGX_CAMERA_API_VALIDATION_FAILED, NULL);
        return;
    }

    if (ngx_camera_api_wire_enter(&sse->wire, ctx->principal) != NGX_OK) {
        ngx_camera_api_wire_busy(ctx);
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
    sse->wire.tell = ngx_camera_api_sse_tell;
    sse->wire.work = ngx_camera_api_sse_work;
    sse->wire.beat = ngx_camera_api_sse_beat;
    sse->wire.over = ngx_camera_api_sse_over;

    ngx_camera_api_wire_start(&sse->wire);

    (void) ngx_camera_api_sse_put(sse, NGX_CAMERA_API_SSE_RETRY,
                                  sizeof(NGX_CAMERA_API_SSE_RETRY) - 1);

    ngx_camera_api_wire_follow(&sse->wire);
}


static ngx_int_t
ngx_camera_api_sse_tell(ngx_camera_api_wire_t *wire, const char *type,
    const cam_event_id_t *id, const cam_event_t *event)
{
    ngx_camera_api_sse_t  *sse = (ngx_camera_api_sse_t *) wire;

    if (event == NULL) {
        return ngx_camera_api_sse_frame(sse, type, id, "{}", 2);
    }

    return ngx_camera_api_sse_frame(sse, cam_event_type_name(event->type), id,
                                    event->json, event->len);
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
        ngx_camera_api_wire_slow(&sse->wire);
        return NGX_AGAIN;
    }

    if (ngx_camera_api_sse_put(sse, (char *) head, p - head) != NGX_OK
        || ngx_camera_api_sse_put(sse, data, len) != NGX_OK
        || ngx_camera_api_sse_put(sse, "\n\n", 2) != NGX_OK)
    {
        sse->wire.failed = 1;
        ngx_camera_api_wire_post(&sse->wire);
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

    ngx_camera_api_wire_post(&sse->wire);

    return NGX_OK;
}


/* one with room in it */

static ngx_buf_t *
ngx_camera_api_sse_buffer(ngx_camera_api_sse_t *sse)
{
    ngx_pool_t   *pool;
    ngx_chain_t  *cl;

    if (sse->out && sse->last->buf->last < sse->last->buf->end) {
        return sse->last->buf;
    }

    cl = sse->free;
    pool = sse->wire.request->pool;

    if (cl) {
        sse->free = cl->next;

    } else {
        cl = ngx_alloc_chain_link(pool);

        if (cl == NULL) {
            return NULL;
        }

        cl->buf = ngx_create_temp_buf(pool, NGX_CAMERA_API_SSE_BUFFER);

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
ngx_camera_api_sse_beat(ngx_camera_api_wire_t *wire)
{
    ngx_camera_api_sse_t  *sse = (ngx_camera_api_sse_t *) wire;

    if (sse->busy == NULL) {
        (void) ngx_camera_api_sse_put(sse, ":\n\n", 3);
    }
}


static void
ngx_camera_api_sse_over(ngx_camera_api_wire_t *wire)
{
    ngx_camera_api_sse_t  *sse = (ngx_camera_api_sse_t *) wire;

    sse->ends = 1;
    ngx_camera_api_wire_post(wire);
}


/*
 * While nginx has something that it could not send, frames are gathered here,
 * so that buffers are full when they go.
 */

static void
ngx_camera_api_sse_work(ngx_camera_api_wire_t *wire)
{
    ngx_camera_api_sse_t  *sse = (ngx_camera_api_sse_t *) wire;

    if (ngx_camera_api_sse_output(sse) != NGX_OK || wire->failed
        || (sse->ends && sse->busy))
    {
        ngx_camera_api_wire_end(wire, NGX_ERROR);
        return;
    }

    if (sse->ends) {
        ngx_camera_api_sse_end(sse);
        return;
    }

    if (sse->busy == NULL) {
        ngx_camera_api_follow_on(&wire->follower);
    }
}


static ngx_int_t
ngx_camera_api_sse_output(ngx_camera_api_sse_t *sse)
{
    ngx_int_t            rc;
    ngx_chain_t         *out;
    ngx_http_request_t  *r;

    r = sse->wire.request;

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

    return ngx_camera_api_wire_left(&sse->wire,
                                    sse->busy || r->connection->buffered);
}


static void
ngx_camera_api_sse_end(ngx_camera_api_sse_t *sse)
{
    ngx_camera_api_wire_cleanup(&sse->wire);

    ngx_camera_api_finish(sse->wire.ctx,
                          ngx_http_send_special(sse->wire.request,
                                                NGX_HTTP_LAST));
}
