/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What was recorded: playlists over byte ranges of the hour files, downloads,
 * exports.  A request walks as one of signed HLS does, with the same table of
 * sessions, and everything that touches a disk is done by threads.
 */

#ifndef NGX_CAMERA_REC_H
#define NGX_CAMERA_REC_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_camera.h"
#include "ngx_camera_hls.h"
#include "ngx_camera_task.h"
#include "record_reader.h"
#include "record_uri.h"


#define NGX_CAMERA_REC_OFF         0
#define NGX_CAMERA_REC_RECORDINGS  1
#define NGX_CAMERA_REC_EXPORTS     2


typedef struct {
    ngx_uint_t            mode;
    time_t                idle;         /* seconds, ends a session */
} ngx_camera_rec_loc_conf_t;


typedef struct {
    cam_record_uri_t      uri;
    cam_record_args_t     args;         /* into the request line as it came */
    int                   args_rc;
    cam_token_t           token;        /* of the entrance, verified */
    cam_record_session_t  session;      /* verified, or to be signed */
    int                   slot;         /* of the registry */
    struct ngx_camera_rec_sealed_s  *sealed;    /* is being sent */

    unsigned              path_ok:1;
    unsigned              allowed:1;
    unsigned              signed_in:1;  /* session is verified */
} ngx_camera_rec_ctx_t;


extern ngx_module_t  ngx_camera_rec_module;


/* ngx_camera_rec_access.c: NGX_OK or an HTTP status */

ngx_int_t ngx_camera_rec_access(ngx_http_request_t *r,
    ngx_camera_rec_ctx_t *ctx);

/* ngx_camera_rec_playlist.c, ngx_camera_rec_file.c: content */

ngx_int_t ngx_camera_rec_master(ngx_http_request_t *r);
ngx_int_t ngx_camera_rec_media(ngx_http_request_t *r);
ngx_int_t ngx_camera_rec_file(ngx_http_request_t *r);

/* what to answer when a volume could not be read; ENOENT: nothing is there */
ngx_int_t ngx_camera_rec_failed(ngx_http_request_t *r, int err,
    const char *nothing);

/* ngx_camera_rec_range.c */

/*
 * Sends of a file what a session may see of it: the first bytes, which explain
 * the others, and those from start to end.  Sets the header and answers NGX_OK
 * with the bytes to send, or a status.
 */
ngx_int_t ngx_camera_rec_range(ngx_http_request_t *r, off_t size, off_t init,
    off_t *start, off_t *end);

/*
 * The same of what is no file of nginx's, whose range filter would read all
 * that stands before a range: one range of it, or the whole.
 */
ngx_int_t ngx_camera_rec_range_one(ngx_http_request_t *r, off_t size,
    off_t *start, off_t *end);

/* "attachment", with the name of a download; NGX_OK or NGX_ERROR */
ngx_int_t ngx_camera_rec_disposition(ngx_http_request_t *r,
    const cam_play_text_t *name);

/* ngx_camera_rec_sealed.c: header and decrypted bytes; takes the reader over,
   and answers what a task's answer() does */

ngx_int_t ngx_camera_rec_sealed(ngx_http_request_t *r,
    cam_record_reader_t *reader, off_t start, off_t end);

/* ngx_camera_rec_count.c: log phase */

ngx_int_t ngx_camera_rec_count(ngx_http_request_t *r);


#endif /* NGX_CAMERA_REC_H */
