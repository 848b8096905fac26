/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Reading ahead.  nginx-rtmp reads into buffers of one chunk, so a frame of
 * a few kilobytes costs several recv() and, since each fills its buffer, as
 * many ioctl(FIONREAD).  Here one recv() takes what the socket has, and the
 * package is served from memory.
 *
 * The buffer is one for the worker: the package reads a connection until
 * NGX_AGAIN or ends it before any other is read.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_camera_ahead.h"


#define NGX_CAMERA_AHEAD_SIZE  65536


typedef struct {
    ngx_atomic_uint_t   owner;         /* number of the connection */
    u_char             *pos;
    u_char             *last;
    u_char              data[NGX_CAMERA_AHEAD_SIZE];
} ngx_camera_ahead_t;


static ngx_camera_ahead_t  ngx_camera_ahead;


ssize_t
ngx_camera_ahead_recv(ngx_connection_t *c, ngx_recv_pt recv, u_char *buf,
    size_t size)
{
    ssize_t              n;
    ngx_camera_ahead_t  *ahead;

    ahead = &ngx_camera_ahead;

    if (ahead->owner != c->number || ahead->pos == ahead->last) {

        if (size >= NGX_CAMERA_AHEAD_SIZE) {
            return recv(c, buf, size);
        }

        n = recv(c, ahead->data, NGX_CAMERA_AHEAD_SIZE);

        if (n <= 0) {
            return n;
        }

        ahead->owner = c->number;
        ahead->pos = ahead->data;
        ahead->last = ahead->data + n;
    }

    n = ngx_min(size, (size_t) (ahead->last - ahead->pos));

    ngx_memcpy(buf, ahead->pos, n);
    ahead->pos += n;

    return n;
}
