/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * One connection of the Redis client, on hiredis 0.14.
 *
 *     IDLE        waits for its retry timer           [_disconnect, _lost]
 *     CONNECTING  the socket is not writable yet      [_connect]
 *     GREETING    AUTH, SELECT and PING are sent      [_connected]
 *     READY       takes commands                      [_greeted]
 *     STALLED     one was not answered in time, or    [_stall]
 *                 the PING of each second; takes none
 *                 until a PING was answered
 *
 * A Redis that hangs still lets clients connect, so only an answer makes a
 * connection ready, and only an answer ends a stall.  A stall of ten seconds
 * is given up.  It is connected again after a while that doubles from 50 ms to
 * 5 s, half of it random.
 *
 * The library frees its context by itself when a connection fails: it tells
 * pending commands (NULL instead of a reply), calls the cleanup hook, tells us
 * and closes the descriptor.  When we free it the order is the same, but
 * conn->context is NULL already, which is how _disconnected() knows.  We never
 * do so while the library is on the stack: ngx_camera_redis_fail() posts an
 * event.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_camera.h"
#include "ngx_camera_redis_connection.h"

#define NGX_CAMERA_REDIS_BACKOFF_MIN  50
#define NGX_CAMERA_REDIS_BACKOFF_MAX  5000
#define NGX_CAMERA_REDIS_STALL        10000


static void ngx_camera_redis_init_events(ngx_camera_redis_conn_t *conn);
static void ngx_camera_redis_connected(const redisAsyncContext *context,
    int status);
static ngx_int_t ngx_camera_redis_greet(ngx_camera_redis_conn_t *conn);
static ngx_int_t ngx_camera_redis_auth(ngx_camera_redis_conn_t *conn);
static void ngx_camera_redis_auth_done(redisAsyncContext *context,
    void *reply, void *data);
static void ngx_camera_redis_select_done(redisAsyncContext *context,
    void *reply, void *data);
static void ngx_camera_redis_pong(redisAsyncContext *context, void *reply,
    void *data);
static void ngx_camera_redis_ping(ngx_camera_redis_conn_t *conn,
    ngx_msec_t timeout);
static void ngx_camera_redis_disconnected(const redisAsyncContext *context,
    int status);
static void ngx_camera_redis_again(ngx_camera_redis_conn_t *conn);
static void ngx_camera_redis_complain(ngx_camera_redis_t *redis,
    const char *what, const char *text);
static void ngx_camera_redis_retry_handler(ngx_event_t *ev);
static void ngx_camera_redis_deadline_handler(ngx_event_t *ev);
static void ngx_camera_redis_broken_handler(ngx_event_t *ev);


void
ngx_camera_redis_connect(ngx_camera_redis_conn_t *conn)
{
    redisAsyncContext           *context;
    ngx_camera_redis_address_t  *address;

    address = &conn->redis->conf.address;

    ngx_camera_redis_init_events(conn);

    context = address->path ? redisAsyncConnectUnix(address->path)
                            : redisAsyncConnect(address->ip,
                                                (int) address->port);

    conn->context = context;
    conn->state = NGX_CAMERA_REDIS_CONNECTING;

    if (context == NULL || context->err) {
        ngx_camera_redis_complain(conn->redis, "connect()",
                                  context ? context->errstr : "no memory");
        ngx_camera_redis_disconnect(conn, 1);
        return;
    }

    ngx_camera_redis_await(conn, conn->redis->conf.connect_timeout);

    if (ngx_camera_redis_attach(conn) != NGX_OK) {
        ngx_camera_redis_complain(conn->redis, "ngx_get_connection()", "");
        ngx_camera_redis_disconnect(conn, 1);
        return;
    }

    /* the first one asks for the write event, too */

    redisAsyncSetConnectCallback(context, ngx_camera_redis_connected);
    redisAsyncSetDisconnectCallback(context, ngx_camera_redis_disconnected);
}


static void
ngx_camera_redis_init_events(ngx_camera_redis_conn_t *conn)
{
    ngx_log_t  *log;

    if (conn->retry.handler) {
        return;
    }

    log = conn->redis->log;

    ngx_camera_background_event(&conn->retry, ngx_camera_redis_retry_handler,
                                log);
    ngx_camera_background_event(&conn->deadline,
                                ngx_camera_redis_deadline_handler, log);
    ngx_camera_background_event(&conn->broken, ngx_camera_redis_broken_handler,
                                log);
}


static void
ngx_camera_redis_connected(const redisAsyncContext *context, int status)
{
    ngx_camera_redis_conn_t  *conn;

    conn = context->data;

    if (status != REDIS_OK) {
        ngx_camera_redis_complain(conn->redis, "connect()",
                                  context->c.errstr);

        conn->context = NULL;
        ngx_camera_redis_lost(conn);
        ngx_camera_redis_again(conn);
        return;
    }

    conn->state = NGX_CAMERA_REDIS_GREETING;
    ngx_camera_redis_await(conn, conn->redis->conf.connect_timeout);

    if (ngx_camera_redis_greet(conn) != NGX_OK) {
        ngx_camera_redis_fail(conn, "redisAsyncCommandArgv()", "");
    }
}


