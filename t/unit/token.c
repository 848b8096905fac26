/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for tokens: what is issued verifies, and every other form does not. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/hmac.h>

#include "base64url.h"
#include "token.h"


#define NOW     1800000000
#define CAMERA  "0b7a3e1c-5d2f-4a86-9c31-7e5f00aa1122"
#define USER    "7f1d2c3b-4a59-4687-a8b9-c0d1e2f3a4b5"
#define SID     "99999999-8888-4777-a666-555555555555"
#define TENANT  "11111111-2222-4333-8444-555555555555"
#define JTI     "AAECAwQFBgcICQoLDA0ODw"

#define HEADER  "{\"alg\":\"HS256\",\"kid\":\"s1\",\"typ\":\"JWT\"}"
#define CLAIMS(gen, iat, exp)                                                 \
    "{\"typ\":\"sk+jwt\",\"sub\":\"" CAMERA "\",\"gen\":" gen                 \
    ",\"jti\":\"" JTI "\",\"iat\":" iat ",\"exp\":" exp "}"
#define GOOD    CLAIMS("7", "1799999990", "1800000100")

#define ACCESS(sub, ten, sid, rol, exp)                                       \
    "{\"typ\":\"at+jwt\",\"sub\":\"" sub "\",\"ten\":\"" ten "\""             \
    ",\"sid\":\"" sid "\",\"rol\":" rol ",\"jti\":\"" JTI "\""                \
    ",\"iat\":1799999990,\"exp\":" exp "}"


static cam_keys_t  keys = {
    .n = 4,
    .keys = {
        { .kid = "s1", .use = CAM_KEY_STREAM, .sign = 1, .index = 0, .len = 32,
          .secret = "stream key of thirty-two bytes.." },
        { .kid = "p1", .use = CAM_KEY_PLAYBACK, .sign = 1, .index = 1,
          .len = 32, .secret = "playback key of thirty-two bytes" },
        { .kid = "s0", .use = CAM_KEY_STREAM, .index = 2, .len = 33,
          .secret = "stream key that was used before.." },
        { .kid = "a1", .use = CAM_KEY_ACCESS, .sign = 1, .index = 3, .len = 32,
          .secret = "access key of thirty-two bytes.." }
    }
};


/* signs anything, as an attacker who knows a key or guesses one would */

static char *
forge(const char *header, const char *claims, const char *secret, size_t len)
{
    size_t        n;
    uint8_t       mac[32];
    static char   text[8192];

    n = cam_base64url_encode(text, header, strlen(header));
    text[n++] = '.';
    n += cam_base64url_encode(text + n, claims, strlen(claims));

    HMAC(EVP_sha256(), secret, (int) len, (uint8_t *) text, n, mac, NULL);
    text[n++] = '.';
    cam_base64url_encode(text + n, mac, sizeof(mac));

    return text;
}


static cam_token_rc_e
verify(const char *text)
{
    cam_token_t  token;

    return cam_token_verify(&keys, CAM_KEY_STREAM, text, strlen(text), NOW,
                            &token);
}


static cam_token_rc_e
verify_header(const char *header)
{
    return verify(forge(header, GOOD, (char *) keys.keys[0].secret, 32));
}


static cam_token_rc_e
verify_claims(const char *claims)
{
    return verify(forge(HEADER, claims, (char *) keys.keys[0].secret, 32));
}


static void
stream_token(char *text, size_t cap)
{
    cam_token_t  token = { .use = CAM_KEY_STREAM, .generation = 7,
                           .issued = NOW - 10, .expires = NOW + 100 };

    assert_int_equal(cam_uuid_parse(token.camera, CAMERA, 36), 0);
    assert_true(cam_token_sign(&keys, &token, text, cap) > 0);
}


