/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The control plane, for those who write a resource.
 *
 * A resource is one file: its statements, its tables of fields and columns,
 * its routes, and one ngx_camera_api_resource_t, which is added to the list in
 * ngx_camera_api_route.c.  A route is a row:
 *
 *     {
 *         .method = NGX_HTTP_GET,
 *         .path = "/things/:id",
 *         .needs = CAM_PERMIT_CAMERAS_READ,
 *         .ids = NGX_CAMERA_API_ID_UUID,
 *         .statement = &ngx_camera_api_things_get,
 *         .columns = ngx_camera_api_things_columns,
 *         .missing = NGX_CAMERA_API_NOT_FOUND
 *     }
 *
 * Before a handler, or the statement of a route without one, runs, the request
 * has an id, a principal that may do this, room under the limits, and checked
 * input.  The statement's parameters are then the ids of the path, the fields
 * of the query string and those of the body, in the order of their tables.
 *
 * A list comes in pages, ordered by a time and an id, which the statement calls
 * created_at (or cursor_at) and id.  Its fields have a CURSOR, which is two
 * parameters, those two or two NULLs, and a LIMIT; it selects one row more than
 * that, which says that there is another page.
 *
 * A list with filters may have a plain statement, which takes only the first of
 * the same parameters and is used when the others are NULL.
 *
 * NGX_CAMERA_API_BEFORE and _AFTER are the condition that makes it, of a list
 * with the newest and one with the oldest first: a range of an index on every
 * page, the first one included.
 *
 * A handler ends in exactly one of _reply_..., _send(), _error() and _query();
 * after that call it touches nothing, for the request may be gone.  Whatever a
 * query can end in other than an answer is answered by the core.
 */

#ifndef NGX_CAMERA_API_H
#define NGX_CAMERA_API_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <jansson.h>
#include <libpq-fe.h>

#include "fields.h"
#include "keys.h"
#include "ngx_camera_api_limit.h"
#include "ngx_camera_api_session.h"
#include "ngx_camera_pg.h"
#include "role.h"
#include "uuid.h"


/* what a route may need instead of permissions (CAM_PERMIT_...): somebody who
   is logged in; nobody; nobody, but a token that is brought must be good */

#define NGX_CAMERA_API_LOGGED_IN      0
#define NGX_CAMERA_API_PUBLIC         0x10000
#define NGX_CAMERA_API_OPTIONAL       0x20000


/* flags of a route */

#define NGX_CAMERA_API_LIST           0x01    /* an array, in pages */
#define NGX_CAMERA_API_BODY_OPTIONAL  0x02
#define NGX_CAMERA_API_ETAG           0x04    /* of the column "version" */
#define NGX_CAMERA_API_CREATED        0x08    /* 201 instead of 200 */
#define NGX_CAMERA_API_NO_CONTENT     0x10    /* 204, rows are not shown */
#define NGX_CAMERA_API_INTERACTIVE    0x20    /* not with an API token */
#define NGX_CAMERA_API_STREAM         0x40    /* lasts, and is not timed */
#define NGX_CAMERA_API_BULK           0x80    /* a body of up to 256 kB, also
                                                 as CSV: the list that is its
                                                 first field */
#define NGX_CAMERA_API_BEFORE_CHANGE  0x100   /* with a password, too, that has
                                                 to be changed first */
#define NGX_CAMERA_API_ROWS           0x200   /* an array of all there are: no
                                                 row is .missing, one that has
                                                 NULL first is left out */
#define NGX_CAMERA_API_PAGE           0x1000  /* errors lead to a page */
#define NGX_CAMERA_API_ANY_ARGS       0x2000  /* the handler reads them */


#define NGX_CAMERA_API_RETENTION_DAYS    3650
#define NGX_CAMERA_API_RETENTION_BYTES   1000000000000000

#define NGX_CAMERA_API_IDS_MAX        2       /* ":..." in a path */
#define NGX_CAMERA_API_PARAMS_MAX     32


typedef enum {
    NGX_CAMERA_API_ID_NONE = 0,
    NGX_CAMERA_API_ID_UUID,
    NGX_CAMERA_API_ID_CAMERA,     /* an externalId is looked up beforehand */
    NGX_CAMERA_API_ID_TEXT
} ngx_camera_api_id_e;


