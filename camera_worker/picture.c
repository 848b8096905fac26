/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * libavcodec decodes with one thread and conceals nothing: what is damaged is
 * no picture.  It is given slices and parameter sets alone, for the first error
 * ends it, and what many cameras put beside these is not quite right.
 * libswscale brings the picture to its width, and to the full range and the
 * colours of BT.601, which JPEG means.
 */

#include <libavcodec/avcodec.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"

#define CW_PICTURE_CONFIG_MIN  7         /* an avcC record without sets */
#define CW_PICTURE_QUALITY     4         /* 1 is best, 31 smallest */
#define CW_PICTURE_HD          576       /* lines; above, colours are BT.709 */
#define CW_PICTURE_ASPECT      4         /* of a pixel, at most, either way */


struct cw_picture_s {
    AVFrame   *frame;
    unsigned   width;                    /* as it is to be seen */
    unsigned   height;
};


static AVCodecContext *cw_picture_open(const uint8_t *config, size_t size);
static AVPacket *cw_picture_packet(unsigned length_size, const uint8_t *data,
    size_t size);
static int cw_picture_is_needed(uint8_t nal);
static AVFrame *cw_picture_receive(AVCodecContext *codec,
    const AVPacket *packet);
static int cw_picture_measure(cw_picture_t *picture);
static AVFrame *cw_picture_scale(const cw_picture_t *picture, unsigned width);
static int cw_picture_convert(const AVFrame *in, AVFrame *out);
static enum AVPixelFormat cw_picture_format(const AVFrame *frame);
static int cw_picture_colours(const AVFrame *frame);
static size_t cw_picture_jpeg(const AVFrame *frame, uint8_t *out, size_t cap);


cw_picture_t *
cw_picture_decode(const uint8_t *config, size_t config_size,
    const uint8_t *frame, size_t size)
{
    AVPacket        *packet;
    cw_picture_t    *picture;
    AVCodecContext  *codec;

    if (config_size < CW_PICTURE_CONFIG_MIN) {
        return NULL;
    }

    picture = calloc(1, sizeof(cw_picture_t));
    if (picture == NULL) {
        return NULL;
    }

    codec = cw_picture_open(config, config_size);
    packet = cw_picture_packet((config[4] & 3) + 1, frame, size);

    if (codec != NULL && packet != NULL) {
        picture->frame = cw_picture_receive(codec, packet);
    }

    av_packet_free(&packet);
    avcodec_free_context(&codec);

    if (picture->frame == NULL || cw_picture_measure(picture) == -1) {
        cw_picture_free(picture);
        return NULL;
    }

    return picture;
}


static AVCodecContext *
cw_picture_open(const uint8_t *config, size_t size)
{
    const AVCodec   *decoder;
    AVCodecContext  *codec;

    decoder = avcodec_find_decoder(AV_CODEC_ID_H264);
    codec = avcodec_alloc_context3(decoder);

    if (codec == NULL) {
        return NULL;
    }

    codec->thread_count = 1;
    codec->thread_type = 0;
    codec->error_concealment = 0;
    codec->err_recognition = AV_EF_EXPLODE;
    codec->max_pixels = CW_PICTURE_AREA_MAX;

    /* a camera without IDR frames marks others, which are as whole */

    codec->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT;

    codec->extradata = av_mallocz(size + AV_INPUT_BUFFER_PADDING_SIZE);

    if (codec->extradata == NULL) {
        avcodec_free_context(&codec);
        return NULL;
    }

    memcpy(codec->extradata, config, size);
    codec->extradata_size = (int) size;

    if (avcodec_open2(codec, decoder, NULL) < 0) {
        avcodec_free_context(&codec);
        return NULL;
    }

    return codec;
}


/* the NAL units of an access unit that are needed, each behind its length */

static AVPacket *
cw_picture_packet(unsigned length_size, const uint8_t *data, size_t size)
{
    size_t     i, length, used;
    AVPacket  *packet;

    packet = av_packet_alloc();

    if (packet == NULL || av_new_packet(packet, size) < 0) {
        av_packet_free(&packet);
        return NULL;
    }

    used = 0;

    while (size > length_size) {
        length = 0;

        for (i = 0; i < length_size; i++) {
            length = length << 8 | data[i];
        }

        if (length == 0 || length > size - length_size) {
            break;
        }

        if (cw_picture_is_needed(data[length_size])) {
            memcpy(packet->data + used, data, length_size + length);
            used += length_size + length;
        }

        data += length_size + length;
        size -= length_size + length;
    }

    av_shrink_packet(packet, used);
    packet->flags |= AV_PKT_FLAG_KEY;

    return packet;
}


static int
cw_picture_is_needed(uint8_t nal)
{
    switch (nal & 31) {

    case 1:                              /* slices: of any picture, and IDR */
    case 5:
    case 7:                              /* parameter sets */
    case 8:
        return 1;

    default:
        return 0;
    }
}


static AVFrame *
cw_picture_receive(AVCodecContext *codec, const AVPacket *packet)
{
    int       rc;
    AVFrame  *frame;

    frame = av_frame_alloc();
    if (frame == NULL) {
        return NULL;
    }

    rc = avcodec_send_packet(codec, packet);

    /* nothing comes after it, so it does not wait for its turn */

    if (rc == 0) {
        (void) avcodec_send_packet(codec, NULL);
        rc = avcodec_receive_frame(codec, frame);
    }

    if (rc < 0) {
        av_frame_free(&frame);
    }

    return frame;
}