static void
test_stream(void **state)
{
    char         text[CAM_TOKEN_MAX], sub[CAM_UUID_TEXT + 1];
    uint8_t      none[16] = { 0 };
    cam_token_t  token;

    stream_token(text, sizeof(text));
    assert_int_equal(cam_token_verify(&keys, CAM_KEY_STREAM, text,
                                      strlen(text), NOW, &token),
                     CAM_TOKEN_OK);
    assert_string_equal(cam_uuid_print(sub, token.camera), CAMERA);
    assert_int_equal(token.use, CAM_KEY_STREAM);
    assert_int_equal(token.generation, 7);
    assert_int_equal(token.issued, NOW - 10);
    assert_int_equal(token.expires, NOW + 100);
    assert_memory_not_equal(token.jti, none, 16);

    /* it is as short as firmware wants it */
    assert_true(strlen(text) < 300);

    assert_int_equal(cam_token_verify(&keys, CAM_KEY_PLAYBACK, text,
                                      strlen(text), NOW, &token),
                     CAM_TOKEN_WRONG_TYPE);
}


static void
test_playback(void **state)
{
    char         text[CAM_TOKEN_MAX];
    cam_token_t  token = { .use = CAM_KEY_PLAYBACK, .epoch = 4,
                           .purpose = CAM_PURPOSE_LIVE,
                           .jti = "0123456789abcde",
                           .issued = NOW, .expires = NOW + 900 };
    cam_token_t  read;

    cam_uuid_parse(token.camera, CAMERA, 36);
    cam_uuid_parse(token.tenant, TENANT, 36);
    assert_true(cam_token_sign(&keys, &token, text, sizeof(text)) > 0);

    assert_int_equal(cam_token_verify(&keys, CAM_KEY_PLAYBACK, text,
                                      strlen(text), NOW, &read),
                     CAM_TOKEN_OK);
    assert_memory_equal(&token, &read, sizeof(cam_token_t));
    assert_int_equal(cam_token_verify(&keys, CAM_KEY_STREAM, text,
                                      strlen(text), NOW, &read),
                     CAM_TOKEN_WRONG_TYPE);
}


/* a bound is there only when it says something */

static void
test_playback_range(void **state)
{
    char         text[CAM_TOKEN_MAX];
    size_t       i;
    cam_token_t  token, read;

    static const struct {
        int64_t  from;
        int64_t  to;
        int      good;
    } range[] = {
        { 0, 0, 1 }, { 1790000000000, 0, 1 }, { 0, 1790000000000, 1 },
        { 1790000000000, 1790000000001, 1 },
        { 1790000000000, 1790000000000, 0 }, { 2, 1, 0 }
    };

    for (i = 0; i < sizeof(range) / sizeof(range[0]); i++) {
        memset(&token, 0, sizeof(cam_token_t));
        token.use = CAM_KEY_PLAYBACK;
        token.purpose = CAM_PURPOSE_RECORDINGS;
        token.issued = NOW;
        token.expires = NOW + 900;
        token.from_msec = range[i].from;
        token.to_msec = range[i].to;

        if (!range[i].good) {
            assert_int_equal(cam_token_sign(&keys, &token, text, sizeof(text)),
                             -1);
            continue;
        }

        assert_true(cam_token_sign(&keys, &token, text, sizeof(text)) > 0);
        assert_int_equal(cam_token_verify(&keys, CAM_KEY_PLAYBACK, text,
                                          strlen(text), NOW, &read),
                         CAM_TOKEN_OK);
        assert_memory_equal(&token, &read, sizeof(cam_token_t));
    }
}


