/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Signatures inside playback URLs (see url_sign.h).
 *
 * What is signed is laid out in binary, big-endian, with a first byte that
 * tells the kinds apart, and is at most 55 bytes long: then it fills one
 * block with its padding, and an HMAC with kept pads costs two compressions of
 * SHA-256, the least there can be.
 *
 *   session  'S' camera[16] session[32]
 *   media    'M' file purpose camera[16] sid[8] slot[4] number[8] expires[8]
 *   back     'B' purpose camera[16] sid[8] slot[4] from[6] last[6] seam[6]
 *            count[4] start[2] target
 *
 * A part has its segment's signature: it is a range of the same file.
 * The 32 bytes of a session, which with its MAC make the 64 characters of the
 * "s" argument:
 *
 *   version=1 key purpose 0 sid[8] slot[4] epoch[4] started[6] ends[6]
 */

/* EVP costs five times the hash itself on messages this short */
#define OPENSSL_API_COMPAT  0x10101000L

#include <endian.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

#include "base64url.h"
#include "url_sign.h"


#define CAM_URL_VERSION        1
#define CAM_URL_BODY_LEN       (CAM_URL_SESSION_LEN - CAM_URL_MAC_LEN)
#define CAM_URL_BLOCK_LEN      64      /* of SHA-256 */
#define CAM_URL_SHORT          55      /* fits a block with its padding */


static void cam_url_last_block(SHA256_CTX *ctx, const void *data, size_t len);
static void cam_url_session_mac(const cam_mac_t *mac,
    const uint8_t camera[CAM_UUID_LEN], const uint8_t *body,
    uint8_t out[CAM_URL_MAC_LEN]);
static uint64_t cam_url_get(const uint8_t **p, unsigned bytes);


static inline uint8_t *
cam_url_put(uint8_t *p, uint64_t value, unsigned bytes)
{
    value = htobe64(value << (64 - bytes * 8));
    memcpy(p, &value, bytes);

    return p + bytes;
}


void
cam_mac_init(cam_mac_t *mac, const uint8_t *key, size_t len)
{
    size_t   i;
    uint8_t  pad[CAM_URL_BLOCK_LEN], hash[SHA256_DIGEST_LENGTH];

    if (len > CAM_URL_BLOCK_LEN) {
        SHA256(key, len, hash);
        key = hash;
        len = sizeof(hash);
    }

    memset(pad, 0, sizeof(pad));
    memcpy(pad, key, len);

    for (i = 0; i < sizeof(pad); i++) {
        pad[i] ^= 0x36;
    }

    SHA256_Init(&mac->inner);
    SHA256_Update(&mac->inner, pad, sizeof(pad));

    for (i = 0; i < sizeof(pad); i++) {
        pad[i] ^= 0x36 ^ 0x5c;
    }

    SHA256_Init(&mac->outer);
    SHA256_Update(&mac->outer, pad, sizeof(pad));

    OPENSSL_cleanse(pad, sizeof(pad));
    OPENSSL_cleanse(hash, sizeof(hash));
}


void
cam_mac(const cam_mac_t *mac, const void *data, size_t len,
    uint8_t out[CAM_URL_MAC_LEN])
{
    unsigned    i;
    uint8_t     hash[SHA256_DIGEST_LENGTH];
    SHA256_CTX  ctx;

    ctx = mac->inner;

    if (len <= CAM_URL_SHORT) {
        cam_url_last_block(&ctx, data, len);

    } else {
        SHA256_Update(&ctx, data, len);
        SHA256_Final(hash, &ctx);
    }

    for (i = 0; len <= CAM_URL_SHORT && i < 8; i++) {
        cam_url_put(hash + i * 4, ctx.h[i], 4);
    }

    ctx = mac->outer;
    cam_url_last_block(&ctx, hash, sizeof(hash));

    for (i = 0; i < CAM_URL_MAC_LEN / 4; i++) {
        cam_url_put(out + i * 4, ctx.h[i], 4);
    }
}


/* the block after a pad, with SHA-256's own padding */

static void
cam_url_last_block(SHA256_CTX *ctx, const void *data, size_t len)
{
    uint8_t  block[CAM_URL_BLOCK_LEN];

    memcpy(block, data, len);
    block[len] = 0x80;
    memset(block + len + 1, 0, CAM_URL_SHORT - len);
    cam_url_put(block + CAM_URL_SHORT + 1, (CAM_URL_BLOCK_LEN + len) * 8, 8);

    SHA256_Transform(ctx, block);
}


void
cam_url_session_sign(const cam_mac_t *macs,
    const uint8_t camera[CAM_UUID_LEN], const cam_url_session_t *s,
    char text[CAM_URL_SESSION_TEXT])
{
    char      whole[CAM_URL_SESSION_TEXT + 1];
    uint8_t  *p, body[CAM_URL_SESSION_LEN];

    p = body;
    p = cam_url_put(p, CAM_URL_VERSION, 1);
    p = cam_url_put(p, s->key, 1);
    p = cam_url_put(p, s->purpose, 1);
    p = cam_url_put(p, 0, 1);
    memcpy(p, s->sid, sizeof(s->sid));
    p += sizeof(s->sid);
    p = cam_url_put(p, s->slot, 4);
    p = cam_url_put(p, s->epoch, 4);
    p = cam_url_put(p, s->started, 6);
    p = cam_url_put(p, s->ends, 6);

    cam_url_session_mac(&macs[s->key], camera, body, p);

    (void) cam_base64url_encode(whole, body, sizeof(body));
    memcpy(text, whole, CAM_URL_SESSION_TEXT);
}


