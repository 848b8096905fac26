/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Live indexes and media files of the cameras this worker serves.
 *
 * An entry is made by the first request for a camera, refreshed by later ones
 * when the index's version changed (one load of a shared word), and freed a
 * minute after the last.  Open files follow the index: what it does not list
 * any more is closed at once, and all of a camera's files soon after its last
 * viewer left, for an open file keeps its pages in shared memory.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_camera.h"
#include "ngx_camera_live.h"


#define NGX_CAMERA_LIVE_BUCKETS       1024
#define NGX_CAMERA_LIVE_CHECK_MSEC    500      /* was the index replaced? */
#define NGX_CAMERA_LIVE_SWEEP_MSEC    1000
#define NGX_CAMERA_LIVE_FILES_MSEC    5000
#define NGX_CAMERA_LIVE_IDLE_MSEC     60000


static ngx_int_t ngx_camera_live_init_process(ngx_cycle_t *cycle);
static void ngx_camera_live_exit_process(ngx_cycle_t *cycle);
static ngx_camera_live_t *ngx_camera_live_find(
    const uint8_t camera[CAM_UUID_LEN]);
static ngx_camera_live_t *ngx_camera_live_create(
    const uint8_t camera[CAM_UUID_LEN], cam_live_t *reader);
static ngx_queue_t *ngx_camera_live_bucket(const uint8_t camera[CAM_UUID_LEN]);
static void ngx_camera_live_reopen(ngx_camera_conf_t *ccf,
    ngx_camera_live_t *live);
static void ngx_camera_live_forget_files(ngx_camera_live_t *live,
    ngx_uint_t all);
static ngx_camera_live_file_t *ngx_camera_live_open(ngx_camera_conf_t *ccf,
    ngx_camera_live_t *live, const char *name);
static ngx_int_t ngx_camera_live_long_enough(ngx_camera_live_file_t *file,
    off_t size);
static void ngx_camera_live_sweep(ngx_event_t *ev);
static void ngx_camera_live_free(ngx_camera_live_t *live);


static ngx_core_module_t  ngx_camera_live_module_ctx = {
    ngx_string("camera_live"),
    NULL,
    NULL
};


ngx_module_t  ngx_camera_live_module = {
    NGX_MODULE_V1,
    &ngx_camera_live_module_ctx,           /* module context */
    NULL,                                  /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_camera_live_init_process,          /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_camera_live_exit_process,          /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_queue_t  ngx_camera_live_buckets[NGX_CAMERA_LIVE_BUCKETS];
static ngx_queue_t  ngx_camera_live_all;
static ngx_event_t  ngx_camera_live_timer;


static ngx_int_t
ngx_camera_live_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_CAMERA_LIVE_BUCKETS; i++) {
        ngx_queue_init(&ngx_camera_live_buckets[i]);
    }

    ngx_queue_init(&ngx_camera_live_all);

    ngx_camera_background_event(&ngx_camera_live_timer, ngx_camera_live_sweep,
                                cycle->log);

    return NGX_OK;
}


static void
ngx_camera_live_exit_process(ngx_cycle_t *cycle)
{
    ngx_queue_t  *q;

    if (ngx_camera_live_timer.timer_set) {
        ngx_del_timer(&ngx_camera_live_timer);
    }

    while (!ngx_queue_empty(&ngx_camera_live_all)) {
        q = ngx_queue_head(&ngx_camera_live_all);
        ngx_camera_live_free(ngx_queue_data(q, ngx_camera_live_t, queue));
    }
}


ngx_camera_live_t *
ngx_camera_live_get(ngx_camera_conf_t *ccf, const uint8_t camera[CAM_UUID_LEN])
{
    cam_live_t         *reader;
    ngx_camera_live_t  *live;

    live = ngx_camera_live_find(camera);

    if (live == NULL) {

        reader = cam_live_reader_open(ccf->live_fd, camera);

        if (reader == NULL) {

            if (ngx_errno != NGX_ENOENT) {
                ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                              "cam_live_reader_open() failed");
            }

            return NULL;
        }

        live = ngx_camera_live_create(camera, reader);

        if (live == NULL) {
            cam_live_close(reader);
            return NULL;
        }
    }

    live->used = ngx_current_msec;

    ngx_queue_remove(&live->queue);
    ngx_queue_insert_head(&ngx_camera_live_all, &live->queue);

    (void) ngx_camera_live_refresh(ccf, live);

    return live->version ? live : NULL;
}


