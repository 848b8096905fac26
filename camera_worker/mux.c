/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The fragments are cut by us (frag_custom), and each carries its own start
 * time: frag_discont is set before each one, or libavformat would count on
 * from the durations of the fragments before and hide a gap in the sound.
 * use_edit_list and avoid_negative_ts are off, so that times in the file are
 * ours, and skip_trailer keeps it from remembering every fragment.
 */

#include <errno.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "mux.h"

#define CW_MUX_IO_BUFFER    32768
#define CW_MUX_VIDEO_SCALE  90000
#define CW_MUX_KEEP         (1u << 20)   /* of the output, when emptied */


struct cw_mux_s {
    AVFormatContext  *ctx;
    AVStream         *stream[CAM_TRACKS];
    int64_t           scale[CAM_TRACKS];
    int               begun;             /* frames since the last flush */
};


static AVIOContext *cw_mux_io(void);
static int cw_mux_append(void *data, uint8_t *buf, int size);
static int cw_mux_add_stream(cw_mux_t *mux, int track,
    const cw_mux_track_t *t);
static int cw_mux_fill_par(AVCodecParameters *par, int track,
    const cw_mux_track_t *t);
static int cw_mux_write_header(cw_mux_t *mux);
static int64_t cw_mux_scale(const cw_mux_t *mux, int track, int64_t usec);
static void cw_mux_log(const char *what, int rc);


static struct {
    uint8_t      *data;
    size_t        size;
    size_t        cap;
    AVIOContext  *io;
    AVPacket     *packet;
} cw_mux_out;


cw_mux_t *
cw_mux_open(const cw_mux_track_t *tracks[CAM_TRACKS])
{
    int        i, rc;
    cw_mux_t  *mux;

    mux = calloc(1, sizeof(cw_mux_t));
    if (mux == NULL || cw_mux_io() == NULL) {
        free(mux);
        return NULL;
    }

    rc = avformat_alloc_output_context2(&mux->ctx, NULL, "mp4", NULL);
    if (rc < 0) {
        cw_mux_log("avformat_alloc_output_context2", rc);
        free(mux);
        return NULL;
    }

    mux->ctx->pb = cw_mux_io();
    mux->ctx->flags |= AVFMT_FLAG_CUSTOM_IO;
    mux->ctx->flags &= ~AVFMT_FLAG_AUTO_BSF;
    mux->ctx->avoid_negative_ts = 0;

    for (i = 0; i < CAM_TRACKS; i++) {
        if (tracks[i] != NULL && cw_mux_add_stream(mux, i, tracks[i]) == -1) {
            cw_mux_close(mux);
            return NULL;
        }
    }

    if (cw_mux_write_header(mux) == -1) {
        cw_mux_close(mux);
        return NULL;
    }

    return mux;
}


/* the one output of all muxers, made with the first of them */

static AVIOContext *
cw_mux_io(void)
{
    uint8_t  *buf;

    if (cw_mux_out.io != NULL) {
        return cw_mux_out.io;
    }

    if (cw_mux_out.packet == NULL) {
        cw_mux_out.packet = av_packet_alloc();
    }

    buf = av_malloc(CW_MUX_IO_BUFFER);

    if (buf == NULL || cw_mux_out.packet == NULL) {
        av_free(buf);
        return NULL;
    }

    cw_mux_out.io = avio_alloc_context(buf, CW_MUX_IO_BUFFER, 1, NULL, NULL,
                                       cw_mux_append, NULL);
    if (cw_mux_out.io == NULL) {
        av_free(buf);
    }

    return cw_mux_out.io;
}


static int
cw_mux_append(void *data, uint8_t *buf, int size)
{
    size_t    cap;
    uint8_t  *p;

    if (cw_mux_out.size + size > cw_mux_out.cap) {
        cap = (cw_mux_out.size + size) * 3 / 2;
        p = realloc(cw_mux_out.data, cap);

        if (p == NULL) {
            return AVERROR(ENOMEM);
        }

        cw_mux_out.data = p;
        cw_mux_out.cap = cap;
    }

    memcpy(cw_mux_out.data + cw_mux_out.size, buf, size);
    cw_mux_out.size += size;

    return size;
}


static int
cw_mux_add_stream(cw_mux_t *mux, int track, const cw_mux_track_t *t)
{
    AVStream  *st;

    st = avformat_new_stream(mux->ctx, NULL);
    if (st == NULL || cw_mux_fill_par(st->codecpar, track, t) == -1) {
        return -1;
    }

    mux->scale[track] = (track == CAM_TRACK_VIDEO) ? CW_MUX_VIDEO_SCALE
                                                   : t->aac.sample_rate;
    mux->stream[track] = st;
    st->time_base = (AVRational) { 1, mux->scale[track] };

    return 0;
}


