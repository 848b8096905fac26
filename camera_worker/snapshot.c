/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The snapshot role: looks at the wishes, hands the newest key frame of each
 * wished camera to the sandbox, and puts the pictures that come back into
 * files.  It decodes nothing itself.  One thread, no blocking call; it sleeps
 * until there is a new wish, an answer, or a wished file that is not fresh any
 * more.
 *
 * A file is made anew once a second at most, while it is wanted, camera after
 * camera in the order of slots, one job at a time.  A key frame that is still
 * the newest is not decoded again: the file is marked as fresh.
 *
 * A camera's file here is
 *
 *   unknown    never made by us, or lost          [cw_snapshot_look]
 *   in work    its key frame is in the exchange   [cw_snapshot_hand_over]
 *   fresh      a second from when it was written, or found to be the newest
 *              [cw_snapshot_write, cw_snapshot_keep]; then it is looked after
 *              again
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "log.h"
#include "snapshot.h"

#define CW_SNAPSHOT_IDLE_MSEC    1000     /* asleep, but alive */
#define CW_SNAPSHOT_WAIT_MSEC    200      /* for nginx, to make its files */
#define CW_SNAPSHOT_RETRY_MSEC   100      /* a camera without a picture */
#define CW_SNAPSHOT_NO_SEQ       UINT64_MAX   /* of no frame at all */


static int cw_snapshot_open(cw_snapshot_t *s);
static void cw_snapshot_take(cw_snapshot_t *s);
static void cw_snapshot_store(cw_snapshot_t *s, unsigned n);
static void cw_snapshot_look(cw_snapshot_t *s);
static unsigned cw_snapshot_wanted(const cw_snapshot_t *s);
static unsigned cw_snapshot_due(cw_snapshot_t *s, unsigned slot,
    unsigned any);
static void cw_snapshot_next(cw_snapshot_t *s, int64_t at_msec);
static cw_snapshot_camera_t *cw_snapshot_camera(cw_snapshot_t *s,
    unsigned slot, uint64_t *generation);
static void cw_snapshot_hand_over(cw_snapshot_t *s, cw_snapshot_camera_t *c,
    uint64_t generation, unsigned widths);
static void cw_snapshot_refuse(cw_snapshot_t *s, cw_snapshot_camera_t *c,
    unsigned widths, const cw_snapshot_frame_t *frame, uint8_t why);
static unsigned cw_snapshot_keep_all(cw_snapshot_t *s,
    cw_snapshot_camera_t *c, unsigned widths,
    const cw_snapshot_frame_t *frame);
static void cw_snapshot_rest(cw_snapshot_t *s, uint32_t news);
static void cw_snapshot_close(cw_snapshot_t *s);


int
cw_snapshot_run(cw_worker_t *worker, int child)
{
    uint32_t         news;
    cw_snapshot_t    s;
    struct timespec  ts = { 0, CW_SNAPSHOT_WAIT_MSEC * 1000000 };

    memset(&s, 0, sizeof(cw_snapshot_t));
    s.worker = worker;

    while (!cw_quit) {
        s.now_msec = cam_clock_monotonic_msec();
        cw_blame_alive(worker->picture_blame, child, s.now_msec);

        if (s.wanted == NULL && cw_snapshot_open(&s) == -1) {
            (void) nanosleep(&ts, NULL);
            continue;
        }

        if (!cw_roster_is_ours(&s.roster, worker, s.now_msec)
            || cam_wanted_stale(s.wanted, worker->shm_fd))
        {
            break;
        }

        news = cam_wanted_news(s.wanted);

        if (cw_exchange_state(worker->exchange) == CW_EXCHANGE_DONE) {
            cw_snapshot_take(&s);
        }

        if (cw_exchange_state(worker->exchange) == CW_EXCHANGE_IDLE) {
            cw_snapshot_look(&s);
        }

        cw_snapshot_rest(&s, news);
    }

    cw_snapshot_close(&s);

    return 0;
}


static int
cw_snapshot_open(cw_snapshot_t *s)
{
    if (s->roster.registry == NULL
        && cw_roster_open(&s->roster, s->worker, s->now_msec) == -1)
    {
        return -1;
    }

    s->wanted = cam_wanted_reader_open(s->worker->shm_fd);

    if (s->wanted == NULL) {
        return -1;
    }

    s->slots = cam_wanted_slots(s->wanted);

    if (s->slots > s->roster.slots) {
        s->slots = s->roster.slots;
    }

    s->camera = calloc(s->slots, sizeof(cw_snapshot_camera_t *));

    if (s->camera == NULL) {
        cw_log(CW_LOG_CRIT, errno, "malloc() failed");
        exit(1);
    }

    return 0;
}


