/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * camera-worker: options, identity, and the one instance per shared
 * directory.  Privileges are given up for good before the first child exists
 * (a later change of user would clear its PR_SET_PDEATHSIG).
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "count.h"
#include "log.h"
#include "probe.h"
#include "worker.h"

#define CW_MAIN_LOCK_TRIES  60           /* of 50 ms */

/* options without a letter */
#define CW_MAIN_NO_PROBE      256
#define CW_MAIN_PROBE_ONLY    257
#define CW_MAIN_NO_SNAPSHOTS  258
#define CW_MAIN_RECORD_LENGTH 259
#define CW_MAIN_RESERVE       260
#define CW_MAIN_DATABASE      261
#define CW_MAIN_KEYS          262

#define CW_MAIN_LENGTH_MIN    10
#define CW_MAIN_LENGTH_MAX    86400      /* and each divides it */


typedef struct {
    cw_worker_t   worker;
    const char   *user;
    const char   *group;
} cw_main_t;


static const struct option  cw_main_options[] = {
    { "shm",          required_argument, NULL, 's' },
    { "children",     required_argument, NULL, 'n' },
    { "user",         required_argument, NULL, 'u' },
    { "group",        required_argument, NULL, 'g' },
    { "log-level",    required_argument, NULL, 'l' },
    { "record",       required_argument, NULL, 'r' },
    { "record-length", required_argument, NULL, CW_MAIN_RECORD_LENGTH },
    { "reserve",      required_argument, NULL, CW_MAIN_RESERVE },
    { "database",     required_argument, NULL, CW_MAIN_DATABASE },
    { "keys",         required_argument, NULL, CW_MAIN_KEYS },
    { "no-probe",     no_argument,       NULL, CW_MAIN_NO_PROBE },
    { "probe-only",   no_argument,       NULL, CW_MAIN_PROBE_ONLY },
    { "no-snapshots", no_argument,       NULL, CW_MAIN_NO_SNAPSHOTS },
    { "help",         no_argument,       NULL, 'h' },
    { NULL, 0, NULL, 0 }
};


static const char  cw_main_usage[] =
    "Usage: camera-worker -s DIR [OPTION]...\n"
    "\n"
    "Packages live cameras: reads the frames that nginx puts into DIR/rings\n"
    "and writes segments and indexes to DIR/live, until SIGTERM, SIGINT or\n"
    "SIGQUIT.\n"
    "Makes pictures of those that are wanted, and recordings on volumes.\n"
    "\n"
    "  -s, --shm=DIR         the \"shm\" directory of nginx's camera {} block\n"
    "  -n, --children=N      package processes, default: one per core\n"
    "  -u, --user=NAME       run as this user; default, when started by root:\n"
    "                        the owner of DIR/live\n"
    "  -g, --group=NAME      run as this group; default: that of the user, or\n"
    "                        of DIR/live\n"
    "  -l, --log-level=NAME  alert, crit, warn, info (default) or debug\n"
    "  -r, --record=DIR      a volume for recordings, empty or one of ours; may\n"
    "                        be repeated\n"
    "      --record-length=SEC  of a recording, default 3600; divides a day\n"
    "      --reserve=SIZE    kept free on each volume: 20g, 500m, or default 5%;\n"
    "                        below it the oldest recordings are removed\n"
    "      --database=FILE   its first line is a connection string: what to\n"
    "                        record, and an account of what was\n"
    "      --keys=FILE       the signing keys: exports what is asked for, and\n"
    "                        encrypts recordings of cameras that want it\n"
    "      --no-probe        leave hung workers of nginx alone, for a debugger\n"
    "      --probe-only      do nothing but kill these; for nginx's container\n"
    "      --no-snapshots    make no pictures: no process that decodes\n"
    "  -h, --help            show this\n";


static int cw_main_parse(cw_main_t *m, int argc, char **argv);
static int cw_main_record(cw_worker_t *w, const char *path);
static int cw_main_length(cw_worker_t *w, const char *text);
static int cw_main_reserve(cw_worker_t *w, const char *text);
static int cw_main_check(const cw_main_t *m, int left);
static int cw_main_open_dirs(cw_worker_t *w);
static int cw_main_become(cw_main_t *m);
static int cw_main_lock(cw_worker_t *w);
static void cw_main_limits(void);