static ngx_int_t
ngx_camera_redis_greet(ngx_camera_redis_conn_t *conn)
{
    u_char      number[NGX_INT_T_LEN];
    ngx_str_t   select[2];
    ngx_uint_t  db;

    static const ngx_str_t  ping = ngx_string("PING");

    db = conn->redis->conf.address.db;

    if (conn->redis->conf.address.password.len
        && ngx_camera_redis_auth(conn) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (db) {
        ngx_str_set(&select[0], "SELECT");
        select[1].data = number;
        select[1].len = ngx_sprintf(number, "%ui", db) - number;

        if (ngx_camera_redis_send(conn, select, 2,
                                  ngx_camera_redis_select_done, conn)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_camera_redis_send(conn, &ping, 1, ngx_camera_redis_pong, conn);
}


static ngx_int_t
ngx_camera_redis_auth(ngx_camera_redis_conn_t *conn)
{
    ngx_str_t                    args[3];
    ngx_uint_t                   n;
    ngx_camera_redis_address_t  *address;

    address = &conn->redis->conf.address;

    ngx_str_set(&args[0], "AUTH");
    n = 1;

    if (address->user.len) {
        args[n++] = address->user;
    }

    args[n++] = address->password;

    return ngx_camera_redis_send(conn, args, n, ngx_camera_redis_auth_done,
                                 conn);
}


/* of the text only its first word: a server may quote what it did not like */

static void
ngx_camera_redis_auth_done(redisAsyncContext *context, void *reply, void *data)
{
    char                      word[32];
    size_t                    len;
    redisReply               *r = reply;
    ngx_camera_redis_conn_t  *conn = data;

    if (r && r->type == REDIS_REPLY_ERROR) {
        len = ngx_min(strcspn(r->str, " "), sizeof(word) - 1);
        ngx_cpystrn((u_char *) word, (u_char *) r->str, len + 1);

        ngx_camera_redis_fail(conn, "AUTH", word);
    }
}


static void
ngx_camera_redis_select_done(redisAsyncContext *context, void *reply,
    void *data)
{
    redisReply  *r = reply;

    if (r && r->type == REDIS_REPLY_ERROR) {
        ngx_camera_redis_fail(data, "SELECT", r->str);
    }
}


/* the end of a greeting, of a probe or of a stall; an error may be "LOADING" */

static void
ngx_camera_redis_pong(redisAsyncContext *context, void *reply, void *data)
{
    ngx_uint_t                greeting;
    redisReply               *r = reply;
    ngx_camera_redis_conn_t  *conn = data;

    if (r == NULL || conn->broken.posted) {
        return;
    }

    if (r->type == REDIS_REPLY_ERROR) {
        ngx_camera_redis_fail(conn, "PING", r->str);
        return;
    }

    greeting = conn->state == NGX_CAMERA_REDIS_GREETING;

    conn->state = NGX_CAMERA_REDIS_READY;

    if (greeting && conn->greeted) {
        conn->greeted(conn);
        return;
    }

    ngx_camera_redis_settled(conn);
}


void
ngx_camera_redis_settled(ngx_camera_redis_conn_t *conn)
{
    ngx_camera_redis_t  *redis;

    conn->backoff_msec = 0;
    ngx_camera_redis_await(conn, 0);

    redis = conn->redis;

    if (redis->complained && ngx_camera_redis_ready(redis)
        && ngx_camera_redis_subscribed(redis))
    {
        redis->complained = 0;
        ngx_log_error(NGX_LOG_NOTICE, redis->log, 0,
                      "Redis serves \"%s\" again", redis->conf.name);
    }
}


static void
ngx_camera_redis_disconnected(const redisAsyncContext *context, int status)
{
    ngx_camera_redis_conn_t  *conn;

    conn = context->data;

    if (conn->context != context) {
        return;                                  /* it was us */
    }

    ngx_camera_redis_complain(conn->redis, "connection", context->c.errstr);

    conn->context = NULL;
    ngx_camera_redis_lost(conn);
    ngx_camera_redis_again(conn);
}


ngx_int_t
ngx_camera_redis_send(ngx_camera_redis_conn_t *conn, const ngx_str_t *args,
    ngx_uint_t n, redisCallbackFn *handler, void *data)
{
    size_t       len[NGX_CAMERA_REDIS_ARGS_MAX];
    ngx_uint_t   i;
    const char  *values[NGX_CAMERA_REDIS_ARGS_MAX];

    for (i = 0; i < n; i++) {
        values[i] = (char *) args[i].data;
        len[i] = args[i].len;
    }

    if (redisAsyncCommandArgv(conn->context, handler, data, (int) n, values,
                              len)
        != REDIS_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* replies come in order: the PING's behind those that are late */

void
ngx_camera_redis_stall(ngx_camera_redis_conn_t *conn)
{
    if (conn->state != NGX_CAMERA_REDIS_READY) {
        return;
    }

    ngx_camera_redis_complain(conn->redis, "a command", "no answer in time");

    conn->state = NGX_CAMERA_REDIS_STALLED;
    ngx_camera_redis_ping(conn, NGX_CAMERA_REDIS_STALL);
}


/* a hang is noticed before somebody waits in vain */

void
ngx_camera_redis_probe(ngx_camera_redis_conn_t *conn)
{
    if (ngx_camera_redis_ready(conn->redis) && !conn->deadline.timer_set) {
        ngx_camera_redis_ping(conn, conn->redis->conf.command_timeout);
    }
}


static void
ngx_camera_redis_ping(ngx_camera_redis_conn_t *conn, ngx_msec_t timeout)
{
    static const ngx_str_t  ping = ngx_string("PING");

    ngx_camera_redis_await(conn, timeout);

    if (ngx_camera_redis_send(conn, &ping, 1, ngx_camera_redis_pong, conn)
        != NGX_OK)
    {
        ngx_camera_redis_fail(conn, "redisAsyncCommandArgv()", "");
    }
}


void
ngx_camera_redis_await(ngx_camera_redis_conn_t *conn, ngx_msec_t msec)
{
    if (conn->deadline.timer_set) {
        ngx_del_timer(&conn->deadline);
    }

    if (msec) {
        ngx_add_timer(&conn->deadline, msec);
    }
}


void
ngx_camera_redis_lost(ngx_camera_redis_conn_t *conn)
{
    if (conn->state == NGX_CAMERA_REDIS_IDLE) {
        return;
    }

    conn->state = NGX_CAMERA_REDIS_IDLE;

    ngx_camera_redis_await(conn, 0);

    if (conn->broken.posted) {
        ngx_delete_posted_event(&conn->broken);
    }

    if (conn->gone) {
        conn->gone(conn);
    }
}


void
ngx_camera_redis_disconnect(ngx_camera_redis_conn_t *conn, ngx_uint_t retry)
{
    redisAsyncContext  *context;

    if (conn->retry.timer_set) {
        ngx_del_timer(&conn->retry);
    }

    context = conn->context;
    conn->context = NULL;

    ngx_camera_redis_lost(conn);

    if (context) {
        redisAsyncFree(context);
    }

    if (retry) {
        ngx_camera_redis_again(conn);
    }
}


static void
ngx_camera_redis_again(ngx_camera_redis_conn_t *conn)
{
    if (conn->redis->closed) {
        return;
    }

    conn->backoff_msec = ngx_max(conn->backoff_msec * 2,
                                 NGX_CAMERA_REDIS_BACKOFF_MIN);
    conn->backoff_msec = ngx_min(conn->backoff_msec,
                                 NGX_CAMERA_REDIS_BACKOFF_MAX);

    ngx_add_timer(&conn->retry, conn->backoff_msec / 2
                          + (ngx_msec_t) ngx_random()
                            % (conn->backoff_msec / 2));
}


void
ngx_camera_redis_fail(ngx_camera_redis_conn_t *conn, const char *what,
    const char *text)
{
    ngx_camera_redis_complain(conn->redis, what, text);

    ngx_post_event(&conn->broken, &ngx_posted_events);
}


/* one line for each outage, not for each attempt */

static void
ngx_camera_redis_complain(ngx_camera_redis_t *redis, const char *what,
    const char *text)
{
    if (redis->complained || redis->closed) {
        return;
    }

    redis->complained = 1;

    ngx_log_error(NGX_LOG_ERR, redis->log, 0,
                  "Redis does not serve \"%s\": %s failed: %s",
                  redis->conf.name, what, text);
}


static void
ngx_camera_redis_retry_handler(ngx_event_t *ev)
{
    ngx_camera_redis_conn_t  *conn;

    conn = (ngx_camera_redis_conn_t *)
               ((u_char *) ev - offsetof(ngx_camera_redis_conn_t, retry));

    if (!ngx_exiting) {
        ngx_camera_redis_connect(conn);
    }
}


static void
ngx_camera_redis_deadline_handler(ngx_event_t *ev)
{
    ngx_camera_redis_conn_t  *conn;

    conn = (ngx_camera_redis_conn_t *)
               ((u_char *) ev - offsetof(ngx_camera_redis_conn_t, deadline));

    if (conn == &conn->redis->commands
        && conn->state == NGX_CAMERA_REDIS_READY)
    {
        ngx_camera_redis_stall(conn);
        return;
    }

    ngx_camera_redis_complain(conn->redis, "connection", "no answer in time");
    ngx_camera_redis_disconnect(conn, 1);
}


static void
ngx_camera_redis_broken_handler(ngx_event_t *ev)
{
    ngx_camera_redis_conn_t  *conn;

    conn = (ngx_camera_redis_conn_t *)
               ((u_char *) ev - offsetof(ngx_camera_redis_conn_t, broken));

    ngx_camera_redis_disconnect(conn, 1);
}
