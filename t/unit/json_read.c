/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for JSON of strangers: what is too heavy is refused before it is
 * parsed, what is refused says where and quotes nothing, and a text that was
 * wiped is gone.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json_read.h"


static char  err[128];


static json_t *
load(const char *text)
{
    err[0] = '\0';

    return cam_json_read(text, strlen(text), err, sizeof(err));
}


/* the text n times between two others */

static json_t *
load_many(const char *before, const char *text, size_t n, const char *after)
{
    char    *all;
    size_t   i;
    json_t  *json;

    all = calloc(1, strlen(before) + n * strlen(text) + strlen(after) + 1);
    strcpy(all, before);

    for (i = 0; i < n; i++) {
        strcat(all, text);
    }

    strcat(all, after);
    json = load(all);
    free(all);

    return json;
}


static void
objects_and_lists_are_read(void **state)
{
    json_t  *json;

    json = load(" {\"a\":[1,true,null,\"\\u00e9\"]} ");
    assert_int_equal(json_array_size(json_object_get(json, "a")), 4);
    cam_json_wipe(json);

    json = load("[]");
    assert_non_null(json);
    cam_json_wipe(json);
}


static void
what_is_no_json_is_refused(void **state)
{
    size_t  i;

    static const char  *texts[] = {
        "", " ", "{", "}", "{}{}", "{} x", "{\"a\":1,}", "{a:1}", "{'a':1}",
        "[1,]", "\"a\"", "1", "null", "{\"a\":01}", "{\"a\":+1}",
        "{\"a\":1e400}", "{\"a\":9223372036854775808}", "{\"a\":NaN}",
        "{\"a\":\"\\u0000\"}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\xff\"}",
        "{\"a\":\"\xc0\x80\"}", "{\"a\":\"\xed\xa0\x80\"}", "{\"a\":\"\n\"}",
        "{\"\\u0000\":1}", "\xef\xbb\xbf{}", "// x\n{}"
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (load(texts[i])) {
            fail_msg("\"%s\" was read", texts[i]);
        }

        assert_true(strncmp(err, "is no JSON in line ", 19) == 0);
    }
}


static void
names_that_come_twice_are_refused(void **state)
{
    assert_null(load("{\"a\":1,\"a\":2}"));
    assert_string_equal(err, "has a name twice in line 1, column 10");
    assert_null(load("[{\"b\":{\"a\":1,\"\\u0061\":2}}]"));
    assert_true(strncmp(err, "has a name twice", 16) == 0);
}


static void
what_is_refused_is_not_quoted(void **state)
{
    assert_null(load("{\"password\": sesame}"));
    assert_null(strstr(err, "sesame"));
    assert_null(load("{\"password\":\"sesame"));
    assert_null(strstr(err, "sesame"));
}


static void
depth_is_limited(void **state)
{
    json_t  *json;

    json = load_many("[[[[[[[[[[[[[[[[", "[", 16,
                     "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
    assert_non_null(json);
    cam_json_wipe(json);

    assert_null(load_many("", "[", CAM_JSON_DEPTH_MAX + 1, ""));
    assert_string_equal(err, "is nested too deep");
    assert_null(load_many("", "{\"a\":", CAM_JSON_DEPTH_MAX + 1, ""));
    assert_string_equal(err, "is nested too deep");

    /* brackets inside of texts are none */

    json = load_many("[\"", "[\\\"{", 100, "\"]");
    assert_non_null(json);
    cam_json_wipe(json);
}


static void
names_and_items_are_limited(void **state)
{
    json_t  *json;

    json = load_many("[0", ",0", CAM_JSON_ITEMS_MAX, "]");
    assert_int_equal(json_array_size(json), CAM_JSON_ITEMS_MAX + 1);
    cam_json_wipe(json);

    assert_null(load_many("[0", ",0", CAM_JSON_ITEMS_MAX + 1, "]"));
    assert_string_equal(err, "has too many items");

    json = load_many("[{\"a\":1}", ",{\"a\":1}", CAM_JSON_NAMES_MAX - 1, "]");
    assert_non_null(json);
    cam_json_wipe(json);

    assert_null(load_many("[{\"a\":1}", ",{\"a\":1}", CAM_JSON_NAMES_MAX,
                          "]"));
    assert_string_equal(err, "has too many names");
}


/* a backslash that is the last byte must not lead beyond it */

static void
unfinished_texts_end_with_the_input(void **state)
{
    char  *text;

    text = malloc(3);
    memcpy(text, "[\"\\", 3);
    assert_null(cam_json_read(text, 3, err, sizeof(err)));
    free(text);
}


static void
wiped_texts_are_gone(void **state)
{
    json_t  *json, *text;

    json = load("{\"a\":[{\"b\":\"sesame\"}]}");
    text = json_object_get(json_array_get(json_object_get(json, "a"), 0), "b");
    json_incref(text);

    cam_json_wipe(json);

    assert_int_equal(json_string_length(text), 6);
    assert_memory_equal(json_string_value(text), "\0\0\0\0\0\0", 6);
    json_decref(text);

    cam_json_wipe(NULL);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(objects_and_lists_are_read),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(names_that_come_twice_are_refused),
        cmocka_unit_test(what_is_refused_is_not_quoted),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(names_and_items_are_limited),
        cmocka_unit_test(unfinished_texts_end_with_the_input),
        cmocka_unit_test(wiped_texts_are_gone)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
