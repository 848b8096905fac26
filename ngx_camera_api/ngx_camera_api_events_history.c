/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What happened before: whoever begins to follow asks Redis for its place in
 * the stream of its tenant, or, when it brings one, for what came since.
 *
 *     waits    [_ask]     for its turn: so many ask at once
 *     asks     [_start]   what comes meanwhile is only noted, for it is in the
 *                         stream before it is a message
 *     full     [_rows]    a page did not fit; asks again when there is room
 *     live     [_live]    has everything up to "last"
 *
 * It asks until nothing came since it asked, so there is no gap between the
 * stream and the messages; "last" tells which messages it has already.
 * Without Redis there is no place, and who brings one is told to load anew.
 */

#include <hiredis/hiredis.h>

#include "ngx_camera.h"
#include "ngx_camera_api_events.h"

#define NGX_CAMERA_API_HISTORY_PAGE  64        /* also in the arguments */
#define NGX_CAMERA_API_HISTORY_ASK   32        /* at once */


static void ngx_camera_api_history_turn(ngx_event_t *ev);
static void ngx_camera_api_history_next(void);
static ngx_int_t ngx_camera_api_history_start(
    ngx_camera_api_follower_t *follower);
static void ngx_camera_api_history_done(void *data, ngx_camera_redis_rc_e rc,
    const redisReply *reply);
static ngx_int_t ngx_camera_api_history_is(const redisReply *reply,
    ngx_uint_t *whole, cam_event_id_t *place);
static void ngx_camera_api_history_rows(ngx_camera_api_follower_t *follower,
    const redisReply *rows);
static ngx_int_t ngx_camera_api_history_row(
    ngx_camera_api_follower_t *follower, const redisReply *row);
static void ngx_camera_api_history_live(ngx_camera_api_follower_t *follower);
static void ngx_camera_api_history_away(ngx_camera_api_follower_t *follower);


/*
 * Answers whether everything after the id is there, a place for who loads what
 * there is now, and a page of entries.  A stream of less than its thousand was
 * never cut.
 */

static ngx_camera_redis_script_t  ngx_camera_api_history_script = {
    ngx_string("local stream, gap = KEYS[1], redis.call('GET', KEYS[2])\n"
               "local id, page = ARGV[1], ARGV[2]\n"
               "local now = redis.call('TIME')\n"
               "local ms = now[1] * 1000 + math.floor(now[2] / 1000) - 1\n"
               "local place = string.format('%.0f-0', ms)\n"
               "local function msec(of)\n"
               "    return tonumber(string.match(of, '^%d+'))\n"
               "end\n"
               "local last = redis.call('XREVRANGE', stream, '+', '-',"
               " 'COUNT', 1)[1]\n"
               "if last and msec(last[1]) >= ms then\n"
               "    place = last[1]\n"
               "end\n"
               "if id == '' or not gap or msec(id) < tonumber(gap)"
               " or msec(id) > msec(place) then\n"
               "    return { 0, place, {} }\n"
               "end\n"
               "if redis.call('XLEN', stream) >= 1000 and"
               " #redis.call('XRANGE', stream, '-', id, 'COUNT', 1) == 0 then\n"
               "    return { 0, place, {} }\n"
               "end\n"
               "return { 1, place, redis.call('XRANGE', stream, '(' .. id,"
               " '+', 'COUNT', page) }\n"),
    ""
};


static struct {
    ngx_queue_t   waiting;
    ngx_uint_t    asking;
    ngx_event_t   turn;
} ngx_camera_api_history;


void
ngx_camera_api_history_init(ngx_log_t *log)
{
    ngx_queue_init(&ngx_camera_api_history.waiting);

    ngx_camera_api_history.turn.handler = ngx_camera_api_history_turn;
    ngx_camera_api_history.turn.log = log;
}


void
ngx_camera_api_history_ask(ngx_camera_api_follower_t *follower)
{
    follower->waits = 1;
    ngx_queue_insert_tail(&ngx_camera_api_history.waiting, &follower->turn);

    ngx_post_event(&ngx_camera_api_history.turn, &ngx_posted_events);
}


void
ngx_camera_api_history_cancel(ngx_camera_api_follower_t *follower)
{
    if (follower->waits) {
        follower->waits = 0;
        ngx_queue_remove(&follower->turn);
    }

    if (follower->command) {
        ngx_camera_redis_cancel(follower->command);
        follower->command = NULL;

        ngx_camera_api_history.asking--;
        ngx_post_event(&ngx_camera_api_history.turn, &ngx_posted_events);
    }
}


static void
ngx_camera_api_history_turn(ngx_event_t *ev)
{
    ngx_camera_api_history_next();
}


static void
ngx_camera_api_history_next(void)
{
    ngx_queue_t                *q, *waiting;
    ngx_camera_api_follower_t  *follower;

    waiting = &ngx_camera_api_history.waiting;

    while (!ngx_queue_empty(waiting)
           && ngx_camera_api_history.asking < NGX_CAMERA_API_HISTORY_ASK)
    {
        q = ngx_queue_head(waiting);
        ngx_queue_remove(q);

        follower = ngx_queue_data(q, ngx_camera_api_follower_t, turn);
        follower->waits = 0;
        follower->more = 0;

        if (ngx_camera_api_history_start(follower) == NGX_OK) {
            ngx_camera_api_history.asking++;

        } else {
            ngx_camera_api_history_away(follower);
        }
    }
}