/* each has a status, a name and a sentence in ngx_camera_api_error.c */

typedef enum {
    NGX_CAMERA_API_OK = 0,
    NGX_CAMERA_API_VALIDATION_FAILED,
    NGX_CAMERA_API_TOKEN_MISSING,
    NGX_CAMERA_API_TOKEN_INVALID,
    NGX_CAMERA_API_CREDENTIALS_INVALID,
    NGX_CAMERA_API_INSUFFICIENT_PERMISSIONS,
    NGX_CAMERA_API_ROLE_RESTRICTED,
    NGX_CAMERA_API_QUOTA_EXCEEDED,
    NGX_CAMERA_API_REGISTRATION_CLOSED,
    NGX_CAMERA_API_PASSWORD_CHANGE_REQUIRED,
    NGX_CAMERA_API_OIDC_DENIED,
    NGX_CAMERA_API_OIDC_STATE_INVALID,
    NGX_CAMERA_API_OIDC_TOKEN_INVALID,
    NGX_CAMERA_API_OIDC_EMAIL_UNVERIFIED,
    NGX_CAMERA_API_OIDC_DOMAIN_NOT_ALLOWED,
    NGX_CAMERA_API_OIDC_NO_ACCOUNT,
    NGX_CAMERA_API_OIDC_ACCOUNT_DISABLED,
    NGX_CAMERA_API_NOT_FOUND,
    NGX_CAMERA_API_CAMERA_NOT_FOUND,
    NGX_CAMERA_API_METHOD_NOT_ALLOWED,
    NGX_CAMERA_API_REQUEST_TIMEOUT,
    NGX_CAMERA_API_CAMERA_SERIAL_DUPLICATE,
    NGX_CAMERA_API_CAMERA_EXTERNAL_ID_DUPLICATE,
    NGX_CAMERA_API_USER_NAME_DUPLICATE,
    NGX_CAMERA_API_LAST_ADMIN,
    NGX_CAMERA_API_NAME_DUPLICATE,
    NGX_CAMERA_API_USER_EMAIL_DUPLICATE,
    NGX_CAMERA_API_IDEMPOTENCY_KEY_REUSED,
    NGX_CAMERA_API_RECORDING_LOCKED,
    NGX_CAMERA_API_RECORDING_IN_PROGRESS,
    NGX_CAMERA_API_EXPORT_EMPTY,
    NGX_CAMERA_API_EXPORT_NOT_READY,
    NGX_CAMERA_API_TOKEN_LIMIT_EXCEEDED,
    NGX_CAMERA_API_EXPORT_EXPIRED,
    NGX_CAMERA_API_PRECONDITION_FAILED,
    NGX_CAMERA_API_PAYLOAD_TOO_LARGE,
    NGX_CAMERA_API_UNSUPPORTED_MEDIA_TYPE,
    NGX_CAMERA_API_RATE_LIMIT_EXCEEDED,
    NGX_CAMERA_API_CONCURRENT_LIMIT_EXCEEDED,
    NGX_CAMERA_API_EXPORT_LIMIT_EXCEEDED,
    NGX_CAMERA_API_INTERNAL_ERROR,
    NGX_CAMERA_API_RECORDING_FAILED,
    NGX_CAMERA_API_SERVICE_UNAVAILABLE,
    NGX_CAMERA_API_OIDC_PROVIDER_FAILED,
    NGX_CAMERA_API_STREAM_OFFLINE,
    NGX_CAMERA_API_STREAM_NODE_UNAVAILABLE,
    NGX_CAMERA_API_STORAGE_FULL
} ngx_camera_api_code_e;


typedef struct ngx_camera_api_ctx_s  ngx_camera_api_ctx_t;

typedef void (*ngx_camera_api_handler_pt)(ngx_camera_api_ctx_t *ctx);
typedef void (*ngx_camera_api_rows_pt)(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);


/*
 * A statement; results are binary.  One that only reads shares a transaction
 * with others of its moment, and may be sent twice.  There is one plan for all
 * parameters.  What is to be looked up in an index is compared with parameters
 * and CASEs of them, with no COALESCE and behind no OR: PostgreSQL would not
 * let it go before row-level security.
 */

#define NGX_CAMERA_API_SLOW           0x01    /* a list or a report */
#define NGX_CAMERA_API_READS          0x02

