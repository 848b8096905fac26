/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The two playlists.  The multivariant one is the entrance: it is fetched once
 * with a start token and starts a session, which its one variant carries.  The
 * media playlist is fetched again and again; with _HLS_msn it waits until the
 * packager has what the player wants next.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_camera_hls.h"


#define NGX_CAMERA_HLS_MASTER_LEN   1024
#define NGX_CAMERA_HLS_STALE_MSEC   30000


static ngx_uint_t ngx_camera_hls_stale(ngx_camera_live_t *live);
static ngx_uint_t ngx_camera_hls_has_picture(ngx_camera_live_t *live);
static uint64_t ngx_camera_hls_last_complete(ngx_camera_live_t *live);
static u_char *ngx_camera_hls_master_print(u_char *p, u_char *last,
    ngx_camera_live_t *live, const cam_url_session_t *s);
static ngx_int_t ngx_camera_hls_playlist_send(ngx_http_request_t *r);


ngx_int_t
ngx_camera_hls_master(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_buf_t                  *b;
    ngx_camera_conf_t          *ccf;
    ngx_camera_live_t          *live;
    ngx_camera_hls_ctx_t       *ctx;
    ngx_camera_hls_loc_conf_t  *hlcf;

    hlcf = ngx_http_get_module_loc_conf(r, ngx_camera_hls_module);
    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);
    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);
    live = ngx_camera_live_get(ccf, ctx->path.camera);

    if (live == NULL || !ngx_camera_hls_on_air(live)) {
        return ngx_camera_play_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                      "camera has no picture");
    }

    rc = ngx_camera_hls_start_owned(r, &ctx->token, hlcf->sessions,
                                    hlcf->idle, &ctx->session);

    if (rc != NGX_OK) {
        return ngx_camera_hls_not_started(r, rc, hlcf->sessions, hlcf->idle);
    }

    ctx->signed_in = r->method != NGX_HTTP_HEAD;

    b = ngx_create_temp_buf(r->pool, NGX_CAMERA_HLS_MASTER_LEN);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->last = ngx_camera_hls_master_print(b->pos, b->end, live, &ctx->session);

    return ngx_camera_hls_send(r, b, &ctx->session);
}


/* old pictures must not look like live ones to somebody who comes now */

ngx_uint_t
ngx_camera_hls_on_air(ngx_camera_live_t *live)
{
    return live->index.state == CAM_LIVE_ON
           && ngx_camera_hls_has_picture(live) && !ngx_camera_hls_stale(live);
}


/* by the packager's last sign of life; a file of before a reboot is stale */

static ngx_uint_t
ngx_camera_hls_stale(ngx_camera_live_t *live)
{
    int64_t  age;

    age = cam_clock_monotonic_msec() - (int64_t) live->index.updated_msec;

    return age < 0 || age > NGX_CAMERA_HLS_STALE_MSEC;
}


static ngx_uint_t
ngx_camera_hls_has_picture(ngx_camera_live_t *live)
{
    return live->index.segments && live->index.segment[0].complete;
}


static u_char *
ngx_camera_hls_master_print(u_char *p, u_char *last, ngx_camera_live_t *live,
    const cam_url_session_t *s)
{
    char              session[CAM_URL_SESSION_TEXT];
    ngx_str_t         text;
    cam_live_init_t  *init;

    init = ngx_camera_live_init(live,
                     live->index.segment[live->index.segments - 1].init);

    cam_url_session_sign(ngx_camera_hls_worker.macs, live->camera, s, session);

    text.data = (u_char *) session;
    text.len = sizeof(session);

    p = ngx_slprintf(p, last,
                     "#EXTM3U\n"
                     "#EXT-X-VERSION:9\n"
                     "#EXT-X-STREAM-INF:BANDWIDTH=%ui",
                     ngx_camera_hls_bandwidth(live, init));

    if (init && init->has_video && init->width && init->height) {
        p = ngx_slprintf(p, last, ",RESOLUTION=%udx%ud",
                         (u_int) init->width, (u_int) init->height);
    }

    if (init && init->codecs[0]) {
        p = ngx_slprintf(p, last, ",CODECS=\"%s\"", init->codecs);
    }

    return ngx_slprintf(p, last, "\nlive.m3u8?s=%V\n", &text);
}


