/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * camera fsck: what its files share.
 *
 * Three things are proved of each volume:
 *
 *   1. a row has its file, and the file the size that the row states; one that
 *      is being recorded may have grown since;
 *   2. a file has one row, of a recording or of garbage;
 *   3. index and media tile: each entry begins where the one before ended, and
 *      the last one ends with the file.
 *
 * What does not hold is a finding, and is put right by the file: it is the
 * truth, the row is what is known of it.  Nothing whole is ever cut off.
 */

#ifndef CLI_FSCK_H
#define CLI_FSCK_H

#include <sys/types.h>

#include "db.h"
#include "record_cipher.h"
#include "record_index.h"
#include "record_open.h"
#include "record_path.h"


typedef struct {
    const char  *unit;
    uint64_t     done;
    uint64_t     total;
    int64_t      start_msec;
    int64_t      next_msec;
    int          terminal;
    int          shown;
} cli_progress_t;


typedef struct {
    cli_t           *cli;
    int              dry_run;
    int              deep;
    const cam_keys_t *keys;         /* NULL: they are not there */
    json_t          *findings;
    json_int_t       found;
    json_int_t       repaired;
    json_int_t       files;
    json_int_t       rows;
    json_int_t       pending;       /* wait for the journal */
    json_int_t       damaged;       /* which is known */
    cli_progress_t   progress;
} cli_fsck_t;


typedef struct {
    cli_fsck_t      *fsck;
    const char      *path;
    int              fd;
    int              lock_fd;
    int              busy;          /* a recorder has the lock */
    uint8_t          uuid[CAM_UUID_LEN];
    char             uuid_text[CAM_UUID_TEXT + 1];
    json_t          *garbage;       /* paths, as keys */
    json_t          *pending;       /* ids in lines that nobody applied yet */
    cam_record_opens_t  opens;      /* the recorder's, whether it runs or not */
    int64_t          start_msec;    /* what begins later is none of ours */
} cli_fsck_volume_t;


/* when recordings begin, both ends included; none: to_msec is 0 */
typedef struct {
    int64_t          from_msec;
    int64_t          to_msec;
} cli_fsck_range_t;


typedef struct {
    char             id[CLI_ID_MAX];
    char             state[16];
    char             wrapped_kid[CAM_KID_MAX];
    char             wrapped_key[CAM_RECORD_WRAPPED_TEXT + 1];  /* "": none */
    int64_t          start_msec;
    int64_t          end_msec;
    int64_t          bytes;
    int64_t          usec;
    int64_t          fragments;
    int              locked;
    int              task;          /* its files are about to follow it */
} cli_fsck_row_t;


/* a recording as its files have it */
typedef struct {
    uint8_t               camera[CAM_UUID_LEN];
    char                  camera_text[CAM_UUID_TEXT + 1];
    int64_t               start_msec;
    unsigned              has;
    char                  path[CAM_RECORD_PATH_MAX];
    const cli_fsck_row_t *row;      /* NULL: none */
    int                   open;     /* its recorder may go on with it */

    int                   media_fd;
    int                   index_fd;
    off_t                 media_size;
    off_t                 index_size;
    cam_record_head_t     head;
    char                  id[CAM_UUID_TEXT + 1];
    uint32_t              fragments;
    int64_t               bytes;    /* where the last of them ends */
    int64_t               usec;     /* sum of their durations */
    int64_t               end_msec;
    int64_t               last_msec;    /* where the last of them begins */
    int                   entries;  /* that are damaged, and not the last */
    char                  damage[128];
} cli_fsck_file_t;


/* fsck.c: notes what is wrong with a path; answers whether to repair it */
int cli_fsck_found(cli_fsck_volume_t *v, const char *kind, const char *path,
    const char *fmt, ...) __attribute__ ((format(printf, 4, 5)));
/* 0, or an exit code; rc as of the repair: 0 is counted */
int cli_fsck_repaired(cli_fsck_volume_t *v, int rc);

