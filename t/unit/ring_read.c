/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for reading a ring: where a reader joins, and what a slow one loses.
 */

#include "ring_fixture.h"

#define SMALL     CAM_RING_SIZE_MIN
#define CAPACITY  (64 << 10)


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
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
