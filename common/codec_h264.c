/*
 * Copyright (C) The nginx camera platform authors
 */

/* Headers of H.264, read as the standards write them down. */

#include <stdio.h>

#include "codec_bits.h"
#include "codec_headers.h"

#define CAM_H264_NAL_SPS        7
#define CAM_H264_NAL_PPS        8
#define CAM_H264_SIDE_MAX       16384   /* level 6.2 allows 16880 */


typedef struct {
    uint32_t        chroma_format;
    uint32_t        separate_planes;
    uint32_t        width_mbs;
    uint32_t        height_units;
    uint32_t        frame_mbs_only;
    uint32_t        crop[4];           /* left, right, top, bottom */
} cam_h264_sps_t;


static int cam_h264_parse_sets(cam_h264_config_t *config, const uint8_t **p,
    const uint8_t *end, unsigned n, unsigned type);
static int cam_h264_parse_sps(cam_h264_config_t *config, const uint8_t *data,
    size_t size);
static int cam_h264_has_chroma(uint32_t profile);
static int cam_h264_walk_chroma(cam_bits_t *b, cam_h264_sps_t *sps);
static void cam_h264_walk_scaling(cam_bits_t *b, unsigned size);
static int cam_h264_walk_order(cam_bits_t *b);
static int cam_h264_walk_picture(cam_bits_t *b, cam_h264_sps_t *sps);
static int cam_h264_set_size(cam_h264_config_t *config,
    const cam_h264_sps_t *sps);


int
cam_h264_parse_config(cam_h264_config_t *config, const uint8_t *data,
    size_t size)
{
    unsigned        n;
    const uint8_t  *p, *end;

    p = data;
    end = data + size;

    if (size < 7 || data[0] != 1) {
        return -1;
    }

    config->nal_length_size = (data[4] & 0x03) + 1;

    if (config->nal_length_size == 3) {
        return -1;
    }

    n = data[5] & 0x1f;
    p = data + 6;

    if (n == 0
        || cam_h264_parse_sets(config, &p, end, n, CAM_H264_NAL_SPS) == -1
        || p == end)
    {
        return -1;
    }

    n = *p++;

    if (n == 0
        || cam_h264_parse_sets(config, &p, end, n, CAM_H264_NAL_PPS) == -1)
    {
        return -1;
    }

    return 0;
}


/* n parameter sets of one type; the last SPS is the one described */

static int
cam_h264_parse_sets(cam_h264_config_t *config, const uint8_t **p,
    const uint8_t *end, unsigned n, unsigned type)
{
    size_t  size;

    while (n--) {

        if (end - *p < 2) {
            return -1;
        }

        size = (size_t) (*p)[0] << 8 | (*p)[1];
        *p += 2;

        if (size < 2 || (size_t) (end - *p) < size
            || ((*p)[0] & 0x9f) != type)
        {
            return -1;
        }

        if (type == CAM_H264_NAL_SPS
            && cam_h264_parse_sps(config, *p, size) == -1)
        {
            return -1;
        }

        *p += size;
    }

    return 0;
}


static int
cam_h264_parse_sps(cam_h264_config_t *config, const uint8_t *data, size_t size)
{
    cam_bits_t      b;
    cam_h264_sps_t  sps;

    cam_bits_init(&b, data + 1, size - 1, 1);

    config->profile = (uint8_t) cam_bits_read(&b, 8);
    config->constraints = (uint8_t) cam_bits_read(&b, 8);
    config->level = (uint8_t) cam_bits_read(&b, 8);

    if (cam_bits_ue(&b) > 31) {                /* seq_parameter_set_id */
        return -1;
    }

    sps.chroma_format = 1;
    sps.separate_planes = 0;

    if (cam_h264_has_chroma(config->profile)
        && cam_h264_walk_chroma(&b, &sps) == -1)
    {
        return -1;
    }

    if (cam_h264_walk_order(&b) == -1
        || cam_h264_walk_picture(&b, &sps) == -1
        || b.eof)
    {
        return -1;
    }

    return cam_h264_set_size(config, &sps);
}


static int
cam_h264_has_chroma(uint32_t profile)
{
    switch (profile) {
    case 44:
    case 83:
    case 86:
    case 100:
    case 110:
    case 118:
    case 122:
    case 128:
    case 134:
    case 135:
    case 138:
    case 139:
    case 244:
        return 1;
    }

    return 0;
}


