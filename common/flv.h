/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The first bytes of an RTMP audio or video message: a FLV tag header (Adobe
 * Video File Format Specification 10.1, annex E.4) or its Enhanced RTMP form.
 * What is not H.264 or AAC is recognised well enough to be named.
 */

#ifndef CAM_FLV_H
#define CAM_FLV_H

#include <stddef.h>
#include <stdint.h>

#define CAM_FLV_HEADER_MAX    5   /* bytes that are looked at */
#define CAM_FLV_CODEC_NAME    32

#define CAM_FLV_VIDEO_H264    7
#define CAM_FLV_AUDIO_AAC     10


typedef enum {
    CAM_FLV_IGNORED = 0,          /* empty, a command, an end of sequence */
    CAM_FLV_CONFIG,               /* data is avcC or AudioSpecificConfig */
    CAM_FLV_FRAME,
    CAM_FLV_FOREIGN,              /* another codec: see codec */
    CAM_FLV_BROKEN
} cam_flv_kind_e;


typedef struct {
    cam_flv_kind_e  kind;
    uint32_t        codec;        /* FLV codec id, or a FourCC */
    int32_t         cts;          /* ms; video only */
    uint8_t         key;
    uint8_t         header;       /* bytes to skip before the data */
} cam_flv_tag_t;


/* n is the length of the message; of p, at most CAM_FLV_HEADER_MAX bytes are
   read */
void cam_flv_video(cam_flv_tag_t *tag, const uint8_t *p, size_t n);
void cam_flv_audio(cam_flv_tag_t *tag, const uint8_t *p, size_t n);

/* "H.265 (hvc1)", "G.711 A-law", "video codec 9"; answers name */
char *cam_flv_video_name(char name[CAM_FLV_CODEC_NAME], uint32_t codec);
char *cam_flv_audio_name(char name[CAM_FLV_CODEC_NAME], uint32_t codec);


#endif /* CAM_FLV_H */
