/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /auth: log in, stay logged in, log out.
 *
 * Whoever logs in gets an access token, good for minutes, and a refresh token,
 * good for one use, which brings the next pair.  The session behind both is a
 * row of the database; what its tokens say is believed only while it stands.
 *
 * Below /api/auth the same is offered to clients that know nothing of versions
 * and spell with underscores.
 */

#include "email.h"
#include "ngx_camera_api_auth.h"
#include "ngx_camera_api_oidc.h"


static ngx_camera_api_statement_t  *const ngx_camera_api_auth_statements[] = {
    &ngx_camera_api_auth_find,
    &ngx_camera_api_auth_profile,
    &ngx_camera_api_auth_enter,
    &ngx_camera_api_oidc_identity,
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

static const cam_field_t  ngx_camera_api_auth_credentials_alias[] = {
    { "email", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED, 1, 254, NULL, NULL },
    { "password", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED|CAM_FIELD_SECRET, 1, 72,
      NULL, NULL },
    CAM_FIELD_END
};

static const cam_field_t  ngx_camera_api_auth_newcomer[] = {
    { "tenantName", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED, 1, 100, NULL, NULL },
    { "email", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED, 3, 254, NULL,
      cam_email_check },
    { "password", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED|CAM_FIELD_SECRET, 8, 72,
      NULL, NULL },
    { "name", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED, 1, 100, NULL, NULL },
    { "cookie", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },
    CAM_FIELD_END
};

static const cam_field_t  ngx_camera_api_auth_newcomer_alias[] = {
    { "tenant_name", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED, 1, 100, NULL, NULL },
    { "email", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED, 3, 254, NULL,
      cam_email_check },
    { "password", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED|CAM_FIELD_SECRET, 8, 72,
      NULL, NULL },
    { "name", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED, 1, 100, NULL, NULL },
    CAM_FIELD_END
};

static const cam_field_t  ngx_camera_api_auth_leaving[] = {
    { "returnTo", CAM_FIELD_TEXT, 0, 1, NGX_CAMERA_API_OIDC_PAGE_MAX, NULL,
      NULL },
    { "remember", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },
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


static const ngx_camera_api_conflict_t  ngx_camera_api_auth_taken[] = {
    { "users_have_unique_emails", NGX_CAMERA_API_USER_EMAIL_DUPLICATE },
    { "users_have_unique_usernames", NGX_CAMERA_API_USER_EMAIL_DUPLICATE },
    { "tenants_have_unique_slugs", NGX_CAMERA_API_SERVICE_UNAVAILABLE },
    { NULL, NGX_CAMERA_API_OK }
};


/* of two who come for the first time with one address at once */
static const ngx_camera_api_conflict_t  ngx_camera_api_auth_again[] = {
    { "users_have_unique_emails", NGX_CAMERA_API_SERVICE_UNAVAILABLE },
    { "users_have_unique_usernames", NGX_CAMERA_API_SERVICE_UNAVAILABLE },
    { NULL, NGX_CAMERA_API_OK }
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
        .path = "/auth/register",
        .needs = NGX_CAMERA_API_PUBLIC,
        .body = ngx_camera_api_auth_newcomer,
        .handler = ngx_camera_api_auth_register,
        .conflicts = ngx_camera_api_auth_taken
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
        .flags = NGX_CAMERA_API_BEFORE_CHANGE,
        .handler = ngx_camera_api_auth_me
    },

    {
        .method = NGX_HTTP_POST,
        .path = "/auth/password",
        .needs = NGX_CAMERA_API_LOGGED_IN,
        .flags = NGX_CAMERA_API_INTERACTIVE|NGX_CAMERA_API_BEFORE_CHANGE,
        .body = ngx_camera_api_auth_passwords,
        .handler = ngx_camera_api_auth_password
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/auth/providers",
        .needs = NGX_CAMERA_API_PUBLIC,
        .handler = ngx_camera_api_oidc_providers
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/auth/oidc/:provider",
        .needs = NGX_CAMERA_API_PUBLIC,
        .flags = NGX_CAMERA_API_PAGE,
        .ids = NGX_CAMERA_API_ID_TEXT,
        .query = ngx_camera_api_auth_leaving,
        .handler = ngx_camera_api_oidc_start
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/auth/oidc/:provider/callback",
        .needs = NGX_CAMERA_API_PUBLIC,
        .flags = NGX_CAMERA_API_PAGE|NGX_CAMERA_API_ANY_ARGS,
        .ids = NGX_CAMERA_API_ID_TEXT,
        .handler = ngx_camera_api_oidc_callback,
        .conflicts = ngx_camera_api_auth_again
    },

    {
        .method = NGX_HTTP_POST,
        .path = "/api/auth/register",
        .needs = NGX_CAMERA_API_PUBLIC,
        .body = ngx_camera_api_auth_newcomer_alias,
        .handler = ngx_camera_api_auth_register_alias,
        .conflicts = ngx_camera_api_auth_taken
    },

    {
        .method = NGX_HTTP_POST,
        .path = "/api/auth/login",
        .needs = NGX_CAMERA_API_PUBLIC,
        .body = ngx_camera_api_auth_credentials_alias,
        .handler = ngx_camera_api_auth_login_alias
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/api/auth/me",
        .needs = NGX_CAMERA_API_LOGGED_IN,
        .flags = NGX_CAMERA_API_BEFORE_CHANGE,
        .handler = ngx_camera_api_auth_me_alias
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
