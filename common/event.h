/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Events that clients follow: what kinds there are, their ids, and the two
 * forms in which they come to a worker.
 *
 *   a notification of PostgreSQL   {"type":…,"tenantId":…,"cameraId":…,…}
 *   a message of Redis             TENANT ID {"type":…,"cameraId":…,…}
 *
 * An id is that of an entry in a stream of Redis, "1700000000000-0"; of two
 * events of a tenant the later one has the greater id.
 */

#ifndef CAM_EVENT_H
#define CAM_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "uuid.h"

#define CAM_EVENT_MAX       8192   /* bytes of an event's JSON */
#define CAM_EVENT_TYPES     13
#define CAM_EVENT_ALL       ((1u << CAM_EVENT_TYPES) - 1)
#define CAM_EVENT_ID_TEXT   41


typedef struct {
    uint64_t      msec;
    uint64_t      seq;
} cam_event_id_t;


typedef struct {
    unsigned      type;                    /* below CAM_EVENT_TYPES */
    char          tenant[CAM_UUID_TEXT + 1];
    uint8_t       camera[CAM_UUID_LEN];
    unsigned      of_camera:1;             /* or of none in particular */
    const char   *json;                    /* in one line, without a tenant */
    size_t        len;
} cam_event_t;


/* "stream.status" */
const char *cam_event_type_name(unsigned type);

/* the permission without which nobody may see it, CAM_PERMIT_... */
uint32_t cam_event_type_needs(unsigned type);

/* names separated by commas, as bits 1 << type; 0: one of them is none */
unsigned cam_event_types_parse(const char *text, size_t len);

/* 0, or -1: it is none */
int cam_event_id_parse(cam_event_id_t *id, const char *text, size_t len);

/* writes a NUL, too; answers the length */
size_t cam_event_id_print(char text[CAM_EVENT_ID_TEXT + 1],
    const cam_event_id_t *id);

/* as memcmp() does */
int cam_event_id_compare(const cam_event_id_t *one,
    const cam_event_id_t *other);

/* what the database said; the event's JSON is written to json.  0 or -1 */
int cam_event_notified(cam_event_t *event, const char *payload,
    char json[CAM_EVENT_MAX]);

/* what Redis said; the event's JSON lies in text.  0 or -1 */
int cam_event_message(cam_event_t *event, cam_event_id_t *id,
    const char *text, size_t len);

/* an event's JSON, as it is kept in Redis; tenant is left alone.  0 or -1 */
int cam_event_json(cam_event_t *event, const char *text, size_t len);


#endif /* CAM_EVENT_H */
