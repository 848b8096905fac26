/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What a worker knows of a provider: where it logs people in, where it gives
 * tokens for codes, and its keys.
 *
 *     unknown ──asked──► known ──an hour──► asked again by whoever comes; while
 *        ▲                 │                that fails, what was known counts
 *        └─── a day old ───┘
 *
 * A token by an unknown key has the keys asked for at once, but not more often
 * than every half minute, or strangers could have us ask for ever.
 */

#include "json_read.h"
#include "ngx_camera_api_core.h"
#include "ngx_camera_api_oidc.h"

#define NGX_CAMERA_API_KNOWN_SEC    3600
#define NGX_CAMERA_API_KNOWN_OLD    86400
#define NGX_CAMERA_API_KNOWN_AGAIN  30

#define NGX_CAMERA_API_KNOWN_BYTES  65536
#define NGX_CAMERA_API_KNOWN_WHERE  "/.well-known/openid-configuration"


static ngx_int_t ngx_camera_api_known_ask(ngx_camera_api_oidc_t *op,
    const char *url, size_t len, ngx_camera_api_oidc_pt asked);
static void ngx_camera_api_known_where(ngx_camera_api_oidc_t *op);
static const char *ngx_camera_api_known_read(ngx_camera_api_oidc_t *op);
static const char *ngx_camera_api_known_take(ngx_camera_api_oidc_t *op,
    json_t *json);
static ngx_uint_t ngx_camera_api_known_is_issuer(
    const ngx_camera_api_oidc_provider_t *p, json_t *issuer);
static ngx_uint_t ngx_camera_api_known_url(
    const ngx_camera_api_oidc_provider_t *p, char *to, json_t *url);
static ngx_uint_t ngx_camera_api_known_basic(json_t *methods);
static void ngx_camera_api_known_rest(ngx_camera_api_oidc_t *op);
static ngx_int_t ngx_camera_api_known_ask_keys(ngx_camera_api_oidc_t *op);
static void ngx_camera_api_known_keys(ngx_camera_api_oidc_t *op);


