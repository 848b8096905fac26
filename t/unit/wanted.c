/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for wishes: how long they last, that they only ever grow, who is woken
 * by them, and what a reader makes of a file that is none; and for the widths
 * of snapshots.
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

#include "clock.h"
#include "snapshot_file.h"

#define SLOTS      8
#define KNOWN      16                    /* bytes of the header that must fit */
#define HEADER     192
#define SLOT       128
#define PROCESSES  8
#define ROUNDS     2000
#define NOW        5000000               /* of a clock of our own */


static char           dir[] = "/tmp/wanted-XXXXXX";
static char           path[64];
static int            dirfd;
static cam_wanted_t  *writer;
static cam_wanted_t  *reader;


static int
make_dir(void **state)
{
    if (mkdtemp(dir) == NULL) {
        return -1;
    }

    snprintf(path, sizeof(path), "%s/wanted", dir);
    dirfd = open(dir, O_RDONLY|O_DIRECTORY);

    return dirfd == -1 ? -1 : 0;
}


static int
remove_dir(void **state)
{
    return rmdir(dir);
}


static int
open_both(void **state)
{
    writer = cam_wanted_open(dir, SLOTS);
    reader = cam_wanted_reader_open(dirfd);

    return writer != NULL && reader != NULL ? 0 : -1;
}


static int
close_both(void **state)
{
    cam_wanted_close(writer);
    cam_wanted_close(reader);

    return unlink(path);
}


/* how many wishes there are at all */

static int
count(int64_t now)
{
    int       n;
    uint32_t  slot, kind;

    n = 0;

    for (slot = 0; slot < SLOTS; slot++) {
        for (kind = 0; kind < CAM_WANTED_KINDS; kind++) {
            n += cam_wanted_is(reader, slot, kind, now);
        }
    }

    return n;
}


static void
set(off_t at, uint64_t word)
{
    int  fd;

    fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, &word, sizeof(word), at), sizeof(word));
    close(fd);
}


static void
wish_lasts_as_long_as_it_says(void **state)
{
    assert_int_equal(cam_wanted_slots(reader), SLOTS);
    assert_int_equal(count(NOW), 0);

    cam_wanted_push(writer, 3, CAM_WANTED_PREVIEW_320, NOW, 2000);

    assert_true(cam_wanted_is(reader, 3, CAM_WANTED_PREVIEW_320, NOW));
    assert_true(cam_wanted_is(reader, 3, CAM_WANTED_PREVIEW_320, NOW + 1999));
    assert_false(cam_wanted_is(reader, 3, CAM_WANTED_PREVIEW_320, NOW + 2000));
    assert_true(cam_wanted_any(reader, CAM_WANTED_PREVIEW_320, NOW + 1999));
    assert_false(cam_wanted_any(reader, CAM_WANTED_PREVIEW_320, NOW + 2000));
    assert_false(cam_wanted_any(reader, CAM_WANTED_PREVIEW_640, NOW));
    assert_int_equal(count(NOW), 1);

    /* of another slot, of another kind, and the last of both */

    cam_wanted_push(writer, 4, CAM_WANTED_PREVIEW_320, NOW, 2000);
    cam_wanted_push(writer, 3, CAM_WANTED_SOURCE, NOW, 2000);
    cam_wanted_push(writer, SLOTS - 1, CAM_WANTED_KINDS - 1, NOW, 2000);
    assert_int_equal(count(NOW), 4);
    assert_int_equal(count(NOW + 2000), 0);
}


static void
wish_is_pushed_forward_only(void **state)
{
    cam_wanted_push(writer, 0, CAM_WANTED_OPUS, NOW, 5000);
    cam_wanted_push(writer, 0, CAM_WANTED_OPUS, NOW, 100);
    assert_true(cam_wanted_is(reader, 0, CAM_WANTED_OPUS, NOW + 4999));

    cam_wanted_push(writer, 0, CAM_WANTED_OPUS, NOW + 4000, 5000);
    assert_true(cam_wanted_is(reader, 0, CAM_WANTED_OPUS, NOW + 8999));

    /* never for longer than a wish may be */

    cam_wanted_push(writer, 1, CAM_WANTED_OPUS, NOW, 1000000);
    assert_true(cam_wanted_is(reader, 1, CAM_WANTED_OPUS,
                              NOW + CAM_WANTED_MAX_MSEC - 1));
    assert_false(cam_wanted_is(reader, 1, CAM_WANTED_OPUS,
                               NOW + CAM_WANTED_MAX_MSEC));
}


