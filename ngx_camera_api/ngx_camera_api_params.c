/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Parameters of statements, as text, whose type the statement tells, or in
 * PostgreSQL's binary form of just that type.
 */

#include "cursor.h"
#include "ngx_camera_api_core.h"


static ngx_camera_pg_param_t *ngx_camera_api_param(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_params_fields(ngx_camera_api_ctx_t *ctx,
    const cam_field_t *fields, const cam_value_t *values);
static void ngx_camera_api_param_cursor(ngx_camera_api_ctx_t *ctx,
    const cam_value_t *value);


/* more than there is room for are counted, and refused by the client */

static ngx_camera_pg_param_t *
ngx_camera_api_param(ngx_camera_api_ctx_t *ctx)
{
    static ngx_camera_pg_param_t  surplus;

    if (ctx->nparams >= NGX_CAMERA_API_PARAMS_MAX) {
        ctx->nparams++;
        return &surplus;
    }

    return &ctx->params[ctx->nparams++];
}


void
ngx_camera_api_param_text(ngx_camera_api_ctx_t *ctx, const char *text)
{
    ngx_camera_pg_param_t  *param;

    param = ngx_camera_api_param(ctx);

    param->data = text;
    param->len = text ? (int) ngx_strlen(text) : 0;
    param->binary = 0;
}


void
ngx_camera_api_param_binary(ngx_camera_api_ctx_t *ctx, const void *data,
    size_t len)
{
    ngx_camera_pg_param_t  *param;

    param = ngx_camera_api_param(ctx);

    param->data = data;
    param->len = (int) len;
    param->binary = 1;
}


void
ngx_camera_api_param_uuid(ngx_camera_api_ctx_t *ctx, const u_char *uuid)
{
    ngx_camera_api_param_binary(ctx, uuid, CAM_UUID_LEN);
}


void
ngx_camera_api_param_int(ngx_camera_api_ctx_t *ctx, int64_t value)
{
    u_char  *text;

    text = ngx_pnalloc(ctx->request->pool, NGX_INT64_LEN + 1);

    if (text) {
        ngx_sprintf(text, "%L%Z", value);
    }

    ngx_camera_api_param_text(ctx, (char *) text);
}


void
ngx_camera_api_param_value(ngx_camera_api_ctx_t *ctx,
    const cam_value_t *value)
{
    ngx_camera_api_param_text(ctx, value->text);
}


void
ngx_camera_api_null_is(cam_value_t *value, const char *text)
{
    if (value->given && value->text == NULL) {
        value->text = text;
    }
}


void
ngx_camera_api_params(ngx_camera_api_ctx_t *ctx)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_CAMERA_API_IDS_MAX && ctx->ids[i].len; i++) {
        ngx_camera_api_param_text(ctx, (char *) ctx->ids[i].data);
    }

    ngx_camera_api_params_fields(ctx, ctx->route->query, ctx->query);
    ngx_camera_api_params_fields(ctx, ctx->route->body, ctx->body);
}


static void
ngx_camera_api_params_fields(ngx_camera_api_ctx_t *ctx,
    const cam_field_t *fields, const cam_value_t *values)
{
    ngx_uint_t  i;

    for (i = 0; fields && fields[i].name; i++) {

        if (fields[i].type == CAM_FIELD_CURSOR) {
            ngx_camera_api_param_cursor(ctx, &values[i]);

        } else {
            ngx_camera_api_param_value(ctx, &values[i]);
        }
    }
}


/* a timestamptz and a uuid, as ngx_camera_api_input() has them */

static void
ngx_camera_api_param_cursor(ngx_camera_api_ctx_t *ctx,
    const cam_value_t *value)
{
    const char  *data;

    data = value->text;

    ngx_camera_api_param_binary(ctx, data, 8);
    ngx_camera_api_param_binary(ctx, data ? data + 8 : NULL, CAM_UUID_LEN);
}
