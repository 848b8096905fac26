/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /cameras/bulk: many cameras at once, as JSON or as a table.
 *
 * Each is looked at by itself, first against the fields of a camera and then
 * by the database, and has a result of its own: what is wrong with one does
 * not keep the others from being added.
 */

#include "ngx_camera_api_cameras.h"

#define NGX_CAMERA_API_BULK_CAMERAS  500
#define NGX_CAMERA_API_BULK_DRY_RUN  0          /* fields, by their place */


/* what became of a camera, in the order in which they were sent */
typedef struct {
    cam_problems_t              *problems;      /* NULL: none */
    ngx_camera_api_code_e        code;
    u_char                       id[CAM_UUID_LEN];
} ngx_camera_api_bulk_result_t;


typedef struct {
    ngx_uint_t                     n;
    ngx_uint_t                     good;
    ngx_uint_t                     dry_run;
    ngx_camera_api_bulk_result_t  *results;
} ngx_camera_api_bulk_t;


static void ngx_camera_api_bulk_create(ngx_camera_api_ctx_t *ctx);
static ngx_camera_api_bulk_t *ngx_camera_api_bulk_start(
    ngx_camera_api_ctx_t *ctx, json_t *cameras);
static char *ngx_camera_api_bulk_choose(ngx_camera_api_ctx_t *ctx,
    json_t *cameras);
static ngx_int_t ngx_camera_api_bulk_judge(ngx_camera_api_ctx_t *ctx,
    json_t *camera, ngx_camera_api_bulk_result_t *result);
