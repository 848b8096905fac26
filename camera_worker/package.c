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
 *   idle     no publication that is not done with     [cw_package_look]
 *   live     its ring is read, its stream is ON       [cw_package_join]
 *   lingering  the publication ended; the stream is kept for a minute, so
 *            that a reconnect goes on with its timeline [cw_package_leave]
 *
 * Nothing found in a ring is believed: cam_ring_read() checks bounds, codec
 * headers are parsed before libavformat sees them.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "clock.h"
#include "log.h"
#include "registry.h"
#include "ring.h"
#include "stream.h"
#include "sweep.h"
#include "worker.h"

#define CW_PACKAGE_TICK_MSEC     20
#define CW_PACKAGE_LOOK_TICKS    5        /* all slots are seen in 100 ms */
#define CW_PACKAGE_BUFFER        (256u << 10)
#define CW_PACKAGE_TURN_BYTES    (4u << 20)   /* of one camera in a tick */
#define CW_PACKAGE_LINGER_MSEC   60000
#define CW_PACKAGE_RETRY_MSEC    1000
#define CW_PACKAGE_STUCK_MSEC    1000     /* superseded, and not closed */
#define CW_PACKAGE_CHECK_MSEC    5000     /* is the registry still the same? */
#define CW_PACKAGE_SWEEP_MSEC    60000


typedef struct {
    uint8_t              camera[CAM_UUID_LEN];
    uint64_t             done;          /* generation that is over for us */
    uint64_t             shut;          /* generation shown as quarantined */
    cam_ring_reader_t   *ring;
    cw_stream_t         *stream;
    int64_t              read_msec;     /* of the last frame */
    int64_t              left_msec;
    int64_t              retry_msec;
    int                  said;          /* why the store cannot be opened */
} cw_package_camera_t;


typedef struct {
    cw_worker_t         *worker;
    int                  child;
    cam_registry_t      *registry;
    struct stat          registry_stat;
    cw_package_camera_t **slot;         /* by slot / children */
    unsigned             slots;
    unsigned             looked;        /* slots, where the scan stands */
    uint8_t             *buf;
    size_t               cap;
    int64_t              now_msec;
    int64_t              check_msec;
    int64_t              sweep_msec;
} cw_package_t;


static int cw_package_open_registry(cw_package_t *p);
static int cw_package_registry_is_ours(cw_package_t *p);
static void cw_package_tick(cw_package_t *p);
static void cw_package_look(cw_package_t *p, unsigned i);
static int cw_package_is_shut(cw_package_t *p, cw_package_camera_t *c,
    uint64_t generation);
static void cw_package_join(cw_package_t *p, cw_package_camera_t *c);
static int cw_package_open_stream(cw_package_t *p, cw_package_camera_t *c);
static void cw_package_begin(cw_package_camera_t *c);
static void cw_package_configs(cw_package_camera_t *c);
static void cw_package_read(cw_package_t *p, unsigned i);
static int cw_package_read_frame(cw_package_t *p, cw_package_camera_t *c,
    cam_frame_t *frame);
