/*
 * Copyright (C) The nginx camera platform authors
 */

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base64url.h"
#include "email.h"
#include "id_token.h"
#include "json_read.h"
#include "utf8.h"
#include "uuid.h"


#define CAM_ID_TOKEN_HEADER_MAX  2048


static json_t *cam_id_token_part(const char *text, size_t len, size_t max);
static cam_id_token_rc_e cam_id_token_signed(const cam_jwks_t *jwks,
    const char *text, const char *dot, const char *sig, size_t sig_len);
static cam_id_token_rc_e cam_id_token_claims(cam_id_token_t *token,
    const cam_id_token_wanted_t *wanted, json_t *claims);
static int cam_id_token_issuer(cam_id_token_t *token, const char *issuer,
    json_t *claims);
static int cam_id_token_audience(const char *audience, json_t *claims);
static cam_id_token_rc_e cam_id_token_times(int64_t now, json_t *claims);
static int cam_id_token_copy(char *to, size_t max, json_t *claims,
    const char *name);
static int cam_id_token_is(json_t *value, const char *text);
static void cam_id_token_email(cam_id_token_t *token,
    cam_id_token_flavor_e flavor, json_t *claims);
static int cam_id_token_verified(cam_id_token_flavor_e flavor, json_t *claims,
    const char *domain);
static void cam_id_token_name(cam_id_token_t *token, json_t *claims);


cam_id_token_rc_e
cam_id_token_verify(cam_id_token_t *token, const cam_jwks_t *jwks,
    const cam_id_token_wanted_t *wanted, const char *text, size_t len)
{
    json_t             *claims;
    const char         *dot, *last, *end;
    cam_id_token_rc_e   rc;

    memset(token, 0, sizeof(cam_id_token_t));

    end = text + len;
    dot = len <= CAM_ID_TOKEN_MAX ? memchr(text, '.', len) : NULL;
    last = dot ? memchr(dot + 1, '.', (size_t) (end - dot - 1)) : NULL;

    if (last == NULL) {
        return CAM_ID_TOKEN_MALFORMED;
    }

    rc = cam_id_token_signed(jwks, text, dot, last + 1,
                             (size_t) (end - last - 1));

    if (rc != CAM_ID_TOKEN_OK) {
        return rc;
    }

    claims = cam_id_token_part(dot + 1, (size_t) (last - dot - 1),
                               CAM_ID_TOKEN_MAX);

    if (claims == NULL) {
        return CAM_ID_TOKEN_MALFORMED;
    }

    rc = cam_id_token_claims(token, wanted, claims);
    cam_json_wipe(claims);

    return rc;
}


static json_t *
cam_id_token_part(const char *text, size_t len, size_t max)
{
    char      err[160], *bytes;
    json_t   *json;
    ssize_t   n;

    if (len == 0 || len > max) {
        return NULL;
    }

    bytes = malloc(len);
    if (bytes == NULL) {
        return NULL;
    }

    n = cam_base64url_decode(bytes, len, text, len);
    json = n > 0 ? cam_json_read(bytes, (size_t) n, err, sizeof(err)) : NULL;

    OPENSSL_cleanse(bytes, len);
    free(bytes);

    if (json && !json_is_object(json)) {
        json_decref(json);
        json = NULL;
    }

    return json;
}


/* the text ends where its signature begins, behind a dot */

static cam_id_token_rc_e
cam_id_token_signed(const cam_jwks_t *jwks, const char *text, const char *dot,
    const char *sig, size_t sig_len)
{
    json_t           *header, *alg, *kid;
    uint8_t           bytes[CAM_JWKS_SIG_MAX];
    ssize_t           n;
    const cam_jwk_t  *jwk;

    header = cam_id_token_part(text, (size_t) (dot - text),
                               CAM_ID_TOKEN_HEADER_MAX);

    if (header == NULL) {
        return CAM_ID_TOKEN_MALFORMED;
    }

    alg = json_object_get(header, "alg");
    kid = json_object_get(header, "kid");

    if ((!cam_id_token_is(alg, "RS256") && !cam_id_token_is(alg, "ES256"))
        || json_object_get(header, "crit"))
    {
        json_decref(header);
        return CAM_ID_TOKEN_ALGORITHM;
    }

    if (kid && (!json_is_string(kid) || json_string_length(kid) == 0)) {
        json_decref(header);
        return CAM_ID_TOKEN_MALFORMED;
    }

    jwk = cam_jwks_find(jwks, cam_id_token_is(alg, "ES256") ? CAM_JWK_ES256
                                                           : CAM_JWK_RS256,
                        kid ? json_string_value(kid) : "",
                        kid ? json_string_length(kid) : 0);

    json_decref(header);

    if (jwk == NULL) {
        return CAM_ID_TOKEN_UNKNOWN_KEY;
    }

    n = cam_base64url_decode(bytes, sizeof(bytes), sig, sig_len);

    return n > 0 && cam_jwk_verify(jwk, text, (size_t) (sig - 1 - text), bytes,
                                   (size_t) n)
                    == 0
           ? CAM_ID_TOKEN_OK : CAM_ID_TOKEN_SIGNATURE;
}


