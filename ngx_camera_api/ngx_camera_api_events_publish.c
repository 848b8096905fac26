/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * From PostgreSQL to Redis, and back from there to every worker.
 *
 * Each worker of each node hears each notification, and one of them, the
 * publisher, gives it to Redis at once.  The others wait for it to come back,
 * and after a moment give it themselves; Redis keeps what it does not have yet
 * and forgets the rest.  So nobody is elected: whoever was first with all it
 * sent is the publisher from then on, and steps down when somebody else was.
 * A publisher that dies, hangs or hears nothing delays an event by less than
 * half a second and loses none.
 *
 *     heard    [_publish]   waits, or is sent at once by the publisher
 *     sending  [_send]      on its way, a batch at a time, in order
 *     kept     [_sent]      Redis has it; still to be seen
 *     seen     [_message]   came back with its id, and went to the followers
 *     handed   [_hand_out]  went to the followers without an id, because it
 *                           did not come back in time or could not; is sent
 *                           to Redis nevertheless, as soon as that is there
 *
 * In Redis:
 *
 *     events:{tenant}        stream of the last thousand, field "event"
 *     camera:event:{print}   for two minutes: it was kept
 *     camera:events:heard    for a moment: somebody listens to PostgreSQL
 *     camera:events:gap      from when on the streams are whole, in ms
 */

#include <hiredis/hiredis.h>

#include "ngx_camera.h"
#include "ngx_camera_api_events.h"

#define NGX_CAMERA_API_PUBLISH_BATCH   8       /* events of one command */
#define NGX_CAMERA_API_PUBLISH_MAX     2048    /* events of a worker */
#define NGX_CAMERA_API_PUBLISH_POLL    50      /* ms */
#define NGX_CAMERA_API_PUBLISH_OTHERS  200     /* ms, and at random so much */
#define NGX_CAMERA_API_PUBLISH_WAIT    800     /* ms, then without an id */


typedef struct {
    ngx_queue_t                queue;
    u_char                     print[NGX_CAMERA_API_PRINT];
    ngx_msec_t                 heard;
    ngx_msec_t                 due;
    unsigned                   sending:1;
    unsigned                   kept:1;
    unsigned                   handed:1;
    cam_event_t                event;
    char                       json[1];        /* and more */
} ngx_camera_api_pending_t;


static void ngx_camera_api_publish_add(const cam_event_t *event,
    const u_char print[NGX_CAMERA_API_PRINT]);
static void ngx_camera_api_publish_turn(ngx_event_t *ev);
static void ngx_camera_api_publish_poll(ngx_event_t *ev);
static void ngx_camera_api_publish_work(void);
static void ngx_camera_api_publish_late(ngx_uint_t all);
static void ngx_camera_api_publish_hand_out(ngx_camera_api_pending_t *pending);
static void ngx_camera_api_publish_send(void);
static void ngx_camera_api_publish_sent(void *data, ngx_camera_redis_rc_e rc,
    const redisReply *reply);
static void ngx_camera_api_publish_message(void *data,
    const ngx_str_t *channel, const ngx_str_t *message);
static void ngx_camera_api_publish_ready(void *data, ngx_uint_t up);
static ngx_camera_api_pending_t *ngx_camera_api_publish_find(
    const u_char print[NGX_CAMERA_API_PRINT]);
static void ngx_camera_api_publish_free(ngx_camera_api_pending_t *pending);


static ngx_camera_redis_script_t  ngx_camera_api_publish_script = {
    ngx_string("local kept = 0\n"
               "for i = 1, #ARGV, 3 do\n"
               "    if redis.call('SET', 'camera:event:' .. ARGV[i], 1,"
               " 'NX', 'PX', 120000) then\n"
               "        local id = redis.call('XADD', 'events:' .. ARGV[i + 1],"
               " 'MAXLEN', '~', 1000, '*', 'event', ARGV[i + 2])\n"
               "        redis.call('PUBLISH', KEYS[1],"
               " ARGV[i + 1] .. ' ' .. id .. ' ' .. ARGV[i + 2])\n"
               "        kept = kept + 1\n"
               "    end\n"
               "end\n"
               "return kept\n"),
    ""
};


/* whoever listens says so; when nobody did, or something could not be kept,
   what came before may lack something */

