/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Addresses of recordings: /recordings/:id/signed-url to download one, and
 * /cameras/:id/recordings/playback to watch a range.  The statement that looks
 * for it also writes into the audit who is given it, so that nobody gets one
 * who does not stand there.
 */

#include "ngx_camera_api_recordings.h"

#define NGX_CAMERA_API_SIGNED_CAMERA    0          /* columns of a download */
#define NGX_CAMERA_API_SIGNED_START     1
#define NGX_CAMERA_API_SIGNED_END       2
#define NGX_CAMERA_API_SIGNED_FILENAME  3
#define NGX_CAMERA_API_SIGNED_SIZE      4
#define NGX_CAMERA_API_SIGNED_NAME      5
#define NGX_CAMERA_API_SIGNED_EPOCH     6
#define NGX_CAMERA_API_SIGNED_REMOVED   7


static void ngx_camera_api_signed_file(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_signed_file_answer(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);
static void ngx_camera_api_signed_put_playback(ngx_camera_api_ctx_t *ctx,
    const ngx_str_t *url);
static ngx_int_t ngx_camera_api_signed_play(ngx_camera_api_ctx_t *ctx,
    const PGresult *res, ngx_str_t *url);
static void ngx_camera_api_signed_range(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_signed_range_answer(ngx_camera_api_ctx_t *ctx,
    const PGresult *res);


static ngx_camera_api_statement_t  ngx_camera_api_signed_download = {
    "api_recording_download",
    "SELECT r.camera_id, r.start_time, r.end_time, r.filename, r.file_size,"
    " c.name, c.play_epoch, c.deleted_at IS NOT NULL,"
    " api_recording_audit_add($3, $4, r.camera_id, r.id, 'download',"
    " r.start_time, r.end_time, $5)"
    " FROM api_recording_url_issued($1, to_timestamp($2::double precision)) r"
    " JOIN cameras c ON c.id = r.camera_id",
    5, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_signed_watch = {
    "api_recording_watch",
    "SELECT c.id, c.play_epoch, api_recording_audit_add($4, $5, c.id, NULL,"
    " 'watch', $2, $3, $6)"
    " FROM cameras c WHERE c.id = $1 AND c.deleted_at IS NULL",
    6, 0, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_signed_statements[] =
{
    &ngx_camera_api_signed_download,
    &ngx_camera_api_signed_watch,
    NULL
};


static const cam_field_t  ngx_camera_api_signed_query[] = {
    { "from", CAM_FIELD_TIME, CAM_FIELD_REQUIRED, 0, 0, NULL, NULL },
    { "to", CAM_FIELD_TIME, CAM_FIELD_REQUIRED, 0, 0, NULL, NULL },
    CAM_FIELD_END
};


static const ngx_camera_api_route_t  ngx_camera_api_signed_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/recordings/:id/signed-url",
        .needs = CAM_PERMIT_RECORDINGS_READ,
        .ids = NGX_CAMERA_API_ID_UUID,
        .handler = ngx_camera_api_signed_file,
        .missing = NGX_CAMERA_API_NOT_FOUND
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/cameras/:id/recordings/playback",
        .needs = CAM_PERMIT_RECORDINGS_READ,
        .ids = NGX_CAMERA_API_ID_CAMERA,
        .query = ngx_camera_api_signed_query,
        .handler = ngx_camera_api_signed_range,
        .missing = NGX_CAMERA_API_CAMERA_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_recordings_signed = {
    "recordings, signed",
    ngx_camera_api_signed_routes,
    ngx_camera_api_signed_statements,
    NULL,
    NULL
};


static void
ngx_camera_api_signed_file(ngx_camera_api_ctx_t *ctx)
{
    ngx_camera_api_params(ctx);
    ngx_camera_api_param_int(ctx, ngx_time()
                                  + NGX_CAMERA_API_RECORDINGS_DOWNLOAD_TTL);
    ngx_camera_api_recordings_actor(ctx);

    ngx_camera_api_query(ctx, &ngx_camera_api_signed_download,
                         ngx_camera_api_signed_file_answer);
}


static void
ngx_camera_api_signed_file_answer(ngx_camera_api_ctx_t *ctx,
    const PGresult *res)
{
    int64_t            expires;
    uint32_t           epoch;
    ngx_str_t          name, url, play;
    cam_record_uri_t   what;

    if (PQntuples(res) == 0) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_NOT_FOUND, NULL);
        return;
    }

    ngx_memzero(&what, sizeof(cam_record_uri_t));

    what.kind = CAM_RECORD_FILE;
    what.start_msec = ngx_camera_api_msec(res, 0, NGX_CAMERA_API_SIGNED_START);
    ngx_memcpy(what.camera, PQgetvalue(res, 0, NGX_CAMERA_API_SIGNED_CAMERA),
               CAM_UUID_LEN);

    epoch = (uint32_t) ngx_camera_api_int(res, 0,
                                          NGX_CAMERA_API_SIGNED_EPOCH);

    name = ngx_camera_api_recordings_name(ctx,
                          PQgetvalue(res, 0, NGX_CAMERA_API_SIGNED_NAME),
                          PQgetlength(res, 0, NGX_CAMERA_API_SIGNED_NAME),
                          PQgetvalue(res, 0, NGX_CAMERA_API_SIGNED_FILENAME));

    if (ngx_camera_api_signed_play(ctx, res, &play) != NGX_OK) {
        return;
    }

    url = ngx_camera_api_recordings_download_url(ctx, &what, epoch, &name,
                                                 &expires);
    if (url.len == 0) {
        return;
    }

    ngx_camera_api_begin(ctx, NULL, '{');
    ngx_camera_api_put_text(ctx, "url", url.data, url.len);
    ngx_camera_api_put_time(ctx, "expiresAt", expires * 1000);
    ngx_camera_api_put_text(ctx, "filename", name.data, name.len);
    ngx_camera_api_put_int(ctx, "fileSize",
                           ngx_camera_api_int(res, 0,
                                              NGX_CAMERA_API_SIGNED_SIZE));
    ngx_camera_api_signed_put_playback(ctx, &play);
    ngx_camera_api_end(ctx, '}');

    ngx_camera_api_send(ctx, NGX_HTTP_OK);
}


static void
ngx_camera_api_signed_put_playback(ngx_camera_api_ctx_t *ctx,
    const ngx_str_t *url)
{
    if (url->len) {
        ngx_camera_api_put_text(ctx, "playbackUrl", url->data, url->len);

    } else {
        ngx_camera_api_put_null(ctx, "playbackUrl");
    }
}


/* none for what a removed camera left, which the media plane does not know;
   nor for a recording of which nothing is there yet */

static ngx_int_t
ngx_camera_api_signed_play(ngx_camera_api_ctx_t *ctx, const PGresult *res,
    ngx_str_t *url)
{
    int64_t   start, end, expires;
    uint32_t  epoch;

    ngx_str_null(url);

    start = ngx_camera_api_msec(res, 0, NGX_CAMERA_API_SIGNED_START);
    end = ngx_camera_api_msec(res, 0, NGX_CAMERA_API_SIGNED_END);

    if (end <= start || *PQgetvalue(res, 0, NGX_CAMERA_API_SIGNED_REMOVED)) {
        return NGX_OK;
    }

    epoch = (uint32_t) ngx_camera_api_int(res, 0,
                                          NGX_CAMERA_API_SIGNED_EPOCH);

    *url = ngx_camera_api_recordings_play_url(ctx, (u_char *)
                       PQgetvalue(res, 0, NGX_CAMERA_API_SIGNED_CAMERA),
                       epoch, start, end, &expires);

    return url->len ? NGX_OK : NGX_DONE;
}


static void
ngx_camera_api_signed_range(ngx_camera_api_ctx_t *ctx)
{
    if (ngx_camera_api_recordings_range(ctx, CAM_RECORD_RANGE_MSEC,
                                        "must be 24 hours after from at most")
        != NGX_OK)
    {
        return;
    }

    ngx_camera_api_params(ctx);
    ngx_camera_api_recordings_actor(ctx);

    ngx_camera_api_query(ctx, &ngx_camera_api_signed_watch,
                         ngx_camera_api_signed_range_answer);
}


static void
ngx_camera_api_signed_range_answer(ngx_camera_api_ctx_t *ctx,
    const PGresult *res)
{
    int64_t    expires;
    ngx_str_t  url;

    if (PQntuples(res) == 0) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_CAMERA_NOT_FOUND, NULL);
        return;
    }

    url = ngx_camera_api_recordings_play_url(ctx, (u_char *)
                              PQgetvalue(res, 0, 0),
                              (uint32_t) ngx_camera_api_int(res, 0, 1),
                              ctx->query[NGX_CAMERA_API_RECORDINGS_FROM].number,
                              ctx->query[NGX_CAMERA_API_RECORDINGS_TO].number,
                              &expires);
    if (url.len == 0) {
        return;
    }

    ngx_camera_api_begin(ctx, NULL, '{');
    ngx_camera_api_put_text(ctx, "url", url.data, url.len);
    ngx_camera_api_put_time(ctx, "expiresAt", expires * 1000);
    ngx_camera_api_put_int(ctx, "expiresIn",
                           NGX_CAMERA_API_RECORDINGS_PLAY_TTL);
    ngx_camera_api_put_string(ctx, "protocol", "hls");
    ngx_camera_api_end(ctx, '}');

    ngx_camera_api_send(ctx, NGX_HTTP_OK);
}