static cam_id_token_rc_e
cam_id_token_claims(cam_id_token_t *token, const cam_id_token_wanted_t *wanted,
    json_t *claims)
{
    cam_id_token_rc_e  rc;

    if (cam_id_token_issuer(token, wanted->issuer, claims) != 0) {
        return CAM_ID_TOKEN_ISSUER;
    }

    if (cam_id_token_audience(wanted->audience, claims) != 0) {
        return CAM_ID_TOKEN_AUDIENCE;
    }

    rc = cam_id_token_times(wanted->now, claims);

    if (rc != CAM_ID_TOKEN_OK) {
        return rc;
    }

    if (!cam_id_token_is(json_object_get(claims, "nonce"), wanted->nonce)) {
        return CAM_ID_TOKEN_NONCE;
    }

    if (cam_id_token_copy(token->subject, CAM_ID_TOKEN_TEXT, claims, "sub")
        != 0)
    {
        return CAM_ID_TOKEN_SUBJECT;
    }

    cam_id_token_email(token, wanted->flavor, claims);
    cam_id_token_name(token, claims);

    return CAM_ID_TOKEN_OK;
}


static int
cam_id_token_issuer(cam_id_token_t *token, const char *issuer, json_t *claims)
{
    char         tid[CAM_UUID_TEXT + 1];
    size_t       before;
    uint8_t      uuid[CAM_UUID_LEN];
    const char  *hole;

    if (cam_id_token_copy(token->issuer, CAM_ID_TOKEN_TEXT, claims, "iss")
        != 0)
    {
        return -1;
    }

    hole = strstr(issuer, CAM_ID_TOKEN_TENANT);

    if (hole == NULL) {
        return strcmp(token->issuer, issuer) == 0 ? 0 : -1;
    }

    before = (size_t) (hole - issuer);

    return cam_id_token_copy(tid, CAM_UUID_TEXT, claims, "tid") == 0
           && cam_uuid_parse(uuid, tid, strlen(tid)) == 0
           && strncmp(token->issuer, issuer, before) == 0
           && strncmp(token->issuer + before, tid, CAM_UUID_TEXT) == 0
           && strcmp(token->issuer + before + CAM_UUID_TEXT,
                     hole + sizeof(CAM_ID_TOKEN_TENANT) - 1)
              == 0
           ? 0 : -1;
}


/* for several parties: ours among them, and made for us */

static int
cam_id_token_audience(const char *audience, json_t *claims)
{
    int      found;
    size_t   i;
    json_t  *aud, *azp;

    aud = json_object_get(claims, "aud");
    azp = json_object_get(claims, "azp");

    found = cam_id_token_is(aud, audience);

    for (i = 0; i < json_array_size(aud); i++) {
        found |= cam_id_token_is(json_array_get(aud, i), audience);
    }

    if (!found) {
        return -1;
    }

    if (azp == NULL) {
        return json_array_size(aud) > 1 ? -1 : 0;
    }

    return cam_id_token_is(azp, audience) ? 0 : -1;
}