static ngx_camera_redis_script_t  ngx_camera_api_publish_heard = {
    ngx_string("if ARGV[1] == '1' or redis.call('EXISTS', KEYS[1]) == 0 then\n"
               "    local now = redis.call('TIME')\n"
               "    redis.call('SET', KEYS[2], string.format('%.0f',"
               " now[1] * 1000 + math.floor(now[2] / 1000)))\n"
               "end\n"
               "redis.call('SET', KEYS[1], 1, 'PX', 5000)\n"
               "return 1\n"),
    ""
};


static const ngx_str_t  ngx_camera_api_publish_channel =
    ngx_string("camera:events");

static const ngx_str_t  ngx_camera_api_publish_heard_key =
    ngx_string("camera:events:heard");

static const ngx_str_t  ngx_camera_api_publish_gap_key =
    ngx_string("camera:events:gap");


static struct {
    ngx_queue_t                pending;        /* oldest first */
    ngx_uint_t                 n;
    ngx_uint_t                 batch;          /* on its way */
    ngx_event_t                turn;
    ngx_event_t                poll;
    ngx_log_t                 *log;
    unsigned                   publisher:1;
    unsigned                   up:1;           /* messages arrive */
    unsigned                   gap:1;          /* some could not be kept */
} ngx_camera_api_publisher;


ngx_int_t
ngx_camera_api_publish_init(ngx_cycle_t *cycle)
{
    ngx_camera_redis_t  *redis;

    ngx_queue_init(&ngx_camera_api_publisher.pending);
    ngx_camera_api_publisher.log = cycle->log;

    ngx_camera_api_publisher.turn.handler = ngx_camera_api_publish_turn;
    ngx_camera_api_publisher.turn.log = cycle->log;

    ngx_camera_background_event(&ngx_camera_api_publisher.poll,
                                ngx_camera_api_publish_poll, cycle->log);

    redis = ngx_camera_redis_client();

    if (redis == NULL) {
        return NGX_OK;
    }

    return ngx_camera_redis_subscribe(redis, &ngx_camera_api_publish_channel,
                                      ngx_camera_api_publish_message,
                                      ngx_camera_api_publish_ready, NULL);
}


ngx_uint_t
ngx_camera_api_publish_up(void)
{
    ngx_camera_redis_t  *redis;

    redis = ngx_camera_redis_client();

    return redis && ngx_camera_api_publisher.up
           && ngx_camera_redis_ready(redis);
}


/* once a second */

void
ngx_camera_api_publish_tick(ngx_uint_t listening)
{
    ngx_str_t            args[3];
    ngx_camera_redis_t  *redis;

    redis = ngx_camera_redis_client();

    if (redis == NULL || !listening) {
        return;
    }

    args[0] = ngx_camera_api_publish_heard_key;
    args[1] = ngx_camera_api_publish_gap_key;

    args[2].data = (u_char *) (ngx_camera_api_publisher.gap ? "1" : "0");
    args[2].len = 1;

    if (ngx_camera_redis_script(redis, &ngx_camera_api_publish_heard, 2, args,
                                3, NULL, NULL))
    {
        ngx_camera_api_publisher.gap = 0;
    }
}


/* others who listen say so again before long */

void
ngx_camera_api_publish_deaf(void)
{
    ngx_str_t            args[2];
    ngx_camera_redis_t  *redis;

    redis = ngx_camera_redis_client();

    if (redis) {
        ngx_str_set(&args[0], "DEL");
        args[1] = ngx_camera_api_publish_heard_key;

        (void) ngx_camera_redis_command(redis, args, 2, NULL, NULL);
    }
}


void
ngx_camera_api_publish(const cam_event_t *event)
{
    u_char                    print[NGX_CAMERA_API_PRINT];
    ngx_camera_api_recent_t  *recent;

    if (ngx_camera_redis_client() == NULL) {
        (void) ngx_camera_api_events_hand_out(event);
        return;
    }

    ngx_camera_api_recent_print(print, event);
    recent = ngx_camera_api_recent_find(print);

    if (recent == NULL || !recent->seen) {
        ngx_camera_api_publish_add(event, print);
    }
}


