/*
 * Copyright (C) The nginx camera platform authors
 */

#include "utf8.h"


static size_t cam_utf8_sequence(const unsigned char *p, size_t left);


ssize_t
cam_utf8_length(const char *text, size_t len)
{
    size_t                n, size;
    const unsigned char  *p, *end;

    p = (const unsigned char *) text;
    end = p + len;

    for (n = 0; p < end; n++) {

        size = *p < 0x80 ? 1 : cam_utf8_sequence(p, (size_t) (end - p));

        if (size == 0) {
            return -1;
        }

        p += size;
    }

    return (ssize_t) n;
}


/* bytes of the character of more than one byte at p, 0: there is none */

static size_t
cam_utf8_sequence(const unsigned char *p, size_t left)
{
    size_t         i, size;
    unsigned char  low, high;

    low = 0x80;
    high = 0xbf;

    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        size = 2;

    } else if ((p[0] & 0xf0) == 0xe0) {
        size = 3;
        low = p[0] == 0xe0 ? 0xa0 : low;
        high = p[0] == 0xed ? 0x9f : high;

    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        size = 4;
        low = p[0] == 0xf0 ? 0x90 : low;
        high = p[0] == 0xf4 ? 0x8f : high;

    } else {
        return 0;
    }

    if (left < size || p[1] < low || p[1] > high) {
        return 0;
    }

    for (i = 2; i < size; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }

    return size;
}


size_t
cam_utf8_cut(const char *text, size_t len, size_t max)
{
    if (len <= max) {
        return len;
    }

    while (max && (text[max] & 0xc0) == 0x80) {
        max--;
    }

    return max;
}


int
cam_utf8_has_control(const char *text, size_t len)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < len; i++) {
        c = (unsigned char) text[i];

        if (c < 0x20 || c == 0x7f) {
            return 1;
        }

        if (c == 0xc2 && i + 1 < len && (unsigned char) text[i + 1] < 0xa0) {
            return 1;
        }
    }

    return 0;
}
