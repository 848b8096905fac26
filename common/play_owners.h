/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * By whose leave a playback session plays: shm/owners, a table beside
 * shm/sessions with the same slots, and the last thousand whose leave was
 * taken.
 *
 * A user loses what was granted, a session or an API token ends: then what
 * plays by their leave ends with its next request, and start tokens that were
 * made for them until that second start nothing more.  A session of nobody,
 * started by a token of the operator's, is in no table.
 *
 * The table also says until when somebody heard of such news.  Who listens
 * again asks for what was said since, and does it late.
 *
 * When the file is lost, sessions that play go on until they end by themselves.
 */

#ifndef CAM_PLAY_OWNERS_H
#define CAM_PLAY_OWNERS_H

#include <stdint.h>

#include "url_sign.h"
#include "uuid.h"

typedef struct cam_owners_s  cam_owners_t;


/* who was given the start token; the credential is a session or an API token.
   All zero: nobody */
typedef struct {
    uint8_t    user[CAM_UUID_LEN];
    uint8_t    credential[CAM_UUID_LEN];
} cam_owner_t;


/* whose leave was taken, and when (Unix s) */
typedef struct {
    uint8_t    id[CAM_UUID_LEN];
    int64_t    at;
} cam_owners_late_t;


/* maps shm/owners, creating it when it is absent; NULL with errno */
cam_owners_t *cam_owners_open(const char *shm, uint32_t slots);
void cam_owners_close(cam_owners_t *z);

/* 1 when a token that was issued then may start nothing any more */
int cam_owners_gone(const cam_owners_t *z, const cam_owner_t *owner,
    int64_t issued);

/* of a session that was just started by a token that was issued then; look at
   _gone() once more afterwards */
void cam_owners_keep(cam_owners_t *z, const cam_url_session_t *s,
    const cam_owner_t *owner, int64_t issued);

/* 1 when its leave was taken */
int cam_owners_over(const cam_owners_t *z, const cam_url_session_t *s);

/* takes the leave of a user or a credential, at this second (Unix); answers how
   many sessions ended */
unsigned cam_owners_end(cam_owners_t *z, const uint8_t id[CAM_UUID_LEN],
    int64_t now);

/* the same of seconds in the past, sorted by id, each once: what was started by
   a token of later, as far as clocks agree, goes on */
unsigned cam_owners_end_late(cam_owners_t *z, const cam_owners_late_t *late,
    unsigned count, int64_t now);

/* until when the news were heard, Unix s; 0: never */
int64_t cam_owners_heard(const cam_owners_t *z);
void cam_owners_hear(cam_owners_t *z, int64_t now);


#endif /* CAM_PLAY_OWNERS_H */
