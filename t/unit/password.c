/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for passwords: the policy, and hashes against published ones.  Each
 * hash costs a quarter of a second, so there are few.
 */

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "password.h"


/* the published vector of "abc" at cost 12 */
#define ABC  "$2b$12$EXRkfkdmXn2gzds2SSitu.MW9.gAVqa9eLS1//RYtYCmB1eLHg.9q"

#define verify(hash, password)                                                \
    cam_password_verify(hash, strlen(hash), password, strlen(password))


static const char *
check(const char *password, const char *name)
{
    const char  *wrong;

    wrong = cam_password_check(password, strlen(password), name, strlen(name));

    return wrong ? wrong : "";
}


static void
test_policy(void **state)
{
    size_t              i;
    char                longest[74];
    static const char  *good[] = {
        "secret123", "1bcdefgh", "ABCDEFG1", "correct horse battery staple 1",
        "p\xc3\xa4ssw\xc3\xb6rt1", "\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe" "1",
        "!@#$%^a1", "        a1"
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_string_equal(check(good[i], "admin"), "");
    }

    assert_string_equal(check("", "admin"), "must have at least 8 characters");
    assert_string_equal(check("abcdef1", "admin"),
                        "must have at least 8 characters");
    assert_string_equal(check("abcdefgh", "admin"),
                        "must contain a letter and a digit");
    assert_string_equal(check("12345678", "admin"),
                        "must contain a letter and a digit");
    assert_string_equal(check("@[`{/:12", "admin"),
                        "must contain a letter and a digit");

    assert_string_equal(check("abc\ndefgh1", "admin"),
                        "must not contain control characters");
    assert_string_equal(check("abc\x7f" "defgh1", "admin"),
                        "must not contain control characters");
    assert_string_equal(cam_password_check("abcdefg1\0x", 10, "", 0),
                        "must not contain control characters");

    memset(longest, 'a', sizeof(longest));
    longest[0] = '1';
    longest[72] = '\0';
    assert_string_equal(check(longest, "admin"), "");
    longest[72] = 'a';
    longest[73] = '\0';
    assert_string_equal(check(longest, "admin"),
                        "must not be longer than 72 bytes");
}


static void
test_policy_username(void **state)
{
    const char  *wrong = "must not contain the username";

    assert_string_equal(check("admin1234", "admin"), wrong);
    assert_string_equal(check("1234AdMiN", "admin"), wrong);
    assert_string_equal(check("12adminab", "ADMIN"), wrong);
    assert_string_equal(check("12345678a", "12345678a"), wrong);
    assert_string_equal(check("1234admi", "admin"), "");
    assert_string_equal(check("a1234567", "a1234567b"), "");
    assert_string_equal(check("a1234567", ""), "");
}


static void
test_known_vector(void **state)
{
    char  old[] = ABC;

    assert_int_equal(verify(ABC, "abc"), 0);

    /* what another platform calls the same */
    old[2] = 'y';
    assert_int_equal(verify(old, "abc"), 0);
    assert_int_equal(verify(old, "abd"), -1);
}


static void
test_hash(void **state)
{
    char  one[CAM_PASSWORD_HASH_LEN + 1], two[CAM_PASSWORD_HASH_LEN + 1];

    assert_int_equal(cam_password_hash(one, "secret123", 9), 0);
    assert_int_equal(cam_password_hash(two, "secret123", 9), 0);
    assert_memory_equal(one, "$2b$12$", 7);
    assert_int_equal(strlen(one), CAM_PASSWORD_HASH_LEN);
    assert_string_not_equal(one, two);

    assert_int_equal(verify(one, "secret123"), 0);
    assert_int_equal(cam_password_verify(one, strlen(one), "secret1234", 9),
                     0);
    assert_int_equal(verify(one, "secret12"), -1);
    one[59] = one[59] == 'a' ? 'b' : 'a';
    assert_int_equal(verify(one, "secret123"), -1);
}


/* bcrypt would take the first 72 bytes, or those before a NUL, for the whole */

