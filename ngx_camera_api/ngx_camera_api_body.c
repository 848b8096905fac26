/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Bodies: at most 64 kB of JSON, or 256 kB where a route takes many things at
 * once, then also as a table of comma-separated values; gathered in one buffer
 * in memory.  nginx's own buffering would put larger ones into a file, and
 * answer a body that is too long or too slow with a page of its own; so they
 * are taken as they come.  What was read is overwritten as soon as it is
 * parsed: it may hold a password.
 */

#include "csv.h"
#include "json_read.h"
#include "ngx_camera_api_core.h"

#define NGX_CAMERA_API_BODY_MAX    65536
#define NGX_CAMERA_API_BULK_MAX    262144
#define NGX_CAMERA_API_BULK_NAMES  16384
#define NGX_CAMERA_API_BULK_ITEMS  32768


static ngx_uint_t ngx_camera_api_body_none(ngx_http_request_t *r);
static size_t ngx_camera_api_body_max(ngx_camera_api_ctx_t *ctx);
static ngx_uint_t ngx_camera_api_body_is(ngx_http_request_t *r,
    const char *type);
static ngx_int_t ngx_camera_api_body_start(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_body_post_handler(ngx_http_request_t *r);
static void ngx_camera_api_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_camera_api_body_read(ngx_camera_api_ctx_t *ctx,
    ngx_int_t rc);
static ngx_int_t ngx_camera_api_body_take(ngx_camera_api_ctx_t *ctx);
static ngx_int_t ngx_camera_api_body_parse(ngx_camera_api_ctx_t *ctx);
static json_t *ngx_camera_api_body_table(ngx_camera_api_ctx_t *ctx, char *err,
    size_t size);
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

    if (r->headers_in.content_length_n
        > (off_t) ngx_camera_api_body_max(ctx))
    {
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_PAYLOAD_TOO_LARGE);
    }

    ctx->text_csv = ctx->route->flags & NGX_CAMERA_API_BULK
                    && ngx_camera_api_body_is(r, "text/csv");

    if (!ctx->text_csv && !ngx_camera_api_body_is(r, "application/json")) {
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


static size_t
ngx_camera_api_body_max(ngx_camera_api_ctx_t *ctx)
{
    return ctx->route->flags & NGX_CAMERA_API_BULK ? NGX_CAMERA_API_BULK_MAX
                                                   : NGX_CAMERA_API_BODY_MAX;
}


/* parameters, charset=utf-8 as a rule, mean nothing for either type */

static ngx_uint_t
ngx_camera_api_body_is(ngx_http_request_t *r, const char *type)
{
    size_t      len;
    u_char     *p, *last;
    ngx_str_t  *value;

    if (r->headers_in.content_type == NULL) {
        return 0;
    }

    value = &r->headers_in.content_type->value;
    len = ngx_strlen(type);

    if (value->len < len
        || ngx_strncasecmp(value->data, (u_char *) type, len) != 0)
    {
        return 0;
    }

    last = value->data + value->len;

    for (p = value->data + len; p < last && *p == ' '; p++) { /* void */ }

    return p == last || *p == ';';
}


static ngx_int_t
ngx_camera_api_body_start(ngx_camera_api_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    ctx->text_size = r->headers_in.chunked
                     ? ngx_camera_api_body_max(ctx)
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
    ctx->late = 1;

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
    char        err[CAM_PROBLEM_MESSAGE];
    ngx_str_t   text;
    ngx_uint_t  bulk;

    err[0] = '\0';
    text = ctx->text;
    bulk = ctx->route->flags & NGX_CAMERA_API_BULK;

    ctx->json = ctx->text_csv
                ? ngx_camera_api_body_table(ctx, err, sizeof(err))
                : cam_json_read_within((char *) text.data, text.len,
                      bulk ? NGX_CAMERA_API_BULK_NAMES : CAM_JSON_NAMES_MAX,
                      bulk ? NGX_CAMERA_API_BULK_ITEMS : CAM_JSON_ITEMS_MAX,
                      err, sizeof(err));

    ngx_explicit_memzero(text.data, text.len);

    if (ctx->json == NULL) {
        ngx_camera_api_problem(ctx, "body", err);
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_VALIDATION_FAILED);
    }

    return NGX_OK;
}


/* as the JSON that says the same; names were one line, and are in each item */

static json_t *
ngx_camera_api_body_table(ngx_camera_api_ctx_t *ctx, char *err, size_t size)
{
    json_t             *list, *json;
    const cam_field_t  *field;

    field = &ctx->route->body[0];

    list = cam_csv_read((char *) ctx->text.data, ctx->text.len,
                        ctx->route->row, (size_t) field->max, err, size);
    if (list == NULL) {
        return NULL;
    }

    json = json_pack("{s:o}", field->name, list);

    if (json) {
        ctx->text.len = ngx_max(ctx->text.len,
                                json_dumpb(json, NULL, 0, JSON_COMPACT));
    }

    return json;
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
