/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for blame and quarantine: who, when, and for how long. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../camera_worker/blame.c"


static const uint8_t  one[CAM_UUID_LEN] = "camera one.....";
static const uint8_t  two[CAM_UUID_LEN] = "camera two.....";


static int
crash(cw_blame_t *blame, const uint8_t *camera, uint64_t generation,
    int64_t now)
{
    uint8_t  found[CAM_UUID_LEN];
    int      rc;

    cw_blame_begin(blame, 3, camera, generation);
    rc = cw_blame_settle(blame, 3, now, found);
    assert_memory_equal(found, camera, CAM_UUID_LEN);

    return rc;
}


static void
a_child_at_rest_blames_nobody(void **state)
{
    uint8_t      found[CAM_UUID_LEN];
    cw_blame_t  *blame;

    blame = cw_blame_create();

    cw_blame_begin(blame, 0, one, 1);
    cw_blame_end(blame, 0);
    assert_int_equal(cw_blame_settle(blame, 0, 1, found), CW_BLAME_NOBODY);

    /* and is blamed for one crash once */

    cw_blame_begin(blame, 0, one, 1);
    assert_int_equal(cw_blame_settle(blame, 0, 1, found), CW_BLAME_CAMERA);
    assert_int_equal(cw_blame_settle(blame, 0, 1, found), CW_BLAME_NOBODY);
}


static void
three_within_a_minute_shut_one_camera_out(void **state)
{
    cw_blame_t  *blame;

    blame = cw_blame_create();

    assert_int_equal(crash(blame, one, 5, 1000), CW_BLAME_CAMERA);
    assert_int_equal(crash(blame, two, 7, 2000), CW_BLAME_CAMERA);
    assert_int_equal(crash(blame, one, 5, 30000), CW_BLAME_CAMERA);
    assert_int_equal(cw_blame_quarantined(blame, one, 5, 30000), 0);
    assert_int_equal(crash(blame, one, 6, 60000), CW_BLAME_QUARANTINE);

    assert_int_equal(cw_blame_quarantined(blame, one, 6, 60001), 1);
    assert_int_equal(cw_blame_quarantined(blame, one, 7, 60001), 1);
    assert_int_equal(cw_blame_quarantined(blame, two, 7, 60001), 0);

    /* ten minutes, and then another publication */

    assert_int_equal(cw_blame_quarantined(blame, one, 6, 700000), 1);
    assert_int_equal(cw_blame_quarantined(blame, one, 8, 700000), 0);
    assert_int_equal(cw_blame_quarantined(blame, one, 6, 700000), 0);
}


static void
three_in_a_day_do_not(void **state)
{
    int          i;
    cw_blame_t  *blame;

    blame = cw_blame_create();

    for (i = 1; i < 20; i++) {
        assert_int_equal(crash(blame, one, 5, i * 40000), CW_BLAME_CAMERA);
    }
}


static void
old_records_make_room(void **state)
{
    int          i;
    uint8_t      camera[CAM_UUID_LEN];
    cw_blame_t  *blame;

    blame = cw_blame_create();
    memset(camera, 0, CAM_UUID_LEN);

    for (i = 0; i < 3; i++) {
        (void) crash(blame, one, 5, 1000000 + i);
    }

    for (i = 1; i < 200; i++) {
        camera[0] = i;
        assert_int_equal(crash(blame, camera, 1, i), CW_BLAME_CAMERA);
    }

    assert_int_equal(cw_blame_quarantined(blame, one, 9, 1000100), 1);
}


static void
crashes_of_a_minute_are_counted(void **state)
{
    cw_blame_t  *blame;

    blame = cw_blame_create();

    assert_int_equal(cw_blame_crashes(blame, one, 1000), 0);
    (void) crash(blame, one, 5, 1000);
    (void) crash(blame, two, 5, 1500);
    assert_int_equal(cw_blame_crashes(blame, one, 2000), 1);
    (void) crash(blame, one, 5, 50000);
    assert_int_equal(cw_blame_crashes(blame, one, 51000), 2);
    assert_int_equal(cw_blame_crashes(blame, one, 62000), 1);
    assert_int_equal(cw_blame_crashes(blame, one, 120000), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(a_child_at_rest_blames_nobody),
        cmocka_unit_test(three_within_a_minute_shut_one_camera_out),
        cmocka_unit_test(three_in_a_day_do_not),
        cmocka_unit_test(old_records_make_room),
        cmocka_unit_test(crashes_of_a_minute_are_counted),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests_name("worker_blame", tests, NULL, NULL);
}
