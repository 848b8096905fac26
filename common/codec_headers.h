/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Headers of H.264 (ISO/IEC 14496-15 section 5.3.3 for avcC, ITU-T H.264
 * section 7.3.2.1 for the SPS) and AAC (ISO/IEC 14496-3 section 1.6.2.1):
 * bounds-checked readers for what cameras send.
 */

#ifndef CAM_CODEC_HEADERS_H
#define CAM_CODEC_HEADERS_H

#include <stddef.h>
#include <stdint.h>


typedef struct {
    uint8_t     profile;
    uint8_t     constraints;
    uint8_t     level;
    uint8_t     nal_length_size;    /* 1, 2 or 4 */
    uint16_t    width;              /* after cropping */
    uint16_t    height;
    uint8_t     chroma_format;
} cam_h264_config_t;


typedef struct {
    uint8_t     object_type;        /* 2 = LC, 5 = SBR, 29 = PS */
    uint8_t     channels;           /* 1 .. 8, as coded: 1 with PS */
    uint32_t    sample_rate;        /* of the LC core, so that one frame */
    uint16_t    frame_samples;      /* lasts these, 1024 or 960, by that */
} cam_aac_config_t;


/* 0, or -1: not a usable avcC record (the SPS is walked to its end) */
int cam_h264_parse_config(cam_h264_config_t *config, const uint8_t *data,
    size_t size);

/* 0 when the NAL units of one length-prefixed access unit tile it exactly
   and none is empty */
int cam_h264_check_frame(const cam_h264_config_t *config, const uint8_t *data,
    size_t size);

/* "avc1.64001f"; needs 12 bytes */
char *cam_h264_codec(char *text, const cam_h264_config_t *config);

/* 0, or -1: not a usable AudioSpecificConfig */
int cam_aac_parse_config(cam_aac_config_t *config, const uint8_t *data,
    size_t size);

/* "mp4a.40.2"; needs 12 bytes */
char *cam_aac_codec(char *text, const cam_aac_config_t *config);


#endif /* CAM_CODEC_HEADERS_H */