static void
test_access(void **state)
{
    int          use;
    char         text[CAM_TOKEN_MAX];
    cam_token_t  token = { .use = CAM_KEY_ACCESS, .role = CAM_ROLE_OPERATOR,
                           .jti = "0123456789abcde", .issued = NOW,
                           .expires = NOW + CAM_TOKEN_ACCESS_TTL };
    cam_token_t  read;

    cam_uuid_parse(token.user, USER, 36);
    cam_uuid_parse(token.tenant, TENANT, 36);
    cam_uuid_parse(token.sid, SID, 36);
    assert_true(cam_token_sign(&keys, &token, text, sizeof(text)) > 0);

    assert_int_equal(cam_token_verify(&keys, CAM_KEY_ACCESS, text,
                                      strlen(text), NOW, &read),
                     CAM_TOKEN_OK);
    assert_memory_equal(&token, &read, sizeof(cam_token_t));

    for (use = CAM_KEY_STREAM; use <= CAM_KEY_PLAYBACK; use++) {
        assert_int_equal(cam_token_verify(&keys, use, text, strlen(text), NOW,
                                          &read),
                         CAM_TOKEN_WRONG_TYPE);
    }

    /* what a camera or a viewer holds logs nobody in */

    stream_token(text, sizeof(text));
    assert_int_equal(cam_token_verify(&keys, CAM_KEY_ACCESS, text,
                                      strlen(text), NOW, &read),
                     CAM_TOKEN_WRONG_TYPE);
}


static cam_token_rc_e
verify_access(const char *claims)
{
    const char   *text;
    cam_token_t   token;

    text = forge("{\"alg\":\"HS256\",\"kid\":\"a1\",\"typ\":\"JWT\"}", claims,
                 (char *) keys.keys[3].secret, 32);

    return cam_token_verify(&keys, CAM_KEY_ACCESS, text, strlen(text), NOW,
                            &token);
}


static void
test_access_claims(void **state)
{
    int                 i;
    static const char  *roles[] = { "\"admin\"", "\"operator\"",
                                    "\"viewer\"", "\"api_only\"" };
    static const char  *malformed[] = {
        ACCESS("admin", TENANT, SID, "\"admin\"", "1800000100"),
        ACCESS("", TENANT, SID, "\"admin\"", "1800000100"),
        ACCESS(USER, "", SID, "\"admin\"", "1800000100"),
        ACCESS(USER, TENANT, "", "\"admin\"", "1800000100"),
        ACCESS(USER, TENANT, SID, "\"\"", "1800000100"),
        ACCESS(USER, TENANT, SID, "\"Admin\"", "1800000100"),
        ACCESS(USER, TENANT, SID, "\"root\"", "1800000100"),
        ACCESS(USER, TENANT, SID, "\"admin\\u0000\"", "1800000100"),
        ACCESS(USER, TENANT, SID, "1", "1800000100"),
        ACCESS(USER, TENANT, SID, "null", "1800000100"),
        ACCESS(USER, TENANT, SID, "[\"admin\"]", "1800000100"),
        ACCESS(USER, TENANT, SID, "\"viewer\",\"rol\":\"admin\"",
               "1800000100"),
        /* a life of an hour and a second */
        ACCESS(USER, TENANT, SID, "\"admin\"", "1800003591")
    };
    char                claims[512];

    for (i = 0; i < 4; i++) {
        snprintf(claims, sizeof(claims), ACCESS(USER, TENANT, SID, "%s",
                 "1800003590"), roles[i]);
        assert_int_equal(verify_access(claims), CAM_TOKEN_OK);
    }

    for (i = 0; i < 13; i++) {
        assert_int_equal(verify_access(malformed[i]), CAM_TOKEN_MALFORMED);
    }

    /* signed with the key of access, and yet of another kind */
    assert_int_equal(verify_access(GOOD), CAM_TOKEN_WRONG_TYPE);
}


static void
test_old_key_verifies(void **state)
{
    assert_int_equal(verify(forge("{\"alg\":\"HS256\",\"kid\":\"s0\","
                                  "\"typ\":\"JWT\"}", GOOD,
                                  (char *) keys.keys[2].secret, 33)),
                     CAM_TOKEN_OK);
}


