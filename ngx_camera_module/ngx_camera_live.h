/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Live indexes and media files as one worker keeps them open: a camera that is
 * watched costs no system call per request to find out what there is.
 */

#ifndef NGX_CAMERA_LIVE_H
#define NGX_CAMERA_LIVE_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "live_index.h"
#include "ngx_camera.h"


/* an open media file; requests that send it hold a reference */
typedef struct {
    ngx_fd_t             fd;
    ngx_uint_t           refs;
    off_t                size;       /* when it was opened */
    ngx_str_t            name;       /* for the log, with a NUL */
    u_char               data[CAM_UUID_TEXT + 1 + CAM_LIVE_NAME_MAX + 1];
} ngx_camera_live_file_t;


typedef struct ngx_camera_live_s  ngx_camera_live_t;

struct ngx_camera_live_s {
    ngx_queue_t          bucket;
    ngx_queue_t          queue;      /* of all, most recently used first */
    uint8_t              camera[CAM_UUID_LEN];

    cam_live_t          *reader;
    uint64_t             version;
    cam_live_index_t     index;      /* of that version */
    ngx_uint_t           changes;    /* bumped with each new index */

    ngx_uint_t           holds;      /* requests that wait for a change */
    ngx_msec_t           used;
    ngx_msec_t           checked;

    /* what was made from the index, with its changes; freed by ngx_free() */
    void                *text;
    ngx_uint_t           text_changes;

    ngx_camera_live_file_t  *init[CAM_LIVE_INITS];
    uint32_t                 init_version[CAM_LIVE_INITS];
    ngx_camera_live_file_t  *segment[CAM_LIVE_SEGMENTS];
    uint64_t                 segment_msn[CAM_LIVE_SEGMENTS];
};


/* the camera's newest index; NULL when it was never packaged */
ngx_camera_live_t *ngx_camera_live_get(ngx_camera_conf_t *ccf,
    const uint8_t camera[CAM_UUID_LEN]);

/* NGX_OK when there is a new index, NGX_DECLINED when there is none */
ngx_int_t ngx_camera_live_refresh(ngx_camera_conf_t *ccf,
    ngx_camera_live_t *live);

/* of the index as it was read last, valid until the next _get() or _refresh();
   NULL: it is not in there */
cam_live_init_t *ngx_camera_live_init(ngx_camera_live_t *live,
    uint32_t version);
cam_live_segment_t *ngx_camera_live_segment(ngx_camera_live_t *live,
    uint64_t msn);

/*
 * Files of what the index lists, at least size bytes long; NULL when they are
 * gone.  Each answer is a reference.
 */
ngx_camera_live_file_t *ngx_camera_live_open_init(ngx_camera_conf_t *ccf,
    ngx_camera_live_t *live, uint32_t version, off_t size);
ngx_camera_live_file_t *ngx_camera_live_open_segment(ngx_camera_conf_t *ccf,
    ngx_camera_live_t *live, uint64_t msn, off_t size);
void ngx_camera_live_release(ngx_camera_live_file_t *file);


#endif /* NGX_CAMERA_LIVE_H */
