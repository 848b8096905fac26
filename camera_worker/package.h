/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The package role in two files: package.c has the registry and the tick,
 * package_camera.c one camera of it.
 */

#ifndef CW_PACKAGE_H
#define CW_PACKAGE_H

#include <stddef.h>
#include <stdint.h>

#include "ring.h"
#include "roster.h"
#include "stream.h"
#include "worker.h"

#define CW_PACKAGE_TICK_MSEC     20


typedef struct {
    uint8_t              camera[CAM_UUID_LEN];
    uint64_t             done;          /* generation that is over for us */
    uint64_t             shut;          /* generation shown as quarantined */
    cam_ring_reader_t   *ring;
    cw_stream_t         *stream;
    int64_t              read_msec;     /* of the last frame */
    int64_t              left_msec;
    int64_t              retry_msec;
    int                  said;          /* why the store cannot be opened */
} cw_package_camera_t;


typedef struct {
    cw_worker_t         *worker;
    int                  child;
    cw_roster_t          roster;
    cw_package_camera_t **slot;         /* by slot / children */
    unsigned             slots;
    unsigned             looked;        /* slots, where the scan stands */
    uint8_t             *buf;
    size_t               cap;
    int64_t              now_msec;
    int64_t              sweep_msec;
    int64_t              swept_msec;
    uint64_t             swept_changes; /* of the registry, by the last one */
} cw_package_t;


/* 1 while this publication is not to be touched; says so once */
int cw_package_is_shut(cw_package_t *p, cw_package_camera_t *c,
    uint64_t generation);

/* a publication has begun, its ring may be there */
void cw_package_join(cw_package_t *p, cw_package_camera_t *c);

/* reads its ring to the head */
void cw_package_read(cw_package_t *p, unsigned i);

/* between these a crash is put down to this camera */
void cw_package_work(cw_package_t *p, const cw_package_camera_t *c);
void cw_package_rest(cw_package_t *p);


#endif /* CW_PACKAGE_H */