static void
test_time(void **state)
{
    char         text[CAM_TOKEN_MAX], sub[CAM_UUID_TEXT + 1];
    cam_token_t  token;

    stream_token(text, sizeof(text));

    assert_int_equal(cam_token_verify(&keys, CAM_KEY_STREAM, text,
                                      strlen(text), NOW + 99, &token),
                     CAM_TOKEN_OK);
    assert_int_equal(cam_token_verify(&keys, CAM_KEY_STREAM, text,
                                      strlen(text), NOW + 100, &token),
                     CAM_TOKEN_EXPIRED);
    assert_string_equal(cam_uuid_print(sub, token.camera), CAMERA);

    assert_int_equal(cam_token_verify(&keys, CAM_KEY_STREAM, text,
                                      strlen(text), NOW - 70, &token),
                     CAM_TOKEN_OK);
    assert_int_equal(cam_token_verify(&keys, CAM_KEY_STREAM, text,
                                      strlen(text), NOW - 71, &token),
                     CAM_TOKEN_NOT_YET);
    assert_int_equal(token.expires, 0);
}


static void
test_header(void **state)
{
    int                 i;
    static const char  *types[] = {
        "{\"alg\":\"none\",\"kid\":\"s1\",\"typ\":\"JWT\"}",
        "{\"alg\":\"None\",\"kid\":\"s1\",\"typ\":\"JWT\"}",
        "{\"alg\":\"nOnE\",\"kid\":\"s1\",\"typ\":\"JWT\"}",
        "{\"alg\":\"\",\"kid\":\"s1\",\"typ\":\"JWT\"}",
        "{\"alg\":\"hs256\",\"kid\":\"s1\",\"typ\":\"JWT\"}",
        "{\"alg\":\"HS384\",\"kid\":\"s1\",\"typ\":\"JWT\"}",
        "{\"alg\":\"RS256\",\"kid\":\"s1\",\"typ\":\"JWT\"}",
        "{\"alg\":\"HS256\",\"kid\":\"s1\",\"typ\":\"jwt\"}",
        "{\"alg\":\"HS256\",\"kid\":\"s1\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"HS256\",\"kid\":\"p1\",\"typ\":\"JWT\"}"
    };
    static const char  *malformed[] = {
        "", "{}", "[]", "null", "{\"alg\":\"HS256\"", HEADER "x",
        "{\"alg\":\"HS256\",\"typ\":\"JWT\"}",
        "{\"alg\":\"HS256\",\"kid\":\"s1\"}",
        "{\"kid\":\"s1\",\"typ\":\"JWT\"}",
        "{\"alg\":\"HS256\",\"kid\":1,\"typ\":\"JWT\"}",
        "{\"alg\":\"HS256\",\"kid\":null,\"typ\":\"JWT\"}",
        "{\"alg\":[\"HS256\"],\"kid\":\"s1\",\"typ\":\"JWT\"}",
        "{\"alg\":\"none\",\"alg\":\"HS256\",\"kid\":\"s1\",\"typ\":\"JWT\"}",
        "{\"alg\":\"HS256\",\"kid\":\"s1\",\"kid\":\"s1\",\"typ\":\"JWT\"}",
        "{\"alg\":\"HS256\",\"crit\":[],\"kid\":\"s1\",\"typ\":\"JWT\"}",
        "{\"alg\":\"HS256\",\"jwk\":{},\"kid\":\"s1\",\"typ\":\"JWT\"}",
        "{\"alg\":\"HS256\",\"kid\":\"s1\\u0000\",\"typ\":\"JWT\"}"
    };
    static const char  *kids[] = {
        "{\"alg\":\"HS256\",\"kid\":\"\",\"typ\":\"JWT\"}",
        "{\"alg\":\"HS256\",\"kid\":\"s\",\"typ\":\"JWT\"}",
        "{\"alg\":\"HS256\",\"kid\":\"s11\",\"typ\":\"JWT\"}",
        "{\"alg\":\"HS256\",\"kid\":\"S1\",\"typ\":\"JWT\"}",
        "{\"alg\":\"HS256\",\"kid\":\"' OR 1=1 --\",\"typ\":\"JWT\"}",
        "{\"alg\":\"HS256\",\"kid\":\"../../dev/null\",\"typ\":\"JWT\"}"
    };

    assert_int_equal(verify_header(HEADER), CAM_TOKEN_OK);

    for (i = 0; i < 10; i++) {
        assert_int_equal(verify_header(types[i]), CAM_TOKEN_WRONG_TYPE);
    }

    for (i = 0; i < 17; i++) {
        assert_int_equal(verify_header(malformed[i]), CAM_TOKEN_MALFORMED);
    }

    for (i = 0; i < 6; i++) {
        assert_int_equal(verify_header(kids[i]), CAM_TOKEN_UNKNOWN_KEY);
    }
}


