/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Bodies: at most 64 kB of JSON, gathered in one buffer in memory.  nginx's
 * own buffering would put larger ones into a file, and answer a body that is
 * too long or too slow with a page of its own; so they are taken as they come.
 * What was read is overwritten as soon as it is parsed: it may hold a
 * password.
 */

#include "json_read.h"
#include "ngx_camera_api_core.h"

#define NGX_CAMERA_API_BODY_MAX  65536


static ngx_uint_t ngx_camera_api_body_none(ngx_http_request_t *r);
static ngx_uint_t ngx_camera_api_body_is_json(ngx_http_request_t *r);
static ngx_int_t ngx_camera_api_body_start(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_body_post_handler(ngx_http_request_t *r);
static void ngx_camera_api_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_camera_api_body_read(ngx_camera_api_ctx_t *ctx,
    ngx_int_t rc);
static ngx_int_t ngx_camera_api_body_take(ngx_camera_api_ctx_t *ctx);
static ngx_int_t ngx_camera_api_body_parse(ngx_camera_api_ctx_t *ctx);
static ngx_int_t ngx_camera_api_body_failed(ngx_camera_api_ctx_t *ctx,
    ngx_int_t status);


ngx_int_t
ngx_camera_api_body(ngx_camera_api_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    if (ctx->route->body == NULL || ngx_camera_api_body_none(r)) {
        rc = ngx_http_discard_request_body(r);

        if (rc != NGX_OK) {
            return ngx_camera_api_body_failed(ctx, rc);
        }

        if (!r->discard_body) {
            r->read_event_handler = ngx_http_test_reading;
        }

        return NGX_OK;
    }

    if (r->headers_in.content_length_n > NGX_CAMERA_API_BODY_MAX) {
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_PAYLOAD_TOO_LARGE);
    }

    if (!ngx_camera_api_body_is_json(r)) {
        return ngx_camera_api_refuse(ctx,
                                     NGX_CAMERA_API_UNSUPPORTED_MEDIA_TYPE);
    }

    return ngx_camera_api_body_start(ctx);
}


static ngx_uint_t
ngx_camera_api_body_none(ngx_http_request_t *r)
{
    return r->headers_in.content_length_n <= 0 && !r->headers_in.chunked;
}


/* parameters, charset=utf-8 as a rule, mean nothing for JSON */

static ngx_uint_t
ngx_camera_api_body_is_json(ngx_http_request_t *r)
{
    u_char     *p, *last;
    ngx_str_t  *type;

    static ngx_str_t  json = ngx_string("application/json");

    if (r->headers_in.content_type == NULL) {
        return 0;
    }

    type = &r->headers_in.content_type->value;

    if (type->len < json.len
        || ngx_strncasecmp(type->data, json.data, json.len) != 0)
    {
        return 0;
    }

    last = type->data + type->len;

    for (p = type->data + json.len; p < last && *p == ' '; p++) { /* void */ }

    return p == last || *p == ';';
}


static ngx_int_t
ngx_camera_api_body_start(ngx_camera_api_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    ctx->text_size = r->headers_in.chunked
                     ? NGX_CAMERA_API_BODY_MAX
                     : (size_t) r->headers_in.content_length_n;

    ctx->text.data = ngx_pnalloc(r->pool, ctx->text_size + 1);
    if (ctx->text.data == NULL) {
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_INTERNAL_ERROR);
    }

    r->request_body_no_buffering = 1;

    rc = ngx_http_read_client_request_body(r,
                                           ngx_camera_api_body_post_handler);

    if (rc == NGX_OK || rc == NGX_AGAIN) {

        /* the walk has a reference of its own */

        r->main->count--;

        r->read_event_handler = ngx_camera_api_body_handler;
    }

    return ngx_camera_api_body_read(ctx, rc);
}


/* runs inside of ngx_http_read_client_request_body() */

static void
ngx_camera_api_body_post_handler(ngx_http_request_t *r)
{
    /* void */
}


static void
ngx_camera_api_body_handler(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_camera_api_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_api_module);

    rc = ngx_http_read_unbuffered_request_body(r);

    if (ngx_camera_api_body_read(ctx, rc) == NGX_OK) {
        ngx_camera_api_resume(ctx);
    }
}


/*
 * What is taken makes room for more, of which no event will tell: the socket
 * is read on until there is nothing to be taken.
 */

static ngx_int_t
ngx_camera_api_body_read(ngx_camera_api_ctx_t *ctx, ngx_int_t rc)
{
    ngx_uint_t           more;
    ngx_http_request_t  *r;

    r = ctx->request;

    for ( ;; ) {

        if (rc != NGX_OK && rc != NGX_AGAIN) {
            return ngx_camera_api_body_failed(ctx, rc);
        }

        more = (r->request_body->bufs != NULL);

        if (ngx_camera_api_body_take(ctx) != NGX_OK) {
            return ngx_camera_api_refuse(ctx,
                                         NGX_CAMERA_API_PAYLOAD_TOO_LARGE);
        }

        if (rc == NGX_OK) {
            break;
        }

        if (!more) {
            return NGX_AGAIN;
        }

        rc = ngx_http_read_unbuffered_request_body(r);
    }

    r->read_event_handler = ngx_http_test_reading;

    return ngx_camera_api_body_parse(ctx);
}


/* NGX_DECLINED: there is more than may be */

static ngx_int_t
ngx_camera_api_body_take(ngx_camera_api_ctx_t *ctx)
{
    size_t                    len;
    ngx_buf_t                *b;
    ngx_chain_t              *cl;
    ngx_http_request_body_t  *rb;

    rb = ctx->request->request_body;

    for (cl = rb->bufs; cl; cl = cl->next) {
        b = cl->buf;
        len = b->last - b->pos;

        if (len > ctx->text_size - ctx->text.len) {
            return NGX_DECLINED;
        }

        ngx_memcpy(ctx->text.data + ctx->text.len, b->pos, len);
        ngx_explicit_memzero(b->pos, len);

        ctx->text.len += len;
        b->pos = b->last;
    }

    rb->bufs = NULL;

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_body_parse(ngx_camera_api_ctx_t *ctx)
{
    char  err[CAM_PROBLEM_MESSAGE];

    ctx->json = cam_json_read((char *) ctx->text.data, ctx->text.len, err,
                              sizeof(err));

    ngx_explicit_memzero(ctx->text.data, ctx->text.len);

    if (ctx->json == NULL) {
        ngx_camera_api_problem(ctx, "body", err);
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_VALIDATION_FAILED);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_body_failed(ngx_camera_api_ctx_t *ctx, ngx_int_t status)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    /* what is left of it cannot be told from the next request */

    r->keepalive = 0;

    if (r->connection->error || status < NGX_HTTP_SPECIAL_RESPONSE) {
        ngx_camera_api_finish(ctx, NGX_HTTP_CLIENT_CLOSED_REQUEST);
        return NGX_DONE;
    }

    return ngx_camera_api_refuse(ctx, ngx_camera_api_code_of(status));
}
