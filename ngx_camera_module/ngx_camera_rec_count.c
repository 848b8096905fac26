/*
 * Copyright (C) The nginx camera platform authors
 */

/* Log phase: what became of a request for recordings, for the counters. */

#include "ngx_camera_metrics.h"
#include "ngx_camera_rec.h"


static cam_metric_e ngx_camera_rec_served(ngx_camera_rec_ctx_t *ctx);


ngx_int_t
ngx_camera_rec_count(ngx_http_request_t *r)
{
    ngx_uint_t                  status;
    ngx_camera_rec_ctx_t       *ctx;
    ngx_camera_rec_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_camera_rec_module);
    ctx = ngx_http_get_module_ctx(r, ngx_camera_rec_module);

    if (ctx == NULL || rlcf->mode == NGX_CAMERA_REC_OFF) {
        return NGX_OK;
    }

    status = r->err_status ? r->err_status : r->headers_out.status;

    if (status >= NGX_HTTP_INTERNAL_SERVER_ERROR) {
        ngx_camera_count(CAM_METRIC_RECORDINGS_UNAVAILABLE, 1);

    } else if (status >= NGX_HTTP_BAD_REQUEST) {
        ngx_camera_count(CAM_METRIC_RECORDINGS_REFUSED, 1);

    } else if (ctx->path_ok) {
        ngx_camera_count(ngx_camera_rec_served(ctx), 1);
    }

    ngx_camera_count(CAM_METRIC_RECORDINGS_BYTES, r->connection->sent);

    return NGX_OK;
}


static cam_metric_e
ngx_camera_rec_served(ngx_camera_rec_ctx_t *ctx)
{
    switch (ctx->uri.kind) {

    case CAM_RECORD_MASTER:
        return CAM_METRIC_RECORDINGS_START;

    case CAM_RECORD_MEDIA:
        return CAM_METRIC_RECORDINGS_PLAYLIST;

    case CAM_RECORD_FILE:
        return ctx->args.session.len ? CAM_METRIC_RECORDINGS_MEDIA
                                     : CAM_METRIC_RECORDINGS_DOWNLOAD;

    default:
        return CAM_METRIC_RECORDINGS_EXPORT;
    }
}
