/*
 * Copyright (C) The nginx camera platform authors
 */

/* The two clocks of the platform, in milliseconds. */

#ifndef CAM_CLOCK_H
#define CAM_CLOCK_H

#include <stdint.h>
#include <time.h>


/* since boot, shared by all processes of the machine, never set */
static inline int64_t
cam_clock_monotonic_msec(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


/* since 1970-01-01T00:00:00Z; may be set back or forth at any moment */
static inline int64_t
cam_clock_wall_msec(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


#endif /* CAM_CLOCK_H */
