/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for cursors, times, UTF-8 and percent encoding. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cursor.h"
#include "json_write.h"
#include "percent.h"
#include "rfc3339.h"
#include "utf8.h"


static const uint8_t  tenant[CAM_UUID_LEN] = { 1, 2, 3 };
static const uint8_t  other[CAM_UUID_LEN] = { 1, 2, 4 };


static void
a_cursor_is_read_back_by_its_own_list(void **state)
{
    char          text[CAM_CURSOR_TEXT + 1];
    cam_cursor_t  cursor = { -123456789012345, { 7, [15] = 9 } }, back;

    cam_cursor_print(text, &cursor, tenant, "/cameras");

    assert_int_equal(strlen(text), CAM_CURSOR_TEXT);
    assert_int_equal(cam_cursor_parse(&back, text, CAM_CURSOR_TEXT, tenant,
                                      "/cameras"), 0);
    assert_int_equal(back.usec, cursor.usec);
    assert_memory_equal(back.id, cursor.id, CAM_UUID_LEN);

    assert_int_equal(cam_cursor_parse(&back, text, CAM_CURSOR_TEXT, other,
                                      "/cameras"), -1);
    assert_int_equal(cam_cursor_parse(&back, text, CAM_CURSOR_TEXT, tenant,
                                      "/users"), -1);
    assert_int_equal(cam_cursor_parse(&back, text, CAM_CURSOR_TEXT - 1,
                                      tenant, "/cameras"), -1);
}


static void
a_changed_cursor_is_none(void **state)
{
    int           i;
    char          text[CAM_CURSOR_TEXT + 1];
    cam_cursor_t  cursor = { 1, { 2 } }, back;

    cam_cursor_print(text, &cursor, tenant, "/cameras");

    for (i = 0; i < CAM_CURSOR_TEXT; i++) {
        text[i] ^= 1;
        assert_int_equal(cam_cursor_parse(&back, text, CAM_CURSOR_TEXT,
                                          tenant, "/cameras"), -1);
        text[i] ^= 1;
    }
}


static int
parse(const char *text, int64_t *msec)
{
    return cam_rfc3339_parse(text, strlen(text), msec);
}


static void
times_are_read_strictly(void **state)
{
    size_t   i;
    int64_t  msec;

    static const char  *wrong[] = {
        "9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01",
        "", "2026", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z",
        "2026-01-01t00:00:00z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.1234567890Z", "2026-01-01T00:00:00Z ",
        "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+00:60",
        "2026-01-01T00:00:00+0000", "2026-01-01T00:00:00+00",
        "20260101T000000Z", "now", "infinity"
    };

    assert_int_equal(parse("1970-01-01T00:00:00Z", &msec), 0);
    assert_int_equal(msec, 0);
    assert_int_equal(parse("2000-02-29T12:34:56.789-01:30", &msec), 0);
    assert_int_equal(msec, 951833096789);
    assert_int_equal(parse("1969-12-31T23:59:59.999999999Z", &msec), 0);
    assert_int_equal(msec, -1);
    assert_int_equal(parse("0001-01-01T00:00:00Z", &msec), 0);
    assert_int_equal(msec, -62135596800000);
    assert_int_equal(parse("9999-12-31T23:59:59.999Z", &msec), 0);
    assert_int_equal(msec, 253402300799999);

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (parse(wrong[i], &msec) == 0) {
            fail_msg("\"%s\" was read", wrong[i]);
        }
    }
}


/* what is written is read back, over all years there are */

static void
times_are_read_as_written(void **state)
{
    char     text[CAM_JSON_TIME_MAX];
    size_t   len;
    int64_t  msec, back;

    for (msec = -62135596800000; msec <= 253402300799999;
         msec += 86399999 * 41LL + 7654321)
    {
        len = (size_t) (cam_json_time(text, msec) - text);
        assert_int_equal(cam_rfc3339_parse(text + 1, len - 2, &back), 0);
        assert_int_equal(back, msec);
    }
}


static void
utf8_is_that_of_the_rfc(void **state)
{
    size_t  i;

    static const char  *wrong[] = {
        "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x20",
        "\xe0\x80\x80", "\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80",
        "\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xe2\x82z"
    };

    assert_int_equal(cam_utf8_length("", 0), 0);
    assert_int_equal(cam_utf8_length("abc", 3), 3);
    assert_int_equal(cam_utf8_length("\xc2\x80\xdf\xbf", 4), 2);
    assert_int_equal(cam_utf8_length("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80",
                                     9), 3);
    assert_int_equal(cam_utf8_length("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8),
                     2);

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (cam_utf8_length(wrong[i], strlen(wrong[i])) != -1) {
            fail_msg("%d is UTF-8", (int) i);
        }
    }

    assert_int_equal(cam_utf8_cut("a\xe2\x82\xac", 4, 4), 4);
    assert_int_equal(cam_utf8_cut("a\xe2\x82\xac", 4, 3), 1);
    assert_int_equal(cam_utf8_cut("\xe2\x82\xac", 3, 2), 0);

    assert_true(cam_utf8_has_control("a\x1f", 2));
    assert_true(cam_utf8_has_control("\x7f", 1));
    assert_true(cam_utf8_has_control("\xc2\x9f", 2));
    assert_false(cam_utf8_has_control("\xc2\xa0 z", 4));
}


static void
percent_encoding_goes_both_ways(void **state)
{
    int   c;
    char  from[255], encoded[3 * 255], decoded[3 * 255 + 1];
    char *end;

    for (c = 1; c < 128; c++) {
        from[c - 1] = (char) c;
    }

    end = cam_percent_encode(encoded, from, 127);
    assert_int_equal(cam_percent_decode(decoded, encoded,
                                        (size_t) (end - encoded), 0), 127);
    assert_memory_equal(decoded, from, 127);

    for (c = 0; encoded + c < end; c++) {
        assert_null(strchr("/?#&=+ <>\"'", encoded[c]));
    }

    assert_int_equal(cam_percent_decode(decoded, "a+b", 3, 1), 3);
    assert_string_equal(decoded, "a b");
    assert_int_equal(cam_percent_decode(decoded, "a+b", 3, 0), 3);
    assert_string_equal(decoded, "a+b");
    assert_int_equal(cam_percent_decode(decoded, "%41%5a%5A", 9, 0), 3);
    assert_string_equal(decoded, "AZZ");
    assert_int_equal(cam_percent_decode(decoded, "%4", 2, 0), -1);
    assert_int_equal(cam_percent_decode(decoded, "%", 1, 0), -1);
    assert_int_equal(cam_percent_decode(decoded, "%00", 3, 0), -1);
    assert_int_equal(cam_percent_decode(decoded, "%-1", 3, 0), -1);
    assert_int_equal(cam_percent_decode(decoded, "%g0", 3, 0), -1);
    assert_int_equal(cam_percent_decode(decoded, "%c3", 3, 0), -1);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(a_cursor_is_read_back_by_its_own_list),
        cmocka_unit_test(a_changed_cursor_is_none),
        cmocka_unit_test(times_are_read_strictly),
        cmocka_unit_test(times_are_read_as_written),
        cmocka_unit_test(utf8_is_that_of_the_rfc),
        cmocka_unit_test(percent_encoding_goes_both_ways)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
