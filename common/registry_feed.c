/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The feeder's side of the registry: the only process that writes entries and
 * the index.  It may be killed between any two stores: entries are whole at
 * any moment, and an index that was left half changed is made anew by the next
 * feeder's load_begin; until then look-ups go through all slots.
 */

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "registry_layout.h"


static int cam_registry_place(cam_registry_t *reg,
    const uint8_t camera[CAM_UUID_LEN]);
static int cam_registry_free_slot(cam_registry_t *reg);
static int cam_registry_used(cam_registry_t *reg, uint32_t slot);
static void cam_registry_write(cam_registry_t *reg, int slot,
    const cam_registry_entry_t *entry);
static void cam_registry_publish(cam_registry_t *reg, int slot,
    const cam_registry_entry_t *entry);
static void cam_registry_clear(cam_registry_t *reg, int slot);
static void cam_registry_reset_state(cam_registry_t *reg, int slot);
static void cam_registry_index_slot(cam_registry_t *reg, int slot,
    const cam_registry_entry_t *entry,
    void (*change)(cam_registry_t *reg, uint32_t hash, uint32_t ref));
static void cam_registry_index_add(cam_registry_t *reg, uint32_t hash,
    uint32_t ref);
static void cam_registry_index_del(cam_registry_t *reg, uint32_t hash,
    uint32_t ref);
static void cam_registry_index_begin(cam_registry_t *reg);
static void cam_registry_index_end(cam_registry_t *reg);
static void cam_registry_repair(cam_registry_t *reg);


int
cam_registry_put(cam_registry_t *reg, const cam_registry_entry_t *entry)
{
    int                   slot;
    cam_registry_slot_t  *s;
    cam_registry_entry_t  old;

    slot = cam_registry_place(reg, entry->camera);

    if (slot == -1) {
        slot = cam_registry_free_slot(reg);

        if (slot == -1) {
            if (cam_load(&reg->header->full_at) == 0) {
                cam_store(&reg->header->full_at, cam_clock_wall_msec() / 1000);
            }

            reg->full = 1;
            errno = ENOSPC;
            return -1;
        }

        cam_registry_reset_state(reg, slot);
    }

    s = &reg->slots[slot];
    cam_store(&s->load, cam_load(&reg->header->load));

    /* an unchanged entry keeps its version: nobody needs to look again */

    if (cam_registry_get(reg, slot, &old) == 0
        && memcmp(&old, entry, sizeof(old)) == 0)
    {
        return 0;
    }

    cam_registry_write(reg, slot, entry);

    return 0;
}


static int
cam_registry_place(cam_registry_t *reg, const uint8_t camera[CAM_UUID_LEN])
{
    uint32_t              hash, i, mask, ref, slot;
    uint64_t              word;
    cam_registry_entry_t  entry;

    hash = cam_registry_hash(CAM_REGISTRY_BY_ID, camera, CAM_UUID_LEN);
    mask = reg->index_words - 1;

    for (i = hash & mask; (word = reg->index[i]) != 0; i = (i + 1) & mask) {

        ref = (uint32_t) word - 1;
        slot = ref / CAM_REGISTRY_KINDS;

        if ((uint32_t) (word >> 32) != hash
            || ref % CAM_REGISTRY_KINDS != CAM_REGISTRY_BY_ID)
        {
            continue;
        }

        if (cam_registry_get(reg, (int) slot, &entry) == 0
            && memcmp(entry.camera, camera, CAM_UUID_LEN) == 0)
        {
            return (int) slot;
        }
    }

    return -1;
}


/* round robin, so that a slot that was freed rests as long as possible */

static int
cam_registry_free_slot(cam_registry_t *reg)
{
    uint32_t  n, slot;

    slot = (uint32_t) (cam_load(&reg->header->cursor) % reg->capacity);

    for (n = 0; n < reg->capacity; n++) {

        if (!cam_registry_used(reg, slot)) {
            cam_store(&reg->header->cursor, slot + 1);
            return (int) slot;
        }

        slot = (slot + 1) % reg->capacity;
    }

    return -1;
}


static int
cam_registry_used(cam_registry_t *reg, uint32_t slot)
{
    cam_registry_slot_t  *s;

    s = &reg->slots[slot];

    return cam_load(&s->copy[cam_load(&s->seq) & 1].used) != 0;
}


