/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * New tokens, and the only file that calls libjwt: it writes them and never
 * reads one.  The kind is a claim because libjwt 1.10 writes no other header
 * "typ" than "JWT".
 */

#include <errno.h>
#include <jwt.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base64url.h"
#include "token_kind.h"


#define CAM_TOKEN_RANDOM_MAX  32


static int cam_token_fill(jwt_t *jwt, const cam_key_t *key,
    const cam_token_t *token);
static int cam_token_fill_kind(jwt_t *jwt, const cam_token_t *token);
static int cam_token_fill_given(jwt_t *jwt, const char *name,
    const uint8_t uuid[CAM_UUID_LEN]);
static int cam_token_fill_uuid(jwt_t *jwt, const char *name,
    const uint8_t uuid[CAM_UUID_LEN]);
static int cam_token_random(char *text, size_t bytes);


int
cam_token_sign(const cam_keys_t *keys, cam_token_t *token, char *text,
    size_t cap)
{
    int               n;
    char             *out;
    jwt_t            *jwt;
    const cam_key_t  *key;
    static uint8_t    none[sizeof(token->jti)];

    if (token->use < 0 || token->use >= CAM_KEY_TOKENS
        || !cam_token_lifetime_ok(token)
        || (token->use == CAM_KEY_ACCESS && *cam_role_name(token->role) == 0)
        || (token->to_msec && token->to_msec <= token->from_msec))
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
cam_token_fill(jwt_t *jwt, const cam_key_t *key, const cam_token_t *token)
{
    char            jti[CAM_TOKEN_JTI_TEXT + 1];
    const uint8_t  *subject;

    subject = token->use == CAM_KEY_ACCESS ? token->user : token->camera;
    cam_base64url_encode(jti, token->jti, sizeof(token->jti));

    return jwt_set_alg(jwt, JWT_ALG_HS256, key->secret, key->len)
           || jwt_add_header(jwt, "kid", key->kid)
           || jwt_add_grant(jwt, "typ", cam_token_kinds[token->use].name)
           || cam_token_fill_uuid(jwt, "sub", subject)
           || jwt_add_grant(jwt, "jti", jti)
           || jwt_add_grant_int(jwt, "iat", token->issued)
           || jwt_add_grant_int(jwt, "exp", token->expires)
           || cam_token_fill_kind(jwt, token) ? -1 : 0;
}


static int
cam_token_fill_kind(jwt_t *jwt, const cam_token_t *token)
{
    switch (token->use) {

    case CAM_KEY_STREAM:
        return jwt_add_grant_int(jwt, "gen", token->generation);

    case CAM_KEY_PLAYBACK:
        return cam_token_fill_uuid(jwt, "ten", token->tenant)
               || jwt_add_grant_int(jwt, "pur", token->purpose)
               || jwt_add_grant_int(jwt, "ep", token->epoch)
               || (token->from_msec
                   && jwt_add_grant_int(jwt, "fr", token->from_msec))
               || (token->to_msec
                   && jwt_add_grant_int(jwt, "to", token->to_msec))
               || cam_token_fill_given(jwt, "usr", token->user)
               || cam_token_fill_given(jwt, "sid", token->sid);

    default: /* CAM_KEY_ACCESS */
        return cam_token_fill_uuid(jwt, "ten", token->tenant)
               || cam_token_fill_uuid(jwt, "sid", token->sid)
               || jwt_add_grant(jwt, "rol", cam_role_name(token->role));
    }
}


/* all zero is none */

static int
cam_token_fill_given(jwt_t *jwt, const char *name,
    const uint8_t uuid[CAM_UUID_LEN])
{
    static const uint8_t  none[CAM_UUID_LEN];

    return memcmp(uuid, none, CAM_UUID_LEN) == 0
           ? 0 : cam_token_fill_uuid(jwt, name, uuid);
}


static int
cam_token_fill_uuid(jwt_t *jwt, const char *name,
    const uint8_t uuid[CAM_UUID_LEN])
{
    char  text[CAM_UUID_TEXT + 1];

    return jwt_add_grant(jwt, name, cam_uuid_print(text, uuid));
}


int
cam_token_opaque(char text[CAM_TOKEN_OPAQUE_LEN + 1])
{
    return cam_token_random(text, 16);
}


int
cam_token_refresh(char text[CAM_TOKEN_REFRESH_LEN + 1])
{
    return cam_token_random(text, 32);
}


static int
cam_token_random(char *text, size_t bytes)
{
    uint8_t  bits[CAM_TOKEN_RANDOM_MAX];

    if (RAND_bytes(bits, (int) bytes) != 1) {
        return -1;
    }

    cam_base64url_encode(text, bits, bytes);
    OPENSSL_cleanse(bits, sizeof(bits));

    return 0;
}


void
cam_token_sha256(uint8_t hash[32], const char *text, size_t len)
{
    SHA256((const unsigned char *) text, len, hash);
}
