/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The media files of one camera and its live index: init files, segments,
 * parts as they become whole, and the window of segments that is kept.
 *
 * Bytes are in a file before the index names them.  A full tmpfs fails a
 * part and never more: what a segment already has stays, the segment is
 * closed, and the caller goes on at the next key frame.
 */

#ifndef CW_STORE_H
#define CW_STORE_H

#include <stdint.h>

#include "live_index.h"
#include "resume.h"


typedef struct {
    cam_live_t        *live;
    cam_live_index_t  *index;
    int                fd;               /* of the open segment, or -1 */
    int                open;             /* a segment has been begun */
    int                full;             /* tmpfs is, and it was said */
    unsigned           resume;           /* which of two is written next */
    uint64_t           lost_parts;
    cam_live_segment_t next;             /* begun, without a part so far */
} cw_store_t;


/* what a part is, beside its bytes */
typedef struct {
    uint32_t           duration_usec;
    uint8_t            independent;
    uint8_t            last;             /* of its segment */
    const cw_resume_t *resume;           /* after it */
} cw_store_part_t;


/* 0, or -1 with errno; also makes whole what a dead packager left */
int cw_store_open(cw_store_t *store, int livefd, const uint8_t *camera);
void cw_store_close(cw_store_t *store);

/* 1 when the one before died, and this is how to go on after what it has */
int cw_store_resume(cw_store_t *store, cw_resume_t *resume);

void cw_store_state(cw_store_t *store, cam_live_state_e state,
    uint32_t warning);

/* a new init file; init->version is set.  0/-1 */
int cw_store_init(cw_store_t *store, cam_live_init_t *init,
    const uint8_t *data, size_t size);

/* what is measured of the version in use: bandwidth, B-frames */
cam_live_init_t *cw_store_current_init(cw_store_t *store);

/* the segment that the next part opens */
void cw_store_begin(cw_store_t *store, int64_t wall_msec, int discontinuity);

/* 0, or -1: not written, and the segment is closed */
int cw_store_part(cw_store_t *store, const cw_store_part_t *part,
    const uint8_t *data, size_t size);

/* closes the segment with the parts it has */
void cw_store_end(cw_store_t *store);

/* what is measured of a publication; shown with the next part */
void cw_store_fps(cw_store_t *store, uint32_t frames, int64_t usec);
void cw_store_dropped(cw_store_t *store, uint64_t frames);

/* 1 when the open segment has no room for a part that is not its last */
int cw_store_parts_full(const cw_store_t *store);

/* shared by store.c and store_init.c: what could not be written is said once,
   and what is kept beyond a playlist given back */
void cw_store_failed(cw_store_t *store, const char *what);
void cw_store_drop_oldest(cw_store_t *store);


#endif /* CW_STORE_H */
