/*
 * Copyright (C) The nginx camera platform authors
 */

/* Work for threads: pools of them, and tasks that belong to a request. */

#include "ngx_camera_hls.h"
#include "ngx_camera_task.h"


/* of a request, freed with it */

typedef struct {
    void           *data;
    size_t          len;
} ngx_camera_task_bytes_t;


static void ngx_camera_task_run(void *data, ngx_log_t *log);
static void ngx_camera_task_done(ngx_event_t *ev);
static void ngx_camera_task_expired(ngx_event_t *ev);
static void ngx_camera_task_drop(void *data);
static void ngx_camera_task_detach(ngx_camera_task_t *task);
static void ngx_camera_task_free(ngx_camera_task_t *task);
static void ngx_camera_task_sent(void *data);


extern ngx_module_t  ngx_thread_pool_module;


ngx_str_t  ngx_camera_task_pool = ngx_string("camera_recordings");

static ngx_uint_t  ngx_camera_tasks;        /* of this worker */
static size_t      ngx_camera_task_bytes;   /* that are being sent */


/* nginx has no other way to set the number of threads */

ngx_int_t
ngx_camera_threads(ngx_conf_t *cf, ngx_str_t *name, ngx_uint_t threads,
    ngx_uint_t queue)
{
    u_char       *p;
    ngx_str_t    *value;
    ngx_conf_t    conf;
    ngx_array_t  *args;

    args = ngx_array_create(cf->pool, 4, sizeof(ngx_str_t));
    value = args ? ngx_array_push_n(args, 4) : NULL;
    p = ngx_pnalloc(cf->pool, 2 * (sizeof("max_queue=") + NGX_INT_T_LEN));

    if (value == NULL || p == NULL) {
        return NGX_ERROR;
    }

    ngx_str_set(&value[0], "thread_pool");
    value[1] = *name;

    value[2].data = p;
    p = ngx_sprintf(p, "threads=%ui", threads);
    value[2].len = p - value[2].data;

    value[3].data = p;
    p = ngx_sprintf(p, "max_queue=%ui", queue);
    value[3].len = p - value[3].data;

    conf = *cf;
    conf.args = args;

    if (ngx_thread_pool_module.commands->set(&conf,
                                             ngx_thread_pool_module.commands,
                                             NULL)
        != NGX_CONF_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


void *
ngx_camera_task_create(size_t size)
{
    return ngx_calloc(size, ngx_cycle->log);
}


ngx_int_t
ngx_camera_task_post(ngx_camera_task_t *task, ngx_http_request_t *r)
{
    ngx_thread_pool_t   *pool;
    ngx_http_cleanup_t  *cln;

    cln = task->cleanup ? task->cleanup : ngx_http_cleanup_add(r, 0);

    if (cln == NULL || ngx_handle_read_event(r->connection->read, 0) != NGX_OK)
    {
        ngx_camera_task_free(task);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    task->task.ctx = task;
    task->task.handler = ngx_camera_task_run;
    task->task.event.data = task;
    task->task.event.handler = ngx_camera_task_done;
    task->task.event.log = ngx_cycle->log;

    pool = ngx_thread_pool_get((ngx_cycle_t *) ngx_cycle,
                               &ngx_camera_task_pool);

    if (pool == NULL || ngx_camera_tasks >= NGX_CAMERA_TASKS
        || ngx_thread_task_post(pool, &task->task) != NGX_OK)
    {
        ngx_camera_task_free(task);
        return ngx_camera_play_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                      "too many wait for disks");
    }

    ngx_camera_tasks++;

    cln->handler = ngx_camera_task_drop;
    cln->data = task;

    task->request = r;
    task->cleanup = cln;

    /* it also keeps an exiting worker alive */

    task->deadline.data = task;
    task->deadline.handler = ngx_camera_task_expired;
    task->deadline.log = ngx_cycle->log;
    ngx_add_timer(&task->deadline, NGX_CAMERA_TASK_MSEC);

    r->read_event_handler = ngx_http_test_reading;
    r->main->count++;

    return NGX_DONE;
}


ngx_uint_t
ngx_camera_task_room(void)
{
    return ngx_camera_tasks < NGX_CAMERA_TASKS / 2;
}


static void
ngx_camera_task_run(void *data, ngx_log_t *log)
{
    ngx_camera_task_t *task = data;

    task->run(task);
}


static void
ngx_camera_task_done(ngx_event_t *ev)
{
    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_camera_task_t   *task;
    ngx_http_request_t  *r;

    task = ev->data;
    r = task->request;

    ngx_camera_tasks--;

    if (r == NULL) {
        ngx_camera_task_free(task);
        return;
    }

    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_camera_task_detach(task);

    rc = task->answer(task, r);
    ngx_camera_task_free(task);

    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}


static void
ngx_camera_task_expired(ngx_event_t *ev)
{
    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_camera_task_t   *task;
    ngx_http_request_t  *r;

    task = ev->data;
    r = task->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_log_error(NGX_LOG_ERR, c->log, 0,
                  "recordings: a disk did not answer in %uims",
                  (ngx_uint_t) NGX_CAMERA_TASK_MSEC);

    ngx_camera_task_drop(task);

    rc = r->header_sent ? NGX_ERROR
         : ngx_camera_play_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                  "the disk did not answer");

    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}


static void
ngx_camera_task_drop(void *data)
{
    ngx_camera_task_t *task = data;

    ngx_camera_task_detach(task);
}


static void
ngx_camera_task_detach(ngx_camera_task_t *task)
{
    if (task->deadline.timer_set) {
        ngx_del_timer(&task->deadline);
    }

    task->request->read_event_handler = ngx_http_block_reading;
    task->cleanup->handler = NULL;
    task->request = NULL;
}


static void
ngx_camera_task_free(ngx_camera_task_t *task)
{
    if (task->clear) {
        task->clear(task);
    }

    ngx_free(task);
}


ngx_int_t
ngx_camera_task_buf(ngx_http_request_t *r, void *data, size_t len,
    ngx_buf_t **b)
{
    ngx_pool_cleanup_t       *cln;
    ngx_camera_task_bytes_t  *bytes;

    *b = ngx_calloc_buf(r->pool);
    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_camera_task_bytes_t));

    if (*b == NULL || cln == NULL) {
        free(data);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_camera_task_bytes + len > NGX_CAMERA_TASK_BYTES) {
        free(data);
        return ngx_camera_play_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                      "too much is being sent");
    }

    bytes = cln->data;
    bytes->data = data;
    bytes->len = len;
    cln->handler = ngx_camera_task_sent;

    ngx_camera_task_bytes += len;

    (*b)->pos = data;
    (*b)->last = (*b)->pos + len;
    (*b)->memory = 1;

    return NGX_OK;
}


static void
ngx_camera_task_sent(void *data)
{
    ngx_camera_task_bytes_t *bytes = data;

    ngx_camera_task_bytes -= bytes->len;
    free(bytes->data);
}