static void
ngx_camera_api_publish_add(const cam_event_t *event,
    const u_char print[NGX_CAMERA_API_PRINT])
{
    ngx_camera_api_pending_t  *pending;

    /* the oldest is lost to who comes again later, not to who follows now */

    if (ngx_camera_api_publisher.n == NGX_CAMERA_API_PUBLISH_MAX) {
        ngx_camera_api_publisher.gap = 1;
        pending = ngx_queue_data(
                            ngx_queue_head(&ngx_camera_api_publisher.pending),
                            ngx_camera_api_pending_t, queue);
        ngx_camera_api_publish_hand_out(pending);
        ngx_camera_api_publish_free(pending);
    }

    pending = ngx_alloc(sizeof(ngx_camera_api_pending_t) + event->len,
                        ngx_camera_api_publisher.log);

    if (pending == NULL) {
        ngx_camera_api_publisher.gap = 1;
        (void) ngx_camera_api_events_hand_out(event);
        return;
    }

    ngx_memzero(pending, sizeof(ngx_camera_api_pending_t));
    ngx_memcpy(pending->print, print, NGX_CAMERA_API_PRINT);
    ngx_memcpy(pending->json, event->json, event->len);

    pending->event = *event;
    pending->event.json = pending->json;
    pending->heard = ngx_current_msec;
    pending->due = ngx_current_msec + NGX_CAMERA_API_PUBLISH_OTHERS
                   + (ngx_msec_t) ngx_random()
                     % NGX_CAMERA_API_PUBLISH_OTHERS;

    ngx_queue_insert_tail(&ngx_camera_api_publisher.pending, &pending->queue);
    ngx_camera_api_publisher.n++;

    /* those of the same turn go together */

    if (!ngx_camera_api_publisher.turn.posted) {
        ngx_post_event(&ngx_camera_api_publisher.turn, &ngx_posted_events);
    }
}


static void
ngx_camera_api_publish_turn(ngx_event_t *ev)
{
    ngx_camera_api_publish_work();
}


static void
ngx_camera_api_publish_poll(ngx_event_t *ev)
{
    ngx_camera_api_publish_work();
}


static void
ngx_camera_api_publish_work(void)
{
    ngx_camera_api_publish_late(!ngx_camera_api_publish_up());
    ngx_camera_api_publish_send();

    if (!ngx_queue_empty(&ngx_camera_api_publisher.pending)
        && !ngx_camera_api_publisher.poll.timer_set)
    {
        ngx_add_timer(&ngx_camera_api_publisher.poll,
                      NGX_CAMERA_API_PUBLISH_POLL);
    }
}


static void
ngx_camera_api_publish_late(ngx_uint_t all)
{
    ngx_queue_t               *q, *next, *queue;
    ngx_camera_api_pending_t  *pending;

    queue = &ngx_camera_api_publisher.pending;

    for (q = ngx_queue_head(queue); q != queue; q = next) {
        next = ngx_queue_next(q);
        pending = ngx_queue_data(q, ngx_camera_api_pending_t, queue);

        if (all || ngx_current_msec - pending->heard
                   >= NGX_CAMERA_API_PUBLISH_WAIT)
        {
            ngx_camera_api_publish_hand_out(pending);

            if (pending->kept) {
                ngx_camera_api_publish_free(pending);
            }
        }
    }
}


static void
ngx_camera_api_publish_hand_out(ngx_camera_api_pending_t *pending)
{
    ngx_camera_api_recent_t  *recent;

    if (pending->handed) {
        return;
    }

    pending->handed = 1;

    recent = ngx_camera_api_recent_get(pending->print);
    recent->handed = ngx_camera_api_events_hand_out(&pending->event);
}


/* the next batch, in the order in which they were heard */

static void
ngx_camera_api_publish_send(void)
{
    u_char                     prints[NGX_CAMERA_API_PUBLISH_BATCH]
                                     [2 * NGX_CAMERA_API_PRINT];
    ngx_str_t                  args[1 + 3 * NGX_CAMERA_API_PUBLISH_BATCH];
    ngx_uint_t                 n;
    ngx_queue_t               *q, *queue;
    ngx_camera_redis_t        *redis;
    ngx_camera_api_pending_t  *pending, *batch[NGX_CAMERA_API_PUBLISH_BATCH];

    redis = ngx_camera_redis_client();

    if (ngx_camera_api_publisher.batch || !ngx_camera_redis_ready(redis)) {
        return;
    }

    args[0] = ngx_camera_api_publish_channel;
    queue = &ngx_camera_api_publisher.pending;
    n = 0;

    for (q = ngx_queue_head(queue); q != queue; q = ngx_queue_next(q)) {
        pending = ngx_queue_data(q, ngx_camera_api_pending_t, queue);

        if (pending->kept) {
            continue;
        }

        if (n == NGX_CAMERA_API_PUBLISH_BATCH
            || (!ngx_camera_api_publisher.publisher
                && (ngx_msec_int_t) (ngx_current_msec - pending->due) < 0))
        {
            break;
        }

        ngx_hex_dump(prints[n], pending->print, NGX_CAMERA_API_PRINT);

        args[3 * n + 1].data = prints[n];
        args[3 * n + 1].len = sizeof(prints[n]);
        args[3 * n + 2].data = (u_char *) pending->event.tenant;
        args[3 * n + 2].len = CAM_UUID_TEXT;
        args[3 * n + 3].data = (u_char *) pending->json;
        args[3 * n + 3].len = pending->event.len;

        batch[n++] = pending;
    }

    if (n == 0
        || ngx_camera_redis_script(redis, &ngx_camera_api_publish_script, 1,
                                   args, 1 + 3 * n,
                                   ngx_camera_api_publish_sent, NULL)
           == NULL)
    {
        return;
    }

    ngx_camera_api_publisher.batch = n;

    while (n--) {
        batch[n]->sending = 1;
    }
}


