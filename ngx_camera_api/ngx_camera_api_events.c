/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The hub of events in a worker: what PostgreSQL and Redis say goes to those
 * who follow, by tenant, permission and type.
 *
 *     NOTIFY api_event ─► publish ─► Redis ─► every worker ─► followers
 *                            └── Redis is away: ─────────────► followers
 *
 * A follower is ended, and comes again, when it might miss something or may
 * not follow any more: its session, token, user or tenant changed, what is
 * granted to them included, the connection that listens was lost, this worker
 * goes.  The hub walks all followers for an event; there are few thousands, and
 * a look is a comparison of ids.
 */

#include "ngx_camera.h"
#include "ngx_camera_api_events.h"

#define NGX_CAMERA_API_EVENTS_TICK     1000
#define NGX_CAMERA_API_EVENTS_DEAF     5000   /* ms: then nobody is known */

/* over how long followers are ended that all have to go */
#define NGX_CAMERA_API_EVENTS_SPREAD   800
#define NGX_CAMERA_API_EVENTS_LEAVE    2000


static ngx_int_t ngx_camera_api_events_init(ngx_cycle_t *cycle);
static void ngx_camera_api_events_exit(ngx_cycle_t *cycle);
static void ngx_camera_api_events_tick(ngx_event_t *ev);
static void ngx_camera_api_events_notified(void *data, const char *payload);
static void ngx_camera_api_events_listening(void *data, ngx_uint_t up);
static void ngx_camera_api_events_principal(void *data, const char *payload);
static ngx_uint_t ngx_camera_api_events_concerns(
    const ngx_camera_api_principal_t *principal, const char *payload);
static void ngx_camera_api_events_end_all(ngx_msec_t spread);
static void ngx_camera_api_events_one(ngx_camera_api_follower_t *follower,
    const cam_event_t *event, const cam_event_id_t *id);
static const char *ngx_camera_api_events_check(const char *text, size_t len);


static const cam_field_t  ngx_camera_api_events_query[] = {
    { "types", CAM_FIELD_TEXT, 0, 1, 400, NULL, ngx_camera_api_events_check },
    CAM_FIELD_END
};


static const ngx_camera_api_route_t  ngx_camera_api_events_routes[] = {

    {
        .method = NGX_HTTP_GET,
        .path = "/events",
        .needs = CAM_PERMIT_CAMERAS_READ,
        .flags = NGX_CAMERA_API_STREAM,
        .query = ngx_camera_api_events_query,
        .handler = ngx_camera_api_sse
    },

    /* without a token it is asked for one */

    {
        .method = NGX_HTTP_GET,
        .path = "/ws",
        .needs = NGX_CAMERA_API_OPTIONAL,
        .flags = NGX_CAMERA_API_STREAM,
        .handler = ngx_camera_api_ws
    },

    { .path = NULL }
};


static ngx_camera_api_statement_t  *const ngx_camera_api_events_statements[] =
{
    &ngx_camera_api_scope_cameras,
    NULL
};


const ngx_camera_api_resource_t  ngx_camera_api_events = {
    .name = "events",
    .routes = ngx_camera_api_events_routes,
    .statements = ngx_camera_api_events_statements,
    .init_process = ngx_camera_api_events_init,
    .exit_process = ngx_camera_api_events_exit
};


static struct {
    ngx_queue_t               followers;
    ngx_event_t               tick;
    ngx_log_t                *log;
    ngx_camera_api_notify_t   events;
    ngx_camera_api_notify_t   principals;
    ngx_msec_t                deaf_since;
    uint64_t                  handed;
    unsigned                  listening:1;
    unsigned                  listened:1;      /* once, at least */
    unsigned                  leaving:1;
} ngx_camera_api_hub;


static ngx_int_t
ngx_camera_api_events_init(ngx_cycle_t *cycle)
{
    ngx_queue_init(&ngx_camera_api_hub.followers);
    ngx_camera_api_hub.log = cycle->log;

    ngx_camera_api_hub.events.channel = "api_event";
    ngx_camera_api_hub.events.handler = ngx_camera_api_events_notified;
    ngx_camera_api_hub.events.listening = ngx_camera_api_events_listening;
    ngx_camera_api_notify(&ngx_camera_api_hub.events);

    ngx_camera_api_hub.principals.channel = "principal_changed";
    ngx_camera_api_hub.principals.handler = ngx_camera_api_events_principal;
    ngx_camera_api_notify(&ngx_camera_api_hub.principals);

    ngx_camera_background_event(&ngx_camera_api_hub.tick,
                                ngx_camera_api_events_tick, cycle->log);
    ngx_add_timer(&ngx_camera_api_hub.tick, NGX_CAMERA_API_EVENTS_TICK);

    ngx_camera_api_history_init(cycle->log);

    return ngx_camera_api_publish_init(cycle);
}


