/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * How cameras do: once a minute the first worker walks through the registry, a
 * hundred slots at a time, and tells the database what those that publish to
 * this node are doing.  The next hundred wait for the answer to the last ones,
 * so a slow database is not flooded; a minute that it misses is missing.
 */

#include "ngx_camera_api_analytics.h"
#include "ngx_camera_api_core.h"
#include "ngx_camera_api_status.h"

#define NGX_CAMERA_API_SAMPLE_FIRST_MSEC  8000
#define NGX_CAMERA_API_SAMPLE_MSEC        60000
#define NGX_CAMERA_API_SAMPLE_TICK_MSEC   50
#define NGX_CAMERA_API_SAMPLE_WAIT_MSEC   5000
#define NGX_CAMERA_API_SAMPLE_SLOTS       100     /* of a tick */
#define NGX_CAMERA_API_SAMPLE_LISTS       5

/* "{", the longest items with a comma each, and a NUL */
#define NGX_CAMERA_API_SAMPLE_LIST                                            \
    (NGX_CAMERA_API_SAMPLE_SLOTS * (CAM_UUID_TEXT + 1) + 2)


static void ngx_camera_api_sample_tick(ngx_event_t *ev);
static void ngx_camera_api_sample_slots(void);
static void ngx_camera_api_sample_slot(ngx_camera_conf_t *ccf, int slot);
static void ngx_camera_api_sample_item(ngx_uint_t list, const char *fmt, ...);
static ngx_camera_pg_query_t *ngx_camera_api_sample_send(void);
static void ngx_camera_api_sample_sent(void *data, ngx_camera_pg_rc_e rc,
    const PGresult *res, const ngx_camera_pg_error_t *error);


ngx_camera_api_statement_t  ngx_camera_api_analytics_add = {
    "api_metrics_add",
    "SELECT camera_id, day, uptime, bitrate, viewers_peak, bytes"
    " FROM api_metrics_add($1, $2, $3, $4, $5)",
    5, 0, 0
};


/* arrays of SQL's: camera, online, fps, kbit/s, viewers */

static struct {
    ngx_event_t   tick;
    ngx_cycle_t  *cycle;
    ngx_msec_t    began;         /* this walk */
    ngx_uint_t    slot;          /* the next one */
    ngx_uint_t    n;             /* in the lists */
    ngx_uint_t    waiting;       /* for the answer to the last ones */
    size_t        len[NGX_CAMERA_API_SAMPLE_LISTS];
    u_char        list[NGX_CAMERA_API_SAMPLE_LISTS]
                      [NGX_CAMERA_API_SAMPLE_LIST];
} ngx_camera_api_sample;


ngx_int_t
ngx_camera_api_analytics_sample_init(ngx_cycle_t *cycle)
{
    if (ngx_worker != 0) {
        return NGX_OK;
    }

    ngx_camera_api_sample.cycle = cycle;

    ngx_camera_background_event(&ngx_camera_api_sample.tick,
                                ngx_camera_api_sample_tick, cycle->log);
    ngx_add_timer(&ngx_camera_api_sample.tick,
                  NGX_CAMERA_API_SAMPLE_FIRST_MSEC);

    return NGX_OK;
}


static void
ngx_camera_api_sample_tick(ngx_event_t *ev)
{
    ngx_msec_t  passed;

    if (ngx_exiting) {
        return;
    }

    if (ngx_camera_api_sample.slot == 0 && ngx_camera_api_sample.n == 0) {
        ngx_camera_api_sample.began = ngx_current_msec;
    }

    if (!ngx_camera_api_sample.waiting) {

        if (ngx_camera_api_sample.n == 0) {
            ngx_camera_api_sample_slots();
        }

        /* nobody takes them now: again at the next tick */

        if (ngx_camera_api_sample.n && ngx_camera_api_sample_send()) {
            ngx_camera_api_sample.n = 0;
        }
    }

    if (ngx_camera_api_sample.slot || ngx_camera_api_sample.n) {
        ngx_add_timer(ev, NGX_CAMERA_API_SAMPLE_TICK_MSEC);
        return;
    }

    passed = ngx_current_msec - ngx_camera_api_sample.began;

    ngx_add_timer(ev, passed + NGX_CAMERA_API_SAMPLE_TICK_MSEC
                      < NGX_CAMERA_API_SAMPLE_MSEC
                      ? NGX_CAMERA_API_SAMPLE_MSEC - passed
                      : NGX_CAMERA_API_SAMPLE_TICK_MSEC);
}


