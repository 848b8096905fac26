/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Three questions about a frame's time: where it lies in the output, whether
 * the camera's clock jumped before it, and what a wall clock said.
 */

#include <stdlib.h>

#include "timeline.h"

#define CW_TIMELINE_AHEAD_MSEC    10000   /* further is a discontinuity */
#define CW_TIMELINE_TOGETHER_USEC 1000000 /* jumps of two tracks that match */
#define CW_TIMELINE_JITTER_USEC   200000  /* of audio, smoothed away */
#define CW_TIMELINE_JITTER_DIV    32
#define CW_TIMELINE_STEP_USEC     40000   /* until two frames were seen */
#define CW_TIMELINE_WALL_DIV      256
#define CW_TIMELINE_WALL_USEC     10000000  /* more: a clock was set */


static int64_t cw_timeline_end(const cw_timeline_t *tl);
static int cw_timeline_begin_track(cw_timeline_t *tl, int track,
    int64_t dts_msec);
static int cw_timeline_jump(cw_timeline_t *tl, int track, int64_t dts_msec);


void
cw_timeline_start(cw_timeline_t *tl, int64_t dts_msec)
{
    int  i;

    tl->offset_usec = cw_timeline_end(tl) - dts_msec * 1000;
    tl->wall_known = 0;

    for (i = 0; i < CAM_TRACKS; i++) {
        tl->track[i].started = 0;
    }
}


/* where the output goes on: after the last frame of any track */

static int64_t
cw_timeline_end(const cw_timeline_t *tl)
{
    int      i;
    int64_t  end, track_end;

    end = 0;

    for (i = 0; i < CAM_TRACKS; i++) {

        if (tl->track[i].step_usec == 0) {
            continue;
        }

        track_end = tl->track[i].out_usec + tl->track[i].step_usec;

        if (track_end > end) {
            end = track_end;
        }
    }

    return end;
}


int
cw_timeline_map(cw_timeline_t *tl, int track, int64_t dts_msec,
    int64_t nominal_usec, int64_t *out_usec)
{
    int                   rc;
    int64_t               out, delta, expected;
    cw_timeline_track_t  *t;

    t = &tl->track[track];

    if (!t->started) {
        rc = cw_timeline_begin_track(tl, track, dts_msec);
        *out_usec = t->out_usec;
        return rc;
    }

    rc = CW_TIMELINE_OK;
    out = dts_msec * 1000 + t->offset_usec;
    expected = t->out_usec + nominal_usec;
    delta = dts_msec - t->in_msec;

    if ((delta < 0 || delta > CW_TIMELINE_AHEAD_MSEC)
        && (nominal_usec == 0
            || llabs(out - expected) > CW_TIMELINE_JITTER_USEC))
    {
        rc = cw_timeline_jump(tl, track, dts_msec);
        out = dts_msec * 1000 + t->offset_usec;
    }

    if (nominal_usec && llabs(out - expected) <= CW_TIMELINE_JITTER_USEC) {
        out = expected + (out - expected) / CW_TIMELINE_JITTER_DIV;
    }

    if (out <= t->out_usec) {
        out = t->out_usec + 1000;
    }

    t->step_usec = (rc == CW_TIMELINE_JUMP) ? cw_timeline_step(tl, track)
                                            : out - t->out_usec;
    t->in_msec = dts_msec;
    t->out_usec = out;
    *out_usec = out;

    return rc;
}


/* a track whose time has nothing to do with the other's starts where that is */

static int
cw_timeline_begin_track(cw_timeline_t *tl, int track, int64_t dts_msec)
{
    int64_t               out, other;
    cw_timeline_track_t  *t;

    t = &tl->track[track];
    t->offset_usec = tl->offset_usec;
    out = dts_msec * 1000 + t->offset_usec;

    if (tl->track[!track].started) {
        other = tl->track[!track].out_usec;

        if (llabs(out - other) > CW_TIMELINE_AHEAD_MSEC * 1000) {
            t->offset_usec = other - dts_msec * 1000;
            out = other;
        }
    }

    /* what comes before the end of the last publication is not shown */

    if (out < 0 || (t->step_usec && out <= t->out_usec)) {
        return CW_TIMELINE_DROP;
    }

    t->started = 1;
    t->in_msec = dts_msec;
    t->out_usec = out;

    if (t->step_usec == 0) {
        t->step_usec = CW_TIMELINE_STEP_USEC;
    }

    return CW_TIMELINE_OK;
}


static int
cw_timeline_jump(cw_timeline_t *tl, int track, int64_t dts_msec)
{
    int64_t               expected;
    cw_timeline_track_t  *t;

    t = &tl->track[track];
    expected = t->out_usec + cw_timeline_step(tl, track);

    if (llabs(dts_msec * 1000 + tl->offset_usec - expected)
        <= CW_TIMELINE_TOGETHER_USEC)
    {
        t->offset_usec = tl->offset_usec;
        return CW_TIMELINE_OK;
    }

    tl->offset_usec = expected - dts_msec * 1000;
    t->offset_usec = tl->offset_usec;

    return CW_TIMELINE_JUMP;
}


int64_t
cw_timeline_step(const cw_timeline_t *tl, int track)
{
    int64_t  step;

    step = tl->track[track].step_usec;

    return step > 0 ? step : CW_TIMELINE_STEP_USEC;
}


void
cw_timeline_arrival(cw_timeline_t *tl, int64_t out_usec, int64_t wall_msec)
{
    int64_t  diff;

    diff = wall_msec * 1000 - out_usec - tl->wall_usec;

    if (!tl->wall_known || llabs(diff) > CW_TIMELINE_WALL_USEC) {
        tl->wall_usec += diff;
        tl->wall_known = 1;
        return;
    }

    tl->wall_usec += diff / CW_TIMELINE_WALL_DIV;
}


int64_t
cw_timeline_wall_msec(const cw_timeline_t *tl, int64_t out_usec)
{
    return (out_usec + tl->wall_usec) / 1000;
}
