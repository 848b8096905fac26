/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The feeder: keeps the registry like the database.
 *
 * Of all nginx workers that share shm the one that holds the flock of
 * shm/registry.feeder feeds.  The others try to get it five times a second,
 * so that another takes over when it exits, dies or is killed.
 *
 *     waiting   [_tick]      no lock; looks for it
 *     starting  [_lead]      has the lock, connects
 *     loading   [_ready]     connected; reads all cameras, at each connect
 *     feeding   [_done]      reads what changed, on NOTIFY and every 5 s
 *     left      [_leave]     the worker exits: lock and connection given up
 *
 * A read asks for rows whose transaction is not older than the oldest one
 * that was still open at the read before (xmin), so that a transaction which
 * began early and committed late is not missed.  Reading a row again is free.
 *
 * While PostgreSQL is away the registry stays as it is: cached entries are
 * good for CAM_REGISTRY_TTL_SEC after the last good read.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <libpq-fe.h>
#include <sys/file.h>

#include "ngx_camera.h"
#include "ngx_camera_feeder.h"
#include "ngx_camera_pg.h"

#define NGX_CAMERA_FEEDER_TICK      200      /* ms */
#define NGX_CAMERA_FEEDER_PERIOD    5000
#define NGX_CAMERA_FEEDER_DEBOUNCE  10
#define NGX_CAMERA_FEEDER_TIMEOUT   10000


/* statements, by their place in the table below */
enum { NGX_CAMERA_FEEDER_READ, NGX_CAMERA_FEEDER_WRITE };


typedef struct {
    int                    lock;
    ngx_log_t             *log;
    ngx_pool_t            *pool;             /* of the time as the feeder */
    ngx_camera_conf_t     *conf;
    ngx_camera_pg_pool_t  *pg;

    ngx_camera_feeder_status_t  *status;

    ngx_event_t            tick;
    ngx_event_t            read;             /* the next read */
    char                   xmin[NGX_CAMERA_FEEDER_XID_MAX];

    unsigned               reading:1;
    unsigned               again:1;          /* a change came meanwhile */
    unsigned               full:1;
} ngx_camera_feeder_t;


static char *ngx_camera_feeder_init_conf(ngx_cycle_t *cycle, void *conf);
static void *ngx_camera_feeder_create_conf(ngx_cycle_t *cycle);
static ngx_int_t ngx_camera_feeder_init_process(ngx_cycle_t *cycle);
static int ngx_camera_feeder_open_lock(ngx_cycle_t *cycle,
    ngx_camera_conf_t *ccf);
static void ngx_camera_feeder_tick(ngx_event_t *ev);
static void ngx_camera_feeder_lead(ngx_camera_feeder_t *feeder);
static void ngx_camera_feeder_leave(ngx_camera_feeder_t *feeder);
static void ngx_camera_feeder_ready(void *data, ngx_uint_t connections);
static void ngx_camera_feeder_notified(void *data, const char *channel,
    const char *payload);
static void ngx_camera_feeder_soon(ngx_camera_feeder_t *feeder,
    ngx_msec_t delay);
static void ngx_camera_feeder_read(ngx_event_t *ev);
static void ngx_camera_feeder_done(void *data, ngx_camera_pg_rc_e rc,
    const PGresult *res, const ngx_camera_pg_error_t *error);
static ngx_int_t ngx_camera_feeder_take(ngx_camera_feeder_t *feeder,
    const PGresult *res);
static void ngx_camera_feeder_full(ngx_camera_feeder_t *feeder, ngx_int_t n);
static void ngx_camera_feeder_exit_process(ngx_cycle_t *cycle);


static ngx_camera_feeder_t  ngx_camera_feeder = { .lock = -1 };


static const ngx_camera_pg_statement_t  ngx_camera_feeder_statements[] = {
    { "feeder_read", NGX_CAMERA_FEEDER_SELECT, 1 },
    { "feeder_status", NGX_CAMERA_FEEDER_UPDATE, 3 },
    { NULL, NULL, 0 }
};


static const char *const  ngx_camera_feeder_channels[] = {
    "camera_changed", NULL
};


static ngx_core_module_t  ngx_camera_feeder_module_ctx = {
    ngx_string("camera_feeder"),
    ngx_camera_feeder_create_conf,
    ngx_camera_feeder_init_conf
};


ngx_module_t  ngx_camera_feeder_module = {
    NGX_MODULE_V1,
    &ngx_camera_feeder_module_ctx,     /* module context */
    NULL,                              /* module directives */
    NGX_CORE_MODULE,                   /* module type */
    NULL,                              /* init master */
    NULL,                              /* init module */
    ngx_camera_feeder_init_process,    /* init process */
    NULL,                              /* init thread */
    NULL,                              /* exit thread */
    ngx_camera_feeder_exit_process,    /* exit process */
    NULL,                              /* exit master */
    NGX_MODULE_V1_PADDING
};


