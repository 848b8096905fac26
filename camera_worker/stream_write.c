/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A frame is written when its successor has come, for only then its duration
 * is known.  The leading track decides about parts and segments; the frames of
 * the other track go along as they come, each fragment carrying the start of
 * both.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "registry.h"
#include "stream_write.h"

#define CW_STREAM_SILENT_MSEC  5000    /* a track this quiet is left out */


static int cw_stream_tracks(const cw_stream_t *s, int64_t wall_msec);
static int cw_stream_reinit_now(cw_stream_t *s, const cam_frame_t *frame);
static int64_t cw_stream_nominal_usec(const cw_stream_t *s, int track);
static void cw_stream_write_lead(cw_stream_t *s, int64_t dts_usec, int key);
static void cw_stream_add_lead(cw_stream_t *s, int64_t duration_usec);
static void cw_stream_write_held(cw_stream_t *s, int track,
    int64_t duration_usec);
static void cw_stream_hold(cw_stream_t *s, const cam_frame_t *frame,
    int64_t dts_usec, const uint8_t *data);
static void cw_stream_cut(cw_stream_t *s, int what);
static void cw_stream_see_order(cw_stream_t *s, const cw_stream_held_t *held);
static void cw_stream_describe(const cw_stream_t *s, cam_live_init_t *init);


void
cw_stream_write(cw_stream_t *s, const cam_frame_t *frame, const uint8_t *data)
{
    int      rc, track, key;
    int64_t  dts;

    s->current.generation = s->store.index->generation;
    s->current.pos = frame->pos;
    s->current.seq = frame->seq;

    track = frame->track;
    key = (track == CAM_TRACK_AUDIO || frame->flags & CAM_FRAME_KEY);

    if (cw_stream_reinit_now(s, frame)) {
        cw_stream_finish(s);
        cw_stream_open_mux(s, cw_stream_tracks(s, frame->wall_msec));
    }

    if (s->mux == NULL || !(s->active & 1 << track)) {
        return;
    }

    /* frames of a configuration that is not in the init yet */

    if (s->reinit & 1 << track) {
        return;
    }

    if (s->need_key) {

        if (track != s->lead || !key) {
            cw_store_dropped(&s->store, 1);
            return;
        }

        s->need_key = 0;
    }

    rc = cw_timeline_map(&s->timeline, track, frame->dts,
                         cw_stream_nominal_usec(s, track), &dts);

    if (rc == CW_TIMELINE_DROP) {
        cw_store_dropped(&s->store, 1);
        return;
    }

    if (rc == CW_TIMELINE_JUMP) {
        cw_log(CW_LOG_INFO, 0, "time of track %d jumped to %lld ms", track,
               (long long) frame->dts);
        s->discontinuity = 1;
    }

    if (track == s->lead) {
        cw_timeline_arrival(&s->timeline, dts, frame->wall_msec);
        cw_stream_write_lead(s, dts, key);

        if (s->need_key) {
            return;
        }

    } else if (s->held[track].valid) {
        cw_stream_write_held(s, track, dts - s->held[track].dts_usec);
    }

    cw_stream_hold(s, frame, dts, data);
}


/* the tracks that are alive: announced, and seen lately */

static int
cw_stream_tracks(const cw_stream_t *s, int64_t wall_msec)
{
    int  i, tracks;

    tracks = 0;

    for (i = 0; i < CAM_TRACKS; i++) {

        if (s->track[i].config != NULL && s->seen_msec[i] != 0
            && wall_msec - s->seen_msec[i] < CW_STREAM_SILENT_MSEC)
        {
            tracks |= 1 << i;
        }
    }

    return tracks;
}


/*
 * A player needs a key frame after a new init, so a change waits for one;
 * sound goes on alone, at once, when the pictures have stopped.
 */

static int
cw_stream_reinit_now(cw_stream_t *s, const cam_frame_t *frame)
{
    int  tracks;

    tracks = cw_stream_tracks(s, frame->wall_msec);

    if (frame->track == CAM_TRACK_VIDEO) {

        if (!(frame->flags & CAM_FRAME_KEY)) {
            return 0;
        }

    } else if (tracks & 1 << CAM_TRACK_VIDEO) {
        return 0;
    }

    return s->mux == NULL || s->reinit || tracks != s->active;
}


static int64_t
cw_stream_nominal_usec(const cw_stream_t *s, int track)
{
    const cam_aac_config_t  *aac;

    aac = &s->track[track].aac;

    if (track == CAM_TRACK_VIDEO || aac->sample_rate == 0) {
        return 0;
    }

    return (int64_t) aac->frame_samples * 1000000 / aac->sample_rate;
}


