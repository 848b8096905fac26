/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The snapshot role in two files: snapshot.c has the wishes, the tick and the
 * sandbox, snapshot_camera.c the ring and the files of one camera.
 */

#ifndef CW_SNAPSHOT_H
#define CW_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "exchange.h"
#include "roster.h"
#include "snapshot_file.h"
#include "worker.h"


/* which key frame a file is about */
typedef struct {
    uint64_t               generation;   /* 0: no file that we know of */
    uint64_t               seq;          /* of its record in the ring */
    int64_t                wall_msec;    /* when it came */
} cw_snapshot_frame_t;


typedef struct {
    uint8_t                camera[CAM_UUID_LEN];
    int64_t                retry_msec;   /* nothing to see before */
    cw_snapshot_frame_t    shown[CAM_SNAPSHOT_WIDTHS];
    int64_t                kept_msec[CAM_SNAPSHOT_WIDTHS];
} cw_snapshot_camera_t;


typedef struct {
    cw_worker_t           *worker;
    cw_roster_t            roster;
    cam_wanted_t          *wanted;
    cw_snapshot_camera_t **camera;       /* by slot; NULL: never wanted */
    unsigned               slots;
    unsigned               looked;       /* where the scan stands */
    int64_t                now_msec;
    int64_t                next_msec;    /* of the next look, without news */
    int                    full;         /* tmpfs is, and it was said */

    /* what the sandbox works on */
    cw_snapshot_camera_t  *job;          /* NULL: nothing of ours */
    cw_snapshot_frame_t    job_frame;
    unsigned               job_widths;
} cw_snapshot_t;


/* what is to be done about a camera */
typedef enum {
    CW_SNAPSHOT_NOTHING = 0,             /* it sends no pictures at present */
    CW_SNAPSHOT_DECODE,                  /* the job is in the exchange */
    CW_SNAPSHOT_UNUSABLE                 /* nobody need try to decode that */
} cw_snapshot_rc_e;


/* the camera's newest key frame and its configuration, into the exchange */
cw_snapshot_rc_e cw_snapshot_read(cw_snapshot_t *s, cw_snapshot_camera_t *c,
    cw_snapshot_frame_t *frame);

/* 1 when the file is about that frame, and is known to be so once more */
int cw_snapshot_keep(cw_snapshot_t *s, cw_snapshot_camera_t *c, unsigned n,
    const cw_snapshot_frame_t *frame);

/* puts a picture, or the byte that says why there is none, into its file */
void cw_snapshot_write(cw_snapshot_t *s, cw_snapshot_camera_t *c, unsigned n,
    const cw_snapshot_frame_t *frame, const uint8_t *data, size_t size);


#endif /* CW_SNAPSHOT_H */
