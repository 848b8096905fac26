/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * One recording that is being written: its media and its index.  Bytes are in
 * the media before the index names them, so a recording is good at every
 * moment up to the last entry, whoever is killed.
 *
 *     made       [cw_record_file_create] nobody knows of it but the disk
 *     announced  [cw_record_settle] durable, and in the journal
 *     closing    [cw_record_file_close] not appended to any more
 *     gone       [cw_record_settle] the journal says how long it is
 */

#ifndef CW_RECORD_FILE_H
#define CW_RECORD_FILE_H

#include <stdint.h>

#include "record_cipher.h"
#include "record_index.h"
#include "record_path.h"
#include "record_tfdt.h"

#define CW_RECORD_INIT_MAX  65536


typedef struct cw_record_file_s  cw_record_file_t;


/* how far it has come */
typedef struct {
    uint64_t             size;
    uint32_t             number;         /* of fragments */
    int64_t              end_msec;
    int64_t              usec;
    uint64_t             msn;
    uint32_t             part;
} cw_record_mark_t;


struct cw_record_file_s {
    cam_record_head_t    head;
    char                 path[CAM_RECORD_PATH_MAX];   /* of the media */
    int                  fd;
    int                  index_fd;
    cam_record_cipher_t *cipher;         /* NULL: it is plain */
    cw_record_tracks_t   tracks;
    uint32_t             init;           /* version of the store, last seen */
    uint64_t             size;
    uint32_t             number;         /* of fragments */
    int64_t              limit_msec;     /* it ends at this wall time */
    int64_t              wall_msec;      /* of its last fragment */
    int64_t              end_msec;       /* wall time of its end so far */
    int64_t              usec;           /* recorded time */
    int                  placed;         /* shift is known */
    int64_t              shift[CW_RECORD_TRACKS];
    int64_t              end[CW_RECORD_TRACKS];   /* ticks */
    uint64_t             msn;            /* of the last fragment */
    uint32_t             part;
    cw_record_mark_t     synced;         /* what is durable */
    uint32_t             epoch;
    int                  announced;
    int                  dirty;
    int64_t              advance_msec;
    const char          *why;            /* it was closed */
    cw_record_file_t    *next;           /* of those closing */
};


/* what a fragment is, beside its bytes */
typedef struct {
    uint64_t             msn;
    uint32_t             part;
    uint32_t             size;
    uint32_t             duration_usec;
    int64_t              wall_msec;
    unsigned             flags;
} cw_record_piece_t;


/*
 * A new recording in the directory volumefd; head says what it is, but for its
 * id, and start_msec is moved when there is one of that name.  With keys it is
 * encrypted.  NULL with errno; nothing is left behind.
 */
cw_record_file_t *cw_record_file_create(int volumefd,
    const cam_record_head_t *head, const uint8_t *init,
    const cam_keys_t *keys);

/*
 * Goes on with one that was never closed, behind its last good fragment; what
 * lies behind that is cut off.  NULL with errno, ENODATA: it has no fragment.
 * One whose key is not there can be closed, and no more.
 */
cw_record_file_t *cw_record_file_reopen(int volumefd, const char *path,
    const cam_keys_t *keys);

/* 1 when it can be appended to */
int cw_record_file_is_writable(const cw_record_file_t *f);

/* 1 when that is the init it has */
int cw_record_file_has_init(const cw_record_file_t *f, const uint8_t *init,
    size_t size);

/*
 * Appends n pieces, whose bytes stand in data one behind the other, with n
 * times CAM_RECORD_NAME_SIZE more behind them, and are changed.  0, or -1 with
 * errno, EPROTO: they are no fragments; the recording is then as it was.
 */
int cw_record_file_append(cw_record_file_t *f, const cw_record_piece_t *piece,
    unsigned n, uint8_t *data);

/* durable up to here */
void cw_record_file_synced(cw_record_file_t *f);

/* the disk failed: what is not durable is cut off, to be taken once more */
void cw_record_file_rewind(cw_record_file_t *f);

/* cuts off what lies behind its last fragment; 0/-1 */
int cw_record_file_cut(cw_record_file_t *f);

void cw_record_file_free(cw_record_file_t *f);


#endif /* CW_RECORD_FILE_H */
