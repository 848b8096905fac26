/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /auth: log in, stay logged in, log out.
 *
 * Whoever logs in gets an access token, good for minutes, and a refresh token,
 * good for one use, which brings the next pair.  The session behind both is a
 * row of the database; what its tokens say is believed only while it stands.
 */

#include "ngx_camera_api_auth.h"


static void ngx_camera_api_auth_me(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_auth_me_found(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);


static ngx_camera_api_statement_t  ngx_camera_api_auth_email = {
    "api_user_email",
    "SELECT email FROM users WHERE id = $1",
    1, 0, 0
};

static ngx_camera_api_statement_t  *const ngx_camera_api_auth_statements[] = {
    &ngx_camera_api_auth_email,
    &ngx_camera_api_auth_find,
    &ngx_camera_api_auth_open,
    &ngx_camera_api_auth_rotate,
    &ngx_camera_api_auth_close,
    &ngx_camera_api_auth_end,
    &ngx_camera_api_auth_set,
    NULL
};


static const cam_field_t  ngx_camera_api_auth_credentials[] = {
    { "username", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED, 1, 254, NULL, NULL },
    { "password", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED|CAM_FIELD_SECRET, 1, 72,
      NULL, NULL },
    { "remember", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },
    { "cookie", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },
    CAM_FIELD_END
};

static const cam_field_t  ngx_camera_api_auth_passwords[] = {
    { "currentPassword", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED|CAM_FIELD_SECRET,
      1, 72, NULL, NULL },
    { "newPassword", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED|CAM_FIELD_SECRET,
      8, 72, NULL, NULL },
    CAM_FIELD_END
};

static const cam_field_t  ngx_camera_api_auth_refresh_token[] = {
    { "refreshToken", CAM_FIELD_TEXT, CAM_FIELD_SECRET,
      CAM_TOKEN_REFRESH_LEN, CAM_TOKEN_REFRESH_LEN, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_route_t  ngx_camera_api_auth_routes[] = {

    {
        .method = NGX_HTTP_POST,
        .path = "/auth/login",
        .needs = NGX_CAMERA_API_PUBLIC,
        .body = ngx_camera_api_auth_credentials,
        .handler = ngx_camera_api_auth_login
    },

    {
        .method = NGX_HTTP_POST,
        .path = "/auth/refresh",
        .needs = NGX_CAMERA_API_PUBLIC,
        .flags = NGX_CAMERA_API_BODY_OPTIONAL,
        .body = ngx_camera_api_auth_refresh_token,
        .handler = ngx_camera_api_auth_refresh
    },

    /* an access token that has expired keeps nobody from logging out */

    {
        .method = NGX_HTTP_POST,
        .path = "/auth/logout",
        .needs = NGX_CAMERA_API_PUBLIC,
        .flags = NGX_CAMERA_API_BODY_OPTIONAL,
        .body = ngx_camera_api_auth_refresh_token,
        .handler = ngx_camera_api_auth_logout
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/auth/me",
        .needs = NGX_CAMERA_API_LOGGED_IN,
        .handler = ngx_camera_api_auth_me
    },

    {
        .method = NGX_HTTP_POST,
        .path = "/auth/password",
        .needs = NGX_CAMERA_API_LOGGED_IN,
        .flags = NGX_CAMERA_API_INTERACTIVE,
        .body = ngx_camera_api_auth_passwords,
        .handler = ngx_camera_api_auth_password
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_auth = {
    "auth",
    ngx_camera_api_auth_routes,
    ngx_camera_api_auth_statements,
    ngx_camera_api_auth_copy_init,
    NULL
};


static void
ngx_camera_api_auth_me(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_param_uuid(ctx, ctx->principal->user);

    ngx_camera_api_query(ctx, &ngx_camera_api_auth_email,
                         ngx_camera_api_auth_me_found);
}


static void
ngx_camera_api_auth_me_found(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    ngx_str_t  email;

    if (PQntuples(res) == 0) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_TOKEN_INVALID, NULL);
        return;
    }

    ngx_str_null(&email);

    if (!PQgetisnull(res, 0, 0)) {
        email.data = (u_char *) PQgetvalue(res, 0, 0);
        email.len = PQgetlength(res, 0, 0);
    }

    ngx_camera_api_auth_put_user(ctx, NULL, ctx->principal, &email);

    ngx_camera_api_send(ctx, NGX_HTTP_OK);
}
