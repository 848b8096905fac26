/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for the cuts between parts and segments. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../camera_worker/cut.c"


typedef struct {
    int      n;
    int      independent;           /* segments that start with a key frame */
    int64_t  longest;
    int64_t  shortest;              /* but the first and the last */
    int64_t  longest_part;
    int64_t  shortest_part;         /* but the last of a segment */
} cuts_t;


static void
note_part(cuts_t *c, const cw_cut_t *cut, int what)
{
    if (cut->part_usec > c->longest_part) {
        c->longest_part = cut->part_usec;
    }

    if (what == CW_CUT_PART && cut->part_usec < c->shortest_part) {
        c->shortest_part = cut->part_usec;
    }

    if (what == CW_CUT_SEGMENT) {
        if (cut->segment_usec > c->longest) {
            c->longest = cut->segment_usec;
        }

        if (c->n > 0 && cut->segment_usec < c->shortest) {
            c->shortest = cut->segment_usec;
        }

        c->n++;
    }
}


/* a camera with frames of about step_usec, a key frame each gop frames */

static cuts_t
run(int64_t step_usec, int64_t jitter_usec, int gop, int frames)
{
    int       i, what;
    cuts_t    c = { 0, 0, 0, INT64_MAX, 0, INT64_MAX };
    int64_t   d;
    cw_cut_t  cut;

    srandom(7);
    cw_cut_init(&cut, 2000000);

    for (i = 0; i < frames; i++) {
        d = step_usec;

        if (jitter_usec) {
            d += random() % (2 * jitter_usec) - jitter_usec;
        }

        what = cw_cut_before(&cut, d);

        if (what) {
            note_part(&c, &cut, what);
            cw_cut_done(&cut, what);
        }

        if (cut.segment_usec == 0) {
            c.independent += (i % gop == 0);
        }

        cw_cut_add(&cut, d, i % gop == 0);
        what = cw_cut_after(&cut, d, (i + 1) % gop == 0);

        if (what) {
            note_part(&c, &cut, what);
            cw_cut_done(&cut, what);
        }
    }

    return c;
}


static void
usual_cameras_are_cut_at_key_frames(void **state)
{
    unsigned  i;
    cuts_t    c;

    static const struct {
        int64_t  step, jitter;
        int      gop;
    } cameras[] = {
        { 40000, 0, 50 },           /* 25 fps, 2 s */
        { 40000, 0, 25 },           /* 1 s */
        { 40000, 3000, 50 },
        { 33333, 2000, 60 },
        { 33333, 0, 30 },
        { 66667, 10000, 30 },
        { 40000, 0, 12 },           /* half a second */
        { 40000, 0, 40 },           /* 1.6 s */
        { 40000, 0, 58 },           /* 2.3 s */
        { 125000, 0, 16 },          /* 8 fps */
        { 40000, 0, 1 },            /* key frames only */
    };

    for (i = 0; i < sizeof(cameras) / sizeof(cameras[0]); i++) {
        c = run(cameras[i].step, cameras[i].jitter, cameras[i].gop, 1500);

        assert_true(c.n > 10);
        assert_true(c.independent >= c.n);
        assert_true(c.longest < 2500000);
        assert_true(c.shortest > 1400000);
        assert_true(c.longest_part <= 510000);
        assert_true(c.shortest_part >= 400000);
    }
}


static void
long_groups_are_cut_at_the_target(void **state)
{
    cuts_t  c;

    c = run(40000, 0, 250, 2500);               /* 10 s */
    assert_true(c.longest < 2500000);
    assert_in_range(c.n, 49, 51);
    assert_true(c.independent >= 10);

    c = run(40000, 0, 75, 1500);                /* 3 s */
    assert_true(c.longest < 2500000);
    assert_true(c.independent >= 20);

    c = run(40000, 0, 100000, 2500);            /* none but the first */
    assert_true(c.longest < 2500000);
    assert_true(c.n >= 40);
}


static void
seldom_frames_make_parts_of_two(void **state)
{
    cuts_t  c;

    c = run(333333, 0, 6, 200);                 /* 3 fps, 2 s */
    assert_int_equal(c.longest_part, 666666);
    assert_true(c.longest < 2500000);
    assert_true(c.independent >= c.n);

    c = run(1000000, 0, 2, 100);                /* 1 fps */
    assert_int_equal(c.longest_part, 2000000);
    assert_true(c.longest < 2500000);

    c = run(3000000, 0, 1, 20);                 /* each is a segment */
    assert_int_equal(c.longest, 3000000);
    assert_true(c.n >= 19);
}


static void
a_stall_ends_the_part_before_it(void **state)
{
    cw_cut_t  cut;

    cw_cut_init(&cut, 2000000);
    cw_cut_add(&cut, 40000, 1);
    cw_cut_add(&cut, 40000, 0);

    assert_int_equal(cw_cut_before(&cut, 40000), CW_CUT_NONE);
    assert_int_equal(cw_cut_before(&cut, 900000), CW_CUT_PART);
    assert_int_equal(cw_cut_before(&cut, 2450000), CW_CUT_SEGMENT);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(usual_cameras_are_cut_at_key_frames),
        cmocka_unit_test(long_groups_are_cut_at_the_target),
        cmocka_unit_test(seldom_frames_make_parts_of_two),
        cmocka_unit_test(a_stall_ends_the_part_before_it),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests_name("package_cut", tests, NULL, NULL);
}
