/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Requests that wait for something that only looking tells: a part that
 * camera-worker has not written, a picture that it was asked for.
 *
 *     parked   [ngx_camera_park]   the worker's tick calls over() each msec,
 *                                  and only while something is parked
 *     over     over() said so:     left(), then answer(); finalized once
 *     left     the client did:     left()
 *
 * The tick keeps an exiting worker alive, so over() must have a deadline.
 */

#ifndef NGX_CAMERA_PARK_H
#define NGX_CAMERA_PARK_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


typedef struct ngx_camera_parked_s  ngx_camera_parked_t;

struct ngx_camera_parked_s {
    ngx_queue_t           queue;
    ngx_http_request_t   *request;

    /* 1 when it need not wait longer; runs often, answers nobody */
    ngx_uint_t          (*over)(ngx_camera_parked_t *parked);

    /* what the request is finalized with */
    ngx_int_t           (*answer)(ngx_camera_parked_t *parked);

    /* it does not wait any more; may be NULL */
    void                (*left)(ngx_camera_parked_t *parked);

    unsigned              waiting:1;
};


/* those that are looked at together; statically zero but for msec */
typedef struct {
    ngx_msec_t            msec;          /* from one look to the next */
    ngx_queue_t           waiting;
    ngx_event_t           tick;
} ngx_camera_park_t;


/*
 * parked lives as long as its request, with the three functions set.  Answers
 * NGX_DONE, which a content handler returns, or a status: it was not parked.
 */
ngx_int_t ngx_camera_park(ngx_camera_park_t *park, ngx_http_request_t *r,
    ngx_camera_parked_t *parked);


#endif /* NGX_CAMERA_PARK_H */
