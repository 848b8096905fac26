/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What requests to play have in common, of live video, recordings and exports:
 * their locations and URIs, that their secrets are in no log, how they are
 * refused.
 */

#ifndef NGX_CAMERA_PLAY_H
#define NGX_CAMERA_PLAY_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#define NGX_CAMERA_PLAY_NO_PREFIX                                             \
    "needs a location given by a prefix that ends in \"/\""


ngx_uint_t ngx_camera_play_is_prefix(const ngx_http_core_loc_conf_t *clcf);

/* handlers of the rewrite, access and log phases; NGX_OK or NGX_ERROR */
ngx_int_t ngx_camera_play_phases(ngx_conf_t *cf, ngx_http_handler_pt read,
    ngx_http_handler_pt access, ngx_http_handler_pt count);

/* what follows the location's prefix, byte by byte as in the request line; or
   NGX_DECLINED: the URI had to be decoded or cleaned up, and is none of ours */
ngx_int_t ngx_camera_play_path(ngx_http_request_t *r, ngx_str_t *text);

/* takes the secrets out of request line, URI and arguments, which whoever needs
   them has read before; NGX_OK or NGX_ERROR */
ngx_int_t ngx_camera_play_mask_request(ngx_http_request_t *r);

/*
 * Replaces a text by a copy without secrets, which are in what follows the
 * first question mark, up to a space, or anywhere in arguments alone.  The
 * original stays.
 */
ngx_int_t ngx_camera_play_mask(ngx_http_request_t *r, ngx_str_t *text,
    ngx_uint_t args_only);

/* logs why, and answers the status, or 500 */
ngx_int_t ngx_camera_play_refuse(ngx_http_request_t *r, ngx_uint_t status,
    const char *why);

/* a range of an open file as all of a body, from its first byte to behind its
   last one; NULL: no memory.  The name, which is not copied, is for logs */
ngx_buf_t *ngx_camera_play_file(ngx_http_request_t *r, ngx_fd_t fd,
    const ngx_str_t *name, off_t start, off_t end);

/* name and value are literals; NGX_OK or NGX_ERROR */
ngx_int_t ngx_camera_play_add_header(ngx_http_request_t *r, const char *name,
    const char *value);


#endif /* NGX_CAMERA_PLAY_H */
