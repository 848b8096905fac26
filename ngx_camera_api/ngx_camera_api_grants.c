/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /users/:id/grants: which cameras a user sees whose cameraScope is "granted".
 * They are put as a whole, so that whoever sends them knows what there is
 * afterwards.
 */

#include "ngx_camera_api.h"

#define NGX_CAMERA_API_GRANTS_MAX  1600    /* what a body has room for */


static void ngx_camera_api_grants_replace(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_grants_replaced(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);


static const ngx_camera_api_column_t  ngx_camera_api_grants_columns[] = {
    { "userId", NGX_CAMERA_API_UUID, NULL },
    { "cameraScope", NGX_CAMERA_API_TEXT, NULL },
    { "cameraIds", NGX_CAMERA_API_TEXTS, NULL },
    { "groupIds", NGX_CAMERA_API_TEXTS, NULL },
    NGX_CAMERA_API_COLUMNS_END
};


static ngx_camera_api_statement_t  ngx_camera_api_grants_get = {
    "api_grants_get",
    "SELECT user_id, camera_scope, camera_ids, group_ids"
    " FROM api_grants_get($1)",
    1, NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_grants_put = {
    "api_grants_put",
    "SELECT user_id, camera_scope, camera_ids, group_ids, outcome"
    " FROM api_grants_put($1, $2, $3)",
    3, 0, 0
};

static ngx_camera_api_statement_t  *const ngx_camera_api_grants_statements[] = {
    &ngx_camera_api_grants_get,
    &ngx_camera_api_grants_put,
    NULL
};


static const cam_field_t  ngx_camera_api_grants_new[] = {
    { "cameraIds", CAM_FIELD_UUIDS, CAM_FIELD_REQUIRED, 0,
      NGX_CAMERA_API_GRANTS_MAX, NULL, NULL },
    { "groupIds", CAM_FIELD_UUIDS, CAM_FIELD_REQUIRED, 0,
      NGX_CAMERA_API_GRANTS_MAX, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_route_t  ngx_camera_api_grants_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/users/:id/grants",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .ids = NGX_CAMERA_API_ID_UUID,
        .statement = &ngx_camera_api_grants_get,
        .columns = ngx_camera_api_grants_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_PUT,
        .path = "/users/:id/grants",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .ids = NGX_CAMERA_API_ID_UUID,
        .body = ngx_camera_api_grants_new,
        .handler = ngx_camera_api_grants_replace,
        .columns = ngx_camera_api_grants_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_grants = {
    "grants",
    ngx_camera_api_grants_routes,
    ngx_camera_api_grants_statements,
    NULL,
    NULL
};


static void
ngx_camera_api_grants_replace(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_params(ctx);

    ngx_camera_api_query(ctx, &ngx_camera_api_grants_put,
                         ngx_camera_api_grants_replaced);
}


/* another tenant's is as unknown as one that there is not */

static void
ngx_camera_api_grants_replaced(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    if (ngx_camera_api_outcome(res, "unknown camera")) {
        ngx_camera_api_problem(ctx, "cameraIds", "names no camera of yours");

    } else if (ngx_camera_api_outcome(res, "unknown group")) {
        ngx_camera_api_problem(ctx, "groupIds", "names no group of yours");

    } else {
        ngx_camera_api_reply_rows(ctx, res);
        return;
    }

    ngx_camera_api_error(ctx, NGX_CAMERA_API_VALIDATION_FAILED, NULL);
}
