/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The two playlists of recordings.  The multivariant one is the entrance: a
 * thread looks what there is in the range, then a session starts.  When the
 * range reaches into the future and the camera is being recorded, the media
 * playlist may grow; otherwise the session's range is cut to what is past, and
 * its playlist never changes.
 */

#include "ngx_camera_rec.h"
#include "record_playlist.h"


#define NGX_CAMERA_REC_MASTER_LEN  1024
#define NGX_CAMERA_REC_NEWS_MSEC   30000    /* it is being recorded */


/* in and out of the thread */

typedef struct {
    ngx_camera_task_t      task;
    char                 **volume;
    unsigned               volumes;
    uint8_t                camera[CAM_UUID_LEN];
    cam_record_session_t   session;
    int64_t                now_msec;

    int                    err;
    cam_record_summary_t   summary;
    char                  *text;
    size_t                 len;
} ngx_camera_rec_list_t;


static ngx_camera_rec_list_t *ngx_camera_rec_list(ngx_http_request_t *r,
    ngx_camera_rec_ctx_t *ctx);
static void ngx_camera_rec_master_run(ngx_camera_task_t *task);
static ngx_int_t ngx_camera_rec_master_answer(ngx_camera_task_t *task,
    ngx_http_request_t *r);
static ngx_uint_t ngx_camera_rec_recorded(ngx_camera_rec_list_t *list);
static void ngx_camera_rec_settle(ngx_camera_rec_list_t *list,
    cam_record_session_t *s);
static u_char *ngx_camera_rec_master_print(u_char *p, u_char *last,
    ngx_camera_rec_list_t *list, const cam_record_session_t *s);
static void ngx_camera_rec_media_run(ngx_camera_task_t *task);
static ngx_int_t ngx_camera_rec_media_answer(ngx_camera_task_t *task,
    ngx_http_request_t *r);
static void ngx_camera_rec_media_clear(ngx_camera_task_t *task);


ngx_int_t
ngx_camera_rec_master(ngx_http_request_t *r)
{
    ngx_camera_rec_ctx_t   *ctx;
    ngx_camera_rec_list_t  *list;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_rec_module);
    list = ngx_camera_rec_list(r, ctx);

    if (list == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    list->session.url.started = ngx_time();

    if (list->session.to_msec == 0) {
        list->session.to_msec = list->session.from_msec
                                + CAM_RECORD_RANGE_MSEC;
    }

    list->task.run = ngx_camera_rec_master_run;
    list->task.answer = ngx_camera_rec_master_answer;

    return ngx_camera_task_post(&list->task, r);
}


static ngx_camera_rec_list_t *
ngx_camera_rec_list(ngx_http_request_t *r, ngx_camera_rec_ctx_t *ctx)
{
    ngx_camera_conf_t      *ccf;
    ngx_camera_rec_list_t  *list;

    list = ngx_camera_task_create(sizeof(ngx_camera_rec_list_t));
    if (list == NULL) {
        return NULL;
    }

    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    list->volume = ccf->recordings;
    list->volumes = ccf->nrecordings;
    ngx_memcpy(list->camera, ctx->uri.camera, CAM_UUID_LEN);
    list->session = ctx->session;
    list->now_msec = cam_clock_wall_msec();

    return list;
}


static void
ngx_camera_rec_master_run(ngx_camera_task_t *task)
{
    ngx_camera_rec_list_t *list = (ngx_camera_rec_list_t *) task;

    if (cam_record_summary(list->volume, list->volumes, list->camera,
                           &list->session, &list->summary)
        == -1)
    {
        list->err = ngx_errno;
    }
}


static ngx_int_t
ngx_camera_rec_master_answer(ngx_camera_task_t *task, ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_buf_t                  *b;
    ngx_camera_rec_ctx_t       *ctx;
    ngx_camera_rec_list_t      *list;
    ngx_camera_hls_loc_conf_t  *hlcf;
    ngx_camera_rec_loc_conf_t  *rlcf;

    list = (ngx_camera_rec_list_t *) task;
    ctx = ngx_http_get_module_ctx(r, ngx_camera_rec_module);

    if (list->err) {
        return ngx_camera_rec_failed(r, list->err,
                                     "nothing was recorded then");
    }

    hlcf = ngx_http_get_module_loc_conf(r, ngx_camera_hls_module);
    rlcf = ngx_http_get_module_loc_conf(r, ngx_camera_rec_module);

    rc = ngx_camera_hls_start_owned(r, &ctx->token, hlcf->sessions,
                                    rlcf->idle, &ctx->session.url);

    if (rc != NGX_OK) {
        return ngx_camera_hls_not_started(r, rc, hlcf->sessions, rlcf->idle);
    }

    ctx->signed_in = r->method != NGX_HTTP_HEAD;

    ngx_camera_rec_settle(list, &ctx->session);

    b = ngx_create_temp_buf(r->pool, NGX_CAMERA_REC_MASTER_LEN);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->last = ngx_camera_rec_master_print(b->pos, b->end, list, &ctx->session);

    return ngx_camera_hls_send(r, b, &ctx->session.url);
}


