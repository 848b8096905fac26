/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The media playlist that reaches back: recordings, then the live store with
 * its parts, one list from the first to the last.  It never slides, and each
 * piece keeps its number: see record_back.h.
 *
 * What the live store has is printed here, as in the plain list and at once.  A
 * player that has the rest asks with _HLS_skip for no more than that, and waits
 * for no disk.  The whole list is made by a thread up to what a plain list
 * begins with; while it is at it the store keeps that for as long again.
 */

#include "ngx_camera_hls.h"
#include "ngx_camera_task.h"
#include "record_back.h"


#define NGX_CAMERA_HLS_BACK_HEAD  512


/* in and out of the thread */

typedef struct {
    ngx_camera_task_t        task;
    char                   **volume;
    unsigned                 volumes;
    uint8_t                  camera[CAM_UUID_LEN];
    cam_url_session_t        session;
    cam_url_back_t           back;
    cam_record_back_live_t   live[CAM_LIVE_SEGMENTS];
    unsigned                 lives;
    uint64_t                 end;

    int                      err;        /* of a volume */
    char                    *text;       /* NULL: no memory, or too long */
    size_t                   len;
} ngx_camera_hls_back_t;


static ngx_int_t ngx_camera_hls_back_send(ngx_http_request_t *r);
static ngx_uint_t ngx_camera_hls_back_skips(const ngx_camera_live_t *live,
    ngx_uint_t target_sec);
static ngx_int_t ngx_camera_hls_back_news(ngx_http_request_t *r);
static ngx_int_t ngx_camera_hls_back_whole(ngx_http_request_t *r);
static void ngx_camera_hls_back_run(ngx_camera_task_t *task);
static ngx_int_t ngx_camera_hls_back_answer(ngx_camera_task_t *task,
    ngx_http_request_t *r);
static void ngx_camera_hls_back_clear(ngx_camera_task_t *task);
static ngx_uint_t ngx_camera_hls_back_target(const ngx_camera_live_t *live,
    const cam_url_back_t *back);
static ngx_buf_t *ngx_camera_hls_back_head(ngx_http_request_t *r,
    ngx_camera_live_t *live, uint64_t skipped);
static ngx_buf_t *ngx_camera_hls_back_tail(ngx_http_request_t *r,
    ngx_camera_live_t *live, uint64_t msn);


ngx_int_t
ngx_camera_hls_back(ngx_http_request_t *r)
{
    uint64_t               first;
    ngx_int_t              rc;
    ngx_camera_hls_ctx_t  *ctx;

    rc = ngx_camera_hls_playlist_check(r);

    if (rc != NGX_OK) {
        return rc;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);
    first = ngx_camera_hls_first(ctx->live)->msn;

    /* an index that was lost began anew with other numbers */

    if (first < ctx->back.seam
        || first - ctx->back.seam + ctx->back.count > CAM_RECORD_BACK_MAX)
    {
        return ngx_camera_play_refuse(r, NGX_HTTP_NOT_FOUND,
                                      "the live store is another one");
    }

    if (ngx_camera_hls_playlist_ready(r)) {
        return ngx_camera_hls_back_send(r);
    }

    return ngx_camera_hls_wait(r, ctx->live, ngx_camera_hls_playlist_ready,
                               ngx_camera_hls_back_send);
}


static ngx_int_t
ngx_camera_hls_back_send(ngx_http_request_t *r)
{
    ngx_uint_t             target;
    ngx_camera_hls_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);
    target = ngx_camera_hls_back_target(ctx->live, &ctx->back);

    /* hls.js 1.7 miscounts discontinuities of a delta update without a hint */

    return ctx->args.skip && ctx->live->index.state == CAM_LIVE_ON
           && ngx_camera_hls_back_skips(ctx->live, target)
           ? ngx_camera_hls_back_news(r) : ngx_camera_hls_back_whole(r);
}


/* RFC 8216bis section 4.4.3.8: six target durations at least, which have to be
   among the segments that a plain list has */

