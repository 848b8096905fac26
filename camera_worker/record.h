/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The record role of one volume: what its files have in common.  Reading order
 * and rules are in README.md, what lies on disk in docs/recording.md.
 */

#ifndef CW_RECORD_H
#define CW_RECORD_H

#include <stdint.h>
#include <sys/stat.h>

#include "keys.h"
#include "live_index.h"
#include "record_file.h"
#include "record_index.h"
#include "record_journal.h"
#include "record_open.h"
#include "record_path.h"
#include "record_table.h"
#include "record_wall.h"
#include "worker.h"

#define CW_RECORD_TICK_MSEC     250
#define CW_RECORD_TURN_MSEC     1000    /* each camera once in that time */
#define CW_RECORD_SYNC_MSEC     4000
#define CW_RECORD_ADVANCE_MSEC  60000   /* between two lines about a file */
#define CW_RECORD_RETRY_MSEC    1000    /* after an error of the disk */
#define CW_RECORD_ERROR_MSEC    30000   /* a volume that failed is left alone */
#define CW_RECORD_GAP_MSEC      3000    /* without a fragment: a gap */


typedef struct {
    const char          *path;
    uint64_t             hash;          /* of it */
    int                  fd;            /* of the directory, or -1 */
    int                  lock_fd;
    struct stat          stat;          /* of the directory */
    uint8_t              uuid[CAM_UUID_LEN];
    int                  known;         /* the uuid, since we run */
    cam_record_volume_e  state;
    uint64_t             bytes_total;
    uint64_t             bytes_free;
    int64_t              check_msec;    /* of the next look at its identity */
    int64_t              space_msec;    /* of the next look at its space */
    int64_t              error_msec;    /* until then it counts as failed */
    int64_t              said_msec;     /* why it cannot be used */
} cw_record_volume_t;


/* the oldest recordings, those to be removed next */
typedef struct {
    uint8_t              camera[CAM_UUID_LEN];
    int64_t              start_msec;
} cw_record_old_t;

typedef struct {
    cw_record_old_t     *old;
    unsigned             n;
    unsigned             next;
    int64_t              look_msec;     /* nothing was found: not before */
} cw_record_space_t;


/* of the file that --keys names, as it is now */
typedef struct {
    cam_keys_t           keys;          /* n is 0: none can be used */
    struct stat          stat;          /* of what was read */
    int                  read;
} cw_record_keys_t;


typedef struct {
    int64_t              end_msec;      /* of the last fragment, 0: none */
    int                  open;          /* and a line says so */
    const char          *cause;
    int                  restarted;     /* nothing was recorded since */
    int64_t              taken_msec;    /* a fragment, monotonic; 0: none */
} cw_record_gap_t;


typedef struct {
    uint8_t              camera[CAM_UUID_LEN];
    uint32_t             slot;
    cam_record_wish_t    wish;
    int                  wanted;
    int64_t              done_msec;     /* until_msec of a wish fulfilled */
    int                  placed;        /* msn and part say where it goes on */
    uint64_t             msn;
    uint32_t             part;          /* of it, the next to be taken */
    int                  lost;          /* something is, before that */
    cam_live_t          *live;
    uint64_t             version;
    int64_t              stale_msec;    /* of the next look whether it is */
    int64_t              turn_msec;     /* of its next turn */
    int64_t              retry_msec;    /* not before, after an error */
    int                  seg_fd;        /* of the segment being read, or -1 */
    uint64_t             seg_msn;
    cw_record_wall_t     wall;
    uint32_t             state;         /* cam_record_state_e, in the table */
    cw_record_file_t    *file;          /* NULL: none is open */
    cw_record_gap_t      gap;
} cw_record_camera_t;


typedef struct cw_record_s {
    cw_worker_t         *worker;
    int                  number;        /* of the volume */
    cam_record_table_t  *table;
    cw_record_volume_t   volume;
    cw_record_journal_t  journal;
    cw_record_space_t    space;
    cw_record_keys_t     keys;
    cw_record_file_t    *closing;       /* a list: not yet in the journal */
    int                  opened;        /* files that are not in it either */
    int                  dirty;         /* something was written since */
    int64_t              sync_msec;     /* of the last sync */
    int64_t              now_msec;      /* monotonic */
    cw_record_clock_t    clock;
    int64_t              start_msec;
    int                  ready;         /* the other volumes have spoken */
    int                  storage_full;  /* said so */
    int                  failed;        /* an error of the disk, said so */
    int                  away[CAM_RECORD_VOLUMES];   /* for so many ticks */
    int                  told_away;
    uint8_t             *buffer;        /* of fragments */
    size_t               buffer_size;
    cam_live_index_t     index;         /* of the camera being looked at */
    cw_record_camera_t  *camera[CAM_RECORD_SLOTS];
} cw_record_t;


