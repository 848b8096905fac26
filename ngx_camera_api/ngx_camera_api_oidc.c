/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Logging in by an identity provider: OpenID Connect, authorization code with
 * PKCE.  Here a browser is sent off:
 *
 *     /auth/oidc/NAME           know where ─► cookie ─► off to the provider
 *
 * ngx_camera_api_oidc_callback.c is where it comes back.  A browser asks both,
 * so whatever goes wrong leads back to the page with a code of an error.  Why
 * is in the log, without anything that came from the browser.
 */

#include "base64url.h"
#include "ngx_camera_api_core.h"
#include "ngx_camera_api_oidc.h"
#include "percent.h"

#define NGX_CAMERA_API_OIDC_RETURN_TO   0        /* fields of the query */
#define NGX_CAMERA_API_OIDC_REMEMBER    1


static void ngx_camera_api_oidc_off(ngx_camera_api_oidc_t *op);


void
ngx_camera_api_oidc_start(ngx_camera_api_ctx_t *ctx)
{
    ngx_str_t               page;
    ngx_camera_api_oidc_t  *op;

    op = ngx_camera_api_oidc_create(ctx);

    if (op == NULL) {
        return;
    }

    ngx_str_set(&page, "/");

    if (ctx->query && ctx->query[NGX_CAMERA_API_OIDC_RETURN_TO].text) {
        page.data = (u_char *) ctx->query[NGX_CAMERA_API_OIDC_RETURN_TO].text;
        page.len = ctx->query[NGX_CAMERA_API_OIDC_RETURN_TO].len;
    }

    if (!ngx_camera_api_oidc_is_page(&page)) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_VALIDATION_FAILED, NULL);
        return;
    }

    ctx->page = page;
    op->trip.page = page;
    op->trip.remember = ctx->query
                     && ctx->query[NGX_CAMERA_API_OIDC_REMEMBER].number != 0;

    ngx_camera_api_oidc_know(op, 0, ngx_camera_api_oidc_off);
}


ngx_camera_api_oidc_t *
ngx_camera_api_oidc_create(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_oidc_t           *op;
    ngx_camera_api_oidc_provider_t  *provider;

    provider = ngx_camera_api_oidc_find(ctx->request, &ctx->ids[0]);

    if (provider == NULL) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_NOT_FOUND, NULL);
        return NULL;
    }

    op = ngx_pcalloc(ctx->request->pool, sizeof(ngx_camera_api_oidc_t));

    if (op == NULL) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return NULL;
    }

    op->ctx = ctx;
    op->provider = provider;
    ctx->data = op;

    return op;
}