static void
cam_registry_write(cam_registry_t *reg, int slot,
    const cam_registry_entry_t *entry)
{
    int                     used;
    cam_registry_entry_t    old;
    cam_registry_header_t  *header = reg->header;

    used = cam_registry_get(reg, slot, &old) == 0;

    cam_registry_index_begin(reg);

    if (used) {
        cam_registry_index_slot(reg, slot, &old, cam_registry_index_del);
    }

    cam_registry_publish(reg, slot, entry);

    cam_registry_index_slot(reg, slot, entry, cam_registry_index_add);
    cam_registry_index_end(reg);

    cam_store(&header->used, cam_load(&header->used) + !used);
    cam_store(&header->changes, cam_load(&header->changes) + 1);
}


/* entry is NULL when the slot becomes free */

static void
cam_registry_publish(cam_registry_t *reg, int slot,
    const cam_registry_entry_t *entry)
{
    uint64_t              seq;
    cam_registry_slot_t  *s;
    cam_registry_copy_t  *copy;

    s = &reg->slots[slot];
    seq = cam_load(&s->seq) + 1;
    copy = &s->copy[seq & 1];

    /* a reader of what is overwritten here sees the step before this one */

    __atomic_thread_fence(__ATOMIC_RELEASE);

    cam_store(&copy->used, entry != NULL);

    if (entry) {
        cam_words_store(copy->entry, entry, CAM_REGISTRY_ENTRY_WORDS);
    }

    __atomic_store_n(&s->seq, seq, __ATOMIC_RELEASE);
}


void
cam_words_store(uint64_t *dst, const void *src, size_t words)
{
    size_t          i;
    uint64_t        word;
    const uint8_t  *p = src;

    for (i = 0; i < words; i++) {
        memcpy(&word, p + 8 * i, 8);
        cam_store(&dst[i], word);
    }
}


void
cam_registry_remove(cam_registry_t *reg, const uint8_t camera[CAM_UUID_LEN])
{
    int  slot;

    slot = cam_registry_place(reg, camera);

    if (slot != -1) {
        cam_registry_clear(reg, slot);
    }
}


static void
cam_registry_clear(cam_registry_t *reg, int slot)
{
    cam_registry_entry_t    old;
    cam_registry_header_t  *header = reg->header;

    if (cam_registry_get(reg, slot, &old) != 0) {
        return;
    }

    cam_registry_index_begin(reg);
    cam_registry_index_slot(reg, slot, &old, cam_registry_index_del);
    cam_registry_publish(reg, slot, NULL);
    cam_registry_index_end(reg);

    cam_store(&header->used, cam_load(&header->used) - 1);
    cam_store(&header->changes, cam_load(&header->changes) + 1);
}


/* what the slot's last camera left is not the new one's */

static void
cam_registry_reset_state(cam_registry_t *reg, int slot)
{
    cam_registry_state_t  *state;

    state = cam_registry_state(reg, slot);

    cam_registry_release(reg, slot, cam_load(&state->generation));

    cam_store(&state->refused_msec, 0);
    cam_store(&state->refused_reason, CAM_REASON_NONE);
    cam_store(&state->refused_detail, 0);
    cam_store(&state->warning, CAM_REASON_NONE);
    cam_store(&state->warning_detail, 0);
}


void
cam_registry_load_begin(cam_registry_t *reg)
{
    cam_registry_repair(reg);

    cam_store(&reg->header->load, cam_load(&reg->header->load) + 1);
    reg->full = 0;
}


void
cam_registry_load_commit(cam_registry_t *reg)
{
    uint64_t  load;
    uint32_t  slot;

    load = cam_load(&reg->header->load);

    for (slot = 0; slot < reg->capacity; slot++) {

        if (cam_registry_used(reg, slot)
            && cam_load(&reg->slots[slot].load) != load)
        {
            cam_registry_clear(reg, (int) slot);
        }
    }

    if (!reg->full) {
        cam_store(&reg->header->full_at, 0);
    }
}


void
cam_registry_move(cam_registry_t *reg, cam_registry_t *from)
{
    uint32_t              slot;
    cam_registry_entry_t  entry, copy;

    for (slot = 0; slot < from->capacity; slot++) {

        if (cam_registry_get(from, (int) slot, &entry) != 0
            || cam_registry_put(reg, &entry) != 0)
        {
            continue;
        }

        *cam_registry_state(reg, cam_registry_find_id(reg, entry.camera,
                                                      &copy))
            = *cam_registry_state(from, (int) slot);
    }

    cam_registry_fed(reg, cam_load(&from->header->fed_at));
}


