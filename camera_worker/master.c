/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The master: starts the children of each role, restarts those that die, tells
 * the world that it lives, looks after nginx's workers, and touches no media.
 *
 * A child that has not ticked for ten seconds, a minute where it waits for
 * disks or the database, is killed and restarted like one that crashed.  A
 * restart is immediate, then twice as late each time, up to two seconds, until
 * the child has lived for ten.  Children die with the master, however that dies
 * (PR_SET_PDEATHSIG).
 */

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "count.h"
#include "log.h"
#include "probe.h"
#include "worker.h"

#define CW_MASTER_BEAT_MSEC     1000
#define CW_MASTER_HUNG_MSEC     10000
#define CW_MASTER_SLOW_MSEC     60000    /* where disks and databases are */
#define CW_MASTER_STABLE_MSEC   10000
#define CW_MASTER_DELAY_MSEC    50       /* of the second restart */
#define CW_MASTER_DELAY_MAX     2000
#define CW_MASTER_STOP_MSEC     3000     /* then they are killed */

#define CW_MASTER_CHILDREN      (CW_CHILDREN_MAX + CAM_RECORD_VOLUMES + 8)


typedef int (*cw_master_run_pt)(cw_worker_t *worker, int child);


typedef struct {
    const char        *name;
    cw_master_run_pt   run;
    int              (*count)(const cw_worker_t *worker);
    size_t             blame;            /* where in cw_worker_t */
    int                first;            /* place in it of the first child */
    int                many;             /* children have numbers */
    int64_t            hung_msec;
    const char        *shut;             /* what a quarantine is about */
} cw_master_role_t;


typedef struct {
    char                     name[32];
    const cw_master_role_t  *role;
    cw_blame_t              *blame;
    int                      number;     /* its place there */

    pid_t                    pid;        /* 0: not running */
    int64_t                  started_msec;
    int64_t                  start_msec; /* of the next start */
    int64_t                  delay_msec;
} cw_master_child_t;


typedef struct {
    cw_worker_t        *worker;
    sigset_t            signals;
    int64_t             beat_msec;
    cw_probe_t          probe;
    int                 children;
    cw_master_child_t   child[CW_MASTER_CHILDREN];
} cw_master_t;


static int cw_master_share(cw_worker_t *worker);
static void cw_master_list(cw_master_t *m);
static void cw_master_add(cw_master_t *m, const cw_master_role_t *role,
    int number);
static int cw_master_packages(const cw_worker_t *worker);
static int cw_master_pictures(const cw_worker_t *worker);
static int cw_master_records(const cw_worker_t *worker);
static int cw_master_jobs(const cw_worker_t *worker);
static int cw_master_exports(const cw_worker_t *worker);
static void cw_master_wait(cw_master_t *m, int64_t now_msec);
static void cw_master_beat(cw_master_t *m, int64_t now_msec);
static void cw_master_start_children(cw_master_t *m, int64_t now_msec);
static void cw_master_child(cw_master_t *m, const cw_master_child_t *c,
    pid_t master);
static void cw_master_reap(cw_master_t *m, int64_t now_msec);
static void cw_master_died(cw_master_child_t *c, int status,
    int64_t now_msec);
static void cw_master_blame(cw_master_child_t *c, int64_t now_msec);
static void cw_master_kill_hung(cw_master_t *m, int64_t now_msec);
static void cw_master_stop(cw_master_t *m);
static int cw_master_signal(cw_master_t *m, int signo);
static void cw_master_on_signal(int signo);


static const cw_master_role_t  cw_master_roles[] = {

    { "package", cw_package_run, cw_master_packages,
      offsetof(cw_worker_t, blame), 0, 1, CW_MASTER_HUNG_MSEC,
      "its stream is" },

    { "snapshot", cw_snapshot_run, cw_master_pictures,
      offsetof(cw_worker_t, picture_blame), CW_SNAPSHOT_CHILD, 0,
      CW_MASTER_HUNG_MSEC, "pictures of it are" },

    { "sandbox", cw_sandbox_run, cw_master_pictures,
      offsetof(cw_worker_t, picture_blame), CW_SANDBOX_CHILD, 0,
      CW_MASTER_HUNG_MSEC, "pictures of it are" },

    { "record", cw_record_run, cw_master_records,
      offsetof(cw_worker_t, quiet_blame), 0, 1, CW_MASTER_SLOW_MSEC, "" },

    { "jobs", cw_jobs_run, cw_master_jobs,
      offsetof(cw_worker_t, quiet_blame), CW_JOBS_CHILD, 0,
      CW_MASTER_SLOW_MSEC, "" },

    { "export", cw_export_run, cw_master_exports,
      offsetof(cw_worker_t, quiet_blame), CW_EXPORT_CHILD, 0,
      CW_MASTER_SLOW_MSEC, "" },
};

volatile sig_atomic_t  cw_quit;


