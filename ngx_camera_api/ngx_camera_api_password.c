/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Passwords off the event loop: bcrypt takes a quarter of a second on purpose.
 *
 *     queued    [ngx_camera_api_password]   a thread will take it, or has it
 *     dropped   [_drop]                     the client left or waited too long;
 *                                           the thread skips what it can
 *     done      [_done]                     wiped and freed, handler called
 *
 * A task is memory of its own, never the request's: the thread may work on it
 * when the request is long gone.  The thread is told to be nice, so that other
 * requests go first; the queue is short, so that many logins cost a refusal
 * and not everybody's patience.
 */

#include <sys/resource.h>

#include "ngx_camera.h"
#include "ngx_camera_api_auth.h"
#include "ngx_camera_api_password.h"

#define NGX_CAMERA_API_PASSWORD_MSEC  20000    /* from queued to done */
#define NGX_CAMERA_API_PASSWORD_RATE  4        /* a second, of one thread */

/* a tenth of what a worker gets where both want the same processor, so that one
   may log in within seconds while it is busy: SCHED_IDLE would starve it, and a
   worker without privileges gets no thread out of that again.  The slice is
   long: since Linux 6.12 whoever wakes with a shorter one preempts at once,
   while a short one here would mean an earlier deadline than theirs */
#define NGX_CAMERA_API_PASSWORD_NICE  10
#define NGX_CAMERA_API_PASSWORD_SLICE 10000000     /* ns */


/* as in <linux/sched/types.h>, which does not go together with <sched.h> */

typedef struct {
    uint32_t                      size;
    uint32_t                      policy;
    uint64_t                      flags;
    int32_t                       nice;
    uint32_t                      priority;
    uint64_t                      runtime;     /* ns */
    uint64_t                      deadline;
    uint64_t                      period;
} ngx_camera_api_password_sched_t;


typedef struct {
    ngx_thread_task_t             task;
    ngx_event_t                   deadline;
    ngx_camera_api_ctx_t         *ctx;         /* NULL: nobody waits */
    ngx_camera_api_password_pt    handler;
    ngx_http_cleanup_t           *cleanup;

    ngx_atomic_t                  dropped;     /* the thread looks at it */

    /* the thread's, until it is done */
    size_t                        hash_len;
    size_t                        len;
    size_t                        next_len;    /* 0: there is none */
    char                          hash[CAM_PASSWORD_HASH_LEN + 1];
    char                          password[CAM_PASSWORD_MAX];
    char                          next[CAM_PASSWORD_MAX];
    char                          made[CAM_PASSWORD_HASH_LEN + 1];
    ngx_uint_t                    right;       /* from the start: there is
                                                  nothing to compare */
    ngx_uint_t                    failed;
} ngx_camera_api_password_t;


