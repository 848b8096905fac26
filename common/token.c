/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The only file that calls libjwt.  What libjwt 1.10 leaves to its caller is
 * done here, in this order, and each step may trust the ones before it:
 *
 *   1. shape: length, alphabet, three segments (libjwt puts the length of a
 *      segment on the stack)
 *   2. header: strict JSON of exactly "alg": "HS256", "typ": "JWT" and "kid"
 *      (libjwt takes the algorithm from the token, in any case)
 *   3. key: ours by kid and use, never shorter than 32 bytes (libjwt accepts
 *      any signature with an empty key)
 *   4. signature: libjwt, in constant time
 *   5. claims: strict JSON, typ of the kind expected, integers that are
 *      integers (libjwt checks no claim and reads 1.5 and "1" as 0)
 *   6. time
 *
 * The kind is a claim because libjwt 1.10 writes and accepts no other header
 * "typ" than "JWT".
 */

#include <errno.h>
#include <jansson.h>
#include <jwt.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base64url.h"
#include "token.h"


#define CAM_TOKEN_HEADER_MAX     128
#define CAM_TOKEN_SIGNATURE_LEN  43    /* HMAC-SHA256 in base64url */
#define CAM_TOKEN_JTI_TEXT       22


/* the segments of a token */
typedef struct {
    const char  *header;
    const char  *claims;
    size_t       header_len;
    size_t       claims_len;
} cam_token_parts_t;


static int cam_token_lifetime_ok(const cam_token_t *token);
static int cam_token_fill(jwt_t *jwt, const cam_key_t *key,
    const cam_token_t *token);
static int cam_token_split(cam_token_parts_t *parts, const char *text,
    size_t len);
static json_t *cam_token_json(const char *text, size_t len);
static cam_token_rc_e cam_token_key(const cam_keys_t *keys, int use,
    const cam_token_parts_t *parts, const cam_key_t **key);
static cam_token_rc_e cam_token_header(const cam_keys_t *keys, int use,
    json_t *header, const cam_key_t **key);
static int cam_token_foreign(const cam_keys_t *keys, int use, const char *kid);
static int cam_token_signed(const cam_key_t *key, const char *text,
    size_t len);
static cam_token_rc_e cam_token_claims(cam_token_t *token, int use,
    json_t *claims);
static int cam_token_kind_claims(cam_token_t *token, json_t *claims);
static int cam_token_uuid(uint8_t uuid[CAM_UUID_LEN], json_t *claims,
    const char *name);
static int cam_token_uint32(uint32_t *value, json_t *claims, const char *name,
    uint32_t min);
static int cam_token_time(int64_t *value, json_t *claims, const char *name);
static int cam_token_jti(uint8_t jti[16], json_t *claims);


static const char  *cam_token_kinds[CAM_KEY_USES] = {
    "sk+jwt", "pb+jwt", "at+jwt"
};

static const int64_t  cam_token_ttl_max[CAM_KEY_USES] = {
    CAM_TOKEN_STREAM_TTL_MAX, CAM_TOKEN_PLAYBACK_TTL_MAX
};


int
cam_token_sign(const cam_keys_t *keys, cam_token_t *token, char *text,
    size_t cap)
{
    int               n;
    char             *out;
    jwt_t            *jwt;
    const cam_key_t  *key;
    static uint8_t    none[sizeof(token->jti)];

    if (token->use < 0 || token->use >= CAM_KEY_USES
        || !cam_token_lifetime_ok(token))
    {
        errno = EINVAL;
        return -1;
    }

    key = cam_keys_signer(keys, token->use);

    if (key == NULL || key->len < CAM_KEY_MIN) {
        errno = ENOKEY;
        return -1;
    }

    if (memcmp(token->jti, none, sizeof(none)) == 0
        && RAND_bytes(token->jti, sizeof(token->jti)) != 1)
    {
        errno = EIO;
        return -1;
    }

    if (jwt_new(&jwt) != 0) {
        return -1;
    }

    n = -1;
    out = NULL;

    if (cam_token_fill(jwt, key, token) == 0) {
        out = jwt_encode_str(jwt);
    }

    if (out && strlen(out) < cap) {
        n = (int) strlen(out);
        memcpy(text, out, (size_t) n + 1);
    }

    free(out);
    jwt_free(jwt);

    return n;
}


static int
cam_token_lifetime_ok(const cam_token_t *token)
{
    return token->issued >= 0 && token->expires > token->issued
           && token->expires - token->issued <= cam_token_ttl_max[token->use];
}


