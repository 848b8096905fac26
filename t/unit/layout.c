/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for layouts: which lists of cells are one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "layout.h"

#define ID  "\"018f0000-0000-7000-8000-000000000001\""


static int
good(const char *text)
{
    return cam_layout_check(text, strlen(text)) == NULL;
}


/* a list of one cell, with position and size as they are given */

static int
cell(const char *position, const char *size)
{
    char  text[256];

    snprintf(text, sizeof(text),
             "[{\"cameraId\":" ID ",\"position\":%s,\"size\":%s}]", position,
             size);

    return good(text);
}


static void
cells_lie_on_the_grid(void **state)
{
    assert_true(good("[]"));
    assert_true(cell("{\"x\":0,\"y\":0}", "{\"width\":1,\"height\":1}"));
    assert_true(cell("{\"x\":0,\"y\":0}", "{\"width\":64,\"height\":64}"));
    assert_true(cell("{\"y\":63,\"x\":63}", "{\"height\":1,\"width\":1}"));
}


static void
nothing_lies_beside_it(void **state)
{
    assert_false(cell("{\"x\":64,\"y\":0}", "{\"width\":1,\"height\":1}"));
    assert_false(cell("{\"x\":1,\"y\":0}", "{\"width\":64,\"height\":1}"));
    assert_false(cell("{\"x\":0,\"y\":63}", "{\"width\":1,\"height\":2}"));
    assert_false(cell("{\"x\":-1,\"y\":0}", "{\"width\":1,\"height\":1}"));
    assert_false(cell("{\"x\":0,\"y\":0}", "{\"width\":0,\"height\":1}"));
    assert_false(cell("{\"x\":0,\"y\":0}", "{\"width\":1,\"height\":0}"));
}


static void
nothing_else_is_a_layout(void **state)
{
    size_t  i;

    static const char  *bad[] = {
        "", "{}", "1", "[1]", "[[]]", "[{}]",
        "[{\"cameraId\":" ID "}]",
        "[{\"cameraId\":\"gate\",\"position\":{\"x\":0,\"y\":0},"
            "\"size\":{\"width\":1,\"height\":1}}]",
        "[{\"cameraId\":1,\"position\":{\"x\":0,\"y\":0},"
            "\"size\":{\"width\":1,\"height\":1}}]",
        "[{\"cameraId\":" ID ",\"position\":{\"x\":0,\"y\":0},"
            "\"size\":{\"width\":1,\"height\":1},\"z\":1}]"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (good(bad[i])) {
            fail_msg("taken: %s", bad[i]);
        }
    }

    assert_false(cell("{\"x\":0}", "{\"width\":1,\"height\":1}"));
    assert_false(cell("{\"x\":0,\"y\":0,\"z\":0}",
                      "{\"width\":1,\"height\":1}"));
    assert_false(cell("{\"x\":0.5,\"y\":0}", "{\"width\":1,\"height\":1}"));
    assert_false(cell("{\"x\":\"0\",\"y\":0}", "{\"width\":1,\"height\":1}"));
    assert_false(cell("{\"x\":0,\"y\":null}", "{\"width\":1,\"height\":1}"));
    assert_false(cell("[0,0]", "{\"width\":1,\"height\":1}"));
    assert_false(cell("{\"x\":0,\"y\":0}", "2"));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(cells_lie_on_the_grid),
        cmocka_unit_test(nothing_lies_beside_it),
        cmocka_unit_test(nothing_else_is_a_layout)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
