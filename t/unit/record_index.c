/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for the index of a recording: what is written is read, a torn tail
 * ends the list, damage is seen, and a time is found.
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "record_index.h"

#define INIT   700
#define WALL   INT64_C(1764165600000)


static int  fd;


static int
make_file(void **state)
{
    char               path[] = "/tmp/record-index-XXXXXX";
    cam_record_head_t  head;

    fd = mkstemp(path);

    if (fd == -1) {
        return -1;
    }

    (void) unlink(path);

    memset(&head, 0, sizeof(head));
    memset(head.camera, 1, CAM_UUID_LEN);
    memset(head.recording, 2, CAM_UUID_LEN);
    memset(head.volume, 3, CAM_UUID_LEN);
    head.start_msec = WALL;
    head.init_size = INIT;
    head.segment_sec = 3600;
    head.width = 1280;
    head.height = 720;
    head.has_video = 1;
    head.has_audio = 1;
    strcpy(head.codecs, "avc1.64001f,mp4a.40.2");

    return cam_record_head_write(fd, &head);
}


static int
close_file(void **state)
{
    return close(fd);
}


/* number n: half a second of 1000 bytes */

static cam_record_fragment_t
fragment(uint32_t n)
{
    cam_record_fragment_t  f;

    memset(&f, 0, sizeof(f));
    f.offset = INIT + n * 1000;
    f.size = 1000;
    f.wall_msec = WALL + n * 500;
    f.time_usec = n * INT64_C(500000);
    f.duration_usec = 500000;
    f.msn = 1000 + n / 4;
    f.part = n % 4;
    f.flags = n % 4 == 0 ? CAM_RECORD_KEY|CAM_RECORD_SEGMENT : 0;

    return f;
}


static void
append(uint32_t first, uint32_t n)
{
    uint32_t               i;
    cam_record_fragment_t  f[256];

    for (i = 0; i < n; i++) {
        f[i] = fragment(first + i);
    }

    assert_int_equal(cam_record_append(fd, first, f, n), 0);
}


static void
spoil(off_t at)
{
    uint8_t  byte;

    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}


static void
head_is_read_as_written(void **state)
{
    cam_record_head_t  head;

    assert_int_equal(cam_record_head_read(fd, &head), 0);
    assert_int_equal(head.camera[15], 1);
    assert_int_equal(head.recording[15], 2);
    assert_int_equal(head.volume[15], 3);
    assert_true(head.start_msec == WALL);
    assert_int_equal(head.init_size, INIT);
    assert_int_equal(head.segment_sec, 3600);
    assert_int_equal(head.width, 1280);
    assert_int_equal(head.height, 720);
    assert_true(head.has_video && head.has_audio);
    assert_string_equal(head.codecs, "avc1.64001f,mp4a.40.2");
}


static void
make_encrypted(cam_record_head_t *head)
{
    assert_int_equal(cam_record_head_read(fd, head), 0);
    head->cipher = CAM_RECORD_AES_CTR;
    strcpy(head->kid, "r_1-A");
    memset(head->wrapped, 7, CAM_RECORD_WRAPPED);
}


static void
encrypted_head_is_another_layout(void **state)
{
    uint32_t           layout;
    cam_record_head_t  head;

    /* one that is plain is what it always was */

    assert_int_equal(pread(fd, &layout, 4, 8), 4);
    assert_int_equal(layout, 1);
    assert_int_equal(cam_record_head_read(fd, &head), 0);
    assert_int_equal(head.cipher, 0);

    make_encrypted(&head);
    assert_int_equal(cam_record_head_write(fd, &head), 0);
    assert_int_equal(pread(fd, &layout, 4, 8), 4);
    assert_int_equal(layout, 2);

    memset(&head, 0, sizeof(head));
    assert_int_equal(cam_record_head_read(fd, &head), 0);
    assert_int_equal(head.cipher, CAM_RECORD_AES_CTR);
    assert_string_equal(head.kid, "r_1-A");
    assert_int_equal(head.wrapped[0], 7);
    assert_int_equal(head.wrapped[CAM_RECORD_WRAPPED - 1], 7);
    assert_string_equal(head.codecs, "avc1.64001f,mp4a.40.2");
}


