/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The table of who plays.  What is taken is noted before the sessions are
 * walked, and who starts a session looks again after it was noted whose it is:
 * whoever races with whom, one of the two sees the other.
 */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "play_owners.h"
#include "shared_file.h"
#include "token.h"


#define CAM_OWNERS_MAGIC   0x314e574f    /* "OWN1" */
#define CAM_OWNERS_TAKEN   1024


typedef struct {
    uint32_t      magic;
    uint32_t      slots;
    uint64_t      next;             /* place of what is taken next */
    int64_t       heard;            /* Unix s, 0 = never */
    uint8_t       unused[40];
} cam_owners_header_t;


typedef struct {
    uint64_t      sid;              /* of the session, 0 = none */
    uint64_t      over;
    cam_owner_t   owner;
    int64_t       issued;           /* its start token, Unix s */
    uint8_t       unused[8];
} cam_owners_slot_t;


typedef struct {
    uint8_t       id[CAM_UUID_LEN];
    int64_t       at;               /* Unix s, 0 = free or being written */
    uint8_t       unused[8];
} cam_owners_taken_t;


struct cam_owners_s {
    cam_owners_header_t  *header;
    cam_owners_taken_t   *taken;
    cam_owners_slot_t    *slot;
    uint32_t              slots;
    size_t                size;
};


_Static_assert(sizeof(cam_owners_header_t) == 64, "layout of shm/owners");
_Static_assert(sizeof(cam_owners_slot_t) == 64, "layout of shm/owners");
_Static_assert(sizeof(cam_owners_taken_t) == 32, "layout of shm/owners");


static int cam_owners_is(const cam_owner_t *owner,
    const uint8_t id[CAM_UUID_LEN]);
static int cam_owners_is_late(const cam_owners_slot_t *slot,
    const uint8_t id[CAM_UUID_LEN], const cam_owners_late_t *late, unsigned n);
static int cam_owners_compare(const void *id, const void *late);
static void cam_owners_take(cam_owners_t *z, const uint8_t id[CAM_UUID_LEN],
    int64_t at);
static uint64_t cam_owners_sid(const cam_url_session_t *s);


cam_owners_t *
cam_owners_open(const char *shm, uint32_t slots)
{
    cam_owners_t        *z;
    cam_shared_file_t    file;
    cam_owners_header_t  header;

    memset(&header, 0, sizeof(header));
    header.magic = CAM_OWNERS_MAGIC;
    header.slots = slots;

    file.header = &header;
    file.header_len = sizeof(header);
    file.known_len = offsetof(cam_owners_header_t, next);
    file.size = sizeof(header) + CAM_OWNERS_TAKEN * sizeof(cam_owners_taken_t)
                + slots * sizeof(cam_owners_slot_t);

    z = calloc(1, sizeof(cam_owners_t));
    if (z == NULL) {
        return NULL;
    }

    z->header = cam_shared_file_map(shm, "owners", &file);

    if (z->header == NULL) {
        free(z);
        return NULL;
    }

    z->taken = (cam_owners_taken_t *) (z->header + 1);
    z->slot = (cam_owners_slot_t *) (z->taken + CAM_OWNERS_TAKEN);
    z->slots = slots;
    z->size = file.size;

    return z;
}


void
cam_owners_close(cam_owners_t *z)
{
    munmap(z->header, z->size);
    free(z);
}


int
cam_owners_gone(const cam_owners_t *z, const cam_owner_t *owner,
    int64_t issued)
{
    unsigned                   n;
    const cam_owners_taken_t  *taken;

    for (n = 0; n < CAM_OWNERS_TAKEN; n++) {
        taken = &z->taken[n];

        if (__atomic_load_n(&taken->at, __ATOMIC_SEQ_CST) >= issued
            && cam_owners_is(owner, taken->id))
        {
            return 1;
        }
    }

    return 0;
}


static int
cam_owners_is(const cam_owner_t *owner, const uint8_t id[CAM_UUID_LEN])
{
    return memcmp(owner->user, id, CAM_UUID_LEN) == 0
           || memcmp(owner->credential, id, CAM_UUID_LEN) == 0;
}


void
cam_owners_keep(cam_owners_t *z, const cam_url_session_t *s,
    const cam_owner_t *owner, int64_t issued)
{
    cam_owners_slot_t  *slot;

    if (s->slot >= z->slots) {
        return;
    }

    slot = &z->slot[s->slot];

    __atomic_store_n(&slot->sid, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&slot->over, 0, __ATOMIC_SEQ_CST);
    slot->owner = *owner;
    slot->issued = issued;
    __atomic_store_n(&slot->sid, cam_owners_sid(s), __ATOMIC_SEQ_CST);
}


