/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Files on a volume: the hour files of a playlist, of which a session sees its
 * range, and whole recordings and exports for whoever has a link.
 *
 * A thread opens the file and reads its index; the bytes are sent by nginx as
 * those of any file, or decrypted by threads, see ngx_camera_rec_sealed.c.  Of
 * one that still grows there is what its index names.
 * Who is being sent a file keeps it, also when it is removed meanwhile; the
 * next request finds it gone.
 */

#include "ngx_camera_rec.h"
#include "record_range.h"


#define NGX_CAMERA_REC_STILL_SEC  60     /* not written to: it is whole */


/* in and out of the thread */

typedef struct {
    ngx_camera_task_t      task;
    char                 **volume;
    unsigned               volumes;
    cam_record_uri_t       uri;
    int64_t                from_msec;    /* of the session */
    int64_t                to_msec;
    unsigned               windowed;     /* there is a session */
    const cam_keys_t      *keys;

    int                    err;
    int                    fd;
    cam_record_reader_t   *reader;       /* of an encrypted one, instead */
    time_t                 mtime;
    off_t                  size;
    off_t                  init;         /* of the window */
    off_t                  start;
    off_t                  end;
} ngx_camera_rec_open_t;


static void ngx_camera_rec_file_run(ngx_camera_task_t *task);
static void ngx_camera_rec_file_path(char *path, const cam_record_uri_t *uri,
    const char *suffix);
static int ngx_camera_rec_file_open(ngx_camera_rec_open_t *open);
static int ngx_camera_rec_file_index(ngx_camera_rec_open_t *open);
static int ngx_camera_rec_file_key(ngx_camera_rec_open_t *open);
static int ngx_camera_rec_file_sealed(ngx_camera_rec_open_t *open, int fd,
    const cam_record_head_t *head);
static int ngx_camera_rec_file_window(ngx_camera_rec_open_t *open, int fd,
    const cam_record_head_t *head);
static ngx_int_t ngx_camera_rec_file_answer(ngx_camera_task_t *task,
    ngx_http_request_t *r);
static ngx_int_t ngx_camera_rec_file_headers(ngx_http_request_t *r,
    ngx_camera_rec_open_t *open);
static ngx_int_t ngx_camera_rec_file_send(ngx_http_request_t *r,
    ngx_camera_rec_open_t *open);
static ngx_int_t ngx_camera_rec_file_plain(ngx_http_request_t *r,
    ngx_camera_rec_open_t *open);
static void ngx_camera_rec_file_clear(ngx_camera_task_t *task);


ngx_int_t
ngx_camera_rec_file(ngx_http_request_t *r)
{
    ngx_camera_conf_t      *ccf;
    ngx_camera_rec_ctx_t   *ctx;
    ngx_camera_rec_open_t  *open;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_rec_module);
    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    open = ngx_camera_task_create(sizeof(ngx_camera_rec_open_t));
    if (open == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    open->volume = ccf->recordings;
    open->volumes = ccf->nrecordings;
    open->uri = ctx->uri;
    open->windowed = ctx->args.session.len > 0;
    open->from_msec = ctx->session.from_msec;
    open->to_msec = ctx->session.to_msec;
    open->keys = ccf->keys;
    open->fd = -1;

    open->task.run = ngx_camera_rec_file_run;
    open->task.answer = ngx_camera_rec_file_answer;
    open->task.clear = ngx_camera_rec_file_clear;

    return ngx_camera_task_post(&open->task, r);
}


static void
ngx_camera_rec_file_run(ngx_camera_task_t *task)
{
    ngx_camera_rec_open_t *open = (ngx_camera_rec_open_t *) task;

    if (ngx_camera_rec_file_open(open) == -1
        || (open->uri.kind == CAM_RECORD_FILE
            && ngx_camera_rec_file_index(open) == -1)
        || (open->uri.kind == CAM_RECORD_EXPORT
            && ngx_camera_rec_file_key(open) == -1))
    {
        open->err = ngx_errno;
    }
}


