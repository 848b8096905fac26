/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for the text of API tokens: no two alike, and no typo is taken. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api_token.h"


#define check(text)  cam_api_token_check(text, strlen(text))


static void
test_make(void **state)
{
    int   i;
    char  one[CAM_API_TOKEN_LEN + 1], other[CAM_API_TOKEN_LEN + 1];

    assert_int_equal(cam_api_token_make(one), 0);

    for (i = 0; i < 1000; i++) {
        assert_int_equal(cam_api_token_make(other), 0);
        assert_int_equal(strlen(other), CAM_API_TOKEN_LEN);
        assert_int_equal(strncmp(other, "cam_", 4), 0);
        assert_int_equal(strspn(other + 4, "0123456789ABCDEFGHIJKLMNOPQRSTUVW"
                                           "XYZabcdefghijklmnopqrstuvwxyz"),
                         CAM_API_TOKEN_LEN - 4);
        assert_int_equal(check(other), 0);
        assert_string_not_equal(other, one);
    }
}


/* each of the 62 is as likely as the others: 43 000 draws, 694 of each */

static void
test_fair(void **state)
{
    int   i, j, counts[256] = { 0 };
    char  text[CAM_API_TOKEN_LEN + 1];

    for (i = 0; i < 1000; i++) {
        assert_int_equal(cam_api_token_make(text), 0);

        for (j = 4; j < 47; j++) {
            counts[(unsigned char) text[j]]++;
        }
    }

    for (i = 0; i < 256; i++) {
        assert_true(counts[i] == 0 || (counts[i] > 500 && counts[i] < 900));
    }
}


/* the sum as any CRC-32 (IEEE 802.3) of the characters before it has it */

static void
test_known(void **state)
{
    assert_int_equal(check("cam_0000000000000000000000000000000000000000000"
                           "1tweZ3"), 0);
    assert_int_equal(check("cam_0000000000000000000000000000000000000000000"
                           "1tweZ4"), -1);
}


static void
test_typos(void **state)
{
    int   i;
    char  text[CAM_API_TOKEN_LEN + 2], wrong[CAM_API_TOKEN_LEN + 2], c;

    assert_int_equal(cam_api_token_make(text), 0);

    for (i = 0; i < CAM_API_TOKEN_LEN; i++) {
        strcpy(wrong, text);
        wrong[i] = text[i] == 'x' ? 'y' : 'x';
        assert_int_equal(check(wrong), -1);

        wrong[i] = '-';
        assert_int_equal(check(wrong), -1);

        assert_int_equal(cam_api_token_check(text, i), -1);
    }

    for (i = 4; i + 1 < CAM_API_TOKEN_LEN; i++) {

        if (text[i] == text[i + 1]) {
            continue;
        }

        strcpy(wrong, text);
        c = wrong[i];
        wrong[i] = wrong[i + 1];
        wrong[i + 1] = c;
        assert_int_equal(check(wrong), -1);
    }

    strcpy(wrong, text);
    strcat(wrong, "0");
    assert_int_equal(check(wrong), -1);

    strcpy(wrong, text);
    wrong[20] = '\0';
    assert_int_equal(cam_api_token_check(wrong, CAM_API_TOKEN_LEN), -1);
}


static void
test_is(void **state)
{
    assert_true(cam_api_token_is("cam_", 4));
    assert_true(cam_api_token_is("cam_x", 5));
    assert_false(cam_api_token_is("cam_", 3));
    assert_false(cam_api_token_is("Cam_x", 5));
    assert_false(cam_api_token_is("eyJhbGciOiJIUzI1NiJ9.e30.x", 26));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_make),
        cmocka_unit_test(test_fair),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_typos),
        cmocka_unit_test(test_is)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
