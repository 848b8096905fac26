/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What a stream is doing now, out of shared memory: the registry, the ring,
 * the live index, the tables of playback sessions and of recordings.
 *
 * A camera that this node does not know, because it is new or another node's,
 * is asked for in the database: what that has is all there is to tell.
 */

#include "ngx_camera_api_recordings.h"
#include "ngx_camera_api_status.h"
#include "ngx_camera_hls.h"
#include "play_viewers.h"

#define NGX_CAMERA_API_STATUS_VIEWERS_MSEC  1000


static void ngx_camera_api_status_get(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_status_found(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_status_live(ngx_camera_api_ctx_t *ctx,
    ngx_camera_conf_t *ccf, const u_char *camera, cam_view_t *view);
static void ngx_camera_api_status_seen(ngx_camera_api_ctx_t *ctx,
    const cam_view_t *view);
static void ngx_camera_api_status_numbers(ngx_camera_api_ctx_t *ctx,
    const cam_view_t *view);
static void ngx_camera_api_status_media(ngx_camera_api_ctx_t *ctx,
    const cam_live_init_t *init);


static struct {
    ngx_uint_t     read;
    ngx_msec_t     at_msec;
    cam_viewers_t  viewers;
} ngx_camera_api_status_watched;


static ngx_camera_api_statement_t  ngx_camera_api_status_row = {
    "api_camera_status",
    "SELECT id, stream_status::text, assigned_node FROM cameras"
    " WHERE id = $1 AND deleted_at IS NULL",
    1, NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  *const ngx_camera_api_status_statements[] =
{
    &ngx_camera_api_status_row,
    NULL
};


static const ngx_camera_api_route_t  ngx_camera_api_status_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/cameras/:id/status",
        .needs = CAM_PERMIT_CAMERAS_READ,
        .ids = NGX_CAMERA_API_ID_CAMERA,
        .handler = ngx_camera_api_status_get,
        .missing = NGX_CAMERA_API_CAMERA_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_status = {
    "status",
    ngx_camera_api_status_routes,
    ngx_camera_api_status_statements,
    ngx_camera_api_status_copy_init,
    NULL
};


static void
ngx_camera_api_status_get(ngx_camera_api_ctx_t *ctx)
{
    char               *id;
    u_char              uuid[CAM_UUID_LEN];
    cam_view_t          view;
    ngx_camera_conf_t  *ccf;

    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);
    id = (char *) ctx->ids[0].data;

    if (cam_uuid_parse(uuid, id, ctx->ids[0].len) == 0
        && cam_view_look(&view, ccf->registry, uuid) == 0
        && ngx_memcmp(view.entry.tenant, ctx->principal->tenant, CAM_UUID_LEN)
           == 0)
    {
        ngx_camera_api_status_live(ctx, ccf, uuid, &view);
        return;
    }

    ngx_camera_api_param_text(ctx, id);
    ngx_camera_api_query(ctx, &ngx_camera_api_status_row,
                         ngx_camera_api_status_found);
}


static void
ngx_camera_api_status_live(ngx_camera_api_ctx_t *ctx, ngx_camera_conf_t *ccf,
    const u_char *camera, cam_view_t *view)
{
    ngx_uint_t    live;
    cam_reason_e  warning;

    ngx_camera_api_status_look(ccf, camera, view);

    live = cam_view_publishing(view);
    warning = cam_view_warning(view);

    ngx_camera_api_begin(ctx, NULL, '{');
    ngx_camera_api_put_uuid(ctx, "cameraId", camera);
    ngx_camera_api_put_string(ctx, "status", cam_view_status(view));
    ngx_camera_api_status_seen(ctx, view);

    if (live) {
        ngx_camera_api_put_text(ctx, "nodeId", ccf->node.data, ccf->node.len);

    } else {
        ngx_camera_api_put_null(ctx, "nodeId");
    }

    ngx_camera_api_put_int(ctx, "viewerCount",
                           ngx_camera_api_status_viewers(camera));
    ngx_camera_api_status_numbers(ctx, live ? view : NULL);
    ngx_camera_api_status_media(ctx, live ? cam_view_init(view) : NULL);
    ngx_camera_api_recording_put(ctx, camera);

    if (warning != CAM_REASON_NONE) {
        ngx_camera_api_put_string(ctx, "warning", cam_reason_text(warning));

    } else {
        ngx_camera_api_put_null(ctx, "warning");
    }

    ngx_camera_api_end(ctx, '}');

    ngx_camera_api_send(ctx, NGX_HTTP_OK);
}


ngx_uint_t
ngx_camera_api_status_entry(ngx_camera_api_ctx_t *ctx,
    cam_registry_entry_t *entry)
{
    u_char              uuid[CAM_UUID_LEN];
    ngx_camera_conf_t  *ccf;

    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    return cam_uuid_parse(uuid, (char *) ctx->ids[0].data, ctx->ids[0].len)
           == 0
           && cam_registry_find_id(ccf->registry, uuid, entry) >= 0
           && ngx_memcmp(entry->tenant, ctx->principal->tenant, CAM_UUID_LEN)
              == 0;
}


void
ngx_camera_api_status_look(ngx_camera_conf_t *ccf, const u_char *camera,
    cam_view_t *view)
{
    ngx_camera_live_t  *index;

    cam_view_look_ring(view, ccf->rings_fd, camera);

    index = ngx_camera_live_get(ccf, camera);
    view->index = index ? &index->index : NULL;
}


/* the packager's clock is smoothed, and may be some frames ahead */

static void
ngx_camera_api_status_seen(ngx_camera_api_ctx_t *ctx, const cam_view_t *view)
{
    int64_t  seen, now;

    seen = cam_view_seen_msec(view);
    now = cam_clock_wall_msec();

    if (seen) {
        ngx_camera_api_put_time(ctx, "lastSeen", ngx_min(seen, now));

    } else {
        ngx_camera_api_put_null(ctx, "lastSeen");
    }
}


/* view is NULL for a stream that is not live */

static void
ngx_camera_api_status_numbers(ngx_camera_api_ctx_t *ctx,
    const cam_view_t *view)
{
    double                   fps;
    int64_t                  bitrate;
    const cam_live_index_t  *index;

    index = view ? cam_view_index(view) : NULL;
    bitrate = view ? cam_view_bitrate(view) : -1;
    fps = view ? ngx_camera_api_status_fps(view) : 0;

    if (fps > 0) {
        ngx_camera_api_put_float(ctx, "fps", fps);

    } else {
        ngx_camera_api_put_null(ctx, "fps");
    }

    if (bitrate >= 0) {
        ngx_camera_api_put_int(ctx, "bitrate", bitrate);

    } else {
        ngx_camera_api_put_null(ctx, "bitrate");
    }

    if (index) {
        ngx_camera_api_put_int(ctx, "droppedFrames", index->dropped);

    } else {
        ngx_camera_api_put_null(ctx, "droppedFrames");
    }
}


/* times of frames are whole milliseconds: no more than a tenth is meant */

double
ngx_camera_api_status_fps(const cam_view_t *view)
{
    const cam_live_index_t  *index;

    index = cam_view_index(view);

    return index ? (index->fps_centi + 5) / 10 / 10.0 : 0;
}


/* init is NULL when nothing of a live stream was packaged */

static void
ngx_camera_api_status_media(ngx_camera_api_ctx_t *ctx,
    const cam_live_init_t *init)
{
    u_char  text[2 * NGX_INT32_LEN + 1], *p;

    if (init && init->has_video) {
        p = ngx_sprintf(text, "%uix%ui", (ngx_uint_t) init->width,
                        (ngx_uint_t) init->height);
        ngx_camera_api_put_text(ctx, "resolution", text, p - text);

    } else {
        ngx_camera_api_put_null(ctx, "resolution");
    }

    if (init) {
        ngx_camera_api_put_string(ctx, "codecs", init->codecs);

    } else {
        ngx_camera_api_put_null(ctx, "codecs");
    }
}


/* a look at the table serves everybody, and all cameras, for a second */

ngx_uint_t
ngx_camera_api_status_viewers(const u_char *camera)
{
    if (ngx_camera_hls_worker.sessions == NULL) {
        return 0;
    }

    if (ngx_camera_api_status_watched.read == 0
        || ngx_current_msec - ngx_camera_api_status_watched.at_msec
           >= NGX_CAMERA_API_STATUS_VIEWERS_MSEC)
    {
        ngx_camera_api_status_watched.read = 1;
        ngx_camera_api_status_watched.at_msec = ngx_current_msec;

        cam_viewers_count(&ngx_camera_api_status_watched.viewers,
                          ngx_camera_hls_worker.sessions,
                          NGX_CAMERA_API_STATUS_VIEWERS_SEC);
    }

    return cam_viewers_of(&ngx_camera_api_status_watched.viewers, camera);
}


static void
ngx_camera_api_status_found(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    u_char  *camera;

    static const ngx_camera_api_column_t  columns[] = {
        { "cameraId", NGX_CAMERA_API_UUID, NULL },
        { "status", NGX_CAMERA_API_TEXT, NULL },
        { "nodeId", NGX_CAMERA_API_TEXT, NULL },
        NGX_CAMERA_API_COLUMNS_END
    };

    if (PQntuples(res) == 0) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_CAMERA_NOT_FOUND, NULL);
        return;
    }

    camera = (u_char *) PQgetvalue(res, 0, 0);

    ngx_camera_api_begin(ctx, NULL, '{');
    ngx_camera_api_put_row(ctx, columns, res, 0);
    ngx_camera_api_put_null(ctx, "lastSeen");
    ngx_camera_api_put_int(ctx, "viewerCount",
                           ngx_camera_api_status_viewers(camera));
    ngx_camera_api_status_numbers(ctx, NULL);
    ngx_camera_api_status_media(ctx, NULL);
    ngx_camera_api_recording_put(ctx, camera);
    ngx_camera_api_put_null(ctx, "warning");
    ngx_camera_api_end(ctx, '}');

    ngx_camera_api_send(ctx, NGX_HTTP_OK);
}