static ngx_uint_t
ngx_camera_hls_back_skips(const ngx_camera_live_t *live, ngx_uint_t target_sec)
{
    return 6 * target_sec * 1000 <= CAM_LIVE_LISTED * live->index.target_msec;
}


/* what a plain list has, and how many segments are before it */

static ngx_int_t
ngx_camera_hls_back_news(ngx_http_request_t *r)
{
    uint64_t               first;
    ngx_chain_t            out[2];
    ngx_camera_hls_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);
    first = ngx_camera_hls_first(ctx->live)->msn;

    out[0].buf = ngx_camera_hls_back_head(r, ctx->live,
                                          first - ctx->back.seam
                                          + ctx->back.count);
    out[0].next = &out[1];
    out[1].buf = ngx_camera_hls_back_tail(r, ctx->live, first);
    out[1].next = NULL;

    if (out[0].buf == NULL || out[1].buf == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_camera_hls_send_chain(r, out, &ctx->session);
}


static ngx_int_t
ngx_camera_hls_back_whole(ngx_http_request_t *r)
{
    ngx_camera_conf_t      *ccf;
    cam_live_init_t        *init;
    cam_live_segment_t     *seg, *first;
    ngx_camera_hls_ctx_t   *ctx;
    ngx_camera_hls_back_t  *list;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);
    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    list = ngx_camera_task_create(sizeof(ngx_camera_hls_back_t));
    if (list == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    list->volume = ccf->recordings;
    list->volumes = ccf->nrecordings;
    ngx_memcpy(list->camera, ctx->path.camera, CAM_UUID_LEN);
    list->session = ctx->session;
    list->back = ctx->back;

    first = ngx_camera_hls_first(ctx->live);
    list->end = first->msn;

    for (seg = ctx->live->index.segment; seg < first; seg++) {
        list->live[list->lives].msn = seg->msn;
        list->live[list->lives].wall_msec = seg->wall_msec;
        list->live[list->lives].duration_usec = seg->duration_usec;
        list->live[list->lives].size = seg->size;
        list->live[list->lives].init = seg->init;
        init = ngx_camera_live_init(ctx->live, seg->init);
        list->live[list->lives].init_size = init ? init->size : 0;
        list->live[list->lives].discontinuity = seg->discontinuity;
        list->lives++;
    }

    list->task.run = ngx_camera_hls_back_run;
    list->task.answer = ngx_camera_hls_back_answer;
    list->task.clear = ngx_camera_hls_back_clear;

    return ngx_camera_task_post(&list->task, r);
}


/* without a volume there are gaps, and live goes on */

static void
ngx_camera_hls_back_run(ngx_camera_task_t *task)
{
    ngx_camera_hls_back_t *list = (ngx_camera_hls_back_t *) task;

    cam_record_back_t       past;
    cam_record_back_list_t  lines;

    if (cam_record_back_read(&past, list->volume, list->volumes, list->camera,
                             list->back.from_msec, list->session.ends * 1000)
        == -1)
    {
        list->err = ngx_errno;
        past.n = 0;
    }

    lines.camera = list->camera;
    lines.macs = ngx_camera_hls_worker.macs;
    lines.s = &list->session;
    lines.back = &list->back;
    lines.live = list->live;
    lines.lives = list->lives;
    lines.end = list->end;

    list->text = cam_record_back_text(&past, &lines, &list->len);

    cam_record_back_free(&past);
}


static ngx_int_t
ngx_camera_hls_back_answer(ngx_camera_task_t *task, ngx_http_request_t *r)
{
    ngx_int_t               rc;
    ngx_chain_t             out[3];
    ngx_camera_live_t      *live;
    ngx_camera_hls_ctx_t   *ctx;
    ngx_camera_hls_back_t  *list;

    list = (ngx_camera_hls_back_t *) task;
    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);
    live = ngx_camera_live_get(ngx_camera_conf((ngx_cycle_t *) ngx_cycle),
                               list->camera);

    if (list->err) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, list->err,
                      "recordings: reading a volume failed");
    }

    if (list->text == NULL || live == NULL || live->index.segments == 0
        || live->index.segment[0].msn > list->end)
    {
        return ngx_camera_play_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                      "the list cannot be made");
    }

    rc = ngx_camera_task_buf(r, list->text, list->len, &out[1].buf);
    list->text = NULL;

    if (rc != NGX_OK) {
        return rc;
    }

    out[0].buf = ngx_camera_hls_back_head(r, live, 0);
    out[2].buf = ngx_camera_hls_back_tail(r, live, list->end);

    if (out[0].buf == NULL || out[2].buf == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    out[0].next = list->len ? &out[1] : &out[2];
    out[1].next = &out[2];
    out[2].next = NULL;

    return ngx_camera_hls_send_chain(r, out, &ctx->session);
}