static void
test_claims(void **state)
{
    int                 i;
    static const char  *malformed[] = {
        CLAIMS("7", "1799999990", "\"1\""),
        CLAIMS("7", "1799999990", "\"1800000100\""),
        CLAIMS("7", "1799999990", "1800000100.0"),
        CLAIMS("7", "1799999990", "1.5"),
        CLAIMS("7", "1799999990", "1.8000001e9"),
        CLAIMS("7", "1799999990", "true"),
        CLAIMS("7", "1799999990", "null"),
        CLAIMS("7", "1799999990", "[1800000100]"),
        CLAIMS("7", "1799999990", "-1"),
        CLAIMS("7", "1799999990", "0"),
        CLAIMS("7", "1799999990", "-9223372036854775808"),
        CLAIMS("7", "1799999990", "9223372036854775807"),
        CLAIMS("7", "1799999990", "4611686018427387903"),
        CLAIMS("7", "1799999990", "1799999990"),
        CLAIMS("7", "-1", "1800000100"),
        CLAIMS("7", "0", "1800000100"),
        CLAIMS("7", "1.5", "1800000100"),
        CLAIMS("0", "1799999990", "1800000100"),
        CLAIMS("-1", "1799999990", "1800000100"),
        CLAIMS("4294967296", "1799999990", "1800000100"),
        CLAIMS("\"7\"", "1799999990", "1800000100"),
        CLAIMS("7", "1799999990", "1,\"exp\":1800000100"),
        "{\"typ\":\"sk+jwt\",\"sub\":\"" CAMERA "\",\"gen\":7,\"jti\":\"" JTI
        "\",\"iat\":1799999990}",
        "{\"typ\":\"sk+jwt\",\"sub\":\"" CAMERA "\",\"gen\":7,\"jti\":\"" JTI
        "\",\"exp\":1800000100}",
        "{\"typ\":\"sk+jwt\",\"gen\":7,\"jti\":\"" JTI
        "\",\"iat\":1799999990,\"exp\":1800000100}",
        "{\"typ\":\"sk+jwt\",\"sub\":\"front door\",\"gen\":7,\"jti\":\"" JTI
        "\",\"iat\":1799999990,\"exp\":1800000100}",
        "{\"typ\":\"sk+jwt\",\"sub\":\"" CAMERA "\",\"gen\":7,\"jti\":\"x\","
        "\"iat\":1799999990,\"exp\":1800000100}",
        "{\"typ\":\"sk+jwt\",\"sub\":\"" CAMERA "\",\"gen\":7,"
        "\"iat\":1799999990,\"exp\":1800000100}"
    };

    assert_int_equal(verify_claims(GOOD), CAM_TOKEN_OK);

    for (i = 0; i < 28; i++) {
        assert_int_equal(verify_claims(malformed[i]), CAM_TOKEN_MALFORMED);
    }

    assert_int_equal(verify_claims(CLAIMS("7", "1799999990",
                                          "18446744073709551616")),
                     CAM_TOKEN_MALFORMED);
    assert_int_equal(verify_claims("{}"), CAM_TOKEN_WRONG_TYPE);
    assert_int_equal(verify_claims("{\"typ\":1}"), CAM_TOKEN_WRONG_TYPE);
    assert_int_equal(verify_claims("{\"typ\":\"pb+jwt\",\"sub\":\"" CAMERA
                                   "\",\"gen\":7,\"jti\":\"" JTI "\",\"iat\":"
                                   "1799999990,\"exp\":1800000100}"),
                     CAM_TOKEN_WRONG_TYPE);
}


