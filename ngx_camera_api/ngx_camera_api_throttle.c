/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The step that limits: by user for who is known, by address for who is not,
 * requests without a good token included.  What is left is told in headers.
 */

#include "ngx_camera_api_core.h"
#include "ngx_camera_api_limit.h"


static ngx_int_t ngx_camera_api_throttle_count(ngx_camera_api_ctx_t *ctx,
    const ngx_camera_api_rate_t *rate);
static ngx_int_t ngx_camera_api_throttle_enter(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_throttle_id(ngx_camera_api_ctx_t *ctx);


ngx_int_t
ngx_camera_api_throttle(ngx_camera_api_ctx_t *ctx)
{
    ngx_int_t                    rc;
    ngx_camera_api_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(ctx->request, ngx_camera_api_module);

    rc = ngx_camera_api_throttle_count(ctx, ctx->principal
                                            ? &amcf->user_rate
                                            : &amcf->address_rate);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_camera_api_throttle_enter(ctx);
}


/* instead of 401, when too many of them came from there */

ngx_int_t
ngx_camera_api_refuse_nobody(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_code_e code)
{
    ngx_int_t                    rc;
    ngx_camera_api_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(ctx->request, ngx_camera_api_module);

    rc = ngx_camera_api_throttle_count(ctx, &amcf->address_rate);

    return rc == NGX_OK ? ngx_camera_api_refuse(ctx, code) : rc;
}


static ngx_int_t
ngx_camera_api_throttle_count(ngx_camera_api_ctx_t *ctx,
    const ngx_camera_api_rate_t *rate)
{
    ngx_int_t                      rc;
    ngx_str_t                      id;
    ngx_camera_api_limit_state_t  *limit;

    limit = ngx_pcalloc(ctx->request->pool,
                        sizeof(ngx_camera_api_limit_state_t));
    if (limit == NULL) {
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_INTERNAL_ERROR);
    }

    ngx_camera_api_throttle_id(ctx);

    id.data = ctx->limit_id;
    id.len = ctx->limit_id_len;

    rc = ngx_camera_api_limit_count(&id, rate, 1, limit);

    ctx->limit = limit;

    if (rc != NGX_OK) {
        ngx_camera_api_error_later(ctx, NGX_CAMERA_API_RATE_LIMIT_EXCEEDED,
                                   limit->reset);
        return NGX_DONE;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_throttle_enter(ngx_camera_api_ctx_t *ctx)
{
    ngx_int_t                    slot;
    ngx_str_t                    id;
    ngx_camera_api_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(ctx->request, ngx_camera_api_module);

    id.data = ctx->limit_id;
    id.len = ctx->limit_id_len;

    slot = ngx_camera_api_limit_enter(&id, amcf->concurrent);

    if (slot == NGX_BUSY) {
        return ngx_camera_api_refuse(ctx,
                                     NGX_CAMERA_API_CONCURRENT_LIMIT_EXCEEDED);
    }

    ctx->running = slot + 1;            /* 0: not counted */

    return NGX_OK;
}


void
ngx_camera_api_throttle_leave(ngx_camera_api_ctx_t *ctx)
{
    if (ctx->running) {
        ngx_camera_api_limit_leave(ctx->running - 1);
        ctx->running = 0;
    }
}


static void
ngx_camera_api_throttle_id(ngx_camera_api_ctx_t *ctx)
{
    if (ctx->principal) {
        cam_uuid_print((char *) ctx->limit_id, ctx->principal->user);
        ctx->limit_id_len = CAM_UUID_TEXT;
        return;
    }

    ctx->limit_id_len = ngx_camera_api_address(ctx->request, ctx->limit_id,
                                               sizeof(ctx->limit_id));
}


/* whoever has an IPv6 address has as a rule all those of its /64 */

size_t
ngx_camera_api_address(ngx_http_request_t *r, u_char *text, size_t size)
{
    size_t                len;
    struct sockaddr_in6   sin6, *peer;

    if (r->connection->sockaddr->sa_family != AF_INET6) {
        len = ngx_min(size, r->connection->addr_text.len);
        ngx_memcpy(text, r->connection->addr_text.data, len);
        return len;
    }

    peer = (struct sockaddr_in6 *) r->connection->sockaddr;

    ngx_memzero(&sin6, sizeof(struct sockaddr_in6));
    sin6.sin6_family = AF_INET6;

    if (IN6_IS_ADDR_V4MAPPED(&peer->sin6_addr)) {
        sin6.sin6_addr = peer->sin6_addr;

    } else {
        ngx_memcpy(&sin6.sin6_addr, &peer->sin6_addr, 8);
    }

    return ngx_sock_ntop((struct sockaddr *) &sin6,
                         sizeof(struct sockaddr_in6), text, size, 0);
}


ngx_int_t
ngx_camera_api_throttle_headers(ngx_camera_api_ctx_t *ctx)
{
    u_char                        *p;
    ngx_str_t                      policy, limit;
    ngx_camera_api_limit_state_t  *state;

    state = ctx->limit;

    if (state == NULL) {
        return NGX_OK;
    }

    p = ngx_pnalloc(ctx->request->pool, 128);
    if (p == NULL) {
        return NGX_ERROR;
    }

    policy.data = p;
    p = ngx_sprintf(p, "\"default\";q=%ui;w=%T", state->quota, state->window);
    policy.len = p - policy.data;

    limit.data = p;
    p = ngx_sprintf(p, "\"default\";r=%ui;t=%T", state->left, state->reset);
    limit.len = p - limit.data;

    if (ngx_camera_api_header(ctx, "RateLimit-Policy", &policy) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_camera_api_header(ctx, "RateLimit", &limit);
}
