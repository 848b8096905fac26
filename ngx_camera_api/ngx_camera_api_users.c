/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /users: the people of a tenant, for who manages them.
 *
 * Nobody deals with a user who may do more than they do, nor gives a role that
 * may: which roles those are is known here, and every statement that changes a
 * user is told.  The other rules, that of the last admin among them, are the
 * database's.
 *
 *     policy ─► hash the password, in a thread ─► store
 */

#include "ngx_camera_api_password.h"
#include "ngx_camera_api_users.h"

#define NGX_CAMERA_API_USERS_USERNAME  0   /* fields of a new one */
#define NGX_CAMERA_API_USERS_EMAIL     1   /* of both */
#define NGX_CAMERA_API_USERS_PASSWORD  5   /* of a new one */
#define NGX_CAMERA_API_USERS_NAME      6   /* of a change */
#define NGX_CAMERA_API_USERS_ROLES     64  /* bytes of a list of roles */


static void ngx_camera_api_users_create(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_users_hashed(ngx_camera_api_ctx_t *ctx,
    ngx_uint_t right, const char *made);
static void ngx_camera_api_users_created(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_users_update(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_users_delete(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_users_changed(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_users_reset(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_users_found(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_users_made(ngx_camera_api_ctx_t *ctx,
    ngx_uint_t right, const char *made);
static ngx_int_t ngx_camera_api_users_param_hash(ngx_camera_api_ctx_t *ctx,
    const char *made);
static ngx_int_t ngx_camera_api_users_policy(ngx_camera_api_ctx_t *ctx,
    const cam_value_t *password, const char *username, size_t len);
static const char *ngx_camera_api_users_username(const char *text, size_t len);
static const char *ngx_camera_api_users_email(const char *text, size_t len);


#define NGX_CAMERA_API_USER                                                   \
    "id, username, email, role, is_active, must_change_password,"             \
    " camera_scope, last_login_at, created_at, updated_at, name, version"

static const ngx_camera_api_column_t  ngx_camera_api_users_columns[] = {
    { "id", NGX_CAMERA_API_UUID, NULL },
    { "username", NGX_CAMERA_API_TEXT, NULL },
    { "email", NGX_CAMERA_API_TEXT, NULL },
    { "role", NGX_CAMERA_API_TEXT, NULL },
    { "isActive", NGX_CAMERA_API_BOOL, NULL },
    { "mustChangePassword", NGX_CAMERA_API_BOOL, NULL },
    { "cameraScope", NGX_CAMERA_API_TEXT, NULL },
    { "lastLoginAt", NGX_CAMERA_API_TIME, NULL },
    { "createdAt", NGX_CAMERA_API_TIME, NULL },
    { "updatedAt", NGX_CAMERA_API_TIME, NULL },
    { "name", NGX_CAMERA_API_TEXT, NULL },
    { "version", NGX_CAMERA_API_HIDDEN, NULL },
    NGX_CAMERA_API_COLUMNS_END
};


static ngx_camera_api_statement_t  ngx_camera_api_users_list = {
    "api_users_list",
    "SELECT " NGX_CAMERA_API_USER " FROM api_users"
    " WHERE ($1::text IS NULL OR role = $1)"
    " AND ($2::boolean IS NULL OR is_active = $2)"
    " AND ($3::text IS NULL OR strpos(lower(concat_ws(E'\\n', username,"
    " email, name)), lower($3)) > 0)"
    " AND " NGX_CAMERA_API_AFTER("created_at", "id", "$5", "$6")
    " ORDER BY created_at, id LIMIT $4::bigint + 1",
    6, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_users_get = {
    "api_users_get",
    "SELECT " NGX_CAMERA_API_USER " FROM api_users WHERE id = $1",
    1, NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_users_insert = {
    "api_user_create",
    "SELECT " NGX_CAMERA_API_USER ", outcome"
    " FROM api_user_create_once($1, $2, $3, $4, $5, $6, $7, $8, $9,"
    " $10)",
    10, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_users_change = {
    "api_user_update",
    "SELECT " NGX_CAMERA_API_USER ", outcome"
    " FROM api_user_update($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,"
    " $11)",
    11, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_users_remove = {
    "api_user_delete",
    "SELECT outcome FROM api_user_delete($1, $2, $3, $4)",
    4, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_users_name = {
    "api_user_name",
    "SELECT username::text FROM users WHERE id = $1",
    1, NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_users_password = {
    "api_user_password_reset",
    "SELECT outcome FROM api_user_password_reset($1, $2, $3, $4)",
    4, 0, 0
};

static ngx_camera_api_statement_t  *const ngx_camera_api_users_statements[] = {
    &ngx_camera_api_users_list,
    &ngx_camera_api_users_get,
    &ngx_camera_api_users_insert,
    &ngx_camera_api_users_change,
    &ngx_camera_api_users_remove,
    &ngx_camera_api_users_name,
    &ngx_camera_api_users_password,
    NULL
};


static const char  *const ngx_camera_api_users_roles[] = {
    "admin", "operator", "viewer", "api_only", NULL
};

static const char  *const ngx_camera_api_users_scopes[] = {
    "all", "granted", NULL
};

static const cam_field_t  ngx_camera_api_users_filters[] = {
    { "role", CAM_FIELD_ENUM, 0, 0, 0, ngx_camera_api_users_roles, NULL },
    { "isActive", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },
    { "q", CAM_FIELD_TEXT, 0, 1, 100, NULL, NULL },
    { "limit", CAM_FIELD_LIMIT, 0, 1, 200, NULL, NULL },
    { "cursor", CAM_FIELD_CURSOR, 0, 1, 200, NULL, NULL },
    CAM_FIELD_END
};

/* in the order of the functions' arguments; the password is stored apart */

static const cam_field_t  ngx_camera_api_users_new[] = {
    { "username", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED, 1, 50, NULL,
      ngx_camera_api_users_username },
    { "email", CAM_FIELD_TEXT, CAM_FIELD_NULLABLE, 3, 254, NULL,
      ngx_camera_api_users_email },
    { "role", CAM_FIELD_ENUM, 0, 0, 0, ngx_camera_api_users_roles, NULL },
    { "cameraScope", CAM_FIELD_ENUM, 0, 0, 0, ngx_camera_api_users_scopes,
      NULL },
    { "name", CAM_FIELD_TEXT, CAM_FIELD_NULLABLE, 1, 100, NULL, NULL },
    { "password", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED|CAM_FIELD_SECRET, 8, 72,
      NULL, NULL },
    CAM_FIELD_END
};

static const cam_field_t  ngx_camera_api_users_changes[] = {
    { "username", CAM_FIELD_TEXT, 0, 1, 50, NULL,
      ngx_camera_api_users_username },
    { "email", CAM_FIELD_TEXT, CAM_FIELD_NULLABLE, 3, 254, NULL,
      ngx_camera_api_users_email },
    { "role", CAM_FIELD_ENUM, 0, 0, 0, ngx_camera_api_users_roles, NULL },
    { "isActive", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },
    { "mustChangePassword", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },
    { "cameraScope", CAM_FIELD_ENUM, 0, 0, 0, ngx_camera_api_users_scopes,
      NULL },
    { "name", CAM_FIELD_TEXT, CAM_FIELD_NULLABLE, 1, 100, NULL, NULL },
    CAM_FIELD_END
};

static const cam_field_t  ngx_camera_api_users_reset_fields[] = {
    { "password", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED|CAM_FIELD_SECRET, 8, 72,
      NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_conflict_t  ngx_camera_api_users_conflicts[] = {
    { "users_have_unique_usernames", NGX_CAMERA_API_USER_NAME_DUPLICATE },
    { "users_have_unique_emails", NGX_CAMERA_API_USER_EMAIL_DUPLICATE },
    { "tenants_keep_an_admin", NGX_CAMERA_API_LAST_ADMIN },
    { "nobody_gives_what_they_lack", NGX_CAMERA_API_ROLE_RESTRICTED },
    { "nobody_changes_their_own_role", NGX_CAMERA_API_ROLE_RESTRICTED },
    { NULL, NGX_CAMERA_API_OK }
};


static const ngx_camera_api_route_t  ngx_camera_api_users_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/users",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .flags = NGX_CAMERA_API_LIST,
        .query = ngx_camera_api_users_filters,
        .statement = &ngx_camera_api_users_list,
        .columns = ngx_camera_api_users_columns
    },

    {
        .method = NGX_HTTP_POST,
        .path = "/users",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .flags = NGX_CAMERA_API_CREATED|NGX_CAMERA_API_ETAG,
        .body = ngx_camera_api_users_new,
        .handler = ngx_camera_api_users_create,
        .columns = ngx_camera_api_users_columns,
        .conflicts = ngx_camera_api_users_conflicts
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/users/:id",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .flags = NGX_CAMERA_API_ETAG,
        .ids = NGX_CAMERA_API_ID_UUID,
        .statement = &ngx_camera_api_users_get,
        .columns = ngx_camera_api_users_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_PATCH,
        .path = "/users/:id",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .flags = NGX_CAMERA_API_ETAG,
        .ids = NGX_CAMERA_API_ID_UUID,
        .body = ngx_camera_api_users_changes,
        .handler = ngx_camera_api_users_update,
        .columns = ngx_camera_api_users_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND,
        .conflicts = ngx_camera_api_users_conflicts
    },

    {
        .method = NGX_HTTP_DELETE,
        .path = "/users/:id",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .flags = NGX_CAMERA_API_NO_CONTENT,
        .ids = NGX_CAMERA_API_ID_UUID,
        .handler = ngx_camera_api_users_delete,
        .missing = NGX_CAMERA_API_NOT_FOUND,
        .conflicts = ngx_camera_api_users_conflicts
    },

    {
        .method = NGX_HTTP_POST,
        .path = "/users/:id/password",
        .needs = CAM_PERMIT_USERS_MANAGE,
        .flags = NGX_CAMERA_API_NO_CONTENT,
        .ids = NGX_CAMERA_API_ID_UUID,
        .body = ngx_camera_api_users_reset_fields,
        .handler = ngx_camera_api_users_reset,
        .missing = NGX_CAMERA_API_NOT_FOUND,
        .conflicts = ngx_camera_api_users_conflicts
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_users = {
    "users",
    ngx_camera_api_users_routes,
    ngx_camera_api_users_statements,
    NULL,
    NULL
};


static void
ngx_camera_api_users_create(ngx_camera_api_ctx_t *ctx)
{
    cam_value_t  *username, *password;

    username = &ctx->body[NGX_CAMERA_API_USERS_USERNAME];
    password = &ctx->body[NGX_CAMERA_API_USERS_PASSWORD];

    if (ngx_camera_api_users_policy(ctx, password, username->text,
                                    username->len)
        != NGX_OK)
    {
        return;
    }

    ngx_camera_api_password(ctx, NULL, NULL, password,
                            ngx_camera_api_users_hashed);
}


static void
ngx_camera_api_users_hashed(ngx_camera_api_ctx_t *ctx, ngx_uint_t right,
    const char *made)
{
    ngx_uint_t  i;

    if (ngx_camera_api_param_once(ctx) != NGX_OK
        || ngx_camera_api_users_param_roles(ctx) != NGX_OK
        || ngx_camera_api_users_param_hash(ctx, made) != NGX_OK)
    {
        return;
    }

    for (i = 0; i < NGX_CAMERA_API_USERS_PASSWORD; i++) {
        ngx_camera_api_param_value(ctx, &ctx->body[i]);
    }

    ngx_camera_api_query(ctx, &ngx_camera_api_users_insert,
                         ngx_camera_api_users_created);
}


static void
ngx_camera_api_users_created(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    if (ngx_camera_api_created(ctx, res, "/api/v1/users/") == NGX_OK) {
        ngx_camera_api_reply_rows(ctx, res);
    }
}


static void
ngx_camera_api_users_update(ngx_camera_api_ctx_t *ctx)
{
    const char  *versions;
    ngx_uint_t   i;

    if (ngx_camera_api_if_match(ctx, &versions) != NGX_OK) {
        return;
    }

    ngx_camera_api_null_is(&ctx->body[NGX_CAMERA_API_USERS_EMAIL], "");
    ngx_camera_api_null_is(&ctx->body[NGX_CAMERA_API_USERS_NAME], "");

    ngx_camera_api_param_uuid(ctx, ctx->principal->user);

    if (ngx_camera_api_users_param_roles(ctx) != NGX_OK) {
        return;
    }

    ngx_camera_api_param_text(ctx, (char *) ctx->ids[0].data);
    ngx_camera_api_param_text(ctx, versions);

    for (i = 0; ngx_camera_api_users_changes[i].name; i++) {
        ngx_camera_api_param_value(ctx, &ctx->body[i]);
    }

    ngx_camera_api_query(ctx, &ngx_camera_api_users_change,
                         ngx_camera_api_users_changed);
}


static void
ngx_camera_api_users_delete(ngx_camera_api_ctx_t *ctx)
{
    const char  *versions;

    if (ngx_camera_api_if_match(ctx, &versions) != NGX_OK) {
        return;
    }

    ngx_camera_api_param_uuid(ctx, ctx->principal->user);

    if (ngx_camera_api_users_param_roles(ctx) != NGX_OK) {
        return;
    }

    ngx_camera_api_param_text(ctx, (char *) ctx->ids[0].data);
    ngx_camera_api_param_text(ctx, versions);

    ngx_camera_api_query(ctx, &ngx_camera_api_users_remove,
                         ngx_camera_api_users_changed);
}


static void
ngx_camera_api_users_changed(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    if (ngx_camera_api_outcome(res, "stale")) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_PRECONDITION_FAILED, NULL);
        return;
    }

    ngx_camera_api_reply_rows(ctx, res);
}


/* the policy knows the user's name */

static void
ngx_camera_api_users_reset(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_param_text(ctx, (char *) ctx->ids[0].data);

    ngx_camera_api_query(ctx, &ngx_camera_api_users_name,
                         ngx_camera_api_users_found);
}


static void
ngx_camera_api_users_found(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    if (PQntuples(res) == 0) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_NOT_FOUND, NULL);
        return;
    }

    if (ngx_camera_api_users_policy(ctx, &ctx->body[0], PQgetvalue(res, 0, 0),
                                    PQgetlength(res, 0, 0))
        != NGX_OK)
    {
        return;
    }

    ngx_camera_api_password(ctx, NULL, NULL, &ctx->body[0],
                            ngx_camera_api_users_made);
}


static void
ngx_camera_api_users_made(ngx_camera_api_ctx_t *ctx, ngx_uint_t right,
    const char *made)
{
    ngx_camera_api_param_uuid(ctx, ctx->principal->user);

    if (ngx_camera_api_users_param_roles(ctx) != NGX_OK) {
        return;
    }

    ngx_camera_api_param_text(ctx, (char *) ctx->ids[0].data);

    if (ngx_camera_api_users_param_hash(ctx, made) != NGX_OK) {
        return;
    }

    ngx_camera_api_query(ctx, &ngx_camera_api_users_password,
                         ngx_camera_api_reply_rows);
}


static ngx_int_t
ngx_camera_api_users_param_hash(ngx_camera_api_ctx_t *ctx, const char *made)
{
    u_char  *hash;

    hash = ngx_pnalloc(ctx->request->pool, CAM_PASSWORD_HASH_LEN + 1);

    if (hash == NULL || made == NULL) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return NGX_DONE;
    }

    ngx_cpystrn(hash, (u_char *) made, CAM_PASSWORD_HASH_LEN + 1);
    ngx_camera_api_param_text(ctx, (char *) hash);

    return NGX_OK;
}


ngx_int_t
ngx_camera_api_users_param_roles(ngx_camera_api_ctx_t *ctx)
{
    u_char      *text, *p;
    uint32_t     permissions;
    ngx_uint_t   role;

    text = ngx_pnalloc(ctx->request->pool, NGX_CAMERA_API_USERS_ROLES);

    if (text == NULL) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return NGX_DONE;
    }

    p = text;
    *p++ = '{';

    for (role = CAM_ROLE_ADMIN; role <= CAM_ROLE_API_ONLY; role++) {
        permissions = cam_role_permissions(role);

        if ((permissions & ctx->principal->permissions) == permissions) {
            p = ngx_sprintf(p, "%s%s", p - text > 1 ? "," : "",
                            cam_role_name(role));
        }
    }

    *p++ = '}';
    *p = '\0';

    ngx_camera_api_param_text(ctx, (char *) text);

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_users_policy(ngx_camera_api_ctx_t *ctx,
    const cam_value_t *password, const char *username, size_t len)
{
    const char  *wrong;

    wrong = cam_password_check(password->text, password->len, username, len);

    if (wrong == NULL) {
        return NGX_OK;
    }

    ngx_camera_api_problem(ctx, "password", wrong);
    ngx_camera_api_error(ctx, NGX_CAMERA_API_VALIDATION_FAILED, NULL);

    return NGX_DONE;
}


/* as sql/006_users.sql has it; with an at sign only the email, too, will do */

static const char *
ngx_camera_api_users_username(const char *text, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {

        if ((text[i] >= 'a' && text[i] <= 'z')
            || (text[i] >= 'A' && text[i] <= 'Z')
            || (text[i] >= '0' && text[i] <= '9')
            || (i && ngx_strchr("._@-", text[i])))
        {
            continue;
        }

        return "must be of letters, digits, dots, dashes, underscores and at "
               "signs, and begin with one of the first two";
    }

    return NULL;
}


static const char *
ngx_camera_api_users_email(const char *text, size_t len)
{
    const char  *at;

    at = memchr(text, '@', len);

    if (at == NULL || at == text || at == text + len - 1
        || memchr(at + 1, '@', text + len - at - 1) || memchr(text, ' ', len))
    {
        return "is no address";
    }

    return NULL;
}
