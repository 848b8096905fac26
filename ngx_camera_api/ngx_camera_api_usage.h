/*
 * Copyright (C) The nginx camera platform authors
 */

/* How much each API token is used, for the database. */

#ifndef NGX_CAMERA_API_USAGE_H
#define NGX_CAMERA_API_USAGE_H

#include "ngx_camera_api.h"


ngx_int_t ngx_camera_api_usage_zone(ngx_conf_t *cf, void *tag);
void ngx_camera_api_usage_init(ngx_cycle_t *cycle);

/* one request more, which was refused as one too many or not */
void ngx_camera_api_usage_count(const u_char *token, ngx_uint_t limited);


#endif /* NGX_CAMERA_API_USAGE_H */