static ngx_int_t
ngx_camera_api_history_start(ngx_camera_api_follower_t *follower)
{
    char        id[CAM_EVENT_ID_TEXT + 1];
    u_char      stream[sizeof("events:") + CAM_UUID_TEXT];
    ngx_str_t   args[4];

    if (!ngx_camera_api_publish_up()) {
        return NGX_DECLINED;
    }

    args[0].data = stream;
    args[0].len = ngx_sprintf(stream, "events:%V",
                              &follower->principal->tenant_text)
                  - stream;

    ngx_str_set(&args[1], "camera:events:gap");

    args[2].data = (u_char *) id;
    args[2].len = follower->resumes ? cam_event_id_print(id, &follower->last)
                                    : 0;

    ngx_str_set(&args[3], "64");

    follower->command = ngx_camera_redis_script(ngx_camera_redis_client(),
                                           &ngx_camera_api_history_script, 2,
                                           args, 4,
                                           ngx_camera_api_history_done,
                                           follower);

    return follower->command ? NGX_OK : NGX_DECLINED;
}


static void
ngx_camera_api_history_done(void *data, ngx_camera_redis_rc_e rc,
    const redisReply *reply)
{
    ngx_uint_t                  whole;
    cam_event_id_t              place;
    ngx_camera_api_follower_t  *follower = data;

    follower->command = NULL;

    ngx_camera_api_history.asking--;
    ngx_post_event(&ngx_camera_api_history.turn, &ngx_posted_events);

    if (rc != NGX_CAMERA_REDIS_OK
        || ngx_camera_api_history_is(reply, &whole, &place) != NGX_OK)
    {
        ngx_camera_api_history_away(follower);
        return;
    }

    if (whole) {

        if (!follower->begun) {
            follower->begin(follower, &follower->last, 0);
            follower->begun = 1;
        }

        ngx_camera_api_history_rows(follower, reply->element[2]);
        return;
    }

    follower->last = place;

    follower->begin(follower, &place, follower->resumes);

    follower->begun = 1;
    follower->resumes = 1;

    ngx_camera_api_history_live(follower);
}


static ngx_int_t
ngx_camera_api_history_is(const redisReply *reply, ngx_uint_t *whole,
    cam_event_id_t *place)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3
        || reply->element[0]->type != REDIS_REPLY_INTEGER
        || reply->element[1]->type != REDIS_REPLY_STRING
        || reply->element[2]->type != REDIS_REPLY_ARRAY)
    {
        return NGX_ERROR;
    }

    *whole = reply->element[0]->integer == 1;

    return cam_event_id_parse(place, reply->element[1]->str,
                              reply->element[1]->len)
           == 0 ? NGX_OK : NGX_ERROR;
}


static void
ngx_camera_api_history_rows(ngx_camera_api_follower_t *follower,
    const redisReply *rows)
{
    size_t  i;

    for (i = 0; i < rows->elements; i++) {

        if (ngx_camera_api_history_row(follower, rows->element[i]) != NGX_OK) {
            follower->full = 1;
            return;
        }
    }

    if (rows->elements == NGX_CAMERA_API_HISTORY_PAGE) {
        follower->more = 1;
    }

    ngx_camera_api_history_live(follower);
}


/* an entry: its id, and an array of a field and its value */

static ngx_int_t
ngx_camera_api_history_row(ngx_camera_api_follower_t *follower,
    const redisReply *row)
{
    cam_event_t        event;
    cam_event_id_t     id;
    const redisReply  *fields;

    if (row->type != REDIS_REPLY_ARRAY || row->elements != 2
        || row->element[0]->type != REDIS_REPLY_STRING
        || cam_event_id_parse(&id, row->element[0]->str, row->element[0]->len)
           != 0)
    {
        return NGX_OK;
    }

    fields = row->element[1];

    if (fields->type == REDIS_REPLY_ARRAY && fields->elements == 2
        && fields->element[1]->type == REDIS_REPLY_STRING
        && cam_event_json(&event, fields->element[1]->str,
                          fields->element[1]->len)
           == 0
        && ngx_camera_api_events_wants(follower, &event)
        && follower->event(follower, &event, &id) != NGX_OK)
    {
        return NGX_AGAIN;
    }

    follower->last = id;

    return NGX_OK;
}


static void
ngx_camera_api_history_live(ngx_camera_api_follower_t *follower)
{
    if (follower->more) {
        ngx_camera_api_history_ask(follower);
        return;
    }

    if (follower->lost) {
        follower->lost = 0;
        follower->begin(follower, &follower->last, 1);
    }

    follower->live = 1;
}


static void
ngx_camera_api_history_away(ngx_camera_api_follower_t *follower)
{
    follower->begin(follower, NULL, follower->resumes);

    follower->begun = 1;
    follower->resumes = 0;
    follower->live = 1;

    ngx_memzero(&follower->last, sizeof(cam_event_id_t));
}