static int
cam_token_fill(jwt_t *jwt, const cam_key_t *key, const cam_token_t *token)
{
    int   bad;
    char  sub[CAM_UUID_TEXT + 1], ten[CAM_UUID_TEXT + 1];
    char  jti[CAM_TOKEN_JTI_TEXT + 1];

    cam_uuid_print(sub, token->camera);
    cam_base64url_encode(jti, token->jti, sizeof(token->jti));

    bad = jwt_set_alg(jwt, JWT_ALG_HS256, key->secret, key->len)
          || jwt_add_header(jwt, "kid", key->kid)
          || jwt_add_grant(jwt, "typ", cam_token_kinds[token->use])
          || jwt_add_grant(jwt, "sub", sub)
          || jwt_add_grant(jwt, "jti", jti)
          || jwt_add_grant_int(jwt, "iat", token->issued)
          || jwt_add_grant_int(jwt, "exp", token->expires);

    if (token->use == CAM_KEY_STREAM) {
        return bad || jwt_add_grant_int(jwt, "gen", token->generation) ? -1 : 0;
    }

    cam_uuid_print(ten, token->tenant);

    bad = bad
          || jwt_add_grant(jwt, "ten", ten)
          || jwt_add_grant_int(jwt, "pur", token->purpose)
          || jwt_add_grant_int(jwt, "ep", token->epoch);

    return bad ? -1 : 0;
}


cam_token_rc_e
cam_token_verify(const cam_keys_t *keys, int use, const char *text, size_t len,
    int64_t now, cam_token_t *token)
{
    json_t             *claims;
    cam_token_rc_e      rc;
    const cam_key_t    *key;
    cam_token_parts_t   parts;

    memset(token, 0, sizeof(cam_token_t));

    if (use < 0 || use >= CAM_KEY_USES
        || cam_token_split(&parts, text, len) != 0)
    {
        return CAM_TOKEN_MALFORMED;
    }

    rc = cam_token_key(keys, use, &parts, &key);

    if (rc != CAM_TOKEN_OK) {
        return rc;
    }

    if (!cam_token_signed(key, text, len)) {
        return CAM_TOKEN_BAD_SIGNATURE;
    }

    claims = cam_token_json(parts.claims, parts.claims_len);
    rc = cam_token_claims(token, use, claims);
    json_decref(claims);

    if (rc != CAM_TOKEN_OK) {
        memset(token, 0, sizeof(cam_token_t));
        return rc;
    }

    /*
     * The issuer's clock may run ahead of ours.  An expiry gets no such grace:
     * it would lengthen a 30-second token to three times its life.
     */

    if (token->issued > now + CAM_TOKEN_LEEWAY_SEC) {
        memset(token, 0, sizeof(cam_token_t));
        return CAM_TOKEN_NOT_YET;
    }

    return token->expires > now ? CAM_TOKEN_OK : CAM_TOKEN_EXPIRED;
}


static int
cam_token_split(cam_token_parts_t *parts, const char *text, size_t len)
{
    size_t       i, dots, dot[2];
    const char  *alphabet;

    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
               "0123456789-_";

    if (len > CAM_TOKEN_MAX) {
        return -1;
    }

    dots = 0;

    for (i = 0; i < len; i++) {

        if (text[i] == '.') {
            if (dots == 2) {
                return -1;
            }

            dot[dots++] = i;
            continue;
        }

        if (text[i] == '\0' || strchr(alphabet, text[i]) == NULL) {
            return -1;
        }
    }

    if (dots != 2 || len - dot[1] - 1 != CAM_TOKEN_SIGNATURE_LEN) {
        return -1;
    }

    parts->header = text;
    parts->header_len = dot[0];
    parts->claims = text + dot[0] + 1;
    parts->claims_len = dot[1] - dot[0] - 1;

    if (parts->header_len == 0 || parts->header_len > CAM_TOKEN_HEADER_MAX
        || parts->claims_len == 0)
    {
        return -1;
    }

    return 0;
}


static json_t *
cam_token_json(const char *text, size_t len)
{
    char     buf[cam_base64url_decoded_len(CAM_TOKEN_MAX)];
    ssize_t  n;

    n = cam_base64url_decode(buf, sizeof(buf), text, len);

    if (n == -1) {
        return NULL;
    }

    return json_loadb(buf, (size_t) n, JSON_REJECT_DUPLICATES, NULL);
}


static cam_token_rc_e
cam_token_key(const cam_keys_t *keys, int use, const cam_token_parts_t *parts,
    const cam_key_t **key)
{
    json_t          *header;
    cam_token_rc_e   rc;

    header = cam_token_json(parts->header, parts->header_len);
    rc = cam_token_header(keys, use, header, key);
    json_decref(header);

    return rc;
}


static cam_token_rc_e
cam_token_header(const cam_keys_t *keys, int use, json_t *header,
    const cam_key_t **key)
{
    const char  *alg, *typ, *kid;

    /* nothing else may be there: no "crit", no "jwk", no "x5u" */

    if (json_unpack_ex(header, NULL, JSON_STRICT, "{s:s, s:s, s:s}",
                       "alg", &alg, "typ", &typ, "kid", &kid)
        != 0)
    {
        return CAM_TOKEN_MALFORMED;
    }

    if (strcmp(alg, "HS256") != 0 || strcmp(typ, "JWT") != 0) {
        return CAM_TOKEN_WRONG_TYPE;
    }

    *key = cam_keys_find(keys, use, kid, strlen(kid));

    if (*key != NULL && (*key)->len >= CAM_KEY_MIN) {
        return CAM_TOKEN_OK;
    }

    return cam_token_foreign(keys, use, kid) ? CAM_TOKEN_WRONG_TYPE
                                             : CAM_TOKEN_UNKNOWN_KEY;
}


