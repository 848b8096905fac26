/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * HMAC-SHA256 with kept pads (see mac.h).  A message of at most 55 bytes fills
 * one block with its padding, and then costs two compressions of SHA-256, the
 * least there can be.
 */

/* EVP costs five times the hash itself on messages this short */
#define OPENSSL_API_COMPAT  0x10101000L

#include <endian.h>
#include <openssl/crypto.h>
#include <string.h>

#include "mac.h"


#define CAM_MAC_BLOCK_LEN  64      /* of SHA-256 */
#define CAM_MAC_SHORT      55      /* fits a block with its padding */


static void cam_mac_last_block(SHA256_CTX *ctx, const void *data, size_t len);
static void cam_mac_hash(uint8_t *out, const SHA256_CTX *ctx, size_t len);


void
cam_mac_init(cam_mac_t *mac, const uint8_t *key, size_t len)
{
    size_t   i;
    uint8_t  pad[CAM_MAC_BLOCK_LEN], hash[SHA256_DIGEST_LENGTH];

    if (len > CAM_MAC_BLOCK_LEN) {
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
    uint8_t out[CAM_MAC_LEN])
{
    uint8_t     hash[SHA256_DIGEST_LENGTH];
    SHA256_CTX  ctx;

    ctx = mac->inner;

    if (len <= CAM_MAC_SHORT) {
        cam_mac_last_block(&ctx, data, len);
        cam_mac_hash(hash, &ctx, sizeof(hash));

    } else {
        SHA256_Update(&ctx, data, len);
        SHA256_Final(hash, &ctx);
    }

    ctx = mac->outer;
    cam_mac_last_block(&ctx, hash, sizeof(hash));

    cam_mac_hash(out, &ctx, CAM_MAC_LEN);
}


/* the block after a pad, with SHA-256's own padding */

static void
cam_mac_last_block(SHA256_CTX *ctx, const void *data, size_t len)
{
    uint8_t   block[CAM_MAC_BLOCK_LEN];
    uint64_t  bits;

    memcpy(block, data, len);
    block[len] = 0x80;
    memset(block + len + 1, 0, CAM_MAC_SHORT - len);

    bits = htobe64((CAM_MAC_BLOCK_LEN + len) * 8);
    memcpy(block + CAM_MAC_SHORT + 1, &bits, sizeof(bits));

    SHA256_Transform(ctx, block);
}


/* len is a multiple of four */

static void
cam_mac_hash(uint8_t *out, const SHA256_CTX *ctx, size_t len)
{
    size_t    i;
    uint32_t  word;

    for (i = 0; i < len; i += sizeof(word)) {
        word = htobe32(ctx->h[i / sizeof(word)]);
        memcpy(out + i, &word, sizeof(word));
    }
}
