/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The walk of a request: one step after the other, each of which goes on,
 * waits, or answers.
 *
 *     route ─► principal ─► permission ─► limit ─► body ─► input ─► ids ─► perform
 *       │          │            │           │        │       │       │        │
 *       └──────────┴────────────┴───────────┴────────┴───────┴───────┴────────┴─► finish
 *
 * A body may take its sender any time, and who they are may change meanwhile:
 * the second and the third step are taken once more behind one that was waited
 * for.
 *
 * Whatever is waited for calls ngx_camera_api_resume().  The request holds one
 * reference from the first step to ngx_camera_api_finish(), which every answer
 * comes through.  When the client leaves first, the cleanup takes back what was
 * asked for; nothing else keeps a pointer to the request.
 */

#include "json_read.h"
#include "ngx_camera_api_core.h"


static void ngx_camera_api_hide_args(ngx_http_request_t *r);
static ngx_int_t ngx_camera_api_perform(ngx_camera_api_ctx_t *ctx);
static ngx_camera_api_statement_t *ngx_camera_api_statement(
    ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_walk(ngx_camera_api_ctx_t *ctx);
static ngx_int_t ngx_camera_api_request_id(ngx_camera_api_ctx_t *ctx);
static ngx_str_t *ngx_camera_api_request_own_id(ngx_http_request_t *r);
static void ngx_camera_api_release(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_cleanup(void *data);


static const ngx_camera_api_step_pt  ngx_camera_api_steps[] = {
    ngx_camera_api_find_route,
    ngx_camera_api_warm,
    ngx_camera_api_authenticate,
    ngx_camera_api_authorize,
    ngx_camera_api_throttle,
    ngx_camera_api_body,
    ngx_camera_api_authenticate_late,
    ngx_camera_api_authorize_late,
    ngx_camera_api_input,
    ngx_camera_api_ids,
    ngx_camera_api_perform
};


ngx_int_t
ngx_camera_api_handler(ngx_http_request_t *r)
{
    ngx_http_cleanup_t    *cln;
    ngx_camera_api_ctx_t  *ctx;

    cln = ngx_http_cleanup_add(r, 0);
    ctx = ngx_pcalloc(r->pool, sizeof(ngx_camera_api_ctx_t));

    if (cln == NULL || ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->request = r;
    ctx->out_last = &ctx->out;

    cln->handler = ngx_camera_api_cleanup;
    cln->data = ctx;

    if (ngx_camera_api_request_id(ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_set_ctx(r, ctx, ngx_camera_api_module);
    ngx_camera_api_hide_args(r);

    r->main->count++;
    ngx_camera_api_pg_hold();

    if (r->error_page) {
        ngx_camera_api_error(ctx, ngx_camera_api_code_of(r->err_status), NULL);

    } else {
        ngx_camera_api_walk(ctx);
    }

    return NGX_DONE;
}


/* the request line stands in every line of the error log; what somebody
   searched for, or put there by mistake, does not belong into it */

static void
ngx_camera_api_hide_args(ngx_http_request_t *r)
{
    u_char  *args;

    args = ngx_strlchr(r->request_line.data,
                       r->request_line.data + r->request_line.len, '?');

    if (args) {
        r->request_line.len = args + 1 - r->request_line.data;
    }
}


static void
ngx_camera_api_walk(ngx_camera_api_ctx_t *ctx)
{
    while (ngx_camera_api_steps[ctx->step++](ctx) == NGX_OK) { /* void */ }
}


void
ngx_camera_api_resume(ngx_camera_api_ctx_t *ctx)
{
    ngx_connection_t  *c;

    c = ctx->request->connection;

    ngx_http_set_log_request(c->log, ctx->request);

    ngx_camera_api_walk(ctx);

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_camera_api_perform(ngx_camera_api_ctx_t *ctx)
{
    if (ctx->route->handler) {
        ctx->route->handler(ctx);
        return NGX_DONE;
    }

    ngx_camera_api_params(ctx);
    ngx_camera_api_query(ctx, ngx_camera_api_statement(ctx),
                         ngx_camera_api_reply_rows);

    return NGX_DONE;
}


static ngx_camera_api_statement_t *
ngx_camera_api_statement(ngx_camera_api_ctx_t *ctx)
{
    ngx_uint_t                   i;
    ngx_camera_api_statement_t  *plain;

    plain = ctx->route->plain;

    if (plain == NULL) {
        return ctx->route->statement;
    }

    for (i = plain->params; i < ctx->nparams; i++) {
        if (ctx->params[i].data) {
            return ctx->route->statement;
        }
    }

    ctx->nparams = plain->params;

    return plain;
}


/* the client's own, when it is one, or a random one */

static ngx_int_t
ngx_camera_api_request_id(ngx_camera_api_ctx_t *ctx)
{
    ngx_str_t  *own;
    uint64_t    n;

    own = ngx_camera_api_request_own_id(ctx->request);

    if (own) {
        ctx->id = *own;
        return NGX_OK;
    }

    ctx->id.data = ngx_pnalloc(ctx->request->pool, 16);
    if (ctx->id.data == NULL) {
        return NGX_ERROR;
    }

    n = (uint64_t) ngx_random() << 33 ^ (uint64_t) ngx_random() << 11
        ^ (uint64_t) ngx_random() ^ (uint64_t) ngx_pid << 48;

    ctx->id.len = ngx_sprintf(ctx->id.data, "%016xL", n) - ctx->id.data;

    return NGX_OK;
}


static ngx_str_t *
ngx_camera_api_request_own_id(ngx_http_request_t *r)
{
    size_t      i;
    ngx_str_t  *id;

    static const char  chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789._-";

    id = ngx_camera_api_header_in(r, "x-request-id");

    if (id == NULL || id->len == 0 || id->len > 64) {
        return NULL;
    }

    for (i = 0; i < id->len; i++) {
        if (ngx_strchr(chars, id->data[i]) == NULL) {
            return NULL;
        }
    }

    return id;
}


ngx_int_t
ngx_camera_api_refuse(ngx_camera_api_ctx_t *ctx, ngx_camera_api_code_e code)
{
    ngx_camera_api_error(ctx, code, NULL);

    return NGX_DONE;
}


void
ngx_camera_api_finish(ngx_camera_api_ctx_t *ctx, ngx_int_t rc)
{
    ngx_camera_api_release(ctx);

    ngx_http_finalize_request(ctx->request, rc);
}


void
ngx_camera_api_stay(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_release(ctx);
    ngx_camera_api_throttle_leave(ctx);
}


/* no more queries; the request may stay until the client closes, passwords
   may not */

static void
ngx_camera_api_release(ngx_camera_api_ctx_t *ctx)
{
    if (!ctx->answered) {
        ctx->answered = 1;
        ngx_camera_api_pg_release();
    }

    cam_json_wipe(ctx->json);
    ctx->json = NULL;
}


static void
ngx_camera_api_cleanup(void *data)
{
    ngx_camera_api_ctx_t *ctx = data;

    ngx_camera_api_warm_cancel(ctx);

    if (ctx->pg_query) {
        ngx_camera_pg_cancel(ctx->pg_query);
        ctx->pg_query = NULL;
    }

    if (ctx->identity) {
        ngx_camera_api_identify_cancel(ctx->identity);
    }

    ngx_camera_api_release(ctx);
    ngx_camera_api_throttle_leave(ctx);
}
