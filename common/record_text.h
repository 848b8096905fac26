/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The text of a playlist in memory of malloc() that grows.  Room is made before
 * lines are printed, and what has none is cut off.
 */

#ifndef CAM_RECORD_TEXT_H
#define CAM_RECORD_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define CAM_RECORD_TEXT_MAX    (16 << 20)
#define CAM_RECORD_LINES_MAX   1024     /* of one piece, or the head */


typedef struct {
    char       *data;
    size_t      len;
    size_t      cap;
} cam_record_text_t;


/* for the lines of one piece; 0, or -1 with errno, EFBIG: it is too long */
int cam_record_text_room(cam_record_text_t *t);

void cam_record_text_print(cam_record_text_t *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* EXT-X-PROGRAM-DATE-TIME; 0/-1 */
int cam_record_text_time(cam_record_text_t *t, int64_t msec);

/* what was printed, in no more memory than it takes */
char *cam_record_text_take(cam_record_text_t *t, size_t *len);


#endif /* CAM_RECORD_TEXT_H */
