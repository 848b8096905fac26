/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Look-ups in the registry and the state of each camera: what every worker
 * does.  A look-up probes the index and trusts nothing but its own copy of the
 * slot that the index led to.  A miss counts only when the index did not
 * change meanwhile; otherwise, and while a feeder that died left the index
 * half changed, all slots are looked through.
 */

#include <string.h>

#include "clock.h"
#include "registry_layout.h"

#define CAM_REGISTRY_TRIES  64


static int cam_registry_find(cam_registry_t *reg, cam_registry_kind_e kind,
    const void *data, size_t len, cam_registry_entry_t *entry);
static int cam_registry_probe(cam_registry_t *reg, cam_registry_kind_e kind,
    const void *data, size_t len, cam_registry_entry_t *entry);
static int cam_registry_scan(cam_registry_t *reg, cam_registry_kind_e kind,
    const void *data, size_t len, cam_registry_entry_t *entry);


void
cam_registry_info(cam_registry_t *reg, cam_registry_info_t *info)
{
    cam_registry_header_t  *header = reg->header;

    info->capacity = reg->capacity;
    info->used = (uint32_t) cam_load(&header->used);
    info->fed_at = cam_load(&header->fed_at);
    info->full_at = cam_load(&header->full_at);
    info->changes = cam_load(&header->changes);
}


int
cam_registry_find_key(cam_registry_t *reg, const char *key, size_t len,
    cam_registry_entry_t *entry)
{
    if (len == 0 || len >= CAM_REGISTRY_KEY_MAX) {
        return -1;
    }

    return cam_registry_find(reg, CAM_REGISTRY_BY_KEY, key, len, entry);
}


int
cam_registry_find_id(cam_registry_t *reg, const uint8_t camera[CAM_UUID_LEN],
    cam_registry_entry_t *entry)
{
    return cam_registry_find(reg, CAM_REGISTRY_BY_ID, camera, CAM_UUID_LEN,
                             entry);
}


int
cam_registry_find_opaque(cam_registry_t *reg, const uint8_t hash[32],
    cam_registry_entry_t *entry)
{
    static const uint8_t  none[32];

    if (memcmp(hash, none, 32) == 0) {
        return -1;
    }

    return cam_registry_find(reg, CAM_REGISTRY_BY_OPAQUE, hash, 32, entry);
}


static int
cam_registry_find(cam_registry_t *reg, cam_registry_kind_e kind,
    const void *data, size_t len, cam_registry_entry_t *entry)
{
    int       slot, tries;
    uint64_t  seq;

    for (tries = 0; tries < CAM_REGISTRY_TRIES; tries++) {

        seq = __atomic_load_n(&reg->header->index_seq, __ATOMIC_ACQUIRE);

        slot = cam_registry_probe(reg, kind, data, len, entry);

        if (slot != -1) {
            return slot;
        }

        __atomic_thread_fence(__ATOMIC_ACQUIRE);

        if ((seq & 1) == 0 && cam_load(&reg->header->index_seq) == seq) {
            return -1;
        }
    }

    return cam_registry_scan(reg, kind, data, len, entry);
}


static int
cam_registry_probe(cam_registry_t *reg, cam_registry_kind_e kind,
    const void *data, size_t len, cam_registry_entry_t *entry)
{
    uint32_t  hash, i, n, mask, ref;
    uint64_t  word;

    hash = cam_registry_hash(kind, data, len);
    mask = reg->index_words - 1;

    for (n = 0, i = hash & mask; n <= mask; n++, i = (i + 1) & mask) {

        word = cam_load(&reg->index[i]);

        if (word == 0) {
            return -1;
        }

        ref = (uint32_t) word - 1;

        if ((uint32_t) (word >> 32) == hash
            && ref / CAM_REGISTRY_KINDS < reg->capacity
            && cam_registry_get(reg, (int) (ref / CAM_REGISTRY_KINDS), entry)
               == 0
            && cam_registry_match(entry, kind, data, len))
        {
            return (int) (ref / CAM_REGISTRY_KINDS);
        }
    }

    return -1;
}


static int
cam_registry_scan(cam_registry_t *reg, cam_registry_kind_e kind,
    const void *data, size_t len, cam_registry_entry_t *entry)
{
    int  slot;

    for (slot = 0; slot < (int) reg->capacity; slot++) {

        if (cam_registry_get(reg, slot, entry) == 0
            && cam_registry_match(entry, kind, data, len))
        {
            return slot;
        }
    }

    return -1;
}


