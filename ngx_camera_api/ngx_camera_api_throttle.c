/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The step that limits: by API token or by user, and by tenant, for who is
 * known; by address for who is not, requests without a good token included.
 * Where one of them refuses, none has counted.  What is left is told in
 * headers.
 */

#include "ngx_camera_api_core.h"
#include "ngx_camera_api_limit.h"
#include "ngx_camera_api_usage.h"


static ngx_int_t ngx_camera_api_throttle_request(ngx_camera_api_ctx_t *ctx);
static ngx_int_t ngx_camera_api_throttle_count(ngx_camera_api_ctx_t *ctx,
    const ngx_camera_api_principal_t *principal);
static ngx_int_t ngx_camera_api_throttle_refuse(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_throttle_known(ngx_camera_api_ctx_t *ctx,
    const ngx_camera_api_principal_t *principal);
static ngx_camera_api_limit_t *ngx_camera_api_throttle_add(
    ngx_camera_api_ctx_t *ctx, ngx_camera_api_policy_e policy,
    const ngx_camera_api_rate_t *rate);
static ngx_int_t ngx_camera_api_throttle_enter(ngx_camera_api_ctx_t *ctx);


ngx_int_t
ngx_camera_api_throttle(ngx_camera_api_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_camera_api_throttle_request(ctx);

    return rc == NGX_OK ? ngx_camera_api_throttle_enter(ctx) : rc;
}


/* instead of 401 or 403, when there were too many of them */

ngx_int_t
ngx_camera_api_refuse_counted(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_code_e code, const char *message)
{
    ngx_int_t  rc;

    /* one that is late was counted */

    rc = ctx->late ? NGX_OK : ngx_camera_api_throttle_request(ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_camera_api_error(ctx, code, message);

    return NGX_DONE;
}


static ngx_int_t
ngx_camera_api_throttle_request(ngx_camera_api_ctx_t *ctx)
{
    ngx_int_t                          rc;
    const ngx_camera_api_principal_t  *principal;

    principal = ctx->principal;

    rc = ngx_camera_api_throttle_count(ctx, principal);

    if (rc != NGX_DONE && principal
        && principal->kind == NGX_CAMERA_API_TOKEN)
    {
        ngx_camera_api_usage_count(principal->token, 0);
    }

    return rc;
}


ngx_int_t
ngx_camera_api_throttle_stranger(ngx_camera_api_ctx_t *ctx)
{
    u_char                         text[NGX_CAMERA_API_LIMIT_ID];
    ngx_str_t                      id;
    ngx_camera_api_main_conf_t    *amcf;
    ngx_camera_api_limit_state_t   state;

    amcf = ngx_http_get_module_main_conf(ctx->request, ngx_camera_api_module);

    id.data = text;
    id.len = ngx_camera_api_address(ctx->request, text, sizeof(text));

    return ngx_camera_api_limit_count(&id, &amcf->address_rate, 0, &state);
}


static ngx_int_t
ngx_camera_api_throttle_count(ngx_camera_api_ctx_t *ctx,
    const ngx_camera_api_principal_t *principal)
{
    ngx_camera_api_limit_t      *limit;
    ngx_camera_api_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(ctx->request, ngx_camera_api_module);

    ctx->nlimits = 0;
    ctx->limits = ngx_palloc(ctx->request->pool,
                             NGX_CAMERA_API_LIMITS
                             * sizeof(ngx_camera_api_limit_t));

    if (ctx->limits == NULL) {
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_INTERNAL_ERROR);
    }

    if (principal) {
        ngx_camera_api_throttle_known(ctx, principal);

    } else {
        limit = ngx_camera_api_throttle_add(ctx,
                                            NGX_CAMERA_API_POLICY_ADDRESS,
                                            &amcf->address_rate);
        limit->len = ngx_camera_api_address(ctx->request, limit->id,
                                            NGX_CAMERA_API_LIMIT_ID);
    }

    if (ngx_camera_api_limit_count_all(ctx->limits, ctx->nlimits) == NGX_OK) {
        return NGX_OK;
    }

    if (principal && principal->kind == NGX_CAMERA_API_TOKEN) {
        ngx_camera_api_usage_count(principal->token, 1);
    }

    return ngx_camera_api_throttle_refuse(ctx);
}


/* until none of them refuses any more; the first one that does is counted */

static ngx_int_t
ngx_camera_api_throttle_refuse(ngx_camera_api_ctx_t *ctx)
{
    time_t                   reset;
    ngx_uint_t               i;
    ngx_camera_api_limit_t  *limit, *first;

    reset = 0;
    first = NULL;

    for (i = 0; i < ctx->nlimits; i++) {
        limit = &ctx->limits[i];

        if (limit->state.left == 0) {
            first = first ? first : limit;
            reset = ngx_max(reset, limit->state.reset);
        }
    }

    if (first) {
        ngx_camera_api_metrics_limited(first->policy);
    }

    ngx_camera_api_error_later(ctx, NGX_CAMERA_API_RATE_LIMIT_EXCEEDED, reset);

    return NGX_DONE;
}


static void
ngx_camera_api_throttle_known(ngx_camera_api_ctx_t *ctx,
    const ngx_camera_api_principal_t *principal)
{
    u_char                      *p;
    ngx_camera_api_rate_t        rate;
    ngx_camera_api_limit_t      *limit;
    ngx_camera_api_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(ctx->request, ngx_camera_api_module);

    if (principal->kind == NGX_CAMERA_API_TOKEN) {
        limit = ngx_camera_api_throttle_add(ctx, NGX_CAMERA_API_POLICY_TOKEN,
                                            &principal->rate);
        cam_uuid_print((char *) limit->id, principal->token);

    } else {
        limit = ngx_camera_api_throttle_add(ctx, NGX_CAMERA_API_POLICY_USER,
                                            &amcf->user_rate);
        cam_uuid_print((char *) limit->id, principal->user);
    }

    limit->len = CAM_UUID_TEXT;

    rate = amcf->tenant_rate;

    if (principal->tenant_requests) {
        rate.requests = principal->tenant_requests;
        rate.seconds = 3600;
    }

    if (rate.requests) {
        limit = ngx_camera_api_throttle_add(ctx, NGX_CAMERA_API_POLICY_TENANT,
                                            &rate);

        p = ngx_cpymem(limit->id, "tenant:", sizeof("tenant:") - 1);
        p = ngx_cpymem(p, principal->tenant_uuid, CAM_UUID_TEXT);
        limit->len = p - limit->id;
    }
}


static ngx_camera_api_limit_t *
ngx_camera_api_throttle_add(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_policy_e policy, const ngx_camera_api_rate_t *rate)
{
    ngx_camera_api_limit_t  *limit;

    limit = &ctx->limits[ctx->nlimits++];

    limit->policy = policy;
    limit->rate = *rate;

    return limit;
}


/* the first limit is that of who asks */

static ngx_int_t
ngx_camera_api_throttle_enter(ngx_camera_api_ctx_t *ctx)
{
    ngx_int_t                    slot;
    ngx_str_t                    id;
    ngx_uint_t                   max;
    ngx_camera_api_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(ctx->request, ngx_camera_api_module);
    max = amcf->concurrent;

    if (ctx->principal && ctx->principal->kind == NGX_CAMERA_API_TOKEN) {
        max = ctx->principal->concurrent ? ctx->principal->concurrent
                                         : amcf->token_concurrent;
    }

    id.data = ctx->limits[0].id;
    id.len = ctx->limits[0].len;

    slot = ngx_camera_api_limit_enter(&id, max);

    if (slot == NGX_BUSY) {
        ngx_camera_api_metrics_limited(NGX_CAMERA_API_POLICY_CONCURRENT);

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
    u_char                  *p, *q;
    ngx_str_t                policy, limit;
    ngx_uint_t               i;
    const char              *comma, *name;
    ngx_camera_api_limit_t  *one;

    if (ctx->nlimits == 0) {
        return NGX_OK;
    }

    p = ngx_pnalloc(ctx->request->pool, 2 * 80 * NGX_CAMERA_API_LIMITS);
    if (p == NULL) {
        return NGX_ERROR;
    }

    q = p + 80 * NGX_CAMERA_API_LIMITS;

    policy.data = p;
    limit.data = q;

    for (i = 0; i < ctx->nlimits; i++) {
        one = &ctx->limits[i];
        name = ngx_camera_api_policy_name(one->policy);
        comma = i ? ", " : "";

        p = ngx_sprintf(p, "%s\"%s\";q=%ui;w=%T", comma, name,
                        one->state.quota, one->state.window);
        q = ngx_sprintf(q, "%s\"%s\";r=%ui;t=%T", comma, name,
                        one->state.left, one->state.reset);
    }

    policy.len = p - policy.data;
    limit.len = q - limit.data;

    if (ngx_camera_api_header(ctx, "RateLimit-Policy", &policy) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_camera_api_header(ctx, "RateLimit", &limit);
}
