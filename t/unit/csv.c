/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for tables of comma-separated values: what they are as JSON. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "csv.h"

#define ROWS  3


static const cam_field_t  fields[] = {
    { "name", CAM_FIELD_TEXT, 0, 1, 100, NULL, NULL },
    { "on", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },
    { "days", CAM_FIELD_INT, 0, 1, 10, NULL, NULL },
    { "nets", CAM_FIELD_CIDRS, 0, 0, 10, NULL, NULL },
    CAM_FIELD_END
};

static char  err[160];


/* as JSON, or NULL */

static void
is(const char *text, const char *want)
{
    char    *got;
    json_t  *list;

    err[0] = '\0';
    list = cam_csv_read(text, strlen(text), fields, ROWS, err, sizeof(err));
    got = list ? json_dumps(list, JSON_COMPACT) : NULL;

    if (want) {
        assert_non_null(got);
        assert_string_equal(got, want);
        assert_string_equal(err, "");

    } else {
        assert_null(got);
    }

    free(got);
    json_decref(list);
}


static void
fails(const char *text, const char *why)
{
    is(text, NULL);
    assert_string_equal(err, why);
}


static void
rows_are_objects(void **state)
{
    is("name\n", "[]");
    is("name", "[]");
    is("name\ngate", "[{\"name\":\"gate\"}]");
    is("name,on\r\ngate,true\r\nyard,False\r\n",
       "[{\"name\":\"gate\",\"on\":true},{\"name\":\"yard\",\"on\":false}]");
    is("\xef\xbb\xbfname\nT\xc3\xbcr\n", "[{\"name\":\"T\xc3\xbcr\"}]");
    is("name,on\n\n,\n\r\ngate,\n", "[{},{\"name\":\"gate\"}]");
}


static void
cells_have_the_type_of_their_field(void **state)
{
    is("days,nets\n7,10.0.0.0/8  ::1\n",
       "[{\"days\":7,\"nets\":[\"10.0.0.0/8\",\"::1\"]}]");
    is("days,nets\n-3, \n", "[{\"days\":-3,\"nets\":[]}]");

    /* what does not fit is for the field to complain about */

    is("days,on\nmany,yes\n", "[{\"days\":\"many\",\"on\":\"yes\"}]");
    is("days\n99999999999999999999\n",
       "[{\"days\":\"99999999999999999999\"}]");
    is("days\n 7\n7 \n", "[{\"days\":\" 7\"},{\"days\":\"7 \"}]");
}


static void
quotes_hold_anything(void **state)
{
    is("\"name\",on\n\"Gate, \"\"north\"\"\",true\n",
       "[{\"name\":\"Gate, \\\"north\\\"\",\"on\":true}]");
    is("name\n\"two\nlines\"\n", "[{\"name\":\"two\\nlines\"}]");
    is("name\n\"\"\n", "[{}]");
}


static void
nothing_else_is_a_table(void **state)
{
    char  text[5000];

    fails("", "names a column that is no field in row 1");
    fails("name,colour\n", "names a column that is no field in row 1");
    fails("name,name\n", "names a column twice in row 1");
    fails("name,on\ngate\n",
          "has another number of cells than the first one in row 2");
    fails("name\ngate,true\n",
          "has another number of cells than the first one in row 2");
    fails("name\ngate\n\"yard\n", "has a quote without an end in row 3");
    fails("name\n\"gate\"x\n", "has something behind a quote, or a line that "
                               "ends in half in row 2");
    fails("name\nthe \"gate\"\n", "has a quote within a cell in row 2");
    fails("name\n\xff\n", "has a text that is no UTF-8 in row 2");
    fails("name\na\nb\nc\nd\n", "has more than 3 rows");

    memset(text, 'x', sizeof(text));
    memcpy(text, "name\n", 5);
    text[sizeof(text) - 1] = '\0';
    fails(text, "has a cell that is too long in row 2");

    assert_null(cam_csv_read("name\na\0b\n", 9, fields, ROWS, err,
                             sizeof(err)));
    assert_string_equal(err, "has a byte of zero in row 2");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(rows_are_objects),
        cmocka_unit_test(cells_have_the_type_of_their_field),
        cmocka_unit_test(quotes_hold_anything),
        cmocka_unit_test(nothing_else_is_a_table)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
