/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * May this request play?
 *
 *   404  no such URI, or a camera that is unknown or another tenant's: all
 *        alike, so that nothing can be learned about others' cameras
 *   403  the credential is missing, malformed, expired, revoked or not for
 *        this piece; or its session ended
 *   503  it might, but this node does not know cameras yet
 *
 * The credential is checked before anything is said about the camera.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_camera_hls.h"


static ngx_int_t ngx_camera_hls_check_from(ngx_http_request_t *r,
    ngx_camera_hls_ctx_t *ctx);
static ngx_int_t ngx_camera_hls_check_session(ngx_http_request_t *r,
    ngx_camera_hls_ctx_t *ctx, ngx_camera_conf_t *ccf);
static ngx_int_t ngx_camera_hls_check_piece(ngx_http_request_t *r,
    ngx_camera_hls_ctx_t *ctx);
static ngx_int_t ngx_camera_hls_check_back(ngx_http_request_t *r,
    ngx_camera_hls_ctx_t *ctx);
static ngx_uint_t ngx_camera_hls_known(ngx_camera_conf_t *ccf);


ngx_int_t
ngx_camera_hls_access(ngx_http_request_t *r, ngx_camera_hls_ctx_t *ctx)
{
    ngx_int_t           rc;
    ngx_camera_conf_t  *ccf;

    rc = ngx_camera_hls_check_uri(r, ctx->path_ok, ctx->args_rc, &ccf);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ctx->path.kind != CAM_PLAY_MASTER) {
        return ngx_camera_hls_check_session(r, ctx, ccf);
    }

    rc = ngx_camera_hls_check_token(r, ccf, &ctx->args.token,
                                    CAM_PURPOSE_LIVE, ctx->path.camera,
                                    &ctx->token, &ctx->slot);

    return rc == NGX_OK ? ngx_camera_hls_check_from(r, ctx) : rc;
}


ngx_int_t
ngx_camera_hls_check_uri(ngx_http_request_t *r, ngx_uint_t path_ok,
    int args_rc, ngx_camera_conf_t **ccf)
{
    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    if (!path_ok) {
        return ngx_camera_play_refuse(r, NGX_HTTP_NOT_FOUND, "no such path");
    }

    *ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    if (*ccf == NULL || (*ccf)->registry == NULL) {
        return ngx_camera_play_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                      "there is no \"camera\" block");
    }

    if (args_rc == CAM_PLAY_DENIED) {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "arguments missing, twice or unknown");
    }

    return NGX_OK;
}


ngx_int_t
ngx_camera_hls_check_token(ngx_http_request_t *r, ngx_camera_conf_t *ccf,
    const cam_play_text_t *text, ngx_uint_t purpose,
    const uint8_t camera[CAM_UUID_LEN], cam_token_t *token, int *slot)
{
    cam_token_rc_e  rc;

    rc = cam_token_verify(ccf->keys, CAM_KEY_PLAYBACK, text->data, text->len,
                          ngx_time(), token);

    if (rc != CAM_TOKEN_OK) {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      rc == CAM_TOKEN_EXPIRED ? "token expired"
                                                             : "bad token");
    }

    if (token->purpose != purpose) {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "token of another purpose");
    }

    if (ngx_memcmp(token->camera, camera, CAM_UUID_LEN) != 0) {
        return ngx_camera_play_refuse(r, NGX_HTTP_NOT_FOUND,
                                      "token of another camera");
    }

    return ngx_camera_hls_check_camera(r, ccf, camera, token->tenant,
                                       token->epoch, slot);
}


/* the past is for those whose token says so; a session is to last for as long
   as one does, in a list of a day */