static void
nonsense_is_not_a_wish(void **state)
{
    /* what is not there cannot be wanted */

    cam_wanted_push(writer, SLOTS, CAM_WANTED_OPUS, NOW, 2000);
    cam_wanted_push(writer, 0, CAM_WANTED_KINDS, NOW, 2000);
    assert_int_equal(count(NOW), 0);
    assert_false(cam_wanted_is(reader, SLOTS, CAM_WANTED_OPUS, NOW));
    assert_false(cam_wanted_is(reader, 0, CAM_WANTED_KINDS, NOW));
    assert_false(cam_wanted_any(reader, CAM_WANTED_KINDS, NOW));

    /* a clock of another boot: no wish, and no hindrance to the next one */

    set(HEADER + SLOT + CAM_WANTED_OPUS * 8, UINT64_MAX);
    set(HEADER - 128 + CAM_WANTED_OPUS * 8, NOW + 1000000000);
    assert_int_equal(count(NOW), 0);
    assert_false(cam_wanted_any(reader, CAM_WANTED_OPUS, NOW));

    cam_wanted_push(writer, 1, CAM_WANTED_OPUS, NOW, 2000);
    assert_int_equal(count(NOW), 1);
    assert_true(cam_wanted_any(reader, CAM_WANTED_OPUS, NOW));
    assert_int_equal(count(NOW + 2000), 0);
}


/* sleeps in another process; its exit status is how long, in 10 ms */

static pid_t
sleeper(uint32_t news, unsigned msec)
{
    pid_t    pid;
    int64_t  start;

    pid = fork();

    if (pid == 0) {
        start = cam_clock_monotonic_msec();
        cam_wanted_wait(reader, news, msec);
        _exit((cam_clock_monotonic_msec() - start) / 10);
    }

    return pid;
}


static int
slept(pid_t pid)
{
    int  status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));

    return WEXITSTATUS(status) * 10;
}


static void
new_wish_wakes_a_reader(void **state)
{
    pid_t     pid;
    int64_t   now;
    uint32_t  news;

    news = cam_wanted_news(reader);
    now = cam_clock_monotonic_msec();

    /* with news there is no sleep at all */

    cam_wanted_push(writer, 2, CAM_WANTED_PREVIEW_640, now, 5000);
    assert_true(cam_wanted_news(reader) != news);
    assert_true(slept(sleeper(news, 2000)) < 1000);

    /* asleep, or just about to be */

    pid = sleeper(cam_wanted_news(reader), 2000);
    usleep(50000);
    cam_wanted_push(writer, 3, CAM_WANTED_PREVIEW_640, now, 5000);
    assert_true(slept(pid) < 1000);

    /* a wish that goes on is no news, unless it was about to end */

    news = cam_wanted_news(reader);
    cam_wanted_push(writer, 3, CAM_WANTED_PREVIEW_640, now + 1000, 5000);
    assert_int_equal(cam_wanted_news(reader), news);
    assert_true(slept(sleeper(news, 200)) >= 190);

    cam_wanted_push(writer, 3, CAM_WANTED_PREVIEW_640, now + 5950, 5000);
    assert_true(cam_wanted_news(reader) != news);
}


static void
furthest_of_wishes_that_race_stays(void **state)
{
    int    i, n, status;
    pid_t  pid[PROCESSES];

    for (i = 0; i < PROCESSES; i++) {
        pid[i] = fork();

        if (pid[i] == 0) {
            for (n = 0; n < ROUNDS; n++) {
                cam_wanted_push(writer, 5, CAM_WANTED_480,
                                NOW + (n * 7 + i * 31) % ROUNDS, 1000);
            }

            _exit(0);
        }
    }

    for (i = 0; i < PROCESSES; i++) {
        assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
        assert_int_equal(status, 0);
    }

    /* seven and the number of rounds have no divisor in common */

    assert_true(cam_wanted_is(reader, 5, CAM_WANTED_480, NOW + ROUNDS + 998));
    assert_false(cam_wanted_is(reader, 5, CAM_WANTED_480, NOW + ROUNDS + 999));
    assert_true(cam_wanted_any(reader, CAM_WANTED_480, NOW + ROUNDS + 998));
    assert_int_equal(count(NOW), 1);
}


static void
reader_cannot_write(void **state)
{
    int    status;
    char   line[256], mode[8];
    FILE  *maps;
    void  *at;

    maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    at = NULL;

    while (fgets(line, sizeof(line), maps) != NULL) {
        if (strstr(line, path) != NULL
            && sscanf(line, "%p-%*x %7s", &at, mode) == 2
            && strcmp(mode, "r--s") == 0)
        {
            break;
        }

        at = NULL;
    }

    fclose(maps);
    assert_non_null(at);

    if (fork() == 0) {
        signal(SIGSEGV, SIG_DFL);
        *(volatile char *) at = 1;
        _exit(0);
    }

    assert_true(wait(&status) != -1);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}