static void
ngx_camera_rec_file_path(char *path, const cam_record_uri_t *uri,
    const char *suffix)
{
    char  id[CAM_UUID_TEXT + 1];

    if (uri->kind == CAM_RECORD_FILE) {
        (void) cam_record_path(path, uri->camera, uri->start_msec, suffix);

    } else {
        *ngx_snprintf((u_char *) path, CAM_RECORD_PATH_MAX - 1,
                      "exports/%s.%s", cam_uuid_print(id, uri->id), suffix)
            = '\0';
    }
}


static int
ngx_camera_rec_file_open(ngx_camera_rec_open_t *open)
{
    char             path[CAM_RECORD_PATH_MAX];
    ngx_file_info_t  fi;

    ngx_camera_rec_file_path(path, &open->uri,
                             open->uri.kind == CAM_RECORD_MANIFEST ? "json"
                                                                   : "mp4");

    open->fd = cam_record_open(open->volume, open->volumes, path);

    if (open->fd == -1 || ngx_fd_info(open->fd, &fi) == NGX_FILE_ERROR) {
        return -1;
    }

    if (!ngx_is_file(&fi)) {
        ngx_set_errno(NGX_ENOENT);
        return -1;
    }

    open->size = ngx_file_size(&fi);
    open->mtime = ngx_file_mtime(&fi);

    return 0;
}


/* a download does not need the index of a file that is whole */

static int
ngx_camera_rec_file_index(ngx_camera_rec_open_t *open)
{
    int                fd, rc;
    char               path[CAM_RECORD_PATH_MAX];
    cam_record_head_t  head;

    ngx_camera_rec_file_path(path, &open->uri, "idx");

    fd = cam_record_open(open->volume, open->volumes, path);

    if (fd == -1) {
        return open->windowed ? -1 : 0;
    }

    rc = cam_record_head_read(fd, &head);

    if (rc == 0
        && ngx_memcmp(head.camera, open->uri.camera, CAM_UUID_LEN) == 0)
    {
        rc = ngx_camera_rec_file_window(open, fd, &head);

        if (rc == 0 && head.cipher) {
            return ngx_camera_rec_file_sealed(open, fd, &head);
        }

    } else if (open->windowed) {
        ngx_set_errno(NGX_ENOENT);
        rc = -1;

    } else {
        rc = 0;
    }

    ngx_close_file(fd);

    return rc;
}


/* an export that is encrypted has one beside it */

static int
ngx_camera_rec_file_key(ngx_camera_rec_open_t *open)
{
    int                fd, rc;
    char               path[CAM_RECORD_PATH_MAX];
    cam_record_head_t  head;

    ngx_camera_rec_file_path(path, &open->uri, "key");

    fd = cam_record_open(open->volume, open->volumes, path);

    if (fd == -1) {
        return ngx_errno == NGX_ENOENT ? 0 : -1;
    }

    rc = cam_record_head_read(fd, &head);
    ngx_close_file(fd);

    return rc == 0 ? ngx_camera_rec_file_sealed(open, -1, &head) : -1;
}


/* both descriptors are the reader's from now on */

static int
ngx_camera_rec_file_sealed(ngx_camera_rec_open_t *open, int fd,
    const cam_record_head_t *head)
{
    open->reader = cam_record_reader_open(open->fd, fd, head, open->keys);
    open->fd = -1;

    return open->reader ? 0 : -1;
}


static int
ngx_camera_rec_file_window(ngx_camera_rec_open_t *open, int fd,
    const cam_record_head_t *head)
{
    off_t                  end;
    uint32_t               count;
    cam_record_part_t      part;
    cam_record_fragment_t  f;

    count = cam_record_count(fd);
    end = head->init_size;

    if (count && cam_record_fragments(fd, count - 1, &f, 1) == 1) {
        end = f.offset + f.size;
    }

    open->size = ngx_min(open->size, end);

    if (!open->windowed) {
        return 0;
    }

    open->init = head->init_size;

    if (cam_record_select(fd, open->from_msec, open->to_msec, &part)
        && cam_record_fragments(fd, part.first, &f, 1) == 1)
    {
        open->start = f.offset;

        if (cam_record_fragments(fd, part.first + part.n - 1, &f, 1) == 1) {
            open->end = ngx_min(open->size, (off_t) (f.offset + f.size));
            return 0;
        }
    }

    ngx_set_errno(NGX_ENOENT);

    return -1;
}


