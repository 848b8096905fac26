/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Addresses of what was recorded, signed: to play a range, to download a file.
 * Like those of live streams they are as good as a key for their time, so
 * whoever is given one stands in the audit, with the range or the file.
 */

#include "ngx_camera_api_recordings.h"
#include "utf8.h"


static ngx_str_t ngx_camera_api_recordings_url(ngx_camera_api_ctx_t *ctx,
    const char *uri);


ngx_int_t
ngx_camera_api_recordings_range(ngx_camera_api_ctx_t *ctx, int64_t most_msec,
    const char *too_far)
{
    int64_t             msec;
    const char         *wrong;
    const cam_field_t  *to;

    msec = ctx->query[NGX_CAMERA_API_RECORDINGS_TO].number
           - ctx->query[NGX_CAMERA_API_RECORDINGS_FROM].number;

    if (msec > 0 && msec <= most_msec) {
        return NGX_OK;
    }

    to = &ctx->route->query[NGX_CAMERA_API_RECORDINGS_TO];
    wrong = msec > 0 ? too_far : "must be later than the other one";

    ngx_camera_api_problem(ctx, to->name, wrong);
    ngx_camera_api_error(ctx, NGX_CAMERA_API_VALIDATION_FAILED, NULL);

    return NGX_DONE;
}


void
ngx_camera_api_recordings_actor(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_param_uuid(ctx, ctx->principal->user);
    ngx_camera_api_param_uuid(ctx, ctx->principal->sid);
    ngx_camera_api_param_text(ctx, ngx_camera_api_recordings_address(ctx));
}


/* a peer over a socket of this machine has none */

const char *
ngx_camera_api_recordings_address(ngx_camera_api_ctx_t *ctx)
{
    u_char            *text;
    ngx_connection_t  *c;

    c = ctx->request->connection;

    if (c->sockaddr->sa_family == AF_UNIX) {
        return NULL;
    }

    text = ngx_pnalloc(ctx->request->pool, c->addr_text.len + 1);

    if (text) {
        (void) ngx_cpystrn(text, c->addr_text.data, c->addr_text.len + 1);
    }

    return (char *) text;
}


ngx_str_t
ngx_camera_api_recordings_play_url(ngx_camera_api_ctx_t *ctx,
    const u_char *camera, uint32_t epoch, int64_t from_msec, int64_t to_msec,
    int64_t *expires)
{
    char                         uri[CAM_RECORD_URI_MAX];
    ngx_str_t                    none;
    cam_token_t                  token;
    ngx_camera_api_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(ctx->request, ngx_camera_api_module);

    ngx_memzero(&token, sizeof(cam_token_t));

    token.epoch = epoch;
    token.issued = ngx_time();
    token.expires = token.issued + NGX_CAMERA_API_RECORDINGS_PLAY_TTL;
    token.from_msec = from_msec;
    token.to_msec = to_msec;
    ngx_memcpy(token.camera, camera, CAM_UUID_LEN);
    ngx_memcpy(token.tenant, ctx->principal->tenant, CAM_UUID_LEN);
    ngx_memcpy(token.user, ctx->principal->user, CAM_UUID_LEN);
    ngx_memcpy(token.sid, ctx->principal->sid, CAM_UUID_LEN);

    *expires = token.expires;

    if (cam_record_uri_playlist(amcf->keys, &token, uri) == -1) {
        ngx_log_error(NGX_LOG_CRIT, ctx->request->connection->log, ngx_errno,
                      "cam_record_uri_playlist() failed");
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        ngx_str_null(&none);
        return none;
    }

    return ngx_camera_api_recordings_url(ctx, uri);
}


ngx_str_t
ngx_camera_api_recordings_download_url(ngx_camera_api_ctx_t *ctx,
    const cam_record_uri_t *what, uint32_t epoch, const ngx_str_t *name,
    int64_t *expires)
{
    char                         uri[CAM_RECORD_URI_MAX];
    ngx_str_t                    none;
    ngx_camera_api_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(ctx->request, ngx_camera_api_module);

    *expires = ngx_time() + NGX_CAMERA_API_RECORDINGS_DOWNLOAD_TTL;

    if (cam_record_uri_download(amcf->keys, what, epoch, *expires,
                                (char *) name->data, name->len, uri)
        == -1)
    {
        ngx_log_error(NGX_LOG_CRIT, ctx->request->connection->log, ngx_errno,
                      "cam_record_uri_download() failed");
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        ngx_str_null(&none);
        return none;
    }

    return ngx_camera_api_recordings_url(ctx, uri);
}


static ngx_str_t
ngx_camera_api_recordings_url(ngx_camera_api_ctx_t *ctx, const char *uri)
{
    ngx_str_t  base, url;

    ngx_str_null(&url);

    if (ngx_camera_api_base_url(ctx, &base) != NGX_OK) {
        return url;
    }

    url.data = ngx_pnalloc(ctx->request->pool,
                           base.len + ngx_strlen(uri));

    if (url.data == NULL) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return url;
    }

    url.len = ngx_cpymem(ngx_cpymem(url.data, base.data, base.len), uri,
                         ngx_strlen(uri))
              - url.data;

    return url;
}


/* "Front door 20260101T120000.000Z.mp4", without what a file system refuses or
   a shell would take for something else */

ngx_str_t
ngx_camera_api_recordings_name(ngx_camera_api_ctx_t *ctx, const char *camera,
    size_t len, const char *rest)
{
    size_t      i;
    ngx_str_t   name;

    static const char  odd[] = "/\\:*?\"<>|'`$%;&";

    len = cam_utf8_cut(camera, len, NGX_CAMERA_API_RECORDINGS_NAME);

    name.data = ngx_pnalloc(ctx->request->pool, len + 1 + ngx_strlen(rest));

    if (name.data == NULL) {
        name.len = 0;
        return name;
    }

    for (i = 0; i < len; i++) {
        name.data[i] = camera[i] && ngx_strchr(odd, camera[i])
                       ? '_' : (u_char) camera[i];
    }

    name.data[i++] = ' ';
    name.len = ngx_cpymem(name.data + i, rest, ngx_strlen(rest)) - name.data;

    return name;
}
