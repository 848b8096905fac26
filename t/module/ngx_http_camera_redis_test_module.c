/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A module for tests only: the Redis client behind a location, with no camera
 * near it.
 *
 *     camera_redis_test_client unix:/path 8 150;  # address, queue, timeout
 *     location = /redis { camera_redis_test; }    # ?args=SET,key,value
 *     location = /stat  { camera_redis_test_stat; }
 *
 * ?script=1 sends the arguments to a script that adds the second to the key
 * that is the first.  Answers 200 and the reply, 409 and the error, 504 for a
 * missed deadline, 502 for a lost connection, 503 when it was not taken.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <hiredis/hiredis.h>

#include "ngx_camera_redis.h"


typedef struct {
    ngx_http_request_t          *request;
    ngx_camera_redis_command_t  *command;
} ngx_http_camera_redis_test_ctx_t;


static ngx_int_t ngx_http_camera_redis_test_handler(ngx_http_request_t *r);
static ngx_camera_redis_command_t *ngx_http_camera_redis_test_start(
    ngx_http_request_t *r, ngx_http_camera_redis_test_ctx_t *ctx,
    ngx_str_t *text);
static void ngx_http_camera_redis_test_cleanup(void *data);
static void ngx_http_camera_redis_test_done(void *data,
    ngx_camera_redis_rc_e rc, const redisReply *reply);
static u_char *ngx_http_camera_redis_test_print(u_char *p, u_char *last,
    const redisReply *reply);