static ngx_int_t
ngx_camera_rec_file_answer(ngx_camera_task_t *task, ngx_http_request_t *r)
{
    ngx_int_t               rc;
    ngx_camera_rec_open_t  *open;

    open = (ngx_camera_rec_open_t *) task;

    if (open->err == NGX_ENOENT || open->err == NGX_ELOOP
        || open->err == NGX_ENOTDIR)
    {
        return ngx_camera_play_refuse(r, NGX_HTTP_NOT_FOUND, "file is gone");
    }

    if (open->err) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, open->err,
                      "recordings: reading a file failed");
        return ngx_camera_play_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                      "file cannot be read");
    }

    rc = ngx_camera_rec_file_headers(r, open);

    if (rc != NGX_OK) {
        return rc;
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->allow_ranges = 1;

    if (open->windowed) {
        rc = ngx_camera_rec_range(r, open->size, open->init, &open->start,
                                  &open->end);
        if (rc != NGX_OK) {
            return rc;
        }

    } else {
        open->end = open->size;
    }

    if (open->reader && r->allow_ranges) {
        rc = ngx_camera_rec_range_one(r, open->size, &open->start, &open->end);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    r->headers_out.content_length_n = open->end - open->start;

    return ngx_camera_rec_file_send(r, open);
}


static ngx_int_t
ngx_camera_rec_file_headers(ngx_http_request_t *r,
    ngx_camera_rec_open_t *open)
{
    const char            *cache;
    ngx_camera_rec_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_rec_module);

    if (open->uri.kind == CAM_RECORD_MANIFEST) {
        ngx_str_set(&r->headers_out.content_type, "application/json");

    } else {
        ngx_str_set(&r->headers_out.content_type, "video/mp4");
    }

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.last_modified_time = open->mtime;

    /* the validator is of the whole file, whatever a session sees of it */

    r->headers_out.content_length_n = open->size;

    cache = open->windowed && ngx_time() - open->mtime
                              > NGX_CAMERA_REC_STILL_SEC
            ? "private, max-age=3600, immutable" : "private, no-store";

    if (ngx_http_set_etag(r) != NGX_OK
        || ngx_camera_play_add_header(r, "Cache-Control", cache) != NGX_OK
        || ngx_camera_play_add_header(r, "Referrer-Policy", "no-referrer")
           != NGX_OK
        || (!open->windowed
            && ngx_camera_rec_disposition(r, &ctx->args.name) != NGX_OK))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_camera_rec_file_send(ngx_http_request_t *r, ngx_camera_rec_open_t *open)
{
    cam_record_reader_t   *reader;
    ngx_camera_rec_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_camera_rec_module);

    if (ctx->signed_in && r->method != NGX_HTTP_HEAD
        && ngx_camera_hls_worker.sessions)
    {
        cam_sessions_sent(ngx_camera_hls_worker.sessions, &ctx->session.url,
                          open->end - open->start);
    }

    if (open->reader == NULL) {
        return ngx_camera_rec_file_plain(r, open);
    }

    reader = open->reader;
    open->reader = NULL;

    return ngx_camera_rec_sealed(r, reader, open->start, open->end);
}


static ngx_int_t
ngx_camera_rec_file_plain(ngx_http_request_t *r, ngx_camera_rec_open_t *open)
{
    ngx_int_t                 rc;
    ngx_buf_t                *b;
    ngx_chain_t               out;
    ngx_pool_cleanup_t       *cln;
    ngx_pool_cleanup_file_t  *file;

    static const ngx_str_t  name = ngx_string("a recording");

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_pool_cleanup_file_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    file = cln->data;
    file->fd = open->fd;
    file->name = name.data;
    file->log = r->pool->log;
    cln->handler = ngx_pool_cleanup_file;

    open->fd = -1;

    b = ngx_camera_play_file(r, file->fd, &name, open->start, open->end);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static void
ngx_camera_rec_file_clear(ngx_camera_task_t *task)
{
    ngx_camera_rec_open_t *open = (ngx_camera_rec_open_t *) task;

    if (open->fd != -1) {
        ngx_close_file(open->fd);
    }

    if (open->reader) {
        cam_record_reader_close(open->reader);
    }
}
