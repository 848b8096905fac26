/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Where packaging goes on when its process dies: kept beside the live index,
 * in live/{camera}/resume, one for each part, written before the index names
 * that part.  There are two places in the file, used by turns, and each says
 * which part it belongs to; so the one that fits the newest part of the index
 * is whole, at whatever instruction the writer died.
 */

#ifndef CW_RESUME_H
#define CW_RESUME_H

#include <stdint.h>

#include "ring.h"
#include "timeline.h"


typedef struct {
    cam_ring_place_t  place;             /* to be read from */
    uint64_t          next[CAM_TRACKS];  /* frames before it are packaged */
    uint32_t          init;              /* version of the init file */
    uint32_t          active;            /* tracks in it, a bit each */
    uint64_t          discontinuity;     /* before the frame that comes */
    int64_t           arrived_msec;      /* as in cw_stream_t */
    int64_t           seen_msec[CAM_TRACKS];
    int64_t           lead_step_usec;
    int64_t           gop_usec;          /* as in cw_cut_t */
    int64_t           since_key_usec;
    cw_timeline_t     timeline;          /* of what is packaged */
} cw_resume_t;


/* into place n of 2.  An error is none: there is nothing to resume from then */
void cw_resume_write(int dirfd, unsigned n, const cw_resume_t *resume,
    uint64_t msn, uint32_t parts);

/* the one of the segment msn with so many parts: its place, or -1 */
int cw_resume_read(int dirfd, cw_resume_t *resume, uint64_t msn,
    uint32_t parts);


#endif /* CW_RESUME_H */
