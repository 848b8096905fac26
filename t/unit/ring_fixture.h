/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What the ring's tests share: a private rings/ on tmpfs, and frames whose
 * bytes follow from a number, so that each reader can check each byte.
 */

#ifndef CAM_RING_FIXTURE_H
#define CAM_RING_FIXTURE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ring_writer.h"

#define UNUSED           __attribute__((unused))

#define RING_TEST(test)                                                       \
    cmocka_unit_test_setup_teardown(test, rings_setup, rings_teardown)


static char      rings[64];
static int       rings_fd = -1;
static uint8_t   data[1 << 20];

static const uint8_t  camera[CAM_UUID_LEN] = "ring test camera";


static UNUSED int
rings_setup(void **state)
{
    snprintf(rings, sizeof(rings), "%s/camera-ring-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");

    if (mkdtemp(rings) == NULL) {
        return -1;
    }

    rings_fd = open(rings, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return rings_fd == -1 ? -1 : 0;
}


/* fails when a test left a file or a link behind, and removes it */

static UNUSED int
rings_teardown(void **state)
{
    int             left;
    DIR            *dir;
    struct dirent  *entry;

    left = 0;
    dir = opendir(rings);

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.') {
            print_error("# left behind: %s\n", entry->d_name);
            unlinkat(rings_fd, entry->d_name, 0);
            left++;
        }
    }

    closedir(dir);
    close(rings_fd);

    return rmdir(rings) == -1 || left ? -1 : 0;
}


static UNUSED cam_ring_writer_t *
writer_open(uint64_t generation, uint32_t capacity)
{
    cam_ring_info_t     info;
    cam_ring_writer_t  *w;

    memset(&info, 0, sizeof(info));
    memcpy(info.camera, camera, CAM_UUID_LEN);
    info.generation = generation;
    info.capacity = capacity;

    assert_int_equal(cam_ring_writer_open(&w, rings_fd, &info), CAM_RING_OK);

    return w;
}


static UNUSED cam_ring_reader_t *
reader_open(void)
{
    cam_ring_reader_t  *r;

    assert_int_equal(cam_ring_reader_open(&r, rings_fd, camera), CAM_RING_OK);

    return r;
}


static UNUSED void
pattern(uint8_t *p, uint64_t number, size_t size)
{
    uint64_t  x;

    x = number * 0x9e3779b97f4a7c15ULL + 1;

    while (size--) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        *p++ = (uint8_t) x;
    }
}


/* writes one frame that carries number as its dts and in its bytes */

static UNUSED int
put(cam_ring_writer_t *w, uint64_t number, size_t size, int flags)
{
    cam_frame_t   frame;
    struct iovec  iov;

    static uint8_t  bytes[1 << 20];

    assert_true(size <= sizeof(bytes));
    pattern(bytes, number, size);

    memset(&frame, 0, sizeof(frame));
    frame.dts = (int64_t) number;
    frame.cts = -(int32_t) number;
    frame.wall_msec = (int64_t) (number << 20);
    frame.flags = (uint8_t) flags;

    iov.iov_base = bytes;
    iov.iov_len = size;

    return cam_ring_write(w, &frame, &iov, 1);
}


/* whether a frame and its bytes are what put() wrote */

static UNUSED int
intact(const cam_frame_t *frame, const uint8_t *bytes)
{
    static uint8_t  expected[1 << 20];

    pattern(expected, (uint64_t) frame->dts, frame->size);

    return frame->cts == -(int32_t) frame->dts
           && frame->wall_msec == frame->dts << 20
           && memcmp(bytes, expected, frame->size) == 0;
}


/* reads the next frame, which must be number's */

static UNUSED void
take(cam_ring_reader_t *r, uint64_t number, size_t size)
{
    cam_frame_t  frame;

    assert_int_equal(cam_ring_read(r, &frame, data, sizeof(data)),
                     CAM_RING_OK);
    assert_int_equal(frame.dts, number);
    assert_int_equal(frame.size, size);
    assert_true(intact(&frame, data));
}


static UNUSED int
next(cam_ring_reader_t *r)
{
    cam_frame_t  frame;

    return cam_ring_read(r, &frame, data, sizeof(data));
}


static UNUSED void
put_config(cam_ring_writer_t *w, int track, const char *text)
{
    cam_frame_t   frame;
    struct iovec  iov;

    memset(&frame, 0, sizeof(frame));
    frame.track = (uint8_t) track;
    frame.flags = CAM_FRAME_CONFIG;

    iov.iov_base = (void *) text;
    iov.iov_len = strlen(text);

    assert_int_equal(cam_ring_write(w, &frame, &iov, 1), CAM_RING_OK);
}


static UNUSED void
assert_config(cam_ring_reader_t *r, int track, const char *text)
{
    char    config[CAM_RING_CONFIG_MAX];
    size_t  size;

    size = cam_ring_config(r, track, config);

    assert_int_equal(size, strlen(text));
    assert_memory_equal(config, text, size);
}


/* what a reader that joins now gets first; nothing when it knows no key
   frame */

static UNUSED int
join_sees(void)
{
    int                 rc;
    cam_ring_reader_t  *r;

    r = reader_open();
    rc = next(r);
    cam_ring_reader_close(r);

    return rc;
}


/* what the mapped file says, for tests of moments that last microseconds */

static UNUSED void
poke(uint64_t generation, size_t offset, uint64_t value)
{
    int   fd;
    char  name[CAM_RING_NAME];

    fd = openat(rings_fd, cam_ring_name(name, camera, generation), O_RDWR);
    assert_int_not_equal(fd, -1);
    assert_int_equal(pwrite(fd, &value, 8, (off_t) offset), 8);
    close(fd);
}


#endif /* CAM_RING_FIXTURE_H */
