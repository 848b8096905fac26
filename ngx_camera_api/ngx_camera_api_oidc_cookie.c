/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The cookie of a browser that left for an identity provider and is to come
 * back.  It is all that is kept of it:
 *
 *     base64url(version, time, seed, remember, provider, page) "." base64url(MAC)
 *
 * State, nonce and PKCE verifier are MACs of the same bytes, by a key that is
 * made of the one of access tokens; so the cookie itself tells none of them.
 * It counts for ten minutes, once at each node, and only where it lies: what
 * comes back with somebody else's state finds no cookie that fits.
 */

#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base64url.h"
#include "ngx_camera_api_core.h"
#include "ngx_camera_api_login_limit.h"
#include "ngx_camera_api_oidc.h"

#define NGX_CAMERA_API_TRIP_COOKIE   "camera_oidc"
#define NGX_CAMERA_API_TRIP_VERSION  1
#define NGX_CAMERA_API_TRIP_SEED     32
#define NGX_CAMERA_API_TRIP_HEAD     (1 + 8 + NGX_CAMERA_API_TRIP_SEED + 1 + 1)
#define NGX_CAMERA_API_TRIP_MAX      (NGX_CAMERA_API_TRIP_HEAD                \
                                      + NGX_CAMERA_API_OIDC_NAME_MAX          \
                                      + NGX_CAMERA_API_OIDC_PAGE_MAX)
#define NGX_CAMERA_API_TRIP_MAC      32


static ngx_int_t ngx_camera_api_trip_read(ngx_camera_api_oidc_t *op,
    const ngx_str_t *text);
static ngx_int_t ngx_camera_api_trip_take(ngx_camera_api_oidc_t *op,
    const u_char *bytes, size_t len);
static void ngx_camera_api_trip_secrets(ngx_camera_api_oidc_trip_t *trip,
    const cam_key_t *key, const u_char *bytes, size_t len);
static void ngx_camera_api_trip_mac(u_char *mac, const cam_key_t *key,
    const char *what, const u_char *bytes, size_t len);
static void ngx_camera_api_trip_secret(char *text, const cam_key_t *key,
    const char *what, const u_char *bytes, size_t len);
static ngx_int_t ngx_camera_api_trip_set(ngx_camera_api_ctx_t *ctx,
    const u_char *bytes, size_t len, const u_char *mac);


/* what a browser would not take for another host, or another scheme */

