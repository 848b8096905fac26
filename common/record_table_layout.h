/*
 * Copyright (C) The nginx camera platform authors
 */

/* The bytes of live/.records, private to record_table*.c. */

#ifndef CAM_RECORD_TABLE_LAYOUT_H
#define CAM_RECORD_TABLE_LAYOUT_H

#include <sys/types.h>

#include "record_table.h"

#define CAM_RECORD_WISH_WORDS     (sizeof(cam_record_wish_t) / 8)
#define CAM_RECORD_STATE_WORDS    (sizeof(cam_record_state_t) / 8)
#define CAM_RECORD_VOLUME_WORDS   (sizeof(cam_record_volume_t) / 8)

#define cam_load(p)               __atomic_load_n(p, __ATOMIC_RELAXED)
#define cam_store(p, v)           __atomic_store_n(p, v, __ATOMIC_RELAXED)


typedef struct {
    uint32_t   magic;
    uint32_t   version;
    uint32_t   slots;
    uint32_t   slot_size;
    uint8_t    unused[48];
    uint64_t   volume[CAM_RECORD_VOLUMES][8];
} cam_record_table_head_t;


typedef struct {
    uint64_t   camera[2];
    uint64_t   used;
    uint64_t   wishes;                   /* writes so far */
    uint64_t   states;
    uint64_t   wish[2][CAM_RECORD_WISH_WORDS];
    uint64_t   state[2][CAM_RECORD_STATE_WORDS];
    uint64_t   unused[3];
} cam_record_slot_t;


typedef struct {
    cam_record_table_head_t  head;
    cam_record_slot_t        slot[CAM_RECORD_SLOTS];
} cam_record_table_file_t;


struct cam_record_table_s {
    cam_record_table_file_t  *file;
    ino_t                     ino;
    dev_t                     dev;
};


_Static_assert(sizeof(cam_record_wish_t) == 24, "layout of .records");
_Static_assert(sizeof(cam_record_state_t) == 72, "layout of .records");
_Static_assert(sizeof(cam_record_volume_t) <= 64, "layout of .records");
_Static_assert(sizeof(cam_record_slot_t) == 256, "layout of .records");
_Static_assert(sizeof(cam_record_table_head_t) == 576, "layout of .records");


/* spreads the bits: the finalizer of splitmix64 */

static inline uint64_t
cam_record_mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);

    return x ^ x >> 31;
}


#endif /* CAM_RECORD_TABLE_LAYOUT_H */