int
main(int argc, char **argv)
{
    int        rc;
    cw_main_t  m;

    memset(&m, 0, sizeof(cw_main_t));

    rc = cw_main_parse(&m, argc, argv);

    if (rc != -1) {
        return rc;
    }

    cw_log_set_name(m.worker.probe_only ? "probe" : "master");
    (void) umask(0027);

    if (cw_main_open_dirs(&m.worker) == -1 || cw_main_become(&m) == -1) {
        return 1;
    }

    if (m.worker.probe_only) {
        return cw_probe_run(m.worker.shm_fd);
    }

    if (cw_main_lock(&m.worker) == -1) {
        return 1;
    }

    cw_main_limits();
    cw_count_open(m.worker.shm);

    cw_log(CW_LOG_INFO, 0, "started with %d children and %d volumes on "
           "\"%s\"%s%s", m.worker.children, m.worker.records, m.worker.shm,
           m.worker.no_probe ? ", without a probe" : "",
           m.worker.no_snapshots ? ", without snapshots" : "");

    rc = cw_master_run(&m.worker);

    cw_log(CW_LOG_INFO, 0, "stopped");

    return rc;
}


/* -1: go on; else the exit status */

static int
cw_main_parse(cw_main_t *m, int argc, char **argv)
{
    int  c;

    m->worker.children = sysconf(_SC_NPROCESSORS_ONLN);
    m->worker.record_sec = CW_RECORD_SEC;
    m->worker.reserve_percent = CW_RECORD_PERCENT;

    while ((c = getopt_long(argc, argv, "s:n:u:g:l:r:h", cw_main_options, NULL))
           != -1)
    {
        switch (c) {

        case 's':
            m->worker.shm = optarg;
            break;

        case 'n':
            m->worker.children = atoi(optarg);
            break;

        case 'u':
            m->user = optarg;
            break;

        case 'g':
            m->group = optarg;
            break;

        case 'l':
            if (cw_log_set_level(optarg) == -1) {
                fprintf(stderr, "camera-worker: no log level \"%s\"\n",
                        optarg);
                return 2;
            }
            break;

        case 'r':
            if (cw_main_record(&m->worker, optarg) == -1) {
                return 2;
            }
            break;

        case CW_MAIN_RECORD_LENGTH:
            if (cw_main_length(&m->worker, optarg) == -1) {
                return 2;
            }
            break;

        case CW_MAIN_RESERVE:
            if (cw_main_reserve(&m->worker, optarg) == -1) {
                return 2;
            }
            break;

        case CW_MAIN_DATABASE:
            m->worker.database = optarg;
            break;

        case CW_MAIN_KEYS:
            m->worker.keys = optarg;
            break;

        case CW_MAIN_NO_PROBE:
            m->worker.no_probe = 1;
            break;

        case CW_MAIN_PROBE_ONLY:
            m->worker.probe_only = 1;
            break;

        case CW_MAIN_NO_SNAPSHOTS:
            m->worker.no_snapshots = 1;
            break;

        case 'h':
            fputs(cw_main_usage, stdout);
            return 0;

        default:
            fputs("Try \"camera-worker --help\".\n", stderr);
            return 2;
        }
    }

    return cw_main_check(m, argc - optind);
}


static int
cw_main_record(cw_worker_t *w, const char *path)
{
    if (w->records == CAM_RECORD_VOLUMES || path[0] != '/') {
        fprintf(stderr, "camera-worker: --record takes absolute paths, %d "
                "at most\n", CAM_RECORD_VOLUMES);
        return -1;
    }

    w->record[w->records++] = path;

    return 0;
}


static int
cw_main_length(cw_worker_t *w, const char *text)
{
    w->record_sec = atoi(text);

    if (w->record_sec < CW_MAIN_LENGTH_MIN
        || w->record_sec > CW_MAIN_LENGTH_MAX
        || CW_MAIN_LENGTH_MAX % w->record_sec != 0)
    {
        fprintf(stderr, "camera-worker: --record-length takes %d to %d "
                "seconds that divide a day\n", CW_MAIN_LENGTH_MIN,
                CW_MAIN_LENGTH_MAX);
        return -1;
    }

    return 0;
}


/* "5%", "20g", "500m", "1000000" */

static int
cw_main_reserve(cw_worker_t *w, const char *text)
{
    int                  shift;
    char                *end;
    unsigned long long   n;

    n = strtoull(text, &end, 10);

    if (end != text && strcmp(end, "%") == 0 && n >= CW_RECORD_FLOOR
        && n <= 90)
    {
        w->reserve_percent = n;
        w->reserve_bytes = 0;
        return 0;
    }

    shift = strcmp(end, "g") == 0 ? 30 : strcmp(end, "m") == 0 ? 20
            : strcmp(end, "k") == 0 ? 10 : *end == '\0' ? 0 : -1;

    if (end == text || *text == '-' || shift == -1 || n == 0 || n >> 40) {
        fprintf(stderr, "camera-worker: --reserve takes %d%% to 90%%, or bytes "
                "with k, m or g\n", CW_RECORD_FLOOR);
        return -1;
    }

    w->reserve_bytes = n << shift;

    return 0;
}


