/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What time retention may believe.  The wall clock may be set to anything at
 * any moment, and a recording of yesterday must not become one of last year
 * by that.  So the wall clock is held against the time since boot, which
 * nobody can set: what is ahead by more than ten minutes of a moment both
 * agreed on, plus the time that has passed since, is not believed.
 *
 * Until it is, age is counted by the time that is explained: nothing goes
 * earlier than it would have without the jump.
 */

#ifndef CW_JOBS_CLOCK_H
#define CW_JOBS_CLOCK_H

#include <stdint.h>

#define CW_JOBS_CLOCK_JUMP_MSEC  600000
#define CW_JOBS_CLOCK_BOOT_ID    37          /* with its NUL */


/* the clocks at one moment */
typedef struct {
    int64_t   wall_msec;
    int64_t   boot_msec;         /* since boot, sleep included */
    int       synchronised;      /* the kernel says so: NTP or the like */
} cw_jobs_clock_now_t;


/* the last moment at which the wall clock was believed */
typedef struct {
    int64_t   wall_msec;
    int64_t   boot_msec;
    int64_t   ahead_msec;        /* not believed, by so much; 0: believed */
} cw_jobs_clock_t;


void cw_jobs_clock_read(cw_jobs_clock_now_t *now);

/* of this boot of the machine; "" when that is not known */
const char *cw_jobs_clock_boot_id(char id[CW_JOBS_CLOCK_BOOT_ID]);

/* nothing is known of the past */
void cw_jobs_clock_start(cw_jobs_clock_t *clock,
    const cw_jobs_clock_now_t *now);

/*
 * What an earlier process believed.  After another boot it is known only
 * that the time since that one has passed, too: seen_boot_msec is 0 then.
 */
void cw_jobs_clock_resume(cw_jobs_clock_t *clock, int64_t seen_wall_msec,
    int64_t seen_boot_msec);

/* answers the time by which age may be counted */
int64_t cw_jobs_clock_judge(cw_jobs_clock_t *clock,
    const cw_jobs_clock_now_t *now);


#endif /* CW_JOBS_CLOCK_H */
