/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The record role: a child for each volume, which records the cameras that are
 * wanted and whose volume this is.  It reads the live store as players do, so a
 * disk that is slow or hangs is felt by nobody else; the store keeps half a
 * minute for it.
 *
 * The volume is
 *
 *     away    not opened, or not there any more; looked for once a second
 *             [cw_record_open, cw_record_leave]
 *     in use  a tick each quarter of a second [cw_record_tick]
 *
 * One thread.  It may be killed at any moment: what is open then is taken up by
 * the next one [cw_record_recover].
 */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "log.h"
#include "record.h"

#define CW_RECORD_AGAIN_MSEC  1000       /* a volume that is away */
#define CW_RECORD_AWAY_TICKS  8          /* without it, before that is said */
#define CW_RECORD_READY_MSEC  2000       /* for the other volumes, at most */
#define CW_RECORD_TICK_MAX    1000
#define CW_RECORD_LATE_MSEC   5000       /* after the end that was wished */


static int cw_record_init(cw_record_t *r, cw_worker_t *worker, int child);
static void cw_record_clock(cw_record_t *r);
static int cw_record_open(cw_record_t *r);
static void cw_record_leave(cw_record_t *r, const char *why);
static void cw_record_tick(cw_record_t *r);
static int cw_record_is_ready(cw_record_t *r);
static void cw_record_cameras(cw_record_t *r);
static void cw_record_not_ours(cw_record_t *r, cw_record_camera_t *c,
    const uint8_t *camera, const cam_record_wish_t *wish);
static int cw_record_is_ours(const cw_record_t *r, const uint8_t *camera,
    const cam_record_wish_t *wish);
static int cw_record_is_free(const cw_record_t *r, cw_record_camera_t *c);
static void cw_record_others(cw_record_t *r);
static void cw_record_rest(cw_record_t *r, int64_t msec);


int
cw_record_run(cw_worker_t *worker, int child)
{
    cw_record_t  *r;

    r = calloc(1, sizeof(cw_record_t));

    if (r == NULL || cw_record_init(r, worker, child) == -1) {
        return 1;
    }

    while (!cw_quit) {
        cw_record_clock(r);
        cw_blame_alive(worker->quiet_blame, child, r->now_msec);

        if (cam_record_table_stale(r->table, worker->live_fd)) {
            cw_log(CW_LOG_INFO, 0, "the table was replaced, starting anew");
            break;
        }

        if (r->volume.fd == -1 && cw_record_open(r) == -1) {
            cw_record_volume_tell(r);
            cw_record_rest(r, CW_RECORD_AGAIN_MSEC);
            continue;
        }

        cw_record_tick(r);
        cw_record_rest(r, CW_RECORD_TICK_MSEC);
    }

    if (r->volume.fd != -1) {
        cw_record_leave(r, NULL);
    }

    r->volume.state = CAM_RECORD_VOLUME_ABSENT;
    cw_record_volume_tell(r);

    cam_record_table_close(r->table);
    free(r->buffer);
    free(r);

    return 0;
}


static int
cw_record_init(cw_record_t *r, cw_worker_t *worker, int child)
{
    (void) signal(SIGXFSZ, SIG_IGN);

    r->worker = worker;
    r->number = child;
    r->volume.path = worker->record[child];
    r->volume.hash = cam_record_volume_hash(r->volume.path);
    r->volume.fd = -1;
    r->volume.lock_fd = -1;
    r->journal.fd = -1;
    r->journal.dirfd = -1;
    r->table = cam_record_table_open(worker->shm);

    if (r->table == NULL) {
        cw_log(CW_LOG_CRIT, errno, "cam_record_table_open() failed");
        return -1;
    }

    r->start_msec = cam_clock_monotonic_msec();
    r->clock.ahead_msec = cam_clock_wall_msec() - r->start_msec;

    return 0;
}


/* a slow change is none */