static int
cw_main_check(const cw_main_t *m, int left)
{
    if (m->worker.shm == NULL || left != 0 || m->worker.children < 1
        || m->worker.children > CW_CHILDREN_MAX)
    {
        fprintf(stderr, "camera-worker: needs --shm, and 1 to %d children\n"
                "Try \"camera-worker --help\".\n", CW_CHILDREN_MAX);
        return 2;
    }

    return -1;
}


/* nginx makes them, with the right owner: it may start after us */

static int
cw_main_open_dirs(cw_worker_t *w)
{
    int  said;

    for (said = 0; /* void */ ; usleep(100000)) {

        w->shm_fd = open(w->shm, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

        if (w->shm_fd != -1) {
            w->live_fd = openat(w->shm_fd, "live",
                                O_RDONLY|O_DIRECTORY|O_CLOEXEC);
            w->rings_fd = openat(w->shm_fd, "rings",
                                 O_RDONLY|O_DIRECTORY|O_CLOEXEC);

            if (w->live_fd != -1 && w->rings_fd != -1) {
                return 0;
            }

            (void) close(w->live_fd);
            (void) close(w->rings_fd);
            (void) close(w->shm_fd);
        }

        if (errno != ENOENT && errno != EBADF) {
            cw_log(CW_LOG_CRIT, errno, "cannot open \"%s\"", w->shm);
            return -1;
        }

        if (!said) {
            cw_log(CW_LOG_INFO, 0, "waiting for nginx to make \"%s/live\"",
                   w->shm);
            said = 1;
        }
    }
}


static int
cw_main_become(cw_main_t *m)
{
    uid_t           uid;
    gid_t           gid;
    struct stat     st;
    struct group   *gr;
    struct passwd  *pw;

    if (geteuid() != 0) {
        return 0;
    }

    if (fstat(m->worker.live_fd, &st) == -1) {
        cw_log(CW_LOG_CRIT, errno, "fstat(\"live\") failed");
        return -1;
    }

    uid = st.st_uid;
    gid = st.st_gid;

    if (m->user != NULL) {
        pw = getpwnam(m->user);

        if (pw == NULL) {
            cw_log(CW_LOG_CRIT, 0, "no user \"%s\"", m->user);
            return -1;
        }

        uid = pw->pw_uid;
        gid = pw->pw_gid;
    }

    if (m->group != NULL) {
        gr = getgrnam(m->group);

        if (gr == NULL) {
            cw_log(CW_LOG_CRIT, 0, "no group \"%s\"", m->group);
            return -1;
        }

        gid = gr->gr_gid;
    }

    if (uid == 0) {
        return 0;
    }

    if (setgroups(1, &gid) == -1 || setgid(gid) == -1 || setuid(uid) == -1) {
        cw_log(CW_LOG_CRIT, errno, "cannot become user %d", (int) uid);
        return -1;
    }

    return 0;
}


/* the children of one that was killed may hold it a moment longer */

static int
cw_main_lock(cw_worker_t *w)
{
    int   i;
    char  text[16];

    w->lock_fd = openat(w->live_fd, ".worker",
                        O_RDWR|O_CREAT|O_CLOEXEC|O_NOFOLLOW, 0640);
    if (w->lock_fd == -1) {
        cw_log(CW_LOG_CRIT, errno, "open(\"%s/live/.worker\") failed", w->shm);
        return -1;
    }

    for (i = 0; i < CW_MAIN_LOCK_TRIES; i++) {

        if (flock(w->lock_fd, LOCK_EX|LOCK_NB) == 0) {
            return 0;
        }

        usleep(50000);
    }

    memset(text, 0, sizeof(text));
    (void) !pread(w->lock_fd, text, sizeof(text) - 1, 0);

    cw_log(CW_LOG_CRIT, 0, "another camera-worker serves \"%s\", pid %d",
           w->shm, atoi(text));

    return -1;
}


static void
cw_main_limits(void)
{
    struct rlimit  limit;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) {
        cw_log(CW_LOG_WARN, errno, "prctl(PR_SET_NO_NEW_PRIVS) failed");
    }

    limit.rlim_cur = 0;
    limit.rlim_max = 0;

    if (setrlimit(RLIMIT_CORE, &limit) == -1) {
        cw_log(CW_LOG_WARN, errno, "setrlimit(RLIMIT_CORE) failed");
    }

    /* five descriptors a camera */

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;

        if (setrlimit(RLIMIT_NOFILE, &limit) == -1) {
            cw_log(CW_LOG_WARN, errno, "setrlimit(RLIMIT_NOFILE) failed");
        }
    }
}
