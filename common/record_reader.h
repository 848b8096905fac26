/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Bytes of an encrypted recording as those of a plain one: any range of them,
 * decrypted on the way.  What no entry of the index names is not there: nothing
 * is ever read that was not decrypted.  Functions may wait for a disk, so nginx
 * calls them in threads; one at a time may use a reader.  A file that is
 * encrypted as a whole has no index, and -1 for it.
 */

#ifndef CAM_RECORD_READER_H
#define CAM_RECORD_READER_H

#include <sys/types.h>

#include "record_cipher.h"


typedef struct {
    int                     fd;         /* of the media */
    int                     index_fd;
    uint32_t                init_size;
    cam_record_cipher_t    *cipher;
    uint32_t                number;     /* of the fragment looked at last, */
    uint32_t                moof;       /* and the size of its head, 0: none */
    cam_record_fragment_t   f;
} cam_record_reader_t;


/*
 * Takes both descriptors over, also when it fails.  NULL with errno as of
 * cam_record_cipher_open(); head is that of index_fd.
 */
cam_record_reader_t *cam_record_reader_open(int fd, int index_fd,
    const cam_record_head_t *head, const cam_keys_t *keys);

void cam_record_reader_close(cam_record_reader_t *r);

/* like pread(); -1 with errno, EBADMSG: the file is not what its index says */
ssize_t cam_record_reader_pread(cam_record_reader_t *r, uint8_t *buf, size_t n,
    off_t offset);


#endif /* CAM_RECORD_READER_H */
