/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Signed HLS, the module: directives, phases, variables.
 *
 *     location /hls/ {
 *         camera_hls;
 *     }
 *
 * {camera}/{file} follows the location's prefix.  See ngx_camera_play.c for
 * what it has in common with recordings, and docs/hls.md.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_camera_hls.h"


static ngx_int_t ngx_camera_hls_read_handler(ngx_http_request_t *r);
static void ngx_camera_hls_read_uri(ngx_http_request_t *r,
    ngx_camera_hls_ctx_t *ctx);
static ngx_int_t ngx_camera_hls_access_handler(ngx_http_request_t *r);
static ngx_int_t ngx_camera_hls_content_handler(ngx_http_request_t *r);
static ngx_int_t ngx_camera_hls_request_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_camera_hls_session_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_camera_hls_add_variables(ngx_conf_t *cf);
static void *ngx_camera_hls_create_loc_conf(ngx_conf_t *cf);
static char *ngx_camera_hls_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_camera_hls(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static ngx_int_t ngx_camera_hls_init(ngx_conf_t *cf);
static ngx_int_t ngx_camera_hls_init_process(ngx_cycle_t *cycle);
static void ngx_camera_hls_exit_process(ngx_cycle_t *cycle);


static ngx_conf_num_bounds_t  ngx_camera_hls_sessions_bounds = {
    ngx_conf_check_num_bounds, 1, 64
};


static ngx_command_t  ngx_camera_hls_commands[] = {

    { ngx_string("camera_hls"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_camera_hls,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("camera_hls_sessions"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_camera_hls_loc_conf_t, sessions),
      &ngx_camera_hls_sessions_bounds },

    { ngx_string("camera_hls_idle"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_camera_hls_loc_conf_t, idle),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_camera_hls_module_ctx = {
    ngx_camera_hls_add_variables,          /* preconfiguration */
    ngx_camera_hls_init,                   /* postconfiguration */
    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */
    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */
    ngx_camera_hls_create_loc_conf,        /* create location configuration */
    ngx_camera_hls_merge_loc_conf          /* merge location configuration */
};


ngx_module_t  ngx_camera_hls_module = {
    NGX_MODULE_V1,
    &ngx_camera_hls_module_ctx,            /* module context */
    ngx_camera_hls_commands,               /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_camera_hls_init_process,           /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_camera_hls_exit_process,           /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_http_variable_t  ngx_camera_hls_vars[] = {

    { ngx_string("camera_request"), NULL, ngx_camera_hls_request_variable,
      0, 0, 0 },

    { ngx_string("camera_session"), NULL, ngx_camera_hls_session_variable,
      0, 0, 0 },

      ngx_http_null_variable
};


ngx_camera_hls_worker_t  ngx_camera_hls_worker;


/* rewrite phase: reads the URI while its arguments are still there */

static ngx_int_t
ngx_camera_hls_read_handler(ngx_http_request_t *r)
{
    ngx_camera_hls_ctx_t       *ctx;
    ngx_camera_hls_loc_conf_t  *hlcf;

    hlcf = ngx_http_get_module_loc_conf(r, ngx_camera_hls_module);

    if (hlcf->mode == NGX_CAMERA_HLS_OFF
        || ngx_http_get_module_ctx(r, ngx_camera_hls_module))
    {
        return NGX_DECLINED;
    }

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_camera_hls_ctx_t));
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->parked.request = r;

    ngx_camera_hls_read_uri(r, ctx);

    ngx_http_set_ctx(r, ctx, ngx_camera_hls_module);

    if (hlcf->mode == NGX_CAMERA_HLS_ON
        && ngx_camera_play_mask_request(r) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_DECLINED;
}


static void
ngx_camera_hls_read_uri(ngx_http_request_t *r, ngx_camera_hls_ctx_t *ctx)
{
    ngx_str_t  text;

    ctx->path_ok = ngx_camera_play_path(r, &text) == NGX_OK
                   && cam_play_parse_path(&ctx->path, (char *) text.data,
                                          text.len)
                      == 0;

    if (!ctx->path_ok) {
        return;
    }

    ctx->args_rc = cam_play_parse_args(&ctx->args, ctx->path.kind,
                                       (char *) r->args.data, r->args.len);
}


static ngx_int_t
ngx_camera_hls_access_handler(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_camera_hls_ctx_t       *ctx;
    ngx_camera_hls_loc_conf_t  *hlcf;

    hlcf = ngx_http_get_module_loc_conf(r, ngx_camera_hls_module);

    if (hlcf->mode == NGX_CAMERA_HLS_OFF) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);

    if (ctx == NULL) {
        return NGX_HTTP_FORBIDDEN;
    }

    rc = ngx_camera_hls_access(r, ctx);

    ctx->allowed = (rc == NGX_OK);

    return rc;
}


static ngx_int_t
ngx_camera_hls_content_handler(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_camera_hls_ctx_t  *ctx;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    /* "satisfy any" and subrequests come here unchecked */

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);

    if (ctx == NULL || !ctx->allowed) {
        return NGX_HTTP_FORBIDDEN;
    }

    switch (ctx->path.kind) {

    case CAM_PLAY_MASTER:
        return ctx->args.from_msec == -1
               ? ngx_camera_hls_master(r)
               : ngx_camera_hls_back_start(r);

    case CAM_PLAY_LIVE:
        return ngx_camera_hls_playlist(r);

    case CAM_PLAY_BACK:
        return ngx_camera_hls_back(r);

    default:
        return ngx_camera_hls_media(r);
    }
}


/* the request line without secrets, wherever it is logged */

static ngx_int_t
ngx_camera_hls_request_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t  line;

    line = r->request_line;

    if (ngx_camera_play_mask(r, &line, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    v->data = line.data;
    v->len = line.len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_camera_hls_session_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_camera_hls_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);

    if (ctx == NULL || !ctx->signed_in) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = ngx_pnalloc(r->pool, sizeof(ctx->session.sid) * 2);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    v->len = ngx_hex_dump(v->data, ctx->session.sid, sizeof(ctx->session.sid))
             - v->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_camera_hls_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_camera_hls_vars; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static void *
ngx_camera_hls_create_loc_conf(ngx_conf_t *cf)
{
    ngx_camera_hls_loc_conf_t  *conf;

    conf = ngx_palloc(cf->pool, sizeof(ngx_camera_hls_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->mode = NGX_CONF_UNSET_UINT;
    conf->sessions = NGX_CONF_UNSET_UINT;
    conf->idle = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_camera_hls_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_camera_hls_loc_conf_t  *prev = parent;
    ngx_camera_hls_loc_conf_t  *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* "if" and "limit_except" blocks are the same location */

    if (clcf->noname && conf->mode == NGX_CONF_UNSET_UINT
        && prev->mode != NGX_CONF_UNSET_UINT)
    {
        conf->mode = prev->mode;

        if (conf->mode == NGX_CAMERA_HLS_ON) {
            clcf->handler = ngx_camera_hls_content_handler;
        }
    }

    if (conf->mode == NGX_CONF_UNSET_UINT) {
        conf->mode = NGX_CAMERA_HLS_OFF;
    }

    ngx_conf_merge_uint_value(conf->sessions, prev->sessions, 4);
    ngx_conf_merge_sec_value(conf->idle, prev->idle, 60);

    return NGX_CONF_OK;
}


static char *
ngx_camera_hls(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_camera_hls_loc_conf_t  *hlcf = conf;

    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    if (hlcf->mode != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (!ngx_camera_play_is_prefix(clcf)) {
        return NGX_CAMERA_PLAY_NO_PREFIX;
    }

    if (cf->args->nelts == 1) {
        hlcf->mode = NGX_CAMERA_HLS_ON;
        clcf->handler = ngx_camera_hls_content_handler;

        return NGX_CONF_OK;
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "check") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\", it may only be \"check\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    hlcf->mode = NGX_CAMERA_HLS_CHECK;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_camera_hls_init(ngx_conf_t *cf)
{
    return ngx_camera_play_phases(cf, ngx_camera_hls_read_handler,
                                  ngx_camera_hls_access_handler,
                                  ngx_camera_hls_count);
}


static ngx_int_t
ngx_camera_hls_init_process(ngx_cycle_t *cycle)
{
    cam_key_t          *key;
    ngx_uint_t          i;
    ngx_camera_conf_t  *ccf;

    ccf = ngx_camera_conf(cycle);

    if (ccf == NULL || !ngx_camera_is_worker()) {
        return NGX_OK;
    }

    for (i = 0; i < ccf->keys->n; i++) {
        key = &ccf->keys->keys[i];

        if (key->use == CAM_KEY_PLAYBACK) {
            cam_mac_init(&ngx_camera_hls_worker.macs[key->index], key->secret,
                         key->len);
        }
    }

    ngx_camera_hls_worker.sessions = cam_sessions_open((char *) ccf->shm.data,
                                                       CAM_SESSIONS_SLOTS);

    if (ngx_camera_hls_worker.sessions == NULL) {
        ngx_log_error(NGX_LOG_CRIT, cycle->log, ngx_errno,
                      "cam_sessions_open(\"%V\") failed, "
                      "no session can start", &ccf->shm);
    }

    ngx_camera_hls_worker.owners = cam_owners_open((char *) ccf->shm.data,
                                                   CAM_SESSIONS_SLOTS);

    if (ngx_camera_hls_worker.owners == NULL) {
        ngx_log_error(NGX_LOG_CRIT, cycle->log, ngx_errno,
                      "cam_owners_open(\"%V\") failed, "
                      "no session of a user can start", &ccf->shm);
    }

    return NGX_OK;
}


static void
ngx_camera_hls_exit_process(ngx_cycle_t *cycle)
{
    if (ngx_camera_hls_worker.sessions) {
        cam_sessions_close(ngx_camera_hls_worker.sessions);
        ngx_camera_hls_worker.sessions = NULL;
    }

    if (ngx_camera_hls_worker.owners) {
        cam_owners_close(ngx_camera_hls_worker.owners);
        ngx_camera_hls_worker.owners = NULL;
    }
}