static void
cw_record_clock(cw_record_t *r)
{
    int                  i;
    int64_t              clock, step;
    cw_record_camera_t  *c;

    r->now_msec = cam_clock_monotonic_msec();
    r->clock.wall_msec = cam_clock_wall_msec();

    clock = r->clock.wall_msec - r->now_msec;
    step = clock - r->clock.ahead_msec;
    r->clock.ahead_msec = clock;

    if (llabs(step) <= CW_RECORD_STEP_MSEC) {
        return;
    }

    cw_log(CW_LOG_WARN, 0, "the clock made a step of %lld ms",
           (long long) step);
    r->clock.epoch++;

    if (r->volume.fd != -1) {
        cw_record_journal_alert(r, "clock_jump", "medium", NULL,
                                "the clock made a step of more than 10 s");
    }

    for (i = 0; i < CAM_RECORD_SLOTS; i++) {
        c = r->camera[i];

        if (c != NULL && c->gap.end_msec != 0 && !c->gap.open) {
            c->gap.end_msec += step;
        }
    }
}


static int
cw_record_open(cw_record_t *r)
{
    if (cw_record_volume_open(r) == -1) {
        return -1;
    }

    cw_record_space_look(r);
    cw_record_volume_tell(r);
    cw_record_recover(r);

    return 0;
}


/* why: NULL when the recordings go on with the next child */

static void
cw_record_leave(cw_record_t *r, const char *why)
{
    int  i;

    for (i = 0; i < CAM_RECORD_SLOTS; i++) {

        if (r->camera[i] == NULL) {
            continue;
        }

        if (why != NULL) {
            cw_record_camera_leave(r, r->camera[i], why);
        }
    }

    cw_record_settle(r, 1);

    for (i = 0; i < CAM_RECORD_SLOTS; i++) {
        if (r->camera[i] != NULL) {
            cw_record_camera_free(r, r->camera[i]);
        }
    }

    cw_record_space_forget(&r->space);
    cw_record_volume_close(r);
}


static void
cw_record_tick(cw_record_t *r)
{
    if (r->now_msec >= r->volume.check_msec) {
        (void) cw_record_volume_is_there(r);
    }

    if (r->volume.state == CAM_RECORD_VOLUME_AWAY) {
        cw_record_leave(r, "error");
        return;
    }

    /* tried again, with cameras of its own */

    if (r->volume.state == CAM_RECORD_VOLUME_ERROR
        && r->now_msec >= r->volume.error_msec)
    {
        r->volume.state = CAM_RECORD_VOLUME_OK;
    }

    cw_record_space_look(r);
    cw_record_volume_tell(r);

    if (r->ready || cw_record_is_ready(r)) {
        cw_record_cameras(r);
    }

    cw_record_others(r);
    cw_record_settle(r, 0);
}


/* at the start of all of them a camera is not taken from one that is slower */

static int
cw_record_is_ready(cw_record_t *r)
{
    int                  i;
    cam_record_volume_t  v;

    r->ready = 1;

    for (i = 0; i < r->worker->records; i++) {
        cam_record_volume_get(r->table, i, &v);

        if (v.state == CAM_RECORD_VOLUME_ABSENT
            || r->now_msec - v.beat_msec > CAM_RECORD_BEAT_MSEC)
        {
            r->ready = r->now_msec - r->start_msec > CW_RECORD_READY_MSEC;
        }
    }

    return r->ready;
}


static void
cw_record_cameras(cw_record_t *r)
{
    uint8_t              camera[CAM_UUID_LEN];
    uint32_t             slot;
    cam_record_wish_t    wish;
    cw_record_camera_t  *c;

    for (slot = 0; slot < CAM_RECORD_SLOTS; slot++) {
        c = r->camera[slot];

        if (!cam_record_wish_at(r->table, slot, camera, &wish)) {
            continue;
        }

        if (!cw_record_is_ours(r, camera, &wish)) {

            cw_record_not_ours(r, c, camera, &wish);
            continue;
        }

        c = cw_record_camera(r, slot, camera);

        if (c == NULL) {
            continue;
        }

        c->wish = wish;

        cw_log_set_camera(c->camera);

        if (c->wanted || cw_record_is_free(r, c)) {
            c->wanted = 1;
            cw_record_camera_turn(r, c);
        }

        cw_log_set_camera(NULL);

        /* when a write took long another volume may have the cameras by now;
           those that are left have their turn in the next tick */

        if (r->volume.state == CAM_RECORD_VOLUME_AWAY
            || cam_clock_monotonic_msec() - r->now_msec > CW_RECORD_TICK_MAX)
        {
            return;
        }
    }
}


