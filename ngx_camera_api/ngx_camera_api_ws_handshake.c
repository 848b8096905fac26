/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The opening of a WebSocket, RFC 6455 section 4.2: what a request must have,
 * and the answer 101.  A page of another site may not use the token of a user
 * who is logged in here, so an Origin has to be this host.
 */

#include <ngx_sha1.h>

#include "ngx_camera_api_core.h"
#include "ngx_camera_api_ws.h"

#define NGX_CAMERA_API_WS_KEY     24           /* 16 bytes in base64 */
#define NGX_CAMERA_API_WS_ACCEPT  28
#define NGX_CAMERA_API_WS_GUID    "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


static const char *ngx_camera_api_ws_wrong(ngx_http_request_t *r);
static ngx_uint_t ngx_camera_api_ws_has(ngx_http_request_t *r,
    const char *name, const char *value);
static ngx_uint_t ngx_camera_api_ws_is_key(const ngx_str_t *key);
static ngx_uint_t ngx_camera_api_ws_is_ours(ngx_http_request_t *r);
static ngx_int_t ngx_camera_api_ws_headers(ngx_camera_api_ctx_t *ctx);
static ngx_int_t ngx_camera_api_ws_accept(ngx_http_request_t *r,
    ngx_str_t *accept);


ngx_int_t
ngx_camera_api_ws_handshake(ngx_camera_api_ctx_t *ctx)
{
    const char          *wrong;
    ngx_http_request_t  *r;

    static const ngx_str_t  version = ngx_string("13");

    r = ctx->request;
    wrong = ngx_camera_api_ws_wrong(r);

    if (wrong) {
        (void) ngx_camera_api_header(ctx, "Sec-WebSocket-Version", &version);

        ngx_camera_api_problem(ctx, wrong, "is not that of a WebSocket");
        ngx_camera_api_error(ctx, NGX_CAMERA_API_VALIDATION_FAILED, NULL);
        return NGX_DONE;
    }

    if (!ngx_camera_api_ws_is_ours(r)) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INSUFFICIENT_PERMISSIONS,
                             "A page of another site may not connect.");
        return NGX_DONE;
    }

    if (ngx_camera_api_ws_headers(ctx) != NGX_OK) {
        ngx_camera_api_finish(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return NGX_DONE;
    }

    r->keepalive = 0;

    if (ngx_http_send_header(r) != NGX_OK
        || ngx_http_send_special(r, NGX_HTTP_FLUSH) != NGX_OK)
    {
        ngx_camera_api_finish(ctx, NGX_ERROR);
        return NGX_DONE;
    }

    return NGX_OK;
}


/* the header that is not as it must be */

static const char *
ngx_camera_api_ws_wrong(ngx_http_request_t *r)
{
    ngx_str_t  *key;

    if (r->method != NGX_HTTP_GET || r->http_version != NGX_HTTP_VERSION_11
        || !ngx_camera_api_ws_has(r, "upgrade", "websocket"))
    {
        return "Upgrade";
    }

    if (!ngx_camera_api_ws_has(r, "connection", "upgrade")) {
        return "Connection";
    }

    if (!ngx_camera_api_ws_has(r, "sec-websocket-version", "13")) {
        return "Sec-WebSocket-Version";
    }

    key = ngx_camera_api_header_in(r, "sec-websocket-key");

    return key && ngx_camera_api_ws_is_key(key) ? NULL : "Sec-WebSocket-Key";
}


/* among values separated by commas, in letters of any case */

static ngx_uint_t
ngx_camera_api_ws_has(ngx_http_request_t *r, const char *name,
    const char *value)
{
    size_t      len;
    u_char     *p, *end, *last;
    ngx_str_t  *header;

    header = ngx_camera_api_header_in(r, name);

    if (header == NULL) {
        return 0;
    }

    last = header->data + header->len;

    for (p = header->data; p < last; p = end + 1) {
        end = ngx_strlchr(p, last, ',');
        end = end ? end : last;

        for ( /* void */ ; p < end && *p == ' '; p++) { /* void */ }
        for (len = end - p; len && p[len - 1] == ' '; len--) { /* void */ }

        if (len == ngx_strlen(value)
            && ngx_strncasecmp(p, (u_char *) value, len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_camera_api_ws_is_key(const ngx_str_t *key)
{
    u_char     bytes[ngx_base64_decoded_length(NGX_CAMERA_API_WS_KEY)];
    ngx_str_t  in, out;

    in = *key;
    out.data = bytes;

    return key->len == NGX_CAMERA_API_WS_KEY
           && ngx_decode_base64(&out, &in) == NGX_OK && out.len == 16;
}


/* without an Origin it is no browser; "null" is somebody else's */

static ngx_uint_t
ngx_camera_api_ws_is_ours(ngx_http_request_t *r)
{
    u_char     *host, *last;
    ngx_str_t  *origin, *ours;

    origin = ngx_camera_api_header_in(r, "origin");

    if (origin == NULL) {
        return 1;
    }

    if (r->headers_in.host == NULL) {
        return 0;
    }

    ours = &r->headers_in.host->value;
    last = origin->data + origin->len;
    host = ngx_strlcasestrn(origin->data, last, (u_char *) "://", 3 - 1);

    if (host == NULL) {
        return 0;
    }

    host += 3;

    return (size_t) (last - host) == ours->len
           && ngx_strncasecmp(host, ours->data, ours->len) == 0;
}


static ngx_int_t
ngx_camera_api_ws_headers(ngx_camera_api_ctx_t *ctx)
{
    ngx_str_t            accept;
    ngx_http_request_t  *r;

    static const ngx_str_t  websocket = ngx_string("websocket");

    r = ctx->request;

    r->headers_out.status = NGX_HTTP_SWITCHING_PROTOCOLS;
    ngx_str_set(&r->headers_out.status_line, "101 Switching Protocols");
    r->headers_out.content_length_n = -1;

    if (ngx_camera_api_common_headers(ctx) != NGX_OK
        || ngx_camera_api_ws_accept(r, &accept) != NGX_OK
        || ngx_camera_api_header(ctx, "Upgrade", &websocket) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_camera_api_header(ctx, "Sec-WebSocket-Accept", &accept);
}


static ngx_int_t
ngx_camera_api_ws_accept(ngx_http_request_t *r, ngx_str_t *accept)
{
    u_char      digest[20];
    ngx_str_t  *key, sum;
    ngx_sha1_t  sha1;

    accept->data = ngx_pnalloc(r->pool, NGX_CAMERA_API_WS_ACCEPT);

    if (accept->data == NULL) {
        return NGX_ERROR;
    }

    key = ngx_camera_api_header_in(r, "sec-websocket-key");

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, key->data, key->len);
    ngx_sha1_update(&sha1, NGX_CAMERA_API_WS_GUID,
                    sizeof(NGX_CAMERA_API_WS_GUID) - 1);
    ngx_sha1_final(digest, &sha1);

    sum.data = digest;
    sum.len = sizeof(digest);

    ngx_encode_base64(accept, &sum);

    return NGX_OK;
}
