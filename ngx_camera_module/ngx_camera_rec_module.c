/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Recordings, the module: directives and phases.
 *
 *     location /recordings/ {
 *         camera_recordings;
 *     }
 *
 *     location /exports/ {
 *         camera_recordings  exports;
 *     }
 *
 * See ngx_camera_play.c for what they have in common with live HLS, and
 * docs/playback.md.
 */

#include "ngx_camera_rec.h"


static ngx_int_t ngx_camera_rec_read_handler(ngx_http_request_t *r);
static void ngx_camera_rec_read_uri(ngx_http_request_t *r,
    ngx_camera_rec_ctx_t *ctx, ngx_uint_t exports);
static ngx_int_t ngx_camera_rec_access_handler(ngx_http_request_t *r);
static ngx_int_t ngx_camera_rec_content_handler(ngx_http_request_t *r);
static void *ngx_camera_rec_create_loc_conf(ngx_conf_t *cf);
static char *ngx_camera_rec_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_camera_rec(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static ngx_int_t ngx_camera_rec_init(ngx_conf_t *cf);


static ngx_command_t  ngx_camera_rec_commands[] = {

    { ngx_string("camera_recordings"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_camera_rec,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("camera_recordings_idle"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_camera_rec_loc_conf_t, idle),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_camera_rec_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_camera_rec_init,                   /* postconfiguration */
    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */
    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */
    ngx_camera_rec_create_loc_conf,        /* create location configuration */
    ngx_camera_rec_merge_loc_conf          /* merge location configuration */
};


ngx_module_t  ngx_camera_rec_module = {
    NGX_MODULE_V1,
    &ngx_camera_rec_module_ctx,            /* module context */
    ngx_camera_rec_commands,               /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* rewrite phase: reads the URI while its arguments are still there */

static ngx_int_t
ngx_camera_rec_read_handler(ngx_http_request_t *r)
{
    ngx_camera_rec_ctx_t       *ctx;
    ngx_camera_rec_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_camera_rec_module);

    if (rlcf->mode == NGX_CAMERA_REC_OFF
        || ngx_http_get_module_ctx(r, ngx_camera_rec_module))
    {
        return NGX_DECLINED;
    }

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_camera_rec_ctx_t));
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_camera_rec_read_uri(r, ctx, rlcf->mode == NGX_CAMERA_REC_EXPORTS);

    ngx_http_set_ctx(r, ctx, ngx_camera_rec_module);

    return ngx_camera_play_mask_request(r) == NGX_OK
           ? NGX_DECLINED : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static void
ngx_camera_rec_read_uri(ngx_http_request_t *r, ngx_camera_rec_ctx_t *ctx,
    ngx_uint_t exports)
{
    ngx_str_t  text;

    ctx->path_ok = ngx_camera_play_path(r, &text) == NGX_OK
                   && cam_record_uri_parse(&ctx->uri, (char *) text.data,
                                           text.len, exports)
                      == 0;

    if (!ctx->path_ok) {
        return;
    }

    ctx->args_rc = cam_record_args_parse(&ctx->args, ctx->uri.kind,
                                         (char *) r->args.data, r->args.len);
}


static ngx_int_t
ngx_camera_rec_access_handler(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_camera_rec_ctx_t       *ctx;
    ngx_camera_rec_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_camera_rec_module);

    if (rlcf->mode == NGX_CAMERA_REC_OFF) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_camera_rec_module);

    if (ctx == NULL) {
        return NGX_HTTP_FORBIDDEN;
    }

    rc = ngx_camera_rec_access(r, ctx);

    ctx->allowed = (rc == NGX_OK);

    return rc;
}


static ngx_int_t
ngx_camera_rec_content_handler(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_camera_rec_ctx_t  *ctx;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    /* "satisfy any" and subrequests come here unchecked */

    ctx = ngx_http_get_module_ctx(r, ngx_camera_rec_module);

    if (ctx == NULL || !ctx->allowed) {
        return NGX_HTTP_FORBIDDEN;
    }

    switch (ctx->uri.kind) {

    case CAM_RECORD_MASTER:
        return ngx_camera_rec_master(r);

    case CAM_RECORD_MEDIA:
        return ngx_camera_rec_media(r);

    default:
        return ngx_camera_rec_file(r);
    }
}


static void *
ngx_camera_rec_create_loc_conf(ngx_conf_t *cf)
{
    ngx_camera_rec_loc_conf_t  *conf;

    conf = ngx_palloc(cf->pool, sizeof(ngx_camera_rec_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->mode = NGX_CONF_UNSET_UINT;
    conf->idle = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_camera_rec_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_camera_rec_loc_conf_t  *prev = parent;
    ngx_camera_rec_loc_conf_t  *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* "if" and "limit_except" blocks are the same location */

    if (clcf->noname && conf->mode == NGX_CONF_UNSET_UINT
        && prev->mode != NGX_CONF_UNSET_UINT
        && prev->mode != NGX_CAMERA_REC_OFF)
    {
        conf->mode = prev->mode;
        clcf->handler = ngx_camera_rec_content_handler;
    }

    if (conf->mode == NGX_CONF_UNSET_UINT) {
        conf->mode = NGX_CAMERA_REC_OFF;
    }

    ngx_conf_merge_sec_value(conf->idle, prev->idle, 600);

    return NGX_CONF_OK;
}


static char *
ngx_camera_rec(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_camera_rec_loc_conf_t  *rlcf = conf;

    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    if (rlcf->mode != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (!ngx_camera_play_is_prefix(clcf)) {
        return NGX_CAMERA_PLAY_NO_PREFIX;
    }

    rlcf->mode = NGX_CAMERA_REC_RECORDINGS;
    clcf->handler = ngx_camera_rec_content_handler;

    if (cf->args->nelts == 1) {
        return NGX_CONF_OK;
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "exports") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\", it may only be \"exports\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    rlcf->mode = NGX_CAMERA_REC_EXPORTS;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_camera_rec_init(ngx_conf_t *cf)
{
    return ngx_camera_play_phases(cf, ngx_camera_rec_read_handler,
                                  ngx_camera_rec_access_handler,
                                  ngx_camera_rec_count);
}
