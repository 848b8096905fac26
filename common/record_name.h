/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What the index says of a fragment, once more in the fragment itself: the name
 * that its samples are encrypted under [record_cipher.h], which nothing else
 * could tell when the index is lost.  It is a box "free" at the end of its
 * moof, which every player passes over.  Under an address of the live store a
 * fragment goes out without it, as the live store had none:
 *
 *     "CAMF" | wall_msec 8 | msn 8 | duration_usec 4 | part 2 | flags 2
 *            | live_time 4 | crc32 of these 28 bytes
 *
 * little endian, as in the index.
 */

#ifndef CAM_RECORD_NAME_H
#define CAM_RECORD_NAME_H

#include <stddef.h>
#include <stdint.h>

#include "record_index.h"

#define CAM_RECORD_NAME_SIZE  44


/*
 * Makes room for it: data is one moof and one mdat of size bytes, with
 * CAM_RECORD_NAME_SIZE more behind them.  0, or -1: it is of another form, and
 * as it was.
 */
int cam_record_name_room(uint8_t *data, size_t size);

/*
 * Takes the room away again, and what is in it: the last CAM_RECORD_NAME_SIZE
 * bytes of data are free then.  0, or -1: it has none.
 */
int cam_record_name_remove(uint8_t *data, size_t size);

/* into the room that was made; 0, or -1: there is none */
int cam_record_name_write(uint8_t *data, size_t size,
    const cam_record_fragment_t *f);

/* sets those members of an entry; 0, or -1: the moof has none that is whole */
int cam_record_name_read(const uint8_t *moof, size_t size,
    cam_record_fragment_t *f);


#endif /* CAM_RECORD_NAME_H */
