/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Copies of what streams are doing in Redis, for other programs:
 *
 *     stream:status:{cameraId}    hash: status, lastSeen (RFC 3339), nodeId,
 *                    viewerCount (of that node), fps, bitrate (bit/s),
 *                    droppedFrames, resolution; kept for 30 seconds
 *
 * What is not known has no field, and a camera without a key publishes nowhere.
 * One worker of the node that a camera publishes to writes it each ten seconds,
 * and once more when it has left, unless it came back to another node.
 *
 * Slots of the registry and of the table of sessions are visited a hundredth at
 * a time, which spreads the work; all of them as fast as a tick may, when Redis
 * is there again.  Nothing here reads what was written, or waits for it.
 */

#include "clock.h"
#include "json_write.h"
#include "ngx_camera_api.h"
#include "ngx_camera_api_status.h"
#include "ngx_camera_redis.h"
#include "play_sessions.h"

#define NGX_CAMERA_API_COPY_TICK_MSEC  100
#define NGX_CAMERA_API_COPY_TICKS      100      /* a period: 10 s */
#define NGX_CAMERA_API_COPY_COMMANDS   64       /* of a walk's tick, 3 ms */
#define NGX_CAMERA_API_COPY_FLIGHT     128      /* half of what Redis's client
                                                   takes is left to others */

#define NGX_CAMERA_API_COPY_ARGS       (3 + 2 * 8)
#define NGX_CAMERA_API_COPY_TEXT       512


typedef struct {
    ngx_str_t   args[NGX_CAMERA_API_COPY_ARGS];
    ngx_uint_t  n;
    u_char     *last;                    /* in the text */
    u_char      text[NGX_CAMERA_API_COPY_TEXT];
} ngx_camera_api_copy_t;


/* a walk that goes round; both count all slots that were ever passed */
typedef struct {
    uint64_t    due;
    uint64_t    next;
} ngx_camera_api_copy_walk_t;


static void ngx_camera_api_copy_tick(ngx_event_t *ev);
static void ngx_camera_api_copy_walk(ngx_camera_redis_t *redis,
    ngx_camera_api_copy_walk_t *walk, ngx_uint_t slots,
    void (*visit)(ngx_camera_redis_t *redis, ngx_uint_t slot));
static void ngx_camera_api_copy_slot(ngx_camera_redis_t *redis,
    ngx_uint_t slot);
static void ngx_camera_api_copy_status(ngx_camera_redis_t *redis,
    ngx_camera_conf_t *ccf, const u_char *camera, const cam_view_t *view);
static void ngx_camera_api_copy_numbers(ngx_camera_api_copy_t *copy,
    const cam_view_t *view);
static void ngx_camera_api_copy_field(ngx_camera_api_copy_t *copy,
    const char *name, const char *fmt, ...);
static void ngx_camera_api_copy_arg(ngx_camera_api_copy_t *copy,
    const char *fmt, ...);
static void ngx_camera_api_copy_varg(ngx_camera_api_copy_t *copy,
    const char *fmt, va_list args);


/* node, whether it publishes there, and the fields */

static ngx_camera_redis_script_t  ngx_camera_api_copy_script = {
    ngx_string("if ARGV[2] == '0'"
               " and redis.call('HGET', KEYS[1], 'nodeId') ~= ARGV[1] then\n"
               "    return 0\n"
               "end\n"
               "redis.call('DEL', KEYS[1])\n"
               "redis.call('HSET', KEYS[1], unpack(ARGV, 3))\n"
               "return redis.call('EXPIRE', KEYS[1], 30)\n"),
    ""
};


static struct {
    ngx_event_t                  tick;
    ngx_cycle_t                 *cycle;
    uint64_t                     ticks;
    ngx_uint_t                   there;      /* Redis, at the last tick */
    ngx_camera_api_copy_walk_t   cameras;
    ngx_camera_api_copy_walk_t   viewers;
    u_char                      *shown;      /* of each slot: it published */
} ngx_camera_api_copies;


ngx_int_t
ngx_camera_api_status_copy_init(ngx_cycle_t *cycle)
{
    ngx_camera_conf_t  *ccf;

    ccf = ngx_camera_conf(cycle);

    if (ngx_worker != 0 || ngx_camera_redis_client() == NULL) {
        return NGX_OK;
    }

    ngx_camera_api_copies.cycle = cycle;
    ngx_camera_api_copies.shown = ngx_pcalloc(cycle->pool, ccf->cameras);

    if (ngx_camera_api_copies.shown == NULL) {
        return NGX_ERROR;
    }

    ngx_camera_background_event(&ngx_camera_api_copies.tick,
                                ngx_camera_api_copy_tick, cycle->log);
    ngx_add_timer(&ngx_camera_api_copies.tick, NGX_CAMERA_API_COPY_TICK_MSEC);

    return NGX_OK;
}


static void
ngx_camera_api_copy_tick(ngx_event_t *ev)
{
    ngx_camera_conf_t   *ccf;
    ngx_camera_redis_t  *redis;

    if (ngx_exiting) {
        return;
    }

    ngx_add_timer(ev, NGX_CAMERA_API_COPY_TICK_MSEC);

    ccf = ngx_camera_conf(ngx_camera_api_copies.cycle);
    redis = ngx_camera_redis_client();

    if (!ngx_camera_redis_ready(redis) || ccf->registry == NULL) {
        ngx_camera_api_copies.there = 0;
        return;
    }

    ngx_camera_api_copies.ticks += ngx_camera_api_copies.there
                                   ? 1 : NGX_CAMERA_API_COPY_TICKS;
    ngx_camera_api_copies.there = 1;

    ngx_camera_api_copy_walk(redis, &ngx_camera_api_copies.cameras,
                             ccf->cameras, ngx_camera_api_copy_slot);
    ngx_camera_api_copy_walk(redis, &ngx_camera_api_copies.viewers,
                             CAM_SESSIONS_SLOTS, ngx_camera_api_viewer_copy);
}


