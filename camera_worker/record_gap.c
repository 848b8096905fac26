/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Gaps: time in which a camera was to be recorded and was not, each with the
 * end of what was recorded before as its start.  One that lasts is told after
 * three seconds, and again, with the same start, when it has ended.
 */

#include <stdlib.h>

#include "log.h"
#include "record.h"

#define CW_RECORD_GAP_LEAST  1000        /* ms; less is none */


static int64_t cw_record_gap_since(const cw_record_camera_t *c,
    int64_t wall_msec);


void
cw_record_gap_end(cw_record_t *r, cw_record_camera_t *c, int64_t wall_msec,
    int late)
{
    int64_t           since;
    const char       *cause;
    cw_record_gap_t  *g;

    g = &c->gap;
    since = cw_record_gap_since(c, wall_msec);

    if (g->open) {
        cw_record_journal_gap(r, c->camera, g->end_msec,
                              wall_msec > g->end_msec ? wall_msec
                                                      : g->end_msec, g->cause);

    } else if (g->end_msec != 0
               && wall_msec - since >= CW_RECORD_GAP_LEAST)
    {
        cause = g->restarted ? "restart" : late ? "disk" : "network";
        cw_record_journal_gap(r, c->camera, since, wall_msec, cause);
    }

    g->open = 0;
    g->restarted = 0;
    g->taken_msec = r->now_msec;
}


/*
 * The end of the last fragment.  When the clock was set, it is known by the old
 * one and the new one, and only one of them is that of the next fragment.
 */

static int64_t
cw_record_gap_since(const cw_record_camera_t *c, int64_t wall_msec)
{
    int64_t  last;

    last = c->wall.msec + c->wall.usec / 1000;

    return c->wall.msec != 0
           && llabs(wall_msec - last) < llabs(wall_msec - c->gap.end_msec)
           ? last : c->gap.end_msec;
}


void
cw_record_gap_look(cw_record_t *r, cw_record_camera_t *c, const char *cause)
{
    cw_record_gap_t  *g;

    g = &c->gap;

    /* it was never recorded: since it is wanted */

    if (g->end_msec == 0) {
        g->end_msec = r->clock.wall_msec;
    }

    if (r->clock.wall_msec - g->end_msec < CW_RECORD_GAP_MSEC
        || (g->taken_msec != 0
            && r->now_msec - g->taken_msec < CW_RECORD_GAP_MSEC))
    {
        return;
    }

    if (c->state != CAM_RECORD_NO_SPACE && c->state != CAM_RECORD_DISK_ERROR
        && c->state != CAM_RECORD_NO_KEY)
    {
        cw_record_camera_state(r, c, CAM_RECORD_WAITING);
    }

    if (!g->open) {
        g->open = 1;
        g->cause = cause;
        cw_record_journal_gap(r, c->camera, g->end_msec, 0, cause);
    }
}


void
cw_record_gap_stop(cw_record_t *r, cw_record_camera_t *c)
{
    if (c->gap.open) {
        cw_record_gap_end(r, c, r->clock.wall_msec, 0);
    }

    c->gap.end_msec = 0;
    c->gap.restarted = 0;
}
