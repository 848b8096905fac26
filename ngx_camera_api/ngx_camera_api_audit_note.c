/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What the audit log has that is no change of a row: who watches a camera live,
 * who tried to change what they may not, and wrong passwords.
 *
 * Nobody is given an address to watch before it was noted; for a minute after
 * that this worker remembers, so that players that ask again cost nothing.
 * Refusals are noted behind the answer, which waits for nothing, and a few in a
 * second at most: nobody fills the database with them.  Each user has a share
 * of their own, and wrong passwords have one, so that nobody hides others in
 * the noise that they make.
 */

#include "ngx_camera_api_audit.h"

#define NGX_CAMERA_API_AUDIT_RECENT    256        /* a power of two */
#define NGX_CAMERA_API_AUDIT_SEC       60
#define NGX_CAMERA_API_AUDIT_USERS     256        /* a power of two */
#define NGX_CAMERA_API_AUDIT_REFUSALS  5          /* of a user in a second */
#define NGX_CAMERA_API_AUDIT_ALL       50         /* of all of them */
#define NGX_CAMERA_API_AUDIT_LOGINS    20         /* wrong passwords */
#define NGX_CAMERA_API_AUDIT_ROUTE     160


typedef struct {
    u_char   user[CAM_UUID_LEN];
    u_char   sid[CAM_UUID_LEN];
    u_char   camera[CAM_UUID_LEN];
} ngx_camera_api_audit_key_t;


typedef struct {
    ngx_camera_api_audit_key_t  key;
    time_t                      until;
} ngx_camera_api_audit_recent_t;


/* how many there were in a second */

typedef struct {
    time_t                      second;
    ngx_uint_t                  n;
} ngx_camera_api_audit_rate_t;


static ngx_camera_api_audit_recent_t *ngx_camera_api_audit_slot(
    ngx_camera_api_ctx_t *ctx, const u_char *camera,
    ngx_camera_api_audit_key_t *key);
static ngx_uint_t ngx_camera_api_audit_hides(ngx_camera_api_ctx_t *ctx);
static ngx_uint_t ngx_camera_api_audit_too_many(
    ngx_camera_api_audit_rate_t *rate, ngx_uint_t most, ngx_log_t *log);
static void ngx_camera_api_audit_noted(void *data, ngx_camera_pg_rc_e rc,
    const PGresult *res, const ngx_camera_pg_error_t *error);


