/*
 * Copyright (C) The nginx camera platform authors
 */

/* Fields out of a body: a JSON object, whose texts the parser has checked. */

#include <string.h>

#include "fields_value.h"
#include "registry.h"
#include "utf8.h"
#include "uuid.h"


static void cam_fields_json(const cam_field_t *field, json_t *json,
    cam_value_t *value, cam_room_t *room, cam_problems_t *problems);
static void cam_fields_list(const cam_field_t *field, json_t *list,
    cam_value_t *value, cam_room_t *room, cam_problems_t *problems);
static void cam_fields_objects(const cam_field_t *field, json_t *list,
    cam_value_t *value, cam_room_t *room, cam_problems_t *problems);
static int cam_fields_is_list(const cam_field_t *field, json_t *list,
    cam_problems_t *problems);
static const char *cam_fields_item_name(const cam_field_t *field);
static int cam_fields_item(const cam_field_t *field, json_t *item);
static int cam_fields_cidr(const char *text, size_t len);
static char *cam_fields_literal(char *p, const char *text, size_t len);


int
cam_fields_body(const cam_field_t *fields, json_t *body, cam_value_t *values,
    cam_room_t *room, cam_problems_t *problems)
{
    int          i;
    json_t      *json;
    const char  *name;

    if (!json_is_object(body)) {
        cam_fields_problem(problems, "body", 4, "must be an object");
        return -1;
    }

    json_object_foreach(body, name, json) {
        i = cam_fields_find(fields, name, strlen(name));

        if (i == -1) {
            cam_fields_problem(problems, name, strlen(name),
                               "is not a field of this request");
            continue;
        }

        values[i].given = 1;
        cam_fields_json(&fields[i], json, &values[i], room, problems);
    }

    cam_fields_rest(fields, values, problems);

    return problems->n ? -1 : 0;
}


static void
cam_fields_json(const cam_field_t *field, json_t *json, cam_value_t *value,
    cam_room_t *room, cam_problems_t *problems)
{
    if (json_is_null(json) && field->flags & CAM_FIELD_NULLABLE) {
        return;
    }

    switch (field->type) {

    case CAM_FIELD_BOOL:
        if (json_is_boolean(json)) {
            cam_fields_bool(json_is_true(json), value);
            return;
        }

        cam_fields_wrong(field, problems, "must be true or false");
        return;

    case CAM_FIELD_INT:
    case CAM_FIELD_LIMIT:
        if (json_is_integer(json)) {
            cam_fields_number(field, json_integer_value(json), value, room,
                              problems);
            return;
        }

        cam_fields_wrong(field, problems, "must be an integer");
        return;

    case CAM_FIELD_TEXTS:
    case CAM_FIELD_CIDRS:
    case CAM_FIELD_UUIDS:
        cam_fields_list(field, json, value, room, problems);
        return;

    case CAM_FIELD_OBJECTS:
        cam_fields_objects(field, json, value, room, problems);
        return;

    default:
        if (json_is_string(json)) {
            cam_fields_text(field, json_string_value(json),
                            json_string_length(json), value, problems);
            return;
        }

        cam_fields_wrong(field, problems, "must be a string");
        return;
    }
}


/* SQL's literal of an array: every item in quotes, so that none is NULL */

static void
cam_fields_list(const cam_field_t *field, json_t *list, cam_value_t *value,
    cam_room_t *room, cam_problems_t *problems)
{
    char    *p;
    size_t   i, size;
    json_t  *item;

    if (!cam_fields_is_list(field, list, problems)) {
        return;
    }

    size = 3;

    json_array_foreach(list, i, item) {

        if (cam_fields_item(field, item) != 0) {
            cam_fields_wrong(field, problems, "item %d is not %s", (int) i + 1,
                             cam_fields_item_name(field));
            return;
        }

        size += 2 * json_string_length(item) + 3;
    }

    p = cam_room_take(room, size);

    if (p == NULL) {
        cam_fields_wrong(field, problems, "is too long");
        return;
    }

    value->text = p;
    value->number = (int64_t) json_array_size(list);

    *p++ = '{';

    json_array_foreach(list, i, item) {
        if (i) {
            *p++ = ',';
        }

        p = cam_fields_literal(p, json_string_value(item),
                               json_string_length(item));
    }

    *p++ = '}';
    *p = '\0';

    value->len = (size_t) (p - value->text);
}