static void
ngx_camera_api_oidc_off(ngx_camera_api_oidc_t *op)
{
    u_char                          *p, hash[32];
    char                             challenge[NGX_CAMERA_API_OIDC_SECRET + 1];
    ngx_str_t                        url, uri;
    ngx_camera_api_oidc_provider_t  *provider;

    provider = op->provider;

    if (ngx_camera_api_oidc_leave(op) != NGX_OK
        || ngx_camera_api_oidc_redirect_uri(op, &uri) != NGX_OK)
    {
        ngx_camera_api_error(op->ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    cam_token_sha256(hash, op->trip.verifier, NGX_CAMERA_API_OIDC_SECRET);
    (void) cam_base64url_encode(challenge, hash, sizeof(hash));

    url.data = ngx_pnalloc(op->ctx->request->pool,
                           NGX_CAMERA_API_OIDC_URL_MAX + 512
                           + 3 * (uri.len + provider->client_id.len
                                  + provider->scopes.len));
    if (url.data == NULL) {
        ngx_camera_api_error(op->ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    p = ngx_sprintf(url.data, "%s%c" "response_type=code",
                    provider->known->authorize,
                    ngx_strchr(provider->known->authorize, '?') ? '&' : '?');

    p = ngx_camera_api_oidc_arg(p, "client_id", provider->client_id.data,
                                provider->client_id.len);
    p = ngx_camera_api_oidc_arg(p, "redirect_uri", uri.data, uri.len);
    p = ngx_camera_api_oidc_arg(p, "scope", provider->scopes.data,
                                provider->scopes.len);
    p = ngx_camera_api_oidc_arg(p, "state", op->trip.state,
                                NGX_CAMERA_API_OIDC_SECRET);
    p = ngx_camera_api_oidc_arg(p, "nonce", op->trip.nonce,
                                NGX_CAMERA_API_OIDC_SECRET);
    p = ngx_camera_api_oidc_arg(p, "code_challenge", challenge,
                                NGX_CAMERA_API_OIDC_SECRET);
    p = ngx_camera_api_oidc_arg(p, "code_challenge_method", "S256", 4);

    url.len = p - url.data;

    ngx_camera_api_redirect(op->ctx, &url);
}


ngx_int_t
ngx_camera_api_oidc_redirect_uri(ngx_camera_api_oidc_t *op, ngx_str_t *uri)
{
    ngx_str_t  base;

    if (op->provider->redirect_uri.len) {
        *uri = op->provider->redirect_uri;
        return NGX_OK;
    }

    if (ngx_camera_api_base_of(op->ctx->request, &base) != NGX_OK) {
        return NGX_ERROR;
    }

    uri->data = ngx_pnalloc(op->ctx->request->pool, base.len
                            + sizeof(NGX_CAMERA_API_OIDC_PATH "//callback")
                            + op->provider->name.len);
    if (uri->data == NULL) {
        return NGX_ERROR;
    }

    uri->len = ngx_sprintf(uri->data, "%V" NGX_CAMERA_API_OIDC_PATH
                           "/%V/callback", &base, &op->provider->name)
               - uri->data;

    return NGX_OK;
}


u_char *
ngx_camera_api_oidc_arg(u_char *p, const char *name, const void *text,
    size_t len)
{
    p = ngx_sprintf(p, "&%s=", name);

    return (u_char *) cam_percent_encode((char *) p, text, len);
}


void
ngx_camera_api_oidc_failed(ngx_camera_api_oidc_t *op,
    ngx_camera_api_code_e code, const char *what)
{
    ngx_log_error(NGX_LOG_ERR, op->ctx->request->connection->log, 0,
                  "identity provider \"%V\" %s", &op->provider->name, what);

    ngx_camera_api_error(op->ctx, code, NULL);
}


/* what the page shows beside the form */

void
ngx_camera_api_oidc_providers(ngx_camera_api_ctx_t *ctx)
{
    u_char                          *p, url[sizeof(NGX_CAMERA_API_OIDC_PATH)
                                            + NGX_CAMERA_API_OIDC_NAME_MAX];
    ngx_uint_t                       i;
    ngx_camera_api_auth_conf_t      *conf;
    ngx_camera_api_oidc_provider_t  *provider;

    conf = ngx_http_get_module_main_conf(ctx->request,
                                         ngx_camera_api_auth_module);
    provider = conf->providers.elts;

    ngx_camera_api_begin(ctx, NULL, '{');
    ngx_camera_api_put_bool(ctx, "registration", conf->registration);
    ngx_camera_api_begin(ctx, "providers", '[');

    for (i = 0; i < conf->providers.nelts; i++) {
        p = ngx_sprintf(url, NGX_CAMERA_API_OIDC_PATH "/%V",
                        &provider[i].name);

        ngx_camera_api_begin(ctx, NULL, '{');
        ngx_camera_api_put_text(ctx, "name", provider[i].name.data,
                                provider[i].name.len);
        ngx_camera_api_put_text(ctx, "label", provider[i].label.data,
                                provider[i].label.len);
        ngx_camera_api_put_string(ctx, "kind", provider[i].preset);
        ngx_camera_api_put_text(ctx, "url", url, p - url);
        ngx_camera_api_end(ctx, '}');
    }

    ngx_camera_api_end(ctx, ']');
    ngx_camera_api_end(ctx, '}');

    ngx_camera_api_send(ctx, NGX_HTTP_OK);
}