/* the sandbox has answered */

static void
cw_snapshot_take(cw_snapshot_t *s)
{
    unsigned        n;
    cw_exchange_t  *x;

    x = s->worker->exchange;

    if (s->job != NULL) {
        cw_log_set_camera(s->job->camera);

        for (n = 0; n < CAM_SNAPSHOT_WIDTHS; n++) {
            if (s->job_widths & 1u << n) {
                cw_snapshot_store(s, n);
            }
        }

        cw_log_set_camera(NULL);
        s->job = NULL;
    }

    cw_exchange_take(x);
}


static void
cw_snapshot_store(cw_snapshot_t *s, unsigned n)
{
    uint32_t        size, result;
    cw_exchange_t  *x;

    static const uint8_t  undecodable = CAM_SNAPSHOT_UNDECODABLE;

    x = s->worker->exchange;

    result = __atomic_load_n(&x->result, __ATOMIC_RELAXED);
    size = __atomic_load_n(&x->picture_size[n], __ATOMIC_RELAXED);

    /* a sandbox that crashed said nothing about the frame: once more, later */

    s->job->kept_msec[n] = s->now_msec;

    if (result == CW_EXCHANGE_PICTURES && size > 1
        && size <= CW_EXCHANGE_PICTURE_MAX)
    {
        cw_snapshot_write(s, s->job, n, &s->job_frame, x->picture[n], size);

    } else if (result == CW_EXCHANGE_PICTURES
               || result == CW_EXCHANGE_UNDECODABLE)
    {
        cw_snapshot_write(s, s->job, n, &s->job_frame, &undecodable, 1);
    }
}


/* the next camera, in the order of slots, for which there is work to do */

static void
cw_snapshot_look(cw_snapshot_t *s)
{
    unsigned               i, any, widths;
    uint64_t               generation;
    cw_snapshot_camera_t  *c;

    s->job = NULL;

    s->next_msec = s->now_msec + CW_SNAPSHOT_IDLE_MSEC;

    any = cw_snapshot_wanted(s);

    for (i = 0; any != 0 && i < s->slots && s->job == NULL; i++) {
        s->looked = (s->looked + 1) % s->slots;
        widths = cw_snapshot_due(s, s->looked, any);

        if (widths == 0) {
            continue;
        }

        cw_snapshot_next(s, s->now_msec + CW_SNAPSHOT_RETRY_MSEC);

        c = cw_snapshot_camera(s, s->looked, &generation);

        if (c != NULL) {
            cw_log_set_camera(c->camera);
            cw_snapshot_hand_over(s, c, generation, widths);
            cw_log_set_camera(NULL);
        }
    }
}


/* the widths that are wanted of any camera */

static unsigned
cw_snapshot_wanted(const cw_snapshot_t *s)
{
    unsigned  n, widths;

    widths = 0;

    for (n = 0; n < CAM_SNAPSHOT_WIDTHS; n++) {
        if (cam_wanted_any(s->wanted, cam_snapshot_kind(n), s->now_msec)) {
            widths |= 1u << n;
        }
    }

    return widths;
}


/* those that are wanted of this slot and not fresh */

static unsigned
cw_snapshot_due(cw_snapshot_t *s, unsigned slot, unsigned any)
{
    int64_t                at_msec;
    unsigned               n, widths;
    cw_snapshot_camera_t  *c;

    c = s->camera[slot];
    widths = 0;

    for (n = 0; n < CAM_SNAPSHOT_WIDTHS; n++) {

        if (!(any & 1u << n)
            || !cam_wanted_is(s->wanted, slot, cam_snapshot_kind(n),
                              s->now_msec))
        {
            continue;
        }

        at_msec = 0;

        if (c != NULL) {
            at_msec = c->kept_msec[n] + CAM_SNAPSHOT_MSEC;

            if (at_msec < c->retry_msec) {
                at_msec = c->retry_msec;
            }
        }

        if (at_msec <= s->now_msec) {
            widths |= 1u << n;

        } else {
            cw_snapshot_next(s, at_msec);
        }
    }

    return widths;
}


static void
cw_snapshot_next(cw_snapshot_t *s, int64_t at_msec)
{
    if (s->next_msec > at_msec) {
        s->next_msec = at_msec;
    }
}


/* whose slot it is; NULL when it is nobody's, or nobody publishes there */