int
cam_owners_over(const cam_owners_t *z, const cam_url_session_t *s)
{
    const cam_owners_slot_t  *slot;

    if (s->slot >= z->slots) {
        return 0;
    }

    slot = &z->slot[s->slot];

    return __atomic_load_n(&slot->sid, __ATOMIC_ACQUIRE) == cam_owners_sid(s)
           && __atomic_load_n(&slot->over, __ATOMIC_ACQUIRE);
}


unsigned
cam_owners_end(cam_owners_t *z, const uint8_t id[CAM_UUID_LEN], int64_t now)
{
    uint32_t            n;
    unsigned            ended;
    cam_owners_slot_t  *slot;

    cam_owners_take(z, id, now);

    ended = 0;

    for (n = 0; n < z->slots; n++) {
        slot = &z->slot[n];

        if (__atomic_load_n(&slot->sid, __ATOMIC_SEQ_CST)
            && cam_owners_is(&slot->owner, id)
            && __atomic_exchange_n(&slot->over, 1, __ATOMIC_SEQ_CST) == 0)
        {
            ended++;
        }
    }

    return ended;
}


unsigned
cam_owners_end_late(cam_owners_t *z, const cam_owners_late_t *late,
    unsigned count, int64_t now)
{
    uint32_t            n;
    unsigned            ended;
    cam_owners_slot_t  *slot;

    for (n = 0; n < count; n++) {
        if (late[n].at >= now - CAM_TOKEN_PLAYBACK_TTL) {
            cam_owners_take(z, late[n].id, late[n].at);
        }
    }

    ended = 0;

    for (n = 0; n < z->slots; n++) {
        slot = &z->slot[n];

        if (__atomic_load_n(&slot->sid, __ATOMIC_SEQ_CST)
            && (cam_owners_is_late(slot, slot->owner.user, late, count)
                || cam_owners_is_late(slot, slot->owner.credential, late,
                                      count))
            && __atomic_exchange_n(&slot->over, 1, __ATOMIC_SEQ_CST) == 0)
        {
            ended++;
        }
    }

    return ended;
}


/* clocks of nodes may differ as much as is allowed to a token */

static int
cam_owners_is_late(const cam_owners_slot_t *slot,
    const uint8_t id[CAM_UUID_LEN], const cam_owners_late_t *late, unsigned n)
{
    const cam_owners_late_t  *found;

    found = bsearch(id, late, n, sizeof(cam_owners_late_t),
                    cam_owners_compare);

    return found && slot->issued <= found->at + CAM_TOKEN_LEEWAY_SEC;
}


static int
cam_owners_compare(const void *id, const void *late)
{
    return memcmp(id, ((const cam_owners_late_t *) late)->id, CAM_UUID_LEN);
}


int64_t
cam_owners_heard(const cam_owners_t *z)
{
    return __atomic_load_n(&z->header->heard, __ATOMIC_RELAXED);
}


void
cam_owners_hear(cam_owners_t *z, int64_t now)
{
    __atomic_store_n(&z->header->heard, now, __ATOMIC_RELAXED);
}


/* each worker is told, and the first of them makes the entry; what is older
   than it says takes nothing back */

static void
cam_owners_take(cam_owners_t *z, const uint8_t id[CAM_UUID_LEN], int64_t at)
{
    int64_t              known;
    unsigned             n;
    cam_owners_taken_t  *taken;

    for (n = 0; n < CAM_OWNERS_TAKEN; n++) {
        taken = &z->taken[n];
        known = __atomic_load_n(&taken->at, __ATOMIC_SEQ_CST);

        if (known && memcmp(taken->id, id, CAM_UUID_LEN) == 0) {

            if (known < at) {
                __atomic_store_n(&taken->at, at, __ATOMIC_SEQ_CST);
            }

            return;
        }
    }

    n = __atomic_fetch_add(&z->header->next, 1, __ATOMIC_SEQ_CST)
        % CAM_OWNERS_TAKEN;

    taken = &z->taken[n];

    __atomic_store_n(&taken->at, 0, __ATOMIC_SEQ_CST);
    memcpy(taken->id, id, CAM_UUID_LEN);
    __atomic_store_n(&taken->at, at, __ATOMIC_SEQ_CST);
}


static uint64_t
cam_owners_sid(const cam_url_session_t *s)
{
    uint64_t  sid;

    memcpy(&sid, s->sid, sizeof(sid));

    return sid;
}
