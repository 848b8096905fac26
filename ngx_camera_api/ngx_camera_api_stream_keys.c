/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /cameras/:id/stream-key: new keys, and no key at all.
 *
 * A key is a generation of its camera.  What proves it is a token, which is
 * signed here, or an opaque string, whose hash alone is stored.  Either is
 * shown once, in the answer to who asked for it.
 */

#include "ngx_camera_api_cameras.h"

#define NGX_CAMERA_API_KEY_OVERLAP      0     /* fields, by their place */
#define NGX_CAMERA_API_KEY_OPAQUE       1

#define NGX_CAMERA_API_KEY_OVERLAP_SEC  "86400"
#define NGX_CAMERA_API_KEY_OVERLAP_MAX  CAM_TOKEN_STREAM_TTL


static void ngx_camera_api_stream_keys_rotate(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_stream_keys_rotated(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_stream_keys_put(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);


static ngx_camera_api_statement_t  ngx_camera_api_stream_keys_create = {
    "api_stream_key_create",
    "SELECT camera_id, generation, rtmp_url, rtmp_key, previous_until"
    " FROM api_stream_key_create($1, $2, $3)",
    3, 0, 0
};

/* without an overlap no key is left but the new one, which nobody has */

static ngx_camera_api_statement_t  ngx_camera_api_stream_keys_revoke = {
    "api_stream_key_revoke",
    "SELECT g FROM api_stream_key_rotate($1, 0) g WHERE g IS NOT NULL",
    1, 0, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_stream_keys_statements[] =
{
    &ngx_camera_api_stream_keys_create,
    &ngx_camera_api_stream_keys_revoke,
    NULL
};


static const cam_field_t  ngx_camera_api_stream_keys_fields[] = {
    { "overlapSeconds", CAM_FIELD_INT, 0, 0, NGX_CAMERA_API_KEY_OVERLAP_MAX,
      NULL, NULL },
    { "opaque", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_route_t  ngx_camera_api_stream_keys_routes[] = {

    {
        .method = NGX_HTTP_POST,
        .path = "/cameras/:id/stream-key",
        .needs = CAM_PERMIT_CAMERAS_WRITE,
        .flags = NGX_CAMERA_API_BODY_OPTIONAL,
        .ids = NGX_CAMERA_API_ID_CAMERA,
        .body = ngx_camera_api_stream_keys_fields,
        .handler = ngx_camera_api_stream_keys_rotate,
        .missing = NGX_CAMERA_API_CAMERA_NOT_FOUND
    },

    {
        .method = NGX_HTTP_DELETE,
        .path = "/cameras/:id/stream-key",
        .needs = CAM_PERMIT_CAMERAS_WRITE,
        .flags = NGX_CAMERA_API_NO_CONTENT,
        .ids = NGX_CAMERA_API_ID_CAMERA,
        .statement = &ngx_camera_api_stream_keys_revoke,
        .missing = NGX_CAMERA_API_CAMERA_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_stream_keys = {
    "stream keys",
    ngx_camera_api_stream_keys_routes,
    ngx_camera_api_stream_keys_statements,
    NULL,
    NULL
};


static void
ngx_camera_api_stream_keys_rotate(ngx_camera_api_ctx_t *ctx)
{
    char         *opaque;
    u_char       *hash;
    cam_value_t  *overlap;

    opaque = NULL;
    hash = NULL;

    if (ctx->body[NGX_CAMERA_API_KEY_OPAQUE].number) {
        opaque = ngx_pnalloc(ctx->request->pool, CAM_TOKEN_OPAQUE_LEN + 1);
        hash = ngx_pnalloc(ctx->request->pool, 32);

        if (opaque == NULL || hash == NULL || cam_token_opaque(opaque) != 0) {
            ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
            return;
        }

        cam_token_sha256(hash, opaque, CAM_TOKEN_OPAQUE_LEN);
    }

    ctx->data = opaque;
    overlap = &ctx->body[NGX_CAMERA_API_KEY_OVERLAP];

    ngx_camera_api_param_text(ctx, (char *) ctx->ids[0].data);
    ngx_camera_api_param_text(ctx, overlap->text
                                   ? overlap->text
                                   : NGX_CAMERA_API_KEY_OVERLAP_SEC);
    ngx_camera_api_param_binary(ctx, hash, 32);

    ngx_camera_api_query(ctx, &ngx_camera_api_stream_keys_create,
                         ngx_camera_api_stream_keys_rotated);
}


static void
ngx_camera_api_stream_keys_rotated(ngx_camera_api_ctx_t *ctx,
    const PGresult *res)
{
    if (PQntuples(res) == 0) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_CAMERA_NOT_FOUND, NULL);
        return;
    }

    ngx_camera_api_begin(ctx, NULL, '{');
    ngx_camera_api_put_uuid(ctx, "cameraId",
                            (u_char *) PQgetvalue(res, 0, 0));
    ngx_camera_api_put_int(ctx, "generation", ngx_camera_api_int(res, 0, 1));

    ngx_camera_api_stream_keys_put(ctx, res);

    ngx_camera_api_put_time(ctx, "previousValidUntil",
                            ngx_camera_api_msec(res, 0, 4));
    ngx_camera_api_end(ctx, '}');

    ngx_camera_api_send(ctx, NGX_HTTP_CREATED);
}


/* rtmpUrl and expiresAt */

static void
ngx_camera_api_stream_keys_put(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    u_char     token[CAM_TOKEN_MAX];
    time_t     expires;
    ngx_str_t  own, name;

    own.data = (u_char *) PQgetvalue(res, 0, 2);
    own.len = PQgetlength(res, 0, 2);

    if (ctx->data) {
        name.data = ctx->data;
        name.len = CAM_TOKEN_OPAQUE_LEN;

        ngx_camera_api_cameras_put_url(ctx, "rtmpUrl", &own, &name, NULL);
        ngx_camera_api_put_null(ctx, "expiresAt");

        ngx_explicit_memzero(name.data, name.len);
        return;
    }

    name.data = (u_char *) PQgetvalue(res, 0, 3);
    name.len = PQgetlength(res, 0, 3);

    if (ngx_camera_api_cameras_token(ctx, (u_char *) PQgetvalue(res, 0, 0),
                                     ngx_camera_api_int(res, 0, 1), &expires,
                                     token)
        != NGX_OK)
    {
        ctx->out_failed = 1;
        return;
    }

    ngx_camera_api_cameras_put_url(ctx, "rtmpUrl", &own, &name, token);
    ngx_camera_api_put_time(ctx, "expiresAt", (int64_t) expires * 1000);

    ngx_explicit_memzero(token, sizeof(token));
}
