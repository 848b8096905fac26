/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The guard: every byte and every message of a camera session passes here
 * before any code of nginx-rtmp acts on it.
 *
 * States of a session, and what may be trusted in them:
 *
 *   WAITING   from accept (ngx_camera_guard_connect): nothing is known of the
 *             client.  It may send 64 kB of commands, no media, and must have
 *             its publish accepted before camera_publish_timeout has passed
 *             since accept.
 *   ACCEPTED  a camera was recognised (ngx_camera_guard_accepted); its first
 *             frame is due within camera_first_media_timeout.
 *   LIVE      media flows (ngx_camera_guard_media); a pause longer than
 *             camera_media_timeout ends it.
 *   CLOSING   refused or cut (ngx_camera_guard_closing): input is dropped,
 *             the session ends shortly.
 *
 * One timer per session serves all of them.  It keeps an exiting worker alive
 * for as long as it has sessions, which is what a reload wants.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_rtmp.h>
#include <ngx_rtmp_cmd_module.h>

#include "ngx_camera_guard.h"
#include "ngx_camera_ingest.h"
#include "ngx_camera_metrics.h"
#include "ngx_camera_recv.h"


#define NGX_CAMERA_GUARD_HANDSHAKE  (1 + 2 * 1536)
#define NGX_CAMERA_GUARD_BUDGET     (NGX_CAMERA_GUARD_HANDSHAKE + 65536)

/* nested AMF costs at least 5 bytes and one stack frame per level */
#define NGX_CAMERA_GUARD_COMMAND    16384

#define NGX_CAMERA_GUARD_CHUNK_MIN  128
#define NGX_CAMERA_GUARD_CHUNK_MAX  1048576
#define NGX_CAMERA_GUARD_CHUNK_SETS 16

#define NGX_CAMERA_GUARD_ACK_MIN    4096


typedef enum {
    NGX_CAMERA_GUARD_WAITING = 0,
    NGX_CAMERA_GUARD_ACCEPTED,
    NGX_CAMERA_GUARD_LIVE,
    NGX_CAMERA_GUARD_CLOSING
} ngx_camera_guard_state_e;


typedef struct {
    ngx_msec_t                publish_timeout;
    ngx_msec_t                first_media_timeout;
    ngx_msec_t                media_timeout;
    ngx_msec_t                recv_delay;
    size_t                    max_message;
} ngx_camera_guard_conf_t;


typedef struct {
    ngx_camera_guard_state_e  state;
    ngx_queue_t               queue;
    ngx_connection_t         *connection;
    ngx_event_t               timer;
    ngx_camera_recv_t         input;
    size_t                    budget;        /* bytes left in WAITING */
    ngx_uint_t                chunk_sets;
    ngx_msec_t                last_media;
    ngx_camera_guard_idle_pt  idle;
} ngx_camera_guard_ctx_t;


static ngx_int_t ngx_camera_guard_connect(ngx_rtmp_session_t *s,
    ngx_rtmp_header_t *h, ngx_chain_t *in);
static ngx_int_t ngx_camera_guard_disconnect(ngx_rtmp_session_t *s,
    ngx_rtmp_header_t *h, ngx_chain_t *in);
static ssize_t ngx_camera_guard_recv(ngx_connection_t *c, u_char *buf,
    size_t size);
static ngx_int_t ngx_camera_guard_check_streams(ngx_rtmp_session_t *s);
static ngx_int_t ngx_camera_guard_message(ngx_rtmp_session_t *s,
    ngx_rtmp_header_t *h, ngx_chain_t *in);
static ngx_int_t ngx_camera_guard_chunk_size(ngx_rtmp_session_t *s,
    ngx_camera_guard_ctx_t *ctx, ngx_chain_t *in);
static ngx_int_t ngx_camera_guard_user(ngx_chain_t *in);
static uint32_t ngx_camera_guard_word(ngx_chain_t *in);
static void ngx_camera_guard_timer(ngx_event_t *ev);
static void *ngx_camera_guard_create_conf(ngx_conf_t *cf);
static char *ngx_camera_guard_merge_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_camera_guard_postconfiguration(ngx_conf_t *cf);
static void ngx_camera_guard_init_servers(ngx_rtmp_core_main_conf_t *cmcf);
static ngx_int_t ngx_camera_guard_init_process(ngx_cycle_t *cycle);
static void ngx_camera_guard_exit_process(ngx_cycle_t *cycle);


