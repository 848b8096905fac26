/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A worker of nginx that hangs keeps its cameras, and nginx's master, which
 * waits for deaths only, does not see it.  So its heartbeats are watched here.
 *
 * Time is measured by our own looks, not by what stands in the file: a beat
 * that did not change over five seconds of looks, none of them late, is that
 * of a hung worker.  When we were stopped ourselves, so was perhaps the whole
 * machine, and counting begins anew.
 *
 * Usually the master of camera-worker looks.  Where it cannot see nginx's
 * processes, in containers, a process that does nothing else looks from where
 * they are [cw_probe_run()].
 */

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "count.h"
#include "log.h"
#include "probe.h"

#define CW_PROBE_LOOK_MSEC   1000
#define CW_PROBE_LATE_MSEC   2000
#define CW_PROBE_HUNG_MSEC   5000


static int cw_probe_read(cw_probe_t *probe, int shmfd,
    cam_heartbeat_slot_t *slot);
static int cw_probe_is_hung(cw_probe_worker_t *w,
    const cam_heartbeat_slot_t *slot, int64_t now_msec);
static void cw_probe_kill(cw_probe_t *probe, cw_probe_worker_t *w,
    int64_t now_msec);


int
cw_probe_run(int shmfd)
{
    int              signo;
    sigset_t         signals;
    cw_probe_t       probe;
    struct timespec  ts = { CW_PROBE_LOOK_MSEC / 1000, 0 };

    memset(&probe, 0, sizeof(cw_probe_t));

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGQUIT);
    (void) sigprocmask(SIG_BLOCK, &signals, NULL);

    do {
        cw_probe_look(&probe, shmfd, cam_clock_monotonic_msec());
        signo = sigtimedwait(&signals, NULL, &ts);

    } while (signo == -1);

    return 0;
}


void
cw_probe_look(cw_probe_t *probe, int shmfd, int64_t now_msec)
{
    int                    i;
    cam_heartbeat_slot_t   slot[CAM_HEARTBEAT_SLOTS];

    if (probe->looked_msec && now_msec - probe->looked_msec
                              < CW_PROBE_LOOK_MSEC)
    {
        return;
    }

    if (now_msec - probe->looked_msec > CW_PROBE_LATE_MSEC) {
        memset(probe->worker, 0, sizeof(probe->worker));
    }

    probe->looked_msec = now_msec;

    if (cw_probe_read(probe, shmfd, slot) == -1) {
        memset(probe->worker, 0, sizeof(probe->worker));
        return;
    }

    for (i = 0; i < CAM_HEARTBEAT_SLOTS; i++) {
        if (cw_probe_is_hung(&probe->worker[i], &slot[i], now_msec)) {
            cw_probe_kill(probe, &probe->worker[i], now_msec);
        }
    }
}


static int
cw_probe_read(cw_probe_t *probe, int shmfd, cam_heartbeat_slot_t *slot)
{
    if (cam_heartbeat_read(shmfd, slot) == 0) {
        probe->failed = 0;
        return 0;
    }

    /* without workers, there are no heartbeats */

    if (errno != ENOENT && !probe->failed) {
        cw_log(CW_LOG_WARN, errno, "cam_heartbeat_read() failed, "
               "nginx's workers are not watched");
        probe->failed = 1;
    }

    return -1;
}


static int
cw_probe_is_hung(cw_probe_worker_t *w, const cam_heartbeat_slot_t *slot,
    int64_t now_msec)
{
    if (slot->owner == 0 || slot->owner != w->last.owner
        || slot->beat_msec != w->last.beat_msec)
    {
        w->last = *slot;
        w->since_msec = now_msec;
    }

    return slot->owner != 0 && now_msec - w->since_msec >= CW_PROBE_HUNG_MSEC;
}


static void
cw_probe_kill(cw_probe_t *probe, cw_probe_worker_t *w, int64_t now_msec)
{
    pid_t    pid;
    int64_t  silent;

    pid = cam_heartbeat_pid(w->last.owner);

    /* died without a word, or lives where we cannot see it */

    if (cam_heartbeat_owner(pid) != w->last.owner) {
        return;
    }

    silent = now_msec - w->since_msec;
    w->since_msec = now_msec;                   /* not again at each look */

    if (kill(pid, SIGKILL) == 0) {
        cw_count(CAM_METRIC_PROBE_KILLS, 1);
        cw_log(CW_LOG_ALERT, 0, "nginx worker %d did nothing for %" PRId64
               " ms, killed it", (int) pid, silent);
        return;
    }

    if (errno == EPERM && !probe->refused) {
        cw_log(CW_LOG_ALERT, errno, "cannot kill nginx worker %d, which did "
               "nothing for %" PRId64 " ms: start camera-worker as the "
               "\"user\" of nginx", (int) pid, silent);
        probe->refused = 1;
    }
}
