/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Principals: who sent this request, by the credential it carries.  An access
 * token is good when its signature is and its session stands, an API token when
 * the database knows it; see ngx_camera_api_identify.c.
 */

#include "ngx_camera_api_core.h"


static ngx_int_t ngx_camera_api_principal_stranger(void *data);
static void ngx_camera_api_identified(void *data, ngx_camera_api_code_e code);


ngx_int_t
ngx_camera_api_authenticate(ngx_camera_api_ctx_t *ctx)
{
    ngx_int_t                   rc;
    ngx_str_t                   token;
    ngx_camera_api_identity_t  *identity;

    if (ctx->route->needs == NGX_CAMERA_API_PUBLIC) {
        return NGX_OK;
    }

    rc = ngx_camera_api_credential(ctx->request, &token);

    if (rc == NGX_DECLINED) {
        return NGX_OK;                  /* see ngx_camera_api_authorize() */
    }

    if (rc != NGX_OK) {
        return ngx_camera_api_refuse_counted(ctx, NGX_CAMERA_API_TOKEN_INVALID,
                                             NULL);
    }

    identity = ngx_pcalloc(ctx->request->pool,
                           sizeof(ngx_camera_api_identity_t));
    if (identity == NULL) {
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_INTERNAL_ERROR);
    }

    identity->handler = ngx_camera_api_identified;
    identity->stranger = ngx_camera_api_principal_stranger;
    identity->data = ctx;
    identity->peer = ctx->request->connection->sockaddr;

    ctx->identity = identity;

    rc = ngx_camera_api_identify(identity, &token);

    if (rc == NGX_OK) {
        ctx->principal = &identity->principal;

    } else if (rc == NGX_DECLINED) {
        return ngx_camera_api_refuse_counted(ctx, NGX_CAMERA_API_TOKEN_INVALID,
                                             NULL);

    } else if (rc == NGX_BUSY) {
        return ngx_camera_api_refuse_counted(ctx,
                                     NGX_CAMERA_API_RATE_LIMIT_EXCEEDED, NULL);

    } else if (rc == NGX_ERROR) {
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_SERVICE_UNAVAILABLE);

    } else {
        ctx->request->read_event_handler = ngx_http_test_reading;
    }

    return rc;
}


ngx_int_t
ngx_camera_api_authenticate_late(ngx_camera_api_ctx_t *ctx)
{
    if (!ctx->late || ctx->principal == NULL) {
        return NGX_OK;
    }

    ctx->principal = NULL;

    return ngx_camera_api_authenticate(ctx);
}


static ngx_int_t
ngx_camera_api_principal_stranger(void *data)
{
    return ngx_camera_api_throttle_stranger(data);
}


static void
ngx_camera_api_identified(void *data, ngx_camera_api_code_e code)
{
    ngx_connection_t      *c;
    ngx_camera_api_ctx_t  *ctx = data;

    if (code == NGX_CAMERA_API_OK) {
        ctx->principal = &ctx->identity->principal;
        ngx_camera_api_resume(ctx);
        return;
    }

    c = ctx->request->connection;

    ngx_http_set_log_request(c->log, ctx->request);

    if (code == NGX_CAMERA_API_TOKEN_INVALID) {
        (void) ngx_camera_api_refuse_counted(ctx, code, NULL);

    } else {
        ngx_camera_api_error(ctx, code, NULL);
    }

    ngx_http_run_posted_requests(c);
}
