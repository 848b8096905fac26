/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Addresses to play: signed for one camera, good to start within 15 minutes.
 *
 * Whose a camera is stands in the registry, so that as a rule the only query is
 * the one that notes who watches, once a minute.  One that it does not know, or
 * knows as another tenant's, is looked for in the database as its tenant sees
 * it: nobody learns which it was.
 */

#include "ngx_camera_api_audit.h"
#include "ngx_camera_api_status.h"
#include "token.h"
#include "url_sign.h"


static void ngx_camera_api_streams_hls(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_streams_found(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_streams_note(ngx_camera_api_ctx_t *ctx,
    uint32_t epoch);
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

static ngx_camera_api_statement_t  *const
    ngx_camera_api_streams_statements[] =
{
    &ngx_camera_api_streams_epoch,
    NULL
};


static const ngx_camera_api_route_t  ngx_camera_api_streams_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/cameras/:id/stream/hls",
        .needs = CAM_PERMIT_STREAMS_VIEW,
        .ids = NGX_CAMERA_API_ID_CAMERA,
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

    if (ngx_camera_api_status_entry(ctx, &entry)) {
        ngx_camera_api_streams_note(ctx, entry.play_epoch);
        return;
    }

    ngx_camera_api_param_text(ctx, (char *) ctx->ids[0].data);
    ngx_camera_api_query(ctx, &ngx_camera_api_streams_epoch,
                         ngx_camera_api_streams_found);
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

    (void) cam_uuid_parse(uuid, (char *) ctx->ids[0].data, ctx->ids[0].len);

    if (ngx_camera_api_audit_watching(ctx, uuid, ngx_camera_api_streams_noted)
        == NGX_OK)
    {
        ngx_camera_api_streams_answer(ctx, epoch);
    }
}


static void
ngx_camera_api_streams_noted(ngx_camera_api_ctx_t *ctx, const PGresult *res)
{
    u_char     uuid[CAM_UUID_LEN];
    uint32_t  *epoch;

    epoch = ctx->data;

    (void) cam_uuid_parse(uuid, (char *) ctx->ids[0].data, ctx->ids[0].len);
    ngx_camera_api_audit_watched(ctx, uuid);

    ngx_camera_api_streams_answer(ctx, *epoch);
}


static void
ngx_camera_api_streams_answer(ngx_camera_api_ctx_t *ctx, uint32_t epoch)
{
    char        token[CAM_TOKEN_MAX], camera[CAM_UUID_TEXT + 1];
    u_char     *url, *p, uuid[CAM_UUID_LEN];
    int64_t     expires;
    ngx_str_t   base;

    if (ngx_camera_api_base_url(ctx, &base) != NGX_OK) {
        return;
    }

    url = ngx_pnalloc(ctx->request->pool,
                      base.len + CAM_UUID_TEXT + CAM_TOKEN_MAX
                      + sizeof("/hls//playlist.m3u8?token="));

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

    /* may reach back, for as long as a session lasts at most */

    if (ctx->principal->permissions & CAM_PERMIT_RECORDINGS_READ) {
        token.from_msec = (token.issued - CAM_URL_SESSION_TTL) * 1000;
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
