/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The half of a stream that decides when it begins, and with which tracks.
 */

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "registry.h"
#include "stream.h"
#include "stream_write.h"

#define CW_STREAM_TRACK_MSEC    1000   /* the second track is awaited */
#define CW_STREAM_PICTURE_MSEC  3000   /* video that was announced, too */
#define CW_STREAM_STILL_MSEC    2000   /* without a frame of any track */


static int cw_stream_parse(cw_mux_track_t *track, int kind,
    const uint8_t *data, uint32_t size);
static void cw_stream_seen(cw_stream_t *s, const cam_frame_t *frame);
static void cw_stream_wait(cw_stream_t *s, const cam_frame_t *frame,
    const uint8_t *data);
static int cw_stream_waits_for_key(cw_stream_t *s, const cam_frame_t *frame);
static int cw_stream_is_complete(const cw_stream_t *s);
static void cw_stream_start(cw_stream_t *s);


cw_stream_t *
cw_stream_create(int livefd, const uint8_t *camera)
{
    cw_stream_t  *s;

    s = calloc(1, sizeof(cw_stream_t));
    if (s == NULL) {
        return NULL;
    }

    if (cw_store_open(&s->store, livefd, camera) == -1) {
        free(s);
        return NULL;
    }

    /* what is there was packaged by somebody else */

    s->discontinuity = s->store.index->segments > 0;
    s->resumable = cw_store_resume(&s->store, &s->resume);
    cw_cut_init(&s->cut, CAM_LIVE_TARGET_MSEC * 1000);

    return s;
}


void
cw_stream_destroy(cw_stream_t *s)
{
    int  i;

    cw_stream_finish(s);
    cw_stream_close_mux(s);
    cw_store_close(&s->store);
    cw_preroll_clear(&s->preroll);

    for (i = 0; i < CAM_TRACKS; i++) {
        free(s->track[i].config);
        free(s->held[i].data);
    }

    free(s);
}


void
cw_stream_begin(cw_stream_t *s, uint64_t generation)
{
    int  i;

    cw_stream_finish(s);

    if (s->store.index->segments) {
        s->discontinuity = 1;
    }

    for (i = 0; i < CAM_TRACKS; i++) {
        s->seen_msec[i] = 0;
    }

    s->arrived_msec = 0;
    s->resumable = 0;
    memset(s->packaged, 0, sizeof(s->packaged));

    s->state = CW_STREAM_WAIT;
    s->need_key = 0;
    s->warning = 0;
    s->store.index->fps_centi = 0;
    s->store.index->dropped = 0;
    s->begun_msec = cam_clock_monotonic_msec();

    cw_preroll_clear(&s->preroll);
    cw_stream_continue(s, generation);
}


void
cw_stream_continue(cw_stream_t *s, uint64_t generation)
{
    s->store.index->generation = generation;
    cw_store_state(&s->store, CAM_LIVE_ON, s->warning);
}


void
cw_stream_config(cw_stream_t *s, int track, const uint8_t *data,
    uint32_t size)
{
    cw_mux_track_t  *t, new;

    t = &s->track[track];

    if (t->config != NULL && size == t->config_size
        && memcmp(t->config, data, size) == 0)
    {
        return;
    }

    if (cw_stream_parse(&new, track, data, size) == -1) {
        s->warning = CAM_REASON_BAD_MEDIA;
        cw_log(CW_LOG_WARN, 0, "unusable configuration of track %d, %u bytes",
               track, size);
        return;
    }

    free(t->config);
    *t = new;

    if (s->active & 1 << track) {
        s->reinit |= 1 << track;
    }
}


static int
cw_stream_parse(cw_mux_track_t *track, int kind, const uint8_t *data,
    uint32_t size)
{
    int  rc;

    memset(track, 0, sizeof(cw_mux_track_t));

    rc = (kind == CAM_TRACK_VIDEO)
         ? cam_h264_parse_config(&track->h264, data, size)
         : cam_aac_parse_config(&track->aac, data, size);

    if (rc == -1) {
        return -1;
    }

    track->config = malloc(size);
    if (track->config == NULL) {
        return -1;
    }

    memcpy(track->config, data, size);
    track->config_size = size;

    return 0;
}


void
cw_stream_frame(cw_stream_t *s, const cam_frame_t *frame, const uint8_t *data)
{
    if (frame->flags & CAM_FRAME_CONFIG) {
        cw_stream_config(s, frame->track, data, frame->size);
        return;
    }

    if (s->track[frame->track].config == NULL || frame->size == 0
        || frame->seq < s->packaged[frame->track])
    {
        return;
    }

    cw_stream_seen(s, frame);

    if (s->state == CW_STREAM_WAIT) {
        cw_stream_wait(s, frame, data);
        return;
    }

    cw_stream_write(s, frame, data);
}


