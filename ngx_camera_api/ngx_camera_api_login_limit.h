/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Wrong passwords, by account and address, and by address alone.  An attempt is
 * counted as a wrong one before it is judged, so that many at once gain
 * nothing, and so does leaving; a right one takes that back, and so does an end
 * that is our fault.
 */

#ifndef NGX_CAMERA_API_LOGIN_LIMIT_H
#define NGX_CAMERA_API_LOGIN_LIMIT_H

#include "ngx_camera_api.h"
#include "ngx_camera_api_limit.h"

#define NGX_CAMERA_API_LOGIN_HASH  16


typedef struct {
    ngx_camera_api_ctx_t          *ctx;
    u_char                         hash[NGX_CAMERA_API_LOGIN_HASH];
    u_char                         address[NGX_CAMERA_API_LIMIT_ID];
    size_t                         address_len;
    ngx_uint_t                     judged;
} ngx_camera_api_login_attempt_t;


ngx_int_t ngx_camera_api_login_zone(ngx_conf_t *cf, void *tag);

/* NGX_DONE: it has to wait, and that was answered; attempt is in the request's
   memory */
ngx_int_t ngx_camera_api_login_begin(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_login_attempt_t *attempt, const char *account, size_t len);

void ngx_camera_api_login_judged(ngx_camera_api_login_attempt_t *attempt,
    ngx_uint_t right);

/* NGX_OK the first time for these 16 bytes within so long, on this node, and
   NGX_DECLINED from then on */
ngx_int_t ngx_camera_api_login_once(const u_char *hash, ngx_msec_t msec);


#endif /* NGX_CAMERA_API_LOGIN_LIMIT_H */
