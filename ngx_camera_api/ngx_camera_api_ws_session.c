/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What is said over a WebSocket, in JSON.
 *
 *     nobody    [_follow]      waits for a token, for five seconds
 *     checked   [_auth]        a token, the first one or a newer one
 *     follows   [_known]       until its token ends; a newer one goes on, for
 *                              the same user, with other types perhaps
 */

#include "ngx_camera_api_core.h"
#include "ngx_camera_api_ws.h"

#define NGX_CAMERA_API_WS_AUTH_MSEC  5000


static void ngx_camera_api_ws_auth(ngx_camera_api_ws_t *ws);
static void ngx_camera_api_ws_checked(void *data, ngx_camera_api_code_e code);
static void ngx_camera_api_ws_known(ngx_camera_api_ws_t *ws,
    const ngx_camera_api_principal_t *principal);
static void ngx_camera_api_ws_renewed(ngx_camera_api_ws_t *ws,
    const ngx_camera_api_principal_t *principal);


void
ngx_camera_api_ws_follow(ngx_camera_api_ws_t *ws)
{
    ws->identity.handler = ngx_camera_api_ws_checked;
    ws->identity.data = ws;
    ws->identity.peer = ws->wire.request->connection->sockaddr;

    if (ws->wire.ctx->principal) {
        ws->asked.types = CAM_EVENT_ALL;
        ngx_camera_api_ws_known(ws, ws->wire.ctx->principal);
        return;
    }

    ws->wire.end_at = ngx_current_msec + NGX_CAMERA_API_WS_AUTH_MSEC;
    ngx_camera_api_wire_set_timer(&ws->wire);
}


void
ngx_camera_api_ws_said(ngx_camera_api_ws_t *ws, const char *text, size_t len)
{
    cam_event_client_t  said;

    static const char  pong[] = "{\"type\":\"pong\"}";

    if (cam_event_client_read(&said, text, len) != 0) {
        ngx_camera_api_ws_refuse(ws, "VALIDATION_FAILED");
        return;
    }

    if (said.kind == CAM_EVENT_CLIENT_PING) {
        cam_event_client_wipe(&said);
        (void) ngx_camera_api_ws_say(ws, pong, sizeof(pong) - 1);
        return;
    }

    if (ws->checking) {
        cam_event_client_wipe(&said);
        ngx_camera_api_ws_refuse(ws, "VALIDATION_FAILED");
        return;
    }

    ws->asked = said;
    ngx_camera_api_ws_auth(ws);
}


static void
ngx_camera_api_ws_auth(ngx_camera_api_ws_t *ws)
{
    ngx_int_t  rc;
    ngx_str_t  token;

    token.data = (u_char *) ws->asked.token;
    token.len = ws->asked.token_len;

    ws->checking = 1;

    rc = ngx_camera_api_identify(&ws->identity, &token);

    cam_event_client_wipe(&ws->asked);

    switch (rc) {

    case NGX_AGAIN:
        return;

    case NGX_OK:
        ngx_camera_api_ws_checked(ws, NGX_CAMERA_API_OK);
        return;

    case NGX_DECLINED:
        ngx_camera_api_ws_checked(ws, NGX_CAMERA_API_TOKEN_INVALID);
        return;

    default:
        ngx_camera_api_ws_checked(ws, NGX_CAMERA_API_SERVICE_UNAVAILABLE);
        return;
    }
}


static void
ngx_camera_api_ws_checked(void *data, ngx_camera_api_code_e code)
{
    ngx_uint_t            needs;
    ngx_camera_api_ws_t  *ws = data;

    ws->checking = 0;

    if (ws->closing) {
        return;                        /* its time ended while it was asked */
    }

    needs = CAM_PERMIT_CAMERAS_READ;

    if (code == NGX_CAMERA_API_OK
        && (ws->identity.principal.permissions & needs) != needs)
    {
        code = NGX_CAMERA_API_INSUFFICIENT_PERMISSIONS;
    }

    if (code == NGX_CAMERA_API_OK && ws->identity.principal.must_change) {
        code = NGX_CAMERA_API_PASSWORD_CHANGE_REQUIRED;
    }

    if (code == NGX_CAMERA_API_OK && ws->wire.follows
        && ngx_memcmp(ws->principal.user, ws->identity.principal.user,
                      CAM_UUID_LEN)
           != 0)
    {
        code = NGX_CAMERA_API_TOKEN_INVALID;
    }

    if (code != NGX_CAMERA_API_OK) {
        ngx_camera_api_ws_refuse(ws, ngx_camera_api_code_name(code));

    } else if (ws->wire.follows) {
        ngx_camera_api_ws_renewed(ws, &ws->identity.principal);

    } else {
        ngx_camera_api_ws_known(ws, &ws->identity.principal);
    }
}


/* until now it was one of the requests that an address may have at once */

static void
ngx_camera_api_ws_known(ngx_camera_api_ws_t *ws,
    const ngx_camera_api_principal_t *principal)
{
    ngx_camera_api_follower_t  *follower = &ws->wire.follower;

    if (ngx_camera_api_wire_enter(&ws->wire, principal) != NGX_OK) {
        ngx_camera_api_ws_refuse(ws, "CONCURRENT_LIMIT_EXCEEDED");
        return;
    }

    ngx_camera_api_stay(ws->wire.ctx);

    ws->principal = *principal;
    ws->principal.tenant_text.data = ws->principal.tenant_uuid;

    if (ws->wire.ctx->principal == NULL) {
        ws->wire.ctx->principal = &ws->principal;      /* for the access log */
    }

    follower->principal = &ws->principal;
    follower->types = ws->asked.types;
    follower->last = ws->asked.last;
    follower->resumes = ws->asked.resumes;

    ngx_camera_api_wire_follow(&ws->wire);
}


static void
ngx_camera_api_ws_renewed(ngx_camera_api_ws_t *ws,
    const ngx_camera_api_principal_t *principal)
{
    ws->principal = *principal;
    ws->principal.tenant_text.data = ws->principal.tenant_uuid;

    ngx_camera_api_follow_anew(&ws->wire.follower, ws->asked.types);
    ngx_camera_api_wire_expires(&ws->wire);

    if (ngx_camera_api_ws_tell(&ws->wire, "ready", NULL, NULL) != NGX_OK) {
        ngx_camera_api_ws_close(ws, WSLAY_CODE_GOING_AWAY);
    }
}


ngx_int_t
ngx_camera_api_ws_tell(ngx_camera_api_wire_t *wire, const char *type,
    const cam_event_id_t *id, const cam_event_t *event)
{
    char  text[128 + CAM_EVENT_ID_TEXT + CAM_EVENT_MAX];
    char  number[CAM_EVENT_ID_TEXT + 1];
    char *p;

    p = text + sprintf(text, "{\"type\":\"%s\"", type);

    if (id) {
        (void) cam_event_id_print(number, id);
        p += sprintf(p, ",\"id\":\"%s\"", number);
    }

    if (event) {
        p += sprintf(p, ",\"event\":%.*s", (int) event->len, event->json);
    }

    *p++ = '}';

    return ngx_camera_api_ws_say((ngx_camera_api_ws_t *) wire, text, p - text);
}
