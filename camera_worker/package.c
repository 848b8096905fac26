/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The package role: rings in, live store out, for every n-th slot of the
 * registry.  One thread, no blocking call, a tick of 20 ms: on each, the rings
 * of live cameras are read to their heads, and a fifth of the slots is looked
 * at for publications that began.
 *
 * A camera here is
 *
 *   idle       no publication that is not done with    [cw_package_look]
 *   live       its ring is read, its stream is ON      [cw_package_join]
 *   lingering  the publication ended; the stream is kept for a minute, so
 *              that a reconnect goes on with its timeline [cw_package_leave]
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "log.h"
#include "package.h"
#include "sweep.h"

#define CW_PACKAGE_LOOK_TICKS    5        /* all slots are seen in 100 ms */
#define CW_PACKAGE_BUFFER        (256u << 10)
#define CW_PACKAGE_SWEEP_MSEC    60000
#define CW_PACKAGE_FIRST_MSEC    5000     /* sweep, after the start, and when
                                             cameras were changed */


static int cw_package_open(cw_package_t *p);
static void cw_package_tick(cw_package_t *p);
static void cw_package_sweep(cw_package_t *p);
static void cw_package_look(cw_package_t *p, unsigned i);
static cw_package_camera_t *cw_package_assign(cw_package_t *p, unsigned i,
    const uint8_t camera[CAM_UUID_LEN]);
static void cw_package_forget(cw_package_t *p, int slot,
    cw_package_camera_t *c);
static void cw_package_sleep(int64_t until_msec);
static void cw_package_close(cw_package_t *p);


int
cw_package_run(cw_worker_t *worker, int child)
{
    int64_t       next;
    cw_package_t  p;

    memset(&p, 0, sizeof(cw_package_t));
    p.worker = worker;
    p.child = child;

    next = cam_clock_monotonic_msec();
    p.sweep_msec = next + CW_PACKAGE_FIRST_MSEC;

    while (!cw_quit) {
        p.now_msec = cam_clock_monotonic_msec();
        cw_blame_alive(worker->blame, child, p.now_msec);

        if (p.roster.registry == NULL && cw_package_open(&p) == -1) {
            cw_package_sleep(p.now_msec + 10 * CW_PACKAGE_TICK_MSEC);
            continue;
        }

        if (!cw_roster_is_ours(&p.roster, worker, p.now_msec)) {
            break;
        }

        cw_package_tick(&p);

        next += CW_PACKAGE_TICK_MSEC;

        if (next < p.now_msec) {
            next = p.now_msec + CW_PACKAGE_TICK_MSEC;
        }

        cw_package_sleep(next);
    }

    cw_package_close(&p);

    return 0;
}


static int
cw_package_open(cw_package_t *p)
{
    if (cw_roster_open(&p->roster, p->worker, p->now_msec) == -1) {
        return -1;
    }

    p->slots = (p->roster.slots + p->worker->children - 1 - p->child)
               / p->worker->children;
    p->slot = calloc(p->slots + 1, sizeof(cw_package_camera_t *));
    p->cap = CW_PACKAGE_BUFFER;
    p->buf = malloc(p->cap);

    if (p->slot == NULL || p->buf == NULL) {
        cw_log(CW_LOG_CRIT, errno, "malloc() failed");
        exit(1);
    }

    cw_log(CW_LOG_INFO, 0, "serving %u of %u slots", p->slots,
           p->roster.slots);

    return 0;
}


static void
cw_package_tick(cw_package_t *p)
{
    unsigned  i, n;

    for (i = 0; i < p->slots; i++) {
        if (p->slot[i] != NULL) {
            cw_package_read(p, i);
        }
    }

    n = p->slots / CW_PACKAGE_LOOK_TICKS + 1;

    for (i = 0; i < n && p->slots; i++) {
        p->looked = (p->looked + 1) % p->slots;
        cw_package_look(p, p->looked);
    }

    if (p->child == 0) {
        cw_package_sweep(p);
    }
}


