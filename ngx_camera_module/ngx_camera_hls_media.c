/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Init segments, segments and parts, sent from the packager's files by
 * sendfile.  A part is a range of its segment's file.  The part that the
 * playlist hinted at waits for the packager; what is not there any more is 404.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_camera_hls.h"


typedef struct {
    ngx_camera_live_file_t  *file;
    off_t                    start;
    off_t                    end;
} ngx_camera_hls_piece_t;


static ngx_int_t ngx_camera_hls_media_send(ngx_http_request_t *r);
static ngx_uint_t ngx_camera_hls_media_ready(ngx_http_request_t *r);
static ngx_int_t ngx_camera_hls_open(ngx_camera_conf_t *ccf,
    ngx_camera_hls_ctx_t *ctx, ngx_camera_hls_piece_t *piece);
static ngx_int_t ngx_camera_hls_send_piece(ngx_http_request_t *r,
    ngx_camera_hls_piece_t *piece);
static void ngx_camera_hls_release(void *data);


ngx_int_t
ngx_camera_hls_media(ngx_http_request_t *r)
{
    ngx_camera_conf_t     *ccf;
    ngx_camera_hls_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);
    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    ctx->live = ngx_camera_live_get(ccf, ctx->path.camera);

    /* of a list that reaches back they are good for as long as the session */

    if (ctx->path.kind == CAM_PLAY_SEGMENT
        && ctx->args.expires == ctx->session.ends
        && (ctx->live == NULL
            || ngx_camera_live_segment(ctx->live, ctx->path.number) == NULL))
    {
        return ngx_camera_hls_past(r);
    }

    if (ctx->live == NULL) {
        return ngx_camera_play_refuse(r, NGX_HTTP_NOT_FOUND, "media is gone");
    }

    if (ngx_camera_hls_media_ready(r)) {
        return ngx_camera_hls_media_send(r);
    }

    return ngx_camera_hls_wait(r, ctx->live, ngx_camera_hls_media_ready,
                               ngx_camera_hls_media_send);
}


/* false only for the part to come, while one is to come */

static ngx_uint_t
ngx_camera_hls_media_ready(ngx_http_request_t *r)
{
    cam_live_index_t      *index;
    cam_live_segment_t    *seg;
    ngx_camera_hls_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);
    index = &ctx->live->index;

    if (ctx->path.kind != CAM_PLAY_PART || index->state != CAM_LIVE_ON
        || index->segments == 0)
    {
        return 1;
    }

    seg = &index->segment[index->segments - 1];

    if (seg->complete) {
        return ctx->path.number != seg->msn + 1 || ctx->path.part != 0;
    }

    return ctx->path.number != seg->msn || ctx->path.part != seg->parts;
}


static ngx_int_t
ngx_camera_hls_media_send(ngx_http_request_t *r)
{
    ngx_camera_conf_t       *ccf;
    ngx_pool_cleanup_t      *cln;
    ngx_camera_hls_ctx_t    *ctx;
    ngx_camera_hls_piece_t   piece;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);
    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_camera_hls_open(ccf, ctx, &piece) != NGX_OK) {
        return ngx_camera_play_refuse(r, NGX_HTTP_NOT_FOUND, "media is gone");
    }

    cln->handler = ngx_camera_hls_release;
    cln->data = piece.file;

    return ngx_camera_hls_send_piece(r, &piece);
}


static ngx_int_t
ngx_camera_hls_open(ngx_camera_conf_t *ccf, ngx_camera_hls_ctx_t *ctx,
    ngx_camera_hls_piece_t *piece)
{
    cam_live_init_t     *init;
    ngx_camera_live_t   *live;
    cam_live_segment_t  *seg;

    live = ctx->live;
    piece->start = 0;

    if (ctx->path.kind == CAM_PLAY_INIT) {
        init = ngx_camera_live_init(live, (uint32_t) ctx->path.number);

        if (init == NULL) {
            return NGX_DECLINED;
        }

        piece->end = init->size;
        piece->file = ngx_camera_live_open_init(ccf, live, init->version,
                                                piece->end);

        return piece->file ? NGX_OK : NGX_DECLINED;
    }

    seg = ngx_camera_live_segment(live, ctx->path.number);

    if (seg == NULL) {
        return NGX_DECLINED;
    }

    if (ctx->path.kind == CAM_PLAY_SEGMENT) {

        if (!seg->complete) {
            return NGX_DECLINED;
        }

        piece->end = seg->size;

    } else {

        if (ctx->path.part >= seg->parts) {
            return NGX_DECLINED;
        }

        piece->start = seg->part[ctx->path.part].offset;
        piece->end = piece->start + seg->part[ctx->path.part].size;
    }

    piece->file = ngx_camera_live_open_segment(ccf, live, seg->msn,
                                               piece->end);

    return piece->file ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_camera_hls_send_piece(ngx_http_request_t *r, ngx_camera_hls_piece_t *piece)
{
    ngx_int_t              rc;
    ngx_buf_t             *b;
    ngx_chain_t            out;
    ngx_camera_hls_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);

    if (ngx_camera_hls_media_header(r, piece->end - piece->start) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = ngx_camera_play_file(r, piece->file->fd, &piece->file->name,
                             piece->start, piece->end);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    if (ngx_camera_hls_worker.sessions) {
        cam_sessions_sent(ngx_camera_hls_worker.sessions, &ctx->session,
                          piece->end - piece->start);
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


ngx_int_t
ngx_camera_hls_media_header(ngx_http_request_t *r, off_t length)
{
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = length;
    ngx_str_set(&r->headers_out.content_type, "video/mp4");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->allow_ranges = 1;

    return ngx_camera_play_add_header(r, "Cache-Control",
                                      "private, max-age=120, immutable");
}


static void
ngx_camera_hls_release(void *data)
{
    ngx_camera_live_file_t *file = data;

    ngx_camera_live_release(file);
}
