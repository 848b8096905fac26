/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Signed HLS.  A request walks: rewrite phase (the URI is read, its secrets
 * leave everything that can be logged) → access phase (may it?) → content
 * (playlist or media), which may wait for the packager in between.
 */

#ifndef NGX_CAMERA_HLS_H
#define NGX_CAMERA_HLS_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "clock.h"
#include "ngx_camera.h"
#include "ngx_camera_live.h"
#include "ngx_camera_park.h"
#include "ngx_camera_play.h"
#include "play_owners.h"
#include "play_sessions.h"
#include "play_uri.h"
#include "token.h"
#include "url_sign.h"


#define NGX_CAMERA_HLS_OFF    0
#define NGX_CAMERA_HLS_ON     1
#define NGX_CAMERA_HLS_CHECK  2    /* something else makes the content */


typedef struct {
    ngx_uint_t           mode;
    ngx_uint_t           sessions;     /* of one start token */
    time_t               idle;         /* seconds, ends a session */
} ngx_camera_hls_loc_conf_t;


typedef struct {
    cam_mac_t            macs[CAM_KEYS_MAX];     /* by cam_key_t.index */
    cam_sessions_t      *sessions;
    cam_owners_t        *owners;
} ngx_camera_hls_worker_t;


typedef struct {
    ngx_camera_parked_t  parked;       /* first */

    cam_play_path_t      path;
    cam_play_args_t      args;         /* into the request line as it came */
    int                  args_rc;
    cam_token_t          token;        /* of the entrance, verified */
    cam_url_session_t    session;      /* verified, or to be signed */
    cam_url_back_t       back;         /* as session */

    int                  slot;         /* of the registry */
    uint64_t             slot_version;

    /* a request that waits for the packager */
    ngx_camera_live_t   *live;
    ngx_msec_t           deadline;
    ngx_int_t            refused;      /* 0, or an HTTP status */
    ngx_uint_t           changes;      /* of live, when it was looked at */
    ngx_uint_t         (*ready)(ngx_http_request_t *r);
    ngx_int_t          (*resume)(ngx_http_request_t *r);

    unsigned             path_ok:1;
    unsigned             allowed:1;
    unsigned             signed_in:1;  /* session is verified */
} ngx_camera_hls_ctx_t;


/* ngx_camera_hls_module.c */

extern ngx_module_t             ngx_camera_hls_module;
extern ngx_camera_hls_worker_t  ngx_camera_hls_worker;

/* ngx_camera_hls_access.c: NGX_OK or an HTTP status; tenant may be NULL, slot
   is that of the registry.  What all requests to play have in common, a start's
   token, what is known of the camera: of recordings, too */

ngx_int_t ngx_camera_hls_check_uri(ngx_http_request_t *r, ngx_uint_t path_ok,
    int args_rc, ngx_camera_conf_t **ccf);
ngx_int_t ngx_camera_hls_check_token(ngx_http_request_t *r,
    ngx_camera_conf_t *ccf, const cam_play_text_t *text, ngx_uint_t purpose,
    const uint8_t camera[CAM_UUID_LEN], cam_token_t *token, int *slot);
ngx_int_t ngx_camera_hls_check_camera(ngx_http_request_t *r,
    ngx_camera_conf_t *ccf, const uint8_t camera[CAM_UUID_LEN],
    const uint8_t *tenant, uint32_t epoch, int *slot);

ngx_int_t ngx_camera_hls_access(ngx_http_request_t *r,
    ngx_camera_hls_ctx_t *ctx);
ngx_int_t ngx_camera_hls_recheck(ngx_http_request_t *r,
    ngx_camera_hls_ctx_t *ctx);

/* ngx_camera_hls_playlist.c, ngx_camera_hls_media.c: content */

ngx_int_t ngx_camera_hls_master(ngx_http_request_t *r);
ngx_int_t ngx_camera_hls_playlist(ngx_http_request_t *r);
ngx_int_t ngx_camera_hls_media(ngx_http_request_t *r);

/* shows the camera's picture to somebody who comes now */
ngx_uint_t ngx_camera_hls_on_air(ngx_camera_live_t *live);

