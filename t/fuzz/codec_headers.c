/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Fuzz target: codec headers.  The first byte says what the rest is: a whole
 * avcC record, the inside of an SPS to be wrapped into one (so that no run is
 * lost on lengths), a frame, or an AudioSpecificConfig.  Whatever is accepted
 * has values within the ranges that callers rely on.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec_headers.h"

#define SPS_MAX  1024


static void
must(int condition)
{
    if (!condition) {
        abort();
    }
}


static void
avcc(const uint8_t *data, size_t size)
{
    char               text[12];
    cam_h264_config_t  config;

    if (cam_h264_parse_config(&config, data, size) == -1) {
        return;
    }

    must(config.nal_length_size == 1 || config.nal_length_size == 2
         || config.nal_length_size == 4);
    must(config.width > 0 && config.width <= 16384);
    must(config.height > 0 && config.height <= 16384);
    must(config.chroma_format <= 3);
    must(strlen(cam_h264_codec(text, &config)) == 11);

    (void) cam_h264_check_frame(&config, data, size);
}


static void
sps(const uint8_t *data, size_t size)
{
    uint8_t  *p, *record;

    static const uint8_t  pps[] = { 1, 0, 2, 0x68, 0xce };

    if (size > SPS_MAX) {
        return;
    }

    record = malloc(9 + size + sizeof(pps));
    must(record != NULL);

    p = record;
    memcpy(p, "\x01\x64\x00\x1f\xff\xe1", 6);
    p += 6;
    *p++ = (uint8_t) ((size + 1) >> 8);
    *p++ = (uint8_t) (size + 1);
    *p++ = 0x67;
    memcpy(p, data, size);
    memcpy(p + size, pps, sizeof(pps));

    avcc(record, 9 + size + sizeof(pps));
    free(record);
}


/* what is tiled exactly is not when its last byte is missing */

static void
frame(const uint8_t *data, size_t size)
{
    int                lengths;
    cam_h264_config_t  config;

    for (lengths = 1; lengths <= 4; lengths *= 2) {
        config.nal_length_size = (uint8_t) lengths;

        if (cam_h264_check_frame(&config, data, size) == 0) {
            must(size > (size_t) lengths);
            must(cam_h264_check_frame(&config, data, size - 1) == -1);
        }
    }
}


static void
aac(const uint8_t *data, size_t size)
{
    char              text[12];
    cam_aac_config_t  config;

    if (cam_aac_parse_config(&config, data, size) == -1) {
        return;
    }

    must(config.object_type == 2 || config.object_type == 5
         || config.object_type == 29);
    must(config.channels >= 1 && config.channels <= 8);
    must(config.sample_rate >= 7350 && config.sample_rate <= 96000);
    must(config.frame_samples == 1024 || config.frame_samples == 960);
    must(strlen(cam_aac_codec(text, &config)) <= 11);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t  *copy;

    if (size == 0) {
        return 0;
    }

    /* an allocation of exactly the size: nothing readable follows it */

    size--;
    copy = malloc(size ? size : 1);
    must(copy != NULL);
    memcpy(copy, data + 1, size);

    switch (data[0] % 4) {

    case 0:
        avcc(copy, size);
        break;

    case 1:
        sps(copy, size);
        break;

    case 2:
        frame(copy, size);
        break;

    default:
        aac(copy, size);
    }

    free(copy);

    return 0;
}