typedef struct {
    const char                         *name;
    const char                         *sql;
    ngx_uint_t                          params;
    ngx_uint_t                          flags;

    ngx_uint_t                          index;     /* set at the start */
} ngx_camera_api_statement_t;


/* conditions that may be absent, and the parameters that they depend on: one
   for the plan, so that it does not expect that hardly any row passes all of
   them, and sort a tenant's rows for each page */

#define NGX_CAMERA_API_FILTERS(params, conditions)                            \
    "CASE WHEN num_nonnulls(" params ") = 0 THEN true ELSE " conditions " END"


/* where a page begins, at and id being columns, time and uuid parameters */

#define NGX_CAMERA_API_BEFORE(at, id, time, uuid)                             \
    "(" at ", " id ") < (CASE WHEN " time "::timestamptz IS NULL"             \
    " THEN 'infinity' ELSE " time " END, CASE WHEN " uuid "::uuid IS NULL"    \
    " THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE " uuid " END)"

#define NGX_CAMERA_API_AFTER(at, id, time, uuid)                              \
    "(" at ", " id ") > (CASE WHEN " time "::timestamptz IS NULL"             \
    " THEN '-infinity' ELSE " time " END, CASE WHEN " uuid "::uuid IS NULL"   \
    " THEN '00000000-0000-0000-0000-000000000000' ELSE " uuid " END)"


/* columns of a statement, in its order */

typedef enum {
    NGX_CAMERA_API_HIDDEN = 0,
    NGX_CAMERA_API_TEXT,                 /* text, varchar and enums */
    NGX_CAMERA_API_UUID,
    NGX_CAMERA_API_BOOL,
    NGX_CAMERA_API_INT,                  /* int2, int4, int8 */
    NGX_CAMERA_API_FLOAT,                /* float4, float8 */
    NGX_CAMERA_API_TIME,                 /* timestamptz */
    NGX_CAMERA_API_TEXTS,                /* text[]; NULL: none */
    NGX_CAMERA_API_JSON,                 /* json, jsonb cast to text */
    NGX_CAMERA_API_BY                    /* by its function, which puts */
} ngx_camera_api_type_e;


typedef struct {
    const char                         *name;
    ngx_camera_api_type_e               type;
    void                              (*put)(ngx_camera_api_ctx_t *ctx,
                                             const char *name,
                                             const PGresult *res, int row,
                                             int column);
} ngx_camera_api_column_t;

#define NGX_CAMERA_API_COLUMNS_END  { NULL, NGX_CAMERA_API_HIDDEN, NULL }


/* which code a violated constraint means */

typedef struct {
    const char                         *constraint;
    ngx_camera_api_code_e               code;
} ngx_camera_api_conflict_t;


typedef struct {
    ngx_uint_t                          method;    /* NGX_HTTP_GET, ... */
    const char                         *path;      /* behind /api/v1, or
                                                      "/api/..." itself */
    ngx_uint_t                          needs;     /* all of these bits */
    ngx_uint_t                          flags;
    ngx_camera_api_id_e                 ids;
    const cam_field_t                  *query;
    const cam_field_t                  *body;
    const cam_field_t                  *row;       /* of _BULK: its items */

    ngx_camera_api_handler_pt           handler;   /* NULL: the statement */

    ngx_camera_api_statement_t         *statement;
    ngx_camera_api_statement_t         *plain;     /* without filters */
    const ngx_camera_api_column_t      *columns;
    ngx_camera_api_code_e               missing;   /* when there is no row */
    const ngx_camera_api_conflict_t    *conflicts;
} ngx_camera_api_route_t;


typedef struct {
    const char                         *name;
    const ngx_camera_api_route_t       *routes;    /* a NULL path ends them */
    ngx_camera_api_statement_t  *const *statements;   /* a NULL ends them */
    ngx_int_t                         (*init_process)(ngx_cycle_t *cycle);
    void                              (*exit_process)(ngx_cycle_t *cycle);
} ngx_camera_api_resource_t;


