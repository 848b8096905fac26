/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for writing a ring: records come back whole, wherever they lie. */

#include "ring_fixture.h"

#define SMALL      CAM_RING_SIZE_MIN
#define BIGGEST    (SMALL / 2 - CAM_RING_RECORD_HEAD - CAM_RING_RECORD_TAIL)


static void
every_field_comes_back(void **state)
{
    cam_frame_t         in, out;
    struct iovec        iov;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, SMALL);
    r = reader_open();

    memset(&in, 0, sizeof(in));
    in.dts = -5000000000LL;
    in.cts = -40;
    in.track = CAM_TRACK_AUDIO;
    in.flags = CAM_FRAME_KEY | 0x80;
    in.wall_msec = 1800000000123LL;

    iov.iov_base = "abc";
    iov.iov_len = 3;

    assert_int_equal(cam_ring_write(w, &in, &iov, 1), CAM_RING_OK);
    assert_int_equal(cam_ring_read(r, &out, data, sizeof(data)), CAM_RING_OK);

    assert_int_equal(out.seq, 0);
    assert_int_equal(out.dts, in.dts);
    assert_int_equal(out.cts, in.cts);
    assert_int_equal(out.track, in.track);
    assert_int_equal(out.flags, in.flags);
    assert_int_equal(out.wall_msec, in.wall_msec);
    assert_int_equal(out.size, 3);
    assert_memory_equal(data, "abc", 3);

    assert_int_equal(next(r), CAM_RING_AGAIN);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


/* an nginx chain: buffers of any length, empty ones too, at any address */

static void
pieces_are_joined(void **state)
{
    int                 n, round;
    size_t              len, size;
    cam_frame_t         frame;
    struct iovec        iov[12];
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    static uint8_t  heap[8192], expected[8192];

    w = writer_open(1, 64 << 10);
    r = reader_open();

    memset(&frame, 0, sizeof(frame));
    pattern(heap, 1, sizeof(heap));
    srand(1);

    for (round = 0; round < 5000; round++) {
        size = 0;

        for (n = 0; n < 12; n++) {
            len = (size_t) rand() % (rand() % 2 ? 20 : 400);

            iov[n].iov_base = heap + (size_t) rand() % (sizeof(heap) - len);
            iov[n].iov_len = len;

            memcpy(expected + size, iov[n].iov_base, len);
            size += len;
        }

        assert_int_equal(cam_ring_write(w, &frame, iov, n), CAM_RING_OK);
        assert_int_equal(cam_ring_read(r, &frame, data, sizeof(data)),
                         CAM_RING_OK);
        assert_int_equal(frame.size, size);
        assert_memory_equal(data, expected, size);
    }

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


static void
empty_frame(void **state)
{
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, SMALL);
    r = reader_open();

    assert_int_equal(put(w, 1, 0, 0), CAM_RING_OK);
    assert_int_equal(put(w, 2, 1, 0), CAM_RING_OK);

    take(r, 1, 0);
    take(r, 2, 1);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


/* every size that fits follows every place in the ring where it may begin */

static void
wraps_with_every_pad(void **state)
{
    size_t              size;
    uint64_t            i;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, SMALL);
    r = reader_open();

    for (i = 0; i < 20000; i++) {
        size = i * 7919 % (BIGGEST + 1);

        assert_int_equal(put(w, i, size, 0), CAM_RING_OK);
        take(r, i, size);
    }

    assert_int_equal(next(r), CAM_RING_AGAIN);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


/* two of the biggest records fill the ring to its last byte: no pad */

static void
exact_fit(void **state)
{
    uint64_t            i;
    cam_ring_info_t     info;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, SMALL);
    r = reader_open();

    for (i = 0; i < 10; i += 2) {
        assert_int_equal(put(w, i, BIGGEST, 0), CAM_RING_OK);
        assert_int_equal(put(w, i + 1, BIGGEST, 0), CAM_RING_OK);

        take(r, i, BIGGEST);
        take(r, i + 1, BIGGEST);
    }

    /* both are whole again: nothing was given up for a pad */

    assert_int_equal(cam_ring_info(r, &info), CAM_RING_OK);
    assert_int_equal(info.head_seq, 10);
    assert_int_equal(info.bytes, 10 * BIGGEST);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


/* the room that is left is one word: a pad is never longer than that word */

static void
pad_of_one_word(void **state)
{
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, SMALL);
    r = reader_open();

    assert_int_equal(put(w, 0, BIGGEST, 0), CAM_RING_OK);
    assert_int_equal(put(w, 1, BIGGEST - 8, 0), CAM_RING_OK);

    take(r, 0, BIGGEST);
    take(r, 1, BIGGEST - 8);

    assert_int_equal(put(w, 2, 100, 0), CAM_RING_OK);
    take(r, 2, 100);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


static void
too_big_writes_nothing(void **state)
{
    cam_ring_info_t     before, after;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, SMALL);
    r = reader_open();

    assert_int_equal(put(w, 0, 10, CAM_FRAME_KEY), CAM_RING_OK);
    cam_ring_info(r, &before);

    assert_int_equal(put(w, 1, BIGGEST + 1, 0), CAM_RING_TOOBIG);
    assert_int_equal(put(w, 1, 2 * SMALL, 0), CAM_RING_TOOBIG);
    assert_int_equal(put(w, 1, BIGGEST + 1, CAM_FRAME_CONFIG),
                     CAM_RING_TOOBIG);

    cam_ring_info(r, &after);
    assert_memory_equal(&before, &after, sizeof(before));

    assert_int_equal(put(w, 1, BIGGEST, 0), CAM_RING_OK);
    take(r, 0, 10);
    take(r, 1, BIGGEST);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


static void
sizes_that_overflow(void **state)
{
    cam_frame_t         frame;
    struct iovec        iov[2];
    cam_ring_writer_t  *w;

    w = writer_open(1, SMALL);
    memset(&frame, 0, sizeof(frame));

    iov[0].iov_base = data;
    iov[0].iov_len = 8;
    iov[1].iov_base = data;
    iov[1].iov_len = SIZE_MAX - 3;

    assert_int_equal(cam_ring_write(w, &frame, iov, 2), CAM_RING_TOOBIG);
    assert_int_equal(cam_ring_write(w, &frame, iov + 1, 1), CAM_RING_TOOBIG);

    cam_ring_writer_close(w);
}


static void
unknown_track(void **state)
{
    cam_frame_t         frame;
    cam_ring_writer_t  *w;

    w = writer_open(1, SMALL);

    memset(&frame, 0, sizeof(frame));
    frame.track = CAM_TRACKS;

    assert_int_equal(cam_ring_write(w, &frame, NULL, 0), CAM_RING_ERROR);
    assert_int_equal(errno, EINVAL);

    cam_ring_writer_close(w);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        RING_TEST(every_field_comes_back),
        RING_TEST(pieces_are_joined),
        RING_TEST(empty_frame),
        RING_TEST(wraps_with_every_pad),
        RING_TEST(exact_fit),
        RING_TEST(pad_of_one_word),
        RING_TEST(too_big_writes_nothing),
        RING_TEST(sizes_that_overflow),
        RING_TEST(unknown_track),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
