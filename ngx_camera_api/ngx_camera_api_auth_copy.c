/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Copies of sessions in Redis, for other programs that want to know who is
 * logged in:
 *
 *     session:{sid}    hash: userId, role, permissions (JSON), expiresAt
 *                      (RFC 3339); kept for a day, or until the session ends
 *
 * Written at each login and refresh, removed when the session is ended, by
 * whomever.  Nothing here reads them: what is true is in the database, and a
 * copy may be missing, or have the role of yesterday.
 */

#include "json_write.h"
#include "ngx_camera.h"
#include "ngx_camera_api_auth.h"
#include "ngx_camera_redis.h"

#define NGX_CAMERA_API_COPY_PREFIX  "session:"
#define NGX_CAMERA_API_COPY_KEY     (sizeof(NGX_CAMERA_API_COPY_PREFIX) - 1   \
                                     + CAM_UUID_TEXT)
#define NGX_CAMERA_API_COPY_ARGS    6


static void ngx_camera_api_auth_copy_key(ngx_str_t *key, u_char *text,
    const u_char *sid);
static void ngx_camera_api_auth_copy_permissions(ngx_str_t *value,
    u_char *text, uint32_t permissions);
static void ngx_camera_api_auth_copy_remove(void *data, const char *payload);


static ngx_camera_redis_script_t  ngx_camera_api_auth_copy_script = {
    ngx_string("redis.call('HSET', KEYS[1], 'userId', ARGV[1],"
               " 'role', ARGV[2], 'permissions', ARGV[3],"
               " 'expiresAt', ARGV[4])\n"
               "return redis.call('EXPIRE', KEYS[1], ARGV[5])\n"),
    ""
};


static ngx_camera_api_notify_t  ngx_camera_api_auth_copy_notify;


ngx_int_t
ngx_camera_api_auth_copy_init(ngx_cycle_t *cycle)
{
    ngx_camera_api_auth_copy_notify.channel = "principal_changed";
    ngx_camera_api_auth_copy_notify.handler = ngx_camera_api_auth_copy_remove;

    if (ngx_camera_redis_client()) {
        ngx_camera_api_notify(&ngx_camera_api_auth_copy_notify);
    }

    return NGX_OK;
}


void
ngx_camera_api_auth_copy(const ngx_camera_api_auth_t *auth)
{
    char                 user[CAM_UUID_TEXT + 1];
    u_char               key[NGX_CAMERA_API_COPY_KEY + 1];
    u_char               permissions[512];
    u_char               at[CAM_JSON_TIME_MAX], seconds[NGX_TIME_T_LEN];
    ngx_str_t            args[NGX_CAMERA_API_COPY_ARGS];
    const char          *role;
    ngx_camera_redis_t  *redis;

    redis = ngx_camera_redis_client();

    if (redis == NULL) {
        return;
    }

    ngx_camera_api_auth_copy_key(&args[0], key, auth->principal.sid);

    args[1].data = (u_char *) cam_uuid_print(user, auth->principal.user);
    args[1].len = CAM_UUID_TEXT;

    role = cam_role_name(auth->principal.role);
    args[2].data = (u_char *) role;
    args[2].len = ngx_strlen(role);

    ngx_camera_api_auth_copy_permissions(&args[3], permissions,
                                         auth->principal.permissions);

    /* without its quotes */

    args[4].data = at + 1;
    args[4].len = (u_char *) cam_json_time((char *) at, auth->expires) - at
                  - 2;

    args[5].data = seconds;
    args[5].len = ngx_sprintf(seconds, "%T",
                              ngx_min((time_t) (auth->expires / 1000)
                                      - ngx_time(), NGX_CAMERA_API_AUTH_DAY))
                  - seconds;

    (void) ngx_camera_redis_script(redis, &ngx_camera_api_auth_copy_script, 1,
                                   args, NGX_CAMERA_API_COPY_ARGS, NULL, NULL);
}


static void
ngx_camera_api_auth_copy_key(ngx_str_t *key, u_char *text, const u_char *sid)
{
    u_char  *p;

    p = ngx_cpymem(text, NGX_CAMERA_API_COPY_PREFIX,
                   sizeof(NGX_CAMERA_API_COPY_PREFIX) - 1);
    cam_uuid_print((char *) p, sid);

    key->data = text;
    key->len = NGX_CAMERA_API_COPY_KEY;
}


static void
ngx_camera_api_auth_copy_permissions(ngx_str_t *value, u_char *text,
    uint32_t permissions)
{
    u_char      *p;
    const char  *name;

    p = text;
    *p++ = '[';

    while ((name = cam_permission_next(&permissions)) != NULL) {
        p = ngx_sprintf(p, "%s\"%s\"", p == text + 1 ? "" : ",", name);
    }

    *p++ = ']';

    value->data = text;
    value->len = p - text;
}


/* "session:ID" is said when one was ended; each worker hears of it */

static void
ngx_camera_api_auth_copy_remove(void *data, const char *payload)
{
    u_char               sid[CAM_UUID_LEN], key[NGX_CAMERA_API_COPY_KEY + 1];
    ngx_str_t            args[2];
    ngx_camera_redis_t  *redis;

    redis = ngx_camera_redis_client();

    if (redis == NULL || ngx_strncmp(payload, "session:", 8) != 0
        || cam_uuid_parse(sid, payload + 8, ngx_strlen(payload + 8)) != 0)
    {
        return;
    }

    ngx_str_set(&args[0], "DEL");
    ngx_camera_api_auth_copy_key(&args[1], key, sid);

    (void) ngx_camera_redis_command(redis, args, 2, NULL, NULL);
}
