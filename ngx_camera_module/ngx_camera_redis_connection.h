/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What the files of the Redis client share: commands are in
 * ngx_camera_redis.c, connections in ngx_camera_redis_connection.c, their
 * events in ngx_camera_redis_adapter.c, messages in
 * ngx_camera_redis_subscribe.c, addresses in ngx_camera_redis_address.c.
 */

#ifndef NGX_CAMERA_REDIS_CONNECTION_H
#define NGX_CAMERA_REDIS_CONNECTION_H

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include "ngx_camera_redis.h"


typedef enum {
    NGX_CAMERA_REDIS_IDLE = 0,
    NGX_CAMERA_REDIS_CONNECTING,
    NGX_CAMERA_REDIS_GREETING,
    NGX_CAMERA_REDIS_READY,
    NGX_CAMERA_REDIS_STALLED
} ngx_camera_redis_state_e;


typedef struct ngx_camera_redis_conn_s  ngx_camera_redis_conn_t;

struct ngx_camera_redis_conn_s {
    ngx_camera_redis_t        *redis;
    ngx_camera_redis_state_e   state;
    redisAsyncContext         *context;      /* NULL: free, or being freed */
    ngx_connection_t          *connection;

    ngx_event_t                retry;        /* connects again */
    ngx_event_t                deadline;     /* of what the state waits for */
    ngx_event_t                broken;       /* posted: fail from outside */
    ngx_msec_t                 backoff_msec;

    /* either may be NULL; who greeted has more to do before it is settled */
    void                     (*greeted)(ngx_camera_redis_conn_t *conn);
    void                     (*gone)(ngx_camera_redis_conn_t *conn);
};


struct ngx_camera_redis_command_s {
    ngx_queue_t                  queue;      /* of free ones */
    ngx_camera_redis_t          *redis;
    ngx_camera_redis_handler_pt  handler;    /* NULL: ran, or cancelled */
    void                        *data;
    ngx_event_t                  deadline;

    ngx_str_t                   *eval;       /* the same with the script */
    ngx_uint_t                   n;
    ngx_uint_t                   late;       /* the deadline has passed */
};


typedef struct {
    ngx_queue_t                  queue;
    ngx_str_t                    channel;
    ngx_camera_redis_message_pt  message;
    ngx_camera_redis_ready_pt    ready;
    void                        *data;
    ngx_uint_t                   up;         /* confirmed */
} ngx_camera_redis_subscription_t;


struct ngx_camera_redis_s {
    ngx_camera_redis_conf_t  conf;
    ngx_log_t               *log;
    ngx_pool_t              *pool;

    ngx_camera_redis_conn_t  commands;
    ngx_camera_redis_conn_t  messages;
    ngx_queue_t              subscriptions;

    ngx_uint_t               in_flight;
    ngx_queue_t              free;           /* commands to be used again */

    ngx_event_t              tick;           /* notices exits and hangs */
    unsigned                 closed:1;
    unsigned                 complained:1;   /* this outage is in the log */
};


void ngx_camera_redis_connect(ngx_camera_redis_conn_t *conn);

/* gives the context of the connection to nginx's event loop */
ngx_int_t ngx_camera_redis_attach(ngx_camera_redis_conn_t *conn);

/* ends the connection and what is in flight on it; retries when told so */
void ngx_camera_redis_disconnect(ngx_camera_redis_conn_t *conn,
    ngx_uint_t retry);

/* the same with a line in the log, from where the library is on the stack */
void ngx_camera_redis_fail(ngx_camera_redis_conn_t *conn, const char *what,
    const char *text);

/* how long the state may last, 0: for ever */
void ngx_camera_redis_await(ngx_camera_redis_conn_t *conn, ngx_msec_t msec);

/* no answer in time: takes nothing until a PING was answered */
void ngx_camera_redis_stall(ngx_camera_redis_conn_t *conn);

/* looks once whether it does answer, when nobody else is about to know */
void ngx_camera_redis_probe(ngx_camera_redis_conn_t *conn);

/* the library is about to free the connection, or does so already */
void ngx_camera_redis_lost(ngx_camera_redis_conn_t *conn);

ngx_int_t ngx_camera_redis_send(ngx_camera_redis_conn_t *conn,
    const ngx_str_t *args, ngx_uint_t n, redisCallbackFn *handler, void *data);

/* the connection does what it is for: waits for nothing more */
void ngx_camera_redis_settled(ngx_camera_redis_conn_t *conn);


void ngx_camera_redis_messages_greeted(ngx_camera_redis_conn_t *conn);
void ngx_camera_redis_messages_gone(ngx_camera_redis_conn_t *conn);

/* 1 when every subscription was confirmed */
ngx_uint_t ngx_camera_redis_subscribed(ngx_camera_redis_t *redis);


#endif /* NGX_CAMERA_REDIS_CONNECTION_H */
