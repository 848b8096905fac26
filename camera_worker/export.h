/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * An export: a range of one camera out of its recordings, as one MP4 that any
 * player opens at once, and a signed manifest.
 *
 * Frames are copied, never decoded.  A job goes twice over its fragments: first
 * over their heads, for the tables that stand in front [export_plan,
 * export_table, export_moov], then over their bytes [export_write].  What it
 * holds in memory is those tables, some bytes for each frame.
 *
 * Times that were not recorded are left out, and named by the manifest.  What
 * another configuration of the encoder made is described by a sample entry of
 * its own, beside the others of its track.
 */

#ifndef CW_EXPORT_H
#define CW_EXPORT_H

#include <jansson.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "db.h"
#include "keys.h"
#include "record_cipher.h"
#include "record_index.h"
#include "record_media.h"
#include "record_path.h"
#include "worker.h"

#define CW_EXPORT_TEXT       160
#define CW_EXPORT_ID         (CAM_UUID_TEXT + 1)
#define CW_EXPORT_TABLES     (128u << 20)     /* bytes of a job's tables */
#define CW_EXPORT_ENTRIES    32               /* sample entries of a track */
#define CW_EXPORT_NAME_MAX   80               /* below a volume */


typedef struct {
    uint8_t                *data;
    size_t                  size;
    size_t                  cap;
} cw_export_buf_t;


/* numbers of a table, as many as a job has memory for */
typedef struct {
    uint32_t               *v;
    size_t                  n;
    size_t                  cap;
} cw_export_list_t;


/* one track of the new file */
typedef struct {
    int                     there;
    uint32_t                scale;
    uint64_t                end;          /* of its last sample */
    uint64_t                delay;        /* before its first */
    uint32_t                samples;
    uint32_t                last;         /* duration of the last sample */
    int                     all_sync;
    int                     all_plain;    /* no sample is shown out of order */
    cw_export_list_t        size;
    cw_export_list_t        stts;         /* count, duration */
    cw_export_list_t        ctts;         /* count, offset */
    cw_export_list_t        stss;
    cw_export_list_t        chunk;        /* offset, low and high; samples;
                                             description */
    uint64_t                next;         /* after the last, in the media */
    int                     description;  /* of what is added now */
    int                     entries;
    cw_export_buf_t         entry;        /* all of them */
    size_t                  entry_at[CW_EXPORT_ENTRIES + 1];
    cw_export_buf_t         hdlr;         /* boxes of the first recording */
    cw_export_buf_t         media_head;
    cw_export_buf_t         dinf;
} cw_export_track_t;


/* what is taken of one recording */
typedef struct {
    int                     volume;
    int64_t                 start_msec;   /* which its name says */
    uint32_t                first;        /* fragment */
    uint32_t                count;
    int64_t                 from_msec;
    int64_t                 to_msec;
    int64_t                 time_usec;    /* in the new file */
    cam_record_head_t       head;
} cw_export_piece_t;


typedef struct {
    const char             *path;
    int                     fd;           /* -1: cannot be used now */
    uint8_t                 uuid[CAM_UUID_LEN];
    char                    text[CW_EXPORT_ID];
} cw_export_volume_t;


typedef struct {
    char                    id[CW_EXPORT_ID];
    char                    tenant[CW_EXPORT_ID];
    char                    camera_text[CW_EXPORT_ID];
    char                    camera_name[512];
    uint8_t                 camera[CAM_UUID_LEN];
    int64_t                 from_msec;
    int64_t                 to_msec;

    cw_export_piece_t      *piece;
    size_t                  pieces;
    json_t                 *gaps;
    json_t                 *damaged;
    cw_export_track_t       track[CAM_RECORD_TRACKS];    /* video, sound */
    int64_t                 base_usec;    /* of the piece, in the new file */
    int64_t                 piece_usec;   /* and in its recording */
    int64_t                 last_msec;    /* wall clock where the last ended */
    uint64_t                media;        /* bytes of samples */
    size_t                  tables;       /* bytes of lists */
    unsigned                width;
    unsigned                height;

    int                     volume;       /* it is written to */
    uint64_t                bytes;
    char                    sha256[65];
    char                    error[CW_EXPORT_TEXT];
} cw_export_job_t;


typedef struct {
    cw_worker_t            *worker;
    int                     child;
    cw_db_t                 db;
    cam_record_table_t     *table;
    cam_keys_t              keys;
    char                    node[256];
    int                     volumes;
    cw_export_volume_t      volume[CAM_RECORD_VOLUMES];
    int64_t                 said_msec;    /* when the row was written last */
    int64_t                 swept_msec;
} cw_export_t;


typedef enum {
    CW_EXPORT_OK = 0,
    CW_EXPORT_FAILED = -1,               /* job->error says why */
    CW_EXPORT_CANCELLED = -2,            /* nobody wants it any more */
    CW_EXPORT_STOPPED = -3,              /* we are told to end */
    CW_EXPORT_AGAIN = -4                 /* a recording went away meanwhile */
} cw_export_rc_e;


/* export.c: a sign of life and, once a second, how far it is, 0 to 1 */
cw_export_rc_e cw_export_alive(cw_export_t *e, cw_export_job_t *job,
    double progress);
cw_export_rc_e cw_export_fail(cw_export_job_t *job, const char *fmt, ...)
    __attribute__ ((format(printf, 2, 3)));

/* export_plan.c: which fragments, and their tables */
cw_export_rc_e cw_export_plan(cw_export_t *e, cw_export_job_t *job);
void cw_export_free(cw_export_job_t *job);
/* a file of a piece, "mp4" or "idx"; -1 with errno */
int cw_export_open(cw_export_t *e, const cw_export_job_t *job,
    const cw_export_piece_t *piece, const char *suffix);
/* its moof, in a buffer that the next call uses again; 0/-1 */
int cw_export_moof(int fd, const cam_record_fragment_t *f,
    const uint8_t **moof, size_t *size);

/* the tracks of its recording; 0/-1 */
int cw_export_tracks(const cw_export_piece_t *piece, int fd,
    cam_record_tracks_t *tracks);

/* export_table.c; begin takes the init of the next piece */
cw_export_rc_e cw_export_table_begin(cw_export_job_t *job, const uint8_t *init,
    size_t size, cam_record_tracks_t *tracks);
cw_export_rc_e cw_export_table_add(cw_export_job_t *job,
    const cam_record_tracks_t *tracks, const uint8_t *moof, size_t size,
    uint32_t fragment_size);
void cw_export_table_free(cw_export_job_t *job);
int cw_export_put(cw_export_buf_t *buf, const void *data, size_t size);

/* export_moov.c: all that stands before the samples; 0/-1: no memory */
int cw_export_head(const cw_export_job_t *job, cw_export_buf_t *head);

/* export_write.c: the file, and its manifest */
cw_export_rc_e cw_export_write(cw_export_t *e, cw_export_job_t *job);
char *cw_export_name(char name[CW_EXPORT_NAME_MAX], const char *id,
    const char *suffix);

/* export_manifest.c */
cw_export_rc_e cw_export_manifest(cw_export_t *e, cw_export_job_t *job);
char *cw_export_time(char text[32], int64_t msec);

/* export_sweep.c: removes files whose row is gone or has expired */
void cw_export_sweep(cw_export_t *e);


#endif /* CW_EXPORT_H */
