/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for input as data: what each kind of field takes and refuses, out of
 * bodies and out of query strings; that what the table does not have is told;
 * that every problem is.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fields.h"
#include "json_read.h"


#define UUID  "4e6a1b1c-7b1f-4d0e-9a0c-0123456789ab"

static const char *no_bee(const char *text, size_t len);


static const char  *const colours[] = { "red", "green", NULL };

static const cam_field_t  fields[] = {
    { "name", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED, 1, 5, NULL, no_bee },
    { "note", CAM_FIELD_TEXT, CAM_FIELD_NULLABLE, 0, 9, NULL, NULL },
    { "pass", CAM_FIELD_TEXT, CAM_FIELD_SECRET, 1, 9, NULL, NULL },
    { "on", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },
    { "n", CAM_FIELD_INT, 0, -5, 9000000000, NULL, NULL },
    { "colour", CAM_FIELD_ENUM, 0, 0, 0, colours, NULL },
    { "id", CAM_FIELD_UUID, 0, 0, 0, NULL, NULL },
    { "at", CAM_FIELD_TIME, 0, 0, 0, NULL, NULL },
    { "tags", CAM_FIELD_TEXTS, 0, 0, 3, NULL, NULL },
    { "nets", CAM_FIELD_CIDRS, 0, 0, 3, NULL, NULL },
    { "ids", CAM_FIELD_UUIDS, 0, 0, 3, NULL, NULL },
    { "things", CAM_FIELD_OBJECTS, 0, 1, 2, NULL, no_bee },
    CAM_FIELD_END
};

enum { NAME, NOTE, PASS, ON, N, COLOUR, ID, AT, TAGS, NETS, IDS, THINGS };

static const cam_field_t  page[] = {
    { "limit", CAM_FIELD_LIMIT, 0, 1, 200, NULL, NULL },
    { "q", CAM_FIELD_TEXT, 0, 1, 20, NULL, NULL },
    CAM_FIELD_END
};


static char            space[4096];
static cam_value_t     values[CAM_FIELDS_MAX];
static cam_problems_t  problems;
static json_t         *json;


static const char *
no_bee(const char *text, size_t len)
{
    return memchr(text, 'b', len) ? "must have no b" : NULL;
}


static int
body(const char *text)
{
    char        err[128];
    cam_room_t  room = { space, space + sizeof(space) };

    cam_json_wipe(json);
    memset(values, 0, sizeof(values));
    problems.n = 0;

    json = cam_json_read(text, strlen(text), err, sizeof(err));

    if (json == NULL) {
        fail_msg("%s: %s", text, err);
    }

    return cam_fields_body(fields, json, values, &room, &problems);
}


static int
query_of(const cam_field_t *table, const char *text)
{
    cam_room_t  room = { space, space + sizeof(space) };

    memset(values, 0, sizeof(values));
    problems.n = 0;

    return cam_fields_query(table, text, strlen(text), values, &room,
                            &problems);
}


static int
query(const char *text)
{
    return query_of(fields, text);
}


/* the one problem there is */

static void
is_told(const char *field, const char *message)
{
    assert_int_equal(problems.n, 1);
    assert_string_equal(problems.list[0].field, field);
    assert_string_equal(problems.list[0].message, message);
}


static void
objects_are_handed_on_as_json(void **state)
{
    assert_int_equal(body("{\"name\":\"a\",\"things\":[ {\"z\": 1},\n"
                          "{} ]}"), 0);
    assert_string_equal(values[THINGS].text, "[{\"z\":1},{}]");
    assert_int_equal(values[THINGS].len, 12);
    assert_int_equal(values[THINGS].number, 2);

    body("{\"name\":\"a\",\"things\":[]}");
    is_told("things", "must be a list of 1 to 2 items");
    body("{\"name\":\"a\",\"things\":{}}");
    is_told("things", "must be a list of 1 to 2 items");
    body("{\"name\":\"a\",\"things\":[{},1]}");
    is_told("things", "item 2 is not an object");
    body("{\"name\":\"a\",\"things\":[{\"b\":1}]}");
    is_told("things", "must have no b");
}


