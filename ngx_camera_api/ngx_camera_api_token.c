/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Reading and verifying a token costs more than all the rest of a request, and
 * clients send the same one for a quarter of an hour.  So its SHA-256 is kept
 * with what it said.  A signature does not get worse with time: whether the
 * token expired and its session stands is looked at each time.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#define OPENSSL_API_COMPAT  0x10101000L    /* EVP costs more than the hash */
#include <openssl/sha.h>

#include "ngx_camera_api_token.h"

#define NGX_CAMERA_API_TOKEN_SETS  2048
#define NGX_CAMERA_API_TOKEN_WAYS  4


typedef struct {
    u_char   hash[SHA256_DIGEST_LENGTH];
    uint8_t  user[CAM_UUID_LEN];
    uint8_t  sid[CAM_UUID_LEN];
    int64_t  expires;                      /* 0: free */
} ngx_camera_api_token_entry_t;


static ngx_camera_api_token_entry_t *ngx_camera_api_token_find(
    const u_char *hash);


static ngx_camera_api_token_entry_t
    ngx_camera_api_tokens[NGX_CAMERA_API_TOKEN_SETS]
                         [NGX_CAMERA_API_TOKEN_WAYS];


ngx_int_t
ngx_camera_api_token_verify(const cam_keys_t *keys, const ngx_str_t *text,
    cam_token_t *token)
{
    u_char                         hash[SHA256_DIGEST_LENGTH];
    SHA256_CTX                     sha;
    ngx_camera_api_token_entry_t  *entry;

    if (text->len > CAM_TOKEN_MAX) {
        return NGX_DECLINED;
    }

    SHA256_Init(&sha);
    SHA256_Update(&sha, text->data, text->len);
    SHA256_Final(hash, &sha);

    entry = ngx_camera_api_token_find(hash);

    if (entry->expires > ngx_time()
        && ngx_memcmp(entry->hash, hash, sizeof(hash)) == 0)
    {
        ngx_memcpy(token->user, entry->user, CAM_UUID_LEN);
        ngx_memcpy(token->sid, entry->sid, CAM_UUID_LEN);
        token->expires = entry->expires;

        return NGX_OK;
    }

    if (cam_token_verify(keys, CAM_KEY_ACCESS, (char *) text->data, text->len,
                         ngx_time(), token)
        != CAM_TOKEN_OK)
    {
        return NGX_DECLINED;
    }

    ngx_memcpy(entry->hash, hash, sizeof(hash));
    ngx_memcpy(entry->user, token->user, CAM_UUID_LEN);
    ngx_memcpy(entry->sid, token->sid, CAM_UUID_LEN);
    entry->expires = token->expires;

    return NGX_OK;
}


/* its own entry, or that of its set which expires first */

static ngx_camera_api_token_entry_t *
ngx_camera_api_token_find(const u_char *hash)
{
    ngx_uint_t                     i;
    ngx_camera_api_token_entry_t  *set, *best;

    set = ngx_camera_api_tokens[((ngx_uint_t) hash[0] << 8 | hash[1])
                                % NGX_CAMERA_API_TOKEN_SETS];
    best = set;

    for (i = 0; i < NGX_CAMERA_API_TOKEN_WAYS; i++) {

        if (ngx_memcmp(set[i].hash, hash, SHA256_DIGEST_LENGTH) == 0) {
            return &set[i];
        }

        if (set[i].expires < best->expires) {
            best = &set[i];
        }
    }

    return best;
}
