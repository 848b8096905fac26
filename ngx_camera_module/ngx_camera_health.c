/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Probes.
 *
 *     location = /healthz { camera_health; }
 *     location = /readyz  { camera_health; }
 *
 * /healthz answers 200 as long as this worker's event loop turns.  /readyz
 * answers 200 when cameras and viewers can be served and 503 with Retry-After
 * when not, and says in JSON which part is the cause.  What is served on for a
 * while without a part (PostgreSQL, Redis, camera-worker, room in shm, a disk
 * to record to) only makes the answer "degraded": a probe that restarts nginx
 * for it would do harm.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <sys/statvfs.h>

#include "clock.h"
#include "ngx_camera.h"
#include "ngx_camera_redis.h"
#include "record_table.h"


#define NGX_CAMERA_HEALTH_FED_SEC        15     /* the feeder reads each 5 s */
#define NGX_CAMERA_HEALTH_BEAT_MSEC      5000
#define NGX_CAMERA_HEALTH_SHM_PERCENT    10     /* publishing stops below */
#define NGX_CAMERA_HEALTH_BODY           1024

#define NGX_CAMERA_HEALTH_BEAT_FILE      ".worker"   /* in shm/live */


typedef struct {
    ngx_uint_t           keys;
    cam_registry_info_t  registry;
    int64_t              age_sec;           /* of the registry, -1 = unread */
    ngx_int_t            shm_percent;       /* free, -1 = unknown */
    int64_t              beat_msec;         /* age of camera-worker's, or -1 */
    const char          *redis;             /* off, ok, away */
    const char          *recording;         /* off, ok, low, full, away */
} ngx_camera_health_t;


