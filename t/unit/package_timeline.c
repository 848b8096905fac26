/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for the time of what is packaged. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../camera_worker/timeline.c"

#define V    CAM_TRACK_VIDEO
#define A    CAM_TRACK_AUDIO
#define AAC  21333                  /* 1024 samples at 48 kHz */


static int64_t
map(cw_timeline_t *tl, int track, int64_t msec, int rc)
{
    int64_t  out;

    assert_int_equal(cw_timeline_map(tl, track, msec, track == A ? AAC : 0,
                                     &out), rc);

    return out;
}


static void
pictures_keep_their_times(void **state)
{
    int            i;
    cw_timeline_t  tl;

    memset(&tl, 0, sizeof(tl));
    cw_timeline_start(&tl, 777000);

    for (i = 0; i < 100; i++) {
        assert_int_equal(map(&tl, V, 777000 + 40 * i, CW_TIMELINE_OK),
                         40000 * i);
    }

    assert_int_equal(cw_timeline_step(&tl, V), 40000);

    /* two with one time are told apart */

    assert_int_equal(map(&tl, V, 777000 + 40 * 99, CW_TIMELINE_OK),
                     40000 * 99 + 1000);
}


/* rounding to ms and 15 ms of jitter leave steps within 0.5 ms */

static void
sound_is_smoothed(void **state)
{
    int            i;
    int64_t        out, last, in;
    cw_timeline_t  tl;

    memset(&tl, 0, sizeof(tl));
    cw_timeline_start(&tl, 0);
    srandom(3);
    last = map(&tl, A, 0, CW_TIMELINE_OK);

    for (i = 1; i < 50000; i++) {
        in = (int64_t) i * AAC / 1000 + random() % 30;
        out = map(&tl, A, in, CW_TIMELINE_OK);

        assert_in_range(out - last, AAC - 1000, AAC + 1000);
        assert_true(llabs(out - in * 1000) < 40000);
        last = out;
    }
}


/* a sound card that is 0.1 % fast stays with its pictures */

static void
drift_is_followed(void **state)
{
    int            i;
    int64_t        out, in;
    cw_timeline_t  tl;

    memset(&tl, 0, sizeof(tl));
    cw_timeline_start(&tl, 0);
    in = out = 0;

    for (i = 0; i < 50000; i++) {
        in = (int64_t) i * AAC * 1001 / 1000 / 1000;
        out = map(&tl, A, in, CW_TIMELINE_OK);
    }

    assert_true(llabs(out - in * 1000) < 5000);
}


static void
a_jump_is_announced_once(void **state)
{
    cw_timeline_t  tl;

    memset(&tl, 0, sizeof(tl));
    cw_timeline_start(&tl, 1000);

    (void) map(&tl, V, 1000, CW_TIMELINE_OK);
    (void) map(&tl, A, 1000, CW_TIMELINE_OK);
    (void) map(&tl, V, 1040, CW_TIMELINE_OK);
    (void) map(&tl, A, 1021, CW_TIMELINE_OK);

    /* pictures first; a late bit of sound; then sound has it, too */

    assert_int_equal(map(&tl, V, 61080, CW_TIMELINE_JUMP), 80000);
    (void) map(&tl, A, 1042, CW_TIMELINE_OK);
    (void) map(&tl, A, 61064, CW_TIMELINE_OK);
    assert_int_equal(map(&tl, V, 61120, CW_TIMELINE_OK), 120000);

    /* and back, sound first */

    (void) map(&tl, A, 1085, CW_TIMELINE_JUMP);
    assert_in_range(map(&tl, V, 1160, CW_TIMELINE_OK), 150000, 170000);
}


static void
a_gap_below_ten_seconds_stays(void **state)
{
    cw_timeline_t  tl;

    memset(&tl, 0, sizeof(tl));
    cw_timeline_start(&tl, 0);

    (void) map(&tl, V, 0, CW_TIMELINE_OK);
    assert_int_equal(map(&tl, V, 9900, CW_TIMELINE_OK), 9900000);
    assert_int_equal(map(&tl, V, 9940, CW_TIMELINE_OK), 9940000);
    assert_int_equal(map(&tl, V, 19980, CW_TIMELINE_JUMP), 9980000);
}


static void
a_new_publication_goes_on(void **state)
{
    int            i;
    cw_timeline_t  tl;

    memset(&tl, 0, sizeof(tl));
    cw_timeline_start(&tl, 500000);

    for (i = 0; i < 10; i++) {
        (void) map(&tl, V, 500000 + 40 * i, CW_TIMELINE_OK);
    }

    cw_timeline_start(&tl, 0);
    assert_int_equal(map(&tl, V, 0, CW_TIMELINE_OK), 400000);
    assert_int_equal(map(&tl, V, 40, CW_TIMELINE_OK), 440000);
}


/* sound that counts from elsewhere starts with the pictures */

static void
unrelated_tracks_are_put_together(void **state)
{
    cw_timeline_t  tl;

    memset(&tl, 0, sizeof(tl));
    cw_timeline_start(&tl, 0);

    (void) map(&tl, V, 0, CW_TIMELINE_OK);
    (void) map(&tl, V, 40, CW_TIMELINE_OK);
    assert_int_equal(map(&tl, A, 90000000, CW_TIMELINE_OK), 40000);
    assert_in_range(map(&tl, A, 90000021, CW_TIMELINE_OK), 61000, 62000);
}


static void
the_wall_clock_is_smoothed(void **state)
{
    int            i;
    cw_timeline_t  tl;

    memset(&tl, 0, sizeof(tl));

    cw_timeline_arrival(&tl, 0, 1000000);
    assert_int_equal(cw_timeline_wall_msec(&tl, 5000000), 1005000);

    /* one frame 500 ms late moves it by 2 ms */

    cw_timeline_arrival(&tl, 40000, 1000540);
    assert_in_range(cw_timeline_wall_msec(&tl, 0), 1000000, 1000002);

    /* a minute of them moves it all the way */

    for (i = 0; i < 1500; i++) {
        cw_timeline_arrival(&tl, 40000 * i, 1000500 + 40 * i);
    }

    assert_in_range(cw_timeline_wall_msec(&tl, 0), 1000490, 1000500);

    /* somebody set the clock */

    cw_timeline_arrival(&tl, 0, 9000000);
    assert_int_equal(cw_timeline_wall_msec(&tl, 0), 9000000);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(pictures_keep_their_times),
        cmocka_unit_test(sound_is_smoothed),
        cmocka_unit_test(drift_is_followed),
        cmocka_unit_test(a_jump_is_announced_once),
        cmocka_unit_test(a_gap_below_ten_seconds_stays),
        cmocka_unit_test(a_new_publication_goes_on),
        cmocka_unit_test(unrelated_tracks_are_put_together),
        cmocka_unit_test(the_wall_clock_is_smoothed),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests_name("package_timeline", tests, NULL, NULL);
}
