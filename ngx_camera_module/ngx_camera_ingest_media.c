/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * RTMP messages to ring records.  The message is a chain of chunk-sized
 * buffers; an iovec points into them and the ring gathers it, so a frame is
 * copied once and nothing is allocated for it.  Every audio and video message
 * ends here with NGX_DONE: no module of nginx-rtmp ever parses one.
 *
 * The ring grows, by files of doubled size, until two of the camera's groups
 * of pictures fit: a reader must find the key frame it joins at.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_rtmp.h>

#include "codec_headers.h"
#include "flv.h"
#include "ngx_camera_guard.h"
#include "ngx_camera_ingest.h"
#include "ngx_camera_metrics.h"


/* bytes of a record beside its data, generously */
#define NGX_CAMERA_INGEST_RECORD  64

#define NGX_CAMERA_INGEST_IOVS    256


static void ngx_camera_ingest_tag(ngx_rtmp_header_t *h, ngx_chain_t *in,
    cam_flv_tag_t *tag, cam_frame_t *frame);
static void ngx_camera_ingest_config(ngx_camera_ingest_ctx_t *ctx,
    cam_frame_t *frame, ngx_chain_t *in);
static ngx_int_t ngx_camera_ingest_valid_config(ngx_uint_t track,
    const u_char *data, size_t size);
static void ngx_camera_ingest_frame(ngx_camera_ingest_ctx_t *ctx,
    cam_frame_t *frame, ngx_chain_t *in);
static void ngx_camera_ingest_timestamp(ngx_camera_ingest_ctx_t *ctx,
    cam_frame_t *frame, uint32_t timestamp);
static ngx_int_t ngx_camera_ingest_room(ngx_camera_ingest_ctx_t *ctx,
    cam_frame_t *frame);
static ngx_int_t ngx_camera_ingest_grow(ngx_camera_ingest_ctx_t *ctx,
    uint32_t capacity);
static int ngx_camera_ingest_iovec(ngx_chain_t *in, struct iovec **iovs);


ngx_int_t
ngx_camera_ingest_media(ngx_rtmp_session_t *s, ngx_rtmp_header_t *h,
    ngx_chain_t *in)
{
    cam_frame_t               frame;
    cam_flv_tag_t             tag;
    ngx_camera_ingest_ctx_t  *ctx;

    ctx = ngx_rtmp_get_module_ctx(s, ngx_camera_ingest_module);

    if (ctx == NULL || !ctx->publishing) {
        return NGX_DONE;
    }

    if (__atomic_load_n(&ctx->state->generation, __ATOMIC_RELAXED)
        != ctx->generation)
    {
        ngx_camera_ingest_superseded(ctx);
        return NGX_DONE;
    }

    ngx_camera_ingest_tag(h, in, &tag, &frame);

    switch (tag.kind) {

    case CAM_FLV_IGNORED:
        break;

    case CAM_FLV_FOREIGN:
        ngx_camera_ingest_cut(ctx, frame.track == CAM_TRACK_VIDEO
                                   ? CAM_REASON_VIDEO_CODEC
                                   : CAM_REASON_AUDIO_CODEC, tag.codec);
        break;

    case CAM_FLV_BROKEN:
        ngx_camera_ingest_cut(ctx, CAM_REASON_BAD_MEDIA, 0);
        break;

    case CAM_FLV_CONFIG:
        ngx_camera_ingest_timestamp(ctx, &frame, h->timestamp);
        ngx_camera_ingest_config(ctx, &frame, in);
        break;

    case CAM_FLV_FRAME:
        ngx_camera_ingest_timestamp(ctx, &frame, h->timestamp);
        ngx_camera_ingest_frame(ctx, &frame, in);
        break;
    }

    return NGX_DONE;
}


/* reads the tag's header and leaves the chain at the data behind it */