static ngx_uint_t
ngx_camera_rec_recorded(ngx_camera_rec_list_t *list)
{
    return list->summary.end_msec
           >= list->now_msec - NGX_CAMERA_REC_NEWS_MSEC;
}


/* what the playlist is a function of is fixed now, for as long as it plays */

static void
ngx_camera_rec_settle(ngx_camera_rec_list_t *list, cam_record_session_t *s)
{
    s->from_msec = list->session.from_msec;
    s->to_msec = list->session.to_msec;
    s->target_sec = list->summary.target_sec;

    if (cam_record_session_open(s) && !ngx_camera_rec_recorded(list)) {
        s->to_msec = s->url.started * 1000 - CAM_RECORD_SETTLE_MSEC;
    }
}


static u_char *
ngx_camera_rec_master_print(u_char *p, u_char *last,
    ngx_camera_rec_list_t *list, const cam_record_session_t *s)
{
    char                   session[CAM_RECORD_SESSION_TEXT];
    ngx_str_t              text;
    cam_record_summary_t  *sum;

    sum = &list->summary;

    cam_record_session_sign(ngx_camera_hls_worker.macs, list->camera, s,
                            session);

    text.data = (u_char *) session;
    text.len = sizeof(session);

    p = ngx_slprintf(p, last,
                     "#EXTM3U\n"
                     "#EXT-X-VERSION:6\n"
                     "#EXT-X-STREAM-INF:BANDWIDTH=%uL,AVERAGE-BANDWIDTH=%uL",
                     ngx_max(ngx_max(sum->bandwidth, sum->average), 1),
                     ngx_max(sum->average, 1));

    if (sum->width && sum->height) {
        p = ngx_slprintf(p, last, ",RESOLUTION=%udx%ud", (u_int) sum->width,
                         (u_int) sum->height);
    }

    if (sum->codecs[0]) {
        p = ngx_slprintf(p, last, ",CODECS=\"%s\"", sum->codecs);
    }

    return ngx_slprintf(p, last, "\nmedia.m3u8?s=%V\n", &text);
}


ngx_int_t
ngx_camera_rec_media(ngx_http_request_t *r)
{
    ngx_camera_rec_ctx_t   *ctx;
    ngx_camera_rec_list_t  *list;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_rec_module);
    list = ngx_camera_rec_list(r, ctx);

    if (list == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    list->task.run = ngx_camera_rec_media_run;
    list->task.answer = ngx_camera_rec_media_answer;
    list->task.clear = ngx_camera_rec_media_clear;

    return ngx_camera_task_post(&list->task, r);
}


static void
ngx_camera_rec_media_run(ngx_camera_task_t *task)
{
    ngx_camera_rec_list_t *list = (ngx_camera_rec_list_t *) task;

    list->text = cam_record_playlist(list->volume, list->volumes,
                                     list->camera, &list->session,
                                     ngx_camera_hls_worker.macs,
                                     list->now_msec, &list->len);

    if (list->text == NULL) {
        list->err = ngx_errno;
    }
}


static ngx_int_t
ngx_camera_rec_media_answer(ngx_camera_task_t *task, ngx_http_request_t *r)
{
    char                   *text;
    ngx_int_t               rc;
    ngx_buf_t              *b;
    ngx_camera_rec_list_t  *list;

    list = (ngx_camera_rec_list_t *) task;

    if (list->err) {
        return ngx_camera_rec_failed(r, list->err, "recordings are gone");
    }

    text = list->text;
    list->text = NULL;

    rc = ngx_camera_task_buf(r, text, list->len, &b);

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_camera_hls_send(r, b, &list->session.url);
}


static void
ngx_camera_rec_media_clear(ngx_camera_task_t *task)
{
    ngx_camera_rec_list_t *list = (ngx_camera_rec_list_t *) task;

    free(list->text);
}


ngx_int_t
ngx_camera_rec_failed(ngx_http_request_t *r, int err, const char *nothing)
{
    if (err == NGX_ENOENT) {
        return ngx_camera_play_refuse(r, NGX_HTTP_NOT_FOUND, nothing);
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, err,
                  "recordings: reading a volume failed");

    return ngx_camera_play_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                  "recordings cannot be read");
}
