/*
 * Copyright (C) The nginx camera platform authors
 */

#include <string.h>

#include <openssl/sha.h>

#include "base64url.h"
#include "cursor.h"

#define CAM_CURSOR_SUM  8               /* bytes of the checksum */
#define CAM_CURSOR_LEN  (8 + CAM_UUID_LEN + CAM_CURSOR_SUM)

#define CAM_CURSOR_LIST_MAX  64


static void cam_cursor_sum(uint8_t sum[SHA256_DIGEST_LENGTH],
    const uint8_t *data, const uint8_t *tenant, const char *list);


void
cam_cursor_print(char text[CAM_CURSOR_TEXT + 1], const cam_cursor_t *cursor,
    const uint8_t tenant[CAM_UUID_LEN], const char *list)
{
    int       i;
    uint8_t   data[CAM_CURSOR_LEN], sum[SHA256_DIGEST_LENGTH];

    for (i = 0; i < 8; i++) {
        data[i] = (uint8_t) ((uint64_t) cursor->usec >> (56 - 8 * i));
    }

    memcpy(data + 8, cursor->id, CAM_UUID_LEN);

    cam_cursor_sum(sum, data, tenant, list);
    memcpy(data + 8 + CAM_UUID_LEN, sum, CAM_CURSOR_SUM);

    (void) cam_base64url_encode(text, data, CAM_CURSOR_LEN);
}


int
cam_cursor_parse(cam_cursor_t *cursor, const char *text, size_t len,
    const uint8_t tenant[CAM_UUID_LEN], const char *list)
{
    int       i;
    uint8_t   data[CAM_CURSOR_LEN], sum[SHA256_DIGEST_LENGTH];
    uint64_t  usec;

    if (len != CAM_CURSOR_TEXT
        || cam_base64url_decode(data, sizeof(data), text, len)
           != CAM_CURSOR_LEN)
    {
        return -1;
    }

    cam_cursor_sum(sum, data, tenant, list);

    if (memcmp(data + 8 + CAM_UUID_LEN, sum, CAM_CURSOR_SUM) != 0) {
        return -1;
    }

    usec = 0;

    for (i = 0; i < 8; i++) {
        usec = usec << 8 | data[i];
    }

    cursor->usec = (int64_t) usec;
    memcpy(cursor->id, data + 8, CAM_UUID_LEN);

    return 0;
}


static void
cam_cursor_sum(uint8_t sum[SHA256_DIGEST_LENGTH], const uint8_t *data,
    const uint8_t *tenant, const char *list)
{
    size_t   len;
    uint8_t  all[8 + 2 * CAM_UUID_LEN + CAM_CURSOR_LIST_MAX];

    len = strnlen(list, CAM_CURSOR_LIST_MAX);

    memcpy(all, data, 8 + CAM_UUID_LEN);
    memcpy(all + 8 + CAM_UUID_LEN, tenant, CAM_UUID_LEN);
    memcpy(all + 8 + 2 * CAM_UUID_LEN, list, len);

    (void) SHA256(all, 8 + 2 * CAM_UUID_LEN + len, sum);
}
