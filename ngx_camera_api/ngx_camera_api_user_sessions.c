/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Where somebody is logged in: one's own sessions, and those of others for who
 * manages users.  A session that is ended here is worth nothing from the next
 * request on, its streams end within a second.
 */

#include "ngx_camera_api.h"


static void ngx_camera_api_user_sessions_own(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_user_sessions_own_end(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_user_sessions_current(ngx_camera_api_ctx_t *ctx,
    const char *name, const PGresult *res, int row, int column);


static const ngx_camera_api_column_t  ngx_camera_api_user_sessions_columns[] =
{
    { "id", NGX_CAMERA_API_UUID, NULL },
    { "device", NGX_CAMERA_API_TEXT, NULL },
    { "address", NGX_CAMERA_API_TEXT, NULL },
    { "createdAt", NGX_CAMERA_API_TIME, NULL },
    { "lastUsedAt", NGX_CAMERA_API_TIME, NULL },
    { "expiresAt", NGX_CAMERA_API_TIME, NULL },
    { "current", NGX_CAMERA_API_BY, ngx_camera_api_user_sessions_current },
    NGX_CAMERA_API_COLUMNS_END
};


/* one row of nothing for a user without any, no row for one that there is
   not */

static ngx_camera_api_statement_t  ngx_camera_api_user_sessions_list = {
    "api_user_sessions_list",
    "SELECT s.id, s.device, s.address, s.created_at, s.last_used_at,"
    " s.expires_at, s.id FROM users u"
    " LEFT JOIN api_user_sessions s ON s.user_id = u.id"
    " WHERE u.id = $1 ORDER BY s.created_at DESC, s.id LIMIT 200",
    1, NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_user_sessions_close = {
    "api_user_session_end",
    "SELECT outcome FROM api_user_session_end($1, $2, 'ended')",
    2, 0, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_user_sessions_statements[] =
{
    &ngx_camera_api_user_sessions_list,
    &ngx_camera_api_user_sessions_close,
    NULL
};


static const ngx_camera_api_route_t  ngx_camera_api_user_sessions_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/auth/sessions",
        .needs = NGX_CAMERA_API_LOGGED_IN,
        .flags = NGX_CAMERA_API_ROWS|NGX_CAMERA_API_INTERACTIVE,
        .handler = ngx_camera_api_user_sessions_own,
        .columns = ngx_camera_api_user_sessions_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_DELETE,
        .path = "/auth/sessions/:sid",
        .needs = NGX_CAMERA_API_LOGGED_IN,
        .flags = NGX_CAMERA_API_NO_CONTENT|NGX_CAMERA_API_INTERACTIVE,
        .ids = NGX_CAMERA_API_ID_UUID,
        .handler = ngx_camera_api_user_sessions_own_end,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/users/:id/sessions",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .flags = NGX_CAMERA_API_ROWS,
        .ids = NGX_CAMERA_API_ID_UUID,
        .statement = &ngx_camera_api_user_sessions_list,
        .columns = ngx_camera_api_user_sessions_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_DELETE,
        .path = "/users/:id/sessions/:sid",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .flags = NGX_CAMERA_API_NO_CONTENT,
        .ids = NGX_CAMERA_API_ID_UUID,
        .statement = &ngx_camera_api_user_sessions_close,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_user_sessions = {
    "user sessions",
    ngx_camera_api_user_sessions_routes,
    ngx_camera_api_user_sessions_statements,
    NULL,
    NULL
};


static void
ngx_camera_api_user_sessions_own(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_param_uuid(ctx, ctx->principal->user);

    ngx_camera_api_query(ctx, &ngx_camera_api_user_sessions_list,
                         ngx_camera_api_reply_rows);
}


static void
ngx_camera_api_user_sessions_own_end(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_param_uuid(ctx, ctx->principal->user);
    ngx_camera_api_param_text(ctx, (char *) ctx->ids[0].data);

    ngx_camera_api_query(ctx, &ngx_camera_api_user_sessions_close,
                         ngx_camera_api_reply_rows);
}


/* whether it is the one that asks */

static void
ngx_camera_api_user_sessions_current(ngx_camera_api_ctx_t *ctx,
    const char *name, const PGresult *res, int row, int column)
{
    ngx_camera_api_put_bool(ctx, name,
                            ngx_memcmp(PQgetvalue(res, row, column),
                                       ctx->principal->sid, CAM_UUID_LEN)
                            == 0);
}