/* the peak of what is there, bits/s */
ngx_uint_t ngx_camera_hls_bandwidth(ngx_camera_live_t *live,
    cam_live_init_t *init);

/* of a media playlist: NGX_OK and ctx->live, or a status; has it come that the
   request waits for? */
ngx_int_t ngx_camera_hls_playlist_check(ngx_http_request_t *r);
ngx_uint_t ngx_camera_hls_playlist_ready(ngx_http_request_t *r);

/* header of media of a length; NGX_OK or NGX_ERROR */
ngx_int_t ngx_camera_hls_media_header(ngx_http_request_t *r, off_t length);

/* ngx_camera_hls_back_start.c, ngx_camera_hls_back.c, ngx_camera_hls_past.c:
   the entrance to a list that reaches back to what is being recorded, or the
   plain one when nothing is; that list; a segment of it that the live store
   does not have any more */

ngx_int_t ngx_camera_hls_back_start(ngx_http_request_t *r);
ngx_int_t ngx_camera_hls_back(ngx_http_request_t *r);
ngx_int_t ngx_camera_hls_past(ngx_http_request_t *r);

/* ngx_camera_hls_start.c */

/* fills s for a token that was verified and takes one of its places, of which
   there are limit; NGX_OK, or anything else for the next function */
ngx_int_t ngx_camera_hls_start(ngx_http_request_t *r, const cam_token_t *token,
    ngx_uint_t limit, time_t idle, cam_url_session_t *s);

/* the answer then, with a sentence for people */
ngx_int_t ngx_camera_hls_not_started(ngx_http_request_t *r, ngx_int_t rc,
    ngx_uint_t limit, time_t idle);

/* a playlist, of a session; of several pieces */
ngx_int_t ngx_camera_hls_send(ngx_http_request_t *r, ngx_buf_t *b,
    const cam_url_session_t *s);
ngx_int_t ngx_camera_hls_send_chain(ngx_http_request_t *r, ngx_chain_t *out,
    const cam_url_session_t *s);

/* ngx_camera_hls_owner.c: ngx_camera_hls_start(), but for who lost the token's
   leave; what is asked at each request; and the end of a user's, a session's or
   an API token's leave */

ngx_int_t ngx_camera_hls_start_owned(ngx_http_request_t *r,
    const cam_token_t *token, ngx_uint_t limit, time_t idle,
    cam_url_session_t *s);
ngx_int_t ngx_camera_hls_check_owner(ngx_http_request_t *r,
    const cam_url_session_t *s);
void ngx_camera_hls_end_owner(const u_char *id);


/* ngx_camera_hls_text.c: the media playlist of all sessions but for their
   signatures, and of one; both valid until the live entry changes */

size_t ngx_camera_hls_text_len(ngx_camera_live_t *live);
u_char *ngx_camera_hls_text_print(u_char *p, ngx_camera_live_t *live,
    const cam_url_session_t *s, const char session[CAM_URL_SESSION_TEXT]);

/* the first segment listed, of those there are */
cam_live_segment_t *ngx_camera_hls_first(ngx_camera_live_t *live);

/* of a list that reaches back, the segments from a number on; valid until the
   next text is made */
ngx_str_t ngx_camera_hls_text_tail(ngx_camera_live_t *live, uint64_t msn,
    const cam_url_session_t *s, const char session[CAM_URL_SESSION_TEXT]);

/* ngx_camera_hls_mac.c: as cam_url_media_sign(), but remembers */

void ngx_camera_hls_mac(const uint8_t camera[CAM_UUID_LEN],
    const cam_url_session_t *s, const cam_url_media_t *media,
    char text[CAM_URL_MAC_TEXT]);

/* ngx_camera_hls_count.c: log phase */

ngx_int_t ngx_camera_hls_count(ngx_http_request_t *r);

/* ngx_camera_hls_wait.c */

/*
 * Parks the request until ready(), called with each change of the index, is
 * true or three target durations are over; resume() then answers as a content
 * handler does.
 */
ngx_int_t ngx_camera_hls_wait(ngx_http_request_t *r, ngx_camera_live_t *live,
    ngx_uint_t (*ready)(ngx_http_request_t *r),
    ngx_int_t (*resume)(ngx_http_request_t *r));


#endif /* NGX_CAMERA_HLS_H */
