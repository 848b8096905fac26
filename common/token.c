/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Judging tokens.  Each step may trust the ones before it:
 *
 *   1. shape: length, alphabet, three segments
 *   2. header: strict JSON of exactly "alg": "HS256", "typ": "JWT" and "kid";
 *      a token cannot choose its algorithm
 *   3. key: ours by kid and use, never shorter than 32 bytes: an empty secret
 *      would make every signature right
 *   4. signature, in constant time
 *   5. claims: strict JSON, typ of the kind expected, integers that are
 *      integers
 *   6. time
 *
 * Nothing but the header is parsed of a token that was not signed by us.
 * libjwt, which writes them, takes no part: version 1.10 lays the length of a
 * segment on the stack, lets the token name the algorithm, accepts anything
 * with an empty key, reads 1.5 and "1" as 0, and doubles the time.
 */

#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base64url.h"
#include "token_kind.h"


#define CAM_TOKEN_HEADER_MAX     128
#define CAM_TOKEN_SIGNATURE_LEN  43    /* HMAC-SHA256 in base64url */


/* the segments of a token */
typedef struct {
    const char  *header;       /* and all that is signed */
    const char  *claims;
    const char  *signature;
    size_t       header_len;
    size_t       claims_len;
    size_t       signed_len;
} cam_token_parts_t;


static int cam_token_split(cam_token_parts_t *parts, const char *text,
    size_t len);
static int cam_token_letter(char c);
static json_t *cam_token_json(const char *text, size_t len);
static cam_token_rc_e cam_token_key(const cam_keys_t *keys, int use,
    const cam_token_parts_t *parts, const cam_key_t **key);
static cam_token_rc_e cam_token_header(const cam_keys_t *keys, int use,
    json_t *header, const cam_key_t **key);
static int cam_token_foreign(const cam_keys_t *keys, int use, const char *kid);
static int cam_token_signed(const cam_key_t *key,
    const cam_token_parts_t *parts);
static cam_token_rc_e cam_token_claims(cam_token_t *token, int use,
    json_t *claims);
static int cam_token_stream_claims(cam_token_t *token, json_t *claims);
static int cam_token_playback_claims(cam_token_t *token, json_t *claims);
static int cam_token_range(cam_token_t *token, json_t *claims);
static int cam_token_access_claims(cam_token_t *token, json_t *claims);
static int cam_token_uuid(uint8_t uuid[CAM_UUID_LEN], json_t *claims,
    const char *name);
static int cam_token_uint32(uint32_t *value, json_t *claims, const char *name,
    uint32_t min);
static int cam_token_time(int64_t *value, json_t *claims, const char *name);
static int cam_token_jti(uint8_t jti[16], json_t *claims);


const cam_token_kind_t  cam_token_kinds[CAM_KEY_TOKENS] = {
    [CAM_KEY_STREAM]   = { "sk+jwt", CAM_TOKEN_STREAM_TTL_MAX },
    [CAM_KEY_PLAYBACK] = { "pb+jwt", CAM_TOKEN_PLAYBACK_TTL_MAX },
    [CAM_KEY_ACCESS]   = { "at+jwt", CAM_TOKEN_ACCESS_TTL_MAX }
};

static int (*const cam_token_kind_claims[CAM_KEY_TOKENS])(cam_token_t *token,
    json_t *claims) =
{
    [CAM_KEY_STREAM]   = cam_token_stream_claims,
    [CAM_KEY_PLAYBACK] = cam_token_playback_claims,
    [CAM_KEY_ACCESS]   = cam_token_access_claims
};


