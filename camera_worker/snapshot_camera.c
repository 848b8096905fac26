/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * One camera of the snapshot role: its newest key frame out of the ring, and
 * its files.  The ring is opened for each frame and closed again, so that
 * nothing is held of a camera that nobody looks at.
 *
 * A file is made under another name and renamed.  Full shared memory costs the
 * picture and is said once.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "codec_headers.h"
#include "count.h"
#include "log.h"
#include "picture.h"
#include "snapshot.h"

#define CW_SNAPSHOT_TMP       ".snapshot"
#define CW_SNAPSHOT_TRIES     4           /* a ring that goes too fast */
#define CW_SNAPSHOT_OLD_MSEC  3600000     /* no true time of a live frame */


static int cw_snapshot_key_frame(cam_ring_reader_t *ring, cam_frame_t *frame,
    uint8_t *data);
static int cw_snapshot_is_usable(const cw_exchange_t *x);
static int64_t cw_snapshot_time(int64_t wall_msec);
static int cw_snapshot_has_dir(cw_snapshot_t *s, const uint8_t *camera);
static int cw_snapshot_dir(cw_snapshot_t *s, const uint8_t *camera);
static int cw_snapshot_put(int dirfd, const char *name,
    const struct timespec times[2], const uint8_t *data, size_t size);
static void cw_snapshot_times(struct timespec times[2],
    const cw_snapshot_frame_t *frame);
static void cw_snapshot_failed(cw_snapshot_t *s, int err);


cw_snapshot_rc_e
cw_snapshot_read(cw_snapshot_t *s, cw_snapshot_camera_t *c,
    cw_snapshot_frame_t *frame)
{
    int                 rc;
    cam_frame_t         record;
    cw_exchange_t      *x;
    cam_ring_reader_t  *ring;

    x = s->worker->exchange;

    if (!cw_snapshot_has_dir(s, c->camera)
        || cam_ring_reader_open(&ring, s->worker->rings_fd, c->camera)
           != CAM_RING_OK)
    {
        return CW_SNAPSHOT_NOTHING;
    }

    rc = CAM_RING_AGAIN;

    if (cam_ring_writer_alive(ring)) {
        rc = cw_snapshot_key_frame(ring, &record, x->frame);
        x->config_size = cam_ring_config(ring, CAM_TRACK_VIDEO, x->config);
    }

    frame->generation = cam_ring_reader_generation(ring);
    cam_ring_reader_close(ring);

    if (rc == CAM_RING_TOOBIG) {
        x->config_size = 0;

    } else if (rc != CAM_RING_OK) {
        return CW_SNAPSHOT_NOTHING;
    }

    x->frame_size = record.size;
    frame->seq = record.seq;
    frame->wall_msec = cw_snapshot_time(record.wall_msec);

    return cw_snapshot_is_usable(x) ? CW_SNAPSHOT_DECODE
                                    : CW_SNAPSHOT_UNUSABLE;
}


/* a reader stands at the newest one when it was opened, or overrun */

static int
cw_snapshot_key_frame(cam_ring_reader_t *ring, cam_frame_t *frame,
    uint8_t *data)
{
    int  i, rc;

    rc = CAM_RING_AGAIN;

    for (i = 0; i < CW_SNAPSHOT_TRIES; i++) {
        rc = cam_ring_read(ring, frame, data, CW_EXCHANGE_FRAME_MAX);

        if (rc != CAM_RING_OVERRUN) {
            break;
        }
    }

    if (rc != CAM_RING_OK && rc != CAM_RING_TOOBIG) {
        return CAM_RING_AGAIN;
    }

    return frame->track == CAM_TRACK_VIDEO
           && (frame->flags & (CAM_FRAME_KEY|CAM_FRAME_CONFIG))
              == CAM_FRAME_KEY
           ? rc : CAM_RING_AGAIN;
}


/* what need not be tried: it cannot be decoded, or would be too large */

static int
cw_snapshot_is_usable(const cw_exchange_t *x)
{
    cam_h264_config_t  h264;

    return x->config_size != 0
           && cam_h264_parse_config(&h264, x->config, x->config_size) == 0
           && h264.width <= CW_PICTURE_SIDE_MAX
           && h264.height <= CW_PICTURE_SIDE_MAX
           && cam_h264_check_frame(&h264, x->frame, x->frame_size) == 0;
}


