/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The time of what is packaged.  A camera's timestamps start anywhere, are
 * rounded to milliseconds, jump, and start anew with each publication; the
 * output's run on from 0 for the life of the packager.  Pure arithmetic.
 *
 * Output time is camera time plus an offset that all tracks share.  When a
 * track's time goes back, or more than 10 s ahead, it goes on after its last
 * frame under a new offset (a discontinuity); the other track, when it makes
 * the same jump a few frames later, takes the new offset over, so that sound
 * and picture stay together.
 */

#ifndef CW_TIMELINE_H
#define CW_TIMELINE_H

#include <stdint.h>

#include "ring.h"

#define CW_TIMELINE_OK      0
#define CW_TIMELINE_JUMP    1    /* mapped, but a discontinuity */
#define CW_TIMELINE_DROP    2    /* before the start of the output */


typedef struct {
    int         started;
    int64_t     offset_usec;
    int64_t     in_msec;         /* last dts, camera's */
    int64_t     out_usec;        /* last dts, ours */
    int64_t     step_usec;       /* last distance of two frames */
} cw_timeline_track_t;


typedef struct {
    int64_t              offset_usec;
    int64_t              wall_usec;       /* smoothed arrival - output time */
    int                  wall_known;
    cw_timeline_track_t  track[CAM_TRACKS];
} cw_timeline_t;


/* a publication begins whose first frame is at dts_msec */
void cw_timeline_start(cw_timeline_t *tl, int64_t dts_msec);

/*
 * nominal_usec is the true duration of an audio frame, 0 for video.  Sound is
 * smoothed: its clock follows the camera's timestamps slowly, for they are
 * rounded to ms and jitter, and each error would be heard.
 */
int cw_timeline_map(cw_timeline_t *tl, int track, int64_t dts_msec,
    int64_t nominal_usec, int64_t *out_usec);

/* the distance of the last two frames, or a guess */
int64_t cw_timeline_step(const cw_timeline_t *tl, int track);

/* a frame at out_usec arrived at wall_msec */
void cw_timeline_arrival(cw_timeline_t *tl, int64_t out_usec,
    int64_t wall_msec);

/* the wall clock of a segment that starts at out_usec */
int64_t cw_timeline_wall_msec(const cw_timeline_t *tl, int64_t out_usec);


#endif /* CW_TIMELINE_H */