static void
ngx_camera_ingest_tag(ngx_rtmp_header_t *h, ngx_chain_t *in,
    cam_flv_tag_t *tag, cam_frame_t *frame)
{
    size_t  n;

    ngx_memzero(frame, sizeof(cam_frame_t));

    n = ngx_min(h->mlen, (size_t) (in->buf->last - in->buf->pos));

    if (h->type == NGX_RTMP_MSG_VIDEO) {
        cam_flv_video(tag, in->buf->pos, n);
        frame->track = CAM_TRACK_VIDEO;

    } else {
        cam_flv_audio(tag, in->buf->pos, n);
        frame->track = CAM_TRACK_AUDIO;
    }

    in->buf->pos += tag->header;

    frame->size = h->mlen - tag->header;
    frame->cts = tag->cts;

    if (tag->kind == CAM_FLV_CONFIG) {
        frame->flags = CAM_FRAME_CONFIG;

    } else if (tag->key) {
        frame->flags = CAM_FRAME_KEY;
    }
}


static void
ngx_camera_ingest_config(ngx_camera_ingest_ctx_t *ctx, cam_frame_t *frame,
    ngx_chain_t *in)
{
    size_t        n;
    u_char       *p;
    struct iovec  iov;

    static u_char  data[CAM_RING_CONFIG_MAX];

    if (frame->size > sizeof(data)) {
        ngx_camera_ingest_cut(ctx, CAM_REASON_BAD_MEDIA, 0);
        return;
    }

    for (p = data; in; in = in->next) {
        n = in->buf->last - in->buf->pos;

        if (n > (size_t) (data + sizeof(data) - p)) {
            break;
        }

        p = ngx_cpymem(p, in->buf->pos, n);
    }

    iov.iov_base = data;
    iov.iov_len = p - data;
    frame->size = iov.iov_len;

    if (ngx_camera_ingest_valid_config(frame->track, data, iov.iov_len)
        != NGX_OK
        || cam_ring_write(ctx->ring, frame, &iov, 1) != CAM_RING_OK)
    {
        ngx_camera_ingest_cut(ctx, CAM_REASON_BAD_MEDIA, 0);
        return;
    }

    ctx->configured |= 1 << frame->track;

    ngx_camera_guard_media(ctx->session);
}


static ngx_int_t
ngx_camera_ingest_valid_config(ngx_uint_t track, const u_char *data,
    size_t size)
{
    cam_aac_config_t   aac;
    cam_h264_config_t  h264;

    if (track == CAM_TRACK_VIDEO) {
        return cam_h264_parse_config(&h264, data, size) == 0 ? NGX_OK
                                                             : NGX_ERROR;
    }

    return cam_aac_parse_config(&aac, data, size) == 0 ? NGX_OK : NGX_ERROR;
}


static void
ngx_camera_ingest_frame(ngx_camera_ingest_ctx_t *ctx, cam_frame_t *frame,
    ngx_chain_t *in)
{
    int            n;
    struct iovec  *iovs;

    ngx_camera_guard_media(ctx->session);

    /* nobody could decode it */

    if (!(ctx->configured & 1 << frame->track)) {
        return;
    }

    if (ngx_camera_ingest_drain_media(ctx, frame) != NGX_DECLINED
        || ngx_camera_ingest_room(ctx, frame) != NGX_OK)
    {
        return;
    }

    n = ngx_camera_ingest_iovec(in, &iovs);

    if (n == NGX_ERROR
        || cam_ring_write(ctx->ring, frame, iovs, n) != CAM_RING_OK)
    {
        ngx_camera_ingest_cut(ctx, CAM_REASON_BAD_MEDIA, 0);
        return;
    }

    ctx->frames[frame->track]++;
    ctx->bytes += frame->size;
}


void
ngx_camera_ingest_count(ngx_camera_ingest_ctx_t *ctx)
{
    ngx_camera_count(CAM_METRIC_INGEST_VIDEO_FRAMES,
                     ctx->frames[CAM_TRACK_VIDEO]);
    ngx_camera_count(CAM_METRIC_INGEST_AUDIO_FRAMES,
                     ctx->frames[CAM_TRACK_AUDIO]);
    ngx_camera_count(CAM_METRIC_INGEST_BYTES, ctx->bytes);

    ngx_memzero(ctx->frames, sizeof(ctx->frames));
    ctx->bytes = 0;
}


/*
 * RTMP's clock wraps after 49 days; both tracks run on it.  Encoders that
 * repeat their configuration often stamp it with 0, so that it is taken to be
 * of the time of the frame before.
 */