static int64_t
cw_snapshot_time(int64_t wall_msec)
{
    int64_t  now;

    now = cam_clock_wall_msec();

    return wall_msec > now || wall_msec < now - CW_SNAPSHOT_OLD_MSEC
           ? now : wall_msec;
}


int
cw_snapshot_keep(cw_snapshot_t *s, cw_snapshot_camera_t *c, unsigned n,
    const cw_snapshot_frame_t *frame)
{
    int               rc, dirfd;
    char              name[CAM_SNAPSHOT_NAME_MAX];
    struct timespec   times[2];

    if (c->shown[n].generation != frame->generation
        || c->shown[n].seq != frame->seq)
    {
        return 0;
    }

    dirfd = cw_snapshot_dir(s, c->camera);

    if (dirfd == -1) {
        return 0;
    }

    cw_snapshot_times(times, &c->shown[n]);

    rc = utimensat(dirfd, cam_snapshot_name(name, n), times,
                   AT_SYMLINK_NOFOLLOW);
    close(dirfd);

    if (rc == -1) {
        return 0;
    }

    c->kept_msec[n] = s->now_msec;

    return 1;
}


void
cw_snapshot_write(cw_snapshot_t *s, cw_snapshot_camera_t *c, unsigned n,
    const cw_snapshot_frame_t *frame, const uint8_t *data, size_t size)
{
    int               rc, err, dirfd;
    char              name[CAM_SNAPSHOT_NAME_MAX];
    struct timespec   times[2];

    c->shown[n].generation = 0;
    c->kept_msec[n] = s->now_msec;

    dirfd = cw_snapshot_dir(s, c->camera);

    if (dirfd == -1) {
        return;
    }

    cw_snapshot_times(times, frame);

    rc = cw_snapshot_put(dirfd, cam_snapshot_name(name, n), times, data, size);
    err = errno;
    close(dirfd);

    if (rc == -1) {
        cw_snapshot_failed(s, err);
        return;
    }

    c->shown[n] = *frame;

    if (s->full) {
        cw_log(CW_LOG_INFO, 0, "shared memory has room for snapshots again");
        s->full = 0;
    }
}


/* the packager makes it, when a camera begins */

static int
cw_snapshot_has_dir(cw_snapshot_t *s, const uint8_t *camera)
{
    int  dirfd;

    dirfd = cw_snapshot_dir(s, camera);

    if (dirfd == -1) {
        return 0;
    }

    close(dirfd);

    return 1;
}


static int
cw_snapshot_dir(cw_snapshot_t *s, const uint8_t *camera)
{
    char  name[CAM_UUID_TEXT + 1];

    return openat(s->worker->live_fd, cam_uuid_print(name, camera),
                  O_RDONLY|O_DIRECTORY|O_CLOEXEC|O_NOFOLLOW);
}


static int
cw_snapshot_put(int dirfd, const char *name, const struct timespec times[2],
    const uint8_t *data, size_t size)
{
    int      fd, err;
    ssize_t  n;

    fd = openat(dirfd, CW_SNAPSHOT_TMP,
                O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC|O_NOFOLLOW, 0640);
    if (fd == -1) {
        return -1;
    }

    n = write(fd, data, size);
    err = (n == -1) ? errno : ENOSPC;

    (void) futimens(fd, times);
    close(fd);

    if (n == (ssize_t) size) {

        if (renameat(dirfd, CW_SNAPSHOT_TMP, dirfd, name) == 0) {
            cw_count(CAM_METRIC_SNAPSHOTS, 1);
            return 0;
        }

        err = errno;
    }

    unlinkat(dirfd, CW_SNAPSHOT_TMP, 0);
    errno = err;

    return -1;
}


/* the change time is the kernel's, whatever is set here */

static void
cw_snapshot_times(struct timespec times[2], const cw_snapshot_frame_t *frame)
{
    times[0].tv_sec = 0;
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_sec = frame->wall_msec / 1000;
    times[1].tv_nsec = frame->wall_msec % 1000 * 1000000;
}


static void
cw_snapshot_failed(cw_snapshot_t *s, int err)
{
    if (s->full) {
        return;
    }

    cw_log(err == ENOSPC ? CW_LOG_WARN : CW_LOG_CRIT, err,
           "snapshot not written, trying on");
    s->full = 1;
}
