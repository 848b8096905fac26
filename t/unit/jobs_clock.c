/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for the clock by which age is counted. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../camera_worker/jobs_clock.c"

#define MIN   INT64_C(60000)
#define HOUR  (60 * MIN)
#define T0    INT64_C(1790000000000)


static int64_t
judge(cw_jobs_clock_t *clock, int64_t wall, int64_t boot, int synchronised)
{
    cw_jobs_clock_now_t  now = { T0 + wall, boot, synchronised };

    return cw_jobs_clock_judge(clock, &now) - T0;
}


static cw_jobs_clock_t
begun(void)
{
    cw_jobs_clock_t      clock;
    cw_jobs_clock_now_t  now = { T0, HOUR, 0 };

    cw_jobs_clock_start(&clock, &now);

    return clock;
}


static void
time_that_passes_is_believed(void **state)
{
    int              i;
    cw_jobs_clock_t  clock = begun();

    for (i = 1; i < 1000; i++) {
        assert_int_equal(judge(&clock, i * HOUR, HOUR + i * HOUR, 0),
                         i * HOUR);
        assert_int_equal(clock.ahead_msec, 0);
    }
}


static void
small_steps_are_believed(void **state)
{
    cw_jobs_clock_t  clock = begun();

    assert_int_equal(judge(&clock, 11 * MIN, HOUR + MIN, 0), 11 * MIN);
    assert_int_equal(judge(&clock, 2 * MIN, HOUR + 2 * MIN, 0), 2 * MIN);
    assert_int_equal(clock.ahead_msec, 0);
}


static void
a_jump_forward_is_not(void **state)
{
    cw_jobs_clock_t  clock = begun();

    assert_int_equal(judge(&clock, HOUR, HOUR + MIN, 0), MIN);
    assert_int_equal(clock.ahead_msec, 59 * MIN);

    /* and the time goes on */

    assert_int_equal(judge(&clock, 2 * HOUR, 2 * HOUR + MIN, 0), HOUR + MIN);
    assert_int_equal(clock.ahead_msec, 59 * MIN);

    /* until it is right again */

    assert_int_equal(judge(&clock, 62 * MIN, 2 * HOUR + 2 * MIN, 0), 62 * MIN);
    assert_int_equal(clock.ahead_msec, 0);
}


static void
a_synchronised_clock_is_right(void **state)
{
    cw_jobs_clock_t  clock = begun();

    assert_int_equal(judge(&clock, 5 * HOUR, HOUR + MIN, 1), 5 * HOUR);
    assert_int_equal(clock.ahead_msec, 0);
    assert_int_equal(judge(&clock, 6 * HOUR, 2 * HOUR + MIN, 0), 6 * HOUR);
    assert_int_equal(clock.ahead_msec, 0);
}


static void
the_way_back_is_no_jump(void **state)
{
    cw_jobs_clock_t  clock = begun();

    assert_int_equal(judge(&clock, -HOUR, HOUR + MIN, 0), -HOUR);
    assert_int_equal(clock.ahead_msec, 0);
    assert_int_equal(judge(&clock, 2 * MIN, HOUR + 2 * MIN, 0), 2 * MIN);
    assert_int_equal(clock.ahead_msec, 0);
}


static void
what_was_believed_is_taken_up(void **state)
{
    cw_jobs_clock_t  clock;

    /* the same boot: all time that passed is known */

    cw_jobs_clock_resume(&clock, T0, HOUR);
    assert_int_equal(judge(&clock, 9 * HOUR, 10 * HOUR, 0), 9 * HOUR);
    assert_int_equal(clock.ahead_msec, 0);

    cw_jobs_clock_resume(&clock, T0, HOUR);
    assert_int_equal(judge(&clock, 99 * HOUR, 2 * HOUR, 0), HOUR);
    assert_int_equal(clock.ahead_msec, 98 * HOUR);

    /* another one: only the time since then */

    cw_jobs_clock_resume(&clock, T0, 0);
    assert_int_equal(judge(&clock, 5 * HOUR, MIN, 0), MIN);
    assert_int_equal(clock.ahead_msec, 5 * HOUR - MIN);
    assert_int_equal(judge(&clock, 5 * HOUR, MIN, 1), 5 * HOUR);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(time_that_passes_is_believed),
        cmocka_unit_test(small_steps_are_believed),
        cmocka_unit_test(a_jump_forward_is_not),
        cmocka_unit_test(a_synchronised_clock_is_right),
        cmocka_unit_test(the_way_back_is_no_jump),
        cmocka_unit_test(what_was_believed_is_taken_up)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
