/*
 * Copyright (C) The nginx camera platform authors
 */

/* What the files of /auth share. */

#ifndef NGX_CAMERA_API_AUTH_H
#define NGX_CAMERA_API_AUTH_H

#include "ngx_camera_api.h"
#include "token.h"

#define NGX_CAMERA_API_AUTH_DAY       86400
#define NGX_CAMERA_API_AUTH_REMEMBER  (30 * 86400)


typedef struct {
    time_t                       access_ttl;       /* s */
    ngx_int_t                    password_threads; /* of a worker */
    ngx_int_t                    password_queue;   /* those that wait */
    ngx_flag_t                   registration;
    ngx_camera_api_rate_t        register_rate;    /* of an address */
    ngx_array_t                  providers;        /* see _oidc.h */
} ngx_camera_api_auth_conf_t;


/* what else is known of a user; of texts, data is NULL for none */
typedef struct {
    ngx_str_t                    email;
    ngx_str_t                    name;
    ngx_str_t                    tenant_name;
    ngx_uint_t                   must_change;   /* the password */
} ngx_camera_api_profile_t;


/* who logged in, or goes on, and what they are given */
typedef struct {
    ngx_camera_api_principal_t   principal;
    int64_t                      expires;          /* of the session, Unix ms */
    char                         refresh[CAM_TOKEN_REFRESH_LEN + 1];
    ngx_uint_t                   cookie;           /* it goes into one */
    ngx_uint_t                   created;          /* 201 instead of 200 */
    ngx_uint_t                   alias;            /* the answer of /api/auth */
} ngx_camera_api_auth_t;


void ngx_camera_api_auth_login(ngx_camera_api_ctx_t *ctx);
void ngx_camera_api_auth_login_alias(ngx_camera_api_ctx_t *ctx);
void ngx_camera_api_auth_register(ngx_camera_api_ctx_t *ctx);
void ngx_camera_api_auth_register_alias(ngx_camera_api_ctx_t *ctx);
void ngx_camera_api_auth_refresh(ngx_camera_api_ctx_t *ctx);
void ngx_camera_api_auth_logout(ngx_camera_api_ctx_t *ctx);
void ngx_camera_api_auth_password(ngx_camera_api_ctx_t *ctx);

/* user, tenant, username, email, role, usable, password_hash */
extern ngx_camera_api_statement_t  ngx_camera_api_auth_find;
extern ngx_camera_api_statement_t  ngx_camera_api_auth_enter;
extern ngx_camera_api_statement_t  ngx_camera_api_auth_profile;
extern ngx_camera_api_statement_t  ngx_camera_api_auth_open;
extern ngx_camera_api_statement_t  ngx_camera_api_auth_rotate;
extern ngx_camera_api_statement_t  ngx_camera_api_auth_close;
extern ngx_camera_api_statement_t  ngx_camera_api_auth_end;
extern ngx_camera_api_statement_t  ngx_camera_api_auth_set;


/* four columns: user, tenant, username, role */
void ngx_camera_api_auth_read(ngx_camera_api_auth_t *auth,
    const PGresult *res);

/* a new refresh token, and what is stored of it */
ngx_int_t ngx_camera_api_auth_renew(ngx_camera_api_auth_t *auth,
    u_char hash[32]);

/* when the session ends that begins now */
void ngx_camera_api_auth_begins(ngx_camera_api_auth_t *auth, time_t ttl);

/* for the row of a session; NULL: unknown */
const char *ngx_camera_api_auth_agent(ngx_camera_api_ctx_t *ctx);
const char *ngx_camera_api_auth_address(ngx_camera_api_ctx_t *ctx);

/* tokens and user, as the last thing of a handler */
void ngx_camera_api_auth_send(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_auth_t *auth);

/* GET of oneself, in both spellings */
void ngx_camera_api_auth_me(ngx_camera_api_ctx_t *ctx);
void ngx_camera_api_auth_me_alias(ngx_camera_api_ctx_t *ctx);


/* the copies in Redis */
ngx_int_t ngx_camera_api_auth_copy_init(ngx_cycle_t *cycle);
void ngx_camera_api_auth_copy(const ngx_camera_api_auth_t *auth);


/* NGX_DECLINED: there is none */
ngx_int_t ngx_camera_api_auth_cookie_get(ngx_camera_api_ctx_t *ctx,
    ngx_str_t *token);

/* seconds: for how long, 0: until the browser is closed */
ngx_int_t ngx_camera_api_auth_cookie_set(ngx_camera_api_ctx_t *ctx,
    const char *token, time_t seconds);
ngx_int_t ngx_camera_api_auth_cookie_remove(ngx_camera_api_ctx_t *ctx);


extern ngx_module_t  ngx_camera_api_auth_module;


#endif /* NGX_CAMERA_API_AUTH_H */