static cam_id_token_rc_e
cam_id_token_times(int64_t now, json_t *claims)
{
    int64_t   iat_sec;
    json_t   *exp, *iat, *nbf;

    exp = json_object_get(claims, "exp");
    iat = json_object_get(claims, "iat");
    nbf = json_object_get(claims, "nbf");     /* may be left out: 0 */

    if (!json_is_integer(exp) || !json_is_integer(iat)) {
        return CAM_ID_TOKEN_MALFORMED;
    }

    iat_sec = json_integer_value(iat);

    if (iat_sec < 0 || json_integer_value(exp) < iat_sec
        || (nbf && !json_is_integer(nbf)))
    {
        return CAM_ID_TOKEN_MALFORMED;
    }

    if (iat_sec > now + CAM_TOKEN_LEEWAY_SEC
        || json_integer_value(nbf) > now + CAM_TOKEN_LEEWAY_SEC)
    {
        return CAM_ID_TOKEN_NOT_YET;
    }

    if (json_integer_value(exp) <= now - CAM_TOKEN_LEEWAY_SEC
        || iat_sec < now - CAM_ID_TOKEN_AGE_SEC)
    {
        return CAM_ID_TOKEN_EXPIRED;
    }

    return CAM_ID_TOKEN_OK;
}


/* a text of 1 to max bytes without control characters */

static int
cam_id_token_copy(char *to, size_t max, json_t *claims, const char *name)
{
    size_t   len;
    json_t  *value;

    value = json_object_get(claims, name);

    if (!json_is_string(value)) {
        return -1;
    }

    len = json_string_length(value);

    if (len == 0 || len > max
        || cam_utf8_has_control(json_string_value(value), len))
    {
        return -1;
    }

    memcpy(to, json_string_value(value), len);
    to[len] = '\0';

    return 0;
}


static int
cam_id_token_is(json_t *value, const char *text)
{
    return json_is_string(value) && json_string_length(value) == strlen(text)
           && CRYPTO_memcmp(json_string_value(value), text, strlen(text)) == 0;
}


/* an address that is not certainly theirs is none */

static void
cam_id_token_email(cam_id_token_t *token, cam_id_token_flavor_e flavor,
    json_t *claims)
{
    size_t       len, domain_len;
    const char  *domain;

    if (cam_id_token_copy(token->email, CAM_ID_TOKEN_EMAIL, claims, "email")
        != 0)
    {
        return;
    }

    len = strlen(token->email);
    domain = cam_email_domain(token->email, len, &domain_len);

    if (cam_email_check(token->email, len) != NULL
        || !cam_id_token_verified(flavor, claims, domain))
    {
        token->email[0] = '\0';
    }
}


static int
cam_id_token_verified(cam_id_token_flavor_e flavor, json_t *claims,
    const char *domain)
{
    json_t  *edov;

    if (flavor == CAM_ID_TOKEN_MICROSOFT) {
        edov = json_object_get(claims, "xms_edov");

        if (json_is_true(edov) || cam_id_token_is(edov, "1")
            || cam_id_token_is(edov, "true")
            || (json_is_integer(edov) && json_integer_value(edov) == 1))
        {
            return 1;
        }
    }

    if (!json_is_true(json_object_get(claims, "email_verified"))) {
        return 0;
    }

    return flavor != CAM_ID_TOKEN_GOOGLE
           || json_string_length(json_object_get(claims, "hd")) > 0
           || strcasecmp(domain, "gmail.com") == 0;
}


/* what does not fit is no name */

static void
cam_id_token_name(cam_id_token_t *token, json_t *claims)
{
    size_t  max;

    max = sizeof(token->name) - 1;

    if (cam_id_token_copy(token->name, max, claims, "name") != 0
        || cam_utf8_length(token->name, strlen(token->name))
           > CAM_ID_TOKEN_NAME)
    {
        token->name[0] = '\0';
    }
}


const char *
cam_id_token_rc_text(cam_id_token_rc_e rc)
{
    static const char  *texts[] = {
        [CAM_ID_TOKEN_OK] = "is good",
        [CAM_ID_TOKEN_MALFORMED] = "is malformed",
        [CAM_ID_TOKEN_ALGORITHM] = "is signed by an algorithm of no trust",
        [CAM_ID_TOKEN_UNKNOWN_KEY] = "is signed by an unknown key",
        [CAM_ID_TOKEN_SIGNATURE] = "has a wrong signature",
        [CAM_ID_TOKEN_ISSUER] = "is of another issuer",
        [CAM_ID_TOKEN_AUDIENCE] = "is for another client",
        [CAM_ID_TOKEN_NONCE] = "has another nonce",
        [CAM_ID_TOKEN_EXPIRED] = "has expired",
        [CAM_ID_TOKEN_NOT_YET] = "is of the future",
        [CAM_ID_TOKEN_SUBJECT] = "has no subject"
    };

    return texts[rc];
}