static void
test_never_cuts(void **state)
{
    char  hash[CAM_PASSWORD_HASH_LEN + 1], text[74];

    memset(text, 'x', sizeof(text));
    text[73] = '\0';

    assert_int_equal(cam_password_hash(hash, text, 73), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(cam_password_hash(hash, "", 0), -1);
    assert_int_equal(cam_password_hash(hash, "secret12\0x", 10), -1);

    assert_int_equal(cam_password_hash(hash, text, 72), 0);
    assert_int_equal(cam_password_verify(hash, 60, text, 72), 0);
    assert_int_equal(cam_password_verify(hash, 60, text, 73), -1);
    assert_int_equal(cam_password_verify(ABC, 60, "abc\0x", 5), -1);
    assert_int_equal(cam_password_verify(ABC, 60, "", 0), -1);
}


/* right ones of "abc", but weak, or of another kind than ours */

static void
test_refuses_hashes(void **state)
{
    size_t              i;
    static const char  *others[] = {
        "$2b$04$EXRkfkdmXn2gzds2SSitu.rfyVfhvxGk73TsuAGYnbO/ATVmNJXfq",
        "$2b$11$EXRkfkdmXn2gzds2SSitu.eEi5.VeLUVbbsS7dDmi2.F4j9O.6suO",
        "$2a$12$EXRkfkdmXn2gzds2SSitu.MW9.gAVqa9eLS1//RYtYCmB1eLHg.9q",
        "$1$saltsalt$7fq7ZEc75157blrz18yX./",
        "abFZSxKKdq5s6"
    };

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_int_equal(verify(others[i], "abc"), -1);
    }

    /* this one would take a day */
    assert_int_equal(verify("$2b$31$EXRkfkdmXn2gzds2SSitu.MW9.gAVqa9eLS1//"
                            "RYtYCmB1eLHg.9q", "abc"), -1);

    assert_int_equal(cam_password_verify(ABC "q", 61, "abc", 3), -1);
}


/* whoever does not exist takes as long as everybody else */

static void
test_unknown(void **state)
{
    clock_t  from, known, unknown;

    from = clock();
    assert_int_equal(verify(ABC, "secret123"), -1);
    known = clock() - from;

    from = clock();
    assert_int_equal(cam_password_verify(NULL, 0, "secret123", 9), -1);
    unknown = clock() - from;

    assert_in_range(unknown * 100 / known, 50, 200);
    assert_int_equal(strlen(cam_password_dummy()), CAM_PASSWORD_HASH_LEN);
    assert_memory_equal(cam_password_dummy(), "$2b$12$", 7);
}


static void
test_generates(void **state)
{
    int   i;
    char  one[CAM_PASSWORD_GENERATED + 1], two[CAM_PASSWORD_GENERATED + 1];

    for (i = 0; i < 1000; i++) {
        assert_int_equal(cam_password_generate(one, "a", 1), 0);
        assert_int_equal(strlen(one), CAM_PASSWORD_GENERATED);
        assert_int_equal(strspn(one, "bcdefghjkmnpqrstuvwxyz23456789-"),
                         CAM_PASSWORD_GENERATED);
        assert_string_equal(check(one, "a"), "");
    }

    assert_int_equal(cam_password_generate(two, "a", 1), 0);
    assert_string_not_equal(one, two);

    /* there is none without a dash */
    assert_int_equal(cam_password_generate(one, "-", 1), -1);
}


static void *
verify_abc(void *arg)
{
    int  *rc = arg;

    *rc = verify(ABC, *rc ? "abc" : "abd");

    return NULL;
}


static void
test_threads(void **state)
{
    int        i, rc[4];
    pthread_t  threads[4];

    for (i = 0; i < 4; i++) {
        rc[i] = i % 2;
        assert_int_equal(pthread_create(&threads[i], NULL, verify_abc,
                                        &rc[i]), 0);
    }

    for (i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(rc[i], i % 2 - 1);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_policy_username),
        cmocka_unit_test(test_known_vector),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_never_cuts),
        cmocka_unit_test(test_refuses_hashes),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_generates),
        cmocka_unit_test(test_threads),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
