/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The byte layout of a ring file, and what the ring_*.c files share.
 * Nobody else includes this, tests excepted; docs/ring.md explains each field
 * and the protocol between the writer and its readers.
 *
 * Positions are bytes of record space ever used; they only grow, and a
 * record lies at its position modulo the capacity.  Sequence numbers count
 * records.
 */

#ifndef CAM_RING_FORMAT_H
#define CAM_RING_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "ring.h"

#define CAM_RING_MAGIC         0x31474e49524d4143ULL  /* "CAMRING1" */
#define CAM_RING_VERSION       1
#define CAM_RING_HEADER        16384
#define CAM_RING_SIZE_MIN      4096
#define CAM_RING_NONE          UINT64_MAX             /* no key frame */

#define CAM_RING_RECORD        0x43455266U            /* "fREC" */
#define CAM_RING_PAD           0x44415066U            /* "fPAD" */

#define CAM_RING_RECORD_HEAD   40
#define CAM_RING_RECORD_TAIL   8

/* {camera}.{generation}.link with its NUL */
#define CAM_RING_NAME          (CAM_UUID_TEXT + 1 + 20 + 5 + 1)

#define cam_ring_align(n)      (((uint64_t) (n) + 7) & ~(uint64_t) 7)

#define cam_ring_record_size(n)                                               \
    (CAM_RING_RECORD_HEAD + cam_ring_align(n) + CAM_RING_RECORD_TAIL)

#define cam_ring_load(p)       __atomic_load_n(p, __ATOMIC_RELAXED)
#define cam_ring_store(p, v)   __atomic_store_n(p, v, __ATOMIC_RELAXED)


/* the configuration of one track, under its own sequence lock */
typedef struct {
    uint64_t    lock;                /* odd while it is being written */
    uint64_t    seq;                 /* of the first record it is valid for */
    uint64_t    size;                /* 0 = none yet */
    uint64_t    reserved[5];
    uint64_t    data[CAM_RING_CONFIG_MAX / 8];
} cam_ring_config_t;


typedef struct {
    /* written before the file becomes visible, never changed */
    uint64_t    magic;
    uint32_t    version;
    uint32_t    header_size;
    uint32_t    capacity;
    uint32_t    writer_pid;
    uint8_t     camera[CAM_UUID_LEN];
    uint64_t    generation;
    uint64_t    continues;           /* generation this one grew out of */
    uint8_t     holder[16];
    int64_t     started_msec;
    int64_t     takeover_msec[4];
    char        addr[48];
    uint64_t    reserved0[12];

    /* written with each record, by single relaxed or release stores */
    uint64_t    tail;                /* positions below are overwritten */
    uint64_t    head_seq;            /* records written: what publishes */
    uint64_t    head_pos[2];         /* of record head_seq, by head_seq & 1 */
    uint64_t    key_pos;             /* of the newest key frame, or NONE */
    uint64_t    closed;
    int64_t     last_media_msec;
    uint64_t    frames[CAM_TRACKS];
    uint64_t    bytes;
    uint64_t    reserved1[470];

    cam_ring_config_t  config[CAM_TRACKS];
} cam_ring_header_t;


_Static_assert(offsetof(cam_ring_header_t, tail) == 256, "ring layout");
_Static_assert(offsetof(cam_ring_header_t, config) == 4096, "ring layout");
_Static_assert(sizeof(cam_ring_header_t) <= CAM_RING_HEADER, "ring layout");


/* ring_link.c: names in rings/ */

/* "{camera}", or "{camera}.{generation}" when generation is not 0 */
char *cam_ring_name(char name[CAM_RING_NAME],
    const uint8_t camera[CAM_UUID_LEN], uint64_t generation);

/* the generation that the camera's link names; 0 and errno when there is
   none (ENOENT) or it is not one of ours (EBADMSG) */
uint64_t cam_ring_link_read(int dirfd, const uint8_t camera[CAM_UUID_LEN]);

/* 0, or -1 with errno; ESTALE: the camera has a newer generation */
int cam_ring_link_set(int dirfd, const uint8_t camera[CAM_UUID_LEN],
    uint64_t generation);

/* removes the camera's link when it names generation */
void cam_ring_link_remove(int dirfd, const uint8_t camera[CAM_UUID_LEN],
    uint64_t generation);


/* ring_reader.c: a reader over a file already mapped; with fd < 0 the mapping
   is the caller's and its writer counts as alive */
int cam_ring_reader_attach(cam_ring_reader_t **rp, const void *map,
    size_t size, int fd);


#endif /* CAM_RING_FORMAT_H */
