/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The jobs role, a file for each job.  They share the connection, the table
 * through which recorder and jobs know of each other, and the volumes.  None
 * of them keeps anything that must not be lost: what is to be done stands in
 * the database, in journals and in files, and is looked up again after
 * anything went wrong.
 */

#ifndef CW_JOBS_H
#define CW_JOBS_H

#include <stdint.h>

#include "db.h"
#include "jobs_clock.h"
#include "record_path.h"
#include "record_table.h"
#include "worker.h"

#define CW_JOBS_TIMES     10
#define CW_JOBS_TROUBLES  3
#define CW_JOBS_NUMBER    24          /* longest 64-bit number, and a NUL */
#define CW_JOBS_SHUT      (64 * (CAM_UUID_TEXT + 1) + 4)


/* how far a volume's journal is in the database */
typedef struct {
    unsigned            connects;    /* of the connection that said so */
    char                file[32];    /* "": none yet */
    int64_t             position;
    int64_t             pending;     /* bytes that are not in yet */
    int64_t             torn;        /* those of a line not whole yet */
    int64_t             caught_msec; /* when all was in, last */
    int                 careful;     /* lines that come one by one */
    int                 skip;        /* the next one was refused */
    char                bad[128];    /* what was wrong with the one that this
                                        transaction passes over, or "" */
} cw_jobs_journal_t;


/* one of --record, as it is now */
typedef struct {
    const char         *path;
    int                 fd;          /* -1: not there at present */
    uint8_t             id[CAM_UUID_LEN];
    char                text[CAM_UUID_TEXT + 1];   /* of id; "": never seen */
    cw_jobs_journal_t   journal;
} cw_jobs_volume_t;


typedef struct {
    cw_worker_t        *worker;
    int                 child;
    char                node[65];    /* the host's name */
    cw_db_t             db;
    unsigned            connects;    /* as far as it was noticed */
    cam_record_table_t *table;
    int64_t             now_msec;
    int64_t             started_msec;
    int64_t             due_msec[CW_JOBS_TIMES];

    int                 volumes;
    cw_jobs_volume_t    volume[CAM_RECORD_VOLUMES];

    cw_jobs_clock_t     clock;
    int                 clock_known; /* what was believed before us, too */
    int                 clock_said;  /* -1: not even that it is right */
    int64_t             clock_msec;  /* when it is noted again */

    int64_t             far_msec;    /* of the next far look for the probe */
    unsigned            trouble[CW_JOBS_TROUBLES];   /* bits of volumes */
    char               *keyless;     /* cameras that are told to have no key */
    char                shut[CW_JOBS_SHUT];   /* cameras with an alert, as an
                                                 array of the database */
} cw_jobs_t;


/* a sign of life, for what takes long */
void cw_jobs_alive(cw_jobs_t *j);

/* jobs_volumes.c: looks at each directory; close when the round is over */
void cw_jobs_volumes_open(cw_jobs_t *j);
void cw_jobs_volumes_close(cw_jobs_t *j);
void cw_jobs_volumes_report(cw_jobs_t *j);
/* whether the record child that has it lives, and can read it */
int cw_jobs_volume_usable(const cam_record_volume_t *state, int64_t now_msec);

/* jobs_wishes.c */
void cw_jobs_wishes(cw_jobs_t *j);

/* jobs_journal.c: 1 when there is more to do at once */
int cw_jobs_journal(cw_jobs_t *j, cw_jobs_volume_t *v);

/* jobs_tasks.c */
void cw_jobs_tasks(cw_jobs_t *j);

/* jobs_retention.c; the time by which age is counted */
void cw_jobs_clock(cw_jobs_t *j);
void cw_jobs_retention(cw_jobs_t *j);
int64_t cw_jobs_retention_now(cw_jobs_t *j);

/* jobs_check.c */
void cw_jobs_check(cw_jobs_t *j);

/* jobs_alerts.c; camera is NULL for what concerns the whole node.  0/-1 */
void cw_jobs_alerts(cw_jobs_t *j);
int cw_jobs_raise(cw_jobs_t *j, const char *camera, const char *type,
    const char *severity, const char *message);
int cw_jobs_calm(cw_jobs_t *j, const char *camera, const char *type);

/* jobs_audit.c: rows of the audit log into its chain; its ends, signed */
void cw_jobs_audit(cw_jobs_t *j);
void cw_jobs_anchors(cw_jobs_t *j);

/* jobs_upkeep.c */
void cw_jobs_upkeep(cw_jobs_t *j);


#endif /* CW_JOBS_H */
