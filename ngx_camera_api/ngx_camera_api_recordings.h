/*
 * Copyright (C) The nginx camera platform authors
 */

/* What the resources of recordings share. */

#ifndef NGX_CAMERA_API_RECORDINGS_H
#define NGX_CAMERA_API_RECORDINGS_H

#include "ngx_camera_api.h"
#include "record_uri.h"

#define NGX_CAMERA_API_DAY_MSEC  86400000LL


/* a recording, out of what the functions of the database answer */

#define NGX_CAMERA_API_RECORDING                                              \
    "id, camera_id, filename, duration, file_size, start_time, end_time, "    \
    "is_archived, cloud_url, segment_number, state, storage_tier, "           \
    "is_locked, locked_reason, nullif(width, 0), nullif(height, 0), "         \
    "nullif(codecs, '')"

extern const ngx_camera_api_column_t  ngx_camera_api_recordings_columns[];


/* a query that begins with the times between which something is asked for, Unix
   ms: fields, by their place */

#define NGX_CAMERA_API_RECORDINGS_FROM  0
#define NGX_CAMERA_API_RECORDINGS_TO    1

/* NGX_OK, or NGX_DONE: to is not behind from, or too far, and that was
   answered */
ngx_int_t ngx_camera_api_recordings_range(ngx_camera_api_ctx_t *ctx,
    int64_t most_msec, const char *too_far);

/* who does this, by which session, from where: three parameters for the
   audit; and the last one of them */
void ngx_camera_api_recordings_actor(ngx_camera_api_ctx_t *ctx);
const char *ngx_camera_api_recordings_address(ngx_camera_api_ctx_t *ctx);


/* what this node's volumes say to a new recording: _OK, also when they are not
   known, _STORAGE_FULL or _RECORDING_FAILED */
ngx_camera_api_code_e ngx_camera_api_recording_room(void);

/* the member "recording": what is being recorded of a camera, null when this
   node does not know */
void ngx_camera_api_recording_put(ngx_camera_api_ctx_t *ctx,
    const u_char *camera);


/*
 * What is handed out to see recordings by, good until *expires (Unix s), which
 * is set: the address of a range, and that of a file under the name given.  An
 * empty one: that was answered.
 */

#define NGX_CAMERA_API_RECORDINGS_PLAY_TTL      CAM_TOKEN_PLAYBACK_TTL
#define NGX_CAMERA_API_RECORDINGS_DOWNLOAD_TTL  3600

ngx_str_t ngx_camera_api_recordings_play_url(ngx_camera_api_ctx_t *ctx,
    const u_char *camera, uint32_t epoch, int64_t from_msec, int64_t to_msec,
    int64_t *expires);
ngx_str_t ngx_camera_api_recordings_download_url(ngx_camera_api_ctx_t *ctx,
    const cam_record_uri_t *what, uint32_t epoch, const ngx_str_t *name,
    int64_t *expires);

/* what a download is saved as: the camera's name, as far as files may have it,
   and the rest; empty without memory */

#define NGX_CAMERA_API_RECORDINGS_NAME          64    /* bytes of the camera */

ngx_str_t ngx_camera_api_recordings_name(ngx_camera_api_ctx_t *ctx,
    const char *camera, size_t len, const char *rest);


#endif /* NGX_CAMERA_API_RECORDINGS_H */
