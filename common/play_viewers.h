/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Who watches, out of shm/sessions: sessions that play live, by camera or one
 * by one.  Whoever looks at recordings does not watch the camera.
 */

#ifndef CAM_PLAY_VIEWERS_H
#define CAM_PLAY_VIEWERS_H

#include "play_sessions.h"

#define CAM_VIEWERS_PLACES     (2 * CAM_SESSIONS_SLOTS)    /* never full */


typedef struct {
    uint8_t                 camera[CAM_UUID_LEN];
    uint32_t                sessions;    /* 0: nobody's place */
} cam_viewers_place_t;


/* how many watch each camera: a hash table, a place is sought from where the id
   says on; 640 KiB */
typedef struct {
    cam_viewers_place_t     place[CAM_VIEWERS_PLACES];
} cam_viewers_t;


typedef struct {
    uint8_t                 camera[CAM_UUID_LEN];
    uint8_t                 sid[8];      /* a name, no secret */
    int64_t                 started;     /* Unix s */
    char                    agent[CAM_SESSIONS_AGENT];
} cam_viewer_t;


/* counts anew, those that asked for media in the last so many seconds; one walk
   through the table */
void cam_viewers_count(cam_viewers_t *viewers, const cam_sessions_t *z,
    unsigned recent_sec);
unsigned cam_viewers_of(const cam_viewers_t *viewers,
    const uint8_t camera[CAM_UUID_LEN]);

/* the one in slot n, of CAM_SESSIONS_SLOTS: 1, or 0 when there is none */
int cam_viewers_get(const cam_sessions_t *z, uint32_t n, unsigned recent_sec,
    cam_viewer_t *viewer);


#endif /* CAM_PLAY_VIEWERS_H */
