/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A view: what shared memory says of a camera at this moment, put together
 * from its registry entry and state, the header of its ring and the live
 * index.  What is not there is simply not known.
 */

#ifndef CAM_VIEW_H
#define CAM_VIEW_H

#include "live_index.h"
#include "registry.h"
#include "ring.h"

#define CAM_VIEW_SILENT_MSEC   3000    /* the takeover rule's silence */
#define CAM_VIEW_REFUSED_MSEC  60000   /* a camera that is turned away */


typedef struct {
    int                       slot;     /* -1: nginx does not know it */
    cam_registry_entry_t      entry;
    cam_registry_state_t      state;
    int                       has_ring;
    int                       alive;    /* the ring's writer */
    cam_ring_info_t           ring;
    const cam_live_index_t   *index;    /* the caller's copy; NULL: none */
} cam_view_t;


/* empties the view and looks into the registry, which may be NULL; 0, or -1
   when the camera is not there */
int cam_view_look(cam_view_t *view, cam_registry_t *registry,
    const uint8_t camera[CAM_UUID_LEN]);

/* its ring; nine system calls */
void cam_view_look_ring(cam_view_t *view, int rings_fd,
    const uint8_t camera[CAM_UUID_LEN]);

/* 1 while somebody publishes and the writer of the ring lives */
int cam_view_publishing(const cam_view_t *view);

/* ms since the last frame; -1 without a ring */
int64_t cam_view_silence(const cam_view_t *view);

/* the index when it is of this publication, NULL when it is not */
const cam_live_index_t *cam_view_index(const cam_view_t *view);

/* of the newest segment of this publication; NULL when there is none */
const cam_live_init_t *cam_view_init(const cam_view_t *view);

/* 1 when a whole segment of this publication, with video, is there */
int cam_view_has_picture(const cam_view_t *view);

/* bits per second of its newest segments, -1 without a whole one */
int64_t cam_view_bitrate(const cam_view_t *view);

/* Unix ms: when the newest of what was packaged arrived; 0: not known */
int64_t cam_view_seen_msec(const cam_view_t *view);

/* what the live stream lacks, or why the last publisher since the last live
   stream was refused */
cam_reason_e cam_view_warning(const cam_view_t *view);

/* "online", "connecting", "error" or "offline" */
const char *cam_view_status(const cam_view_t *view);


#endif /* CAM_VIEW_H */