static ngx_camera_live_t *
ngx_camera_live_find(const uint8_t camera[CAM_UUID_LEN])
{
    ngx_queue_t        *q, *bucket;
    ngx_camera_live_t  *live;

    bucket = ngx_camera_live_bucket(camera);

    for (q = ngx_queue_head(bucket);
         q != ngx_queue_sentinel(bucket);
         q = ngx_queue_next(q))
    {
        live = ngx_queue_data(q, ngx_camera_live_t, bucket);

        if (ngx_memcmp(live->camera, camera, CAM_UUID_LEN) == 0) {
            return live;
        }
    }

    return NULL;
}


static ngx_camera_live_t *
ngx_camera_live_create(const uint8_t camera[CAM_UUID_LEN], cam_live_t *reader)
{
    ngx_camera_live_t  *live;

    live = ngx_calloc(sizeof(ngx_camera_live_t), ngx_cycle->log);
    if (live == NULL) {
        return NULL;
    }

    ngx_memcpy(live->camera, camera, CAM_UUID_LEN);
    live->reader = reader;
    live->checked = ngx_current_msec;

    ngx_queue_insert_head(ngx_camera_live_bucket(camera), &live->bucket);
    ngx_queue_insert_head(&ngx_camera_live_all, &live->queue);

    if (!ngx_camera_live_timer.timer_set) {
        ngx_add_timer(&ngx_camera_live_timer, NGX_CAMERA_LIVE_SWEEP_MSEC);
    }

    return live;
}


/* the registry knows the camera: its id is no attacker's choice */

static ngx_queue_t *
ngx_camera_live_bucket(const uint8_t camera[CAM_UUID_LEN])
{
    uint32_t  hash;

    ngx_memcpy(&hash, camera + CAM_UUID_LEN - sizeof(hash), sizeof(hash));

    return &ngx_camera_live_buckets[hash % NGX_CAMERA_LIVE_BUCKETS];
}


ngx_int_t
ngx_camera_live_refresh(ngx_camera_conf_t *ccf, ngx_camera_live_t *live)
{
    uint64_t           version;
    cam_live_index_t   index;

    if (ngx_current_msec - live->checked > NGX_CAMERA_LIVE_CHECK_MSEC) {
        live->checked = ngx_current_msec;
        ngx_camera_live_reopen(ccf, live);
    }

    version = cam_live_version(live->reader);

    if (version == live->version) {
        return NGX_DECLINED;
    }

    /* a copy that cannot be had or is not sane leaves the old one in force */

    if (cam_live_read(live->reader, &index) != 0) {

        if (ngx_errno != NGX_EAGAIN) {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                          "cam_live_read() failed");
            live->version = version;
        }

        return NGX_DECLINED;
    }

    live->index = index;
    live->version = version;
    live->changes++;

    ngx_camera_live_forget_files(live, 0);

    return NGX_OK;
}


/* the packager's successor may have had to make a new file */

static void
ngx_camera_live_reopen(ngx_camera_conf_t *ccf, ngx_camera_live_t *live)
{
    cam_live_t  *reader;

    if (!cam_live_stale(live->reader, ccf->live_fd)) {
        return;
    }

    reader = cam_live_reader_open(ccf->live_fd, live->camera);

    if (reader == NULL) {
        return;
    }

    cam_live_close(live->reader);
    live->reader = reader;
    live->version = 0;

    ngx_camera_live_forget_files(live, 1);
}


static void
ngx_camera_live_forget_files(ngx_camera_live_t *live, ngx_uint_t all)
{
    ngx_uint_t  i;

    for (i = 0; i < CAM_LIVE_SEGMENTS; i++) {

        if (live->segment[i]
            && (all || ngx_camera_live_segment(live, live->segment_msn[i])
                       == NULL))
        {
            ngx_camera_live_release(live->segment[i]);
            live->segment[i] = NULL;
        }
    }

    for (i = 0; i < CAM_LIVE_INITS; i++) {

        if (live->init[i]
            && (all || ngx_camera_live_init(live, live->init_version[i])
                       == NULL))
        {
            ngx_camera_live_release(live->init[i]);
            live->init[i] = NULL;
        }
    }
}


cam_live_init_t *
ngx_camera_live_init(ngx_camera_live_t *live, uint32_t version)
{
    ngx_uint_t  i;

    for (i = 0; version && i < CAM_LIVE_INITS; i++) {
        if (live->index.init[i].version == version) {
            return &live->index.init[i];
        }
    }

    return NULL;
}


cam_live_segment_t *
ngx_camera_live_segment(ngx_camera_live_t *live, uint64_t msn)
{
    uint64_t           first;
    cam_live_index_t  *index;

    index = &live->index;

    if (index->segments == 0) {
        return NULL;
    }

    first = index->segment[0].msn;

    if (msn < first || msn - first >= index->segments) {
        return NULL;
    }

    return &index->segment[msn - first];
}


