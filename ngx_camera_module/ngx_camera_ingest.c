/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The ingest module: `camera on` in an application, and the life of a
 * session's publication.
 *
 *   no ctx       -> connected   (connect; ngx_camera_ingest_command.c)
 *   connected    -> publishing  (ngx_camera_ingest_start)
 *                -> refused     (ngx_camera_ingest_refuse)
 *   publishing   -> ended       (ngx_camera_ingest_stop: the client closes the
 *                                stream or the connection, it is cut, or a
 *                                newer publication of the camera exists)
 *
 * While it publishes, the session is in the worker's queue (watch), holds the
 * camera's generation in the registry and the writing end of a ring.  A
 * session publishes once.  In an rtmp {} with one camera application all are,
 * for nginx-rtmp keeps one table of commands and handlers for all of them.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_rtmp.h>
#include <ngx_rtmp_cmd_module.h>

#include "ngx_camera_guard.h"
#include "ngx_camera_ingest.h"
#include "ngx_camera_metrics.h"


static ngx_int_t ngx_camera_ingest_close_stream(ngx_rtmp_session_t *s,
    ngx_rtmp_close_stream_t *v);
static ngx_int_t ngx_camera_ingest_disconnect(ngx_rtmp_session_t *s,
    ngx_rtmp_header_t *h, ngx_chain_t *in);
static void ngx_camera_ingest_idle(ngx_rtmp_session_t *s);
static u_char *ngx_camera_ingest_log_error(ngx_log_t *log, u_char *buf,
    size_t len);
static void *ngx_camera_ingest_create_main_conf(ngx_conf_t *cf);
static void *ngx_camera_ingest_create_app_conf(ngx_conf_t *cf);
static char *ngx_camera_ingest_merge_app_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_camera_ingest_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_camera_ingest_check_applications(ngx_conf_t *cf,
    ngx_rtmp_core_srv_conf_t *cscf);
static ngx_int_t ngx_camera_ingest_init_process(ngx_cycle_t *cycle);
static void ngx_camera_ingest_exit_process(ngx_cycle_t *cycle);


static ngx_rtmp_close_stream_pt  ngx_camera_ingest_next_close_stream;


static ngx_command_t  ngx_camera_ingest_commands[] = {

    { ngx_string("camera"),
      NGX_RTMP_MAIN_CONF|NGX_RTMP_SRV_CONF|NGX_RTMP_APP_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_RTMP_APP_CONF_OFFSET,
      offsetof(ngx_camera_ingest_app_conf_t, enable),
      NULL },

      ngx_null_command
};


static ngx_rtmp_module_t  ngx_camera_ingest_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_camera_ingest_postconfiguration,   /* postconfiguration */
    ngx_camera_ingest_create_main_conf,    /* create main configuration */
    NULL,                                  /* init main configuration */
    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */
    ngx_camera_ingest_create_app_conf,     /* create app configuration */
    ngx_camera_ingest_merge_app_conf       /* merge app configuration */
};


ngx_module_t  ngx_camera_ingest_module = {
    NGX_MODULE_V1,
    &ngx_camera_ingest_module_ctx,         /* module context */
    ngx_camera_ingest_commands,            /* module directives */
    NGX_RTMP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_camera_ingest_init_process,        /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_camera_ingest_exit_process,        /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


ngx_int_t
ngx_camera_ingest_prepend(ngx_conf_t *cf, ngx_uint_t event,
    ngx_rtmp_handler_pt handler)
{
    ngx_array_t                *events;
    ngx_rtmp_handler_pt        *h;
    ngx_rtmp_core_main_conf_t  *cmcf;

    cmcf = ngx_rtmp_conf_get_module_main_conf(cf, ngx_rtmp_core_module);
    events = &cmcf->events[event];

    if (ngx_array_push(events) == NULL) {
        return NGX_ERROR;
    }

    h = events->elts;

    ngx_memmove(h + 1, h, (events->nelts - 1) * sizeof(ngx_rtmp_handler_pt));
    h[0] = handler;

    return NGX_OK;
}


void
ngx_camera_ingest_start(ngx_camera_ingest_ctx_t *ctx)
{
    ngx_connection_t    *c;
    ngx_rtmp_session_t  *s;

    s = ctx->session;
    c = s->connection;

    ctx->publishing = 1;

    ngx_camera_ingest_set_camera(ctx, ctx->camera);
    ngx_camera_ingest_watch_add(ctx);
    ngx_camera_guard_accepted(s, ngx_camera_ingest_idle);
    ngx_camera_count(CAM_METRIC_PUBLISH_ACCEPTED, 1);

    ngx_log_error(NGX_LOG_NOTICE, c->log, 0, "publishing started, %s",
                  ctx->credential.opaque ? "opaque key" : "signed key");
}


void
ngx_camera_ingest_stop(ngx_camera_ingest_ctx_t *ctx)
{
    ngx_camera_conf_t  *ccf;

    if (!ctx->publishing) {
        return;
    }

    ctx->publishing = 0;

    ngx_queue_remove(&ctx->queue);

    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    /* readers find the end of the ring first, then that nobody publishes */

    if (ctx->ring) {
        cam_ring_writer_close(ctx->ring);
        ctx->ring = NULL;
    }

    cam_registry_release(ccf->registry, ctx->slot, ctx->generation);

    ngx_camera_ingest_count(ctx);
    ngx_camera_count(CAM_METRIC_PUBLISH_ENDED, 1);

    ngx_log_error(NGX_LOG_NOTICE, ctx->session->connection->log, 0,
                  "publishing ended");
}


static ngx_int_t
ngx_camera_ingest_close_stream(ngx_rtmp_session_t *s,
    ngx_rtmp_close_stream_t *v)
{
    ngx_camera_ingest_ctx_t  *ctx;

    ctx = ngx_rtmp_get_module_ctx(s, ngx_camera_ingest_module);

    if (ctx && ctx->publishing) {
        ngx_camera_ingest_stop(ctx);
        ngx_rtmp_finalize_session(s);
    }

    return ngx_camera_ingest_next_close_stream(s, v);
}


static ngx_int_t
ngx_camera_ingest_disconnect(ngx_rtmp_session_t *s, ngx_rtmp_header_t *h,
    ngx_chain_t *in)
{
    ngx_camera_ingest_ctx_t  *ctx;

    ctx = ngx_rtmp_get_module_ctx(s, ngx_camera_ingest_module);

    if (ctx == NULL) {
        return NGX_OK;
    }

    if (ctx->refusal.timer_set) {
        ngx_del_timer(&ctx->refusal);
    }

    ngx_camera_ingest_stop(ctx);

    return NGX_OK;
}


static void
ngx_camera_ingest_idle(ngx_rtmp_session_t *s)
{
    ngx_camera_ingest_cut(ngx_rtmp_get_module_ctx(s, ngx_camera_ingest_module),
                          CAM_REASON_IDLE, 0);
}


void
ngx_camera_ingest_set_camera(ngx_camera_ingest_ctx_t *ctx,
    const uint8_t *camera)
{
    ngx_log_t  *log;

    log = ctx->session->connection->log;

    cam_uuid_print((char *) ctx->log.camera, camera);

    if (ctx->log.handler == NULL) {
        ctx->log.base = *(ngx_rtmp_error_log_ctx_t *) log->data;
        ctx->log.handler = log->handler;

        log->data = &ctx->log;
        log->handler = ngx_camera_ingest_log_error;
    }
}


static u_char *
ngx_camera_ingest_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    u_char                   *p;
    ngx_camera_ingest_log_t  *ctx;

    ctx = log->data;

    p = ctx->handler(log, buf, len);

    return ngx_snprintf(p, len - (p - buf), ", camera: %s", ctx->camera);
}