static ngx_int_t
ngx_camera_hls_check_from(ngx_http_request_t *r, ngx_camera_hls_ctx_t *ctx)
{
    int64_t  from;

    from = ctx->args.from_msec;

    if (from == -1) {
        return NGX_OK;
    }

    if (ctx->token.from_msec == 0 || from < ctx->token.from_msec) {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "token is not for the past");
    }

    if (from / 1000 < ngx_time() - CAM_URL_SESSION_TTL
        || from / 1000 > ngx_time())
    {
        return ngx_camera_play_refuse(r, NGX_HTTP_BAD_REQUEST,
                                      "\"from\" is not in the last 12 hours");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_camera_hls_check_session(ngx_http_request_t *r, ngx_camera_hls_ctx_t *ctx,
    ngx_camera_conf_t *ccf)
{
    ngx_int_t                   rc;
    cam_url_session_t          *s;
    ngx_camera_hls_loc_conf_t  *hlcf;

    s = &ctx->session;

    if (cam_url_session_verify(ccf->keys, ngx_camera_hls_worker.macs,
                               ctx->path.camera, ctx->args.session.data,
                               ctx->args.session.len, s)
        != 0)
    {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "bad session signature");
    }

    ctx->signed_in = 1;

    if (s->purpose != CAM_PURPOSE_LIVE || ngx_time() >= s->ends) {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "session is over");
    }

    if (ctx->path.kind != CAM_PLAY_LIVE) {
        rc = ctx->path.kind == CAM_PLAY_BACK
             ? ngx_camera_hls_check_back(r, ctx)
             : ngx_camera_hls_check_piece(r, ctx);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    rc = ngx_camera_hls_check_camera(r, ccf, ctx->path.camera, NULL, s->epoch,
                                     &ctx->slot);

    if (rc != NGX_OK) {
        return rc;
    }

    hlcf = ngx_http_get_module_loc_conf(r, ngx_camera_hls_module);

    if (ngx_camera_hls_worker.sessions
        && cam_sessions_touch(ngx_camera_hls_worker.sessions, s, hlcf->idle)
           != CAM_SESSIONS_OK)
    {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "session was idle and ended");
    }

    return ngx_camera_hls_check_owner(r, s);
}


static ngx_int_t
ngx_camera_hls_check_piece(ngx_http_request_t *r, ngx_camera_hls_ctx_t *ctx)
{
    cam_url_media_t  media;

    media.kind = ctx->path.kind == CAM_PLAY_INIT ? CAM_URL_INIT
                 : ctx->path.kind == CAM_PLAY_SEGMENT ? CAM_URL_SEGMENT
                                                      : CAM_URL_PART;
    media.number = ctx->path.number;
    media.part = ctx->path.part;
    media.expires = ctx->args.expires;

    if (cam_url_media_verify(&ngx_camera_hls_worker.macs[ctx->session.key],
                             ctx->path.camera, &ctx->session, &media,
                             ctx->args.mac.data, ctx->args.mac.len)
        != 0)
    {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "bad media signature");
    }

    if (ngx_time() >= media.expires) {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "media signature expired");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_camera_hls_check_back(ngx_http_request_t *r, ngx_camera_hls_ctx_t *ctx)
{
    ctx->back.from_msec = ctx->args.from_msec;
    ctx->back.last = ctx->args.last;
    ctx->back.seam = ctx->args.seam;
    ctx->back.count = ctx->args.count;
    ctx->back.start_msec = ctx->args.start;
    ctx->back.target_sec = ctx->args.target;

    if (cam_url_back_verify(&ngx_camera_hls_worker.macs[ctx->session.key],
                            ctx->path.camera, &ctx->session, &ctx->back,
                            ctx->args.mac.data, ctx->args.mac.len)
        != 0)
    {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "bad signature of the list");
    }

    return NGX_OK;
}


/* tenant is NULL in a session: it was compared when the session started */

ngx_int_t
ngx_camera_hls_check_camera(ngx_http_request_t *r, ngx_camera_conf_t *ccf,
    const uint8_t camera[CAM_UUID_LEN], const uint8_t *tenant, uint32_t epoch,
    int *slot)
{
    cam_registry_entry_t  entry;

    if (!ngx_camera_hls_known(ccf)) {
        return ngx_camera_play_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                      "cameras are not known yet");
    }

    *slot = cam_registry_find_id(ccf->registry, camera, &entry);

    if (*slot < 0
        || (tenant && ngx_memcmp(tenant, entry.tenant, CAM_UUID_LEN) != 0))
    {
        return ngx_camera_play_refuse(r, NGX_HTTP_NOT_FOUND, "no such camera");
    }

    if (epoch < entry.play_epoch) {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "playback was revoked");
    }

    if (!(entry.flags & CAM_CAMERA_ACTIVE)) {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "camera is not active");
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_camera_hls_known(ngx_camera_conf_t *ccf)
{
    cam_registry_info_t  info;

    cam_registry_info(ccf->registry, &info);

    return info.fed_at && ngx_time() - info.fed_at < CAM_REGISTRY_TTL_SEC;
}


/*
 * A request that waits may lose its right meanwhile.  The version is read
 * before the entry is: what changes in between is seen the next time.
 */

ngx_int_t
ngx_camera_hls_recheck(ngx_http_request_t *r, ngx_camera_hls_ctx_t *ctx)
{
    uint64_t            version;
    ngx_camera_conf_t  *ccf;

    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);
    version = cam_registry_slot_version(ccf->registry, ctx->slot);

    if (version == ctx->slot_version) {
        return NGX_OK;
    }

    ctx->slot_version = version;

    return ngx_camera_hls_check_camera(r, ccf, ctx->path.camera, NULL,
                                       ctx->session.epoch, &ctx->slot);
}
