/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * GET /ws: events over a WebSocket, frames by wslay.
 *
 *     open      [_ws]        reads and writes [_read, _turn]
 *     closing   [_close]     the close frame is the last one; two seconds for
 *                            the client's own
 *     ended     [_end]       once, from the turn or an event of the connection
 *
 * wslay calls back while it reads, so nothing is ended there: what happened is
 * noted, and the turn, which comes after the events of this round of the event
 * loop, sends and decides.
 *
 * What a client can make this keep is bounded: a message of 4 kB in at most
 * sixteen frames, 64 kB of messages that it does not read.  While it leaves
 * much unread it is not read either.
 */

#include "ngx_camera_api_core.h"
#include "ngx_camera_api_ws.h"

#define NGX_CAMERA_API_WS_UNREAD      65536    /* bytes for the client */
#define NGX_CAMERA_API_WS_UNREAD_LOW  16384    /* then it is read again */
#define NGX_CAMERA_API_WS_BUDGET      32768    /* read in one turn */
#define NGX_CAMERA_API_WS_FRAMES      16       /* of a message */
#define NGX_CAMERA_API_WS_SILENCE     3        /* pings without a sign */
#define NGX_CAMERA_API_WS_GOODBYE     2000     /* ms */


static ngx_int_t ngx_camera_api_ws_create(ngx_camera_api_ws_t *ws);
static void ngx_camera_api_ws_start(ngx_camera_api_ws_t *ws);
static void ngx_camera_api_ws_readable(ngx_http_request_t *r);
static void ngx_camera_api_ws_writable(ngx_http_request_t *r);
static void ngx_camera_api_ws_turn(ngx_event_t *ev);
static void ngx_camera_api_ws_work(ngx_camera_api_ws_t *ws);
static void ngx_camera_api_ws_read(ngx_camera_api_ws_t *ws);
static ngx_int_t ngx_camera_api_ws_write(ngx_camera_api_ws_t *ws);
static ngx_int_t ngx_camera_api_ws_flush(ngx_camera_api_ws_t *ws);
static ssize_t ngx_camera_api_ws_recv(wslay_event_context_ptr wslay,
    uint8_t *buf, size_t len, int flags, void *data);
static ssize_t ngx_camera_api_ws_send(wslay_event_context_ptr wslay,
    const uint8_t *buf, size_t len, int flags, void *data);
static void ngx_camera_api_ws_frame(wslay_event_context_ptr wslay,
    const struct wslay_event_on_frame_recv_start_arg *arg, void *data);
static void ngx_camera_api_ws_message(wslay_event_context_ptr wslay,
    const struct wslay_event_on_msg_recv_arg *arg, void *data);
static void ngx_camera_api_ws_timer(ngx_event_t *ev);
static void ngx_camera_api_ws_tick(ngx_camera_api_ws_t *ws);
static void ngx_camera_api_ws_end(ngx_camera_api_ws_t *ws, ngx_int_t rc);
static void ngx_camera_api_ws_cleanup(void *data);


static const struct wslay_event_callbacks  ngx_camera_api_ws_callbacks = {
    ngx_camera_api_ws_recv,
    ngx_camera_api_ws_send,
    NULL,                                      /* masks of a client */
    ngx_camera_api_ws_frame,
    NULL,
    NULL,
    ngx_camera_api_ws_message
};


void
ngx_camera_api_ws(ngx_camera_api_ctx_t *ctx)
{
    ngx_http_cleanup_t   *cln;
    ngx_camera_api_ws_t  *ws;

    if (ctx->principal
        && !(ctx->principal->permissions & CAM_PERMIT_CAMERAS_READ))
    {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INSUFFICIENT_PERMISSIONS,
                             NULL);
        return;
    }

    cln = ngx_http_cleanup_add(ctx->request, 0);
    ws = ngx_pcalloc(ctx->request->pool, sizeof(ngx_camera_api_ws_t));

    if (cln == NULL || ws == NULL) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    ctx->data = ws;

    ws->ctx = ctx;
    ws->request = ctx->request;
    ws->slot = NGX_ERROR;

    cln->handler = ngx_camera_api_ws_cleanup;
    cln->data = ws;

    if (ngx_camera_api_ws_create(ws) != NGX_OK) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    if (ctx->principal) {
        ws->slot = ngx_camera_api_follow_enter(ctx->request, ctx->principal);

        if (ws->slot == NGX_BUSY) {
            ngx_camera_api_error(ctx, NGX_CAMERA_API_CONCURRENT_LIMIT_EXCEEDED,
                                 "Too many streams at once: close another "
                                 "one.");
            return;
        }
    }

    if (ngx_camera_api_ws_handshake(ctx) == NGX_OK) {
        ngx_camera_api_ws_start(ws);
    }
}


