/*
 * Copyright (C) The nginx camera platform authors
 */

/* What the master hands to its children. */

#ifndef CW_WORKER_H
#define CW_WORKER_H

#include <signal.h>

#include "blame.h"
#include "exchange.h"


typedef struct {
    const char    *shm;
    int            shm_fd;
    int            live_fd;          /* shm/live */
    int            rings_fd;         /* shm/rings */
    int            lock_fd;          /* shm/live/.worker, of the master */
    int            children;         /* of the package role */
    int            no_probe;
    int            probe_only;
    int            no_snapshots;
    cw_blame_t    *blame;            /* of the package role */
    cw_blame_t    *picture_blame;    /* of the roles snapshot and sandbox */
    cw_exchange_t *exchange;         /* between these two */
} cw_worker_t;


/* set by SIGTERM, SIGINT and SIGQUIT */
extern volatile sig_atomic_t  cw_quit;


/* runs until it is told to stop; answers the exit status */
int cw_master_run(cw_worker_t *worker);

/*
 * The roles; child counts those of a role.  The package role serves the slots
 * with slot % children == child, the others have one child each.
 */
int cw_package_run(cw_worker_t *worker, int child);
int cw_snapshot_run(cw_worker_t *worker, int child);
int cw_sandbox_run(cw_worker_t *worker, int child);

/* those children's places in picture_blame */
#define CW_SNAPSHOT_CHILD    0
#define CW_SANDBOX_CHILD     1


#endif /* CW_WORKER_H */
