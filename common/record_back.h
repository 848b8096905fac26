/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The past of a live playlist that reaches back: recordings up to the seam, the
 * first segment that the list shows out of the live store, and the segments
 * since then that the live store does not have any more.
 *
 * A list is numbered by the live store.  Recorded pieces are the segments that
 * they were made of and are counted backwards from the seam; so the seam, the
 * last piece before it and how many there are, all fixed when a session starts,
 * give each piece the same number for as long as the session lasts.  Whatever
 * is behind the seam keeps its number, URI and times when it is recorded alone:
 * see record_segment.h.
 *
 * Functions that read volumes are for threads.
 */

#ifndef CAM_RECORD_BACK_H
#define CAM_RECORD_BACK_H

#include <stddef.h>
#include <stdint.h>

#include "record_playlist.h"
#include "record_range.h"
#include "record_uri.h"
#include "url_sign.h"
#include "uuid.h"

#define CAM_RECORD_BACK_MAX  65536      /* pieces in a list */


/* one of the live store, as far as it was recorded */
typedef struct {
    uint64_t    msn;
    int64_t     file_msec;
    int64_t     wall_msec;
    uint64_t    offset;
    uint64_t    size;
    uint64_t    live_size;              /* as the live store has it */
    uint32_t    duration_usec;
    uint32_t    init_size;
    unsigned    discontinuity:1;        /* in its file */
    unsigned    breaks:1;               /* in the live store */
    unsigned    open:1;                 /* it may grow */
} cam_record_back_piece_t;


/* what was recorded, in the order of time, and what it is */
typedef struct {
    cam_record_back_piece_t  *piece;
    size_t                    n;
    size_t                    cap;

    uint64_t                  bandwidth;
    uint32_t                  longest_usec;
    uint16_t                  width;
    uint16_t                  height;
    char                      codecs[CAM_RECORD_CODECS];
} cam_record_back_t;


/* one that the live store still has */
typedef struct {
    uint64_t    msn;
    int64_t     wall_msec;
    uint32_t    duration_usec;
    uint32_t    size;
    uint32_t    init;
    uint32_t    init_size;
    unsigned    discontinuity;
} cam_record_back_live_t;


typedef struct {
    const uint8_t                 *camera;
    const cam_mac_t               *macs;
    const cam_url_session_t       *s;
    const cam_url_back_t          *back;
    const cam_record_back_live_t  *live;       /* before the end */
    unsigned                       lives;
    uint64_t                       end;        /* number of the first segment
                                                  that somebody else prints */
} cam_record_back_list_t;


/* 0; -1 with errno: nothing was found, and not all volumes could be read; free
   in any case */
int cam_record_back_read(cam_record_back_t *past, char *const *volume,
    unsigned volumes, const uint8_t camera[CAM_UUID_LEN], int64_t from_msec,
    int64_t to_msec);
void cam_record_back_free(cam_record_back_t *past);

/* fixes last and count, before a seam: what may grow is left to the live store,
   or is behind a gap anyway */
void cam_record_back_settle(const cam_record_back_t *past,
    cam_url_back_t *back);

/* how many are recorded pieces of the list */
size_t cam_record_back_count(const cam_record_back_t *past, uint64_t last);

/* lines of all segments from the first one to the list's end, in memory of
   malloc(); NULL with errno */
char *cam_record_back_text(const cam_record_back_t *past,
    const cam_record_back_list_t *list, size_t *len);

/* what recorded pieces of the list are asked for with */
void cam_record_back_session(const cam_url_session_t *s,
    const cam_url_back_t *back, cam_record_session_t *session);


#endif /* CAM_RECORD_BACK_H */