static void
texts_are_counted_in_characters(void **state)
{
    assert_int_equal(body("{\"name\":\"\xc3\xa4\xc3\xb6\xc3\xbc\xe2\x82\xac"
                          "\xf0\x9f\x8e\xa5\"}"), 0);
    assert_int_equal(values[NAME].len, 13);

    body("{\"name\":\"123456\"}");
    is_told("name", "must have 1 to 5 characters");
    body("{\"name\":\"\"}");
    is_told("name", "must have 1 to 5 characters");
    body("{\"name\":\"   \"}");
    is_told("name", "must not be blank");
    body("{\"name\":\"a\\tb\"}");
    is_told("name", "must not hold control characters");
    body("{\"name\":\"a\\u0085\"}");
    is_told("name", "must not hold control characters");
    body("{\"name\":\"abc\"}");
    is_told("name", "must have no b");

    assert_int_equal(body("{\"name\":\"a\",\"pass\":\"\\t \\u0001\"}"), 0);
    assert_int_equal(body("{\"name\":\"a\",\"note\":\"\"}"), 0);
}


static void
what_is_not_given_is_sql_null(void **state)
{
    assert_int_equal(body("{\"name\":\"a\"}"), 0);
    assert_null(values[NOTE].text);
    assert_false(values[NOTE].given);

    assert_int_equal(body("{\"name\":\"a\",\"note\":null}"), 0);
    assert_null(values[NOTE].text);
    assert_true(values[NOTE].given);

    body("{\"name\":null}");
    is_told("name", "must be a string");
    body("{}");
    is_told("name", "is required");
    body("[]");
    is_told("body", "must be an object");
}


static void
values_are_of_their_type(void **state)
{
    assert_int_equal(body("{\"name\":\"a\",\"on\":true,\"n\":-5,"
                          "\"colour\":\"green\"}"), 0);
    assert_string_equal(values[ON].text, "true");
    assert_int_equal(values[ON].number, 1);
    assert_string_equal(values[N].text, "-5");
    assert_int_equal(values[N].number, -5);
    assert_int_equal(values[COLOUR].number, 1);

    assert_int_equal(body("{\"name\":\"a\",\"n\":9000000000}"), 0);

    body("{\"name\":\"a\",\"n\":9000000001}");
    is_told("n", "must be from -5 to 9000000000");
    body("{\"name\":\"a\",\"n\":1.0}");
    is_told("n", "must be an integer");
    body("{\"name\":\"a\",\"n\":\"1\"}");
    is_told("n", "must be an integer");
    body("{\"name\":\"a\",\"on\":1}");
    is_told("on", "must be true or false");
    body("{\"name\":1}");
    is_told("name", "must be a string");
    body("{\"name\":{}}");
    is_told("name", "must be a string");
    body("{\"name\":\"a\",\"colour\":\"blue\"}");
    is_told("colour", "must be one of red, green");
    body("{\"name\":\"a\",\"id\":\"1\"}");
    is_told("id", "must be a UUID");
    body("{\"name\":\"a\",\"at\":\"2026-02-30T00:00:00Z\"}");
    is_told("at", "must be a time such as 2026-01-01T00:00:00Z");

    assert_int_equal(body("{\"name\":\"a\",\"at\":\"2000-01-01T01:00:00.5"
                          "+01:00\"}"), 0);
    assert_int_equal(values[AT].number, 946684800500);
}


static void
lists_are_literals_of_arrays(void **state)
{
    assert_int_equal(body("{\"name\":\"a\",\"tags\":[]}"), 0);
    assert_string_equal(values[TAGS].text, "{}");

    assert_int_equal(body("{\"name\":\"a\",\"tags\":[\"NULL\",\"a,\\\"b\\\\}"
                          "\"],\"nets\":[\"10.0.0.0/8\",\"::1\"]}"), 0);
    assert_string_equal(values[TAGS].text, "{\"NULL\",\"a,\\\"b\\\\}\"}");
    assert_string_equal(values[NETS].text, "{\"10.0.0.0/8\",\"::1\"}");
    assert_int_equal(values[NETS].number, 2);

    body("{\"name\":\"a\",\"tags\":[\"a\",\"b\",\"c\",\"d\"]}");
    is_told("tags", "must be a list of 0 to 3 items");
    body("{\"name\":\"a\",\"tags\":\"a\"}");
    is_told("tags", "must be a list of 0 to 3 items");
    body("{\"name\":\"a\",\"tags\":[\"a\",1]}");
    is_told("tags", "item 2 is not a text");
    body("{\"name\":\"a\",\"tags\":[\"\"]}");
    is_told("tags", "item 1 is not a text");
    body("{\"name\":\"a\",\"nets\":[\"10.0.0.0/8\",\"host\"]}");
    is_told("nets", "item 2 is not an address, or a network without bits "
                    "behind its prefix");
    assert_int_equal(body("{\"name\":\"a\",\"ids\":[\"" UUID "\"]}"), 0);
    assert_string_equal(values[IDS].text, "{\"" UUID "\"}");
    body("{\"name\":\"a\",\"ids\":[\"" UUID "\",\"x\"]}");
    is_told("ids", "item 2 is not a UUID");
    body("{\"name\":\"a\",\"nets\":null}");
    is_told("nets", "must be a list of 0 to 3 items");
}


