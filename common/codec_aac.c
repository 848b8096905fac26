/*
 * Copyright (C) The nginx camera platform authors
 */

/* Headers of AAC, read as the standard writes them down. */

#include <stdio.h>

#include "codec_bits.h"
#include "codec_headers.h"

#define CAM_AAC_LC              2
#define CAM_AAC_SBR             5
#define CAM_AAC_ESCAPE          31
#define CAM_AAC_PS              29


static uint32_t cam_aac_object_type(cam_bits_t *b);
static uint32_t cam_aac_sample_rate(cam_bits_t *b);
static unsigned cam_aac_program(cam_bits_t *b);


int
cam_aac_parse_config(cam_aac_config_t *config, const uint8_t *data,
    size_t size)
{
    uint32_t    core, channels;
    cam_bits_t  b;

    cam_bits_init(&b, data, size, 0);

    core = cam_aac_object_type(&b);

    config->object_type = (uint8_t) core;
    config->sample_rate = cam_aac_sample_rate(&b);
    channels = cam_bits_read(&b, 4);

    if (core == CAM_AAC_SBR || core == CAM_AAC_PS) {

        if (cam_aac_sample_rate(&b) == 0) {
            return -1;
        }

        core = cam_aac_object_type(&b);
    }

    if (core != CAM_AAC_LC || config->sample_rate == 0 || channels > 7) {
        return -1;
    }

    config->frame_samples = cam_bits_read(&b, 1) ? 960 : 1024;

    if (cam_bits_read(&b, 1)) {                  /* depends_on_core_coder */
        (void) cam_bits_read(&b, 14);
    }

    (void) cam_bits_read(&b, 1);                 /* extension_flag */

    if (channels == 0) {
        channels = cam_aac_program(&b);

    } else if (channels == 7) {
        channels = 8;
    }

    if (b.eof || channels == 0 || channels > 8) {
        return -1;
    }

    config->channels = (uint8_t) channels;

    return 0;
}


static uint32_t
cam_aac_object_type(cam_bits_t *b)
{
    uint32_t  type;

    type = cam_bits_read(b, 5);

    return type == CAM_AAC_ESCAPE ? 32 + cam_bits_read(b, 6) : type;
}


/* 0: reserved, or not a rate of sound */

static uint32_t
cam_aac_sample_rate(cam_bits_t *b)
{
    uint32_t  index, rate;

    static const uint32_t  rates[15] = {
        96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000,
        11025, 8000, 7350, 0, 0
    };

    index = cam_bits_read(b, 4);

    if (index < 15) {
        return rates[index];
    }

    rate = cam_bits_read(b, 24);

    return rate < 7350 || rate > 96000 ? 0 : rate;
}


/* the channels of a program_config_element (section 4.4.1.1) */

static unsigned
cam_aac_program(cam_bits_t *b)
{
    unsigned  i, n, channels, pairs, lfe, data, coupling;

    (void) cam_bits_read(b, 4 + 2 + 4);     /* tag, profile, sampling */

    n = cam_bits_read(b, 4);                /* front */
    n += cam_bits_read(b, 4);               /* side */
    n += cam_bits_read(b, 4);               /* back */

    lfe = cam_bits_read(b, 2);
    data = cam_bits_read(b, 3);
    coupling = cam_bits_read(b, 4);

    for (i = 0; i < 3; i++) {               /* mono, stereo, matrix mixdown */
        if (cam_bits_read(b, 1)) {
            (void) cam_bits_read(b, i < 2 ? 4 : 3);
        }
    }

    pairs = 0;

    for (i = 0; i < n; i++) {
        pairs += cam_bits_read(b, 1);
        (void) cam_bits_read(b, 4);
    }

    channels = n + pairs + lfe;

    for (i = 0; i < lfe + data; i++) {
        (void) cam_bits_read(b, 4);
    }

    for (i = 0; i < coupling; i++) {
        (void) cam_bits_read(b, 5);
    }

    return channels;
}


char *
cam_aac_codec(char *text, const cam_aac_config_t *config)
{
    snprintf(text, 12, "mp4a.40.%u", config->object_type);

    return text;
}
