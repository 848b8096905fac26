/*
 * Copyright (C) The nginx camera platform authors
 */

/* May this principal do this? */

#include "ngx_camera_api_core.h"


ngx_int_t
ngx_camera_api_authorize(ngx_camera_api_ctx_t *ctx)
{
    ngx_uint_t  needs;

    needs = ctx->route->needs;

    if (ctx->principal && ctx->principal->must_change
        && !(ctx->route->flags & NGX_CAMERA_API_BEFORE_CHANGE))
    {
        return ngx_camera_api_refuse_counted(ctx,
                               NGX_CAMERA_API_PASSWORD_CHANGE_REQUIRED, NULL);
    }

    if (needs == NGX_CAMERA_API_PUBLIC || needs == NGX_CAMERA_API_OPTIONAL) {
        return NGX_OK;
    }

    if (ctx->principal == NULL) {
        return ngx_camera_api_refuse_counted(ctx, NGX_CAMERA_API_TOKEN_MISSING,
                                             NULL);
    }

    if (ctx->route->flags & NGX_CAMERA_API_INTERACTIVE
        && ctx->principal->kind == NGX_CAMERA_API_TOKEN)
    {
        return ngx_camera_api_refuse_counted(ctx,
                                     NGX_CAMERA_API_ROLE_RESTRICTED,
                                     "An API token may not do this: log in.");
    }

    if ((ctx->principal->permissions & needs) == needs) {
        return NGX_OK;
    }

    return ngx_camera_api_refuse_counted(ctx,
                               NGX_CAMERA_API_INSUFFICIENT_PERMISSIONS, NULL);
}


ngx_int_t
ngx_camera_api_authorize_late(ngx_camera_api_ctx_t *ctx)
{
    return ctx->late ? ngx_camera_api_authorize(ctx) : NGX_OK;
}


void
ngx_camera_api_put_permissions(ngx_camera_api_ctx_t *ctx, const char *name,
    uint32_t permissions)
{
    const char  *permission;

    ngx_camera_api_begin(ctx, name, '[');

    while ((permission = cam_permission_next(&permissions)) != NULL) {
        ngx_camera_api_put_string(ctx, NULL, permission);
    }

    ngx_camera_api_end(ctx, ']');
}
