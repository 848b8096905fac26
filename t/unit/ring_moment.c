/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for what a reader sees at moments that last microseconds: a writer in
 * the middle of a store, one that ends, one that is killed; and that neither of
 * them asks the kernel for each frame.
 */

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "ring_fixture.h"

#define SMALL     CAM_RING_SIZE_MIN
#define CAPACITY  (64 << 10)


/*
 * A writer in the middle of a store: the second half of its data is a page
 * that may not be read, and what readers see then is seen in the handler of
 * the fault.
 */

static uint8_t            *page;
static cam_ring_reader_t  *passed, *oldest, *joining;
static int                 passed_rc, oldest_rc, joining_rc;
static cam_frame_t         passed_frame, oldest_frame;


static void
in_the_middle(int signo)
{
    passed_rc = cam_ring_read(passed, &passed_frame, data, sizeof(data));
    oldest_rc = cam_ring_read(oldest, &oldest_frame, data, sizeof(data));
    joining_rc = cam_ring_reader_open(&joining, rings_fd, camera);

    (void) mprotect(page, 4096, PROT_READ | PROT_WRITE);
}


static void
put_with_a_fault(cam_ring_writer_t *w, int flags)
{
    cam_frame_t       frame;
    struct iovec      iov[2];
    struct sigaction  action, old;

    page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(page, MAP_FAILED);

    memset(&action, 0, sizeof(action));
    action.sa_handler = in_the_middle;
    assert_int_equal(sigaction(SIGSEGV, &action, &old), 0);

    memset(&frame, 0, sizeof(frame));
    frame.flags = (uint8_t) flags;

    iov[0].iov_base = data;
    iov[0].iov_len = 40;
    iov[1].iov_base = page;
    iov[1].iov_len = 40;

    passed_rc = CAM_RING_ERROR;
    assert_int_equal(cam_ring_write(w, &frame, iov, 2), CAM_RING_OK);

    sigaction(SIGSEGV, &old, NULL);
    munmap(page, 4096);
}


static void
half_a_record_is_never_read(void **state)
{
    uint64_t            i;
    cam_ring_writer_t  *w;

    w = writer_open(1, SMALL);
    passed = reader_open();
    oldest = reader_open();

    /* 32 records of 128 bytes are the ring: the 33rd overwrites the first */

    for (i = 0; i < 32; i++) {
        put(w, i, 80, i == 20 ? CAM_FRAME_KEY : 0);
    }

    take(oldest, 0, 80);
    put_with_a_fault(w, 0);

    assert_int_equal(passed_rc, CAM_RING_OVERRUN);
    assert_int_equal(passed_frame.lost, 20);
    take(passed, 20, 80);

    assert_int_equal(oldest_rc, CAM_RING_OK);
    assert_int_equal(oldest_frame.dts, 1);

    assert_int_equal(joining_rc, CAM_RING_OK);
    take(joining, 20, 80);

    cam_ring_reader_close(passed);
    cam_ring_reader_close(oldest);
    cam_ring_reader_close(joining);
    cam_ring_writer_close(w);
}


static void
half_a_configuration_is_never_given(void **state)
{
    cam_ring_writer_t  *w;

    w = writer_open(1, CAPACITY);
    put_config(w, CAM_TRACK_VIDEO, "one");
    put(w, 1, 80, CAM_FRAME_KEY);
    passed = reader_open();
    oldest = reader_open();

    put_with_a_fault(w, CAM_FRAME_CONFIG);

    /* who is there already reads on, who comes waits */

    assert_int_equal(passed_rc, CAM_RING_OK);
    assert_int_equal(oldest_rc, CAM_RING_OK);
    assert_int_equal(joining_rc, CAM_RING_AGAIN);

    joining = reader_open();
    assert_int_equal(cam_ring_config(joining, CAM_TRACK_VIDEO, data), 80);

    cam_ring_reader_close(passed);
    cam_ring_reader_close(oldest);
    cam_ring_reader_close(joining);
    cam_ring_writer_close(w);
}


static void
closed_after_the_last_frame(void **state)
{
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, CAPACITY);
    r = reader_open();

    put(w, 1, 100, 0);
    put(w, 2, 100, 0);
    assert_int_equal(cam_ring_writer_alive(r), 1);

    cam_ring_writer_close(w);

    assert_int_equal(cam_ring_writer_alive(r), 0);
    take(r, 1, 100);
    take(r, 2, 100);
    assert_int_equal(next(r), CAM_RING_CLOSED);
    assert_int_equal(next(r), CAM_RING_CLOSED);

    cam_ring_reader_close(r);
}


