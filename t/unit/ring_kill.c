/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for the ring with a writer and a reader in processes of their own,
 * each killed or stopped at any moment, grows of the ring included.  Every
 * record carries its own check, and whatever happens to one side the other
 * must see whole records in order, or be told how many it lost.
 *
 * By default hundreds of deaths in a few seconds; with CAMERA_SOAK=1 minutes.
 */

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "clock.h"
#include "ring_fixture.h"

#define CAPACITY       (32 << 10)
#define DEADLINE_MSEC  20000

#define EXIT_TORN     11
#define EXIT_ORDER    12
#define EXIT_CORRUPT  13
#define EXIT_LOST     14


/* what the two processes tell the test, in memory all three share */
typedef struct {
    uint64_t  generation;       /* the writer's last one */
    uint64_t  written;
    uint64_t  read;
    uint64_t  overruns;
    uint64_t  follows;
    int       stop;
} shared_t;


static shared_t  *shared;
static int        msec = 2500;
static int64_t    started;


/* time alone does not end a drill: on a busy machine it has seen little */

static int
going_on(int events)
{
    int64_t  passed;

    passed = cam_clock_monotonic_msec() - started;

    if (events < 60 || cam_ring_load(&shared->read) < 2000) {
        return passed < DEADLINE_MSEC;
    }

    return passed < msec;
}


static void
nap(long usec)
{
    nanosleep(&(struct timespec) { 0, usec * 1000 }, NULL);
}


static void
write_for_ever(unsigned seed)
{
    uint64_t            seq, generation;
    uint32_t            capacity;
    cam_ring_writer_t  *w;

    srand(seed);

    capacity = CAPACITY;
    generation = cam_ring_load(&shared->generation) + 1;
    cam_ring_store(&shared->generation, generation);
    w = writer_open(generation, capacity);

    for (seq = 0; /* void */; seq++) {

        /* the number it was given is the record's own sequence number */

        if (put(w, seq, (size_t) rand() % 3000,
                seq % 101 == 0 ? CAM_FRAME_CONFIG
                               : seq % 17 == 0 ? CAM_FRAME_KEY : 0)
            != CAM_RING_OK)
        {
            _exit(1);
        }

        cam_ring_store(&shared->written, cam_ring_load(&shared->written) + 1);

        if (rand() % 4 == 0) {
            nap(rand() % 100);
        }

        if (rand() % 500 == 0 && capacity < 16 * CAPACITY) {
            capacity += CAPACITY;
            cam_ring_store(&shared->generation, ++generation);

            if (cam_ring_writer_grow(&w, generation, capacity)
                != CAM_RING_OK)
            {
                _exit(1);
            }
        }
    }
}


/* reads what there is now; answers what ended it */

static int
read_some(cam_ring_reader_t *r, uint64_t *expected)
{
    int          rc;
    cam_frame_t  frame;

    for ( ;; ) {
        rc = cam_ring_read(r, &frame, data, sizeof(data));

        switch (rc) {

        case CAM_RING_OK:
            if (*expected != UINT64_MAX && frame.seq != *expected) {
                return -EXIT_ORDER;
            }

            if (frame.dts != (int64_t) frame.seq || !intact(&frame, data)) {
                return -EXIT_TORN;
            }

            *expected = frame.seq + 1;
            cam_ring_store(&shared->read, cam_ring_load(&shared->read) + 1);
            break;

        case CAM_RING_OVERRUN:
            if (*expected != UINT64_MAX
                && frame.seq != *expected + frame.lost)
            {
                return -EXIT_LOST;
            }

            *expected = frame.seq;
            cam_ring_store(&shared->overruns,
                           cam_ring_load(&shared->overruns) + 1);
            break;

        case CAM_RING_AGAIN:
        case CAM_RING_CLOSED:
            return rc;

        default:
            return -EXIT_CORRUPT;
        }
    }
}


static void
read_for_ever(unsigned seed)
{
    int                 rc, alive, continued;
    uint64_t            expected;
    cam_ring_reader_t  *r;

    srand(seed);

    while (cam_ring_reader_open(&r, rings_fd, camera) != CAM_RING_OK) {
        if (cam_ring_load(&shared->stop)) {
            _exit(0);
        }
    }

    expected = UINT64_MAX;

    while (!cam_ring_load(&shared->stop)) {
        alive = cam_ring_writer_alive(r);
        rc = read_some(r, &expected);

        if (rc < 0) {
            _exit(-rc);
        }

        /* by itself it would look after a second only */

        if ((rc == CAM_RING_CLOSED || !alive)
            && cam_ring_reader_follow(&r, rings_fd, &continued)
               == CAM_RING_OK)
        {
            if (!continued) {
                expected = UINT64_MAX;
            }

            shared->follows++;
        }

        nap(rand() % 50);
    }

    _exit(0);
}


static pid_t
start(void (*run)(unsigned seed))
{
    pid_t            pid;
    static unsigned  seed;

    seed++;
    pid = fork();
    assert_int_not_equal(pid, -1);

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run(seed);
    }

    return pid;
}


static void
finish(pid_t pid)
{
    int  status;

    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);

    if (WIFEXITED(status) && WEXITSTATUS(status)) {
        fail_msg("a process ended with %d", WEXITSTATUS(status));
    }
}


