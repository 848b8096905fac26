/*
 * Copyright (C) The nginx camera platform authors
 */

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "record_cipher.h"

#define CAM_CIPHER_KEY     32
#define CAM_CIPHER_BLOCK   16
#define CAM_CIPHER_BOX     8             /* head of the box of samples */
#define CAM_CIPHER_TYPE    4             /* where in it its type begins */
#define CAM_CIPHER_LABEL   "camera-recording 1"

_Static_assert(CAM_RECORD_WRAPPED == CAM_CIPHER_KEY + 8, "RFC 3394");


struct cam_record_cipher_s {
    EVP_CIPHER_CTX   *ctx;
};


static cam_record_cipher_t *cam_record_cipher_make(
    const uint8_t data_key[CAM_CIPHER_KEY]);
static int cam_record_cipher_wrap(const cam_key_t *key,
    const cam_record_head_t *head, int wrap, const uint8_t *in, int n,
    uint8_t *out);
static int cam_record_cipher_kek(const cam_key_t *key,
    const cam_record_head_t *head, uint8_t kek[CAM_CIPHER_KEY]);
static void cam_record_cipher_name(const cam_record_fragment_t *f,
    uint8_t block[CAM_CIPHER_BLOCK]);
static int cam_record_cipher_run(cam_record_cipher_t *cipher,
    uint8_t block[CAM_CIPHER_BLOCK], uint64_t at, uint8_t *data, size_t n);


cam_record_cipher_t *
cam_record_cipher_new(cam_record_head_t *head, const cam_keys_t *keys)
{
    uint8_t               data_key[CAM_CIPHER_KEY];
    const cam_key_t      *key;
    cam_record_cipher_t  *cipher;

    key = cam_keys_signer(keys, CAM_KEY_RECORDING);

    if (key == NULL) {
        errno = ENOKEY;
        return NULL;
    }

    cipher = NULL;

    if (RAND_bytes(data_key, sizeof(data_key)) != 1
        || cam_record_cipher_wrap(key, head, 1, data_key, sizeof(data_key),
                                  head->wrapped)
           == -1)
    {
        errno = EIO;

    } else {
        cipher = cam_record_cipher_make(data_key);
    }

    OPENSSL_cleanse(data_key, sizeof(data_key));

    if (cipher != NULL) {
        head->cipher = CAM_RECORD_AES_CTR;
        memcpy(head->kid, key->kid, CAM_KID_MAX);
    }

    return cipher;
}


cam_record_cipher_t *
cam_record_cipher_open(const cam_record_head_t *head, const cam_keys_t *keys)
{
    uint8_t               data_key[CAM_CIPHER_KEY];
    const cam_key_t      *key;
    cam_record_cipher_t  *cipher;

    key = cam_keys_find(keys, CAM_KEY_RECORDING, head->kid,
                        strlen(head->kid));

    if (key == NULL) {
        errno = ENOKEY;
        return NULL;
    }

    if (cam_record_cipher_wrap(key, head, 0, head->wrapped,
                               CAM_RECORD_WRAPPED, data_key)
        == -1)
    {
        errno = EBADMSG;
        return NULL;
    }

    cipher = cam_record_cipher_make(data_key);

    OPENSSL_cleanse(data_key, sizeof(data_key));

    return cipher;
}


static cam_record_cipher_t *
cam_record_cipher_make(const uint8_t data_key[CAM_CIPHER_KEY])
{
    cam_record_cipher_t  *cipher;

    cipher = malloc(sizeof(cam_record_cipher_t));

    if (cipher == NULL) {
        return NULL;
    }

    cipher->ctx = EVP_CIPHER_CTX_new();

    if (cipher->ctx == NULL
        || EVP_EncryptInit_ex(cipher->ctx, EVP_aes_256_ctr(), NULL, data_key,
                              NULL)
           != 1)
    {
        cam_record_cipher_free(cipher);
        errno = ENOMEM;
        return NULL;
    }

    return cipher;
}


/* the context clears its key schedule itself */

void
cam_record_cipher_free(cam_record_cipher_t *cipher)
{
    if (cipher != NULL) {
        EVP_CIPHER_CTX_free(cipher->ctx);
        free(cipher);
    }
}


const char *
cam_record_cipher_print(char text[CAM_RECORD_WRAPPED_TEXT + 1],
    const uint8_t wrapped[CAM_RECORD_WRAPPED])
{
    (void) cam_base64url_encode(text, wrapped, CAM_RECORD_WRAPPED);

    return text;
}


int
cam_record_cipher_parse(char kid[CAM_KID_MAX],
    uint8_t wrapped[CAM_RECORD_WRAPPED], const char *kid_text,
    const char *text)
{
    size_t   len;
    uint8_t  key[CAM_RECORD_WRAPPED];

    len = strspn(kid_text, CAM_KID_LETTERS);

    if (len == 0 || len >= CAM_KID_MAX || kid_text[len] != '\0'
        || strlen(text) != CAM_RECORD_WRAPPED_TEXT
        || cam_base64url_decode(key, sizeof(key), text,
                                CAM_RECORD_WRAPPED_TEXT)
           != CAM_RECORD_WRAPPED)
    {
        return -1;
    }

    memset(kid, 0, CAM_KID_MAX);
    memcpy(kid, kid_text, len);
    memcpy(wrapped, key, CAM_RECORD_WRAPPED);

    return 0;
}


