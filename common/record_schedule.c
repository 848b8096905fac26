/*
 * Copyright (C) The nginx camera platform authors
 */

#include <string.h>

#include "json_read.h"
#include "record_schedule.h"


static const char *cam_schedule_window(json_t *window);
static int cam_schedule_minutes(json_t *time);
static int cam_schedule_digits(const char *text, int most);


const char *
cam_schedule_check(const char *text, size_t len)
{
    return cam_json_check_list(text, len, cam_schedule_window);
}


static const char *
cam_schedule_window(json_t *window)
{
    int      from, to;
    json_t  *day;

    day = json_object_get(window, "day");

    if (!json_is_integer(day) || json_integer_value(day) < 0
        || json_integer_value(day) > 6)
    {
        return "must have a day from 0, Sunday, to 6 in each window";
    }

    from = cam_schedule_minutes(json_object_get(window, "from"));
    to = cam_schedule_minutes(json_object_get(window, "to"));

    if (from == -1 || to == -1) {
        return "must have from and to such as 08:00 in each window";
    }

    if (from >= to) {
        return "must have windows that begin before they end, on one day";
    }

    return json_object_size(window) == 3
           ? NULL : "must have nothing but day, from and to in a window";
}


/* of "00:00" to "24:00"; -1: it is no such time */

static int
cam_schedule_minutes(json_t *time)
{
    int          hours, minutes;
    const char  *text;

    text = json_string_value(time);

    if (text == NULL || json_string_length(time) != 5 || text[2] != ':') {
        return -1;
    }

    hours = cam_schedule_digits(text, 24);
    minutes = cam_schedule_digits(text + 3, hours == 24 ? 0 : 59);

    return hours == -1 || minutes == -1 ? -1 : hours * 60 + minutes;
}


static int
cam_schedule_digits(const char *text, int most)
{
    int  n;

    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9') {
        return -1;
    }

    n = (text[0] - '0') * 10 + text[1] - '0';

    return n <= most ? n : -1;
}


/* a path below a directory of zones, as PostgreSQL takes it, with no way out */

const char *
cam_schedule_check_zone(const char *text, size_t len)
{
    static const char  chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789"
                                 "_+-/";

    if (strspn(text, chars) != len || text[0] == '/') {
        return "must be a time zone such as Europe/Berlin";
    }

    return NULL;
}
