/*
 * Copyright (C) The nginx camera platform authors
 */

#include <string.h>

#include "rfc3339.h"

#define CAM_RFC3339_FIRST_MSEC  -62135596800000     /* of year 1, UTC */
#define CAM_RFC3339_LAST_MSEC   253402300799999     /* of year 9999 */


static int cam_rfc3339_shape(const char *text, size_t len, const char *shape);
static int cam_rfc3339_number(const char *text, int digits);
static int cam_rfc3339_date_valid(int year, int month, int day);
static int64_t cam_rfc3339_days(int year, int month, int day);
static int cam_rfc3339_fraction(const char **text, const char *end);
static int cam_rfc3339_zone(const char *text, size_t len, int *minutes);


int
cam_rfc3339_parse(const char *text, size_t len, int64_t *msec)
{
    int          year, month, day, hour, minute, second, fraction, zone;
    const char  *end;

    static const char  shape[] = "0000-00-00T00:00:00";

    if (cam_rfc3339_shape(text, len, shape) != 0) {
        return -1;
    }

    year = cam_rfc3339_number(text, 4);
    month = cam_rfc3339_number(text + 5, 2);
    day = cam_rfc3339_number(text + 8, 2);
    hour = cam_rfc3339_number(text + 11, 2);
    minute = cam_rfc3339_number(text + 14, 2);
    second = cam_rfc3339_number(text + 17, 2);

    if (!cam_rfc3339_date_valid(year, month, day)
        || hour > 23 || minute > 59 || second > 59)
    {
        return -1;
    }

    end = text + len;
    text += sizeof(shape) - 1;

    fraction = cam_rfc3339_fraction(&text, end);

    if (fraction < 0
        || cam_rfc3339_zone(text, (size_t) (end - text), &zone) != 0)
    {
        return -1;
    }

    *msec = ((cam_rfc3339_days(year, month, day) * 24 + hour) * 60
             + minute - zone) * 60000 + second * 1000 + fraction;

    /* in UTC, too, as which it is answered */

    return *msec >= CAM_RFC3339_FIRST_MSEC && *msec <= CAM_RFC3339_LAST_MSEC
           ? 0 : -1;
}


/* a 0 in the shape stands for any digit; more may follow */

static int
cam_rfc3339_shape(const char *text, size_t len, const char *shape)
{
    size_t  i;

    if (len < strlen(shape)) {
        return -1;
    }

    for (i = 0; shape[i]; i++) {

        if (shape[i] == '0' ? text[i] < '0' || text[i] > '9'
                            : text[i] != shape[i])
        {
            return -1;
        }
    }

    return 0;
}


static int
cam_rfc3339_number(const char *text, int digits)
{
    int  i, value;

    value = 0;

    for (i = 0; i < digits; i++) {
        value = value * 10 + text[i] - '0';
    }

    return value;
}


static int
cam_rfc3339_date_valid(int year, int month, int day)
{
    int  leap;

    static const int  days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    if (year < 1 || month < 1 || month > 12) {
        return 0;
    }

    leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return day >= 1 && day <= days[month - 1] + (month == 2 && leap);
}


/* since 1970; years that begin in March have their leap day at the end */

static int64_t
cam_rfc3339_days(int year, int month, int day)
{
    int  from_march;

    from_march = month > 2 ? month - 3 : month + 9;
    year -= month <= 2;

    return (int64_t) year * 365 + year / 4 - year / 100 + year / 400
           + (153 * from_march + 2) / 5 + day - 1 - 719468;
}


/* milliseconds; what is finer is cut off */

static int
cam_rfc3339_fraction(const char **text, const char *end)
{
    int          digits, value;
    const char  *p;

    p = *text;

    if (p == end || *p != '.') {
        return 0;
    }

    value = 0;
    p++;

    for (digits = 0; p < end && *p >= '0' && *p <= '9'; digits++, p++) {
        if (digits < 3) {
            value = value * 10 + *p - '0';
        }
    }

    if (digits == 0 || digits > 9) {
        return -1;
    }

    for ( /* void */ ; digits < 3; digits++) {
        value *= 10;
    }

    *text = p;

    return value;
}


static int
cam_rfc3339_zone(const char *text, size_t len, int *minutes)
{
    int  hour, minute;

    if (len == 1 && *text == 'Z') {
        *minutes = 0;
        return 0;
    }

    if (len != 6 || (*text != '+' && *text != '-')
        || cam_rfc3339_shape(text + 1, 5, "00:00") != 0)
    {
        return -1;
    }

    hour = cam_rfc3339_number(text + 1, 2);
    minute = cam_rfc3339_number(text + 4, 2);

    if (hour > 23 || minute > 59) {
        return -1;
    }

    *minutes = (*text == '-' ? -1 : 1) * (hour * 60 + minute);

    return 0;
}
