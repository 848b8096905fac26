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
} ngx_camera_api_auth_conf_t;


/* who logged in, or goes on, and what they are given */
typedef struct {
    ngx_camera_api_principal_t   principal;
    ngx_str_t                    email;            /* NULL: none */
    int64_t                      expires;          /* of the session, Unix ms */
    char                         refresh[CAM_TOKEN_REFRESH_LEN + 1];
    ngx_uint_t                   cookie;           /* it goes into one */
} ngx_camera_api_auth_t;


void ngx_camera_api_auth_login(ngx_camera_api_ctx_t *ctx);
void ngx_camera_api_auth_refresh(ngx_camera_api_ctx_t *ctx);
void ngx_camera_api_auth_logout(ngx_camera_api_ctx_t *ctx);
void ngx_camera_api_auth_password(ngx_camera_api_ctx_t *ctx);

/* user, tenant, username, email, role, usable, password_hash */
extern ngx_camera_api_statement_t  ngx_camera_api_auth_find;
extern ngx_camera_api_statement_t  ngx_camera_api_auth_open;
extern ngx_camera_api_statement_t  ngx_camera_api_auth_rotate;
extern ngx_camera_api_statement_t  ngx_camera_api_auth_close;
extern ngx_camera_api_statement_t  ngx_camera_api_auth_end;
extern ngx_camera_api_statement_t  ngx_camera_api_auth_set;


/* five columns from this one on: user, tenant, username, email, role */
ngx_int_t ngx_camera_api_auth_read(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_auth_t *auth, const PGresult *res, int column);

/* a new refresh token, and what is stored of it */
ngx_int_t ngx_camera_api_auth_renew(ngx_camera_api_auth_t *auth,
    u_char hash[32]);

/* 200 with tokens and user */
void ngx_camera_api_auth_send(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_auth_t *auth);

void ngx_camera_api_auth_put_user(ngx_camera_api_ctx_t *ctx, const char *name,
    const ngx_camera_api_principal_t *principal, const ngx_str_t *email);


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
