/*
 * Copyright (C) The nginx camera platform authors
 */

/* Looks every few seconds whether the file that is mapped is still the one. */

#include <errno.h>

#include "log.h"
#include "roster.h"

#define CW_ROSTER_CHECK_MSEC  5000
#define CW_ROSTER_SAY_MSEC    60000


int
cw_roster_open(cw_roster_t *roster, const cw_worker_t *worker,
    int64_t now_msec)
{
    cam_registry_info_t  info;

    if (fstatat(worker->shm_fd, "registry", &roster->stat, 0) == -1) {
        return -1;
    }

    roster->registry = cam_registry_open(worker->shm, 0, 0);

    if (roster->registry == NULL) {

        if (roster->check_msec < now_msec) {
            cw_log(CW_LOG_CRIT, errno, "cam_registry_open(\"%s\") failed",
                   worker->shm);
            roster->check_msec = now_msec + CW_ROSTER_SAY_MSEC;
        }

        return -1;
    }

    cam_registry_info(roster->registry, &info);

    roster->slots = info.capacity;
    roster->check_msec = now_msec + CW_ROSTER_CHECK_MSEC;

    return 0;
}


int
cw_roster_is_ours(cw_roster_t *roster, const cw_worker_t *worker,
    int64_t now_msec)
{
    struct stat  st;

    if (now_msec < roster->check_msec) {
        return 1;
    }

    roster->check_msec = now_msec + CW_ROSTER_CHECK_MSEC;

    if (fstatat(worker->shm_fd, "registry", &st, 0) == -1
        || (st.st_ino == roster->stat.st_ino
            && st.st_dev == roster->stat.st_dev))
    {
        return 1;
    }

    cw_log(CW_LOG_INFO, 0, "the registry was replaced, starting anew");

    return 0;
}


void
cw_roster_close(cw_roster_t *roster)
{
    if (roster->registry != NULL) {
        cam_registry_close(roster->registry);
        roster->registry = NULL;
    }
}
