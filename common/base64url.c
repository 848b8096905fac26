/*
 * Copyright (C) The nginx camera platform authors
 */

#include "base64url.h"


/* of the characters from "-" to "z"; -1 for those that mean nothing */

static const int8_t  cam_base64url_values['z' - '-' + 1] = {
    62, -1, -1, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1,
    -1, -1, -1, -1,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11,
    12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1, -1,
    -1, -1, 63, -1, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37,
    38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51
};


size_t
cam_base64url_encode(char *text, const void *data, size_t len)
{
    char               *p;
    uint32_t            bits;
    const uint8_t      *in = data;
    static const char   alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    for (p = text; len >= 3; len -= 3, in += 3) {
        bits = (uint32_t) in[0] << 16 | (uint32_t) in[1] << 8 | in[2];

        *p++ = alphabet[bits >> 18];
        *p++ = alphabet[bits >> 12 & 0x3f];
        *p++ = alphabet[bits >> 6 & 0x3f];
        *p++ = alphabet[bits & 0x3f];
    }

    if (len) {
        bits = (uint32_t) in[0] << 16 | (len == 2 ? (uint32_t) in[1] << 8 : 0);

        *p++ = alphabet[bits >> 18];
        *p++ = alphabet[bits >> 12 & 0x3f];

        if (len == 2) {
            *p++ = alphabet[bits >> 6 & 0x3f];
        }
    }

    *p = '\0';

    return p - text;
}


ssize_t
cam_base64url_decode(void *data, size_t cap, const char *text, size_t len)
{
    int        value;
    size_t     i;
    uint8_t   *p;
    uint32_t   bits, pending;

    if (len % 4 == 1 || cam_base64url_decoded_len(len) > cap) {
        return -1;
    }

    p = data;
    bits = 0;
    pending = 0;

    for (i = 0; i < len; i++) {
        if (text[i] < '-' || text[i] > 'z') {
            return -1;
        }

        value = cam_base64url_values[text[i] - '-'];

        if (value < 0) {
            return -1;
        }

        bits = bits << 6 | (uint32_t) value;
        pending += 6;

        if (pending >= 8) {
            pending -= 8;
            *p++ = (uint8_t) (bits >> pending);
        }
    }

    if (bits & ((1u << pending) - 1)) {
        return -1;
    }

    return p - (uint8_t *) data;
}
