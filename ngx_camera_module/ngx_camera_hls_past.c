/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A segment of a list that reaches back which the live store does not have any
 * more: the player is further behind.  Its URI stays what it was, and a thread
 * finds the segment in the recordings.
 */

#include <fcntl.h>

#include "ngx_camera_hls.h"
#include "ngx_camera_rec.h"
#include "record_segment.h"


#define NGX_CAMERA_HLS_PAST_MAX   (32 << 20)    /* bytes of a segment */

/* the store keeps segments for less before a session starts */
#define NGX_CAMERA_HLS_PAST_MSEC  300000


/* in and out of the thread */

typedef struct {
    ngx_camera_task_t    task;
    cam_record_range_t   range;
    uint64_t             msn;
    int                  live_fd;
    char                 near[CAM_UUID_TEXT + 1 + CAM_LIVE_NAME_MAX + 1];

    int                  err;
    uint8_t             *data;
    size_t               size;
} ngx_camera_hls_past_t;


static void ngx_camera_hls_past_near(ngx_camera_hls_past_t *past,
    ngx_camera_live_t *live);
static void ngx_camera_hls_past_run(ngx_camera_task_t *task);
static ngx_int_t ngx_camera_hls_past_answer(ngx_camera_task_t *task,
    ngx_http_request_t *r);
static void ngx_camera_hls_past_clear(ngx_camera_task_t *task);


ngx_int_t
ngx_camera_hls_past(ngx_http_request_t *r)
{
    ngx_camera_conf_t      *ccf;
    ngx_camera_hls_ctx_t   *ctx;
    ngx_camera_hls_past_t  *past;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);
    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    past = ngx_camera_task_create(sizeof(ngx_camera_hls_past_t));
    if (past == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    past->range.volume = ccf->recordings;
    past->range.volumes = ccf->nrecordings;
    ngx_memcpy(past->range.camera, ctx->path.camera, CAM_UUID_LEN);
    past->range.from_msec = ctx->session.started * 1000
                            - NGX_CAMERA_HLS_PAST_MSEC;
    past->range.to_msec = ctx->session.ends * 1000;
    past->range.keys = ccf->keys;
    past->msn = ctx->path.number;
    past->live_fd = ccf->live_fd;

    ngx_camera_hls_past_near(past, ctx->live);

    past->task.run = ngx_camera_hls_past_run;
    past->task.answer = ngx_camera_hls_past_answer;
    past->task.clear = ngx_camera_hls_past_clear;

    return ngx_camera_task_post(&past->task, r);
}


/* a file that tells how late it is in the live store */

static void
ngx_camera_hls_past_near(ngx_camera_hls_past_t *past, ngx_camera_live_t *live)
{
    cam_live_index_t  *index;

    if (live == NULL || live->index.segments == 0) {
        return;
    }

    index = &live->index;

    cam_uuid_print(past->near, past->range.camera);
    past->near[CAM_UUID_TEXT] = '/';
    cam_live_segment_name(past->near + CAM_UUID_TEXT + 1,
                          index->segment[index->segments - 1].msn);
}


static void
ngx_camera_hls_past_run(ngx_camera_task_t *task)
{
    ngx_camera_hls_past_t *past = (ngx_camera_hls_past_t *) task;

    int  fd;

    fd = past->near[0] ? openat(past->live_fd, past->near,
                                O_RDONLY|O_NOFOLLOW|O_CLOEXEC) : -1;

    past->data = cam_record_segment(&past->range, past->msn, fd,
                                    NGX_CAMERA_HLS_PAST_MAX, &past->size);

    if (past->data == NULL) {
        past->err = ngx_errno;
    }

    if (fd != -1) {
        close(fd);
    }
}


static ngx_int_t
ngx_camera_hls_past_answer(ngx_camera_task_t *task, ngx_http_request_t *r)
{
    ngx_int_t               rc;
    ngx_buf_t              *b;
    ngx_chain_t             out;
    ngx_camera_hls_ctx_t   *ctx;
    ngx_camera_hls_past_t  *past;

    past = (ngx_camera_hls_past_t *) task;
    ctx = ngx_http_get_module_ctx(r, ngx_camera_hls_module);

    if (past->err) {
        return ngx_camera_rec_failed(r, past->err, "media is gone");
    }

    rc = ngx_camera_task_buf(r, past->data, past->size, &b);
    past->data = NULL;

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_camera_hls_media_header(r, past->size) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    if (ngx_camera_hls_worker.sessions) {
        cam_sessions_sent(ngx_camera_hls_worker.sessions, &ctx->session,
                          past->size);
    }

    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static void
ngx_camera_hls_past_clear(ngx_camera_task_t *task)
{
    ngx_camera_hls_past_t *past = (ngx_camera_hls_past_t *) task;

    free(past->data);
}
