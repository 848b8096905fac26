/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for a reader that goes on at the place of another one, which died. */

#include "ring_fixture.h"

#define SMALL     CAM_RING_SIZE_MIN
#define CAPACITY  (64 << 10)


/* a reader that died is followed by one that goes on with its next record */

static void
place_of_another(void **state)
{
    uint64_t            i, from;
    cam_frame_t         frame;
    cam_ring_place_t    place[90];
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, SMALL * 2);
    r = reader_open();

    for (i = 0; i < 90; i++) {
        put(w, i, 100 + i, i % 40 == 0 ? CAM_FRAME_KEY : 0);
        assert_int_equal(cam_ring_read(r, &frame, data, sizeof(data)),
                         CAM_RING_OK);
        place[i] = (cam_ring_place_t) { 1, frame.pos, frame.seq };
    }

    cam_ring_reader_close(r);

    for (from = 0; from < 90; from++) {
        r = reader_open();
        i = cam_ring_reader_seek(r, &place[from]) ? from : 80;

        /* the oldest are overwritten, and nothing else is an excuse */

        assert_true(i == from || from < 60);

        for ( /* void */ ; i < 90; i++) {
            take(r, i, 100 + i);
        }

        assert_int_equal(next(r), CAM_RING_AGAIN);
        cam_ring_reader_close(r);
    }

    cam_ring_writer_close(w);
}


static void
place_in_a_grown_ring(void **state)
{
    uint64_t            i;
    cam_frame_t         frame;
    cam_ring_place_t    place;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, SMALL * 2);
    r = reader_open();

    for (i = 0; i < 30; i++) {
        put(w, i, 100 + i, i == 20 ? CAM_FRAME_KEY : 0);

        if (i < 26) {
            assert_int_equal(cam_ring_read(r, &frame, data, sizeof(data)),
                             CAM_RING_OK);
        }
    }

    cam_ring_reader_close(r);
    place = (cam_ring_place_t) { 1, frame.pos, frame.seq };

    assert_int_equal(cam_ring_writer_grow(&w, 2, CAPACITY), CAM_RING_OK);

    r = reader_open();
    assert_int_equal(cam_ring_reader_seek(r, &place), 1);
    take(r, 25, 125);

    /* a publication that it has nothing to do with */

    place.generation = 7;
    assert_int_equal(cam_ring_reader_seek(r, &place), 0);
    take(r, 20, 120);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


/* a place is another process's word */

static void
what_is_no_place(void **state)
{
    uint64_t            i;
    cam_ring_place_t    place;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, CAPACITY);

    for (i = 0; i < 10; i++) {
        put(w, i, 100, i == 5 ? CAM_FRAME_KEY : 0);
    }

    r = reader_open();

    for (i = 0; i < 2000; i++) {
        place = (cam_ring_place_t) { 1, i, i % 12 };

        if (cam_ring_reader_seek(r, &place) == 0) {
            take(r, 5, 100);
        } else {
            assert_int_equal(i, i % 12 * cam_ring_record_size(100));
        }
    }

    place = (cam_ring_place_t) { 1, UINT64_MAX - 7, 9 };
    assert_int_equal(cam_ring_reader_seek(r, &place), 0);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


/* what was read then was under another configuration */

static void
place_before_a_configuration(void **state)
{
    cam_frame_t         frame;
    cam_ring_place_t    place;
    cam_ring_reader_t  *r;
    cam_ring_writer_t  *w;

    w = writer_open(1, CAPACITY);
    r = reader_open();

    put_config(w, CAM_TRACK_VIDEO, "old");
    put(w, 1, 100, CAM_FRAME_KEY);

    assert_int_equal(next(r), CAM_RING_OK);
    assert_int_equal(cam_ring_read(r, &frame, data, sizeof(data)),
                     CAM_RING_OK);
    cam_ring_reader_close(r);

    place = (cam_ring_place_t) { 1, frame.pos, frame.seq };

    put_config(w, CAM_TRACK_VIDEO, "new");
    put(w, 3, 100, CAM_FRAME_KEY);

    r = reader_open();
    assert_int_equal(cam_ring_reader_seek(r, &place), 0);
    assert_int_equal(cam_ring_config(r, CAM_TRACK_VIDEO, data), 3);
    assert_memory_equal(data, "new", 3);
    take(r, 3, 100);

    cam_ring_reader_close(r);
    cam_ring_writer_close(w);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        RING_TEST(place_of_another),
        RING_TEST(place_in_a_grown_ring),
        RING_TEST(what_is_no_place),
        RING_TEST(place_before_a_configuration),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests_name("ring_seek", tests, NULL, NULL);
}
