/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The table of playback sessions: one file of fixed slots, shm/sessions,
 * mapped by every nginx worker of every generation.  It counts how many
 * sessions play behind one start token, ends idle ones, and knows who watches,
 * which play_viewers.h reads.
 *
 * The table is no authority: what a session may do is signed into its URIs.
 * When the file is lost, sessions that are older than the new file go on.
 */

#ifndef CAM_PLAY_SESSIONS_H
#define CAM_PLAY_SESSIONS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "url_sign.h"

#define CAM_SESSIONS_SLOTS     16384    /* 5 MiB */

#define CAM_SESSIONS_AGENT     184      /* a viewer's user agent, with a NUL */

#define CAM_SESSIONS_OK        0
#define CAM_SESSIONS_LIMIT     1        /* the token's sessions all play */
#define CAM_SESSIONS_FULL      2        /* no room near the token's place */
#define CAM_SESSIONS_ENDED     3
#define CAM_SESSIONS_VIEWERS   4        /* the tenant's quota of sessions */
#define CAM_SESSIONS_EGRESS    5        /* that of what is sent to them */

typedef struct cam_sessions_s  cam_sessions_t;


/* who starts a session, of what, and what the tenant's quotas are */
typedef struct {
    const uint8_t          *jti;         /* 16 bytes: of the start token */
    const uint8_t          *camera;      /* UUIDs */
    const uint8_t          *tenant;      /* NULL: not known, and no quotas */
    const struct sockaddr  *addr;        /* NULL: none */
    const char             *agent;       /* as the client says, of any length */
    size_t                  agent_len;
    unsigned                limit;       /* sessions of the token */
    unsigned                max_viewers; /* 0: any number, likewise below */
    unsigned                max_egress_kbps;
} cam_sessions_start_t;


/* what a tenant's viewers use */
typedef struct {
    unsigned                viewers;
    uint64_t                egress_kbps; /* over the last 10 s that are over */
} cam_sessions_use_t;


/* maps shm/sessions, creating it when it is absent; NULL with errno */
cam_sessions_t *cam_sessions_open(const char *shm, uint32_t slots);
void cam_sessions_close(cam_sessions_t *z);

/*
 * Takes one of the token's limit places for a session that is not signed yet:
 * fills sid and slot, and keeps its purpose.  Answers CAM_SESSIONS_OK, _LIMIT,
 * _FULL, _VIEWERS or _EGRESS, or -1 with errno (no random bytes).
 */
int cam_sessions_start(cam_sessions_t *z, const cam_sessions_start_t *start,
    unsigned idle_sec, cam_url_session_t *s);

/* of this node; reads the whole table */
void cam_sessions_use(const cam_sessions_t *z,
    const uint8_t tenant[CAM_UUID_LEN], unsigned idle_sec,
    cam_sessions_use_t *use);

/* at each request of a session; CAM_SESSIONS_OK or _ENDED */
int cam_sessions_touch(cam_sessions_t *z, const cam_url_session_t *s,
    unsigned idle_sec);

/* what was sent to it */
void cam_sessions_sent(cam_sessions_t *z, const cam_url_session_t *s,
    uint64_t bytes);


#endif /* CAM_PLAY_SESSIONS_H */
