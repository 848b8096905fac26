/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Whether a finished recording is what it should be: its file, its fragment
 * index and its row say the same, and what they say makes sense.  The bytes of
 * the pictures are not read; camera fsck does that.
 */

#ifndef CW_JOBS_PROBE_H
#define CW_JOBS_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include "uuid.h"


/* what the row says */
typedef struct {
    uint8_t    id[CAM_UUID_LEN];
    uint8_t    camera[CAM_UUID_LEN];
    int64_t    bytes;
    int64_t    usec;
    int64_t    fragments;
} cw_jobs_probe_row_t;


/* descriptors of file and index; 0, or -1 and what is wrong, for people */
int cw_jobs_probe(int mp4, int idx, const cw_jobs_probe_row_t *row, char *err,
    size_t size);


#endif /* CW_JOBS_PROBE_H */
