/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * One camera's way from frames to segments.  Knows neither rings nor the
 * registry: the caller says what happens, in order.
 *
 *   WAIT   no publication, or one that begins; frames are kept until both
 *          tracks were seen or a second has passed        [cw_stream_begin]
 *   ON     frames are packaged          [cw_stream_start, cw_stream_resume]
 *
 * and back to WAIT when the publication ends or a successor begins.
 */

#ifndef CW_STREAM_H
#define CW_STREAM_H

#include <stdint.h>

#include "cut.h"
#include "mux.h"
#include "preroll.h"
#include "resume.h"
#include "ring.h"
#include "store.h"
#include "timeline.h"

typedef enum {
    CW_STREAM_WAIT = 0,
    CW_STREAM_ON
} cw_stream_state_e;


/* the newest frame of a track: written when the next one tells its duration */
typedef struct {
    int                valid;
    int                key;
    int                discontinuity;    /* before it */
    int64_t            dts_usec;
    int64_t            cts_usec;
    uint8_t           *data;
    uint32_t           size;
    uint32_t           cap;
    cam_ring_place_t   place;
    cw_timeline_track_t time;            /* of its track, after it came */
} cw_stream_held_t;


typedef struct {
    cw_stream_state_e  state;
    int                lead;             /* the track that is cut by */
    int                active;           /* tracks in the muxer, a bit each */
    int                reinit;           /* active tracks, config changed */
    int                need_key;         /* drop until the next key frame */
    int                discontinuity;    /* before the frame that comes */
    int                independent;      /* the open part is */
    uint32_t           warning;          /* cam_reason_e */
    int64_t            lead_step_usec;
    int64_t            max_pts_usec;
    int64_t            begun_msec;       /* monotonic */
    int64_t            arrived_msec;     /* the last frame, wall; 0: none */
    int64_t            seen_msec[CAM_TRACKS];   /* the same, of a track */
    cw_mux_t          *mux;
    cw_mux_track_t     track[CAM_TRACKS];
    cw_stream_held_t   held[CAM_TRACKS];
    cw_preroll_t       preroll;
    cw_timeline_t      timeline;
    cw_cut_t           cut;
    cw_store_t         store;
    cam_ring_place_t   current;          /* the frame that came last */
    uint64_t           packaged[CAM_TRACKS];  /* by a process before */
    int                resumable;        /* what it left is in resume */
    cw_resume_t        resume;
} cw_stream_t;


/* NULL with errno: EBUSY, ENOSPC ... */
cw_stream_t *cw_stream_create(int livefd, const uint8_t *camera);
void cw_stream_destroy(cw_stream_t *s);

/* a publication begins; configs follow by cw_stream_config() */
void cw_stream_begin(cw_stream_t *s, uint64_t generation);

/* where the process before has left off, NULL when it left nothing */
const cam_ring_place_t *cw_stream_place(const cw_stream_t *s);

/*
 * The publication goes on with the frame at that place; its configs were told
 * before.  skip: not before the next key frame.  0, or -1: it has to begin.
 */
int cw_stream_resume(cw_stream_t *s, uint64_t generation, int skip);

/* the same one goes on in another ring */
void cw_stream_continue(cw_stream_t *s, uint64_t generation);

void cw_stream_config(cw_stream_t *s, int track, const uint8_t *data,
    uint32_t size);
void cw_stream_frame(cw_stream_t *s, const cam_frame_t *frame,
    const uint8_t *data);

/* so many frames are missing before the next one */
void cw_stream_lost(cw_stream_t *s, uint64_t frames);

/* nothing came: what waits for time to pass is done here */
void cw_stream_tick(cw_stream_t *s, int64_t now_msec);

/* all frames that came are published */
void cw_stream_end(cw_stream_t *s);


#endif /* CW_STREAM_H */
