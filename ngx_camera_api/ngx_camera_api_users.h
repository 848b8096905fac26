/*
 * Copyright (C) The nginx camera platform authors
 */

#ifndef NGX_CAMERA_API_USERS_H
#define NGX_CAMERA_API_USERS_H

#include "ngx_camera_api.h"


/* puts the roles that may do no more than who asks, as an array of SQL's: a
   statement that changes somebody refuses all others.  NGX_OK or NGX_DONE, when
   it was answered */
ngx_int_t ngx_camera_api_users_param_roles(ngx_camera_api_ctx_t *ctx);


#endif /* NGX_CAMERA_API_USERS_H */
