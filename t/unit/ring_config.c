/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for the configuration of a ring's tracks: which one a reader gets, and
 * what a new one makes of the key frame before it.
 */

#include "ring_fixture.h"

#define SMALL     CAM_RING_SIZE_MIN
#define CAPACITY  (64 << 10)


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


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        RING_TEST(configuration_is_kept),
        RING_TEST(configuration_forgets_key_frame),
        RING_TEST(repeated_configuration_keeps_key_frame),
        RING_TEST(first_configuration_keeps_key_frame),
        RING_TEST(configuration_after_frames_forgets_key_frame),
        RING_TEST(overrun_renews_configuration),
        RING_TEST(configuration_of_any_size),
        RING_TEST(half_a_configuration_is_not_joined),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
