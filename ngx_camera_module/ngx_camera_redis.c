/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Commands of the Redis client; connections are in
 * ngx_camera_redis_connection.c, messages in ngx_camera_redis_subscribe.c.
 *
 * A command stays in flight until its reply was read, because replies carry no
 * name.  Its handler may go earlier: by its deadline, or when the caller
 * cancels.  The first deadline that is missed stalls the connection: others
 * are then refused at once instead of each waiting for a server that hangs.
 *
 *     started    [_command, _script]   handler set, in flight
 *     cancelled  [_cancel]             handler cleared, in flight
 *     expired    [_command_deadline]   handler run, in flight
 *     done       [_command_done]       free
 *
 * A script goes by its digest.  When Redis does not know it (it was started
 * anew, or flushed) the same command goes again with the text, which makes it
 * known; its arguments are kept for that.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_sha1.h>

#include "ngx_camera.h"
#include "ngx_camera_redis_connection.h"


static void ngx_camera_redis_tick(ngx_event_t *ev);
static ngx_camera_redis_command_t *ngx_camera_redis_start(
    ngx_camera_redis_t *redis, const ngx_str_t *args, ngx_uint_t n,
    ngx_str_t *eval, ngx_camera_redis_handler_pt handler, void *data);
static void ngx_camera_redis_digest(ngx_camera_redis_script_t *script);
static ngx_str_t *ngx_camera_redis_copy(ngx_log_t *log, const ngx_str_t *args,
    ngx_uint_t n);
static void ngx_camera_redis_reply(redisAsyncContext *context, void *reply,
    void *data);
static ngx_int_t ngx_camera_redis_eval(ngx_camera_redis_command_t *command,
    const redisReply *reply);
static void ngx_camera_redis_command_deadline(ngx_event_t *ev);
static void ngx_camera_redis_command_done(ngx_camera_redis_command_t *command,
    ngx_camera_redis_rc_e rc, const redisReply *reply);
static ngx_camera_redis_command_t *ngx_camera_redis_command_get(
    ngx_camera_redis_t *redis);
static void ngx_camera_redis_command_free(ngx_camera_redis_command_t *command);


ngx_camera_redis_t *
ngx_camera_redis_create(ngx_pool_t *pool, ngx_log_t *log,
    const ngx_camera_redis_conf_t *conf)
{
    ngx_camera_redis_t  *redis;

    redis = ngx_pcalloc(pool, sizeof(ngx_camera_redis_t));
    if (redis == NULL) {
        return NULL;
    }

    redis->conf = *conf;
    redis->log = log;
    redis->pool = pool;

    redis->conf.queue = conf->queue ? conf->queue : 256;
    redis->conf.connect_timeout = conf->connect_timeout ? conf->connect_timeout
                                                        : 200;
    redis->conf.command_timeout = conf->command_timeout ? conf->command_timeout
                                                        : 150;

    ngx_queue_init(&redis->free);
    ngx_queue_init(&redis->subscriptions);

    redis->commands.redis = redis;
    redis->messages.redis = redis;
    redis->messages.greeted = ngx_camera_redis_messages_greeted;
    redis->messages.gone = ngx_camera_redis_messages_gone;

    ngx_camera_background_event(&redis->tick, ngx_camera_redis_tick, log);
    ngx_add_timer(&redis->tick, 1000);

    ngx_camera_redis_connect(&redis->commands);

    return redis;
}


/* an exiting worker may live for as long as a camera stays connected */

static void
ngx_camera_redis_tick(ngx_event_t *ev)
{
    ngx_camera_redis_t  *redis;

    redis = (ngx_camera_redis_t *)
                ((u_char *) ev - offsetof(ngx_camera_redis_t, tick));

    if ((ngx_exiting || ngx_quit || ngx_terminate) && redis->in_flight == 0) {
        ngx_camera_redis_close(redis);
        return;
    }

    ngx_camera_redis_probe(&redis->commands);

    ngx_add_timer(ev, 1000);
}


void
ngx_camera_redis_close(ngx_camera_redis_t *redis)
{
    ngx_queue_t                 *q;
    ngx_camera_redis_command_t  *command;

    if (redis->closed) {
        return;
    }

    redis->closed = 1;

    if (redis->tick.timer_set) {
        ngx_del_timer(&redis->tick);
    }

    ngx_camera_redis_disconnect(&redis->commands, 0);
    ngx_camera_redis_disconnect(&redis->messages, 0);

    while (!ngx_queue_empty(&redis->free)) {
        q = ngx_queue_head(&redis->free);
        ngx_queue_remove(q);

        command = ngx_queue_data(q, ngx_camera_redis_command_t, queue);
        ngx_free(command);
    }
}


