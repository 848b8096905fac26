/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Wishes: one file of fixed slots, shm/wanted, as many as the registry has.
 * Each slot holds, for each thing that camera-worker makes only while somebody
 * wants it, until when it is wanted.  Any nginx worker pushes that forward
 * while it has viewers; camera-worker looks on and stops by expiry, so nothing
 * is left to clean up after a crash.
 *
 * A wish names a slot, not a camera: who reads it asks the registry whose slot
 * that is at the moment.
 */

#ifndef CAM_WANTED_H
#define CAM_WANTED_H

#include <stdint.h>

#define CAM_WANTED_MAX_MSEC  10000    /* longest wish; further is nonsense */


/* what may be wanted; the numbers are part of the file */
typedef enum {
    CAM_WANTED_SOURCE = 0,            /* that a camera is called, not served */
    CAM_WANTED_OPUS,
    CAM_WANTED_1080,
    CAM_WANTED_720,
    CAM_WANTED_480,
    CAM_WANTED_360,
    CAM_WANTED_PREVIEW_160,           /* JPEG of that width */
    CAM_WANTED_PREVIEW_320,
    CAM_WANTED_PREVIEW_640,
    CAM_WANTED_PREVIEW_1280,
    CAM_WANTED_KINDS
} cam_wanted_e;

typedef struct cam_wanted_s  cam_wanted_t;


/*
 * The writers' side: maps shm/wanted, creating it when it is absent or of
 * another size; NULL with errno.
 */
cam_wanted_t *cam_wanted_open(const char *shm, uint32_t slots);

/* wanted for so long from now on; a longer wish than that stays in force */
void cam_wanted_push(cam_wanted_t *w, uint32_t slot, cam_wanted_e kind,
    int64_t now_msec, unsigned msec);

/* the readers' side, mapped read-only; NULL with errno, EPROTO: no such file */
cam_wanted_t *cam_wanted_reader_open(int shmfd);

/* 1 when the reader's file is not the current one any more */
int cam_wanted_stale(const cam_wanted_t *w, int shmfd);

void cam_wanted_close(cam_wanted_t *w);

uint32_t cam_wanted_slots(const cam_wanted_t *w);

/* 1 while somebody wants that of this slot, or, cheaper to ask, of any */
int cam_wanted_is(const cam_wanted_t *w, uint32_t slot, cam_wanted_e kind,
    int64_t now_msec);
int cam_wanted_any(const cam_wanted_t *w, cam_wanted_e kind,
    int64_t now_msec);

/*
 * Sleeps until something is wanted that was not, at most so long.  news is
 * what cam_wanted_news() answered before the wishes were looked at.
 */
uint32_t cam_wanted_news(const cam_wanted_t *w);
void cam_wanted_wait(const cam_wanted_t *w, uint32_t news, unsigned msec);


#endif /* CAM_WANTED_H */