int
cam_registry_match(const cam_registry_entry_t *entry, cam_registry_kind_e kind,
    const void *data, size_t len)
{
    switch (kind) {

    case CAM_REGISTRY_BY_ID:
        return memcmp(entry->camera, data, CAM_UUID_LEN) == 0;

    case CAM_REGISTRY_BY_KEY:
        return strlen(entry->key) == len && memcmp(entry->key, data, len) == 0;

    default:
        return memcmp(entry->opaque[0], data, 32) == 0
               || memcmp(entry->opaque[1], data, 32) == 0;
    }
}


/* FNV-1a, folded; what is looked up may be hostile, what is stored is not */

uint32_t
cam_registry_hash(cam_registry_kind_e kind, const void *data, size_t len)
{
    size_t          i;
    uint64_t        hash;
    const uint8_t  *p = data;

    hash = 0xcbf29ce484222325ull ^ kind;

    for (i = 0; i < len; i++) {
        hash = (hash ^ p[i]) * 0x100000001b3ull;
    }

    return (uint32_t) (hash ^ hash >> 32);
}


int
cam_registry_get(cam_registry_t *reg, int slot, cam_registry_entry_t *entry)
{
    int                   tries;
    uint64_t              seq, used;
    cam_registry_copy_t  *copy;
    cam_registry_slot_t  *s;

    if (slot < 0 || (uint32_t) slot >= reg->capacity) {
        return -1;
    }

    s = &reg->slots[slot];

    /* only two changes of this slot within one copy make another try */

    for (tries = 0; tries < CAM_REGISTRY_TRIES; tries++) {

        seq = __atomic_load_n(&s->seq, __ATOMIC_ACQUIRE);

        copy = &s->copy[seq & 1];
        used = cam_load(&copy->used);

        if (used) {
            cam_words_load(entry, copy->entry, CAM_REGISTRY_ENTRY_WORDS);
        }

        __atomic_thread_fence(__ATOMIC_ACQUIRE);

        if (cam_load(&s->seq) != seq) {
            continue;
        }

        if (!used) {
            return -1;
        }

        entry->key[CAM_REGISTRY_KEY_MAX - 1] = '\0';

        return 0;
    }

    return -1;
}


void
cam_words_load(void *dst, const uint64_t *src, size_t words)
{
    size_t    i;
    uint8_t  *p = dst;
    uint64_t  word;

    for (i = 0; i < words; i++) {
        word = cam_load(&src[i]);
        memcpy(p + 8 * i, &word, 8);
    }
}


uint64_t
cam_registry_slot_version(cam_registry_t *reg, int slot)
{
    return __atomic_load_n(&reg->slots[slot].seq, __ATOMIC_ACQUIRE);
}


cam_registry_state_t *
cam_registry_state(cam_registry_t *reg, int slot)
{
    return &reg->states[slot].state;
}


uint64_t
cam_registry_claim(cam_registry_t *reg, int slot, uint64_t expected)
{
    uint64_t               next;
    cam_registry_state_t  *state;

    state = cam_registry_state(reg, slot);
    next = (uint64_t) cam_clock_wall_msec();

    if (next <= expected) {
        next = expected + 1;
    }

    if (!__atomic_compare_exchange_n(&state->generation, &expected, next, 0,
                                     __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    {
        return 0;
    }

    cam_store(&state->warning, CAM_REASON_NONE);
    cam_store(&state->warning_detail, 0);

    return next;
}


/* the word only grows: a late release of an old publication ends nothing */

void
cam_registry_release(cam_registry_t *reg, int slot, uint64_t generation)
{
    uint64_t               ended;
    cam_registry_state_t  *state;

    state = cam_registry_state(reg, slot);
    ended = cam_load(&state->ended_generation);

    while (ended < generation
           && !__atomic_compare_exchange_n(&state->ended_generation, &ended,
                                           generation, 0, __ATOMIC_RELEASE,
                                           __ATOMIC_RELAXED))
    {
        /* void */
    }
}


void
cam_registry_refused(cam_registry_t *reg, int slot, cam_reason_e reason,
    uint32_t detail)
{
    cam_registry_state_t  *state;

    state = cam_registry_state(reg, slot);

    cam_store(&state->refused_reason, reason);
    cam_store(&state->refused_detail, detail);
    __atomic_store_n(&state->refused_msec, cam_clock_wall_msec(),
                     __ATOMIC_RELEASE);
}
