/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The log: a line is put together in one buffer and written by one call.
 * Messages of libav come by its callback, a few of them in a second.
 */

#include <errno.h>
#include <libavutil/log.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "uuid.h"

#define CW_LOG_LINE      1024
#define CW_LOG_AV_LINES  5        /* of libav's, in one second */


static void cw_log_line(cw_log_level_e level, int err, const char *fmt,
    va_list args);
static void cw_log_av(void *ctx, int level, const char *fmt, va_list args);


static const char *const  cw_log_levels[] = {
    "alert", "crit", "warn", "info", "debug"
};

static cw_log_level_e   cw_log_level = CW_LOG_INFO;
static char             cw_log_name[32] = "main";
static const uint8_t   *cw_log_camera;


int
cw_log_set_level(const char *name)
{
    unsigned  i;

    for (i = 0; i < sizeof(cw_log_levels) / sizeof(cw_log_levels[0]); i++) {

        if (strcmp(name, cw_log_levels[i]) == 0) {
            cw_log_level = i;
            return 0;
        }
    }

    return -1;
}


void
cw_log_set_name(const char *name)
{
    snprintf(cw_log_name, sizeof(cw_log_name), "%s", name);
    av_log_set_callback(cw_log_av);
}


void
cw_log_set_camera(const uint8_t *camera)
{
    cw_log_camera = camera;
}


void
cw_log(cw_log_level_e level, int err, const char *fmt, ...)
{
    va_list  args;

    if (level > cw_log_level) {
        return;
    }

    va_start(args, fmt);
    cw_log_line(level, err, fmt, args);
    va_end(args);
}


static void
cw_log_line(cw_log_level_e level, int err, const char *fmt, va_list args)
{
    int              n;
    char             line[CW_LOG_LINE], camera[CAM_UUID_TEXT + 1];
    struct tm        tm;
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);

    n = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &tm);
    n += snprintf(line + n, sizeof(line) - n, ".%03ldZ camera-worker[%s] %s: ",
                  ts.tv_nsec / 1000000, cw_log_name, cw_log_levels[level]);

    if (cw_log_camera != NULL) {
        n += snprintf(line + n, sizeof(line) - n, "camera %s: ",
                      cam_uuid_print(camera, cw_log_camera));
    }

    n += vsnprintf(line + n, sizeof(line) - n, fmt, args);

    if (err != 0 && n < CW_LOG_LINE - 1) {
        n += snprintf(line + n, sizeof(line) - n, " (%d: %s)", err,
                      strerror(err));
    }

    if (n > CW_LOG_LINE - 1) {
        n = CW_LOG_LINE - 1;
    }

    line[n++] = '\n';

    /* nobody is left to be told when this fails */

    if (write(STDERR_FILENO, line, n) < 0) {
        return;
    }
}


/* a bad stream makes libav repeat itself per packet: a few lines tell all */

static void
cw_log_av(void *ctx, int level, const char *fmt, va_list args)
{
    char    text[256];
    size_t  n;
    time_t  now;

    static time_t  second;
    static int     lines;

    if (level > AV_LOG_WARNING) {
        return;
    }

    now = time(NULL);

    if (now != second) {
        second = now;
        lines = 0;
    }

    if (++lines > CW_LOG_AV_LINES) {
        return;
    }

    vsnprintf(text, sizeof(text), fmt, args);

    n = strlen(text);

    if (n > 0 && text[n - 1] == '\n') {
        text[n - 1] = '\0';
    }

    cw_log(CW_LOG_WARN, 0, "libav: %s", text);
}
