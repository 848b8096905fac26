/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What is open on a volume: recordings that were begun and have not ended, and
 * gaps.  The journal says it, in the order of its lines; of a recording that
 * was begun a moment ago only the table of live/.records knows.
 *
 * All of these are the recorder's.  When it starts it goes on with the last one
 * of each camera and ends the others, so nobody else ends any.  Names say
 * nothing about it: they are times, and the clock may have been set.
 */

#ifndef CAM_RECORD_OPEN_H
#define CAM_RECORD_OPEN_H

#include <stddef.h>
#include <stdint.h>

#include "record_index.h"
#include "record_path.h"
#include "record_table.h"

#define CAM_RECORD_CAUSE_MAX  16


typedef struct {
    uint8_t     recording[CAM_UUID_LEN];
    uint8_t     camera[CAM_UUID_LEN];
    int64_t     start_msec;
    char        path[CAM_RECORD_PATH_MAX];      /* of its media */
    char        kid[CAM_KID_MAX];               /* "": it is plain, or told so
                                                   by an older release */
    uint8_t     wrapped[CAM_RECORD_WRAPPED];
    int         ended;
    int         announced;                      /* the journal has it */
    uint64_t    order;                          /* of those of a camera */
} cam_record_open_t;


typedef struct {
    uint8_t     camera[CAM_UUID_LEN];
    int64_t     start_msec;                     /* 0: it has ended */
    char        cause[CAM_RECORD_CAUSE_MAX];
} cam_record_open_gap_t;


typedef struct {
    cam_record_open_t      *file;
    size_t                  files;
    size_t                  file_cap;
    cam_record_open_gap_t  *gap;
    size_t                  gaps;
    size_t                  gap_cap;
    uint64_t                order;
} cam_record_opens_t;


/* what the newest files of the journal say; a volume without any is no error.
   0, or -1 with errno */
int cam_record_open_journal(cam_record_opens_t *opens, int volumefd);

/* what the table says of volume n beside that; 0, or -1: no memory */
int cam_record_open_table(cam_record_opens_t *opens,
    const cam_record_table_t *table, unsigned n);

/* those that are open, the last one first */
void cam_record_open_sort(cam_record_opens_t *opens);

/* the one whose media have that path, NULL when it is not open */
const cam_record_open_t *cam_record_open_find(const cam_record_opens_t *opens,
    const char *path);

/* the newest one whose media have that path and whose key is told, whether it
   is open or not, as long as they are not sorted; NULL: none */
const cam_record_open_t *cam_record_open_sealed(
    const cam_record_opens_t *opens, const char *path);

void cam_record_open_free(cam_record_opens_t *opens);


#endif /* CAM_RECORD_OPEN_H */
