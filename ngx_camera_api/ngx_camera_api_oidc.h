/*
 * Copyright (C) The nginx camera platform authors
 */

/* What the files of logging in by an identity provider share. */

#ifndef NGX_CAMERA_API_OIDC_H
#define NGX_CAMERA_API_OIDC_H

#include "id_token.h"
#include "ngx_camera_api_auth.h"

#define NGX_CAMERA_API_OIDC_PATH       "/api/v1/auth/oidc"
#define NGX_CAMERA_API_OIDC_LOCATION   "/camera_oidc"

#define NGX_CAMERA_API_OIDC_NAME_MAX   32
#define NGX_CAMERA_API_OIDC_PAGE_MAX   512      /* bytes of a return path */
#define NGX_CAMERA_API_OIDC_URL_MAX    512      /* bytes of an endpoint */
#define NGX_CAMERA_API_OIDC_SECRET     43       /* characters of 256 bits */
#define NGX_CAMERA_API_OIDC_LIFE_SEC   600      /* until it comes back */


/* what a worker knows of a provider by asking it */

typedef struct {
    char                          authorize[NGX_CAMERA_API_OIDC_URL_MAX + 1];
    char                          token[NGX_CAMERA_API_OIDC_URL_MAX + 1];
    char                          keys[NGX_CAMERA_API_OIDC_URL_MAX + 1];
    ngx_uint_t                    basic;        /* the secret goes into a
                                                   header, not into the body */
    time_t                        read_at;      /* 0: not yet */

    cam_jwks_t                    jwks;
    time_t                        keys_at;      /* 0: not yet */
    time_t                        keys_tried_at;
} ngx_camera_api_oidc_known_t;


typedef struct {
    ngx_str_t                     name;
    ngx_str_t                     label;
    const char                   *preset;       /* "google", ..., "oidc" */
    ngx_str_t                     issuer;       /* with its NUL */
    ngx_str_t                     expected;     /* iss of its tokens, likewise;
                                                   may hold {tenantid} */
    ngx_uint_t                    many;         /* it may */
    cam_id_token_flavor_e         flavor;
    ngx_str_t                     client_id;    /* with its NUL */
    ngx_str_t                     secret;
    ngx_str_t                     redirect_uri; /* empty: made of the Host */
    ngx_str_t                     scopes;
    ngx_array_t                   hosts;        /* of its endpoints */
    ngx_array_t                   domains;      /* of addresses; none: any */
    ngx_str_t                     tenant;       /* slug, with its NUL */
    ngx_str_t                     role;         /* likewise, empty: none */
    ngx_uint_t                    create;
    ngx_camera_api_oidc_known_t  *known;
} ngx_camera_api_oidc_provider_t;


/* what was put into the cookie of a browser that left for a provider; state,
   nonce and verifier follow from it and our key, and are texts */

typedef struct {
    ngx_str_t                     page;         /* where to go back to */
    ngx_uint_t                    remember;
    char                          state[NGX_CAMERA_API_OIDC_SECRET + 1];
    char                          nonce[NGX_CAMERA_API_OIDC_SECRET + 1];
    char                          verifier[NGX_CAMERA_API_OIDC_SECRET + 1];
    u_char                        mac[32];
} ngx_camera_api_oidc_trip_t;


typedef struct ngx_camera_api_oidc_s  ngx_camera_api_oidc_t;

typedef void (*ngx_camera_api_oidc_pt)(ngx_camera_api_oidc_t *op);

/* one request that logs somebody in */

struct ngx_camera_api_oidc_s {
    ngx_camera_api_auth_t             auth;
    ngx_camera_api_ctx_t             *ctx;
    ngx_camera_api_oidc_provider_t   *provider;
    ngx_camera_api_oidc_trip_t        trip;

    ngx_camera_api_oidc_pt            known;    /* what is to be done then */
    ngx_uint_t                        want_keys;

    /* what is asked of the provider, one thing at a time */
    ngx_str_t                         url;
    ngx_str_t                         body;     /* NULL: GET */
    ngx_str_t                         authorization;
    ngx_http_post_subrequest_t        post;
    ngx_camera_api_oidc_pt            asked;
    ngx_uint_t                        status;   /* 0: no answer */
    ngx_str_t                         answer;
    unsigned                          done:1;

