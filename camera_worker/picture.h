/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * One key frame of H.264, decoded once and encoded as JPEG in any number of
 * widths.  Each picture has a decoder and a scaler of its own, so that nothing
 * of one camera is left over for the next.
 *
 * The bytes are a stranger's: call this in the sandbox only.
 */

#ifndef CW_PICTURE_H
#define CW_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#define CW_PICTURE_SIDE_MAX  8192
#define CW_PICTURE_AREA_MAX  (8192 * 4352)     /* H.264 level 6.2 */


typedef struct cw_picture_s  cw_picture_t;


/* of an avcC record and a length-prefixed access unit; NULL: it is no whole
   picture, or too large */
cw_picture_t *cw_picture_decode(const uint8_t *config, size_t config_size,
    const uint8_t *frame, size_t size);

/*
 * A JPEG of that width, or of the picture's own when that is less, with the
 * picture's proportions.  Answers its size, 0 when it cannot be made or does
 * not fit.
 */
size_t cw_picture_encode(cw_picture_t *picture, unsigned width, uint8_t *out,
    size_t cap);

void cw_picture_free(cw_picture_t *picture);


#endif /* CW_PICTURE_H */
