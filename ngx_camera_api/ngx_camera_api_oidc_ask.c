/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Asking an identity provider: a subrequest, kept in memory, to a location that
 * is a proxy to $camera_oidc_url.  So nginx looks up names, speaks TLS, checks
 * certificates and keeps deadlines, as its own directives there say, and
 * nothing blocks.
 *
 * None of what the browser sent goes along: the subrequest has headers of its
 * own.  Secrets are in its body and in a header, never in its URL.
 */

#include "ngx_camera_api_core.h"
#include "ngx_camera_api_oidc.h"


static ngx_int_t ngx_camera_api_oidc_headers(ngx_camera_api_oidc_t *op,
    ngx_http_request_t *sr);
static ngx_int_t ngx_camera_api_oidc_header(ngx_http_request_t *sr,
    const char *name, const ngx_str_t *value);
static ngx_int_t ngx_camera_api_oidc_body(ngx_camera_api_oidc_t *op,
    ngx_http_request_t *sr);
static ngx_int_t ngx_camera_api_oidc_answered(ngx_http_request_t *sr,
    void *data, ngx_int_t rc);
static void ngx_camera_api_oidc_resume(ngx_http_request_t *r);
static ngx_int_t ngx_camera_api_oidc_url(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_str_t  ngx_camera_api_oidc_location =
    ngx_string(NGX_CAMERA_API_OIDC_LOCATION);


ngx_int_t
ngx_camera_api_oidc_ask(ngx_camera_api_oidc_t *op,
    ngx_camera_api_oidc_pt asked)
{
    ngx_http_request_t  *r, *sr;

    r = op->ctx->request;

    op->asked = asked;
    op->done = 0;
    op->status = 0;
    ngx_str_null(&op->answer);

    op->post.handler = ngx_camera_api_oidc_answered;
    op->post.data = op;

    if (ngx_http_subrequest(r, &ngx_camera_api_oidc_location, NULL, &sr,
                            &op->post, NGX_HTTP_SUBREQUEST_IN_MEMORY)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    r->write_event_handler = ngx_camera_api_oidc_resume;

    /* what follows fails for want of memory alone; the subrequest goes on
       then and is answered, as one that got nowhere */

    if (ngx_camera_api_oidc_headers(op, sr) != NGX_OK
        || ngx_camera_api_oidc_body(op, sr) != NGX_OK)
    {
        ngx_str_null(&op->url);
    }

    ngx_http_set_ctx(sr, op, ngx_camera_api_auth_module);

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_oidc_headers(ngx_camera_api_oidc_t *op, ngx_http_request_t *sr)
{
    static const ngx_str_t  json = ngx_string("application/json");
    static const ngx_str_t  form =
        ngx_string("application/x-www-form-urlencoded");

    ngx_memzero(&sr->headers_in, sizeof(ngx_http_headers_in_t));

    sr->headers_in.content_length_n = -1;
    sr->headers_in.keep_alive_n = -1;

    if (ngx_list_init(&sr->headers_in.headers, sr->pool, 4,
                      sizeof(ngx_table_elt_t))
        != NGX_OK
        || ngx_camera_api_oidc_header(sr, "Accept", &json) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (op->body.data
        && ngx_camera_api_oidc_header(sr, "Content-Type", &form) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (op->authorization.len
        && ngx_camera_api_oidc_header(sr, "Authorization",
                                      &op->authorization)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_oidc_header(ngx_http_request_t *sr, const char *name,
    const ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&sr->headers_in.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;

    h->lowcase_key = ngx_pnalloc(sr->pool, h->key.len);
    if (h->lowcase_key == NULL) {
        return NGX_ERROR;
    }

    h->hash = ngx_hash_strlow(h->lowcase_key, h->key.data, h->key.len);

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_oidc_body(ngx_camera_api_oidc_t *op, ngx_http_request_t *sr)
{
    ngx_buf_t                *b;
    ngx_http_request_body_t  *rb;

    static const ngx_str_t  post = ngx_string("POST");

    sr->request_body = NULL;

    if (op->body.data == NULL) {
        return NGX_OK;
    }

    rb = ngx_pcalloc(sr->pool, sizeof(ngx_http_request_body_t));
    b = ngx_calloc_buf(sr->pool);

    if (rb == NULL || b == NULL) {
        return NGX_ERROR;
    }

    rb->bufs = ngx_alloc_chain_link(sr->pool);
    if (rb->bufs == NULL) {
        return NGX_ERROR;
    }

    b->pos = op->body.data;
    b->last = op->body.data + op->body.len;
    b->memory = 1;
    b->last_buf = 1;

    rb->bufs->buf = b;
    rb->bufs->next = NULL;

    sr->request_body = rb;
    sr->method = NGX_HTTP_POST;
    sr->method_name = post;
    sr->headers_in.content_length_n = op->body.len;

    return NGX_OK;
}


/* an answer of whatever status is one; what went wrong on the way is none, and
   does not end the request that waits for it */

static ngx_int_t
ngx_camera_api_oidc_answered(ngx_http_request_t *sr, void *data, ngx_int_t rc)
{
    ngx_camera_api_oidc_t *op = data;

    if (rc == NGX_HTTP_CLIENT_CLOSED_REQUEST) {
        return rc;
    }

    /* an answer too long for subrequest_output_buffer_size fails in a filter,
       and for nginx the connection with it; nothing was written to that */

    if (rc == NGX_ERROR) {
        sr->connection->error = 0;
    }

    op->done = 1;

    if (rc == NGX_OK && sr->out && sr->upstream) {
        op->status = sr->headers_out.status;
        op->answer.data = sr->out->buf->pos;
        op->answer.len = sr->out->buf->last - sr->out->buf->pos;
    }

    return NGX_OK;
}


static void
ngx_camera_api_oidc_resume(ngx_http_request_t *r)
{
    ngx_camera_api_ctx_t   *ctx;
    ngx_camera_api_oidc_t  *op;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_api_module);
    op = ctx->data;

    if (!op->done) {
        return;
    }

    op->done = 0;
    r->write_event_handler = ngx_http_request_empty_handler;

    ngx_http_set_log_request(r->connection->log, r);

    op->asked(op);
}


ngx_int_t
ngx_camera_api_oidc_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var;

    static ngx_str_t  name = ngx_string("camera_oidc_url");

    var = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE);
    if (var == NULL) {
        return NGX_ERROR;
    }

    var->get_handler = ngx_camera_api_oidc_url;

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_oidc_url(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_camera_api_oidc_t  *op;

    op = r == r->main ? NULL
                      : ngx_http_get_module_ctx(r, ngx_camera_api_auth_module);

    if (op == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = op->url.data;
    v->len = op->url.len;
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;

    return NGX_OK;
}
