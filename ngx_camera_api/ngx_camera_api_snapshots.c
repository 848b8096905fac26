/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /cameras/:id/snapshot: the newest picture, which the media plane makes and
 * sends; whose camera it is, is found out here, as for addresses to play.
 */

#include "ngx_camera_api_core.h"
#include "ngx_camera_api_status.h"
#include "ngx_camera_snapshot.h"

#define NGX_CAMERA_API_SNAPSHOT_WIDTH  640


static void ngx_camera_api_snapshots_get(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_snapshots_found(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_snapshots_send(ngx_camera_api_ctx_t *ctx);
static ngx_int_t ngx_camera_api_snapshots_none(ngx_http_request_t *r,
    void *data, ngx_camera_snapshot_why_e why);


static ngx_camera_api_statement_t  ngx_camera_api_snapshots_camera = {
    "api_camera_exists",
    "SELECT 1 FROM cameras WHERE id = $1 AND deleted_at IS NULL",
    1, NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_snapshots_statements[] =
{
    &ngx_camera_api_snapshots_camera,
    NULL
};


static const cam_field_t  ngx_camera_api_snapshots_query[] = {
    { "width", CAM_FIELD_INT, 0, 16, 1280, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_route_t  ngx_camera_api_snapshots_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/cameras/:id/snapshot",
        .needs = CAM_PERMIT_STREAMS_VIEW,
        .ids = NGX_CAMERA_API_ID_CAMERA,
        .query = ngx_camera_api_snapshots_query,
        .handler = ngx_camera_api_snapshots_get,
        .missing = NGX_CAMERA_API_CAMERA_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_snapshots = {
    "snapshots",
    ngx_camera_api_snapshots_routes,
    ngx_camera_api_snapshots_statements,
    NULL,
    NULL
};


static void
ngx_camera_api_snapshots_get(ngx_camera_api_ctx_t *ctx)
{
    cam_registry_entry_t  entry;

    if (ngx_camera_api_status_entry(ctx, &entry)) {
        ngx_camera_api_snapshots_send(ctx);
        return;
    }

    ngx_camera_api_param_text(ctx, (char *) ctx->ids[0].data);
    ngx_camera_api_query(ctx, &ngx_camera_api_snapshots_camera,
                         ngx_camera_api_snapshots_found);
}


static void
ngx_camera_api_snapshots_found(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    if (PQntuples(res) == 0) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_CAMERA_NOT_FOUND, NULL);
        return;
    }

    ngx_camera_api_snapshots_send(ctx);
}


/*
 * While a picture is waited for, the media plane has a reference of its own
 * and ends the request; ours is given back.
 */

static void
ngx_camera_api_snapshots_send(ngx_camera_api_ctx_t *ctx)
{
    u_char      uuid[CAM_UUID_LEN];
    ngx_uint_t  width;

    width = ctx->query && ctx->query[0].text
            ? (ngx_uint_t) ctx->query[0].number
            : NGX_CAMERA_API_SNAPSHOT_WIDTH;

    (void) cam_uuid_parse(uuid, (char *) ctx->ids[0].data, ctx->ids[0].len);

    if (ngx_camera_api_common_headers(ctx) != NGX_OK) {
        ngx_camera_api_finish(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_camera_api_finish(ctx, ngx_camera_snapshot_send(ctx->request, uuid,
                                   width, ngx_camera_api_snapshots_none, ctx));
}


/* the answer ends a reference of ours, which is taken once more for that */

static ngx_int_t
ngx_camera_api_snapshots_none(ngx_http_request_t *r, void *data,
    ngx_camera_snapshot_why_e why)
{
    ngx_uint_t             retry_sec;
    ngx_camera_api_ctx_t  *ctx = data;

    static const struct {
        ngx_camera_api_code_e   code;
        const char             *message;
    } answers[] = {
        [NGX_CAMERA_SNAPSHOT_OFFLINE] =
            { NGX_CAMERA_API_STREAM_OFFLINE, NULL },
        [NGX_CAMERA_SNAPSHOT_UNDECODABLE] =
            { NGX_CAMERA_API_STREAM_OFFLINE,
              "What the camera sends cannot be decoded." },
        [NGX_CAMERA_SNAPSHOT_QUARANTINED] =
            { NGX_CAMERA_API_STREAM_OFFLINE,
              "Pictures of this camera are suspended for a while." },
        [NGX_CAMERA_SNAPSHOT_AWAY] =
            { NGX_CAMERA_API_SERVICE_UNAVAILABLE,
              "Pictures cannot be made at the moment." },
        [NGX_CAMERA_SNAPSHOT_LATE] =
            { NGX_CAMERA_API_SERVICE_UNAVAILABLE,
              "No picture came in time." }
    };

    r->main->count++;

    (void) ngx_camera_snapshot_text(why, &retry_sec);

    ctx->retry_after = retry_sec;
    ngx_camera_api_error(ctx, answers[why].code, answers[why].message);

    return NGX_DONE;
}
