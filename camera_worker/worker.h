/*
 * Copyright (C) The nginx camera platform authors
 */

/* What the master hands to its children. */

#ifndef CW_WORKER_H
#define CW_WORKER_H

#include <signal.h>

#include "blame.h"
#include "exchange.h"
#include "record_table.h"

#define CW_RECORD_SEC        3600        /* length of a recording */
#define CW_RECORD_PERCENT    5           /* kept free on a volume */
#define CW_RECORD_FLOOR      2           /* and whatever is said, so much */


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
    const char    *record[CAM_RECORD_VOLUMES];   /* volumes */
    int            records;
    int            record_sec;       /* length of a recording */
    int            reserve_percent;  /* kept free on each volume, */
    uint64_t       reserve_bytes;    /* or this when it is not 0 */
    const char    *database;         /* file with a connection string, or
                                        NULL: the roles jobs and export */
    const char    *keys;             /* file that signs manifests, or NULL:
                                        nothing is exported or encrypted */
    cw_blame_t    *blame;            /* of the package role */
    cw_blame_t    *picture_blame;    /* of the roles snapshot and sandbox */
    cw_blame_t    *quiet_blame;      /* of those that blame no camera */
    cw_exchange_t *exchange;         /* between these two */
} cw_worker_t;


/* set by SIGTERM, SIGINT and SIGQUIT */
extern volatile sig_atomic_t  cw_quit;


/* runs until it is told to stop; answers the exit status */
int cw_master_run(cw_worker_t *worker);

/*
 * The roles; master.c lists them.  child is the child's place in the blame of
 * its role, where it gives signs of life.  The package role serves the slots
 * with slot % children == child, the record role has a child for each volume,
 * whose number it is, the others have one each.
 */
int cw_package_run(cw_worker_t *worker, int child);
int cw_snapshot_run(cw_worker_t *worker, int child);
int cw_sandbox_run(cw_worker_t *worker, int child);
int cw_record_run(cw_worker_t *worker, int child);
int cw_jobs_run(cw_worker_t *worker, int child);
int cw_export_run(cw_worker_t *worker, int child);

/* places in picture_blame */
#define CW_SNAPSHOT_CHILD    0
#define CW_SANDBOX_CHILD     1

/* places in quiet_blame, after those of the volumes */
#define CW_JOBS_CHILD        CAM_RECORD_VOLUMES
#define CW_EXPORT_CHILD      (CAM_RECORD_VOLUMES + 1)


#endif /* CW_WORKER_H */
