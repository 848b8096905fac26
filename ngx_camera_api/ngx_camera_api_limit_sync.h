/*
 * Copyright (C) The nginx camera platform authors
 */

#ifndef NGX_CAMERA_API_LIMIT_SYNC_H
#define NGX_CAMERA_API_LIMIT_SYNC_H

#include <ngx_config.h>
#include <ngx_core.h>


/* in a worker, once its Redis client is there */
void ngx_camera_api_sync_init(ngx_cycle_t *cycle);

/* 1 while limits hold over all nodes, 0 while each node is on its own */
ngx_uint_t ngx_camera_api_sync_shared(void);


#endif /* NGX_CAMERA_API_LIMIT_SYNC_H */
