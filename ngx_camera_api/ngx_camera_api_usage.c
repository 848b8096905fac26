/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * How much each API token is used: counted in shared memory, which survives
 * reloads, and added to the database every ten seconds by whichever worker
 * comes first.  What could not be added is counted again; a token for which
 * there is no room is not counted, and served all the same.
 */

#include "ngx_camera.h"
#include "ngx_camera_api_core.h"
#include "ngx_camera_api_usage.h"

#define NGX_CAMERA_API_USAGE_SLOTS  4096
#define NGX_CAMERA_API_USAGE_PROBE  16
#define NGX_CAMERA_API_USAGE_BATCH  64
#define NGX_CAMERA_API_USAGE_MSEC   10000
#define NGX_CAMERA_API_USAGE_TEXT   (NGX_CAMERA_API_USAGE_BATCH * 48)


typedef struct {
    u_char     token[CAM_UUID_LEN];
    time_t     day;                     /* its first second */
    time_t     used_at;
    uint32_t   requests;                /* 0: free */
    uint32_t   limited;
} ngx_camera_api_usage_t;


static ngx_int_t ngx_camera_api_usage_init_zone(ngx_shm_zone_t *zone,
    void *data);
static void ngx_camera_api_usage_add(const ngx_camera_api_usage_t *usage);
static void ngx_camera_api_usage_tick(ngx_event_t *ev);
static ngx_uint_t ngx_camera_api_usage_take(ngx_camera_api_usage_t *batch);
static void ngx_camera_api_usage_send(void);
static void ngx_camera_api_usage_text(ngx_camera_pg_param_t *params);
static void ngx_camera_api_usage_done(void *data, ngx_camera_pg_rc_e rc,
    const PGresult *res, const ngx_camera_pg_error_t *error);
static ngx_uint_t ngx_camera_api_usage_passes(const char *sqlstate);


ngx_camera_api_statement_t  ngx_camera_api_usage_statement = {
    "api_tokens_used",
    "SELECT api_tokens_used($1, $2, $3, $4, $5)",
    5, 0, 0
};


static ngx_slab_pool_t         *ngx_camera_api_usage_pool;
static ngx_camera_api_usage_t  *ngx_camera_api_usages;


static struct {
    ngx_event_t                 tick;
    ngx_uint_t                  n;      /* on their way */
    ngx_camera_api_usage_t      batch[NGX_CAMERA_API_USAGE_BATCH];
    u_char                      text[5][NGX_CAMERA_API_USAGE_TEXT];
} ngx_camera_api_usage;


ngx_int_t
ngx_camera_api_usage_zone(ngx_conf_t *cf, void *tag)
{
    ngx_shm_zone_t  *zone;

    static ngx_str_t  name = ngx_string("camera_api_usage");

    zone = ngx_shared_memory_add(cf, &name, NGX_CAMERA_API_USAGE_SLOTS
                                 * sizeof(ngx_camera_api_usage_t)
                                 + 16 * ngx_pagesize, tag);
    if (zone == NULL) {
        return NGX_ERROR;
    }

    zone->init = ngx_camera_api_usage_init_zone;

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_usage_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t  *pool;

    pool = (ngx_slab_pool_t *) zone->shm.addr;
    zone->data = data ? data : pool->data;

    if (zone->data == NULL) {
        zone->data = ngx_slab_calloc(pool, NGX_CAMERA_API_USAGE_SLOTS
                                           * sizeof(ngx_camera_api_usage_t));
        if (zone->data == NULL) {
            return NGX_ERROR;
        }

        pool->data = zone->data;
    }

    ngx_camera_api_usage_pool = pool;
    ngx_camera_api_usages = zone->data;

    return NGX_OK;
}


void
ngx_camera_api_usage_init(ngx_cycle_t *cycle)
{
    ngx_camera_background_event(&ngx_camera_api_usage.tick,
                                ngx_camera_api_usage_tick, cycle->log);
    ngx_add_timer(&ngx_camera_api_usage.tick, NGX_CAMERA_API_USAGE_MSEC);
}


void
ngx_camera_api_usage_count(const u_char *token, ngx_uint_t limited)
{
    ngx_camera_api_usage_t  usage;

    ngx_memcpy(usage.token, token, CAM_UUID_LEN);
    usage.used_at = ngx_time();
    usage.day = usage.used_at - usage.used_at % 86400;
    usage.requests = 1;
    usage.limited = limited ? 1 : 0;

    ngx_camera_api_usage_add(&usage);
}


static void
ngx_camera_api_usage_add(const ngx_camera_api_usage_t *usage)
{
    ngx_uint_t               i, n;
    ngx_camera_api_usage_t  *slot;

    n = (ngx_uint_t) usage->token[0] << 8 | usage->token[1];

    ngx_shmtx_lock(&ngx_camera_api_usage_pool->mutex);

    for (i = 0; i < NGX_CAMERA_API_USAGE_PROBE; i++) {
        slot = &ngx_camera_api_usages[(n + i) % NGX_CAMERA_API_USAGE_SLOTS];

        if (slot->requests == 0) {
            *slot = *usage;
            break;
        }

        if (slot->day == usage->day
            && ngx_memcmp(slot->token, usage->token, CAM_UUID_LEN) == 0)
        {
            slot->requests += usage->requests;
            slot->limited += usage->limited;
            slot->used_at = ngx_max(slot->used_at, usage->used_at);
            break;
        }
    }

    ngx_shmtx_unlock(&ngx_camera_api_usage_pool->mutex);
}


