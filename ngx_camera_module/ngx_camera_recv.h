/*
 * Copyright (C) The nginx camera platform authors
 */

#ifndef NGX_CAMERA_RECV_H
#define NGX_CAMERA_RECV_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


/* one publisher's connection; embedded in its owner */
typedef struct {
    ngx_queue_t         queue;         /* of those with a mark */
    ngx_connection_t   *connection;
    ngx_recv_pt         recv;          /* socket's or TLS's own */
    ngx_msec_t          delay;         /* media to wait for, 0 = none */
    ngx_msec_t          since;         /* of the bytes counted */
    ngx_msec_t          last;          /* anything came */
    size_t              bytes;
    int                 mark;          /* SO_RCVLOWAT, 0 = not set */
} ngx_camera_recv_t;


/* recv is the connection's own function */
void ngx_camera_recv_start(ngx_camera_recv_t *r, ngx_connection_t *c,
    ngx_recv_pt recv);

/* from now on the kernel may hold back up to delay ms of media */
void ngx_camera_recv_wait(ngx_camera_recv_t *r, ngx_msec_t delay);

/*
 * Like c->recv().  The caller must go on until NGX_AGAIN or be done with the
 * connection: what was read ahead is lost when another one reads.
 */
ssize_t ngx_camera_recv(ngx_camera_recv_t *r, u_char *buf, size_t size);

void ngx_camera_recv_stop(ngx_camera_recv_t *r);

/* the worker's timer */
void ngx_camera_recv_init_process(ngx_cycle_t *cycle);
void ngx_camera_recv_exit_process(void);


#endif /* NGX_CAMERA_RECV_H */
