/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Refresh tokens: the next pair for one, and the end of its session.
 *
 * A token comes in the body, or in the cookie, which browsers send along with
 * whatever a foreign page makes them ask; so the cookie counts only beside a
 * header that no foreign page can send.
 */

#include "ngx_camera_api_auth.h"
#include "ngx_camera_api_core.h"
#include "ngx_camera_api_token.h"


typedef struct {
    ngx_camera_api_auth_t  auth;
    u_char                 old[32];
    u_char                 hash[32];
} ngx_camera_api_refresh_t;


static ngx_int_t ngx_camera_api_refresh_find(ngx_camera_api_ctx_t *ctx,
    ngx_str_t *token, ngx_uint_t *cookie);
static ngx_uint_t ngx_camera_api_refresh_is_ours(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_refresh_rotated(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_refresh_refused(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_logout_by_access(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_logout_done(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);


ngx_camera_api_statement_t  ngx_camera_api_auth_rotate = {
    "api_session_rotate",
    "SELECT user_id, tenant_id, username, role::text, outcome, sid, expires_at"
    " FROM api_session_rotate($1, $2, NULL)",
    2, 0, 0
};

ngx_camera_api_statement_t  ngx_camera_api_auth_close = {
    "api_session_close",
    "SELECT api_session_close($1)",
    1, 0, 0
};

ngx_camera_api_statement_t  ngx_camera_api_auth_end = {
    "api_session_end",
    "SELECT api_session_end($1, 'logout')",
    1, 0, 0
};


static const char  ngx_camera_api_refresh_message[] =
    "The refresh token is not valid, or no longer: log in again.";


void
ngx_camera_api_auth_refresh(ngx_camera_api_ctx_t *ctx)
{
    ngx_int_t                  rc;
    ngx_str_t                  token;
    ngx_camera_api_refresh_t  *refresh;

    refresh = ngx_pcalloc(ctx->request->pool,
                          sizeof(ngx_camera_api_refresh_t));

    if (refresh == NULL
        || ngx_camera_api_auth_renew(&refresh->auth, refresh->hash) != NGX_OK)
    {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    ctx->data = refresh;

    rc = ngx_camera_api_refresh_find(ctx, &token, &refresh->auth.cookie);

    if (rc == NGX_DECLINED) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_TOKEN_MISSING,
                             "Log in first: there is no refresh token.");
    }

    if (rc != NGX_OK) {
        return;
    }

    cam_token_sha256(refresh->old, (char *) token.data, token.len);

    ngx_camera_api_param_binary(ctx, refresh->old, sizeof(refresh->old));
    ngx_camera_api_param_binary(ctx, refresh->hash, sizeof(refresh->hash));

    ngx_camera_api_query(ctx, &ngx_camera_api_auth_rotate,
                         ngx_camera_api_refresh_rotated);
}


/* NGX_DECLINED: there is none, NGX_DONE: answered */

static ngx_int_t
ngx_camera_api_refresh_find(ngx_camera_api_ctx_t *ctx, ngx_str_t *token,
    ngx_uint_t *cookie)
{
    *cookie = 0;

    if (ctx->body[0].text) {
        token->data = (u_char *) ctx->body[0].text;
        token->len = ctx->body[0].len;
        return NGX_OK;
    }

    if (ngx_camera_api_auth_cookie_get(ctx, token) != NGX_OK) {
        return NGX_DECLINED;
    }

    *cookie = 1;

    if (ngx_camera_api_refresh_is_ours(ctx)) {
        return NGX_OK;
    }

    ngx_camera_api_problem(ctx, "X-Requested-With",
                           "must be \"camera\" beside the cookie");

    return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_VALIDATION_FAILED);
}


static ngx_uint_t
ngx_camera_api_refresh_is_ours(ngx_camera_api_ctx_t *ctx)
{
    ngx_str_t  *value;

    value = ngx_camera_api_header_in(ctx->request, "x-requested-with");

    return value && value->len == 6
           && ngx_strncmp(value->data, "camera", 6) == 0;
}


static void
ngx_camera_api_refresh_rotated(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    ngx_camera_api_auth_t     *auth;
    ngx_camera_api_refresh_t  *refresh;

    refresh = ctx->data;
    auth = &refresh->auth;

    if (ngx_strcmp(PQgetvalue(res, 0, 4), "rotated") != 0) {
        ngx_camera_api_refresh_refused(ctx, res);
        return;
    }

    ngx_camera_api_auth_read(auth, res);

    ngx_memcpy(auth->principal.sid, PQgetvalue(res, 0, 5), CAM_UUID_LEN);
    auth->expires = ngx_camera_api_msec(res, 0, 6);

    ngx_camera_api_auth_send(ctx, auth);
}


/* its access tokens are refused from now on, here before the NOTIFY comes */

static void
ngx_camera_api_refresh_refused(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    char  sid[CAM_UUID_TEXT + 1];

    if (ngx_strcmp(PQgetvalue(res, 0, 4), "reused") == 0) {

        ngx_camera_api_session_drop((u_char *) PQgetvalue(res, 0, 5));
        cam_uuid_print(sid, (uint8_t *) PQgetvalue(res, 0, 5));

        ngx_log_error(NGX_LOG_WARN, ctx->request->connection->log, 0,
                      "a refresh token was used twice, its session \"%s\" was "
                      "ended", sid);
    }

    ngx_camera_api_error(ctx, NGX_CAMERA_API_TOKEN_INVALID,
                         ngx_camera_api_refresh_message);
}


void
ngx_camera_api_auth_logout(ngx_camera_api_ctx_t *ctx)
{
    u_char      *hash;
    ngx_int_t    rc;
    ngx_str_t    token;
    ngx_uint_t   cookie;

    rc = ngx_camera_api_refresh_find(ctx, &token, &cookie);

    if (rc == NGX_DECLINED) {
        ngx_camera_api_logout_by_access(ctx);
        return;
    }

    if (rc != NGX_OK) {
        return;
    }

    hash = ngx_pnalloc(ctx->request->pool, 32);

    if (hash == NULL
        || (cookie && ngx_camera_api_auth_cookie_remove(ctx) != NGX_OK))
    {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    cam_token_sha256(hash, (char *) token.data, token.len);

    ngx_camera_api_param_binary(ctx, hash, 32);

    ngx_camera_api_query(ctx, &ngx_camera_api_auth_close,
                         ngx_camera_api_logout_done);
}


/* a signature is enough: to end what has ended is no error */

static void
ngx_camera_api_logout_by_access(ngx_camera_api_ctx_t *ctx)
{
    u_char                      *sid;
    ngx_int_t                    rc;
    ngx_str_t                    text;
    cam_token_t                  token;
    ngx_camera_api_main_conf_t  *amcf;

    rc = ngx_camera_api_bearer(ctx->request, &text);

    if (rc == NGX_DECLINED) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_TOKEN_MISSING, NULL);
        return;
    }

    amcf = ngx_http_get_module_main_conf(ctx->request, ngx_camera_api_module);

    if (rc != NGX_OK
        || ngx_camera_api_token_verify(amcf->keys, &text, &token) != NGX_OK)
    {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_TOKEN_INVALID, NULL);
        return;
    }

    sid = ngx_pnalloc(ctx->request->pool, CAM_UUID_LEN);
    if (sid == NULL) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    ngx_memcpy(sid, token.sid, CAM_UUID_LEN);
    ctx->data = sid;

    ngx_camera_api_param_uuid(ctx, sid);

    ngx_camera_api_query(ctx, &ngx_camera_api_auth_end,
                         ngx_camera_api_logout_done);
}


static void
ngx_camera_api_logout_done(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    if (ctx->data) {
        ngx_camera_api_session_drop(ctx->data);
    }

    ngx_camera_api_send(ctx, NGX_HTTP_NO_CONTENT);
}
