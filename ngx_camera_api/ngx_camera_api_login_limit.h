/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Attempts to log in, by account and address, and by address alone.  An attempt
 * is counted before it is judged, so that many at once gain nothing; a good one
 * takes its count back.
 */

#ifndef NGX_CAMERA_API_LOGIN_LIMIT_H
#define NGX_CAMERA_API_LOGIN_LIMIT_H

#include "ngx_camera_api.h"


ngx_int_t ngx_camera_api_login_zone(ngx_conf_t *cf, void *tag);

/* 0: may be tried and is counted; otherwise the seconds to wait */
time_t ngx_camera_api_login_try(ngx_camera_api_ctx_t *ctx,
    const ngx_str_t *account);

/* it was the right password: what failed before is forgotten */
void ngx_camera_api_login_passed(ngx_camera_api_ctx_t *ctx,
    const ngx_str_t *account);

/* it was not judged, for want of a database for example */
void ngx_camera_api_login_undone(ngx_camera_api_ctx_t *ctx,
    const ngx_str_t *account);


#endif /* NGX_CAMERA_API_LOGIN_LIMIT_H */
