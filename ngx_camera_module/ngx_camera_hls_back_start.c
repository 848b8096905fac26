/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The entrance to a live list that reaches back: a thread looks what there is
 * since then, and a session starts.  What its media playlist is a function of
 * besides disk and live store is fixed now and stands in its address: see
 * record_back.h.
 *
 * When the camera is not being recorded there would be nothing to come back
 * from: the entrance is the plain one.
 */

#include "ngx_camera_hls.h"
#include "ngx_camera_task.h"
#include "record_back.h"


#define NGX_CAMERA_HLS_BACK_LEN   1536
#define NGX_CAMERA_HLS_NEWS_MSEC  30000     /* it is being recorded */


/* in and out of the thread */

typedef struct {
    ngx_camera_task_t    task;
    char               **volume;
    unsigned             volumes;
    uint8_t              camera[CAM_UUID_LEN];
    int64_t              from_msec;
    int64_t              now_msec;

    int                  err;
    cam_record_back_t    past;
    unsigned             recorded;
} ngx_camera_hls_entrance_t;


static void ngx_camera_hls_entrance_look(ngx_camera_task_t *task);
static int ngx_camera_hls_entrance_news(void *data,
    const cam_record_piece_t *piece);
static ngx_int_t ngx_camera_hls_entrance_answer(ngx_camera_task_t *task,
    ngx_http_request_t *r);
static void ngx_camera_hls_entrance_settle(ngx_camera_hls_entrance_t *e,
    ngx_camera_live_t *live, cam_url_back_t *back);
static cam_live_segment_t *ngx_camera_hls_entrance_seam(ngx_camera_live_t *live,
    const cam_record_back_t *past);
static u_char *ngx_camera_hls_entrance_print(u_char *p, u_char *last,
    ngx_camera_hls_entrance_t *e, ngx_camera_live_t *live,
    ngx_camera_hls_ctx_t *ctx);
static u_char *ngx_camera_hls_entrance_address(u_char *p, u_char *last,
    ngx_camera_hls_ctx_t *ctx);
static void ngx_camera_hls_entrance_clear(ngx_camera_task_t *task);


ngx_int_t
ngx_camera_hls_back_start(ngx_http_request_t *r)
{
    ngx_camera_conf_t          *ccf;
    ngx_camera_hls_ctx_t       *ctx;
    ngx_camera_hls_entrance_t  *e;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);
    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    e = ngx_camera_task_create(sizeof(ngx_camera_hls_entrance_t));
    if (e == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    e->volume = ccf->recordings;
    e->volumes = ccf->nrecordings;
    ngx_memcpy(e->camera, ctx->path.camera, CAM_UUID_LEN);
    e->from_msec = ctx->args.from_msec;
    e->now_msec = cam_clock_wall_msec();

    e->task.run = ngx_camera_hls_entrance_look;
    e->task.answer = ngx_camera_hls_entrance_answer;
    e->task.clear = ngx_camera_hls_entrance_clear;

    return ngx_camera_task_post(&e->task, r);
}


static void
ngx_camera_hls_entrance_look(ngx_camera_task_t *task)
{
    ngx_camera_hls_entrance_t *e = (ngx_camera_hls_entrance_t *) task;

    cam_record_range_t  news;

    ngx_memzero(&news, sizeof(cam_record_range_t));
    news.volume = e->volume;
    news.volumes = e->volumes;
    ngx_memcpy(news.camera, e->camera, CAM_UUID_LEN);
    news.from_msec = e->now_msec - NGX_CAMERA_HLS_NEWS_MSEC;
    news.to_msec = e->now_msec + NGX_CAMERA_HLS_NEWS_MSEC;
    news.by_segment = 1;

    if (cam_record_walk(&news, ngx_camera_hls_entrance_news, &e->recorded) == -1
        || (e->recorded
            && cam_record_back_read(&e->past, e->volume, e->volumes,
                                    e->camera, e->from_msec, news.to_msec)
               == -1))
    {
        e->err = ngx_errno;
    }
}


static int
ngx_camera_hls_entrance_news(void *data, const cam_record_piece_t *piece)
{
    unsigned *recorded = data;

    *recorded = 1;

    return 1;
}


static ngx_int_t
ngx_camera_hls_entrance_answer(ngx_camera_task_t *task, ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_buf_t                  *b;
    ngx_camera_live_t          *live;
    ngx_camera_hls_ctx_t       *ctx;
    ngx_camera_hls_entrance_t  *e;
    ngx_camera_hls_loc_conf_t  *hlcf;

    e = (ngx_camera_hls_entrance_t *) task;
    hlcf = ngx_http_get_module_loc_conf(r, ngx_camera_hls_module);
    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);
    live = ngx_camera_live_get(ngx_camera_conf((ngx_cycle_t *) ngx_cycle),
                               e->camera);

    if (e->err) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, e->err,
                      "recordings: reading a volume failed");
    }

    if (e->err || !e->recorded || live == NULL
        || !ngx_camera_hls_on_air(live))
    {
        return ngx_camera_hls_master(r);
    }

    rc = ngx_camera_hls_start_owned(r, &ctx->token, hlcf->sessions,
                                    hlcf->idle, &ctx->session);

    if (rc != NGX_OK) {
        return ngx_camera_hls_not_started(r, rc, hlcf->sessions, hlcf->idle);
    }

    ctx->signed_in = r->method != NGX_HTTP_HEAD;

    b = ngx_create_temp_buf(r->pool, NGX_CAMERA_HLS_BACK_LEN);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_camera_hls_entrance_settle(e, live, &ctx->back);
    b->last = ngx_camera_hls_entrance_print(b->pos, b->end, e, live, ctx);

    return ngx_camera_hls_send(r, b, &ctx->session);
}


