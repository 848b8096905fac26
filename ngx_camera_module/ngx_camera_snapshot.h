/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Snapshots for other modules to answer with.  What they do before, such as
 * finding out who asks and whether that camera may be shown, is theirs.
 */

#ifndef NGX_CAMERA_SNAPSHOT_H
#define NGX_CAMERA_SNAPSHOT_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "snapshot_file.h"
#include "uuid.h"


/* why there is no picture */
typedef enum {
    NGX_CAMERA_SNAPSHOT_OFFLINE = 0,     /* nobody publishes */
    NGX_CAMERA_SNAPSHOT_UNDECODABLE,     /* what the camera sends is none */
    NGX_CAMERA_SNAPSHOT_QUARANTINED,     /* it crashed the decoder */
    NGX_CAMERA_SNAPSHOT_AWAY,            /* camera-worker does not run */
    NGX_CAMERA_SNAPSHOT_LATE             /* none within two seconds */
} ngx_camera_snapshot_why_e;


/* answers the request in another way; what it returns finalizes that */
typedef ngx_int_t (*ngx_camera_snapshot_handler_pt)(ngx_http_request_t *r,
    void *data, ngx_camera_snapshot_why_e why);


/*
 * Answers a GET or HEAD request with the camera's newest picture, 200 or 304,
 * image/jpeg, in the smallest width that is not less than the one given (160,
 * 320, 640, 1280).  It sets Cache-Control and Last-Modified; other headers may
 * have been set before.
 *
 * NGX_DONE: no picture is ready.  The request was referenced once more and will
 * be finalized here, within two seconds, with the picture or with what handler
 * returned.  handler runs exactly once when no picture comes, never before this
 * function has returned, and not at all when the client has left.
 * Anything else is for the caller to return or to finalize with.
 */
ngx_int_t ngx_camera_snapshot_send(ngx_http_request_t *r,
    const uint8_t camera[CAM_UUID_LEN], ngx_uint_t width,
    ngx_camera_snapshot_handler_pt handler, void *data);

/* what to tell the client, and after how many seconds it may ask again */
ngx_str_t *ngx_camera_snapshot_text(ngx_camera_snapshot_why_e why,
    ngx_uint_t *retry_sec);


#endif /* NGX_CAMERA_SNAPSHOT_H */
