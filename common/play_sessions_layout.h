/*
 * Copyright (C) The nginx camera platform authors
 */

/* The layout of shm/sessions, and its seats; private to play_sessions*.c and
   play_viewers.c. */

#ifndef CAM_PLAY_SESSIONS_LAYOUT_H
#define CAM_PLAY_SESSIONS_LAYOUT_H

#include <string.h>

#include "play_sessions.h"
#include "uuid.h"

#define CAM_SESSIONS_MAGIC  0x32534553    /* "SES2" */


typedef struct {
    uint32_t   magic;
    uint32_t   slots;
    int64_t    created;          /* Unix s */
    uint8_t    unused[112];
} cam_sessions_header_t;


typedef struct {
    uint64_t   seat;             /* 0 = never used, or given back */
    uint64_t   sid;
    uint64_t   bytes;
    uint64_t   requests;
    int64_t    started;          /* Unix s */
    uint8_t    camera[CAM_UUID_LEN];
    uint8_t    jti[16];
    uint8_t    addr[16];
    uint16_t   family;
    uint8_t    purpose;          /* of the session */
    uint8_t    unused[5];
    uint8_t    tenant[CAM_UUID_LEN];
    uint64_t   window;           /* the one that sent is of */
    uint64_t   sent;             /* bytes */
    uint64_t   sent_before;      /* in the window before */
    char       agent[CAM_SESSIONS_AGENT];  /* what the viewer says it is,
                                    NUL-terminated; "": nothing */
} cam_sessions_slot_t;


struct cam_sessions_s {
    cam_sessions_header_t  *header;
    cam_sessions_slot_t    *slot;
    uint32_t                slots;
    size_t                  size;
};


_Static_assert(sizeof(cam_sessions_header_t) == 128, "layout of shm/sessions");
_Static_assert(sizeof(cam_sessions_slot_t) == 320, "layout of shm/sessions");


static inline uint64_t
cam_sessions_word(const uint8_t *p)
{
    uint64_t  word;

    memcpy(&word, p, sizeof(word));

    return word;
}


/* takes one of the limit seats of a token; a slot, or CAM_SESSIONS_LIMIT or
   _FULL, negative */
int cam_sessions_seat_take(cam_sessions_t *z, const uint8_t *jti,
    unsigned limit, unsigned idle_sec);
void cam_sessions_seat_leave(cam_sessions_slot_t *slot);

/* somebody sits there, and does not only claim it */
int cam_sessions_seat_kept(const cam_sessions_slot_t *slot, unsigned idle_sec);

/* it is used now; 0, or -1: it was not for too long */
int cam_sessions_seat_use(cam_sessions_slot_t *slot, unsigned idle_sec);

/* s of the clock of seats, which goes round */
uint64_t cam_sessions_now(void);


#endif /* CAM_PLAY_SESSIONS_LAYOUT_H */
