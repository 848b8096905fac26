/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Passwords off the event loop: a thread of each worker compares and hashes
 * them, for as many requests as the queue holds.
 */

#ifndef NGX_CAMERA_API_PASSWORD_H
#define NGX_CAMERA_API_PASSWORD_H

#include "ngx_camera_api.h"
#include "password.h"


/* right: it is the password of the hash; made: the hash of the next one, NULL
   when there was none or the first is wrong */
typedef void (*ngx_camera_api_password_pt)(ngx_camera_api_ctx_t *ctx,
    ngx_uint_t right, const char *made);


/* declares the threads, while the configuration is read */
ngx_int_t ngx_camera_api_password_threads(ngx_conf_t *cf, ngx_uint_t threads,
    ngx_uint_t queue);

/*
 * Compares; next may be NULL.  Texts are copied, an empty hash takes the same
 * time and is never right.  Without hash and password, which are NULL then,
 * next is hashed, and all is right.  Like ngx_camera_api_query() it is the last
 * thing a handler does, and what else it may end in is answered here.
 */
void ngx_camera_api_password(ngx_camera_api_ctx_t *ctx, const ngx_str_t *hash,
    const cam_value_t *password, const cam_value_t *next,
    ngx_camera_api_password_pt handler);


#endif /* NGX_CAMERA_API_PASSWORD_H */
