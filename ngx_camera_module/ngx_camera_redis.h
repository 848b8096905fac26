/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * An asynchronous Redis client that knows nothing of cameras: a connection for
 * commands, pipelined, and one for messages once somebody subscribed; a
 * bounded number of commands in flight, one deadline for all of them.
 *
 * A command that was taken has its handler run exactly once, never before the
 * function that took it returned, unless it is cancelled first.  Redis may be
 * away, slow or empty at any time: a caller must be able to do without it.
 */

#ifndef NGX_CAMERA_REDIS_H
#define NGX_CAMERA_REDIS_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#define NGX_CAMERA_REDIS_ARGS_MAX  32


typedef struct ngx_camera_redis_s          ngx_camera_redis_t;
typedef struct ngx_camera_redis_command_s  ngx_camera_redis_command_t;

struct redisReply;


typedef struct ngx_camera_redis_address_s {
    const char        *path;                 /* of a socket, or NULL and: */
    const char        *ip;
    ngx_uint_t         port;
    ngx_uint_t         db;
    ngx_str_t          user;                 /* empty: the default one */
    ngx_str_t          password;             /* never logged */
} ngx_camera_redis_address_t;


typedef struct {
    const char        *name;                 /* of the client, in the log */
    ngx_camera_redis_address_t  address;
    ngx_uint_t         queue;                /* commands in flight, 0 = 256 */
    ngx_msec_t         connect_timeout;      /* 0 = 200 ms */
    ngx_msec_t         command_timeout;      /* 0 = 150 ms */
} ngx_camera_redis_conf_t;


/* static and without an end; the digest is made at the first use */
typedef struct {
    ngx_str_t          text;
    u_char             sha[40];
} ngx_camera_redis_script_t;


typedef enum {
    NGX_CAMERA_REDIS_OK = 0,
    NGX_CAMERA_REDIS_REFUSED,                /* the reply is an error */
    NGX_CAMERA_REDIS_TIMEOUT,                /* may have been done or not */
    NGX_CAMERA_REDIS_LOST                    /* may have been done or not */
} ngx_camera_redis_rc_e;


/* reply is freed after the handler; NULL when there is none */
typedef void (*ngx_camera_redis_handler_pt)(void *data,
    ngx_camera_redis_rc_e rc, const struct redisReply *reply);

typedef void (*ngx_camera_redis_message_pt)(void *data,
    const ngx_str_t *channel, const ngx_str_t *message);

/* up: messages arrive from now on; those published before are lost */
typedef void (*ngx_camera_redis_ready_pt)(void *data, ngx_uint_t up);


/*
 * Reads "unix:/path", "ip:port" or a URL: redis://user:password@ip:port/db,
 * unix://user:password@/path?db=n.  NULL, or what is wrong with it, without
 * quoting it.
 */
const char *ngx_camera_redis_parse(ngx_pool_t *pool, const ngx_str_t *text,
    ngx_camera_redis_address_t *address);

/* starts to connect, in a worker's init_process; conf is copied */
ngx_camera_redis_t *ngx_camera_redis_create(ngx_pool_t *pool, ngx_log_t *log,
    const ngx_camera_redis_conf_t *conf);

/* fails what is in flight and disconnects, in exit_process or earlier; an
   exiting worker's client does so by itself as soon as nothing is in flight */
void ngx_camera_redis_close(ngx_camera_redis_t *redis);

/* 1 when commands are taken now */
ngx_uint_t ngx_camera_redis_ready(ngx_camera_redis_t *redis);
ngx_uint_t ngx_camera_redis_in_flight(ngx_camera_redis_t *redis);

/*
 * Sends a command, its name and arguments in args.  NULL: not connected, no
 * answer to others in time, or too many in flight; the handler will not run.
 * Otherwise it may be cancelled until its handler runs.  The handler may be
 * NULL.  Not for commands that subscribe, monitor or block.
 */
ngx_camera_redis_command_t *ngx_camera_redis_command(ngx_camera_redis_t *redis,
    const ngx_str_t *args, ngx_uint_t n, ngx_camera_redis_handler_pt handler,
    void *data);

/*
 * The same with a script; the first of args are its keys.  A script that
 * Redis does not know yet runs later than commands sent after it.
 */
ngx_camera_redis_command_t *ngx_camera_redis_script(ngx_camera_redis_t *redis,
    ngx_camera_redis_script_t *script, ngx_uint_t keys, const ngx_str_t *args,
    ngx_uint_t n, ngx_camera_redis_handler_pt handler, void *data);

/* the handler will not run; Redis may do the work nevertheless */
void ngx_camera_redis_cancel(ngx_camera_redis_command_t *command);

/* for as long as the client lives, through reconnects; ready may be NULL */
ngx_int_t ngx_camera_redis_subscribe(ngx_camera_redis_t *redis,
    const ngx_str_t *channel, ngx_camera_redis_message_pt message,
    ngx_camera_redis_ready_pt ready, void *data);


#endif /* NGX_CAMERA_REDIS_H */