void
cam_registry_fed(cam_registry_t *reg, int64_t now_sec)
{
    __atomic_store_n(&reg->header->fed_at, now_sec, __ATOMIC_RELEASE);
}


/*
 * Index: linear probing; a deletion moves later words of the run back, so
 * that there are no tombstones to collect.
 */

static void
cam_registry_index_slot(cam_registry_t *reg, int slot,
    const cam_registry_entry_t *entry,
    void (*change)(cam_registry_t *reg, uint32_t hash, uint32_t ref))
{
    int                   i;
    uint32_t              hash, ref;
    static const uint8_t  none[32];

    ref = (uint32_t) slot * CAM_REGISTRY_KINDS + 1;

    hash = cam_registry_hash(CAM_REGISTRY_BY_ID, entry->camera, CAM_UUID_LEN);
    change(reg, hash, ref + CAM_REGISTRY_BY_ID);

    hash = cam_registry_hash(CAM_REGISTRY_BY_KEY, entry->key,
                             strnlen(entry->key, CAM_REGISTRY_KEY_MAX));
    change(reg, hash, ref + CAM_REGISTRY_BY_KEY);

    for (i = 0; i < CAM_REGISTRY_OPAQUE; i++) {

        if (memcmp(entry->opaque[i], none, 32) != 0) {
            hash = cam_registry_hash(CAM_REGISTRY_BY_OPAQUE, entry->opaque[i],
                                     32);
            change(reg, hash, ref + CAM_REGISTRY_BY_OPAQUE + (uint32_t) i);
        }
    }
}


static void
cam_registry_index_add(cam_registry_t *reg, uint32_t hash, uint32_t ref)
{
    uint32_t  i, mask;

    mask = reg->index_words - 1;

    for (i = hash & mask; reg->index[i] != 0; i = (i + 1) & mask) {
        /* void */
    }

    cam_store(&reg->index[i], (uint64_t) hash << 32 | ref);
}


static void
cam_registry_index_del(cam_registry_t *reg, uint32_t hash, uint32_t ref)
{
    uint32_t  i, hole, home, mask;
    uint64_t  word;

    word = (uint64_t) hash << 32 | ref;
    mask = reg->index_words - 1;

    for (hole = hash & mask; reg->index[hole] != word; hole = (hole + 1) & mask)
    {
        if (reg->index[hole] == 0) {
            return;
        }
    }

    for (i = (hole + 1) & mask; reg->index[i] != 0; i = (i + 1) & mask) {
        home = (uint32_t) (reg->index[i] >> 32) & mask;

        /* the word may move when its home is not between the hole and it */

        if (((i - home) & mask) >= ((i - hole) & mask)) {
            cam_store(&reg->index[hole], reg->index[i]);
            hole = i;
        }
    }

    cam_store(&reg->index[hole], 0);
}


static void
cam_registry_index_begin(cam_registry_t *reg)
{
    cam_store(&reg->header->index_seq, cam_load(&reg->header->index_seq) | 1);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}


static void
cam_registry_index_end(cam_registry_t *reg)
{
    __atomic_store_n(&reg->header->index_seq,
                     (cam_load(&reg->header->index_seq) | 1) + 1,
                     __ATOMIC_RELEASE);
}


/* what a feeder that died may have left half done */

static void
cam_registry_repair(cam_registry_t *reg)
{
    int                   broken;
    uint32_t              i;
    uint64_t              used;
    cam_registry_entry_t  entry;

    broken = cam_load(&reg->header->index_seq) & 1;

    for (i = 0; broken && i < reg->index_words; i++) {
        cam_store(&reg->index[i], 0);
    }

    used = 0;

    for (i = 0; i < reg->capacity; i++) {

        if (cam_registry_get(reg, (int) i, &entry) != 0) {
            continue;
        }

        used++;

        if (broken) {
            cam_registry_index_slot(reg, (int) i, &entry,
                                    cam_registry_index_add);
        }
    }

    if (broken) {
        cam_registry_index_end(reg);
    }

    cam_store(&reg->header->used, used);
}