cam_token_rc_e
cam_token_verify(const cam_keys_t *keys, int use, const char *text, size_t len,
    int64_t now, cam_token_t *token)
{
    json_t             *claims;
    cam_token_rc_e      rc;
    const cam_key_t    *key;
    cam_token_parts_t   parts;

    memset(token, 0, sizeof(cam_token_t));

    if (use < 0 || use >= CAM_KEY_TOKENS
        || cam_token_split(&parts, text, len) != 0)
    {
        return CAM_TOKEN_MALFORMED;
    }

    rc = cam_token_key(keys, use, &parts, &key);

    if (rc != CAM_TOKEN_OK) {
        return rc;
    }

    if (!cam_token_signed(key, &parts)) {
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
    size_t  i, dots, dot[2];

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

        if (!cam_token_letter(text[i])) {
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
    parts->signature = text + dot[1] + 1;
    parts->signed_len = dot[1];

    if (parts->header_len == 0 || parts->header_len > CAM_TOKEN_HEADER_MAX
        || parts->claims_len == 0)
    {
        return -1;
    }

    return 0;
}


static int
cam_token_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || c == '-' || c == '_';
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


/* texts are compared, so there is one spelling of each signature */

static int
cam_token_signed(const cam_key_t *key, const cam_token_parts_t *parts)
{
    char      right[CAM_TOKEN_SIGNATURE_LEN + 1];
    uint8_t   mac[32];
    unsigned  len;

    if (HMAC(EVP_sha256(), key->secret, key->len,
             (const uint8_t *) parts->header, parts->signed_len, mac, &len)
        == NULL || len != sizeof(mac))
    {
        return 0;
    }

    cam_base64url_encode(right, mac, sizeof(mac));

    return CRYPTO_memcmp(right, parts->signature, CAM_TOKEN_SIGNATURE_LEN)
           == 0;
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
        || strcmp(json_string_value(typ), cam_token_kinds[use].name) != 0)
    {
        return CAM_TOKEN_WRONG_TYPE;
    }

    token->use = use;

    if (cam_token_jti(token->jti, claims) != 0
        || cam_token_time(&token->issued, claims, "iat") != 0
        || cam_token_time(&token->expires, claims, "exp") != 0
        || !cam_token_lifetime_ok(token)
        || cam_token_kind_claims[use](token, claims) != 0)
    {
        return CAM_TOKEN_MALFORMED;
    }

    return CAM_TOKEN_OK;
}


static int
cam_token_stream_claims(cam_token_t *token, json_t *claims)
{
    return cam_token_uuid(token->camera, claims, "sub")
           || cam_token_uint32(&token->generation, claims, "gen", 1) ? -1 : 0;
}


static int
cam_token_playback_claims(cam_token_t *token, json_t *claims)
{
    return cam_token_uuid(token->camera, claims, "sub")
           || cam_token_uuid(token->tenant, claims, "ten")
           || cam_token_uint32(&token->purpose, claims, "pur", 1)
           || cam_token_uint32(&token->epoch, claims, "ep", 0)
           || cam_token_range(token, claims)
           || (json_object_get(claims, "usr")
               && cam_token_uuid(token->user, claims, "usr"))
           || (json_object_get(claims, "sid")
               && cam_token_uuid(token->sid, claims, "sid")) ? -1 : 0;
}


/* either bound may be left out, and then is 0 */

static int
cam_token_range(cam_token_t *token, json_t *claims)
{
    if ((json_object_get(claims, "fr")
         && (cam_token_time(&token->from_msec, claims, "fr") != 0
             || token->from_msec == 0))
        || (json_object_get(claims, "to")
            && (cam_token_time(&token->to_msec, claims, "to") != 0
                || token->to_msec <= token->from_msec)))
    {
        return -1;
    }

    return 0;
}


static int
cam_token_access_claims(cam_token_t *token, json_t *claims)
{
    json_t  *role;

    role = json_object_get(claims, "rol");

    if (!json_is_string(role)) {
        return -1;
    }

    token->role = cam_role_parse(json_string_value(role),
                                 json_string_length(role));

    return token->role == CAM_ROLE_NONE
           || cam_token_uuid(token->user, claims, "sub")
           || cam_token_uuid(token->tenant, claims, "ten")
           || cam_token_uuid(token->sid, claims, "sid") ? -1 : 0;
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
cam_token_lifetime_ok(const cam_token_t *token)
{
    int64_t  longest;

    longest = cam_token_kinds[token->use].ttl_max;

    return token->issued >= 0 && token->expires > token->issued
           && token->expires - token->issued <= longest;
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