/* an exiting worker that is told to end at once still has its followers */

static void
ngx_camera_api_events_exit(ngx_cycle_t *cycle)
{
    ngx_queue_t                *q;
    ngx_camera_api_follower_t  *follower;

    while (!ngx_queue_empty(&ngx_camera_api_hub.followers)) {
        q = ngx_queue_head(&ngx_camera_api_hub.followers);
        follower = ngx_queue_data(q, ngx_camera_api_follower_t, queue);

        ngx_queue_remove(q);
        ngx_close_connection(follower->connection);
    }
}


static void
ngx_camera_api_events_tick(ngx_event_t *ev)
{
    ngx_add_timer(ev, NGX_CAMERA_API_EVENTS_TICK);

    if ((ngx_exiting || ngx_quit) && !ngx_camera_api_hub.leaving) {
        ngx_camera_api_hub.leaving = 1;
        ngx_camera_api_events_end_all(NGX_CAMERA_API_EVENTS_LEAVE);
    }

    if (ngx_camera_api_hub.listened && !ngx_camera_api_hub.listening
        && ngx_current_msec - ngx_camera_api_hub.deaf_since
           >= NGX_CAMERA_API_EVENTS_DEAF)
    {
        ngx_camera_api_events_end_all(NGX_CAMERA_API_EVENTS_SPREAD);
    }

    ngx_camera_api_publish_tick(ngx_camera_api_hub.listening
                                && !ngx_camera_api_hub.leaving);
}


static void
ngx_camera_api_events_notified(void *data, const char *payload)
{
    char         json[CAM_EVENT_MAX];
    cam_event_t  event;

    if (cam_event_notified(&event, payload, json) != 0) {
        ngx_log_error(NGX_LOG_WARN, ngx_camera_api_hub.log, 0,
                      "a notification of \"api_event\" is no event");
        return;
    }

    ngx_camera_api_publish(&event);
}


/* a session may have ended and an event have happened while nobody listened:
   whoever comes again is looked at anew, and is told what it missed */

static void
ngx_camera_api_events_listening(void *data, ngx_uint_t up)
{
    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }

    ngx_camera_api_hub.listening = up;

    if (!up) {
        ngx_camera_api_hub.deaf_since = ngx_current_msec;
        ngx_camera_api_publish_deaf();
        return;
    }

    if (ngx_camera_api_hub.listened) {
        ngx_camera_api_events_end_all(NGX_CAMERA_API_EVENTS_SPREAD);
    }

    ngx_camera_api_hub.listened = 1;
    ngx_camera_api_publish_tick(1);
}


static void
ngx_camera_api_events_principal(void *data, const char *payload)
{
    ngx_queue_t                *q, *all;
    ngx_camera_api_follower_t  *follower;

    all = &ngx_camera_api_hub.followers;

    for (q = ngx_queue_head(all); q != all; q = ngx_queue_next(q)) {
        follower = ngx_queue_data(q, ngx_camera_api_follower_t, queue);

        if (ngx_camera_api_events_concerns(follower->principal, payload)) {
            follower->end(follower, 0);
        }
    }
}


/* what cannot be read may mean anybody */

static ngx_uint_t
ngx_camera_api_events_concerns(const ngx_camera_api_principal_t *principal,
    const char *payload)
{
    u_char  id[CAM_UUID_LEN];

    if (ngx_camera_api_principal_named(payload, "session:", id)
        || ngx_camera_api_principal_named(payload, "token:", id))
    {
        return ngx_memcmp(principal->sid, id, CAM_UUID_LEN) == 0;
    }

    if (ngx_camera_api_principal_named(payload, "user:", id)) {
        return ngx_memcmp(principal->user, id, CAM_UUID_LEN) == 0;
    }

    if (ngx_camera_api_principal_named(payload, "tenant:", id)) {
        return ngx_memcmp(principal->tenant, id, CAM_UUID_LEN) == 0;
    }

    return 1;
}


