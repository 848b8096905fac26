/*
 * Copyright (C) The nginx camera platform authors
 */

#include <string.h>

#include "event_client.h"
#include "json_read.h"


static int cam_event_client_auth(cam_event_client_t *client);
static int cam_event_client_place(cam_event_client_t *client, json_t *id);
static int cam_event_client_types(cam_event_client_t *client, json_t *types);


int
cam_event_client_read(cam_event_client_t *client, const char *text, size_t len)
{
    int          rc;
    char         err[128];
    const char  *type;

    memset(client, 0, sizeof(cam_event_client_t));

    client->json = cam_json_read(text, len, err, sizeof(err));
    client->types = CAM_EVENT_ALL;

    type = json_string_value(json_object_get(client->json, "type"));
    rc = -1;

    if (type && strcmp(type, "ping") == 0) {
        client->kind = CAM_EVENT_CLIENT_PING;
        rc = json_object_size(client->json) == 1 ? 0 : -1;

    } else if (type && strcmp(type, "auth") == 0) {
        client->kind = CAM_EVENT_CLIENT_AUTH;
        rc = cam_event_client_auth(client);
    }

    if (rc != 0) {
        cam_event_client_wipe(client);
    }

    return rc;
}


void
cam_event_client_wipe(cam_event_client_t *client)
{
    cam_json_wipe(client->json);
    client->json = NULL;
}


static int
cam_event_client_auth(cam_event_client_t *client)
{
    json_t      *token, *value;
    const char  *name;

    json_object_foreach(client->json, name, value) {

        if (strcmp(name, "lastEventId") == 0) {

            if (cam_event_client_place(client, value) != 0) {
                return -1;
            }

        } else if (strcmp(name, "types") == 0) {

            if (cam_event_client_types(client, value) != 0) {
                return -1;
            }

        } else if (strcmp(name, "type") != 0
                   && strcmp(name, "accessToken") != 0)
        {
            return -1;
        }
    }

    token = json_object_get(client->json, "accessToken");

    client->token = json_string_value(token);
    client->token_len = json_string_length(token);

    return client->token ? 0 : -1;
}


static int
cam_event_client_place(cam_event_client_t *client, json_t *id)
{
    if (!json_is_string(id)) {
        return -1;
    }

    client->resumes = 1;

    return cam_event_id_parse(&client->last, json_string_value(id),
                              json_string_length(id));
}


static int
cam_event_client_types(cam_event_client_t *client, json_t *types)
{
    size_t     i;
    json_t    *name;
    unsigned   type;

    client->types = 0;

    json_array_foreach(types, i, name) {
        type = 0;

        if (json_is_string(name)
            && memchr(json_string_value(name), ',', json_string_length(name))
               == NULL)
        {
            type = cam_event_types_parse(json_string_value(name),
                                         json_string_length(name));
        }

        if (type == 0) {
            return -1;
        }

        client->types |= type;
    }

    return client->types ? 0 : -1;
}
