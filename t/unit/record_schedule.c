/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for weekly schedules: which lists of windows are one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "record_schedule.h"


static int
good(const char *text)
{
    return cam_schedule_check(text, strlen(text)) == NULL;
}


static int
zone(const char *text)
{
    return cam_schedule_check_zone(text, strlen(text)) == NULL;
}


static void
windows_are_times_of_a_day(void **state)
{
    assert_true(good("[]"));
    assert_true(good("[{\"day\":0,\"from\":\"00:00\",\"to\":\"24:00\"}]"));
    assert_true(good("[{\"day\":6,\"from\":\"23:59\",\"to\":\"24:00\"},"
                     "{\"to\":\"09:30\",\"from\":\"08:00\",\"day\":1}]"));
}


static void
nothing_else_is_one(void **state)
{
    size_t  i;

    static const char  *bad[] = {
        "", "{}", "1", "[1]", "[[]]", "[{}]",
        "[{\"day\":7,\"from\":\"00:00\",\"to\":\"24:00\"}]",
        "[{\"day\":-1,\"from\":\"00:00\",\"to\":\"24:00\"}]",
        "[{\"day\":1.0,\"from\":\"00:00\",\"to\":\"24:00\"}]",
        "[{\"day\":\"1\",\"from\":\"00:00\",\"to\":\"24:00\"}]",
        "[{\"from\":\"00:00\",\"to\":\"24:00\"}]",
        "[{\"day\":1,\"to\":\"24:00\"}]",
        "[{\"day\":1,\"from\":\"00:00\",\"to\":\"24:01\"}]",
        "[{\"day\":1,\"from\":\"00:00\",\"to\":\"00:60\"}]",
        "[{\"day\":1,\"from\":\"0:00\",\"to\":\"24:00\"}]",
        "[{\"day\":1,\"from\":\"00-00\",\"to\":\"24:00\"}]",
        "[{\"day\":1,\"from\":\"00:00:00\",\"to\":\"24:00\"}]",
        "[{\"day\":1,\"from\":0,\"to\":\"24:00\"}]",
        "[{\"day\":1,\"from\":\"08:00\",\"to\":\"08:00\"}]",
        "[{\"day\":1,\"from\":\"22:00\",\"to\":\"06:00\"}]",
        "[{\"day\":1,\"from\":\"08:00\",\"to\":\"09:00\",\"x\":1}]",
        "[{\"day\":1,\"from\":\"08:00\",\"to\":\"09:00\"},{}]"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (good(bad[i])) {
            fail_msg("taken: %s", bad[i]);
        }
    }
}


static void
zones_are_names(void **state)
{
    assert_true(zone("UTC"));
    assert_true(zone("Europe/Berlin"));
    assert_true(zone("America/Argentina/Buenos_Aires"));
    assert_true(zone("Etc/GMT+5"));

    assert_false(zone("/etc/passwd"));
    assert_false(zone("../UTC"));
    assert_false(zone("UTC;"));
    assert_false(zone("Europe Berlin"));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(windows_are_times_of_a_day),
        cmocka_unit_test(nothing_else_is_one),
        cmocka_unit_test(zones_are_names)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
