/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /cameras: adding, changing and removing them.
 *
 * Each is one statement, which looks at the condition, does the work and
 * answers in its last column what became of it.  The media plane
 * hears of a change by the database: within a second a camera that may no
 * longer send is cut, and its viewers with it.
 */

#include "ngx_camera.h"
#include "ngx_camera_api_cameras.h"
#include "ngx_camera_api_recordings.h"
#include "utf8.h"
#include "view.h"


static void ngx_camera_api_cameras_create(ngx_camera_api_ctx_t *ctx);
static ngx_int_t ngx_camera_api_cameras_key(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_cameras_nothing(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_cameras_created(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_cameras_update(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_cameras_changed(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_cameras_delete(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_cameras_deleted(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static ngx_uint_t ngx_camera_api_cameras_removes(ngx_camera_api_ctx_t *ctx);
static ngx_uint_t ngx_camera_api_cameras_is_live(const char *camera);
static const char *ngx_camera_api_cameras_external_id(const char *text,
    size_t len);
static const char *ngx_camera_api_cameras_tag(const char *text, size_t len);


/* the version of $1 that is among those of $2, 0 for none; NULL: any */

#define NGX_CAMERA_API_CAMERAS_VERSION                                        \
    "CASE WHEN $2::bigint[] IS NOT NULL THEN coalesce((SELECT c.version"      \
    " FROM cameras c WHERE c.id = $1 AND c.version = ANY ($2)), 0) END"

#define NGX_CAMERA_API_CAMERAS_WRITTEN                                        \
    NGX_CAMERA_API_CAMERA("key_generation", "stream_status",                  \
                          "string_to_array(allowed_cidrs, ',')", "tags",      \
                          "version") ", outcome"


static ngx_camera_api_statement_t  ngx_camera_api_cameras_insert = {
    "api_camera_create",
    "SELECT " NGX_CAMERA_API_CAMERAS_WRITTEN
    " FROM api_camera_create($1, 'POST /cameras', $2, $3, $4, $5, $6, $7, $8,"
    " $9, $10, $11, $12, $13, $14, NULL, $15, $16, $17, $18)",
    18, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_cameras_change = {
    "api_camera_update",
    "SELECT " NGX_CAMERA_API_CAMERAS_WRITTEN
    " FROM api_camera_update($1, " NGX_CAMERA_API_CAMERAS_VERSION ", $3, $4,"
    " $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    17, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_cameras_remove = {
    "api_camera_delete",
    "SELECT $1::uuid, CURRENT_TIMESTAMP, CASE WHEN $3::text = 'remove'"
    " AND d.outcome = 'deleted' THEN api_recording_audit_add($4, $5, $1, NULL,"
    " 'delete', NULL, NULL, $6) END, d.outcome"
    " FROM api_camera_delete($1, " NGX_CAMERA_API_CAMERAS_VERSION ","
    " CASE WHEN $3 = 'remove' THEN 'delete' ELSE 'keep' END) d",
    6, 0, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_cameras_write_statements[] =
{
    &ngx_camera_api_cameras_insert,
    &ngx_camera_api_cameras_change,
    &ngx_camera_api_cameras_remove,
    NULL
};


/* in the order of the functions' arguments */

#define NGX_CAMERA_API_CAMERAS_FIELDS(required)                               \
    { "name", CAM_FIELD_TEXT, required, 1, 100, NULL, NULL },                 \
    { "company", CAM_FIELD_TEXT, required, 1, 100, NULL, NULL },              \
    { "model", CAM_FIELD_TEXT, required, 1, 100, NULL, NULL },                \
    { "serialNumber", CAM_FIELD_TEXT, required, 1, 100, NULL, NULL },         \
    { "location", CAM_FIELD_TEXT, required, 1, 200, NULL, NULL },             \
    { "place", CAM_FIELD_TEXT, required, 1, 200, NULL, NULL },                \
    { "externalId", CAM_FIELD_TEXT, CAM_FIELD_NULLABLE, 1, 100, NULL,         \
      ngx_camera_api_cameras_external_id },                                   \
    { "isActive", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },                      \
    { "isRecording", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },                   \
    { "allowedCidrs", CAM_FIELD_CIDRS, 0, 0, 10, NULL, NULL },                \
    { "cutAtExpiry", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },                   \
    { "retentionDays", CAM_FIELD_INT, CAM_FIELD_NULLABLE, 1,                  \
      NGX_CAMERA_API_RETENTION_DAYS, NULL, NULL },                            \
    { "retentionBytes", CAM_FIELD_INT, CAM_FIELD_NULLABLE, 1,                 \
      NGX_CAMERA_API_RETENTION_BYTES, NULL, NULL },                           \
    { "recordingEncrypted", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },            \
    { "tags", CAM_FIELD_TEXTS, 0, 0, 20, NULL, ngx_camera_api_cameras_tag },  \
    CAM_FIELD_END

#define NGX_CAMERA_API_CAMERAS_EXTERNAL_ID  6
#define NGX_CAMERA_API_CAMERAS_DAYS         11
#define NGX_CAMERA_API_CAMERAS_BYTES        12
#define NGX_CAMERA_API_CAMERAS_ENCRYPTED    13

const cam_field_t  ngx_camera_api_cameras_new[] = {
    NGX_CAMERA_API_CAMERAS_FIELDS(CAM_FIELD_REQUIRED)
};

static const cam_field_t  ngx_camera_api_cameras_changes[] = {
    NGX_CAMERA_API_CAMERAS_FIELDS(0)
};


static const char  *const ngx_camera_api_cameras_recordings[] = {
    "keep", "remove", NULL
};

static const cam_field_t  ngx_camera_api_cameras_removal[] = {
    { "recordings", CAM_FIELD_ENUM, 0, 0, 0, ngx_camera_api_cameras_recordings,
      NULL },
    CAM_FIELD_END
};


const ngx_camera_api_conflict_t  ngx_camera_api_cameras_conflicts[] = {
    { "cameras_have_unique_serial_numbers",
      NGX_CAMERA_API_CAMERA_SERIAL_DUPLICATE },
    { "cameras_have_unique_external_ids",
      NGX_CAMERA_API_CAMERA_EXTERNAL_ID_DUPLICATE },
    { "tenants_have_so_many_cameras", NGX_CAMERA_API_QUOTA_EXCEEDED },
    { NULL, NGX_CAMERA_API_OK }
};


static const ngx_camera_api_route_t  ngx_camera_api_cameras_write_routes[] = {

    {
        .method = NGX_HTTP_POST,
        .path = "/cameras",
        .needs = CAM_PERMIT_CAMERAS_WRITE,
        .flags = NGX_CAMERA_API_CREATED|NGX_CAMERA_API_ETAG,
        .body = ngx_camera_api_cameras_new,
        .handler = ngx_camera_api_cameras_create,
        .columns = ngx_camera_api_cameras_columns,
        .conflicts = ngx_camera_api_cameras_conflicts
    },

    {
        .method = NGX_HTTP_PUT,
        .path = "/cameras/:id",
        .needs = CAM_PERMIT_CAMERAS_WRITE,
        .flags = NGX_CAMERA_API_ETAG,
        .ids = NGX_CAMERA_API_ID_CAMERA,
        .body = ngx_camera_api_cameras_changes,
        .handler = ngx_camera_api_cameras_update,
        .columns = ngx_camera_api_cameras_columns,
        .missing = NGX_CAMERA_API_CAMERA_NOT_FOUND,
        .conflicts = ngx_camera_api_cameras_conflicts
    },

    {
        .method = NGX_HTTP_DELETE,
        .path = "/cameras/:id",
        .needs = CAM_PERMIT_CAMERAS_WRITE,
        .ids = NGX_CAMERA_API_ID_CAMERA,
        .query = ngx_camera_api_cameras_removal,
        .handler = ngx_camera_api_cameras_delete,
        .missing = NGX_CAMERA_API_CAMERA_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_cameras_write = {
    "cameras, write",
    ngx_camera_api_cameras_write_routes,
    ngx_camera_api_cameras_write_statements,
    NULL,
    NULL
};


static void
ngx_camera_api_cameras_create(ngx_camera_api_ctx_t *ctx)
{
    if (ngx_camera_api_cameras_key(ctx) != NGX_OK
        || ngx_camera_api_param_once(ctx) != NGX_OK)
    {
        return;
    }

    ngx_camera_api_cameras_nothing(ctx);
    ngx_camera_api_params(ctx);

    ngx_camera_api_query(ctx, &ngx_camera_api_cameras_insert,
                         ngx_camera_api_cameras_created);
}


/* without one such a camera would not be recorded at all */

static ngx_int_t
ngx_camera_api_cameras_key(ngx_camera_api_ctx_t *ctx)
{
    const char  *wrong;

    wrong = ngx_camera_api_cameras_wrong(ctx->body);

    if (wrong == NULL) {
        return NGX_OK;
    }

    ngx_camera_api_problem(ctx, "recordingEncrypted", wrong);
    ngx_camera_api_error(ctx, NGX_CAMERA_API_VALIDATION_FAILED, NULL);

    return NGX_ERROR;
}


const char *
ngx_camera_api_cameras_wrong(const cam_value_t *body)
{
    ngx_camera_conf_t  *ccf;
    const cam_value_t  *encrypted;

    encrypted = &body[NGX_CAMERA_API_CAMERAS_ENCRYPTED];
    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    return encrypted->text == NULL || encrypted->number == 0
           || cam_keys_signer(ccf->keys, CAM_KEY_RECORDING)
           ? NULL : "needs a signing key of use \"recording\"";
}


static void
ngx_camera_api_cameras_nothing(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_null_is(&ctx->body[NGX_CAMERA_API_CAMERAS_DAYS], "0");
    ngx_camera_api_null_is(&ctx->body[NGX_CAMERA_API_CAMERAS_BYTES], "0");
}


static void
ngx_camera_api_cameras_created(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    if (ngx_camera_api_created(ctx, res, "/api/v1/cameras/") == NGX_OK) {
        ngx_camera_api_reply_rows(ctx, res);
    }
}


static void
ngx_camera_api_cameras_update(ngx_camera_api_ctx_t *ctx)
{
    const char  *versions;
    ngx_uint_t   i, given;

    given = 0;

    for (i = 0; ngx_camera_api_cameras_changes[i].name; i++) {
        given |= ctx->body[i].given;
    }

    if (!given) {
        ngx_camera_api_problem(ctx, "body", "must have at least one field");
        ngx_camera_api_error(ctx, NGX_CAMERA_API_VALIDATION_FAILED, NULL);
        return;
    }

    if (ngx_camera_api_cameras_key(ctx) != NGX_OK
        || ngx_camera_api_if_match(ctx, &versions) != NGX_OK)
    {
        return;
    }

    ngx_camera_api_null_is(&ctx->body[NGX_CAMERA_API_CAMERAS_EXTERNAL_ID], "");
    ngx_camera_api_cameras_nothing(ctx);

    ngx_camera_api_param_text(ctx, (char *) ctx->ids[0].data);
    ngx_camera_api_param_text(ctx, versions);

    for (i = 0; ngx_camera_api_cameras_changes[i].name; i++) {
        ngx_camera_api_param_value(ctx, &ctx->body[i]);
    }

    ngx_camera_api_query(ctx, &ngx_camera_api_cameras_change,
                         ngx_camera_api_cameras_changed);
}


static void
ngx_camera_api_cameras_changed(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    if (ngx_camera_api_outcome(res, "stale")) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_PRECONDITION_FAILED, NULL);
        return;
    }

    ngx_camera_api_reply_rows(ctx, res);
}


static void
ngx_camera_api_cameras_delete(ngx_camera_api_ctx_t *ctx)
{
    const char  *versions;

    if (ngx_camera_api_cameras_removes(ctx)
        && !(ctx->principal->permissions & CAM_PERMIT_RECORDINGS_DELETE))
    {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INSUFFICIENT_PERMISSIONS,
                             NULL);
        return;
    }

    if (ngx_camera_api_if_match(ctx, &versions) != NGX_OK) {
        return;
    }

    /* looked at before, because afterwards its publisher may be gone */

    ctx->data = ngx_camera_api_cameras_is_live((char *) ctx->ids[0].data)
                ? "ended" : "none";

    ngx_camera_api_param_text(ctx, (char *) ctx->ids[0].data);
    ngx_camera_api_param_text(ctx, versions);
    ngx_camera_api_param_value(ctx, &ctx->query[0]);
    ngx_camera_api_recordings_actor(ctx);

    ngx_camera_api_query(ctx, &ngx_camera_api_cameras_remove,
                         ngx_camera_api_cameras_deleted);
}


static ngx_uint_t
ngx_camera_api_cameras_removes(ngx_camera_api_ctx_t *ctx)
{
    return ctx->query[0].text && ctx->query[0].number == 1;
}


static ngx_uint_t
ngx_camera_api_cameras_is_live(const char *camera)
{
    u_char              uuid[CAM_UUID_LEN];
    cam_view_t          view;
    ngx_camera_conf_t  *ccf;

    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    if (cam_uuid_parse(uuid, camera, ngx_strlen(camera)) != 0
        || cam_view_look(&view, ccf->registry, uuid) != 0)
    {
        return 0;
    }

    cam_view_look_ring(&view, ccf->rings_fd, uuid);

    return cam_view_publishing(&view);
}


/* its live files are removed by the packager, which sweeps up after cameras
   that are not known, its recordings by the jobs of camera-worker: those on
   hold stay */

static void
ngx_camera_api_cameras_deleted(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    if (PQntuples(res) == 0) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_CAMERA_NOT_FOUND, NULL);
        return;
    }

    if (ngx_camera_api_outcome(res, "stale")) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_PRECONDITION_FAILED, NULL);
        return;
    }

    ngx_camera_api_begin(ctx, NULL, '{');
    ngx_camera_api_put_uuid(ctx, "id", (u_char *) PQgetvalue(res, 0, 0));
    ngx_camera_api_put_time(ctx, "deletedAt", ngx_camera_api_msec(res, 0, 1));
    ngx_camera_api_put_string(ctx, "liveStream", ctx->data);
    ngx_camera_api_put_string(ctx, "liveFiles", "removed");
    ngx_camera_api_put_string(ctx, "recordings",
                              ngx_camera_api_cameras_removes(ctx) ? "removed"
                                                                  : "kept");
    ngx_camera_api_end(ctx, '}');

    ngx_camera_api_send(ctx, NGX_HTTP_OK);
}


/* what no path could name: "/cameras/{a UUID}" means the id of ours, and dots
   are resolved by whoever sends the path */

static const char *
ngx_camera_api_cameras_external_id(const char *text, size_t len)
{
    u_char  uuid[CAM_UUID_LEN];

    if (cam_uuid_parse(uuid, text, len) == 0) {
        return "must not look like a UUID, as ids do";
    }

    if (ngx_strcmp(text, ".") == 0 || ngx_strcmp(text, "..") == 0) {
        return "must not be dots alone";
    }

    return NULL;
}


/* a word, which the query string and a table can hold as well */

static const char *
ngx_camera_api_cameras_tag(const char *text, size_t len)
{
    return ngx_strchr(text, ' ') || cam_utf8_length(text, len) > 50
           ? "must be a word of at most 50 characters" : NULL;
}