static void
ngx_camera_api_events_end_all(ngx_msec_t spread)
{
    ngx_queue_t                *q, *all;
    ngx_camera_api_follower_t  *follower;

    all = &ngx_camera_api_hub.followers;

    for (q = ngx_queue_head(all); q != all; q = ngx_queue_next(q)) {
        follower = ngx_queue_data(q, ngx_camera_api_follower_t, queue);

        follower->end(follower, (ngx_msec_t) ngx_random() % spread);
    }
}


void
ngx_camera_api_follow(ngx_camera_api_follower_t *follower)
{
    follower->since = ngx_camera_api_hub.handed;

    ngx_queue_insert_tail(&ngx_camera_api_hub.followers, &follower->queue);

    if (ngx_camera_api_hub.leaving || ngx_exiting) {
        follower->end(follower, (ngx_msec_t) ngx_random()
                                % NGX_CAMERA_API_EVENTS_LEAVE);
    }

    ngx_camera_api_follow_anew(follower, follower->types);

    if (!follower->principal->scoped) {
        ngx_camera_api_history_ask(follower);

    } else if (ngx_camera_api_scope_ask(follower) != NGX_OK) {
        follower->end(follower, 0);
    }
}


void
ngx_camera_api_follow_anew(ngx_camera_api_follower_t *follower,
    ngx_uint_t types)
{
    ngx_uint_t                i, needs;
    ngx_camera_api_session_t  session;

    for (i = 0; i < CAM_EVENT_TYPES; i++) {
        needs = cam_event_type_needs(i);

        if ((follower->principal->permissions & needs) != needs) {
            types &= ~((ngx_uint_t) 1 << i);
        }
    }

    follower->types = types;

    /* it ended while it was asked about: the notification came and went */

    if (ngx_camera_api_session_get(follower->principal->key, &session)
        == NGX_DECLINED)
    {
        follower->end(follower, 0);
    }
}


void
ngx_camera_api_unfollow(ngx_camera_api_follower_t *follower)
{
    ngx_queue_remove(&follower->queue);

    ngx_camera_api_history_cancel(follower);
    ngx_camera_api_scope_cancel(follower);
}


void
ngx_camera_api_follow_on(ngx_camera_api_follower_t *follower)
{
    if (follower->full) {
        follower->full = 0;
        ngx_camera_api_history_ask(follower);
    }
}


uint64_t
ngx_camera_api_events_hand_out(const cam_event_t *event)
{
    ngx_camera_api_events_deliver(event, NULL, 0);

    return ++ngx_camera_api_hub.handed;
}


void
ngx_camera_api_events_deliver(const cam_event_t *event,
    const cam_event_id_t *id, uint64_t handed)
{
    ngx_queue_t                *q, *all;
    ngx_camera_api_follower_t  *follower;

    all = &ngx_camera_api_hub.followers;

    for (q = ngx_queue_head(all); q != all; q = ngx_queue_next(q)) {
        follower = ngx_queue_data(q, ngx_camera_api_follower_t, queue);

        if (ngx_memcmp(follower->principal->tenant_uuid, event->tenant,
                       CAM_UUID_TEXT)
            == 0
            && follower->since >= handed)
        {
            ngx_camera_api_events_one(follower, event, id);
        }
    }
}


/* whoever still reads what came before finds this one there, or, when it has
   no id, is told that it missed something */

static void
ngx_camera_api_events_one(ngx_camera_api_follower_t *follower,
    const cam_event_t *event, const cam_event_id_t *id)
{
    if (!follower->live) {

        if (id) {
            follower->more = 1;

        } else {
            follower->lost = 1;
        }

        return;
    }

    if (id) {

        if (cam_event_id_compare(id, &follower->last) <= 0) {
            return;
        }

        follower->last = *id;
    }

    if (ngx_camera_api_events_wants(follower, event)
        && follower->event(follower, event, id) != NGX_OK)
    {
        follower->end(follower, 0);
    }
}


ngx_uint_t
ngx_camera_api_events_wants(const ngx_camera_api_follower_t *follower,
    const cam_event_t *event)
{
    return (follower->types & ((ngx_uint_t) 1 << event->type))
           && (!follower->principal->scoped
               || ngx_camera_api_scope_has(follower, event));
}


static const char *
ngx_camera_api_events_check(const char *text, size_t len)
{
    return cam_event_types_parse(text, len)
           ? NULL : "names a type that there is not";
}
