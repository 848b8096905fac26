/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for reading a ring: where a reader joins, what a slow one loses,
 * which configuration it gets, and how it learns of the end.
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


static void
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


static void
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

static int
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

static void
poke(uint64_t generation, size_t offset, uint64_t value)
{
    int   fd;
    char  name[CAM_RING_NAME];

    fd = openat(rings_fd, cam_ring_name(name, camera, generation), O_RDWR);
    assert_int_not_equal(fd, -1);
    assert_int_equal(pwrite(fd, &value, 8, (off_t) offset), 8);
    close(fd);
}


static void
joins_at_newest_key_frame(void **state)
{
    uint64_t            i;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, CAPACITY);

    for (i = 0; i < 25; i++) {
        put(w, i, 100, i % 10 == 0 ? CAM_FRAME_KEY : 0);
    }

    r = reader_open();

    for (i = 20; i < 25; i++) {
        take(r, i, 100);
    }

    assert_int_equal(next(r), CAM_RING_AGAIN);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


static void
joins_at_head_without_key_frame(void **state)
{
    uint64_t            i;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, CAPACITY);

    for (i = 0; i < 5; i++) {
        put(w, i, 100, 0);
    }

    r = reader_open();
    assert_int_equal(next(r), CAM_RING_AGAIN);

    put(w, 5, 100, 0);
    take(r, 5, 100);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


static void
joins_at_head_when_key_frame_is_overwritten(void **state)
{
    uint64_t            i;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, SMALL);

    for (i = 0; i < 50; i++) {
        put(w, i, 100, i == 0 ? CAM_FRAME_KEY : 0);
    }

    r = reader_open();
    assert_int_equal(next(r), CAM_RING_AGAIN);

    put(w, 50, 100, 0);
    take(r, 50, 100);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


/* for each distance the reader may fall behind, and each place to do so */

static void
overrun_resumes_at_newest_key_frame(void **state)
{
    uint64_t            i, from, n;
    cam_frame_t         frame;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, SMALL);
    r = reader_open();
    i = 0;

    for (n = 40; n < 140; n++) {
        from = i;

        while (i < from + n) {
            put(w, i, 100 + i % 30, (from + n - i) == 7 ? CAM_FRAME_KEY : 0);
            i++;
        }

        assert_int_equal(cam_ring_read(r, &frame, data, sizeof(data)),
                         CAM_RING_OVERRUN);
        assert_int_equal(frame.lost, n - 7);
        assert_int_equal(frame.seq, i - 7);

        for (from = i - 7; from < i; from++) {
            take(r, from, 100 + from % 30);
        }

        assert_int_equal(next(r), CAM_RING_AGAIN);
    }

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


static void
overrun_without_key_frame_resumes_at_head(void **state)
{
    uint64_t            i;
    cam_frame_t         frame;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, SMALL);
    r = reader_open();

    for (i = 0; i < 100; i++) {
        put(w, i, 100, 0);
    }

    assert_int_equal(cam_ring_read(r, &frame, data, sizeof(data)),
                     CAM_RING_OVERRUN);
    assert_int_equal(frame.lost, 100);

    assert_int_equal(next(r), CAM_RING_AGAIN);
    put(w, 100, 100, 0);
    take(r, 100, 100);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


/* a reader that keeps up to within a ring loses nothing, to the record */

static void
no_overrun_before_it_is_due(void **state)
{
    uint64_t            i;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, SMALL);
    r = reader_open();

    /* 32 records of 128 bytes are the ring exactly */

    for (i = 0; i < 32; i++) {
        put(w, i, 80, i == 31 ? CAM_FRAME_KEY : 0);
    }

    take(r, 0, 80);

    put(w, 32, 80, 0);
    take(r, 1, 80);

    put(w, 33, 80, 0);
    put(w, 34, 80, 0);
    assert_int_equal(next(r), CAM_RING_OVERRUN);
    take(r, 31, 80);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


/* only the pad before the reader's record was given up: nothing is lost */

static void
passed_pad_is_no_overrun(void **state)
{
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, SMALL);
    r = reader_open();

    put(w, 0, SMALL / 2 - 48, 0);
    put(w, 1, SMALL / 2 - 48 - 16, 0);
    take(r, 0, SMALL / 2 - 48);
    take(r, 1, SMALL / 2 - 48 - 16);

    /* a pad of 16 bytes, then a key frame at the ring's start */

    put(w, 2, 1952, CAM_FRAME_KEY);
    put(w, 3, 2000, 0);
    put(w, 4, 0, 0);

    assert_int_equal(next(r), CAM_RING_AGAIN);
    take(r, 2, 1952);
    take(r, 3, 2000);
    take(r, 4, 0);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


static void
small_buffer_may_come_again(void **state)
{
    cam_frame_t         frame;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, CAPACITY);
    r = reader_open();

    put(w, 0, 1000, 0);

    data[0] = 'x';
    assert_int_equal(cam_ring_read(r, &frame, data, 999), CAM_RING_TOOBIG);
    assert_int_equal(frame.size, 1000);
    assert_int_equal(data[0], 'x');
    assert_int_equal(cam_ring_read(r, &frame, NULL, 0), CAM_RING_TOOBIG);

    assert_int_equal(cam_ring_read(r, &frame, data, 1000), CAM_RING_OK);
    assert_true(intact(&frame, data));

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


