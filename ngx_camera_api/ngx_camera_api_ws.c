/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * GET /ws: events over a WebSocket, frames by wslay.
 *
 *     open      [_ws]        reads and writes [_work]
 *     closing   [_close]     the close frame is the last one; two seconds for
 *                            the client's own
 *     ended     [_work]
 *
 * What a client can make this keep is bounded: a message of 4 kB in at most
 * sixteen frames, 64 kB of messages that it does not read, some hundred answers
 * to its pings.  While it leaves much unread it is not read either.
 */

#include "ngx_camera_api_core.h"
#include "ngx_camera_api_ws.h"

#define NGX_CAMERA_API_WS_UNREAD      65536    /* bytes for the client */
#define NGX_CAMERA_API_WS_UNREAD_LOW  16384    /* then it is read again */
#define NGX_CAMERA_API_WS_ANSWERS     256      /* messages, however short */
#define NGX_CAMERA_API_WS_BUDGET      32768    /* read in one turn */
#define NGX_CAMERA_API_WS_FRAMES      16       /* of a message */
#define NGX_CAMERA_API_WS_SILENCE     3        /* pings without a sign */
#define NGX_CAMERA_API_WS_GOODBYE     2000     /* ms */


static ngx_int_t ngx_camera_api_ws_create(ngx_camera_api_ws_t *ws);
static void ngx_camera_api_ws_start(ngx_camera_api_ws_t *ws);
static void ngx_camera_api_ws_readable(ngx_http_request_t *r);
static void ngx_camera_api_ws_work(ngx_camera_api_wire_t *wire);
static void ngx_camera_api_ws_read(ngx_camera_api_ws_t *ws);
static ngx_uint_t ngx_camera_api_ws_full(ngx_camera_api_ws_t *ws);
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
static void ngx_camera_api_ws_beat(ngx_camera_api_wire_t *wire);
static void ngx_camera_api_ws_over(ngx_camera_api_wire_t *wire);
static void ngx_camera_api_ws_wipe(ngx_camera_api_wire_t *wire);


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
    ngx_camera_api_ws_t  *ws;

    if (ctx->principal
        && !(ctx->principal->permissions & CAM_PERMIT_CAMERAS_READ))
    {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INSUFFICIENT_PERMISSIONS,
                             NULL);
        return;
    }

    ws = ngx_pcalloc(ctx->request->pool, sizeof(ngx_camera_api_ws_t));

    if (ws == NULL) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    if (ngx_camera_api_wire_create(&ws->wire, ctx) != NGX_OK) {
        return;
    }

    if (ngx_camera_api_ws_create(ws) != NGX_OK) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    if (ctx->principal
        && ngx_camera_api_wire_enter(&ws->wire, ctx->principal) != NGX_OK)
    {
        ngx_camera_api_wire_busy(ctx);
        return;
    }

    if (ngx_camera_api_ws_handshake(ctx) == NGX_OK) {
        ngx_camera_api_ws_start(ws);
    }
}


static ngx_int_t
ngx_camera_api_ws_create(ngx_camera_api_ws_t *ws)
{
    ws->wire.tell = ngx_camera_api_ws_tell;
    ws->wire.work = ngx_camera_api_ws_work;
    ws->wire.beat = ngx_camera_api_ws_beat;
    ws->wire.over = ngx_camera_api_ws_over;
    ws->wire.wipe = ngx_camera_api_ws_wipe;

    ws->out = ngx_pnalloc(ws->wire.request->pool, NGX_CAMERA_API_WS_BUFFER);

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
    ws->heard_at = ngx_current_msec;
    ws->wire.request->read_event_handler = ngx_camera_api_ws_readable;

    ngx_camera_api_wire_start(&ws->wire);
    ngx_camera_api_ws_follow(ws);

    /* the first frame may have come with the request */

    ngx_camera_api_wire_post(&ws->wire);
}


static void
ngx_camera_api_ws_readable(ngx_http_request_t *r)
{
    ngx_camera_api_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_api_module);

    ngx_camera_api_ws_work(ctx->data);
}


static void
ngx_camera_api_ws_work(ngx_camera_api_wire_t *wire)
{
    ngx_int_t             rc;
    ngx_camera_api_ws_t  *ws = (ngx_camera_api_ws_t *) wire;

    if (ws->closed) {
        ngx_camera_api_wire_end(wire, NGX_OK);
        return;
    }

    ngx_camera_api_ws_read(ws);

    rc = ngx_camera_api_ws_write(ws);

    if (rc == NGX_ERROR || wire->failed) {
        ngx_camera_api_wire_end(wire, NGX_ERROR);
        return;
    }

    if (!wslay_event_want_write(ws->wslay) && ws->size == ws->sent) {

        if (!wslay_event_want_read(ws->wslay)) {
            ngx_camera_api_wire_end(wire, NGX_OK);
            return;
        }

        if (wire->follows && !ws->closing) {
            ngx_camera_api_follow_on(&wire->follower);
        }
    }

    if (ngx_camera_api_wire_left(wire, rc == NGX_AGAIN) != NGX_OK
        || ngx_handle_read_event(wire->request->connection->read, 0)
           != NGX_OK)
    {
        ngx_camera_api_wire_end(wire, NGX_ERROR);
    }
}


