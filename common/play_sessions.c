/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The table of playback sessions.
 *
 * A slot is taken and kept by one atomic word, its seat: 39 bits of the start
 * token's id, a bit that says it is only claimed, and the second, modulo 2^24,
 * in which it was last used.  A seat that was not used for the idle time is
 * free; nobody has to clean up after a process that was killed.
 *
 * All sessions of a token lie in one window of slots.  Whoever wants a seat
 *
 *   free    -> claimed   [cam_sessions_claim]
 *   claimed -> kept      [cam_sessions_settle], when all seats of the token,
 *                        claimed ones too, are within the limit
 *   claimed -> free      when they are not: then the first claim in the window
 *                        looks again, all others are given back
 *
 * The last one to claim sees all the others, so there are never more than the
 * limit, whoever races with whom; and one of them always gets on.
 *
 * A tenant's quotas are looked at with the seat taken, which is given back when
 * they are exceeded: of two that race for the last place both may be refused,
 * and come again.  What was sent is summed in windows of ten seconds; counts of
 * two workers that turn a window at once may be off by a request.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <openssl/rand.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "clock.h"
#include "play_sessions.h"
#include "shared_file.h"
#include "token.h"


#define CAM_SESSIONS_MAGIC     0x31534553    /* "SES1" */
#define CAM_SESSIONS_WINDOW    64
#define CAM_SESSIONS_TRIES     64
#define CAM_SESSIONS_LOOKS     1000          /* 0.1 ms, for others to settle */
#define CAM_SESSIONS_CLAIM_SEC 2             /* then its process was killed */
#define CAM_SESSIONS_SENT_SEC  10            /* a window of what was sent */

#define CAM_SESSIONS_SECONDS   UINT64_C(0x0ffffff)    /* bits of a seat */
#define CAM_SESSIONS_CLAIMED   UINT64_C(0x1000000)
#define CAM_SESSIONS_OWNER     (~(CAM_SESSIONS_SECONDS | CAM_SESSIONS_CLAIMED))


typedef struct {
    uint32_t   magic;
    uint32_t   slots;
    int64_t    created;          /* Unix s */
    uint8_t    unused[112];
} cam_sessions_header_t;


typedef struct {
    uint64_t   seat;             /* 0 = never used, or given back */
    uint64_t   sid;
    uint64_t   bytes;
    uint64_t   requests;
    int64_t    started;          /* Unix s */
    uint8_t    camera[CAM_UUID_LEN];
    uint8_t    jti[16];
    uint8_t    addr[16];
    uint16_t   family;
    uint8_t    purpose;          /* of the session */
    uint8_t    unused[5];
    uint8_t    tenant[CAM_UUID_LEN];
    uint64_t   window;           /* the one that sent is of */
    uint64_t   sent;             /* bytes */
    uint64_t   sent_before;      /* in the window before */
    uint8_t    room[56];
} cam_sessions_slot_t;


/* what stands in a token's window */
typedef struct {
    uint32_t   kept;
    uint32_t   claimed;
    int        first_claimed;    /* slot, or -1 */
    int        first_free;
} cam_sessions_window_t;


struct cam_sessions_s {
    cam_sessions_header_t  *header;
    cam_sessions_slot_t    *slot;
    uint32_t                slots;
    size_t                  size;
};


_Static_assert(sizeof(cam_sessions_header_t) == 128, "layout of shm/sessions");
_Static_assert(sizeof(cam_sessions_slot_t) == 192, "layout of shm/sessions");


static void cam_sessions_fill(cam_sessions_slot_t *slot,
    const cam_sessions_start_t *start, const cam_url_session_t *s);
static int cam_sessions_quota(cam_sessions_t *z,
    const cam_sessions_start_t *start, unsigned idle_sec);
static void cam_sessions_use_slot(const cam_sessions_slot_t *slot,
    cam_sessions_use_t *use);
static void cam_sessions_count_sent(cam_sessions_slot_t *slot, uint64_t bytes);
static int cam_sessions_take(cam_sessions_t *z, uint32_t first, uint64_t owner,
    unsigned limit, unsigned idle_sec);
static uint64_t cam_sessions_claim(cam_sessions_t *z, int n, uint64_t owner,
    unsigned idle_sec);