void
ngx_camera_api_oidc_know(ngx_camera_api_oidc_t *op, ngx_uint_t keys,
    ngx_camera_api_oidc_pt known)
{
    ngx_str_t                    *issuer, url;
    ngx_camera_api_oidc_known_t  *k;

    k = op->provider->known;

    op->known = known;
    op->want_keys = keys;

    if (k->read_at && ngx_time() < k->read_at + NGX_CAMERA_API_KNOWN_SEC) {
        ngx_camera_api_known_rest(op);
        return;
    }

    issuer = &op->provider->issuer;

    url.len = issuer->len + sizeof(NGX_CAMERA_API_KNOWN_WHERE) - 1;
    url.data = ngx_pnalloc(op->ctx->request->pool, url.len + 1);

    if (url.data == NULL) {
        ngx_camera_api_error(op->ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    ngx_sprintf(url.data, "%V%s%Z", issuer, NGX_CAMERA_API_KNOWN_WHERE);

    if (ngx_camera_api_known_ask(op, (char *) url.data, url.len,
                                 ngx_camera_api_known_where)
        != NGX_OK)
    {
        ngx_camera_api_error(op->ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
    }
}


static ngx_int_t
ngx_camera_api_known_ask(ngx_camera_api_oidc_t *op, const char *url,
    size_t len, ngx_camera_api_oidc_pt asked)
{
    op->url.data = (u_char *) url;
    op->url.len = len;

    ngx_str_null(&op->body);
    ngx_str_null(&op->authorization);

    return ngx_camera_api_oidc_ask(op, asked);
}


static void
ngx_camera_api_known_where(ngx_camera_api_oidc_t *op)
{
    const char                   *wrong;
    ngx_camera_api_oidc_known_t  *k;

    k = op->provider->known;
    wrong = ngx_camera_api_known_read(op);

    if (wrong == NULL) {
        k->read_at = ngx_time();

    } else if (k->read_at == 0
               || ngx_time() > k->read_at + NGX_CAMERA_API_KNOWN_OLD)
    {
        ngx_camera_api_oidc_failed(op, NGX_CAMERA_API_OIDC_PROVIDER_FAILED,
                                   wrong);
        return;

    } else {
        ngx_log_error(NGX_LOG_WARN, op->ctx->request->connection->log, 0,
                      "identity provider \"%V\" %s, what was known of it goes "
                      "on to count", &op->provider->name, wrong);
    }

    ngx_camera_api_known_rest(op);
}


/* NULL, or what is wrong with the answer */

static const char *
ngx_camera_api_known_read(ngx_camera_api_oidc_t *op)
{
    char         err[CAM_PROBLEM_MESSAGE];
    json_t      *json;
    const char  *wrong;

    if (op->status == 0) {
        return "cannot be reached";
    }

    if (op->status != NGX_HTTP_OK
        || op->answer.len > NGX_CAMERA_API_KNOWN_BYTES)
    {
        return "does not say where its endpoints are";
    }

    json = cam_json_read((char *) op->answer.data, op->answer.len, err,
                         sizeof(err));

    if (json == NULL) {
        return "answers no JSON";
    }

    wrong = ngx_camera_api_known_take(op, json);
    json_decref(json);

    return wrong;
}


static const char *
ngx_camera_api_known_take(ngx_camera_api_oidc_t *op, json_t *json)
{
    ngx_camera_api_oidc_known_t            next, *k;
    const ngx_camera_api_oidc_provider_t  *p;

    p = op->provider;
    k = p->known;

    if (!ngx_camera_api_known_is_issuer(p, json_object_get(json, "issuer"))) {
        return "calls itself by another issuer";
    }

    if (!ngx_camera_api_known_url(p, next.authorize,
                            json_object_get(json, "authorization_endpoint"))
        || !ngx_camera_api_known_url(p, next.token,
                            json_object_get(json, "token_endpoint"))
        || !ngx_camera_api_known_url(p, next.keys,
                            json_object_get(json, "jwks_uri")))
    {
        return "names an endpoint that is not https or at no host of its own; "
               "\"hosts\" may name more";
    }

    ngx_memcpy(k->authorize, next.authorize, sizeof(k->authorize));
    ngx_memcpy(k->token, next.token, sizeof(k->token));
    ngx_memcpy(k->keys, next.keys, sizeof(k->keys));

    k->basic = ngx_camera_api_known_basic(json_object_get(json,
                                  "token_endpoint_auth_methods_supported"));

    return NULL;
}


/* of one that has many, each token names its own, and is judged by that */

static ngx_uint_t
ngx_camera_api_known_is_issuer(const ngx_camera_api_oidc_provider_t *p,
    json_t *issuer)
{
    return p->many
           || (json_is_string(issuer)
               && json_string_length(issuer) == p->issuer.len
               && ngx_memcmp(json_string_value(issuer), p->issuer.data,
                             p->issuer.len)
                  == 0);
}


static ngx_uint_t
ngx_camera_api_known_url(const ngx_camera_api_oidc_provider_t *p, char *to,
    json_t *url)
{
    if (!json_is_string(url)
        || ngx_camera_api_oidc_allows(p, json_string_value(url),
                                      json_string_length(url))
           != NGX_OK)
    {
        return 0;
    }

    ngx_memcpy(to, json_string_value(url), json_string_length(url) + 1);

    return 1;
}


/* the default of the standard, unless the provider has another one only */

static ngx_uint_t
ngx_camera_api_known_basic(json_t *methods)
{
    size_t   i;
    json_t  *method;

    if (!json_is_array(methods)) {
        return 1;
    }

    for (i = 0; i < json_array_size(methods); i++) {
        method = json_array_get(methods, i);

        if (json_is_string(method)
            && ngx_strcmp(json_string_value(method), "client_secret_basic")
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


static void
ngx_camera_api_known_rest(ngx_camera_api_oidc_t *op)
{
    ngx_camera_api_oidc_known_t  *k;

    k = op->provider->known;

    if (!op->want_keys
        || (k->keys_at && ngx_time() < k->keys_at + NGX_CAMERA_API_KNOWN_SEC))
    {
        op->known(op);
        return;
    }

    if (ngx_camera_api_known_ask_keys(op) != NGX_OK) {
        ngx_camera_api_error(op->ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
    }
}


ngx_int_t
ngx_camera_api_oidc_renew(ngx_camera_api_oidc_t *op,
    ngx_camera_api_oidc_pt known)
{
    ngx_camera_api_oidc_known_t  *k;

    k = op->provider->known;

    if (ngx_time() < k->keys_tried_at + NGX_CAMERA_API_KNOWN_AGAIN) {
        return NGX_DECLINED;
    }

    op->known = known;

    return ngx_camera_api_known_ask_keys(op) == NGX_OK ? NGX_OK
                                                       : NGX_DECLINED;
}


static ngx_int_t
ngx_camera_api_known_ask_keys(ngx_camera_api_oidc_t *op)
{
    ngx_camera_api_oidc_known_t  *k;

    k = op->provider->known;

    /* keys that were got for the first time may be young, too */

    k->keys_tried_at = k->keys_at ? ngx_time() : 0;

    return ngx_camera_api_known_ask(op, k->keys, ngx_strlen(k->keys),
                                    ngx_camera_api_known_keys);
}


static void
ngx_camera_api_known_keys(ngx_camera_api_oidc_t *op)
{
    cam_jwks_t                    jwks;
    ngx_camera_api_oidc_known_t  *k;

    k = op->provider->known;

    if (op->status == NGX_HTTP_OK
        && cam_jwks_parse(&jwks, (char *) op->answer.data, op->answer.len)
           == 0)
    {
        cam_jwks_free(&k->jwks);
        k->jwks = jwks;
        k->keys_at = ngx_time();

    } else if (k->keys_at == 0
               || ngx_time() > k->keys_at + NGX_CAMERA_API_KNOWN_OLD)
    {
        ngx_camera_api_oidc_failed(op, NGX_CAMERA_API_OIDC_PROVIDER_FAILED,
                                   "does not tell its keys");
        return;
    }

    op->known(op);
}