int
cw_master_run(cw_worker_t *worker)
{
    int64_t      now;
    cw_master_t  m;

    memset(&m, 0, sizeof(cw_master_t));
    m.worker = worker;

    sigemptyset(&m.signals);
    sigaddset(&m.signals, SIGCHLD);
    sigaddset(&m.signals, SIGTERM);
    sigaddset(&m.signals, SIGINT);
    sigaddset(&m.signals, SIGQUIT);

    (void) sigprocmask(SIG_BLOCK, &m.signals, NULL);
    (void) signal(SIGPIPE, SIG_IGN);
    (void) signal(SIGHUP, SIG_IGN);

    if (cw_master_share(worker) == -1) {
        cw_log(CW_LOG_CRIT, errno, "mmap() failed");
        return 1;
    }

    cw_master_list(&m);

    while (!cw_quit) {
        now = cam_clock_monotonic_msec();

        cw_master_reap(&m, now);
        cw_master_kill_hung(&m, now);
        cw_master_start_children(&m, now);
        cw_master_beat(&m, now);

        if (!worker->no_probe) {
            cw_probe_look(&m.probe, worker->shm_fd, now);
        }

        cw_master_wait(&m, now);
    }

    cw_master_stop(&m);

    return 0;
}


/* what children have in common with the master, or with each other */

static int
cw_master_share(cw_worker_t *worker)
{
    worker->blame = cw_blame_create();
    worker->picture_blame = cw_blame_create();
    worker->quiet_blame = cw_blame_create();
    worker->exchange = cw_exchange_create();

    return worker->blame != NULL && worker->picture_blame != NULL
           && worker->quiet_blame != NULL && worker->exchange != NULL ? 0 : -1;
}


static void
cw_master_list(cw_master_t *m)
{
    int                      i, n;
    size_t                   r;
    const cw_master_role_t  *role;

    for (r = 0; r < sizeof(cw_master_roles) / sizeof(cw_master_roles[0]); r++)
    {
        role = &cw_master_roles[r];
        n = role->count(m->worker);

        for (i = 0; i < n; i++) {
            cw_master_add(m, role, i);
        }
    }
}


static void
cw_master_add(cw_master_t *m, const cw_master_role_t *role, int number)
{
    cw_master_child_t  *c;

    c = &m->child[m->children++];
    c->role = role;
    c->blame = *(cw_blame_t **) ((char *) m->worker + role->blame);
    c->number = role->first + number;

    if (role->many) {
        snprintf(c->name, sizeof(c->name), "%s/%d", role->name, number);

    } else {
        snprintf(c->name, sizeof(c->name), "%s", role->name);
    }
}


static int
cw_master_packages(const cw_worker_t *worker)
{
    return worker->children;
}


static int
cw_master_pictures(const cw_worker_t *worker)
{
    return !worker->no_snapshots;
}


static int
cw_master_records(const cw_worker_t *worker)
{
    return worker->records;
}


static int
cw_master_jobs(const cw_worker_t *worker)
{
    return worker->database != NULL;
}


static int
cw_master_exports(const cw_worker_t *worker)
{
    return worker->database != NULL && worker->keys != NULL
           && worker->records > 0;
}


/* until a signal, the next beat, or the start of a child */

static void
cw_master_wait(cw_master_t *m, int64_t now_msec)
{
    int              i, signo;
    int64_t          until;
    struct timespec  ts;

    until = m->beat_msec + CW_MASTER_BEAT_MSEC;

    for (i = 0; i < m->children; i++) {
        if (m->child[i].pid == 0 && m->child[i].start_msec < until) {
            until = m->child[i].start_msec;
        }
    }

    until = until > now_msec ? until - now_msec : 0;
    ts.tv_sec = until / 1000;
    ts.tv_nsec = until % 1000 * 1000000;

    signo = sigtimedwait(&m->signals, NULL, &ts);

    if (signo == SIGTERM || signo == SIGINT || signo == SIGQUIT) {
        cw_log(CW_LOG_INFO, 0, "signal %d, stopping", signo);
        cw_quit = 1;
    }
}


/* shm/live/.worker: our pid and the monotonic time, read by /readyz */

static void
cw_master_beat(cw_master_t *m, int64_t now_msec)
{
    int   n;
    char  text[64];

    if (m->beat_msec && now_msec - m->beat_msec < CW_MASTER_BEAT_MSEC) {
        return;
    }

    m->beat_msec = now_msec;

    n = snprintf(text, sizeof(text), "%-10d %20" PRId64 "\n", (int) getpid(),
                 now_msec);

    if (pwrite(m->worker->lock_fd, text, n, 0) != n) {
        cw_log(CW_LOG_WARN, errno, "pwrite(\".worker\") failed");
    }
}


static void
cw_master_start_children(cw_master_t *m, int64_t now_msec)
{
    int                 i;
    pid_t               pid, master;
    cw_master_child_t  *c;

    master = getpid();

    for (i = 0; i < m->children; i++) {
        c = &m->child[i];

        if (c->pid != 0 || c->start_msec > now_msec) {
            continue;
        }

        cw_blame_alive(c->blame, c->number, now_msec);

        pid = fork();

        if (pid == 0) {
            cw_master_child(m, c, master);
        }

        if (pid == -1) {
            cw_log(CW_LOG_CRIT, errno, "fork() failed");
            c->start_msec = now_msec + CW_MASTER_DELAY_MAX;
            continue;
        }

        c->pid = pid;
        c->started_msec = now_msec;
    }
}