static void
test_signature(void **state)
{
    char        *text;
    char         copy[CAM_TOKEN_MAX];
    size_t       i, len;
    cam_keys_t   empty;
    cam_token_t  token;

    assert_int_equal(verify(forge(HEADER, GOOD, "another key", 11)),
                     CAM_TOKEN_BAD_SIGNATURE);
    assert_int_equal(verify(forge(HEADER, GOOD, "", 0)),
                     CAM_TOKEN_BAD_SIGNATURE);
    assert_int_equal(verify(forge(HEADER, GOOD,
                                  (char *) keys.keys[1].secret, 32)),
                     CAM_TOKEN_BAD_SIGNATURE);

    text = forge(HEADER, GOOD, (char *) keys.keys[0].secret, 32);
    len = strlen(text);

    /* no single character may be changed, nor the token cut or lengthened */

    for (i = 0; i < len; i++) {
        strcpy(copy, text);
        copy[i] = copy[i] == 'A' ? 'B' : 'A';
        assert_int_not_equal(verify(copy), CAM_TOKEN_OK);

        copy[i] = '\0';
        assert_int_not_equal(verify(copy), CAM_TOKEN_OK);
    }

    strcpy(copy, text);
    assert_int_equal(cam_token_verify(&keys, CAM_KEY_STREAM, copy, len + 1,
                                      NOW, &token), CAM_TOKEN_MALFORMED);
    strcat(copy, "A");
    assert_int_equal(verify(copy), CAM_TOKEN_MALFORMED);
    copy[len] = '=';
    assert_int_equal(verify(copy), CAM_TOKEN_MALFORMED);
    copy[len] = '\n';
    assert_int_equal(verify(copy), CAM_TOKEN_MALFORMED);

    /* a key that was never loaded opens nothing */

    empty = keys;
    empty.keys[0].len = 0;
    assert_int_equal(cam_token_verify(&empty, CAM_KEY_STREAM, text, len, NOW,
                                      &token), CAM_TOKEN_UNKNOWN_KEY);
    empty.n = 0;
    assert_int_equal(cam_token_verify(&empty, CAM_KEY_STREAM, text, len, NOW,
                                      &token), CAM_TOKEN_UNKNOWN_KEY);
}


static void
test_shape(void **state)
{
    int                 i;
    char               *text, *huge, header[128];
    cam_token_t         token;
    static char         claims[CAM_TOKEN_MAX + 1];
    static const char  *malformed[] = { "", ".", "..", "...", "a.b.c", "a.b" };

    for (i = 0; i < 6; i++) {
        assert_int_equal(verify(malformed[i]), CAM_TOKEN_MALFORMED);
    }

    /* the same claims, padded with white space past the cap */

    memset(claims, ' ', CAM_TOKEN_MAX);
    memcpy(claims + CAM_TOKEN_MAX - strlen(GOOD), GOOD, strlen(GOOD));
    text = forge(HEADER, claims + 800, (char *) keys.keys[0].secret, 32);
    assert_true(strlen(text) < CAM_TOKEN_MAX);
    assert_int_equal(verify(text), CAM_TOKEN_OK);
    text = forge(HEADER, claims, (char *) keys.keys[0].secret, 32);
    assert_true(strlen(text) > CAM_TOKEN_MAX);
    assert_int_equal(verify(text), CAM_TOKEN_MALFORMED);

    /* a header as long as it may be, and a byte longer */

    snprintf(header, sizeof(header), "%-96s", HEADER);
    assert_int_equal(verify_header(header), CAM_TOKEN_OK);
    snprintf(header, sizeof(header), "%-97s", HEADER);
    assert_int_equal(verify_header(header), CAM_TOKEN_MALFORMED);

    /* longer than a stack */

    huge = malloc(9 << 20);
    assert_non_null(huge);
    memset(huge, 'A', 9 << 20);
    huge[(9 << 20) - 100] = '.';
    huge[(9 << 20) - 50] = '.';
    assert_int_equal(cam_token_verify(&keys, CAM_KEY_STREAM, huge, 9 << 20,
                                      NOW, &token), CAM_TOKEN_MALFORMED);
    free(huge);
}


