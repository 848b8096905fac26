/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Headers that a change depends on: If-Match, so that nobody overwrites what
 * he has not seen, and Idempotency-Key, so that what is sent twice is done
 * once.
 *
 * Versions are compared in the statement that makes the change.  An entity tag
 * that cannot be a version of ours, a weak one among them, matches nothing.
 */

#include "ngx_camera_api_core.h"
#include "token.h"
#include "utf8.h"

#define NGX_CAMERA_API_VERSION_DIGITS  18
#define NGX_CAMERA_API_KEY_MAX         255    /* characters */


static ngx_int_t ngx_camera_api_if_match_list(u_char *p, u_char *last,
    u_char *out);
static u_char *ngx_camera_api_if_match_tag(u_char *p, u_char *last,
    ngx_str_t *tag);
static ngx_uint_t ngx_camera_api_if_match_is_version(ngx_str_t *tag);
static ngx_int_t ngx_camera_api_idempotency_key(ngx_camera_api_ctx_t *ctx,
    const char **key, u_char hash[32]);
static ngx_int_t ngx_camera_api_condition_wrong(ngx_camera_api_ctx_t *ctx,
    const char *header, const char *message);
static u_char *ngx_camera_api_canonical(ngx_camera_api_ctx_t *ctx,
    size_t *len);


ngx_int_t
ngx_camera_api_if_match(ngx_camera_api_ctx_t *ctx, const char **versions)
{
    u_char           *text;
    ngx_str_t        *value;
    ngx_table_elt_t  *h;

    h = ctx->request->headers_in.if_match;

    *versions = NULL;

    if (h == NULL || (h->value.len == 1 && h->value.data[0] == '*')) {
        return NGX_OK;
    }

    value = &h->value;

    text = ngx_pnalloc(ctx->request->pool, value->len + 3);
    if (text == NULL) {
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_INTERNAL_ERROR);
    }

    if (ngx_camera_api_if_match_list(value->data, value->data + value->len,
                                     text)
        != NGX_OK)
    {
        return ngx_camera_api_condition_wrong(ctx, "If-Match",
                                   "must be \"*\", or an ETag in its quotes");
    }

    *versions = (char *) text;

    return NGX_OK;
}


/* "1", W/"2", "x": an array of SQL's with those that may be versions */

static ngx_int_t
ngx_camera_api_if_match_list(u_char *p, u_char *last, u_char *out)
{
    ngx_str_t   tag;
    ngx_uint_t  n;

    *out++ = '{';

    for (n = 0; /* void */ ; p++) {
        p = ngx_camera_api_if_match_tag(p, last, &tag);

        if (p == NULL) {
            return NGX_DECLINED;
        }

        if (ngx_camera_api_if_match_is_version(&tag)) {

            if (n++) {
                *out++ = ',';
            }

            out = ngx_cpymem(out, tag.data, tag.len);
        }

        if (p == last) {
            break;
        }
    }

    *out++ = '}';
    *out = '\0';

    return NGX_OK;
}


/* answers where its comma is, or the end; tag is empty for a weak one */

static u_char *
ngx_camera_api_if_match_tag(u_char *p, u_char *last, ngx_str_t *tag)
{
    ngx_uint_t  weak;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    weak = last - p > 2 && p[0] == 'W' && p[1] == '/';
    p += weak ? 2 : 0;

    if (p == last || *p++ != '"') {
        return NULL;
    }

    tag->data = p;

    while (p < last && *p != '"' && *p > ' ' && *p != 0x7f) {
        p++;
    }

    if (p == last || *p != '"') {
        return NULL;
    }

    tag->len = weak ? 0 : p - tag->data;

    for (p++; p < last && (*p == ' ' || *p == '\t'); p++) { /* void */ }

    return p == last || *p == ',' ? p : NULL;
}


/* as ngx_camera_api_etag() prints it: no zeros in front */