static cw_snapshot_camera_t *
cw_snapshot_camera(cw_snapshot_t *s, unsigned slot, uint64_t *generation)
{
    cam_registry_entry_t   entry;
    cam_registry_state_t  *state;
    cw_snapshot_camera_t  *c;

    state = cam_registry_state(s->roster.registry, slot);
    *generation = __atomic_load_n(&state->generation, __ATOMIC_ACQUIRE);

    if (*generation == __atomic_load_n(&state->ended_generation,
                                       __ATOMIC_RELAXED)
        || cam_registry_get(s->roster.registry, slot, &entry) == -1)
    {
        return NULL;
    }

    c = s->camera[slot];

    if (c == NULL) {
        c = calloc(1, sizeof(cw_snapshot_camera_t));

        if (c == NULL) {
            return NULL;
        }

        s->camera[slot] = c;
    }

    if (memcmp(c->camera, entry.camera, CAM_UUID_LEN) != 0) {
        memset(c, 0, sizeof(cw_snapshot_camera_t));
        memcpy(c->camera, entry.camera, CAM_UUID_LEN);
    }

    return c;
}


static void
cw_snapshot_hand_over(cw_snapshot_t *s, cw_snapshot_camera_t *c,
    uint64_t generation, unsigned widths)
{
    cw_blame_t           *blame;
    cw_snapshot_rc_e      rc;
    cw_snapshot_frame_t   frame;

    blame = s->worker->picture_blame;

    if (cw_blame_quarantined(blame, c->camera, generation, s->now_msec)) {
        frame.generation = generation;
        frame.seq = CW_SNAPSHOT_NO_SEQ;
        frame.wall_msec = cam_clock_wall_msec();
        cw_snapshot_refuse(s, c, widths, &frame, CAM_SNAPSHOT_QUARANTINED);
        return;
    }

    cw_blame_begin(blame, CW_SNAPSHOT_CHILD, c->camera, generation);
    rc = cw_snapshot_read(s, c, &frame);
    cw_blame_end(blame, CW_SNAPSHOT_CHILD);

    if (rc == CW_SNAPSHOT_NOTHING) {
        c->retry_msec = s->now_msec + CW_SNAPSHOT_RETRY_MSEC;
        return;
    }

    if (rc == CW_SNAPSHOT_UNUSABLE) {
        cw_snapshot_refuse(s, c, widths, &frame, CAM_SNAPSHOT_UNDECODABLE);
        return;
    }

    widths = cw_snapshot_keep_all(s, c, widths, &frame);

    if (widths == 0) {
        return;
    }

    s->job = c;
    s->job_frame = frame;
    s->job_widths = widths;
    s->worker->exchange->widths = widths;

    cw_blame_begin(blame, CW_SANDBOX_CHILD, c->camera, generation);
    cw_exchange_offer(s->worker->exchange);
}


static void
cw_snapshot_refuse(cw_snapshot_t *s, cw_snapshot_camera_t *c,
    unsigned widths, const cw_snapshot_frame_t *frame, uint8_t why)
{
    unsigned  n;

    widths = cw_snapshot_keep_all(s, c, widths, frame);

    for (n = 0; n < CAM_SNAPSHOT_WIDTHS; n++) {
        if (widths & 1u << n) {
            cw_snapshot_write(s, c, n, frame, &why, 1);
        }
    }
}


/* answers the widths whose files are about another frame */

static unsigned
cw_snapshot_keep_all(cw_snapshot_t *s, cw_snapshot_camera_t *c,
    unsigned widths, const cw_snapshot_frame_t *frame)
{
    unsigned  n;

    for (n = 0; n < CAM_SNAPSHOT_WIDTHS; n++) {
        if (widths & 1u << n && cw_snapshot_keep(s, c, n, frame)) {
            widths &= ~(1u << n);
        }
    }

    return widths;
}


static void
cw_snapshot_rest(cw_snapshot_t *s, uint32_t news)
{
    cw_exchange_state_e  state;

    state = cw_exchange_state(s->worker->exchange);

    if (state == CW_EXCHANGE_IDLE && s->next_msec > s->now_msec) {
        cam_wanted_wait(s->wanted, news, s->next_msec - s->now_msec);

    } else if (state != CW_EXCHANGE_IDLE && state != CW_EXCHANGE_DONE) {
        cw_exchange_wait(s->worker->exchange, state, CW_SNAPSHOT_IDLE_MSEC);
    }
}


static void
cw_snapshot_close(cw_snapshot_t *s)
{
    unsigned  i;

    for (i = 0; i < s->slots; i++) {
        free(s->camera[i]);
    }

    free(s->camera);

    if (s->wanted != NULL) {
        cam_wanted_close(s->wanted);
    }

    cw_roster_close(&s->roster);
}
