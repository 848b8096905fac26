/*
 * Copyright (C) The nginx camera platform authors
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "event.h"
#include "json_read.h"
#include "role.h"


static int cam_event_digits(uint64_t *n, const char *text, size_t len);
static int cam_event_type(const char *name, size_t len);
static int cam_event_is_event(json_t *json);
static void cam_event_camera(cam_event_t *event, json_t *json);
static int cam_event_tenant(cam_event_t *event, json_t *json);


static const struct {
    const char  *name;
    uint32_t     needs;
} cam_event_types[CAM_EVENT_TYPES] = {
    { "stream.status", CAM_PERMIT_CAMERAS_READ },
    { "camera.created", CAM_PERMIT_CAMERAS_READ },
    { "camera.updated", CAM_PERMIT_CAMERAS_READ },
    { "camera.deleted", CAM_PERMIT_CAMERAS_READ },
    { "recording.started", CAM_PERMIT_RECORDINGS_READ },
    { "recording.finished", CAM_PERMIT_RECORDINGS_READ },
    { "recording.gap", CAM_PERMIT_RECORDINGS_READ },
    { "recording.deleted", CAM_PERMIT_RECORDINGS_READ },
    { "alert.created", CAM_PERMIT_CAMERAS_READ },
    { "alert.updated", CAM_PERMIT_CAMERAS_READ },
    { "alert.acknowledged", CAM_PERMIT_CAMERAS_READ },
    { "export.progress", CAM_PERMIT_RECORDINGS_READ },
    { "export.finished", CAM_PERMIT_RECORDINGS_READ }
};


const char *
cam_event_type_name(unsigned type)
{
    return cam_event_types[type].name;
}


uint32_t
cam_event_type_needs(unsigned type)
{
    return cam_event_types[type].needs;
}


unsigned
cam_event_types_parse(const char *text, size_t len)
{
    int          type;
    unsigned     types;
    const char  *end, *comma;

    types = 0;
    end = text + len;

    for ( ;; ) {
        comma = memchr(text, ',', (size_t) (end - text));
        comma = comma ? comma : end;

        type = cam_event_type(text, (size_t) (comma - text));

        if (type == -1) {
            return 0;
        }

        types |= 1u << type;

        if (comma == end) {
            return types;
        }

        text = comma + 1;
    }
}


static int
cam_event_type(const char *name, size_t len)
{
    int  i;

    for (i = 0; i < CAM_EVENT_TYPES; i++) {

        if (strlen(cam_event_types[i].name) == len
            && memcmp(cam_event_types[i].name, name, len) == 0)
        {
            return i;
        }
    }

    return -1;
}


int
cam_event_id_parse(cam_event_id_t *id, const char *text, size_t len)
{
    size_t       n;
    const char  *dash;

    dash = memchr(text, '-', len);

    if (dash == NULL) {
        return -1;
    }

    n = (size_t) (dash - text);

    return cam_event_digits(&id->msec, text, n) == 0
           && cam_event_digits(&id->seq, dash + 1, len - n - 1) == 0
           ? 0 : -1;
}


/* one to twenty digits that fit */

static int
cam_event_digits(uint64_t *n, const char *text, size_t len)
{
    size_t    i;
    uint64_t  digit;

    *n = 0;

    if (len == 0 || len > 20) {
        return -1;
    }

    for (i = 0; i < len; i++) {
        digit = (uint64_t) (text[i] - '0');

        if (text[i] < '0' || text[i] > '9'
            || *n > (UINT64_MAX - digit) / 10)
        {
            return -1;
        }

        *n = *n * 10 + digit;
    }

    return 0;
}


size_t
cam_event_id_print(char text[CAM_EVENT_ID_TEXT + 1], const cam_event_id_t *id)
{
    return (size_t) snprintf(text, CAM_EVENT_ID_TEXT + 1,
                             "%" PRIu64 "-%" PRIu64, id->msec, id->seq);
}


