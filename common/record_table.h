/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What shall be recorded, and what is: one file of fixed size, live/.records,
 * written by camera-worker and read by nginx.  Each camera has a slot with two
 * halves, the wish, written by the jobs role alone, and the state, written by
 * the record child that has the camera.  Volumes stand in front.
 *
 * Either half has two images and a count of writes whose lowest bit names the
 * good one: a writer that dies leaves the last good image.  The file outlives
 * camera-worker, so recording goes on by the last wishes, whatever is down.
 */

#ifndef CAM_RECORD_TABLE_H
#define CAM_RECORD_TABLE_H

#include <stdint.h>

#include "uuid.h"

#define CAM_RECORD_SLOTS        4096
#define CAM_RECORD_VOLUMES      8
#define CAM_RECORD_BEAT_MSEC    5000    /* a volume without one is not used */


typedef enum {
    CAM_RECORD_OFF = 0,                 /* why_not of a wish */
    CAM_RECORD_SCHEDULE
} cam_record_why_e;


typedef struct {
    uint32_t    want;
    uint16_t    why_not;                /* cam_record_why_e */
    uint16_t    encrypt;                /* or do not record */
    int64_t     from_msec;              /* record what the store has since this
                                           wall time; 0 = from now */
    int64_t     until_msec;             /* 0 = no end */
} cam_record_wish_t;


typedef enum {
    CAM_RECORD_IDLE = 0,
    CAM_RECORD_RECORDING,
    CAM_RECORD_WAITING,                 /* for the camera */
    CAM_RECORD_NO_SPACE,
    CAM_RECORD_DISK_ERROR,
    CAM_RECORD_NO_KEY                   /* to encrypt with, which is wished */
} cam_record_state_e;


typedef struct {
    uint32_t    volume;                 /* its place in the table */
    uint32_t    state;                  /* cam_record_state_e */
    uint64_t    msn;                    /* where it goes on in the store: */
    uint32_t    part;                   /* all before that was taken */
    uint32_t    reserved;
    uint8_t     recording[CAM_UUID_LEN];    /* the open one, or zeros */
    int64_t     start_msec;
    int64_t     end_msec;
    uint64_t    bytes;
    uint64_t    fragments;
} cam_record_state_t;


typedef enum {
    CAM_RECORD_VOLUME_ABSENT = 0,
    CAM_RECORD_VOLUME_OK,
    CAM_RECORD_VOLUME_LOW,              /* the oldest recordings are removed */
    CAM_RECORD_VOLUME_FULL,             /* and there is nothing to remove */
    CAM_RECORD_VOLUME_ERROR,
    CAM_RECORD_VOLUME_AWAY              /* not mounted, or another one is */
} cam_record_volume_e;


typedef struct {
    uint8_t     uuid[CAM_UUID_LEN];
    uint32_t    state;                  /* cam_record_volume_e */
    uint32_t    reserved;
    uint64_t    path;                   /* a hash of its directory's name */
    uint64_t    bytes_total;
    uint64_t    bytes_free;
    int64_t     beat_msec;              /* monotonic */
} cam_record_volume_t;


typedef struct cam_record_table_s  cam_record_table_t;


/* for writing: a file that is absent or of another layout is made anew; shm is
   the directory that "live" is in.  NULL with errno */
cam_record_table_t *cam_record_table_open(const char *shm);

/* for reading; livefd is shm/live.  NULL with errno, EPROTO: no such file */
cam_record_table_t *cam_record_table_reader_open(int livefd);

/* 1 when the file is not the current one any more */
int cam_record_table_stale(const cam_record_table_t *t, int livefd);

void cam_record_table_close(cam_record_table_t *t);

/* the jobs role's; a camera unknown gets a slot.  0, or -1 ENOSPC */
int cam_record_wish_set(cam_record_table_t *t, const uint8_t *camera,
    const cam_record_wish_t *wish);

/* 0, or -1: ENOENT nobody ever wished, EAGAIN try later */
int cam_record_wish_get(const cam_record_table_t *t, const uint8_t *camera,
    cam_record_wish_t *wish);

/* the camera of a slot below CAM_RECORD_SLOTS and its wish; 1, or 0: none, or
   one that cannot be read now */
int cam_record_wish_at(const cam_record_table_t *t, uint32_t slot,
    uint8_t *camera, cam_record_wish_t *wish);

/* the record role's; -1 as above */
int cam_record_state_set(cam_record_table_t *t, const uint8_t *camera,
    const cam_record_state_t *state);
int cam_record_state_get(const cam_record_table_t *t, const uint8_t *camera,
    cam_record_state_t *state);

/* n below CAM_RECORD_VOLUMES, in the order of --record */
void cam_record_volume_set(cam_record_table_t *t, unsigned n,
    const cam_record_volume_t *volume);
void cam_record_volume_get(const cam_record_table_t *t, unsigned n,
    cam_record_volume_t *volume);

/* the hash in "path" */
uint64_t cam_record_volume_hash(const char *path);

/*
 * Where a camera is recorded now: the highest rank among the volumes that beat
 * and have room, else among those that beat, for the account of what is lost.
 * A volume's number, or -1.
 */
int cam_record_volume_of(const cam_record_table_t *t, const uint8_t *camera,
    int64_t now_msec);


#endif /* CAM_RECORD_TABLE_H */