static void
ngx_camera_api_usage_tick(ngx_event_t *ev)
{
    ngx_add_timer(ev, NGX_CAMERA_API_USAGE_MSEC);

    if (ngx_camera_api_usage.n == 0) {
        ngx_camera_api_usage_send();
    }
}


static ngx_uint_t
ngx_camera_api_usage_take(ngx_camera_api_usage_t *batch)
{
    ngx_uint_t               i, n;
    ngx_camera_api_usage_t  *slot;

    ngx_shmtx_lock(&ngx_camera_api_usage_pool->mutex);

    for (i = 0, n = 0; i < NGX_CAMERA_API_USAGE_SLOTS
                       && n < NGX_CAMERA_API_USAGE_BATCH; i++)
    {
        slot = &ngx_camera_api_usages[i];

        if (slot->requests) {
            batch[n++] = *slot;
            slot->requests = 0;
        }
    }

    ngx_shmtx_unlock(&ngx_camera_api_usage_pool->mutex);

    return n;
}


static void
ngx_camera_api_usage_send(void)
{
    ngx_camera_pg_param_t  params[5];

    ngx_camera_api_usage.n =
                      ngx_camera_api_usage_take(ngx_camera_api_usage.batch);

    if (ngx_camera_api_usage.n == 0) {
        return;
    }

    ngx_camera_api_usage_text(params);

    if (ngx_camera_api_pg_start(&ngx_camera_api_usage_statement, params, 5,
                                2500, ngx_camera_api_usage_done, NULL)
        == NULL)
    {
        ngx_camera_api_usage_done(NULL, NGX_CAMERA_PG_LOST, NULL, NULL);
    }
}


/* five arrays of SQL */

static void
ngx_camera_api_usage_text(ngx_camera_pg_param_t *params)
{
    char                     id[CAM_UUID_TEXT + 1];
    u_char                  *p[5];
    ngx_tm_t                 tm;
    ngx_uint_t               i, j;
    ngx_camera_api_usage_t  *usage;

    for (j = 0; j < 5; j++) {
        p[j] = ngx_camera_api_usage.text[j];
    }

    for (i = 0; i < ngx_camera_api_usage.n; i++) {
        usage = &ngx_camera_api_usage.batch[i];

        for (j = 0; j < 5; j++) {
            *p[j]++ = i ? ',' : '{';
        }

        p[0] = ngx_sprintf(p[0], "%s", cam_uuid_print(id, usage->token));

        ngx_gmtime(usage->day, &tm);
        p[1] = ngx_sprintf(p[1], "%4d-%02d-%02d", tm.ngx_tm_year,
                           tm.ngx_tm_mon, tm.ngx_tm_mday);

        p[2] = ngx_sprintf(p[2], "%uD", usage->requests);
        p[3] = ngx_sprintf(p[3], "%uD", usage->limited);

        ngx_gmtime(usage->used_at, &tm);
        p[4] = ngx_sprintf(p[4], "\"%4d-%02d-%02d %02d:%02d:%02d+00\"",
                           tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                           tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec);
    }

    for (j = 0; j < 5; j++) {
        *p[j]++ = '}';
        *p[j] = '\0';

        params[j].data = (char *) ngx_camera_api_usage.text[j];
        params[j].len = (int) (p[j] - ngx_camera_api_usage.text[j]);
        params[j].binary = 0;
    }
}


static void
ngx_camera_api_usage_done(void *data, ngx_camera_pg_rc_e rc,
    const PGresult *res, const ngx_camera_pg_error_t *error)
{
    ngx_uint_t  i, n;

    n = ngx_camera_api_usage.n;
    ngx_camera_api_usage.n = 0;

    if (rc == NGX_CAMERA_PG_OK) {

        if (n == NGX_CAMERA_API_USAGE_BATCH) {
            ngx_camera_api_usage_send();
        }

        return;
    }

    if (rc == NGX_CAMERA_PG_REFUSED
        && !ngx_camera_api_usage_passes(error->sqlstate))
    {
        return;
    }

    for (i = 0; i < n; i++) {
        ngx_camera_api_usage_add(&ngx_camera_api_usage.batch[i]);
    }
}


/* a lock that somebody holds, a server that is full or slow: the rest SQL
   refuses again */

static ngx_uint_t
ngx_camera_api_usage_passes(const char *sqlstate)
{
    return ngx_strncmp(sqlstate, "40", 2) == 0
           || ngx_strncmp(sqlstate, "53", 2) == 0
           || ngx_strncmp(sqlstate, "55", 2) == 0
           || ngx_strncmp(sqlstate, "57", 2) == 0;
}
