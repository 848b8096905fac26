/*
 * Copyright (C) The nginx camera platform authors
 */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json_write.h"

#define CAM_JSON_DAY_MSEC  86400000LL

/* days from the first of March of the year 0, where leap days come last */
#define CAM_JSON_ERA_DAYS  719468
#define CAM_JSON_400_YEARS 146097

/* the years 1 to 9999, in days since 1970 */
#define CAM_JSON_DAY_MIN   -719162
#define CAM_JSON_DAY_MAX   2932896


static char *cam_json_escape(char *p, unsigned char c);
static char *cam_json_date(char *p, int64_t day);
static char *cam_json_pair(char *p, uint32_t value);


char *
cam_json_string(char *p, const char *text, size_t len)
{
    const char     *end, *start;
    unsigned char   c;

    *p++ = '"';

    end = text + len;
    start = text;

    for ( /* void */ ; text < end; text++) {
        c = (unsigned char) *text;

        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }

        memcpy(p, start, (size_t) (text - start));
        p = cam_json_escape(p + (text - start), c);
        start = text + 1;
    }

    memcpy(p, start, (size_t) (end - start));
    p += end - start;

    *p++ = '"';

    return p;
}


static char *
cam_json_escape(char *p, unsigned char c)
{
    static const char  hex[] = "0123456789abcdef";

    *p++ = '\\';

    switch (c) {

    case '"':
    case '\\':
        *p++ = (char) c;
        return p;

    case '\n':
        *p++ = 'n';
        return p;

    case '\r':
        *p++ = 'r';
        return p;

    case '\t':
        *p++ = 't';
        return p;
    }

    memcpy(p, "u00", 3);
    p[3] = hex[c >> 4];
    p[4] = hex[c & 0x0f];

    return p + 5;
}


char *
cam_json_int(char *p, int64_t value)
{
    char      text[CAM_JSON_INT_MAX], *t;
    size_t    n;
    uint64_t  left;

    left = (uint64_t) value;

    if (value < 0) {
        *p++ = '-';
        left = 0 - left;
    }

    t = text + sizeof(text);

    do {
        *--t = (char) ('0' + left % 10);
        left /= 10;
    } while (left);

    n = (size_t) (text + sizeof(text) - t);
    memcpy(p, t, n);

    return p + n;
}


char *
cam_json_double(char *p, double value)
{
    int  n;

    if (!isfinite(value)) {
        memcpy(p, "null", 4);
        return p + 4;
    }

    n = snprintf(p, CAM_JSON_DOUBLE_MAX, "%.15g", value);

    return p + n;
}


char *
cam_json_uuid(char *p, const uint8_t uuid[CAM_UUID_LEN])
{
    *p = '"';
    cam_uuid_print(p + 1, uuid);
    p[CAM_UUID_TEXT + 1] = '"';

    return p + CAM_UUID_TEXT + 2;
}


char *
cam_json_time(char *p, int64_t msec)
{
    int64_t   day;
    uint32_t  left;

    day = msec / CAM_JSON_DAY_MSEC - (msec % CAM_JSON_DAY_MSEC < 0);
    left = (uint32_t) (msec - day * CAM_JSON_DAY_MSEC);

    if (day < CAM_JSON_DAY_MIN || day > CAM_JSON_DAY_MAX) {
        memcpy(p, "null", 4);
        return p + 4;
    }

    *p++ = '"';
    p = cam_json_date(p, day);

    *p++ = 'T';
    p = cam_json_pair(p, left / 3600000);
    *p++ = ':';
    p = cam_json_pair(p, left / 60000 % 60);
    *p++ = ':';
    p = cam_json_pair(p, left / 1000 % 60);
    *p++ = '.';
    *p++ = (char) ('0' + left % 1000 / 100);
    p = cam_json_pair(p, left % 100);
    *p++ = 'Z';
    *p++ = '"';

    return p;
}


/*
 * The calendar repeats every 400 years.  A year that begins in March has its
 * leap day at its end, so days of the year give the month by one division.
 */

static char *
cam_json_date(char *p, int64_t day)
{
    int64_t  era, of_era, year, of_year, month;

    day += CAM_JSON_ERA_DAYS;

    era = day / CAM_JSON_400_YEARS;
    of_era = day % CAM_JSON_400_YEARS;

    year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    of_year = of_era - (365 * year + year / 4 - year / 100);
    month = (5 * of_year + 2) / 153;

    year += 400 * era + (month >= 10);

    p = cam_json_pair(p, (uint32_t) (year / 100));
    p = cam_json_pair(p, (uint32_t) (year % 100));
    *p++ = '-';
    p = cam_json_pair(p, (uint32_t) (month < 10 ? month + 3 : month - 9));
    *p++ = '-';

    return cam_json_pair(p, (uint32_t) (of_year - (153 * month + 2) / 5 + 1));
}


static char *
cam_json_pair(char *p, uint32_t value)
{
    *p++ = (char) ('0' + value / 10);
    *p++ = (char) ('0' + value % 10);

    return p;
}
