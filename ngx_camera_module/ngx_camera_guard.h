/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The guard stands between the wire and nginx-rtmp: what a client may send in
 * each state of its session, how much of it, and until when.
 */

#ifndef NGX_CAMERA_GUARD_H
#define NGX_CAMERA_GUARD_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_rtmp.h>


/* called when media did not come in time; it must end the session */
typedef void (*ngx_camera_guard_idle_pt)(ngx_rtmp_session_t *s);


/* the publish was accepted: media is expected from now on */
void ngx_camera_guard_accepted(ngx_rtmp_session_t *s,
    ngx_camera_guard_idle_pt idle);

/* a frame of the accepted publication arrived */
void ngx_camera_guard_media(ngx_rtmp_session_t *s);

/* all input is dropped from now on; the session ends after delay, or when
   the client leaves: what was sent to it is not lost by a reset */
void ngx_camera_guard_closing(ngx_rtmp_session_t *s, ngx_msec_t delay);

/* logs what was wrong and answers NGX_ERROR, which ends the session */
ngx_int_t ngx_camera_guard_refuse(ngx_rtmp_session_t *s, const char *what);

/* ngx_camera_guard_commands.c: leaves of the package's commands those that a
   publisher needs */
void ngx_camera_guard_init_commands(ngx_rtmp_core_main_conf_t *cmcf);


extern ngx_module_t  ngx_camera_guard_module;


#endif /* NGX_CAMERA_GUARD_H */