static int
cam_h264_walk_chroma(cam_bits_t *b, cam_h264_sps_t *sps)
{
    unsigned  i, n;

    sps->chroma_format = cam_bits_ue(b);

    if (sps->chroma_format > 3) {
        return -1;
    }

    if (sps->chroma_format == 3) {
        sps->separate_planes = cam_bits_read(b, 1);
    }

    if (cam_bits_ue(b) > 6 || cam_bits_ue(b) > 6) {   /* bit depths - 8 */
        return -1;
    }

    (void) cam_bits_read(b, 1);          /* qpprime_y_zero_transform_bypass */

    if (cam_bits_read(b, 1) == 0) {
        return 0;
    }

    n = sps->chroma_format == 3 ? 12 : 8;

    for (i = 0; i < n; i++) {
        if (cam_bits_read(b, 1)) {
            cam_h264_walk_scaling(b, i < 6 ? 16 : 64);
        }
    }

    return 0;
}


static void
cam_h264_walk_scaling(cam_bits_t *b, unsigned size)
{
    unsigned  i;
    uint32_t  last, next;

    last = 8;
    next = 8;

    for (i = 0; i < size && next != 0; i++) {
        next = (last + (uint32_t) cam_bits_se(b)) & 0xff;

        if (next != 0) {
            last = next;
        }
    }
}


/* frame numbers and the picture order count */

static int
cam_h264_walk_order(cam_bits_t *b)
{
    uint32_t  type, n;

    if (cam_bits_ue(b) > 12) {               /* log2_max_frame_num - 4 */
        return -1;
    }

    type = cam_bits_ue(b);

    if (type > 2) {
        return -1;
    }

    if (type == 0 && cam_bits_ue(b) > 12) {  /* log2_max_poc_lsb - 4 */
        return -1;
    }

    if (type == 1) {
        (void) cam_bits_read(b, 1);
        (void) cam_bits_se(b);
        (void) cam_bits_se(b);

        n = cam_bits_ue(b);      /* num_ref_frames_in_pic_order_cnt_cycle */

        if (n > 255) {
            return -1;
        }

        while (n-- && !b->eof) {
            (void) cam_bits_se(b);
        }
    }

    return 0;
}


static int
cam_h264_walk_picture(cam_bits_t *b, cam_h264_sps_t *sps)
{
    unsigned  i;

    if (cam_bits_ue(b) > 16) {               /* max_num_ref_frames */
        return -1;
    }

    (void) cam_bits_read(b, 1);     /* gaps_in_frame_num_value_allowed */

    sps->width_mbs = cam_bits_ue(b);
    sps->height_units = cam_bits_ue(b);
    sps->frame_mbs_only = cam_bits_read(b, 1);

    if (!sps->frame_mbs_only) {
        (void) cam_bits_read(b, 1);
    }

    (void) cam_bits_read(b, 1);     /* direct_8x8_inference */

    if (cam_bits_read(b, 1) == 0) {
        for (i = 0; i < 4; i++) {
            sps->crop[i] = 0;
        }

    } else {
        for (i = 0; i < 4; i++) {
            sps->crop[i] = cam_bits_ue(b);
        }
    }

    (void) cam_bits_read(b, 1);     /* vui_parameters_present: not needed */

    return 0;
}


static int
cam_h264_set_size(cam_h264_config_t *config, const cam_h264_sps_t *sps)
{
    uint64_t  width, height, unit_x, unit_y, crop_x, crop_y, fields;

    fields = sps->frame_mbs_only ? 1 : 2;

    width = ((uint64_t) sps->width_mbs + 1) * 16;
    height = ((uint64_t) sps->height_units + 1) * 16 * fields;

    unit_x = 1;
    unit_y = fields;

    if (!sps->separate_planes) {
        unit_x = sps->chroma_format == 1 || sps->chroma_format == 2 ? 2 : 1;
        unit_y = sps->chroma_format == 1 ? fields * 2 : fields;
    }

    crop_x = ((uint64_t) sps->crop[0] + sps->crop[1]) * unit_x;
    crop_y = ((uint64_t) sps->crop[2] + sps->crop[3]) * unit_y;

    if (width > CAM_H264_SIDE_MAX || height > CAM_H264_SIDE_MAX
        || crop_x >= width || crop_y >= height)
    {
        return -1;
    }

    config->width = (uint16_t) (width - crop_x);
    config->height = (uint16_t) (height - crop_y);
    config->chroma_format = (uint8_t) sps->chroma_format;

    return 0;
}


int
cam_h264_check_frame(const cam_h264_config_t *config, const uint8_t *data,
    size_t size)
{
    size_t    len;
    unsigned  i;

    if (size == 0) {
        return -1;
    }

    while (size) {

        if (size < config->nal_length_size) {
            return -1;
        }

        len = 0;

        for (i = 0; i < config->nal_length_size; i++) {
            len = len << 8 | *data++;
        }

        size -= config->nal_length_size;

        if (len == 0 || len > size) {
            return -1;
        }

        data += len;
        size -= len;
    }

    return 0;
}


char *
cam_h264_codec(char *text, const cam_h264_config_t *config)
{
    snprintf(text, 12, "avc1.%02x%02x%02x", config->profile,
             config->constraints, config->level);

    return text;
}
