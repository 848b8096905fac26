/*
 * Copyright (C) The nginx camera platform authors
 */

#include "base64url.h"


static int cam_base64url_value(char c);


size_t
cam_base64url_encode(char *text, const void *data, size_t len)
{
    char               *p;
    size_t              i;
    uint32_t            bits, pending;
    const uint8_t      *in = data;
    static const char   alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    p = text;
    bits = 0;
    pending = 0;

    for (i = 0; i < len; i++) {
        bits = bits << 8 | in[i];
        pending += 8;

        while (pending >= 6) {
            pending -= 6;
            *p++ = alphabet[bits >> pending & 0x3f];
        }
    }

    if (pending) {
        *p++ = alphabet[bits << (6 - pending) & 0x3f];
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
        value = cam_base64url_value(text[i]);

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


static int
cam_base64url_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }

    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }

    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }

    if (c == '-') {
        return 62;
    }

    return c == '_' ? 63 : -1;
}
