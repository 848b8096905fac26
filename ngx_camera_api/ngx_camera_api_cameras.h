/*
 * Copyright (C) The nginx camera platform authors
 */

/* What the resources below /cameras share. */

#ifndef NGX_CAMERA_API_CAMERAS_H
#define NGX_CAMERA_API_CAMERAS_H

#include "ngx_camera_api.h"
#include "token.h"


/* a camera, out of the table or out of what the functions that change it
   answer; id comes first, and the three that make up rtmpUrl in this order */

#define NGX_CAMERA_API_CAMERA(generation, status, cidrs, tags, version)       \
    "id, external_id, name, company, model, serial_number, location, place, " \
    "rtmp_url, rtmp_key, " generation ", is_active, is_recording, "           \
    status ", assigned_node, " cidrs ", cut_at_expiry, "                      \
    "retention_days, retention_bytes, recording_encrypted, " tags ", "        \
    "created_at, updated_at, " version

extern const ngx_camera_api_column_t  ngx_camera_api_cameras_columns[];

/* what a new one may have, and what may be wrong with that besides */
extern const cam_field_t  ngx_camera_api_cameras_new[];
extern const ngx_camera_api_conflict_t  ngx_camera_api_cameras_conflicts[];

/* what is wrong with recordingEncrypted on this node, NULL: nothing is */
const char *ngx_camera_api_cameras_wrong(const cam_value_t *body);


/*
 * Signs what lets a camera publish, by its key of that generation, from now to
 * *expires, which is set.  NGX_ERROR: there is no key to sign with.
 */
ngx_int_t ngx_camera_api_cameras_token(ngx_camera_api_ctx_t *ctx,
    const u_char *camera, int64_t generation, time_t *expires,
    u_char text[CAM_TOKEN_MAX]);

/*
 * Puts the address a camera pushes to.  own is the camera's rtmp_url, empty as
 * a rule; name is its key, or an opaque one; token is NULL for none.
 */
void ngx_camera_api_cameras_put_url(ngx_camera_api_ctx_t *ctx,
    const char *member, const ngx_str_t *own, const ngx_str_t *name,
    const u_char *token);

/* the member rtmpUrl, for those who may set up a camera; without a token in
   lists */
void ngx_camera_api_cameras_rtmp_url(ngx_camera_api_ctx_t *ctx,
    const char *name, const PGresult *res, int row, int column);


#endif /* NGX_CAMERA_API_CAMERAS_H */
