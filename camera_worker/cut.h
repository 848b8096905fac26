/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Where parts and segments end.  Pure arithmetic over the frames of the
 * leading track (video, or audio when there is no video), in microseconds.
 *
 * Segments last about the target and start with key frames where the camera
 * sends them that often; a longer group of pictures is cut at the target, so
 * that a segment's duration, rounded to the second, never exceeds it.  Parts
 * last at most half a second, or two frames when frames are further apart.
 */

#ifndef CW_CUT_H
#define CW_CUT_H

#include <stdint.h>

#define CW_CUT_NONE      0
#define CW_CUT_PART      1
#define CW_CUT_SEGMENT   2       /* and its last part */


typedef struct {
    int64_t     target_usec;     /* of segments; the caller may raise it */
    int64_t     segment_usec;    /* so far */
    int64_t     part_usec;
    uint32_t    part_frames;
    uint32_t    segment_frames;
    int64_t     gop_usec;        /* between the last two key frames; 0: not
                                    known yet */
    int64_t     since_key_usec;
} cw_cut_t;


void cw_cut_init(cw_cut_t *cut, int64_t target_usec);

/* before a frame of known duration is added */
int cw_cut_before(const cw_cut_t *cut, int64_t duration_usec);

void cw_cut_add(cw_cut_t *cut, int64_t duration_usec, int key);

/* after it, when all that is known of the next one is whether it is a key
   frame: what is whole is published now, not a frame later */
int cw_cut_after(const cw_cut_t *cut, int64_t duration_usec, int next_key);

/* what was decided has been done */
void cw_cut_done(cw_cut_t *cut, int what);

/* longest duration that still rounds to the target */
int64_t cw_cut_limit(const cw_cut_t *cut);


#endif /* CW_CUT_H */
