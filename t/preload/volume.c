/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Preloaded, it makes a volume hang: whoever opens the directory $CAMERA_VOLUME
 * waits for as long as there is a file of that name with ".hangs" behind it.
 */

#define _GNU_SOURCE

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>


static char  volume[PATH_MAX];
static char  hangs[PATH_MAX + 8];


/* nginx writes its titles over the environment */

__attribute__((constructor))
static void
volume_name(void)
{
    const char  *name;

    name = getenv("CAMERA_VOLUME");

    if (name != NULL) {
        snprintf(volume, sizeof(volume), "%s", name);
        snprintf(hangs, sizeof(hangs), "%s.hangs", volume);
    }
}


static int
volume_open(const char *path, int flags, mode_t mode)
{
    struct timespec  ts;

    ts.tv_sec = 0;
    ts.tv_nsec = 10000000;

    while (strcmp(path, volume) == 0 && access(hangs, F_OK) == 0) {
        (void) nanosleep(&ts, NULL);
    }

    return (int) syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}


int
open(const char *path, int flags, ...)
{
    va_list  args;
    mode_t   mode;

    va_start(args, flags);
    mode = flags & (O_CREAT|O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);

    return volume_open(path, flags, mode);
}


int
open64(const char *path, int flags, ...)
{
    va_list  args;
    mode_t   mode;

    va_start(args, flags);
    mode = flags & (O_CREAT|O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);

    return volume_open(path, flags, mode);
}
