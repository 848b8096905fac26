/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Reading who watches.  Nobody is locked out while this reads: a slot whose
 * session changed meanwhile is passed over, and is there the next time.
 */

#include <string.h>

#include "play_sessions_layout.h"
#include "play_viewers.h"
#include "token.h"


static int cam_viewers_plays(const cam_sessions_slot_t *slot,
    unsigned recent_sec);
static uint32_t cam_viewers_find(const cam_viewers_t *viewers,
    const uint8_t camera[CAM_UUID_LEN]);


void
cam_viewers_count(cam_viewers_t *viewers, const cam_sessions_t *z,
    unsigned recent_sec)
{
    uint32_t              n;
    uint8_t               camera[CAM_UUID_LEN];
    cam_viewers_place_t  *place;

    memset(viewers, 0, sizeof(cam_viewers_t));

    for (n = 0; n < z->slots && n < CAM_SESSIONS_SLOTS; n++) {

        if (cam_viewers_plays(&z->slot[n], recent_sec)) {
            memcpy(camera, z->slot[n].camera, CAM_UUID_LEN);

            place = &viewers->place[cam_viewers_find(viewers, camera)];
            memcpy(place->camera, camera, CAM_UUID_LEN);
            place->sessions++;
        }
    }
}


unsigned
cam_viewers_of(const cam_viewers_t *viewers,
    const uint8_t camera[CAM_UUID_LEN])
{
    return viewers->place[cam_viewers_find(viewers, camera)].sessions;
}


/* its place, or the free one that it would have */

static uint32_t
cam_viewers_find(const cam_viewers_t *viewers,
    const uint8_t camera[CAM_UUID_LEN])
{
    uint32_t  n;

    memcpy(&n, camera + CAM_UUID_LEN - sizeof(n), sizeof(n));

    for (n %= CAM_VIEWERS_PLACES;
         viewers->place[n].sessions
         && memcmp(viewers->place[n].camera, camera, CAM_UUID_LEN) != 0;
         n = (n + 1) % CAM_VIEWERS_PLACES)
    {
        /* void */
    }

    return n;
}


int
cam_viewers_get(const cam_sessions_t *z, uint32_t n, unsigned recent_sec,
    cam_viewer_t *viewer)
{
    uint64_t                    sid;
    const cam_sessions_slot_t  *slot;

    if (n >= z->slots || !cam_viewers_plays(&z->slot[n], recent_sec)) {
        return 0;
    }

    slot = &z->slot[n];
    sid = __atomic_load_n(&slot->sid, __ATOMIC_ACQUIRE);

    memcpy(viewer->camera, slot->camera, CAM_UUID_LEN);
    memcpy(viewer->sid, &sid, sizeof(sid));
    memcpy(viewer->agent, slot->agent, CAM_SESSIONS_AGENT);
    viewer->agent[CAM_SESSIONS_AGENT - 1] = '\0';
    viewer->started = slot->started;

    __atomic_thread_fence(__ATOMIC_ACQUIRE);

    return __atomic_load_n(&slot->sid, __ATOMIC_RELAXED) == sid
           && cam_viewers_plays(slot, recent_sec);
}


static int
cam_viewers_plays(const cam_sessions_slot_t *slot, unsigned recent_sec)
{
    return cam_sessions_seat_kept(slot, recent_sec)
           && slot->purpose != CAM_PURPOSE_RECORDINGS
           && __atomic_load_n(&slot->requests, __ATOMIC_RELAXED);
}
