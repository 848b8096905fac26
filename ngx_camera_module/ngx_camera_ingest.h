/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Ingest: a publisher's way from its credential to frames in a ring.  What
 * its files share; README.md says in which order they are read.
 */

#ifndef NGX_CAMERA_INGEST_H
#define NGX_CAMERA_INGEST_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_rtmp.h>

#include "ngx_camera.h"
#include "registry.h"
#include "ring.h"
#include "token.h"


typedef struct {
    ngx_uint_t             enable;      /* some application has "camera on" */
} ngx_camera_ingest_main_conf_t;


typedef struct {
    ngx_flag_t             enable;
} ngx_camera_ingest_app_conf_t;


/* a publisher's credential, without the secret */
typedef struct {
    uint8_t                holder[16];  /* tells two credentials apart */
    uint8_t                hash[32];    /* SHA-256 of an opaque one */
    unsigned               opaque:1;
    uint32_t               generation;  /* of the camera's key */
    time_t                 expires;     /* a JWT's "exp", 0 = never */
} ngx_camera_credential_t;


/* what was granted, or why not */
typedef struct {
    cam_reason_e             reason;
    uint32_t                 detail;
    int                      slot;      /* -1: no camera is known */
    uint64_t                 version;   /* of the slot, when it was checked */
    cam_registry_entry_t     entry;
    ngx_camera_credential_t  credential;
} ngx_camera_grant_t;


typedef struct {
    ngx_rtmp_error_log_ctx_t  base;     /* what nginx-rtmp's handler reads */
    ngx_log_handler_pt        handler;
    u_char                    camera[CAM_UUID_TEXT + 1];
} ngx_camera_ingest_log_t;


/*
 * One session.  It publishes while it is in the worker's queue; then slot,
 * state and ring are valid.
 */
typedef struct {
    ngx_rtmp_session_t       *session;
    ngx_camera_ingest_log_t   log;

    ngx_str_t                 args;     /* of the application; a secret */
    unsigned                  asked:1;  /* publish was called */
    unsigned                  publishing:1;

    ngx_event_t               refusal;  /* delays the status */
    cam_reason_e              reason;
    uint32_t                  detail;

    ngx_queue_t               queue;
    int                       slot;
    uint8_t                   camera[CAM_UUID_LEN];
    uint64_t                  version;
    time_t                    checked;
    ngx_camera_credential_t   credential;
    cam_registry_state_t     *state;
    uint64_t                  generation;
    cam_ring_writer_t        *ring;

    ngx_msec_t                draining_at;
    unsigned                  draining:1;

    int64_t                   dts;      /* of the last frame, unwrapped */
    size_t                    since_key;    /* bytes of the current GOP */
    uint64_t                  frames[CAM_TRACKS];   /* not counted yet */
    uint64_t                  bytes;
    unsigned                  timed:1;  /* dts is set */
    unsigned                  configured:CAM_TRACKS;
} ngx_camera_ingest_ctx_t;


/* ngx_camera_ingest.c */

/* puts a handler of nginx-rtmp's events before all others */
ngx_int_t ngx_camera_ingest_prepend(ngx_conf_t *cf, ngx_uint_t event,
    ngx_rtmp_handler_pt handler);

/* the grant becomes a publication of this worker */
void ngx_camera_ingest_start(ngx_camera_ingest_ctx_t *ctx);

/* from now on each line of the session's log names the camera */
void ngx_camera_ingest_set_camera(ngx_camera_ingest_ctx_t *ctx,
    const uint8_t *camera);

/* ends the publication, if there is one; the session may go on */
void ngx_camera_ingest_stop(ngx_camera_ingest_ctx_t *ctx);


/* ngx_camera_ingest_command.c: the commands "connect" and "publish" */

void ngx_camera_ingest_init_commands(ngx_rtmp_core_main_conf_t *cmcf);


/* ngx_camera_ingest_auth.c: who is it, and may it publish */

void ngx_camera_ingest_authorize(ngx_camera_conf_t *ccf, ngx_str_t *name,
    ngx_str_t *token, struct sockaddr *addr, ngx_camera_grant_t *grant);

/* the part that can change while a publication lives */
cam_reason_e ngx_camera_ingest_check(const cam_registry_entry_t *entry,
    const ngx_camera_credential_t *credential, struct sockaddr *addr,
    time_t now);


/* ngx_camera_ingest_claim.c: makes it the camera's only publication */

cam_reason_e ngx_camera_ingest_claim(ngx_camera_conf_t *ccf,
    ngx_camera_ingest_ctx_t *ctx, ngx_camera_grant_t *grant);


/* ngx_camera_ingest_refuse.c: the ways a publisher is turned away */

/* a newcomer, with a status it can show to its operator */
void ngx_camera_ingest_refuse(ngx_camera_ingest_ctx_t *ctx, int slot,
    cam_reason_e reason, uint32_t detail);

/* a publication that was live */
void ngx_camera_ingest_cut(ngx_camera_ingest_ctx_t *ctx, cam_reason_e reason,
    uint32_t detail);

/* another publication has taken its place */
void ngx_camera_ingest_superseded(ngx_camera_ingest_ctx_t *ctx);

/* it is to come again, to a new worker */
void ngx_camera_ingest_drained(ngx_camera_ingest_ctx_t *ctx);


/* ngx_camera_ingest_media.c: RTMP messages to ring records */

ngx_int_t ngx_camera_ingest_media(ngx_rtmp_session_t *s, ngx_rtmp_header_t *h,
    ngx_chain_t *in);

/* adds what came since the last time to the node's counters */
void ngx_camera_ingest_count(ngx_camera_ingest_ctx_t *ctx);


/* ngx_camera_ingest_watch.c: looks after this worker's publications */

ngx_int_t ngx_camera_ingest_watch_start(ngx_cycle_t *cycle);
void ngx_camera_ingest_watch_stop(void);
void ngx_camera_ingest_watch_add(ngx_camera_ingest_ctx_t *ctx);


/* ngx_camera_ingest_drain.c: old workers give their publications away */

/* a tick of the watch */
void ngx_camera_ingest_drain(ngx_camera_conf_t *ccf, ngx_queue_t *publishers);

/* NGX_DECLINED, or NGX_DONE: the publication was ended in front of it */
ngx_int_t ngx_camera_ingest_drain_media(ngx_camera_ingest_ctx_t *ctx,
    cam_frame_t *frame);


extern ngx_module_t  ngx_camera_ingest_module;


#endif /* NGX_CAMERA_INGEST_H */
