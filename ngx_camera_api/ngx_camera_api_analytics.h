/*
 * Copyright (C) The nginx camera platform authors
 */

/* What the files of /analytics share. */

#ifndef NGX_CAMERA_API_ANALYTICS_H
#define NGX_CAMERA_API_ANALYTICS_H

#include "ngx_camera_api.h"


/* a minute of the cameras of this node, each minute */

extern ngx_camera_api_statement_t  ngx_camera_api_analytics_add;

ngx_int_t ngx_camera_api_analytics_sample_init(ngx_cycle_t *cycle);

/* the days that the statement answers, to Redis */
void ngx_camera_api_analytics_copy(const PGresult *res);


#endif /* NGX_CAMERA_API_ANALYTICS_H */