/* nginx calls init_conf only for modules that made a configuration */

static void *
ngx_camera_feeder_create_conf(ngx_cycle_t *cycle)
{
    return &ngx_camera_feeder;
}


static char *
ngx_camera_feeder_init_conf(ngx_cycle_t *cycle, void *conf)
{
    const char         *error;
    ngx_camera_conf_t  *ccf;

    ccf = (ngx_camera_conf_t *) ngx_get_conf(cycle->conf_ctx,
                                             ngx_camera_module);

    if (ccf == NULL || ccf->database.len == 0) {
        return NGX_CONF_OK;
    }

    error = ngx_camera_pg_check(&ccf->database, cycle->pool);

    if (error) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "\"database\" %s", error);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_camera_feeder_init_process(ngx_cycle_t *cycle)
{
    ngx_camera_conf_t    *ccf;
    ngx_camera_feeder_t  *feeder;

    ccf = ngx_camera_conf(cycle);

    if (ccf == NULL || !ngx_camera_is_worker()) {
        return NGX_OK;
    }

    feeder = &ngx_camera_feeder;

    feeder->log = cycle->log;
    feeder->conf = ccf;
    feeder->lock = ngx_camera_feeder_open_lock(cycle, ccf);

    if (feeder->lock == -1) {
        return NGX_ERROR;
    }

    ngx_camera_background_event(&feeder->tick, ngx_camera_feeder_tick,
                                cycle->log);
    ngx_camera_background_event(&feeder->read, ngx_camera_feeder_read,
                                cycle->log);

    ngx_camera_feeder_tick(&feeder->tick);

    return NGX_OK;
}


static int
ngx_camera_feeder_open_lock(ngx_cycle_t *cycle, ngx_camera_conf_t *ccf)
{
    int     fd;
    u_char  path[NGX_MAX_PATH];

    ngx_snprintf(path, NGX_MAX_PATH, "%V/registry.feeder%Z", &ccf->shm);

    fd = open((char *) path, O_RDWR|O_CREAT|O_CLOEXEC, 0640);

    if (fd == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      ngx_open_file_n " \"%s\" failed", path);
    }

    return fd;
}


static void
ngx_camera_feeder_tick(ngx_event_t *ev)
{
    ngx_camera_feeder_t  *feeder = &ngx_camera_feeder;

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        ngx_camera_feeder_leave(feeder);
        return;
    }

    if (feeder->pg == NULL && flock(feeder->lock, LOCK_EX|LOCK_NB) == 0) {
        ngx_camera_feeder_lead(feeder);
    }

    /* only what the registry was fed with is worth a report */

    if (feeder->pg && ngx_strcmp(feeder->xmin, "0") != 0) {
        ngx_camera_feeder_status_tick(feeder->status, feeder->pg,
                                      NGX_CAMERA_FEEDER_WRITE);
    }

    ngx_add_timer(ev, NGX_CAMERA_FEEDER_TICK);
}


static void
ngx_camera_feeder_lead(ngx_camera_feeder_t *feeder)
{
    ngx_camera_pg_conf_t  conf;

    ngx_log_error(NGX_LOG_INFO, feeder->log, 0, "feeding the registry");

    feeder->pool = ngx_create_pool(4096, feeder->log);
    if (feeder->pool == NULL) {
        return;
    }

    ngx_memzero(&conf, sizeof(conf));

    conf.name = "feeder";
    conf.conninfo = feeder->conf->database;
    conf.connections = 1;
    conf.statement_timeout = NGX_CAMERA_FEEDER_PERIOD;
    conf.statements = ngx_camera_feeder_statements;
    conf.listen = ngx_camera_feeder_channels;
    conf.notified = ngx_camera_feeder_notified;
    conf.ready = ngx_camera_feeder_ready;
    conf.data = feeder;

    feeder->xmin[0] = '0';
    feeder->xmin[1] = '\0';
    feeder->status = ngx_camera_feeder_status_create(feeder->pool,
                                                     feeder->conf);

    if (feeder->status) {
        feeder->pg = ngx_camera_pg_create(feeder->pool, feeder->log, &conf);
    }

    if (feeder->pg == NULL) {
        ngx_destroy_pool(feeder->pool);
        feeder->pool = NULL;
    }
}


static void
ngx_camera_feeder_leave(ngx_camera_feeder_t *feeder)
{
    ngx_camera_pg_pool_t  *pg;

    if (feeder->tick.timer_set) {
        ngx_del_timer(&feeder->tick);
    }

    pg = feeder->pg;
    feeder->pg = NULL;

    if (pg) {
        ngx_camera_pg_close(pg);
    }

    if (feeder->read.timer_set) {
        ngx_del_timer(&feeder->read);
    }

    if (feeder->pool) {
        ngx_destroy_pool(feeder->pool);
        feeder->pool = NULL;
    }

    if (feeder->lock != -1) {
        close(feeder->lock);
        feeder->lock = -1;
    }
}


