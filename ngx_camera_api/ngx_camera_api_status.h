/*
 * Copyright (C) The nginx camera platform authors
 */

/* What a stream is doing, for whoever tells it and whoever counts it. */

#ifndef NGX_CAMERA_API_STATUS_H
#define NGX_CAMERA_API_STATUS_H

#include "ngx_camera.h"
#include "ngx_camera_api.h"
#include "view.h"

/* who asked for media in the last so many seconds watches */
#define NGX_CAMERA_API_STATUS_VIEWERS_SEC  15


/* 1 and the entry of the camera in the path when the registry has it as the
   tenant's; 0: the database must say whether there is one */
ngx_uint_t ngx_camera_api_status_entry(ngx_camera_api_ctx_t *ctx,
    cam_registry_entry_t *entry);

/* the ring and the live index of a camera that the registry has */
void ngx_camera_api_status_look(ngx_camera_conf_t *ccf, const u_char *camera,
    cam_view_t *view);

/* pictures a second; 0: not known */
double ngx_camera_api_status_fps(const cam_view_t *view);

/* sessions that play it on this node */
ngx_uint_t ngx_camera_api_status_viewers(const u_char *camera);

/* copies for other programs: a timer of one worker's, which starts the second
   for each slot of the table of sessions */

struct ngx_camera_redis_s;

ngx_int_t ngx_camera_api_status_copy_init(ngx_cycle_t *cycle);
void ngx_camera_api_viewer_copy(struct ngx_camera_redis_s *redis,
    ngx_uint_t slot);


#endif /* NGX_CAMERA_API_STATUS_H */
