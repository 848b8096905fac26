/*
 * Copyright (C) The nginx camera platform authors
 */

/* What somebody who logged in is given: tokens, and who they are. */

#include "ngx_camera_api_auth.h"


static ngx_int_t ngx_camera_api_auth_sign(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_auth_t *auth, char *text, time_t *ttl);
static ngx_int_t ngx_camera_api_auth_put_refresh(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_auth_t *auth);


ngx_int_t
ngx_camera_api_auth_read(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_auth_t *auth, const PGresult *res, int column)
{
    ngx_camera_api_principal_t  *p;

    p = &auth->principal;

    ngx_memcpy(p->user, PQgetvalue(res, 0, column), CAM_UUID_LEN);
    ngx_memcpy(p->tenant, PQgetvalue(res, 0, column + 1), CAM_UUID_LEN);

    ngx_cpystrn(p->username, (u_char *) PQgetvalue(res, 0, column + 2),
                sizeof(p->username));

    p->role = cam_role_parse(PQgetvalue(res, 0, column + 4),
                             PQgetlength(res, 0, column + 4));
    p->permissions = cam_role_permissions(p->role);

    cam_uuid_print((char *) p->tenant_uuid, p->tenant);
    p->tenant_text.data = p->tenant_uuid;
    p->tenant_text.len = CAM_UUID_TEXT;

    ngx_str_null(&auth->email);

    if (PQgetisnull(res, 0, column + 3)) {
        return NGX_OK;
    }

    auth->email.len = PQgetlength(res, 0, column + 3);
    auth->email.data = ngx_pnalloc(ctx->request->pool, auth->email.len);

    if (auth->email.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(auth->email.data, PQgetvalue(res, 0, column + 3),
               auth->email.len);

    return NGX_OK;
}


ngx_int_t
ngx_camera_api_auth_renew(ngx_camera_api_auth_t *auth, u_char hash[32])
{
    if (cam_token_refresh(auth->refresh) != 0) {
        return NGX_ERROR;
    }

    cam_token_sha256(hash, auth->refresh, CAM_TOKEN_REFRESH_LEN);

    return NGX_OK;
}


void
ngx_camera_api_auth_send(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_auth_t *auth)
{
    char    text[CAM_TOKEN_MAX];
    time_t  ttl;

    /* for the access log */

    ctx->principal = &auth->principal;

    if (ngx_camera_api_auth_sign(ctx, auth, text, &ttl) != NGX_OK) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    ngx_camera_api_begin(ctx, NULL, '{');
    ngx_camera_api_put_string(ctx, "accessToken", text);
    ngx_camera_api_put_string(ctx, "tokenType", "Bearer");
    ngx_camera_api_put_int(ctx, "expiresIn", ttl);

    if (ngx_camera_api_auth_put_refresh(ctx, auth) != NGX_OK) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    ngx_camera_api_auth_copy(auth);

    ngx_camera_api_put_time(ctx, "refreshExpiresAt", auth->expires);
    ngx_camera_api_auth_put_user(ctx, "user", &auth->principal, &auth->email);
    ngx_camera_api_end(ctx, '}');

    ngx_camera_api_send(ctx, NGX_HTTP_OK);
}


/* not for longer than the session may last */

static ngx_int_t
ngx_camera_api_auth_sign(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_auth_t *auth, char *text, time_t *ttl)
{
    cam_token_t                  token;
    ngx_camera_api_auth_conf_t  *conf;
    ngx_camera_api_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(ctx->request, ngx_camera_api_module);
    conf = ngx_http_get_module_main_conf(ctx->request,
                                         ngx_camera_api_auth_module);

    ngx_memzero(&token, sizeof(cam_token_t));

    token.use = CAM_KEY_ACCESS;
    token.role = auth->principal.role;
    token.issued = ngx_time();
    token.expires = ngx_min(token.issued + conf->access_ttl,
                            auth->expires / 1000);

    ngx_memcpy(token.user, auth->principal.user, CAM_UUID_LEN);
    ngx_memcpy(token.tenant, auth->principal.tenant, CAM_UUID_LEN);
    ngx_memcpy(token.sid, auth->principal.sid, CAM_UUID_LEN);

    *ttl = (time_t) (token.expires - token.issued);

    if (cam_token_sign(amcf->keys, &token, text, CAM_TOKEN_MAX) == -1) {
        ngx_log_error(NGX_LOG_ALERT, ctx->request->connection->log, ngx_errno,
                      "cam_token_sign() failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* a session of more than a day is one that outlives the browser */

static ngx_int_t
ngx_camera_api_auth_put_refresh(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_auth_t *auth)
{
    time_t  left;

    if (!auth->cookie) {
        ngx_camera_api_put_string(ctx, "refreshToken", auth->refresh);
        return NGX_OK;
    }

    left = (time_t) (auth->expires / 1000) - ngx_time();

    return ngx_camera_api_auth_cookie_set(ctx, auth->refresh,
                              left > NGX_CAMERA_API_AUTH_DAY + 60 ? left : 0);
}


void
ngx_camera_api_auth_put_user(ngx_camera_api_ctx_t *ctx, const char *name,
    const ngx_camera_api_principal_t *principal, const ngx_str_t *email)
{
    ngx_camera_api_begin(ctx, name, '{');
    ngx_camera_api_put_uuid(ctx, "id", principal->user);
    ngx_camera_api_put_uuid(ctx, "tenantId", principal->tenant);
    ngx_camera_api_put_string(ctx, "username", (char *) principal->username);

    if (email->data) {
        ngx_camera_api_put_text(ctx, "email", email->data, email->len);

    } else {
        ngx_camera_api_put_null(ctx, "email");
    }

    ngx_camera_api_put_string(ctx, "role", cam_role_name(principal->role));
    ngx_camera_api_put_permissions(ctx, "permissions",
                                   principal->permissions);
    ngx_camera_api_end(ctx, '}');
}