static void
cw_record_not_ours(cw_record_t *r, cw_record_camera_t *c,
    const uint8_t *camera, const cam_record_wish_t *wish)
{
    cam_record_state_t  s;

    if (c != NULL) {
        cw_log_set_camera(c->camera);

        if (wish->want && c->wish.until_msec == 0) {
            cw_record_camera_leave(r, c, "stop");

        } else {
            cw_record_camera_stop(r, c, "stop");
        }

        cw_record_camera_free(r, c);
        cw_log_set_camera(NULL);

        return;
    }

    /* what an earlier child said of it keeps others from it */

    if (cam_record_state_get(r->table, camera, &s) == -1
        || (int) s.volume != r->number
        || (s.start_msec == 0 && (wish->want || s.state == CAM_RECORD_IDLE)))
    {
        return;
    }

    s.state = wish->want ? CAM_RECORD_WAITING : CAM_RECORD_IDLE;
    memset(s.recording, 0, CAM_UUID_LEN);
    s.start_msec = 0;
    (void) cam_record_state_set(r->table, camera, &s);
}


static int
cw_record_is_ours(const cw_record_t *r, const uint8_t *camera,
    const cam_record_wish_t *wish)
{
    return wish->want
           && (wish->until_msec == 0
               || r->clock.wall_msec < wish->until_msec + CW_RECORD_LATE_MSEC)
           && cam_record_volume_of(r->table, camera, r->now_msec)
              == r->number;
}


/*
 * Another child may have had it a moment ago: it goes on where that one says it
 * left off, once it has left, or hangs.
 */

static int
cw_record_is_free(const cw_record_t *r, cw_record_camera_t *c)
{
    cam_record_state_t   s;
    cam_record_volume_t  v;

    if (cam_record_state_get(r->table, c->camera, &s) == -1) {
        return 1;
    }

    if ((int) s.volume != r->number && s.start_msec != 0) {
        cam_record_volume_get(r->table, s.volume, &v);

        if (v.state != CAM_RECORD_VOLUME_ABSENT
            && r->now_msec - v.beat_msec <= CAM_RECORD_BEAT_MSEC)
        {
            return 0;
        }
    }

    if (s.end_msec != 0 && (c->file == NULL || s.msn > c->file->msn + 1)) {
        c->msn = s.msn;
        c->part = s.part;
        c->lost = c->file != NULL;

        /* else it was not wanted meanwhile */

        if (c->lost || (s.state != CAM_RECORD_IDLE && s.msn != 0)) {
            c->placed = 1;
            c->gap.end_msec = s.end_msec;
        }
    }

    return 1;
}


/* of the volumes that are away the first one that is not tells */

static void
cw_record_others(cw_record_t *r)
{
    int                  i, away, first;
    cam_record_volume_t  v;

    first = -1;

    for (i = 0; i < r->worker->records; i++) {
        cam_record_volume_get(r->table, i, &v);

        away = v.state == CAM_RECORD_VOLUME_AWAY
               || v.state == CAM_RECORD_VOLUME_ABSENT
               || r->now_msec - v.beat_msec > CAM_RECORD_BEAT_MSEC;

        if (!away && first == -1) {
            first = i;
        }

        r->away[i] = away ? r->away[i] + 1 : 0;
    }

    for (i = 0, away = 0; i < r->worker->records; i++) {
        away |= r->away[i] > CW_RECORD_AWAY_TICKS;
    }

    /* who said it takes it back, too */

    if (away && !r->told_away && first == r->number) {
        cw_record_journal_alert(r, "volume_away", "critical", NULL,
                                "a volume for recordings is not there");
        r->told_away = 1;

    } else if (!away && r->told_away) {
        cw_record_journal_calm(r, "volume_away", NULL);
        r->told_away = 0;
    }
}


static void
cw_record_rest(cw_record_t *r, int64_t msec)
{
    int64_t          spent;
    struct timespec  ts;

    spent = cam_clock_monotonic_msec() - r->now_msec;
    msec = spent < msec ? msec - spent : 1;

    ts.tv_sec = msec / 1000;
    ts.tv_nsec = msec % 1000 * 1000000;
    (void) nanosleep(&ts, NULL);
}