static void
unknown_fields_are_told(void **state)
{
    char  text[200], name[101];

    body("{\"name\":\"a\",\"role\":\"admin\"}");
    is_told("role", "is not a field of this request");
    body("{\"name\":\"a\",\"Name\":\"a\"}");
    is_told("Name", "is not a field of this request");
    body("{\"name\":\"a\",\"\":1}");
    is_told("", "is not a field of this request");

    /* a long name is cut, at a whole character */

    memset(name, 'x', 62);
    strcpy(name + 62, "\xe2\x82\xac\xe2\x82\xac");
    snprintf(text, sizeof(text), "{\"name\":\"a\",\"%s\":1}", name);
    body(text);
    name[62] = '\0';
    assert_string_equal(problems.list[0].field, name);

    query("name=a&x=1");
    is_told("x", "is not a parameter of this request");
    query("name=a&\xff=1");
    is_told("", "is not a parameter of this request");
}


static void
every_problem_is_told_up_to_a_limit(void **state)
{
    int   i;
    char  text[1024], *p;

    assert_int_equal(body("{\"n\":\"x\",\"on\":3,\"id\":4}"), -1);
    assert_int_equal(problems.n, 4);

    p = text + sprintf(text, "{\"name\":\"a\"");

    for (i = 0; i < 40; i++) {
        p += sprintf(p, ",\"x%d\":1", i);
    }

    strcpy(p, "}");
    assert_int_equal(body(text), -1);
    assert_int_equal(problems.n, CAM_PROBLEMS_MAX);
}


static void
query_strings_are_decoded(void **state)
{
    assert_int_equal(query("name=%c3%A4+%2B&note="), 0);
    assert_string_equal(values[NAME].text, "\xc3\xa4 +");
    assert_string_equal(values[NOTE].text, "");

    assert_int_equal(query("&name=a&&on=false&n=7&colour=red&"), 0);
    assert_string_equal(values[ON].text, "false");
    assert_string_equal(values[N].text, "7");

    query("name");
    is_told("name", "must have 1 to 5 characters");
    query("name=a&name=a");
    is_told("name", "is given twice");
    query("name=%");
    is_told("name", "is not encoded well");
    query("name=%4");
    is_told("name", "is not encoded well");
    query("name=%zz");
    is_told("name", "is not encoded well");
    query("name=a%00");
    is_told("name", "is not encoded well");
    query("name=%ff");
    is_told("name", "is not encoded well");
    query("name=\xff");
    is_told("name", "is not encoded well");
    query("n%61me=a");
    assert_int_equal(problems.n, 2);
    query("name=a&tags=x");
    is_told("tags", "cannot be a parameter");
    query("name=a&on=1");
    is_told("on", "must be true or false");
}


static void
numbers_of_a_query_have_one_spelling(void **state)
{
    size_t  i;
    char    text[64];

    static const char  *wrong[] = {
        "", "-", "+1", "1.0", "1e3", "0x1", " 1", "1 ", "9999999999999999999"
    };

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(text, sizeof(text), "name=a&n=%s", wrong[i]);
        query(text);
        is_told("n", "must be an integer");
    }

    query("name=a&n=999999999999999999");
    is_told("n", "must be from -5 to 9000000000");
    assert_int_equal(query("name=a&n=-3"), 0);
    assert_int_equal(values[N].number, -3);
}


static void
a_page_has_a_size(void **state)
{
    assert_int_equal(query_of(page, ""), 0);
    assert_int_equal(values[0].number, 50);
    assert_string_equal(values[0].text, "50");

    assert_int_equal(query_of(page, "limit=200"), 0);
    assert_string_equal(values[0].text, "200");

    query_of(page, "limit=201");
    is_told("limit", "must be from 1 to 200");
    query_of(page, "limit=0");
    is_told("limit", "must be from 1 to 200");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(objects_are_handed_on_as_json),
        cmocka_unit_test(texts_are_counted_in_characters),
        cmocka_unit_test(what_is_not_given_is_sql_null),
        cmocka_unit_test(values_are_of_their_type),
        cmocka_unit_test(lists_are_literals_of_arrays),
        cmocka_unit_test(unknown_fields_are_told),
        cmocka_unit_test(every_problem_is_told_up_to_a_limit),
        cmocka_unit_test(query_strings_are_decoded),
        cmocka_unit_test(numbers_of_a_query_have_one_spelling),
        cmocka_unit_test(a_page_has_a_size)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