typedef struct {
    ngx_uint_t                          kind;      /* ..._SESSION, _TOKEN */
    u_char                              key[NGX_CAMERA_API_SESSION_KEY];
    u_char                              user[CAM_UUID_LEN];
    u_char                              tenant[CAM_UUID_LEN];
    u_char                              sid[CAM_UUID_LEN];    /* of either */
    u_char                              token[CAM_UUID_LEN];  /* 0: none */
    cam_role_e                          role;
    uint32_t                            permissions;
    time_t                              expires;   /* of the token */
    ngx_camera_api_rate_t               rate;      /* 0: not its own */
    ngx_uint_t                          concurrent;
    ngx_uint_t                          tenant_requests;      /* per hour */
    u_char                              username[52];   /* with its NUL */
    unsigned                            scoped:1;  /* sees what is granted to
                                                      the user, not all that
                                                      the tenant has */
    unsigned                            must_change:1;   /* the password */

    ngx_str_t                           tenant_text;
    u_char                              tenant_uuid[CAM_UUID_TEXT + 1];
} ngx_camera_api_principal_t;


/*
 * Whose access token or API token this is.  ngx_camera_api_identify() answers
 * NGX_OK with the principal, NGX_DECLINED for a token that is not good,
 * NGX_ERROR when it cannot be found out now, or NGX_AGAIN: then handler runs
 * once, with NGX_CAMERA_API_OK, _TOKEN_INVALID or _SERVICE_UNAVAILABLE, unless
 * it is cancelled first.  Where stranger is set, it is asked before the
 * database is about an API token that was never seen, which anybody can make
 * up; NGX_BUSY: not now.
 */

typedef struct {
    ngx_camera_api_principal_t          principal;
    const struct sockaddr              *peer;      /* who shows it */
    void                              (*handler)(void *data,
                                                 ngx_camera_api_code_e code);
    ngx_int_t                         (*stranger)(void *data);
    void                               *data;

    ngx_queue_t                         queue;     /* private */
    unsigned                            waiting:1;
} ngx_camera_api_identity_t;

ngx_int_t ngx_camera_api_identify(ngx_camera_api_identity_t *identity,
    const ngx_str_t *token);
void ngx_camera_api_identify_cancel(ngx_camera_api_identity_t *identity);


struct ngx_camera_api_ctx_s {
    ngx_http_request_t                 *request;
    ngx_str_t                           id;        /* X-Request-Id */
    const ngx_camera_api_route_t       *route;     /* NULL: none yet */
    ngx_uint_t                          step;      /* of the walk */

    ngx_str_t                           ids[NGX_CAMERA_API_IDS_MAX];
    ngx_camera_api_principal_t         *principal; /* NULL: nobody */
    ngx_camera_api_identity_t          *identity;  /* where it comes from */

    cam_value_t                        *query;     /* as in the tables */
    cam_value_t                        *body;
    json_t                             *json;      /* the body, wiped and freed
                                                      with the request */
    ngx_str_t                           text;      /* of it, while it comes */
    size_t                              text_size;
    unsigned                            text_csv:1;
    unsigned                            late:1;    /* it was waited for */
    cam_problems_t                     *problems;  /* NULL: none */

    ngx_camera_pg_param_t               params[NGX_CAMERA_API_PARAMS_MAX];
    ngx_uint_t                          nparams;

    ngx_camera_api_limit_t             *limits;    /* nlimits of them */
    ngx_uint_t                          nlimits;
    ngx_int_t                           running;   /* counted, for a while */

    /* one thing at a time is waited for */
    ngx_queue_t                         warming;
    unsigned                            cold:1;
    ngx_camera_pg_query_t              *pg_query;
    ngx_camera_api_statement_t         *statement;
    ngx_camera_api_rows_pt              rows;
    ngx_uint_t                          asked;     /* with so many params */
    unsigned                            again:1;   /* for the second time */

    /* JSON on its way out */
    ngx_chain_t                        *out;
    ngx_chain_t                       **out_last;
    ngx_buf_t                          *out_buf;
    off_t                               out_length;
    unsigned                            out_comma:1;
    unsigned                            out_failed:1;

    unsigned                            headed:1;  /* common ones are set */
    unsigned                            answered:1;
    ngx_camera_api_code_e               code;      /* of the answer */
    time_t                              retry_after;
    ngx_str_t                           page;      /* where a person came from,
                                                      a path; empty: "/" */
    void                               *data;      /* the handler's own */
};


/*
 * Queries.  Parameters are added in order and live as long as the request, for
 * they may be sent again; texts need their NUL.  rows runs when the statement
 * was answered.
 */

