/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A stream that goes on where a process before has died, frame by frame: no
 * frame is packaged twice and none is left out, so nothing tells a player or a
 * recording of it.
 *
 * The frames that were held, and those of a part that was not whole, are in the
 * ring still; the ones between them that are packaged, of the other track, are
 * passed over by their numbers.  Time is that of the last frames packaged.
 */

#include <string.h>

#include "clock.h"
#include "stream_write.h"


static const cam_ring_place_t *cw_stream_oldest(const cw_stream_t *s);
static int cw_stream_has_configs(const cw_stream_t *s, uint32_t tracks);


const cam_ring_place_t *
cw_stream_place(const cw_stream_t *s)
{
    return s->resumable ? &s->resume.place : NULL;
}


int
cw_stream_resume(cw_stream_t *s, uint64_t generation, int skip)
{
    const cw_resume_t  *r;

    r = &s->resume;
    s->resumable = 0;

    if (!cw_stream_has_configs(s, r->active)) {
        return -1;
    }

    s->state = CW_STREAM_ON;
    s->warning = s->store.index->warning;
    s->begun_msec = cam_clock_monotonic_msec();
    s->arrived_msec = r->arrived_msec;
    memcpy(s->seen_msec, r->seen_msec, sizeof(s->seen_msec));
    memcpy(s->packaged, r->next, sizeof(s->packaged));

    s->timeline = r->timeline;
    s->lead_step_usec = r->lead_step_usec;
    s->cut.gop_usec = r->gop_usec;
    s->cut.since_key_usec = r->since_key_usec;

    cw_stream_open_mux(s, r->active);

    /* after a discontinuity, unless all is as it was */

    if (skip || s->mux == NULL
        || cw_store_current_init(&s->store)->version != r->init)
    {
        s->need_key = 1;

    } else {
        s->discontinuity = r->discontinuity != 0;
    }

    cw_stream_continue(s, generation);

    return 0;
}


static int
cw_stream_has_configs(const cw_stream_t *s, uint32_t tracks)
{
    int  i;

    for (i = 0; i < CAM_TRACKS; i++) {
        if (tracks & 1u << i && s->track[i].config == NULL) {
            return 0;
        }
    }

    return tracks != 0 && tracks < 1u << CAM_TRACKS;
}


void
cw_stream_note_written(cw_stream_t *s, int track)
{
    s->resume.next[track] = s->held[track].place.seq + 1;
    s->resume.timeline.track[track] = s->held[track].time;
}


const cw_resume_t *
cw_stream_note(cw_stream_t *s)
{
    cw_resume_t             *r;
    const cw_stream_held_t  *lead;

    r = &s->resume;
    lead = &s->held[s->lead];

    r->place = *cw_stream_oldest(s);
    r->init = cw_store_current_init(&s->store)->version;
    r->active = s->active;
    r->discontinuity = s->discontinuity
                       || (lead->valid && lead->discontinuity);
    r->arrived_msec = s->arrived_msec;
    memcpy(r->seen_msec, s->seen_msec, sizeof(r->seen_msec));
    r->lead_step_usec = s->lead_step_usec;
    r->gop_usec = s->cut.gop_usec;
    r->since_key_usec = s->cut.since_key_usec;
    r->timeline.offset_usec = s->timeline.offset_usec;
    r->timeline.wall_usec = s->timeline.wall_usec;
    r->timeline.wall_known = s->timeline.wall_known;

    return r;
}


/* of the frames that are not written, or else the last one */

static const cam_ring_place_t *
cw_stream_oldest(const cw_stream_t *s)
{
    int                      i;
    const cam_ring_place_t  *place;

    place = &s->current;

    for (i = 0; i < CAM_TRACKS; i++) {
        if (s->held[i].valid && s->held[i].place.seq < place->seq) {
            place = &s->held[i].place;
        }
    }

    return place;
}
