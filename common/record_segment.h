/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A segment of the live store out of a recording, once the store does not have
 * it any more: the same samples, with the times that they had there.  So it may
 * be played among others that still came from the store.
 *
 * For threads.
 */

#ifndef CAM_RECORD_SEGMENT_H
#define CAM_RECORD_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

#include "record_range.h"


/*
 * In memory of malloc(), at most max bytes; NULL with errno, ENOENT: it was not
 * recorded.  The range says when it may have been.
 *
 * An index has the lowest bits of a time alone; near_fd is a segment that the
 * live store still has, of the last two days, -1 when there is none.
 */
uint8_t *cam_record_segment(const cam_record_range_t *range, uint64_t msn,
    int near_fd, size_t max, size_t *size);


#endif /* CAM_RECORD_SEGMENT_H */