static ngx_int_t ngx_http_camera_redis_test_stat_handler(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_camera_redis_test_send(ngx_http_request_t *r,
    ngx_uint_t status, const char *text, size_t len);
static void ngx_http_camera_redis_test_message(void *data,
    const ngx_str_t *channel, const ngx_str_t *message);
static void ngx_http_camera_redis_test_ready(void *data, ngx_uint_t up);
static char *ngx_http_camera_redis_test_client(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_camera_redis_test(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static void *ngx_http_camera_redis_test_create_conf(ngx_conf_t *cf);
static ngx_int_t ngx_http_camera_redis_test_init_process(ngx_cycle_t *cycle);
static void ngx_http_camera_redis_test_exit_process(ngx_cycle_t *cycle);


static ngx_camera_redis_script_t  ngx_http_camera_redis_test_script = {
    ngx_string("return redis.call('INCRBY', KEYS[1], ARGV[1])"), ""
};


static ngx_camera_redis_t  *ngx_http_camera_redis_test_redis;
static ngx_uint_t           ngx_http_camera_redis_test_started;
static ngx_uint_t           ngx_http_camera_redis_test_handled;
static ngx_uint_t           ngx_http_camera_redis_test_gone;
static ngx_uint_t           ngx_http_camera_redis_test_up;
static ngx_uint_t           ngx_http_camera_redis_test_ups;
static ngx_uint_t           ngx_http_camera_redis_test_messages;
static u_char               ngx_http_camera_redis_test_last[128] = "none";


static ngx_command_t  ngx_http_camera_redis_test_commands[] = {

    { ngx_string("camera_redis_test_client"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE3,
      ngx_http_camera_redis_test_client,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("camera_redis_test"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_camera_redis_test,
      0,
      0,
      ngx_http_camera_redis_test_handler },

    { ngx_string("camera_redis_test_stat"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_camera_redis_test,
      0,
      0,
      ngx_http_camera_redis_test_stat_handler },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_camera_redis_test_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */
    ngx_http_camera_redis_test_create_conf, /* create main configuration */
    NULL,                                  /* init main configuration */
    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */
    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_camera_redis_test_module = {
    NGX_MODULE_V1,
    &ngx_http_camera_redis_test_module_ctx, /* module context */
    ngx_http_camera_redis_test_commands,   /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_camera_redis_test_init_process, /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_camera_redis_test_exit_process, /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* what nginx's build system writes for a dynamic module */

ngx_module_t  *ngx_modules[] = { &ngx_http_camera_redis_test_module, NULL };
char          *ngx_module_names[] = { "ngx_http_camera_redis_test_module",
                                      NULL };
char          *ngx_module_order[] = { NULL };


static ngx_int_t
ngx_http_camera_redis_test_handler(ngx_http_request_t *r)
{
    ngx_str_t                          text;
    ngx_http_cleanup_t                *cln;
    ngx_http_camera_redis_test_ctx_t  *ctx;

    if (ngx_http_arg(r, (u_char *) "args", 4, &text) != NGX_OK) {
        return NGX_HTTP_BAD_REQUEST;
    }

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_camera_redis_test_ctx_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    ctx = cln->data;
    ctx->request = r;
    ctx->command = ngx_http_camera_redis_test_start(r, ctx, &text);

    if (ctx->command == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    cln->handler = ngx_http_camera_redis_test_cleanup;
    ngx_http_camera_redis_test_started++;

    r->read_event_handler = ngx_http_test_reading;
    r->main->count++;

    return NGX_DONE;
}


static ngx_camera_redis_command_t *
ngx_http_camera_redis_test_start(ngx_http_request_t *r,
    ngx_http_camera_redis_test_ctx_t *ctx, ngx_str_t *text)
{
    u_char      *p, *comma, *last;
    ngx_str_t    args[8], script;
    ngx_uint_t   n;

    p = text->data;
    last = p + text->len;

    for (n = 0; n < 8; n++) {
        comma = ngx_strlchr(p, last, ',');

        args[n].data = p;
        args[n].len = (comma ? comma : last) - p;

        if (comma == NULL) {
            n++;
            break;
        }

        p = comma + 1;
    }

    if (ngx_http_arg(r, (u_char *) "script", 6, &script) == NGX_OK) {
        return ngx_camera_redis_script(ngx_http_camera_redis_test_redis,
                                       &ngx_http_camera_redis_test_script, 1,
                                       args, n,
                                       ngx_http_camera_redis_test_done, ctx);
    }

    return ngx_camera_redis_command(ngx_http_camera_redis_test_redis, args, n,
                                    ngx_http_camera_redis_test_done, ctx);
}


static void
ngx_http_camera_redis_test_cleanup(void *data)
{
    ngx_http_camera_redis_test_ctx_t  *ctx = data;

    if (ctx->command) {
        ngx_camera_redis_cancel(ctx->command);
        ngx_http_camera_redis_test_gone++;
    }
}


static void
ngx_http_camera_redis_test_done(void *data, ngx_camera_redis_rc_e rc,
    const redisReply *reply)
{
    u_char                            *text, *p;
    ngx_int_t                          sent;
    ngx_connection_t                  *c;
    ngx_http_request_t                *r;
    ngx_http_camera_redis_test_ctx_t  *ctx = data;

    static u_char            buffer[4 * 1024 * 1024];
    static const ngx_uint_t  status[] = { 200, 409, 504, 502 };

    r = ctx->request;
    c = r->connection;

    ctx->command = NULL;
    ngx_http_camera_redis_test_handled++;

    text = buffer;
    p = text;

    if (reply) {
        p = ngx_http_camera_redis_test_print(p, text + sizeof(buffer), reply);
    }

    sent = ngx_http_camera_redis_test_send(r, status[rc], (char *) text,
                                           p - text);

    ngx_http_finalize_request(r, sent);
    ngx_http_run_posted_requests(c);
}


static u_char *
ngx_http_camera_redis_test_print(u_char *p, u_char *last,
    const redisReply *reply)
{
    size_t  i;

    switch (reply->type) {

    case REDIS_REPLY_NIL:
        return ngx_slprintf(p, last, "nil");

    case REDIS_REPLY_INTEGER:
        return ngx_slprintf(p, last, "%L", (int64_t) reply->integer);

    case REDIS_REPLY_ARRAY:
        for (i = 0; i < reply->elements; i++) {
            p = ngx_http_camera_redis_test_print(p, last, reply->element[i]);
            p = ngx_slprintf(p, last, ",");
        }

        return p;

    default:
        return ngx_slprintf(p, last, "%*s", (size_t) reply->len, reply->str);
    }
}


static ngx_int_t
ngx_http_camera_redis_test_stat_handler(ngx_http_request_t *r)
{
    u_char  *last, text[512];

    last = ngx_sprintf(text, "pid=%P started=%ui handled=%ui gone=%ui "
                       "in_flight=%ui ready=%ui up=%ui ups=%ui messages=%ui "
                       "free=%ui last=%s",
                       ngx_pid, ngx_http_camera_redis_test_started,
                       ngx_http_camera_redis_test_handled,
                       ngx_http_camera_redis_test_gone,
                       ngx_camera_redis_in_flight(
                           ngx_http_camera_redis_test_redis),
                       ngx_camera_redis_ready(
                           ngx_http_camera_redis_test_redis),
                       ngx_http_camera_redis_test_up,
                       ngx_http_camera_redis_test_ups,
                       ngx_http_camera_redis_test_messages,
                       ngx_cycle->free_connection_n,
                       ngx_http_camera_redis_test_last);

    return ngx_http_camera_redis_test_send(r, NGX_HTTP_OK, (char *) text,
                                           last - text);
}


static ngx_int_t
ngx_http_camera_redis_test_send(ngx_http_request_t *r, ngx_uint_t status,
    const char *text, size_t len)
{
    ngx_int_t    rc;
    ngx_buf_t   *b;
    ngx_chain_t  out;

    r->headers_out.status = status;
    r->headers_out.content_length_n = len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_create_temp_buf(r->pool, len + 1);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->last = ngx_cpymem(b->last, text, len);
    b->last_buf = 1;
    b->memory = len != 0;
    b->temporary = 0;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static void
ngx_http_camera_redis_test_message(void *data, const ngx_str_t *channel,
    const ngx_str_t *message)
{
    ngx_http_camera_redis_test_messages++;

    ngx_snprintf(ngx_http_camera_redis_test_last,
                 sizeof(ngx_http_camera_redis_test_last), "%V:%V%Z", channel,
                 message);
}


static void
ngx_http_camera_redis_test_ready(void *data, ngx_uint_t up)
{
    if (up) {
        ngx_http_camera_redis_test_up++;
        ngx_http_camera_redis_test_ups++;

    } else {
        ngx_http_camera_redis_test_up--;
    }
}


static char *
ngx_http_camera_redis_test_client(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_str_t                *value;
    const char               *error;
    ngx_camera_redis_conf_t  *rcf = conf;

    value = cf->args->elts;

    error = ngx_camera_redis_parse(cf->pool, &value[1], &rcf->address);

    if (error) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "the address %s", error);
        return NGX_CONF_ERROR;
    }

    rcf->name = "test";
    rcf->queue = ngx_atoi(value[2].data, value[2].len);
    rcf->command_timeout = ngx_atoi(value[3].data, value[3].len);

    return NGX_CONF_OK;
}


static char *
ngx_http_camera_redis_test(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = (ngx_http_handler_pt) cmd->post;

    return NGX_CONF_OK;
}


static void *
ngx_http_camera_redis_test_create_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_camera_redis_conf_t));
}


static ngx_int_t
ngx_http_camera_redis_test_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                i;
    ngx_camera_redis_t       *redis;
    ngx_camera_redis_conf_t  *rcf;

    static const ngx_str_t  channels[] = {
        ngx_string("test:one"), ngx_string("test:two")
    };

    if (ngx_process != NGX_PROCESS_WORKER) {
        return NGX_OK;
    }

    rcf = ngx_http_cycle_get_module_main_conf(cycle,
                                           ngx_http_camera_redis_test_module);

    redis = ngx_camera_redis_create(cycle->pool, cycle->log, rcf);
    if (redis == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < 2; i++) {

        if (ngx_camera_redis_subscribe(redis, &channels[i],
                                       ngx_http_camera_redis_test_message,
                                       ngx_http_camera_redis_test_ready, NULL)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    ngx_http_camera_redis_test_redis = redis;

    return NGX_OK;
}


static void
ngx_http_camera_redis_test_exit_process(ngx_cycle_t *cycle)
{
    if (ngx_http_camera_redis_test_redis) {
        ngx_camera_redis_close(ngx_http_camera_redis_test_redis);
    }
}
