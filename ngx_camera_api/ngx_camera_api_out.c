/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * JSON on its way out: members are written straight into the buffers that are
 * sent.  A failed allocation is remembered, so that writers need not look at
 * each step; ngx_camera_api_send() does.
 */

#include "json_write.h"
#include "ngx_camera_api_core.h"

#define NGX_CAMERA_API_OUT_FIRST  2048        /* holds one object */
#define NGX_CAMERA_API_OUT_SIZE   16384


static u_char *ngx_camera_api_out_room(ngx_camera_api_ctx_t *ctx, size_t size);
static ngx_int_t ngx_camera_api_out_buf(ngx_camera_api_ctx_t *ctx,
    size_t size);
static void ngx_camera_api_out_upto(ngx_camera_api_ctx_t *ctx, u_char *p);
static u_char *ngx_camera_api_out_name(ngx_camera_api_ctx_t *ctx,
    const char *name, size_t size);


/* room for that many bytes, which ngx_camera_api_out_upto() then takes */

static u_char *
ngx_camera_api_out_room(ngx_camera_api_ctx_t *ctx, size_t size)
{
    ngx_buf_t  *b;

    b = ctx->out_buf;

    if (b == NULL || (size_t) (b->end - b->last) < size) {

        if (ctx->out_failed || ngx_camera_api_out_buf(ctx, size) != NGX_OK) {
            ctx->out_failed = 1;
            return NULL;
        }
    }

    return ctx->out_buf->last;
}


static ngx_int_t
ngx_camera_api_out_buf(ngx_camera_api_ctx_t *ctx, size_t size)
{
    size_t        min;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;
    ngx_pool_t   *pool;

    pool = ctx->request->pool;

    min = ctx->out
          || (ctx->route && ctx->route->flags
                            & (NGX_CAMERA_API_LIST|NGX_CAMERA_API_ROWS))
          ? NGX_CAMERA_API_OUT_SIZE : NGX_CAMERA_API_OUT_FIRST;

    b = ngx_create_temp_buf(pool, ngx_max(min, size));
    cl = ngx_alloc_chain_link(pool);

    if (b == NULL || cl == NULL) {
        return NGX_ERROR;
    }

    cl->buf = b;
    cl->next = NULL;

    *ctx->out_last = cl;
    ctx->out_last = &cl->next;
    ctx->out_buf = b;

    return NGX_OK;
}


static void
ngx_camera_api_out_upto(ngx_camera_api_ctx_t *ctx, u_char *p)
{
    ctx->out_length += p - ctx->out_buf->last;
    ctx->out_buf->last = p;
    ctx->out_comma = 1;
}


/* a comma where one belongs, and the name, which needs no escapes */

static u_char *
ngx_camera_api_out_name(ngx_camera_api_ctx_t *ctx, const char *name,
    size_t size)
{
    size_t   len;
    u_char  *p;

    len = name ? ngx_strlen(name) : 0;

    p = ngx_camera_api_out_room(ctx, size + len + 4);
    if (p == NULL) {
        return NULL;
    }

    if (ctx->out_comma) {
        *p++ = ',';
    }

    if (name) {
        *p++ = '"';
        p = ngx_cpymem(p, name, len);
        *p++ = '"';
        *p++ = ':';
    }

    return p;
}


void
ngx_camera_api_begin(ngx_camera_api_ctx_t *ctx, const char *name,
    char bracket)
{
    u_char  *p;

    p = ngx_camera_api_out_name(ctx, name, 1);

    if (p) {
        *p++ = (u_char) bracket;
        ngx_camera_api_out_upto(ctx, p);
        ctx->out_comma = 0;
    }
}


void
ngx_camera_api_end(ngx_camera_api_ctx_t *ctx, char bracket)
{
    u_char  *p;

    p = ngx_camera_api_out_room(ctx, 1);

    if (p) {
        *p++ = (u_char) bracket;
        ngx_camera_api_out_upto(ctx, p);
    }
}


void
ngx_camera_api_put_text(ngx_camera_api_ctx_t *ctx, const char *name,
    const void *text, size_t len)
{
    u_char  *p;

    p = ngx_camera_api_out_name(ctx, name, CAM_JSON_STRING_MAX(len));

    if (p) {
        ngx_camera_api_out_upto(ctx, (u_char *)
                                     cam_json_string((char *) p, text, len));
    }
}


void
ngx_camera_api_put_string(ngx_camera_api_ctx_t *ctx, const char *name,
    const char *text)
{
    ngx_camera_api_put_text(ctx, name, text, ngx_strlen(text));
}


void
ngx_camera_api_put_int(ngx_camera_api_ctx_t *ctx, const char *name,
    int64_t value)
{
    u_char  *p;

    p = ngx_camera_api_out_name(ctx, name, CAM_JSON_INT_MAX);

    if (p) {
        ngx_camera_api_out_upto(ctx, (u_char *)
                                     cam_json_int((char *) p, value));
    }
}


void
ngx_camera_api_put_float(ngx_camera_api_ctx_t *ctx, const char *name,
    double value)
{
    u_char  *p;

    p = ngx_camera_api_out_name(ctx, name, CAM_JSON_DOUBLE_MAX);

    if (p) {
        ngx_camera_api_out_upto(ctx, (u_char *)
                                     cam_json_double((char *) p, value));
    }
}


void
ngx_camera_api_put_bool(ngx_camera_api_ctx_t *ctx, const char *name,
    ngx_uint_t value)
{
    if (value) {
        ngx_camera_api_put_json(ctx, name, "true", 4);

    } else {
        ngx_camera_api_put_json(ctx, name, "false", 5);
    }
}


void
ngx_camera_api_put_null(ngx_camera_api_ctx_t *ctx, const char *name)
{
    ngx_camera_api_put_json(ctx, name, "null", 4);
}


void
ngx_camera_api_put_uuid(ngx_camera_api_ctx_t *ctx, const char *name,
    const u_char *uuid)
{
    u_char  *p;

    p = ngx_camera_api_out_name(ctx, name, CAM_JSON_UUID_MAX);

    if (p) {
        ngx_camera_api_out_upto(ctx, (u_char *)
                                     cam_json_uuid((char *) p, uuid));
    }
}


void
ngx_camera_api_put_time(ngx_camera_api_ctx_t *ctx, const char *name,
    int64_t msec)
{
    u_char  *p;

    p = ngx_camera_api_out_name(ctx, name, CAM_JSON_TIME_MAX);

    if (p) {
        ngx_camera_api_out_upto(ctx, (u_char *)
                                     cam_json_time((char *) p, msec));
    }
}


void
ngx_camera_api_put_json(ngx_camera_api_ctx_t *ctx, const char *name,
    const void *json, size_t len)
{
    u_char  *p;

    p = ngx_camera_api_out_name(ctx, name, len);

    if (p) {
        ngx_camera_api_out_upto(ctx, ngx_cpymem(p, json, len));
    }
}
