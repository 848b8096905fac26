/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Receiving from publishers with fewer wake-ups and system calls, which are
 * most of what a camera costs.
 *
 * Reading ahead: nginx-rtmp reads into buffers of one chunk, so a frame of a
 * few kilobytes costs several recv() and, since each fills its buffer, as
 * many ioctl(FIONREAD).  Here one recv() takes what the socket has, and the
 * package is served from memory.  The buffer is one for the worker: the
 * package reads a connection until NGX_AGAIN or ends it before any other is
 * read.
 *
 * Waiting for more: a camera sends some sixty small messages a second, most
 * of them sound.  SO_RCVLOWAT lets the kernel hold them back until as much
 * came as the camera sends in camera_recv_delay, by its rate in the last
 * second.  A camera that falls quiet would wait longer than that, so a timer
 * takes the mark from connections that nothing came from; an end of the
 * connection is reported at once whatever the mark.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_camera.h"
#include "ngx_camera_recv.h"


#define NGX_CAMERA_RECV_AHEAD        65536

#define NGX_CAMERA_RECV_WINDOW_MSEC  1000
#define NGX_CAMERA_RECV_QUIET_MSEC   60
#define NGX_CAMERA_RECV_MARK_MIN     512
#define NGX_CAMERA_RECV_MARK_MAX     16384


typedef struct {
    ngx_atomic_uint_t   owner;         /* number of the connection */
    u_char             *pos;
    u_char             *last;
    u_char              data[NGX_CAMERA_RECV_AHEAD];
} ngx_camera_recv_ahead_t;


static void ngx_camera_recv_count(ngx_camera_recv_t *r, ssize_t n);
static void ngx_camera_recv_set_mark(ngx_camera_recv_t *r, int mark);
static void ngx_camera_recv_timer(ngx_event_t *ev);


static ngx_camera_recv_ahead_t  ngx_camera_recv_ahead;
static ngx_queue_t              ngx_camera_recv_marked;
static ngx_event_t              ngx_camera_recv_event;


void
ngx_camera_recv_start(ngx_camera_recv_t *r, ngx_connection_t *c,
    ngx_recv_pt recv)
{
    ngx_memzero(r, sizeof(ngx_camera_recv_t));

    r->connection = c;
    r->recv = recv;
}


void
ngx_camera_recv_wait(ngx_camera_recv_t *r, ngx_msec_t delay)
{
    r->delay = delay;
    r->bytes = 0;
    r->since = ngx_current_msec;
}


ssize_t
ngx_camera_recv(ngx_camera_recv_t *r, u_char *buf, size_t size)
{
    ssize_t                   n;
    ngx_connection_t         *c;
    ngx_camera_recv_ahead_t  *ahead;

    c = r->connection;
    ahead = &ngx_camera_recv_ahead;

    if (ahead->owner != c->number || ahead->pos == ahead->last) {

        n = r->recv(c, ahead->data, NGX_CAMERA_RECV_AHEAD);

        if (n <= 0) {
            return n;
        }

        ngx_camera_recv_count(r, n);

        ahead->owner = c->number;
        ahead->pos = ahead->data;
        ahead->last = ahead->data + n;
    }

    n = ngx_min(size, (size_t) (ahead->last - ahead->pos));

    ngx_memcpy(buf, ahead->pos, n);
    ahead->pos += n;

    return n;
}


/* the mark follows the rate; a change of less than a quarter is none */

static void
ngx_camera_recv_count(ngx_camera_recv_t *r, ssize_t n)
{
    int         mark;
    ngx_msec_t  age;

    r->bytes += n;
    r->last = ngx_current_msec;

    age = ngx_current_msec - r->since;

    if (r->delay == 0 || age < NGX_CAMERA_RECV_WINDOW_MSEC) {
        return;
    }

    mark = (int) ngx_min(r->bytes * r->delay / age, NGX_CAMERA_RECV_MARK_MAX);

    r->bytes = 0;
    r->since = ngx_current_msec;

    if (mark < NGX_CAMERA_RECV_MARK_MIN) {
        mark = 0;
    }

    if (mark < r->mark - r->mark / 4 || mark > r->mark + r->mark / 4) {
        ngx_camera_recv_set_mark(r, mark);
    }
}


static void
ngx_camera_recv_set_mark(ngx_camera_recv_t *r, int mark)
{
    int  value;

    /* lowering it below what has come makes the kernel report that */

    value = mark ? mark : 1;

    if (setsockopt(r->connection->fd, SOL_SOCKET, SO_RCVLOWAT,
                   (const void *) &value, sizeof(int))
        == -1)
    {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, ngx_socket_errno,
                      "setsockopt(SO_RCVLOWAT) failed");
        r->delay = 0;
        return;
    }

    if (mark && r->mark == 0) {
        ngx_queue_insert_tail(&ngx_camera_recv_marked, &r->queue);

    } else if (mark == 0 && r->mark) {
        ngx_queue_remove(&r->queue);
    }

    r->mark = mark;
}


void
ngx_camera_recv_stop(ngx_camera_recv_t *r)
{
    if (r->mark) {
        ngx_queue_remove(&r->queue);
        r->mark = 0;
    }
}


static void
ngx_camera_recv_timer(ngx_event_t *ev)
{
    ngx_queue_t        *q, *next;
    ngx_camera_recv_t  *r;

    for (q = ngx_queue_head(&ngx_camera_recv_marked);
         q != ngx_queue_sentinel(&ngx_camera_recv_marked);
         q = next)
    {
        next = ngx_queue_next(q);
        r = ngx_queue_data(q, ngx_camera_recv_t, queue);

        if (ngx_current_msec - r->last > NGX_CAMERA_RECV_QUIET_MSEC
                                         + 2 * r->delay)
        {
            ngx_camera_recv_set_mark(r, 0);
        }
    }

    ngx_add_timer(ev, NGX_CAMERA_RECV_QUIET_MSEC);
}


void
ngx_camera_recv_init_process(ngx_cycle_t *cycle)
{
    ngx_queue_init(&ngx_camera_recv_marked);

    ngx_camera_background_event(&ngx_camera_recv_event, ngx_camera_recv_timer,
                                cycle->log);

    ngx_add_timer(&ngx_camera_recv_event, NGX_CAMERA_RECV_QUIET_MSEC);
}


void
ngx_camera_recv_exit_process(void)
{
    if (ngx_camera_recv_event.timer_set) {
        ngx_del_timer(&ngx_camera_recv_event);
    }
}