static void
encrypted_head_is_looked_at(void **state)
{
    cam_record_head_t  head;

    make_encrypted(&head);
    head.cipher = 2;
    assert_int_equal(cam_record_head_write(fd, &head), 0);
    assert_int_equal(cam_record_head_read(fd, &head), -1);
    assert_int_equal(errno, EBADMSG);

    /* the name of a key is logged */

    head.cipher = CAM_RECORD_AES_CTR;
    strcpy(head.kid, "r\n1");
    assert_int_equal(cam_record_head_write(fd, &head), 0);
    assert_int_equal(cam_record_head_read(fd, &head), -1);
    assert_int_equal(errno, EBADMSG);

    memset(head.kid, 'r', CAM_KID_MAX);
    assert_int_equal(cam_record_head_write(fd, &head), 0);
    assert_int_equal(cam_record_head_read(fd, &head), -1);
    assert_int_equal(errno, EBADMSG);
}


static void
damaged_head_is_refused(void **state)
{
    off_t              at;
    cam_record_head_t  head;

    for (at = 0; at < CAM_RECORD_HEAD_SIZE; at++) {
        spoil(at);
        assert_int_equal(cam_record_head_read(fd, &head), -1);
        assert_int_equal(errno, at >= 8 && at < 12 ? ENOTSUP
                                : at < 16 ? EPROTO : EBADMSG);
        spoil(at);
    }

    assert_int_equal(ftruncate(fd, CAM_RECORD_HEAD_SIZE - 1), 0);
    assert_int_equal(cam_record_head_read(fd, &head), -1);
    assert_int_equal(errno, EPROTO);
}


static void
fragments_are_read_as_written(void **state)
{
    uint32_t               i;
    cam_record_fragment_t  f[256], one;

    assert_int_equal(cam_record_count(fd), 0);
    assert_int_equal(cam_record_fragments(fd, 0, f, 256), 0);

    append(0, 200);
    append(200, 1);

    assert_int_equal(cam_record_count(fd), 201);
    assert_int_equal(cam_record_fragments(fd, 0, f, 256), 201);
    assert_int_equal(cam_record_fragments(fd, 100, f, 256), 101);
    assert_int_equal(cam_record_fragments(fd, 100, f, 10), 10);
    assert_int_equal(cam_record_fragments(fd, 201, f, 256), 0);

    assert_int_equal(cam_record_fragments(fd, 0, f, 256), 201);

    for (i = 0; i < 201; i++) {
        one = fragment(i);
        assert_memory_equal(&f[i], &one, offsetof(cam_record_fragment_t, crc));
    }
}


static void
torn_tail_ends_the_list(void **state)
{
    int                    cut;
    cam_record_fragment_t  f[256];

    append(0, 130);

    for (cut = 1; cut <= CAM_RECORD_FRAGMENT_SIZE; cut++) {
        assert_int_equal(ftruncate(fd, CAM_RECORD_HEAD_SIZE
                                       + 130 * CAM_RECORD_FRAGMENT_SIZE - cut),
                         0);
        assert_int_equal(cam_record_count(fd), 129);
        assert_int_equal(cam_record_fragments(fd, 0, f, 256), 129);
    }

    /* a tail of nothing, as a file system may leave it */

    assert_int_equal(ftruncate(fd, CAM_RECORD_HEAD_SIZE
                                   + 400 * CAM_RECORD_FRAGMENT_SIZE + 7), 0);
    assert_int_equal(cam_record_count(fd), 129);
    assert_int_equal(cam_record_fragments(fd, 100, f, 256), 29);

    /* is overwritten by the next */

    append(129, 2);
    assert_int_equal(cam_record_count(fd), 131);
}


