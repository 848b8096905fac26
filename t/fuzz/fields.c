/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Fuzz target: input of the API.  An input whose first byte is even is a query
 * string, any other a body.  The room is exactly as large as a caller makes it;
 * what is accepted must be what the table says.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "json_read.h"
#include "rfc3339.h"
#include "utf8.h"
#include "uuid.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const char  *const colours[] = { "red", "green", NULL };

static const cam_field_t  fields[] = {
    { "a", CAM_FIELD_TEXT, 0, 1, 5, NULL, NULL },
    { "b", CAM_FIELD_BOOL, CAM_FIELD_NULLABLE, 0, 0, NULL, NULL },
    { "c", CAM_FIELD_INT, 0, -5, 1000000, NULL, NULL },
    { "d", CAM_FIELD_ENUM, 0, 0, 0, colours, NULL },
    { "e", CAM_FIELD_UUID, 0, 0, 0, NULL, NULL },
    { "f", CAM_FIELD_TIME, 0, 0, 0, NULL, NULL },
    { "g", CAM_FIELD_TEXTS, 0, 0, 40, NULL, NULL },
    { "h", CAM_FIELD_CIDRS, 0, 0, 40, NULL, NULL },
    { "i", CAM_FIELD_LIMIT, 0, 1, 200, NULL, NULL },
    { "j", CAM_FIELD_CURSOR, CAM_FIELD_SECRET, 1, 200, NULL, NULL },
    CAM_FIELD_END
};


static void
must(int promise)
{
    if (!promise) {
        abort();
    }
}


static void
judge(const cam_field_t *field, const cam_value_t *value)
{
    int64_t  msec;
    uint8_t  uuid[CAM_UUID_LEN];

    if (value->text == NULL) {
        must(!value->given || field->flags & CAM_FIELD_NULLABLE);
        return;
    }

    must(value->text[value->len] == '\0');
    must(strlen(value->text) == value->len);

    switch (field->type) {

    case CAM_FIELD_TEXT:
    case CAM_FIELD_CURSOR:
        must(cam_utf8_length(value->text, value->len) >= field->min);
        must(cam_utf8_length(value->text, value->len) <= field->max);
        break;

    case CAM_FIELD_INT:
    case CAM_FIELD_LIMIT:
        must(value->number >= field->min && value->number <= field->max);
        must(strtoll(value->text, NULL, 10) == value->number);
        break;

    case CAM_FIELD_ENUM:
        must(strcmp(value->text, colours[value->number]) == 0);
        break;

    case CAM_FIELD_UUID:
        must(cam_uuid_parse(uuid, value->text, value->len) == 0);
        break;

    case CAM_FIELD_TIME:
        must(cam_rfc3339_parse(value->text, value->len, &msec) == 0
             && msec == value->number);
        break;

    case CAM_FIELD_TEXTS:
    case CAM_FIELD_CIDRS:
    case CAM_FIELD_UUIDS:
        must(value->text[0] == '{' && value->text[value->len - 1] == '}');
        must(value->number <= field->max);
        break;

    default:
        must(strcmp(value->text, value->number ? "true" : "false") == 0);
        break;
    }
}


static void
run(const char *text, size_t len, int is_query)
{
    int              i, rc;
    char             err[128], *space;
    json_t          *json;
    cam_room_t       room;
    cam_value_t      values[CAM_FIELDS_MAX];
    cam_problems_t  *problems;

    memset(values, 0, sizeof(values));

    space = malloc(CAM_FIELDS_ROOM(len));
    problems = malloc(sizeof(cam_problems_t));
    problems->n = 0;

    room.p = space;
    room.end = space + CAM_FIELDS_ROOM(len);

    json = NULL;
    rc = -1;

    if (is_query) {
        rc = cam_fields_query(fields, text, len, values, &room, problems);

    } else {
        json = cam_json_read(text, len, err, sizeof(err));

        if (json) {
            rc = cam_fields_body(fields, json, values, &room, problems);
        }
    }

    must(rc == 0 || problems->n || (!is_query && json == NULL));

    for (i = 0; (unsigned) i < problems->n; i++) {
        must(cam_utf8_length(problems->list[i].field,
                             strlen(problems->list[i].field)) >= 0);
    }

    for (i = 0; rc == 0 && fields[i].name; i++) {
        judge(&fields[i], &values[i]);
    }

    cam_json_wipe(json);
    free(problems);
    free(space);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char  *text;

    if (size == 0) {
        return 0;
    }

    /* exactly as long as it is, so that reading on is noticed */

    text = malloc(size);
    memcpy(text, data + 1, size - 1);

    run(text, size - 1, !(data[0] & 1));

    free(text);

    return 0;
}