int
cam_event_id_compare(const cam_event_id_t *one, const cam_event_id_t *other)
{
    if (one->msec != other->msec) {
        return one->msec < other->msec ? -1 : 1;
    }

    if (one->seq != other->seq) {
        return one->seq < other->seq ? -1 : 1;
    }

    return 0;
}


int
cam_event_notified(cam_event_t *event, const char *payload,
    char json[CAM_EVENT_MAX])
{
    int      type;
    char     err[128];
    json_t  *object;

    object = cam_json_read(payload, strlen(payload), err, sizeof(err));
    type = cam_event_is_event(object);

    if (type == -1 || cam_event_tenant(event, object) != 0) {
        json_decref(object);
        return -1;
    }

    event->type = (unsigned) type;
    event->json = json;
    cam_event_camera(event, object);

    (void) json_object_del(object, "tenantId");
    event->len = json_dumpb(object, json, CAM_EVENT_MAX, JSON_COMPACT);

    json_decref(object);

    return event->len && event->len <= CAM_EVENT_MAX ? 0 : -1;
}


static int
cam_event_tenant(cam_event_t *event, json_t *object)
{
    json_t   *tenant;
    uint8_t   uuid[CAM_UUID_LEN];

    tenant = json_object_get(object, "tenantId");

    if (!json_is_string(tenant)
        || cam_uuid_parse(uuid, json_string_value(tenant),
                          json_string_length(tenant))
           != 0)
    {
        return -1;
    }

    (void) cam_uuid_print(event->tenant, uuid);

    return 0;
}


/* its type, or -1: it is no event, or none that this version knows; what is
   about no camera in particular has a null */

static int
cam_event_is_event(json_t *json)
{
    json_t  *type, *camera;

    type = json_object_get(json, "type");
    camera = json_object_get(json, "cameraId");

    if (!json_is_string(type)
        || !(json_is_string(camera) || json_is_null(camera))
        || !json_is_string(json_object_get(json, "at"))
        || !json_is_object(json_object_get(json, "data")))
    {
        return -1;
    }

    return cam_event_type(json_string_value(type), json_string_length(type));
}


static void
cam_event_camera(cam_event_t *event, json_t *json)
{
    json_t  *camera;

    camera = json_object_get(json, "cameraId");

    event->of_camera = json_is_string(camera)
                       && cam_uuid_parse(event->camera,
                                         json_string_value(camera),
                                         json_string_length(camera))
                          == 0;
}


int
cam_event_message(cam_event_t *event, cam_event_id_t *id, const char *text,
    size_t len)
{
    uint8_t      uuid[CAM_UUID_LEN];
    const char  *p, *space, *end;

    end = text + len;

    if (len < CAM_UUID_TEXT + 1 || text[CAM_UUID_TEXT] != ' '
        || cam_uuid_parse(uuid, text, CAM_UUID_TEXT) != 0)
    {
        return -1;
    }

    p = text + CAM_UUID_TEXT + 1;
    space = memchr(p, ' ', (size_t) (end - p));

    if (space == NULL
        || cam_event_id_parse(id, p, (size_t) (space - p)) != 0)
    {
        return -1;
    }

    (void) cam_uuid_print(event->tenant, uuid);

    p = space + 1;

    return cam_event_json(event, p, (size_t) (end - p));
}


/* a line break would end a line of what clients are sent */

int
cam_event_json(cam_event_t *event, const char *text, size_t len)
{
    int      type;
    char     err[128];
    json_t  *json;

    if (len > CAM_EVENT_MAX || memchr(text, '\n', len)
        || memchr(text, '\r', len))
    {
        return -1;
    }

    json = cam_json_read(text, len, err, sizeof(err));
    type = cam_event_is_event(json);

    if (json_object_get(json, "tenantId")) {
        type = -1;
    }

    if (type != -1) {
        cam_event_camera(event, json);
    }

    json_decref(json);

    if (type == -1) {
        return -1;
    }

    event->type = (unsigned) type;
    event->json = text;
    event->len = len;

    return 0;
}
