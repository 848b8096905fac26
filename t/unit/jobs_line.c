/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for lines of journals: which statement they are, and what is none. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../camera_worker/jobs_line.c"

#define VOLUME  "11111111-1111-4111-8111-111111111111"
#define ID      "019a0000-0000-7000-8000-000000000001"
#define CAMERA  "0e8a3c7e-52c1-4f57-9f3d-6a1b1c2d3e4f"


static int
parse(cw_jobs_line_t *line, const char *text)
{
    char  err[128];

    return cw_jobs_line_parse(line, VOLUME, text, strlen(text), err,
                              sizeof(err));
}


static void
open_has_the_volume_first(void **state)
{
    cw_jobs_line_t  line;

    assert_int_equal(parse(&line, "{\"n\":\"open\",\"at\":1,\"id\":\"" ID "\","
                           "\"camera\":\"" CAMERA "\",\"path\":\"media/x.mp4\","
                           "\"start\":1790000000123,\"codecs\":\"avc1\","
                           "\"width\":1280,\"height\":720}"), 0);
    assert_non_null(strstr(line.sql, "journal_open"));
    assert_int_equal(line.n, 11);
    assert_string_equal(line.value[0], VOLUME);
    assert_string_equal(line.value[1], ID);
    assert_string_equal(line.value[2], CAMERA);
    assert_string_equal(line.value[3], "media/x.mp4");
    assert_string_equal(line.value[4], "1790000000123");
    assert_string_equal(line.value[7], "720");
    assert_null(line.value[8]);
    assert_null(line.value[9]);
    assert_null(line.value[10]);
    cw_jobs_line_free(&line);
}


#define OPEN  "{\"n\":\"open\",\"id\":\"" ID "\",\"camera\":\"" CAMERA       \
              "\",\"path\":\"media/x.mp4\",\"start\":1790000000123"
#define KEY   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJw"


static void
open_may_have_a_wrapped_key(void **state)
{
    size_t          i;
    cw_jobs_line_t  line;

    static const char  *bad[] = {
        OPEN ",\"wrapped\":\"" KEY "\"}",
        OPEN ",\"kid\":null,\"wrapped\":\"" KEY "\"}",
        OPEN ",\"kid\":\"r1\",\"wrapped\":\"" KEY "A\"}",
        OPEN ",\"kid\":\"r1\",\"wrapped\":\"=" KEY "\"}",
        OPEN ",\"kid\":\"r1\",\"wrapped\":\"\"}",
        OPEN ",\"kid\":\"r1\",\"wrapped\":7}",
        OPEN ",\"kid\":\"r 1\",\"wrapped\":\"" KEY "\"}",
        OPEN ",\"kid\":\"0123456789abcdef\",\"wrapped\":\"" KEY "\"}"
    };

    assert_int_equal(parse(&line, OPEN ",\"kid\":\"r1\",\"wrapped\":\"" KEY
                           "\"}"), 0);
    assert_string_equal(line.value[9], "r1");
    assert_string_equal(line.value[10], KEY);
    cw_jobs_line_free(&line);

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(parse(&line, bad[i]), -1);
    }
}


static void
what_may_be_missing_may_be_null(void **state)
{
    cw_jobs_line_t  line;

    assert_int_equal(parse(&line, "{\"n\":\"gap\",\"camera\":\"" CAMERA "\","
                           "\"start\":5,\"end\":null,\"cause\":\"disk\"}"), 0);
    assert_null(line.value[2]);
    assert_string_equal(line.value[3], "disk");
    cw_jobs_line_free(&line);

    assert_int_equal(parse(&line, "{\"n\":\"calm\",\"type\":\"storage_full\","
                           "\"at\":9,\"more\":[1,2]}"), 0);
    assert_null(line.value[1]);
    cw_jobs_line_free(&line);
}


static void
all_else_is_none(void **state)
{
    size_t          i;
    cw_jobs_line_t  line;

    static const char  *texts[] = {
        "", "{", "[]", "null", "{\"n\":1}", "{\"n\":\"dance\"}",
        "{\"n\":\"removed\",\"id\":\"" ID "\"}",
        "{\"n\":\"removed\",\"id\":\"x\",\"why\":\"space\"}",
        "{\"n\":\"removed\",\"id\":\"" ID "\",\"why\":7}",
        "{\"n\":\"removed\",\"id\":\"" ID "\",\"id\":\"" ID "\","
        "\"why\":\"a\"}",
        "{\"n\":\"removed\",\"id\":\"" ID "\",\"why\":\"a\\u0000b\"}",
        "{\"n\":\"advance\",\"id\":\"" ID "\",\"end\":1,\"bytes\":-1,"
        "\"usec\":1,\"fragments\":1}",
        "{\"n\":\"advance\",\"id\":\"" ID "\",\"end\":1,\"bytes\":1.5,"
        "\"usec\":1,\"fragments\":1}",
        "{\"n\":\"advance\",\"id\":\"" ID "\",\"end\":1,\"bytes\":"
        "99999999999999999999,\"usec\":1,\"fragments\":1}",
        "{\"n\":\"gap\",\"camera\":null,\"start\":5,\"cause\":\"disk\"}"
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(parse(&line, texts[i]), -1);
        assert_null(line.json);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(open_has_the_volume_first),
        cmocka_unit_test(open_may_have_a_wrapped_key),
        cmocka_unit_test(what_may_be_missing_may_be_null),
        cmocka_unit_test(all_else_is_none)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
