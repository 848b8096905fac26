/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What somebody who logged in is given: tokens, and who they are; in either
 * spelling, for /api/v1/auth and for /api/auth.  What is not in their token is
 * asked of the database first, under their own tenant.
 */

#include "ngx_camera_api_auth.h"
#include "utf8.h"


static void ngx_camera_api_auth_profiled(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static ngx_int_t ngx_camera_api_auth_put(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_auth_t *auth, const ngx_camera_api_profile_t *profile);
static ngx_int_t ngx_camera_api_auth_put_alias(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_auth_t *auth, const ngx_camera_api_profile_t *profile);
static ngx_int_t ngx_camera_api_auth_sign(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_auth_t *auth, char *text, time_t *ttl);
static ngx_int_t ngx_camera_api_auth_put_refresh(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_auth_t *auth);
static void ngx_camera_api_auth_me_found(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_auth_me_found_alias(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static ngx_int_t ngx_camera_api_auth_read_profile(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_profile_t *profile, const PGresult *res);
static void ngx_camera_api_auth_read_text(ngx_str_t *text,
    const PGresult *res, int column);
static void ngx_camera_api_auth_put_user(ngx_camera_api_ctx_t *ctx,
    const char *name, const ngx_camera_api_profile_t *profile);
static void ngx_camera_api_auth_put_user_alias(ngx_camera_api_ctx_t *ctx,
    const char *name, const ngx_camera_api_profile_t *profile);
static void ngx_camera_api_auth_put_text(ngx_camera_api_ctx_t *ctx,
    const char *name, const ngx_str_t *text);


ngx_camera_api_statement_t  ngx_camera_api_auth_profile = {
    "api_user_profile",
    "SELECT u.email, u.name, t.name, u.must_change_password"
    " FROM users u JOIN tenants t ON t.id = u.tenant_id WHERE u.id = $1",
    1, NGX_CAMERA_API_READS, 0
};


void
ngx_camera_api_auth_read(ngx_camera_api_auth_t *auth, const PGresult *res)
{
    ngx_camera_api_principal_t  *p;

    p = &auth->principal;

    ngx_memcpy(p->user, PQgetvalue(res, 0, 0), CAM_UUID_LEN);
    ngx_memcpy(p->tenant, PQgetvalue(res, 0, 1), CAM_UUID_LEN);

    ngx_cpystrn(p->username, (u_char *) PQgetvalue(res, 0, 2),
                sizeof(p->username));

    p->role = cam_role_parse(PQgetvalue(res, 0, 3), PQgetlength(res, 0, 3));
    p->permissions = cam_role_permissions(p->role);

    cam_uuid_print((char *) p->tenant_uuid, p->tenant);
    p->tenant_text.data = p->tenant_uuid;
    p->tenant_text.len = CAM_UUID_TEXT;
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
ngx_camera_api_auth_begins(ngx_camera_api_auth_t *auth, time_t ttl)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();
    auth->expires = ((int64_t) tp->sec + ttl) * 1000 + tp->msec;
}


/* what is no text is left out; the database cuts it */

const char *
ngx_camera_api_auth_agent(ngx_camera_api_ctx_t *ctx)
{
    ngx_str_t        *value;
    ngx_table_elt_t  *h;

    h = ctx->request->headers_in.user_agent;

    if (h == NULL) {
        return NULL;
    }

    value = &h->value;

    /* nginx puts a NUL behind the values of headers */

    return cam_utf8_length((char *) value->data, value->len) > 0
           && !cam_utf8_has_control((char *) value->data, value->len)
           ? (char *) value->data : NULL;
}


const char *
ngx_camera_api_auth_address(ngx_camera_api_ctx_t *ctx)
{
    u_char     *text;
    ngx_str_t  *address;

    address = &ctx->request->connection->addr_text;

    text = ngx_pnalloc(ctx->request->pool, address->len + 1);

    if (text) {
        ngx_cpystrn(text, address->data, address->len + 1);
    }

    return (char *) text;
}


void
ngx_camera_api_auth_send(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_auth_t *auth)
{
    /* for the query, and for the access log */

    ctx->principal = &auth->principal;
    ctx->data = auth;

    ngx_camera_api_param_uuid(ctx, auth->principal.user);

    ngx_camera_api_query(ctx, &ngx_camera_api_auth_profile,
                         ngx_camera_api_auth_profiled);
}


static void
ngx_camera_api_auth_profiled(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    ngx_int_t                  rc;
    ngx_camera_api_auth_t     *auth;
    ngx_camera_api_profile_t   profile;

    auth = ctx->data;

    if (ngx_camera_api_auth_read_profile(ctx, &profile, res) != NGX_OK) {
        return;
    }

    ngx_camera_api_begin(ctx, NULL, '{');

    rc = auth->alias ? ngx_camera_api_auth_put_alias(ctx, auth, &profile)
                     : ngx_camera_api_auth_put(ctx, auth, &profile);

    if (rc != NGX_OK) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    ngx_camera_api_end(ctx, '}');

    ngx_camera_api_auth_copy(auth);

    ngx_camera_api_send(ctx, auth->created ? NGX_HTTP_CREATED : NGX_HTTP_OK);
}


static ngx_int_t
ngx_camera_api_auth_put(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_auth_t *auth, const ngx_camera_api_profile_t *profile)
{
    char    text[CAM_TOKEN_MAX];
    time_t  ttl;

    if (ngx_camera_api_auth_sign(ctx, auth, text, &ttl) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_camera_api_put_string(ctx, "accessToken", text);
    ngx_camera_api_put_string(ctx, "tokenType", "Bearer");
    ngx_camera_api_put_int(ctx, "expiresIn", ttl);

    if (ngx_camera_api_auth_put_refresh(ctx, auth) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_camera_api_put_time(ctx, "refreshExpiresAt", auth->expires);
    ngx_camera_api_auth_put_user(ctx, "user", profile);

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_auth_put_alias(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_auth_t *auth, const ngx_camera_api_profile_t *profile)
{
    char    text[CAM_TOKEN_MAX];
    time_t  ttl;

    if (ngx_camera_api_auth_sign(ctx, auth, text, &ttl) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_camera_api_put_string(ctx, "token", text);
    ngx_camera_api_put_int(ctx, "expires_in", ttl);
    ngx_camera_api_put_string(ctx, "refresh_token", auth->refresh);
    ngx_camera_api_auth_put_user_alias(ctx, "user", profile);

    return NGX_OK;
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
ngx_camera_api_auth_me(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_param_uuid(ctx, ctx->principal->user);

    ngx_camera_api_query(ctx, &ngx_camera_api_auth_profile,
                         ngx_camera_api_auth_me_found);
}


static void
ngx_camera_api_auth_me_found(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    ngx_camera_api_profile_t  profile;

    if (ngx_camera_api_auth_read_profile(ctx, &profile, res) != NGX_OK) {
        return;
    }

    ngx_camera_api_auth_put_user(ctx, NULL, &profile);
    ngx_camera_api_send(ctx, NGX_HTTP_OK);
}


void
ngx_camera_api_auth_me_alias(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_param_uuid(ctx, ctx->principal->user);

    ngx_camera_api_query(ctx, &ngx_camera_api_auth_profile,
                         ngx_camera_api_auth_me_found_alias);
}


static void
ngx_camera_api_auth_me_found_alias(ngx_camera_api_ctx_t *ctx,
    const PGresult *res)
{
    ngx_camera_api_profile_t  profile;

    if (ngx_camera_api_auth_read_profile(ctx, &profile, res) != NGX_OK) {
        return;
    }

    ngx_camera_api_auth_put_user_alias(ctx, NULL, &profile);
    ngx_camera_api_send(ctx, NGX_HTTP_OK);
}


/* no row: removed since the session was looked at, and that was answered.  The
   texts live as long as res */

static ngx_int_t
ngx_camera_api_auth_read_profile(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_profile_t *profile, const PGresult *res)
{
    if (PQntuples(res) == 0) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_TOKEN_INVALID, NULL);
        return NGX_DONE;
    }

    ngx_camera_api_auth_read_text(&profile->email, res, 0);
    ngx_camera_api_auth_read_text(&profile->name, res, 1);
    ngx_camera_api_auth_read_text(&profile->tenant_name, res, 2);
    profile->must_change = PQgetvalue(res, 0, 3)[0] != 0;

    return NGX_OK;
}


static void
ngx_camera_api_auth_read_text(ngx_str_t *text, const PGresult *res,
    int column)
{
    ngx_str_null(text);

    if (!PQgetisnull(res, 0, column)) {
        text->data = (u_char *) PQgetvalue(res, 0, column);
        text->len = PQgetlength(res, 0, column);
    }
}


static void
ngx_camera_api_auth_put_user(ngx_camera_api_ctx_t *ctx, const char *name,
    const ngx_camera_api_profile_t *profile)
{
    const ngx_camera_api_principal_t  *principal;

    principal = ctx->principal;

    ngx_camera_api_begin(ctx, name, '{');
    ngx_camera_api_put_uuid(ctx, "id", principal->user);
    ngx_camera_api_put_uuid(ctx, "tenantId", principal->tenant);
    ngx_camera_api_put_string(ctx, "username", (char *) principal->username);
    ngx_camera_api_auth_put_text(ctx, "name", &profile->name);
    ngx_camera_api_auth_put_text(ctx, "email", &profile->email);
    ngx_camera_api_put_string(ctx, "role", cam_role_name(principal->role));
    ngx_camera_api_put_permissions(ctx, "permissions",
                                   principal->permissions);
    ngx_camera_api_put_bool(ctx, "mustChangePassword", profile->must_change);
    ngx_camera_api_end(ctx, '}');
}


static void
ngx_camera_api_auth_put_user_alias(ngx_camera_api_ctx_t *ctx,
    const char *name, const ngx_camera_api_profile_t *profile)
{
    const ngx_camera_api_principal_t  *principal;

    principal = ctx->principal;

    ngx_camera_api_begin(ctx, name, '{');
    ngx_camera_api_put_uuid(ctx, "id", principal->user);
    ngx_camera_api_auth_put_text(ctx, "email", &profile->email);
    ngx_camera_api_auth_put_text(ctx, "name", &profile->name);
    ngx_camera_api_put_string(ctx, "role", cam_role_name(principal->role));
    ngx_camera_api_put_uuid(ctx, "tenant_id", principal->tenant);
    ngx_camera_api_auth_put_text(ctx, "tenant_name", &profile->tenant_name);
    ngx_camera_api_end(ctx, '}');
}


static void
ngx_camera_api_auth_put_text(ngx_camera_api_ctx_t *ctx, const char *name,
    const ngx_str_t *text)
{
    if (text->data) {
        ngx_camera_api_put_text(ctx, name, text->data, text->len);

    } else {
        ngx_camera_api_put_null(ctx, name);
    }
}