static ngx_int_t
ngx_camera_api_ws_create(ngx_camera_api_ws_t *ws)
{
    ws->out = ngx_pnalloc(ws->request->pool, NGX_CAMERA_API_WS_BUFFER);

    if (ws->out == NULL
        || wslay_event_context_server_init(&ws->wslay,
                                           &ngx_camera_api_ws_callbacks, ws)
           != 0)
    {
        return NGX_ERROR;
    }

    wslay_event_config_set_max_recv_msg_length(ws->wslay,
                                               NGX_CAMERA_API_WS_MESSAGE);

    return NGX_OK;
}


static void
ngx_camera_api_ws_start(ngx_camera_api_ws_t *ws)
{
    ngx_connection_t            *c;
    ngx_http_request_t          *r;
    ngx_camera_api_main_conf_t  *amcf;

    r = ws->request;
    c = r->connection;
    amcf = ngx_http_get_module_main_conf(r, ngx_camera_api_module);

    ws->ping = amcf->events_comment;
    ws->ping_at = ngx_current_msec + ws->ping;
    ws->heard_at = ngx_current_msec;

    ws->turn.handler = ngx_camera_api_ws_turn;
    ws->turn.data = ws;
    ws->turn.log = c->log;

    ws->timer.handler = ngx_camera_api_ws_timer;
    ws->timer.data = ws;
    ws->timer.log = c->log;

    r->read_event_handler = ngx_camera_api_ws_readable;
    r->write_event_handler = ngx_camera_api_ws_writable;

    (void) ngx_tcp_nodelay(c);

    ngx_camera_api_ws_follow(ws);
    ngx_camera_api_ws_set_timer(ws);

    /* the first frame may have come with the request */

    ngx_post_event(&ws->turn, &ngx_posted_events);
}


static void
ngx_camera_api_ws_readable(ngx_http_request_t *r)
{
    ngx_camera_api_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_api_module);

    ngx_camera_api_ws_work(ctx->data);
}


static void
ngx_camera_api_ws_writable(ngx_http_request_t *r)
{
    ngx_camera_api_ctx_t  *ctx;
    ngx_camera_api_ws_t   *ws;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_api_module);
    ws = ctx->data;

    if (r->connection->write->timedout) {
        r->connection->timedout = 1;
        ngx_camera_api_ws_end(ws, NGX_ERROR);
        return;
    }

    ngx_camera_api_ws_work(ws);
}


static void
ngx_camera_api_ws_turn(ngx_event_t *ev)
{
    ngx_connection_t     *c;
    ngx_camera_api_ws_t  *ws = ev->data;

    c = ws->request->connection;

    ngx_http_set_log_request(c->log, ws->request);

    ngx_camera_api_ws_work(ws);

    ngx_http_run_posted_requests(c);
}


static void
ngx_camera_api_ws_work(ngx_camera_api_ws_t *ws)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = ws->request->connection;

    ngx_camera_api_ws_read(ws);

    rc = ngx_camera_api_ws_write(ws);

    if (rc == NGX_ERROR || ws->failed) {
        ngx_camera_api_ws_end(ws, NGX_ERROR);
        return;
    }

    if (!wslay_event_want_write(ws->wslay) && ws->size == ws->sent) {

        if (!wslay_event_want_read(ws->wslay)) {
            ngx_camera_api_ws_end(ws, NGX_OK);
            return;
        }

        if (ws->follows && !ws->closing) {
            ngx_camera_api_follow_on(&ws->follower);
        }
    }

    if (ngx_handle_read_event(c->read, 0) != NGX_OK
        || ngx_handle_write_event(c->write, 0) != NGX_OK)
    {
        ngx_camera_api_ws_end(ws, NGX_ERROR);
    }
}


/* a client that sends without end has its turn like others */

static void
ngx_camera_api_ws_read(ngx_camera_api_ws_t *ws)
{
    if (wslay_event_get_queued_msg_length(ws->wslay)
        > NGX_CAMERA_API_WS_UNREAD_LOW)
    {
        return;
    }

    ws->budget = NGX_CAMERA_API_WS_BUDGET;

    if (wslay_event_recv(ws->wslay) != 0) {
        ws->failed = 1;
    }

    if (ws->budget == 0) {
        ngx_post_event(&ws->turn, &ngx_posted_next_events);
    }

    if (wslay_event_get_close_received(ws->wslay)
        || wslay_event_get_close_sent(ws->wslay))
    {
        ngx_camera_api_ws_close(ws, 0);
    }
}


