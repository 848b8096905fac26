/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A reader of bits (see codec_bits.h).  In a NAL unit it skips emulation
 * prevention bytes (H.264 section 7.4.1): in 00 00 03 the 03 is no data.
 */

#include "codec_bits.h"


static void cam_bits_load(cam_bits_t *b);


void
cam_bits_init(cam_bits_t *b, const uint8_t *data, size_t size, int nal)
{
    b->data = data;
    b->size = size;
    b->pos = 0;
    b->byte = 0;
    b->bits = 0;
    b->zeros = 0;
    b->nal = (uint8_t) nal;
    b->eof = 0;
}


uint32_t
cam_bits_read(cam_bits_t *b, unsigned n)
{
    uint32_t  value;

    value = 0;

    while (n--) {

        if (b->bits == 0) {
            cam_bits_load(b);
        }

        if (b->eof) {
            return 0;
        }

        b->bits--;
        value = value << 1 | ((uint32_t) (b->byte >> b->bits) & 1);
    }

    return value;
}


static void
cam_bits_load(cam_bits_t *b)
{
    if (b->nal && b->zeros >= 2 && b->pos < b->size
        && b->data[b->pos] == 0x03)
    {
        b->pos++;
        b->zeros = 0;
    }

    if (b->pos == b->size) {
        b->eof = 1;
        return;
    }

    b->byte = b->data[b->pos++];
    b->bits = 8;
    b->zeros = b->byte ? 0 : b->zeros + (b->zeros < 2);
}


uint32_t
cam_bits_ue(cam_bits_t *b)
{
    unsigned  n;

    for (n = 0; n < 32 && !b->eof; n++) {
        if (cam_bits_read(b, 1)) {
            return (uint32_t) ((1ULL << n) - 1) + cam_bits_read(b, n);
        }
    }

    b->eof = 1;

    return UINT32_MAX;
}


int32_t
cam_bits_se(cam_bits_t *b)
{
    uint32_t  n;

    n = cam_bits_ue(b);

    return n & 1 ? (int32_t) (n / 2 + 1) : -(int32_t) (n / 2);
}
