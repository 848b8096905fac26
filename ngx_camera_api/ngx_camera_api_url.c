/*
 * Copyright (C) The nginx camera platform authors
 */

/* How the addresses begin that are handed out, to play or to download. */

#include "ngx_camera_api.h"

#define NGX_CAMERA_API_URL_HOST  255       /* characters, its port included */


static ngx_uint_t ngx_camera_api_url_is_host(ngx_str_t *host);


/*
 * "https://host:port": of the directive, or of the request, whose Host is what
 * its sender likes it to be and comes back to nobody but them.  NGX_DONE: it
 * is no host, which was answered.
 */

ngx_int_t
ngx_camera_api_base_url(ngx_camera_api_ctx_t *ctx, ngx_str_t *base)
{
    ngx_int_t  rc;

    rc = ngx_camera_api_base_of(ctx->request, base);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    if (rc == NGX_ERROR) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return NGX_DONE;
    }

    ngx_camera_api_problem(ctx, "Host", "must be a host");
    ngx_camera_api_error(ctx, NGX_CAMERA_API_VALIDATION_FAILED, NULL);

    return NGX_DONE;
}


ngx_int_t
ngx_camera_api_base_of(ngx_http_request_t *r, ngx_str_t *base)
{
    ngx_str_t                    host;
    ngx_camera_api_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(r, ngx_camera_api_module);

    if (amcf->public_url.len) {
        *base = amcf->public_url;
        return NGX_OK;
    }

    ngx_str_null(&host);

    if (r->headers_in.host) {
        host = r->headers_in.host->value;
    }

    if (!ngx_camera_api_url_is_host(&host)) {
        return NGX_DECLINED;
    }

    base->data = ngx_pnalloc(r->pool, sizeof("https://") + host.len);

    if (base->data == NULL) {
        return NGX_ERROR;
    }

    base->len = ngx_sprintf(base->data, "%s://%V",
                            r->connection->ssl ? "https" : "http", &host)
                - base->data;

    return NGX_OK;
}


/* characters of names, addresses and ports: none that could end the host in
   a URL or open a tag in a page */

static ngx_uint_t
ngx_camera_api_url_is_host(ngx_str_t *host)
{
    size_t  i;

    static const char  chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789"
                                 ".-_:[]";

    if (host->len == 0 || host->len > NGX_CAMERA_API_URL_HOST) {
        return 0;
    }

    for (i = 0; i < host->len; i++) {
        if (host->data[i] == '\0' || ngx_strchr(chars, host->data[i]) == NULL)
        {
            return 0;
        }
    }

    return 1;
}
