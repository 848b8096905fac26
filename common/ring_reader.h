/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What a reader of a ring is, for the two files that are its code: opening,
 * following and asking in ring_reader.c, joining and reading in ring_read.c.
 */

#ifndef CAM_RING_READER_H
#define CAM_RING_READER_H

#include "ring_format.h"


struct cam_ring_reader_s {
    const cam_ring_header_t  *header;
    const uint8_t            *records;
    size_t                    mapped;       /* 0: the mapping is not ours */
    int                       fd;
    uint32_t                  capacity;
    uint64_t                  generation;
    uint8_t                   camera[CAM_UUID_LEN];
    uint64_t                  pos;          /* of the next record */
    uint64_t                  next;         /* its sequence number */
    int64_t                   probed_msec;
    size_t                    config_size[CAM_TRACKS];
    uint64_t                  config[CAM_TRACKS][CAM_RING_CONFIG_MAX / 8];
};


/* a record's first five words, as loaded */
typedef struct {
    uint64_t                  word[CAM_RING_RECORD_HEAD / 8];
} cam_ring_record_t;


/*
 * Stands at the newest key frame, or at the head, with the configurations
 * that belong there.  AGAIN: the writer was at work each time we looked, or
 * stands still in the middle of a configuration.
 */
int cam_ring_join(cam_ring_reader_t *r);

/* the configurations of where it stands; AGAIN also when one is newer */
int cam_ring_join_configs(cam_ring_reader_t *r);

/*
 * Steps over a pad and loads the head of the record behind it.  What it
 * answers, an error included, counts only when the record was not passed.
 */
int cam_ring_locate(cam_ring_reader_t *r, cam_ring_record_t *record);

/* whether the reader's record has been given up, or is just now */
int cam_ring_passed(const cam_ring_reader_t *r);

/* CAM_RING_ERROR with EBADMSG */
int cam_ring_corrupt(void);


#endif /* CAM_RING_READER_H */