static int cw_package_grow(cw_package_t *p, size_t size);
static void cw_package_follow(cw_package_t *p, cw_package_camera_t *c);
static void cw_package_leave(cw_package_t *p, cw_package_camera_t *c);
static void cw_package_work(cw_package_t *p, const cw_package_camera_t *c);
static void cw_package_rest(cw_package_t *p);
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
    p.sweep_msec = next + CW_PACKAGE_CHECK_MSEC;

    while (!cw_quit) {
        p.now_msec = cam_clock_monotonic_msec();
        cw_blame_alive(worker->blame, child, p.now_msec);

        if (p.registry == NULL && cw_package_open_registry(&p) == -1) {
            cw_package_sleep(p.now_msec + 10 * CW_PACKAGE_TICK_MSEC);
            continue;
        }

        if (!cw_package_registry_is_ours(&p)) {
            cw_log(CW_LOG_INFO, 0, "the registry was replaced, starting anew");
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


/* it is made by nginx, which may start after us */

static int
cw_package_open_registry(cw_package_t *p)
{
    cam_registry_info_t  info;

    if (fstatat(p->worker->shm_fd, "registry", &p->registry_stat, 0) == -1) {
        return -1;
    }

    p->registry = cam_registry_open(p->worker->shm, 0, 0);

    if (p->registry == NULL) {

        if (p->check_msec < p->now_msec) {
            cw_log(CW_LOG_CRIT, errno, "cam_registry_open(\"%s\") failed",
                   p->worker->shm);
            p->check_msec = p->now_msec + CW_PACKAGE_SWEEP_MSEC;
        }

        return -1;
    }

    p->check_msec = p->now_msec + CW_PACKAGE_CHECK_MSEC;

    cam_registry_info(p->registry, &info);

    p->slots = (info.capacity + p->worker->children - 1 - p->child)
               / p->worker->children;
    p->slot = calloc(p->slots + 1, sizeof(cw_package_camera_t *));
    p->cap = CW_PACKAGE_BUFFER;
    p->buf = malloc(p->cap);

    if (p->slot == NULL || p->buf == NULL) {
        cw_log(CW_LOG_CRIT, errno, "malloc() failed");
        exit(1);
    }

    cw_log(CW_LOG_INFO, 0, "serving %u of %u slots", p->slots, info.capacity);

    return 0;
}


static int
cw_package_registry_is_ours(cw_package_t *p)
{
    struct stat  st;

    if (p->now_msec < p->check_msec) {
        return 1;
    }

    p->check_msec = p->now_msec + CW_PACKAGE_CHECK_MSEC;

    return fstatat(p->worker->shm_fd, "registry", &st, 0) == -1
           || (st.st_ino == p->registry_stat.st_ino
               && st.st_dev == p->registry_stat.st_dev);
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

    if (p->child == 0 && p->now_msec >= p->sweep_msec) {
        p->sweep_msec = p->now_msec + CW_PACKAGE_SWEEP_MSEC;
        cw_sweep(p->worker->live_fd, p->registry);
    }
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
    state = cam_registry_state(p->registry, slot);
    generation = __atomic_load_n(&state->generation, __ATOMIC_ACQUIRE);

    if (generation == 0
        || generation == __atomic_load_n(&state->ended_generation,
                                         __ATOMIC_RELAXED)
        || (c != NULL && (generation == c->done
                          || p->now_msec < c->retry_msec)))
    {
        return;
    }

    if (cam_registry_get(p->registry, slot, &entry) == -1) {
        return;
    }

    if (c == NULL) {
        c = calloc(1, sizeof(cw_package_camera_t));

        if (c == NULL) {
            return;
        }

        p->slot[i] = c;
    }

    /* the slot may be another camera's by now */

    if (memcmp(c->camera, entry.camera, CAM_UUID_LEN) != 0) {

        if (c->stream != NULL) {
            cw_stream_destroy(c->stream);
        }

        memset(c, 0, sizeof(cw_package_camera_t));
        memcpy(c->camera, entry.camera, CAM_UUID_LEN);
    }

    if (!cw_package_is_shut(p, c, generation)) {
        cw_package_work(p, c);
        cw_package_join(p, c);
        cw_package_rest(p);
    }
}


static int
cw_package_is_shut(cw_package_t *p, cw_package_camera_t *c,
    uint64_t generation)
{
    cw_store_t  store;

    if (!cw_blame_quarantined(p->worker->blame, c->camera, generation,
                              p->now_msec))
    {
        return 0;
    }

    if (c->shut == generation) {
        return 1;
    }

    c->shut = generation;

    cw_log_set_camera(c->camera);
    cw_log(CW_LOG_ALERT, 0, "in quarantine after repeated crashes, "
           "its stream is not packaged");

    if (c->stream != NULL) {
        cw_stream_destroy(c->stream);
        c->stream = NULL;
    }

    if (cw_store_open(&store, p->worker->live_fd, c->camera) == 0) {
        cw_store_state(&store, CAM_LIVE_QUARANTINED, CAM_REASON_QUARANTINED);
        cw_store_close(&store);
    }

    cw_log_set_camera(NULL);

    return 1;
}


static void
cw_package_join(cw_package_t *p, cw_package_camera_t *c)
{
    int                 rc;
    cam_ring_reader_t  *ring;

    rc = cam_ring_reader_open(&ring, p->worker->rings_fd, c->camera);

    if (rc == CAM_RING_ERROR) {
        cw_log(CW_LOG_WARN, errno, "cam_ring_reader_open() failed");
        c->retry_msec = p->now_msec + CW_PACKAGE_RETRY_MSEC;
    }

    if (rc != CAM_RING_OK) {
        return;
    }

    /* what a worker left that died: the link still names its ring */

    if (cam_ring_reader_generation(ring) <= c->done
        || cw_package_open_stream(p, c) == -1)
    {
        cam_ring_reader_close(ring);
        return;
    }

    c->ring = ring;

    /* after a restart of ours: what it holds was packaged by our predecessor */

    if (c->done == 0 && !cam_ring_writer_alive(ring)) {
        cw_package_leave(p, c);
        return;
    }

    cw_package_begin(c);

    cw_log(CW_LOG_INFO, 0, "publication %llu began",
           (unsigned long long) cam_ring_reader_generation(ring));
}


static int
cw_package_open_stream(cw_package_t *p, cw_package_camera_t *c)
{
    if (c->stream != NULL) {
        return 0;
    }

    c->stream = cw_stream_create(p->worker->live_fd, c->camera);

    if (c->stream != NULL) {
        c->said = 0;
        return 0;
    }

    c->retry_msec = p->now_msec + CW_PACKAGE_RETRY_MSEC / 4;

    if (errno != c->said) {
        c->said = errno;
        cw_log(CW_LOG_CRIT, errno, "cannot open the live store, trying on");
    }

    return -1;
}


static void
cw_package_begin(cw_package_camera_t *c)
{
    cw_stream_begin(c->stream, cam_ring_reader_generation(c->ring));
    cw_package_configs(c);
}


static void
cw_package_configs(cw_package_camera_t *c)
{
    int      i;
    size_t   size;
    uint8_t  config[CAM_RING_CONFIG_MAX];

    for (i = 0; i < CAM_TRACKS; i++) {
        size = cam_ring_config(c->ring, i, config);

        if (size) {
            cw_stream_config(c->stream, i, config, size);
        }
    }
}


static void
cw_package_read(cw_package_t *p, unsigned i)
{
    int                   rc;
    size_t                bytes;
    cam_frame_t           frame;
    cw_package_camera_t  *c;

    c = p->slot[i];

    if (c->ring == NULL) {

        if (c->stream != NULL
            && p->now_msec - c->left_msec > CW_PACKAGE_LINGER_MSEC)
        {
            cw_stream_destroy(c->stream);
            c->stream = NULL;
        }

        return;
    }

    cw_package_work(p, c);

    for (bytes = 0; bytes < CW_PACKAGE_TURN_BYTES; bytes += frame.size) {
        rc = cw_package_read_frame(p, c, &frame);

        if (rc == CAM_RING_OK) {
            cw_stream_frame(c->stream, &frame, p->buf);
            c->read_msec = p->now_msec;
            continue;
        }

        if (rc == CAM_RING_OVERRUN) {
            cw_log(CW_LOG_WARN, 0, "too slow, %llu frames lost",
                   (unsigned long long) frame.lost);
            cw_stream_lost(c->stream);
            cw_package_configs(c);
            frame.size = 0;
            continue;
        }

        break;
    }

    cw_stream_tick(c->stream, p->now_msec);

    if (rc == CAM_RING_CLOSED) {
        cw_package_follow(p, c);

    } else if (rc == CAM_RING_ERROR) {
        cw_log(CW_LOG_ALERT, errno, "cam_ring_read() failed");
        cw_package_leave(p, c);

    } else if (rc == CAM_RING_AGAIN
               && p->now_msec - c->read_msec > CW_PACKAGE_STUCK_MSEC)
    {
        cw_package_follow(p, c);
    }

    cw_package_rest(p);
}


static int
cw_package_read_frame(cw_package_t *p, cw_package_camera_t *c,
    cam_frame_t *frame)
{
    int  rc;

    rc = cam_ring_read(c->ring, frame, p->buf, p->cap);

    if (rc == CAM_RING_TOOBIG) {

        if (cw_package_grow(p, frame->size) == -1) {
            return CAM_RING_ERROR;
        }

        rc = cam_ring_read(c->ring, frame, p->buf, p->cap);
    }

    return rc;
}


static int
cw_package_grow(cw_package_t *p, size_t size)
{
    uint8_t  *buf;

    if (size > CAM_RING_SIZE_MAX) {
        errno = EBADMSG;
        return -1;
    }

    buf = realloc(p->buf, size);
    if (buf == NULL) {
        return -1;
    }

    p->buf = buf;
    p->cap = size;

    return 0;
}


/*
 * The ring is at its end, or silent: a successor takes its place, even when
 * the writer of the old one hangs.  No successor and no writer: it is over.
 */

static void
cw_package_follow(cw_package_t *p, cw_package_camera_t *c)
{
    int  rc, alive, continued;

    alive = cam_ring_writer_alive(c->ring);
    rc = cam_ring_reader_follow(&c->ring, p->worker->rings_fd, &continued);

    c->read_msec = p->now_msec;

    if (rc != CAM_RING_OK) {
        if (!alive) {
            cw_package_leave(p, c);
        }

        return;
    }

    if (continued) {
        cw_stream_continue(c->stream, cam_ring_reader_generation(c->ring));
        return;
    }

    cw_package_begin(c);

    cw_log(CW_LOG_INFO, 0, "publication %llu took over",
           (unsigned long long) cam_ring_reader_generation(c->ring));
}


static void
cw_package_leave(cw_package_t *p, cw_package_camera_t *c)
{
    c->done = cam_ring_reader_generation(c->ring);
    c->left_msec = p->now_msec;

    cw_stream_end(c->stream);
    cam_ring_reader_close(c->ring);
    c->ring = NULL;

    cw_log(CW_LOG_INFO, 0, "publication %llu ended",
           (unsigned long long) c->done);
}


/* from here to rest a crash is put down to this camera */

static void
cw_package_work(cw_package_t *p, const cw_package_camera_t *c)
{
    uint64_t  generation;

    generation = (c->ring != NULL) ? cam_ring_reader_generation(c->ring) : 0;

    cw_blame_begin(p->worker->blame, p->child, c->camera, generation);
    cw_log_set_camera(c->camera);
}


static void
cw_package_rest(cw_package_t *p)
{
    cw_log_set_camera(NULL);
    cw_blame_end(p->worker->blame, p->child);
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

    if (p->registry != NULL) {
        cam_registry_close(p->registry);
    }

    free(p->slot);
    free(p->buf);
}