static ngx_camera_api_statement_t  ngx_camera_api_audit_watch = {
    "api_audit_watch",
    "SELECT api_audit_watch($1)",
    1, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_audit_refused = {
    "api_audit_denied",
    "SELECT api_audit_denied($1, $2, $3)",
    3, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_audit_password = {
    "api_audit_login_failed",
    "SELECT api_audit_login_failed($1)",
    1, 0, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_audit_note_statements[] =
{
    &ngx_camera_api_audit_watch,
    &ngx_camera_api_audit_refused,
    &ngx_camera_api_audit_password,
    NULL
};

static const ngx_camera_api_route_t  ngx_camera_api_audit_note_routes[] = {
    { .path = NULL }
};

const ngx_camera_api_resource_t  ngx_camera_api_audit_note = {
    "audit notes",
    ngx_camera_api_audit_note_routes,
    ngx_camera_api_audit_note_statements,
    NULL,
    NULL
};


static ngx_camera_api_audit_recent_t
    ngx_camera_api_audit_recent[NGX_CAMERA_API_AUDIT_RECENT];


ngx_int_t
ngx_camera_api_audit_watching(ngx_camera_api_ctx_t *ctx, const u_char *camera,
    ngx_camera_api_rows_pt noted)
{
    u_char                         *id;
    ngx_camera_api_audit_key_t      key;
    ngx_camera_api_audit_recent_t  *recent;

    recent = ngx_camera_api_audit_slot(ctx, camera, &key);

    if (recent->until > ngx_time()
        && ngx_memcmp(&recent->key, &key, sizeof(key)) == 0)
    {
        return NGX_OK;
    }

    id = ngx_pnalloc(ctx->request->pool, CAM_UUID_LEN);
    if (id == NULL) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return NGX_AGAIN;
    }

    ngx_memcpy(id, camera, CAM_UUID_LEN);

    ngx_camera_api_param_uuid(ctx, id);
    ngx_camera_api_query(ctx, &ngx_camera_api_audit_watch, noted);

    return NGX_AGAIN;
}


void
ngx_camera_api_audit_watched(ngx_camera_api_ctx_t *ctx, const u_char *camera)
{
    ngx_camera_api_audit_key_t      key;
    ngx_camera_api_audit_recent_t  *recent;

    recent = ngx_camera_api_audit_slot(ctx, camera, &key);

    recent->key = key;
    recent->until = ngx_time() + NGX_CAMERA_API_AUDIT_SEC;
}


static ngx_camera_api_audit_recent_t *
ngx_camera_api_audit_slot(ngx_camera_api_ctx_t *ctx, const u_char *camera,
    ngx_camera_api_audit_key_t *key)
{
    ngx_uint_t  hash;

    ngx_memcpy(key->user, ctx->principal->user, CAM_UUID_LEN);
    ngx_memcpy(key->sid, ctx->principal->sid, CAM_UUID_LEN);
    ngx_memcpy(key->camera, camera, CAM_UUID_LEN);

    hash = ngx_murmur_hash2((u_char *) key, sizeof(*key));

    return &ngx_camera_api_audit_recent[hash
                                        & (NGX_CAMERA_API_AUDIT_RECENT - 1)];
}


void
ngx_camera_api_audit_denied(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_code_e code)
{
    char                   id[CAM_UUID_TEXT + 1];
    u_char                 route[NGX_CAMERA_API_AUDIT_ROUTE], *p;
    u_char                 uuid[CAM_UUID_LEN];
    ngx_str_t             *object;
    ngx_camera_pg_param_t  params[3];

    if ((code != NGX_CAMERA_API_INSUFFICIENT_PERMISSIONS
         && code != NGX_CAMERA_API_ROLE_RESTRICTED)
        || ctx->principal == NULL || ctx->route == NULL
        || ctx->request->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)
        || ngx_camera_api_audit_hides(ctx))
    {
        return;
    }

    p = ngx_snprintf(route, sizeof(route) - 1, "%V %s",
                     &ctx->request->method_name, ctx->route->path);
    *p = '\0';

    ngx_memzero(params, sizeof(params));

    params[0].data = (char *) route;
    params[2].data = ngx_camera_api_code_name(code);

    object = &ctx->ids[0];

    if (cam_uuid_parse(uuid, (char *) object->data, object->len) == 0) {
        params[1].data = cam_uuid_print(id, uuid);
    }

    ngx_camera_api_pg_note(ctx, &ngx_camera_api_audit_refused, params, 3,
                           ngx_camera_api_audit_noted);
}


void
ngx_camera_api_audit_login_failed(ngx_camera_api_ctx_t *ctx,
    const u_char *user)
{
    ngx_camera_pg_param_t  param;

    static ngx_camera_api_audit_rate_t  rate;

    if (ngx_camera_api_audit_too_many(&rate, NGX_CAMERA_API_AUDIT_LOGINS,
                                      ctx->request->connection->log))
    {
        return;
    }

    param.data = (char *) user;
    param.len = CAM_UUID_LEN;
    param.binary = 1;

    ngx_camera_api_pg_note(ctx, &ngx_camera_api_audit_password, &param, 1,
                           ngx_camera_api_audit_noted);
}


/* two users who share a place share what it has */

static ngx_uint_t
ngx_camera_api_audit_hides(ngx_camera_api_ctx_t *ctx)
{
    ngx_log_t                    *log;
    ngx_uint_t                    n;
    ngx_camera_api_audit_rate_t  *own;

    static ngx_camera_api_audit_rate_t  all, users[NGX_CAMERA_API_AUDIT_USERS];

    log = ctx->request->connection->log;

    n = ngx_murmur_hash2(ctx->principal->user, CAM_UUID_LEN);
    own = &users[n & (NGX_CAMERA_API_AUDIT_USERS - 1)];

    return ngx_camera_api_audit_too_many(own, NGX_CAMERA_API_AUDIT_REFUSALS,
                                         log)
           || ngx_camera_api_audit_too_many(&all, NGX_CAMERA_API_AUDIT_ALL,
                                            log);
}


static ngx_uint_t
ngx_camera_api_audit_too_many(ngx_camera_api_audit_rate_t *rate,
    ngx_uint_t most, ngx_log_t *log)
{
    if (rate->second != ngx_time()) {
        rate->second = ngx_time();
        rate->n = 0;
    }

    rate->n++;

    if (rate->n == most + 1) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "too many refusals in a second: the others are not "
                      "in the audit");
    }

    return rate->n > most;
}


static void
ngx_camera_api_audit_noted(void *data, ngx_camera_pg_rc_e rc,
    const PGresult *res, const ngx_camera_pg_error_t *error)
{
    if (rc != NGX_CAMERA_PG_OK) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "a refusal is not in the audit, SQLSTATE %s",
                      error ? error->sqlstate : "-");
    }
}
