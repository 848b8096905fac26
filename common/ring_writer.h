/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What a writer of a ring is, for the two files that are its code: the life
 * of the file in ring_writer.c, its records in ring_write.c.
 *
 * What the writer needs of the header it keeps in its own memory: the file is
 * only ever written to.
 */

#ifndef CAM_RING_WRITER_H
#define CAM_RING_WRITER_H

#include "ring_format.h"


struct cam_ring_writer_s {
    cam_ring_header_t  *header;
    uint8_t            *records;
    int                 fd;
    int                 dirfd;       /* the caller's */
    uint32_t            capacity;
    uint64_t            generation;
    uint64_t            head;        /* position of the next record */
    uint64_t            tail;
    uint64_t            seq;         /* of the next record */
    uint64_t            key;         /* of the newest key frame, or NONE */
    uint64_t            frames[CAM_TRACKS];
    uint64_t            bytes;
};


/* one record that is known to fit; size is that of iov */
void cam_ring_append(cam_ring_writer_t *w, const cam_frame_t *frame,
    const struct iovec *iov, int n, uint32_t size);


#endif /* CAM_RING_WRITER_H */