/* the next ones, into the lists; behind the last one comes the first one */

static void
ngx_camera_api_sample_slots(void)
{
    ngx_uint_t          i, last;
    ngx_camera_conf_t  *ccf;

    ccf = ngx_camera_conf(ngx_camera_api_sample.cycle);

    for (i = 0; i < NGX_CAMERA_API_SAMPLE_LISTS; i++) {
        ngx_camera_api_sample.list[i][0] = '{';
        ngx_camera_api_sample.len[i] = 1;
    }

    last = ngx_min(ngx_camera_api_sample.slot + NGX_CAMERA_API_SAMPLE_SLOTS,
                   ccf->cameras);

    for (i = ngx_camera_api_sample.slot; i < last && ccf->registry; i++) {
        ngx_camera_api_sample_slot(ccf, i);
    }

    ngx_camera_api_sample.slot = last < ccf->cameras ? last : 0;
}


static void
ngx_camera_api_sample_slot(ngx_camera_conf_t *ccf, int slot)
{
    char                  text[CAM_UUID_TEXT + 1];
    int64_t               bitrate;
    cam_view_t            view;
    const u_char         *camera;
    cam_registry_entry_t  entry;

    camera = entry.camera;

    if (cam_registry_get(ccf->registry, slot, &entry) != 0
        || cam_view_look(&view, ccf->registry, camera) != 0
        || view.state.generation == view.state.ended_generation)
    {
        return;
    }

    ngx_camera_api_status_look(ccf, camera, &view);

    if (!cam_view_publishing(&view)) {
        return;
    }

    bitrate = cam_view_bitrate(&view);

    ngx_camera_api_sample_item(0, "%s", cam_uuid_print(text, camera));
    ngx_camera_api_sample_item(1, "%s",
        ngx_strcmp(cam_view_status(&view), "online") == 0 ? "t" : "f");
    ngx_camera_api_sample_item(2, "%.1f", ngx_camera_api_status_fps(&view));
    ngx_camera_api_sample_item(3, "%L", ngx_max(bitrate, 0) / 1000);
    ngx_camera_api_sample_item(4, "%ui", ngx_camera_api_status_viewers(camera));

    ngx_camera_api_sample.n++;
}


static void
ngx_camera_api_sample_item(ngx_uint_t list, const char *fmt, ...)
{
    u_char   *p, *start;
    va_list   args;

    start = ngx_camera_api_sample.list[list];
    p = start + ngx_camera_api_sample.len[list];

    va_start(args, fmt);
    p = ngx_vslprintf(p, start + NGX_CAMERA_API_SAMPLE_LIST - 2, fmt, args);
    va_end(args);

    *p++ = ',';

    ngx_camera_api_sample.len[list] = p - start;
}


/* parameters are sent before this returns; NULL: nobody takes them now */

static ngx_camera_pg_query_t *
ngx_camera_api_sample_send(void)
{
    u_char                 *list;
    size_t                  len;
    ngx_uint_t              i;
    ngx_camera_pg_query_t  *query;
    ngx_camera_pg_param_t   params[NGX_CAMERA_API_SAMPLE_LISTS];

    for (i = 0; i < NGX_CAMERA_API_SAMPLE_LISTS; i++) {
        list = ngx_camera_api_sample.list[i];
        len = ngx_camera_api_sample.len[i];

        list[len - 1] = '}';
        list[len] = '\0';

        params[i].data = (const char *) list;
        params[i].len = len;
        params[i].binary = 0;
    }

    query = ngx_camera_api_pg_start(&ngx_camera_api_analytics_add, params,
                                    NGX_CAMERA_API_SAMPLE_LISTS,
                                    NGX_CAMERA_API_SAMPLE_WAIT_MSEC,
                                    ngx_camera_api_sample_sent, NULL);

    ngx_camera_api_sample.waiting = query != NULL;

    return query;
}


/* what could not be told is not told again */

static void
ngx_camera_api_sample_sent(void *data, ngx_camera_pg_rc_e rc,
    const PGresult *res, const ngx_camera_pg_error_t *error)
{
    ngx_camera_api_sample.waiting = 0;

    if (rc == NGX_CAMERA_PG_OK) {
        ngx_camera_api_analytics_copy(res);

    } else if (rc == NGX_CAMERA_PG_REFUSED) {
        ngx_log_error(NGX_LOG_ERR, ngx_camera_api_sample.cycle->log, 0,
                      "how cameras do was refused: SQLSTATE %s",
                      error->sqlstate);
    }
}
