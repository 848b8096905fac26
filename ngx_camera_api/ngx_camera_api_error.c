/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Errors: each code has a status, a name for programs and a sentence for
 * people, and every error answer is the same envelope.
 */

#include "ngx_camera_api_audit.h"
#include "ngx_camera_api_core.h"


typedef struct {
    ngx_uint_t   status;
    const char  *name;
    const char  *message;
} ngx_camera_api_meaning_t;


static void ngx_camera_api_error_put(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_code_e code, const char *message,
    const cam_problems_t *problems);
static void ngx_camera_api_error_details(ngx_camera_api_ctx_t *ctx,
    const cam_problems_t *problems);
static void ngx_camera_api_error_page(ngx_camera_api_ctx_t *ctx,
    const char *name);
static void ngx_camera_api_error_forget(ngx_camera_api_ctx_t *ctx);
static ngx_int_t ngx_camera_api_error_headers(ngx_camera_api_ctx_t *ctx,
    ngx_uint_t status);


static const ngx_camera_api_meaning_t  ngx_camera_api_meanings[] = {

    [NGX_CAMERA_API_OK] =
        { 200, "", "" },
    [NGX_CAMERA_API_VALIDATION_FAILED] =
        { 400, "VALIDATION_FAILED", "The request is not valid." },
    [NGX_CAMERA_API_TOKEN_MISSING] =
        { 401, "AUTH_TOKEN_MISSING",
          "Log in first: there is no access token." },
    [NGX_CAMERA_API_TOKEN_INVALID] =
        { 401, "AUTH_TOKEN_INVALID",
          "The access token is not valid, or no longer." },
    [NGX_CAMERA_API_CREDENTIALS_INVALID] =
        { 401, "AUTH_CREDENTIALS_INVALID",
          "User name or password is wrong." },
    [NGX_CAMERA_API_INSUFFICIENT_PERMISSIONS] =
        { 403, "AUTH_INSUFFICIENT_PERMISSIONS",
          "You have no permission to do this." },
    [NGX_CAMERA_API_ROLE_RESTRICTED] =
        { 403, "AUTH_ROLE_RESTRICTED", "Your role may not do this." },
    [NGX_CAMERA_API_REGISTRATION_CLOSED] =
        { 403, "REGISTRATION_CLOSED",
          "Nobody may sign up here: ask an administrator for an account." },
    [NGX_CAMERA_API_PASSWORD_CHANGE_REQUIRED] =
        { 403, "PASSWORD_CHANGE_REQUIRED",
          "Choose a password of your own first." },
    [NGX_CAMERA_API_OIDC_DENIED] =
        { 403, "OIDC_DENIED",
          "You did not allow the provider to tell who you are." },
    [NGX_CAMERA_API_OIDC_STATE_INVALID] =
        { 403, "OIDC_STATE_INVALID",
          "This login took too long, or began somewhere else: begin again." },
    [NGX_CAMERA_API_OIDC_TOKEN_INVALID] =
        { 403, "OIDC_TOKEN_INVALID",
          "What the provider said of you cannot be believed." },
    [NGX_CAMERA_API_OIDC_EMAIL_UNVERIFIED] =
        { 403, "OIDC_EMAIL_UNVERIFIED",
          "The provider has not verified your e-mail address." },
    [NGX_CAMERA_API_OIDC_DOMAIN_NOT_ALLOWED] =
        { 403, "OIDC_DOMAIN_NOT_ALLOWED",
          "E-mail addresses of your domain may not log in here." },
    [NGX_CAMERA_API_OIDC_NO_ACCOUNT] =
        { 403, "OIDC_NO_ACCOUNT",
          "There is no account for you here: ask an administrator." },
    [NGX_CAMERA_API_OIDC_ACCOUNT_DISABLED] =
        { 403, "OIDC_ACCOUNT_DISABLED", "Your account here is disabled." },
    [NGX_CAMERA_API_QUOTA_EXCEEDED] =
        { 403, "QUOTA_EXCEEDED",
          "The account has as many of these as it may have." },
    [NGX_CAMERA_API_NOT_FOUND] =
        { 404, "NOT_FOUND", "There is nothing at this address." },
    [NGX_CAMERA_API_CAMERA_NOT_FOUND] =
        { 404, "CAMERA_NOT_FOUND", "There is no such camera." },
    [NGX_CAMERA_API_METHOD_NOT_ALLOWED] =
        { 405, "METHOD_NOT_ALLOWED",
          "This address does not take that method." },
    [NGX_CAMERA_API_REQUEST_TIMEOUT] =
        { 408, "REQUEST_TIMEOUT", "The request took too long to come." },
    [NGX_CAMERA_API_CAMERA_SERIAL_DUPLICATE] =
        { 409, "CAMERA_SERIAL_DUPLICATE",
          "Another camera has this serial number." },
    [NGX_CAMERA_API_CAMERA_EXTERNAL_ID_DUPLICATE] =
        { 409, "CAMERA_EXTERNAL_ID_DUPLICATE",
          "Another camera has this external id." },
    [NGX_CAMERA_API_USER_NAME_DUPLICATE] =
        { 409, "USER_NAME_DUPLICATE", "Another user has this name." },
    [NGX_CAMERA_API_LAST_ADMIN] =
        { 409, "LAST_ADMIN",
          "This is the last active administrator: make another one first." },
    [NGX_CAMERA_API_NAME_DUPLICATE] =
        { 409, "NAME_DUPLICATE", "Another one of yours has this name." },
    [NGX_CAMERA_API_USER_EMAIL_DUPLICATE] =
        { 409, "USER_EMAIL_DUPLICATE",
          "Another user has this e-mail address." },
    [NGX_CAMERA_API_IDEMPOTENCY_KEY_REUSED] =
        { 409, "IDEMPOTENCY_KEY_REUSED",
          "This Idempotency-Key was used for another request." },
    [NGX_CAMERA_API_RECORDING_LOCKED] =
        { 409, "RECORDING_LOCKED",
          "The recording is on hold: nobody may delete it until it is "
          "released." },
    [NGX_CAMERA_API_RECORDING_IN_PROGRESS] =
        { 409, "RECORDING_IN_PROGRESS",
          "The recording is still being written: come again when it is "
          "complete." },
    [NGX_CAMERA_API_EXPORT_EMPTY] =
        { 409, "EXPORT_EMPTY", "Nothing was recorded in this time." },
    [NGX_CAMERA_API_EXPORT_NOT_READY] =
        { 409, "EXPORT_NOT_READY", "The export is not done, or failed." },
    [NGX_CAMERA_API_TOKEN_LIMIT_EXCEEDED] =
        { 409, "TOKEN_LIMIT_EXCEEDED",
          "The user has as many tokens as a user may have: revoke one." },
    [NGX_CAMERA_API_EXPORT_EXPIRED] =
        { 410, "EXPORT_EXPIRED",
          "The file was removed after its time: export it again." },
    [NGX_CAMERA_API_PRECONDITION_FAILED] =
        { 412, "PRECONDITION_FAILED",
          "It was changed since you read it: load it again." },
    [NGX_CAMERA_API_PAYLOAD_TOO_LARGE] =
        { 413, "PAYLOAD_TOO_LARGE", "The body is too long." },
    [NGX_CAMERA_API_UNSUPPORTED_MEDIA_TYPE] =
        { 415, "UNSUPPORTED_MEDIA_TYPE",
          "The body must be application/json." },
    [NGX_CAMERA_API_RATE_LIMIT_EXCEEDED] =
        { 429, "RATE_LIMIT_EXCEEDED",
          "Too many requests: come again a little later." },
    [NGX_CAMERA_API_CONCURRENT_LIMIT_EXCEEDED] =
        { 429, "CONCURRENT_LIMIT_EXCEEDED",
          "Too many requests at once: wait for the others." },
    [NGX_CAMERA_API_EXPORT_LIMIT_EXCEEDED] =
        { 429, "EXPORT_LIMIT_EXCEEDED",
          "Too many exports are waiting: come again when one is done." },
    [NGX_CAMERA_API_INTERNAL_ERROR] =
        { 500, "INTERNAL_ERROR",
          "Something went wrong here. The request id helps to find out." },
    [NGX_CAMERA_API_RECORDING_FAILED] =
        { 500, "RECORDING_FAILED",
          "Nothing can be recorded now: no storage answers." },
    [NGX_CAMERA_API_SERVICE_UNAVAILABLE] =
        { 503, "SERVICE_UNAVAILABLE",
          "The service is not available now: come again a little later." },
    [NGX_CAMERA_API_OIDC_PROVIDER_FAILED] =
        { 503, "OIDC_PROVIDER_FAILED",
          "The provider cannot be asked now: try again a little later." },
    [NGX_CAMERA_API_STREAM_OFFLINE] =
        { 503, "STREAM_OFFLINE", "The camera sends no pictures now." },
    [NGX_CAMERA_API_STREAM_NODE_UNAVAILABLE] =
        { 503, "STREAM_NODE_UNAVAILABLE",
          "No server is free for this stream: come again a little later." },
    [NGX_CAMERA_API_STORAGE_FULL] =
        { 507, "STORAGE_FULL",
          "There is no room for recordings, and nothing may be removed." }
};

