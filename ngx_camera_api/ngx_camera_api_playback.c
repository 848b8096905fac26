/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What plays by somebody's leave ends when they lose it: "session:ID" and
 * "token:ID" of principal_changed, and "user:ID" of playback_ended, which is
 * said when a user may see less than before.  A user who only changed, a
 * password of one's own or the end of another session, goes on watching.
 *
 * Each worker does it in the table that all share, so that none has to be
 * alive.  While nobody listens, news are missed; the table says until when
 * somebody heard them, and whoever listens again asks for those since:
 *
 *     deaf ──LISTEN──► asking ──answer──► hearing ──connection lost──► deaf
 *                      ▲    │ none, 0.2 s
 *                      └────┘
 */

#include "ngx_camera_api_core.h"
#include "ngx_camera_hls.h"

#define NGX_CAMERA_API_PLAYBACK_HEAR_MSEC   1000
#define NGX_CAMERA_API_PLAYBACK_RETRY_MSEC  200
#define NGX_CAMERA_API_PLAYBACK_ASK_MSEC    2500

/* a connection that is dead may go unnoticed, and a change take, for so long */
#define NGX_CAMERA_API_PLAYBACK_MISSED_SEC  30

/* nothing that plays is older */
#define NGX_CAMERA_API_PLAYBACK_LONG_SEC    (CAM_URL_SESSION_TTL + 3600)


static ngx_int_t ngx_camera_api_playback_init(ngx_cycle_t *cycle);
static void ngx_camera_api_playback_listening(void *data, ngx_uint_t up);
static void ngx_camera_api_playback_tick(ngx_event_t *ev);
static void ngx_camera_api_playback_ask(void);
static int64_t ngx_camera_api_playback_missed(void);
static void ngx_camera_api_playback_told(void *data, ngx_camera_pg_rc_e rc,
    const PGresult *res, const ngx_camera_pg_error_t *error);
static ngx_int_t ngx_camera_api_playback_end_late(const PGresult *res);
static void ngx_camera_api_playback_principal(void *data,
    const char *payload);
static void ngx_camera_api_playback_ended(void *data, const char *payload);


static ngx_camera_api_statement_t  ngx_camera_api_playback_ends = {
    "api_playback_ends",
    "SELECT owner_id, age_sec FROM api_playback_ends($1)",
    1, NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_playback_statements[] =
{
    &ngx_camera_api_playback_ends,
    NULL
};

static const ngx_camera_api_route_t  ngx_camera_api_playback_routes[] = {
    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_playback = {
    .name = "playback",
    .routes = ngx_camera_api_playback_routes,
    .statements = ngx_camera_api_playback_statements,
    .init_process = ngx_camera_api_playback_init
};


static struct {
    ngx_camera_api_notify_t  notify[2];
    ngx_event_t              tick;
    uintptr_t                period;       /* of listening, counted */
    unsigned                 listening:1;
    unsigned                 asking:1;
    unsigned                 hearing:1;
} ngx_camera_api_player;


static ngx_int_t
ngx_camera_api_playback_init(ngx_cycle_t *cycle)
{
    ngx_camera_api_notify_t  *notify;

    notify = ngx_camera_api_player.notify;

    notify[0].channel = "principal_changed";
    notify[0].handler = ngx_camera_api_playback_principal;
    notify[0].listening = ngx_camera_api_playback_listening;
    notify[1].channel = "playback_ended";
    notify[1].handler = ngx_camera_api_playback_ended;

    ngx_camera_api_notify(&notify[0]);
    ngx_camera_api_notify(&notify[1]);

    ngx_camera_background_event(&ngx_camera_api_player.tick,
                                ngx_camera_api_playback_tick, cycle->log);

    return NGX_OK;
}


static void
ngx_camera_api_playback_listening(void *data, ngx_uint_t up)
{
    ngx_camera_api_player.listening = up;
    ngx_camera_api_player.hearing = 0;

    if (up) {
        ngx_camera_api_player.period++;
        ngx_add_timer(&ngx_camera_api_player.tick, 1);
    }
}


static void
ngx_camera_api_playback_tick(ngx_event_t *ev)
{
    if (!ngx_camera_api_player.listening
        || ngx_camera_hls_worker.owners == NULL || ngx_exiting)
    {
        return;
    }

    if (ngx_camera_api_player.hearing) {
        cam_owners_hear(ngx_camera_hls_worker.owners, ngx_time());
        ngx_add_timer(ev, NGX_CAMERA_API_PLAYBACK_HEAR_MSEC);
        return;
    }

    if (!ngx_camera_api_player.asking) {
        ngx_camera_api_playback_ask();
    }

    ngx_add_timer(ev, NGX_CAMERA_API_PLAYBACK_RETRY_MSEC);
}


/* what an earlier period is answered says nothing of the time before this
   one */

static void
ngx_camera_api_playback_ask(void)
{
    u_char                text[NGX_INT64_LEN + 1];
    ngx_camera_pg_param_t  param;

    param.data = (const char *) text;
    param.len = ngx_sprintf(text, "%L%Z", ngx_camera_api_playback_missed())
                - text - 1;
    param.binary = 0;

    ngx_camera_api_player.asking =
        ngx_camera_api_pg_start(&ngx_camera_api_playback_ends, &param, 1,
                                NGX_CAMERA_API_PLAYBACK_ASK_MSEC,
                                ngx_camera_api_playback_told,
                                (void *) ngx_camera_api_player.period)
        != NULL;
}


/* seconds; clocks that were set and tables that were lost mean all */

static int64_t
ngx_camera_api_playback_missed(void)
{
    int64_t  away;

    away = ngx_time() - cam_owners_heard(ngx_camera_hls_worker.owners);

    if (away < 0 || away > NGX_CAMERA_API_PLAYBACK_LONG_SEC) {
        away = NGX_CAMERA_API_PLAYBACK_LONG_SEC;
    }

    return away + NGX_CAMERA_API_PLAYBACK_MISSED_SEC;
}


static void
ngx_camera_api_playback_told(void *data, ngx_camera_pg_rc_e rc,
    const PGresult *res, const ngx_camera_pg_error_t *error)
{
    ngx_camera_api_player.asking = 0;

    if (rc != NGX_CAMERA_PG_OK) {

        if (rc == NGX_CAMERA_PG_REFUSED) {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "whose playback ended was refused: SQLSTATE %s",
                          error->sqlstate);
        }

        return;
    }

    if (ngx_camera_api_playback_end_late(res) == NGX_OK) {
        ngx_camera_api_player.hearing = ngx_camera_api_player.listening
            && (uintptr_t) data == ngx_camera_api_player.period;
    }
}


static ngx_int_t
ngx_camera_api_playback_end_late(const PGresult *res)
{
    int                row, n;
    cam_owners_late_t *late;

    n = PQntuples(res);

    if (n == 0) {
        return NGX_OK;
    }

    late = ngx_alloc(n * sizeof(cam_owners_late_t), ngx_cycle->log);
    if (late == NULL) {
        return NGX_ERROR;
    }

    for (row = 0; row < n; row++) {
        ngx_memcpy(late[row].id, PQgetvalue(res, row, 0), CAM_UUID_LEN);
        late[row].at = ngx_time() - ngx_camera_api_int(res, row, 1);
    }

    n = cam_owners_end_late(ngx_camera_hls_worker.owners, late, n, ngx_time());
    ngx_free(late);

    if (n) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "%d sessions had lost their leave while nobody listened",
                      n);
    }

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
