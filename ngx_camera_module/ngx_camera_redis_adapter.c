/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Between nginx's events and those of hiredis, both ways.  The hooks may be
 * called in any state, more than once, and while the library frees its
 * context: then the cleanup hook is the last one, and the library closes the
 * descriptor after it.
 *
 * Events are level-triggered, because the library reads 16 kB at a time.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <netinet/tcp.h>

#include "ngx_camera_redis_connection.h"


static void ngx_camera_redis_keepalive(ngx_camera_redis_conn_t *conn);
static void ngx_camera_redis_read_handler(ngx_event_t *ev);
static void ngx_camera_redis_write_handler(ngx_event_t *ev);
static void ngx_camera_redis_add_read(void *data);
static void ngx_camera_redis_del_read(void *data);
static void ngx_camera_redis_add_write(void *data);
static void ngx_camera_redis_del_write(void *data);
static void ngx_camera_redis_cleanup(void *data);


ngx_int_t
ngx_camera_redis_attach(ngx_camera_redis_conn_t *conn)
{
    ngx_connection_t   *c;
    redisAsyncContext  *context;

    context = conn->context;

    c = ngx_get_connection(context->c.fd, conn->redis->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->data = conn;
    c->log = conn->redis->log;

    c->read->handler = ngx_camera_redis_read_handler;
    c->read->log = c->log;
    c->write->handler = ngx_camera_redis_write_handler;
    c->write->log = c->log;

    conn->connection = c;

    context->data = conn;
    context->ev.data = conn;
    context->ev.addRead = ngx_camera_redis_add_read;
    context->ev.delRead = ngx_camera_redis_del_read;
    context->ev.addWrite = ngx_camera_redis_add_write;
    context->ev.delWrite = ngx_camera_redis_del_write;
    context->ev.cleanup = ngx_camera_redis_cleanup;

    if (conn->redis->conf.address.ip) {
        ngx_camera_redis_keepalive(conn);
    }

    return NGX_OK;
}


/* who only listens for messages would never notice a peer that vanished */

static void
ngx_camera_redis_keepalive(ngx_camera_redis_conn_t *conn)
{
    int     value;
    size_t  i;

    static const struct {
        int  level;
        int  option;
        int  value;
    } options[] = {
        { SOL_SOCKET, SO_KEEPALIVE, 1 },
        { IPPROTO_TCP, TCP_KEEPIDLE, 5 },
        { IPPROTO_TCP, TCP_KEEPINTVL, 2 },
        { IPPROTO_TCP, TCP_KEEPCNT, 3 },
        { IPPROTO_TCP, TCP_USER_TIMEOUT, 5000 }
    };

    for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        value = options[i].value;

        if (setsockopt(conn->connection->fd, options[i].level,
                       options[i].option, &value, sizeof(int))
            == -1)
        {
            ngx_log_error(NGX_LOG_ALERT, conn->redis->log, ngx_socket_errno,
                          "setsockopt(%d) failed", options[i].option);
        }
    }
}


/* after either of these the context may be free */

static void
ngx_camera_redis_read_handler(ngx_event_t *ev)
{
    ngx_connection_t         *c;
    ngx_camera_redis_conn_t  *conn;

    c = ev->data;
    conn = c->data;

    redisAsyncHandleRead(conn->context);
}


static void
ngx_camera_redis_write_handler(ngx_event_t *ev)
{
    ngx_connection_t         *c;
    ngx_camera_redis_conn_t  *conn;

    c = ev->data;
    conn = c->data;

    redisAsyncHandleWrite(conn->context);
}


static void
ngx_camera_redis_add_read(void *data)
{
    ngx_camera_redis_conn_t *conn = data;

    if (conn->connection && !conn->connection->read->active
        && ngx_add_event(conn->connection->read, NGX_READ_EVENT,
                         NGX_LEVEL_EVENT)
           != NGX_OK)
    {
        ngx_camera_redis_fail(conn, "ngx_add_event()", "");
    }
}


static void
ngx_camera_redis_del_read(void *data)
{
    ngx_camera_redis_conn_t *conn = data;

    if (conn->connection && conn->connection->read->active) {
        (void) ngx_del_event(conn->connection->read, NGX_READ_EVENT, 0);
    }
}


static void
ngx_camera_redis_add_write(void *data)
{
    ngx_camera_redis_conn_t *conn = data;

    if (conn->connection && !conn->connection->write->active
        && ngx_add_event(conn->connection->write, NGX_WRITE_EVENT,
                         NGX_LEVEL_EVENT)
           != NGX_OK)
    {
        ngx_camera_redis_fail(conn, "ngx_add_event()", "");
    }
}


static void
ngx_camera_redis_del_write(void *data)
{
    ngx_camera_redis_conn_t *conn = data;

    if (conn->connection && conn->connection->write->active) {
        (void) ngx_del_event(conn->connection->write, NGX_WRITE_EVENT, 0);
    }
}


static void
ngx_camera_redis_cleanup(void *data)
{
    ngx_connection_t         *c;
    ngx_camera_redis_conn_t  *conn = data;

    c = conn->connection;

    if (c == NULL) {
        return;
    }

    ngx_camera_redis_del_read(conn);
    ngx_camera_redis_del_write(conn);

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    c->fd = (ngx_socket_t) -1;
    ngx_free_connection(c);

    conn->connection = NULL;
}
