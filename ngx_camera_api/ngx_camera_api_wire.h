/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The wire to one who follows events: what is the same for server-sent events
 * and WebSockets.  A transport has a wire as its first member, fills in its
 * functions and frames what it is told.
 *
 * Nothing is ended while the hub, the timer or a library calls: what happened
 * is noted and posted, and the turn, which comes after the events of this round
 * of the event loop, sends and decides.
 */

#ifndef NGX_CAMERA_API_WIRE_H
#define NGX_CAMERA_API_WIRE_H

#include "ngx_camera_api_events.h"


typedef struct ngx_camera_api_wire_s  ngx_camera_api_wire_t;

struct ngx_camera_api_wire_s {
    ngx_camera_api_follower_t    follower;
    ngx_camera_api_ctx_t        *ctx;
    ngx_http_request_t          *request;

    /* "ready" or "reset", without an event, or "event" with one; NGX_OK, or
       NGX_AGAIN: there is no room now */
    ngx_int_t                  (*tell)(ngx_camera_api_wire_t *wire,
                                       const char *type,
                                       const cam_event_id_t *id,
                                       const cam_event_t *event);

    /* a turn: sends what there is; it alone may end the wire */
    void                       (*work)(ngx_camera_api_wire_t *wire);

    /* shows that the connection lives */
    void                       (*beat)(ngx_camera_api_wire_t *wire);

    /* its time is over, or, with leaves, it has to come again; posts a turn */
    void                       (*over)(ngx_camera_api_wire_t *wire);

    /* frees what is the transport's own, or NULL */
    void                       (*wipe)(ngx_camera_api_wire_t *wire);

    /* private, but for what is noted in end_at and the bits */
    ngx_event_t                  turn;
    ngx_event_t                  timer;
    ngx_msec_t                   comment;      /* how often it beats */
    ngx_msec_t                   beat_at;
    ngx_msec_t                   end_at;
    ngx_int_t                    slot;         /* of the user's streams */
    unsigned                     follows:1;
    unsigned                     leaves:1;     /* end_at is not the token's */
    unsigned                     failed:1;     /* the connection is of no use */
};


/* of ctx, whose data it becomes; NGX_OK, or NGX_ERROR: it was answered */
ngx_int_t ngx_camera_api_wire_create(ngx_camera_api_wire_t *wire,
    ngx_camera_api_ctx_t *ctx);

/* one more of this user's; NGX_OK, or NGX_BUSY: there are too many */
ngx_int_t ngx_camera_api_wire_enter(ngx_camera_api_wire_t *wire,
    const ngx_camera_api_principal_t *principal);
void ngx_camera_api_wire_busy(ngx_camera_api_ctx_t *ctx);

/* headers were sent: from now on it has turns and beats; its owner sets end_at
   and the timer */
void ngx_camera_api_wire_start(ngx_camera_api_wire_t *wire);

/* begins to follow; of follower are set: principal, types, last, resumes */
void ngx_camera_api_wire_follow(ngx_camera_api_wire_t *wire);

/* its principal's token is new: it goes on until that ends */
void ngx_camera_api_wire_expires(ngx_camera_api_wire_t *wire);

void ngx_camera_api_wire_post(ngx_camera_api_wire_t *wire);

/* end_at changed */
void ngx_camera_api_wire_set_timer(ngx_camera_api_wire_t *wire);
ngx_uint_t ngx_camera_api_wire_is_over(const ngx_camera_api_wire_t *wire);

/* a live follower for whom there is no room is ended: it comes again, and is
   told what it missed */
void ngx_camera_api_wire_slow(ngx_camera_api_wire_t *wire);

/* there is something left that the socket did not take, or nothing; NGX_OK or
   NGX_ERROR */
ngx_int_t ngx_camera_api_wire_left(ngx_camera_api_wire_t *wire,
    ngx_uint_t left);

/* lets go of everything, twice perhaps; the request may stay */
void ngx_camera_api_wire_cleanup(ngx_camera_api_wire_t *wire);

/* and ends the request, after which nothing may be touched */
void ngx_camera_api_wire_end(ngx_camera_api_wire_t *wire, ngx_int_t rc);


#endif /* NGX_CAMERA_API_WIRE_H */
