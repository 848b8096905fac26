/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Writes JSON values as text.  Each function writes one value at p and answers
 * its end; the caller has seen to the room, which the macros tell.
 */

#ifndef CAM_JSON_WRITE_H
#define CAM_JSON_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "uuid.h"

#define CAM_JSON_STRING_MAX(len)  (6 * (len) + 2)
#define CAM_JSON_INT_MAX          20
#define CAM_JSON_DOUBLE_MAX       32
#define CAM_JSON_UUID_MAX         (CAM_UUID_TEXT + 2)
#define CAM_JSON_TIME_MAX         32

#define CAM_JSON_EPOCH_2000_MSEC  946684800000LL  /* PostgreSQL's, Unix ms */


/* text is UTF-8 already; quotes and escapes are added */
char *cam_json_string(char *p, const char *text, size_t len);

char *cam_json_int(char *p, int64_t value);

/* null when it is no number of JSON's */
char *cam_json_double(char *p, double value);

char *cam_json_uuid(char *p, const uint8_t uuid[CAM_UUID_LEN]);

/* "2026-01-01T00:00:00.000Z"; Unix milliseconds of the years 1 to 9999,
   null for others, which are SQL's infinities */
char *cam_json_time(char *p, int64_t msec);


#endif /* CAM_JSON_WRITE_H */
