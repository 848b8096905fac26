/*
 * Copyright (C) The nginx camera platform authors
 */

/* What the master hands to its children. */

#ifndef CW_WORKER_H
#define CW_WORKER_H

#include <signal.h>

#include "blame.h"


typedef struct {
    const char    *shm;
    int            shm_fd;
    int            live_fd;          /* shm/live */
    int            rings_fd;         /* shm/rings */
    int            lock_fd;          /* shm/live/.worker, of the master */
    int            children;         /* of the package role */
    int            no_probe;
    int            probe_only;
    cw_blame_t    *blame;
} cw_worker_t;


/* set by SIGTERM, SIGINT and SIGQUIT */
extern volatile sig_atomic_t  cw_quit;


/* runs until it is told to stop; answers the exit status */
int cw_master_run(cw_worker_t *worker);

/* the package role; serves the slots with slot % children == child */
int cw_package_run(cw_worker_t *worker, int child);


#endif /* CW_WORKER_H */