static ngx_camera_api_password_t *ngx_camera_api_password_create(
    ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_password_fill(ngx_camera_api_password_t *op,
    const ngx_str_t *hash, const cam_value_t *password,
    const cam_value_t *next);
static void ngx_camera_api_password_later(ngx_camera_api_ctx_t *ctx);
static size_t ngx_camera_api_password_copy(char *to, size_t size,
    const void *from, size_t len);
static void ngx_camera_api_password_run(void *data, ngx_log_t *log);
static void ngx_camera_api_password_be_nice(void);
static void ngx_camera_api_password_done(ngx_event_t *ev);
static void ngx_camera_api_password_tell(ngx_camera_api_password_t *op);
static ngx_uint_t ngx_camera_api_password_is_known(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_password_expired(ngx_event_t *ev);
static void ngx_camera_api_password_drop(void *data);
static void ngx_camera_api_password_detach(ngx_camera_api_password_t *op);
static void ngx_camera_api_password_free(ngx_camera_api_password_t *op);


static ngx_str_t  ngx_camera_api_password_pool = ngx_string("camera_password");

static ngx_uint_t  ngx_camera_api_password_tasks;     /* of this worker */


ngx_int_t
ngx_camera_api_password_threads(ngx_conf_t *cf, ngx_uint_t threads,
    ngx_uint_t queue)
{
    return ngx_camera_threads(cf, &ngx_camera_api_password_pool, threads,
                              threads + queue);
}


void
ngx_camera_api_password(ngx_camera_api_ctx_t *ctx, const ngx_str_t *hash,
    const cam_value_t *password, const cam_value_t *next,
    ngx_camera_api_password_pt handler)
{
    ngx_event_t                 *rev;
    ngx_thread_pool_t           *pool;
    ngx_camera_api_password_t   *op;
    ngx_camera_api_auth_conf_t  *conf;

    conf = ngx_http_get_module_main_conf(ctx->request,
                                         ngx_camera_api_auth_module);

    if (ngx_camera_api_password_tasks
        >= (ngx_uint_t) (conf->password_threads + conf->password_queue))
    {
        ngx_camera_api_password_later(ctx);
        return;
    }

    op = ngx_camera_api_password_create(ctx);

    if (op == NULL) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    op->handler = handler;
    ngx_camera_api_password_fill(op, hash, password, next);

    pool = ngx_thread_pool_get((ngx_cycle_t *) ngx_cycle,
                               &ngx_camera_api_password_pool);

    if (ngx_thread_task_post(pool, &op->task) != NGX_OK) {
        ngx_camera_api_password_detach(op);
        ngx_camera_api_password_free(op);
        ngx_camera_api_password_later(ctx);
        return;
    }

    ngx_camera_api_password_tasks++;

    /* it also keeps an exiting worker alive */

    ngx_add_timer(&op->deadline, NGX_CAMERA_API_PASSWORD_MSEC);

    /* of a client that left together with its request no event will tell */

    rev = ctx->request->connection->read;

    if (rev->pending_eof) {
        ngx_post_event(rev, &ngx_posted_events);
    }
}


static ngx_camera_api_password_t *
ngx_camera_api_password_create(ngx_camera_api_ctx_t *ctx)
{
    ngx_http_cleanup_t         *cln;
    ngx_camera_api_password_t  *op;

    cln = ngx_http_cleanup_add(ctx->request, 0);
    if (cln == NULL) {
        return NULL;
    }

    op = ngx_calloc(sizeof(ngx_camera_api_password_t), ngx_cycle->log);
    if (op == NULL) {
        return NULL;
    }

    cln->handler = ngx_camera_api_password_drop;
    cln->data = op;

    op->ctx = ctx;
    op->cleanup = cln;

    op->task.ctx = op;
    op->task.handler = ngx_camera_api_password_run;
    op->task.event.data = op;
    op->task.event.handler = ngx_camera_api_password_done;
    op->task.event.log = ngx_cycle->log;

    op->deadline.data = op;
    op->deadline.handler = ngx_camera_api_password_expired;
    op->deadline.log = ngx_cycle->log;

    return op;
}


static void
ngx_camera_api_password_fill(ngx_camera_api_password_t *op,
    const ngx_str_t *hash, const cam_value_t *password,
    const cam_value_t *next)
{
    op->right = (hash == NULL);

    if (hash) {
        op->hash_len = ngx_camera_api_password_copy(op->hash, sizeof(op->hash),
                                                    hash->data, hash->len);
        op->len = ngx_camera_api_password_copy(op->password,
                                               sizeof(op->password),
                                               password->text, password->len);
    }

    if (next) {
        op->next_len = ngx_camera_api_password_copy(op->next,
                                                    sizeof(op->next),
                                                    next->text, next->len);
    }
}


/* when the queue has been worked off, about */

static void
ngx_camera_api_password_later(ngx_camera_api_ctx_t *ctx)
{
    ngx_uint_t                   rate;
    ngx_camera_api_auth_conf_t  *conf;

    conf = ngx_http_get_module_main_conf(ctx->request,
                                         ngx_camera_api_auth_module);

    rate = conf->password_threads * NGX_CAMERA_API_PASSWORD_RATE;

    ngx_camera_api_error_later(ctx, NGX_CAMERA_API_SERVICE_UNAVAILABLE,
                               1 + ngx_camera_api_password_tasks / rate);
}


/* what is too long is the password of nobody, and stays so without its end */

static size_t
ngx_camera_api_password_copy(char *to, size_t size, const void *from,
    size_t len)
{
    if (len == 0 || len > size) {
        return 0;
    }

    ngx_memcpy(to, from, len);

    return len;
}


/* in the thread: nothing of nginx's may be touched, the log included */

static void
ngx_camera_api_password_run(void *data, ngx_log_t *log)
{
    ngx_camera_api_password_t *op = data;

    ngx_camera_api_password_be_nice();

    if (op->dropped || ngx_terminate) {
        return;
    }

    if (!op->right) {
        op->right = cam_password_verify(op->hash, op->hash_len, op->password,
                                        op->len)
                    == 0;
    }

    if (op->right && op->next_len) {
        op->failed = cam_password_hash(op->made, op->next, op->next_len) != 0;
    }
}


/* Linux takes this for the calling thread alone */

static void
ngx_camera_api_password_be_nice(void)
{
    ngx_int_t                        nice;
    static __thread ngx_uint_t       done;
    ngx_camera_api_password_sched_t  sched;

    if (done) {
        return;
    }

    done = 1;
    nice = ngx_min(getpriority(PRIO_PROCESS, 0) + NGX_CAMERA_API_PASSWORD_NICE,
                   19);

    ngx_memzero(&sched, sizeof(ngx_camera_api_password_sched_t));

    sched.size = sizeof(ngx_camera_api_password_sched_t);
    sched.policy = SCHED_OTHER;
    sched.nice = (int32_t) nice;
    sched.runtime = NGX_CAMERA_API_PASSWORD_SLICE;

    if (syscall(SYS_sched_setattr, 0, &sched, 0) == -1) {
        (void) setpriority(PRIO_PROCESS, 0, (int) nice);
    }
}


static void
ngx_camera_api_password_done(ngx_event_t *ev)
{
    ngx_connection_t           *c;
    ngx_camera_api_ctx_t       *ctx;
    ngx_camera_api_password_t  *op;

    op = ev->data;
    ctx = op->ctx;

    ngx_camera_api_password_tasks--;

    if (ctx == NULL) {
        ngx_camera_api_password_free(op);
        return;
    }

    c = ctx->request->connection;

    ngx_http_set_log_request(c->log, ctx->request);

    ngx_camera_api_password_detach(op);
    ngx_camera_api_password_tell(op);

    ngx_http_run_posted_requests(c);
}


static void
ngx_camera_api_password_tell(ngx_camera_api_password_t *op)
{
    char                         made[CAM_PASSWORD_HASH_LEN + 1];
    ngx_uint_t                   right, failed, given;
    ngx_camera_api_ctx_t        *ctx;
    ngx_camera_api_password_pt   handler;

    ctx = op->ctx;
    handler = op->handler;
    right = op->right;
    failed = op->failed;
    given = op->next_len > 0;

    ngx_memcpy(made, op->made, sizeof(made));
    ngx_camera_api_password_free(op);

    if (failed) {
        ngx_log_error(NGX_LOG_CRIT, ctx->request->connection->log, 0,
                      "crypt_rn() failed");
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    if (!ngx_camera_api_password_is_known(ctx)) {
        ngx_camera_api_password_later(ctx);
        return;
    }

    handler(ctx, right, right && given ? made : NULL);
}


/* whoever was dropped while they waited is nobody by now, or may do less: they
   come again, and are looked at then */

static ngx_uint_t
ngx_camera_api_password_is_known(ngx_camera_api_ctx_t *ctx)
{
    return ctx->principal == NULL
           || ngx_camera_api_session_seen(ctx->principal->key);
}


static void
ngx_camera_api_password_expired(ngx_event_t *ev)
{
    ngx_connection_t           *c;
    ngx_camera_api_ctx_t       *ctx;
    ngx_camera_api_password_t  *op;

    op = ev->data;
    ctx = op->ctx;
    c = ctx->request->connection;

    ngx_http_set_log_request(c->log, ctx->request);

    ngx_camera_api_password_drop(op);
    ngx_camera_api_password_later(ctx);

    ngx_http_run_posted_requests(c);
}


static void
ngx_camera_api_password_drop(void *data)
{
    ngx_camera_api_password_t *op = data;

    op->dropped = 1;
    ngx_camera_api_password_detach(op);
    op->ctx = NULL;
}


static void
ngx_camera_api_password_detach(ngx_camera_api_password_t *op)
{
    if (op->deadline.timer_set) {
        ngx_del_timer(&op->deadline);
    }

    op->cleanup->handler = NULL;
}


static void
ngx_camera_api_password_free(ngx_camera_api_password_t *op)
{
    ngx_explicit_memzero(op, sizeof(ngx_camera_api_password_t));
    ngx_free(op);
}
