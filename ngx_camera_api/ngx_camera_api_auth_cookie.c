/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The cookie of a refresh token: no script reads it, no foreign site sends it,
 * and no other part of ours gets it.
 */

#include "ngx_camera_api_auth.h"

#define NGX_CAMERA_API_AUTH_COOKIE       "camera_refresh"
#define NGX_CAMERA_API_AUTH_COOKIE_PATH  "/api/v1/auth"


ngx_int_t
ngx_camera_api_auth_cookie_get(ngx_camera_api_ctx_t *ctx, ngx_str_t *token)
{
    static ngx_str_t  name = ngx_string(NGX_CAMERA_API_AUTH_COOKIE);

    return ngx_http_parse_multi_header_lines(&ctx->request->headers_in.cookies,
                                             &name, token)
           == NGX_DECLINED ? NGX_DECLINED : NGX_OK;
}


ngx_int_t
ngx_camera_api_auth_cookie_set(ngx_camera_api_ctx_t *ctx, const char *token,
    time_t seconds)
{
    u_char     *p;
    ngx_str_t   value;

    p = ngx_pnalloc(ctx->request->pool, 160 + CAM_TOKEN_REFRESH_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;

    p = ngx_sprintf(p, NGX_CAMERA_API_AUTH_COOKIE "=%s; Path="
                    NGX_CAMERA_API_AUTH_COOKIE_PATH
                    "; HttpOnly; SameSite=Strict", token);

    if (*token == '\0' || seconds) {
        p = ngx_sprintf(p, "; Max-Age=%T", seconds);
    }

    if (ctx->request->connection->ssl) {
        p = ngx_cpymem(p, "; Secure", sizeof("; Secure") - 1);
    }

    value.len = p - value.data;

    return ngx_camera_api_header(ctx, "Set-Cookie", &value);
}


ngx_int_t
ngx_camera_api_auth_cookie_remove(ngx_camera_api_ctx_t *ctx)
{
    return ngx_camera_api_auth_cookie_set(ctx, "", 0);
}
