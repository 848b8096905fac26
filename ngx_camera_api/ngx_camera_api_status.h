/*
 * Copyright (C) The nginx camera platform authors
 */

/* What a stream is doing, for whoever tells it and whoever counts it. */

#ifndef NGX_CAMERA_API_STATUS_H
#define NGX_CAMERA_API_STATUS_H

#include "ngx_camera.h"
#include "view.h"

/* who asked for media in the last so many seconds watches */
#define NGX_CAMERA_API_STATUS_VIEWERS_SEC  15


/* the ring and the live index of a camera that the registry has */
void ngx_camera_api_status_look(ngx_camera_conf_t *ccf, const u_char *camera,
    cam_view_t *view);

/* pictures a second; 0: not known */
double ngx_camera_api_status_fps(const cam_view_t *view);

/* sessions that play it on this node */
ngx_uint_t ngx_camera_api_status_viewers(const u_char *camera);


#endif /* NGX_CAMERA_API_STATUS_H */
