/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /layouts: how somebody arranges cameras on a screen.  Each user has layouts
 * of their own; those of others do not exist for them.
 */

#include "layout.h"
#include "ngx_camera_api.h"


static void ngx_camera_api_layouts_read(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_layouts_create(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_layouts_created(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_layouts_update(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_layouts_updated(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);


#define NGX_CAMERA_API_LAYOUT                                                 \
    "id, user_id, name, cells::text, is_default, created_at, updated_at, "    \
    "version"

#define NGX_CAMERA_API_LAYOUTS_OUTCOME  8       /* behind these */


static const ngx_camera_api_column_t  ngx_camera_api_layouts_columns[] = {
    { "id", NGX_CAMERA_API_UUID, NULL },
    { "userId", NGX_CAMERA_API_UUID, NULL },
    { "name", NGX_CAMERA_API_TEXT, NULL },
    { "layout", NGX_CAMERA_API_JSON, NULL },
    { "isDefault", NGX_CAMERA_API_BOOL, NULL },
    { "createdAt", NGX_CAMERA_API_TIME, NULL },
    { "updatedAt", NGX_CAMERA_API_TIME, NULL },
    { "version", NGX_CAMERA_API_HIDDEN, NULL },
    NGX_CAMERA_API_COLUMNS_END
};


/* the user is the last parameter, behind those of the route */

static ngx_camera_api_statement_t  ngx_camera_api_layouts_list = {
    "api_layouts_list",
    "SELECT " NGX_CAMERA_API_LAYOUT " FROM api_layouts WHERE user_id = $4"
    " AND " NGX_CAMERA_API_AFTER("created_at", "id", "$2", "$3")
    " ORDER BY created_at, id LIMIT $1::bigint + 1",
    4, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_layouts_get = {
    "api_layouts_get",
    "SELECT " NGX_CAMERA_API_LAYOUT " FROM api_layouts"
    " WHERE id = $1 AND user_id = $2",
    2, NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_layouts_insert = {
    "api_layout_create",
    "SELECT " NGX_CAMERA_API_LAYOUT ", outcome"
    " FROM api_layout_create($1, $2, $3, $4, $5, $6)",
    6, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_layouts_change = {
    "api_layout_update",
    "SELECT " NGX_CAMERA_API_LAYOUT ", outcome"
    " FROM api_layout_update($1, $2, $3, $4, $5, $6)",
    6, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_layouts_remove = {
    "api_layout_delete",
    "DELETE FROM layouts WHERE id = $1 AND user_id = $2 RETURNING id",
    2, 0, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_layouts_statements[] =
{
    &ngx_camera_api_layouts_list,
    &ngx_camera_api_layouts_get,
    &ngx_camera_api_layouts_insert,
    &ngx_camera_api_layouts_change,
    &ngx_camera_api_layouts_remove,
    NULL
};


static const cam_field_t  ngx_camera_api_layouts_page[] = {
    { "limit", CAM_FIELD_LIMIT, 0, 1, 200, NULL, NULL },
    { "cursor", CAM_FIELD_CURSOR, 0, 1, 200, NULL, NULL },
    CAM_FIELD_END
};

/* in the order of the functions' arguments */

#define NGX_CAMERA_API_LAYOUTS_FIELDS(required)                               \
    { "name", CAM_FIELD_TEXT, required, 1, 100, NULL, NULL },                 \
    { "layout", CAM_FIELD_OBJECTS, required, 0, CAM_LAYOUT_CELLS_MAX, NULL,   \
      cam_layout_check },                                                     \
    { "isDefault", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },                     \
    CAM_FIELD_END

static const cam_field_t  ngx_camera_api_layouts_new[] = {
    NGX_CAMERA_API_LAYOUTS_FIELDS(CAM_FIELD_REQUIRED)
};

static const cam_field_t  ngx_camera_api_layouts_changes[] = {
    NGX_CAMERA_API_LAYOUTS_FIELDS(0)
};


/* two become the default at once: the second one is good when it comes again */

static const ngx_camera_api_conflict_t  ngx_camera_api_layouts_conflicts[] = {
    { "requests_are_about_a_camera", NGX_CAMERA_API_CAMERA_NOT_FOUND },
    { "layouts_have_unique_names", NGX_CAMERA_API_NAME_DUPLICATE },
    { "layouts_have_one_default", NGX_CAMERA_API_SERVICE_UNAVAILABLE },
    { NULL, NGX_CAMERA_API_OK }
};


static const ngx_camera_api_route_t  ngx_camera_api_layouts_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/layouts",
        .needs = CAM_PERMIT_CAMERAS_READ,
        .flags = NGX_CAMERA_API_LIST,
        .query = ngx_camera_api_layouts_page,
        .handler = ngx_camera_api_layouts_read,
        .statement = &ngx_camera_api_layouts_list,
        .columns = ngx_camera_api_layouts_columns
    },

    {
        .method = NGX_HTTP_POST,
        .path = "/layouts",
        .needs = CAM_PERMIT_CAMERAS_READ,
        .flags = NGX_CAMERA_API_CREATED|NGX_CAMERA_API_ETAG,
        .body = ngx_camera_api_layouts_new,
        .handler = ngx_camera_api_layouts_create,
        .columns = ngx_camera_api_layouts_columns,
        .conflicts = ngx_camera_api_layouts_conflicts
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/layouts/:id",
        .needs = CAM_PERMIT_CAMERAS_READ,
        .flags = NGX_CAMERA_API_ETAG,
        .ids = NGX_CAMERA_API_ID_UUID,
        .handler = ngx_camera_api_layouts_read,
        .statement = &ngx_camera_api_layouts_get,
        .columns = ngx_camera_api_layouts_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_PATCH,
        .path = "/layouts/:id",
        .needs = CAM_PERMIT_CAMERAS_READ,
        .flags = NGX_CAMERA_API_ETAG,
        .ids = NGX_CAMERA_API_ID_UUID,
        .body = ngx_camera_api_layouts_changes,
        .handler = ngx_camera_api_layouts_update,
        .columns = ngx_camera_api_layouts_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND,
        .conflicts = ngx_camera_api_layouts_conflicts
    },

    {
        .method = NGX_HTTP_DELETE,
        .path = "/layouts/:id",
        .needs = CAM_PERMIT_CAMERAS_READ,
        .flags = NGX_CAMERA_API_NO_CONTENT,
        .ids = NGX_CAMERA_API_ID_UUID,
        .handler = ngx_camera_api_layouts_read,
        .statement = &ngx_camera_api_layouts_remove,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_layouts = {
    "layouts",
    ngx_camera_api_layouts_routes,
    ngx_camera_api_layouts_statements,
    NULL,
    NULL
};


/* the statement of the route, of who asks */

static void
ngx_camera_api_layouts_read(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_params(ctx);
    ngx_camera_api_param_uuid(ctx, ctx->principal->user);

    ngx_camera_api_query(ctx, ctx->route->statement,
                         ngx_camera_api_reply_rows);
}


static void
ngx_camera_api_layouts_create(ngx_camera_api_ctx_t *ctx)
{
    if (ngx_camera_api_param_once(ctx) != NGX_OK) {
        return;
    }

    ngx_camera_api_params(ctx);

    ngx_camera_api_query(ctx, &ngx_camera_api_layouts_insert,
                         ngx_camera_api_layouts_created);
}


static void
ngx_camera_api_layouts_created(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    if (ngx_camera_api_created(ctx, res, "/api/v1/layouts/") == NGX_OK) {
        ngx_camera_api_reply_rows(ctx, res);
    }
}


static void
ngx_camera_api_layouts_update(ngx_camera_api_ctx_t *ctx)
{
    ngx_uint_t   i;
    const char  *versions;

    if (ngx_camera_api_if_match(ctx, &versions) != NGX_OK) {
        return;
    }

    ngx_camera_api_param_text(ctx, (char *) ctx->ids[0].data);
    ngx_camera_api_param_uuid(ctx, ctx->principal->user);
    ngx_camera_api_param_text(ctx, versions);

    for (i = 0; ngx_camera_api_layouts_changes[i].name; i++) {
        ngx_camera_api_param_value(ctx, &ctx->body[i]);
    }

    ngx_camera_api_query(ctx, &ngx_camera_api_layouts_change,
                         ngx_camera_api_layouts_updated);
}


static void
ngx_camera_api_layouts_updated(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    if (PQntuples(res)
        && PQgetvalue(res, 0, NGX_CAMERA_API_LAYOUTS_OUTCOME)[0] == 's')
    {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_PRECONDITION_FAILED, NULL);
        return;
    }

    ngx_camera_api_reply_rows(ctx, res);
}