static void
test_sign_refuses(void **state)
{
    char         text[CAM_TOKEN_MAX];
    cam_keys_t   none = { 0 };
    cam_token_t  token = { .use = CAM_KEY_STREAM, .generation = 1,
                           .issued = NOW, .expires = NOW + 60 };

    assert_int_equal(cam_token_sign(&none, &token, text, sizeof(text)), -1);
    assert_int_equal(cam_token_sign(&keys, &token, text, 100), -1);

    token.expires = NOW;
    assert_int_equal(cam_token_sign(&keys, &token, text, sizeof(text)), -1);
    token.expires = NOW + CAM_TOKEN_STREAM_TTL_MAX + 1;
    assert_int_equal(cam_token_sign(&keys, &token, text, sizeof(text)), -1);

    token.use = CAM_KEY_PLAYBACK;
    token.expires = NOW + CAM_TOKEN_PLAYBACK_TTL_MAX + 1;
    assert_int_equal(cam_token_sign(&keys, &token, text, sizeof(text)), -1);

    token.use = CAM_KEY_ACCESS;
    token.role = CAM_ROLE_VIEWER;
    token.expires = NOW + CAM_TOKEN_ACCESS_TTL_MAX + 1;
    assert_int_equal(cam_token_sign(&keys, &token, text, sizeof(text)), -1);
    token.expires--;
    assert_true(cam_token_sign(&keys, &token, text, sizeof(text)) > 0);
    token.role = CAM_ROLE_NONE;
    assert_int_equal(cam_token_sign(&keys, &token, text, sizeof(text)), -1);
    token.use = CAM_KEY_EXPORT;
    assert_int_equal(cam_token_sign(&keys, &token, text, sizeof(text)), -1);
}


static void
test_random(void **state)
{
    char     one[CAM_TOKEN_OPAQUE_LEN + 1], two[CAM_TOKEN_OPAQUE_LEN + 1];
    char     three[CAM_TOKEN_REFRESH_LEN + 1], four[CAM_TOKEN_REFRESH_LEN + 1];
    uint8_t  hash[32];

    assert_int_equal(cam_token_opaque(one), 0);
    assert_int_equal(cam_token_opaque(two), 0);
    assert_int_equal(strlen(one), CAM_TOKEN_OPAQUE_LEN);
    assert_string_not_equal(one, two);

    assert_int_equal(cam_token_refresh(three), 0);
    assert_int_equal(cam_token_refresh(four), 0);
    assert_int_equal(strlen(three), CAM_TOKEN_REFRESH_LEN);
    assert_string_not_equal(three, four);

    cam_token_sha256(hash, "abc", 3);
    assert_memory_equal(hash, "\xba\x78\x16\xbf\x8f\x01\xcf\xea", 8);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_playback),
        cmocka_unit_test(test_playback_range),
        cmocka_unit_test(test_access),
        cmocka_unit_test(test_access_claims),
        cmocka_unit_test(test_old_key_verifies),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_signature),
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_sign_refuses),
        cmocka_unit_test(test_random),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
