/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What live and recorded playback have in common: how a session starts, and how
 * a playlist is sent.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_camera_hls.h"


static int ngx_camera_hls_take_place(ngx_http_request_t *r,
    const cam_token_t *token, ngx_uint_t limit, time_t idle,
    cam_url_session_t *s);
static ngx_int_t ngx_camera_hls_started(ngx_http_request_t *r, int rc);
static ngx_int_t ngx_camera_hls_say(ngx_http_request_t *r, const char *reason,
    const char *text);


ngx_int_t
ngx_camera_hls_start(ngx_http_request_t *r, const cam_token_t *token,
    ngx_uint_t limit, time_t idle, cam_url_session_t *s)
{
    cam_sessions_t     *z;
    ngx_camera_conf_t  *ccf;

    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    s->key = cam_keys_signer(ccf->keys, CAM_KEY_PLAYBACK)->index;
    s->purpose = token->purpose;
    s->epoch = token->epoch;
    s->started = ngx_time();
    s->ends = s->started + CAM_URL_SESSION_TTL;

    if (r->method == NGX_HTTP_HEAD) {
        return NGX_OK;                  /* a session without a place, unseen */
    }

    z = ngx_camera_hls_worker.sessions;

    if (z == NULL) {
        return ngx_camera_play_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                      "there is no table of sessions");
    }

    return ngx_camera_hls_started(r,
               ngx_camera_hls_take_place(r, token, limit, idle, s));
}


/* a camera that is not known any more, as recordings may have, has no quotas */

static int
ngx_camera_hls_take_place(ngx_http_request_t *r, const cam_token_t *token,
    ngx_uint_t limit, time_t idle, cam_url_session_t *s)
{
    ngx_camera_conf_t     *ccf;
    cam_sessions_start_t   start;
    cam_registry_entry_t   entry;

    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    ngx_memzero(&start, sizeof(cam_sessions_start_t));

    start.jti = token->jti;
    start.camera = token->camera;
    start.tenant = token->tenant;
    start.addr = r->connection->sockaddr;
    start.limit = limit;

    if (r->headers_in.user_agent) {
        start.agent = (char *) r->headers_in.user_agent->value.data;
        start.agent_len = r->headers_in.user_agent->value.len;
    }

    if (cam_registry_find_id(ccf->registry, token->camera, &entry) >= 0) {
        start.max_viewers = entry.max_viewers;
        start.max_egress_kbps = entry.max_egress_kbps;
    }

    return cam_sessions_start(ngx_camera_hls_worker.sessions, &start, idle, s);
}


static ngx_int_t
ngx_camera_hls_started(ngx_http_request_t *r, int rc)
{
    switch (rc) {

    case CAM_SESSIONS_OK:
        return NGX_OK;

    case CAM_SESSIONS_LIMIT:
        return NGX_DECLINED;

    case CAM_SESSIONS_VIEWERS:
        return NGX_BUSY;

    case CAM_SESSIONS_EGRESS:
        return NGX_ABORT;

    case CAM_SESSIONS_FULL:
        return ngx_camera_play_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                      "table of sessions is full");

    default:
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "RAND_bytes() failed");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}


/* people share links: the answer says in words what happened */

ngx_int_t
ngx_camera_hls_not_started(ngx_http_request_t *r, ngx_int_t rc,
    ngx_uint_t limit, time_t idle)
{
    u_char  text[256];

    switch (rc) {

    case NGX_DECLINED:
        *ngx_snprintf(text, sizeof(text) - 1,
                      "This link already plays in %ui places, the most it "
                      "may.\nClose one, wait %T seconds and try again, or get "
                      "a link of your own.\n", limit, idle) = '\0';

        return ngx_camera_hls_say(r, "all sessions of the token are in use",
                                  (char *) text);

    case NGX_BUSY:
        return ngx_camera_hls_say(r, "the tenant's quota of viewers is used",
            "As many people are watching already as this account may have at "
            "once.\nTry again when somebody has left.\n");

    case NGX_ABORT:
        return ngx_camera_hls_say(r, "the tenant's quota of egress is used",
            "As much is being sent already as this account may have sent at "
            "once.\nTry again when somebody has left.\n");

    default:
        return rc;
    }
}


/* 429, once for the log and once for people */

static ngx_int_t
ngx_camera_hls_say(ngx_http_request_t *r, const char *reason, const char *text)
{
    ngx_int_t                 rc;
    ngx_str_t                 type = ngx_string("text/plain");
    ngx_http_complex_value_t  cv;

    rc = ngx_camera_play_refuse(r, NGX_HTTP_TOO_MANY_REQUESTS, reason);

    if (rc != NGX_HTTP_TOO_MANY_REQUESTS) {
        return rc;
    }

    ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));

    cv.value.len = ngx_strlen(text);
    cv.value.data = ngx_pnalloc(r->pool, cv.value.len);

    if (cv.value.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(cv.value.data, text, cv.value.len);

    return ngx_http_send_response(r, NGX_HTTP_TOO_MANY_REQUESTS, &type, &cv);
}


ngx_int_t
ngx_camera_hls_send(ngx_http_request_t *r, ngx_buf_t *b,
    const cam_url_session_t *s)
{
    ngx_chain_t  out;

    out.buf = b;
    out.next = NULL;

    return ngx_camera_hls_send_chain(r, &out, s);
}


ngx_int_t
ngx_camera_hls_send_chain(ngx_http_request_t *r, ngx_chain_t *out,
    const cam_url_session_t *s)
{
    off_t         len;
    ngx_int_t     rc;
    ngx_chain_t  *cl;

    for (cl = out, len = 0; cl; cl = cl->next) {
        len += cl->buf->last - cl->buf->pos;
        cl->buf->last_buf = cl->next == NULL;
        cl->buf->last_in_chain = cl->next == NULL;
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = len;
    ngx_str_set(&r->headers_out.content_type, "application/vnd.apple.mpegurl");
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    if (ngx_camera_play_add_header(r, "Cache-Control", "private, no-store")
        != NGX_OK
        || ngx_camera_play_add_header(r, "Referrer-Policy", "no-referrer")
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    if (ngx_camera_hls_worker.sessions) {
        cam_sessions_sent(ngx_camera_hls_worker.sessions, s, len);
    }

    return ngx_http_output_filter(r, out);
}
