/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Snapshots: camera-worker's file is sent while it is fresh; when it is not, a
 * picture is wished for and the request waits.
 *
 *   looked at   fresh: sent at once              [ngx_camera_snapshot_send]
 *   parked      looked for each 10 ms, and wished for again
 *                                                [ngx_camera_snapshot_over]
 *   over        a picture came, or it is known why none will
 *                                                [ngx_camera_snapshot_answer]
 *
 * A wish lasts for less than a picture does, so that one request makes one
 * picture.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "clock.h"
#include "ngx_camera.h"
#include "ngx_camera_park.h"
#include "ngx_camera_play.h"
#include "ngx_camera_snapshot.h"


#define NGX_CAMERA_SNAPSHOT_TICK_MSEC  10
#define NGX_CAMERA_SNAPSHOT_WAIT_MSEC  2000
#define NGX_CAMERA_SNAPSHOT_WISH_MSEC  (CAM_SNAPSHOT_MSEC - 100)
#define NGX_CAMERA_SNAPSHOT_BEAT_MSEC  5000    /* then camera-worker is away */
#define NGX_CAMERA_SNAPSHOT_PATH       (CAM_UUID_TEXT + 1                     \
                                        + CAM_SNAPSHOT_NAME_MAX)


typedef struct {
    ngx_camera_parked_t              parked;      /* first */
    uint8_t                          camera[CAM_UUID_LEN];
    ngx_uint_t                       n;           /* of the widths */
    ngx_msec_t                       deadline;

    ngx_str_t                        path;        /* in live/, with a NUL */
    u_char                           text[NGX_CAMERA_SNAPSHOT_PATH];

    ngx_fd_t                         fd;
    ngx_file_info_t                  info;
    ngx_camera_snapshot_why_e        why;

    ngx_camera_snapshot_handler_pt   handler;
    void                            *data;
} ngx_camera_snapshot_ctx_t;


static ngx_camera_snapshot_ctx_t *ngx_camera_snapshot_create(
    ngx_http_request_t *r, const uint8_t camera[CAM_UUID_LEN],
    ngx_uint_t width);
static ngx_int_t ngx_camera_snapshot_look(ngx_camera_conf_t *ccf,
    ngx_camera_snapshot_ctx_t *ctx);
static ngx_uint_t ngx_camera_snapshot_is_fresh(ngx_file_info_t *fi);
static ngx_int_t ngx_camera_snapshot_open(ngx_camera_conf_t *ccf,
    ngx_camera_snapshot_ctx_t *ctx);
static ngx_int_t ngx_camera_snapshot_reason(ngx_camera_snapshot_ctx_t *ctx);
static void ngx_camera_snapshot_close(ngx_camera_snapshot_ctx_t *ctx);
static ngx_int_t ngx_camera_snapshot_picture(ngx_http_request_t *r,
    ngx_camera_snapshot_ctx_t *ctx);
static ngx_int_t ngx_camera_snapshot_header(ngx_http_request_t *r,
    ngx_camera_snapshot_ctx_t *ctx);
static ngx_int_t ngx_camera_snapshot_wait(ngx_http_request_t *r,
    ngx_camera_snapshot_ctx_t *ctx);
static ngx_uint_t ngx_camera_snapshot_over(ngx_camera_parked_t *parked);
static ngx_int_t ngx_camera_snapshot_answer(ngx_camera_parked_t *parked);
static void ngx_camera_snapshot_cleanup(void *data);


static ngx_camera_park_t  ngx_camera_snapshot_park = {
    .msec = NGX_CAMERA_SNAPSHOT_TICK_MSEC
};


static struct {
    ngx_str_t   text;
    ngx_uint_t  retry_sec;
} ngx_camera_snapshot_texts[] = {
    { ngx_string("the camera sends nothing"), 5 },
    { ngx_string("what the camera sends cannot be decoded"), 10 },
    { ngx_string("this camera's pictures are suspended"), 60 },
    { ngx_string("pictures cannot be made at the moment"), 5 },
    { ngx_string("no picture came in time"), 2 },
};


