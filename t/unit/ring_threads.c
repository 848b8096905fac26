/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for the ring with a writer and two readers at full speed in one
 * address space, so that ThreadSanitizer sees both sides of each word
 * (`make tsan`); without it, that every record comes whole and in order, and
 * that the configuration a reader is given fits the frames that follow.
 */

#include <pthread.h>
#include <time.h>

#include "clock.h"
#include "ring_fixture.h"

#define READERS     2
#define CAPACITY    (16 << 10)
#define CONFIG_EACH 11
#define KEY_EACH    4
#define JOIN_EACH   50

#define DEADLINE_MSEC  40000


typedef struct {
    const void  *map;
    size_t       size;
    uint64_t     frames;
    uint64_t     overruns;
    uint64_t     joins;
    const char  *failed;
} reader_t;


static int       done;
static int       msec = 1000;
static reader_t  reader[READERS];


/* a run that saw little would prove nothing: time alone does not end it */

static int
enough(int64_t started)
{
    int      i;
    int64_t  passed;

    passed = cam_clock_monotonic_msec() - started;

    for (i = 0; i < READERS; i++) {
        if (cam_ring_load(&reader[i].frames) < 3000
            || cam_ring_load(&reader[i].overruns) < 10
            || cam_ring_load(&reader[i].joins) < 100)
        {
            return passed > DEADLINE_MSEC;
        }
    }

    return passed > msec;
}


static void
expect(uint8_t bytes[2048], uint64_t seq, uint8_t config)
{
    if (seq % CONFIG_EACH == 0) {
        memset(bytes, config, 2048);
        return;
    }

    pattern(bytes, seq, 2048);
    bytes[0] = config;
}


/* a frame tells the configuration in force by its first byte, a configuration
   by each of its bytes */

static void *
write_frames(void *arg)
{
    int64_t             started;
    uint64_t            seq, config;
    uint8_t             bytes[2048];
    cam_frame_t         frame;
    struct iovec        iov[2];
    cam_ring_writer_t  *w;

    w = arg;
    config = 0;
    started = cam_clock_monotonic_msec();

    for (seq = 0; seq % 64 != 0 || !enough(started); seq++) {
        memset(&frame, 0, sizeof(frame));

        if (seq % CONFIG_EACH == 0) {
            frame.flags = CAM_FRAME_CONFIG;
            config++;

        } else if (seq % KEY_EACH == 0) {
            frame.flags = CAM_FRAME_KEY;
        }

        frame.dts = (int64_t) seq;

        expect(bytes, seq, (uint8_t) config);

        iov[0].iov_base = bytes;
        iov[0].iov_len = 1 + seq % 700;
        iov[1].iov_base = bytes + iov[0].iov_len;
        iov[1].iov_len = seq % 600;

        (void) cam_ring_write(w, &frame, iov, 2);

        if (seq % 64 == 0) {
            nanosleep(&(struct timespec) { 0, 1000 * (long) (seq % 512) },
                      NULL);
        }
    }

    __atomic_store_n(&done, 1, __ATOMIC_RELEASE);

    return NULL;
}


/* -1: none, -2: torn */

static int
configuration(cam_ring_reader_t *r)
{
    size_t   size, i;
    uint8_t  bytes[CAM_RING_CONFIG_MAX];

    size = cam_ring_config(r, CAM_TRACK_VIDEO, bytes);

    if (size == 0) {
        return -1;
    }

    for (i = 1; i < size; i++) {
        if (bytes[i] != bytes[0]) {
            return -2;
        }
    }

    return bytes[0];
}


static void
read_frames_of(reader_t *self, cam_ring_reader_t *r, uint8_t *buffer)
{
    int          n, rc, config, stop;
    uint64_t     seq;
    uint8_t      expected[2048];
    cam_frame_t  frame;

    seq = UINT64_MAX;
    config = configuration(r);

    /* now and then a reader joins anew */

    for (n = 0; n < JOIN_EACH && self->failed == NULL; /* void */ ) {
        stop = __atomic_load_n(&done, __ATOMIC_ACQUIRE);
        rc = cam_ring_read(r, &frame, buffer, 2048);

        switch (rc) {

        case CAM_RING_OK:
            expect(expected, frame.seq, buffer[0]);

            if (frame.flags & CAM_FRAME_CONFIG) {
                config = buffer[0];
            }

            if (seq != UINT64_MAX && frame.seq != seq) {
                self->failed = "a record is out of order";

            } else if (frame.dts != (int64_t) frame.seq
                       || frame.size != 1 + frame.seq % 700 + frame.seq % 600
                       || memcmp(buffer, expected, frame.size) != 0)
            {
                self->failed = "a record is torn";

            } else if (config != buffer[0]) {
                self->failed = "a frame is not of the configuration given";
            }

            n++;
            seq = frame.seq + 1;
            cam_ring_store(&self->frames, self->frames + 1);
            break;

        case CAM_RING_OVERRUN:
            if (seq != UINT64_MAX && frame.seq != seq + frame.lost) {
                self->failed = "lost is wrong";
            }

            seq = frame.seq;
            config = configuration(r);
            cam_ring_store(&self->overruns, self->overruns + 1);
            break;

        case CAM_RING_AGAIN:
            if (stop) {
                return;
            }

            break;

        default:
            self->failed = "the reader took the ring for corrupt";
        }
    }
}


static void *
read_frames(void *arg)
{
    int                 rc;
    reader_t           *self;
    uint8_t             buffer[2048];
    cam_ring_reader_t  *r;

    self = arg;

    while (self->failed == NULL && !__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
        rc = cam_ring_reader_attach(&r, self->map, self->size, -1);

        if (rc == CAM_RING_AGAIN) {
            continue;
        }

        if (rc != CAM_RING_OK) {
            self->failed = "a reader cannot join";
            break;
        }

        cam_ring_store(&self->joins, self->joins + 1);
        read_frames_of(self, r, buffer);
        cam_ring_reader_close(r);
    }

    return NULL;
}


static void
threads(void **state)
{
    int                 i;
    pthread_t           writer, thread[READERS];
    cam_ring_writer_t  *w;

    w = writer_open(1, CAPACITY);

    for (i = 0; i < READERS; i++) {
        reader[i].map = w->header;
        reader[i].size = CAM_RING_HEADER + w->capacity;
        assert_int_equal(pthread_create(&thread[i], NULL, read_frames,
                                        &reader[i]), 0);
    }

    assert_int_equal(pthread_create(&writer, NULL, write_frames, w), 0);
    assert_int_equal(pthread_join(writer, NULL), 0);

    for (i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    }

    cam_ring_writer_close(w);

    for (i = 0; i < READERS; i++) {
        print_message("# reader %d: %lu frames, %lu overruns, %lu joins\n",
                      i, reader[i].frames, reader[i].overruns,
                      reader[i].joins);

        if (reader[i].failed) {
            fail_msg("%s", reader[i].failed);
        }

        assert_true(reader[i].frames >= 3000);
        assert_true(reader[i].overruns >= 10 && reader[i].joins >= 100);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        RING_TEST(threads),
    };

    if (getenv("CAMERA_SOAK")) {
        msec = 60000;
    }

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
