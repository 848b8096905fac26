/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The fragment index of a recording: beside {name}.mp4 lies {name}.idx, a
 * header of 256 bytes and an entry of 56 for each fragment (moof and mdat) of
 * the file, in its order.  One process appends; anybody reads, also while it
 * does, also after it was killed: a tail that is torn ends the list, and no
 * entry is believed whose checksum is wrong.  Bytes: docs/recording.md.
 *
 * Functions take a descriptor of the index file and use it by pread() and
 * pwrite() alone, so that one descriptor serves many callers.
 */

#ifndef CAM_RECORD_INDEX_H
#define CAM_RECORD_INDEX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "keys.h"
#include "live_index.h"
#include "uuid.h"

#define CAM_RECORD_HEAD_SIZE      256
#define CAM_RECORD_FRAGMENT_SIZE  56
#define CAM_RECORD_WRAPPED        40

/* cipher of a head, see record_cipher.h; 0: its media are plain */
#define CAM_RECORD_AES_CTR        1

/* flags of a fragment */
#define CAM_RECORD_KEY            1     /* starts with a key frame */
#define CAM_RECORD_DISCONTINUITY  2     /* before it */
#define CAM_RECORD_SEGMENT        4     /* the first part of its segment */
#define CAM_RECORD_BREAK          8     /* a discontinuity of the live store */
#define CAM_RECORD_NAMED          16    /* it says its name, see record_name.h */


typedef struct {
    uint64_t    offset;             /* of its moof, bytes in the file */
    int64_t     wall_msec;          /* of its first frame, Unix ms */
    int64_t     time_usec;          /* its first frame's time in the file */
    uint64_t    msn;                /* the segment of the live store */
    uint32_t    size;               /* moof and mdat */
    uint32_t    duration_usec;
    uint32_t    data_crc;           /* zlib's crc32 of its bytes in the file */
    uint16_t    part;               /* of that segment, from 0 */
    uint16_t    flags;
    uint32_t    live_time;          /* its time in the live store, the lowest
                                       32 bits; 0: not known */
    uint32_t    crc;                /* of the 52 bytes before */
} cam_record_fragment_t;


typedef struct {
    uint8_t     camera[CAM_UUID_LEN];
    uint8_t     recording[CAM_UUID_LEN];
    uint8_t     volume[CAM_UUID_LEN];
    int64_t     start_msec;         /* of the first frame, Unix ms */
    uint32_t    init_size;          /* ftyp and moov, before the fragments */
    uint32_t    segment_sec;        /* length of an hour file, seconds */
    uint16_t    width;
    uint16_t    height;
    uint8_t     has_video;
    uint8_t     has_audio;
    char        codecs[CAM_LIVE_CODECS];
    uint16_t    cipher;             /* how its media are encrypted */
    char        kid[CAM_KID_MAX];   /* the key that wrapped its own */
    uint8_t     wrapped[CAM_RECORD_WRAPPED];
} cam_record_head_t;


/* 0, or -1 with errno */
int cam_record_head_write(int fd, const cam_record_head_t *head);

/* 0, or -1: EPROTO no such file, ENOTSUP one of a later release, EBADMSG
   damaged, or the errno of read() */
int cam_record_head_read(int fd, cam_record_head_t *head);

/*
 * Fragments from number `first` on, at most n: those that are whole, valid and
 * follow each other in the file.  Their count, 0 at the end, or -1.
 */
ssize_t cam_record_fragments(int fd, uint32_t first, cam_record_fragment_t *f,
    size_t n);

/* how many there are, judged by the length of the file and its last entries */
uint32_t cam_record_count(int fd);

/* the last fragment that begins at or before wall_msec, 0 when all are later */
uint32_t cam_record_find(int fd, int64_t wall_msec);

/* sets their crc and writes n of them as number, number + 1, ...; 0/-1 */
int cam_record_append(int fd, uint32_t number, cam_record_fragment_t *f,
    size_t n);

/* live_time of a fragment; and back, the one that is nearest to a time in the
   live store, 0: not known */
uint32_t cam_record_live_time(int64_t usec);
int64_t cam_record_live_usec(uint32_t live_time, int64_t near_usec);

/* zlib's crc32 */
uint32_t cam_record_crc(const void *data, size_t size);


#endif /* CAM_RECORD_INDEX_H */
