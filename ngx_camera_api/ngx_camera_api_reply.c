/*
 * Copyright (C) The nginx camera platform authors
 */

/* Answers: headers, the document, rows as a route has them, pages. */

#include "cursor.h"
#include "ngx_camera_api_core.h"


static void ngx_camera_api_reply_row(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_reply_list(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_reply_array(ngx_camera_api_ctx_t *ctx,
    const PGresult *res, int n);
static ngx_int_t ngx_camera_api_etag(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static ngx_int_t ngx_camera_api_link(ngx_camera_api_ctx_t *ctx,
    const PGresult *res, int row);
static u_char *ngx_camera_api_link_args(u_char *p, ngx_str_t *args);
static ngx_int_t ngx_camera_api_send_headers(ngx_camera_api_ctx_t *ctx,
    ngx_uint_t status);


void
ngx_camera_api_reply_rows(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    if (ctx->route->flags & NGX_CAMERA_API_LIST) {
        ngx_camera_api_reply_list(ctx, res);
        return;
    }

    if (PQntuples(res) == 0 && ctx->route->missing) {
        ngx_camera_api_error(ctx, ctx->route->missing, NULL);
        return;
    }

    if (ctx->route->flags & NGX_CAMERA_API_ROWS) {
        ngx_camera_api_reply_array(ctx, res, PQntuples(res));

    } else {
        ngx_camera_api_reply_row(ctx, res);
    }
}


static void
ngx_camera_api_reply_row(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    ngx_uint_t  flags;

    flags = ctx->route->flags;

    if (flags & NGX_CAMERA_API_NO_CONTENT) {
        ngx_camera_api_send(ctx, NGX_HTTP_NO_CONTENT);
        return;
    }

    if (flags & NGX_CAMERA_API_ETAG
        && ngx_camera_api_etag(ctx, res) != NGX_OK)
    {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    ngx_camera_api_begin(ctx, NULL, '{');
    ngx_camera_api_put_row(ctx, ctx->route->columns, res, 0);
    ngx_camera_api_end(ctx, '}');

    ngx_camera_api_send(ctx, flags & NGX_CAMERA_API_CREATED
                             ? NGX_HTTP_CREATED : NGX_HTTP_OK);
}


static ngx_int_t
ngx_camera_api_etag(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    int        column;
    ngx_str_t  value;

    column = PQfnumber(res, "version");

    value.data = ngx_pnalloc(ctx->request->pool, NGX_INT64_LEN + 2);

    if (value.data == NULL || column == -1) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "\"%L\"",
                            ngx_camera_api_int(res, 0, column))
                - value.data;

    return ngx_camera_api_header(ctx, "ETag", &value);
}


/* one row more than was asked for says that there is another page */

static void
ngx_camera_api_reply_list(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    int         n;
    ngx_uint_t  limit;

    n = PQntuples(res);
    limit = ngx_camera_api_page(ctx);

    if (limit && (ngx_uint_t) n > limit) {
        n = (int) limit;

        if (ngx_camera_api_link(ctx, res, n - 1) != NGX_OK) {
            ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
            return;
        }
    }

    ngx_camera_api_reply_array(ctx, res, n);
}


static void
ngx_camera_api_reply_array(ngx_camera_api_ctx_t *ctx, const PGresult *res,
    int n)
{
    int  i;

    ngx_camera_api_begin(ctx, NULL, '[');

    for (i = 0; i < n; i++) {

        if (ctx->route->flags & NGX_CAMERA_API_ROWS
            && PQgetisnull(res, i, 0))
        {
            continue;
        }

        ngx_camera_api_begin(ctx, NULL, '{');
        ngx_camera_api_put_row(ctx, ctx->route->columns, res, i);
        ngx_camera_api_end(ctx, '}');
    }

    ngx_camera_api_end(ctx, ']');

    ngx_camera_api_send(ctx, NGX_HTTP_OK);
}


/* what the request said, with the cursor behind this row */

static ngx_int_t
ngx_camera_api_link(ngx_camera_api_ctx_t *ctx, const PGresult *res, int row)
{
    int                  at, id;
    char                 text[CAM_CURSOR_TEXT + 1];
    u_char              *p;
    ngx_str_t            value;
    cam_cursor_t         cursor;
    ngx_http_request_t  *r;

    r = ctx->request;

    at = PQfnumber(res, "cursor_at");
    at = at == -1 ? PQfnumber(res, "created_at") : at;
    id = PQfnumber(res, "id");

    value.data = ngx_pnalloc(r->pool, r->uri.len + r->args.len
                                      + CAM_CURSOR_TEXT + 64);

    if (at == -1 || id == -1 || value.data == NULL) {
        return NGX_ERROR;
    }

    cursor.usec = ngx_camera_api_int(res, row, at);
    ngx_memcpy(cursor.id, PQgetvalue(res, row, id), CAM_UUID_LEN);

    cam_cursor_print(text, &cursor, ctx->principal->tenant, ctx->route->path);

    p = ngx_sprintf(value.data, "</api/v1%s?", ctx->route->path);
    p = ngx_camera_api_link_args(p, &r->args);
    p = ngx_sprintf(p, "cursor=%s>; rel=\"next\"", text);

    value.len = p - value.data;

    return ngx_camera_api_header(ctx, "Link", &value);
}


static u_char *
ngx_camera_api_link_args(u_char *p, ngx_str_t *args)
{
    u_char  *arg, *end, *last;

    last = args->data + args->len;

    for (arg = args->data; arg < last; arg = end + 1) {
        end = ngx_strlchr(arg, last, '&');
        end = end ? end : last;

        if (end == arg || (end - arg >= 7
                           && ngx_strncmp(arg, "cursor=", 7) == 0))
        {
            continue;
        }

        p = ngx_cpymem(p, arg, end - arg);
        *p++ = '&';
    }

    return p;
}


ngx_int_t
ngx_camera_api_header(ngx_camera_api_ctx_t *ctx, const char *name,
    const ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&ctx->request->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;

    return NGX_OK;
}


void
ngx_camera_api_send(ngx_camera_api_ctx_t *ctx, ngx_uint_t status)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    /* what nobody read; a body that is wrong costs the connection, no more */

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }

    if (ctx->out_failed
        || ngx_camera_api_send_headers(ctx, status) != NGX_OK)
    {
        ngx_camera_api_finish(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only
        || ctx->out == NULL)
    {
        ngx_camera_api_finish(ctx, rc == NGX_OK && ctx->out == NULL
                                   ? ngx_http_send_special(r, NGX_HTTP_LAST)
                                   : rc);
        return;
    }

    ctx->out_buf->last_buf = (r == r->main);
    ctx->out_buf->last_in_chain = 1;

    ngx_camera_api_finish(ctx, ngx_http_output_filter(r, ctx->out));
}


ngx_int_t
ngx_camera_api_stream(ngx_camera_api_ctx_t *ctx, const char *type)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    ngx_camera_api_stay(ctx);

    if (ngx_camera_api_send_headers(ctx, NGX_HTTP_OK) != NGX_OK) {
        ngx_camera_api_finish(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return NGX_DONE;
    }

    r->headers_out.content_length_n = -1;
    r->headers_out.content_type.data = (u_char *) type;
    r->headers_out.content_type.len = ngx_strlen(type);
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        ngx_camera_api_finish(ctx, rc);
        return NGX_DONE;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_send_headers(ngx_camera_api_ctx_t *ctx, ngx_uint_t status)
{
    ngx_http_request_t  *r;

    static const ngx_str_t  no_store = ngx_string("no-store");

    r = ctx->request;

    /* If-Match was about what this request changed, not about its answer */

    r->disable_not_modified = 1;

    r->headers_out.status = status;
    r->headers_out.content_length_n = ctx->out_length;

    if (ctx->out) {
        ngx_str_set(&r->headers_out.content_type, "application/json");
        r->headers_out.content_type_len = r->headers_out.content_type.len;
        r->headers_out.content_type_lowcase = NULL;
    }

    if (ngx_camera_api_common_headers(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_camera_api_header(ctx, "Cache-Control", &no_store);
}


ngx_int_t
ngx_camera_api_common_headers(ngx_camera_api_ctx_t *ctx)
{
    if (ctx->headed) {
        return NGX_OK;
    }

    ctx->headed = 1;

    if (ngx_camera_api_throttle_headers(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_camera_api_header(ctx, "X-Request-Id", &ctx->id);
}
