/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Bytes of an encrypted recording on their way to a client: a piece is read and
 * decrypted by a thread, sent, and when it is gone the next one is read.  So a
 * request has one buffer, however long the file and however slow the client.
 *
 *     reading   a thread has reader and buffer  [ngx_camera_rec_sealed_read]
 *     waiting   threads have too much to do     [ngx_camera_rec_sealed_later]
 *     sending   the client takes its time       [ngx_camera_rec_sealed_wait]
 *
 * In each of them the request is counted once, and each ends by finalizing it
 * with what came of it.  The header says how long the body is, so when it
 * cannot go on the connection is closed.
 */

#include "ngx_camera_rec.h"


#define NGX_CAMERA_REC_SEALED_SIZE   131072
#define NGX_CAMERA_REC_SEALED_LATER  20         /* ms */


typedef struct ngx_camera_rec_sealed_s  ngx_camera_rec_sealed_t;

struct ngx_camera_rec_sealed_s {
    ngx_http_request_t    *request;
    cam_record_reader_t   *reader;       /* NULL: a thread has both */
    u_char                *data;
    off_t                  pos;
    off_t                  end;
    ngx_buf_t              buf;
    ngx_event_t            later;
    ngx_http_cleanup_t    *cleanup;      /* of its tasks */
};


/* in and out of the thread */

typedef struct {
    ngx_camera_task_t      task;
    cam_record_reader_t   *reader;
    u_char                *data;
    off_t                  pos;
    size_t                 size;

    int                    err;
    ssize_t                n;
} ngx_camera_rec_piece_t;


static void ngx_camera_rec_sealed_cleanup(void *data);
static ngx_int_t ngx_camera_rec_sealed_read(ngx_camera_rec_sealed_t *s);
static void ngx_camera_rec_sealed_run(ngx_camera_task_t *task);
static ngx_int_t ngx_camera_rec_sealed_answer(ngx_camera_task_t *task,
    ngx_http_request_t *r);
static void ngx_camera_rec_sealed_clear(ngx_camera_task_t *task);
static ngx_int_t ngx_camera_rec_sealed_later(ngx_camera_rec_sealed_t *s);
static void ngx_camera_rec_sealed_again(ngx_event_t *ev);
static ngx_uint_t ngx_camera_rec_sealed_gone(ngx_camera_rec_sealed_t *s);
static ngx_int_t ngx_camera_rec_sealed_wait(ngx_camera_rec_sealed_t *s);
static void ngx_camera_rec_sealed_write(ngx_http_request_t *r);


ngx_int_t
ngx_camera_rec_sealed(ngx_http_request_t *r, cam_record_reader_t *reader,
    off_t start, off_t end)
{
    ngx_int_t                 rc;
    ngx_pool_cleanup_t       *cln;
    ngx_camera_rec_ctx_t     *ctx;
    ngx_camera_rec_sealed_t  *s;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_camera_rec_sealed_t));

    if (cln == NULL) {
        cam_record_reader_close(reader);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    s = cln->data;
    ngx_memzero(s, sizeof(ngx_camera_rec_sealed_t));

    s->request = r;
    s->reader = reader;
    s->pos = start;
    s->end = end;

    cln->handler = ngx_camera_rec_sealed_cleanup;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_rec_module);
    ctx->sealed = s;

    s->data = ngx_alloc(NGX_CAMERA_REC_SEALED_SIZE, r->connection->log);
    if (s->data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_camera_rec_sealed_read(s);
}


static void
ngx_camera_rec_sealed_cleanup(void *data)
{
    ngx_camera_rec_sealed_t *s = data;

    if (s->later.timer_set) {
        ngx_del_timer(&s->later);
    }

    if (s->reader) {
        cam_record_reader_close(s->reader);
    }

    if (s->data) {
        ngx_free(s->data);
    }
}


static ngx_int_t
ngx_camera_rec_sealed_read(ngx_camera_rec_sealed_t *s)
{
    ngx_camera_rec_piece_t  *piece;

    if (!ngx_camera_task_room()) {
        return ngx_camera_rec_sealed_later(s);
    }

    piece = ngx_camera_task_create(sizeof(ngx_camera_rec_piece_t));
    if (piece == NULL) {
        return NGX_ERROR;
    }

    piece->reader = s->reader;
    piece->data = s->data;
    piece->pos = s->pos;
    piece->size = (size_t) ngx_min(s->end - s->pos,
                                   NGX_CAMERA_REC_SEALED_SIZE);
    piece->task.cleanup = s->cleanup;
    piece->task.run = ngx_camera_rec_sealed_run;
    piece->task.answer = ngx_camera_rec_sealed_answer;
    piece->task.clear = ngx_camera_rec_sealed_clear;

    s->reader = NULL;
    s->data = NULL;

    return ngx_camera_task_post(&piece->task, s->request) == NGX_DONE
           ? NGX_DONE : NGX_ERROR;
}


