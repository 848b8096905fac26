/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The table of playback sessions.
 *
 * A slot belongs to whoever has its seat (play_sessions_seat.c).
 *
 * A tenant's quotas are looked at with the seat taken, which is given back when
 * they are exceeded: of two that race for the last place both may be refused,
 * and come again.  What was sent is summed in windows of ten seconds; counts of
 * two workers that turn a window at once may be off by a request.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/rand.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "clock.h"
#include "play_sessions_layout.h"
#include "shared_file.h"


#define CAM_SESSIONS_SENT_SEC  10            /* a window of what was sent */


static void cam_sessions_fill(cam_sessions_slot_t *slot,
    const cam_sessions_start_t *start, const cam_url_session_t *s);
static int cam_sessions_quota(cam_sessions_t *z,
    const cam_sessions_start_t *start, unsigned idle_sec);
static void cam_sessions_use_slot(const cam_sessions_slot_t *slot,
    cam_sessions_use_t *use);
static void cam_sessions_count_sent(cam_sessions_slot_t *slot, uint64_t bytes);
static void cam_sessions_set_addr(cam_sessions_slot_t *slot,
    const struct sockaddr *addr);
static void cam_sessions_set_agent(cam_sessions_slot_t *slot,
    const cam_sessions_start_t *start);


cam_sessions_t *
cam_sessions_open(const char *shm, uint32_t slots)
{
    cam_sessions_t        *z;
    cam_shared_file_t      file;
    cam_sessions_header_t  header;

    memset(&header, 0, sizeof(header));
    header.magic = CAM_SESSIONS_MAGIC;
    header.slots = slots;
    header.created = cam_clock_wall_msec() / 1000;

    /* one of another version or size is replaced: sessions survive its loss */

    file.header = &header;
    file.header_len = sizeof(header);
    file.known_len = offsetof(cam_sessions_header_t, created);
    file.size = sizeof(header) + slots * sizeof(cam_sessions_slot_t);

    z = calloc(1, sizeof(cam_sessions_t));
    if (z == NULL) {
        return NULL;
    }

    z->header = cam_shared_file_map(shm, "sessions", &file);

    if (z->header == NULL) {
        free(z);
        return NULL;
    }

    z->slot = (cam_sessions_slot_t *) (z->header + 1);
    z->slots = slots;
    z->size = file.size;

    return z;
}


void
cam_sessions_close(cam_sessions_t *z)
{
    munmap(z->header, z->size);
    free(z);
}


int
cam_sessions_start(cam_sessions_t *z, const cam_sessions_start_t *start,
    unsigned idle_sec, cam_url_session_t *s)
{
    int  n, rc;

    if (RAND_bytes(s->sid, sizeof(s->sid)) != 1) {
        errno = EIO;
        return -1;
    }

    n = cam_sessions_seat_take(z, start->jti, start->limit, idle_sec);

    if (n < 0) {
        return -n;
    }

    s->slot = n;
    cam_sessions_fill(&z->slot[n], start, s);

    rc = cam_sessions_quota(z, start, idle_sec);

    if (rc != CAM_SESSIONS_OK) {
        __atomic_store_n(&z->slot[n].sid, 0, __ATOMIC_RELEASE);
        cam_sessions_seat_leave(&z->slot[n]);
    }

    return rc;
}


static void
cam_sessions_fill(cam_sessions_slot_t *slot, const cam_sessions_start_t *start,
    const cam_url_session_t *s)
{
    memcpy(slot->camera, start->camera, CAM_UUID_LEN);
    memcpy(slot->jti, start->jti, 16);
    memset(slot->tenant, 0, CAM_UUID_LEN);

    if (start->tenant) {
        memcpy(slot->tenant, start->tenant, CAM_UUID_LEN);
    }

    cam_sessions_set_addr(slot, start->addr);
    cam_sessions_set_agent(slot, start);
    slot->started = s->started;
    slot->purpose = s->purpose;

    __atomic_store_n(&slot->window, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->sent, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->sent_before, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->bytes, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->requests, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->sid, cam_sessions_word(s->sid), __ATOMIC_RELEASE);
}


static int
cam_sessions_quota(cam_sessions_t *z, const cam_sessions_start_t *start,
    unsigned idle_sec)
{
    cam_sessions_use_t  use;

    if (start->tenant == NULL
        || (start->max_viewers == 0 && start->max_egress_kbps == 0))
    {
        return CAM_SESSIONS_OK;
    }

    cam_sessions_use(z, start->tenant, idle_sec, &use);

    if (start->max_viewers && use.viewers > start->max_viewers) {
        return CAM_SESSIONS_VIEWERS;
    }

    if (start->max_egress_kbps && use.egress_kbps >= start->max_egress_kbps) {
        return CAM_SESSIONS_EGRESS;
    }

    return CAM_SESSIONS_OK;
}


