/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The bytes of the live index file, private to live_index*.c: a header and two
 * images of cam_live_index_t.
 *
 * "version" counts publishes and says by its lowest bit which image is the
 * good one; a publish fills the other image and then bumps it.  So a writer
 * that dies at any instruction leaves the last good image behind, for readers
 * and for its own successor.  "begin" is set before an image is touched: a
 * copy of image v is torn only when begin has passed v + 1.
 *
 * Words are copied by relaxed atomics.
 */

#ifndef CAM_LIVE_INDEX_LAYOUT_H
#define CAM_LIVE_INDEX_LAYOUT_H

#include <sys/types.h>

#include "live_index.h"

#define CAM_LIVE_MAGIC     UINT64_C(0x314556494c4d4143)   /* "CAMLIVE1" */
#define CAM_LIVE_LAYOUT    1
#define CAM_LIVE_FILE      "index"

_Static_assert(sizeof(cam_live_index_t) % 8 == 0, "image of whole words");
_Static_assert(offsetof(cam_live_index_t, segment) == 744, "layout 1");


typedef struct {
    uint64_t           magic;
    uint32_t           layout;
    uint32_t           image;              /* bytes of one image */
    uint8_t            camera[CAM_UUID_LEN];
    uint64_t           version;
    uint64_t           begin;
    uint64_t           reserved[2];
} cam_live_header_t;


typedef struct {
    cam_live_header_t  header;
    uint64_t           image[2][sizeof(cam_live_index_t) / 8];
} cam_live_file_t;


struct cam_live_s {
    cam_live_file_t   *file;
    int                dirfd;              /* of the writer, holds its flock */
    uint8_t            camera[CAM_UUID_LEN];
    dev_t              dev;
    ino_t              ino;
    cam_live_index_t   index;              /* of the writer */
};


static inline void
cam_live_copy(uint64_t *dst, const uint64_t *src)
{
    size_t    i;
    uint64_t  word;

    for (i = 0; i < sizeof(cam_live_index_t) / 8; i++) {
        word = __atomic_load_n(&src[i], __ATOMIC_RELAXED);
        __atomic_store_n(&dst[i], word, __ATOMIC_RELAXED);
    }
}


/* maps the file that is there; -1 with errno when it is not one of ours */
int cam_live_map(cam_live_t *live, int dirfd, int write);


#endif /* CAM_LIVE_INDEX_LAYOUT_H */
