/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * One line per event on stderr:
 *
 *     2026-11-21T05:40:01.123Z camera-worker[package/0] warn: text
 *
 * A line is one write, so that lines of several children never mix.
 */

#ifndef CW_LOG_H
#define CW_LOG_H

#include <stdint.h>

typedef enum {
    CW_LOG_ALERT = 0,            /* a bug of ours, or a camera shut out */
    CW_LOG_CRIT,                 /* the system */
    CW_LOG_WARN,
    CW_LOG_INFO,
    CW_LOG_DEBUG
} cw_log_level_e;


/* 0, or -1: no such level */
int cw_log_set_level(const char *name);

/* "master", "package/0"; also routes libav's messages here */
void cw_log_set_name(const char *name);

/* the camera that is being worked on goes with each line; NULL ends that */
void cw_log_set_camera(const uint8_t *camera);

/* err is an errno, or 0 */
void cw_log(cw_log_level_e level, int err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));


#endif /* CW_LOG_H */
