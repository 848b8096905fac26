/*
 * Copyright (C) The nginx camera platform authors
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fields_value.h"
#include "json_write.h"
#include "rfc3339.h"
#include "utf8.h"
#include "uuid.h"


static void cam_fields_add(cam_problems_t *problems, const char *field,
    size_t len, const char *fmt, va_list args);
static void cam_fields_characters(const cam_field_t *field, const char *text,
    size_t len, cam_problems_t *problems);
static void cam_fields_enum(const cam_field_t *field, const char *text,
    cam_value_t *value, cam_problems_t *problems);


int
cam_fields_find(const cam_field_t *fields, const char *name, size_t len)
{
    int  i;

    for (i = 0; fields[i].name; i++) {
        if (strlen(fields[i].name) == len
            && memcmp(fields[i].name, name, len) == 0)
        {
            return i;
        }
    }

    return -1;
}


void
cam_fields_rest(const cam_field_t *fields, cam_value_t *values,
    cam_problems_t *problems)
{
    int  i;

    for (i = 0; fields[i].name; i++) {

        if (values[i].given) {
            continue;
        }

        if (fields[i].flags & CAM_FIELD_REQUIRED) {
            cam_fields_wrong(&fields[i], problems, "is required");
        }

        if (fields[i].type == CAM_FIELD_LIMIT) {
            values[i].number = CAM_FIELD_LIMIT_DEFAULT;
            values[i].text = CAM_FIELD_LIMIT_TEXT;
            values[i].len = sizeof(CAM_FIELD_LIMIT_TEXT) - 1;
        }
    }
}


void
cam_fields_problem(cam_problems_t *problems, const char *field, size_t len,
    const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    cam_fields_add(problems, field, len, fmt, args);
    va_end(args);
}


void
cam_fields_wrong(const cam_field_t *field, cam_problems_t *problems,
    const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    cam_fields_add(problems, field->name, strlen(field->name), fmt, args);
    va_end(args);
}


static void
cam_fields_add(cam_problems_t *problems, const char *field, size_t len,
    const char *fmt, va_list args)
{
    cam_problem_t  *problem;

    if (problems->n == CAM_PROBLEMS_MAX) {
        return;
    }

    problem = &problems->list[problems->n++];

    len = cam_utf8_cut(field, len, CAM_PROBLEM_FIELD - 1);
    memcpy(problem->field, field, len);
    problem->field[len] = '\0';

    (void) vsnprintf(problem->message, CAM_PROBLEM_MESSAGE, fmt, args);
}


void
cam_fields_text(const cam_field_t *field, const char *text, size_t len,
    cam_value_t *value, cam_problems_t *problems)
{
    uint8_t   uuid[CAM_UUID_LEN];
    unsigned  before;

    value->text = text;
    value->len = len;

    before = problems->n;

    switch (field->type) {

    case CAM_FIELD_ENUM:
        cam_fields_enum(field, text, value, problems);
        break;

    case CAM_FIELD_UUID:
        if (cam_uuid_parse(uuid, text, len) != 0) {
            cam_fields_wrong(field, problems, "must be a UUID");
        }

        break;

    case CAM_FIELD_TIME:
        if (cam_rfc3339_parse(text, len, &value->number) != 0) {
            cam_fields_wrong(field, problems,
                             "must be a time such as 2026-01-01T00:00:00Z");
        }

        break;

    default:
        cam_fields_characters(field, text, len, problems);
        break;
    }

    if (field->check && problems->n == before) {
        text = field->check(text, len);

        if (text) {
            cam_fields_wrong(field, problems, "%s", text);
        }
    }
}


static void
cam_fields_characters(const cam_field_t *field, const char *text, size_t len,
    cam_problems_t *problems)
{
    ssize_t  n;

    n = cam_utf8_length(text, len);

    if (n < field->min || n > field->max) {

        if (field->min == field->max) {
            cam_fields_wrong(field, problems, "must have %d characters",
                             (int) field->min);

        } else {
            cam_fields_wrong(field, problems, "must have %d to %d characters",
                             (int) field->min, (int) field->max);
        }

    } else if (field->flags & CAM_FIELD_SECRET) {
        return;

    } else if (cam_utf8_has_control(text, len)) {
        cam_fields_wrong(field, problems, "must not hold control characters");

    } else if (field->min && strspn(text, " ") == len) {
        cam_fields_wrong(field, problems, "must not be blank");
    }
}


static void
cam_fields_enum(const cam_field_t *field, const char *text,
    cam_value_t *value, cam_problems_t *problems)
{
    int   i;
    char  list[CAM_PROBLEM_MESSAGE], *p;

    p = list;
    *p = '\0';

    for (i = 0; field->values[i]; i++) {

        if (strcmp(field->values[i], text) == 0) {
            value->number = i;
            return;
        }

        p += snprintf(p, (size_t) (list + sizeof(list) - p), "%s%s",
                      i ? ", " : "", field->values[i]);

        if (p >= list + sizeof(list)) {
            break;
        }
    }

    cam_fields_wrong(field, problems, "must be one of %s", list);
}


void
cam_fields_number(const cam_field_t *field, int64_t number,
    cam_value_t *value, cam_room_t *room, cam_problems_t *problems)
{
    char  *p;

    if (number < field->min || number > field->max) {
        cam_fields_wrong(field, problems, "must be from %lld to %lld",
                         (long long) field->min, (long long) field->max);
        return;
    }

    p = cam_room_take(room, CAM_JSON_INT_MAX + 1);

    if (p == NULL) {
        cam_fields_wrong(field, problems, "is too long");
        return;
    }

    value->number = number;
    value->text = p;

    p = cam_json_int(p, number);
    *p = '\0';

    value->len = (size_t) (p - value->text);
}


void
cam_fields_bool(int number, cam_value_t *value)
{
    value->number = number;
    value->text = number ? "true" : "false";
    value->len = number ? 4 : 5;
}


char *
cam_room_take(cam_room_t *room, size_t len)
{
    char  *p;

    if ((size_t) (room->end - room->p) < len) {
        return NULL;
    }

    p = room->p;
    room->p += len;

    return p;
}
