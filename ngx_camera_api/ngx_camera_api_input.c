/*
 * Copyright (C) The nginx camera platform authors
 */

/* Input: query strings and bodies against the tables of the route. */

#include "cursor.h"
#include "ngx_camera_api_core.h"


static cam_value_t *ngx_camera_api_input_values(ngx_camera_api_ctx_t *ctx,
    const cam_field_t *fields, cam_room_t *room, size_t len);
static ngx_int_t ngx_camera_api_input_query(ngx_camera_api_ctx_t *ctx,
    cam_problems_t *problems);
static ngx_int_t ngx_camera_api_input_body(ngx_camera_api_ctx_t *ctx,
    cam_problems_t *problems);
static ngx_int_t ngx_camera_api_input_cursor(ngx_camera_api_ctx_t *ctx,
    cam_value_t *value, cam_problems_t *problems);


static const cam_field_t  ngx_camera_api_input_none[] = {
    CAM_FIELD_END
};


ngx_int_t
ngx_camera_api_input(ngx_camera_api_ctx_t *ctx)
{
    cam_problems_t  problems;

    problems.n = 0;

    if (ngx_camera_api_input_query(ctx, &problems) != NGX_OK
        || ngx_camera_api_input_body(ctx, &problems) != NGX_OK)
    {
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_INTERNAL_ERROR);
    }

    if (problems.n == 0) {
        return NGX_OK;
    }

    ctx->problems = ngx_palloc(ctx->request->pool, sizeof(cam_problems_t));

    if (ctx->problems) {
        *ctx->problems = problems;
    }

    return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_VALIDATION_FAILED);
}


static ngx_int_t
ngx_camera_api_input_query(ngx_camera_api_ctx_t *ctx,
    cam_problems_t *problems)
{
    ngx_str_t          *args;
    ngx_uint_t          i;
    cam_room_t          room;
    const cam_field_t  *fields;

    args = &ctx->request->args;
    fields = ctx->route->query;

    if (fields == NULL) {

        if (args->len == 0
            || ctx->route->flags & NGX_CAMERA_API_ANY_ARGS)
        {
            return NGX_OK;
        }

        fields = ngx_camera_api_input_none;
    }

    ctx->query = ngx_camera_api_input_values(ctx, fields, &room, args->len);

    if (ctx->query == NULL) {
        return NGX_ERROR;
    }

    (void) cam_fields_query(fields, (char *) args->data, args->len,
                            ctx->query, &room, problems);

    for (i = 0; fields[i].name; i++) {

        if (fields[i].type == CAM_FIELD_CURSOR && ctx->query[i].text
            && ngx_camera_api_input_cursor(ctx, &ctx->query[i], problems)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* no body is an empty object, unless a body is required */

static ngx_int_t
ngx_camera_api_input_body(ngx_camera_api_ctx_t *ctx,
    cam_problems_t *problems)
{
    cam_room_t          room;
    const cam_field_t  *fields;

    fields = ctx->route->body;

    if (fields == NULL) {
        return NGX_OK;
    }

    if (ctx->json == NULL
        && !(ctx->route->flags & NGX_CAMERA_API_BODY_OPTIONAL))
    {
        cam_fields_problem(problems, "body", 4, "is required");
        return NGX_OK;
    }

    ctx->body = ngx_camera_api_input_values(ctx, fields, &room,
                                            ctx->text.len);

    if (ctx->body == NULL) {
        return NGX_ERROR;
    }

    if (ctx->json) {
        (void) cam_fields_body(fields, ctx->json, ctx->body, &room, problems);
    }

    return NGX_OK;
}


static cam_value_t *
ngx_camera_api_input_values(ngx_camera_api_ctx_t *ctx,
    const cam_field_t *fields, cam_room_t *room, size_t len)
{
    ngx_uint_t    n;
    ngx_pool_t   *pool;

    pool = ctx->request->pool;

    for (n = 0; fields[n].name; n++) { /* void */ }

    room->p = ngx_pnalloc(pool, CAM_FIELDS_ROOM(len));
    if (room->p == NULL) {
        return NULL;
    }

    room->end = room->p + CAM_FIELDS_ROOM(len);

    return ngx_pcalloc(pool, (n + 1) * sizeof(cam_value_t));
}


/* in its place: time and id, as they are parameters of the statement */

static ngx_int_t
ngx_camera_api_input_cursor(ngx_camera_api_ctx_t *ctx, cam_value_t *value,
    cam_problems_t *problems)
{
    u_char        *p;
    uint64_t       usec;
    ngx_uint_t     i;
    cam_cursor_t   cursor;

    if (cam_cursor_parse(&cursor, value->text, value->len,
                         ctx->principal->tenant, ctx->route->path)
        != 0)
    {
        cam_fields_problem(problems, "cursor", 6, "is none of this list");
        value->text = NULL;
        return NGX_OK;
    }

    p = ngx_pnalloc(ctx->request->pool, 8 + CAM_UUID_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    usec = (uint64_t) cursor.usec;

    for (i = 0; i < 8; i++) {
        p[i] = (u_char) (usec >> (56 - 8 * i));
    }

    ngx_memcpy(p + 8, cursor.id, CAM_UUID_LEN);

    value->text = (char *) p;
    value->len = 8 + CAM_UUID_LEN;

    return NGX_OK;
}


ngx_uint_t
ngx_camera_api_page(ngx_camera_api_ctx_t *ctx)
{
    ngx_uint_t          i;
    const cam_field_t  *fields;

    fields = ctx->route->query;

    for (i = 0; fields && fields[i].name; i++) {

        if (fields[i].type == CAM_FIELD_LIMIT) {
            return (ngx_uint_t) ctx->query[i].number;
        }
    }

    return 0;
}
