/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A reader of bits for codec_*.c, private to them.  It never runs past its end:
 * it answers zeros there and remembers that it did, so every loop is bounded by
 * a checked number or by that mark.
 */

#ifndef CAM_CODEC_BITS_H
#define CAM_CODEC_BITS_H

#include <stddef.h>
#include <stdint.h>


typedef struct {
    const uint8_t  *data;
    size_t          size;
    size_t          pos;       /* of the next byte to load */
    uint8_t         byte;
    uint8_t         bits;      /* of byte that are still unread */
    uint8_t         zeros;     /* 00 bytes before pos, in a NAL unit */
    uint8_t         nal;
    uint8_t         eof;
} cam_bits_t;


/* data stays the caller's; nal: emulation prevention bytes are skipped */
void cam_bits_init(cam_bits_t *b, const uint8_t *data, size_t size, int nal);

/* n <= 32 */
uint32_t cam_bits_read(cam_bits_t *b, unsigned n);

/* Exp-Golomb; what does not fit 32 bits answers UINT32_MAX and ends it */
uint32_t cam_bits_ue(cam_bits_t *b);
int32_t cam_bits_se(cam_bits_t *b);


#endif /* CAM_CODEC_BITS_H */