/* what is too much for now makes the walk slower, not longer */

static void
ngx_camera_api_copy_walk(ngx_camera_redis_t *redis,
    ngx_camera_api_copy_walk_t *walk, ngx_uint_t slots,
    void (*visit)(ngx_camera_redis_t *redis, ngx_uint_t slot))
{
    ngx_uint_t  most;

    most = ngx_min(ngx_camera_redis_in_flight(redis)
                   + NGX_CAMERA_API_COPY_COMMANDS,
                   NGX_CAMERA_API_COPY_FLIGHT);

    walk->due = ngx_camera_api_copies.ticks * slots
                / NGX_CAMERA_API_COPY_TICKS;

    if (walk->due - walk->next > slots) {
        walk->next = walk->due - slots;
    }

    while (walk->next < walk->due
           && ngx_camera_redis_in_flight(redis) < most)
    {
        visit(redis, walk->next++ % slots);
    }
}


static void
ngx_camera_api_copy_slot(ngx_camera_redis_t *redis, ngx_uint_t slot)
{
    u_char               *shown;
    cam_view_t            view;
    ngx_camera_conf_t    *ccf;
    cam_registry_entry_t  entry;

    ccf = ngx_camera_conf(ngx_camera_api_copies.cycle);
    shown = &ngx_camera_api_copies.shown[slot];

    if (cam_registry_get(ccf->registry, slot, &entry) != 0
        || cam_view_look(&view, ccf->registry, entry.camera) != 0
        || (view.state.generation == view.state.ended_generation && !*shown))
    {
        return;
    }

    ngx_camera_api_status_look(ccf, entry.camera, &view);

    if (cam_view_publishing(&view) || *shown) {
        *shown = cam_view_publishing(&view);
        ngx_camera_api_copy_status(redis, ccf, entry.camera, &view);
    }
}


static void
ngx_camera_api_copy_status(ngx_camera_redis_t *redis, ngx_camera_conf_t *ccf,
    const u_char *camera, const cam_view_t *view)
{
    char                   id[CAM_UUID_TEXT + 1], at[CAM_JSON_TIME_MAX];
    int64_t                seen;
    ngx_camera_api_copy_t  copy;

    copy.n = 0;
    copy.last = copy.text;

    ngx_camera_api_copy_arg(&copy, "stream:status:%s",
                            cam_uuid_print(id, camera));
    ngx_camera_api_copy_arg(&copy, "%V", &ccf->node);
    ngx_camera_api_copy_arg(&copy, "%d", cam_view_publishing(view));

    ngx_camera_api_copy_field(&copy, "status", "%s", cam_view_status(view));
    ngx_camera_api_copy_field(&copy, "nodeId", "%V", &ccf->node);
    ngx_camera_api_copy_field(&copy, "viewerCount", "%ui",
                              ngx_camera_api_status_viewers(camera));

    seen = ngx_min(cam_view_seen_msec(view), cam_clock_wall_msec());

    if (seen) {
        /* without its quotes */
        ngx_camera_api_copy_field(&copy, "lastSeen", "%*s",
                                  (size_t) (cam_json_time(at, seen) - at - 2),
                                  at + 1);
    }

    if (cam_view_publishing(view)) {
        ngx_camera_api_copy_numbers(&copy, view);
    }

    (void) ngx_camera_redis_script(redis, &ngx_camera_api_copy_script, 1,
                                   copy.args, copy.n, NULL, NULL);
}


static void
ngx_camera_api_copy_numbers(ngx_camera_api_copy_t *copy,
    const cam_view_t *view)
{
    double                   fps;
    int64_t                  bitrate;
    const cam_live_init_t   *init;
    const cam_live_index_t  *index;

    init = cam_view_init(view);
    index = cam_view_index(view);
    fps = ngx_camera_api_status_fps(view);
    bitrate = cam_view_bitrate(view);

    if (fps > 0) {
        ngx_camera_api_copy_field(copy, "fps", "%.1f", fps);
    }

    if (bitrate >= 0) {
        ngx_camera_api_copy_field(copy, "bitrate", "%L", bitrate);
    }

    if (index) {
        ngx_camera_api_copy_field(copy, "droppedFrames", "%ui",
                                  (ngx_uint_t) index->dropped);
    }

    if (init && init->has_video) {
        ngx_camera_api_copy_field(copy, "resolution", "%uix%ui",
                                  (ngx_uint_t) init->width,
                                  (ngx_uint_t) init->height);
    }
}


static void
ngx_camera_api_copy_field(ngx_camera_api_copy_t *copy, const char *name,
    const char *fmt, ...)
{
    va_list  args;

    ngx_camera_api_copy_arg(copy, "%s", name);

    va_start(args, fmt);
    ngx_camera_api_copy_varg(copy, fmt, args);
    va_end(args);
}


static void
ngx_camera_api_copy_arg(ngx_camera_api_copy_t *copy, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    ngx_camera_api_copy_varg(copy, fmt, args);
    va_end(args);
}


static void
ngx_camera_api_copy_varg(ngx_camera_api_copy_t *copy, const char *fmt,
    va_list args)
{
    ngx_str_t  *arg;

    arg = &copy->args[copy->n++];

    arg->data = copy->last;
    copy->last = ngx_vslprintf(copy->last,
                               copy->text + NGX_CAMERA_API_COPY_TEXT, fmt,
                               args);
    arg->len = copy->last - arg->data;
}
