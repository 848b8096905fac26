/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for the wall times of recorded fragments. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../camera_worker/record_wall.c"

#define T0     INT64_C(1790000000000)
#define PART   500                       /* ms */
#define HOUR   INT64_C(3600000)


/* a recorder, and the latest truth it was told */
typedef struct {
    cw_record_wall_t  last;
    int64_t           truth;
    int64_t           ahead;             /* the most it ever was */
} record_t;


static void
take(record_t *r, int64_t true_msec)
{
    int64_t  wall;

    wall = cw_record_wall_next(&r->last, true_msec);

    assert_true(wall >= r->last.msec);
    assert_true(wall >= true_msec);

    r->last.msec = wall;
    r->last.usec = PART * 1000;

    if (true_msec > r->truth) {
        r->truth = true_msec;
    }

    if (wall - r->truth > r->ahead) {
        r->ahead = wall - r->truth;
    }
}


static cw_record_wall_t
recorded(int64_t msec)
{
    cw_record_wall_t  last = { T0 + msec, PART * 1000, 0, 0 };

    return last;
}


static cw_record_clock_t
at(int64_t msec, int64_t ahead, uint32_t epoch)
{
    cw_record_clock_t  now = { T0 + msec, ahead, epoch };

    return now;
}


static void
parts_follow_each_other_to_the_millisecond(void **state)
{
    int                 i;
    cam_live_segment_t  seg;

    memset(&seg, 0, sizeof(seg));
    seg.wall_msec = T0;
    seg.parts = 30;

    for (i = 0; i < 30; i++) {
        seg.part[i].duration_usec = 33333;
    }

    assert_int_equal(cw_record_wall_true(&seg, 0), T0);
    assert_int_equal(cw_record_wall_true(&seg, 1), T0 + 33);
    assert_int_equal(cw_record_wall_true(&seg, 30), T0 + 999);
}


static void
time_that_runs_is_the_truth(void **state)
{
    int       i;
    record_t  r = { { 0, 0, 0, 0 }, 0, 0 };

    for (i = 0; i < 1000; i++) {
        take(&r, T0 + i * PART);
        assert_int_equal(r.last.msec, T0 + i * PART);
    }
}


/* its packager is killed each 1.5 s, and packages a group of ten seconds anew */

static void
deaths_without_a_pause_never_run_ahead(void **state)
{
    int       death;
    int64_t   now, key, t;
    record_t  r = { { 0, 0, 0, 0 }, 0, 0 };

    now = 0;

    for (death = 0; death < 1000; death++) {
        now += 3 * PART;
        key = now / 10000 * 10000;

        for (t = key; t < now; t += PART) {
            take(&r, T0 + t);
        }

        assert_true(r.last.msec <= T0 + now);
    }

    assert_int_equal(r.ahead, 0);
}


static void
what_is_there_once_more_stands_still(void **state)
{
    record_t  r = { { 0, 0, 0, 0 }, 0, 0 };

    take(&r, T0);
    take(&r, T0 + PART);
    take(&r, T0);
    assert_int_equal(r.last.msec, T0 + PART);
    take(&r, T0 + PART);
    assert_int_equal(r.last.msec, T0 + PART);
    take(&r, T0 + 2 * PART);
    assert_int_equal(r.last.msec, T0 + 2 * PART);
}


static void
a_step_is_one_of_ten_seconds(void **state)
{
    cw_record_wall_t   last = recorded(0);
    cw_record_clock_t  now = at(1000, 0, 0);

    assert_false(cw_record_wall_stepped(&last, &now, T0 + PART));

    now = at(-8000, -9000, 0);
    assert_false(cw_record_wall_stepped(&last, &now, T0 - 9000));

    now = at(-11000, -12000, 1);
    assert_true(cw_record_wall_stepped(&last, &now, T0 - 12000));
    now = at(-HOUR, -HOUR, 1);
    assert_true(cw_record_wall_stepped(&last, &now, T0 - HOUR));

    now = at(HOUR, HOUR, 1);
    assert_true(cw_record_wall_stepped(&last, &now, T0 + HOUR));
}


/* the clock was set while nobody recorded: there is no step that we saw */

static void
a_step_back_is_known_after_a_restart(void **state)
{
    cw_record_wall_t   last = recorded(0);
    cw_record_clock_t  now = at(-HOUR + 5000, 0, 0);

    assert_true(cw_record_wall_stepped(&last, &now, T0 - HOUR + 4000));
}


static void
a_long_absence_is_no_step(void **state)
{
    cw_record_wall_t   last = recorded(0);
    cw_record_clock_t  now = at(HOUR, 0, 0);

    assert_false(cw_record_wall_stepped(&last, &now, T0 + HOUR));
}


/* a packager that died, of a camera with a key frame in half a minute */

static void
a_long_group_once_more_is_no_step(void **state)
{
    cw_record_wall_t   last = recorded(0);
    cw_record_clock_t  now = at(1500, 0, 0);

    assert_false(cw_record_wall_stepped(&last, &now, T0 - 30000));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(parts_follow_each_other_to_the_millisecond),
        cmocka_unit_test(time_that_runs_is_the_truth),
        cmocka_unit_test(deaths_without_a_pause_never_run_ahead),
        cmocka_unit_test(what_is_there_once_more_stands_still),
        cmocka_unit_test(a_step_is_one_of_ten_seconds),
        cmocka_unit_test(a_step_back_is_known_after_a_restart),
        cmocka_unit_test(a_long_absence_is_no_step),
        cmocka_unit_test(a_long_group_once_more_is_no_step)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
