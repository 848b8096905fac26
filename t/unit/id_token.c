/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for ID tokens and the keys that sign them.  Keys are made here, tokens
 * signed by OpenSSL alone.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base64url.h"
#include "id_token.h"

#define NOW  1700000000


static EVP_PKEY    *rsa;
static cam_jwks_t   keys;

static const cam_id_token_wanted_t  wanted = {
    "https://id.example", "client", "nonce", CAM_ID_TOKEN_PLAIN, NOW
};


static void
jwk_of(char *text, size_t size, EVP_PKEY *key, const char *more)
{
    int      len;
    char     encoded[1400];
    BIGNUM  *n;
    uint8_t  bytes[1024];

    n = NULL;
    assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n), 1);
    len = BN_bn2bin(n, bytes);
    BN_free(n);

    cam_base64url_encode(encoded, bytes, (size_t) len);
    (void) snprintf(text, size, "{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\","
                    "\"n\":\"%s\"%s}]}", encoded, more);
}


static int
make_keys(void **state)
{
    char  text[2048];

    rsa = EVP_RSA_gen(2048);
    jwk_of(text, sizeof(text), rsa, ",\"kid\":\"k\"");

    return cam_jwks_parse(&keys, text, strlen(text));
}


static int
free_keys(void **state)
{
    cam_jwks_free(&keys);
    EVP_PKEY_free(rsa);

    return 0;
}


static size_t
sign(char *text, const char *header, const char *claims)
{
    size_t       len, sig_len;
    uint8_t      sig[512];
    EVP_MD_CTX  *md;

    len = cam_base64url_encode(text, header, strlen(header));
    text[len++] = '.';
    len += cam_base64url_encode(text + len, claims, strlen(claims));

    sig_len = sizeof(sig);
    md = EVP_MD_CTX_new();
    EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, rsa);
    EVP_DigestSign(md, sig, &sig_len, (uint8_t *) text, len);
    EVP_MD_CTX_free(md);

    text[len++] = '.';

    return len + cam_base64url_encode(text + len, sig, sig_len);
}


#define HEADER  "{\"alg\":\"RS256\",\"kid\":\"k\"}"
#define CLAIMS  "\"iss\":\"https://id.example\",\"aud\":\"client\","           \
                "\"iat\":1700000000,\"exp\":1700000300,"                      \
                "\"nonce\":\"nonce\",\"sub\":\"1\""


static cam_id_token_rc_e
judge(const char *header, const char *claims, cam_id_token_t *token)
{
    char    text[4096];
    size_t  len;

    len = sign(text, header, claims);

    return cam_id_token_verify(token, &keys, &wanted, text, len);
}


static void
a_good_token_says_who_it_is(void **state)
{
    cam_id_token_t  token;

    assert_int_equal(judge(HEADER, "{" CLAIMS ",\"email\":\"a@b.c\","
                           "\"email_verified\":true,\"name\":\"A\"}", &token),
                     CAM_ID_TOKEN_OK);
    assert_string_equal(token.issuer, "https://id.example");
    assert_string_equal(token.subject, "1");
    assert_string_equal(token.email, "a@b.c");
    assert_string_equal(token.name, "A");

    assert_int_equal(judge(HEADER, "{" CLAIMS ",\"email\":\"a@b.c\"}", &token),
                     CAM_ID_TOKEN_OK);
    assert_string_equal(token.email, "");
}


static void
each_changed_byte_is_noticed(void **state)
{
    char            text[4096], c;
    size_t          len, i;
    cam_id_token_t  token;

    len = sign(text, HEADER, "{" CLAIMS "}");

    for (i = 0; i < len; i++) {
        c = text[i];
        text[i] = c == 'A' ? 'B' : 'A';
        assert_int_not_equal(cam_id_token_verify(&token, &keys, &wanted, text,
                                                 len), CAM_ID_TOKEN_OK);
        text[i] = c;
    }

    for (i = 0; i < len; i++) {
        assert_int_not_equal(cam_id_token_verify(&token, &keys, &wanted, text,
                                                 i), CAM_ID_TOKEN_OK);
    }

    assert_int_equal(cam_id_token_verify(&token, &keys, &wanted, text, len),
                     CAM_ID_TOKEN_OK);
}


static void
the_header_only_chooses_a_key(void **state)
{
    cam_id_token_t  token;

    assert_int_equal(judge("{\"alg\":\"RS256\"}", "{" CLAIMS "}", &token),
                     CAM_ID_TOKEN_OK);
    assert_int_equal(judge("{\"alg\":\"none\"}", "{" CLAIMS "}", &token),
                     CAM_ID_TOKEN_ALGORITHM);
    assert_int_equal(judge("{\"alg\":\"RS512\"}", "{" CLAIMS "}", &token),
                     CAM_ID_TOKEN_ALGORITHM);
    assert_int_equal(judge("{\"alg\":\"ES256\",\"kid\":\"k\"}", "{" CLAIMS "}",
                           &token), CAM_ID_TOKEN_UNKNOWN_KEY);
    assert_int_equal(judge("{\"alg\":\"RS256\",\"kid\":\"l\"}", "{" CLAIMS "}",
                           &token), CAM_ID_TOKEN_UNKNOWN_KEY);
    assert_int_equal(judge("{\"alg\":\"RS256\",\"kid\":1}", "{" CLAIMS "}",
                           &token), CAM_ID_TOKEN_MALFORMED);
    assert_int_equal(judge("[]", "{" CLAIMS "}", &token),
                     CAM_ID_TOKEN_MALFORMED);
    assert_int_equal(judge(HEADER, "[]", &token), CAM_ID_TOKEN_MALFORMED);
}


