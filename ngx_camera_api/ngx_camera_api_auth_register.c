/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Signing up: a tenant and its first user, who is its admin.
 *
 *     policy ─► limit ─► hash the password ─► tenant, user, session ─► answer
 *
 * Whose address somebody has is told here and nowhere else, so whoever wants to
 * know many has to be slow: the limit counts what fails, too.
 */

#include "ngx_camera_api_auth.h"
#include "ngx_camera_api_core.h"
#include "ngx_camera_api_password.h"

#define NGX_CAMERA_API_REGISTER_TENANT    0   /* fields of the body */
#define NGX_CAMERA_API_REGISTER_EMAIL     1
#define NGX_CAMERA_API_REGISTER_PASSWORD  2
#define NGX_CAMERA_API_REGISTER_NAME      3
#define NGX_CAMERA_API_REGISTER_COOKIE    4

#define NGX_CAMERA_API_REGISTER_ID        "register:"


typedef struct {
    ngx_camera_api_auth_t  auth;
    u_char                 hash[32];          /* of the refresh token */
    u_char                 password[CAM_PASSWORD_HASH_LEN + 1];
} ngx_camera_api_register_t;


static void ngx_camera_api_register_start(ngx_camera_api_ctx_t *ctx,
    ngx_uint_t cookie, ngx_uint_t alias);
static ngx_int_t ngx_camera_api_register_check(ngx_camera_api_ctx_t *ctx);
static ngx_int_t ngx_camera_api_register_count(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_auth_conf_t *conf);
static void ngx_camera_api_register_hashed(ngx_camera_api_ctx_t *ctx,
    ngx_uint_t right, const char *made);
static void ngx_camera_api_register_entered(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);


ngx_camera_api_statement_t  ngx_camera_api_auth_enter = {
    "api_register",
    "SELECT user_id, tenant_id, username, role::text, sid"
    " FROM api_register($1, $2, $3, $4, $5, $6, $7, $8)",
    8, 0, 0
};


void
ngx_camera_api_auth_register(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_register_start(ctx,
                  ctx->body[NGX_CAMERA_API_REGISTER_COOKIE].number != 0, 0);
}


void
ngx_camera_api_auth_register_alias(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_register_start(ctx, 0, 1);
}


static void
ngx_camera_api_register_start(ngx_camera_api_ctx_t *ctx, ngx_uint_t cookie,
    ngx_uint_t alias)
{
    ngx_camera_api_register_t   *newcomer;
    ngx_camera_api_auth_conf_t  *conf;

    conf = ngx_http_get_module_main_conf(ctx->request,
                                         ngx_camera_api_auth_module);

    if (!conf->registration) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_REGISTRATION_CLOSED, NULL);
        return;
    }

    if (ngx_camera_api_register_check(ctx) != NGX_OK
        || ngx_camera_api_register_count(ctx, conf) != NGX_OK)
    {
        return;
    }

    newcomer = ngx_pcalloc(ctx->request->pool,
                           sizeof(ngx_camera_api_register_t));

    if (newcomer == NULL
        || ngx_camera_api_auth_renew(&newcomer->auth, newcomer->hash)
           != NGX_OK)
    {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    newcomer->auth.cookie = cookie;
    newcomer->auth.alias = alias;
    newcomer->auth.created = 1;

    ctx->data = newcomer;

    ngx_camera_api_password(ctx, NULL, NULL,
                            &ctx->body[NGX_CAMERA_API_REGISTER_PASSWORD],
                            ngx_camera_api_register_hashed);
}


/* NGX_OK, or NGX_DONE: answered */

static ngx_int_t
ngx_camera_api_register_check(ngx_camera_api_ctx_t *ctx)
{
    const char         *wrong;
    const cam_value_t  *email, *password;

    email = &ctx->body[NGX_CAMERA_API_REGISTER_EMAIL];
    password = &ctx->body[NGX_CAMERA_API_REGISTER_PASSWORD];

    wrong = cam_password_check(password->text, password->len, email->text,
                               email->len);

    if (wrong) {
        ngx_camera_api_problem(ctx, "password", wrong);
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_VALIDATION_FAILED);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_register_count(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_auth_conf_t *conf)
{
    u_char                         text[NGX_CAMERA_API_LIMIT_ID], *p;
    ngx_str_t                      id;
    ngx_camera_api_limit_state_t   state;

    p = ngx_cpymem(text, NGX_CAMERA_API_REGISTER_ID,
                   sizeof(NGX_CAMERA_API_REGISTER_ID) - 1);
    p += ngx_camera_api_address(ctx->request, p, text + sizeof(text) - p);

    id.data = text;
    id.len = p - text;

    if (ngx_camera_api_limit_count(&id, &conf->register_rate, 1, &state)
        == NGX_OK)
    {
        return NGX_OK;
    }

    ngx_camera_api_metrics_limited(NGX_CAMERA_API_POLICY_REGISTER);
    ngx_camera_api_error_later(ctx, NGX_CAMERA_API_RATE_LIMIT_EXCEEDED,
                               state.reset);
    return NGX_DONE;
}


static void
ngx_camera_api_register_hashed(ngx_camera_api_ctx_t *ctx, ngx_uint_t right,
    const char *made)
{
    ngx_camera_api_register_t  *newcomer;

    newcomer = ctx->data;

    ngx_cpystrn(newcomer->password, (u_char *) made,
                sizeof(newcomer->password));

    ngx_camera_api_param_value(ctx,
                               &ctx->body[NGX_CAMERA_API_REGISTER_TENANT]);
    ngx_camera_api_param_value(ctx, &ctx->body[NGX_CAMERA_API_REGISTER_EMAIL]);
    ngx_camera_api_param_text(ctx, (char *) newcomer->password);
    ngx_camera_api_param_value(ctx, &ctx->body[NGX_CAMERA_API_REGISTER_NAME]);
    ngx_camera_api_param_binary(ctx, newcomer->hash, sizeof(newcomer->hash));
    ngx_camera_api_param_int(ctx, NGX_CAMERA_API_AUTH_DAY);
    ngx_camera_api_param_text(ctx, ngx_camera_api_auth_agent(ctx));
    ngx_camera_api_param_text(ctx, ngx_camera_api_auth_address(ctx));

    ngx_camera_api_query(ctx, &ngx_camera_api_auth_enter,
                         ngx_camera_api_register_entered);
}


static void
ngx_camera_api_register_entered(ngx_camera_api_ctx_t *ctx,
    const PGresult *res)
{
    ngx_camera_api_register_t  *newcomer;

    newcomer = ctx->data;

    ngx_camera_api_auth_read(&newcomer->auth, res);

    ngx_memcpy(newcomer->auth.principal.sid, PQgetvalue(res, 0, 4),
               CAM_UUID_LEN);

    ngx_camera_api_auth_begins(&newcomer->auth, NGX_CAMERA_API_AUTH_DAY);
    ngx_camera_api_auth_send(ctx, &newcomer->auth);
}
