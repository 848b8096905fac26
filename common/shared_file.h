/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A shared file of one fixed size that every writer may make: tables whose
 * loss costs little, such as shm/sessions and shm/heartbeats.
 */

#ifndef CAM_SHARED_FILE_H
#define CAM_SHARED_FILE_H

#include <stddef.h>


typedef struct {
    const void   *header;        /* of a new file; zeros follow it */
    size_t        header_len;
    size_t        known_len;     /* what of it tells a file that is of use */
    size_t        size;
} cam_shared_file_t;


/*
 * Maps dir/name for writing, whole.  One that is absent is made, one of another
 * size or layout is replaced: who has that mapped keeps it.  NULL with errno.
 */
void *cam_shared_file_map(const char *dir, const char *name,
    const cam_shared_file_t *file);


#endif /* CAM_SHARED_FILE_H */