/* what may have been kept or not is sent again: Redis knows it by its print */

static void
ngx_camera_api_publish_sent(void *data, ngx_camera_redis_rc_e rc,
    const redisReply *reply)
{
    ngx_uint_t                 kept, n;
    ngx_queue_t               *q, *next, *queue;
    ngx_camera_api_pending_t  *pending;

    n = ngx_camera_api_publisher.batch;
    ngx_camera_api_publisher.batch = 0;

    kept = rc == NGX_CAMERA_REDIS_OK && reply->type == REDIS_REPLY_INTEGER;

    if (kept) {
        ngx_camera_api_publisher.publisher =
                                         (ngx_uint_t) reply->integer == n;

    } else if (rc == NGX_CAMERA_REDIS_REFUSED) {
        ngx_log_error(NGX_LOG_ERR, ngx_camera_api_publisher.log, 0,
                      "Redis does not keep events: %s", reply->str);
    }

    queue = &ngx_camera_api_publisher.pending;

    for (q = ngx_queue_head(queue); q != queue; q = next) {
        next = ngx_queue_next(q);
        pending = ngx_queue_data(q, ngx_camera_api_pending_t, queue);

        if (!pending->sending) {
            continue;
        }

        pending->sending = 0;
        pending->kept = kept;

        if (kept && pending->handed) {
            ngx_camera_api_publish_free(pending);
        }
    }

    if (!kept) {
        ngx_camera_api_publish_late(1);
        return;                         /* the poll goes on */
    }

    ngx_camera_api_publish_send();
}


static void
ngx_camera_api_publish_message(void *data, const ngx_str_t *channel,
    const ngx_str_t *message)
{
    u_char                     print[NGX_CAMERA_API_PRINT];
    cam_event_t                event;
    cam_event_id_t             id;
    ngx_camera_api_recent_t   *recent;
    ngx_camera_api_pending_t  *pending;

    /* one of a later version, perhaps */

    if (cam_event_message(&event, &id, (char *) message->data, message->len)
        != 0)
    {
        return;
    }

    ngx_camera_api_recent_print(print, &event);
    recent = ngx_camera_api_recent_get(print);
    recent->seen = 1;

    ngx_camera_api_events_deliver(&event, &id, recent->handed);

    pending = ngx_camera_api_publish_find(print);

    if (pending) {
        ngx_camera_api_publish_free(pending);
    }
}


/* what was on its way when messages ceased to arrive does not arrive */

static void
ngx_camera_api_publish_ready(void *data, ngx_uint_t up)
{
    ngx_camera_api_publisher.up = up;

    if (!up) {
        ngx_camera_api_publish_late(1);
    }
}


static ngx_camera_api_pending_t *
ngx_camera_api_publish_find(const u_char print[NGX_CAMERA_API_PRINT])
{
    ngx_queue_t               *q, *queue;
    ngx_camera_api_pending_t  *pending;

    queue = &ngx_camera_api_publisher.pending;

    for (q = ngx_queue_head(queue); q != queue; q = ngx_queue_next(q)) {
        pending = ngx_queue_data(q, ngx_camera_api_pending_t, queue);

        if (ngx_memcmp(pending->print, print, NGX_CAMERA_API_PRINT) == 0) {
            return pending;
        }
    }

    return NULL;
}


static void
ngx_camera_api_publish_free(ngx_camera_api_pending_t *pending)
{
    ngx_queue_remove(&pending->queue);
    ngx_camera_api_publisher.n--;

    ngx_free(pending);
}