/* n bytes become n + 8, or the other way round; 0, or -1 */

static int
cam_record_cipher_wrap(const cam_key_t *key, const cam_record_head_t *head,
    int wrap, const uint8_t *in, int n, uint8_t *out)
{
    int              ok, len;
    uint8_t          kek[CAM_CIPHER_KEY], text[CAM_RECORD_WRAPPED + 8];
    EVP_CIPHER_CTX  *ctx;

    ctx = EVP_CIPHER_CTX_new();

    if (ctx == NULL || cam_record_cipher_kek(key, head, kek) == -1) {
        EVP_CIPHER_CTX_free(ctx);
        return -1;
    }

    EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);

    ok = EVP_CipherInit_ex(ctx, EVP_aes_256_wrap(), NULL, kek, NULL, wrap) == 1
         && EVP_CipherUpdate(ctx, text, &len, in, n) == 1
         && len == (wrap ? n + 8 : n - 8);

    if (ok) {
        memcpy(out, text, len);
    }

    EVP_CIPHER_CTX_free(ctx);
    OPENSSL_cleanse(kek, sizeof(kek));
    OPENSSL_cleanse(text, sizeof(text));

    return ok ? 0 : -1;
}


/* one for each recording: a wrapped key means something in its own head only */

static int
cam_record_cipher_kek(const cam_key_t *key, const cam_record_head_t *head,
    uint8_t kek[CAM_CIPHER_KEY])
{
    uint8_t   text[sizeof(CAM_CIPHER_LABEL) + 2 * CAM_UUID_LEN], *p;
    unsigned  len;

    p = text;
    memcpy(p, CAM_CIPHER_LABEL, sizeof(CAM_CIPHER_LABEL));
    p += sizeof(CAM_CIPHER_LABEL);
    memcpy(p, head->camera, CAM_UUID_LEN);
    memcpy(p + CAM_UUID_LEN, head->recording, CAM_UUID_LEN);

    return HMAC(EVP_sha256(), key->secret, key->len, text, sizeof(text), kek,
                &len) != NULL && len == CAM_CIPHER_KEY ? 0 : -1;
}


int
cam_record_cipher_apply(cam_record_cipher_t *cipher,
    const cam_record_fragment_t *f, uint32_t moof, uint32_t at, uint8_t *data,
    size_t n)
{
    uint8_t   block[CAM_CIPHER_BLOCK];
    uint64_t  type, first;

    type = (uint64_t) moof + CAM_CIPHER_TYPE;
    first = (uint64_t) moof + CAM_CIPHER_BOX;

    /* there and back again: the one letter in which the types differ */

    if (type >= at && type - at < n) {
        data[type - at] ^= 'm' ^ CAM_RECORD_SEALED[0];
    }

    if (at + n <= first) {
        return 0;
    }

    if (at < first) {
        data += first - at;
        n -= first - at;
        at = (uint32_t) first;
    }

    cam_record_cipher_name(f, block);

    return cam_record_cipher_run(cipher, block, at - first, data, n);
}


int
cam_record_cipher_flat(cam_record_cipher_t *cipher, uint64_t at,
    uint8_t *data, size_t n)
{
    uint8_t  block[CAM_CIPHER_BLOCK];

    memset(block, 0, sizeof(block));

    return cam_record_cipher_run(cipher, block, at, data, n);
}


/* what a counter block has of a fragment */

static void
cam_record_cipher_name(const cam_record_fragment_t *f,
    uint8_t block[CAM_CIPHER_BLOCK])
{
    int  i;

    memset(block, 0, CAM_CIPHER_BLOCK);

    for (i = 0; i < 4; i++) {
        block[i] = (uint8_t) ((uint64_t) f->wall_msec >> (24 - 8 * i));
    }

    for (i = 0; i < 6; i++) {
        block[4 + i] = (uint8_t) (f->msn >> (40 - 8 * i));
    }

    block[10] = (uint8_t) (f->part >> 8);
    block[11] = (uint8_t) f->part;
}


/* from byte `at` of what begins with that block, whose count is 0 */

static int
cam_record_cipher_run(cam_record_cipher_t *cipher,
    uint8_t block[CAM_CIPHER_BLOCK], uint64_t at, uint8_t *data, size_t n)
{
    int       i, len, skip;
    uint8_t   unused[CAM_CIPHER_BLOCK];
    uint64_t  count;

    count = at / CAM_CIPHER_BLOCK;
    skip = at % CAM_CIPHER_BLOCK;

    for (i = CAM_CIPHER_BLOCK; count; count >>= 8) {
        block[--i] = (uint8_t) count;
    }

    memset(unused, 0, sizeof(unused));

    return n <= INT_MAX
           && EVP_EncryptInit_ex(cipher->ctx, NULL, NULL, NULL, block) == 1
           && (skip == 0
               || EVP_EncryptUpdate(cipher->ctx, unused, &len, unused, skip)
                  == 1)
           && EVP_EncryptUpdate(cipher->ctx, data, &len, data, (int) n) == 1
           && len == (int) n ? 0 : -1;
}
