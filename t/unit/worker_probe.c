/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for the probe: whom it kills, after how long, and whom never. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
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

#include "../../camera_worker/count.c"
#include "../../camera_worker/probe.c"

#define HEADER  64
#define NOW     1000000                  /* of a clock of our own */


static char   dir[] = "/tmp/worker-probe-XXXXXX";
static char   path[64];
static int    dirfd;
static int    logged;
static char   line[512];
static pid_t  worker;


void
cw_log(cw_log_level_e level, int err, const char *fmt, ...)
{
    va_list  args;

    logged++;

    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
}


static int
make_dir(void **state)
{
    if (mkdtemp(dir) == NULL || chmod(dir, 0755) == -1) {
        return -1;
    }

    snprintf(path, sizeof(path), "%s/heartbeats", dir);
    dirfd = open(dir, O_RDONLY|O_DIRECTORY);

    return dirfd == -1 ? -1 : 0;
}


static int
remove_dir(void **state)
{
    return rmdir(dir);
}


/* a process that does nothing; its beats are stored by the tests */

static int
start_worker(void **state)
{
    cam_heartbeat_t  *hb;

    logged = 0;
    hb = cam_heartbeat_open(dir);

    if (hb == NULL || chmod(path, 0644) == -1) {
        return -1;
    }

    cam_heartbeat_close(hb);
    worker = fork();

    if (worker == 0) {
        for ( ;; ) {
            pause();
        }
    }

    return worker == -1 ? -1 : 0;
}


static int
end_worker(void **state)
{
    if (worker) {
        kill(worker, SIGKILL);
        waitpid(worker, NULL, 0);
    }

    return unlink(path);
}


static void
set(uint64_t owner, uint64_t beat_msec)
{
    int                   fd;
    cam_heartbeat_slot_t  slot = { owner, beat_msec };

    fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, &slot, sizeof(slot),
                            HEADER + 5 * sizeof(slot)), sizeof(slot));
    close(fd);
}


/* looks once a second, from and to included */

static void
look(cw_probe_t *probe, int from, int to)
{
    for ( /* void */ ; from <= to; from++) {
        cw_probe_look(probe, dirfd, NOW + from * 1000);
    }
}


static void
assert_killed(void)
{
    int  status;

    alarm(10);
    assert_int_equal(waitpid(worker, &status, 0), worker);
    alarm(0);
    worker = 0;

    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}


static void
assert_alive(void)
{
    usleep(20000);                              /* to die in */
    assert_int_equal(waitpid(worker, NULL, WNOHANG), 0);
}


static void
worker_that_stands_still_is_killed(void **state)
{
    char        text[64];
    cw_probe_t  probe = { 0 };

    /* a beat says that somebody beats, not when: this one is of tomorrow */

    set(cam_heartbeat_owner(worker), UINT64_MAX);
    look(&probe, 0, 4);
    assert_alive();
    assert_int_equal(logged, 0);

    snprintf(text, sizeof(text), "worker %d did nothing for 5000 ms",
             (int) worker);
    look(&probe, 5, 5);
    assert_killed();
    assert_non_null(strstr(line, text));

    look(&probe, 6, 20);
    assert_int_equal(logged, 1);
}


static void
worker_that_beats_is_left_alone(void **state)
{
    int         i;
    cw_probe_t  probe = { 0 };

    for (i = 0; i < 30; i++) {
        if (i % 4 == 0) {
            set(cam_heartbeat_owner(worker), i);
        }

        look(&probe, i, i);
    }

    assert_alive();
    assert_int_equal(logged, 0);
}


static void
late_looks_do_not_count(void **state)
{
    int         i;
    cw_probe_t  probe = { 0 };

    set(cam_heartbeat_owner(worker), 1);

    for (i = 0; i < 10; i++) {
        look(&probe, i * 7, i * 7 + 4);         /* then stopped for 3 s */
    }

    assert_alive();
    assert_int_equal(logged, 0);

    look(&probe, 68, 72);
    assert_killed();
}


static void
many_looks_in_a_second_are_one(void **state)
{
    int         i;
    cw_probe_t  probe = { 0 };

    set(cam_heartbeat_owner(worker), 1);

    for (i = 0; i < 1000; i++) {
        cw_probe_look(&probe, dirfd, NOW + i);
    }

    assert_true(probe.looked_msec == NOW);
    assert_alive();
}


static void
another_process_of_its_pid_is_left_alone(void **state)
{
    cw_probe_t  probe = { 0 };

    set(cam_heartbeat_owner(worker) - (UINT64_C(1) << 22), 1);
    look(&probe, 0, 20);
    assert_alive();

    set((uint64_t) worker, 1);
    look(&probe, 21, 40);
    assert_alive();

    set(UINT64_C(1) << 22, 1);                  /* pid 0 is our own group */
    look(&probe, 41, 60);
    assert_alive();

    assert_int_equal(logged, 0);
}


static void
refusal_is_said_once(void **state)
{
    int         status;
    pid_t       pid;
    cw_probe_t  probe = { 0 };

    if (geteuid() != 0) {
        skip();
    }

    set(cam_heartbeat_owner(worker), 1);
    pid = fork();

    if (pid == 0) {
        if (setgid(65534) == -1 || setuid(65534) == -1) {
            _exit(9);
        }

        look(&probe, 0, 30);
        _exit(logged == 1 && strstr(line, "as the \"user\" of nginx") ? 0 : 1);
    }

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_alive();
}


static void
unreadable_file_is_said_once(void **state)
{
    cw_probe_t  probe = { 0 };

    set(cam_heartbeat_owner(worker), 1);
    look(&probe, 0, 3);
    assert_int_equal(truncate(path, 100), 0);
    look(&probe, 4, 9);
    assert_int_equal(logged, 1);

    unlink(path);                               /* nginx is not there yet */
    probe.failed = 0;
    look(&probe, 10, 20);
    assert_int_equal(logged, 1);
    assert_alive();

    assert_int_equal(close(open(path, O_CREAT|O_WRONLY, 0600)), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(worker_that_stands_still_is_killed,
                                        start_worker, end_worker),
        cmocka_unit_test_setup_teardown(worker_that_beats_is_left_alone,
                                        start_worker, end_worker),
        cmocka_unit_test_setup_teardown(late_looks_do_not_count,
                                        start_worker, end_worker),
        cmocka_unit_test_setup_teardown(many_looks_in_a_second_are_one,
                                        start_worker, end_worker),
        cmocka_unit_test_setup_teardown(
            another_process_of_its_pid_is_left_alone, start_worker,
            end_worker),
        cmocka_unit_test_setup_teardown(refusal_is_said_once,
                                        start_worker, end_worker),
        cmocka_unit_test_setup_teardown(unreadable_file_is_said_once,
                                        start_worker, end_worker),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
