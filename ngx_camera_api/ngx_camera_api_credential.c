/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Where a request may carry its credential, which a location lists by
 * "camera_api_credentials":
 *
 *     bearer     Authorization: Bearer TOKEN         an access or API token
 *     api_key    X-API-Key: TOKEN                    an API token
 *     basic      Authorization: Basic NAME:TOKEN     an API token, of any name
 *
 * Whatever carries it, it is the same token, and one resolver looks who that
 * is.  Two at once are none: nobody could say whose request it is.
 */

#include "api_token.h"
#include "ngx_camera_api_core.h"


static ngx_int_t ngx_camera_api_credential_authorization(
    ngx_http_request_t *r, ngx_uint_t taken, ngx_str_t *token);
static ngx_int_t ngx_camera_api_credential_basic(ngx_http_request_t *r,
    const ngx_str_t *value, ngx_str_t *token);
static ngx_int_t ngx_camera_api_credential_api(const ngx_str_t *token);
static ngx_int_t ngx_camera_api_credential_scheme(const ngx_str_t *header,
    const char *scheme, ngx_str_t *rest);


ngx_int_t
ngx_camera_api_credential(ngx_http_request_t *r, ngx_str_t *token)
{
    ngx_str_t   *key;
    ngx_uint_t   taken;

    taken = ngx_camera_api_credentials(r);
    key = ngx_camera_api_header_in(r, "x-api-key");

    if (r->headers_in.authorization) {
        return key ? NGX_ERROR
                   : ngx_camera_api_credential_authorization(r, taken, token);
    }

    if (key == NULL) {
        return NGX_DECLINED;
    }

    *token = *key;

    return taken & NGX_CAMERA_API_BY_API_KEY
           ? ngx_camera_api_credential_api(token) : NGX_ERROR;
}


static ngx_int_t
ngx_camera_api_credential_authorization(ngx_http_request_t *r,
    ngx_uint_t taken, ngx_str_t *token)
{
    ngx_str_t  *header, basic;

    header = &r->headers_in.authorization->value;

    if (taken & NGX_CAMERA_API_BY_BEARER
        && ngx_camera_api_credential_scheme(header, "Bearer ", token)
           == NGX_OK)
    {
        return NGX_OK;
    }

    if (taken & NGX_CAMERA_API_BY_BASIC
        && ngx_camera_api_credential_scheme(header, "Basic ", &basic)
           == NGX_OK)
    {
        return ngx_camera_api_credential_basic(r, &basic, token);
    }

    return NGX_ERROR;
}


ngx_int_t
ngx_camera_api_bearer(ngx_http_request_t *r, ngx_str_t *token)
{
    return r->headers_in.authorization
           ? ngx_camera_api_credential_authorization(r,
                                            NGX_CAMERA_API_BY_BEARER, token)
           : NGX_DECLINED;
}


/* the password is the token; what stands before the colon is for people */

static ngx_int_t
ngx_camera_api_credential_basic(ngx_http_request_t *r, const ngx_str_t *value,
    ngx_str_t *token)
{
    u_char     *colon;
    ngx_str_t   in, out;

    in = *value;

    out.data = ngx_pnalloc(r->pool, ngx_base64_decoded_length(in.len) + 1);

    if (out.data == NULL || ngx_decode_base64(&out, &in) != NGX_OK) {
        return NGX_ERROR;
    }

    colon = ngx_strlchr(out.data, out.data + out.len, ':');

    if (colon == NULL) {
        return NGX_ERROR;
    }

    token->data = colon + 1;
    token->len = out.data + out.len - token->data;

    return ngx_camera_api_credential_api(token);
}


static ngx_int_t
ngx_camera_api_credential_api(const ngx_str_t *token)
{
    return cam_api_token_is((char *) token->data, token->len) ? NGX_OK
                                                              : NGX_ERROR;
}


/* in letters of any case, and blanks behind it */

static ngx_int_t
ngx_camera_api_credential_scheme(const ngx_str_t *header, const char *scheme,
    ngx_str_t *rest)
{
    size_t   len;
    u_char  *p, *last;

    len = ngx_strlen(scheme);
    last = header->data + header->len;

    if (header->len <= len
        || ngx_strncasecmp(header->data, (u_char *) scheme, len) != 0)
    {
        return NGX_DECLINED;
    }

    for (p = header->data + len; p < last && *p == ' '; p++) {
        /* void */
    }

    rest->data = p;
    rest->len = last - p;

    return NGX_OK;
}
