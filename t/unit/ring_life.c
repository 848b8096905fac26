/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for the life of ring files: creating, superseding, growing, closing
 * and sweeping them, and what a full tmpfs does.
 */

#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "ring_fixture.h"

#define SMALL     CAM_RING_SIZE_MIN
#define CAPACITY  (64 << 10)
#define LINK      "72696e67-2074-6573-7420-63616d657261"


static int
exists(const char *name)
{
    return faccessat(rings_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}


static int
try_writer(uint64_t generation, uint32_t capacity)
{
    int                 rc;
    cam_ring_info_t     info;
    cam_ring_writer_t  *w;

    memset(&info, 0, sizeof(info));
    memcpy(info.camera, camera, CAM_UUID_LEN);
    info.generation = generation;
    info.capacity = capacity;

    rc = cam_ring_writer_open(&w, rings_fd, &info);

    if (rc == CAM_RING_OK) {
        cam_ring_writer_close(w);
    }

    return rc;
}


static void
names_of_a_ring(void **state)
{
    char                target[64];
    ssize_t             n;
    struct stat         st;
    cam_ring_writer_t  *w;

    w = writer_open(18446744073709551615ULL, 0);

    assert_int_equal(cam_ring_writer_capacity(w), CAM_RING_SIZE_DEFAULT);
    assert_int_equal(fstatat(rings_fd, LINK ".18446744073709551615", &st, 0),
                     0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(st.st_size, CAM_RING_HEADER + CAM_RING_SIZE_DEFAULT);

    /* not one hole in it */

    assert_true(st.st_blocks * 512 >= st.st_size);

    n = readlinkat(rings_fd, LINK, target, sizeof(target));
    assert_int_equal(n, 57);
    assert_memory_equal(target, LINK ".18446744073709551615", 57);

    cam_ring_writer_close(w);

    assert_false(exists(LINK));
    assert_false(exists(LINK ".18446744073709551615"));
}


static void
what_an_observer_sees(void **state)
{
    cam_ring_info_t     in, out;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    memset(&in, 0, sizeof(in));
    memcpy(in.camera, camera, CAM_UUID_LEN);
    memset(in.holder, 0xa5, sizeof(in.holder));
    in.generation = 1234567890123ULL;
    in.capacity = SMALL + 1;
    in.takeover_msec[0] = 300;
    in.takeover_msec[3] = 100;
    memset(in.addr, 'f', sizeof(in.addr));

    assert_int_equal(cam_ring_writer_open(&w, rings_fd, &in), CAM_RING_OK);
    assert_int_equal(w->generation, in.generation);
    r = reader_open();

    put(w, 1, 100, CAM_FRAME_KEY);
    put(w, 2, 50, CAM_FRAME_CONFIG);
    put(w, 3, 30, 0);

    assert_int_equal(cam_ring_info(r, &out), CAM_RING_OK);
    assert_int_equal(cam_ring_reader_generation(r), in.generation);
    assert_int_equal(out.generation, in.generation);
    assert_int_equal(out.continues, 0);
    assert_int_equal(out.capacity, 2 * SMALL);
    assert_int_equal(out.writer_pid, getpid());
    assert_int_equal(out.head_seq, 3);
    assert_int_equal(out.frames[CAM_TRACK_VIDEO], 2);
    assert_int_equal(out.frames[CAM_TRACK_AUDIO], 0);
    assert_int_equal(out.bytes, 180);
    assert_true(out.started_msec > 1700000000000LL);
    assert_true(out.last_media_msec > 0);
    assert_memory_equal(out.camera, camera, CAM_UUID_LEN);
    assert_memory_equal(out.holder, in.holder, sizeof(in.holder));
    assert_memory_equal(out.takeover_msec, in.takeover_msec,
                        sizeof(in.takeover_msec));
    assert_int_equal(strlen(out.addr), sizeof(out.addr) - 1);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


static void
refused_parameters(void **state)
{
    assert_int_equal(try_writer(1, CAM_RING_SIZE_MAX + 1), CAM_RING_ERROR);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(try_writer(0, SMALL), CAM_RING_ERROR);
    assert_int_equal(errno, EINVAL);
}


static void
no_publication(void **state)
{
    cam_ring_reader_t  *r;

    assert_int_equal(cam_ring_reader_open(&r, rings_fd, camera),
                     CAM_RING_AGAIN);

    /* its file was removed just now */

    assert_int_equal(symlinkat(LINK ".7", rings_fd, LINK), 0);
    assert_int_equal(cam_ring_reader_open(&r, rings_fd, camera),
                     CAM_RING_AGAIN);
    assert_int_equal(unlinkat(rings_fd, LINK, 0), 0);
}


static void
generation_is_taken_once(void **state)
{
    cam_ring_writer_t  *w;

    w = writer_open(5, SMALL);

    assert_int_equal(try_writer(5, SMALL), CAM_RING_ERROR);
    assert_int_equal(errno, EEXIST);

    cam_ring_writer_close(w);
}


/* the link never goes back, and a late loser leaves nothing behind */

static void
older_generation_is_refused(void **state)
{
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(7, SMALL);

    assert_int_equal(try_writer(6, SMALL), CAM_RING_ERROR);
    assert_int_equal(errno, ESTALE);
    assert_false(exists(LINK ".6"));
    assert_false(exists(LINK ".6.link"));

    r = reader_open();
    assert_int_equal(cam_ring_reader_generation(r), 7);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


static void
newer_generation_supersedes(void **state)
{
    int                 continued;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *old, *w;

    old = writer_open(5, SMALL);
    r = reader_open();
    put(old, 1, 100, CAM_FRAME_KEY);

    assert_int_equal(cam_ring_reader_follow(&r, rings_fd, &continued),
                     CAM_RING_AGAIN);

    w = writer_open(6, SMALL);
    put(w, 11, 100, CAM_FRAME_KEY);
    put(w, 12, 100, 0);

    /* the old file is read to its end first, and may even grow until then */

    put(old, 2, 100, 0);
    cam_ring_writer_close(old);

    take(r, 1, 100);
    take(r, 2, 100);
    assert_int_equal(next(r), CAM_RING_CLOSED);

    continued = 1;
    assert_int_equal(cam_ring_reader_follow(&r, rings_fd, &continued),
                     CAM_RING_OK);
    assert_int_equal(continued, 0);
    assert_int_equal(cam_ring_reader_generation(r), 6);
    take(r, 11, 100);
    take(r, 12, 100);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


/* what a killed writer left goes with its successor, not before */

static void
successor_removes_the_dead(void **state)
{
    int                 status;
    pid_t               pid;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    pid = fork();

    if (pid == 0) {
        w = writer_open(5, SMALL);
        put(w, 1, 100, CAM_FRAME_KEY);
        raise(SIGKILL);
    }

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(cam_ring_sweep(rings_fd), 0);

    r = reader_open();
    w = writer_open(6, SMALL);

    assert_false(exists(LINK ".5"));
    take(r, 1, 100);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


/* a ring whose writer was killed is not followed into itself */

static void
no_follow_without_a_successor(void **state)
{
    int                 continued;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(5, SMALL);
    put(w, 1, 100, CAM_FRAME_KEY);
    r = reader_open();
    take(r, 1, 100);

    assert_int_equal(cam_ring_reader_follow(&r, rings_fd, &continued),
                     CAM_RING_AGAIN);
    assert_int_equal(next(r), CAM_RING_AGAIN);

    cam_ring_writer_close(w);

    assert_int_equal(cam_ring_reader_follow(&r, rings_fd, &continued),
                     CAM_RING_AGAIN);
    cam_ring_reader_close(r);
}


/* what a reader has not read yet, it finds in the grown ring */

static void
growing_is_no_gap(void **state)
{
    int                 continued;
    uint64_t            i, read;
    cam_ring_info_t     info;
    cam_ring_reader_t  *r, *late;
    cam_ring_writer_t  *w;

    for (read = 20; read <= 30; read++) {
        w = writer_open(100 + read, SMALL * 2);
        r = reader_open();

        for (i = 0; i < 30; i++) {
            put(w, i, 100 + i, i == 20 ? CAM_FRAME_KEY : 0);

            if (i < read) {
                take(r, i, 100 + i);
            }
        }

        assert_int_equal(cam_ring_writer_grow(&w, 1000 + read, CAPACITY),
                         CAM_RING_OK);
        assert_int_equal(cam_ring_writer_capacity(w), CAPACITY);
        assert_int_equal(w->generation, 1000 + read);

        put(w, 30, 20000, 0);

        /* who joins now starts at the key frame that was copied */

        late = reader_open();
        cam_ring_info(late, &info);
        assert_int_equal(info.continues, 100 + read);
        assert_int_equal(info.head_seq, 31);
        take(late, 20, 120);
        cam_ring_reader_close(late);

        /* who was there may leave the old file early or late */

        if (read % 2) {
            for (i = read; i < 30; i++) {
                take(r, i, 100 + i);
            }

            assert_int_equal(next(r), CAM_RING_CLOSED);
        }

        i = read % 2 ? 30 : read;

        assert_int_equal(cam_ring_reader_follow(&r, rings_fd, &continued),
                         CAM_RING_OK);
        assert_int_equal(continued, 1);

        for ( /* void */ ; i < 30; i++) {
            take(r, i, 100 + i);
        }

        take(r, 30, 20000);
        assert_int_equal(next(r), CAM_RING_AGAIN);

        cam_ring_reader_close(r);
        cam_ring_writer_close(w);
    }
}


static void
growing_without_a_key_frame(void **state)
{
    int                 continued;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, SMALL);
    r = reader_open();

    put(w, 1, 100, CAM_FRAME_CONFIG);
    put(w, 2, 100, 0);
    next(r);
    take(r, 2, 100);

    assert_int_equal(cam_ring_writer_grow(&w, 2, CAPACITY), CAM_RING_OK);
    assert_int_equal(cam_ring_reader_follow(&r, rings_fd, &continued),
                     CAM_RING_OK);
    assert_int_equal(continued, 1);
    assert_int_equal(cam_ring_config(r, CAM_TRACK_VIDEO, data), 100);

    put(w, 3, 30000, CAM_FRAME_KEY);
    take(r, 3, 30000);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


/* a reader that comes when its record is gone stands at the key frame */

static void
growing_and_lagging(void **state)
{
    int                 continued;
    uint64_t            i;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, SMALL);
    r = reader_open();
    put(w, 0, 100, CAM_FRAME_KEY);
    take(r, 0, 100);

    assert_int_equal(cam_ring_writer_grow(&w, 2, SMALL * 2), CAM_RING_OK);

    for (i = 1; i < 100; i++) {
        put(w, i, 100, i == 90 ? CAM_FRAME_KEY : 0);
    }

    assert_int_equal(cam_ring_reader_follow(&r, rings_fd, &continued),
                     CAM_RING_OK);
    assert_int_equal(continued, 0);
    take(r, 90, 100);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


static void
growing_refused(void **state)
{
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(5, CAPACITY);
    put(w, 1, 100, CAM_FRAME_KEY);

    assert_int_equal(cam_ring_writer_grow(&w, 6, CAPACITY), CAM_RING_ERROR);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(cam_ring_writer_grow(&w, 5, 2 * CAPACITY),
                     CAM_RING_ERROR);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(cam_ring_writer_grow(&w, 6, CAM_RING_SIZE_MAX + 1),
                     CAM_RING_ERROR);
    assert_int_equal(errno, EINVAL);

    put(w, 2, 100, 0);
    r = reader_open();
    take(r, 1, 100);
    take(r, 2, 100);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


static void
sweep_takes_only_the_dead(void **state)
{
    int                 fd;
    cam_ring_writer_t  *w;

    w = writer_open(9, SMALL);

    /* two dead ones, an unfinished link, and what is none of its business */

    close(openat(rings_fd, LINK ".7", O_CREAT | O_RDWR, 0640));
    close(openat(rings_fd, LINK ".8", O_CREAT | O_RDWR, 0640));
    close(openat(rings_fd, "notes", O_CREAT | O_RDWR, 0640));
    close(openat(rings_fd, LINK ".08", O_CREAT | O_RDWR, 0640));
    assert_int_equal(symlinkat(LINK ".3", rings_fd, LINK ".3.link"), 0);

    /* one that is being created: locked, and not linked yet */

    fd = openat(rings_fd, LINK ".10", O_CREAT | O_RDWR, 0640);
    assert_int_equal(flock(fd, LOCK_EX), 0);

    assert_int_equal(cam_ring_sweep(rings_fd), 2);

    assert_false(exists(LINK ".7"));
    assert_false(exists(LINK ".8"));
    assert_false(exists(LINK ".3.link"));
    assert_true(exists(LINK ".9"));
    assert_true(exists(LINK ".10"));
    assert_true(exists(LINK));

    /* not locked any more: its writer was killed before it was linked */

    close(fd);
    assert_int_equal(cam_ring_sweep(rings_fd), 1);
    assert_int_equal(cam_ring_sweep(rings_fd), 0);

    assert_int_equal(unlinkat(rings_fd, "notes", 0), 0);
    assert_int_equal(unlinkat(rings_fd, LINK ".08", 0), 0);

    cam_ring_writer_close(w);
}


/* many writers of one camera at once: the link ends at the highest */

static void
race_for_the_link(void **state)
{
    int                 i, k, status, round;
    pid_t               pid[4];
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    for (round = 0; round < 10; round++) {

        for (i = 0; i < 4; i++) {
            pid[i] = fork();

            if (pid[i] == 0) {
                for (k = 0; k < 50; k++) {
                    (void) try_writer((uint64_t) (1000 + k * 4 + i), SMALL);
                }

                _exit(0);
            }
        }

        w = writer_open(5000 + (uint64_t) round, SMALL);

        for (i = 0; i < 4; i++) {
            assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
            assert_int_equal(status, 0);
        }

        r = reader_open();
        assert_int_equal(cam_ring_reader_generation(r), 5000 + round);
        cam_ring_reader_close(r);

        cam_ring_writer_close(w);
    }
}


/* a tmpfs of 2 MiB over rings/, seen by this process only; 0 when we may not
   mount.  cmocka's skip() is a failure to prove, so such a test says why and
   returns. */

static int
small_tmpfs(void)
{
    if (unshare(CLONE_NEWNS) == -1
        || mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) == -1
        || mount("tmpfs", rings, "tmpfs", 0, "size=2m") == -1)
    {
        print_message("# skipped, no tmpfs of our own: %s\n", strerror(errno));
        return 0;
    }

    close(rings_fd);
    rings_fd = open(rings, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_not_equal(rings_fd, -1);

    return 1;
}


static void
small_tmpfs_end(void)
{
    close(rings_fd);
    assert_int_equal(umount(rings), 0);
    rings_fd = open(rings, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}


static void
reserve_is_kept(void **state)
{
    cam_ring_writer_t  *w;

    if (!small_tmpfs()) {
        return;
    }

    /* of 2048 KiB, 204 are the reserve and 16 the header */

    assert_false(cam_ring_has_room(rings_fd, 0));
    assert_false(cam_ring_has_room(rings_fd, 1840 << 10));
    assert_int_equal(try_writer(1, 1840 << 10), CAM_RING_NOSPACE);
    assert_false(exists(LINK ".1"));
    assert_true(cam_ring_has_room(rings_fd, 1820 << 10));
    assert_int_equal(try_writer(2, 1820 << 10), CAM_RING_OK);

    /* growing needs both files for a moment; refused, the old one goes on */

    w = writer_open(3, 1000 << 10);
    put(w, 1, 100, 0);
    assert_int_equal(cam_ring_writer_grow(&w, 4, 1200 << 10),
                     CAM_RING_NOSPACE);
    assert_int_equal(put(w, 2, 100, 0), CAM_RING_OK);
    assert_int_equal(w->generation, 3);
    cam_ring_writer_close(w);

    small_tmpfs_end();
}


/* somebody else fills the file system: a ring that exists works on */

static void
full_tmpfs_harms_no_ring(void **state)
{
    int                 fd;
    uint64_t            i;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    if (!small_tmpfs()) {
        return;
    }

    w = writer_open(1, 256 << 10);
    r = reader_open();

    fd = openat(rings_fd, "hog", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    while (write(fd, data, 4096) > 0) { /* void */ }

    assert_int_equal(errno, ENOSPC);

    for (i = 0; i < 300; i++) {
        assert_int_equal(put(w, i, 5000, 0), CAM_RING_OK);
        take(r, i, 5000);
    }

    assert_int_equal(try_writer(2, SMALL), CAM_RING_NOSPACE);
    assert_int_equal(cam_ring_writer_grow(&w, 3, 512 << 10),
                     CAM_RING_NOSPACE);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);

    close(fd);
    unlinkat(rings_fd, "hog", 0);
    small_tmpfs_end();
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        RING_TEST(names_of_a_ring),
        RING_TEST(what_an_observer_sees),
        RING_TEST(refused_parameters),
        RING_TEST(no_publication),
        RING_TEST(generation_is_taken_once),
        RING_TEST(older_generation_is_refused),
        RING_TEST(newer_generation_supersedes),
        RING_TEST(successor_removes_the_dead),
        RING_TEST(no_follow_without_a_successor),
        RING_TEST(growing_is_no_gap),
        RING_TEST(growing_without_a_key_frame),
        RING_TEST(growing_and_lagging),
        RING_TEST(growing_refused),
        RING_TEST(sweep_takes_only_the_dead),
        RING_TEST(race_for_the_link),
        RING_TEST(reserve_is_kept),
        RING_TEST(full_tmpfs_harms_no_ring),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
