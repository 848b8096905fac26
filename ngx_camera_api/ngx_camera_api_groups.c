/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /camera-groups: cameras that are granted together.  Whoever sees cameras sees
 * their groups; changing one changes what others may see, so that is for who
 * manages users.
 */

#include "ngx_camera_api.h"


static void ngx_camera_api_groups_create(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_groups_created(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_groups_update(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_groups_delete(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_groups_changed(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);


#define NGX_CAMERA_API_GROUP                                                  \
    "id, name, description, cameras, created_at, updated_at, version"

static const ngx_camera_api_column_t  ngx_camera_api_groups_columns[] = {
    { "id", NGX_CAMERA_API_UUID, NULL },
    { "name", NGX_CAMERA_API_TEXT, NULL },
    { "description", NGX_CAMERA_API_TEXT, NULL },
    { "cameraCount", NGX_CAMERA_API_INT, NULL },
    { "createdAt", NGX_CAMERA_API_TIME, NULL },
    { "updatedAt", NGX_CAMERA_API_TIME, NULL },
    { "version", NGX_CAMERA_API_HIDDEN, NULL },
    NGX_CAMERA_API_COLUMNS_END
};

static const ngx_camera_api_column_t  ngx_camera_api_groups_one_columns[] = {
    { "id", NGX_CAMERA_API_UUID, NULL },
    { "name", NGX_CAMERA_API_TEXT, NULL },
    { "description", NGX_CAMERA_API_TEXT, NULL },
    { "cameraCount", NGX_CAMERA_API_INT, NULL },
    { "createdAt", NGX_CAMERA_API_TIME, NULL },
    { "updatedAt", NGX_CAMERA_API_TIME, NULL },
    { "version", NGX_CAMERA_API_HIDDEN, NULL },
    { "cameraIds", NGX_CAMERA_API_TEXTS, NULL },
    NGX_CAMERA_API_COLUMNS_END
};


/* cameras of all groups of the page are counted at once */

static ngx_camera_api_statement_t  ngx_camera_api_groups_list = {
    "api_camera_groups_list",
    "WITH page AS MATERIALIZED (SELECT * FROM camera_groups"
    " WHERE ($1::text IS NULL OR strpos(lower(name), lower($1)) > 0)"
    " AND " NGX_CAMERA_API_AFTER("created_at", "id", "$3", "$4")
    " ORDER BY created_at, id LIMIT $2::bigint + 1),"
    " counted AS MATERIALIZED (SELECT m.group_id, count(*) AS cameras"
    " FROM page p JOIN camera_group_members m ON m.group_id = p.id"
    " JOIN cameras c ON c.id = m.camera_id"
    " WHERE c.deleted_at IS NULL GROUP BY m.group_id)"
    " SELECT p.id, p.name, p.description, coalesce((SELECT n.cameras"
    " FROM counted n WHERE n.group_id = p.id), 0) AS cameras,"
    " p.created_at, p.updated_at, p.version"
    " FROM page p ORDER BY p.created_at, p.id",
    4, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_groups_get = {
    "api_camera_groups_get",
    "SELECT " NGX_CAMERA_API_GROUP ", ARRAY(SELECT m.camera_id::text"
    " FROM camera_group_members m JOIN cameras c ON c.id = m.camera_id"
    " WHERE m.group_id = $1 AND c.deleted_at IS NULL"
    " ORDER BY m.created_at, m.camera_id)"
    " FROM api_camera_groups WHERE id = $1",
    1, NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_groups_insert = {
    "api_camera_group_create",
    "SELECT " NGX_CAMERA_API_GROUP ", outcome"
    " FROM api_camera_group_create_once($1, $2, $3, $4, $5)",
    5, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_groups_change = {
    "api_camera_group_update",
    "SELECT " NGX_CAMERA_API_GROUP ", outcome"
    " FROM api_camera_group_update($1, $2, $3, $4)",
    4, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_groups_remove = {
    "api_camera_group_delete",
    "SELECT outcome FROM api_camera_group_delete($1, $2)",
    2, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_groups_add = {
    "api_camera_group_put",
    "SELECT outcome FROM api_camera_group_put($1, $2)",
    2, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_groups_take = {
    "api_camera_group_take",
    "SELECT outcome FROM api_camera_group_take($1, $2)",
    2, 0, 0
};

static ngx_camera_api_statement_t  *const ngx_camera_api_groups_statements[] = {
    &ngx_camera_api_groups_list,
    &ngx_camera_api_groups_get,
    &ngx_camera_api_groups_insert,
    &ngx_camera_api_groups_change,
    &ngx_camera_api_groups_remove,
    &ngx_camera_api_groups_add,
    &ngx_camera_api_groups_take,
    NULL
};


static const cam_field_t  ngx_camera_api_groups_filters[] = {
    { "q", CAM_FIELD_TEXT, 0, 1, 100, NULL, NULL },
    { "limit", CAM_FIELD_LIMIT, 0, 1, 200, NULL, NULL },
    { "cursor", CAM_FIELD_CURSOR, 0, 1, 200, NULL, NULL },
    CAM_FIELD_END
};

static const cam_field_t  ngx_camera_api_groups_new[] = {
    { "name", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED, 1, 100, NULL, NULL },
    { "description", CAM_FIELD_TEXT, 0, 0, 500, NULL, NULL },
    CAM_FIELD_END
};

static const cam_field_t  ngx_camera_api_groups_changes[] = {
    { "name", CAM_FIELD_TEXT, 0, 1, 100, NULL, NULL },
    { "description", CAM_FIELD_TEXT, 0, 0, 500, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_conflict_t  ngx_camera_api_groups_conflicts[] = {
    { "camera_groups_have_unique_names", NGX_CAMERA_API_NAME_DUPLICATE },
    { NULL, NGX_CAMERA_API_OK }
};


static const ngx_camera_api_route_t  ngx_camera_api_groups_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/camera-groups",
        .needs = CAM_PERMIT_CAMERAS_READ,
        .flags = NGX_CAMERA_API_LIST,
        .query = ngx_camera_api_groups_filters,
        .statement = &ngx_camera_api_groups_list,
        .columns = ngx_camera_api_groups_columns
    },

    {
        .method = NGX_HTTP_POST,
        .path = "/camera-groups",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .flags = NGX_CAMERA_API_CREATED|NGX_CAMERA_API_ETAG,
        .body = ngx_camera_api_groups_new,
        .handler = ngx_camera_api_groups_create,
        .columns = ngx_camera_api_groups_columns,
        .conflicts = ngx_camera_api_groups_conflicts
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/camera-groups/:id",
        .needs = CAM_PERMIT_CAMERAS_READ,
        .flags = NGX_CAMERA_API_ETAG,
        .ids = NGX_CAMERA_API_ID_UUID,
        .statement = &ngx_camera_api_groups_get,
        .columns = ngx_camera_api_groups_one_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_PATCH,
        .path = "/camera-groups/:id",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .flags = NGX_CAMERA_API_ETAG,
        .ids = NGX_CAMERA_API_ID_UUID,
        .body = ngx_camera_api_groups_changes,
        .handler = ngx_camera_api_groups_update,
        .columns = ngx_camera_api_groups_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND,
        .conflicts = ngx_camera_api_groups_conflicts
    },

    {
        .method = NGX_HTTP_DELETE,
        .path = "/camera-groups/:id",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .flags = NGX_CAMERA_API_NO_CONTENT,
        .ids = NGX_CAMERA_API_ID_UUID,
        .handler = ngx_camera_api_groups_delete,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_PUT,
        .path = "/camera-groups/:id/cameras/:cameraId",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .flags = NGX_CAMERA_API_NO_CONTENT,
        .ids = NGX_CAMERA_API_ID_UUID,
        .statement = &ngx_camera_api_groups_add,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_DELETE,
        .path = "/camera-groups/:id/cameras/:cameraId",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .flags = NGX_CAMERA_API_NO_CONTENT,
        .ids = NGX_CAMERA_API_ID_UUID,
        .statement = &ngx_camera_api_groups_take,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_groups = {
    "camera groups",
    ngx_camera_api_groups_routes,
    ngx_camera_api_groups_statements,
    NULL,
    NULL
};


static void
ngx_camera_api_groups_create(ngx_camera_api_ctx_t *ctx)
{
    if (ngx_camera_api_param_once(ctx) != NGX_OK) {
        return;
    }

    ngx_camera_api_params(ctx);

    ngx_camera_api_query(ctx, &ngx_camera_api_groups_insert,
                         ngx_camera_api_groups_created);
}


static void
ngx_camera_api_groups_created(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    if (ngx_camera_api_created(ctx, res, "/api/v1/camera-groups/") == NGX_OK) {
        ngx_camera_api_reply_rows(ctx, res);
    }
}


static void
ngx_camera_api_groups_update(ngx_camera_api_ctx_t *ctx)
{
    const char  *versions;

    if (ngx_camera_api_if_match(ctx, &versions) != NGX_OK) {
        return;
    }

    ngx_camera_api_param_text(ctx, (char *) ctx->ids[0].data);
    ngx_camera_api_param_text(ctx, versions);
    ngx_camera_api_param_value(ctx, &ctx->body[0]);
    ngx_camera_api_param_value(ctx, &ctx->body[1]);

    ngx_camera_api_query(ctx, &ngx_camera_api_groups_change,
                         ngx_camera_api_groups_changed);
}


static void
ngx_camera_api_groups_delete(ngx_camera_api_ctx_t *ctx)
{
    const char  *versions;

    if (ngx_camera_api_if_match(ctx, &versions) != NGX_OK) {
        return;
    }

    ngx_camera_api_param_text(ctx, (char *) ctx->ids[0].data);
    ngx_camera_api_param_text(ctx, versions);

    ngx_camera_api_query(ctx, &ngx_camera_api_groups_remove,
                         ngx_camera_api_groups_changed);
}


static void
ngx_camera_api_groups_changed(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    if (ngx_camera_api_outcome(res, "stale")) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_PRECONDITION_FAILED, NULL);
        return;
    }

    ngx_camera_api_reply_rows(ctx, res);
}