/* a child writes n frames and is gone without a word */

static void
killed_writer(uint64_t generation, uint64_t n)
{
    int                 status;
    pid_t               pid;
    uint64_t            i;
    cam_ring_writer_t  *w;

    pid = fork();

    if (pid == 0) {
        w = writer_open(generation, CAPACITY);

        for (i = 0; i < n; i++) {
            put(w, i, 100, i == 0 ? CAM_FRAME_KEY : 0);
        }

        raise(SIGKILL);
    }

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}


static void
killed_writer_is_noticed(void **state)
{
    uint64_t            i;
    cam_ring_reader_t  *r;

    killed_writer(1, 5);
    r = reader_open();

    for (i = 0; i < 5; i++) {
        take(r, i, 100);
    }

    /* it was alive a moment ago: no need to ask */

    assert_int_equal(next(r), CAM_RING_AGAIN);

    poke(1, offsetof(cam_ring_header_t, last_media_msec), 0);
    assert_int_equal(next(r), CAM_RING_CLOSED);

    cam_ring_reader_close(r);
    assert_int_equal(unlinkat(rings_fd, "72696e67-2074-6573-7420-63616d657261",
                              0), 0);
    assert_int_equal(cam_ring_sweep(rings_fd), 1);
}


static void
silent_writer_is_not_gone(void **state)
{
    int                 i;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    static const uint64_t  heard[] = {
        0, (uint64_t) INT64_MIN, (uint64_t) INT64_MAX
    };

    w = writer_open(1, CAPACITY);

    for (i = 0; i < 3; i++) {
        r = reader_open();
        poke(1, offsetof(cam_ring_header_t, last_media_msec), heard[i]);
        assert_int_equal(next(r), CAM_RING_AGAIN);
        cam_ring_reader_close(r);
    }

    cam_ring_writer_close(w);
}


/* runs in a process that dies of its first system call, _exit() excepted */

static int
without_system_calls(void (*run)(cam_ring_writer_t *w, cam_ring_reader_t *r),
    cam_ring_writer_t *w, cam_ring_reader_t *r)
{
    int    status;
    pid_t  pid;

    static struct sock_filter  filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
    };

    static const struct sock_fprog  program = {
        sizeof(filter) / sizeof(filter[0]), filter
    };

    pid = fork();

    if (pid == 0) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
        {
            run(w, r);
        }

        syscall(SYS_exit, 0);
    }

    assert_int_equal(waitpid(pid, &status, 0), pid);

    return status;
}


static void
make_a_system_call(cam_ring_writer_t *w, cam_ring_reader_t *r)
{
    (void) getppid();
}


static void
look_at_the_clock(cam_ring_writer_t *w, cam_ring_reader_t *r)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
}


static void
write_and_read(cam_ring_writer_t *w, cam_ring_reader_t *r)
{
    uint64_t     i;
    cam_frame_t  frame;

    for (i = 0; i < 1000; i++) {
        put(w, i, 6000, i % 50 ? 0 : CAM_FRAME_KEY);

        if (cam_ring_read(r, &frame, data, sizeof(data)) != CAM_RING_OK
            || cam_ring_read(r, &frame, data, sizeof(data)) != CAM_RING_AGAIN)
        {
            syscall(SYS_exit, 1);
        }
    }
}


static void
no_system_call_per_frame(void **state)
{
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, CAPACITY);
    r = reader_open();

    if (without_system_calls(make_a_system_call, w, r) == 0
        || without_system_calls(look_at_the_clock, w, r) != 0)
    {
        cam_ring_reader_close(r);
        cam_ring_writer_close(w);

        print_message("# skipped, no seccomp or no clock in the vDSO\n");
        return;
    }

    assert_int_equal(without_system_calls(write_and_read, w, r), 0);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        RING_TEST(half_a_record_is_never_read),
        RING_TEST(half_a_configuration_is_never_given),
        RING_TEST(closed_after_the_last_frame),
        RING_TEST(killed_writer_is_noticed),
        RING_TEST(silent_writer_is_not_gone),
        RING_TEST(no_system_call_per_frame),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