static char *ngx_camera_api_bulk_text(ngx_camera_api_ctx_t *ctx, json_t *list);
static void ngx_camera_api_bulk_created(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_bulk_read(ngx_camera_api_bulk_result_t *result,
    const PGresult *res, int row);
static ngx_camera_api_code_e ngx_camera_api_bulk_code(const char *violated);
static void ngx_camera_api_bulk_reply(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_bulk_put(ngx_camera_api_ctx_t *ctx, ngx_uint_t i);


static ngx_camera_api_statement_t  ngx_camera_api_bulk_insert = {
    "api_camera_create_bulk",
    "SELECT id, violated FROM api_camera_create_bulk($1, $2) ORDER BY n",
    2, NGX_CAMERA_API_SLOW, 0
};

static ngx_camera_api_statement_t  *const ngx_camera_api_bulk_statements[] = {
    &ngx_camera_api_bulk_insert,
    NULL
};


static const cam_field_t  ngx_camera_api_bulk_query[] = {
    { "dryRun", CAM_FIELD_BOOL, 0, 0, 0, NULL, NULL },
    CAM_FIELD_END
};

static const cam_field_t  ngx_camera_api_bulk_body[] = {
    { "cameras", CAM_FIELD_OBJECTS, CAM_FIELD_REQUIRED, 1,
      NGX_CAMERA_API_BULK_CAMERAS, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_route_t  ngx_camera_api_bulk_routes[] = {

    {
        .method = NGX_HTTP_POST,
        .path = "/cameras/bulk",
        .needs = CAM_PERMIT_CAMERAS_WRITE,
        .flags = NGX_CAMERA_API_BULK,
        .query = ngx_camera_api_bulk_query,
        .body = ngx_camera_api_bulk_body,
        .row = ngx_camera_api_cameras_new,
        .handler = ngx_camera_api_bulk_create
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_cameras_bulk = {
    "cameras, bulk",
    ngx_camera_api_bulk_routes,
    ngx_camera_api_bulk_statements,
    NULL,
    NULL
};


static void
ngx_camera_api_bulk_create(ngx_camera_api_ctx_t *ctx)
{
    char                   *good;
    json_t                 *cameras;
    ngx_camera_api_bulk_t  *bulk;

    cameras = json_object_get(ctx->json, ngx_camera_api_bulk_body[0].name);
    bulk = ngx_camera_api_bulk_start(ctx, cameras);
    good = bulk ? ngx_camera_api_bulk_choose(ctx, cameras) : NULL;

    if (good == NULL) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    if (bulk->good == 0) {
        ngx_camera_api_bulk_reply(ctx);
        return;
    }

    ngx_camera_api_param_text(ctx, good);
    ngx_camera_api_param_text(ctx, bulk->dry_run ? "true" : "false");

    ngx_camera_api_query(ctx, &ngx_camera_api_bulk_insert,
                         ngx_camera_api_bulk_created);
}


static ngx_camera_api_bulk_t *
ngx_camera_api_bulk_start(ngx_camera_api_ctx_t *ctx, json_t *cameras)
{
    ngx_camera_api_bulk_t  *bulk;

    bulk = ngx_pcalloc(ctx->request->pool, sizeof(ngx_camera_api_bulk_t));
    if (bulk == NULL) {
        return NULL;
    }

    bulk->n = json_array_size(cameras);
    bulk->dry_run = ctx->query[NGX_CAMERA_API_BULK_DRY_RUN].number;
    bulk->results = ngx_pcalloc(ctx->request->pool,
                        bulk->n * sizeof(ngx_camera_api_bulk_result_t));

    ctx->data = bulk;

    return bulk->results ? bulk : NULL;
}


/* those that the database shall judge, as text; NULL: no memory */

static char *
ngx_camera_api_bulk_choose(ngx_camera_api_ctx_t *ctx, json_t *cameras)
{
    char                          *text;
    size_t                         i;
    json_t                        *camera, *list;
    ngx_camera_api_bulk_t         *bulk;
    ngx_camera_api_bulk_result_t  *result;

    bulk = ctx->data;
    list = json_array();

    json_array_foreach(cameras, i, camera) {
        result = &bulk->results[i];

        if (ngx_camera_api_bulk_judge(ctx, camera, result) != NGX_OK) {
            json_decref(list);
            return NULL;
        }

        if (result->code == NGX_CAMERA_API_OK) {
            bulk->good++;
            (void) json_array_append(list, camera);
        }
    }

    text = json_array_size(list) == bulk->good
           ? ngx_camera_api_bulk_text(ctx, list) : NULL;

    json_decref(list);

    return text;
}


static ngx_int_t
ngx_camera_api_bulk_judge(ngx_camera_api_ctx_t *ctx, json_t *camera,
    ngx_camera_api_bulk_result_t *result)
{
    char            *text;
    size_t           len;
    cam_room_t       room;
    const char      *wrong;
    cam_value_t      values[CAM_FIELDS_MAX];
    cam_problems_t   problems;

    len = CAM_FIELDS_ROOM(json_dumpb(camera, NULL, 0, JSON_COMPACT));

    text = ngx_alloc(len, ctx->request->connection->log);
    if (text == NULL) {
        return NGX_ERROR;
    }

    room.p = text;
    room.end = text + len;
    problems.n = 0;
    ngx_memzero(values, sizeof(values));

    (void) cam_fields_body(ngx_camera_api_cameras_new, camera, values, &room,
                           &problems);
    ngx_free(text);

    wrong = problems.n ? NULL : ngx_camera_api_cameras_wrong(values);

    if (wrong) {
        cam_fields_problem(&problems, "recordingEncrypted",
                           sizeof("recordingEncrypted") - 1, "%s", wrong);
    }

    if (problems.n == 0) {
        return NGX_OK;
    }

    result->code = NGX_CAMERA_API_VALIDATION_FAILED;
    result->problems = ngx_palloc(ctx->request->pool, sizeof(cam_problems_t));

    if (result->problems == NULL) {
        return NGX_ERROR;
    }

    *result->problems = problems;

    return NGX_OK;
}


static char *
ngx_camera_api_bulk_text(ngx_camera_api_ctx_t *ctx, json_t *list)
{
    char    *text;
    size_t   len;

    len = json_dumpb(list, NULL, 0, JSON_COMPACT);
    text = ngx_pnalloc(ctx->request->pool, len + 1);

    if (text && json_dumpb(list, text, len, JSON_COMPACT) == len) {
        text[len] = '\0';
        return text;
    }

    return NULL;
}


static void
ngx_camera_api_bulk_created(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    int                     row;
    ngx_uint_t              i;
    ngx_camera_api_bulk_t  *bulk;

    bulk = ctx->data;

    if ((ngx_uint_t) PQntuples(res) != bulk->good) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    for (i = 0, row = 0; i < bulk->n; i++) {
        if (bulk->results[i].code == NGX_CAMERA_API_OK) {
            ngx_camera_api_bulk_read(&bulk->results[i], res, row++);
        }
    }

    ngx_camera_api_bulk_reply(ctx);
}


static void
ngx_camera_api_bulk_read(ngx_camera_api_bulk_result_t *result,
    const PGresult *res, int row)
{
    if (!PQgetisnull(res, row, 1)) {
        result->code = ngx_camera_api_bulk_code(PQgetvalue(res, row, 1));

    } else if (!PQgetisnull(res, row, 0)) {
        ngx_memcpy(result->id, PQgetvalue(res, row, 0), CAM_UUID_LEN);
    }
}


static ngx_camera_api_code_e
ngx_camera_api_bulk_code(const char *violated)
{
    const ngx_camera_api_conflict_t  *conflict;

    for (conflict = ngx_camera_api_cameras_conflicts; conflict->constraint;
         conflict++)
    {
        if (ngx_strcmp(conflict->constraint, violated) == 0) {
            return conflict->code;
        }
    }

    return NGX_CAMERA_API_VALIDATION_FAILED;
}


static void
ngx_camera_api_bulk_reply(ngx_camera_api_ctx_t *ctx)
{
    ngx_uint_t              i, good;
    ngx_camera_api_bulk_t  *bulk;

    bulk = ctx->data;

    for (i = 0, good = 0; i < bulk->n; i++) {
        good += bulk->results[i].code == NGX_CAMERA_API_OK;
    }

    ngx_camera_api_begin(ctx, NULL, '{');
    ngx_camera_api_put_bool(ctx, "dryRun", bulk->dry_run);
    ngx_camera_api_put_int(ctx, "created", bulk->dry_run ? 0 : good);
    ngx_camera_api_put_int(ctx, "failed", bulk->n - good);
    ngx_camera_api_begin(ctx, "results", '[');

    for (i = 0; i < bulk->n; i++) {
        ngx_camera_api_bulk_put(ctx, i);
    }

    ngx_camera_api_end(ctx, ']');
    ngx_camera_api_end(ctx, '}');

    ngx_camera_api_send(ctx, NGX_HTTP_OK);
}


static void
ngx_camera_api_bulk_put(ngx_camera_api_ctx_t *ctx, ngx_uint_t i)
{
    ngx_camera_api_bulk_t         *bulk;
    ngx_camera_api_bulk_result_t  *result;

    bulk = ctx->data;
    result = &bulk->results[i];

    ngx_camera_api_begin(ctx, NULL, '{');
    ngx_camera_api_put_int(ctx, "row", i + 1);

    if (result->code != NGX_CAMERA_API_OK) {
        ngx_camera_api_put_string(ctx, "status", "failed");
        ngx_camera_api_put_null(ctx, "id");
        ngx_camera_api_put_error(ctx, "error", result->code,
                                 result->problems);

    } else if (bulk->dry_run) {
        ngx_camera_api_put_string(ctx, "status", "valid");
        ngx_camera_api_put_null(ctx, "id");

    } else {
        ngx_camera_api_put_string(ctx, "status", "created");
        ngx_camera_api_put_uuid(ctx, "id", result->id);
    }

    ngx_camera_api_end(ctx, '}');
}