static ngx_int_t
ngx_camera_api_ws_write(ngx_camera_api_ws_t *ws)
{
    ngx_int_t                  rc;
    ngx_event_t               *wev;
    ngx_http_core_loc_conf_t  *clcf;

    wev = ws->request->connection->write;

    for ( ;; ) {
        rc = ngx_camera_api_ws_flush(ws);

        if (rc != NGX_OK) {
            break;
        }

        /* a close frame would overtake what was said before it */

        if (ws->status && wslay_event_get_queued_msg_count(ws->wslay) == 0) {
            (void) wslay_event_queue_close(ws->wslay, (uint16_t) ws->status,
                                           NULL, 0);
            ws->status = 0;
        }

        if (!wslay_event_want_write(ws->wslay)) {
            break;
        }

        if (wslay_event_send(ws->wslay) != 0) {
            return NGX_ERROR;
        }
    }

    if (rc == NGX_OK && wev->timer_set) {
        ngx_del_timer(wev);
    }

    if (rc == NGX_AGAIN && !wev->timer_set) {
        clcf = ngx_http_get_module_loc_conf(ws->request, ngx_http_core_module);
        ngx_add_timer(wev, clcf->send_timeout);
    }

    return rc;
}


static ngx_int_t
ngx_camera_api_ws_flush(ngx_camera_api_ws_t *ws)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = ws->request->connection;

    while (ws->sent < ws->size) {
        n = c->send(c, ws->out + ws->sent, ws->size - ws->sent);

        if (n == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        if (n <= 0) {
            return NGX_ERROR;
        }

        ws->sent += n;
        c->sent += n;
    }

    ws->sent = 0;
    ws->size = 0;

    return NGX_OK;
}


static ssize_t
ngx_camera_api_ws_recv(wslay_event_context_ptr wslay, uint8_t *buf, size_t len,
    int flags, void *data)
{
    ssize_t              n;
    ngx_buf_t           *in;
    ngx_connection_t    *c;
    ngx_camera_api_ws_t *ws = data;

    c = ws->request->connection;
    in = ws->request->header_in;

    len = ngx_min(len, ws->budget);

    if (len == 0) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }

    if (in->pos < in->last) {
        n = ngx_min(len, (size_t) (in->last - in->pos));
        ngx_memcpy(buf, in->pos, n);
        in->pos += n;

    } else {
        n = c->recv(c, buf, len);
    }

    if (n == NGX_AGAIN) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }

    if (n <= 0) {
        ws->failed = 1;
        wslay_event_set_error(wslay, WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }

    ws->budget -= n;
    ws->heard_at = ngx_current_msec;

    return n;
}


static ssize_t
ngx_camera_api_ws_send(wslay_event_context_ptr wslay, const uint8_t *buf,
    size_t len, int flags, void *data)
{
    ngx_camera_api_ws_t  *ws = data;

    len = ngx_min(len, NGX_CAMERA_API_WS_BUFFER - ws->size);

    if (len == 0) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }

    ngx_memcpy(ws->out + ws->size, buf, len);
    ws->size += len;

    return (ssize_t) len;
}


/* a frame without payload costs memory, too, until its message is whole */

static void
ngx_camera_api_ws_frame(wslay_event_context_ptr wslay,
    const struct wslay_event_on_frame_recv_start_arg *arg, void *data)
{
    ngx_camera_api_ws_t  *ws = data;

    if (wslay_is_ctrl_frame(arg->opcode)) {
        return;
    }

    if (arg->opcode == WSLAY_BINARY_FRAME) {
        ngx_camera_api_ws_close(ws, WSLAY_CODE_UNSUPPORTED_DATA);
        wslay_event_shutdown_read(wslay);
        return;
    }

    if (++ws->frames > NGX_CAMERA_API_WS_FRAMES) {
        ngx_camera_api_ws_close(ws, WSLAY_CODE_MESSAGE_TOO_BIG);
        wslay_event_shutdown_read(wslay);
    }
}


static void
ngx_camera_api_ws_message(wslay_event_context_ptr wslay,
    const struct wslay_event_on_msg_recv_arg *arg, void *data)
{
    ngx_camera_api_ws_t  *ws = data;

    if (wslay_is_ctrl_frame(arg->opcode)) {
        return;
    }

    ws->frames = 0;

    if (arg->opcode == WSLAY_TEXT_FRAME && !ws->closing) {
        ngx_camera_api_ws_said(ws, (char *) arg->msg, arg->msg_length);
    }
}


ngx_int_t
ngx_camera_api_ws_say(ngx_camera_api_ws_t *ws, const char *text, size_t len)
{
    struct wslay_event_msg  msg;

    if (ws->closing) {
        return NGX_OK;
    }

    if (wslay_event_get_queued_msg_length(ws->wslay) + len
        > NGX_CAMERA_API_WS_UNREAD)
    {
        if (ws->follower.live) {
            ngx_log_error(NGX_LOG_INFO, ws->request->connection->log, 0,
                          "client that follows events is too slow");
            ws->failed = 1;
            ngx_post_event(&ws->turn, &ngx_posted_events);
        }

        return NGX_AGAIN;
    }

    msg.opcode = WSLAY_TEXT_FRAME;
    msg.msg = (const uint8_t *) text;
    msg.msg_length = len;

    if (wslay_event_queue_msg(ws->wslay, &msg) != 0) {
        ws->failed = 1;
    }

    ngx_post_event(&ws->turn, &ngx_posted_events);

    return NGX_OK;
}


