/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Changing one's own password: with the present one, because a token may be
 * stolen.  It ends the user's other sessions and keeps this one.
 *
 *     policy ─► limit ─► find the hash ─► compare, hash the new one ─► store
 */

#include "ngx_camera_api_auth.h"
#include "ngx_camera_api_login_limit.h"
#include "ngx_camera_api_password.h"

#define NGX_CAMERA_API_PASSWORD_CURRENT  0   /* fields of the body */
#define NGX_CAMERA_API_PASSWORD_NEW      1


static const char *ngx_camera_api_password_wrong(ngx_camera_api_ctx_t *ctx);
static ngx_int_t ngx_camera_api_password_begin(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_password_found(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_password_compared(ngx_camera_api_ctx_t *ctx,
    ngx_uint_t right, const char *made);
static void ngx_camera_api_password_stored(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);


/* a session that was ended while passwords were compared changes none: somebody
   else may have changed it, because this one was stolen */

ngx_camera_api_statement_t  ngx_camera_api_auth_set = {
    "api_password_set",
    "SELECT api_password_set($1, $2, $3)"
    " FROM api_session_check($3) s WHERE s.user_id = $1",
    3, 0, 0
};


void
ngx_camera_api_auth_password(ngx_camera_api_ctx_t *ctx)
{
    const char  *wrong;

    wrong = ngx_camera_api_password_wrong(ctx);

    if (wrong) {
        ngx_camera_api_problem(ctx, "newPassword", wrong);
        ngx_camera_api_error(ctx, NGX_CAMERA_API_VALIDATION_FAILED, NULL);
        return;
    }

    if (ngx_camera_api_password_begin(ctx) != NGX_OK) {
        return;
    }

    ngx_camera_api_param_text(ctx, (char *) ctx->principal->username);

    ngx_camera_api_query(ctx, &ngx_camera_api_auth_find,
                         ngx_camera_api_password_found);
}


static const char *
ngx_camera_api_password_wrong(ngx_camera_api_ctx_t *ctx)
{
    const char         *name;
    const cam_value_t  *old, *new;

    old = &ctx->body[NGX_CAMERA_API_PASSWORD_CURRENT];
    new = &ctx->body[NGX_CAMERA_API_PASSWORD_NEW];
    name = (char *) ctx->principal->username;

    if (new->len == old->len && ngx_memcmp(new->text, old->text, new->len) == 0)
    {
        return "must not be the current one";
    }

    return cam_password_check(new->text, new->len, name, ngx_strlen(name));
}


/* nobody has this name, so logging in and this do not use up each other */

static ngx_int_t
ngx_camera_api_password_begin(ngx_camera_api_ctx_t *ctx)
{
    char                             account[5 + CAM_UUID_TEXT + 1];
    ngx_camera_api_login_attempt_t  *attempt;

    attempt = ngx_palloc(ctx->request->pool,
                         sizeof(ngx_camera_api_login_attempt_t));

    if (attempt == NULL) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return NGX_ERROR;
    }

    ctx->data = attempt;

    ngx_memcpy(account, "user ", 5);
    cam_uuid_print(account + 5, ctx->principal->user);

    return ngx_camera_api_login_begin(ctx, attempt, account,
                                      5 + CAM_UUID_TEXT);
}


static void
ngx_camera_api_password_found(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    ngx_str_t  hash;

    ngx_str_null(&hash);

    /* the name may be somebody else's since the token was looked at */

    if (PQntuples(res) && ngx_memcmp(PQgetvalue(res, 0, 0),
                                     ctx->principal->user, CAM_UUID_LEN)
                          == 0)
    {
        hash.data = (u_char *) PQgetvalue(res, 0, 5);
        hash.len = PQgetlength(res, 0, 5);
    }

    ngx_camera_api_password(ctx, &hash,
                            &ctx->body[NGX_CAMERA_API_PASSWORD_CURRENT],
                            &ctx->body[NGX_CAMERA_API_PASSWORD_NEW],
                            ngx_camera_api_password_compared);
}


static void
ngx_camera_api_password_compared(ngx_camera_api_ctx_t *ctx, ngx_uint_t right,
    const char *made)
{
    u_char  *hash;

    ngx_camera_api_login_judged(ctx->data, right);

    if (!right) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_CREDENTIALS_INVALID,
                             "The current password is wrong.");
        return;
    }

    hash = ngx_pnalloc(ctx->request->pool, CAM_PASSWORD_HASH_LEN + 1);

    if (hash == NULL || made == NULL) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    ngx_cpystrn(hash, (u_char *) made, CAM_PASSWORD_HASH_LEN + 1);

    ngx_camera_api_param_uuid(ctx, ctx->principal->user);
    ngx_camera_api_param_text(ctx, (char *) hash);
    ngx_camera_api_param_uuid(ctx, ctx->principal->sid);

    ngx_camera_api_query(ctx, &ngx_camera_api_auth_set,
                         ngx_camera_api_password_stored);
}


/* no row: the session is over, NULL: there is no such user any more */

static void
ngx_camera_api_password_stored(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    if (PQntuples(res) == 0 || PQgetisnull(res, 0, 0)) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_TOKEN_INVALID, NULL);
        return;
    }

    ngx_camera_api_send(ctx, NGX_HTTP_NO_CONTENT);
}
