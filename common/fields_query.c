/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Fields out of a query string, decoded strictly: a percent sign is followed
 * by two digits, nothing becomes a NUL, the result is UTF-8, and no field
 * comes twice.
 */

#include <string.h>

#include "fields_value.h"
#include "percent.h"
#include "utf8.h"


static void cam_fields_pair(const cam_field_t *fields, const char *pair,
    const char *end, cam_value_t *values, cam_room_t *room,
    cam_problems_t *problems);
static void cam_fields_decoded(const cam_field_t *field, const char *text,
    size_t len, cam_value_t *value, cam_room_t *room,
    cam_problems_t *problems);
static int cam_fields_integer(const char *text, size_t len, int64_t *number);


int
cam_fields_query(const cam_field_t *fields, const char *args, size_t len,
    cam_value_t *values, cam_room_t *room, cam_problems_t *problems)
{
    const char  *p, *end, *last;

    last = args + len;

    for (p = args; p < last; p = end + 1) {
        end = memchr(p, '&', (size_t) (last - p));
        end = end ? end : last;

        if (end > p) {
            cam_fields_pair(fields, p, end, values, room, problems);
        }
    }

    cam_fields_rest(fields, values, problems);

    return problems->n ? -1 : 0;
}


static void
cam_fields_pair(const cam_field_t *fields, const char *pair, const char *end,
    cam_value_t *values, cam_room_t *room, cam_problems_t *problems)
{
    int          i;
    char        *text;
    size_t       size;
    ssize_t      len;
    const char  *value;

    value = memchr(pair, '=', (size_t) (end - pair));
    value = value ? value : end;

    i = cam_fields_find(fields, pair, (size_t) (value - pair));

    if (i == -1) {
        len = value - pair;
        len = cam_utf8_length(pair, (size_t) len) < 0 ? 0 : len;
        cam_fields_problem(problems, pair, (size_t) len,
                           "is not a parameter of this request");
        return;
    }

    if (values[i].given) {
        cam_fields_wrong(&fields[i], problems, "is given twice");
        return;
    }

    values[i].given = 1;
    value += value < end;
    size = (size_t) (end - value);

    text = cam_room_take(room, size + 1);
    len = text ? cam_percent_decode(text, value, size, 1) : -1;

    if (len < 0) {
        cam_fields_wrong(&fields[i], problems, "is not encoded well");
        return;
    }

    cam_fields_decoded(&fields[i], text, (size_t) len, &values[i], room,
                       problems);
}


static void
cam_fields_decoded(const cam_field_t *field, const char *text, size_t len,
    cam_value_t *value, cam_room_t *room, cam_problems_t *problems)
{
    int64_t  number;

    switch (field->type) {

    case CAM_FIELD_BOOL:
        if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
            cam_fields_bool(*text == 't', value);
            return;
        }

        cam_fields_wrong(field, problems, "must be true or false");
        return;

    case CAM_FIELD_INT:
    case CAM_FIELD_LIMIT:
        if (cam_fields_integer(text, len, &number) == 0) {
            cam_fields_number(field, number, value, room, problems);
            return;
        }

        cam_fields_wrong(field, problems, "must be an integer");
        return;

    case CAM_FIELD_TEXTS:
    case CAM_FIELD_CIDRS:
    case CAM_FIELD_UUIDS:
    case CAM_FIELD_OBJECTS:
        cam_fields_wrong(field, problems, "cannot be a parameter");
        return;

    default:
        cam_fields_text(field, text, len, value, problems);
        return;
    }
}


static int
cam_fields_integer(const char *text, size_t len, int64_t *number)
{
    size_t   i, sign;
    int64_t  value;

    sign = len && text[0] == '-';

    if (len == sign || len - sign > 18) {
        return -1;
    }

    value = 0;

    for (i = sign; i < len; i++) {

        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }

        value = value * 10 + text[i] - '0';
    }

    *number = sign ? -value : value;

    return 0;
}