static void
configuration_is_kept(void **state)
{
    cam_frame_t         frame;
    cam_ring_reader_t  *r, *late;
    cam_ring_writer_t  *w;

    w = writer_open(1, CAPACITY);
    r = reader_open();

    assert_config(r, CAM_TRACK_VIDEO, "");
    assert_config(r, CAM_TRACK_AUDIO, "");
    assert_int_equal(cam_ring_config(r, CAM_TRACKS, data), 0);
    assert_int_equal(cam_ring_config(r, -1, data), 0);

    put_config(w, CAM_TRACK_VIDEO, "avc one");
    put_config(w, CAM_TRACK_AUDIO, "asc");
    put(w, 1, 100, CAM_FRAME_KEY);
    put(w, 2, 100, 0);

    late = reader_open();
    assert_config(late, CAM_TRACK_VIDEO, "avc one");
    assert_config(late, CAM_TRACK_AUDIO, "asc");
    take(late, 1, 100);

    /* who was there before gets it as a record */

    assert_int_equal(cam_ring_read(r, &frame, data, sizeof(data)),
                     CAM_RING_OK);
    assert_int_equal(frame.flags, CAM_FRAME_CONFIG);
    assert_int_equal(frame.size, 7);
    assert_memory_equal(data, "avc one", 7);

    cam_ring_reader_close(late);
    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


/* frames before a new configuration are not for who joins after it */

static void
configuration_forgets_key_frame(void **state)
{
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, CAPACITY);

    put_config(w, CAM_TRACK_VIDEO, "one");
    put(w, 1, 100, CAM_FRAME_KEY);
    put_config(w, CAM_TRACK_VIDEO, "another");

    r = reader_open();
    assert_config(r, CAM_TRACK_VIDEO, "another");
    assert_int_equal(next(r), CAM_RING_AGAIN);
    cam_ring_reader_close(r);

    put(w, 2, 100, 0);
    put(w, 3, 100, CAM_FRAME_KEY);

    r = reader_open();
    assert_config(r, CAM_TRACK_VIDEO, "another");
    take(r, 3, 100);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


/* a camera that repeats its configuration, as a whole or in pieces: readers
   still join at the key frame, and those who were there see the record */

static void
repeated_configuration_keeps_key_frame(void **state)
{
    cam_frame_t         frame;
    struct iovec        iov[3];
    cam_ring_reader_t  *r, *late;
    cam_ring_writer_t  *w;

    w = writer_open(1, CAPACITY);

    put_config(w, CAM_TRACK_VIDEO, "configuration");
    put(w, 1, 100, CAM_FRAME_KEY);
    r = reader_open();
    take(r, 1, 100);

    put_config(w, CAM_TRACK_VIDEO, "configuration");

    memset(&frame, 0, sizeof(frame));
    frame.flags = CAM_FRAME_CONFIG;
    iov[0] = (struct iovec) { "config", 6 };
    iov[1] = (struct iovec) { "", 0 };
    iov[2] = (struct iovec) { "uration", 7 };
    assert_int_equal(cam_ring_write(w, &frame, iov, 3), CAM_RING_OK);

    put(w, 2, 100, 0);

    late = reader_open();
    assert_config(late, CAM_TRACK_VIDEO, "configuration");
    take(late, 1, 100);

    assert_int_equal(cam_ring_read(r, &frame, data, sizeof(data)),
                     CAM_RING_OK);
    assert_int_equal(frame.flags, CAM_FRAME_CONFIG);
    assert_int_equal(next(r), CAM_RING_OK);
    take(r, 2, 100);

    /* one byte differs, or the length */

    put_config(w, CAM_TRACK_VIDEO, "configuratioN");
    assert_int_equal(join_sees(), CAM_RING_AGAIN);
    put(w, 3, 100, CAM_FRAME_KEY);
    assert_int_equal(join_sees(), CAM_RING_OK);
    put_config(w, CAM_TRACK_VIDEO, "configuratio");
    assert_int_equal(join_sees(), CAM_RING_AGAIN);

    cam_ring_reader_close(late);
    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


/* audio is late: its configuration fits all frames of its track, none yet */

static void
first_configuration_keeps_key_frame(void **state)
{
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, CAPACITY);

    put_config(w, CAM_TRACK_VIDEO, "avc");
    put(w, 1, 100, CAM_FRAME_KEY);
    put(w, 2, 100, 0);
    put_config(w, CAM_TRACK_AUDIO, "asc");

    r = reader_open();
    assert_config(r, CAM_TRACK_VIDEO, "avc");
    assert_config(r, CAM_TRACK_AUDIO, "asc");
    take(r, 1, 100);
    cam_ring_reader_close(r);

    /* and over growing, where the sequence numbers go on */

    assert_int_equal(cam_ring_writer_grow(&w, 2, 2 * CAPACITY), CAM_RING_OK);

    r = reader_open();
    assert_config(r, CAM_TRACK_AUDIO, "asc");
    take(r, 1, 100);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


/* frames that nobody could decode by it lie before it */

static void
configuration_after_frames_forgets_key_frame(void **state)
{
    cam_frame_t         frame;
    struct iovec        iov;
    cam_ring_writer_t  *w;

    w = writer_open(1, CAPACITY);

    put_config(w, CAM_TRACK_VIDEO, "avc");
    put(w, 1, 100, CAM_FRAME_KEY);

    memset(&frame, 0, sizeof(frame));
    frame.track = CAM_TRACK_AUDIO;
    iov = (struct iovec) { "aac", 3 };
    assert_int_equal(cam_ring_write(w, &frame, &iov, 1), CAM_RING_OK);

    assert_int_equal(join_sees(), CAM_RING_OK);
    put_config(w, CAM_TRACK_AUDIO, "asc");
    assert_int_equal(join_sees(), CAM_RING_AGAIN);

    cam_ring_writer_close(w);
}


static void
overrun_renews_configuration(void **state)
{
    uint64_t            i;
    cam_frame_t         frame;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, SMALL);
    put_config(w, CAM_TRACK_VIDEO, "one");
    r = reader_open();
    put_config(w, CAM_TRACK_VIDEO, "another");

    for (i = 0; i < 100; i++) {
        put(w, i, 100, i == 90 ? CAM_FRAME_KEY : 0);
    }

    assert_config(r, CAM_TRACK_VIDEO, "one");
    assert_int_equal(cam_ring_read(r, &frame, data, sizeof(data)),
                     CAM_RING_OVERRUN);
    assert_int_equal(frame.lost, 91);
    assert_config(r, CAM_TRACK_VIDEO, "another");
    take(r, 90, 100);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


static void
configuration_of_any_size(void **state)
{
    size_t              size;
    cam_frame_t         frame;
    struct iovec        iov;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    static uint8_t  in[CAM_RING_CONFIG_MAX + 1], out[CAM_RING_CONFIG_MAX];

    w = writer_open(1, CAPACITY);
    pattern(in, 7, sizeof(in));

    memset(&frame, 0, sizeof(frame));
    frame.flags = CAM_FRAME_CONFIG;
    iov.iov_base = in;

    for (size = CAM_RING_CONFIG_MAX; size > CAM_RING_CONFIG_MAX - 20; size--) {
        iov.iov_len = size;
        assert_int_equal(cam_ring_write(w, &frame, &iov, 1), CAM_RING_OK);

        r = reader_open();
        assert_int_equal(cam_ring_config(r, 0, out), size);
        assert_memory_equal(out, in, size);
        cam_ring_reader_close(r);
    }

    iov.iov_len = CAM_RING_CONFIG_MAX + 1;
    assert_int_equal(cam_ring_write(w, &frame, &iov, 1), CAM_RING_TOOBIG);

    cam_ring_writer_close(w);
}


/* a writer that stands still in the middle of a configuration */

static void
half_a_configuration_is_not_joined(void **state)
{
    size_t              lock;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, CAPACITY);
    put_config(w, CAM_TRACK_AUDIO, "asc");

    lock = offsetof(cam_ring_header_t, config[CAM_TRACK_AUDIO].lock);

    poke(1, lock, 3);
    assert_int_equal(cam_ring_reader_open(&r, rings_fd, camera),
                     CAM_RING_AGAIN);

    poke(1, lock, 4);
    r = reader_open();

    /* nor one that is newer than the key frame it would go with */

    put(w, 1, 100, CAM_FRAME_KEY);
    poke(1, offsetof(cam_ring_header_t, config[CAM_TRACK_AUDIO].seq), 2);
    cam_ring_reader_close(r);
    assert_int_equal(cam_ring_reader_open(&r, rings_fd, camera),
                     CAM_RING_AGAIN);

    cam_ring_writer_close(w);
}


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
        RING_TEST(joins_at_newest_key_frame),
        RING_TEST(joins_at_head_without_key_frame),
        RING_TEST(joins_at_head_when_key_frame_is_overwritten),
        RING_TEST(overrun_resumes_at_newest_key_frame),
        RING_TEST(overrun_without_key_frame_resumes_at_head),
        RING_TEST(no_overrun_before_it_is_due),
        RING_TEST(passed_pad_is_no_overrun),
        RING_TEST(small_buffer_may_come_again),
        RING_TEST(configuration_is_kept),
        RING_TEST(configuration_forgets_key_frame),
        RING_TEST(repeated_configuration_keeps_key_frame),
        RING_TEST(first_configuration_keeps_key_frame),
        RING_TEST(configuration_after_frames_forgets_key_frame),
        RING_TEST(overrun_renews_configuration),
        RING_TEST(configuration_of_any_size),
        RING_TEST(half_a_configuration_is_not_joined),
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
