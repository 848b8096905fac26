/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Seats of playback sessions: how many of a token's may play.  A seat is one
 * atomic word: 39 bits of the start token's id, a bit that says it is only
 * claimed, and the second, modulo 2^24, in which it was last used.  One that
 * was not used for the idle time is free; nobody has to clean up after a
 * process that was killed.
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
 */

#include "clock.h"
#include "play_sessions_layout.h"


#define CAM_SESSIONS_WINDOW    64
#define CAM_SESSIONS_TRIES     64
#define CAM_SESSIONS_LOOKS     1000          /* 0.1 ms, for others to settle */
#define CAM_SESSIONS_CLAIM_SEC 2             /* then its process was killed */

#define CAM_SESSIONS_SECONDS   UINT64_C(0x0ffffff)    /* bits of a seat */
#define CAM_SESSIONS_CLAIMED   UINT64_C(0x1000000)
#define CAM_SESSIONS_OWNER     (~(CAM_SESSIONS_SECONDS | CAM_SESSIONS_CLAIMED))


/* what stands in a token's window */
typedef struct {
    uint32_t   kept;
    uint32_t   claimed;
    int        first_claimed;    /* slot, or -1 */
    int        first_free;
} cam_sessions_window_t;


static uint64_t cam_sessions_claim(cam_sessions_t *z, int n, uint64_t owner,
    unsigned idle_sec);
static int cam_sessions_settle(cam_sessions_t *z, uint32_t first, int n,
    uint64_t seat, unsigned limit, unsigned idle_sec);
static void cam_sessions_look(cam_sessions_t *z, uint32_t first,
    uint64_t owner, unsigned idle_sec, cam_sessions_window_t *w);
static int cam_sessions_in_use(uint64_t seat, unsigned idle_sec);
static int cam_sessions_swap(cam_sessions_slot_t *slot, uint64_t from,
    uint64_t to);


int
cam_sessions_seat_take(cam_sessions_t *z, const uint8_t *jti, unsigned limit,
    unsigned idle_sec)
{
    uint32_t               first;
    uint64_t               owner, seat;
    unsigned               tries;
    cam_sessions_window_t  w;

    owner = cam_sessions_word(jti) & CAM_SESSIONS_OWNER;
    first = cam_sessions_word(jti + 8) % z->slots;

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

    return cam_sessions_swap(&z->slot[n], old, seat) ? seat : 0;
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
            return cam_sessions_swap(&z->slot[n], seat,
                                     seat & ~CAM_SESSIONS_CLAIMED);
        }

        if (w.kept >= limit || w.first_claimed != n) {
            break;
        }
    }

    (void) cam_sessions_swap(&z->slot[n], seat, 0);

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
            && cam_sessions_swap(&z->slot[n], seat, 0))
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
cam_sessions_swap(cam_sessions_slot_t *slot, uint64_t from, uint64_t to)
{
    return __atomic_compare_exchange_n(&slot->seat, &from, to, 0,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}


void
cam_sessions_seat_leave(cam_sessions_slot_t *slot)
{
    __atomic_store_n(&slot->seat, 0, __ATOMIC_SEQ_CST);
}


int
cam_sessions_seat_kept(const cam_sessions_slot_t *slot, unsigned idle_sec)
{
    uint64_t  seat;

    seat = __atomic_load_n(&slot->seat, __ATOMIC_ACQUIRE);

    return cam_sessions_in_use(seat, idle_sec)
           && !(seat & CAM_SESSIONS_CLAIMED);
}


int
cam_sessions_seat_use(cam_sessions_slot_t *slot, unsigned idle_sec)
{
    uint64_t  now, seat;

    seat = __atomic_load_n(&slot->seat, __ATOMIC_SEQ_CST);

    if (!cam_sessions_in_use(seat, idle_sec)) {
        return -1;
    }

    now = cam_sessions_now();

    if ((seat & CAM_SESSIONS_SECONDS) != now) {

        /* who fails here was overtaken by another request of the session */

        (void) cam_sessions_swap(slot, seat,
                                 (seat & ~CAM_SESSIONS_SECONDS) | now);
    }

    return 0;
}


uint64_t
cam_sessions_now(void)
{
    return (uint64_t) (cam_clock_monotonic_msec() / 1000)
           & CAM_SESSIONS_SECONDS;
}
