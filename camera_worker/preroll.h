/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The frames of a publication that begins, kept while it is not known yet
 * whether a second track comes (at most a second).
 */

#ifndef CW_PREROLL_H
#define CW_PREROLL_H

#include <stddef.h>
#include <stdint.h>

#include "ring.h"

#define CW_PREROLL_MAX  (8u << 20)     /* bytes */


typedef struct {
    uint8_t        *data;              /* cam_frame_t, its bytes, padding ... */
    size_t          size;
    size_t          cap;
    uint32_t        frames[CAM_TRACKS];
    int64_t         first_msec;        /* lowest and highest dts */
    int64_t         last_msec;
    int64_t         since_msec;        /* monotonic, of the first frame */
} cw_preroll_t;


/* 0, or -1: it is full */
int cw_preroll_add(cw_preroll_t *pre, const cam_frame_t *frame,
    const void *data);

/* *pos is 0 at first; NULL at the end */
const cam_frame_t *cw_preroll_next(const cw_preroll_t *pre, size_t *pos,
    const void **data);

void cw_preroll_clear(cw_preroll_t *pre);


#endif /* CW_PREROLL_H */
