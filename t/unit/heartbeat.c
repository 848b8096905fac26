/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for the heartbeats of nginx's workers: who has which slot, whose slot
 * is free, and what a reader makes of a file that is none.
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
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "heartbeat.h"

#define HEADER     64
#define PROCESSES  40


static char                  dir[] = "/tmp/heartbeat-XXXXXX";
static char                  path[64];
static int                   dirfd;
static cam_heartbeat_slot_t  slot[CAM_HEARTBEAT_SLOTS];


static int
make_dir(void **state)
{
    if (mkdtemp(dir) == NULL) {
        return -1;
    }

    snprintf(path, sizeof(path), "%s/heartbeats", dir);
    dirfd = open(dir, O_RDONLY|O_DIRECTORY);

    return dirfd == -1 ? -1 : 0;
}


static int
remove_dir(void **state)
{
    unlink(path);

    return rmdir(dir);
}


static int
remove_file(void **state)
{
    unlink(path);

    return 0;
}


/* how many slots a process has */

static int
slots_of(uint64_t owner)
{
    int  i, n;

    assert_int_equal(cam_heartbeat_read(dirfd, slot), 0);

    for (i = 0, n = 0; i < CAM_HEARTBEAT_SLOTS; i++) {
        n += slot[i].owner == owner;
    }

    return n;
}


/* a process that beats once and lives until its end of the pipe is closed */

static pid_t
start(int *hold)
{
    int               fds[2];
    char              c;
    pid_t             pid;
    cam_heartbeat_t  *hb;

    assert_int_equal(pipe(fds), 0);
    pid = fork();

    if (pid == 0) {
        hb = cam_heartbeat_open(dir);
        c = hb != NULL && cam_heartbeat_beat(hb) == 0;
        (void) !write(fds[1], &c, 1);

        for ( ;; ) {
            pause();
        }
    }

    assert_int_equal(read(fds[0], &c, 1), 1);
    assert_int_equal(c, 1);
    close(fds[0]);
    *hold = fds[1];

    return pid;
}


static void
end(pid_t pid, int hold)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(hold);
}


static void
owner_is_pid_and_start(void **state)
{
    int       hold;
    char      name[] = "a) R 1 (b) S 2";
    char      old[16];
    pid_t     pid;
    uint64_t  owner;

    owner = cam_heartbeat_owner(getpid());
    assert_true(owner != 0);
    assert_int_equal(cam_heartbeat_pid(owner), getpid());
    assert_true(owner == cam_heartbeat_owner(getpid()));

    /* a name that looks like the end of a name */

    prctl(PR_GET_NAME, old);
    prctl(PR_SET_NAME, name);
    assert_true(owner == cam_heartbeat_owner(getpid()));
    prctl(PR_SET_NAME, old);

    pid = start(&hold);
    assert_true(cam_heartbeat_owner(pid) != 0);

    /* dead, though nobody asked for its status yet */

    kill(pid, SIGKILL);
    assert_int_equal(waitid(P_PID, pid, &(siginfo_t) { 0 }, WEXITED|WNOWAIT),
                     0);
    assert_true(cam_heartbeat_owner(pid) == 0);
    assert_int_equal(errno, ESRCH);
    end(pid, hold);
    assert_true(cam_heartbeat_owner(pid) == 0);
    assert_int_equal(errno, ESRCH);

    assert_true(cam_heartbeat_owner(0) == 0);
    assert_true(cam_heartbeat_owner(-1) == 0);
    assert_true(cam_heartbeat_owner(1 << 22) == 0);
}


static void
slot_lasts_from_beat_to_close(void **state)
{
    int               i;
    int64_t           before;
    uint64_t          owner;
    cam_heartbeat_t  *hb;

    assert_int_equal(cam_heartbeat_read(dirfd, slot), -1);
    assert_int_equal(errno, ENOENT);

    owner = cam_heartbeat_owner(getpid());
    hb = cam_heartbeat_open(dir);
    assert_non_null(hb);
    assert_int_equal(slots_of(owner), 0);

    before = cam_clock_monotonic_msec();
    assert_int_equal(cam_heartbeat_beat(hb), 0);
    assert_int_equal(cam_heartbeat_beat(hb), 0);
    assert_int_equal(slots_of(owner), 1);

    for (i = 0; slot[i].owner != owner; i++) { /* void */ }

    assert_true(slot[i].beat_msec >= (uint64_t) before);
    assert_true(slot[i].beat_msec <= (uint64_t) cam_clock_monotonic_msec());

    cam_heartbeat_close(hb);
    assert_int_equal(slots_of(owner), 0);
}


