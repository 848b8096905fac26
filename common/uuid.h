/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * UUIDs as 16 bytes in network order; text is the 36-character lower-case
 * form of RFC 9562 section 4.
 */

#ifndef CAM_UUID_H
#define CAM_UUID_H

#include <stddef.h>
#include <stdint.h>

#define CAM_UUID_LEN   16
#define CAM_UUID_TEXT  36


/* text need not end in a NUL; 0, or -1 when it is not exactly a UUID */
int cam_uuid_parse(uint8_t uuid[CAM_UUID_LEN], const char *text, size_t len);

/* writes 36 characters and a NUL; answers text */
char *cam_uuid_print(char text[CAM_UUID_TEXT + 1],
    const uint8_t uuid[CAM_UUID_LEN]);


#endif /* CAM_UUID_H */
