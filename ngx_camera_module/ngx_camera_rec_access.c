/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * May this request see what was recorded?  Statuses as in
 * ngx_camera_hls_access.c: the credential is checked before anything is said
 * about the camera, and what belongs to others looks like what is not there.
 */

#include "ngx_camera_rec.h"


static ngx_int_t ngx_camera_rec_check_range(ngx_http_request_t *r,
    ngx_camera_rec_ctx_t *ctx);
static ngx_int_t ngx_camera_rec_check_session(ngx_http_request_t *r,
    ngx_camera_rec_ctx_t *ctx, ngx_camera_conf_t *ccf);
static ngx_int_t ngx_camera_rec_check_download(ngx_http_request_t *r,
    ngx_camera_rec_ctx_t *ctx, ngx_camera_conf_t *ccf);


ngx_int_t
ngx_camera_rec_access(ngx_http_request_t *r, ngx_camera_rec_ctx_t *ctx)
{
    ngx_int_t           rc;
    ngx_camera_conf_t  *ccf;

    rc = ngx_camera_hls_check_uri(r, ctx->path_ok, ctx->args_rc, &ccf);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ctx->args_rc == CAM_PLAY_BAD) {
        return ngx_camera_play_refuse(r, NGX_HTTP_BAD_REQUEST,
                                      "\"from\" or \"to\" is no time");
    }

    if (ctx->uri.kind != CAM_RECORD_MASTER) {
        return ctx->args.session.len
               ? ngx_camera_rec_check_session(r, ctx, ccf)
               : ngx_camera_rec_check_download(r, ctx, ccf);
    }

    rc = ngx_camera_hls_check_token(r, ccf, &ctx->args.token,
                                    CAM_PURPOSE_RECORDINGS, ctx->uri.camera,
                                    &ctx->token, &ctx->slot);

    return rc == NGX_OK ? ngx_camera_rec_check_range(r, ctx) : rc;
}


/* what is not asked for is what the token allows; an end of 0 is open */

static ngx_int_t
ngx_camera_rec_check_range(ngx_http_request_t *r, ngx_camera_rec_ctx_t *ctx)
{
    int64_t       from, to;
    cam_token_t  *token;

    token = &ctx->token;
    from = ctx->args.from_msec >= 0 ? ctx->args.from_msec : token->from_msec;
    to = ctx->args.to_msec >= 0 ? ctx->args.to_msec : token->to_msec;

    if (from == 0 || ctx->args.to_msec == 0 || (to && to <= from)
        || (to && to - from > CAM_RECORD_RANGE_MSEC)
        || from > CAM_RECORD_TIME_MAX)
    {
        return ngx_camera_play_refuse(r, NGX_HTTP_BAD_REQUEST,
                                      "no range of at most 24 hours");
    }

    if (from < token->from_msec || (token->to_msec && to > token->to_msec)) {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "token of another range");
    }

    ctx->session.from_msec = from;
    ctx->session.to_msec = to;

    return NGX_OK;
}


static ngx_int_t
ngx_camera_rec_check_session(ngx_http_request_t *r, ngx_camera_rec_ctx_t *ctx,
    ngx_camera_conf_t *ccf)
{
    ngx_int_t                   rc;
    cam_url_session_t          *s;
    ngx_camera_rec_loc_conf_t  *rlcf;

    s = &ctx->session.url;

    if (cam_record_session_verify(ccf->keys, ngx_camera_hls_worker.macs,
                                  ctx->uri.camera, &ctx->args.session,
                                  &ctx->session)
        != 0)
    {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "bad session signature");
    }

    ctx->signed_in = 1;

    if (s->purpose != CAM_PURPOSE_RECORDINGS || ngx_time() >= s->ends) {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "session is over");
    }

    if (ctx->uri.kind == CAM_RECORD_FILE
        && cam_record_file_verify(ngx_camera_hls_worker.macs, ctx->uri.camera,
                                  &ctx->session, ctx->uri.start_msec,
                                  &ctx->args.mac)
           != 0)
    {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "bad media signature");
    }

    rc = ngx_camera_hls_check_camera(r, ccf, ctx->uri.camera, NULL, s->epoch,
                                     &ctx->slot);

    if (rc != NGX_OK) {
        return rc;
    }

    rlcf = ngx_http_get_module_loc_conf(r, ngx_camera_rec_module);

    if (ngx_camera_hls_worker.sessions
        && cam_sessions_touch(ngx_camera_hls_worker.sessions, s, rlcf->idle)
           != CAM_SESSIONS_OK)
    {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "session was idle and ended");
    }

    return ngx_camera_hls_check_owner(r, s);
}


static ngx_int_t
ngx_camera_rec_check_download(ngx_http_request_t *r, ngx_camera_rec_ctx_t *ctx,
    ngx_camera_conf_t *ccf)
{
    uint32_t  epoch;

    if (cam_record_download_verify(ccf->keys, ngx_camera_hls_worker.macs,
                                   &ctx->uri, &ctx->args, &epoch)
        != 0)
    {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "bad download signature");
    }

    if (ngx_time() >= ctx->args.expires) {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "download signature expired");
    }

    return ngx_camera_hls_check_camera(r, ccf, ctx->uri.camera, NULL, epoch,
                                       &ctx->slot);
}
