/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Addresses to play: signed for one camera, good to start within 15 minutes.
 * One that begins in the past is leave to watch a recording, too: it takes the
 * right to that, reaches no further back, and is noted as such.
 *
 * Whose a camera is stands in the registry, so that as a rule the only query is
 * the one that notes who watches, once a minute.  One that it does not know, or
 * knows as another tenant's, is looked for in the database as its tenant sees
 * it: nobody learns which it was.
 */

#include "ngx_camera_api_audit.h"
#include "ngx_camera_api_recordings.h"
#include "ngx_camera_api_status.h"
#include "token.h"
#include "url_sign.h"


static void ngx_camera_api_streams_hls(ngx_camera_api_ctx_t *ctx);
static ngx_int_t ngx_camera_api_streams_from(ngx_camera_api_ctx_t *ctx);
static cam_value_t *ngx_camera_api_streams_begin(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_streams_found(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_streams_note(ngx_camera_api_ctx_t *ctx,
    uint32_t epoch);
static void ngx_camera_api_streams_note_back(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_streams_noted(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_streams_answer(ngx_camera_api_ctx_t *ctx,
    uint32_t epoch);
static ngx_int_t ngx_camera_api_streams_token(ngx_camera_api_ctx_t *ctx,
    uint32_t epoch, int64_t *expires, char text[CAM_TOKEN_MAX]);


static ngx_camera_api_statement_t  ngx_camera_api_streams_epoch = {
    "api_play_epoch",
    "SELECT play_epoch FROM cameras WHERE id = $1 AND deleted_at IS NULL",
    1, NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_streams_back = {
    "api_stream_back",
    "SELECT api_audit_watch(c.id), api_recording_audit_add($3, $4, c.id, NULL,"
    " 'watch', $2, clock_timestamp(), $5)"
    " FROM cameras c WHERE c.id = $1 AND c.deleted_at IS NULL",
    5, 0, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_streams_statements[] =
{
    &ngx_camera_api_streams_epoch,
    &ngx_camera_api_streams_back,
    NULL
};


static const cam_field_t  ngx_camera_api_streams_query[] = {
    { "from", CAM_FIELD_TIME, 0, 0, 0, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_route_t  ngx_camera_api_streams_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/cameras/:id/stream/hls",
        .needs = CAM_PERMIT_STREAMS_VIEW,
        .ids = NGX_CAMERA_API_ID_CAMERA,
        .query = ngx_camera_api_streams_query,
        .handler = ngx_camera_api_streams_hls,
        .missing = NGX_CAMERA_API_CAMERA_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_streams = {
    "streams",
    ngx_camera_api_streams_routes,
    ngx_camera_api_streams_statements,
    NULL,
    NULL
};


static void
ngx_camera_api_streams_hls(ngx_camera_api_ctx_t *ctx)
{
    cam_registry_entry_t  entry;

    if (ngx_camera_api_streams_from(ctx) != NGX_OK) {
        return;
    }

    if (ngx_camera_api_status_entry(ctx, &entry)) {
        ngx_camera_api_streams_note(ctx, entry.play_epoch);
        return;
    }

    ngx_camera_api_param_text(ctx, (char *) ctx->ids[0].data);
    ngx_camera_api_query(ctx, &ngx_camera_api_streams_epoch,
                         ngx_camera_api_streams_found);
}


/* whether it may begin there: as far back as a session lasts */

static ngx_int_t
ngx_camera_api_streams_from(ngx_camera_api_ctx_t *ctx)
{
    int64_t       now;
    cam_value_t  *from;

    from = ngx_camera_api_streams_begin(ctx);

    if (from == NULL) {
        return NGX_OK;
    }

    if (!(ctx->principal->permissions & CAM_PERMIT_RECORDINGS_READ)) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INSUFFICIENT_PERMISSIONS,
                             NULL);
        return NGX_DONE;
    }

    now = (int64_t) ngx_time() * 1000;

    if (from->number > now
        || from->number < now - (int64_t) CAM_URL_SESSION_TTL * 1000)
    {
        ngx_camera_api_problem(ctx, "from", "must be in the last 12 hours");
        ngx_camera_api_error(ctx, NGX_CAMERA_API_VALIDATION_FAILED, NULL);
        return NGX_DONE;
    }

    return NGX_OK;
}


/* NULL: it is live */

static cam_value_t *
ngx_camera_api_streams_begin(ngx_camera_api_ctx_t *ctx)
{
    return ctx->query && ctx->query[0].text ? &ctx->query[0] : NULL;
}


static void
ngx_camera_api_streams_found(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    if (PQntuples(res) == 0) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_CAMERA_NOT_FOUND, NULL);
        return;
    }

    ngx_camera_api_streams_note(ctx, (uint32_t) ngx_camera_api_int(res, 0, 0));
}


/* nobody gets an address who does not stand in the audit */

static void
ngx_camera_api_streams_note(ngx_camera_api_ctx_t *ctx, uint32_t epoch)
{
    u_char     uuid[CAM_UUID_LEN];
    uint32_t  *kept;

    kept = ngx_palloc(ctx->request->pool, sizeof(uint32_t));
    if (kept == NULL) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    *kept = epoch;
    ctx->data = kept;

    if (ngx_camera_api_streams_begin(ctx)) {
        ngx_camera_api_streams_note_back(ctx);
        return;
    }

    (void) cam_uuid_parse(uuid, (char *) ctx->ids[0].data, ctx->ids[0].len);

    if (ngx_camera_api_audit_watching(ctx, uuid, ngx_camera_api_streams_noted)
        == NGX_OK)
    {
        ngx_camera_api_streams_answer(ctx, epoch);
    }
}


/* live, and what is played before it comes to that */

static void
ngx_camera_api_streams_note_back(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_params(ctx);
    ngx_camera_api_recordings_actor(ctx);

    ngx_camera_api_query(ctx, &ngx_camera_api_streams_back,
                         ngx_camera_api_streams_noted);
}


static void
ngx_camera_api_streams_noted(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    u_char     uuid[CAM_UUID_LEN];
    uint32_t  *epoch;

    if (PQntuples(res) == 0) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_CAMERA_NOT_FOUND, NULL);
        return;
    }

    epoch = ctx->data;

    (void) cam_uuid_parse(uuid, (char *) ctx->ids[0].data, ctx->ids[0].len);
    ngx_camera_api_audit_watched(ctx, uuid);

    ngx_camera_api_streams_answer(ctx, *epoch);
}


static void
ngx_camera_api_streams_answer(ngx_camera_api_ctx_t *ctx, uint32_t epoch)
{
    char          token[CAM_TOKEN_MAX], camera[CAM_UUID_TEXT + 1];
    u_char       *url, *p, uuid[CAM_UUID_LEN];
    int64_t       expires;
    ngx_str_t     base;
    cam_value_t  *from;

    if (ngx_camera_api_base_url(ctx, &base) != NGX_OK) {
        return;
    }

    url = ngx_pnalloc(ctx->request->pool,
                      base.len + CAM_UUID_TEXT + CAM_TOKEN_MAX
                      + sizeof("/hls//playlist.m3u8?token=&from=")
                      + NGX_INT64_LEN);

    if (url == NULL
        || ngx_camera_api_streams_token(ctx, epoch, &expires, token)
           != NGX_OK)
    {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    (void) cam_uuid_parse(uuid, (char *) ctx->ids[0].data, ctx->ids[0].len);

    p = ngx_sprintf(url, "%V/hls/%s/playlist.m3u8?token=%s", &base,
                    cam_uuid_print(camera, uuid), token);

    from = ngx_camera_api_streams_begin(ctx);

    if (from) {
        p = ngx_sprintf(p, "&from=%L", from->number);
    }

    ngx_camera_api_begin(ctx, NULL, '{');
    ngx_camera_api_put_text(ctx, "url", url, p - url);
    ngx_camera_api_put_time(ctx, "expiresAt", expires * 1000);
    ngx_camera_api_put_int(ctx, "expiresIn", CAM_TOKEN_PLAYBACK_TTL);
    ngx_camera_api_put_string(ctx, "protocol", "hls");
    ngx_camera_api_end(ctx, '}');

    ngx_camera_api_send(ctx, NGX_HTTP_OK);
}


static ngx_int_t
ngx_camera_api_streams_token(ngx_camera_api_ctx_t *ctx, uint32_t epoch,
    int64_t *expires, char text[CAM_TOKEN_MAX])
{
    cam_token_t                  token;
    cam_value_t                 *from;
    ngx_camera_api_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(ctx->request, ngx_camera_api_module);

    ngx_memzero(&token, sizeof(cam_token_t));

    token.use = CAM_KEY_PLAYBACK;
    token.purpose = CAM_PURPOSE_LIVE;
    token.epoch = epoch;
    token.issued = ngx_time();
    token.expires = token.issued + CAM_TOKEN_PLAYBACK_TTL;
    ngx_memcpy(token.tenant, ctx->principal->tenant, CAM_UUID_LEN);
    ngx_memcpy(token.user, ctx->principal->user, CAM_UUID_LEN);
    ngx_memcpy(token.sid, ctx->principal->sid, CAM_UUID_LEN);

    from = ngx_camera_api_streams_begin(ctx);

    if (from) {
        token.from_msec = from->number;
    }

    (void) cam_uuid_parse(token.camera, (char *) ctx->ids[0].data,
                          ctx->ids[0].len);

    *expires = token.expires;

    if (cam_token_sign(amcf->keys, &token, text, CAM_TOKEN_MAX) == -1) {
        ngx_log_error(NGX_LOG_CRIT, ctx->request->connection->log, ngx_errno,
                      "cam_token_sign() failed for playback");
        return NGX_ERROR;
    }

    return NGX_OK;
}
