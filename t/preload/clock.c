/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Preloaded, it sets a process's wall clock forth and back: by the first word
 * of the file $CAMERA_CLOCK, milliseconds, at any moment.  The second word says
 * whether the kernel calls its clock synchronised.  Monotonic clocks go on.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define WORDS  3


static volatile int64_t  *words;
static int64_t            begun;         /* monotonic, ns */


static void __attribute__((constructor))
map(void)
{
    int              fd;
    const char      *file;
    struct timespec  ts;

    file = getenv("CAMERA_CLOCK");
    fd = file ? open(file, O_RDONLY|O_CLOEXEC) : -1;

    if (fd != -1) {
        words = mmap(NULL, WORDS * sizeof(int64_t), PROT_READ, MAP_SHARED, fd,
                     0);
        words = words == MAP_FAILED ? NULL : words;
        (void) close(fd);

        (void) syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
        begun = ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
    }
}


int
clock_gettime(clockid_t id, struct timespec *ts)
{
    int      rc;
    int64_t  nsec;

    rc = syscall(SYS_clock_gettime, id, ts);

    if (rc != 0 || words == NULL) {
        return rc;
    }

    nsec = ts->tv_sec * INT64_C(1000000000) + ts->tv_nsec;

    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) {
        nsec += words[0] * 1000000;

    } else if (id == CLOCK_MONOTONIC && words[2]) {
        nsec = begun + (nsec - begun) * words[2];
    }

    ts->tv_sec = nsec / 1000000000;
    ts->tv_nsec = nsec % 1000000000;

    return 0;
}


int
gettimeofday(struct timeval *tv, void *tz)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);
    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec / 1000;

    return 0;
}


time_t
time(time_t *t)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    if (t) {
        *t = ts.tv_sec;
    }

    return ts.tv_sec;
}


int
adjtimex(struct timex *tx)
{
    memset(tx, 0, sizeof(struct timex));

    if (words && words[1]) {
        return TIME_OK;
    }

    tx->status = STA_UNSYNC;

    return TIME_ERROR;
}