/* the reader is asked to end; its own status says what it saw */

static void
finish_reader(pid_t pid)
{
    int  status;

    cam_ring_store(&shared->stop, 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    cam_ring_store(&shared->stop, 0);

    if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        fail_msg("the reader ended with %x", (unsigned) status);
    }
}


static void
say_silent(uint64_t generation)
{
    int      fd;
    char     name[CAM_RING_NAME];
    int64_t  never;

    never = 0;
    fd = openat(rings_fd, cam_ring_name(name, camera, generation), O_RDWR);

    if (fd != -1) {
        (void) !pwrite(fd, &never, 8,
                       offsetof(cam_ring_header_t, last_media_msec));
        close(fd);
    }
}


/* a newcomer reads what a dead writer left to a clean end; 0: there is none */

static int
drain(void)
{
    int                 rc;
    uint64_t            expected;
    cam_ring_reader_t  *r;

    rc = cam_ring_reader_open(&r, rings_fd, camera);

    if (rc == CAM_RING_AGAIN) {
        return 0;
    }

    assert_int_equal(rc, CAM_RING_OK);
    say_silent(cam_ring_reader_generation(r));

    expected = UINT64_MAX;
    assert_int_equal(read_some(r, &expected), CAM_RING_CLOSED);
    cam_ring_reader_close(r);

    return 1;
}


static void
clean(void)
{
    char  name[CAM_RING_NAME];

    unlinkat(rings_fd, cam_ring_name(name, camera, 0), 0);
    (void) cam_ring_sweep(rings_fd);
    (void) cam_ring_sweep(rings_fd);
}


static void
writer_dies_anywhere(void **state)
{
    int       deaths, left;
    pid_t     writer, reader;

    memset(shared, 0, sizeof(shared_t));
    deaths = 0;
    left = 0;
    started = cam_clock_monotonic_msec();
    reader = start(read_for_ever);

    while (going_on(deaths)) {
        writer = start(write_for_ever);
        nap(rand() % 8000);
        finish(writer);

        left += drain();
        deaths++;
    }

    finish_reader(reader);

    print_message("# %d deaths, %d rings left, %lu records, %lu read, "
                  "%lu overruns, %lu follows\n", deaths, left,
                  shared->written, shared->read, shared->overruns,
                  shared->follows);

    assert_true(deaths > 50 && left > deaths / 2);
    assert_true(shared->read > 1000 && shared->follows > 10);

    clean();
}


static void
reader_dies_anywhere(void **state)
{
    int       deaths;
    pid_t     writer, reader;
    uint64_t  written;

    memset(shared, 0, sizeof(shared_t));
    deaths = 0;
    written = 0;
    started = cam_clock_monotonic_msec();
    writer = start(write_for_ever);

    while (going_on(deaths)) {
        reader = start(read_for_ever);
        nap(rand() % 8000);
        finish(reader);
        deaths++;

        while (cam_ring_load(&shared->written) == written) {
            assert_true(cam_clock_monotonic_msec() - started
                        < msec + DEADLINE_MSEC);
        }

        written = cam_ring_load(&shared->written);
    }

    finish(writer);
    (void) drain();

    print_message("# %d deaths, %lu records, %lu read, %lu overruns\n",
                  deaths, shared->written, shared->read, shared->overruns);

    assert_true(deaths > 50 && shared->read > 1000);

    clean();
}


/* a stopped writer is not a dead one; a stopped reader is only slow */

static void
either_is_stopped(void **state)
{
    int                 stops, rc;
    pid_t               writer, reader;
    uint64_t            expected;
    cam_ring_reader_t  *r;

    memset(shared, 0, sizeof(shared_t));
    stops = 0;
    started = cam_clock_monotonic_msec();
    writer = start(write_for_ever);
    reader = start(read_for_ever);

    while (going_on(stops)) {
        nap(rand() % 5000);
        kill(writer, SIGSTOP);
        assert_int_equal(waitpid(writer, NULL, WUNTRACED), writer);

        rc = cam_ring_reader_open(&r, rings_fd, camera);

        if (rc == CAM_RING_OK) {
            expected = UINT64_MAX;
            say_silent(cam_ring_reader_generation(r));
            assert_int_equal(read_some(r, &expected), CAM_RING_AGAIN);
            cam_ring_reader_close(r);

        } else {
            assert_int_equal(rc, CAM_RING_AGAIN);
        }

        kill(writer, SIGCONT);
        stops++;

        nap(rand() % 5000);
        kill(reader, SIGSTOP);
        nap(rand() % 20000);
        kill(reader, SIGCONT);
        stops++;
    }

    finish_reader(reader);
    finish(writer);
    (void) drain();

    print_message("# %d stops, %lu records, %lu read, %lu overruns, "
                  "%lu follows\n", stops, shared->written, shared->read,
                  shared->overruns, shared->follows);

    assert_true(stops > 50 && shared->read > 1000 && shared->overruns > 0);

    clean();
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        RING_TEST(writer_dies_anywhere),
        RING_TEST(reader_dies_anywhere),
        RING_TEST(either_is_stopped),
    };

    if (getenv("CAMERA_SOAK")) {
        msec = 60000;
    }

    shared = mmap(NULL, sizeof(shared_t), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED) {
        return 1;
    }

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
