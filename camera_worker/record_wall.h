/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Pure: the wall times of fragments, which never go back.
 *
 * A fragment has its true time, that of its first frame, unless the one before
 * it has a later one, as when a packager began anew at a key frame it had
 * packaged, or the clock was set back a little.  It then has the time of the
 * one before: recorded time stands still until the truth has passed it.  So no
 * fragment is ever ahead of the latest truth, however often that happens.
 *
 * When the clock was set by more than that, waiting for the truth would take
 * too long [cw_record_wall_stepped]: recorded time begins anew, in another
 * file.
 */

#ifndef CW_RECORD_WALL_H
#define CW_RECORD_WALL_H

#include <stdint.h>

#include "live_index.h"

#define CW_RECORD_STEP_MSEC  10000       /* of the wall clock: another file */


/* the last fragment */
typedef struct {
    int64_t              msec;           /* 0: there is none */
    uint32_t             usec;           /* its duration */
    uint32_t             epoch;          /* of the clock its file began by, */
    int64_t              ahead_msec;     /* and how that stood */
} cw_record_wall_t;


/* our clock */
typedef struct {
    int64_t              wall_msec;
    int64_t              ahead_msec;     /* of the monotonic one */
    uint32_t             epoch;          /* steps of it so far */
} cw_record_clock_t;


/* when part n of a segment truly began */
int64_t cw_record_wall_true(const cam_live_segment_t *seg, uint32_t n);

/* the time of a fragment that truly began then */
int64_t cw_record_wall_next(const cw_record_wall_t *last, int64_t true_msec);

/* 1 when it is the first one that was timed after the clock was set */
int cw_record_wall_stepped(const cw_record_wall_t *last,
    const cw_record_clock_t *now, int64_t true_msec);


#endif /* CW_RECORD_WALL_H */
