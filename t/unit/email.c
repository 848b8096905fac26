/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for e-mail addresses: what is one, and whose domain it has. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "email.h"


static void
what_has_two_sides_is_an_address(void **state)
{
    size_t       i;
    static const char  *good[] = {
        "a@b", "ann.lee+cam@example.org", "o'neil@host", "\xc3\xa4@example.org"
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_null(cam_email_check(good[i], strlen(good[i])));
    }
}


static void
anything_else_is_none(void **state)
{
    char         text[256];
    size_t       i;
    static const char  *bad[] = {
        "", "@", "a", "a@", "@b", "a@b@c", "a b@c", "a@b\n", "a\t@b", "a@b\x7f",
        "\x01@b"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_non_null(cam_email_check(bad[i], strlen(bad[i])));
    }

    memset(text, 'a', sizeof(text));
    text[1] = '@';

    assert_null(cam_email_check(text, CAM_EMAIL_MAX));
    assert_non_null(cam_email_check(text, CAM_EMAIL_MAX + 1));
    assert_non_null(cam_email_check("a\0@b", 4));
}


static void
a_domain_is_what_follows_the_at_sign(void **state)
{
    size_t       len;
    const char  *domain;

    domain = cam_email_domain("ann@example.org", 15, &len);

    assert_int_equal(len, 11);
    assert_memory_equal(domain, "example.org", 11);

    (void) cam_email_domain("nobody", 6, &len);
    assert_int_equal(len, 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(what_has_two_sides_is_an_address),
        cmocka_unit_test(anything_else_is_none),
        cmocka_unit_test(a_domain_is_what_follows_the_at_sign)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