/* the frame that comes is at dts_usec; the one held is written */

static void
cw_stream_write_lead(cw_stream_t *s, int64_t dts_usec, int key)
{
    int                what;
    int64_t            duration;
    cw_stream_held_t  *held;

    held = &s->held[s->lead];

    if (!held->valid) {
        return;
    }

    duration = dts_usec - held->dts_usec;

    /*
     * One long gap is not made a frame that lasts as long: segments would
     * exceed the target for ever.  Frames that come so seldom as a rule are.
     */

    if (duration > cw_cut_limit(&s->cut)
        && s->lead_step_usec <= cw_cut_limit(&s->cut))
    {
        s->discontinuity = 1;
        s->lead_step_usec = duration;
        duration = CAM_LIVE_PART_MSEC * 1000;

    } else {
        s->lead_step_usec = duration;
    }

    cw_stream_add_lead(s, duration);

    if (s->need_key) {
        return;
    }

    what = s->discontinuity ? CW_CUT_SEGMENT
                            : cw_cut_after(&s->cut, duration, key);

    if (what != CW_CUT_NONE) {
        cw_stream_cut(s, what);
    }
}


static void
cw_stream_add_lead(cw_stream_t *s, int64_t duration_usec)
{
    int                what;
    cw_stream_held_t  *held;

    held = &s->held[s->lead];
    what = cw_cut_before(&s->cut, duration_usec);

    if (what != CW_CUT_NONE) {
        cw_stream_cut(s, what);

        if (s->need_key) {
            held->valid = 0;
            return;
        }
    }

    if (s->cut.segment_usec == 0) {
        cw_store_begin(&s->store,
                       cw_timeline_wall_msec(&s->timeline, held->dts_usec),
                       held->discontinuity);
    }

    if (s->cut.part_frames == 0) {
        s->independent = held->key;
    }

    cw_stream_see_order(s, held);
    cw_cut_add(&s->cut, duration_usec, held->key);
    cw_stream_write_held(s, s->lead, duration_usec);
}


static void
cw_stream_write_held(cw_stream_t *s, int track, int64_t duration_usec)
{
    cw_mux_frame_t     frame;
    cw_stream_held_t  *held;

    held = &s->held[track];
    held->valid = 0;
    cw_stream_note_written(s, track);

    frame.dts_usec = held->dts_usec;
    frame.cts_usec = held->cts_usec;
    frame.duration_usec = duration_usec;
    frame.key = held->key;
    frame.data = held->data;
    frame.size = held->size;

    if (cw_mux_write(s->mux, track, &frame) == -1) {
        s->warning = CAM_REASON_BAD_MEDIA;
    }
}


static void
cw_stream_hold(cw_stream_t *s, const cam_frame_t *frame, int64_t dts_usec,
    const uint8_t *data)
{
    uint32_t           cap;
    uint8_t           *p;
    cw_stream_held_t  *held;

    held = &s->held[frame->track];

    if (frame->size > held->cap) {
        cap = frame->size + frame->size / 4;
        p = realloc(held->data, cap);

        if (p == NULL) {
            cw_log(CW_LOG_CRIT, 0, "no memory for a frame of %u bytes",
                   frame->size);
            cw_store_dropped(&s->store, 1);
            s->discontinuity = 1;
            s->need_key = 1;
            return;
        }

        held->data = p;
        held->cap = cap;
    }

    memcpy(held->data, data, frame->size);

    held->valid = 1;
    held->size = frame->size;
    held->dts_usec = dts_usec;
    held->cts_usec = (int64_t) frame->cts * 1000;
    held->place = s->current;
    held->time = s->timeline.track[frame->track];
    held->key = (frame->track == CAM_TRACK_AUDIO
                 || frame->flags & CAM_FRAME_KEY);

    if (frame->track == s->lead) {
        held->discontinuity = s->discontinuity;
        s->discontinuity = 0;
    }
}