static void
ngx_camera_ingest_timestamp(ngx_camera_ingest_ctx_t *ctx, cam_frame_t *frame,
    uint32_t timestamp)
{
    ngx_time_t  *tp;

    if (!ctx->timed) {
        ctx->dts = timestamp;

    } else if (!(frame->flags & CAM_FRAME_CONFIG)) {
        ctx->dts += (int32_t) (timestamp - (uint32_t) ctx->dts);
    }

    if (!(frame->flags & CAM_FRAME_CONFIG)) {
        ctx->timed = 1;
    }

    tp = ngx_timeofday();

    frame->dts = ctx->dts;
    frame->wall_msec = (int64_t) tp->sec * 1000 + tp->msec;
}


/* NGX_OK, or the publication was ended */

static ngx_int_t
ngx_camera_ingest_room(ngx_camera_ingest_ctx_t *ctx, cam_frame_t *frame)
{
    size_t              need;
    uint32_t            capacity;
    ngx_camera_conf_t  *ccf;

    if (frame->track == CAM_TRACK_VIDEO && (frame->flags & CAM_FRAME_KEY)) {
        ctx->since_key = 0;
    }

    need = frame->size + NGX_CAMERA_INGEST_RECORD;
    ctx->since_key += need;

    capacity = cam_ring_writer_capacity(ctx->ring);

    if (ctx->since_key <= capacity / 2) {
        return NGX_OK;
    }

    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    while (ctx->since_key > capacity / 2 && capacity < ccf->ring_max) {
        capacity = ngx_min((uint64_t) capacity * 2, ccf->ring_max);
    }

    if (need > capacity / 2) {
        ngx_camera_ingest_cut(ctx, CAM_REASON_BAD_MEDIA, 0);
        return NGX_ERROR;
    }

    if (capacity == cam_ring_writer_capacity(ctx->ring)) {
        return NGX_OK;
    }

    if (!cam_ring_has_room(ccf->rings_fd, capacity)) {

        if (need <= cam_ring_writer_capacity(ctx->ring) / 2) {
            return NGX_OK;
        }

        ngx_camera_ingest_cut(ctx, CAM_REASON_NO_SPACE, 0);
        return NGX_ERROR;
    }

    return ngx_camera_ingest_grow(ctx, capacity);
}


static ngx_int_t
ngx_camera_ingest_grow(ngx_camera_ingest_ctx_t *ctx, uint32_t capacity)
{
    int                 rc;
    uint64_t            generation;
    ngx_camera_conf_t  *ccf;

    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    generation = cam_registry_claim(ccf->registry, ctx->slot, ctx->generation);

    if (generation == 0) {
        ngx_camera_ingest_superseded(ctx);
        return NGX_ERROR;
    }

    ctx->generation = generation;

    rc = cam_ring_writer_grow(&ctx->ring, generation, capacity);

    if (rc == CAM_RING_ERROR && ngx_errno == ESTALE) {
        ngx_camera_ingest_superseded(ctx);
        return NGX_ERROR;
    }

    if (rc != CAM_RING_OK) {
        ngx_log_error(NGX_LOG_CRIT, ctx->session->connection->log,
                      rc == CAM_RING_ERROR ? ngx_errno : 0,
                      "cam_ring_writer_grow() failed");
        ngx_camera_ingest_cut(ctx, CAM_REASON_NO_SPACE, 0);
        return NGX_ERROR;
    }

    ngx_log_error(NGX_LOG_INFO, ctx->session->connection->log, 0,
                  "ring grown to %uD bytes", capacity);

    return NGX_OK;
}


/* the array is the worker's: it grows to the longest message ever seen */

static int
ngx_camera_ingest_iovec(ngx_chain_t *in, struct iovec **iovs)
{
    int  n;

    static int            max;
    static struct iovec  *array;

    for (n = 0; in; in = in->next) {

        if (n == max) {
            max = max ? max * 2 : NGX_CAMERA_INGEST_IOVS;

            array = realloc(array, max * sizeof(struct iovec));
            if (array == NULL) {
                max = 0;
                return NGX_ERROR;
            }
        }

        array[n].iov_base = in->buf->pos;
        array[n].iov_len = in->buf->last - in->buf->pos;
        n++;
    }

    *iovs = array;

    return n;
}
