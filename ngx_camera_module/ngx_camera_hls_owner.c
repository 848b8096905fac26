/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Sessions by somebody's leave: the start token says who was given it, and a
 * session lasts no longer than they may see the camera.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_camera_hls.h"


static ngx_uint_t ngx_camera_hls_owner_read(cam_owner_t *owner,
    const cam_token_t *token);


ngx_int_t
ngx_camera_hls_start_owned(ngx_http_request_t *r, const cam_token_t *token,
    ngx_uint_t limit, time_t idle, cam_url_session_t *s)
{
    ngx_int_t      rc;
    cam_owner_t    owner;
    cam_owners_t  *z;

    z = ngx_camera_hls_worker.owners;

    if (!ngx_camera_hls_owner_read(&owner, token)) {
        return ngx_camera_hls_start(r, token, limit, idle, s);
    }

    if (z == NULL) {
        return ngx_camera_play_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                      "there is no table of owners");
    }

    if (cam_owners_gone(z, &owner, token->issued)) {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "who was given the token lost it");
    }

    rc = ngx_camera_hls_start(r, token, limit, idle, s);

    if (rc != NGX_OK || r->method == NGX_HTTP_HEAD) {
        return rc;
    }

    cam_owners_keep(z, s, &owner, token->issued);

    /* it may have been taken since it was looked at; nobody is told of the
       session then */

    if (cam_owners_gone(z, &owner, token->issued)) {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "who was given the token lost it");
    }

    return NGX_OK;
}


/* 0: nobody who could lose it */

static ngx_uint_t
ngx_camera_hls_owner_read(cam_owner_t *owner, const cam_token_t *token)
{
    static const cam_owner_t  nobody;

    ngx_memcpy(owner->user, token->user, CAM_UUID_LEN);
    ngx_memcpy(owner->credential, token->sid, CAM_UUID_LEN);

    return ngx_memcmp(owner, &nobody, sizeof(cam_owner_t)) != 0;
}


ngx_int_t
ngx_camera_hls_check_owner(ngx_http_request_t *r, const cam_url_session_t *s)
{
    if (ngx_camera_hls_worker.owners
        && cam_owners_over(ngx_camera_hls_worker.owners, s))
    {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "who started the session may no longer");
    }

    return NGX_OK;
}


void
ngx_camera_hls_end_owner(const u_char *id)
{
    if (ngx_camera_hls_worker.owners) {
        (void) cam_owners_end(ngx_camera_hls_worker.owners, id, ngx_time());
    }
}