/* what a removed camera left is to be gone soon, whatever else may wait */

static void
cw_package_sweep(cw_package_t *p)
{
    cam_registry_info_t  info;

    if (p->now_msec < p->sweep_msec) {

        if (p->now_msec - p->swept_msec < CW_PACKAGE_FIRST_MSEC) {
            return;
        }

        cam_registry_info(p->roster.registry, &info);

        if (info.changes == p->swept_changes) {
            return;
        }

        p->swept_changes = info.changes;
    }

    p->swept_msec = p->now_msec;
    p->sweep_msec = p->now_msec + CW_PACKAGE_SWEEP_MSEC;

    cw_sweep(p->worker->live_fd, p->roster.registry);
}


/* has a publication begun in this slot? */

static void
cw_package_look(cw_package_t *p, unsigned i)
{
    int                    slot;
    uint64_t               generation;
    cam_registry_entry_t   entry;
    cam_registry_state_t  *state;
    cw_package_camera_t   *c;

    c = p->slot[i];

    if (c != NULL && c->ring != NULL) {
        return;
    }

    slot = i * p->worker->children + p->child;

    if (c != NULL && c->stream != NULL) {
        cw_package_forget(p, slot, c);
    }

    state = cam_registry_state(p->roster.registry, slot);
    generation = __atomic_load_n(&state->generation, __ATOMIC_ACQUIRE);

    if (generation == 0
        || generation == __atomic_load_n(&state->ended_generation,
                                         __ATOMIC_RELAXED)
        || (c != NULL && (generation == c->done
                          || p->now_msec < c->retry_msec)))
    {
        return;
    }

    if (cam_registry_get(p->roster.registry, slot, &entry) == -1) {
        return;
    }

    c = cw_package_assign(p, i, entry.camera);

    if (c != NULL && !cw_package_is_shut(p, c, generation)) {
        cw_package_work(p, c);
        cw_package_join(p, c);
        cw_package_rest(p);
    }
}


/* who was in the slot before may have been another camera; NULL: no memory */

static cw_package_camera_t *
cw_package_assign(cw_package_t *p, unsigned i,
    const uint8_t camera[CAM_UUID_LEN])
{
    cw_package_camera_t  *c;

    if (p->slot[i] == NULL) {
        p->slot[i] = calloc(1, sizeof(cw_package_camera_t));
    }

    c = p->slot[i];

    if (c != NULL && memcmp(c->camera, camera, CAM_UUID_LEN) != 0) {

        if (c->stream != NULL) {
            cw_stream_destroy(c->stream);
        }

        memset(c, 0, sizeof(cw_package_camera_t));
        memcpy(c->camera, camera, CAM_UUID_LEN);
    }

    return c;
}


/* a removed camera's store is let go, for the sweep to remove */

static void
cw_package_forget(cw_package_t *p, int slot, cw_package_camera_t *c)
{
    cam_registry_entry_t  entry;

    if (cam_registry_get(p->roster.registry, slot, &entry) == 0
        && memcmp(c->camera, entry.camera, CAM_UUID_LEN) == 0)
    {
        return;
    }

    cw_stream_destroy(c->stream);
    c->stream = NULL;
}


static void
cw_package_sleep(int64_t until_msec)
{
    struct timespec  ts;

    ts.tv_sec = until_msec / 1000;
    ts.tv_nsec = until_msec % 1000 * 1000000;

    (void) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}


/* the state of cameras stays as it is: somebody goes on with them */

static void
cw_package_close(cw_package_t *p)
{
    unsigned  i;

    for (i = 0; i < p->slots; i++) {

        if (p->slot[i] == NULL) {
            continue;
        }

        if (p->slot[i]->ring != NULL) {
            cam_ring_reader_close(p->slot[i]->ring);
        }

        if (p->slot[i]->stream != NULL) {
            cw_stream_destroy(p->slot[i]->stream);
        }

        free(p->slot[i]);
    }

    cw_roster_close(&p->roster);
    free(p->slot);
    free(p->buf);
}