static void
file_of_another_size_is_replaced(void **state)
{
    cam_wanted_t  *bigger, *again;

    assert_false(cam_wanted_stale(reader, dirfd));

    again = cam_wanted_open(dir, SLOTS);
    assert_non_null(again);
    assert_false(cam_wanted_stale(reader, dirfd));
    cam_wanted_push(again, 0, CAM_WANTED_OPUS, NOW, 2000);
    assert_int_equal(count(NOW), 1);
    cam_wanted_close(again);

    bigger = cam_wanted_open(dir, 2 * SLOTS);
    assert_non_null(bigger);
    assert_true(cam_wanted_stale(reader, dirfd));

    /* what is mapped stays what it was */

    cam_wanted_push(bigger, 1, CAM_WANTED_OPUS, NOW, 2000);
    assert_int_equal(count(NOW), 1);
    cam_wanted_close(bigger);

    assert_null(cam_wanted_open(dir, 0));
    assert_int_equal(errno, EINVAL);
    assert_null(cam_wanted_open(dir, 100001));
    assert_int_equal(errno, EINVAL);
}


static void
refused(int expected)
{
    assert_null(cam_wanted_reader_open(dirfd));
    assert_int_equal(errno, expected);
}


static void
reader_refuses_what_is_no_such_file(void **state)
{
    int           fd;
    char          other[80];
    uint32_t      word, bad, good;
    cam_wanted_t  *w;

    fd = open(path, O_RDWR);
    assert_true(fd != -1);

    for (word = 0; word < KNOWN / 4; word++) {
        bad = 0x61626364;
        assert_int_equal(pread(fd, &good, 4, word * 4), 4);
        assert_int_equal(pwrite(fd, &bad, 4, word * 4), 4);
        refused(EPROTO);
        assert_int_equal(pwrite(fd, &good, 4, word * 4), 4);
    }

    /* slots that the file has no room for, or none */

    for (bad = 0; bad < 10; bad += 9) {
        assert_int_equal(pwrite(fd, &bad, 4, 8), 4);
        refused(EPROTO);
    }

    bad = SLOTS;
    assert_int_equal(pwrite(fd, &bad, 4, 8), 4);
    w = cam_wanted_reader_open(dirfd);
    assert_non_null(w);
    cam_wanted_close(w);

    assert_int_equal(pwrite(fd, "x", 1, lseek(fd, 0, SEEK_END)), 1);
    refused(EPROTO);
    assert_int_equal(ftruncate(fd, HEADER), 0);
    refused(EPROTO);
    assert_int_equal(ftruncate(fd, 0), 0);
    refused(EPROTO);
    close(fd);

    /* a link, something that is no file, nothing */

    snprintf(other, sizeof(other), "%s.other", path);
    assert_int_equal(rename(path, other), 0);
    refused(ENOENT);
    assert_int_equal(symlink(other, path), 0);
    refused(ELOOP);
    assert_null(cam_wanted_open(dir, SLOTS));
    unlink(path);
    unlink(other);

    assert_int_equal(mkfifo(path, 0600), 0);
    refused(EPROTO);
}


static void
widths_are_taken_up(void **state)
{
    char      name[CAM_SNAPSHOT_NAME_MAX];
    unsigned  i, n;

    static const unsigned  wished[][2] = {
        { 0, 160 }, { 1, 160 }, { 160, 160 }, { 161, 320 }, { 320, 320 },
        { 321, 640 }, { 641, 1280 }, { 1280, 1280 }, { 1281, 1280 },
        { UINT32_MAX, 1280 }
    };

    for (i = 0; i < sizeof(wished) / sizeof(wished[0]); i++) {
        n = cam_snapshot_for(wished[i][0]);
        assert_true(n < CAM_SNAPSHOT_WIDTHS);
        assert_int_equal(cam_snapshot_width(n), wished[i][1]);
    }

    assert_string_equal(cam_snapshot_name(name, 0), "snapshot.160.jpg");
    assert_string_equal(cam_snapshot_name(name, CAM_SNAPSHOT_WIDTHS - 1),
                        "snapshot.1280.jpg");

    for (n = 0; n < CAM_SNAPSHOT_WIDTHS; n++) {
        assert_true(cam_snapshot_kind(n) < CAM_WANTED_KINDS);
        assert_true(n == 0 || cam_snapshot_kind(n) != cam_snapshot_kind(0));
    }
}


#define test_of_both(f)                                                       \
    cmocka_unit_test_setup_teardown(f, open_both, close_both)


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        test_of_both(wish_lasts_as_long_as_it_says),
        test_of_both(wish_is_pushed_forward_only),
        test_of_both(nonsense_is_not_a_wish),
        test_of_both(new_wish_wakes_a_reader),
        test_of_both(furthest_of_wishes_that_race_stays),
        test_of_both(reader_cannot_write),
        test_of_both(file_of_another_size_is_replaced),
        test_of_both(reader_refuses_what_is_no_such_file),
        cmocka_unit_test(widths_are_taken_up),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