/* record_camera.c */

/* the camera of a slot, made when there is none; NULL: no memory */
cw_record_camera_t *cw_record_camera(cw_record_t *r, uint32_t slot,
    const uint8_t *camera);
void cw_record_camera_free(cw_record_t *r, cw_record_camera_t *c);

/* appends what the store has; the camera is wanted, and this volume's */
void cw_record_camera_turn(cw_record_t *r, cw_record_camera_t *c);

/* record_take.c */

/* the parts that are new: how many; negative: they cannot be written, or all
   that was wished is there */
int cw_record_take(cw_record_t *r, cw_record_camera_t *c);

/* lets go of the segment that was read last */
void cw_record_take_leave(cw_record_camera_t *c);

/* record_camera_file.c */

/* the wall time of the next part, which is of this segment */
int64_t cw_record_camera_wall(const cw_record_t *r,
    const cw_record_camera_t *c, const cam_live_segment_t *seg);

/* before the first part of a segment: goes on with the file, or begins another
   one; 0, or an errno */
int cw_record_camera_file(cw_record_t *r, cw_record_camera_t *c,
    const cam_live_segment_t *seg, int64_t wall_msec);

/* 1 when its file can hold this segment */
int cw_record_camera_has_init(cw_record_t *r, cw_record_camera_t *c,
    const cam_live_segment_t *seg);

/* ends its file */
void cw_record_camera_close(cw_record_t *r, cw_record_camera_t *c,
    const char *why);

/* closes its file; it is begun anew when it is wanted again */
void cw_record_camera_stop(cw_record_t *r, cw_record_camera_t *c,
    const char *why);

/* closes its file, and another volume may go on where it ended */
void cw_record_camera_leave(cw_record_t *r, cw_record_camera_t *c,
    const char *why);

/* its file failed, and what was not synced goes into another one */
void cw_record_camera_failed(cw_record_t *r, cw_record_camera_t *c);

/* says in the table what it does */
void cw_record_camera_state(cw_record_t *r, cw_record_camera_t *c,
    cam_record_state_e state);

/* record_keys.c */

/* those of the file, NULL: there is none that is any good */
const cam_keys_t *cw_record_keys(cw_record_t *r);

/* and with one that encrypts */
const cam_keys_t *cw_record_keys_signing(cw_record_t *r);

/* record_gap.c */

/* a fragment is taken that begins at wall_msec; late: by our own fault */
void cw_record_gap_end(cw_record_t *r, cw_record_camera_t *c,
    int64_t wall_msec, int late);

/* none could be taken */
void cw_record_gap_look(cw_record_t *r, cw_record_camera_t *c,
    const char *cause);

/* it is not wanted any more */
void cw_record_gap_stop(cw_record_t *r, cw_record_camera_t *c);

/* record_recover.c */

/* takes up what the journal says is open, or closes it */
void cw_record_recover(cw_record_t *r);

/* record_mend.c: makes the index of an open recording anew, from its media and
   the line of the journal; 0, or -1 with errno, ENODATA: there is no fragment,
   ENOKEY or EKEYREJECTED: its key is not known, or altered */
int cw_record_mend(cw_record_t *r, const cam_record_open_t *open);

/* record_settle.c */

/* makes what was written durable, and says so in the journal */
void cw_record_settle(cw_record_t *r, int now);

/* a file that has ended, for why */
void cw_record_closing(cw_record_t *r, cw_record_file_t *f, const char *why);

/* the lines that a new file of the journal begins with */
void cw_record_restate(cw_record_t *r);

/* record_space.c */

/* makes room before there is none; once a second */
void cw_record_space_look(cw_record_t *r);

/* too little is free, or a write was refused: 1 when there is room now, else
   that is said */
int cw_record_space_full(cw_record_t *r, int refused);

/* something could be written */
void cw_record_space_has(cw_record_t *r);
void cw_record_space_forget(cw_record_space_t *space);

/* record_volume.c */

/* 0, or -1: not to be used now; the cause is logged */
int cw_record_volume_open(cw_record_t *r);
void cw_record_volume_close(cw_record_t *r);

/* 1 while the directory is the one that was opened */
int cw_record_volume_is_there(cw_record_t *r);

/* says in the table how it is */
void cw_record_volume_tell(cw_record_t *r);


#endif /* CW_RECORD_H */