/* the owner of the volume becomes that of a file which root made */
void cli_fsck_give(cli_fsck_volume_t *v, int fd);

/* fsck_camera.c: one camera of a volume, whose rows begin in that range; 0, or
   an exit code */
int cli_fsck_camera(cli_fsck_volume_t *v, const char *camera,
    cli_fsck_range_t range);

/*
 * fsck_compare.c: of one recording, its files and its row; its media that
 * cannot be read; an index or the mark of a hold without any; a row without
 * files.  0, or an exit code.
 */
int cli_fsck_compare(cli_fsck_volume_t *v, cli_fsck_file_t *f);
int cli_fsck_compare_unreadable(cli_fsck_volume_t *v,
    const cli_fsck_file_t *f);
int cli_fsck_compare_remains(cli_fsck_volume_t *v, const char *camera,
    const cli_fsck_file_t *f);
int cli_fsck_compare_missing(cli_fsck_volume_t *v, const char *camera,
    const cli_fsck_row_t *row);

/*
 * fsck_file.c: opens both files, cuts torn tails, measures.  0; -1: the index
 * cannot be read, for the reason in damage; or an exit code.  Damage in the
 * middle is noted there, too, and the rest measured.
 */
int cli_fsck_file_open(cli_fsck_volume_t *v, cli_fsck_file_t *f);
/* the same, of what is open */
int cli_fsck_file_look(cli_fsck_volume_t *v, cli_fsck_file_t *f);
void cli_fsck_file_close(cli_fsck_file_t *f);

/* fsck_rebuild.c: makes its index from its media, in a dry run in memory alone,
   and opens that; 0, or -1: its media cannot be read either, or are encrypted,
   and damage says what is not known of that */
int cli_fsck_rebuild(cli_fsck_volume_t *v, cli_fsck_file_t *f);

/* fsck_row.c: 0, or an exit code.  Without a range the database would open each
   day that there is. */
int cli_fsck_rows(cli_fsck_volume_t *v, const char *camera,
    cli_fsck_range_t range, cli_fsck_row_t **rows, size_t *n);
/* of all cameras: sets [from, to] in an object */
int cli_fsck_row_ranges(cli_fsck_volume_t *v, json_t *cameras);
int cli_fsck_row_add(cli_fsck_volume_t *v, const cli_fsck_file_t *f);
int cli_fsck_row_measure(cli_fsck_volume_t *v, const cli_fsck_file_t *f,
    const char *state);
int cli_fsck_row_lock(cli_fsck_volume_t *v, const cli_fsck_row_t *row);
/* 1: it is still there and its files ought to be, 0: not, -1: see *rc */
int cli_fsck_row_there(cli_fsck_volume_t *v, const cli_fsck_row_t *row,
    int *rc);
int cli_fsck_row_remove(cli_fsck_volume_t *v, const char *camera,
    const cli_fsck_row_t *row);
int cli_fsck_garbage_add(cli_fsck_volume_t *v, const char *path,
    const char *why);
int cli_fsck_garbage_load(cli_fsck_volume_t *v);
int cli_fsck_volume_row(cli_fsck_volume_t *v);

/* fsck_journal.c: lines that wait for the database, and what they leave open;
   0, or an exit code */
int cli_fsck_journal(cli_fsck_volume_t *v);

/* fsck_export.c: rows of exports and their files; 0, or an exit code */
int cli_fsck_exports(cli_fsck_volume_t *v);

/* fsck_walk.c: counts files and finds those of foreign names */
int cli_fsck_walk(cli_fsck_volume_t *v, json_t *cameras);

/* progress.c: on standard error, when it takes long */
void cli_progress_start(cli_progress_t *p, const char *unit);
void cli_progress(cli_progress_t *p, uint64_t more);
void cli_progress_end(cli_progress_t *p);


#endif /* CLI_FSCK_H */
