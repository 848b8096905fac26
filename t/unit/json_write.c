/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for values as JSON text: each is what a JSON parser reads back, none
 * takes more room than its macro says, and times are those of the C library.
 */

#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "json_write.h"


/* writes and reads back; room is what the macro says, the byte behind it stays */

static json_t *
string(const char *text, size_t len)
{
    char    *p, *end;
    size_t   room;
    json_t  *json;

    room = CAM_JSON_STRING_MAX(len);
    p = malloc(room + 1);
    p[room] = 'x';

    end = cam_json_string(p, text, len);

    assert_true((size_t) (end - p) <= room);
    assert_int_equal(p[room], 'x');

    json = json_loadb(p, (size_t) (end - p), JSON_DECODE_ANY|JSON_ALLOW_NUL,
                      NULL);
    assert_non_null(json);

    free(p);

    return json;
}


static void
strings_are_read_back(void **state)
{
    char     text[256];
    size_t   i;
    json_t  *json;

    static const char  *texts[] = {
        "", "a", "\"", "\\", "\\\"\\", "a\nb\r\tc", "\x01\x02\x1f\x7f",
        "</script>", "Gr\xc3\xbc\xc3\x9f Gott \xe2\x82\xac \xf0\x9f\x8e\xa5"
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        json = string(texts[i], strlen(texts[i]));
        assert_string_equal(json_string_value(json), texts[i]);
        json_decref(json);
    }

    /* the worst case: nothing but control characters */

    memset(text, 0x01, sizeof(text));
    json = string(text, sizeof(text));
    assert_int_equal(json_string_length(json), sizeof(text));
    assert_memory_equal(json_string_value(json), text, sizeof(text));
    json_decref(json);

    memset(text, 0, sizeof(text));
    json = string(text, sizeof(text));
    assert_int_equal(json_string_length(json), sizeof(text));
    json_decref(json);
}


static void
integers_are_whole(void **state)
{
    char    text[64];
    size_t  i;

    static const int64_t  values[] = {
        0, 1, -1, 9, 10, -10, 4294967296, INT64_MAX, INT64_MIN
    };

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char  buf[CAM_JSON_INT_MAX + 1];

        *cam_json_int(buf, values[i]) = '\0';
        (void) snprintf(text, sizeof(text), "%lld", (long long) values[i]);
        assert_string_equal(buf, text);
    }
}


static void
doubles_are_numbers_or_null(void **state)
{
    char    buf[CAM_JSON_DOUBLE_MAX + 1];
    size_t  i;

    static const double  values[] = { 0, 25, 29.97, -1e-300, 1.7e308, 0.1 };

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        *cam_json_double(buf, values[i]) = '\0';
        assert_true(fabs(strtod(buf, NULL) - values[i])
                    <= fabs(values[i]) * 1e-14);
    }

    *cam_json_double(buf, NAN) = '\0';
    assert_string_equal(buf, "null");
    *cam_json_double(buf, -INFINITY) = '\0';
    assert_string_equal(buf, "null");
}


static void
times_are_those_of_the_calendar(void **state)
{
    char       buf[CAM_JSON_TIME_MAX + 1], text[64];
    time_t     sec;
    int64_t    msec;
    struct tm  tm;

    /* a step that is no divisor of anything, over all years there are */

    for (msec = -62135596800000; msec <= 253402300799999;
         msec += 86399999 * 37LL + 1234567)
    {
        sec = (time_t) (msec >= 0 ? msec / 1000 : (msec - 999) / 1000);
        gmtime_r(&sec, &tm);

        (void) snprintf(text, sizeof(text),
                        "\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"",
                        tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                        tm.tm_hour, tm.tm_min, tm.tm_sec,
                        (int) (msec - sec * 1000LL));

        *cam_json_time(buf, msec) = '\0';

        if (strcmp(buf, text) != 0) {
            fail_msg("%lld: %s, not %s", (long long) msec, buf, text);
        }
    }
}


static void
times_without_a_date_are_null(void **state)
{
    size_t  i;
    char    buf[CAM_JSON_TIME_MAX + 1];

    static const int64_t  values[] = {
        INT64_MAX, INT64_MIN, -62135596800001, 253402300800000,
        INT64_MAX / 1000 + CAM_JSON_EPOCH_2000_MSEC,
        INT64_MIN / 1000 + CAM_JSON_EPOCH_2000_MSEC
    };

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        *cam_json_time(buf, values[i]) = '\0';
        assert_string_equal(buf, "null");
    }
}


static void
uuids_are_in_quotes(void **state)
{
    char  buf[CAM_JSON_UUID_MAX + 1];

    static const uint8_t  uuid[CAM_UUID_LEN] = { 0x01, 0xab, [15] = 0xff };

    *cam_json_uuid(buf, uuid) = '\0';
    assert_string_equal(buf, "\"01ab0000-0000-0000-0000-0000000000ff\"");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(strings_are_read_back),
        cmocka_unit_test(integers_are_whole),
        cmocka_unit_test(doubles_are_numbers_or_null),
        cmocka_unit_test(times_are_those_of_the_calendar),
        cmocka_unit_test(times_without_a_date_are_null),
        cmocka_unit_test(uuids_are_in_quotes)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