static void
cw_master_child(cw_master_t *m, const cw_master_child_t *c, pid_t master)
{
    struct sigaction  sa;

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1) {
        cw_log(CW_LOG_CRIT, errno, "prctl(PR_SET_PDEATHSIG) failed");
        _exit(1);
    }

    if (getppid() != master) {
        _exit(1);
    }

    /* its flock must go with the master */

    close(m->worker->lock_fd);

    memset(&sa, 0, sizeof(struct sigaction));
    sa.sa_handler = cw_master_on_signal;
    (void) sigaction(SIGTERM, &sa, NULL);
    (void) sigaction(SIGINT, &sa, NULL);
    (void) sigaction(SIGQUIT, &sa, NULL);
    (void) sigprocmask(SIG_UNBLOCK, &m->signals, NULL);

    cw_log_set_name(c->name);
    (void) prctl(PR_SET_NAME, c->name);

    exit(c->role->run(m->worker, c->number));
}


static void
cw_master_on_signal(int signo)
{
    cw_quit = 1;
}


static void
cw_master_reap(cw_master_t *m, int64_t now_msec)
{
    int    i, status;
    pid_t  pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {

        for (i = 0; i < m->children; i++) {
            if (m->child[i].pid == pid) {
                cw_master_died(&m->child[i], status, now_msec);
            }
        }
    }
}


static void
cw_master_died(cw_master_child_t *c, int status, int64_t now_msec)
{
    c->pid = 0;

    if (WIFSIGNALED(status)) {
        cw_count(CAM_METRIC_WORKER_CRASHES, 1);
        cw_log(CW_LOG_ALERT, 0, "%s died of signal %d", c->name,
               WTERMSIG(status));

    } else if (WEXITSTATUS(status) != 0 || !cw_quit) {
        cw_log(CW_LOG_WARN, 0, "%s exited with status %d", c->name,
               WEXITSTATUS(status));
    }

    cw_master_blame(c, now_msec);

    if (now_msec - c->started_msec >= CW_MASTER_STABLE_MSEC) {
        c->delay_msec = 0;
    }

    c->start_msec = now_msec + c->delay_msec;

    c->delay_msec = c->delay_msec ? c->delay_msec * 2 : CW_MASTER_DELAY_MSEC;

    if (c->delay_msec > CW_MASTER_DELAY_MAX) {
        c->delay_msec = CW_MASTER_DELAY_MAX;
    }
}


static void
cw_master_blame(cw_master_child_t *c, int64_t now_msec)
{
    int      blamed;
    char     text[CAM_UUID_TEXT + 1];
    uint8_t  camera[CAM_UUID_LEN];

    blamed = cw_blame_settle(c->blame, c->number, now_msec, camera);

    if (blamed == CW_BLAME_CAMERA) {
        cw_log(CW_LOG_WARN, 0, "it worked on camera %s",
               cam_uuid_print(text, camera));

    } else if (blamed == CW_BLAME_QUARANTINE) {
        cw_count(CAM_METRIC_QUARANTINES, 1);
        cw_log(CW_LOG_ALERT, 0, "third crash on camera %s within a minute, "
               "%s shut out", cam_uuid_print(text, camera), c->role->shut);
    }
}


static void
cw_master_kill_hung(cw_master_t *m, int64_t now_msec)
{
    int                 i;
    int64_t             silent;
    cw_master_child_t  *c;

    for (i = 0; i < m->children; i++) {
        c = &m->child[i];
        silent = now_msec - cw_blame_last_alive(c->blame, c->number);

        if (c->pid == 0 || silent <= c->role->hung_msec) {
            continue;
        }

        cw_log(CW_LOG_ALERT, 0, "%s did nothing for %" PRId64 " ms, "
               "killing it", c->name, silent);

        cw_count(CAM_METRIC_WORKER_HANGS, 1);

        (void) kill(c->pid, SIGKILL);
        cw_blame_alive(c->blame, c->number, now_msec);
    }
}


static void
cw_master_stop(cw_master_t *m)
{
    int64_t          now, until;
    struct timespec  ts = { 0, 50000000 };

    until = cam_clock_monotonic_msec() + CW_MASTER_STOP_MSEC;
    (void) cw_master_signal(m, SIGTERM);

    for ( ;; ) {
        now = cam_clock_monotonic_msec();
        cw_master_reap(m, now);

        if (cw_master_signal(m, now > until ? SIGKILL : 0) == 0) {
            break;
        }

        (void) sigtimedwait(&m->signals, NULL, &ts);
    }

    /* nobody beats any more */

    if (ftruncate(m->worker->lock_fd, 0) == -1) {
        cw_log(CW_LOG_WARN, errno, "ftruncate(\".worker\") failed");
    }
}


/* answers how many still run */

static int
cw_master_signal(cw_master_t *m, int signo)
{
    int  i, n;

    n = 0;

    for (i = 0; i < m->children; i++) {
        if (m->child[i].pid != 0) {
            (void) kill(m->child[i].pid, signo);
            n++;
        }
    }

    return n;
}