/* as it was sent, but for spaces */

static void
cam_fields_objects(const cam_field_t *field, json_t *list,
    cam_value_t *value, cam_room_t *room, cam_problems_t *problems)
{
    char        *p;
    size_t       i, len;
    json_t      *item;
    const char  *wrong;

    if (!cam_fields_is_list(field, list, problems)) {
        return;
    }

    json_array_foreach(list, i, item) {

        if (!json_is_object(item)) {
            cam_fields_wrong(field, problems, "item %d is not an object",
                             (int) i + 1);
            return;
        }
    }

    len = json_dumpb(list, NULL, 0, JSON_COMPACT);
    p = len ? cam_room_take(room, len + 1) : NULL;

    if (p == NULL || json_dumpb(list, p, len, JSON_COMPACT) != len) {
        cam_fields_wrong(field, problems, "is too long");
        return;
    }

    p[len] = '\0';

    value->text = p;
    value->len = len;
    value->number = (int64_t) json_array_size(list);

    wrong = field->check ? field->check(p, len) : NULL;

    if (wrong) {
        cam_fields_wrong(field, problems, "%s", wrong);
    }
}


static int
cam_fields_is_list(const cam_field_t *field, json_t *list,
    cam_problems_t *problems)
{
    int64_t  n;

    n = (int64_t) json_array_size(list);

    if (json_is_array(list) && n >= field->min && n <= field->max) {
        return 1;
    }

    cam_fields_wrong(field, problems, "must be a list of %d to %d items",
                     (int) field->min, (int) field->max);

    return 0;
}


static const char *
cam_fields_item_name(const cam_field_t *field)
{
    switch (field->type) {

    case CAM_FIELD_CIDRS:
        return "an address, or a network without bits behind its prefix";

    case CAM_FIELD_UUIDS:
        return "a UUID";

    default:
        return "a text";
    }
}


static int
cam_fields_item(const cam_field_t *field, json_t *item)
{
    size_t       len;
    ssize_t      n;
    uint8_t      uuid[CAM_UUID_LEN];
    const char  *text;

    if (!json_is_string(item)) {
        return -1;
    }

    text = json_string_value(item);
    len = json_string_length(item);

    if (field->type == CAM_FIELD_CIDRS) {
        return cam_fields_cidr(text, len);
    }

    if (field->type == CAM_FIELD_UUIDS) {
        return cam_uuid_parse(uuid, text, len);
    }

    n = cam_utf8_length(text, len);

    if (n < 1 || n > CAM_FIELD_ITEM_MAX || cam_utf8_has_control(text, len)) {
        return -1;
    }

    return field->check && field->check(text, len) ? -1 : 0;
}


/* as SQL's cidr has it: "10.0.0.1/8" is neither an address nor a network */

static int
cam_fields_cidr(const char *text, size_t len)
{
    cam_cidr_t   cidr, addr;
    const char  *slash;

    slash = memchr(text, '/', len);

    if (cam_cidr_parse(&cidr, text, len) != 0
        || cam_cidr_parse(&addr, text,
                          slash ? (size_t) (slash - text) : len)
           != 0)
    {
        return -1;
    }

    return memcmp(cidr.addr, addr.addr, sizeof(addr.addr)) == 0 ? 0 : -1;
}


static char *
cam_fields_literal(char *p, const char *text, size_t len)
{
    size_t  i;

    *p++ = '"';

    for (i = 0; i < len; i++) {

        if (text[i] == '"' || text[i] == '\\') {
            *p++ = '\\';
        }

        *p++ = text[i];
    }

    *p++ = '"';

    return p;
}
