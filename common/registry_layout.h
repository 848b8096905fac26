/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The bytes of shm/registry, private to registry*.c; docs/registry.md
 * describes them.  Header, slots, states and index follow one another, each
 * at a page boundary.
 *
 * All fields that change are read and written as whole words by relaxed
 * atomics.  A slot has two copies of its entry: the feeder writes the one that
 * is not in force and then says so in the slot's sequence word, so that a
 * feeder that stops or dies at any moment leaves a whole entry.  The index is
 * under a sequence word that is odd while it is being changed.
 */

#ifndef CAM_REGISTRY_LAYOUT_H
#define CAM_REGISTRY_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "registry.h"

#define CAM_REGISTRY_MAGIC        0x5947524d41434d43ull
#define CAM_REGISTRY_VERSION      2
#define CAM_REGISTRY_PAGE         4096
#define CAM_REGISTRY_CAPACITY_MAX 100000

#define CAM_REGISTRY_ENTRY_WORDS  (sizeof(cam_registry_entry_t) / 8)

#define cam_load(p)               __atomic_load_n(p, __ATOMIC_RELAXED)
#define cam_store(p, v)           __atomic_store_n(p, v, __ATOMIC_RELAXED)


/* what an index word leads to; the number is part of the file */
typedef enum {
    CAM_REGISTRY_BY_ID = 0,
    CAM_REGISTRY_BY_KEY,
    CAM_REGISTRY_BY_OPAQUE,              /* + 0 or 1, its place in the entry */
    CAM_REGISTRY_KINDS = CAM_REGISTRY_BY_OPAQUE + CAM_REGISTRY_OPAQUE
} cam_registry_kind_e;


typedef struct {
    uint64_t        magic;
    uint32_t        version;
    uint32_t        slot_size;
    uint32_t        capacity;            /* slots */
    uint32_t        index_words;         /* a power of two */
    uint64_t        size;                /* of the file */

    uint64_t        used;
    int64_t         fed_at;
    int64_t         full_at;
    uint64_t        changes;
    uint64_t        load;                /* number of the newest whole load */
    uint64_t        cursor;              /* a free slot is sought from here */
    uint64_t        index_seq;           /* odd: the index is being changed */
} cam_registry_header_t;


typedef struct {
    uint64_t        used;
    uint64_t        entry[CAM_REGISTRY_ENTRY_WORDS];
    uint64_t        reserved[56 - 1 - CAM_REGISTRY_ENTRY_WORDS];
} cam_registry_copy_t;


typedef struct {
    uint64_t             seq;            /* grows; its last bit: the copy */
    uint64_t             load;           /* whole load that last named it */
    uint64_t             reserved[14];
    cam_registry_copy_t  copy[2];
} cam_registry_slot_t;


/* a state and the rest of its cache line, so that workers do not share one */
typedef struct {
    cam_registry_state_t  state;
    uint8_t               pad[64 - sizeof(cam_registry_state_t)];
} cam_registry_state_slot_t;


struct cam_registry_s {
    cam_registry_header_t      *header;
    cam_registry_slot_t        *slots;
    cam_registry_state_slot_t  *states;
    uint64_t                   *index;   /* hash << 32 | slot * 4 + kind + 1 */

    /* checked copies: the file's own are not looked at again */
    uint32_t                    capacity;
    uint32_t                    index_words;
    size_t                      size;
    int                         fd;
    int                         write;
    int                         full;    /* a put failed since load_begin */
};


_Static_assert(sizeof(cam_registry_entry_t) == 392, "entry is 49 words");
_Static_assert(sizeof(cam_registry_slot_t) == 1024, "slot is 1024 bytes");
_Static_assert(sizeof(cam_registry_state_slot_t) == 64, "state is 64 bytes");
_Static_assert(CAM_REGISTRY_KINDS == 4, "kind is two bits of an index word");


/* where the three tables lie and how long the file is */
typedef struct {
    uint32_t        index_words;
    size_t          slots;
    size_t          states;
    size_t          index;
    size_t          size;
} cam_registry_geometry_t;

void cam_registry_geometry(cam_registry_geometry_t *geo, uint32_t capacity);

/* of what a kind looks up; 32 bits, stored in the index */
uint32_t cam_registry_hash(cam_registry_kind_e kind, const void *data,
    size_t len);

/* 1 when the entry has that id, key or hash */
int cam_registry_match(const cam_registry_entry_t *entry,
    cam_registry_kind_e kind, const void *data, size_t len);

/* what another registry knows, as far as there is room */
void cam_registry_move(cam_registry_t *reg, cam_registry_t *from);

void cam_words_load(void *dst, const uint64_t *src, size_t words);
void cam_words_store(uint64_t *dst, const void *src, size_t words);


#endif /* CAM_REGISTRY_LAYOUT_H */