/* whether it is the name of a key of ours for another use */

static int
cam_token_foreign(const cam_keys_t *keys, int use, const char *kid)
{
    int  other;

    for (other = 0; other < CAM_KEY_USES; other++) {
        if (other != use
            && cam_keys_find(keys, other, kid, strlen(kid)) != NULL)
        {
            return 1;
        }
    }

    return 0;
}


static int
cam_token_signed(const cam_key_t *key, const char *text, size_t len)
{
    int     ok;
    char    copy[CAM_TOKEN_MAX + 1];
    jwt_t  *jwt;

    memcpy(copy, text, len);
    copy[len] = '\0';

    if (jwt_decode(&jwt, copy, key->secret, key->len) != 0) {
        return 0;
    }

    ok = jwt_get_alg(jwt) == JWT_ALG_HS256;

    jwt_free(jwt);

    return ok;
}


static cam_token_rc_e
cam_token_claims(cam_token_t *token, int use, json_t *claims)
{
    json_t  *typ;

    if (!json_is_object(claims)) {
        return CAM_TOKEN_MALFORMED;
    }

    typ = json_object_get(claims, "typ");

    if (!json_is_string(typ)
        || strcmp(json_string_value(typ), cam_token_kinds[use]) != 0)
    {
        return CAM_TOKEN_WRONG_TYPE;
    }

    token->use = use;

    if (cam_token_uuid(token->camera, claims, "sub") != 0
        || cam_token_jti(token->jti, claims) != 0
        || cam_token_time(&token->issued, claims, "iat") != 0
        || cam_token_time(&token->expires, claims, "exp") != 0
        || !cam_token_lifetime_ok(token)
        || cam_token_kind_claims(token, claims) != 0)
    {
        return CAM_TOKEN_MALFORMED;
    }

    return CAM_TOKEN_OK;
}


static int
cam_token_kind_claims(cam_token_t *token, json_t *claims)
{
    if (token->use == CAM_KEY_STREAM) {
        return cam_token_uint32(&token->generation, claims, "gen", 1);
    }

    if (cam_token_uuid(token->tenant, claims, "ten") != 0
        || cam_token_uint32(&token->purpose, claims, "pur", 1) != 0)
    {
        return -1;
    }

    return cam_token_uint32(&token->epoch, claims, "ep", 0);
}


static int
cam_token_uuid(uint8_t uuid[CAM_UUID_LEN], json_t *claims, const char *name)
{
    json_t  *value;

    value = json_object_get(claims, name);

    if (!json_is_string(value)) {
        return -1;
    }

    return cam_uuid_parse(uuid, json_string_value(value),
                          json_string_length(value));
}


static int
cam_token_uint32(uint32_t *value, json_t *claims, const char *name,
    uint32_t min)
{
    json_t      *number;
    json_int_t   n;

    number = json_object_get(claims, name);

    if (!json_is_integer(number)) {
        return -1;
    }

    n = json_integer_value(number);

    if (n < min || n > UINT32_MAX) {
        return -1;
    }

    *value = (uint32_t) n;

    return 0;
}


/* also keeps sums of two times far from the end of their type */

static int
cam_token_time(int64_t *value, json_t *claims, const char *name)
{
    json_t  *number;

    number = json_object_get(claims, name);

    if (!json_is_integer(number)) {
        return -1;
    }

    *value = json_integer_value(number);

    return *value < 0 || *value > INT64_MAX / 4 ? -1 : 0;
}


static int
cam_token_jti(uint8_t jti[16], json_t *claims)
{
    json_t  *value;

    value = json_object_get(claims, "jti");

    if (!json_is_string(value)
        || json_string_length(value) != CAM_TOKEN_JTI_TEXT
        || cam_base64url_decode(jti, 16, json_string_value(value),
                                CAM_TOKEN_JTI_TEXT)
           != 16)
    {
        return -1;
    }

    return 0;
}


int
cam_token_opaque(char text[CAM_TOKEN_OPAQUE_LEN + 1])
{
    uint8_t  bits[16];

    if (RAND_bytes(bits, sizeof(bits)) != 1) {
        return -1;
    }

    cam_base64url_encode(text, bits, sizeof(bits));
    OPENSSL_cleanse(bits, sizeof(bits));

    return 0;
}


void
cam_token_sha256(uint8_t hash[32], const char *text, size_t len)
{
    SHA256((const unsigned char *) text, len, hash);
}


const char *
cam_token_rc_name(cam_token_rc_e rc)
{
    static const char  *names[] = {
        "ok", "malformed", "unknown_key", "bad_signature", "wrong_type",
        "expired", "not_yet"
    };

    return (unsigned) rc < sizeof(names) / sizeof(names[0]) ? names[rc] : "?";
}
