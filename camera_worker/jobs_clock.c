/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A kernel whose clock was set by hand calls it unsynchronised until a time
 * service has taken it up again, so a synchronised clock is believed whatever
 * it says.
 *
 * A clock that went back is not believed either, in a sense: the moment of
 * agreement stays, so that the way forth again is no jump.  Age is then
 * counted by the clock, for it is the smaller one.
 */

#include <fcntl.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "jobs_clock.h"


void
cw_jobs_clock_read(cw_jobs_clock_now_t *now)
{
    int              state;
    struct timex     tx;
    struct timespec  ts;

    clock_gettime(CLOCK_BOOTTIME, &ts);

    now->boot_msec = (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
    now->wall_msec = cam_clock_wall_msec();

    memset(&tx, 0, sizeof(struct timex));

    state = adjtimex(&tx);

    now->synchronised = state != -1 && state != TIME_ERROR
                        && !(tx.status & STA_UNSYNC);
}


const char *
cw_jobs_clock_boot_id(char id[CW_JOBS_CLOCK_BOOT_ID])
{
    int      fd;
    ssize_t  n;

    n = 0;
    fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY|O_CLOEXEC);

    if (fd != -1) {
        n = read(fd, id, CW_JOBS_CLOCK_BOOT_ID - 1);
        (void) close(fd);
    }

    id[n == CW_JOBS_CLOCK_BOOT_ID - 1 ? n : 0] = '\0';

    return id;
}


void
cw_jobs_clock_start(cw_jobs_clock_t *clock, const cw_jobs_clock_now_t *now)
{
    clock->wall_msec = now->wall_msec;
    clock->boot_msec = now->boot_msec;
    clock->ahead_msec = 0;
}


void
cw_jobs_clock_resume(cw_jobs_clock_t *clock, int64_t seen_wall_msec,
    int64_t seen_boot_msec)
{
    clock->wall_msec = seen_wall_msec;
    clock->boot_msec = seen_boot_msec;
    clock->ahead_msec = 0;
}


int64_t
cw_jobs_clock_judge(cw_jobs_clock_t *clock, const cw_jobs_clock_now_t *now)
{
    int64_t  explained, ahead;

    explained = clock->wall_msec + now->boot_msec - clock->boot_msec;
    ahead = now->wall_msec - explained;

    if (now->synchronised
        || (ahead <= CW_JOBS_CLOCK_JUMP_MSEC
            && ahead >= -CW_JOBS_CLOCK_JUMP_MSEC))
    {
        cw_jobs_clock_start(clock, now);
        return now->wall_msec;
    }

    clock->ahead_msec = ahead > 0 ? ahead : 0;

    return ahead > 0 ? explained : now->wall_msec;
}
