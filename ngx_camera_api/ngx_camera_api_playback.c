/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What plays by somebody's leave ends when they lose it: "session:ID" and
 * "token:ID" of principal_changed, and "user:ID" of playback_ended, which is said
 * when a user may see less than before.  A user who only changed, a password of
 * one's own or the end of another session, goes on watching.
 *
 * Each worker does it in the table that all share, so that none has to be alive.
 */

#include "ngx_camera_api.h"
#include "ngx_camera_hls.h"


static ngx_int_t ngx_camera_api_playback_init(ngx_cycle_t *cycle);
static void ngx_camera_api_playback_principal(void *data,
    const char *payload);
static void ngx_camera_api_playback_ended(void *data, const char *payload);


static const ngx_camera_api_route_t  ngx_camera_api_playback_routes[] = {
    { .path = NULL }
};

static ngx_camera_api_statement_t  *const ngx_camera_api_playback_none[] = {
    NULL
};


const ngx_camera_api_resource_t  ngx_camera_api_playback = {
    .name = "playback",
    .routes = ngx_camera_api_playback_routes,
    .statements = ngx_camera_api_playback_none,
    .init_process = ngx_camera_api_playback_init
};


static ngx_camera_api_notify_t  ngx_camera_api_playback_notify[2];


static ngx_int_t
ngx_camera_api_playback_init(ngx_cycle_t *cycle)
{
    ngx_camera_api_notify_t  *notify;

    notify = ngx_camera_api_playback_notify;

    notify[0].channel = "principal_changed";
    notify[0].handler = ngx_camera_api_playback_principal;
    notify[1].channel = "playback_ended";
    notify[1].handler = ngx_camera_api_playback_ended;

    ngx_camera_api_notify(&notify[0]);
    ngx_camera_api_notify(&notify[1]);

    return NGX_OK;
}


static void
ngx_camera_api_playback_principal(void *data, const char *payload)
{
    if (ngx_strncmp(payload, "session:", 8) == 0
        || ngx_strncmp(payload, "token:", 6) == 0)
    {
        ngx_camera_api_playback_ended(data, payload);
    }
}


static void
ngx_camera_api_playback_ended(void *data, const char *payload)
{
    u_char       id[CAM_UUID_LEN];
    const char  *text;

    text = ngx_strchr(payload, ':');

    if (text && cam_uuid_parse(id, text + 1, ngx_strlen(text + 1)) == 0) {
        ngx_camera_hls_end_owner(id);
    }
}