/* a client that sends without end has its turn like others */

static void
ngx_camera_api_ws_read(ngx_camera_api_ws_t *ws)
{
    if (ngx_camera_api_ws_full(ws)
        || wslay_event_get_queued_msg_length(ws->wslay)
           > NGX_CAMERA_API_WS_UNREAD_LOW)
    {
        return;
    }

    ws->budget = NGX_CAMERA_API_WS_BUDGET;

    if (wslay_event_recv(ws->wslay) != 0) {
        ws->wire.failed = 1;
    }

    if (ws->budget == 0 || ngx_camera_api_ws_full(ws)) {
        ngx_post_event(&ws->wire.turn, &ngx_posted_next_events);
    }

    if (wslay_event_get_close_received(ws->wslay)
        || wslay_event_get_close_sent(ws->wslay))
    {
        ngx_camera_api_ws_close(ws, 0);
    }
}


/* an answer to a ping without payload has no length, and costs memory, too */

static ngx_uint_t
ngx_camera_api_ws_full(ngx_camera_api_ws_t *ws)
{
    return wslay_event_get_queued_msg_count(ws->wslay)
           > NGX_CAMERA_API_WS_ANSWERS;
}


static ngx_int_t
ngx_camera_api_ws_write(ngx_camera_api_ws_t *ws)
{
    ngx_int_t  rc;

    for ( ;; ) {
        rc = ngx_camera_api_ws_flush(ws);

        if (rc != NGX_OK) {
            return rc;
        }

        /* a close frame would overtake what was said before it */

        if (ws->status && wslay_event_get_queued_msg_count(ws->wslay) == 0) {
            (void) wslay_event_queue_close(ws->wslay, (uint16_t) ws->status,
                                           NULL, 0);
            ws->status = 0;
        }

        if (!wslay_event_want_write(ws->wslay)) {
            return NGX_OK;
        }

        if (wslay_event_send(ws->wslay) != 0) {
            return NGX_ERROR;
        }
    }
}


static ngx_int_t
ngx_camera_api_ws_flush(ngx_camera_api_ws_t *ws)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = ws->wire.request->connection;

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

    c = ws->wire.request->connection;
    in = ws->wire.request->header_in;

    len = ngx_min(len, ws->budget);

    if (len == 0 || ngx_camera_api_ws_full(ws)) {
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
        ws->wire.failed = 1;
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
        ngx_camera_api_wire_slow(&ws->wire);
        return NGX_AGAIN;
    }

    msg.opcode = WSLAY_TEXT_FRAME;
    msg.msg = (const uint8_t *) text;
    msg.msg_length = len;

    if (wslay_event_queue_msg(ws->wslay, &msg) != 0) {
        ws->wire.failed = 1;
    }

    ngx_camera_api_wire_post(&ws->wire);

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
    ws->wire.end_at = ngx_current_msec + NGX_CAMERA_API_WS_GOODBYE;

    ngx_camera_api_wire_set_timer(&ws->wire);
    ngx_camera_api_wire_post(&ws->wire);
}


static void
ngx_camera_api_ws_beat(ngx_camera_api_wire_t *wire)
{
    struct wslay_event_msg  msg;
    ngx_camera_api_ws_t    *ws = (ngx_camera_api_ws_t *) wire;

    if (ngx_current_msec - ws->heard_at
        >= NGX_CAMERA_API_WS_SILENCE * wire->comment)
    {
        wire->failed = 1;

    } else if (!ws->closing && ws->size == ws->sent) {
        ngx_memzero(&msg, sizeof(struct wslay_event_msg));
        msg.opcode = WSLAY_PING;

        (void) wslay_event_queue_msg(ws->wslay, &msg);
    }

    ngx_camera_api_wire_post(wire);
}


static void
ngx_camera_api_ws_over(ngx_camera_api_wire_t *wire)
{
    ngx_camera_api_ws_t  *ws = (ngx_camera_api_ws_t *) wire;

    if (ws->closing) {

        if (ngx_camera_api_wire_is_over(wire)) {
            ws->closed = 1;
            ngx_camera_api_wire_post(wire);
        }

    } else if (wire->leaves) {
        ngx_camera_api_ws_close(ws, WSLAY_CODE_GOING_AWAY);

    } else {
        ngx_camera_api_ws_refuse(ws, wire->follows ? "AUTH_TOKEN_INVALID"
                                                   : "AUTH_TOKEN_MISSING");
    }
}


static void
ngx_camera_api_ws_wipe(ngx_camera_api_wire_t *wire)
{
    ngx_camera_api_ws_t  *ws = (ngx_camera_api_ws_t *) wire;

    ngx_camera_api_identify_cancel(&ws->identity);

    if (ws->wslay) {
        wslay_event_context_free(ws->wslay);
        ws->wslay = NULL;
    }
}