#define NGX_CAMERA_API_CODES  (sizeof(ngx_camera_api_meanings)                \
                               / sizeof(ngx_camera_api_meanings[0]))


void
ngx_camera_api_error(ngx_camera_api_ctx_t *ctx, ngx_camera_api_code_e code,
    const char *message)
{
    ngx_time_t                      *tp;
    const ngx_camera_api_meaning_t  *meaning;

    ctx->code = code;
    meaning = &ngx_camera_api_meanings[code];

    ngx_log_error(NGX_LOG_INFO, ctx->request->connection->log, 0,
                  "api request \"%V\" ends in %s", &ctx->id, meaning->name);

    ngx_camera_api_audit_denied(ctx, code);

    if (ctx->route && (ctx->route->flags & NGX_CAMERA_API_PAGE)) {
        ngx_camera_api_error_page(ctx, meaning->name);
        return;
    }

    if (ngx_camera_api_error_headers(ctx, meaning->status) != NGX_OK) {
        ngx_camera_api_finish(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_camera_api_error_forget(ctx);

    ngx_camera_api_begin(ctx, NULL, '{');
    ngx_camera_api_put_bool(ctx, "success", 0);

    ngx_camera_api_begin(ctx, "error", '{');
    ngx_camera_api_error_put(ctx, code, message, ctx->problems);

    tp = ngx_timeofday();
    ngx_camera_api_put_time(ctx, "timestamp",
                            (int64_t) tp->sec * 1000 + tp->msec);
    ngx_camera_api_put_text(ctx, "requestId", ctx->id.data, ctx->id.len);
    ngx_camera_api_end(ctx, '}');

    ngx_camera_api_end(ctx, '}');

    ngx_camera_api_send(ctx, meaning->status);
}


void
ngx_camera_api_put_error(ngx_camera_api_ctx_t *ctx, const char *name,
    ngx_camera_api_code_e code, const cam_problems_t *problems)
{
    ngx_camera_api_begin(ctx, name, '{');
    ngx_camera_api_error_put(ctx, code, NULL, problems);
    ngx_camera_api_end(ctx, '}');
}


static void
ngx_camera_api_error_put(ngx_camera_api_ctx_t *ctx, ngx_camera_api_code_e code,
    const char *message, const cam_problems_t *problems)
{
    const ngx_camera_api_meaning_t  *meaning;

    meaning = &ngx_camera_api_meanings[code];

    ngx_camera_api_put_string(ctx, "code", meaning->name);
    ngx_camera_api_put_string(ctx, "message",
                              message ? message : meaning->message);

    ngx_camera_api_error_details(ctx, problems);
}


/* where they came from, with "error=CODE" in front of its fragment */

static void
ngx_camera_api_error_page(ngx_camera_api_ctx_t *ctx, const char *name)
{
    u_char     *hash, *p;
    ngx_str_t   page, where;

    ngx_str_set(&page, "/");

    if (ctx->page.len) {
        page = ctx->page;
    }

    where.data = ngx_pnalloc(ctx->request->pool,
                             page.len + sizeof("?error=") + ngx_strlen(name));

    if (where.data == NULL) {
        ngx_camera_api_finish(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    hash = ngx_strlchr(page.data, page.data + page.len, '#');
    hash = hash ? hash : page.data + page.len;

    p = ngx_cpymem(where.data, page.data, hash - page.data);
    p = ngx_sprintf(p, "%cerror=%s",
                    ngx_strlchr(page.data, hash, '?') ? '&' : '?', name);
    p = ngx_cpymem(p, hash, page.data + page.len - hash);

    where.len = p - where.data;

    ngx_camera_api_redirect(ctx, &where);
}


void
ngx_camera_api_redirect(ngx_camera_api_ctx_t *ctx, const ngx_str_t *where)
{
    if (ngx_camera_api_header(ctx, "Location", where) != NGX_OK) {
        ngx_camera_api_finish(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_camera_api_error_forget(ctx);
    ngx_camera_api_send(ctx, NGX_HTTP_MOVED_TEMPORARILY);
}


/* what was put of an answer before something went wrong */

static void
ngx_camera_api_error_forget(ngx_camera_api_ctx_t *ctx)
{
    ctx->out = NULL;
    ctx->out_last = &ctx->out;
    ctx->out_buf = NULL;
    ctx->out_length = 0;
    ctx->out_comma = 0;
    ctx->out_failed = 0;
}


static ngx_int_t
ngx_camera_api_error_headers(ngx_camera_api_ctx_t *ctx, ngx_uint_t status)
{
    ngx_str_t  value;

    static const ngx_str_t  bearer = ngx_string("Bearer");

    switch (status) {

    case NGX_HTTP_UNAUTHORIZED:
        return ngx_camera_api_header(ctx, "WWW-Authenticate", &bearer);

    case NGX_HTTP_TOO_MANY_REQUESTS:
    case NGX_HTTP_SERVICE_UNAVAILABLE:
        value.data = ngx_pnalloc(ctx->request->pool, NGX_TIME_T_LEN);

        if (value.data == NULL) {
            return NGX_ERROR;
        }

        value.len = ngx_sprintf(value.data, "%T",
                                ctx->retry_after ? ctx->retry_after : 1)
                    - value.data;

        return ngx_camera_api_header(ctx, "Retry-After", &value);

    default:
        return NGX_OK;
    }
}


static void
ngx_camera_api_error_details(ngx_camera_api_ctx_t *ctx,
    const cam_problems_t *problems)
{
    ngx_uint_t  i;

    if (problems == NULL) {
        return;
    }

    ngx_camera_api_begin(ctx, "details", '[');

    for (i = 0; i < problems->n; i++) {
        ngx_camera_api_begin(ctx, NULL, '{');
        ngx_camera_api_put_string(ctx, "field", problems->list[i].field);
        ngx_camera_api_put_string(ctx, "message", problems->list[i].message);
        ngx_camera_api_end(ctx, '}');
    }

    ngx_camera_api_end(ctx, ']');
}


void
ngx_camera_api_error_later(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_code_e code, time_t seconds)
{
    ctx->retry_after = seconds;

    ngx_camera_api_error(ctx, code, NULL);
}


void
ngx_camera_api_problem(ngx_camera_api_ctx_t *ctx, const char *field,
    const char *message)
{
    if (ctx->problems == NULL) {
        ctx->problems = ngx_pcalloc(ctx->request->pool,
                                    sizeof(cam_problems_t));
    }

    if (ctx->problems) {
        cam_fields_problem(ctx->problems, field, ngx_strlen(field), "%s",
                           message);
    }
}


ngx_camera_api_code_e
ngx_camera_api_code_of(ngx_uint_t status)
{
    ngx_uint_t  code;

    for (code = 1; code < NGX_CAMERA_API_CODES; code++) {

        if (ngx_camera_api_meanings[code].status == status) {
            return (ngx_camera_api_code_e) code;
        }
    }

    return status < 500 ? NGX_CAMERA_API_VALIDATION_FAILED
                        : NGX_CAMERA_API_INTERNAL_ERROR;
}


const char *
ngx_camera_api_code_name(ngx_camera_api_code_e code)
{
    return ngx_camera_api_meanings[code].name;
}
