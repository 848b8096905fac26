/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Limits: how many requests somebody may send in a window of time, and how
 * many at once.  Decided in memory that all workers share; what other nodes
 * counted comes from Redis a moment later, see ngx_camera_api_limit_sync.c.
 */

#ifndef NGX_CAMERA_API_LIMIT_H
#define NGX_CAMERA_API_LIMIT_H

#include <ngx_config.h>
#include <ngx_core.h>

#define NGX_CAMERA_API_LIMIT_ID  56        /* bytes of an id, at most */


typedef struct {
    ngx_uint_t   requests;                 /* in a window of */
    time_t       seconds;
} ngx_camera_api_rate_t;


typedef struct {
    ngx_uint_t   quota;
    ngx_uint_t   left;
    time_t       window;                   /* seconds */
    time_t       reset;                    /* seconds until the next one */
} ngx_camera_api_limit_state_t;


/* what may be too many: of one API token, of one user ... */

typedef enum {
    NGX_CAMERA_API_POLICY_TOKEN = 0,
    NGX_CAMERA_API_POLICY_USER,
    NGX_CAMERA_API_POLICY_ADDRESS,
    NGX_CAMERA_API_POLICY_TENANT,
    NGX_CAMERA_API_POLICY_CONCURRENT,      /* at once, of either */
    NGX_CAMERA_API_POLICY_LOGIN,           /* wrong passwords */
    NGX_CAMERA_API_POLICY_REGISTER,
    NGX_CAMERA_API_POLICIES
} ngx_camera_api_policy_e;


/* one of several limits of a request */

#define NGX_CAMERA_API_LIMITS    2

typedef struct {
    ngx_camera_api_policy_e        policy;
    u_char                         id[NGX_CAMERA_API_LIMIT_ID];
    size_t                         len;
    ngx_camera_api_rate_t          rate;
    ngx_camera_api_limit_state_t   state;
} ngx_camera_api_limit_t;


/* what a worker counted and Redis does not know of yet */
typedef struct {
    u_char       id[NGX_CAMERA_API_LIMIT_ID];
    size_t       len;
    time_t       window;
    ngx_uint_t   slot;
    int32_t      n;
} ngx_camera_api_limit_delta_t;


/* ngx_camera_api_rate.c: the setter of directives whose value is a rate, and
   what it is where there was none */
char *ngx_camera_api_rate_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
void ngx_camera_api_rate_init(ngx_camera_api_rate_t *rate,
    ngx_uint_t requests, time_t seconds);

ngx_int_t ngx_camera_api_limit_zone(ngx_conf_t *cf, void *tag);
void ngx_camera_api_limit_init(ngx_cycle_t *cycle);

/*
 * Counts n for that id; n = 0 only looks.  NGX_OK, or NGX_BUSY: that would be
 * too many, nothing was counted.
 */
ngx_int_t ngx_camera_api_limit_count(const ngx_str_t *id,
    const ngx_camera_api_rate_t *rate, ngx_uint_t n,
    ngx_camera_api_limit_state_t *state);

/*
 * Counts one for each of them, or, where one has none left, for none: NGX_BUSY.
 * All have their states then.
 */
ngx_int_t ngx_camera_api_limit_count_all(ngx_camera_api_limit_t *limits,
    ngx_uint_t n);

/* takes one back */
void ngx_camera_api_limit_refund(const ngx_str_t *id);

/* one more at once: a slot to be given back, or NGX_BUSY, or NGX_ERROR: not
   counted, for want of room */
ngx_int_t ngx_camera_api_limit_enter(const ngx_str_t *id, ngx_uint_t max);
void ngx_camera_api_limit_leave(ngx_int_t slot);

/* of all workers and everybody */
ngx_uint_t ngx_camera_api_limit_at_once(void);

/* takes the next delta from that slot on, NGX_DONE: there is none */
ngx_int_t ngx_camera_api_limit_take(ngx_uint_t *from,
    ngx_camera_api_limit_delta_t *delta);

/* sum is that of all nodes, the delta included */
void ngx_camera_api_limit_told(const ngx_camera_api_limit_delta_t *delta,
    uint32_t sum);

/* it could not be sent: some other time */
void ngx_camera_api_limit_put_back(const ngx_camera_api_limit_delta_t *delta);


/* as headers and metrics call it */
const char *ngx_camera_api_policy_name(ngx_camera_api_policy_e policy);


#endif /* NGX_CAMERA_API_LIMIT_H */
