/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Ids in paths.  A camera's may be its externalId, which is looked up here
 * first, so that every statement finds a UUID.  An id that cannot be is an id
 * of nothing, and answered like every other unknown one.
 *
 * What a route tells of a camera may come out of shared memory, which knows of
 * tenants and not of grants.  Whoever sees only what was granted is therefore
 * let on to a camera when the database has shown it to them.
 */

#include "ngx_camera_api_core.h"
#include "percent.h"
#include "utf8.h"

#define NGX_CAMERA_API_ID_MAX  100         /* characters of an externalId */


static ngx_int_t ngx_camera_api_ids_decode(ngx_camera_api_ctx_t *ctx,
    ngx_str_t *id);
static ngx_uint_t ngx_camera_api_ids_is_scoped(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_ids_found(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static ngx_int_t ngx_camera_api_ids_unknown(ngx_camera_api_ctx_t *ctx);


ngx_camera_api_statement_t  ngx_camera_api_ids_camera = {
    "api_camera_by_external_id",
    "SELECT id FROM cameras WHERE external_id = $1 AND deleted_at IS NULL",
    1, NGX_CAMERA_API_READS, 0
};


ngx_camera_api_statement_t  ngx_camera_api_ids_granted = {
    "api_camera_granted",
    "SELECT id FROM cameras WHERE id = $1",
    1, NGX_CAMERA_API_READS, 0
};


ngx_int_t
ngx_camera_api_ids(ngx_camera_api_ctx_t *ctx)
{
    u_char       uuid[CAM_UUID_LEN];
    ngx_int_t    rc;
    ngx_str_t   *id;
    ngx_uint_t   i, named;

    for (i = 0; i < NGX_CAMERA_API_IDS_MAX && ctx->ids[i].len; i++) {
        id = &ctx->ids[i];
        rc = ngx_camera_api_ids_decode(ctx, id);

        if (rc == NGX_DECLINED) {
            return ngx_camera_api_ids_unknown(ctx);
        }

        if (rc != NGX_OK) {
            return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_INTERNAL_ERROR);
        }

        if (ctx->route->ids == NGX_CAMERA_API_ID_TEXT) {
            continue;
        }

        named = cam_uuid_parse(uuid, (char *) id->data, id->len) == 0;

        if (ctx->route->ids != NGX_CAMERA_API_ID_CAMERA) {

            if (!named) {
                return ngx_camera_api_ids_unknown(ctx);
            }

        } else if (!named || ngx_camera_api_ids_is_scoped(ctx)) {

            /* only the first id of a path is a camera's */

            ngx_camera_api_param_text(ctx, (char *) id->data);
            ngx_camera_api_query(ctx, named ? &ngx_camera_api_ids_granted
                                            : &ngx_camera_api_ids_camera,
                                 ngx_camera_api_ids_found);

            return NGX_AGAIN;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_camera_api_ids_is_scoped(ngx_camera_api_ctx_t *ctx)
{
    return ctx->principal && ctx->principal->scoped;
}


static ngx_int_t
ngx_camera_api_ids_decode(ngx_camera_api_ctx_t *ctx, ngx_str_t *id)
{
    char     *text;
    ssize_t   len;

    text = ngx_pnalloc(ctx->request->pool, id->len + 1);
    if (text == NULL) {
        return NGX_ERROR;
    }

    len = cam_percent_decode(text, (char *) id->data, id->len, 0);

    if (len <= 0 || cam_utf8_has_control(text, (size_t) len)
        || cam_utf8_length(text, (size_t) len) > NGX_CAMERA_API_ID_MAX)
    {
        return NGX_DECLINED;
    }

    id->data = (u_char *) text;
    id->len = len;

    return NGX_OK;
}


static void
ngx_camera_api_ids_found(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    u_char  *text;

    if (PQntuples(res) == 0) {
        (void) ngx_camera_api_ids_unknown(ctx);
        return;
    }

    text = ngx_pnalloc(ctx->request->pool, CAM_UUID_TEXT + 1);

    if (text == NULL || PQgetlength(res, 0, 0) != CAM_UUID_LEN) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    cam_uuid_print((char *) text, (uint8_t *) PQgetvalue(res, 0, 0));

    ctx->ids[0].data = text;
    ctx->ids[0].len = CAM_UUID_TEXT;

    ngx_camera_api_resume(ctx);
}


static ngx_int_t
ngx_camera_api_ids_unknown(ngx_camera_api_ctx_t *ctx)
{
    return ngx_camera_api_refuse(ctx, ctx->route->missing
                                      ? ctx->route->missing
                                      : NGX_CAMERA_API_NOT_FOUND);
}
