/*
 * Copyright (C) The nginx camera platform authors
 */

/* Percent encoding (RFC 3986 section 2.1). */

#include <string.h>

#include "percent.h"
#include "utf8.h"


static int cam_percent_byte(const char *from, const char *end);
static int cam_percent_digit(char c);
static int cam_percent_unreserved(char c);


ssize_t
cam_percent_decode(char *text, const char *from, size_t len, int form)
{
    int          c;
    char        *p;
    const char  *end;

    p = text;
    end = from + len;

    while (from < end) {

        if (*from == '%') {
            c = cam_percent_byte(from, end);
            from += 3;

        } else {
            c = (unsigned char) (form && *from == '+' ? ' ' : *from);
            from++;
        }

        if (c <= 0) {
            return -1;
        }

        *p++ = (char) c;
    }

    *p = '\0';

    return cam_utf8_length(text, (size_t) (p - text)) < 0 ? -1 : p - text;
}


static int
cam_percent_byte(const char *from, const char *end)
{
    int  high, low;

    if (end - from < 3) {
        return -1;
    }

    high = cam_percent_digit(from[1]);
    low = cam_percent_digit(from[2]);

    return high < 0 || low < 0 ? -1 : high << 4 | low;
}


static int
cam_percent_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}


char *
cam_percent_encode(char *p, const char *text, size_t len)
{
    size_t         i;
    unsigned char  c;

    static const char  hex[] = "0123456789ABCDEF";

    for (i = 0; i < len; i++) {
        c = (unsigned char) text[i];

        if (cam_percent_unreserved(text[i])) {
            *p++ = text[i];
            continue;
        }

        *p++ = '%';
        *p++ = hex[c >> 4];
        *p++ = hex[c & 0x0f];
    }

    return p;
}


static int
cam_percent_unreserved(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
           || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_'
           || c == '~';
}
