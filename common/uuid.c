/*
 * Copyright (C) The nginx camera platform authors
 */

#include "uuid.h"


static int cam_uuid_digit(char c);


int
cam_uuid_parse(uint8_t uuid[CAM_UUID_LEN], const char *text, size_t len)
{
    int       high, low;
    size_t    i;
    uint8_t  *p;

    if (len != CAM_UUID_TEXT) {
        return -1;
    }

    p = uuid;

    for (i = 0; i < CAM_UUID_TEXT; i += 2) {

        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text[i++] != '-') {
                return -1;
            }
        }

        high = cam_uuid_digit(text[i]);
        low = cam_uuid_digit(text[i + 1]);

        if (high < 0 || low < 0) {
            return -1;
        }

        *p++ = (uint8_t) (high << 4 | low);
    }

    return 0;
}


static int
cam_uuid_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }

    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }

    return -1;
}


char *
cam_uuid_print(char text[CAM_UUID_TEXT + 1], const uint8_t uuid[CAM_UUID_LEN])
{
    char               *p;
    int                 i;
    static const char   hex[] = "0123456789abcdef";

    p = text;

    for (i = 0; i < CAM_UUID_LEN; i++) {

        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *p++ = '-';
        }

        *p++ = hex[uuid[i] >> 4];
        *p++ = hex[uuid[i] & 0x0f];
    }

    *p = '\0';

    return text;
}