static void
cw_stream_cut(cw_stream_t *s, int what)
{
    int              rc;
    size_t           size;
    const uint8_t   *data;
    cw_store_part_t  part;

    if (what == CW_CUT_PART && cw_store_parts_full(&s->store)) {
        what = CW_CUT_SEGMENT;
    }

    if (what == CW_CUT_SEGMENT && s->lead == CAM_TRACK_VIDEO) {
        cw_store_fps(&s->store, s->cut.segment_frames, s->cut.segment_usec);
    }

    if (s->cut.part_frames == 0) {
        if (what == CW_CUT_SEGMENT) {
            cw_store_end(&s->store);
        }

        cw_cut_done(&s->cut, what);
        return;
    }

    rc = cw_mux_flush(s->mux);

    if (rc == 0) {
        part.duration_usec = s->cut.part_usec;
        part.independent = s->independent;
        part.last = (what == CW_CUT_SEGMENT);
        part.resume = cw_stream_note(s);

        data = cw_mux_output(&size);
        rc = cw_store_part(&s->store, &part, data, size);
    }

    cw_mux_output_clear();

    if (rc == -1) {
        cw_store_dropped(&s->store, s->cut.part_frames);
        cw_store_end(&s->store);
        s->discontinuity = 1;
        s->need_key = 1;
        what = CW_CUT_SEGMENT;
    }

    cw_cut_done(&s->cut, what);
}


/* pictures that are shown in another order than they are sent */

static void
cw_stream_see_order(cw_stream_t *s, const cw_stream_held_t *held)
{
    int64_t  pts;

    if (s->lead != CAM_TRACK_VIDEO) {
        return;
    }

    pts = held->dts_usec + held->cts_usec;

    if (pts < s->max_pts_usec) {
        cw_store_current_init(&s->store)->b_frames = 1;
        return;
    }

    s->max_pts_usec = pts;
}


void
cw_stream_finish(cw_stream_t *s)
{
    int  i;

    if (s->mux == NULL) {
        return;
    }

    i = !s->lead;

    if (s->held[i].valid) {
        cw_stream_write_held(s, i, cw_timeline_step(&s->timeline, i));
    }

    if (s->held[s->lead].valid) {
        cw_stream_add_lead(s, cw_timeline_step(&s->timeline, s->lead));
    }

    cw_stream_cut(s, CW_CUT_SEGMENT);

    s->held[s->lead].valid = 0;
    s->cut.since_key_usec = 0;
    s->lead_step_usec = 0;
}


void
cw_stream_open_mux(cw_stream_t *s, int tracks)
{
    int                    i;
    size_t                 size;
    const uint8_t         *data;
    cam_live_init_t        init;
    const cw_mux_track_t  *list[CAM_TRACKS];

    cw_stream_close_mux(s);

    s->reinit = 0;
    s->active = tracks;
    s->lead = (tracks & 1 << CAM_TRACK_VIDEO) ? CAM_TRACK_VIDEO
                                              : CAM_TRACK_AUDIO;
    s->max_pts_usec = INT64_MIN;
    s->discontinuity = s->store.index->segments > 0;

    for (i = 0; i < CAM_TRACKS; i++) {
        list[i] = (tracks & 1 << i) ? &s->track[i] : NULL;
    }

    s->mux = cw_mux_open(list);

    if (s->mux == NULL) {
        s->warning = CAM_REASON_BAD_MEDIA;
        cw_mux_output_clear();
        return;
    }

    cw_stream_describe(s, &init);
    data = cw_mux_output(&size);

    if (cw_store_init(&s->store, &init, data, size) == -1) {
        cw_stream_close_mux(s);
    }

    cw_mux_output_clear();

    if (s->mux != NULL) {
        cw_log(CW_LOG_INFO, 0, "init %u: %s %ux%u", init.version, init.codecs,
               init.width, init.height);
    }
}


static void
cw_stream_describe(const cw_stream_t *s, cam_live_init_t *init)
{
    char                   video[12], audio[12];
    const cw_mux_track_t  *v, *a;

    memset(init, 0, sizeof(cam_live_init_t));

    v = &s->track[CAM_TRACK_VIDEO];
    a = &s->track[CAM_TRACK_AUDIO];
    video[0] = '\0';
    audio[0] = '\0';

    if (s->active & 1 << CAM_TRACK_VIDEO) {
        init->has_video = 1;
        init->width = v->h264.width;
        init->height = v->h264.height;
        cam_h264_codec(video, &v->h264);
    }

    if (s->active & 1 << CAM_TRACK_AUDIO) {
        init->has_audio = 1;
        cam_aac_codec(audio, &a->aac);
    }

    snprintf(init->codecs, CAM_LIVE_CODECS, "%s%s%s", video,
             video[0] && audio[0] ? "," : "", audio);
}


void
cw_stream_close_mux(cw_stream_t *s)
{
    if (s->mux == NULL) {
        return;
    }

    /* what libavformat still holds is freed by writing it */

    (void) cw_mux_flush(s->mux);
    cw_mux_output_clear();

    cw_mux_close(s->mux);
    s->mux = NULL;
}
