/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for the table of recordings: wishes and states of many cameras, what a
 * reader sees while a writer writes or dies, slots that change their camera,
 * and which volume a camera has.
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "record_table.h"

#define NOW     INT64_C(5000000)
#define READS   200000


static char                 dir[] = "/tmp/record-table-XXXXXX";
static char                 path[64];
static int                  livefd;
static cam_record_table_t  *writer;
static cam_record_table_t  *reader;


static int
make_dir(void **state)
{
    if (mkdtemp(dir) == NULL) {
        return -1;
    }

    snprintf(path, sizeof(path), "%s/live", dir);
    (void) mkdir(path, 0750);
    livefd = open(path, O_RDONLY|O_DIRECTORY);
    snprintf(path, sizeof(path), "%s/live/.records", dir);

    return livefd == -1 ? -1 : 0;
}


static int
remove_dir(void **state)
{
    char  live[64];

    snprintf(live, sizeof(live), "%s/live", dir);

    return rmdir(live) == 0 ? rmdir(dir) : -1;
}


static int
open_both(void **state)
{
    writer = cam_record_table_open(dir);
    reader = cam_record_table_reader_open(livefd);

    return writer != NULL && reader != NULL ? 0 : -1;
}


static int
close_both(void **state)
{
    cam_record_table_close(writer);
    cam_record_table_close(reader);

    return unlink(path);
}


static uint8_t *
camera(uint32_t n)
{
    static uint8_t  id[CAM_UUID_LEN];

    memset(id, 0, sizeof(id));
    memcpy(id + 12, &n, sizeof(n));

    return id;
}


static void
wish(uint32_t n, uint32_t want)
{
    cam_record_wish_t  w;

    memset(&w, 0, sizeof(w));
    w.want = want;
    w.from_msec = n;
    assert_int_equal(cam_record_wish_set(writer, camera(n), &w), 0);
}


static void
wishes_and_states_are_kept_apart(void **state)
{
    uint32_t            i, n;
    uint8_t             id[CAM_UUID_LEN];
    cam_record_wish_t   w;
    cam_record_state_t  s;

    assert_int_equal(cam_record_wish_get(reader, camera(7), &w), -1);
    assert_int_equal(errno, ENOENT);
    memset(&s, 0, sizeof(s));
    assert_int_equal(cam_record_state_set(writer, camera(7), &s), -1);
    assert_int_equal(errno, ENOENT);

    for (i = 0; i < 1000; i++) {
        wish(i, i % 2);
    }

    for (i = 0; i < 1000; i++) {
        s.bytes = i;
        s.state = CAM_RECORD_RECORDING;
        assert_int_equal(cam_record_state_set(writer, camera(i), &s), 0);
    }

    for (i = 0; i < 1000; i++) {
        assert_int_equal(cam_record_wish_get(reader, camera(i), &w), 0);
        assert_int_equal(w.want, i % 2);
        assert_int_equal(w.from_msec, i);
        assert_int_equal(cam_record_state_get(reader, camera(i), &s), 0);
        assert_int_equal(s.bytes, i);
    }

    for (i = 0, n = 0; i < CAM_RECORD_SLOTS; i++) {
        if (cam_record_wish_at(reader, i, id, &w)) {
            assert_memory_equal(id, camera(w.from_msec), CAM_UUID_LEN);
            n++;
        }
    }

    assert_int_equal(n, 1000);
}


static void
slot_is_given_on_when_nobody_needs_it(void **state)
{
    uint32_t            i;
    cam_record_wish_t   w;
    cam_record_state_t  s;

    for (i = 0; i < CAM_RECORD_SLOTS; i++) {
        wish(i, i != 5 && i != 6);
    }

    /* one that is not wanted any more, but still recorded, stays */

    memset(&s, 0, sizeof(s));
    s.state = CAM_RECORD_RECORDING;
    assert_int_equal(cam_record_state_set(writer, camera(5), &s), 0);

    wish(CAM_RECORD_SLOTS, 1);

    memset(&w, 0, sizeof(w));
    w.want = 1;
    assert_int_equal(cam_record_wish_set(writer, camera(CAM_RECORD_SLOTS + 1),
                                         &w), -1);
    assert_int_equal(errno, ENOSPC);

    assert_int_equal(cam_record_wish_get(reader, camera(6), &w), -1);
    assert_int_equal(cam_record_state_get(reader, camera(5), &s), 0);
    assert_int_equal(s.state, CAM_RECORD_RECORDING);

    for (i = 0; i <= CAM_RECORD_SLOTS; i++) {
        if (i != 6) {
            assert_int_equal(cam_record_wish_get(reader, camera(i), &w), 0);
            assert_int_equal(w.from_msec, i);
        }
    }

    /* the slot that changed its camera begins anew */

    assert_int_equal(cam_record_state_get(reader, camera(CAM_RECORD_SLOTS),
                                          &s), 0);
    assert_int_equal(s.state, CAM_RECORD_IDLE);
}


/* every word of a state is the same number */

static void
write_until_killed(void)
{
    uint64_t            n, *word;
    unsigned            i;
    cam_record_state_t  s;

    for (n = 0; ; n++) {
        word = (uint64_t *) &s;

        for (i = 0; i < sizeof(s) / 8; i++) {
            word[i] = n;
        }

        (void) cam_record_state_set(writer, camera(1), &s);
    }
}


