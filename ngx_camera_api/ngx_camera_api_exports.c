/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /exports: a range of one camera as one file.  A request is a row, which the
 * camera-worker makes a file of; how far it is stands in the row, and comes as
 * an event.  Deleting the row cancels the work, or has the file removed.
 */

#include "ngx_camera_api_recordings.h"

#define NGX_CAMERA_API_EXPORTS_FROM  1             /* fields, by their place */
#define NGX_CAMERA_API_EXPORTS_TO    2


static void ngx_camera_api_exports_create(ngx_camera_api_ctx_t *ctx);
static ngx_int_t ngx_camera_api_exports_range(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_exports_created(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_exports_delete(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_exports_deleted(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_exports_url(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_exports_url_answer(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static ngx_camera_api_code_e ngx_camera_api_exports_state(const char *state);
static ngx_str_t ngx_camera_api_exports_file(ngx_camera_api_ctx_t *ctx,
    const PGresult *res, cam_record_kind_e kind, const char *ending,
    ngx_str_t *name, int64_t *expires);
static void ngx_camera_api_exports_time(char *text, int64_t msec,
    const char *ending);


#define NGX_CAMERA_API_EXPORT                                                 \
    "e.id, e.camera_id, e.from_time, e.to_time, e.state, e.progress,"         \
    " e.start_time, e.end_time, e.gaps, e.bytes, e.sha256, e.error,"          \
    " u.username, e.created_at, e.started_at, e.finished_at, e.expires_at"

#define NGX_CAMERA_API_EXPORTS                                                \
    "SELECT " NGX_CAMERA_API_EXPORT " FROM api_exports e"                     \
    " LEFT JOIN users u ON u.id = e.created_by"


static const ngx_camera_api_column_t  ngx_camera_api_exports_columns[] = {
    { "id", NGX_CAMERA_API_UUID, NULL },
    { "cameraId", NGX_CAMERA_API_UUID, NULL },
    { "from", NGX_CAMERA_API_TIME, NULL },
    { "to", NGX_CAMERA_API_TIME, NULL },
    { "state", NGX_CAMERA_API_TEXT, NULL },
    { "progress", NGX_CAMERA_API_FLOAT, NULL },
    { "startTime", NGX_CAMERA_API_TIME, NULL },
    { "endTime", NGX_CAMERA_API_TIME, NULL },
    { "gaps", NGX_CAMERA_API_INT, NULL },
    { "bytes", NGX_CAMERA_API_INT, NULL },
    { "sha256", NGX_CAMERA_API_TEXT, NULL },
    { "error", NGX_CAMERA_API_TEXT, NULL },
    { "createdBy", NGX_CAMERA_API_TEXT, NULL },
    { "createdAt", NGX_CAMERA_API_TIME, NULL },
    { "startedAt", NGX_CAMERA_API_TIME, NULL },
    { "finishedAt", NGX_CAMERA_API_TIME, NULL },
    { "expiresAt", NGX_CAMERA_API_TIME, NULL },
    NGX_CAMERA_API_COLUMNS_END
};


static ngx_camera_api_statement_t  ngx_camera_api_exports_list = {
    "api_exports_list",
    NGX_CAMERA_API_EXPORTS
    " WHERE " NGX_CAMERA_API_FILTERS("$1::uuid, $2::text",
        "($1 IS NULL OR e.camera_id = $1)"
        " AND ($2 IS NULL OR e.state = $2)")
    " AND " NGX_CAMERA_API_BEFORE("e.created_at", "e.id", "$4", "$5")
    " ORDER BY e.created_at DESC, e.id DESC LIMIT $3::bigint + 1",
    5, NGX_CAMERA_API_SLOW|NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_exports_get = {
    "api_exports_get",
    NGX_CAMERA_API_EXPORTS " WHERE e.id = $1",
    1, NGX_CAMERA_API_READS, 0
};

/* what is being made shows itself to the next statement only */

static ngx_camera_api_statement_t  ngx_camera_api_exports_insert = {
    "api_export_create",
    "SELECT id, outcome FROM api_export_create_once($1, $2, $3, $4, $5, $6,"
    " $7, $8)",
    8, 0, 0
};

/* one's own, or anybody's for who may delete recordings, $3 */

static ngx_camera_api_statement_t  ngx_camera_api_exports_remove = {
    "api_export_delete",
    "SELECT CASE WHEN $3::boolean OR e.created_by = $2"
    " THEN api_export_delete(e.id) ELSE false END"
    " FROM api_exports e WHERE e.id = $1",
    3, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_exports_signed = {
    "api_export_download",
    "SELECT e.id, e.camera_id, e.state, e.bytes, e.from_time, c.name,"
    " c.play_epoch, CASE WHEN e.state = 'done' THEN api_recording_audit_add("
    "$2, $3, e.camera_id, NULL, 'download', e.from_time, e.to_time, $4) END"
    " FROM api_exports e JOIN cameras c ON c.id = e.camera_id"
    " WHERE e.id = $1",
    4, 0, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_exports_statements[] =
{
    &ngx_camera_api_exports_list,
    &ngx_camera_api_exports_get,
    &ngx_camera_api_exports_insert,
    &ngx_camera_api_exports_remove,
    &ngx_camera_api_exports_signed,
    NULL
};


static const char  *const ngx_camera_api_exports_states[] = {
    "queued", "running", "done", "failed", "expired", NULL
};

static const cam_field_t  ngx_camera_api_exports_filters[] = {
    { "cameraId", CAM_FIELD_UUID, 0, 0, 0, NULL, NULL },
    { "state", CAM_FIELD_ENUM, 0, 0, 0, ngx_camera_api_exports_states, NULL },
    { "limit", CAM_FIELD_LIMIT, 0, 1, 200, NULL, NULL },
    { "cursor", CAM_FIELD_CURSOR, 0, 1, 200, NULL, NULL },
    CAM_FIELD_END
};

static const cam_field_t  ngx_camera_api_exports_new[] = {
    { "cameraId", CAM_FIELD_UUID, CAM_FIELD_REQUIRED, 0, 0, NULL, NULL },
    { "from", CAM_FIELD_TIME, CAM_FIELD_REQUIRED, 0, 0, NULL, NULL },
    { "to", CAM_FIELD_TIME, CAM_FIELD_REQUIRED, 0, 0, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_conflict_t  ngx_camera_api_exports_conflicts[] = {
    { "requests_are_about_a_camera", NGX_CAMERA_API_CAMERA_NOT_FOUND },
    { "exports_are_few_at_a_time", NGX_CAMERA_API_EXPORT_LIMIT_EXCEEDED },
    { "exports_are_of_something", NGX_CAMERA_API_EXPORT_EMPTY },
    { NULL, NGX_CAMERA_API_OK }
};


static const ngx_camera_api_route_t  ngx_camera_api_exports_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/exports",
        .needs = CAM_PERMIT_RECORDINGS_READ,
        .flags = NGX_CAMERA_API_LIST,
        .query = ngx_camera_api_exports_filters,
        .statement = &ngx_camera_api_exports_list,
        .columns = ngx_camera_api_exports_columns
    },

    {
        .method = NGX_HTTP_POST,
        .path = "/exports",
        .needs = CAM_PERMIT_RECORDINGS_READ,
        .flags = NGX_CAMERA_API_CREATED,
        .body = ngx_camera_api_exports_new,
        .handler = ngx_camera_api_exports_create,
        .columns = ngx_camera_api_exports_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND,
        .conflicts = ngx_camera_api_exports_conflicts
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/exports/:id",
        .needs = CAM_PERMIT_RECORDINGS_READ,
        .ids = NGX_CAMERA_API_ID_UUID,
        .statement = &ngx_camera_api_exports_get,
        .columns = ngx_camera_api_exports_columns,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_DELETE,
        .path = "/exports/:id",
        .needs = CAM_PERMIT_RECORDINGS_READ,
        .ids = NGX_CAMERA_API_ID_UUID,
        .handler = ngx_camera_api_exports_delete,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/exports/:id/signed-url",
        .needs = CAM_PERMIT_RECORDINGS_READ,
        .ids = NGX_CAMERA_API_ID_UUID,
        .handler = ngx_camera_api_exports_url,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_exports = {
    "exports",
    ngx_camera_api_exports_routes,
    ngx_camera_api_exports_statements,
    NULL,
    NULL
};


static void
ngx_camera_api_exports_create(ngx_camera_api_ctx_t *ctx)
{
    if (ngx_camera_api_exports_range(ctx) != NGX_OK
        || ngx_camera_api_param_once(ctx) != NGX_OK)
    {
        return;
    }

    ngx_camera_api_params(ctx);
    ngx_camera_api_param_uuid(ctx, ctx->principal->sid);
    ngx_camera_api_param_text(ctx, ngx_camera_api_recordings_address(ctx));

    ngx_camera_api_query(ctx, &ngx_camera_api_exports_insert,
                         ngx_camera_api_exports_created);
}


static ngx_int_t
ngx_camera_api_exports_range(ngx_camera_api_ctx_t *ctx)
{
    int64_t      msec;
    const char  *wrong;

    msec = ctx->body[NGX_CAMERA_API_EXPORTS_TO].number
           - ctx->body[NGX_CAMERA_API_EXPORTS_FROM].number;

    if (msec > 0 && msec <= NGX_CAMERA_API_DAY_MSEC) {
        return NGX_OK;
    }

    wrong = msec > 0 ? "must be 24 hours after from at most"
                     : "must be later than from";

    ngx_camera_api_problem(ctx, "to", wrong);
    ngx_camera_api_error(ctx, NGX_CAMERA_API_VALIDATION_FAILED, NULL);

    return NGX_DONE;
}


/* that of the same request before, too: as it is by now */

static void
ngx_camera_api_exports_created(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    u_char  *id;

    if (ngx_camera_api_created(ctx, res, "/api/v1/exports/") != NGX_OK) {
        return;
    }

    id = ngx_pnalloc(ctx->request->pool, CAM_UUID_LEN);

    if (id == NULL) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    ngx_memcpy(id, PQgetvalue(res, 0, 0), CAM_UUID_LEN);

    ngx_camera_api_param_uuid(ctx, id);
    ngx_camera_api_query(ctx, &ngx_camera_api_exports_get,
                         ngx_camera_api_reply_rows);
}


static void
ngx_camera_api_exports_delete(ngx_camera_api_ctx_t *ctx)
{
    ngx_uint_t  all;

    all = ctx->principal->permissions & CAM_PERMIT_RECORDINGS_DELETE;

    ngx_camera_api_params(ctx);
    ngx_camera_api_param_uuid(ctx, ctx->principal->user);
    ngx_camera_api_param_text(ctx, all ? "true" : "false");

    ngx_camera_api_query(ctx, &ngx_camera_api_exports_remove,
                         ngx_camera_api_exports_deleted);
}


static void
ngx_camera_api_exports_deleted(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    if (PQntuples(res) == 0) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_NOT_FOUND, NULL);
        return;
    }

    if (*PQgetvalue(res, 0, 0) == 0) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INSUFFICIENT_PERMISSIONS,
                             NULL);
        return;
    }

    ngx_camera_api_send(ctx, NGX_HTTP_NO_CONTENT);
}


static void
ngx_camera_api_exports_url(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_params(ctx);
    ngx_camera_api_recordings_actor(ctx);

    ngx_camera_api_query(ctx, &ngx_camera_api_exports_signed,
                         ngx_camera_api_exports_url_answer);
}


static void
ngx_camera_api_exports_url_answer(ngx_camera_api_ctx_t *ctx,
    const PGresult *res)
{
    int64_t                 expires;
    ngx_str_t               video, manifest, name;
    ngx_camera_api_code_e   code;

    if (PQntuples(res) == 0) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_NOT_FOUND, NULL);
        return;
    }

    code = ngx_camera_api_exports_state(PQgetvalue(res, 0, 2));

    if (code != NGX_CAMERA_API_OK) {
        ngx_camera_api_error(ctx, code, NULL);
        return;
    }

    manifest = ngx_camera_api_exports_file(ctx, res, CAM_RECORD_MANIFEST,
                                           ".json", &name, &expires);
    if (manifest.len == 0) {
        return;
    }

    video = ngx_camera_api_exports_file(ctx, res, CAM_RECORD_EXPORT, ".mp4",
                                        &name, &expires);
    if (video.len == 0) {
        return;
    }

    ngx_camera_api_begin(ctx, NULL, '{');
    ngx_camera_api_put_text(ctx, "url", video.data, video.len);
    ngx_camera_api_put_time(ctx, "expiresAt", expires * 1000);
    ngx_camera_api_put_text(ctx, "filename", name.data, name.len);
    ngx_camera_api_put_int(ctx, "fileSize", ngx_camera_api_int(res, 0, 3));
    ngx_camera_api_put_text(ctx, "manifestUrl", manifest.data, manifest.len);
    ngx_camera_api_end(ctx, '}');

    ngx_camera_api_send(ctx, NGX_HTTP_OK);
}


static ngx_camera_api_code_e
ngx_camera_api_exports_state(const char *state)
{
    if (ngx_strcmp(state, "done") == 0) {
        return NGX_CAMERA_API_OK;
    }

    return ngx_strcmp(state, "expired") == 0 ? NGX_CAMERA_API_EXPORT_EXPIRED
                                             : NGX_CAMERA_API_EXPORT_NOT_READY;
}


/* an empty address: that was answered */

static ngx_str_t
ngx_camera_api_exports_file(ngx_camera_api_ctx_t *ctx, const PGresult *res,
    cam_record_kind_e kind, const char *ending, ngx_str_t *name,
    int64_t *expires)
{
    char              rest[sizeof("20260101T120000Z") + sizeof(".json")];
    uint32_t          epoch;
    cam_record_uri_t  what;

    ngx_memzero(&what, sizeof(cam_record_uri_t));

    what.kind = kind;
    ngx_memcpy(what.id, PQgetvalue(res, 0, 0), CAM_UUID_LEN);
    ngx_memcpy(what.camera, PQgetvalue(res, 0, 1), CAM_UUID_LEN);

    ngx_camera_api_exports_time(rest, ngx_camera_api_msec(res, 0, 4), ending);

    epoch = (uint32_t) ngx_camera_api_int(res, 0, 6);

    *name = ngx_camera_api_recordings_name(ctx, PQgetvalue(res, 0, 5),
                                           PQgetlength(res, 0, 5), rest);

    return ngx_camera_api_recordings_download_url(ctx, &what, epoch, name,
                                                  expires);
}


/* "20260101T120000Z.mp4", when its range begins */

static void
ngx_camera_api_exports_time(char *text, int64_t msec, const char *ending)
{
    ngx_tm_t  tm;

    ngx_gmtime((time_t) (msec / 1000), &tm);

    ngx_sprintf((u_char *) text, "%04d%02d%02dT%02d%02d%02dZ%s%Z",
                tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec, ending);
}