int
cam_url_session_verify(const cam_keys_t *keys, const cam_mac_t *macs,
    const uint8_t camera[CAM_UUID_LEN], const char *text, size_t len,
    cam_url_session_t *s)
{
    unsigned        i;
    uint8_t         body[CAM_URL_SESSION_LEN], mac[CAM_URL_MAC_LEN];
    const uint8_t  *p;

    if (len != CAM_URL_SESSION_TEXT
        || cam_base64url_decode(body, sizeof(body), text, len)
           != (ssize_t) sizeof(body)
        || body[0] != CAM_URL_VERSION || body[3] != 0)
    {
        return -1;
    }

    for (i = 0; i < keys->n; i++) {
        if (keys->keys[i].index == body[1]
            && keys->keys[i].use == CAM_KEY_PLAYBACK)
        {
            break;
        }
    }

    if (i == keys->n) {
        return -1;
    }

    cam_url_session_mac(&macs[body[1]], camera, body, mac);

    if (CRYPTO_memcmp(mac, body + CAM_URL_BODY_LEN, sizeof(mac)) != 0) {
        return -1;
    }

    s->key = body[1];
    s->purpose = body[2];
    memcpy(s->sid, body + 4, sizeof(s->sid));

    p = body + 4 + sizeof(s->sid);
    s->slot = cam_url_get(&p, 4);
    s->epoch = cam_url_get(&p, 4);
    s->started = cam_url_get(&p, 6);
    s->ends = cam_url_get(&p, 6);

    return 0;
}


static void
cam_url_session_mac(const cam_mac_t *mac, const uint8_t camera[CAM_UUID_LEN],
    const uint8_t *body, uint8_t out[CAM_URL_MAC_LEN])
{
    uint8_t  data[1 + CAM_UUID_LEN + CAM_URL_BODY_LEN];

    data[0] = 'S';
    memcpy(data + 1, camera, CAM_UUID_LEN);
    memcpy(data + 1 + CAM_UUID_LEN, body, CAM_URL_BODY_LEN);

    cam_mac(mac, data, sizeof(data), out);
}


void
cam_url_media_sign(const cam_mac_t *mac, const uint8_t camera[CAM_UUID_LEN],
    const cam_url_session_t *s, const cam_url_media_t *media,
    char text[CAM_URL_MAC_TEXT])
{
    char      whole[CAM_URL_MAC_TEXT + 1];
    uint8_t  *p, data[CAM_URL_BLOCK_LEN], out[CAM_URL_MAC_LEN];

    p = data;
    *p++ = 'M';
    *p++ = media->kind == CAM_URL_INIT ? CAM_URL_INIT : CAM_URL_SEGMENT;
    *p++ = s->purpose;
    memcpy(p, camera, CAM_UUID_LEN);
    p += CAM_UUID_LEN;
    memcpy(p, s->sid, sizeof(s->sid));
    p += sizeof(s->sid);
    p = cam_url_put(p, s->slot, 4);
    p = cam_url_put(p, media->number, 8);
    p = cam_url_put(p, media->expires, 8);

    cam_mac(mac, data, p - data, out);

    (void) cam_base64url_encode(whole, out, sizeof(out));
    memcpy(text, whole, CAM_URL_MAC_TEXT);
}


int
cam_url_media_verify(const cam_mac_t *mac, const uint8_t camera[CAM_UUID_LEN],
    const cam_url_session_t *s, const cam_url_media_t *media,
    const char *text, size_t len)
{
    char  right[CAM_URL_MAC_TEXT];

    if (len != CAM_URL_MAC_TEXT) {
        return -1;
    }

    /* texts are compared, so there is one spelling of each signature */

    cam_url_media_sign(mac, camera, s, media, right);

    return CRYPTO_memcmp(right, text, len) == 0 ? 0 : -1;
}


void
cam_url_back_sign(const cam_mac_t *mac, const uint8_t camera[CAM_UUID_LEN],
    const cam_url_session_t *s, const cam_url_back_t *back,
    char text[CAM_URL_MAC_TEXT])
{
    char      whole[CAM_URL_MAC_TEXT + 1];
    uint8_t  *p, data[CAM_URL_BLOCK_LEN], out[CAM_URL_MAC_LEN];

    p = data;
    *p++ = 'B';
    *p++ = s->purpose;
    memcpy(p, camera, CAM_UUID_LEN);
    p += CAM_UUID_LEN;
    memcpy(p, s->sid, sizeof(s->sid));
    p += sizeof(s->sid);
    p = cam_url_put(p, s->slot, 4);
    p = cam_url_put(p, back->from_msec, 6);
    p = cam_url_put(p, back->last, 6);
    p = cam_url_put(p, back->seam, 6);
    p = cam_url_put(p, back->count, 4);
    p = cam_url_put(p, back->start_msec, 2);
    p = cam_url_put(p, back->target_sec, 1);

    cam_mac(mac, data, p - data, out);

    (void) cam_base64url_encode(whole, out, sizeof(out));
    memcpy(text, whole, CAM_URL_MAC_TEXT);
}


int
cam_url_back_verify(const cam_mac_t *mac, const uint8_t camera[CAM_UUID_LEN],
    const cam_url_session_t *s, const cam_url_back_t *back,
    const char *text, size_t len)
{
    char  right[CAM_URL_MAC_TEXT];

    if (len != CAM_URL_MAC_TEXT) {
        return -1;
    }

    cam_url_back_sign(mac, camera, s, back, right);

    return CRYPTO_memcmp(right, text, len) == 0 ? 0 : -1;
}


static uint64_t
cam_url_get(const uint8_t **p, unsigned bytes)
{
    uint64_t  value;

    value = 0;

    while (bytes--) {
        value = value << 8 | *(*p)++;
    }

    return value;
}
