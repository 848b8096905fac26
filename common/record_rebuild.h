/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * An index that was lost or damaged, made anew from its media: each fragment
 * says its time, its length and whether it begins with a key frame.  Entries
 * that are whole stay as they are; the wall clock of the others is counted on
 * from the nearest one before, else from the name.  Those of an encrypted
 * recording say their whole entry themselves [record_name.h]: all of them do,
 * or nothing is made.  What a fragment contains is believed: there is nobody
 * else to ask.
 */

#ifndef CAM_RECORD_REBUILD_H
#define CAM_RECORD_REBUILD_H

#include <sys/types.h>

#include "record_index.h"
#include "record_open.h"

#define CAM_RECORD_REBUILD_TEMP  ".index"    /* until it is whole */


typedef struct {
    int                 media_fd;
    off_t               media_size;
    int                 old_fd;         /* the damaged index, or -1 */
    int                 index_fd;       /* the new one, which is empty */
    cam_record_head_t   head;           /* what it is, and its key when it is
                                           encrypted; the init says the rest */
    uint32_t            fragments;      /* of the new one */
} cam_record_rebuild_t;


/* where the key of an encrypted recording may be known */
typedef struct {
    uint8_t             recording[CAM_UUID_LEN];
    char                kid[CAM_KID_MAX];       /* "": not there */
    uint8_t             wrapped[CAM_RECORD_WRAPPED];
} cam_record_sealed_t;


/* 1 when the first fragment of these media is encrypted */
int cam_record_rebuild_sealed(int media_fd);

/*
 * The first of n that is that of the recording of head, into head.  Without the
 * key that wrapped it none can be judged, and is taken as it is.  0; or -1 with
 * errno, ENOENT: none is there, EBADMSG: each of them is refused.
 */
int cam_record_rebuild_key(cam_record_head_t *head, const cam_keys_t *keys,
    const cam_record_sealed_t *sealed, unsigned n);

/*
 * 0; or -1 with errno, EBADMSG: nobody can read these media, ENODATA: they have
 * no fragment, ENOMSG: they are encrypted, and one does not say its name.
 */
int cam_record_rebuild(cam_record_rebuild_t *rebuild);


#endif /* CAM_RECORD_REBUILD_H */