ngx_uint_t
ngx_camera_redis_ready(ngx_camera_redis_t *redis)
{
    return redis->commands.state == NGX_CAMERA_REDIS_READY
           && !redis->commands.broken.posted;
}


ngx_uint_t
ngx_camera_redis_in_flight(ngx_camera_redis_t *redis)
{
    return redis->in_flight;
}


ngx_camera_redis_command_t *
ngx_camera_redis_command(ngx_camera_redis_t *redis, const ngx_str_t *args,
    ngx_uint_t n, ngx_camera_redis_handler_pt handler, void *data)
{
    return ngx_camera_redis_start(redis, args, n, NULL, handler, data);
}


ngx_camera_redis_command_t *
ngx_camera_redis_script(ngx_camera_redis_t *redis,
    ngx_camera_redis_script_t *script, ngx_uint_t keys, const ngx_str_t *args,
    ngx_uint_t n, ngx_camera_redis_handler_pt handler, void *data)
{
    u_char                       number[NGX_INT_T_LEN];
    ngx_str_t                    all[NGX_CAMERA_REDIS_ARGS_MAX], *eval;
    ngx_camera_redis_command_t  *command;

    if (n + 3 > NGX_CAMERA_REDIS_ARGS_MAX || !ngx_camera_redis_ready(redis)) {
        return NULL;
    }

    ngx_str_set(&all[0], "EVAL");
    all[1] = script->text;
    all[2].data = number;
    all[2].len = ngx_sprintf(number, "%ui", keys) - number;

    ngx_memcpy(&all[3], args, n * sizeof(ngx_str_t));

    eval = ngx_camera_redis_copy(redis->log, all, n + 3);
    if (eval == NULL) {
        return NULL;
    }

    ngx_camera_redis_digest(script);

    ngx_str_set(&all[0], "EVALSHA");
    all[1].data = script->sha;
    all[1].len = sizeof(script->sha);

    command = ngx_camera_redis_start(redis, all, n + 3, eval, handler, data);

    if (command == NULL) {
        ngx_free(eval);
    }

    return command;
}


static ngx_camera_redis_command_t *
ngx_camera_redis_start(ngx_camera_redis_t *redis, const ngx_str_t *args,
    ngx_uint_t n, ngx_str_t *eval, ngx_camera_redis_handler_pt handler,
    void *data)
{
    ngx_camera_redis_command_t  *command;

    if (!ngx_camera_redis_ready(redis) || redis->in_flight >= redis->conf.queue
        || n > NGX_CAMERA_REDIS_ARGS_MAX)
    {
        return NULL;
    }

    command = ngx_camera_redis_command_get(redis);
    if (command == NULL) {
        return NULL;
    }

    if (ngx_camera_redis_send(&redis->commands, args, n,
                              ngx_camera_redis_reply, command)
        != NGX_OK)
    {
        ngx_camera_redis_command_free(command);
        ngx_camera_redis_fail(&redis->commands, "redisAsyncCommandArgv()", "");
        return NULL;
    }

    command->handler = handler;
    command->data = data;
    command->eval = eval;
    command->n = n;

    ngx_add_timer(&command->deadline, redis->conf.command_timeout);

    return command;
}


static void
ngx_camera_redis_digest(ngx_camera_redis_script_t *script)
{
    u_char      digest[20];
    ngx_sha1_t  sha1;

    if (script->sha[0]) {
        return;
    }

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, script->text.data, script->text.len);
    ngx_sha1_final(digest, &sha1);

    ngx_hex_dump(script->sha, digest, sizeof(digest));
}


/* one piece of memory: the array and, but for the text of the script, which
   stays, what it points to */

