/*
 * Copyright (C) The nginx camera platform authors
 */

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <string.h>

#include "base64url.h"
#include "json_read.h"
#include "jwks.h"


#define CAM_JWKS_RSA_MIN   256       /* bytes of a modulus */
#define CAM_JWKS_RSA_MAX   1024
#define CAM_JWKS_EXP_MAX   4         /* bytes of an exponent */
#define CAM_JWKS_EC        32        /* bytes of a coordinate */
#define CAM_JWKS_DER_MAX   80        /* bytes of an ECDSA signature */


static int cam_jwk_parse(cam_jwk_t *jwk, json_t *json);
static int cam_jwk_is_usable(json_t *json, const char *kty, const char *alg);
static int cam_jwk_is(json_t *json, const char *name, const char *value,
    int absent);
static ssize_t cam_jwk_bytes(json_t *json, const char *name, uint8_t *bytes,
    size_t cap);
static EVP_PKEY *cam_jwk_rsa(json_t *json);
static EVP_PKEY *cam_jwk_ec(json_t *json);
static EVP_PKEY *cam_jwk_make(const char *type, OSSL_PARAM *params);
static ssize_t cam_jwk_der(uint8_t *der, const uint8_t *sig, size_t len);


int
cam_jwks_parse(cam_jwks_t *jwks, const char *text, size_t len)
{
    char     err[160];
    size_t   i;
    json_t  *json, *keys, *key;

    memset(jwks, 0, sizeof(cam_jwks_t));

    if (len > CAM_JWKS_BYTES) {
        return -1;
    }

    json = cam_json_read(text, len, err, sizeof(err));

    if (json == NULL) {
        return -1;
    }

    keys = json_object_get(json, "keys");

    for (i = 0; i < json_array_size(keys) && jwks->n < CAM_JWKS_MAX; i++) {
        key = json_array_get(keys, i);

        if (cam_jwk_parse(&jwks->keys[jwks->n], key) == 0) {
            jwks->n++;
        }
    }

    json_decref(json);
    ERR_clear_error();

    return jwks->n ? 0 : -1;
}


static int
cam_jwk_parse(cam_jwk_t *jwk, json_t *json)
{
    json_t  *kid;

    jwk->kid[0] = '\0';
    kid = json_object_get(json, "kid");

    if (kid) {

        if (!json_is_string(kid) || json_string_length(kid) == 0
            || json_string_length(kid) > CAM_JWKS_KID_MAX)
        {
            return -1;
        }

        memcpy(jwk->kid, json_string_value(kid), json_string_length(kid) + 1);
    }

    if (cam_jwk_is_usable(json, "RSA", "RS256")) {
        jwk->alg = CAM_JWK_RS256;
        jwk->key = cam_jwk_rsa(json);

    } else if (cam_jwk_is_usable(json, "EC", "ES256")) {
        jwk->alg = CAM_JWK_ES256;
        jwk->key = cam_jwk_ec(json);

    } else {
        return -1;
    }

    return jwk->key ? 0 : -1;
}


static int
cam_jwk_is_usable(json_t *json, const char *kty, const char *alg)
{
    return cam_jwk_is(json, "kty", kty, 0)
           && cam_jwk_is(json, "use", "sig", 1)
           && cam_jwk_is(json, "alg", alg, 1);
}


static int
cam_jwk_is(json_t *json, const char *name, const char *value, int absent)
{
    json_t  *member;

    member = json_object_get(json, name);

    if (member == NULL) {
        return absent;
    }

    return json_is_string(member)
           && json_string_length(member) == strlen(value)
           && strcmp(json_string_value(member), value) == 0;
}


static ssize_t
cam_jwk_bytes(json_t *json, const char *name, uint8_t *bytes, size_t cap)
{
    json_t  *member;

    member = json_object_get(json, name);

    if (!json_is_string(member)) {
        return -1;
    }

    return cam_base64url_decode(bytes, cap, json_string_value(member),
                                json_string_length(member));
}


static EVP_PKEY *
cam_jwk_rsa(json_t *json)
{
    BIGNUM          *n, *e;
    ssize_t          n_len, e_len;
    uint8_t          n_bytes[CAM_JWKS_RSA_MAX + 1], e_bytes[CAM_JWKS_EXP_MAX];
    EVP_PKEY        *key;
    OSSL_PARAM      *params;
    OSSL_PARAM_BLD  *bld;

    n_len = cam_jwk_bytes(json, "n", n_bytes, sizeof(n_bytes));
    e_len = cam_jwk_bytes(json, "e", e_bytes, sizeof(e_bytes));

    /* the first byte is none of a leading zero, which would feign length */

    if (n_len < CAM_JWKS_RSA_MIN || n_len > CAM_JWKS_RSA_MAX
        || (n_bytes[0] & 0x80) == 0 || (n_bytes[n_len - 1] & 1) == 0
        || e_len < 1 || (e_bytes[e_len - 1] & 1) == 0
        || (e_len == 1 && e_bytes[0] == 1))
    {
        return NULL;
    }

    key = NULL;
    params = NULL;

    bld = OSSL_PARAM_BLD_new();
    n = BN_bin2bn(n_bytes, (int) n_len, NULL);
    e = BN_bin2bn(e_bytes, (int) e_len, NULL);

    if (bld && n && e
        && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) == 1
        && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) == 1)
    {
        params = OSSL_PARAM_BLD_to_param(bld);
    }

    if (params) {
        key = cam_jwk_make("RSA", params);
    }

    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(bld);
    BN_free(n);
    BN_free(e);

    return key;
}


