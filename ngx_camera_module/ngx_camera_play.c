/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What requests to play have in common (see ngx_camera_play.h).  The request
 * line, the URI and the arguments are replaced by copies without tokens and
 * signatures before anything can log them.
 */

#include "ngx_camera_play.h"
#include "play_uri.h"


static ngx_int_t ngx_camera_play_phase(ngx_http_core_main_conf_t *cmcf,
    ngx_uint_t phase, ngx_http_handler_pt handler);


ngx_uint_t
ngx_camera_play_is_prefix(const ngx_http_core_loc_conf_t *clcf)
{
    return !clcf->exact_match && !clcf->named && clcf->name.len
#if (NGX_PCRE)
           && clcf->regex == NULL
#endif
           && clcf->name.data[clcf->name.len - 1] == '/';
}


ngx_int_t
ngx_camera_play_phases(ngx_conf_t *cf, ngx_http_handler_pt read,
    ngx_http_handler_pt access, ngx_http_handler_pt count)
{
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    if (ngx_camera_play_phase(cmcf, NGX_HTTP_REWRITE_PHASE, read) != NGX_OK
        || ngx_camera_play_phase(cmcf, NGX_HTTP_ACCESS_PHASE, access)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_camera_play_phase(cmcf, NGX_HTTP_LOG_PHASE, count);
}


static ngx_int_t
ngx_camera_play_phase(ngx_http_core_main_conf_t *cmcf, ngx_uint_t phase,
    ngx_http_handler_pt handler)
{
    ngx_http_handler_pt  *h;

    h = ngx_array_push(&cmcf->phases[phase].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = handler;

    return NGX_OK;
}


ngx_int_t
ngx_camera_play_path(ngx_http_request_t *r, ngx_str_t *text)
{
    ngx_str_t                 *name;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    name = &clcf->name;

    if (r->quoted_uri || r->complex_uri || r->uri.len <= name->len
        || ngx_memcmp(r->uri.data, name->data, name->len) != 0)
    {
        return NGX_DECLINED;
    }

    text->data = r->uri.data + name->len;
    text->len = r->uri.len - name->len;

    return NGX_OK;
}


ngx_int_t
ngx_camera_play_mask_request(ngx_http_request_t *r)
{
    return ngx_camera_play_mask(r, &r->request_line, 0) == NGX_OK
           && ngx_camera_play_mask(r, &r->unparsed_uri, 0) == NGX_OK
           && ngx_camera_play_mask(r, &r->args, 1) == NGX_OK
           ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_camera_play_mask(ngx_http_request_t *r, ngx_str_t *text,
    ngx_uint_t args_only)
{
    u_char  *p, *args, *end, *copy;

    end = text->data + text->len;
    args = text->data;

    if (!args_only && text->len) {
        args = memchr(text->data, '?', text->len);
        args = args ? args + 1 : end;
    }

    if (args == end) {
        return NGX_OK;
    }

    p = args_only ? NULL : memchr(args, ' ', end - args);
    p = p ? p : end;

    copy = ngx_pnalloc(r->pool, text->len);
    if (copy == NULL) {
        return NGX_ERROR;
    }

    end = ngx_cpymem(copy, text->data, args - text->data);
    end = (u_char *) cam_play_mask((char *) end, (char *) args, p - args);
    end = ngx_cpymem(end, p, text->data + text->len - p);

    text->data = copy;
    text->len = end - copy;

    return NGX_OK;
}


ngx_int_t
ngx_camera_play_refuse(ngx_http_request_t *r, ngx_uint_t status,
    const char *why)
{
    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "playback refused: %s", why);

    if (ngx_camera_play_add_header(r, "Cache-Control", "no-store") != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (status == NGX_HTTP_SERVICE_UNAVAILABLE
        && ngx_camera_play_add_header(r, "Retry-After", "2") != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return status;
}


ngx_buf_t *
ngx_camera_play_file(ngx_http_request_t *r, ngx_fd_t fd,
    const ngx_str_t *name, off_t start, off_t end)
{
    ngx_buf_t  *b;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NULL;
    }

    b->file = ngx_pcalloc(r->pool, sizeof(ngx_file_t));
    if (b->file == NULL) {
        return NULL;
    }

    b->file_pos = start;
    b->file_last = end;

    b->in_file = end > start;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    b->file->fd = fd;
    b->file->name = *name;
    b->file->log = r->connection->log;

    return b;
}


ngx_int_t
ngx_camera_play_add_header(ngx_http_request_t *r, const char *name,
    const char *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value.data = (u_char *) value;
    h->value.len = ngx_strlen(value);

    return NGX_OK;
}
