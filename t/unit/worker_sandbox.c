/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for the lock around the decoder: what a process that is taken over
 * could try from within, and what decoding needs.
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "../../camera_worker/sandbox_lock.c"

#define SECRET  "a secret of the environment"


static int     before;                   /* a descriptor of before the lock */
static char   *secret;                   /* where the environment has it */
static void   *page;


void
cw_log(cw_log_level_e level, int err, const char *fmt, ...)
{
}


/* how a process ended that was locked up and then did that */

static int
locked(void (*act)(void))
{
    int    status;
    pid_t  pid;

    pid = fork();

    if (pid == 0) {
        signal(SIGSYS, SIG_DFL);
        signal(SIGSEGV, SIG_DFL);

        if (cw_sandbox_lock() == -1) {
            _exit(99);
        }

        act();
        _exit(0);
    }

    assert_int_equal(waitpid(pid, &status, 0), pid);

    return status;
}


static void
must(int condition)
{
    if (!condition) {
        _exit(1);
    }
}


static void open_file(void) { (void) open("/etc/passwd", O_RDONLY); }
static void make_file(void) { (void) open("/tmp/x", O_CREAT|O_RDWR, 0600); }
static void remove_file(void) { (void) unlink("/tmp/x"); }
static void make_socket(void) { (void) socket(AF_INET, SOCK_STREAM, 0); }
static void make_pipe(void) { int fds[2]; (void) !pipe(fds); }
static void start_process(void) { (void) fork(); }
static void start_thread(void) { (void) syscall(SYS_clone, 0x10f00, 0, 0, 0); }
static void kill_parent(void) { (void) kill(getppid(), SIGKILL); }
static void find_process(void) { (void) kill(1, 0); }
static void trace_parent(void) { (void) ptrace(PTRACE_ATTACH, 1, 0, 0); }
static void change_user(void) { (void) setuid(0); }
static void write_before(void) { (void) !write(before, "x", 1); }
static void write_stdout(void) { (void) !write(1, "x", 1); }
static void read_stderr(void) { char c; (void) !read(2, &c, 1); }
static void copy_stderr(void) { (void) dup(2); }
static void ask_kernel(void) { (void) prctl(PR_SET_DUMPABLE, 1); }


static void
run_program(void)
{
    char  *args[] = { "true", NULL };

    (void) execv("/bin/true", args);
}


static void
map_code(void)
{
    (void) mmap(NULL, 4096, PROT_READ|PROT_EXEC, MAP_PRIVATE|MAP_ANONYMOUS, -1,
                0);
}


static void
make_code(void)
{
    (void) mprotect(page, 4096, PROT_READ|PROT_EXEC);
}


static void
map_file(void)
{
    (void) mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 2, 0);
}


static void
lift_memory(void)
{
    struct rlimit  limit = { RLIM_INFINITY, RLIM_INFINITY };

    (void) setrlimit(RLIMIT_AS, &limit);
}


static void
limit_parent(void)
{
    struct rlimit  limit = { 1, 1 };

    (void) prlimit(getppid(), RLIMIT_CPU, &limit, NULL);
}


static void
whatever_decoding_does_not_need_kills(void **state)
{
    int       status;
    unsigned  i;

    static const struct {
        const char  *name;
        void       (*act)(void);
    } acts[] = {
        { "open a file", open_file },
        { "make a file", make_file },
        { "remove a file", remove_file },
        { "make a socket", make_socket },
        { "make a pipe", make_pipe },
        { "start a process", start_process },
        { "start a thread", start_thread },
        { "run a program", run_program },
        { "kill its parent", kill_parent },
        { "look for a process", find_process },
        { "trace a process", trace_parent },
        { "change its user", change_user },
        { "write to another descriptor", write_before },
        { "write to stdout", write_stdout },
        { "read", read_stderr },
        { "copy a descriptor", copy_stderr },
        { "prctl", ask_kernel },
        { "map code", map_code },
        { "make code of memory", make_code },
        { "map a file", map_file },
        { "lift the limit of memory", lift_memory },
        { "limit its parent", limit_parent },
    };

    for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        status = locked(acts[i].act);

        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS) {
            fail_msg("%s: status 0x%x", acts[i].name, status);
        }
    }
}


static void
decode(void)
{
    int              i;
    char            *p[64];
    struct timespec  ts = { 0, 1000000 };

    for (i = 0; i < 64; i++) {
        p[i] = malloc(1 << (i % 21));
        must(p[i] != NULL);
        memset(p[i], i, 1 << (i % 21));
    }

    for (i = 0; i < 64; i++) {
        p[i] = realloc(p[i], 3 << 20);
        must(p[i] != NULL);
        p[i][3 << 19] = 1;
    }

    for (i = 0; i < 64; i++) {
        free(p[i]);
    }

    must(cw_sandbox_limit_time() == 0);
    must(nanosleep(&ts, NULL) == 0);
    must(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) == 0);
    must(fputs("", stderr) >= 0);
    must(write(2, "", 0) == 0);
    must(mprotect(page, 4096, PROT_READ) == 0);
}


static void
decoding_is_left_alone(void **state)
{
    assert_int_equal(locked(decode), 0);
}


static void
take_memory(void)
{
    int  n;

    for (n = 0; malloc(16 << 20) != NULL; n++) {
        must(n < 64);
    }

    /* as much as it is promised, and an error after that */

    must(n >= 14 && n <= 16);
    must(errno == ENOMEM);
}


static void
memory_has_an_end(void **state)
{
#ifndef __SANITIZE_ADDRESS__             /* which ends a process without it */
    assert_int_equal(locked(take_memory), 0);
#else
    (void) take_memory;
#endif
}


static void
read_environment(void)
{
    must(getenv("SECRET") == NULL);
    must(memchr(secret, 's', sizeof(SECRET)) == NULL);
}


static void
environment_is_wiped(void **state)
{
    assert_string_equal(secret, SECRET);
    assert_int_equal(locked(read_environment), 0);
}


static void
compute(void)
{
    volatile uint64_t  n;

    must(cw_sandbox_limit_time() == 0);

    for (n = 0; /* void */ ; n++) { /* void */ }
}


static void
time_has_an_end(void **state)
{
    int  status;

    if (getenv("CAMERA_SOAK") == NULL) {
        return;                          /* it takes four seconds */
    }

    status = locked(compute);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGXCPU);
}


static int
prepare(void **state)
{
    before = open("/dev/null", O_WRONLY);
    page = mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS,
                -1, 0);

    (void) setenv("SECRET", SECRET, 1);
    secret = getenv("SECRET");

    return before != -1 && page != MAP_FAILED && secret != NULL ? 0 : -1;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(whatever_decoding_does_not_need_kills),
        cmocka_unit_test(decoding_is_left_alone),
        cmocka_unit_test(memory_has_an_end),
        cmocka_unit_test(environment_is_wiped),
        cmocka_unit_test(time_has_an_end),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, prepare, NULL);
}