static EVP_PKEY *
cam_jwk_ec(json_t *json)
{
    uint8_t          point[1 + 2 * CAM_JWKS_EC];
    EVP_PKEY        *key;
    OSSL_PARAM      *params;
    OSSL_PARAM_BLD  *bld;

    point[0] = 0x04;

    if (!cam_jwk_is(json, "crv", "P-256", 0)
        || cam_jwk_bytes(json, "x", point + 1, CAM_JWKS_EC) != CAM_JWKS_EC
        || cam_jwk_bytes(json, "y", point + 1 + CAM_JWKS_EC, CAM_JWKS_EC)
           != CAM_JWKS_EC)
    {
        return NULL;
    }

    key = NULL;
    params = NULL;
    bld = OSSL_PARAM_BLD_new();

    if (bld
        && OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
                                           "prime256v1", 0)
           == 1
        && OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY,
                                            point, sizeof(point))
           == 1)
    {
        params = OSSL_PARAM_BLD_to_param(bld);
    }

    if (params) {
        key = cam_jwk_make("EC", params);
    }

    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(bld);

    return key;
}


static EVP_PKEY *
cam_jwk_make(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY      *key;
    EVP_PKEY_CTX  *ctx;

    key = NULL;
    ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

    if (ctx && EVP_PKEY_fromdata_init(ctx) == 1
        && EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
    {
        EVP_PKEY_free(key);
        key = NULL;
    }

    EVP_PKEY_CTX_free(ctx);

    return key;
}


void
cam_jwks_free(cam_jwks_t *jwks)
{
    unsigned  i;

    for (i = 0; i < jwks->n; i++) {
        EVP_PKEY_free(jwks->keys[i].key);
    }

    jwks->n = 0;
}


const cam_jwk_t *
cam_jwks_find(const cam_jwks_t *jwks, cam_jwk_alg_e alg, const char *kid,
    size_t len)
{
    unsigned          i;
    const cam_jwk_t  *jwk, *found;

    found = NULL;

    for (i = 0; i < jwks->n; i++) {
        jwk = &jwks->keys[i];

        if (jwk->alg != alg) {
            continue;
        }

        if (len == 0) {

            if (found) {
                return NULL;
            }

            found = jwk;

        } else if (strlen(jwk->kid) == len && memcmp(jwk->kid, kid, len) == 0) {
            return jwk;
        }
    }

    return found;
}


int
cam_jwk_verify(const cam_jwk_t *jwk, const char *text, size_t len,
    const uint8_t *sig, size_t sig_len)
{
    int          rc;
    uint8_t      der[CAM_JWKS_DER_MAX];
    ssize_t      der_len;
    EVP_MD_CTX  *md;

    if (jwk->alg == CAM_JWK_ES256) {
        der_len = cam_jwk_der(der, sig, sig_len);

        if (der_len == -1) {
            return -1;
        }

        sig = der;
        sig_len = (size_t) der_len;
    }

    md = EVP_MD_CTX_new();

    rc = md && EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, jwk->key)
               == 1
         && EVP_DigestVerify(md, sig, sig_len, (const uint8_t *) text, len)
            == 1;

    EVP_MD_CTX_free(md);
    ERR_clear_error();

    return rc ? 0 : -1;
}


/* two numbers side by side, as OpenSSL takes them */

static ssize_t
cam_jwk_der(uint8_t *der, const uint8_t *sig, size_t len)
{
    int         size;
    BIGNUM     *r, *s;
    ECDSA_SIG  *pair;

    if (len != 2 * CAM_JWKS_EC) {
        return -1;
    }

    size = -1;
    pair = ECDSA_SIG_new();
    r = BN_bin2bn(sig, CAM_JWKS_EC, NULL);
    s = BN_bin2bn(sig + CAM_JWKS_EC, CAM_JWKS_EC, NULL);

    if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = NULL;
        s = NULL;
        size = i2d_ECDSA_SIG(pair, &der);
    }

    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);

    return size > 0 ? size : -1;
}
