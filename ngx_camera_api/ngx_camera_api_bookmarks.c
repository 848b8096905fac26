/*
 * Copyright (C) The nginx camera platform authors
 */

/* /bookmarks: moments and times that somebody marked in recordings. */

#include "ngx_camera_api.h"

#define NGX_CAMERA_API_BOOKMARKS_UNTIL  1          /* fields, by their place */
#define NGX_CAMERA_API_BOOKMARKS_NOTE   3


static void ngx_camera_api_bookmarks_create(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_bookmarks_created(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_bookmarks_update(ngx_camera_api_ctx_t *ctx);


#define NGX_CAMERA_API_BOOKMARK                                               \
    "id, camera_id, at, until, label, note, created_by, created_at"


static const ngx_camera_api_column_t  ngx_camera_api_bookmarks_columns[] = {
    { "id", NGX_CAMERA_API_UUID, NULL },
    { "cameraId", NGX_CAMERA_API_UUID, NULL },
    { "at", NGX_CAMERA_API_TIME, NULL },
    { "until", NGX_CAMERA_API_TIME, NULL },
    { "label", NGX_CAMERA_API_TEXT, NULL },
    { "note", NGX_CAMERA_API_TEXT, NULL },
    { "createdBy", NGX_CAMERA_API_TEXT, NULL },
    { "createdAt", NGX_CAMERA_API_TIME, NULL },
    NGX_CAMERA_API_COLUMNS_END
};


static ngx_camera_api_statement_t  ngx_camera_api_bookmarks_list = {
    "api_bookmarks_list",
    "SELECT " NGX_CAMERA_API_BOOKMARK " FROM api_bookmarks"
    " WHERE " NGX_CAMERA_API_FILTERS("$1::uuid, $2::timestamptz,"
                                     " $3::timestamptz",
        "($1 IS NULL OR camera_id = $1)"
        " AND ($2 IS NULL OR coalesce(until, at) >= $2)"
        " AND ($3 IS NULL OR at < $3)")
    " AND " NGX_CAMERA_API_BEFORE("created_at", "id", "$5", "$6")
    " ORDER BY created_at DESC, id DESC LIMIT $4::bigint + 1",
    6, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_bookmarks_get = {
    "api_bookmarks_get",
    "SELECT " NGX_CAMERA_API_BOOKMARK " FROM api_bookmarks WHERE id = $1",
    1, NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_bookmarks_insert = {
    "api_bookmark_create",
    "SELECT " NGX_CAMERA_API_BOOKMARK ", outcome"
    " FROM api_bookmark_create_once($1, $2, $3, $4, $5, $6, $7, $8)",
    8, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_bookmarks_change = {
    "api_bookmark_update",
    "SELECT " NGX_CAMERA_API_BOOKMARK
    " FROM api_bookmark_update($1, $2, $3, $4, $5)",
    5, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_bookmarks_remove = {
    "api_bookmark_delete",
    "SELECT d FROM api_bookmark_delete($1) d WHERE d",
    1, 0, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_bookmarks_statements[] =
{
    &ngx_camera_api_bookmarks_list,
    &ngx_camera_api_bookmarks_get,
    &ngx_camera_api_bookmarks_insert,
    &ngx_camera_api_bookmarks_change,
    &ngx_camera_api_bookmarks_remove,
    NULL
};


static const cam_field_t  ngx_camera_api_bookmarks_filters[] = {
    { "cameraId", CAM_FIELD_UUID, 0, 0, 0, NULL, NULL },
    { "from", CAM_FIELD_TIME, 0, 0, 0, NULL, NULL },
    { "to", CAM_FIELD_TIME, 0, 0, 0, NULL, NULL },
    { "limit", CAM_FIELD_LIMIT, 0, 1, 200, NULL, NULL },
    { "cursor", CAM_FIELD_CURSOR, 0, 1, 200, NULL, NULL },
    CAM_FIELD_END
};

/* in the order of the functions' arguments */

static const cam_field_t  ngx_camera_api_bookmarks_new[] = {
    { "cameraId", CAM_FIELD_UUID, CAM_FIELD_REQUIRED, 0, 0, NULL, NULL },
    { "at", CAM_FIELD_TIME, CAM_FIELD_REQUIRED, 0, 0, NULL, NULL },
    { "until", CAM_FIELD_TIME, CAM_FIELD_NULLABLE, 0, 0, NULL, NULL },
    { "label", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED, 1, 200, NULL, NULL },
    { "note", CAM_FIELD_TEXT, CAM_FIELD_NULLABLE, 0, 2000, NULL, NULL },
    CAM_FIELD_END
};

static const cam_field_t  ngx_camera_api_bookmarks_changes[] = {
    { "at", CAM_FIELD_TIME, 0, 0, 0, NULL, NULL },
    { "until", CAM_FIELD_TIME, CAM_FIELD_NULLABLE, 0, 0, NULL, NULL },
    { "label", CAM_FIELD_TEXT, 0, 1, 200, NULL, NULL },
    { "note", CAM_FIELD_TEXT, CAM_FIELD_NULLABLE, 0, 2000, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_conflict_t  ngx_camera_api_bookmarks_conflicts[] =
{
    { "requests_are_about_a_camera", NGX_CAMERA_API_CAMERA_NOT_FOUND },
    { "bookmarks_end_after_they_start", NGX_CAMERA_API_VALIDATION_FAILED },
    { NULL, NGX_CAMERA_API_OK }
};


static const ngx_camera_api_route_t  ngx_camera_api_bookmarks_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/bookmarks",
        .needs = CAM_PERMIT_RECORDINGS_READ,
        .flags = NGX_CAMERA_API_LIST,
        .query = ngx_camera_api_bookmarks_filters,
        .statement = &ngx_camera_api_bookmarks_list,
        .columns = ngx_camera_api_bookmarks_columns
    },

    {
        .method = NGX_HTTP_POST,
        .path = "/bookmarks",
        .needs = CAM_PERMIT_CAMERAS_WRITE,
        .flags = NGX_CAMERA_API_CREATED,
        .body = ngx_camera_api_bookmarks_new,
        .handler = ngx_camera_api_bookmarks_create,
        .columns = ngx_camera_api_bookmarks_columns,
        .conflicts = ngx_camera_api_bookmarks_conflicts
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/bookmarks/:id",
        .needs = CAM_PERMIT_RECORDINGS_READ,
        .ids = NGX_CAMERA_API_ID_UUID,
        .statement = &ngx_camera_api_bookmarks_get,
        .columns = ngx_camera_api_bookmarks_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_PATCH,
        .path = "/bookmarks/:id",
        .needs = CAM_PERMIT_CAMERAS_WRITE,
        .ids = NGX_CAMERA_API_ID_UUID,
        .body = ngx_camera_api_bookmarks_changes,
        .handler = ngx_camera_api_bookmarks_update,
        .columns = ngx_camera_api_bookmarks_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND,
        .conflicts = ngx_camera_api_bookmarks_conflicts
    },

    {
        .method = NGX_HTTP_DELETE,
        .path = "/bookmarks/:id",
        .needs = CAM_PERMIT_CAMERAS_WRITE,
        .flags = NGX_CAMERA_API_NO_CONTENT,
        .ids = NGX_CAMERA_API_ID_UUID,
        .statement = &ngx_camera_api_bookmarks_remove,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_bookmarks = {
    "bookmarks",
    ngx_camera_api_bookmarks_routes,
    ngx_camera_api_bookmarks_statements,
    NULL,
    NULL
};


static void
ngx_camera_api_bookmarks_create(ngx_camera_api_ctx_t *ctx)
{
    if (ngx_camera_api_param_once(ctx) != NGX_OK) {
        return;
    }

    ngx_camera_api_params(ctx);

    ngx_camera_api_query(ctx, &ngx_camera_api_bookmarks_insert,
                         ngx_camera_api_bookmarks_created);
}


static void
ngx_camera_api_bookmarks_created(ngx_camera_api_ctx_t *ctx,
    const PGresult *res)
{
    if (ngx_camera_api_created(ctx, res, "/api/v1/bookmarks/") == NGX_OK) {
        ngx_camera_api_reply_rows(ctx, res);
    }
}


/* null takes it away, which the function calls infinity, and '' */

static void
ngx_camera_api_bookmarks_update(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_null_is(&ctx->body[NGX_CAMERA_API_BOOKMARKS_UNTIL],
                           "infinity");
    ngx_camera_api_null_is(&ctx->body[NGX_CAMERA_API_BOOKMARKS_NOTE], "");

    ngx_camera_api_params(ctx);

    ngx_camera_api_query(ctx, &ngx_camera_api_bookmarks_change,
                         ngx_camera_api_reply_rows);
}
