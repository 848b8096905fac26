/*
 * Copyright (C) The nginx camera platform authors
 */

/* Kills workers of nginx that hang; nginx's master starts others. */

#ifndef CW_PROBE_H
#define CW_PROBE_H

#include "heartbeat.h"


/* what was seen of one worker */
typedef struct {
    cam_heartbeat_slot_t   last;
    int64_t                since_msec;   /* its beat has not changed since */
} cw_probe_worker_t;


typedef struct {
    int64_t                looked_msec;  /* 0: never */
    int                    failed;       /* was said, until it works again */
    int                    refused;
    cw_probe_worker_t      worker[CAM_HEARTBEAT_SLOTS];
} cw_probe_t;


/* any number of times; looks once a second */
void cw_probe_look(cw_probe_t *probe, int shmfd, int64_t now_msec);

/* nothing but that, until SIGTERM, SIGINT or SIGQUIT; the exit status */
int cw_probe_run(int shmfd);


#endif /* CW_PROBE_H */
