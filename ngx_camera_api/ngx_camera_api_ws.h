/*
 * Copyright (C) The nginx camera platform authors
 */

/* A WebSocket of one client; see ngx_camera_api_ws.c for its states. */

#ifndef NGX_CAMERA_API_WS_H
#define NGX_CAMERA_API_WS_H

#include <wslay/wslay.h>

#include "event_client.h"
#include "ngx_camera_api_wire.h"

#define NGX_CAMERA_API_WS_MESSAGE   4096       /* bytes of what it may say */
#define NGX_CAMERA_API_WS_BUFFER    4096


typedef struct {
    ngx_camera_api_wire_t        wire;
    wslay_event_context_ptr      wslay;

    ngx_camera_api_principal_t   principal;    /* who follows */
    ngx_camera_api_identity_t    identity;     /* whose token is looked at */
    cam_event_client_t           asked;        /* what came with the token */

    u_char                      *out;          /* framed, to be sent */
    size_t                       sent;
    size_t                       size;
    size_t                       budget;       /* to be read in this turn */
    ngx_uint_t                   frames;       /* of a message */
    ngx_uint_t                   status;       /* of a close frame to come */

    ngx_msec_t                   heard_at;

    unsigned                     checking:1;   /* a token */
    unsigned                     closing:1;
    unsigned                     closed:1;     /* the client's own close frame
                                                  did not come in time */
} ngx_camera_api_ws_t;


/* the answer of 101: NGX_OK, or NGX_DONE: refused, the request may be gone */
ngx_int_t ngx_camera_api_ws_handshake(ngx_camera_api_ctx_t *ctx);

/* what was said, a text */
void ngx_camera_api_ws_said(ngx_camera_api_ws_t *ws, const char *text,
    size_t len);

/* begins to follow, as ctx->principal or as nobody for the time being */
void ngx_camera_api_ws_follow(ngx_camera_api_ws_t *ws);

/* a text; NGX_AGAIN: there is no room */
ngx_int_t ngx_camera_api_ws_say(ngx_camera_api_ws_t *ws, const char *text,
    size_t len);

/* the last message, and the end; error may be NULL */
void ngx_camera_api_ws_refuse(ngx_camera_api_ws_t *ws, const char *error);
void ngx_camera_api_ws_close(ngx_camera_api_ws_t *ws, ngx_uint_t status);

/* for the wire */
ngx_int_t ngx_camera_api_ws_tell(ngx_camera_api_wire_t *wire,
    const char *type, const cam_event_id_t *id, const cam_event_t *event);


#endif /* NGX_CAMERA_API_WS_H */