static char *ngx_camera_health(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static ngx_int_t ngx_camera_health_handler(ngx_http_request_t *r);
static void ngx_camera_health_look(ngx_camera_conf_t *ccf,
    ngx_camera_health_t *h);
static ngx_int_t ngx_camera_health_shm(ngx_camera_conf_t *ccf);
static const char *ngx_camera_health_redis(void);
static const char *ngx_camera_health_recording(ngx_camera_conf_t *ccf);
static ngx_int_t ngx_camera_health_ready(ngx_http_request_t *r);
static u_char *ngx_camera_health_print(u_char *p, u_char *last,
    ngx_camera_health_t *h);
static ngx_int_t ngx_camera_health_send(ngx_http_request_t *r,
    ngx_uint_t status, ngx_str_t *type, ngx_str_t *body);
static ngx_int_t ngx_camera_health_retry(ngx_http_request_t *r);


static ngx_command_t  ngx_camera_health_commands[] = {

    { ngx_string("camera_health"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_camera_health,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_camera_health_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */
    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */
    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */
    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_camera_health_module = {
    NGX_MODULE_V1,
    &ngx_camera_health_module_ctx,         /* module context */
    ngx_camera_health_commands,            /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_str_t  ngx_camera_health_text = ngx_string("text/plain");
static ngx_str_t  ngx_camera_health_json = ngx_string("application/json");
static ngx_str_t  ngx_camera_health_ok = ngx_string("ok\n");


static ngx_int_t
ngx_camera_health_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    static ngx_str_t  readyz = ngx_string("/readyz");

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (r->uri.len >= readyz.len
        && ngx_memcmp(r->uri.data + r->uri.len - readyz.len, readyz.data,
                      readyz.len)
           == 0)
    {
        return ngx_camera_health_ready(r);
    }

    return ngx_camera_health_send(r, NGX_HTTP_OK, &ngx_camera_health_text,
                                  &ngx_camera_health_ok);
}


static ngx_int_t
ngx_camera_health_ready(ngx_http_request_t *r)
{
    u_char               *body;
    ngx_str_t             text;
    ngx_uint_t            status;
    ngx_camera_conf_t    *ccf;
    ngx_camera_health_t   h;

    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    if (ccf == NULL || ccf->registry == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    ngx_camera_health_look(ccf, &h);

    body = ngx_pnalloc(r->pool, NGX_CAMERA_HEALTH_BODY);
    if (body == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    text.data = body;
    text.len = ngx_camera_health_print(body, body + NGX_CAMERA_HEALTH_BODY, &h)
               - body;

    status = NGX_HTTP_OK;

    if (h.age_sec < 0 || h.age_sec >= CAM_REGISTRY_TTL_SEC) {
        status = NGX_HTTP_SERVICE_UNAVAILABLE;

        if (ngx_camera_health_retry(r) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return ngx_camera_health_send(r, status, &ngx_camera_health_json, &text);
}


static void
ngx_camera_health_look(ngx_camera_conf_t *ccf, ngx_camera_health_t *h)
{
    int64_t  now;

    cam_registry_info(ccf->registry, &h->registry);

    now = cam_clock_wall_msec() / 1000;

    h->age_sec = h->registry.fed_at ? ngx_max(now - h->registry.fed_at, 0) : -1;
    h->keys = ccf->keys->n;
    h->shm_percent = ngx_camera_health_shm(ccf);
    h->beat_msec = ngx_camera_worker_beat_msec(ccf);
    h->redis = ngx_camera_health_redis();
    h->recording = ngx_camera_health_recording(ccf);
}


static ngx_int_t
ngx_camera_health_shm(ngx_camera_conf_t *ccf)
{
    struct statvfs  vfs;

    if (fstatvfs(ccf->live_fd, &vfs) == -1 || vfs.f_blocks == 0) {
        return -1;
    }

    return (ngx_int_t) (vfs.f_bavail * 100 / vfs.f_blocks);
}


/* the file holds camera-worker's pid and the monotonic ms of its last beat */

int64_t
ngx_camera_worker_beat_msec(ngx_camera_conf_t *ccf)
{
    int        fd;
    char       text[64], *p;
    ssize_t    n;
    long long  at;

    fd = openat(ccf->live_fd, NGX_CAMERA_HEALTH_BEAT_FILE,
                O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);
    if (fd == -1) {
        return -1;
    }

    n = read(fd, text, sizeof(text) - 1);

    close(fd);

    if (n <= 0) {
        return -1;
    }

    text[n] = '\0';
    p = strchr(text, ' ');

    if (p == NULL) {
        return -1;
    }

    at = strtoll(p, NULL, 10);

    return at > 0 ? ngx_max(cam_clock_monotonic_msec() - at, 0) : -1;
}


static const char *
ngx_camera_health_redis(void)
{
    ngx_camera_redis_t  *redis;

    redis = ngx_camera_redis_client();

    if (redis == NULL) {
        return "off";
    }

    return ngx_camera_redis_ready(redis) ? "ok" : "away";
}


/*
 * The worst of the volumes.  One without a beat hangs, or its child is gone;
 * without a table, or with none in it, nothing is recorded on purpose.
 */

static const char *
ngx_camera_health_recording(ngx_camera_conf_t *ccf)
{
    int64_t              now;
    ngx_uint_t           i, state, worst;
    cam_record_table_t  *table;
    cam_record_volume_t  volume;

    static const char  *const names[] = { "off", "ok", "low", "full", "away" };

    table = cam_record_table_reader_open(ccf->live_fd);

    if (table == NULL) {
        return names[0];
    }

    now = cam_clock_monotonic_msec();
    worst = 0;

    for (i = 0; i < CAM_RECORD_VOLUMES; i++) {
        cam_record_volume_get(table, i, &volume);

        state = ngx_min(volume.state, CAM_RECORD_VOLUME_ERROR);

        if (state != CAM_RECORD_VOLUME_ABSENT
            && now - volume.beat_msec > CAM_RECORD_BEAT_MSEC)
        {
            state = CAM_RECORD_VOLUME_ERROR;
        }

        worst = ngx_max(worst, state);
    }

    cam_record_table_close(table);

    return names[worst];
}


static u_char *
ngx_camera_health_print(u_char *p, u_char *last, ngx_camera_health_t *h)
{
    ngx_uint_t  known, database, shm, worker, redis, recording;

    known = h->age_sec >= 0 && h->age_sec < CAM_REGISTRY_TTL_SEC;
    database = h->age_sec >= 0 && h->age_sec <= NGX_CAMERA_HEALTH_FED_SEC;
    shm = h->shm_percent >= NGX_CAMERA_HEALTH_SHM_PERCENT;
    worker = h->beat_msec >= 0
             && h->beat_msec <= NGX_CAMERA_HEALTH_BEAT_MSEC;
    redis = ngx_strcmp(h->redis, "away") != 0;

    /* a disk that is kept full by removing the oldest is as it should be */
    recording = ngx_strcmp(h->recording, "away") != 0
                && ngx_strcmp(h->recording, "full") != 0;

    p = ngx_slprintf(p, last, "{\"status\":\"%s\",\"parts\":{",
                     !known ? "unavailable"
                     : database && shm && worker && redis && recording
                       && !h->registry.full_at
                       ? "ok" : "degraded");

    p = ngx_slprintf(p, last, "\"keys\":{\"status\":\"ok\",\"count\":%ui},",
                     h->keys);

    p = ngx_slprintf(p, last,
                     "\"registry\":{\"status\":\"%s\",\"known\":%s,"
                     "\"ageSec\":%L,\"used\":%uD,\"capacity\":%uD},",
                     !known ? "unknown" : h->registry.full_at ? "full" : "ok",
                     known ? "true" : "false", h->age_sec,
                     h->registry.used, h->registry.capacity);

    p = ngx_slprintf(p, last, "\"database\":{\"status\":\"%s\"},",
                     database ? "ok" : "degraded");

    p = ngx_slprintf(p, last, "\"redis\":{\"status\":\"%s\"},", h->redis);

    p = ngx_slprintf(p, last, "\"recording\":{\"status\":\"%s\"},",
                     h->recording);

    p = ngx_slprintf(p, last,
                     "\"shm\":{\"status\":\"%s\",\"freePercent\":%i},",
                     shm ? "ok" : "low", h->shm_percent);

    return ngx_slprintf(p, last,
                        "\"cameraWorker\":{\"status\":\"%s\","
                        "\"beatMsec\":%L}}}\n",
                        worker ? "ok" : "away", h->beat_msec);
}


static ngx_int_t
ngx_camera_health_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, ngx_str_t *body)
{
    ngx_http_complex_value_t  cv;

    ngx_memzero(&cv, sizeof(ngx_http_complex_value_t));
    cv.value = *body;

    return ngx_http_send_response(r, status, type, &cv);
}


static ngx_int_t
ngx_camera_health_retry(ngx_http_request_t *r)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    ngx_str_set(&h->key, "Retry-After");
    ngx_str_set(&h->value, "2");

    return NGX_OK;
}


static char *
ngx_camera_health(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_camera_health_handler;

    return NGX_CONF_OK;
}