static ngx_queue_t  ngx_camera_guard_sessions;


static ngx_command_t  ngx_camera_guard_commands[] = {

    { ngx_string("camera_publish_timeout"),
      NGX_RTMP_MAIN_CONF|NGX_RTMP_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_RTMP_SRV_CONF_OFFSET,
      offsetof(ngx_camera_guard_conf_t, publish_timeout),
      NULL },

    { ngx_string("camera_first_media_timeout"),
      NGX_RTMP_MAIN_CONF|NGX_RTMP_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_RTMP_SRV_CONF_OFFSET,
      offsetof(ngx_camera_guard_conf_t, first_media_timeout),
      NULL },

    { ngx_string("camera_media_timeout"),
      NGX_RTMP_MAIN_CONF|NGX_RTMP_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_RTMP_SRV_CONF_OFFSET,
      offsetof(ngx_camera_guard_conf_t, media_timeout),
      NULL },

    { ngx_string("camera_recv_delay"),
      NGX_RTMP_MAIN_CONF|NGX_RTMP_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_RTMP_SRV_CONF_OFFSET,
      offsetof(ngx_camera_guard_conf_t, recv_delay),
      NULL },

    { ngx_string("camera_max_message"),
      NGX_RTMP_MAIN_CONF|NGX_RTMP_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_RTMP_SRV_CONF_OFFSET,
      offsetof(ngx_camera_guard_conf_t, max_message),
      NULL },

      ngx_null_command
};


static ngx_rtmp_module_t  ngx_camera_guard_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_camera_guard_postconfiguration,    /* postconfiguration */
    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */
    ngx_camera_guard_create_conf,          /* create server configuration */
    ngx_camera_guard_merge_conf,           /* merge server configuration */
    NULL,                                  /* create app configuration */
    NULL                                   /* merge app configuration */
};