    ngx_str_t                         id_token;
    cam_id_token_t                    who;
    time_t                            ttl;
    u_char                            hash[32]; /* of the refresh token */
};


/* the directive */
char *ngx_camera_api_oidc_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
ngx_int_t ngx_camera_api_oidc_add_variables(ngx_conf_t *cf);

/* of a preset, NULL: there is none of that name */
const char *ngx_camera_api_oidc_preset_name(const ngx_str_t *name);

/* fills in what the directive did not say, and looks over all of it; NGX_OK, or
   NGX_ERROR: what is wrong was logged */
ngx_int_t ngx_camera_api_oidc_complete(ngx_conf_t *cf,
    ngx_camera_api_oidc_provider_t *p);

/* adds the texts between commas, which are not copied */
ngx_int_t ngx_camera_api_oidc_split(ngx_array_t *list, const ngx_str_t *text);

/* NULL: there is none of that name */
ngx_camera_api_oidc_provider_t *ngx_camera_api_oidc_find(
    ngx_http_request_t *r, const ngx_str_t *name);

/* an endpoint may be asked: https, and at a host of the configuration */
ngx_int_t ngx_camera_api_oidc_allows(
    const ngx_camera_api_oidc_provider_t *provider, const char *url,
    size_t len);


/* a path of ours, and no URL of others in disguise */
ngx_uint_t ngx_camera_api_oidc_is_page(const ngx_str_t *page);

/* makes a trip of page and remember, and sets its cookie */
ngx_int_t ngx_camera_api_oidc_leave(ngx_camera_api_oidc_t *op);

/* reads it again and removes the cookie; NGX_DECLINED: there is none that is
   good, for this provider, with that state, and was not used before */
ngx_int_t ngx_camera_api_oidc_return(ngx_camera_api_oidc_t *op,
    const ngx_str_t *state);


/*
 * Asks url through the location that is for it; op->asked runs once, later,
 * with status and answer.  NGX_OK, or NGX_ERROR: it will not.
 */
ngx_int_t ngx_camera_api_oidc_ask(ngx_camera_api_oidc_t *op,
    ngx_camera_api_oidc_pt asked);


/*
 * Sees to it that addresses, and keys where they are asked for, are known, and
 * calls op->known; or answers that they cannot be.
 */
void ngx_camera_api_oidc_know(ngx_camera_api_oidc_t *op, ngx_uint_t keys,
    ngx_camera_api_oidc_pt known);

/* the same with keys that are younger than a request a while ago; NGX_DECLINED:
   there can be none yet, and nothing was done */
ngx_int_t ngx_camera_api_oidc_renew(ngx_camera_api_oidc_t *op,
    ngx_camera_api_oidc_pt known);


/* of the provider in the path; NULL: that was answered */
ngx_camera_api_oidc_t *ngx_camera_api_oidc_create(ngx_camera_api_ctx_t *ctx);

/* where the provider sends the browser back to, and has to know beforehand */
ngx_int_t ngx_camera_api_oidc_redirect_uri(ngx_camera_api_oidc_t *op,
    ngx_str_t *uri);

/* "&name=value"; answers its end */
u_char *ngx_camera_api_oidc_arg(u_char *p, const char *name, const void *text,
    size_t len);

/* logs what is wrong with the provider, once, and answers */
void ngx_camera_api_oidc_failed(ngx_camera_api_oidc_t *op,
    ngx_camera_api_code_e code, const char *what);


void ngx_camera_api_oidc_start(ngx_camera_api_ctx_t *ctx);
void ngx_camera_api_oidc_callback(ngx_camera_api_ctx_t *ctx);
void ngx_camera_api_oidc_providers(ngx_camera_api_ctx_t *ctx);

/* user, tenant, username, role, outcome */
extern ngx_camera_api_statement_t  ngx_camera_api_oidc_identity;


#endif /* NGX_CAMERA_API_OIDC_H */
