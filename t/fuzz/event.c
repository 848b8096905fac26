/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Fuzz target: what clients say who follow events, and what PostgreSQL and
 * Redis say of them.  An id that is read is the one that is written, and no
 * event breaks the line it is sent in.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "event_client.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
must(int promise)
{
    if (!promise) {
        abort();
    }
}


static void
id(const char *text, size_t len)
{
    char            again[CAM_EVENT_ID_TEXT + 1];
    size_t          n;
    cam_event_id_t  one, other;

    if (cam_event_id_parse(&one, text, len) == 0) {
        n = cam_event_id_print(again, &one);
        must(n <= len);
        must(cam_event_id_parse(&other, again, n) == 0);
        must(cam_event_id_compare(&one, &other) == 0);
    }
}


static void
event(const char *text, size_t len)
{
    char            json[CAM_EVENT_MAX];
    cam_event_t     one, other;
    cam_event_id_t  at;

    if (cam_event_message(&one, &at, text, len) == 0) {
        must(one.type < CAM_EVENT_TYPES && one.len <= CAM_EVENT_MAX);
        must(memchr(one.json, '\n', one.len) == NULL);
    }

    if (cam_event_notified(&one, text, json) == 0) {
        must(memchr(one.json, '\n', one.len) == NULL);
        must(cam_event_json(&other, one.json, one.len) == 0);
        must(other.type == one.type);
    }
}


static void
client(const char *text, size_t len)
{
    cam_event_client_t  one;

    if (cam_event_client_read(&one, text, len) == 0) {
        must(one.types != 0 && one.types <= CAM_EVENT_ALL);
        must(one.kind == CAM_EVENT_CLIENT_PING || one.token != NULL);
        cam_event_client_wipe(&one);
    }

    must(one.json == NULL);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char  *text;

    text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';

    id(text, size);
    (void) cam_event_types_parse(text, size);
    event(text, size);
    client(text, size);

    free(text);

    return 0;
}
