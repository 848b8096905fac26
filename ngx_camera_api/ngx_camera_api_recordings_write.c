/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /recordings/:id: deletion, legal hold.
 *
 * A recording that is deleted is gone for every reader at once; its files
 * follow, and then its row, by the camera-worker: hence 202.  What is on hold
 * stays, and so does what is still written.  Whoever tried stands in the audit,
 * whatever came of it.
 */

#include "ngx_camera_api_recordings.h"


static void ngx_camera_api_recordings_delete(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_recordings_deleted(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_recordings_hold(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_recordings_release(ngx_camera_api_ctx_t *ctx);


/* those who do it are the three parameters behind the others */

static ngx_camera_api_statement_t  ngx_camera_api_recordings_remove = {
    "api_recording_delete",
    "SELECT d.outcome, api_recording_audit_add($2, $3, d.camera_id, $1,"
    " 'delete', recording_start($1), NULL, $4, CASE d.outcome"
    " WHEN 'deleted' THEN 'ok' WHEN 'locked' THEN 'RECORDING_LOCKED'"
    " ELSE 'RECORDING_IN_PROGRESS' END)"
    " FROM api_recording_delete($1) d",
    4, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_recordings_holding = {
    "api_recording_hold",
    "SELECT " NGX_CAMERA_API_RECORDING ", api_recording_audit_add($3, $4,"
    " camera_id, id, 'hold', start_time, end_time, $5)"
    " FROM api_recording_hold($1, $2)",
    5, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_recordings_releasing = {
    "api_recording_release",
    "SELECT " NGX_CAMERA_API_RECORDING ", api_recording_audit_add($2, $3,"
    " camera_id, id, 'release', start_time, end_time, $4)"
    " FROM api_recording_release($1)",
    4, 0, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_recordings_write_statements[] =
{
    &ngx_camera_api_recordings_remove,
    &ngx_camera_api_recordings_holding,
    &ngx_camera_api_recordings_releasing,
    NULL
};


static const cam_field_t  ngx_camera_api_recordings_reason[] = {
    { "reason", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED, 1, 500, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_route_t  ngx_camera_api_recordings_write_routes[]
    =
{

    {
        .method = NGX_HTTP_DELETE,
        .path = "/recordings/:id",
        .needs = CAM_PERMIT_RECORDINGS_DELETE,
        .ids = NGX_CAMERA_API_ID_UUID,
        .handler = ngx_camera_api_recordings_delete,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_POST,
        .path = "/recordings/:id/hold",
        .needs = CAM_PERMIT_RECORDINGS_DELETE,
        .ids = NGX_CAMERA_API_ID_UUID,
        .body = ngx_camera_api_recordings_reason,
        .handler = ngx_camera_api_recordings_hold,
        .columns = ngx_camera_api_recordings_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_DELETE,
        .path = "/recordings/:id/hold",
        .needs = CAM_PERMIT_RECORDINGS_DELETE,
        .ids = NGX_CAMERA_API_ID_UUID,
        .handler = ngx_camera_api_recordings_release,
        .columns = ngx_camera_api_recordings_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_recordings_write = {
    "recordings, write",
    ngx_camera_api_recordings_write_routes,
    ngx_camera_api_recordings_write_statements,
    NULL,
    NULL
};


static void
ngx_camera_api_recordings_delete(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_params(ctx);
    ngx_camera_api_recordings_actor(ctx);

    ngx_camera_api_query(ctx, &ngx_camera_api_recordings_remove,
                         ngx_camera_api_recordings_deleted);
}


static void
ngx_camera_api_recordings_deleted(ngx_camera_api_ctx_t *ctx,
    const PGresult *res)
{
    const char  *outcome;

    if (PQntuples(res) == 0) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_NOT_FOUND, NULL);
        return;
    }

    outcome = PQgetvalue(res, 0, 0);

    if (ngx_strcmp(outcome, "locked") == 0) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_RECORDING_LOCKED, NULL);
        return;
    }

    if (ngx_strcmp(outcome, "deleted") != 0) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_RECORDING_IN_PROGRESS, NULL);
        return;
    }

    ngx_camera_api_begin(ctx, NULL, '{');
    ngx_camera_api_put_text(ctx, "id", ctx->ids[0].data, ctx->ids[0].len);
    ngx_camera_api_put_string(ctx, "state", "deleting");
    ngx_camera_api_end(ctx, '}');

    ngx_camera_api_send(ctx, NGX_HTTP_ACCEPTED);
}


static void
ngx_camera_api_recordings_hold(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_params(ctx);
    ngx_camera_api_recordings_actor(ctx);

    ngx_camera_api_query(ctx, &ngx_camera_api_recordings_holding,
                         ngx_camera_api_reply_rows);
}


static void
ngx_camera_api_recordings_release(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_params(ctx);
    ngx_camera_api_recordings_actor(ctx);

    ngx_camera_api_query(ctx, &ngx_camera_api_recordings_releasing,
                         ngx_camera_api_reply_rows);
}
