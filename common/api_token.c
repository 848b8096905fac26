/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Characters are drawn from random bytes, those beyond a multiple of 62 being
 * thrown away, so that each is as likely as the others.  The sum is no secret
 * and no signature: whoever makes tokens up can make it up, too.
 */

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include "api_token.h"

#define CAM_API_TOKEN_PREFIX_LEN  (sizeof(CAM_API_TOKEN_PREFIX) - 1)
#define CAM_API_TOKEN_SUM_LEN     6      /* 62^6 > 2^32 */
#define CAM_API_TOKEN_SUMMED      (CAM_API_TOKEN_LEN - CAM_API_TOKEN_SUM_LEN)

#define CAM_API_TOKEN_FAIR        248    /* 4 * 62 */


static int cam_api_token_random(char *text, size_t len);
static void cam_api_token_sum(char sum[CAM_API_TOKEN_SUM_LEN],
    const char *text);


static const char  cam_api_token_digits[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";


int
cam_api_token_make(char text[CAM_API_TOKEN_LEN + 1])
{
    memcpy(text, CAM_API_TOKEN_PREFIX, CAM_API_TOKEN_PREFIX_LEN);

    if (cam_api_token_random(text + CAM_API_TOKEN_PREFIX_LEN,
                             CAM_API_TOKEN_SUMMED - CAM_API_TOKEN_PREFIX_LEN)
        != 0)
    {
        return -1;
    }

    cam_api_token_sum(text + CAM_API_TOKEN_SUMMED, text);
    text[CAM_API_TOKEN_LEN] = '\0';

    return 0;
}


static int
cam_api_token_random(char *text, size_t len)
{
    size_t   i, n;
    uint8_t  bytes[64];

    for (n = 0; n < len; /* void */ ) {

        if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
            return -1;
        }

        for (i = 0; i < sizeof(bytes) && n < len; i++) {

            if (bytes[i] < CAM_API_TOKEN_FAIR) {
                text[n++] = cam_api_token_digits[bytes[i] % 62];
            }
        }
    }

    OPENSSL_cleanse(bytes, sizeof(bytes));

    return 0;
}


static void
cam_api_token_sum(char sum[CAM_API_TOKEN_SUM_LEN], const char *text)
{
    int       i;
    uint32_t  crc;

    crc = (uint32_t) crc32(0, (const Bytef *) text, CAM_API_TOKEN_SUMMED);

    for (i = CAM_API_TOKEN_SUM_LEN - 1; i >= 0; i--) {
        sum[i] = cam_api_token_digits[crc % 62];
        crc /= 62;
    }
}


int
cam_api_token_is(const char *text, size_t len)
{
    return len >= CAM_API_TOKEN_PREFIX_LEN
           && memcmp(text, CAM_API_TOKEN_PREFIX, CAM_API_TOKEN_PREFIX_LEN)
              == 0;
}


int
cam_api_token_check(const char *text, size_t len)
{
    size_t  i;
    char    sum[CAM_API_TOKEN_SUM_LEN];

    if (len != CAM_API_TOKEN_LEN || !cam_api_token_is(text, len)) {
        return -1;
    }

    for (i = CAM_API_TOKEN_PREFIX_LEN; i < len; i++) {

        if (memchr(cam_api_token_digits, text[i], 62) == NULL) {
            return -1;
        }
    }

    cam_api_token_sum(sum, text);

    return memcmp(text + CAM_API_TOKEN_SUMMED, sum, sizeof(sum)) == 0 ? 0 : -1;
}