static ngx_uint_t
ngx_camera_api_if_match_is_version(ngx_str_t *tag)
{
    size_t  i;

    if (tag->len == 0 || tag->len > NGX_CAMERA_API_VERSION_DIGITS
        || tag->data[0] == '0')
    {
        return 0;
    }

    for (i = 0; i < tag->len; i++) {
        if (tag->data[i] < '0' || tag->data[i] > '9') {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_camera_api_condition_wrong(ngx_camera_api_ctx_t *ctx, const char *header,
    const char *message)
{
    ngx_camera_api_problem(ctx, header, message);

    return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_VALIDATION_FAILED);
}


ngx_int_t
ngx_camera_api_param_once(ngx_camera_api_ctx_t *ctx)
{
    u_char      *hash;
    const char  *key;

    hash = ngx_pnalloc(ctx->request->pool, 32);

    if (hash == NULL) {
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_INTERNAL_ERROR);
    }

    if (ngx_camera_api_idempotency_key(ctx, &key, hash) != NGX_OK) {
        return NGX_DONE;
    }

    ngx_camera_api_param_uuid(ctx, ctx->principal->user);
    ngx_camera_api_param_text(ctx, key);
    ngx_camera_api_param_binary(ctx, key ? hash : NULL, 32);

    return NGX_OK;
}


/* key is NULL when there is none; hash is that of what the body says */

static ngx_int_t
ngx_camera_api_idempotency_key(ngx_camera_api_ctx_t *ctx, const char **key,
    u_char hash[32])
{
    size_t      len;
    ssize_t     n;
    u_char     *text;
    ngx_str_t  *value;

    *key = NULL;

    value = ngx_camera_api_header_in(ctx->request, "idempotency-key");

    if (value == NULL) {
        return NGX_OK;
    }

    n = cam_utf8_length((char *) value->data, value->len);

    if (n < 1 || n > NGX_CAMERA_API_KEY_MAX
        || cam_utf8_has_control((char *) value->data, value->len))
    {
        return ngx_camera_api_condition_wrong(ctx, "Idempotency-Key",
                                              "must have 1 to 255 characters");
    }

    text = ngx_camera_api_canonical(ctx, &len);

    if (text == NULL) {
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_INTERNAL_ERROR);
    }

    cam_token_sha256(hash, (char *) text, len);

    /* nginx ends the values of headers with a NUL */

    *key = (char *) value->data;

    return NGX_OK;
}


/*
 * What the body says, however it is written: the values in the order of their
 * table, each with its length.  What is not given is what is null.  A secret
 * is left out: its quick hash beside the slow one would be for who guesses.
 */

static u_char *
ngx_camera_api_canonical(ngx_camera_api_ctx_t *ctx, size_t *len)
{
    u_char             *text, *p;
    size_t              size;
    ngx_uint_t          i;
    cam_value_t        *value;
    const cam_field_t  *fields;

    fields = ctx->route->body;
    size = 0;

    for (i = 0; fields[i].name; i++) {
        size += ngx_strlen(fields[i].name) + NGX_SIZE_T_LEN + 2
                + ctx->body[i].len;
    }

    text = ngx_pnalloc(ctx->request->pool, size);
    if (text == NULL) {
        return NULL;
    }

    p = text;

    for (i = 0; fields[i].name; i++) {
        value = &ctx->body[i];

        if (value->text && !(fields[i].flags & CAM_FIELD_SECRET)) {
            p = ngx_sprintf(p, "%s=%uz:", fields[i].name, value->len);
            p = ngx_cpymem(p, value->text, value->len);
        }
    }

    *len = p - text;

    return text;
}


/* not the answer of what is not there */

ngx_uint_t
ngx_camera_api_outcome(const PGresult *res, const char *outcome)
{
    return PQntuples(res) != 0
           && ngx_strcmp(PQgetvalue(res, 0, PQnfields(res) - 1), outcome) == 0;
}


ngx_int_t
ngx_camera_api_created(ngx_camera_api_ctx_t *ctx, const PGresult *res,
    const char *path)
{
    char        id[CAM_UUID_TEXT + 1];
    ngx_str_t   value;

    if (PQntuples(res) == 0) {
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_INTERNAL_ERROR);
    }

    if (ngx_strcmp(PQgetvalue(res, 0, PQnfields(res) - 1), "reused") == 0) {
        return ngx_camera_api_refuse(ctx,
                                     NGX_CAMERA_API_IDEMPOTENCY_KEY_REUSED);
    }

    value.data = ngx_pnalloc(ctx->request->pool,
                             ngx_strlen(path) + CAM_UUID_TEXT);

    if (value.data == NULL) {
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_INTERNAL_ERROR);
    }

    cam_uuid_print(id, (u_char *) PQgetvalue(res, 0, 0));

    value.len = ngx_sprintf(value.data, "%s%s", path, id) - value.data;

    if (ngx_camera_api_header(ctx, "Location", &value) != NGX_OK) {
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_INTERNAL_ERROR);
    }

    return NGX_OK;
}