static void *
ngx_camera_ingest_create_main_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_camera_ingest_main_conf_t));
}


static void *
ngx_camera_ingest_create_app_conf(ngx_conf_t *cf)
{
    ngx_camera_ingest_app_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_camera_ingest_app_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->enable = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_camera_ingest_merge_app_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_camera_ingest_app_conf_t *prev = parent;
    ngx_camera_ingest_app_conf_t *conf = child;

    ngx_camera_ingest_main_conf_t  *imcf;

    ngx_conf_merge_value(conf->enable, prev->enable, 0);

    if (conf->enable) {
        imcf = ngx_rtmp_conf_get_module_main_conf(cf,
                                                  ngx_camera_ingest_module);
        imcf->enable = 1;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_camera_ingest_postconfiguration(ngx_conf_t *cf)
{
    ngx_uint_t                       i;
    ngx_rtmp_core_srv_conf_t       **cscf;
    ngx_rtmp_core_main_conf_t       *cmcf;
    ngx_camera_ingest_main_conf_t   *imcf;

    imcf = ngx_rtmp_conf_get_module_main_conf(cf, ngx_camera_ingest_module);

    if (!imcf->enable) {
        return NGX_OK;
    }

    cmcf = ngx_rtmp_conf_get_module_main_conf(cf, ngx_rtmp_core_module);
    cscf = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {
        if (ngx_camera_ingest_check_applications(cf, cscf[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ngx_camera_ingest_prepend(cf, NGX_RTMP_MSG_AUDIO,
                                  ngx_camera_ingest_media) != NGX_OK
        || ngx_camera_ingest_prepend(cf, NGX_RTMP_MSG_VIDEO,
                                     ngx_camera_ingest_media) != NGX_OK
        || ngx_camera_ingest_prepend(cf, NGX_RTMP_DISCONNECT,
                                     ngx_camera_ingest_disconnect) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_camera_ingest_init_commands(cmcf);

    ngx_camera_ingest_next_close_stream = ngx_rtmp_close_stream;
    ngx_rtmp_close_stream = ngx_camera_ingest_close_stream;

    return NGX_OK;
}


static ngx_int_t
ngx_camera_ingest_check_applications(ngx_conf_t *cf,
    ngx_rtmp_core_srv_conf_t *cscf)
{
    ngx_uint_t                      i;
    ngx_rtmp_core_app_conf_t      **cacf;
    ngx_camera_ingest_app_conf_t   *conf;

    cacf = cscf->applications.elts;

    for (i = 0; i < cscf->applications.nelts; i++) {
        conf = cacf[i]->app_conf[ngx_camera_ingest_module.ctx_index];

        if (!conf->enable) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "application \"%V\" has no \"camera on\": cameras "
                          "need an rtmp {} of their own", &cacf[i]->name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_camera_ingest_init_process(ngx_cycle_t *cycle)
{
    if (ngx_camera_conf(cycle) == NULL || !ngx_camera_is_worker()) {
        return NGX_OK;
    }

    return ngx_camera_ingest_watch_start(cycle);
}


static void
ngx_camera_ingest_exit_process(ngx_cycle_t *cycle)
{
    if (ngx_camera_conf(cycle) && ngx_camera_is_worker()) {
        ngx_camera_ingest_watch_stop();
    }
}
