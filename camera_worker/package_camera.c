/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * One camera of the package role: its ring is opened, read to its head on
 * each tick, followed to its successor and left; the frames go to a stream.
 *
 * Nothing found in a ring is believed: cam_ring_read() checks bounds, codec
 * headers are parsed before libavformat sees them.
 */

#include <errno.h>
#include <stdlib.h>

#include "count.h"
#include "log.h"
#include "package.h"

#define CW_PACKAGE_TURN_BYTES    (4u << 20)   /* of one camera in a tick */
#define CW_PACKAGE_LINGER_MSEC   60000
#define CW_PACKAGE_RETRY_MSEC    1000
#define CW_PACKAGE_STUCK_MSEC    1000     /* superseded, and not closed */


static int cw_package_open_stream(cw_package_t *p, cw_package_camera_t *c);
static int cw_package_resume(cw_package_t *p, cw_package_camera_t *c);
static void cw_package_begin(cw_package_camera_t *c);
static void cw_package_configs(cw_package_camera_t *c);
static int cw_package_read_frame(cw_package_t *p, cw_package_camera_t *c,
    cam_frame_t *frame);
static int cw_package_grow(cw_package_t *p, size_t size);
static void cw_package_follow(cw_package_t *p, cw_package_camera_t *c);
static void cw_package_leave(cw_package_t *p, cw_package_camera_t *c);


int
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


void
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
    rc = cw_package_resume(p, c);

    if (rc == -1) {
        cam_ring_reader_close(ring);
        c->ring = NULL;
        c->retry_msec = p->now_msec + CW_PACKAGE_RETRY_MSEC / 4;
        return;
    }

    if (rc == 1) {
        cw_log(CW_LOG_INFO, 0, "publication %llu goes on",
               (unsigned long long) cam_ring_reader_generation(ring));
        return;
    }

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


/*
 * Goes on behind what our predecessor has packaged: 1, 0 when that cannot be,
 * or -1 when it cannot be told now.  The frame that comes may be what killed
 * it, again and again: the second time all is left out up to a key frame, for
 * the third shuts the camera out.
 */

static int
cw_package_resume(cw_package_t *p, cw_package_camera_t *c)
{
    int                      rc;
    const cam_ring_place_t  *place;

    place = cw_stream_place(c->stream);

    if (place == NULL) {
        return 0;
    }

    rc = cam_ring_reader_seek(c->ring, place);

    if (rc != 1) {
        if (rc == 0
            && place->generation == cam_ring_reader_generation(c->ring))
        {
            cw_log(CW_LOG_WARN, 0, "too late, frames before the newest key "
                   "frame are lost");
        }

        return rc;
    }

    cw_package_configs(c);

    rc = cw_stream_resume(c->stream, cam_ring_reader_generation(c->ring),
                          cw_blame_crashes(p->worker->blame, c->camera,
                                           p->now_msec) > 1);

    return rc == 0;
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


void
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
            cw_count(CAM_METRIC_PACKAGE_LOST_FRAMES, frame.lost);
            cw_stream_lost(c->stream, frame.lost);
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

void
cw_package_work(cw_package_t *p, const cw_package_camera_t *c)
{
    uint64_t  generation;

    generation = (c->ring != NULL) ? cam_ring_reader_generation(c->ring) : 0;

    cw_blame_begin(p->worker->blame, p->child, c->camera, generation);
    cw_log_set_camera(c->camera);
}


void
cw_package_rest(cw_package_t *p)
{
    cw_log_set_camera(NULL);
    cw_blame_end(p->worker->blame, p->child);
}
