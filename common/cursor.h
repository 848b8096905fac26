/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Where the next page of a list begins: behind a row, which its time and id
 * tell.  The text is opaque to clients.  It is bound to a tenant and a list by
 * a checksum, which is no secret: a forged one reaches nothing that its maker
 * could not list.
 */

#ifndef CAM_CURSOR_H
#define CAM_CURSOR_H

#include <stddef.h>
#include <stdint.h>

#include "uuid.h"

#define CAM_CURSOR_TEXT  43


typedef struct {
    int64_t  usec;                      /* since 2000, as PostgreSQL counts */
    uint8_t  id[CAM_UUID_LEN];
} cam_cursor_t;


/* writes CAM_CURSOR_TEXT characters and a NUL; list is the route's path */
void cam_cursor_print(char text[CAM_CURSOR_TEXT + 1],
    const cam_cursor_t *cursor, const uint8_t tenant[CAM_UUID_LEN],
    const char *list);

/* 0, or -1: it is none of this tenant and list */
int cam_cursor_parse(cam_cursor_t *cursor, const char *text, size_t len,
    const uint8_t tenant[CAM_UUID_LEN], const char *list);


#endif /* CAM_CURSOR_H */