ngx_int_t
ngx_camera_snapshot_send(ngx_http_request_t *r,
    const uint8_t camera[CAM_UUID_LEN], ngx_uint_t width,
    ngx_camera_snapshot_handler_pt handler, void *data)
{
    ngx_camera_conf_t          *ccf;
    ngx_camera_snapshot_ctx_t  *ctx;

    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    if (ccf == NULL || ccf->registry == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    ctx = ngx_camera_snapshot_create(r, camera, width);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->handler = handler;
    ctx->data = data;

    if (ngx_camera_snapshot_look(ccf, ctx) == NGX_OK) {
        return ngx_camera_snapshot_picture(r, ctx);
    }

    return ngx_camera_snapshot_wait(r, ctx);
}


static ngx_camera_snapshot_ctx_t *
ngx_camera_snapshot_create(ngx_http_request_t *r,
    const uint8_t camera[CAM_UUID_LEN], ngx_uint_t width)
{
    char                        uuid[CAM_UUID_TEXT + 1];
    char                        name[CAM_SNAPSHOT_NAME_MAX];
    ngx_http_cleanup_t         *cln;
    ngx_camera_snapshot_ctx_t  *ctx;

    cln = ngx_http_cleanup_add(r, sizeof(ngx_camera_snapshot_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_camera_snapshot_cleanup;

    ctx = cln->data;
    ngx_memzero(ctx, sizeof(ngx_camera_snapshot_ctx_t));

    ctx->parked.request = r;
    ctx->fd = NGX_INVALID_FILE;
    ctx->n = cam_snapshot_for((unsigned) ngx_min(width, 0xffff));
    ngx_memcpy(ctx->camera, camera, CAM_UUID_LEN);

    ctx->path.data = ctx->text;
    ctx->path.len = ngx_sprintf(ctx->text, "%s/%s",
                                cam_uuid_print(uuid, camera),
                                cam_snapshot_name(name, ctx->n))
                    - ctx->text;
    ctx->text[ctx->path.len] = '\0';

    return ctx;
}


/*
 * NGX_OK: the picture is open, NGX_DECLINED: there will be none, NGX_AGAIN: it
 * was wished for.
 */

static ngx_int_t
ngx_camera_snapshot_look(ngx_camera_conf_t *ccf,
    ngx_camera_snapshot_ctx_t *ctx)
{
    int                    slot;
    ngx_int_t              rc;
    cam_registry_entry_t   entry;
    cam_registry_state_t  *state;

    rc = ngx_camera_snapshot_open(ccf, ctx);

    if (rc != NGX_AGAIN) {
        return rc;
    }

    ctx->why = NGX_CAMERA_SNAPSHOT_OFFLINE;

    slot = cam_registry_find_id(ccf->registry, ctx->camera, &entry);

    if (slot == -1) {
        return NGX_DECLINED;
    }

    state = cam_registry_state(ccf->registry, slot);

    if (__atomic_load_n(&state->generation, __ATOMIC_ACQUIRE)
        == __atomic_load_n(&state->ended_generation, __ATOMIC_RELAXED))
    {
        return NGX_DECLINED;
    }

    if (ccf->wanted == NULL) {
        ctx->why = NGX_CAMERA_SNAPSHOT_AWAY;
        return NGX_DECLINED;
    }

    cam_wanted_push(ccf->wanted, slot, cam_snapshot_kind(ctx->n),
                    cam_clock_monotonic_msec(), NGX_CAMERA_SNAPSHOT_WISH_MSEC);

    return NGX_AGAIN;
}


/* most looks find an old file, or none, and need not open it */

static ngx_int_t
ngx_camera_snapshot_open(ngx_camera_conf_t *ccf,
    ngx_camera_snapshot_ctx_t *ctx)
{
    if (fstatat(ccf->live_fd, (char *) ctx->text, &ctx->info,
                AT_SYMLINK_NOFOLLOW) == -1
        || !ngx_camera_snapshot_is_fresh(&ctx->info))
    {
        return NGX_AGAIN;
    }

    ctx->fd = openat(ccf->live_fd, (char *) ctx->text,
                     O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);

    if (ctx->fd == NGX_INVALID_FILE) {

        if (ngx_errno != NGX_ENOENT) {
            ngx_log_error(NGX_LOG_CRIT, ctx->parked.request->connection->log,
                          ngx_errno, ngx_open_file_n " \"%V\" failed",
                          &ctx->path);
        }

        return NGX_AGAIN;
    }

    /* another one, perhaps, by now */

    if (ngx_fd_info(ctx->fd, &ctx->info) == NGX_FILE_ERROR
        || !ngx_is_file(&ctx->info)
        || !ngx_camera_snapshot_is_fresh(&ctx->info))
    {
        ngx_camera_snapshot_close(ctx);
        return NGX_AGAIN;
    }

    return ngx_file_size(&ctx->info) > 1 ? NGX_OK
                                         : ngx_camera_snapshot_reason(ctx);
}


/* the kernel's clock of files is a few milliseconds behind */

static ngx_uint_t
ngx_camera_snapshot_is_fresh(ngx_file_info_t *fi)
{
    int64_t  age;

    age = cam_clock_wall_msec() - (int64_t) fi->st_ctim.tv_sec * 1000
          - fi->st_ctim.tv_nsec / 1000000;

    return age > -CAM_SNAPSHOT_MSEC && age < CAM_SNAPSHOT_MSEC;
}


static ngx_int_t
ngx_camera_snapshot_reason(ngx_camera_snapshot_ctx_t *ctx)
{
    u_char  why;

    why = 0;

    (void) ngx_read_fd(ctx->fd, &why, 1);
    ngx_camera_snapshot_close(ctx);

    ctx->why = (why == CAM_SNAPSHOT_QUARANTINED)
               ? NGX_CAMERA_SNAPSHOT_QUARANTINED
               : NGX_CAMERA_SNAPSHOT_UNDECODABLE;

    return NGX_DECLINED;
}


static void
ngx_camera_snapshot_close(ngx_camera_snapshot_ctx_t *ctx)
{
    (void) ngx_close_file(ctx->fd);
    ctx->fd = NGX_INVALID_FILE;
}


static ngx_int_t
ngx_camera_snapshot_picture(ngx_http_request_t *r,
    ngx_camera_snapshot_ctx_t *ctx)
{
    ngx_int_t                  rc;
    ngx_buf_t                 *b;
    ngx_chain_t                out;
    ngx_pool_cleanup_t        *cln;
    ngx_pool_cleanup_file_t   *file;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_pool_cleanup_file_t));

    if (cln == NULL) {
        ngx_camera_snapshot_close(ctx);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_pool_cleanup_file;

    file = cln->data;
    file->fd = ctx->fd;
    file->name = ctx->text;
    file->log = r->pool->log;

    ctx->fd = NGX_INVALID_FILE;

    b = ngx_camera_play_file(r, file->fd, &ctx->path, 0,
                             ngx_file_size(&ctx->info));

    if (b == NULL || ngx_camera_snapshot_header(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static ngx_int_t
ngx_camera_snapshot_header(ngx_http_request_t *r,
    ngx_camera_snapshot_ctx_t *ctx)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    ngx_str_set(&h->key, "Cache-Control");
    ngx_str_set(&h->value, "private, max-age=1");

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = ngx_file_size(&ctx->info);
    r->headers_out.last_modified_time = ngx_file_mtime(&ctx->info);

    ngx_str_set(&r->headers_out.content_type, "image/jpeg");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    return NGX_OK;
}


/* what is known to have no picture waits, too: for the next look */

static ngx_int_t
ngx_camera_snapshot_wait(ngx_http_request_t *r,
    ngx_camera_snapshot_ctx_t *ctx)
{
    ctx->parked.over = ngx_camera_snapshot_over;
    ctx->parked.answer = ngx_camera_snapshot_answer;
    ctx->deadline = ngx_current_msec + NGX_CAMERA_SNAPSHOT_WAIT_MSEC;

    return ngx_camera_park(&ngx_camera_snapshot_park, r, &ctx->parked);
}


static ngx_uint_t
ngx_camera_snapshot_over(ngx_camera_parked_t *parked)
{
    ngx_camera_snapshot_ctx_t *ctx = (ngx_camera_snapshot_ctx_t *) parked;

    int64_t             beat;
    ngx_int_t           rc;
    ngx_camera_conf_t  *ccf;

    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);
    rc = ngx_camera_snapshot_look(ccf, ctx);

    if (rc != NGX_AGAIN) {
        return 1;
    }

    if ((ngx_msec_int_t) (ngx_current_msec - ctx->deadline) < 0) {
        return 0;
    }

    beat = ngx_camera_worker_beat_msec(ccf);

    ctx->why = (beat < 0 || beat > NGX_CAMERA_SNAPSHOT_BEAT_MSEC)
               ? NGX_CAMERA_SNAPSHOT_AWAY : NGX_CAMERA_SNAPSHOT_LATE;

    return 1;
}


static ngx_int_t
ngx_camera_snapshot_answer(ngx_camera_parked_t *parked)
{
    ngx_camera_snapshot_ctx_t *ctx = (ngx_camera_snapshot_ctx_t *) parked;

    return (ctx->fd != NGX_INVALID_FILE)
           ? ngx_camera_snapshot_picture(parked->request, ctx)
           : ctx->handler(parked->request, ctx->data, ctx->why);
}


/* of a client that left between the look that opened it and the answer */

static void
ngx_camera_snapshot_cleanup(void *data)
{
    ngx_camera_snapshot_ctx_t *ctx = data;

    if (ctx->fd != NGX_INVALID_FILE) {
        ngx_camera_snapshot_close(ctx);
    }
}


ngx_str_t *
ngx_camera_snapshot_text(ngx_camera_snapshot_why_e why, ngx_uint_t *retry_sec)
{
    *retry_sec = ngx_camera_snapshot_texts[why].retry_sec;

    return &ngx_camera_snapshot_texts[why].text;
}
