/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What the workers of this nginx know of sessions and API tokens: one table in
 * shared memory, which survives reloads.  A session is found by its id, an API
 * token by the first half of its SHA-256; both are random.
 *
 * An entry is believed for five seconds after the database was asked.  A drop
 * takes effect at once, in all workers; what was asked before a drop is not
 * stored after it, because the answer may be older than the drop.
 */

#ifndef NGX_CAMERA_API_SESSION_H
#define NGX_CAMERA_API_SESSION_H

#include <ngx_config.h>
#include <ngx_core.h>

#include "registry.h"
#include "role.h"
#include "uuid.h"

#define NGX_CAMERA_API_SESSION_KEY    16
#define NGX_CAMERA_API_SESSION_NAME   52    /* of a user, with its NUL */
#define NGX_CAMERA_API_SESSION_CIDRS  10


/* kinds of credentials */

#define NGX_CAMERA_API_SESSION  0
#define NGX_CAMERA_API_TOKEN    1


typedef struct {
    u_char       key[NGX_CAMERA_API_SESSION_KEY];
    u_char       id[CAM_UUID_LEN];
    u_char       user[CAM_UUID_LEN];
    u_char       tenant[CAM_UUID_LEN];
    u_char       username[NGX_CAMERA_API_SESSION_NAME];
    ngx_uint_t   kind;
    cam_role_e   role;
    uint32_t     permissions;
    uint32_t     tenant_requests;           /* per hour, 0: not its own */
    unsigned     scoped:1;        /* sees what is granted to the user */
    unsigned     must_change:1;   /* the password, before anything else */

    /* of an API token */

    uint32_t     requests;                  /* in a window of */
    uint32_t     seconds;
    uint32_t     concurrent;                /* 0: not its own */
    time_t       expires;                   /* 0: never */
    cam_cidr_t   cidrs[NGX_CAMERA_API_SESSION_CIDRS];
} ngx_camera_api_session_t;


/* adds the zone to the configuration; tag is the module */
ngx_int_t ngx_camera_api_session_zone(ngx_conf_t *cf, void *tag);

/*
 * NGX_OK; NGX_AGAIN: believed, but the caller should have it looked at again,
 * which nobody else is asked for in the next second; NGX_DECLINED: not known,
 * or not any more.
 */
ngx_int_t ngx_camera_api_session_get(const u_char *key,
    ngx_camera_api_session_t *session);

/* was it good when it was last asked about, however long that is ago? */
ngx_uint_t ngx_camera_api_session_seen(const u_char *key);

/* changes with each drop that may concern it; take it before asking */
ngx_atomic_uint_t ngx_camera_api_session_epoch(const u_char *key);

/* what the database has just said, unless a drop came after that epoch */
void ngx_camera_api_session_put(const ngx_camera_api_session_t *session,
    ngx_atomic_uint_t epoch);

/* the database knows no such thing; an entry of it goes */
void ngx_camera_api_session_forget(const u_char *key);

void ngx_camera_api_session_drop(const u_char *key);

/* these look at the whole table */
void ngx_camera_api_session_drop_token(const u_char *id);
void ngx_camera_api_session_drop_user(const u_char *user);
void ngx_camera_api_session_drop_tenant(const u_char *tenant);

void ngx_camera_api_session_drop_all(void);


#endif /* NGX_CAMERA_API_SESSION_H */