static int
is_torn(const cam_record_state_t *s)
{
    unsigned         i;
    const uint64_t  *word;

    word = (const uint64_t *) s;

    for (i = 1; i < sizeof(*s) / 8; i++) {
        if (word[i] != word[0]) {
            return 1;
        }
    }

    return 0;
}


static void
reader_sees_whole_states(void **state)
{
    int                 i, round, status;
    pid_t               pid;
    cam_record_state_t  s;

    wish(1, 1);

    for (round = 0; round < 20; round++) {
        pid = fork();

        if (pid == 0) {
            write_until_killed();
        }

        for (i = 0; i < READS / 20; i++) {
            if (cam_record_state_get(reader, camera(1), &s) == 0) {
                assert_false(is_torn(&s));
            }
        }

        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);

        /* whatever it died in */

        assert_int_equal(cam_record_state_get(reader, camera(1), &s), 0);
        assert_false(is_torn(&s));
    }
}


static void
volume(unsigned n, cam_record_volume_e state, int64_t beat)
{
    cam_record_volume_t  v;

    memset(&v, 0, sizeof(v));
    memset(v.uuid, n + 1, CAM_UUID_LEN);
    v.state = state;
    v.beat_msec = beat;
    v.bytes_free = n;
    cam_record_volume_set(writer, n, &v);
    cam_record_volume_get(reader, n, &v);
    assert_int_equal(v.bytes_free, n);
}


static void
cameras_stay_on_their_volume(void **state)
{
    int       before[1000];
    uint32_t  i, count[3];

    assert_int_equal(cam_record_volume_of(reader, camera(1), NOW), -1);

    volume(0, CAM_RECORD_VOLUME_OK, NOW);
    volume(1, CAM_RECORD_VOLUME_LOW, NOW);
    volume(2, CAM_RECORD_VOLUME_OK, NOW);
    memset(count, 0, sizeof(count));

    for (i = 0; i < 1000; i++) {
        before[i] = cam_record_volume_of(reader, camera(i), NOW);
        assert_in_range(before[i], 0, 2);
        count[before[i]]++;
    }

    for (i = 0; i < 3; i++) {
        assert_in_range(count[i], 250, 420);
    }

    /* one is away, full, or does not beat: its cameras alone move */

    for (i = 0; i < 4000; i++) {

        volume(1, i < 1000 ? CAM_RECORD_VOLUME_AWAY
                  : i < 2000 ? CAM_RECORD_VOLUME_FULL
                  : i < 3000 ? CAM_RECORD_VOLUME_ERROR : CAM_RECORD_VOLUME_OK,
               i < 3000 ? NOW : NOW - CAM_RECORD_BEAT_MSEC - 1);

        if (before[i % 1000] == 1) {
            assert_int_not_equal(cam_record_volume_of(reader,
                                               camera(i % 1000), NOW), 1);
        } else {
            assert_int_equal(cam_record_volume_of(reader, camera(i % 1000),
                                                  NOW), before[i % 1000]);
        }
    }

    /* a sign of life a moment after we looked at the clock is one */

    volume(1, CAM_RECORD_VOLUME_OK, NOW + 20);

    for (i = 0; i < 1000; i++) {
        assert_int_equal(cam_record_volume_of(reader, camera(i), NOW),
                         before[i]);
    }

    /* all are full: somebody keeps the account */

    volume(0, CAM_RECORD_VOLUME_FULL, NOW);
    volume(1, CAM_RECORD_VOLUME_AWAY, NOW);
    volume(2, CAM_RECORD_VOLUME_AWAY, NOW);
    assert_int_equal(cam_record_volume_of(reader, camera(1), NOW), 0);
}


static void
file_of_another_layout_is_replaced(void **state)
{
    int                  fd;
    uint32_t             version;
    cam_record_wish_t    w;
    cam_record_table_t  *other;

    wish(1, 1);
    version = 99;
    fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, &version, 4, 4), 4);
    close(fd);

    other = cam_record_table_reader_open(livefd);
    assert_null(other);
    assert_int_equal(errno, EPROTO);

    other = cam_record_table_open(dir);
    assert_non_null(other);
    assert_true(cam_record_table_stale(reader, livefd));
    assert_false(cam_record_table_stale(other, livefd));
    assert_int_equal(cam_record_wish_get(other, camera(1), &w), -1);
    cam_record_table_close(other);

    /* and one that is, is kept */

    other = cam_record_table_open(dir);
    assert_non_null(other);
    cam_record_table_close(reader);
    reader = cam_record_table_reader_open(livefd);
    assert_non_null(reader);
    cam_record_table_close(writer);
    writer = other;
    wish(2, 1);
    assert_int_equal(cam_record_wish_get(reader, camera(2), &w), 0);
}


#define test_of_both(f)                                                       \
    cmocka_unit_test_setup_teardown(f, open_both, close_both)


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        test_of_both(wishes_and_states_are_kept_apart),
        test_of_both(slot_is_given_on_when_nobody_needs_it),
        test_of_both(reader_sees_whole_states),
        test_of_both(cameras_stay_on_their_volume),
        test_of_both(file_of_another_layout_is_replaced),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