static void
ngx_camera_hls_entrance_settle(ngx_camera_hls_entrance_t *e,
    ngx_camera_live_t *live, cam_url_back_t *back)
{
    int64_t              offset;
    uint32_t             target, longest;
    cam_live_segment_t  *seam;

    seam = ngx_camera_hls_entrance_seam(live, &e->past);

    back->seam = seam->msn;
    cam_record_back_settle(&e->past, back);
    back->from_msec = back->count ? e->past.piece[0].wall_msec : e->from_msec;

    offset = e->from_msec - (back->count ? back->from_msec : seam->wall_msec);
    back->start_msec = ngx_min(ngx_max(offset, 0), UINT16_MAX);

    target = (live->index.target_msec + 999) / 1000;
    longest = (e->past.longest_usec + 500000) / 1000000;

    back->target_sec = ngx_min(ngx_max(target, longest), UINT8_MAX);
}


/*
 * The first segment that a plain list has, or the last one that was recorded
 * whatever came of it, if that is before; then the key frame before it.
 */

static cam_live_segment_t *
ngx_camera_hls_entrance_seam(ngx_camera_live_t *live,
    const cam_record_back_t *past)
{
    size_t               i;
    uint64_t             last;
    cam_live_segment_t  *seg, *key;

    for (i = 0, last = 0; i < past->n; i++) {
        last = ngx_max(last, past->piece[i].msn);
    }

    seg = ngx_camera_hls_first(live);

    while (seg > live->index.segment && seg->msn > last) {
        seg--;
    }

    for (key = seg; key > live->index.segment; key--) {
        if (key->part[0].independent) {
            break;
        }
    }

    return key->part[0].independent ? key : seg;
}


static u_char *
ngx_camera_hls_entrance_print(u_char *p, u_char *last,
    ngx_camera_hls_entrance_t *e, ngx_camera_live_t *live,
    ngx_camera_hls_ctx_t *ctx)
{
    uint16_t            width, height;
    uint64_t            bandwidth;
    cam_live_init_t    *init;
    cam_record_back_t  *past;

    past = &e->past;
    init = ngx_camera_live_init(live,
                     live->index.segment[live->index.segments - 1].init);

    width = past->width;
    height = past->height;
    bandwidth = ngx_max(past->bandwidth, ngx_camera_hls_bandwidth(live, init));

    if (init) {
        cam_record_codecs(past->codecs, init->codecs);

        if (init->width > width) {
            width = init->width;
            height = init->height;
        }
    }

    p = ngx_slprintf(p, last,
                     "#EXTM3U\n"
                     "#EXT-X-VERSION:9\n"
                     "#EXT-X-STREAM-INF:BANDWIDTH=%uL", bandwidth);

    if (width && height) {
        p = ngx_slprintf(p, last, ",RESOLUTION=%udx%ud", (u_int) width,
                         (u_int) height);
    }

    if (past->codecs[0]) {
        p = ngx_slprintf(p, last, ",CODECS=\"%s\"", past->codecs);
    }

    return ngx_camera_hls_entrance_address(p, last, ctx);
}


static u_char *
ngx_camera_hls_entrance_address(u_char *p, u_char *last,
    ngx_camera_hls_ctx_t *ctx)
{
    char             session[CAM_URL_SESSION_TEXT], mac[CAM_URL_MAC_TEXT];
    ngx_str_t        s, m;
    cam_url_back_t  *back;

    back = &ctx->back;

    cam_url_session_sign(ngx_camera_hls_worker.macs, ctx->path.camera,
                         &ctx->session, session);
    cam_url_back_sign(&ngx_camera_hls_worker.macs[ctx->session.key],
                      ctx->path.camera, &ctx->session, back, mac);

    s.data = (u_char *) session;
    s.len = sizeof(session);
    m.data = (u_char *) mac;
    m.len = sizeof(mac);

    return ngx_slprintf(p, last,
                        "\nback.m3u8?s=%V&f=%L&l=%uL&n=%uL&c=%uD&o=%ud&t=%ud"
                        "&m=%V\n",
                        &s, back->from_msec, back->last, back->seam,
                        back->count, (u_int) back->start_msec,
                        (u_int) back->target_sec, &m);
}


static void
ngx_camera_hls_entrance_clear(ngx_camera_task_t *task)
{
    ngx_camera_hls_entrance_t *e = (ngx_camera_hls_entrance_t *) task;

    cam_record_back_free(&e->past);
}
