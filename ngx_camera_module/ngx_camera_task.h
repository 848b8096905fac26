/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Work for a request that may have to wait for a disk: done by a thread.
 *
 *     posted   [ngx_camera_task_post]   a thread will run it, or does
 *     done     answer() was called, the request finalized once; freed
 *     dropped  the client left, or it took too long, which was answered with
 *              503: the thread may still be at it; freed when it is done
 *
 * A task is memory of its own, never the request's: a disk that hangs keeps the
 * thread, and nothing else.  There are few threads and a short queue: when all
 * of them hang, requests are refused at once.
 */

#ifndef NGX_CAMERA_TASK_H
#define NGX_CAMERA_TASK_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_thread_pool.h>


#define NGX_CAMERA_TASK_THREADS  4
#define NGX_CAMERA_TASKS         64      /* of a worker, waiting or running */
#define NGX_CAMERA_TASK_MSEC     5000

/* bytes that a worker keeps for clients that take them slowly */
#define NGX_CAMERA_TASK_BYTES    (64 << 20)


typedef struct ngx_camera_task_s  ngx_camera_task_t;

struct ngx_camera_task_s {
    ngx_thread_task_t     task;
    ngx_event_t           deadline;
    ngx_http_request_t   *request;       /* NULL: nobody waits */
    ngx_http_cleanup_t   *cleanup;       /* of an earlier one of the request,
                                            to be used again, or NULL */

    /* in the thread: nothing of nginx's may be touched, the log included */
    void                (*run)(ngx_camera_task_t *task);

    /* what the request is finalized with */
    ngx_int_t           (*answer)(ngx_camera_task_t *task,
                             ngx_http_request_t *r);

    /* of what run() made, or was given, and nobody took; may be NULL */
    void                (*clear)(ngx_camera_task_t *task);
};


extern ngx_str_t  ngx_camera_task_pool;


/* size bytes of zeros that begin with a task; NULL: no memory */
void *ngx_camera_task_create(size_t size);

/*
 * With the functions set.  Takes the task over in any case, and answers
 * NGX_DONE, which a content handler returns, or a status.
 */
ngx_int_t ngx_camera_task_post(ngx_camera_task_t *task, ngx_http_request_t *r);

/*
 * What a task made by malloc(), as a buffer that is sent.  Takes the memory
 * over in any case; NGX_OK, or a status.
 */
ngx_int_t ngx_camera_task_buf(ngx_http_request_t *r, void *data, size_t len,
    ngx_buf_t **b);

/* whether there is room for one that can wait, beside those that cannot */
ngx_uint_t ngx_camera_task_room(void);


#endif /* NGX_CAMERA_TASK_H */