static int
cw_mux_fill_par(AVCodecParameters *par, int track, const cw_mux_track_t *t)
{
    par->extradata = av_mallocz(t->config_size + AV_INPUT_BUFFER_PADDING_SIZE);
    if (par->extradata == NULL) {
        return -1;
    }

    memcpy(par->extradata, t->config, t->config_size);
    par->extradata_size = t->config_size;

    if (track == CAM_TRACK_VIDEO) {
        par->codec_type = AVMEDIA_TYPE_VIDEO;
        par->codec_id = AV_CODEC_ID_H264;
        par->width = t->h264.width;
        par->height = t->h264.height;

        return 0;
    }

    par->codec_type = AVMEDIA_TYPE_AUDIO;
    par->codec_id = AV_CODEC_ID_AAC;
    par->sample_rate = t->aac.sample_rate;
    par->frame_size = t->aac.frame_samples;
    av_channel_layout_default(&par->ch_layout, t->aac.channels);

    return 0;
}


static int
cw_mux_write_header(cw_mux_t *mux)
{
    int            i, rc;
    AVDictionary  *options;

    options = NULL;

    av_dict_set(&options, "movflags",
                "frag_custom+empty_moov+default_base_moof+skip_trailer", 0);
    av_dict_set(&options, "use_editlist", "0", 0);

    rc = avformat_write_header(mux->ctx, &options);
    av_dict_free(&options);

    if (rc < 0) {
        cw_mux_log("avformat_write_header", rc);
        return -1;
    }

    avio_flush(mux->ctx->pb);

    /* libavformat may have chosen another time base */

    for (i = 0; i < CAM_TRACKS; i++) {
        if (mux->stream[i] != NULL) {
            mux->scale[i] = mux->stream[i]->time_base.den
                            / mux->stream[i]->time_base.num;
        }
    }

    return 0;
}


int
cw_mux_write(cw_mux_t *mux, int track, const cw_mux_frame_t *frame)
{
    int        rc;
    int64_t    end, cts;
    AVPacket  *pkt;

    if (mux->stream[track] == NULL) {
        return -1;
    }

    if (!mux->begun) {
        av_opt_set(mux->ctx->priv_data, "movflags", "+frag_discont", 0);
        mux->begun = 1;
    }

    /* the data stays ours: it is copied before av_write_frame() returns */

    pkt = cw_mux_out.packet;
    pkt->data = (uint8_t *) frame->data;
    pkt->size = frame->size;
    pkt->stream_index = mux->stream[track]->index;
    pkt->flags = frame->key ? AV_PKT_FLAG_KEY : 0;

    cts = frame->cts_usec > 0 ? frame->cts_usec : 0;
    end = cw_mux_scale(mux, track, frame->dts_usec + frame->duration_usec);

    pkt->dts = cw_mux_scale(mux, track, frame->dts_usec);
    pkt->pts = cw_mux_scale(mux, track, frame->dts_usec + cts);
    pkt->duration = end - pkt->dts;

    rc = av_write_frame(mux->ctx, pkt);

    if (rc < 0) {
        cw_mux_log("av_write_frame", rc);
        return -1;
    }

    return 0;
}


static int64_t
cw_mux_scale(const cw_mux_t *mux, int track, int64_t usec)
{
    return av_rescale(usec, mux->scale[track], 1000000);
}


int
cw_mux_flush(cw_mux_t *mux)
{
    int  rc;

    mux->begun = 0;

    rc = av_write_frame(mux->ctx, NULL);
    avio_flush(mux->ctx->pb);

    if (rc < 0) {
        cw_mux_log("av_write_frame", rc);
        return -1;
    }

    return 0;
}


void
cw_mux_close(cw_mux_t *mux)
{
    avformat_free_context(mux->ctx);
    free(mux);
}


const uint8_t *
cw_mux_output(size_t *size)
{
    *size = cw_mux_out.size;

    return cw_mux_out.data;
}


/* one huge key frame must not be paid for ever */

void
cw_mux_output_clear(void)
{
    cw_mux_out.size = 0;

    if (cw_mux_out.cap > CW_MUX_KEEP) {
        free(cw_mux_out.data);
        cw_mux_out.data = NULL;
        cw_mux_out.cap = 0;
    }
}


static void
cw_mux_log(const char *what, int rc)
{
    char  text[AV_ERROR_MAX_STRING_SIZE];

    av_strerror(rc, text, sizeof(text));
    cw_log(CW_LOG_WARN, 0, "%s() failed: %s", what, text);
}