static void
ngx_camera_rec_sealed_run(ngx_camera_task_t *task)
{
    ngx_camera_rec_piece_t *piece = (ngx_camera_rec_piece_t *) task;

    piece->n = cam_record_reader_pread(piece->reader, piece->data, piece->size,
                                       piece->pos);
    if (piece->n == -1) {
        piece->err = ngx_errno;
    }
}


static ngx_int_t
ngx_camera_rec_sealed_answer(ngx_camera_task_t *task, ngx_http_request_t *r)
{
    ngx_int_t                 rc;
    ngx_buf_t                *b;
    ngx_chain_t               out;
    ngx_camera_rec_ctx_t     *ctx;
    ngx_camera_rec_piece_t   *piece;
    ngx_camera_rec_sealed_t  *s;

    piece = (ngx_camera_rec_piece_t *) task;
    ctx = ngx_http_get_module_ctx(r, ngx_camera_rec_module);
    s = ctx->sealed;

    s->reader = piece->reader;
    s->data = piece->data;
    s->cleanup = task->cleanup;

    piece->reader = NULL;
    piece->data = NULL;

    if (piece->n <= 0) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, piece->err,
                      "recordings: reading an encrypted file failed");
        return NGX_ERROR;
    }

    s->pos += piece->n;

    b = &s->buf;
    ngx_memzero(b, sizeof(ngx_buf_t));
    b->pos = s->data;
    b->last = s->data + piece->n;
    b->memory = 1;
    b->flush = 1;
    b->last_buf = s->pos == s->end;
    b->last_in_chain = b->last_buf;

    out.buf = b;
    out.next = NULL;

    rc = ngx_http_output_filter(r, &out);

    if (rc == NGX_ERROR || s->pos == s->end) {
        return rc;
    }

    return ngx_camera_rec_sealed_gone(s) ? ngx_camera_rec_sealed_read(s)
                                         : ngx_camera_rec_sealed_wait(s);
}


static void
ngx_camera_rec_sealed_clear(ngx_camera_task_t *task)
{
    ngx_camera_rec_piece_t *piece = (ngx_camera_rec_piece_t *) task;

    if (piece->reader) {
        cam_record_reader_close(piece->reader);
        ngx_free(piece->data);
    }
}


/* what has begun is rather late than cut off */

static ngx_int_t
ngx_camera_rec_sealed_later(ngx_camera_rec_sealed_t *s)
{
    s->later.data = s;
    s->later.handler = ngx_camera_rec_sealed_again;
    s->later.log = s->request->connection->log;

    ngx_add_timer(&s->later, NGX_CAMERA_REC_SEALED_LATER);

    s->request->main->count++;

    return NGX_DONE;
}


static void
ngx_camera_rec_sealed_again(ngx_event_t *ev)
{
    ngx_connection_t         *c;
    ngx_http_request_t       *r;
    ngx_camera_rec_sealed_t  *s;

    s = ev->data;
    r = s->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_http_finalize_request(r, ngx_camera_rec_sealed_read(s));
    ngx_http_run_posted_requests(c);
}


/* the buffer may be used again */

static ngx_uint_t
ngx_camera_rec_sealed_gone(ngx_camera_rec_sealed_t *s)
{
    ngx_http_request_t  *r;

    r = s->request;

    return s->buf.pos == s->buf.last && !r->buffered
           && !r->connection->buffered;
}


static ngx_int_t
ngx_camera_rec_sealed_wait(ngx_camera_rec_sealed_t *s)
{
    ngx_event_t               *wev;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = s->request;
    wev = r->connection->write;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    r->write_event_handler = ngx_camera_rec_sealed_write;

    if (!wev->delayed) {
        ngx_add_timer(wev, clcf->send_timeout);
    }

    if (ngx_handle_write_event(wev, clcf->send_lowat) != NGX_OK) {
        return NGX_ERROR;
    }

    r->main->count++;

    return NGX_DONE;
}


static void
ngx_camera_rec_sealed_write(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_event_t           *wev;
    ngx_connection_t      *c;
    ngx_camera_rec_ctx_t  *ctx;

    c = r->connection;
    wev = c->write;
    ctx = ngx_http_get_module_ctx(r, ngx_camera_rec_module);

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "client timed out");
        c->timedout = 1;

        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    rc = wev->delayed ? NGX_AGAIN : ngx_http_output_filter(r, NULL);

    if (rc == NGX_ERROR) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    if (!ngx_camera_rec_sealed_gone(ctx->sealed)) {
        rc = ngx_camera_rec_sealed_wait(ctx->sealed);
        ngx_http_finalize_request(r, rc);
        return;
    }

    if (wev->timer_set && !wev->delayed) {
        ngx_del_timer(wev);
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    ngx_http_finalize_request(r, ngx_camera_rec_sealed_read(ctx->sealed));
}