/*
 * A track is silent while the other is not.  When both were, or the clock of
 * their arrival was set, neither is.
 */

static void
cw_stream_seen(cw_stream_t *s, const cam_frame_t *frame)
{
    int      i;
    int64_t  still;

    still = s->arrived_msec ? frame->wall_msec - s->arrived_msec : 0;

    for (i = 0; i < CAM_TRACKS; i++) {
        if (s->seen_msec[i] != 0
            && (still < 0 || still > CW_STREAM_STILL_MSEC))
        {
            s->seen_msec[i] += still;
        }
    }

    s->arrived_msec = frame->wall_msec;
    s->seen_msec[frame->track] = frame->wall_msec;
}


static void
cw_stream_wait(cw_stream_t *s, const cam_frame_t *frame, const uint8_t *data)
{
    if (cw_stream_waits_for_key(s, frame)) {
        return;
    }

    if (cw_preroll_add(&s->preroll, frame, data) == -1) {
        cw_stream_start(s);
        cw_stream_write(s, frame, data);
        return;
    }

    if (cw_stream_is_complete(s)) {
        cw_stream_start(s);
    }
}


/* a stream begins with a picture, when it has pictures */

static int
cw_stream_waits_for_key(cw_stream_t *s, const cam_frame_t *frame)
{
    if (s->preroll.frames[CAM_TRACK_VIDEO]) {
        return 0;
    }

    if (frame->track == CAM_TRACK_VIDEO) {

        if (!(frame->flags & CAM_FRAME_KEY)) {
            return 1;
        }

        /* sound that came before the first picture is not shown */

        cw_preroll_clear(&s->preroll);
        return 0;
    }

    if (s->track[CAM_TRACK_VIDEO].config == NULL) {
        return 0;
    }

    return s->seen_msec[CAM_TRACK_VIDEO] != 0
           || cam_clock_monotonic_msec() - s->begun_msec
              < CW_STREAM_PICTURE_MSEC;
}


static int
cw_stream_is_complete(const cw_stream_t *s)
{
    const cw_preroll_t  *pre;

    pre = &s->preroll;

    return (pre->frames[CAM_TRACK_VIDEO] && pre->frames[CAM_TRACK_AUDIO])
           || pre->last_msec - pre->first_msec >= CW_STREAM_TRACK_MSEC;
}


void
cw_stream_tick(cw_stream_t *s, int64_t now_msec)
{
    if (s->state == CW_STREAM_WAIT && s->preroll.size != 0
        && now_msec - s->preroll.since_msec >= CW_STREAM_TRACK_MSEC)
    {
        cw_stream_start(s);
    }
}


static void
cw_stream_start(cw_stream_t *s)
{
    int                 i, tracks;
    size_t              pos;
    const void         *data;
    cw_preroll_t        pre;
    const cam_frame_t  *frame;

    pre = s->preroll;
    memset(&s->preroll, 0, sizeof(cw_preroll_t));

    tracks = 0;

    for (i = 0; i < CAM_TRACKS; i++) {
        if (pre.frames[i]) {
            tracks |= 1 << i;
        }
    }

    cw_timeline_start(&s->timeline, pre.first_msec);
    memset(&s->resume, 0, sizeof(cw_resume_t));
    s->resume.timeline = s->timeline;

    s->state = CW_STREAM_ON;
    s->need_key = 0;

    if (s->mux == NULL || s->reinit || s->active != tracks) {
        cw_stream_open_mux(s, tracks);
    }

    pos = 0;

    while ((frame = cw_preroll_next(&pre, &pos, &data)) != NULL) {
        cw_stream_write(s, frame, data);
    }

    cw_preroll_clear(&pre);
}


void
cw_stream_lost(cw_stream_t *s, uint64_t frames)
{
    cw_store_dropped(&s->store, frames);

    if (s->state == CW_STREAM_WAIT) {
        cw_preroll_clear(&s->preroll);
        return;
    }

    cw_stream_finish(s);
    s->discontinuity = 1;
    s->need_key = 1;
}


void
cw_stream_end(cw_stream_t *s)
{
    if (s->state == CW_STREAM_WAIT && s->preroll.size != 0) {
        cw_stream_start(s);
    }

    cw_stream_finish(s);

    s->state = CW_STREAM_WAIT;
    cw_store_state(&s->store, CAM_LIVE_ENDED, s->warning);
}