void ngx_camera_api_param_text(ngx_camera_api_ctx_t *ctx, const char *text);
void ngx_camera_api_param_uuid(ngx_camera_api_ctx_t *ctx, const u_char *uuid);
void ngx_camera_api_param_binary(ngx_camera_api_ctx_t *ctx, const void *data,
    size_t len);
void ngx_camera_api_param_int(ngx_camera_api_ctx_t *ctx, int64_t value);
void ngx_camera_api_param_value(ngx_camera_api_ctx_t *ctx,
    const cam_value_t *value);

/* a null, which takes something away, as the database's functions call it: "0",
   "", "infinity" */
void ngx_camera_api_null_is(cam_value_t *value, const char *text);

/* the parameters that a route without a handler gets */
void ngx_camera_api_params(ngx_camera_api_ctx_t *ctx);

void ngx_camera_api_query(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_statement_t *statement, ngx_camera_api_rows_pt rows);


/*
 * Answers.  _put_ functions write members of the object that is open, or items
 * of the array when name is NULL; what fails in between is told by _send().
 */

void ngx_camera_api_begin(ngx_camera_api_ctx_t *ctx, const char *name,
    char bracket);
void ngx_camera_api_end(ngx_camera_api_ctx_t *ctx, char bracket);
void ngx_camera_api_put_text(ngx_camera_api_ctx_t *ctx, const char *name,
    const void *text, size_t len);
void ngx_camera_api_put_string(ngx_camera_api_ctx_t *ctx, const char *name,
    const char *text);
void ngx_camera_api_put_int(ngx_camera_api_ctx_t *ctx, const char *name,
    int64_t value);
void ngx_camera_api_put_float(ngx_camera_api_ctx_t *ctx, const char *name,
    double value);
void ngx_camera_api_put_bool(ngx_camera_api_ctx_t *ctx, const char *name,
    ngx_uint_t value);
void ngx_camera_api_put_null(ngx_camera_api_ctx_t *ctx, const char *name);
void ngx_camera_api_put_uuid(ngx_camera_api_ctx_t *ctx, const char *name,
    const u_char *uuid);
void ngx_camera_api_put_time(ngx_camera_api_ctx_t *ctx, const char *name,
    int64_t msec);
void ngx_camera_api_put_json(ngx_camera_api_ctx_t *ctx, const char *name,
    const void *json, size_t len);

/* an integer of a row, or null */
void ngx_camera_api_put_int_of(ngx_camera_api_ctx_t *ctx, const char *name,
    const PGresult *res, int row, int column);

/* columns of a row, without brackets */
void ngx_camera_api_put_row(ngx_camera_api_ctx_t *ctx,
    const ngx_camera_api_column_t *columns, const PGresult *res, int row);

/* name is a literal; the value is not copied */
ngx_int_t ngx_camera_api_header(ngx_camera_api_ctx_t *ctx, const char *name,
    const ngx_str_t *value);

/* a header of the request, NULL when there is none; name is in lower case */
ngx_str_t *ngx_camera_api_header_in(ngx_http_request_t *r, const char *name);

/* what was put, with a status; 204 for nothing */
void ngx_camera_api_send(ngx_camera_api_ctx_t *ctx, ngx_uint_t status);

/* rows as the route has it: its columns, flags and code for none */
void ngx_camera_api_reply_rows(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);


/* message is for people, NULL: the usual one; problems become details */
void ngx_camera_api_error(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_code_e code, const char *message);

/* a member with code, message and details, of one thing of many */
void ngx_camera_api_put_error(ngx_camera_api_ctx_t *ctx, const char *name,
    ngx_camera_api_code_e code, const cam_problems_t *problems);

/* for a code of 429 or 503, which say 1 second otherwise */
void ngx_camera_api_error_later(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_code_e code, time_t seconds);

/* 302, to a path of ours or to a URL that was judged */
void ngx_camera_api_redirect(ngx_camera_api_ctx_t *ctx,
    const ngx_str_t *where);

/* before ngx_camera_api_error(VALIDATION_FAILED); both are literals */
void ngx_camera_api_problem(ngx_camera_api_ctx_t *ctx, const char *field,
    const char *message);


