/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Where cameras push to:
 *
 *     rtmps://host:1936/live/{key}?token={token}
 *     rtmps://host:1936/live/{opaque key}
 *
 * The key is a name; what opens the door is the token, which is made anew each
 * time it is shown and stored nowhere.
 */

#include "ngx_camera_api_cameras.h"

#define NGX_CAMERA_API_CAMERAS_TOKEN  "?token="


static void ngx_camera_api_cameras_value(ngx_str_t *value,
    const PGresult *res, int row, int column);


void
ngx_camera_api_cameras_rtmp_url(ngx_camera_api_ctx_t *ctx, const char *name,
    const PGresult *res, int row, int column)
{
    u_char     token[CAM_TOKEN_MAX], *camera;
    time_t     expires;
    ngx_str_t  own, key;

    if (!(ctx->principal->permissions & CAM_PERMIT_CAMERAS_WRITE)) {
        ngx_camera_api_put_null(ctx, name);
        return;
    }

    ngx_camera_api_cameras_value(&own, res, row, column);
    ngx_camera_api_cameras_value(&key, res, row, column + 1);

    if (ctx->route->flags & NGX_CAMERA_API_LIST) {
        ngx_camera_api_cameras_put_url(ctx, name, &own, &key, NULL);
        return;
    }

    camera = (u_char *) PQgetvalue(res, row, 0);

    if (ngx_camera_api_cameras_token(ctx, camera,
                                     ngx_camera_api_int(res, row, column + 2),
                                     &expires, token)
        != NGX_OK)
    {
        ctx->out_failed = 1;
        return;
    }

    ngx_camera_api_cameras_put_url(ctx, name, &own, &key, token);

    ngx_explicit_memzero(token, sizeof(token));
}


static void
ngx_camera_api_cameras_value(ngx_str_t *value, const PGresult *res, int row,
    int column)
{
    value->data = (u_char *) PQgetvalue(res, row, column);
    value->len = PQgetlength(res, row, column);
}


ngx_int_t
ngx_camera_api_cameras_token(ngx_camera_api_ctx_t *ctx, const u_char *camera,
    int64_t generation, time_t *expires, u_char text[CAM_TOKEN_MAX])
{
    cam_token_t                  token;
    ngx_camera_api_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(ctx->request, ngx_camera_api_module);

    ngx_memzero(&token, sizeof(cam_token_t));

    token.use = CAM_KEY_STREAM;
    token.generation = (uint32_t) generation;
    token.issued = ngx_time();
    token.expires = token.issued + CAM_TOKEN_STREAM_TTL;
    ngx_memcpy(token.camera, camera, CAM_UUID_LEN);

    *expires = (time_t) token.expires;

    if (cam_token_sign(amcf->keys, &token, (char *) text, CAM_TOKEN_MAX)
        == -1)
    {
        ngx_log_error(NGX_LOG_CRIT, ctx->request->connection->log, ngx_errno,
                      "cam_token_sign() failed for a stream");
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_camera_api_cameras_put_url(ngx_camera_api_ctx_t *ctx, const char *member,
    const ngx_str_t *own, const ngx_str_t *name, const u_char *token)
{
    u_char                      *p, *url;
    size_t                       len;
    ngx_str_t                    base;
    ngx_camera_api_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(ctx->request, ngx_camera_api_module);

    base = own->len ? *own : amcf->publish_url;

    while (base.len && base.data[base.len - 1] == '/') {
        base.len--;
    }

    len = base.len + 1 + name->len + sizeof(NGX_CAMERA_API_CAMERAS_TOKEN)
          + (token ? ngx_strlen(token) : 0);

    url = ngx_pnalloc(ctx->request->pool, len);

    if (url == NULL) {
        ctx->out_failed = 1;
        return;
    }

    p = ngx_sprintf(url, "%V/%V", &base, name);

    if (token) {
        p = ngx_sprintf(p, NGX_CAMERA_API_CAMERAS_TOKEN "%s", token);
    }

    ngx_camera_api_put_text(ctx, member, url, p - url);
}