void
ngx_camera_api_ws_refuse(ngx_camera_api_ws_t *ws, const char *error)
{
    char  text[128];

    (void) ngx_camera_api_ws_say(ws, text,
                   (size_t) snprintf(text, sizeof(text),
                                     "{\"type\":\"error\",\"code\":\"%s\"}",
                                     error));

    ngx_camera_api_ws_close(ws, WSLAY_CODE_POLICY_VIOLATION);
}


/* 0: the close frame is on its way already */

void
ngx_camera_api_ws_close(ngx_camera_api_ws_t *ws, ngx_uint_t status)
{
    if (ws->closing) {
        return;
    }

    ws->closing = 1;
    ws->status = status;
    ws->end_at = ngx_current_msec + NGX_CAMERA_API_WS_GOODBYE;

    if (ws->follows) {
        ws->follows = 0;
        ws->unfollow = 1;              /* the hub may be at it right now */
    }

    ngx_camera_api_ws_set_timer(ws);
    ngx_post_event(&ws->turn, &ngx_posted_events);
}


/* the next ping or the end, whatever comes first */

void
ngx_camera_api_ws_set_timer(ngx_camera_api_ws_t *ws)
{
    ngx_msec_int_t  left, ping;

    left = (ngx_msec_int_t) (ws->end_at - ngx_current_msec);
    ping = (ngx_msec_int_t) (ws->ping_at - ngx_current_msec);

    left = ngx_min(left, ping);

    ngx_add_timer(&ws->timer, (ngx_msec_t) ngx_max(left, 1));
}


static void
ngx_camera_api_ws_timer(ngx_event_t *ev)
{
    ngx_connection_t     *c;
    ngx_camera_api_ws_t  *ws = ev->data;

    c = ws->request->connection;

    ngx_http_set_log_request(c->log, ws->request);

    if (ws->closing
        && (ngx_msec_int_t) (ws->end_at - ngx_current_msec) <= 0)
    {
        ngx_camera_api_ws_end(ws, NGX_OK);
        ngx_http_run_posted_requests(c);
        return;
    }

    ngx_camera_api_ws_tick(ws);
    ngx_camera_api_ws_set_timer(ws);
}


static void
ngx_camera_api_ws_tick(ngx_camera_api_ws_t *ws)
{
    struct wslay_event_msg  msg;

    if (!ws->closing
        && (ngx_msec_int_t) (ws->end_at - ngx_current_msec) <= 0)
    {
        if (ws->leaves) {
            ngx_camera_api_ws_close(ws, WSLAY_CODE_GOING_AWAY);

        } else {
            ngx_camera_api_ws_refuse(ws, ws->follows ? "AUTH_TOKEN_INVALID"
                                                     : "AUTH_TOKEN_MISSING");
        }

        return;
    }

    if ((ngx_msec_int_t) (ws->ping_at - ngx_current_msec) > 0) {
        return;
    }

    ws->ping_at = ngx_current_msec + ws->ping;

    if (ngx_current_msec - ws->heard_at
        >= NGX_CAMERA_API_WS_SILENCE * ws->ping)
    {
        ws->failed = 1;

    } else if (!ws->closing && ws->size == ws->sent) {
        ngx_memzero(&msg, sizeof(struct wslay_event_msg));
        msg.opcode = WSLAY_PING;

        (void) wslay_event_queue_msg(ws->wslay, &msg);
    }

    ngx_post_event(&ws->turn, &ngx_posted_events);
}


static void
ngx_camera_api_ws_end(ngx_camera_api_ws_t *ws, ngx_int_t rc)
{
    /* the request may stay for what is still to be read */

    ngx_camera_api_ws_cleanup(ws);

    ngx_camera_api_finish(ws->ctx, rc);
}


static void
ngx_camera_api_ws_cleanup(void *data)
{
    ngx_camera_api_ws_t *ws = data;

    if (ws->follows || ws->unfollow) {
        ws->follows = 0;
        ws->unfollow = 0;
        ngx_camera_api_unfollow(&ws->follower);
    }

    ngx_camera_api_identify_cancel(&ws->identity);

    if (ws->timer.timer_set) {
        ngx_del_timer(&ws->timer);
    }

    if (ws->turn.posted) {
        ngx_delete_posted_event(&ws->turn);
    }

    if (ws->wslay) {
        wslay_event_context_free(ws->wslay);
        ws->wslay = NULL;
    }

    ngx_camera_api_follow_leave(ws->slot);
    ws->slot = NGX_ERROR;
}
