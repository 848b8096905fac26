/*
 * Copyright (C) The nginx camera platform authors
 */

/* Log phase: what became of a playback request, for the node's counters. */

#include "ngx_camera_hls.h"
#include "ngx_camera_metrics.h"


static cam_metric_e ngx_camera_hls_served(cam_play_kind_e kind);


ngx_int_t
ngx_camera_hls_count(ngx_http_request_t *r)
{
    ngx_uint_t             status;
    ngx_camera_hls_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);

    if (ctx == NULL) {
        return NGX_OK;
    }

    status = r->err_status ? r->err_status : r->headers_out.status;

    if (status >= NGX_HTTP_INTERNAL_SERVER_ERROR) {
        ngx_camera_count(CAM_METRIC_HLS_UNAVAILABLE, 1);

    } else if (status >= NGX_HTTP_BAD_REQUEST) {
        ngx_camera_count(CAM_METRIC_HLS_REFUSED, 1);

    } else if (ctx->path_ok) {
        ngx_camera_count(ngx_camera_hls_served(ctx->path.kind), 1);
    }

    ngx_camera_count(CAM_METRIC_HLS_BYTES, r->connection->sent);

    return NGX_OK;
}


static cam_metric_e
ngx_camera_hls_served(cam_play_kind_e kind)
{
    switch (kind) {

    case CAM_PLAY_MASTER:
        return CAM_METRIC_HLS_MASTER;

    case CAM_PLAY_LIVE:
    case CAM_PLAY_BACK:
        return CAM_METRIC_HLS_PLAYLIST;

    case CAM_PLAY_INIT:
        return CAM_METRIC_HLS_INIT;

    case CAM_PLAY_SEGMENT:
        return CAM_METRIC_HLS_SEGMENT;

    default:
        return CAM_METRIC_HLS_PART;
    }
}
