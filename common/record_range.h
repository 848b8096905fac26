/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What was recorded of a camera in a range of time, over all volumes: for
 * playing it.  Names are looked up anew each time and every function may wait
 * for a disk, so nginx calls them in threads alone.
 *
 * A path on a volume is opened directory by directory without following a
 * link.  A volume that is away, a file without an index and one whose index is
 * damaged are left out, as if nothing had been recorded there.
 */

#ifndef CAM_RECORD_RANGE_H
#define CAM_RECORD_RANGE_H

#include <stddef.h>
#include <stdint.h>

#include "record_index.h"
#include "record_path.h"


typedef struct {
    char *const        *volume;         /* directories */
    unsigned            volumes;
    uint8_t             camera[CAM_UUID_LEN];
    int64_t             from_msec;
    int64_t             to_msec;
    const cam_keys_t   *keys;           /* for samples of encrypted ones */

    /* how fragments are put together: a piece ends before a key frame when it
       is this long, and anywhere before it is longer than the limit */
    uint32_t            piece_usec;
    uint32_t            limit_usec;
    unsigned            by_segment:1;   /* instead: as the live store cut it */
} cam_record_range_t;


/* fragments that lie one behind the other */
typedef struct {
    int64_t             file_msec;      /* start of the file, and its name */
    const cam_record_head_t  *head;     /* of the file */
    uint64_t            offset;
    uint64_t            size;
    uint32_t            names;          /* of these, see record_name.h */
    int64_t             wall_msec;
    uint64_t            duration_usec;
    uint64_t            msn;            /* of its first fragment */
    unsigned            first:1;        /* of its file that is seen */
    unsigned            discontinuity:1;    /* before it, inside of a file */
    unsigned            breaks:1;       /* the live store had one before it */
    unsigned            open:1;         /* it may grow */
} cam_record_piece_t;


/* a part of an index */
typedef struct {
    uint32_t            first;
    uint32_t            n;
    uint32_t            all;            /* of the index when it was looked at */
} cam_record_part_t;


/* a descriptor, or -1 with errno; path is as in record_path.h */
int cam_record_open(char *const *volume, unsigned volumes, const char *path);

/*
 * Calls handler with one piece after the other, in the order of time, until it
 * answers something else than 0.  Answers that, or 0, or -1 with errno: nothing
 * was found, and not all volumes could be read.
 */
int cam_record_walk(const cam_record_range_t *range,
    int (*handler)(void *data, const cam_record_piece_t *piece), void *data);

/*
 * Calls handler with the index of each recording in the range and the volume
 * that it is on, the newest first; answers as above.
 */
int cam_record_each(const cam_record_range_t *range,
    int (*handler)(void *data, int fd, int64_t file_msec,
                   const cam_record_head_t *head, char *const *volume),
    void *data);

/*
 * The fragments of an index that are in the range, from the last key frame at
 * or before its begin: how many, 0 for none.
 */
uint32_t cam_record_select(int fd, int64_t from_msec, int64_t to_msec,
    cam_record_part_t *part);


#endif /* CAM_RECORD_RANGE_H */
