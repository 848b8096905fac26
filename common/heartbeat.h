/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The heartbeats of nginx's workers: one file of fixed slots, shm/heartbeats.
 * Each worker beats once a second; camera-worker's master looks on and kills
 * one that stands still, which nginx's own master would never notice.
 */

#ifndef CAM_HEARTBEAT_H
#define CAM_HEARTBEAT_H

#include <stdint.h>
#include <sys/types.h>

#define CAM_HEARTBEAT_SLOTS  128

typedef struct cam_heartbeat_s  cam_heartbeat_t;


/* one worker, as it was read; owner 0 is an empty slot */
typedef struct {
    uint64_t   owner;            /* pid and start, by the two below */
    uint64_t   beat_msec;        /* monotonic, of the last beat */
} cam_heartbeat_slot_t;


/* maps shm/heartbeats, creating it when it is absent; NULL with errno */
cam_heartbeat_t *cam_heartbeat_open(const char *shm);

/* gives the slot back */
void cam_heartbeat_close(cam_heartbeat_t *hb);

/* of this process; takes a slot when it has none.  -1 with errno: ENOSPC when
   there is none left, or /proc could not be read */
int cam_heartbeat_beat(cam_heartbeat_t *hb);

/* all slots, at once and without a mapping; 0, or -1 with errno: EPROTO when
   the file is of another version */
int cam_heartbeat_read(int shmfd,
    cam_heartbeat_slot_t slot[CAM_HEARTBEAT_SLOTS]);

/*
 * A process and the moment it was started: a pid alone may have a new owner by
 * now.  0 when there is no such process any more (ESRCH), or errno says why
 * that is not known.
 */
uint64_t cam_heartbeat_owner(pid_t pid);
pid_t cam_heartbeat_pid(uint64_t owner);


#endif /* CAM_HEARTBEAT_H */
