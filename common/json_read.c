/*
 * Copyright (C) The nginx camera platform authors
 */

#include <stdio.h>
#include <string.h>

#include "json_read.h"


static const char *cam_json_weigh(const char *text, size_t len,
    unsigned most_names, unsigned most_items);
static const char *cam_json_skip_string(const char *p, const char *end);
static void cam_json_wipe_texts(json_t *json);


json_t *
cam_json_read(const char *text, size_t len, char *err, size_t size)
{
    return cam_json_read_within(text, len, CAM_JSON_NAMES_MAX,
                                CAM_JSON_ITEMS_MAX, err, size);
}


json_t *
cam_json_read_within(const char *text, size_t len, unsigned names,
    unsigned items, char *err, size_t size)
{
    json_t        *json;
    const char    *heavy;
    json_error_t   error;

    heavy = cam_json_weigh(text, len, names, items);

    if (heavy) {
        (void) snprintf(err, size, "%s", heavy);
        return NULL;
    }

    json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);

    if (json == NULL) {

        /* the library's own text quotes what it read, passwords included */

        (void) snprintf(err, size, json_error_code(&error)
                                   == json_error_duplicate_key
                                   ? "has a name twice in line %d, column %d"
                                   : "is no JSON in line %d, column %d",
                        error.line, error.column);
    }

    return json;
}


static const char *
cam_json_weigh(const char *text, size_t len, unsigned most_names,
    unsigned most_items)
{
    unsigned     depth, names, items;
    const char  *p, *end;

    depth = 0;
    names = 0;
    items = 0;
    end = text + len;

    for (p = text; p < end; p++) {

        switch (*p) {

        case '"':
            p = cam_json_skip_string(p + 1, end);
            break;

        case '{':
        case '[':
            if (++depth > CAM_JSON_DEPTH_MAX) {
                return "is nested too deep";
            }

            break;

        case '}':
        case ']':
            depth -= depth > 0;
            break;

        case ':':
            if (++names > most_names) {
                return "has too many names";
            }

            break;

        case ',':
            if (++items > most_items) {
                return "has too many items";
            }

            break;
        }
    }

    return NULL;
}


/* the closing quote, or the end */

static const char *
cam_json_skip_string(const char *p, const char *end)
{
    for ( /* void */ ; p < end && *p != '"'; p++) {
        p += *p == '\\';
    }

    return p;
}


const char *
cam_json_check_list(const char *text, size_t len,
    const char *(*check)(json_t *item))
{
    char         err[128];
    size_t       i;
    json_t      *list, *item;
    const char  *wrong;

    list = cam_json_read(text, len, err, sizeof(err));

    if (!json_is_array(list)) {
        json_decref(list);
        return "must be a list";
    }

    wrong = NULL;

    json_array_foreach(list, i, item) {
        wrong = wrong ? wrong : check(item);
    }

    json_decref(list);

    return wrong;
}


void
cam_json_wipe(json_t *json)
{
    if (json) {
        cam_json_wipe_texts(json);
        json_decref(json);
    }
}


/* as deep as cam_json_read() lets it be */

static void
cam_json_wipe_texts(json_t *json)
{
    size_t       i;
    json_t      *item;
    const char  *name;

    switch (json_typeof(json)) {

    case JSON_STRING:
        explicit_bzero((char *) json_string_value(json),
                       json_string_length(json));
        break;

    case JSON_ARRAY:
        json_array_foreach(json, i, item) {
            cam_json_wipe_texts(item);
        }

        break;

    case JSON_OBJECT:
        json_object_foreach(json, name, item) {
            cam_json_wipe_texts(item);
        }

        break;

    default:
        break;
    }
}