static void
slots_of_the_dead_are_free(void **state)
{
    int               i, fd, hold;
    pid_t             pid;
    uint64_t          one, two, reused;
    cam_heartbeat_t  *hb;

    pid = start(&hold);
    one = cam_heartbeat_owner(pid);

    hb = cam_heartbeat_open(dir);
    assert_non_null(hb);

    /* all others belong to a process that lives, or is not ours to see */

    fd = open(path, O_RDWR);
    assert_true(fd != -1);
    two = cam_heartbeat_owner(getppid());
    assert_true(two != 0);

    for (i = 0; i < CAM_HEARTBEAT_SLOTS; i++) {
        assert_int_equal(cam_heartbeat_read(dirfd, slot), 0);

        if (slot[i].owner == 0) {
            assert_int_equal(pwrite(fd, &two, sizeof(two),
                                    HEADER + i * sizeof(slot[0])),
                             sizeof(two));
        }
    }

    assert_int_equal(cam_heartbeat_beat(hb), -1);
    assert_int_equal(errno, ENOSPC);

    /* a pid of today, and a start of yesterday */

    reused = two + (UINT64_C(1) << 22);
    assert_int_equal(pwrite(fd, &reused, sizeof(reused),
                            HEADER + 7 * sizeof(slot[0])), sizeof(reused));
    assert_int_equal(cam_heartbeat_beat(hb), 0);
    assert_int_equal(slots_of(reused), 0);
    assert_int_equal(slots_of(cam_heartbeat_owner(getpid())), 1);

    /* what was taken from us is not written to, and another is found */

    assert_int_equal(pwrite(fd, &two, sizeof(two),
                            HEADER + 7 * sizeof(slot[0])), sizeof(two));
    assert_int_equal(cam_heartbeat_beat(hb), -1);
    assert_int_equal(slots_of(one), 1);
    end(pid, hold);
    assert_int_equal(cam_heartbeat_beat(hb), 0);
    assert_int_equal(slots_of(one), 0);
    assert_int_equal(slots_of(two), CAM_HEARTBEAT_SLOTS - 1);

    cam_heartbeat_close(hb);
    close(fd);
}


static void
processes_that_race_have_a_slot_each(void **state)
{
    int    i, hold[PROCESSES];
    pid_t  pid[PROCESSES];

    for (i = 0; i < PROCESSES; i++) {
        pid[i] = start(&hold[i]);
    }

    for (i = 0; i < PROCESSES; i++) {
        assert_int_equal(slots_of(cam_heartbeat_owner(pid[i])), 1);
    }

    for (i = 0; i < PROCESSES; i++) {
        end(pid[i], hold[i]);
    }
}


static void
reader_refuses_what_is_no_such_file(void **state)
{
    int               fd;
    char              other[80];
    uint32_t          word;
    cam_heartbeat_t  *hb;

    hb = cam_heartbeat_open(dir);
    assert_non_null(hb);
    cam_heartbeat_close(hb);

    fd = open(path, O_RDWR);
    assert_true(fd != -1);
    assert_int_equal(cam_heartbeat_read(dirfd, slot), 0);

    for (word = 0; word < HEADER / 4; word++) {
        uint32_t  bad = 0x61626364, good;

        assert_int_equal(pread(fd, &good, 4, word * 4), 4);
        assert_int_equal(pwrite(fd, &bad, 4, word * 4), 4);
        assert_int_equal(cam_heartbeat_read(dirfd, slot), -1);
        assert_int_equal(errno, EPROTO);
        assert_int_equal(pwrite(fd, &good, 4, word * 4), 4);
    }

    assert_int_equal(cam_heartbeat_read(dirfd, slot), 0);
    assert_int_equal(pwrite(fd, "x", 1, lseek(fd, 0, SEEK_END)), 1);
    assert_int_equal(cam_heartbeat_read(dirfd, slot), -1);
    assert_int_equal(ftruncate(fd, HEADER), 0);
    assert_int_equal(cam_heartbeat_read(dirfd, slot), -1);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(cam_heartbeat_read(dirfd, slot), -1);

    /* the next worker puts a good one in its place */

    hb = cam_heartbeat_open(dir);
    assert_non_null(hb);
    assert_int_equal(cam_heartbeat_read(dirfd, slot), 0);
    cam_heartbeat_close(hb);
    close(fd);

    snprintf(other, sizeof(other), "%s.other", path);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(cam_heartbeat_read(dirfd, slot), -1);
    assert_null(cam_heartbeat_open(dir));
    unlink(path);
    unlink(other);

    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(cam_heartbeat_read(dirfd, slot), -1);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_teardown(owner_is_pid_and_start, remove_file),
        cmocka_unit_test_teardown(slot_lasts_from_beat_to_close, remove_file),
        cmocka_unit_test_teardown(slots_of_the_dead_are_free, remove_file),
        cmocka_unit_test_teardown(processes_that_race_have_a_slot_each,
                                  remove_file),
        cmocka_unit_test_teardown(reader_refuses_what_is_no_such_file,
                                  remove_file),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
