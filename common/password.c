/*
 * Copyright (C) The nginx camera platform authors
 */

#include <crypt.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "password.h"


#define CAM_PASSWORD_COST      12
#define CAM_PASSWORD_COST_MAX  15    /* two seconds; more would be a trap */
#define CAM_PASSWORD_GROUP     6     /* five letters and a dash */


static int cam_password_contains(const char *password, size_t len,
    const char *name, size_t name_len);
static int cam_password_known(const char *hash, size_t len);
static int cam_password_crypt(char hash[CAM_PASSWORD_HASH_LEN + 1],
    const char *setting, const char *password, size_t len);
static int cam_password_random(char text[CAM_PASSWORD_GENERATED + 1]);


const char *
cam_password_check(const char *password, size_t len, const char *username,
    size_t username_len)
{
    int            letters, digits;
    size_t         i;
    unsigned char  c;

    if (len < CAM_PASSWORD_MIN) {
        return "must have at least 8 characters";
    }

    if (len > CAM_PASSWORD_MAX) {
        return "must not be longer than 72 bytes";
    }

    letters = 0;
    digits = 0;

    for (i = 0; i < len; i++) {
        c = (unsigned char) password[i];

        if (c < 0x20 || c == 0x7f) {
            return "must not contain control characters";
        }

        /* from 0x80 on: a letter of any other alphabet */

        letters += ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c >= 0x80;
        digits += c >= '0' && c <= '9';
    }

    if (letters == 0 || digits == 0) {
        return "must contain a letter and a digit";
    }

    if (cam_password_contains(password, len, username, username_len)) {
        return "must not contain the username";
    }

    return NULL;
}


static int
cam_password_contains(const char *password, size_t len, const char *name,
    size_t name_len)
{
    size_t  i;

    for (i = 0; name_len > 0 && i + name_len <= len; i++) {
        if (strncasecmp(password + i, name, name_len) == 0) {
            return 1;
        }
    }

    return 0;
}


int
cam_password_hash(char hash[CAM_PASSWORD_HASH_LEN + 1], const char *password,
    size_t len)
{
    char  setting[CRYPT_GENSALT_OUTPUT_SIZE];

    if (crypt_gensalt_rn("$2b$", CAM_PASSWORD_COST, NULL, 0, setting,
                         sizeof(setting))
        == NULL)
    {
        return -1;
    }

    return cam_password_crypt(hash, setting, password, len);
}


int
cam_password_verify(const char *hash, size_t hash_len, const char *password,
    size_t len)
{
    int   known, same;
    char  right[CAM_PASSWORD_HASH_LEN + 1], text[CAM_PASSWORD_HASH_LEN + 1];

    known = cam_password_known(hash, hash_len);

    memcpy(right, known ? hash : cam_password_dummy(), CAM_PASSWORD_HASH_LEN);
    right[CAM_PASSWORD_HASH_LEN] = '\0';

    same = cam_password_crypt(text, right, password, len) == 0
           && CRYPTO_memcmp(text, right, CAM_PASSWORD_HASH_LEN) == 0;

    OPENSSL_cleanse(text, sizeof(text));

    return known && same ? 0 : -1;
}


/*
 * crypt() also knows hashes without a salt, and costs that take a day; what
 * comes from a database must not choose them.
 */

static int
cam_password_known(const char *hash, size_t len)
{
    int     cost;
    size_t  i;

    if (len != CAM_PASSWORD_HASH_LEN
        || (memcmp(hash, "$2b$", 4) != 0 && memcmp(hash, "$2y$", 4) != 0)
        || hash[4] != '1' || hash[5] < '0' || hash[5] > '9' || hash[6] != '$')
    {
        return 0;
    }

    cost = 10 + hash[5] - '0';

    if (cost < CAM_PASSWORD_COST || cost > CAM_PASSWORD_COST_MAX) {
        return 0;
    }

    for (i = 7; i < len; i++) {
        if (hash[i] == '\0'
            || strchr("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                      "0123456789", hash[i])
               == NULL)
        {
            return 0;
        }
    }

    return 1;
}


/* setting is a salt or a whole hash, as for crypt() */

static int
cam_password_crypt(char hash[CAM_PASSWORD_HASH_LEN + 1], const char *setting,
    const char *password, size_t len)
{
    int                 rc;
    char                copy[CAM_PASSWORD_MAX + 1];
    const char         *text;
    struct crypt_data   data;

    if (len == 0 || len > CAM_PASSWORD_MAX || memchr(password, 0, len)) {
        errno = EINVAL;
        return -1;
    }

    memcpy(copy, password, len);
    copy[len] = '\0';
    memset(&data, 0, sizeof(struct crypt_data));

    rc = -1;
    text = crypt_rn(copy, setting, &data, sizeof(struct crypt_data));

    if (text && strlen(text) == CAM_PASSWORD_HASH_LEN) {
        memcpy(hash, text, CAM_PASSWORD_HASH_LEN + 1);
        rc = 0;
    }

    OPENSSL_cleanse(&data, sizeof(struct crypt_data));
    OPENSSL_cleanse(copy, sizeof(copy));

    return rc;
}


const char *
cam_password_dummy(void)
{
    return "$2b$12$fgzGyXw507QchzWwjug/B.Rygg2TIrninmvLEgGWxN0IV4GcU.EXG";
}


int
cam_password_generate(char text[CAM_PASSWORD_GENERATED + 1],
    const char *username, size_t username_len)
{
    int  tries;

    /* one in two hundred has no digit, and a name of one letter is likely */

    for (tries = 0; tries < 100; tries++) {

        if (cam_password_random(text) != 0) {
            return -1;
        }

        if (cam_password_check(text, CAM_PASSWORD_GENERATED, username,
                               username_len)
            == NULL)
        {
            return 0;
        }
    }

    errno = EINVAL;

    return -1;
}


static int
cam_password_random(char text[CAM_PASSWORD_GENERATED + 1])
{
    size_t       i;
    uint8_t      byte;
    const char  *letters;

    letters = "abcdefghjkmnpqrstuvwxyz23456789";

    for (i = 0; i < CAM_PASSWORD_GENERATED; i++) {

        if (i % CAM_PASSWORD_GROUP == CAM_PASSWORD_GROUP - 1) {
            text[i] = '-';
            continue;
        }

        /* what is left of 256 would favour the first letters */

        do {
            if (RAND_bytes(&byte, 1) != 1) {
                errno = EIO;
                return -1;
            }
        } while (byte >= 256 / 31 * 31);

        text[i] = letters[byte % 31];
    }

    text[CAM_PASSWORD_GENERATED] = '\0';

    return 0;
}