void
cam_sessions_use(const cam_sessions_t *z, const uint8_t tenant[CAM_UUID_LEN],
    unsigned idle_sec, cam_sessions_use_t *use)
{
    uint32_t                    n;
    const cam_sessions_slot_t  *slot;

    memset(use, 0, sizeof(cam_sessions_use_t));

    for (n = 0; n < z->slots; n++) {
        slot = &z->slot[n];

        if (cam_sessions_seat_kept(slot, idle_sec)
            && memcmp(slot->tenant, tenant, CAM_UUID_LEN) == 0)
        {
            cam_sessions_use_slot(slot, use);
        }
    }

    use->egress_kbps = use->egress_kbps * 8 / 1000 / CAM_SESSIONS_SENT_SEC;
}


/* bytes, while it is summed */

static void
cam_sessions_use_slot(const cam_sessions_slot_t *slot, cam_sessions_use_t *use)
{
    uint64_t  age;

    age = cam_sessions_now() / CAM_SESSIONS_SENT_SEC
          - __atomic_load_n(&slot->window, __ATOMIC_RELAXED);

    use->viewers++;

    if (age == 0) {
        use->egress_kbps += __atomic_load_n(&slot->sent_before,
                                            __ATOMIC_RELAXED);
    } else if (age == 1) {
        use->egress_kbps += __atomic_load_n(&slot->sent, __ATOMIC_RELAXED);
    }
}


int
cam_sessions_touch(cam_sessions_t *z, const cam_url_session_t *s,
    unsigned idle_sec)
{
    cam_sessions_slot_t  *slot;

    if (s->slot >= z->slots) {
        return CAM_SESSIONS_ENDED;
    }

    slot = &z->slot[s->slot];

    if (__atomic_load_n(&slot->sid, __ATOMIC_ACQUIRE)
        != cam_sessions_word(s->sid))
    {
        return s->started < z->header->created ? CAM_SESSIONS_OK
                                               : CAM_SESSIONS_ENDED;
    }

    if (cam_sessions_seat_use(slot, idle_sec) == -1) {
        return CAM_SESSIONS_ENDED;
    }

    __atomic_fetch_add(&slot->requests, 1, __ATOMIC_RELAXED);

    return CAM_SESSIONS_OK;
}


void
cam_sessions_sent(cam_sessions_t *z, const cam_url_session_t *s,
    uint64_t bytes)
{
    cam_sessions_slot_t  *slot;

    if (s->slot >= z->slots) {
        return;
    }

    slot = &z->slot[s->slot];

    if (__atomic_load_n(&slot->sid, __ATOMIC_ACQUIRE)
        == cam_sessions_word(s->sid))
    {
        __atomic_fetch_add(&slot->bytes, bytes, __ATOMIC_RELAXED);
        cam_sessions_count_sent(slot, bytes);
    }
}


static void
cam_sessions_count_sent(cam_sessions_slot_t *slot, uint64_t bytes)
{
    uint64_t  now, window, sent;

    now = cam_sessions_now() / CAM_SESSIONS_SENT_SEC;
    window = __atomic_load_n(&slot->window, __ATOMIC_RELAXED);

    if (window != now
        && __atomic_compare_exchange_n(&slot->window, &window, now, 0,
                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    {
        sent = __atomic_exchange_n(&slot->sent, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&slot->sent_before, now - window == 1 ? sent : 0,
                         __ATOMIC_RELAXED);
    }

    __atomic_fetch_add(&slot->sent, bytes, __ATOMIC_RELAXED);
}


static void
cam_sessions_set_addr(cam_sessions_slot_t *slot, const struct sockaddr *addr)
{
    memset(slot->addr, 0, sizeof(slot->addr));
    slot->family = addr ? addr->sa_family : 0;

    if (slot->family == AF_INET) {
        memcpy(slot->addr, &((const struct sockaddr_in *) addr)->sin_addr, 4);

    } else if (slot->family == AF_INET6) {
        memcpy(slot->addr, &((const struct sockaddr_in6 *) addr)->sin6_addr,
               16);
    }
}


/* a client may say anything: what is not ASCII is no part of a name */

static void
cam_sessions_set_agent(cam_sessions_slot_t *slot,
    const cam_sessions_start_t *start)
{
    size_t  n;

    for (n = 0; n < start->agent_len && n < CAM_SESSIONS_AGENT - 1; n++) {
        slot->agent[n] = start->agent[n] >= ' ' && start->agent[n] <= '~'
                         ? start->agent[n] : '?';
    }

    memset(slot->agent + n, 0, CAM_SESSIONS_AGENT - n);
}
