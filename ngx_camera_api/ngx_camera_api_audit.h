/*
 * Copyright (C) The nginx camera platform authors
 */

/* What is noted in the audit log without being a change of a row. */

#ifndef NGX_CAMERA_API_AUDIT_H
#define NGX_CAMERA_API_AUDIT_H

#include "ngx_camera_api_core.h"


/*
 * Before an address to watch that camera live is given out.  NGX_OK: that was
 * noted lately.  NGX_AGAIN: noted runs, which calls _watched() and answers, or
 * it was answered that it could not be noted.
 */
ngx_int_t ngx_camera_api_audit_watching(ngx_camera_api_ctx_t *ctx,
    const u_char *camera, ngx_camera_api_rows_pt noted);
void ngx_camera_api_audit_watched(ngx_camera_api_ctx_t *ctx,
    const u_char *camera);

/* of every error; notes those that are for somebody who tried to change what
   they may not */
void ngx_camera_api_audit_denied(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_code_e code);

/* a wrong password for a user who is there */
void ngx_camera_api_audit_login_failed(ngx_camera_api_ctx_t *ctx,
    const u_char *user);


#endif /* NGX_CAMERA_API_AUDIT_H */
