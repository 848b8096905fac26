/*
 * Copyright (C) The nginx camera platform authors
 */

/* What the files of the API's core share, and resources do not need. */

#ifndef NGX_CAMERA_API_CORE_H
#define NGX_CAMERA_API_CORE_H

#include "ngx_camera_api.h"


/*
 * Steps of the walk.  NGX_OK: the next one.  NGX_AGAIN: something is waited
 * for, and ngx_camera_api_resume() goes on.  NGX_DONE: answered, the request
 * may be gone.
 */

typedef ngx_int_t (*ngx_camera_api_step_pt)(ngx_camera_api_ctx_t *ctx);

ngx_int_t ngx_camera_api_find_route(ngx_camera_api_ctx_t *ctx);
ngx_int_t ngx_camera_api_warm(ngx_camera_api_ctx_t *ctx);
ngx_int_t ngx_camera_api_authenticate(ngx_camera_api_ctx_t *ctx);
ngx_int_t ngx_camera_api_authorize(ngx_camera_api_ctx_t *ctx);
ngx_int_t ngx_camera_api_throttle(ngx_camera_api_ctx_t *ctx);
ngx_int_t ngx_camera_api_body(ngx_camera_api_ctx_t *ctx);
ngx_int_t ngx_camera_api_authenticate_late(ngx_camera_api_ctx_t *ctx);
ngx_int_t ngx_camera_api_authorize_late(ngx_camera_api_ctx_t *ctx);
ngx_int_t ngx_camera_api_input(ngx_camera_api_ctx_t *ctx);
ngx_int_t ngx_camera_api_ids(ngx_camera_api_ctx_t *ctx);


/* goes on with the walk, out of an event that is not the request's */
void ngx_camera_api_resume(ngx_camera_api_ctx_t *ctx);

/* an error as the last thing of a step: always NGX_DONE */
ngx_int_t ngx_camera_api_refuse(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_code_e code);

/* the same for 401 and 403, which nobody may ask for too often either; they
   come before the step that limits.  message may be NULL */
ngx_int_t ngx_camera_api_refuse_counted(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_code_e code, const char *message);

/* may anybody come from this address now?  NGX_OK or NGX_BUSY; counts
   nothing */
ngx_int_t ngx_camera_api_throttle_stranger(ngx_camera_api_ctx_t *ctx);

ngx_int_t ngx_camera_api_throttle_headers(ngx_camera_api_ctx_t *ctx);

/* who is limited when nobody is known, as text; answers its length */
size_t ngx_camera_api_address(ngx_http_request_t *r, u_char *text,
    size_t size);

/* headers of every answer, once; for those that are not sent by _send() */
ngx_int_t ngx_camera_api_common_headers(ngx_camera_api_ctx_t *ctx);

/* is none of those that run at once any more */
void ngx_camera_api_throttle_leave(ngx_camera_api_ctx_t *ctx);

/* rows that a list may show, 0: all of them */
ngx_uint_t ngx_camera_api_page(ngx_camera_api_ctx_t *ctx);

/* the code for a status that nginx itself decided on */
ngx_camera_api_code_e ngx_camera_api_code_of(ngx_uint_t status);

/* for logs: "VALIDATION_FAILED" */
const char *ngx_camera_api_code_name(ngx_camera_api_code_e code);


/* one was refused as too many */
void ngx_camera_api_metrics_limited(ngx_camera_api_policy_e policy);


/* the resources, a NULL ends them */
extern const ngx_camera_api_resource_t  *const ngx_camera_api_resources[];

/* reads the paths of all routes, while the configuration is read */
ngx_int_t ngx_camera_api_routes_init(ngx_cycle_t *cycle);

/* routes by number, for who counts them; NULL: there is no such one */
const ngx_camera_api_route_t *ngx_camera_api_route_at(ngx_uint_t number);
ngx_uint_t ngx_camera_api_route_number(const ngx_camera_api_route_t *route);

ngx_int_t ngx_camera_api_add_variables(ngx_conf_t *cf);

/* a request's content */
ngx_int_t ngx_camera_api_handler(ngx_http_request_t *r);


/* the pools of a worker */
ngx_int_t ngx_camera_api_pg_init(ngx_cycle_t *cycle,
    ngx_camera_api_main_conf_t *amcf);
void ngx_camera_api_pg_exit(void);

/* a request on its way; without any, an exiting worker disconnects */
void ngx_camera_api_pg_hold(void);
void ngx_camera_api_pg_release(void);

/* a short statement of nobody's tenant, for the core's own sake */
ngx_camera_pg_query_t *ngx_camera_api_pg_start(
    ngx_camera_api_statement_t *statement, const ngx_camera_pg_param_t *params,
    ngx_uint_t n, ngx_msec_t timeout, ngx_camera_pg_handler_pt handler,
    void *data);


/* one that only reads, with no more than this principal may see */
ngx_camera_pg_query_t *ngx_camera_api_pg_start_for(
    const ngx_camera_api_principal_t *principal,
    ngx_camera_api_statement_t *statement, const ngx_camera_pg_param_t *params,
    ngx_uint_t n, ngx_msec_t timeout, ngx_camera_pg_handler_pt handler,
    void *data);

/* for what nobody waits for, under the principal of a request that goes on;
   handler has no data */
void ngx_camera_api_pg_note(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_statement_t *statement,
    const ngx_camera_pg_param_t *params, ngx_uint_t n,
    ngx_camera_pg_handler_pt handler);

/* the words of app.tenant that say what a principal, which may be NULL, sees;
   answers their end */
u_char *ngx_camera_api_who_sees(u_char *p,
    const ngx_camera_api_principal_t *principal);

/* the value of app.tenant for a statement of this request: NGX_OK or
   NGX_ERROR */
ngx_int_t ngx_camera_api_who(ngx_camera_api_ctx_t *ctx,
    const ngx_camera_api_statement_t *statement, ngx_str_t *who);


/* credentials that a location takes */

#define NGX_CAMERA_API_BY_BEARER   0x0002
#define NGX_CAMERA_API_BY_API_KEY  0x0004
#define NGX_CAMERA_API_BY_BASIC    0x0008

ngx_uint_t ngx_camera_api_credentials(ngx_http_request_t *r);

/* the token that a request carries; NGX_DECLINED: there is none, NGX_ERROR:
   there is something else.  The second knows "Bearer" alone */
ngx_int_t ngx_camera_api_credential(ngx_http_request_t *r, ngx_str_t *token);
ngx_int_t ngx_camera_api_bearer(ngx_http_request_t *r, ngx_str_t *token);

/* who waits for the first connections */
void ngx_camera_api_warm_init(ngx_cycle_t *cycle);
void ngx_camera_api_warm_done(void);
void ngx_camera_api_warm_cancel(ngx_camera_api_ctx_t *ctx);


void ngx_camera_api_identify_init(ngx_cycle_t *cycle, cam_keys_t *keys);

/* what is to be asked of a session and of an API token, and its answer */
extern ngx_camera_api_statement_t  ngx_camera_api_identify_check;
extern ngx_camera_api_statement_t  ngx_camera_api_identify_check_api;

void ngx_camera_api_identify_read(ngx_camera_api_session_t *session,
    ngx_uint_t kind, const PGresult *res);


#endif /* NGX_CAMERA_API_CORE_H */
