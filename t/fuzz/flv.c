/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Fuzz target: FLV tag headers.  The input is a message of its whole length;
 * only its first bytes are given, in memory of exactly that size, as ingest
 * does with the first buffer of a chain.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flv.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
judge(const cam_flv_tag_t *tag, size_t size, size_t header)
{
    if (tag->kind != CAM_FLV_CONFIG && tag->kind != CAM_FLV_FRAME) {
        return;
    }

    if (tag->header != header || size <= header
        || tag->cts < -8388608 || tag->cts > 8388607)
    {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char            name[CAM_FLV_CODEC_NAME];
    size_t          n;
    uint8_t        *head;
    cam_flv_tag_t   tag;

    n = size < CAM_FLV_HEADER_MAX ? size : CAM_FLV_HEADER_MAX;

    head = malloc(n ? n : 1);
    memcpy(head, data, n);

    cam_flv_video(&tag, head, size);
    judge(&tag, size, 5);

    if (strlen(cam_flv_video_name(name, tag.codec)) == 0) {
        abort();
    }

    cam_flv_audio(&tag, head, size);
    judge(&tag, size, 2);

    if (strlen(cam_flv_audio_name(name, tag.codec)) == 0) {
        abort();
    }

    free(head);

    return 0;
}
