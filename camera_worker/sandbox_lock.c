/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What a decoder may do once it is locked up: compute, take and give back
 * memory that is never executable, look at the clock, sleep, write to stderr.
 * It can open nothing, neither a file nor a socket, and start nothing.  So what
 * a stranger's frame makes of it reaches the frame and the pictures of that
 * camera, and the frame of the next.
 */

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "sandbox.h"


extern char  **environ;


static void cw_sandbox_forget_environment(void);
static int cw_sandbox_limit(int resource, rlim_t value);
static rlim_t cw_sandbox_mapped(void);
static int cw_sandbox_filter(void);
static int cw_sandbox_allow(scmp_filter_ctx filter);


/* without arguments that matter */

static const int  cw_sandbox_calls[] = {
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
    SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(restart_syscall),
    SCMP_SYS(getrusage), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask),
#ifdef __SANITIZE_ADDRESS__                /* its own, for a report */
    SCMP_SYS(sigaltstack), SCMP_SYS(rt_sigaction), SCMP_SYS(ioctl),
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(sched_yield),
#endif
    SCMP_SYS(exit), SCMP_SYS(exit_group)
};


int
cw_sandbox_lock(void)
{
    rlim_t  mapped;

    /* the log prints times by what it reads of /etc/localtime now */

    tzset();
    cw_sandbox_forget_environment();

    mapped = cw_sandbox_mapped();

    if (mapped == 0
        || cw_sandbox_limit(RLIMIT_AS, mapped + CW_SANDBOX_MEMORY) == -1
        || cw_sandbox_limit(RLIMIT_CORE, 0) == -1)
    {
        return -1;
    }

    (void) close(STDIN_FILENO);
    (void) close(STDOUT_FILENO);
    (void) close_range(STDERR_FILENO + 1, ~0u, 0);

    if (cw_sandbox_limit(RLIMIT_NOFILE, 0) == -1) {
        return -1;
    }

    return cw_sandbox_filter();
}


/* who started camera-worker may have kept a secret there */

static void
cw_sandbox_forget_environment(void)
{
    char  **p;

    for (p = environ; p != NULL && *p != NULL; p++) {
        explicit_bzero(*p, strlen(*p));
    }

    (void) clearenv();
}


static int
cw_sandbox_limit(int resource, rlim_t value)
{
    struct rlimit  limit;

    limit.rlim_cur = value;
    limit.rlim_max = value;

    if (setrlimit(resource, &limit) == 0) {
        return 0;
    }

    cw_log(CW_LOG_CRIT, errno, "setrlimit(%d) failed", resource);

    return -1;
}


static rlim_t
cw_sandbox_mapped(void)
{
    int            n;
    FILE          *statm;
    unsigned long  pages;

    statm = fopen("/proc/self/statm", "re");

    if (statm == NULL) {
        cw_log(CW_LOG_CRIT, errno, "open(\"/proc/self/statm\") failed");
        return 0;
    }

    n = fscanf(statm, "%lu", &pages);
    fclose(statm);

    return n == 1 ? (rlim_t) pages * (rlim_t) sysconf(_SC_PAGESIZE) : 0;
}


static int
cw_sandbox_filter(void)
{
    int              rc;
    scmp_filter_ctx  filter;

    filter = seccomp_init(SCMP_ACT_KILL_PROCESS);

    if (filter == NULL) {
        cw_log(CW_LOG_CRIT, 0, "seccomp_init() failed");
        return -1;
    }

    rc = cw_sandbox_allow(filter);

    if (rc == 0) {
        rc = seccomp_load(filter);
    }

    if (rc != 0) {
        cw_log(CW_LOG_CRIT, -rc, "seccomp_load() failed");
    }

    seccomp_release(filter);

    return rc == 0 ? 0 : -1;
}


static int
cw_sandbox_allow(scmp_filter_ctx filter)
{
    int     rc;
    size_t  i, n;

    rc = 0;
    n = sizeof(cw_sandbox_calls) / sizeof(cw_sandbox_calls[0]);

    for (i = 0; i < n && rc == 0; i++) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, cw_sandbox_calls[i], 0);
    }

    if (rc == 0) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), 1,
                              SCMP_A0(SCMP_CMP_EQ, STDERR_FILENO));
    }

    /* memory of its own, that holds no code */

    if (rc == 0) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
                              SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS,
                                      MAP_ANONYMOUS));
    }

    if (rc == 0) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    }

    /* cw_sandbox_limit_time() */

    if (rc == 0) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
                              SCMP_A0(SCMP_CMP_EQ, 0),
                              SCMP_A1(SCMP_CMP_EQ, RLIMIT_CPU));
    }

    return rc;
}


int
cw_sandbox_limit_time(void)
{
    struct rlimit  limit;
    struct rusage  used;

    if (getrusage(RUSAGE_SELF, &used) == -1) {
        return -1;
    }

    limit.rlim_cur = used.ru_utime.tv_sec + used.ru_stime.tv_sec + 1
                     + CW_SANDBOX_CPU_SEC;
    limit.rlim_max = RLIM_INFINITY;

    return setrlimit(RLIMIT_CPU, &limit);
}