/* notifications were lost while there was no connection: begin anew */

static void
ngx_camera_feeder_ready(void *data, ngx_uint_t connections)
{
    ngx_camera_feeder_t  *feeder = data;

    feeder->xmin[0] = '0';
    feeder->xmin[1] = '\0';

    ngx_camera_feeder_soon(feeder, 0);
}


static void
ngx_camera_feeder_notified(void *data, const char *channel,
    const char *payload)
{
    ngx_camera_feeder_soon(data, NGX_CAMERA_FEEDER_DEBOUNCE);
}


static void
ngx_camera_feeder_soon(ngx_camera_feeder_t *feeder, ngx_msec_t delay)
{
    if (feeder->reading) {
        feeder->again = 1;
        return;
    }

    if (feeder->read.timer_set) {

        if ((ngx_msec_int_t) (feeder->read.timer.key - ngx_current_msec)
            <= (ngx_msec_int_t) delay)
        {
            return;
        }

        ngx_del_timer(&feeder->read);
    }

    ngx_add_timer(&feeder->read, delay);
}


static void
ngx_camera_feeder_read(ngx_event_t *ev)
{
    ngx_camera_feeder_t    *feeder = &ngx_camera_feeder;
    ngx_camera_pg_param_t   xmin;

    if (feeder->pg == NULL) {
        return;
    }

    if (feeder->full) {
        feeder->xmin[0] = '0';
        feeder->xmin[1] = '\0';
    }

    xmin.data = feeder->xmin;
    xmin.len = (int) ngx_strlen(feeder->xmin);
    xmin.binary = 0;

    if (ngx_camera_pg_start(feeder->pg, NGX_CAMERA_FEEDER_READ, &xmin, 1,
                            NGX_CAMERA_FEEDER_TIMEOUT, ngx_camera_feeder_done,
                            feeder)
        != NULL)
    {
        feeder->reading = 1;
        return;
    }

    /* the next connection begins anew */

    ngx_camera_feeder_soon(feeder, NGX_CAMERA_FEEDER_PERIOD);
}


static void
ngx_camera_feeder_done(void *data, ngx_camera_pg_rc_e rc, const PGresult *res,
    const ngx_camera_pg_error_t *error)
{
    ngx_camera_feeder_t  *feeder = data;

    feeder->reading = 0;

    if (feeder->pg == NULL) {
        return;                                  /* we are leaving */
    }

    if (rc == NGX_CAMERA_PG_REFUSED) {
        ngx_log_error(NGX_LOG_ERR, feeder->log, 0,
                      "cameras cannot be read: SQLSTATE %s", error->sqlstate);
    }

    if (rc == NGX_CAMERA_PG_OK
        && ngx_camera_feeder_take(feeder, res) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ALERT, feeder->log, 0,
                      "the view feeder_cameras is not the expected one");
    }

    if (feeder->again && rc == NGX_CAMERA_PG_OK) {
        feeder->again = 0;
        ngx_camera_feeder_soon(feeder, NGX_CAMERA_FEEDER_DEBOUNCE);
        return;
    }

    ngx_camera_feeder_soon(feeder, NGX_CAMERA_FEEDER_PERIOD);
}


static ngx_int_t
ngx_camera_feeder_take(ngx_camera_feeder_t *feeder, const PGresult *res)
{
    ngx_int_t   left_out;
    ngx_uint_t  whole;

    whole = ngx_strcmp(feeder->xmin, "0") == 0;

    left_out = ngx_camera_feeder_rows(feeder->conf->registry, res, whole,
                                      feeder->log);

    if (left_out == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_camera_feeder_full(feeder, left_out);

    ngx_cpystrn((u_char *) feeder->xmin,
                (u_char *) PQgetvalue(res, 0, NGX_CAMERA_FEEDER_XMIN),
                NGX_CAMERA_FEEDER_XID_MAX);

    cam_registry_fed(feeder->conf->registry, ngx_time());

    return NGX_OK;
}


/* once when it begins; until it fits, every read is of all cameras */

static void
ngx_camera_feeder_full(ngx_camera_feeder_t *feeder, ngx_int_t n)
{
    if (n && !feeder->full) {
        ngx_log_error(NGX_LOG_CRIT, feeder->log, 0,
                      "the registry is full: %i cameras are left out and "
                      "refused, raise \"cameras\" above %ui and restart",
                      n, feeder->conf->cameras);
    }

    feeder->full = n != 0;
}


static void
ngx_camera_feeder_exit_process(ngx_cycle_t *cycle)
{
    ngx_camera_feeder_leave(&ngx_camera_feeder);
}