/* the peak of what is there: RFC 8216 section 4.3.4.2 */

ngx_uint_t
ngx_camera_hls_bandwidth(ngx_camera_live_t *live, cam_live_init_t *init)
{
    uint64_t             bits;
    ngx_uint_t           i, peak;
    cam_live_segment_t  *seg;

    peak = init ? init->bandwidth : 0;

    for (i = 0; i < live->index.segments; i++) {
        seg = &live->index.segment[i];

        if (!seg->complete || seg->duration_usec == 0) {
            continue;
        }

        bits = (uint64_t) seg->size * 8 * 1000000 / seg->duration_usec;
        peak = ngx_max(peak, (ngx_uint_t) bits);
    }

    return ngx_max(peak, 1);
}


ngx_int_t
ngx_camera_hls_playlist(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_camera_hls_ctx_t  *ctx;

    rc = ngx_camera_hls_playlist_check(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_camera_hls_playlist_ready(r)) {
        return ngx_camera_hls_playlist_send(r);
    }

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);

    return ngx_camera_hls_wait(r, ctx->live, ngx_camera_hls_playlist_ready,
                               ngx_camera_hls_playlist_send);
}


ngx_int_t
ngx_camera_hls_playlist_check(ngx_http_request_t *r)
{
    ngx_camera_conf_t     *ccf;
    ngx_camera_hls_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);
    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    ctx->live = ngx_camera_live_get(ccf, ctx->path.camera);

    if (ctx->live == NULL || !ngx_camera_hls_has_picture(ctx->live)) {
        return ngx_camera_play_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                      "camera has no picture");
    }

    if (ctx->args_rc == CAM_PLAY_BAD
        || (ctx->args.msn >= 0
            && (uint64_t) ctx->args.msn
               > ngx_camera_hls_last_complete(ctx->live) + 2)
        || ctx->args.part >= CAM_LIVE_PARTS)
    {
        return ngx_camera_play_refuse(r, NGX_HTTP_BAD_REQUEST,
                                      "_HLS_msn or _HLS_part out of range");
    }

    return NGX_OK;
}


static uint64_t
ngx_camera_hls_last_complete(ngx_camera_live_t *live)
{
    cam_live_segment_t  *seg;

    seg = &live->index.segment[live->index.segments - 1];

    return seg->complete ? seg->msn : seg->msn - 1;
}


/*
 * RFC 8216bis section 6.2.5.2.  A part behind the last one of a segment means
 * the first one of the next.
 */

ngx_uint_t
ngx_camera_hls_playlist_ready(ngx_http_request_t *r)
{
    uint64_t               msn;
    cam_live_segment_t    *seg;
    ngx_camera_hls_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);

    if (ctx->args.msn < 0 || ctx->live->index.segments == 0) {
        return 1;
    }

    msn = ctx->args.msn;
    seg = &ctx->live->index.segment[ctx->live->index.segments - 1];

    if (seg->msn != msn) {
        return seg->msn > msn;
    }

    if (ctx->args.part < 0) {
        return seg->complete;
    }

    return ctx->args.part < seg->parts;
}


/* late, too: a player goes on with what it gets until the camera is back */

static ngx_int_t
ngx_camera_hls_playlist_send(ngx_http_request_t *r)
{
    size_t                 len;
    ngx_buf_t             *b;
    ngx_camera_hls_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);

    len = ngx_camera_hls_text_len(ctx->live);

    if (len == 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = ngx_create_temp_buf(r->pool, len);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->last = ngx_camera_hls_text_print(b->pos, ctx->live, &ctx->session,
                                        ctx->args.session.data);

    return ngx_camera_hls_send(r, b, &ctx->session);
}
