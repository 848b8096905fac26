/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /users/:id/identities: by which accounts of identity providers somebody logs
 * in.  They are linked by logging in; here they are seen, and taken away.  That
 * ends no session.
 */

#include "ngx_camera_api_users.h"


static void ngx_camera_api_identities_unlink(ngx_camera_api_ctx_t *ctx);


static const ngx_camera_api_column_t  ngx_camera_api_identities_columns[] = {
    { "id", NGX_CAMERA_API_UUID, NULL },
    { "issuer", NGX_CAMERA_API_TEXT, NULL },
    { "subject", NGX_CAMERA_API_TEXT, NULL },
    { "createdAt", NGX_CAMERA_API_TIME, NULL },
    { "lastLoginAt", NGX_CAMERA_API_TIME, NULL },
    NGX_CAMERA_API_COLUMNS_END
};


/* one row of nothing for a user without any, no row for one that is not
   there */

static ngx_camera_api_statement_t  ngx_camera_api_identities_list = {
    "api_user_identities",
    "SELECT i.id, i.issuer, i.subject, i.created_at, i.last_login_at"
    " FROM users u LEFT JOIN user_identities i ON i.user_id = u.id"
    " WHERE u.id = $1 ORDER BY i.created_at, i.id LIMIT 200",
    1, NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_identities_remove = {
    "api_user_identity_unlink",
    "SELECT outcome FROM api_user_identity_unlink($1::text[], $2, $3)",
    3, 0, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_identities_statements[] =
{
    &ngx_camera_api_identities_list,
    &ngx_camera_api_identities_remove,
    NULL
};


static const ngx_camera_api_conflict_t  ngx_camera_api_identities_conflicts[] =
{
    { "nobody_gives_what_they_lack", NGX_CAMERA_API_ROLE_RESTRICTED },
    { NULL, NGX_CAMERA_API_OK }
};


static const ngx_camera_api_route_t  ngx_camera_api_identities_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/users/:id/identities",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .flags = NGX_CAMERA_API_ROWS,
        .ids = NGX_CAMERA_API_ID_UUID,
        .statement = &ngx_camera_api_identities_list,
        .columns = ngx_camera_api_identities_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_DELETE,
        .path = "/users/:id/identities/:identityId",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .flags = NGX_CAMERA_API_NO_CONTENT,
        .ids = NGX_CAMERA_API_ID_UUID,
        .handler = ngx_camera_api_identities_unlink,
        .missing = NGX_CAMERA_API_NOT_FOUND,
        .conflicts = ngx_camera_api_identities_conflicts
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_identities = {
    "identities",
    ngx_camera_api_identities_routes,
    ngx_camera_api_identities_statements,
    NULL,
    NULL
};


static void
ngx_camera_api_identities_unlink(ngx_camera_api_ctx_t *ctx)
{
    if (ngx_camera_api_users_param_roles(ctx) != NGX_OK) {
        return;
    }

    ngx_camera_api_params(ctx);
    ngx_camera_api_query(ctx, &ngx_camera_api_identities_remove,
                         ngx_camera_api_reply_rows);
}