static void
ngx_camera_hls_back_clear(ngx_camera_task_t *task)
{
    ngx_camera_hls_back_t *list = (ngx_camera_hls_back_t *) task;

    free(list->text);
}


static ngx_uint_t
ngx_camera_hls_back_target(const ngx_camera_live_t *live,
    const cam_url_back_t *back)
{
    return ngx_max(back->target_sec, (live->index.target_msec + 999) / 1000);
}


static ngx_buf_t *
ngx_camera_hls_back_head(ngx_http_request_t *r, ngx_camera_live_t *live,
    uint64_t skipped)
{
    ngx_buf_t             *b;
    ngx_uint_t             target;
    ngx_camera_hls_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);

    b = ngx_create_temp_buf(r->pool, NGX_CAMERA_HLS_BACK_HEAD);
    if (b == NULL) {
        return NULL;
    }

    target = ngx_camera_hls_back_target(live, &ctx->back);

    b->last = ngx_slprintf(b->last, b->end,
                           "#EXTM3U\n"
                           "#EXT-X-VERSION:9\n"
                           "#EXT-X-TARGETDURATION:%ui\n"
                           "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,",
                           target);

    if (ngx_camera_hls_back_skips(live, target)) {
        b->last = ngx_slprintf(b->last, b->end, "CAN-SKIP-UNTIL=%ui.0,",
                               6 * target);
    }

    b->last = ngx_slprintf(b->last, b->end,
                           "PART-HOLD-BACK=%uD.%03uD\n"
                           "#EXT-X-PART-INF:PART-TARGET=%uD.%03uD\n"
                           "#EXT-X-MEDIA-SEQUENCE:%uL\n"
                           "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
                           "#EXT-X-START:TIME-OFFSET=%ud.%03ud,PRECISE=YES\n",
                           3 * live->index.part_target_msec / 1000,
                           3 * live->index.part_target_msec % 1000,
                           live->index.part_target_msec / 1000,
                           live->index.part_target_msec % 1000,
                           ctx->back.seam - ctx->back.count,
                           (u_int) ctx->back.start_msec / 1000,
                           (u_int) ctx->back.start_msec % 1000);

    if (skipped) {
        b->last = ngx_slprintf(b->last, b->end,
                               "#EXT-X-SKIP:SKIPPED-SEGMENTS=%uL\n", skipped);
    }

    return b;
}


/* at the seam times begin anew, whatever the live store says of it */

static ngx_buf_t *
ngx_camera_hls_back_tail(ngx_http_request_t *r, ngx_camera_live_t *live,
    uint64_t msn)
{
    ngx_str_t              text;
    ngx_buf_t             *b;
    ngx_uint_t             breaks;
    cam_live_segment_t    *seg;
    ngx_camera_hls_ctx_t  *ctx;

    static const ngx_str_t  mark = ngx_string("#EXT-X-DISCONTINUITY\n");

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);

    text = ngx_camera_hls_text_tail(live, msn, &ctx->session,
                                    ctx->args.session.data);

    b = ngx_create_temp_buf(r->pool, mark.len + text.len);
    if (b == NULL) {
        return NULL;
    }

    seg = ngx_camera_live_segment(live, msn);
    breaks = seg && !seg->discontinuity && msn == ctx->back.seam
             && ctx->back.count;

    if (breaks) {
        b->last = ngx_cpymem(b->last, mark.data, mark.len);
    }

    b->last = ngx_cpymem(b->last, text.data, text.len);

    return b;
}
