/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * One growing block of frames, each with its bytes behind it; freed as soon as
 * the stream has begun.
 */

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "preroll.h"

#define cw_preroll_align(n)  (((size_t) (n) + 15) & ~(size_t) 15)


int
cw_preroll_add(cw_preroll_t *pre, const cam_frame_t *frame, const void *data)
{
    size_t    need, cap;
    uint8_t  *p;

    need = pre->size + cw_preroll_align(sizeof(cam_frame_t))
           + cw_preroll_align(frame->size);

    if (need > CW_PREROLL_MAX) {
        return -1;
    }

    if (need > pre->cap) {
        cap = need * 2;
        p = realloc(pre->data, cap);

        if (p == NULL) {
            return -1;
        }

        pre->data = p;
        pre->cap = cap;
    }

    memcpy(pre->data + pre->size, frame, sizeof(cam_frame_t));
    memcpy(pre->data + pre->size + cw_preroll_align(sizeof(cam_frame_t)),
           data, frame->size);

    if (pre->size == 0) {
        pre->first_msec = frame->dts;
        pre->last_msec = frame->dts;
        pre->since_msec = cam_clock_monotonic_msec();
    }

    if (frame->dts < pre->first_msec) {
        pre->first_msec = frame->dts;
    }

    if (frame->dts > pre->last_msec) {
        pre->last_msec = frame->dts;
    }

    pre->size = need;
    pre->frames[frame->track]++;

    return 0;
}


const cam_frame_t *
cw_preroll_next(const cw_preroll_t *pre, size_t *pos, const void **data)
{
    const cam_frame_t  *frame;

    if (*pos >= pre->size) {
        return NULL;
    }

    frame = (const cam_frame_t *) (pre->data + *pos);
    *data = pre->data + *pos + cw_preroll_align(sizeof(cam_frame_t));

    *pos += cw_preroll_align(sizeof(cam_frame_t))
            + cw_preroll_align(frame->size);

    return frame;
}


void
cw_preroll_clear(cw_preroll_t *pre)
{
    free(pre->data);
    memset(pre, 0, sizeof(cw_preroll_t));
}