static ngx_str_t *
ngx_camera_redis_copy(ngx_log_t *log, const ngx_str_t *args, ngx_uint_t n)
{
    size_t      size;
    u_char     *p;
    ngx_str_t  *copy;
    ngx_uint_t  i;

    size = n * sizeof(ngx_str_t);

    for (i = 2; i < n; i++) {
        size += args[i].len;
    }

    copy = ngx_alloc(size, log);
    if (copy == NULL) {
        return NULL;
    }

    ngx_memcpy(copy, args, n * sizeof(ngx_str_t));
    p = (u_char *) &copy[n];

    for (i = 2; i < n; i++) {
        copy[i].data = p;
        p = ngx_cpymem(p, args[i].data, args[i].len);
    }

    return copy;
}


static void
ngx_camera_redis_reply(redisAsyncContext *context, void *reply, void *data)
{
    const redisReply            *r = reply;
    ngx_camera_redis_command_t  *command = data;

    if (r == NULL) {
        ngx_camera_redis_lost(&command->redis->commands);
        ngx_camera_redis_command_done(command, NGX_CAMERA_REDIS_LOST, NULL);
        return;
    }

    if (r->type != REDIS_REPLY_ERROR) {
        ngx_camera_redis_command_done(command, NGX_CAMERA_REDIS_OK, r);
        return;
    }

    if (ngx_camera_redis_eval(command, r) == NGX_OK) {
        return;
    }

    ngx_camera_redis_command_done(command, NGX_CAMERA_REDIS_REFUSED, r);
}


/* NGX_OK: sent again, the handler waits on */

static ngx_int_t
ngx_camera_redis_eval(ngx_camera_redis_command_t *command,
    const redisReply *reply)
{
    ngx_int_t   rc;
    ngx_str_t  *eval;

    eval = command->eval;

    if (eval == NULL || command->late
        || ngx_strncmp(reply->str, "NOSCRIPT", sizeof("NOSCRIPT") - 1) != 0)
    {
        return NGX_DECLINED;
    }

    rc = ngx_camera_redis_send(&command->redis->commands, eval, command->n,
                               ngx_camera_redis_reply, command);

    command->eval = NULL;
    ngx_free(eval);

    return rc;
}


void
ngx_camera_redis_cancel(ngx_camera_redis_command_t *command)
{
    command->handler = NULL;
}


/* the command stays in flight: its reply will have to be skipped */

static void
ngx_camera_redis_command_deadline(ngx_event_t *ev)
{
    ngx_camera_redis_command_t   *command;
    ngx_camera_redis_handler_pt   handler;

    command = (ngx_camera_redis_command_t *)
                  ((u_char *) ev - offsetof(ngx_camera_redis_command_t,
                                            deadline));

    handler = command->handler;
    command->handler = NULL;
    command->late = 1;

    ngx_camera_redis_stall(&command->redis->commands);

    if (handler) {
        handler(command->data, NGX_CAMERA_REDIS_TIMEOUT, NULL);
    }
}


static void
ngx_camera_redis_command_done(ngx_camera_redis_command_t *command,
    ngx_camera_redis_rc_e rc, const redisReply *reply)
{
    void                         *data;
    ngx_camera_redis_handler_pt   handler;

    data = command->data;
    handler = command->handler;

    ngx_camera_redis_command_free(command);

    if (handler) {
        handler(data, rc, reply);
    }
}


static ngx_camera_redis_command_t *
ngx_camera_redis_command_get(ngx_camera_redis_t *redis)
{
    ngx_queue_t                 *q;
    ngx_camera_redis_command_t  *command;

    if (ngx_queue_empty(&redis->free)) {
        command = ngx_alloc(sizeof(ngx_camera_redis_command_t), redis->log);

        if (command == NULL) {
            return NULL;
        }

    } else {
        q = ngx_queue_head(&redis->free);
        ngx_queue_remove(q);
        command = ngx_queue_data(q, ngx_camera_redis_command_t, queue);
    }

    ngx_memzero(command, sizeof(ngx_camera_redis_command_t));

    ngx_camera_background_event(&command->deadline,
                                ngx_camera_redis_command_deadline, redis->log);

    command->redis = redis;
    redis->in_flight++;

    return command;
}


static void
ngx_camera_redis_command_free(ngx_camera_redis_command_t *command)
{
    ngx_camera_redis_t  *redis;

    redis = command->redis;
    redis->in_flight--;

    if (command->deadline.timer_set) {
        ngx_del_timer(&command->deadline);
    }

    if (command->eval) {
        ngx_free(command->eval);
    }

    if (redis->closed) {
        ngx_free(command);
        return;
    }

    ngx_queue_insert_head(&redis->free, &command->queue);
}
