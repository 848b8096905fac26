/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /tokens: what programs carry instead of logging in.
 *
 * The token itself is in one answer, the one to who makes it; after that only
 * its hash is known.  Nobody gives a token what they may not do themselves, and
 * no token makes, changes or revokes tokens.
 */

#include "api_token.h"
#include "ngx_camera_api.h"
#include "token.h"

#define NGX_CAMERA_API_TOKENS_EXPIRES  6     /* fields, by their place */


typedef struct {
    char     text[CAM_API_TOKEN_LEN + 1];
    char     prefix[CAM_API_TOKEN_SHOWN + 1];
    char     hash[2 * 32 + 1];
} ngx_camera_api_tokens_made_t;


static void ngx_camera_api_tokens_create(ngx_camera_api_ctx_t *ctx);
static ngx_int_t ngx_camera_api_tokens_may_give(ngx_camera_api_ctx_t *ctx);
static ngx_int_t ngx_camera_api_tokens_make(
    ngx_camera_api_tokens_made_t *made);
static void ngx_camera_api_tokens_created(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_tokens_permit(ngx_camera_api_ctx_t *ctx);
static const char *ngx_camera_api_tokens_permission(const char *text,
    size_t len);


/* of the row t and its owner u */

#define NGX_CAMERA_API_TOKEN_COLUMNS                                          \
    "t.id, t.user_id, u.username, t.name, t.remark, t.prefix,"                \
    " t.permissions::text, t.rate_limit, t.rate_window_sec,"                  \
    " t.max_concurrent, t.allowed_cidrs::text[], t.expires_at,"               \
    " t.last_used_at, t.is_active, t.revoked_at, t.created_at"

/* what a statement that changes one hands on, as the API may not read all */

#define NGX_CAMERA_API_TOKEN_RETURNING                                        \
    " RETURNING id, user_id, name, remark, prefix, permissions, rate_limit,"  \
    " rate_window_sec, max_concurrent, allowed_cidrs, expires_at,"            \
    " last_used_at, is_active, revoked_at, created_at)"                       \
    " SELECT " NGX_CAMERA_API_TOKEN_COLUMNS                                   \
    " FROM t JOIN users u ON u.id = t.user_id"


static const ngx_camera_api_column_t  ngx_camera_api_tokens_columns[] = {
    { "id", NGX_CAMERA_API_UUID, NULL },
    { "userId", NGX_CAMERA_API_UUID, NULL },
    { "username", NGX_CAMERA_API_TEXT, NULL },
    { "name", NGX_CAMERA_API_TEXT, NULL },
    { "remark", NGX_CAMERA_API_TEXT, NULL },
    { "prefix", NGX_CAMERA_API_TEXT, NULL },
    { "permissions", NGX_CAMERA_API_JSON, NULL },
    { "rateLimit", NGX_CAMERA_API_INT, NULL },
    { "rateWindow", NGX_CAMERA_API_INT, NULL },
    { "concurrentLimit", NGX_CAMERA_API_INT, NULL },
    { "allowedCidrs", NGX_CAMERA_API_TEXTS, NULL },
    { "expiresAt", NGX_CAMERA_API_TIME, NULL },
    { "lastUsedAt", NGX_CAMERA_API_TIME, NULL },
    { "isActive", NGX_CAMERA_API_BOOL, NULL },
    { "revokedAt", NGX_CAMERA_API_TIME, NULL },
    { "createdAt", NGX_CAMERA_API_TIME, NULL },
    NGX_CAMERA_API_COLUMNS_END
};

static const ngx_camera_api_column_t  ngx_camera_api_tokens_day[] = {
    { "date", NGX_CAMERA_API_TEXT, NULL },
    { "requests", NGX_CAMERA_API_INT, NULL },
    { "limited", NGX_CAMERA_API_INT, NULL },
    NGX_CAMERA_API_COLUMNS_END
};


static ngx_camera_api_statement_t  ngx_camera_api_tokens_list = {
    "api_tokens_list",
    "SELECT " NGX_CAMERA_API_TOKEN_COLUMNS
    " FROM api_tokens t JOIN users u ON u.id = t.user_id"
    " WHERE " NGX_CAMERA_API_FILTERS("$1::uuid, $2::boolean",
        "($1 IS NULL OR t.user_id = $1)"
        " AND ($2 IS NULL OR t.is_active = $2)")
    " AND " NGX_CAMERA_API_BEFORE("t.created_at", "t.id", "$4", "$5")
    " ORDER BY t.created_at DESC, t.id DESC LIMIT $3::bigint + 1",
    5, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_tokens_get = {
    "api_tokens_get",
    "SELECT " NGX_CAMERA_API_TOKEN_COLUMNS
    " FROM api_tokens t JOIN users u ON u.id = t.user_id"
    " WHERE t.id = $1",
    1, NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_tokens_insert = {
    "api_token_create",
    "WITH t AS (INSERT INTO api_tokens (user_id, created_by, token_hash,"
    " prefix, name, remark, permissions, rate_limit, rate_window_sec,"
    " max_concurrent, expires_at, allowed_cidrs)"
    " SELECT u.id, $1::uuid, $2, $3, $4, $5,"
    " to_jsonb(ARRAY(SELECT DISTINCT unnest($6::text[]) ORDER BY 1)),"
    " coalesce($7::integer, 1000), coalesce($8::integer, 3600),"
    " $9::integer, $10::timestamptz, coalesce($11::cidr[], '{}')"
    " FROM users u"
    " WHERE u.id = CASE WHEN $12::uuid IS NULL THEN $1::uuid ELSE $12 END"
    " AND u.is_active"
    NGX_CAMERA_API_TOKEN_RETURNING,
    12, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_tokens_change = {
    "api_token_permit",
    "WITH t AS (UPDATE api_tokens"
    " SET permissions"
    " = to_jsonb(ARRAY(SELECT DISTINCT unnest($2::text[]) ORDER BY 1))"
    " WHERE id = $1"
    NGX_CAMERA_API_TOKEN_RETURNING,
    2, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_tokens_revoke = {
    "api_token_revoke",
    "UPDATE api_tokens"
    " SET is_active = false, revoked_at = coalesce(revoked_at, now())"
    " WHERE id = $1 RETURNING id",
    1, 0, 0
};

/* a token has a row for each day, an unknown one has none */

static ngx_camera_api_statement_t  ngx_camera_api_tokens_usage = {
    "api_token_usage",
    "SELECT d::date::text, coalesce(n.requests, 0), coalesce(n.limited, 0)"
    " FROM api_tokens t"
    " CROSS JOIN (SELECT (now() AT TIME ZONE 'UTC')::date AS today) c"
    " CROSS JOIN generate_series(c.today + 1 - coalesce($2::integer, 30),"
    " c.today, '1 day') d"
    " LEFT JOIN api_token_usage n ON n.token_id = t.id AND n.day = d::date"
    " WHERE t.id = $1 ORDER BY d",
    2, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  *const ngx_camera_api_tokens_statements[] =
{
    &ngx_camera_api_tokens_list,
    &ngx_camera_api_tokens_get,
    &ngx_camera_api_tokens_insert,
    &ngx_camera_api_tokens_change,
    &ngx_camera_api_tokens_revoke,
    &ngx_camera_api_tokens_usage,
    NULL
};


static const cam_field_t  ngx_camera_api_tokens_filters[] = {
    { "userId", CAM_FIELD_UUID, 0, 0, 0, NULL, NULL },
    { "isActive", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },
    { "limit", CAM_FIELD_LIMIT, 0, 1, 200, NULL, NULL },
    { "cursor", CAM_FIELD_CURSOR, 0, 1, 200, NULL, NULL },
    CAM_FIELD_END
};

/* in the order of the statement's parameters */

static const cam_field_t  ngx_camera_api_tokens_new[] = {
    { "name", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED, 1, 100, NULL, NULL },
    { "remark", CAM_FIELD_TEXT, CAM_FIELD_NULLABLE, 0, 1000, NULL, NULL },
    { "permissions", CAM_FIELD_TEXTS, CAM_FIELD_REQUIRED, 1, 32, NULL,
      ngx_camera_api_tokens_permission },
    { "rateLimit", CAM_FIELD_INT, 0, 1, 1000000000, NULL, NULL },
    { "rateWindow", CAM_FIELD_INT, 0, 1, 3600, NULL, NULL },
    { "concurrentLimit", CAM_FIELD_INT, CAM_FIELD_NULLABLE, 1, 1000, NULL,
      NULL },
    { "expiresAt", CAM_FIELD_TIME, CAM_FIELD_NULLABLE, 0, 0, NULL, NULL },
    { "allowedCidrs", CAM_FIELD_CIDRS, 0, 0, 10, NULL, NULL },
    { "userId", CAM_FIELD_UUID, CAM_FIELD_NULLABLE, 0, 0, NULL, NULL },
    CAM_FIELD_END
};

static const cam_field_t  ngx_camera_api_tokens_permissions[] = {
    { "permissions", CAM_FIELD_TEXTS, CAM_FIELD_REQUIRED, 1, 32, NULL,
      ngx_camera_api_tokens_permission },
    CAM_FIELD_END
};

static const cam_field_t  ngx_camera_api_tokens_range[] = {
    { "days", CAM_FIELD_INT, 0, 1, 366, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_conflict_t  ngx_camera_api_tokens_conflicts[] = {
    { "api_tokens_of_a_user_are_few", NGX_CAMERA_API_TOKEN_LIMIT_EXCEEDED },
    { NULL, NGX_CAMERA_API_OK }
};


static const ngx_camera_api_route_t  ngx_camera_api_tokens_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/tokens",
        .needs = CAM_PERMIT_TOKENS_MANAGE,
        .flags = NGX_CAMERA_API_LIST|NGX_CAMERA_API_INTERACTIVE,
        .query = ngx_camera_api_tokens_filters,
        .statement = &ngx_camera_api_tokens_list,
        .columns = ngx_camera_api_tokens_columns
    },

    {
        .method = NGX_HTTP_POST,
        .path = "/tokens",
        .needs = CAM_PERMIT_TOKENS_MANAGE,
        .flags = NGX_CAMERA_API_INTERACTIVE,
        .body = ngx_camera_api_tokens_new,
        .handler = ngx_camera_api_tokens_create,
        .columns = ngx_camera_api_tokens_columns,
        .conflicts = ngx_camera_api_tokens_conflicts
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/tokens/:id",
        .needs = CAM_PERMIT_TOKENS_MANAGE,
        .flags = NGX_CAMERA_API_INTERACTIVE,
        .ids = NGX_CAMERA_API_ID_UUID,
        .statement = &ngx_camera_api_tokens_get,
        .columns = ngx_camera_api_tokens_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_DELETE,
        .path = "/tokens/:id",
        .needs = CAM_PERMIT_TOKENS_MANAGE,
        .flags = NGX_CAMERA_API_NO_CONTENT|NGX_CAMERA_API_INTERACTIVE,
        .ids = NGX_CAMERA_API_ID_UUID,
        .statement = &ngx_camera_api_tokens_revoke,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_PUT,
        .path = "/tokens/:id/permissions",
        .needs = CAM_PERMIT_TOKENS_MANAGE,
        .flags = NGX_CAMERA_API_INTERACTIVE,
        .ids = NGX_CAMERA_API_ID_UUID,
        .body = ngx_camera_api_tokens_permissions,
        .handler = ngx_camera_api_tokens_permit,
        .columns = ngx_camera_api_tokens_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/tokens/:id/usage",
        .needs = CAM_PERMIT_TOKENS_MANAGE,
        .flags = NGX_CAMERA_API_ROWS|NGX_CAMERA_API_INTERACTIVE,
        .ids = NGX_CAMERA_API_ID_UUID,
        .query = ngx_camera_api_tokens_range,
        .statement = &ngx_camera_api_tokens_usage,
        .columns = ngx_camera_api_tokens_day,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_tokens = {
    "tokens",
    ngx_camera_api_tokens_routes,
    ngx_camera_api_tokens_statements,
    NULL,
    NULL
};


static void
ngx_camera_api_tokens_create(ngx_camera_api_ctx_t *ctx)
{
    ngx_uint_t                     i;
    cam_value_t                   *expires;
    ngx_camera_api_tokens_made_t  *made;

    expires = &ctx->body[NGX_CAMERA_API_TOKENS_EXPIRES];

    if (expires->text && expires->number / 1000 <= ngx_time()) {
        ngx_camera_api_problem(ctx, "expiresAt", "must be in the future");
        ngx_camera_api_error(ctx, NGX_CAMERA_API_VALIDATION_FAILED, NULL);
        return;
    }

    if (ngx_camera_api_tokens_may_give(ctx) != NGX_OK) {
        return;
    }

    made = ngx_palloc(ctx->request->pool,
                      sizeof(ngx_camera_api_tokens_made_t));

    if (made == NULL || ngx_camera_api_tokens_make(made) != NGX_OK) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    ctx->data = made;

    ngx_camera_api_param_uuid(ctx, ctx->principal->user);
    ngx_camera_api_param_text(ctx, made->hash);
    ngx_camera_api_param_text(ctx, made->prefix);

    for (i = 0; ngx_camera_api_tokens_new[i].name; i++) {
        ngx_camera_api_param_value(ctx, &ctx->body[i]);
    }

    ngx_camera_api_query(ctx, &ngx_camera_api_tokens_insert,
                         ngx_camera_api_tokens_created);
}


/* NGX_DONE: it would get more than its maker has, which was answered */

static ngx_int_t
ngx_camera_api_tokens_may_give(ngx_camera_api_ctx_t *ctx)
{
    size_t       i;
    json_t      *list, *item;
    uint32_t     wanted;

    wanted = 0;
    list = json_object_get(ctx->json, "permissions");

    json_array_foreach(list, i, item) {
        wanted |= cam_permission_parse(json_string_value(item),
                                       json_string_length(item));
    }

    if ((ctx->principal->permissions & wanted) == wanted) {
        return NGX_OK;
    }

    ngx_camera_api_error(ctx, NGX_CAMERA_API_INSUFFICIENT_PERMISSIONS,
                         "A token may not do more than you may.");

    return NGX_DONE;
}


static ngx_int_t
ngx_camera_api_tokens_make(ngx_camera_api_tokens_made_t *made)
{
    uint8_t  hash[32];

    if (cam_api_token_make(made->text) != 0) {
        return NGX_ERROR;
    }

    cam_token_sha256(hash, made->text, CAM_API_TOKEN_LEN);
    *ngx_hex_dump((u_char *) made->hash, hash, sizeof(hash)) = '\0';

    ngx_cpystrn((u_char *) made->prefix, (u_char *) made->text,
                sizeof(made->prefix));

    return NGX_OK;
}


static void
ngx_camera_api_tokens_created(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    ngx_camera_api_tokens_made_t  *made;

    made = ctx->data;

    if (PQntuples(res) == 0) {
        ngx_camera_api_problem(ctx, "userId", "is no user who is active");
        ngx_camera_api_error(ctx, NGX_CAMERA_API_VALIDATION_FAILED, NULL);
        return;
    }

    if (ngx_camera_api_created(ctx, res, "/api/v1/tokens/") != NGX_OK) {
        return;
    }

    ngx_camera_api_begin(ctx, NULL, '{');
    ngx_camera_api_put_row(ctx, ctx->route->columns, res, 0);
    ngx_camera_api_put_text(ctx, "token", made->text, CAM_API_TOKEN_LEN);
    ngx_camera_api_end(ctx, '}');

    ngx_explicit_memzero(made, sizeof(ngx_camera_api_tokens_made_t));

    ngx_camera_api_send(ctx, NGX_HTTP_CREATED);
}


static void
ngx_camera_api_tokens_permit(ngx_camera_api_ctx_t *ctx)
{
    if (ngx_camera_api_tokens_may_give(ctx) != NGX_OK) {
        return;
    }

    ngx_camera_api_params(ctx);
    ngx_camera_api_query(ctx, &ngx_camera_api_tokens_change,
                         ngx_camera_api_reply_rows);
}


static const char *
ngx_camera_api_tokens_permission(const char *text, size_t len)
{
    return cam_permission_parse(text, len) ? NULL : "is no permission";
}