/*
 * An answer that goes on for long: its headers, with 200 and that type.  It is
 * none of those that run at once any more, and may not query.  NGX_OK: its
 * handler sends the rest, and ends in ngx_camera_api_finish(); NGX_DONE: there
 * is no rest, the request may be gone.
 */
ngx_int_t ngx_camera_api_stream(ngx_camera_api_ctx_t *ctx, const char *type);

/* the same for an answer whose headers the handler sends by itself */
void ngx_camera_api_stay(ngx_camera_api_ctx_t *ctx);

/* ends the request; whatever answers comes through here */
void ngx_camera_api_finish(ngx_camera_api_ctx_t *ctx, ngx_int_t rc);


/*
 * Conditions of a change.  Both answer NGX_OK, or NGX_DONE: the header is
 * malformed, and that was answered.
 */

/* versions that If-Match names, as an array of SQL's; NULL: any will do */
ngx_int_t ngx_camera_api_if_match(ngx_camera_api_ctx_t *ctx,
    const char **versions);

/* who asks, the key, NULL for none, and the hash of what the body says: three
   parameters of a statement that makes something once */
ngx_int_t ngx_camera_api_param_once(ngx_camera_api_ctx_t *ctx);

/* what came of that: its id is the first column, "reused" may be the last one.
   NGX_OK: Location is set to path and id; NGX_DONE: it was answered */
ngx_int_t ngx_camera_api_created(ngx_camera_api_ctx_t *ctx,
    const PGresult *res, const char *path);

/* whether it is this that a change came to, which its last column says */
ngx_uint_t ngx_camera_api_outcome(const PGresult *res, const char *outcome);


/* "https://host:port", in front of a path.  NGX_OK, or NGX_DONE: the Host of
   the request is none, and that was answered */
ngx_int_t ngx_camera_api_base_url(ngx_camera_api_ctx_t *ctx, ngx_str_t *base);

/* the same without an answer; NGX_DECLINED: it is none, or NGX_ERROR */
ngx_int_t ngx_camera_api_base_of(ngx_http_request_t *r, ngx_str_t *base);


/* reading rows: numbers of any width; NULL is for the caller to see */
int64_t ngx_camera_api_int(const PGresult *res, int row, int column);
int64_t ngx_camera_api_msec(const PGresult *res, int row, int column);


/*
 * One NOTIFY channel, for each worker; registered by init_process.  While
 * nobody listens, notifications are lost; listening, which may be NULL, is
 * told of each change.
 */

typedef struct ngx_camera_api_notify_s  ngx_camera_api_notify_t;

struct ngx_camera_api_notify_s {
    const char                         *channel;
    void                              (*handler)(void *data,
                                                 const char *payload);
    void                              (*listening)(void *data, ngx_uint_t up);
    void                               *data;
    ngx_camera_api_notify_t            *next;
};

void ngx_camera_api_notify(ngx_camera_api_notify_t *notify);

/* 1 and the id when a payload of "principal_changed" is that prefix, "token:",
   "session:", "user:" or "tenant:", and an id */
ngx_uint_t ngx_camera_api_principal_named(const char *payload,
    const char *prefix, u_char id[CAM_UUID_LEN]);


/* an array of the names of these bits */
void ngx_camera_api_put_permissions(ngx_camera_api_ctx_t *ctx,
    const char *name, uint32_t permissions);


typedef struct {
    ngx_str_t                           database;
    ngx_str_t                           publish_url;
    ngx_str_t                           public_url;    /* empty: by Host */
    cam_keys_t                         *keys;
    ngx_uint_t                          used;      /* by a location */

    ngx_camera_api_rate_t               user_rate;
    ngx_camera_api_rate_t               address_rate;
    ngx_camera_api_rate_t               tenant_rate;   /* 0: none */
    ngx_uint_t                          concurrent;
    ngx_uint_t                          token_concurrent;
    ngx_uint_t                          streams;
    ngx_msec_t                          events_comment;
    ngx_uint_t                          login_failures;
    ngx_camera_api_rate_t               login_rate;
} ngx_camera_api_main_conf_t;

/* NULL when no location has "camera_api" */
ngx_camera_api_main_conf_t *ngx_camera_api_conf(ngx_cycle_t *cycle);


extern ngx_module_t  ngx_camera_api_module;


#endif /* NGX_CAMERA_API_H */
