/*
 * Copyright (C) The nginx camera platform authors
 */

/* The text of a playlist, see record_text.h. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "record_text.h"


#define CAM_RECORD_TEXT_STEP  16384


int
cam_record_text_room(cam_record_text_t *t)
{
    char    *data;
    size_t   cap;

    if (t->cap - t->len >= CAM_RECORD_LINES_MAX) {
        return 0;
    }

    cap = t->cap ? t->cap * 2 : CAM_RECORD_TEXT_STEP;

    if (cap > CAM_RECORD_TEXT_MAX) {
        errno = EFBIG;
        return -1;
    }

    data = realloc(t->data, cap);

    if (data == NULL) {
        return -1;
    }

    t->data = data;
    t->cap = cap;

    return 0;
}


void
cam_record_text_print(cam_record_text_t *t, const char *format, ...)
{
    int      n;
    va_list  args;

    va_start(args, format);
    n = vsnprintf(t->data + t->len, t->cap - t->len, format, args);
    va_end(args);

    if (n > 0) {
        t->len += (size_t) n < t->cap - t->len ? (size_t) n
                                               : t->cap - t->len - 1;
    }
}


int
cam_record_text_time(cam_record_text_t *t, int64_t msec)
{
    time_t     sec;
    struct tm  tm;

    sec = msec / 1000;

    if (gmtime_r(&sec, &tm) == NULL) {
        return -1;
    }

    cam_record_text_print(t, "#EXT-X-PROGRAM-DATE-TIME:"
                          "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\n",
                          tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                          tm.tm_hour, tm.tm_min, tm.tm_sec,
                          (int) (msec % 1000));

    return 0;
}


char *
cam_record_text_take(cam_record_text_t *t, size_t *len)
{
    char  *data;

    *len = t->len;
    data = t->len ? realloc(t->data, t->len) : NULL;

    return data ? data : t->data;
}