static void
damaged_fragment_ends_the_list(void **state)
{
    int                    i;
    cam_record_fragment_t  f[256];

    append(0, 20);

    for (i = 0; i < CAM_RECORD_FRAGMENT_SIZE; i++) {
        spoil(CAM_RECORD_HEAD_SIZE + 7 * CAM_RECORD_FRAGMENT_SIZE + i);
        assert_int_equal(cam_record_fragments(fd, 0, f, 256), 7);
        assert_int_equal(cam_record_fragments(fd, 7, f, 256), 0);
        assert_int_equal(cam_record_fragments(fd, 8, f, 256), 12);
        spoil(CAM_RECORD_HEAD_SIZE + 7 * CAM_RECORD_FRAGMENT_SIZE + i);
    }

    assert_int_equal(cam_record_fragments(fd, 0, f, 256), 20);

    /* valid by itself, but not what follows */

    f[0] = fragment(9);
    assert_int_equal(cam_record_append(fd, 7, f, 1), 0);
    assert_int_equal(cam_record_fragments(fd, 0, f, 256), 7);

    f[0] = fragment(7);
    f[0].wall_msec = WALL;
    assert_int_equal(cam_record_append(fd, 7, f, 1), 0);
    assert_int_equal(cam_record_fragments(fd, 0, f, 256), 7);
}


static void
time_is_found(void **state)
{
    uint32_t  i;

    assert_int_equal(cam_record_find(fd, WALL), 0);

    append(0, 100);

    assert_int_equal(cam_record_find(fd, WALL - 1), 0);
    assert_int_equal(cam_record_find(fd, INT64_MIN), 0);
    assert_int_equal(cam_record_find(fd, INT64_MAX), 99);

    for (i = 0; i < 100; i++) {
        assert_int_equal(cam_record_find(fd, WALL + i * 500), i);
        assert_int_equal(cam_record_find(fd, WALL + i * 500 + 499), i);
    }
}


/* which after five days begins anew */

static void
live_time_is_the_nearest(void **state)
{
    size_t   i;
    int64_t  usec;

    static const int64_t  hours[] = { 0, 1, 50, 119, 120, 500, 10000 };

    for (i = 0; i < sizeof(hours) / sizeof(hours[0]); i++) {
        usec = hours[i] * 3600 * 1000000 + 1234500;

        assert_int_equal(cam_record_live_usec(cam_record_live_time(usec),
                                              usec), usec);
        assert_int_equal(cam_record_live_usec(cam_record_live_time(usec),
                                              usec + INT64_C(86400000000)),
                         usec);
        assert_int_equal(cam_record_live_usec(cam_record_live_time(usec),
                                              usec > INT64_C(86400000000)
                                              ? usec - INT64_C(86400000000)
                                              : 0),
                         usec);
    }

    /* a packager that was started anew, or whose time nobody knows */

    assert_int_equal(cam_record_live_usec(cam_record_live_time(5000000), 0),
                     5000000);
    assert_int_equal(cam_record_live_usec(0, 5000000), 0);
    assert_int_equal(cam_record_live_time(0), 1);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(head_is_read_as_written,
                                        make_file, close_file),
        cmocka_unit_test_setup_teardown(encrypted_head_is_another_layout,
                                        make_file, close_file),
        cmocka_unit_test_setup_teardown(encrypted_head_is_looked_at,
                                        make_file, close_file),
        cmocka_unit_test_setup_teardown(damaged_head_is_refused,
                                        make_file, close_file),
        cmocka_unit_test_setup_teardown(fragments_are_read_as_written,
                                        make_file, close_file),
        cmocka_unit_test_setup_teardown(torn_tail_ends_the_list,
                                        make_file, close_file),
        cmocka_unit_test_setup_teardown(damaged_fragment_ends_the_list,
                                        make_file, close_file),
        cmocka_unit_test_setup_teardown(time_is_found, make_file, close_file),
        cmocka_unit_test(live_time_is_the_nearest),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
