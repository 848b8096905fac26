/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Messages of the Redis client.  Their connection is made at the first
 * subscription.  Each time it is ready all channels are subscribed to, and
 * whoever did so is told when Redis confirmed it and when that is over.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_camera_redis_connection.h"


static void ngx_camera_redis_subscribe_send(ngx_camera_redis_conn_t *conn,
    ngx_camera_redis_subscription_t *sub);
static void ngx_camera_redis_push(redisAsyncContext *context, void *reply,
    void *data);
static void ngx_camera_redis_subscribe_done(ngx_camera_redis_t *redis,
    const ngx_str_t *channel);
static void ngx_camera_redis_message(ngx_camera_redis_t *redis,
    const ngx_str_t *channel, const ngx_str_t *message);
static void ngx_camera_redis_subscription_up(
    ngx_camera_redis_subscription_t *sub, ngx_uint_t up);
static ngx_uint_t ngx_camera_redis_subscription_is(
    ngx_camera_redis_subscription_t *sub, const ngx_str_t *channel);


ngx_int_t
ngx_camera_redis_subscribe(ngx_camera_redis_t *redis, const ngx_str_t *channel,
    ngx_camera_redis_message_pt message, ngx_camera_redis_ready_pt ready,
    void *data)
{
    ngx_uint_t                        first;
    ngx_camera_redis_subscription_t  *sub;

    if (redis->closed) {
        return NGX_ERROR;
    }

    sub = ngx_pcalloc(redis->pool, sizeof(ngx_camera_redis_subscription_t));
    if (sub == NULL) {
        return NGX_ERROR;
    }

    sub->channel.len = channel->len;
    sub->channel.data = ngx_pnalloc(redis->pool, channel->len);

    if (sub->channel.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(sub->channel.data, channel->data, channel->len);

    sub->message = message;
    sub->ready = ready;
    sub->data = data;

    first = ngx_queue_empty(&redis->subscriptions);
    ngx_queue_insert_tail(&redis->subscriptions, &sub->queue);

    if (first) {
        ngx_camera_redis_connect(&redis->messages);

    } else if (redis->messages.state == NGX_CAMERA_REDIS_READY) {
        ngx_camera_redis_subscribe_send(&redis->messages, sub);
    }

    return NGX_OK;
}


void
ngx_camera_redis_messages_greeted(ngx_camera_redis_conn_t *conn)
{
    ngx_queue_t                      *q, *all;
    ngx_camera_redis_subscription_t  *sub;

    all = &conn->redis->subscriptions;

    for (q = ngx_queue_head(all); q != all; q = ngx_queue_next(q)) {
        sub = ngx_queue_data(q, ngx_camera_redis_subscription_t, queue);

        ngx_camera_redis_subscribe_send(conn, sub);
    }
}


/* the deadline is that of all which are not confirmed yet */

static void
ngx_camera_redis_subscribe_send(ngx_camera_redis_conn_t *conn,
    ngx_camera_redis_subscription_t *sub)
{
    ngx_str_t  args[2];

    ngx_str_set(&args[0], "SUBSCRIBE");
    args[1] = sub->channel;

    if (ngx_camera_redis_send(conn, args, 2, ngx_camera_redis_push, conn)
        != NGX_OK)
    {
        ngx_camera_redis_fail(conn, "redisAsyncCommandArgv()", "");
        return;
    }

    ngx_camera_redis_await(conn, conn->redis->conf.connect_timeout);
}


/*
 * An array of type, channel, and message or number of channels.  Whoever is
 * told may subscribe to more, or close the client.
 */

static void
ngx_camera_redis_push(redisAsyncContext *context, void *reply, void *data)
{
    ngx_str_t                 channel, message;
    redisReply               *r = reply;
    ngx_camera_redis_conn_t  *conn = data;

    if (r == NULL || r->type != REDIS_REPLY_ARRAY || r->elements != 3
        || r->element[1]->type != REDIS_REPLY_STRING || conn->redis->closed)
    {
        return;
    }

    channel.data = (u_char *) r->element[1]->str;
    channel.len = r->element[1]->len;

    if (r->element[2]->type == REDIS_REPLY_INTEGER
        && ngx_strcmp(r->element[0]->str, "subscribe") == 0)
    {
        ngx_camera_redis_subscribe_done(conn->redis, &channel);
        return;
    }

    if (r->element[2]->type == REDIS_REPLY_STRING
        && ngx_strcmp(r->element[0]->str, "message") == 0)
    {
        message.data = (u_char *) r->element[2]->str;
        message.len = r->element[2]->len;

        ngx_camera_redis_message(conn->redis, &channel, &message);
    }
}


static void
ngx_camera_redis_subscribe_done(ngx_camera_redis_t *redis,
    const ngx_str_t *channel)
{
    ngx_queue_t                      *q, *all;
    ngx_camera_redis_subscription_t  *sub;

    all = &redis->subscriptions;

    for (q = ngx_queue_head(all); q != all; q = ngx_queue_next(q)) {
        sub = ngx_queue_data(q, ngx_camera_redis_subscription_t, queue);

        if (ngx_camera_redis_subscription_is(sub, channel)) {
            ngx_camera_redis_subscription_up(sub, 1);
        }
    }

    if (ngx_camera_redis_subscribed(redis)) {
        ngx_camera_redis_settled(&redis->messages);
    }
}


static void
ngx_camera_redis_message(ngx_camera_redis_t *redis, const ngx_str_t *channel,
    const ngx_str_t *message)
{
    ngx_queue_t                      *q, *all;
    ngx_camera_redis_subscription_t  *sub;

    all = &redis->subscriptions;

    for (q = ngx_queue_head(all); q != all; q = ngx_queue_next(q)) {
        sub = ngx_queue_data(q, ngx_camera_redis_subscription_t, queue);

        if (sub->up && ngx_camera_redis_subscription_is(sub, channel)) {
            sub->message(sub->data, channel, message);
        }
    }
}


void
ngx_camera_redis_messages_gone(ngx_camera_redis_conn_t *conn)
{
    ngx_queue_t                      *q, *all;
    ngx_camera_redis_subscription_t  *sub;

    all = &conn->redis->subscriptions;

    for (q = ngx_queue_head(all); q != all; q = ngx_queue_next(q)) {
        sub = ngx_queue_data(q, ngx_camera_redis_subscription_t, queue);

        ngx_camera_redis_subscription_up(sub, 0);
    }
}


ngx_uint_t
ngx_camera_redis_subscribed(ngx_camera_redis_t *redis)
{
    ngx_queue_t                      *q, *all;
    ngx_camera_redis_subscription_t  *sub;

    all = &redis->subscriptions;

    for (q = ngx_queue_head(all); q != all; q = ngx_queue_next(q)) {
        sub = ngx_queue_data(q, ngx_camera_redis_subscription_t, queue);

        if (!sub->up) {
            return 0;
        }
    }

    return 1;
}


/* each change is told once */

static void
ngx_camera_redis_subscription_up(ngx_camera_redis_subscription_t *sub,
    ngx_uint_t up)
{
    if (sub->up == up) {
        return;
    }

    sub->up = up;

    if (sub->ready) {
        sub->ready(sub->data, up);
    }
}


static ngx_uint_t
ngx_camera_redis_subscription_is(ngx_camera_redis_subscription_t *sub,
    const ngx_str_t *channel)
{
    return sub->channel.len == channel->len
           && ngx_memcmp(sub->channel.data, channel->data, channel->len) == 0;
}
