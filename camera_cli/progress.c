/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * How far a long command is: one line that changes on a terminal, elsewhere a
 * line each ten seconds.  What is done within a second says nothing.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fsck.h"

#define CLI_PROGRESS_FIRST_MSEC     1000
#define CLI_PROGRESS_TERMINAL_MSEC  200
#define CLI_PROGRESS_LINE_MSEC      10000


static void cli_progress_show(cli_progress_t *p, int64_t now);


void
cli_progress_start(cli_progress_t *p, const char *unit)
{
    memset(p, 0, sizeof(cli_progress_t));
    p->unit = unit;
    p->terminal = isatty(STDERR_FILENO);
    p->start_msec = cam_clock_monotonic_msec();
    p->next_msec = p->start_msec + (p->terminal ? CLI_PROGRESS_FIRST_MSEC
                                                : CLI_PROGRESS_LINE_MSEC);
}


void
cli_progress(cli_progress_t *p, uint64_t more)
{
    int64_t  now;

    p->done += more;
    now = cam_clock_monotonic_msec();

    if (now < p->next_msec) {
        return;
    }

    p->next_msec = now + (p->terminal ? CLI_PROGRESS_TERMINAL_MSEC
                                      : CLI_PROGRESS_LINE_MSEC);
    cli_progress_show(p, now);
}


static void
cli_progress_show(cli_progress_t *p, int64_t now)
{
    char     left[32];
    double   rate;
    int64_t  percent;

    /* a recorder adds to what was counted */

    if (p->total < p->done) {
        p->total = p->done;
    }

    percent = p->total ? (int64_t) (p->done * 100 / p->total) : 0;
    rate = (double) p->done * 1000 / (double) (now - p->start_msec);

    strcpy(left, "?");

    if (rate > 0) {
        cli_ago(left, (int64_t) ((double) (p->total - p->done) / rate + 0.5));
    }

    fprintf(stderr, "%s%3" PRId64 " %%, %" PRIu64 " of %" PRIu64 " %s, "
            "%.0f a second, %s left%s", p->terminal ? "\r" : "camera: ",
            percent, p->done, p->total, p->unit, rate, left,
            p->terminal ? "\033[K" : "\n");
    fflush(stderr);
    p->shown = 1;
}


void
cli_progress_end(cli_progress_t *p)
{
    if (p->terminal && p->shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
}