ngx_module_t  ngx_camera_guard_module = {
    NGX_MODULE_V1,
    &ngx_camera_guard_module_ctx,          /* module context */
    ngx_camera_guard_commands,             /* module directives */
    NGX_RTMP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_camera_guard_init_process,         /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_camera_guard_exit_process,         /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_camera_guard_connect(ngx_rtmp_session_t *s, ngx_rtmp_header_t *h,
    ngx_chain_t *in)
{
    ngx_msec_t                age;
    ngx_connection_t         *c;
    ngx_camera_guard_ctx_t   *ctx;
    ngx_camera_guard_conf_t  *conf;

    c = s->connection;

    ctx = ngx_pcalloc(c->pool, sizeof(ngx_camera_guard_ctx_t));
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_rtmp_set_ctx(s, ctx, ngx_camera_guard_module);

    ngx_queue_insert_tail(&ngx_camera_guard_sessions, &ctx->queue);

    ctx->connection = c;
    ctx->budget = NGX_CAMERA_GUARD_BUDGET;
    ngx_camera_recv_start(&ctx->input, c, c->recv);
    c->recv = ngx_camera_guard_recv;

    ctx->timer.handler = ngx_camera_guard_timer;
    ctx->timer.data = c;
    ctx->timer.log = c->log;

    /* the TLS handshake has used some of the time already */

    conf = ngx_rtmp_get_module_srv_conf(s, ngx_camera_guard_module);
    age = ngx_current_msec - c->start_time;

    ngx_add_timer(&ctx->timer, conf->publish_timeout > age
                               ? conf->publish_timeout - age : 1);

    /* Nagle's algorithm would hold back our answers for 40 ms */

    return ngx_tcp_nodelay(c);
}


static ngx_int_t
ngx_camera_guard_disconnect(ngx_rtmp_session_t *s, ngx_rtmp_header_t *h,
    ngx_chain_t *in)
{
    ngx_camera_guard_ctx_t  *ctx;

    ctx = ngx_rtmp_get_module_ctx(s, ngx_camera_guard_module);

    if (ctx == NULL) {
        return NGX_OK;
    }

    ngx_queue_remove(&ctx->queue);
    ngx_camera_recv_stop(&ctx->input);

    if (ctx->timer.timer_set) {
        ngx_del_timer(&ctx->timer);
    }

    return NGX_OK;
}


void
ngx_camera_guard_accepted(ngx_rtmp_session_t *s, ngx_camera_guard_idle_pt idle)
{
    ngx_camera_guard_ctx_t   *ctx;
    ngx_camera_guard_conf_t  *conf;

    ctx = ngx_rtmp_get_module_ctx(s, ngx_camera_guard_module);
    conf = ngx_rtmp_get_module_srv_conf(s, ngx_camera_guard_module);

    ctx->state = NGX_CAMERA_GUARD_ACCEPTED;
    ctx->idle = idle;

    ngx_camera_recv_wait(&ctx->input, conf->recv_delay);

    ngx_add_timer(&ctx->timer, conf->first_media_timeout);
}


void
ngx_camera_guard_media(ngx_rtmp_session_t *s)
{
    ngx_camera_guard_ctx_t   *ctx;
    ngx_camera_guard_conf_t  *conf;

    ctx = ngx_rtmp_get_module_ctx(s, ngx_camera_guard_module);

    ctx->last_media = ngx_current_msec;

    if (ctx->state == NGX_CAMERA_GUARD_ACCEPTED) {
        ctx->state = NGX_CAMERA_GUARD_LIVE;

        conf = ngx_rtmp_get_module_srv_conf(s, ngx_camera_guard_module);
        ngx_add_timer(&ctx->timer, conf->media_timeout);
    }
}


void
ngx_camera_guard_closing(ngx_rtmp_session_t *s, ngx_msec_t delay)
{
    ngx_camera_guard_ctx_t  *ctx;

    ctx = ngx_rtmp_get_module_ctx(s, ngx_camera_guard_module);

    ctx->state = NGX_CAMERA_GUARD_CLOSING;

    ngx_add_timer(&ctx->timer, delay);
}


static ssize_t
ngx_camera_guard_recv(ngx_connection_t *c, u_char *buf, size_t size)
{
    ssize_t                  n;
    ngx_rtmp_session_t      *s;
    ngx_camera_guard_ctx_t  *ctx;

    s = c->data;
    ctx = ngx_rtmp_get_module_ctx(s, ngx_camera_guard_module);

    if (ngx_camera_guard_check_streams(s) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->state != NGX_CAMERA_GUARD_WAITING) {
        return ngx_camera_recv(&ctx->input, buf, size);
    }

    if (ctx->budget == 0) {
        return ngx_camera_guard_refuse(s, "too much sent before publish");
    }

    n = ctx->input.recv(c, buf, ngx_min(size, ctx->budget));

    if (n > 0) {
        ctx->budget -= n;
    }

    return n;
}


/*
 * nginx-rtmp compares max_message with the length a header announces, not
 * with what was collected: a second header in mid-message that announces less
 * makes it collect without end.  Nor does it add up its chunk streams.
 */

static ngx_int_t
ngx_camera_guard_check_streams(ngx_rtmp_session_t *s)
{
    size_t                     total;
    ngx_int_t                  i;
    ngx_rtmp_stream_t         *st;
    ngx_rtmp_core_srv_conf_t  *cscf;

    cscf = ngx_rtmp_get_module_srv_conf(s, ngx_rtmp_core_module);

    total = 0;

    for (i = 1; i < cscf->max_streams; i++) {
        st = &s->in_streams[i];

        if (st->len > st->hdr.mlen) {
            return ngx_camera_guard_refuse(s, "message length changed");
        }

        total += st->len;
    }

    if (total > cscf->max_message) {
        return ngx_camera_guard_refuse(s, "too many messages at once");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_camera_guard_message(ngx_rtmp_session_t *s, ngx_rtmp_header_t *h,
    ngx_chain_t *in)
{
    ngx_camera_guard_ctx_t  *ctx;

    ctx = ngx_rtmp_get_module_ctx(s, ngx_camera_guard_module);

    /* how the stream is cut into chunks must be followed to the end */

    if (h->type == NGX_RTMP_MSG_CHUNK_SIZE) {
        return ngx_camera_guard_chunk_size(s, ctx, in);
    }

    if (ctx->state == NGX_CAMERA_GUARD_CLOSING) {
        return NGX_DONE;
    }

    switch (h->type) {

    case NGX_RTMP_MSG_AUDIO:
    case NGX_RTMP_MSG_VIDEO:

        if (ctx->state == NGX_CAMERA_GUARD_WAITING) {
            return ngx_camera_guard_refuse(s, "media before publish");
        }

        return NGX_OK;

    case NGX_RTMP_MSG_AMF_CMD:
    case NGX_RTMP_MSG_AMF3_CMD:

        if (h->mlen > NGX_CAMERA_GUARD_COMMAND) {
            return ngx_camera_guard_refuse(s, "too big command");
        }

        return NGX_OK;

    case NGX_RTMP_MSG_USER:
        return ngx_camera_guard_user(in);

    case NGX_RTMP_MSG_ACK_SIZE:
        return ngx_camera_guard_word(in) >= NGX_CAMERA_GUARD_ACK_MIN
               ? NGX_OK : NGX_DONE;

    case NGX_RTMP_MSG_AGGREGATE:
        return ngx_camera_guard_refuse(s, "aggregate message");

    case NGX_RTMP_MSG_AMF_SHARED:
    case NGX_RTMP_MSG_AMF3_SHARED:
        return ngx_camera_guard_refuse(s, "shared object message");

    default:
        /* metadata says nothing that the frames do not say better */
        return NGX_DONE;
    }
}


static ngx_int_t
ngx_camera_guard_chunk_size(ngx_rtmp_session_t *s, ngx_camera_guard_ctx_t *ctx,
    ngx_chain_t *in)
{
    uint32_t  size;

    size = ngx_camera_guard_word(in);

    if (size < NGX_CAMERA_GUARD_CHUNK_MIN || size > NGX_CAMERA_GUARD_CHUNK_MAX)
    {
        return ngx_camera_guard_refuse(s, "chunk size out of bounds");
    }

    if (++ctx->chunk_sets > NGX_CAMERA_GUARD_CHUNK_SETS) {
        return ngx_camera_guard_refuse(s, "too many chunk sizes");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_camera_guard_user(ngx_chain_t *in)
{
    switch (ngx_camera_guard_word(in) >> 16) {

    case NGX_RTMP_USER_PING_REQUEST:
    case NGX_RTMP_USER_PING_RESPONSE:
        return NGX_OK;

    default:
        return NGX_DONE;
    }
}


/* the first 32 bits of a message, 0 when it is shorter */

static uint32_t
ngx_camera_guard_word(ngx_chain_t *in)
{
    u_char  *p;

    p = in->buf->pos;

    if (in->buf->last - p < 4) {
        return 0;
    }

    return (uint32_t) p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}


ngx_int_t
ngx_camera_guard_refuse(ngx_rtmp_session_t *s, const char *what)
{
    ngx_log_error(NGX_LOG_INFO, s->connection->log, 0, "guard: %s", what);

    ngx_camera_count(CAM_METRIC_GUARD_CLOSED, 1);

    return NGX_ERROR;
}


static void
ngx_camera_guard_timer(ngx_event_t *ev)
{
    ngx_msec_t                silent;
    ngx_connection_t         *c;
    ngx_rtmp_session_t       *s;
    ngx_camera_guard_ctx_t   *ctx;
    ngx_camera_guard_conf_t  *conf;

    c = ev->data;
    s = c->data;

    if (c->destroyed) {
        return;
    }

    ctx = ngx_rtmp_get_module_ctx(s, ngx_camera_guard_module);

    switch (ctx->state) {

    case NGX_CAMERA_GUARD_WAITING:
        ngx_camera_guard_refuse(s, "no publish in time");
        break;

    case NGX_CAMERA_GUARD_LIVE:
        conf = ngx_rtmp_get_module_srv_conf(s, ngx_camera_guard_module);
        silent = ngx_current_msec - ctx->last_media;

        if (silent < conf->media_timeout) {
            ngx_add_timer(ev, conf->media_timeout - silent);
            return;
        }

        /* fall through */

    case NGX_CAMERA_GUARD_ACCEPTED:
        ctx->idle(s);
        return;

    case NGX_CAMERA_GUARD_CLOSING:
        break;
    }

    ngx_rtmp_finalize_session(s);
}


static void *
ngx_camera_guard_create_conf(ngx_conf_t *cf)
{
    ngx_camera_guard_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_camera_guard_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->publish_timeout = NGX_CONF_UNSET_MSEC;
    conf->first_media_timeout = NGX_CONF_UNSET_MSEC;
    conf->media_timeout = NGX_CONF_UNSET_MSEC;
    conf->recv_delay = NGX_CONF_UNSET_MSEC;
    conf->max_message = NGX_CONF_UNSET_SIZE;

    return conf;
}


static char *
ngx_camera_guard_merge_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_camera_guard_conf_t *prev = parent;
    ngx_camera_guard_conf_t *conf = child;

    ngx_conf_merge_msec_value(conf->publish_timeout, prev->publish_timeout,
                              10000);
    ngx_conf_merge_msec_value(conf->first_media_timeout,
                              prev->first_media_timeout, 20000);
    ngx_conf_merge_msec_value(conf->media_timeout, prev->media_timeout, 10000);
    ngx_conf_merge_msec_value(conf->recv_delay, prev->recv_delay, 20);
    ngx_conf_merge_size_value(conf->max_message, prev->max_message,
                              8 * 1024 * 1024);

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_camera_guard_postconfiguration(ngx_conf_t *cf)
{
    ngx_uint_t                      type;
    ngx_rtmp_core_main_conf_t      *cmcf;
    ngx_camera_ingest_main_conf_t  *imcf;

    imcf = ngx_rtmp_conf_get_module_main_conf(cf, ngx_camera_ingest_module);

    if (!imcf->enable) {
        return NGX_OK;
    }

    cmcf = ngx_rtmp_conf_get_module_main_conf(cf, ngx_rtmp_core_module);

    for (type = 1; type <= NGX_RTMP_MSG_MAX; type++) {
        if (ngx_camera_ingest_prepend(cf, type, ngx_camera_guard_message)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ngx_camera_ingest_prepend(cf, NGX_RTMP_CONNECT,
                                  ngx_camera_guard_connect)
        != NGX_OK
        || ngx_camera_ingest_prepend(cf, NGX_RTMP_DISCONNECT,
                                     ngx_camera_guard_disconnect)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_camera_guard_init_servers(cmcf);
    ngx_camera_guard_init_commands(cmcf);

    return NGX_OK;
}


/*
 * The package's ping cannot find a dead peer, for it takes its own sending
 * for a sign of life; our media timeout does.
 */

static void
ngx_camera_guard_init_servers(ngx_rtmp_core_main_conf_t *cmcf)
{
    ngx_uint_t                  i;
    ngx_camera_guard_conf_t    *conf;
    ngx_rtmp_core_srv_conf_t  **cscf;

    cscf = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {
        conf = ngx_rtmp_get_module_srv_conf(cscf[i]->ctx,
                                            ngx_camera_guard_module);

        cscf[i]->ping = 0;
        cscf[i]->max_message = conf->max_message;
    }
}


static ngx_int_t
ngx_camera_guard_init_process(ngx_cycle_t *cycle)
{
    ngx_queue_init(&ngx_camera_guard_sessions);

    if (ngx_camera_is_worker()) {
        ngx_camera_recv_init_process(cycle);
    }

    return NGX_OK;
}


/* an exiting worker that is told to end at once still has its sessions */

static void
ngx_camera_guard_exit_process(ngx_cycle_t *cycle)
{
    ngx_queue_t             *q;
    ngx_camera_guard_ctx_t  *ctx;

    if (!ngx_camera_is_worker()) {
        return;
    }

    ngx_camera_recv_exit_process();

    while (!ngx_queue_empty(&ngx_camera_guard_sessions)) {
        q = ngx_queue_head(&ngx_camera_guard_sessions);
        ctx = ngx_queue_data(q, ngx_camera_guard_ctx_t, queue);

        ngx_queue_remove(q);
        ngx_close_connection(ctx->connection);
    }
}