static void
weak_and_foreign_keys_are_passed_over(void **state)
{
    char         text[2048];
    EVP_PKEY    *weak;
    cam_jwks_t   jwks;
    size_t       i;
    static const char  *none[] = {
        "", "{}", "[]", "{\"keys\":[]}", "{\"keys\":{}}", "{\"keys\":[1]}",
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\","
        "\"y\":\"AAAA\"}]}",
        /* a point that is not on the curve */
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
        "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
        "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}"
    };

    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_int_equal(cam_jwks_parse(&jwks, none[i], strlen(none[i])), -1);
    }

    jwk_of(text, sizeof(text), rsa, ",\"use\":\"enc\"");
    assert_int_equal(cam_jwks_parse(&jwks, text, strlen(text)), -1);

    jwk_of(text, sizeof(text), rsa, ",\"alg\":\"RS512\"");
    assert_int_equal(cam_jwks_parse(&jwks, text, strlen(text)), -1);

    weak = EVP_RSA_gen(1024);
    jwk_of(text, sizeof(text), weak, "");
    assert_int_equal(cam_jwks_parse(&jwks, text, strlen(text)), -1);
    EVP_PKEY_free(weak);
}


static void
one_directory_of_many_names_itself(void **state)
{
    char                   text[4096];
    size_t                 len;
    cam_id_token_t         token;
    cam_id_token_wanted_t  many = wanted;

#define TENANT  "9188040d-6c67-4c5b-b112-36a304b66dad"
#define REST    "\"aud\":\"client\",\"iat\":1700000000,"                      \
                "\"exp\":1700000300,\"nonce\":\"nonce\",\"sub\":\"1\"}"

    many.issuer = "https://id.example/{tenantid}/v2.0";

    len = sign(text, HEADER, "{\"iss\":\"https://id.example/" TENANT "/v2.0\","
               "\"tid\":\"" TENANT "\"," REST);
    assert_int_equal(cam_id_token_verify(&token, &keys, &many, text, len),
                     CAM_ID_TOKEN_OK);

    len = sign(text, HEADER, "{\"iss\":\"https://id.example/" TENANT "/v2.0\","
               REST);
    assert_int_equal(cam_id_token_verify(&token, &keys, &many, text, len),
                     CAM_ID_TOKEN_ISSUER);

    len = sign(text, HEADER, "{\"iss\":\"https://id.example/" TENANT "\","
               "\"tid\":\"" TENANT "\"," REST);
    assert_int_equal(cam_id_token_verify(&token, &keys, &many, text, len),
                     CAM_ID_TOKEN_ISSUER);

    len = sign(text, HEADER, "{\"iss\":\"https\",\"tid\":\"" TENANT "\","
               REST);
    assert_int_equal(cam_id_token_verify(&token, &keys, &many, text, len),
                     CAM_ID_TOKEN_ISSUER);
}


/* the provider's clock and ours may be a minute apart, and no more */

static void
clocks_may_be_a_minute_apart(void **state)
{
    char            text[4096], claims[512];
    size_t          i, len;
    cam_id_token_t  token;
    cam_id_token_wanted_t  late = wanted;

    static const struct {
        const char          *nbf;
        int64_t              now;       /* beside 1700000000, iat; exp: 300 */
        cam_id_token_rc_e    rc;
    } cases[] = {
        { "", -60, CAM_ID_TOKEN_OK },
        { "", -61, CAM_ID_TOKEN_NOT_YET },
        { "", 359, CAM_ID_TOKEN_OK },
        { "", 360, CAM_ID_TOKEN_EXPIRED },
        { ",\"nbf\":1700000000", -60, CAM_ID_TOKEN_OK },
        { ",\"nbf\":1700000060", 0, CAM_ID_TOKEN_OK },
        { ",\"nbf\":1700000061", 0, CAM_ID_TOKEN_NOT_YET },
        { ",\"nbf\":1700000061", 1, CAM_ID_TOKEN_OK },
        { ",\"nbf\":\"0\"", 0, CAM_ID_TOKEN_MALFORMED },
        { ",\"nbf\":1.5", 0, CAM_ID_TOKEN_MALFORMED }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(claims, sizeof(claims), "{" CLAIMS "%s}", cases[i].nbf);
        len = sign(text, HEADER, claims);
        late.now = 1700000000 + cases[i].now;

        assert_int_equal(cam_id_token_verify(&token, &keys, &late, text, len),
                         cases[i].rc);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(a_good_token_says_who_it_is),
        cmocka_unit_test(each_changed_byte_is_noticed),
        cmocka_unit_test(the_header_only_chooses_a_key),
        cmocka_unit_test(weak_and_foreign_keys_are_passed_over),
        cmocka_unit_test(one_directory_of_many_names_itself),
        cmocka_unit_test(clocks_may_be_a_minute_apart)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
