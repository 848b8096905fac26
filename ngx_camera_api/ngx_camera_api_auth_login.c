/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Logging in.
 *
 *     limit ─► find the user ─► compare the password ─► open a session ─► answer
 *
 * A user who does not exist, or may not log in, takes the same steps up to the
 * comparison, and the same answer: neither words nor a clock say which users
 * there are.  That includes api_only, whose role the right password would give
 * away otherwise.
 */

#include "ngx_camera_api_audit.h"
#include "ngx_camera_api_auth.h"
#include "ngx_camera_api_login_limit.h"
#include "ngx_camera_api_password.h"

#define NGX_CAMERA_API_LOGIN_USERNAME  0     /* fields of the body */
#define NGX_CAMERA_API_LOGIN_PASSWORD  1
#define NGX_CAMERA_API_LOGIN_REMEMBER  2
#define NGX_CAMERA_API_LOGIN_COOKIE    3


typedef struct {
    ngx_camera_api_login_attempt_t  attempt;
    ngx_camera_api_auth_t           auth;
    ngx_uint_t                      known;
    ngx_uint_t                      usable;
    time_t                          ttl;
    u_char                          hash[32];   /* of the refresh token */
} ngx_camera_api_login_t;


static ngx_camera_api_login_t *ngx_camera_api_login_create(
    ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_login_start(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_login_t *login);
static void ngx_camera_api_login_found(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_login_compared(ngx_camera_api_ctx_t *ctx,
    ngx_uint_t right, const char *made);
static void ngx_camera_api_login_opened(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);


ngx_camera_api_statement_t  ngx_camera_api_auth_find = {
    "api_user_for_login",
    "SELECT user_id, tenant_id, username, role::text, usable, password_hash"
    " FROM api_user_for_login($1)",
    1, 0, 0
};

ngx_camera_api_statement_t  ngx_camera_api_auth_open = {
    "api_session_open",
    "SELECT api_session_open($1, $2, $3, $4, $5)",
    5, 0, 0
};


void
ngx_camera_api_auth_login(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_login_t  *login;

    login = ngx_camera_api_login_create(ctx);

    if (login == NULL) {
        return;
    }

    login->auth.cookie = ctx->body[NGX_CAMERA_API_LOGIN_COOKIE].number != 0;

    if (ctx->body[NGX_CAMERA_API_LOGIN_REMEMBER].number) {
        login->ttl = NGX_CAMERA_API_AUTH_REMEMBER;
    }

    ngx_camera_api_login_start(ctx, login);
}


/* its body has the first two fields alone, under names of its own */

void
ngx_camera_api_auth_login_alias(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_login_t  *login;

    login = ngx_camera_api_login_create(ctx);

    if (login == NULL) {
        return;
    }

    login->auth.alias = 1;

    ngx_camera_api_login_start(ctx, login);
}


static ngx_camera_api_login_t *
ngx_camera_api_login_create(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_login_t  *login;

    login = ngx_pcalloc(ctx->request->pool, sizeof(ngx_camera_api_login_t));

    if (login == NULL) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return NULL;
    }

    login->ttl = NGX_CAMERA_API_AUTH_DAY;

    return login;
}


static void
ngx_camera_api_login_start(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_login_t *login)
{
    const cam_value_t  *name;

    ctx->data = login;

    name = &ctx->body[NGX_CAMERA_API_LOGIN_USERNAME];

    if (ngx_camera_api_login_begin(ctx, &login->attempt, name->text, name->len)
        != NGX_OK)
    {
        return;
    }

    ngx_camera_api_param_value(ctx, name);

    ngx_camera_api_query(ctx, &ngx_camera_api_auth_find,
                         ngx_camera_api_login_found);
}


static void
ngx_camera_api_login_found(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    ngx_str_t                hash;
    ngx_camera_api_login_t  *login;

    login = ctx->data;

    ngx_str_null(&hash);

    if (PQntuples(res)) {
        ngx_camera_api_auth_read(&login->auth, res);

        login->known = 1;
        login->usable = *PQgetvalue(res, 0, 4) != 0;

        hash.data = (u_char *) PQgetvalue(res, 0, 5);
        hash.len = PQgetlength(res, 0, 5);
    }

    ngx_camera_api_password(ctx, &hash,
                            &ctx->body[NGX_CAMERA_API_LOGIN_PASSWORD], NULL,
                            ngx_camera_api_login_compared);
}


static void
ngx_camera_api_login_compared(ngx_camera_api_ctx_t *ctx, ngx_uint_t right,
    const char *made)
{
    ngx_camera_api_login_t  *login;

    login = ctx->data;

    ngx_camera_api_login_judged(&login->attempt, right && login->usable);

    if (!right && login->known) {
        ngx_camera_api_audit_login_failed(ctx, login->auth.principal.user);
    }

    if (!right || !login->usable) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_CREDENTIALS_INVALID, NULL);
        return;
    }

    if (ngx_camera_api_auth_renew(&login->auth, login->hash) != NGX_OK) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    ngx_camera_api_param_uuid(ctx, login->auth.principal.user);
    ngx_camera_api_param_binary(ctx, login->hash, sizeof(login->hash));
    ngx_camera_api_param_int(ctx, login->ttl);
    ngx_camera_api_param_text(ctx, ngx_camera_api_auth_agent(ctx));
    ngx_camera_api_param_text(ctx, ngx_camera_api_auth_address(ctx));

    ngx_camera_api_query(ctx, &ngx_camera_api_auth_open,
                         ngx_camera_api_login_opened);
}


static void
ngx_camera_api_login_opened(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    ngx_camera_api_login_t  *login;

    login = ctx->data;

    /* disabled since it was found */

    if (PQgetisnull(res, 0, 0)) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_CREDENTIALS_INVALID, NULL);
        return;
    }

    ngx_memcpy(login->auth.principal.sid, PQgetvalue(res, 0, 0),
               CAM_UUID_LEN);

    ngx_camera_api_auth_begins(&login->auth, login->ttl);
    ngx_camera_api_auth_send(ctx, &login->auth);
}
