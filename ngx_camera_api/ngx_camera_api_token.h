/*
 * Copyright (C) The nginx camera platform authors
 */

/* Access tokens whose signature this worker has verified. */

#ifndef NGX_CAMERA_API_TOKEN_H
#define NGX_CAMERA_API_TOKEN_H

#include <ngx_config.h>
#include <ngx_core.h>

#include "token.h"


/* NGX_OK and the token's sid, user and expiry, or NGX_DECLINED */
ngx_int_t ngx_camera_api_token_verify(const cam_keys_t *keys,
    const ngx_str_t *text, cam_token_t *token);


#endif /* NGX_CAMERA_API_TOKEN_H */
