/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What a client that follows events by WebSocket may say:
 *
 *   {"type":"auth","accessToken":…,"lastEventId":…,"types":[…]}
 *   {"type":"ping"}
 *
 * Anything else, a field more included, is refused.
 */

#ifndef CAM_EVENT_CLIENT_H
#define CAM_EVENT_CLIENT_H

#include <jansson.h>

#include "event.h"


typedef enum {
    CAM_EVENT_CLIENT_AUTH = 0,
    CAM_EVENT_CLIENT_PING
} cam_event_client_kind_e;


typedef struct {
    cam_event_client_kind_e   kind;
    const char               *token;
    size_t                    token_len;
    cam_event_id_t            last;
    unsigned                  resumes;       /* it named one */
    unsigned                  types;
    json_t                   *json;          /* what token points into */
} cam_event_client_t;


/* 0, and cam_event_client_wipe() when it was used; or -1 */
int cam_event_client_read(cam_event_client_t *client, const char *text,
    size_t len);
void cam_event_client_wipe(cam_event_client_t *client);


#endif /* CAM_EVENT_CLIENT_H */
