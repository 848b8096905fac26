/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tag headers.  The high bit of the first video byte (and sound format 9)
 * announces Enhanced RTMP, where a FourCC follows; it is read only to name
 * what a camera sends instead of H.264 and AAC.
 */

#include <stdio.h>

#include "flv.h"


#define CAM_FLV_VIDEO_EX      0x80
#define CAM_FLV_AUDIO_EX      9

#define CAM_FLV_KEY_FRAME     1
#define CAM_FLV_COMMAND       5

#define CAM_FLV_VIDEO_HEADER  5
#define CAM_FLV_AUDIO_HEADER  2

#define CAM_FLV_FOURCC(a, b, c, d)                                            \
    ((uint32_t) (a) << 24 | (b) << 16 | (c) << 8 | (d))


typedef struct {
    uint32_t     codec;
    const char  *name;
} cam_flv_name_t;


static const cam_flv_name_t  cam_flv_video_names[] = {
    { 2, "H.263" },
    { 3, "Screen video" },
    { 4, "VP6" },
    { 5, "VP6 alpha" },
    { 7, "H.264" },
    { 12, "H.265 (HEVC)" },
    { 13, "AV1" },
    { CAM_FLV_FOURCC('a', 'v', 'c', '1'), "H.264 (Enhanced RTMP)" },
    { CAM_FLV_FOURCC('h', 'v', 'c', '1'), "H.265 (HEVC)" },
    { CAM_FLV_FOURCC('v', 'v', 'c', '1'), "H.266 (VVC)" },
    { CAM_FLV_FOURCC('a', 'v', '0', '1'), "AV1" },
    { CAM_FLV_FOURCC('v', 'p', '0', '8'), "VP8" },
    { CAM_FLV_FOURCC('v', 'p', '0', '9'), "VP9" },
    { 0, NULL }
};


static const cam_flv_name_t  cam_flv_audio_names[] = {
    { 0, "PCM" },
    { 1, "ADPCM" },
    { 2, "MP3" },
    { 3, "PCM" },
    { 4, "Nellymoser 16 kHz" },
    { 5, "Nellymoser 8 kHz" },
    { 6, "Nellymoser" },
    { 7, "G.711 A-law" },
    { 8, "G.711 mu-law" },
    { 10, "AAC" },
    { 11, "Speex" },
    { 14, "MP3 8 kHz" },
    { CAM_FLV_FOURCC('O', 'p', 'u', 's'), "Opus" },
    { CAM_FLV_FOURCC('f', 'L', 'a', 'C'), "FLAC" },
    { CAM_FLV_FOURCC('a', 'c', '-', '3'), "AC-3" },
    { CAM_FLV_FOURCC('e', 'c', '-', '3'), "E-AC-3" },
    { CAM_FLV_FOURCC('.', 'm', 'p', '3'), "MP3" },
    { CAM_FLV_FOURCC('m', 'p', '4', 'a'), "AAC (Enhanced RTMP)" },
    { 0, NULL }
};


static void cam_flv_foreign(cam_flv_tag_t *tag, const uint8_t *p, size_t n);
static char *cam_flv_name(char *name, const cam_flv_name_t *names,
    const char *kind, uint32_t codec);


void
cam_flv_video(cam_flv_tag_t *tag, const uint8_t *p, size_t n)
{
    uint32_t  cts;

    *tag = (cam_flv_tag_t) { .kind = CAM_FLV_IGNORED };

    if (n == 0) {
        return;
    }

    if (p[0] & CAM_FLV_VIDEO_EX) {
        cam_flv_foreign(tag, p, n);
        return;
    }

    if (p[0] >> 4 == CAM_FLV_COMMAND) {
        return;
    }

    tag->codec = p[0] & 0x0f;

    if (tag->codec != CAM_FLV_VIDEO_H264) {
        tag->kind = CAM_FLV_FOREIGN;
        return;
    }

    if (n < CAM_FLV_VIDEO_HEADER || p[1] > 2) {
        tag->kind = CAM_FLV_BROKEN;
        return;
    }

    if (p[1] == 2 || n == CAM_FLV_VIDEO_HEADER) {
        return;
    }

    cts = (uint32_t) p[2] << 16 | p[3] << 8 | p[4];

    tag->kind = p[1] == 0 ? CAM_FLV_CONFIG : CAM_FLV_FRAME;
    tag->key = p[0] >> 4 == CAM_FLV_KEY_FRAME;
    tag->cts = (int32_t) (cts << 8) >> 8;
    tag->header = CAM_FLV_VIDEO_HEADER;
}


void
cam_flv_audio(cam_flv_tag_t *tag, const uint8_t *p, size_t n)
{
    *tag = (cam_flv_tag_t) { .kind = CAM_FLV_IGNORED };

    if (n == 0) {
        return;
    }

    tag->codec = p[0] >> 4;

    if (tag->codec == CAM_FLV_AUDIO_EX) {
        cam_flv_foreign(tag, p, n);
        return;
    }

    if (tag->codec != CAM_FLV_AUDIO_AAC) {
        tag->kind = CAM_FLV_FOREIGN;
        return;
    }

    if (n < CAM_FLV_AUDIO_HEADER || p[1] > 1) {
        tag->kind = CAM_FLV_BROKEN;
        return;
    }

    if (n == CAM_FLV_AUDIO_HEADER) {
        return;
    }

    tag->kind = p[1] == 0 ? CAM_FLV_CONFIG : CAM_FLV_FRAME;
    tag->header = CAM_FLV_AUDIO_HEADER;
}


static void
cam_flv_foreign(cam_flv_tag_t *tag, const uint8_t *p, size_t n)
{
    if (n < 5) {
        tag->kind = CAM_FLV_BROKEN;
        return;
    }

    tag->kind = CAM_FLV_FOREIGN;
    tag->codec = CAM_FLV_FOURCC(p[1], p[2], p[3], p[4]);
}


char *
cam_flv_video_name(char name[CAM_FLV_CODEC_NAME], uint32_t codec)
{
    return cam_flv_name(name, cam_flv_video_names, "video", codec);
}


char *
cam_flv_audio_name(char name[CAM_FLV_CODEC_NAME], uint32_t codec)
{
    return cam_flv_name(name, cam_flv_audio_names, "audio", codec);
}


/* an unknown FourCC is shown by number: its letters are the client's */

static char *
cam_flv_name(char *name, const cam_flv_name_t *names, const char *kind,
    uint32_t codec)
{
    for ( /* void */ ; names->name; names++) {
        if (names->codec == codec) {
            snprintf(name, CAM_FLV_CODEC_NAME, "%s", names->name);
            return name;
        }
    }

    snprintf(name, CAM_FLV_CODEC_NAME, codec > 0xff ? "%s codec 0x%08x"
                                                    : "%s codec %u",
             kind, codec);

    return name;
}
