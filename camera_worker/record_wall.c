/*
 * Copyright (C) The nginx camera platform authors
 */

#include <stdlib.h>

#include "record_wall.h"


int64_t
cw_record_wall_true(const cam_live_segment_t *seg, uint32_t n)
{
    int64_t   usec;
    uint32_t  i;

    usec = 0;

    for (i = 0; i < n && i < seg->parts; i++) {
        usec += seg->part[i].duration_usec;
    }

    return seg->wall_msec + usec / 1000;
}


int64_t
cw_record_wall_next(const cw_record_wall_t *last, int64_t true_msec)
{
    return true_msec < last->msec ? last->msec : true_msec;
}


/*
 * Where the clock made its step, the times of segments do so, too, some of them
 * later.  One back is known by what was recorded lying ahead of our own clock,
 * which a key frame that is packaged once more never brings about, however long
 * ago it was.  One forward may be nothing but a long absence, which our own
 * clocks tell.
 */

int
cw_record_wall_stepped(const cw_record_wall_t *last,
    const cw_record_clock_t *now, int64_t true_msec)
{
    int64_t  end, step;

    if (last->msec == 0) {
        return 0;
    }

    end = last->msec + last->usec / 1000;

    if (true_msec < end - CW_RECORD_STEP_MSEC) {
        return end > now->wall_msec;
    }

    step = now->ahead_msec - last->ahead_msec;

    if (last->epoch == now->epoch || llabs(step) < CW_RECORD_STEP_MSEC) {
        return 0;
    }

    return step > 0 && true_msec - end > step / 2;
}
