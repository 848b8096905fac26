/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Asked twice about each frame: before it is added, when its own duration is
 * known, and after, when it is known whether a key frame follows.
 */

#include <string.h>

#include "cut.h"
#include "live_index.h"

#define CW_CUT_PART_USEC       (CAM_LIVE_PART_MSEC * 1000)
#define CW_CUT_PART_MIN_USEC   (CW_CUT_PART_USEC * 85 / 100)


static int cw_cut_part_is_full(const cw_cut_t *cut, int64_t duration_usec);
static int cw_cut_key_comes(const cw_cut_t *cut);


void
cw_cut_init(cw_cut_t *cut, int64_t target_usec)
{
    memset(cut, 0, sizeof(cw_cut_t));
    cut->target_usec = target_usec;
}


int64_t
cw_cut_limit(const cw_cut_t *cut)
{
    return cut->target_usec + 499999;
}


int
cw_cut_before(const cw_cut_t *cut, int64_t duration_usec)
{
    if (cut->segment_usec == 0) {
        return CW_CUT_NONE;
    }

    if (cut->segment_usec + duration_usec > cw_cut_limit(cut)) {
        return CW_CUT_SEGMENT;
    }

    return cw_cut_part_is_full(cut, duration_usec) ? CW_CUT_PART : CW_CUT_NONE;
}


/*
 * A part of less than 85 % of the part target is allowed only at the end of
 * a segment; a frame that comes after a stall must not make one too long.
 */

static int
cw_cut_part_is_full(const cw_cut_t *cut, int64_t duration_usec)
{
    return cut->part_frames >= 2
           && cut->part_usec + duration_usec > CW_CUT_PART_USEC
           && (cut->part_usec >= CW_CUT_PART_MIN_USEC
               || duration_usec > CW_CUT_PART_USEC / 2);
}


void
cw_cut_add(cw_cut_t *cut, int64_t duration_usec, int key)
{
    if (key) {

        /* 0 before the first key frame, and after a discontinuity */

        if (cut->since_key_usec > 0) {
            cut->gop_usec = cut->since_key_usec;
        }

        cut->since_key_usec = 0;
    }

    cut->since_key_usec += duration_usec;
    cut->segment_usec += duration_usec;
    cut->part_usec += duration_usec;
    cut->part_frames++;
    cut->segment_frames++;
}


int
cw_cut_after(const cw_cut_t *cut, int64_t duration_usec, int next_key)
{
    int      due;
    int64_t  gop;

    due = cut->segment_usec + duration_usec / 2 >= cut->target_usec;

    if (next_key) {
        gop = cut->since_key_usec;

        if (due || cut->segment_usec + gop > cw_cut_limit(cut)) {
            return CW_CUT_SEGMENT;
        }

    } else if (due && !cw_cut_key_comes(cut)) {
        return CW_CUT_SEGMENT;
    }

    return cw_cut_part_is_full(cut, duration_usec) ? CW_CUT_PART : CW_CUT_NONE;
}


/* 1 when a key frame is expected before the segment becomes too long */

static int
cw_cut_key_comes(const cw_cut_t *cut)
{
    int64_t  left;

    left = cut->gop_usec - cut->since_key_usec;

    /* not known yet, or overdue: it may come any moment */

    if (left <= 0) {
        return 1;
    }

    return cut->segment_usec + left <= cw_cut_limit(cut);
}


void
cw_cut_done(cw_cut_t *cut, int what)
{
    cut->part_usec = 0;
    cut->part_frames = 0;

    if (what == CW_CUT_SEGMENT) {
        cut->segment_usec = 0;
        cut->segment_frames = 0;
    }
}