/* pixels need not be square: the height stays and the width is as it looks */

static int
cw_picture_measure(cw_picture_t *picture)
{
    AVFrame     *f;
    AVRational   aspect;

    f = picture->frame;

    if (f->width < 1 || f->height < 1 || f->width > CW_PICTURE_SIDE_MAX
        || f->height > CW_PICTURE_SIDE_MAX || !sws_isSupportedInput(f->format))
    {
        return -1;
    }

    picture->width = f->width;
    picture->height = f->height;
    aspect = f->sample_aspect_ratio;

    if (aspect.num > 0 && aspect.den > 0
        && aspect.num / CW_PICTURE_ASPECT <= aspect.den
        && aspect.den / CW_PICTURE_ASPECT <= aspect.num)
    {
        picture->width = av_rescale(f->width, aspect.num, aspect.den);
    }

    return picture->width > 0 ? 0 : -1;
}


size_t
cw_picture_encode(cw_picture_t *picture, unsigned width, uint8_t *out,
    size_t cap)
{
    size_t    size;
    AVFrame  *scaled;

    scaled = cw_picture_scale(picture, width);

    if (scaled == NULL) {
        return 0;
    }

    size = cw_picture_jpeg(scaled, out, cap);
    av_frame_free(&scaled);

    return size;
}


static AVFrame *
cw_picture_scale(const cw_picture_t *picture, unsigned width)
{
    AVFrame  *out;

    out = av_frame_alloc();
    if (out == NULL) {
        return NULL;
    }

    out->width = FFMIN(width, picture->width);
    out->height = FFMAX(1, av_rescale(picture->height, out->width,
                                      picture->width));
    out->format = AV_PIX_FMT_YUV420P;
    out->color_range = AVCOL_RANGE_JPEG;

    if (out->height > CW_PICTURE_SIDE_MAX || av_frame_get_buffer(out, 0) < 0
        || cw_picture_convert(picture->frame, out) == -1)
    {
        av_frame_free(&out);
    }

    return out;
}


static int
cw_picture_convert(const AVFrame *in, AVFrame *out)
{
    int                 rc;
    struct SwsContext  *sws;

    sws = sws_getContext(in->width, in->height, cw_picture_format(in),
                         out->width, out->height, out->format, SWS_AREA, NULL,
                         NULL, NULL);
    if (sws == NULL) {
        return -1;
    }

    (void) sws_setColorspaceDetails(sws,
                                    sws_getCoefficients(cw_picture_colours(in)),
                                    in->color_range == AVCOL_RANGE_JPEG,
                                    sws_getCoefficients(SWS_CS_ITU601), 1,
                                    0, 1 << 16, 1 << 16);

    rc = sws_scale(sws, (const uint8_t *const *) in->data, in->linesize, 0,
                   in->height, out->data, out->linesize);

    sws_freeContext(sws);

    return rc == out->height ? 0 : -1;
}


/* without what a format says of the range: swscale is told, and complains */

static enum AVPixelFormat
cw_picture_format(const AVFrame *frame)
{
    switch (frame->format) {

    case AV_PIX_FMT_YUVJ420P:
        return AV_PIX_FMT_YUV420P;

    case AV_PIX_FMT_YUVJ422P:
        return AV_PIX_FMT_YUV422P;

    case AV_PIX_FMT_YUVJ444P:
        return AV_PIX_FMT_YUV444P;

    default:
        return frame->format;
    }
}


/* cameras often do not say, and then mean what is usual for the size */

static int
cw_picture_colours(const AVFrame *frame)
{
    switch (frame->colorspace) {

    case AVCOL_SPC_BT709:
        return SWS_CS_ITU709;

    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
        return SWS_CS_BT2020;

    case AVCOL_SPC_UNSPECIFIED:
        return frame->height > CW_PICTURE_HD ? SWS_CS_ITU709 : SWS_CS_ITU601;

    default:
        return SWS_CS_ITU601;
    }
}


static size_t
cw_picture_jpeg(const AVFrame *frame, uint8_t *out, size_t cap)
{
    size_t           size;
    AVPacket        *packet;
    const AVCodec   *encoder;
    AVCodecContext  *codec;

    size = 0;
    packet = av_packet_alloc();
    encoder = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
    codec = avcodec_alloc_context3(encoder);

    if (packet == NULL || codec == NULL) {
        goto done;
    }

    codec->width = frame->width;
    codec->height = frame->height;
    codec->pix_fmt = frame->format;
    codec->color_range = frame->color_range;
    codec->time_base = (AVRational) { 1, 1 };
    codec->thread_count = 1;
    codec->thread_type = 0;
    codec->flags |= AV_CODEC_FLAG_QSCALE;
    codec->global_quality = CW_PICTURE_QUALITY * FF_QP2LAMBDA;

    if (avcodec_open2(codec, encoder, NULL) == 0
        && avcodec_send_frame(codec, frame) == 0
        && avcodec_receive_packet(codec, packet) == 0
        && packet->size > 0 && (size_t) packet->size <= cap)
    {
        size = packet->size;
        memcpy(out, packet->data, size);
    }

done:

    av_packet_free(&packet);
    avcodec_free_context(&codec);

    return size;
}


void
cw_picture_free(cw_picture_t *picture)
{
    av_frame_free(&picture->frame);
    free(picture);
}
