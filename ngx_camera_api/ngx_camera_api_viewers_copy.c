/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Copies of who watches in Redis, for other programs:
 *
 *     viewers:{cameraId}    sorted set of JSON: sessionId, joinTime (RFC 3339),
 *                    userAgent or null; its scores are until when (Unix s)
 *                    each counts; kept for an hour after the last one came
 *
 * ZCOUNT viewers:{cameraId} NOW +inf is how many watch, on all nodes.  A
 * session that plays is given half a minute more each ten seconds; one that
 * left is taken out when another one is written.  The id of a session is a
 * name: what lets it play is signed into its addresses, and stands nowhere
 * here.
 */

#include "json_write.h"
#include "ngx_camera_api.h"
#include "ngx_camera_api_status.h"
#include "ngx_camera_hls.h"
#include "ngx_camera_redis.h"
#include "play_viewers.h"

#define NGX_CAMERA_API_VIEWERS_PREFIX  "viewers:"
#define NGX_CAMERA_API_VIEWERS_SEC     30
#define NGX_CAMERA_API_VIEWERS_ARGS    4
#define NGX_CAMERA_API_VIEWERS_JSON                                           \
    (CAM_JSON_STRING_MAX(CAM_SESSIONS_AGENT) + 128)


static u_char *ngx_camera_api_viewer_json(u_char *p,
    const cam_viewer_t *viewer);


/* now, until then, who */

static ngx_camera_redis_script_t  ngx_camera_api_viewers_script = {
    ngx_string("redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf',"
               " '(' .. ARGV[1])\n"
               "redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])\n"
               "return redis.call('EXPIRE', KEYS[1], 3600)\n"),
    ""
};


void
ngx_camera_api_viewer_copy(ngx_camera_redis_t *redis, ngx_uint_t slot)
{
    char          id[CAM_UUID_TEXT + 1];
    u_char        key[sizeof(NGX_CAMERA_API_VIEWERS_PREFIX) + CAM_UUID_TEXT];
    u_char        now[NGX_TIME_T_LEN], until[NGX_TIME_T_LEN];
    u_char        json[NGX_CAMERA_API_VIEWERS_JSON];
    ngx_str_t     args[NGX_CAMERA_API_VIEWERS_ARGS];
    cam_viewer_t  viewer;

    if (ngx_camera_hls_worker.sessions == NULL
        || !cam_viewers_get(ngx_camera_hls_worker.sessions, slot,
                            NGX_CAMERA_API_STATUS_VIEWERS_SEC, &viewer))
    {
        return;
    }

    args[0].data = key;
    args[0].len = ngx_sprintf(key, NGX_CAMERA_API_VIEWERS_PREFIX "%s",
                              cam_uuid_print(id, viewer.camera))
                  - key;

    args[1].data = now;
    args[1].len = ngx_sprintf(now, "%T", ngx_time()) - now;

    args[2].data = until;
    args[2].len = ngx_sprintf(until, "%T",
                              ngx_time() + NGX_CAMERA_API_VIEWERS_SEC)
                  - until;

    args[3].data = json;
    args[3].len = ngx_camera_api_viewer_json(json, &viewer) - json;

    (void) ngx_camera_redis_script(redis, &ngx_camera_api_viewers_script, 1,
                                   args, NGX_CAMERA_API_VIEWERS_ARGS, NULL,
                                   NULL);
}


/* the same text each time: it is the member of a set */

static u_char *
ngx_camera_api_viewer_json(u_char *p, const cam_viewer_t *viewer)
{
    size_t  len;

    p = ngx_cpymem(p, "{\"sessionId\":\"", sizeof("{\"sessionId\":\"") - 1);
    p = ngx_hex_dump(p, (u_char *) viewer->sid, sizeof(viewer->sid));
    p = ngx_cpymem(p, "\",\"joinTime\":", sizeof("\",\"joinTime\":") - 1);
    p = (u_char *) cam_json_time((char *) p, viewer->started * 1000);
    p = ngx_cpymem(p, ",\"userAgent\":", sizeof(",\"userAgent\":") - 1);

    len = ngx_strlen(viewer->agent);

    if (len) {
        p = (u_char *) cam_json_string((char *) p, viewer->agent, len);

    } else {
        p = ngx_cpymem(p, "null", 4);
    }

    *p++ = '}';

    return p;
}
