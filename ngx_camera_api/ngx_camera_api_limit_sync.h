/*
 * Copyright (C) The nginx camera platform authors
 */

#ifndef NGX_CAMERA_API_LIMIT_SYNC_H
#define NGX_CAMERA_API_LIMIT_SYNC_H

#include <ngx_config.h>
#include <ngx_core.h>


/* in a worker, once its Redis client is there */
void ngx_camera_api_sync_init(ngx_cycle_t *cycle);


#endif /* NGX_CAMERA_API_LIMIT_SYNC_H */
