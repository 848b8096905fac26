/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The registry as a child of camera-worker sees it: nginx makes it, perhaps
 * after us, and may put another in its place.
 */

#ifndef CW_ROSTER_H
#define CW_ROSTER_H

#include <stdint.h>
#include <sys/stat.h>

#include "registry.h"
#include "worker.h"


typedef struct {
    cam_registry_t  *registry;           /* NULL: not there yet */
    unsigned         slots;
    struct stat      stat;
    int64_t          check_msec;
} cw_roster_t;


/* 0, or -1: to be tried again; a cause that is none of time is logged */
int cw_roster_open(cw_roster_t *roster, const cw_worker_t *worker,
    int64_t now_msec);

/* 0 when another registry took its place: said so, and the caller ends */
int cw_roster_is_ours(cw_roster_t *roster, const cw_worker_t *worker,
    int64_t now_msec);

void cw_roster_close(cw_roster_t *roster);


#endif /* CW_ROSTER_H */
