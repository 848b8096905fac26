/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Who follows events, whatever the wire looks like, and the worker's hub of
 * them.  An owner fills a follower and calls ngx_camera_api_follow(); from
 * then on its functions are called, none of which may end the follower before
 * it has returned: what has to end is posted.
 */

#ifndef NGX_CAMERA_API_EVENTS_H
#define NGX_CAMERA_API_EVENTS_H

#include "event.h"
#include "ngx_camera_api.h"
#include "ngx_camera_redis.h"

#define NGX_CAMERA_API_PRINT  16               /* bytes of a fingerprint */


typedef struct ngx_camera_api_follower_s  ngx_camera_api_follower_t;

struct ngx_camera_api_follower_s {
    ngx_connection_t            *connection;
    const ngx_camera_api_principal_t  *principal;
    ngx_uint_t                   types;        /* wanted, as bits */
    cam_event_id_t               last;         /* it has everything up to */
    unsigned                     resumes:1;    /* last is what it brought */

    /* the first thing it is told; id is NULL when there is none.  With reset,
       the first or a later one: what it knows may be out of date */
    void                       (*begin)(ngx_camera_api_follower_t *follower,
                                        const cam_event_id_t *id,
                                        ngx_uint_t reset);

    /* NGX_OK, or NGX_AGAIN: there is no room now */
    ngx_int_t                  (*event)(ngx_camera_api_follower_t *follower,
                                        const cam_event_t *event,
                                        const cam_event_id_t *id);

    /* it has to end, after so many milliseconds */
    void                       (*end)(ngx_camera_api_follower_t *follower,
                                      ngx_msec_t after);

    /* private */
    ngx_queue_t                  queue;        /* of the hub */
    ngx_queue_t                  turn;         /* of those who wait to ask */
    ngx_camera_redis_command_t  *command;      /* what it asks for */
    ngx_camera_pg_query_t       *asking;       /* which cameras it may see */
    u_char                      *granted;      /* their ids in order, NULL: not
                                                  known, which is none */
    ngx_uint_t                   ngranted;
    uint64_t                     since;        /* what was handed out before */
    unsigned                     begun:1;
    unsigned                     live:1;       /* has what came before */
    unsigned                     waits:1;
    unsigned                     full:1;
    unsigned                     more:1;       /* since it asked */
    unsigned                     lost:1;       /* something without an id */
};


void ngx_camera_api_follow(ngx_camera_api_follower_t *follower);
void ngx_camera_api_unfollow(ngx_camera_api_follower_t *follower);

/* its principal is another one, and so is what it wants */
void ngx_camera_api_follow_anew(ngx_camera_api_follower_t *follower,
    ngx_uint_t types);

/* there is room again */
void ngx_camera_api_follow_on(ngx_camera_api_follower_t *follower);


/* routes */
void ngx_camera_api_sse(ngx_camera_api_ctx_t *ctx);
void ngx_camera_api_ws(ngx_camera_api_ctx_t *ctx);


/* between the files of the hub */

/* to everybody who may and wants to see it; id is NULL when it has none;
   followers from before "handed" have it already */
void ngx_camera_api_events_deliver(const cam_event_t *event,
    const cam_event_id_t *id, uint64_t handed);

/* how many events went out without an id; the next one counts */
uint64_t ngx_camera_api_events_hand_out(const cam_event_t *event);

/* 1 while what Redis is told comes back from it */
ngx_uint_t ngx_camera_api_publish_up(void);

/* in a worker; NGX_OK or NGX_ERROR */
ngx_int_t ngx_camera_api_publish_init(ngx_cycle_t *cycle);

/* to Redis, or to who follows here when there is none */
void ngx_camera_api_publish(const cam_event_t *event);

/* once a second, and when this worker hears no notifications any more */
void ngx_camera_api_publish_tick(ngx_uint_t listening);
void ngx_camera_api_publish_deaf(void);

/* what is to be told to it, among all that its tenant has */
ngx_uint_t ngx_camera_api_events_wants(
    const ngx_camera_api_follower_t *follower, const cam_event_t *event);

/* a follower that sees granted cameras only learns which, and asks for what
   came before */
extern ngx_camera_api_statement_t  ngx_camera_api_scope_cameras;

/* NGX_ERROR: it cannot be asked now */
ngx_int_t ngx_camera_api_scope_ask(ngx_camera_api_follower_t *follower);
void ngx_camera_api_scope_cancel(ngx_camera_api_follower_t *follower);
ngx_uint_t ngx_camera_api_scope_has(const ngx_camera_api_follower_t *follower,
    const cam_event_t *event);

void ngx_camera_api_history_init(ngx_log_t *log);
void ngx_camera_api_history_ask(ngx_camera_api_follower_t *follower);
void ngx_camera_api_history_cancel(ngx_camera_api_follower_t *follower);


/* events of the last while, by their fingerprints */

typedef struct {
    u_char                       print[NGX_CAMERA_API_PRINT];
    uint64_t                     handed;       /* 0: not without an id */
    uint64_t                     used;         /* the greater the later */
    unsigned                     seen:1;       /* it came from Redis */
} ngx_camera_api_recent_t;

void ngx_camera_api_recent_print(u_char print[NGX_CAMERA_API_PRINT],
    const cam_event_t *event);
ngx_camera_api_recent_t *ngx_camera_api_recent_find(
    const u_char print[NGX_CAMERA_API_PRINT]);

/* the same, or in place of the oldest of its set */
ngx_camera_api_recent_t *ngx_camera_api_recent_get(
    const u_char print[NGX_CAMERA_API_PRINT]);


#endif /* NGX_CAMERA_API_EVENTS_H */