ngx_uint_t
ngx_camera_api_oidc_is_page(const ngx_str_t *page)
{
    size_t  i;

    if (page->len == 0 || page->len > NGX_CAMERA_API_OIDC_PAGE_MAX
        || page->data[0] != '/'
        || (page->len > 1 && page->data[1] == '/'))
    {
        return 0;
    }

    for (i = 0; i < page->len; i++) {
        if (page->data[i] <= 0x20 || page->data[i] >= 0x7f
            || page->data[i] == '\\')
        {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_camera_api_oidc_leave(ngx_camera_api_oidc_t *op)
{
    u_char                       bytes[NGX_CAMERA_API_TRIP_MAX], *p;
    uint64_t                     now;
    ngx_uint_t                   i;
    const cam_key_t             *key;
    ngx_camera_api_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(op->ctx->request,
                                         ngx_camera_api_module);
    key = cam_keys_signer(amcf->keys, CAM_KEY_ACCESS);

    p = bytes;
    *p++ = NGX_CAMERA_API_TRIP_VERSION;

    now = (uint64_t) ngx_time();

    for (i = 0; i < 8; i++) {
        *p++ = (u_char) (now >> (56 - 8 * i));
    }

    if (RAND_bytes(p, NGX_CAMERA_API_TRIP_SEED) != 1) {
        return NGX_ERROR;
    }

    p += NGX_CAMERA_API_TRIP_SEED;
    *p++ = (u_char) op->trip.remember;
    *p++ = (u_char) op->provider->name.len;
    p = ngx_cpymem(p, op->provider->name.data, op->provider->name.len);
    p = ngx_cpymem(p, op->trip.page.data, op->trip.page.len);

    ngx_camera_api_trip_secrets(&op->trip, key, bytes, p - bytes);

    return ngx_camera_api_trip_set(op->ctx, bytes, p - bytes, op->trip.mac);
}


ngx_int_t
ngx_camera_api_oidc_return(ngx_camera_api_oidc_t *op, const ngx_str_t *state)
{
    ngx_str_t  text;

    static ngx_str_t  name = ngx_string(NGX_CAMERA_API_TRIP_COOKIE);

    if (ngx_http_parse_multi_header_lines(
                        &op->ctx->request->headers_in.cookies, &name, &text)
        == NGX_DECLINED)
    {
        return NGX_DECLINED;
    }

    if (ngx_camera_api_trip_set(op->ctx, NULL, 0, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_camera_api_trip_read(op, &text) != NGX_OK
        || state->len != NGX_CAMERA_API_OIDC_SECRET
        || CRYPTO_memcmp(state->data, op->trip.state, state->len) != 0)
    {
        return NGX_DECLINED;
    }

    return ngx_camera_api_login_once(op->trip.mac,
                                     NGX_CAMERA_API_OIDC_LIFE_SEC * 1000);
}


/* by whichever key it was made: one may have been replaced in between */

static ngx_int_t
ngx_camera_api_trip_read(ngx_camera_api_oidc_t *op, const ngx_str_t *text)
{
    u_char                      *dot;
    u_char                       bytes[NGX_CAMERA_API_TRIP_MAX];
    u_char                       mac[NGX_CAMERA_API_TRIP_MAC];
    ssize_t                      len;
    unsigned                     i;
    const cam_key_t             *key;
    ngx_camera_api_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(op->ctx->request,
                                         ngx_camera_api_module);

    dot = ngx_strlchr(text->data, text->data + text->len, '.');

    if (dot == NULL) {
        return NGX_DECLINED;
    }

    len = cam_base64url_decode(bytes, sizeof(bytes), (char *) text->data,
                               dot - text->data);

    if (len < NGX_CAMERA_API_TRIP_HEAD
        || cam_base64url_decode(mac, sizeof(mac), (char *) dot + 1,
                                text->data + text->len - dot - 1)
           != NGX_CAMERA_API_TRIP_MAC)
    {
        return NGX_DECLINED;
    }

    for (i = 0; i < amcf->keys->n; i++) {
        key = &amcf->keys->keys[i];

        if (key->use != CAM_KEY_ACCESS) {
            continue;
        }

        ngx_camera_api_trip_secrets(&op->trip, key, bytes, len);

        if (CRYPTO_memcmp(mac, op->trip.mac, sizeof(mac)) == 0) {
            return ngx_camera_api_trip_take(op, bytes, len);
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_camera_api_trip_take(ngx_camera_api_oidc_t *op, const u_char *bytes,
    size_t len)
{
    int64_t        at;
    ngx_str_t      name;
    ngx_uint_t     i;
    const u_char  *p, *last;

    p = bytes;
    last = bytes + len;

    if (*p++ != NGX_CAMERA_API_TRIP_VERSION) {
        return NGX_DECLINED;
    }

    at = 0;

    for (i = 0; i < 8; i++) {
        at = at << 8 | *p++;
    }

    p += NGX_CAMERA_API_TRIP_SEED;
    op->trip.remember = *p++;

    name.len = *p++;
    name.data = (u_char *) p;

    if (at > ngx_time() || at + NGX_CAMERA_API_OIDC_LIFE_SEC <= ngx_time()
        || name.len > (size_t) (last - p)
        || name.len != op->provider->name.len
        || ngx_memcmp(name.data, op->provider->name.data, name.len) != 0)
    {
        return NGX_DECLINED;
    }

    p += name.len;

    op->trip.page.len = last - p;
    op->trip.page.data = ngx_pnalloc(op->ctx->request->pool,
                                     op->trip.page.len);

    if (op->trip.page.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(op->trip.page.data, p, op->trip.page.len);

    return NGX_OK;
}


static void
ngx_camera_api_trip_secrets(ngx_camera_api_oidc_trip_t *trip,
    const cam_key_t *key, const u_char *bytes, size_t len)
{
    ngx_camera_api_trip_mac(trip->mac, key, "cookie", bytes, len);

    ngx_camera_api_trip_secret(trip->state, key, "state", bytes, len);
    ngx_camera_api_trip_secret(trip->nonce, key, "nonce", bytes, len);
    ngx_camera_api_trip_secret(trip->verifier, key, "verifier", bytes, len);
}


static void
ngx_camera_api_trip_secret(char *text, const cam_key_t *key,
    const char *what, const u_char *bytes, size_t len)
{
    u_char  mac[NGX_CAMERA_API_TRIP_MAC];

    ngx_camera_api_trip_mac(mac, key, what, bytes, len);
    (void) cam_base64url_encode(text, mac, sizeof(mac));
}


/* a key for each purpose, none of which signs a token */

static void
ngx_camera_api_trip_mac(u_char *mac, const cam_key_t *key, const char *what,
    const u_char *bytes, size_t len)
{
    u_char    own[NGX_CAMERA_API_TRIP_MAC], name[32];
    unsigned  n;

    n = (unsigned) (ngx_sprintf(name, "camera oidc %s", what) - name);

    (void) HMAC(EVP_sha256(), key->secret, key->len, name, n, own, NULL);
    (void) HMAC(EVP_sha256(), own, sizeof(own), bytes, len, mac, NULL);

    ngx_explicit_memzero(own, sizeof(own));
}


/* Lax: it has to come along when the provider sends the browser back.  Without
   bytes it is removed */

static ngx_int_t
ngx_camera_api_trip_set(ngx_camera_api_ctx_t *ctx, const u_char *bytes,
    size_t len, const u_char *mac)
{
    u_char     *p;
    ngx_str_t   value;

    p = ngx_pnalloc(ctx->request->pool, 256
                    + cam_base64url_encoded_len(NGX_CAMERA_API_TRIP_MAX)
                    + cam_base64url_encoded_len(NGX_CAMERA_API_TRIP_MAC));
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;
    p = ngx_cpymem(p, NGX_CAMERA_API_TRIP_COOKIE "=",
                   sizeof(NGX_CAMERA_API_TRIP_COOKIE "=") - 1);

    if (bytes) {
        p += cam_base64url_encode((char *) p, bytes, len);
        *p++ = '.';
        p += cam_base64url_encode((char *) p, mac, NGX_CAMERA_API_TRIP_MAC);
    }

    p = ngx_sprintf(p, "; Path=" NGX_CAMERA_API_OIDC_PATH
                    "; HttpOnly; SameSite=Lax; Max-Age=%d",
                    bytes ? NGX_CAMERA_API_OIDC_LIFE_SEC : 0);

    if (ctx->request->connection->ssl) {
        p = ngx_cpymem(p, "; Secure", sizeof("; Secure") - 1);
    }

    value.len = p - value.data;

    return ngx_camera_api_header(ctx, "Set-Cookie", &value);
}
