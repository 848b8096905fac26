/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Fuzz target: the token verifier.  An input whose first byte is even is a
 * token as it is; any other is "header\nclaims", which is encoded and signed
 * with the right key, so that the fuzzer gets past the signature.  Whatever is
 * accepted must keep the promises callers rely on.
 */

#include <openssl/hmac.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base64url.h"
#include "token.h"


#define NOW  1800000000


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const cam_keys_t  keys = {
    .n = 3,
    .keys = {
        { .kid = "s1", .use = CAM_KEY_STREAM, .sign = 1, .index = 0, .len = 32,
          .secret = "stream key of thirty-two bytes.." },
        { .kid = "p1", .use = CAM_KEY_PLAYBACK, .sign = 1, .index = 1,
          .len = 32, .secret = "playback key of thirty-two bytes" },
        { .kid = "a1", .use = CAM_KEY_ACCESS, .sign = 1, .index = 2, .len = 32,
          .secret = "access key of thirty-two bytes.." }
    }
};


static void
judge(int use, const char *text, size_t len)
{
    cam_token_t     token;
    cam_token_rc_e  rc;

    rc = cam_token_verify(&keys, use, text, len, NOW, &token);

    if (rc != CAM_TOKEN_OK) {
        return;
    }

    if (len > CAM_TOKEN_MAX || token.use != use || token.expires <= NOW
        || token.issued > NOW + CAM_TOKEN_LEEWAY_SEC
        || token.expires - token.issued > CAM_TOKEN_STREAM_TTL_MAX
        || (use == CAM_KEY_STREAM && token.generation == 0)
        || (use == CAM_KEY_ACCESS && *cam_role_name(token.role) == '\0'))
    {
        abort();
    }
}


static void
judge_signed(int use, const uint8_t *data, size_t size)
{
    char           text[8192];
    size_t         n, split;
    uint8_t        mac[32];
    const uint8_t  *end;

    end = memchr(data, '\n', size);

    if (end == NULL || size > 4096) {
        return;
    }

    split = (size_t) (end - data);
    n = cam_base64url_encode(text, data, split);
    text[n++] = '.';
    n += cam_base64url_encode(text + n, end + 1, size - split - 1);

    HMAC(EVP_sha256(), keys.keys[use].secret, 32, (uint8_t *) text, n, mac,
         NULL);

    text[n++] = '.';
    n += cam_base64url_encode(text + n, mac, sizeof(mac));

    judge(use, text, n);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char  *text;

    if (size == 0) {
        return 0;
    }

    if (data[0] & 1) {
        judge_signed((data[0] >> 1) % CAM_KEY_TOKENS, data + 1, size - 1);
        return 0;
    }

    /* exactly as long as it is, so that reading on is noticed */

    text = malloc(size);
    if (text == NULL) {
        return 0;
    }

    memcpy(text, data + 1, size - 1);
    judge((data[0] >> 1) % CAM_KEY_TOKENS, text, size - 1);
    free(text);

    return 0;
}