ngx_camera_live_file_t *
ngx_camera_live_open_init(ngx_camera_conf_t *ccf, ngx_camera_live_t *live,
    uint32_t version, off_t size)
{
    char                      name[CAM_LIVE_NAME_MAX];
    ngx_uint_t                i;
    ngx_camera_live_file_t  **file;

    i = version % CAM_LIVE_INITS;
    file = &live->init[i];

    if (*file && live->init_version[i] != version) {
        ngx_camera_live_release(*file);
        *file = NULL;
    }

    if (*file == NULL) {
        *file = ngx_camera_live_open(ccf, live,
                                     cam_live_init_name(name, version));
        live->init_version[i] = version;
    }

    if (*file == NULL || !ngx_camera_live_long_enough(*file, size)) {
        return NULL;
    }

    (*file)->refs++;

    return *file;
}


ngx_camera_live_file_t *
ngx_camera_live_open_segment(ngx_camera_conf_t *ccf, ngx_camera_live_t *live,
    uint64_t msn, off_t size)
{
    char                      name[CAM_LIVE_NAME_MAX];
    ngx_uint_t                i;
    ngx_camera_live_file_t  **file;

    i = msn % CAM_LIVE_SEGMENTS;
    file = &live->segment[i];

    if (*file && live->segment_msn[i] != msn) {
        ngx_camera_live_release(*file);
        *file = NULL;
    }

    if (*file == NULL) {
        *file = ngx_camera_live_open(ccf, live,
                                     cam_live_segment_name(name, msn));
        live->segment_msn[i] = msn;
    }

    if (*file == NULL || !ngx_camera_live_long_enough(*file, size)) {
        return NULL;
    }

    (*file)->refs++;

    return *file;
}


static ngx_camera_live_file_t *
ngx_camera_live_open(ngx_camera_conf_t *ccf, ngx_camera_live_t *live,
    const char *name)
{
    char                     uuid[CAM_UUID_TEXT + 1];
    ngx_camera_live_file_t  *file;

    file = ngx_calloc(sizeof(ngx_camera_live_file_t), ngx_cycle->log);
    if (file == NULL) {
        return NULL;
    }

    file->name.data = file->data;
    file->name.len = ngx_snprintf(file->data, sizeof(file->data) - 1, "%s/%s",
                                  cam_uuid_print(uuid, live->camera), name)
                     - file->data;

    file->fd = openat(ccf->live_fd, (char *) file->data,
                      O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);

    if (file->fd == NGX_INVALID_FILE) {

        if (ngx_errno != NGX_ENOENT) {
            ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, ngx_errno,
                          ngx_open_file_n " \"%V\" failed", &file->name);
        }

        ngx_free(file);
        return NULL;
    }

    file->refs = 1;

    return file;
}


/* sendfile() past the end of a file would break the connection */

static ngx_int_t
ngx_camera_live_long_enough(ngx_camera_live_file_t *file, off_t size)
{
    ngx_file_info_t  fi;

    if (size <= file->size) {
        return 1;
    }

    if (ngx_fd_info(file->fd, &fi) == NGX_FILE_ERROR || !ngx_is_file(&fi)) {
        return 0;
    }

    file->size = ngx_file_size(&fi);

    return size <= file->size;
}


void
ngx_camera_live_release(ngx_camera_live_file_t *file)
{
    if (--file->refs) {
        return;
    }

    if (ngx_close_file(file->fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", &file->name);
    }

    ngx_free(file);
}


static void
ngx_camera_live_sweep(ngx_event_t *ev)
{
    ngx_msec_t          idle;
    ngx_queue_t        *q, *prev;
    ngx_camera_conf_t  *ccf;
    ngx_camera_live_t  *live;

    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    for (q = ngx_queue_last(&ngx_camera_live_all);
         q != ngx_queue_sentinel(&ngx_camera_live_all);
         q = prev)
    {
        prev = ngx_queue_prev(q);
        live = ngx_queue_data(q, ngx_camera_live_t, queue);
        idle = ngx_current_msec - live->used;

        if (live->holds == 0 && idle > NGX_CAMERA_LIVE_IDLE_MSEC) {
            ngx_camera_live_free(live);

        } else if (idle > NGX_CAMERA_LIVE_FILES_MSEC) {
            ngx_camera_live_forget_files(live, 1);

        } else {
            (void) ngx_camera_live_refresh(ccf, live);
        }
    }

    if (!ngx_queue_empty(&ngx_camera_live_all)) {
        ngx_add_timer(ev, NGX_CAMERA_LIVE_SWEEP_MSEC);
    }
}


static void
ngx_camera_live_free(ngx_camera_live_t *live)
{
    ngx_queue_remove(&live->bucket);
    ngx_queue_remove(&live->queue);

    ngx_camera_live_forget_files(live, 1);
    cam_live_close(live->reader);

    if (live->text) {
        ngx_free(live->text);
    }

    ngx_free(live);
}