static int cam_sessions_settle(cam_sessions_t *z, uint32_t first, int n,
    uint64_t seat, unsigned limit, unsigned idle_sec);
static void cam_sessions_look(cam_sessions_t *z, uint32_t first,
    uint64_t owner, unsigned idle_sec, cam_sessions_window_t *w);
static int cam_sessions_in_use(uint64_t seat, unsigned idle_sec);
static int cam_sessions_swap(cam_sessions_t *z, int n, uint64_t from,
    uint64_t to);
static uint64_t cam_sessions_now(void);
static void cam_sessions_set_addr(cam_sessions_slot_t *slot,
    const struct sockaddr *addr);
static uint64_t cam_sessions_word(const uint8_t *p);


cam_sessions_t *
cam_sessions_open(const char *shm, uint32_t slots)
{
    char                   path[PATH_MAX];
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

    snprintf(path, sizeof(path), "%s/sessions", shm);
    z->header = cam_shared_file_map(path, &file);

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
    int       n, rc;
    uint64_t  owner;

    if (RAND_bytes(s->sid, sizeof(s->sid)) != 1) {
        errno = EIO;
        return -1;
    }

    owner = cam_sessions_word(start->jti) & CAM_SESSIONS_OWNER;

    n = cam_sessions_take(z, cam_sessions_word(start->jti + 8) % z->slots,
                          owner, start->limit, idle_sec);
    if (n < 0) {
        return -n;
    }

    s->slot = n;
    cam_sessions_fill(&z->slot[n], start, s);

    rc = cam_sessions_quota(z, start, idle_sec);

    if (rc != CAM_SESSIONS_OK) {
        __atomic_store_n(&z->slot[n].sid, 0, __ATOMIC_RELEASE);
        __atomic_store_n(&z->slot[n].seat, 0, __ATOMIC_SEQ_CST);
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
    uint64_t                    seat;
    const cam_sessions_slot_t  *slot;

    memset(use, 0, sizeof(cam_sessions_use_t));

    for (n = 0; n < z->slots; n++) {
        slot = &z->slot[n];
        seat = __atomic_load_n(&slot->seat, __ATOMIC_ACQUIRE);

        if (cam_sessions_in_use(seat, idle_sec)
            && !(seat & CAM_SESSIONS_CLAIMED)
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


/* a slot, or one of the answers of _start, negative */

static int
cam_sessions_take(cam_sessions_t *z, uint32_t first, uint64_t owner,
    unsigned limit, unsigned idle_sec)
{
    unsigned               tries;
    uint64_t               seat;
    cam_sessions_window_t  w;

    for (tries = 0; tries < CAM_SESSIONS_TRIES; tries++) {

        cam_sessions_look(z, first, owner, idle_sec, &w);

        if (w.kept >= limit) {
            return -CAM_SESSIONS_LIMIT;
        }

        if (w.first_free == -1) {
            return -CAM_SESSIONS_FULL;
        }

        seat = cam_sessions_claim(z, w.first_free, owner, idle_sec);

        if (seat && cam_sessions_settle(z, first, w.first_free, seat, limit,
                                        idle_sec))
        {
            return w.first_free;
        }
    }

    return -CAM_SESSIONS_LIMIT;
}


/* the claimed seat, or 0: another process was first */

static uint64_t
cam_sessions_claim(cam_sessions_t *z, int n, uint64_t owner, unsigned idle_sec)
{
    uint64_t  old, seat;

    old = __atomic_load_n(&z->slot[n].seat, __ATOMIC_SEQ_CST);

    if (cam_sessions_in_use(old, idle_sec)) {
        return 0;
    }

    seat = owner | CAM_SESSIONS_CLAIMED | cam_sessions_now();

    return cam_sessions_swap(z, n, old, seat) ? seat : 0;
}


/* 1 when the seat may be kept */

static int
cam_sessions_settle(cam_sessions_t *z, uint32_t first, int n, uint64_t seat,
    unsigned limit, unsigned idle_sec)
{
    unsigned               looks;
    cam_sessions_window_t  w;

    for (looks = 0; looks < CAM_SESSIONS_LOOKS; looks++) {

        cam_sessions_look(z, first, seat & CAM_SESSIONS_OWNER, idle_sec, &w);

        if (w.kept + w.claimed <= limit) {
            return cam_sessions_swap(z, n, seat, seat & ~CAM_SESSIONS_CLAIMED);
        }

        if (w.kept >= limit || w.first_claimed != n) {
            break;
        }
    }

    (void) cam_sessions_swap(z, n, seat, 0);

    return 0;
}


static void
cam_sessions_look(cam_sessions_t *z, uint32_t first, uint64_t owner,
    unsigned idle_sec, cam_sessions_window_t *w)
{
    int       n;
    uint32_t  i;
    uint64_t  seat;

    memset(w, 0, sizeof(cam_sessions_window_t));
    w->first_claimed = -1;
    w->first_free = -1;

    for (i = 0; i < CAM_SESSIONS_WINDOW && i < z->slots; i++) {
        n = (first + i) % z->slots;
        seat = __atomic_load_n(&z->slot[n].seat, __ATOMIC_SEQ_CST);

        /* taken away, not passed over: its process may be only stopped */

        if ((seat & CAM_SESSIONS_CLAIMED)
            && !cam_sessions_in_use(seat, CAM_SESSIONS_CLAIM_SEC)
            && cam_sessions_swap(z, n, seat, 0))
        {
            seat = 0;
        }

        if (seat & CAM_SESSIONS_CLAIMED) {

            if ((seat & CAM_SESSIONS_OWNER) != owner) {
                continue;
            }

            w->claimed++;

            if (w->first_claimed == -1) {
                w->first_claimed = n;
            }

        } else if (cam_sessions_in_use(seat, idle_sec)) {
            w->kept += (seat & CAM_SESSIONS_OWNER) == owner;

        } else if (w->first_free == -1) {
            w->first_free = n;
        }
    }
}


static int
cam_sessions_in_use(uint64_t seat, unsigned idle_sec)
{
    return seat
           && ((cam_sessions_now() - seat) & CAM_SESSIONS_SECONDS) <= idle_sec;
}


static int
cam_sessions_swap(cam_sessions_t *z, int n, uint64_t from, uint64_t to)
{
    return __atomic_compare_exchange_n(&z->slot[n].seat, &from, to, 0,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}


static uint64_t
cam_sessions_now(void)
{
    return (uint64_t) (cam_clock_monotonic_msec() / 1000)
           & CAM_SESSIONS_SECONDS;
}


int
cam_sessions_touch(cam_sessions_t *z, const cam_url_session_t *s,
    unsigned idle_sec)
{
    uint64_t              now, seat;
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

    seat = __atomic_load_n(&slot->seat, __ATOMIC_SEQ_CST);

    if (!cam_sessions_in_use(seat, idle_sec)) {
        return CAM_SESSIONS_ENDED;
    }

    __atomic_fetch_add(&slot->requests, 1, __ATOMIC_RELAXED);

    now = cam_sessions_now();

    if ((seat & CAM_SESSIONS_SECONDS) != now) {

        /* who fails here was overtaken by another request of the session */

        (void) cam_sessions_swap(z, s->slot, seat,
                                 (seat & ~CAM_SESSIONS_SECONDS) | now);
    }

    return CAM_SESSIONS_OK;
}


unsigned
cam_sessions_playing(const cam_sessions_t *z, unsigned recent_sec,
    uint8_t (*cameras)[CAM_UUID_LEN], unsigned max)
{
    uint32_t                    n;
    uint64_t                    seat;
    unsigned                    count;
    const cam_sessions_slot_t  *slot;

    count = 0;

    for (n = 0; n < z->slots && count < max; n++) {
        slot = &z->slot[n];
        seat = __atomic_load_n(&slot->seat, __ATOMIC_ACQUIRE);

        if (cam_sessions_in_use(seat, recent_sec)
            && !(seat & CAM_SESSIONS_CLAIMED)
            && slot->purpose != CAM_PURPOSE_RECORDINGS
            && __atomic_load_n(&slot->requests, __ATOMIC_RELAXED))
        {
            memcpy(cameras[count++], slot->camera, CAM_UUID_LEN);
        }
    }

    return count;
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


static uint64_t
cam_sessions_word(const uint8_t *p)
{
    uint64_t  word;

    memcpy(&word, p, sizeof(word));

    return word;
}
