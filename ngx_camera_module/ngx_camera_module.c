/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The camera {} block, and the life of a worker.
 *
 *     camera {
 *         node      node-1;
 *         database  "host=/run/camera dbname=camera";
 *         redis     unix:/run/camera/redis.sock;
 *         keys      /etc/camera/keys.json;
 *         shm       /run/camera/shm;
 *
 *         recordings  /srv/camera;
 *     }
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <sys/prctl.h>

#include "ngx_camera.h"
#include "ngx_camera_redis.h"
#include "ngx_camera_task.h"
#include "record_table.h"
#include "ring.h"


static char *ngx_camera_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_camera_set_redis(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_camera_set_recordings(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static void *ngx_camera_create_conf(ngx_cycle_t *cycle);
static char *ngx_camera_init_conf(ngx_cycle_t *cycle, void *conf);
static ngx_int_t ngx_camera_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_camera_count_generation(ngx_cycle_t *cycle,
    ngx_camera_conf_t *ccf);
static ngx_int_t ngx_camera_check_reload(ngx_cycle_t *cycle,
    ngx_camera_conf_t *ccf);
static ngx_int_t ngx_camera_init_process(ngx_cycle_t *cycle);
static ngx_int_t ngx_camera_init_redis(ngx_cycle_t *cycle,
    ngx_camera_conf_t *ccf);
static void ngx_camera_exit_process(ngx_cycle_t *cycle);


#define NGX_CAMERA_CONF  0x02000000


/* configurations that this master took: the one word that it shares with its
   workers of all generations */
static ngx_atomic_t  *ngx_camera_generation;


static ngx_camera_redis_t  *ngx_camera_redis;


static ngx_conf_num_bounds_t  ngx_camera_cameras_bounds = {
    ngx_conf_check_num_bounds, 1, 100000
};


static ngx_command_t  ngx_camera_commands[] = {

    { ngx_string("camera"),
      NGX_MAIN_CONF|NGX_DIRECT_CONF|NGX_CONF_BLOCK|NGX_CONF_NOARGS,
      ngx_camera_block,
      0,
      0,
      NULL },

    { ngx_string("node"),
      NGX_CAMERA_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_camera_conf_t, node),
      NULL },

    { ngx_string("region"),
      NGX_CAMERA_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_camera_conf_t, region),
      NULL },

    { ngx_string("database"),
      NGX_CAMERA_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_camera_conf_t, database),
      NULL },

    { ngx_string("redis"),
      NGX_CAMERA_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE1,
      ngx_camera_set_redis,
      0,
      0,
      NULL },

    { ngx_string("keys"),
      NGX_CAMERA_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_camera_conf_t, keys_file),
      NULL },

    { ngx_string("shm"),
      NGX_CAMERA_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_camera_conf_t, shm),
      NULL },

    { ngx_string("cameras"),
      NGX_CAMERA_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      0,
      offsetof(ngx_camera_conf_t, cameras),
      &ngx_camera_cameras_bounds },

    { ngx_string("ring_size"),
      NGX_CAMERA_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      0,
      offsetof(ngx_camera_conf_t, ring_size),
      NULL },

    { ngx_string("ring_max"),
      NGX_CAMERA_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      0,
      offsetof(ngx_camera_conf_t, ring_max),
      NULL },

    { ngx_string("drain"),
      NGX_CAMERA_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      0,
      offsetof(ngx_camera_conf_t, drain),
      NULL },

    { ngx_string("recordings"),
      NGX_CAMERA_CONF|NGX_DIRECT_CONF|NGX_CONF_1MORE,
      ngx_camera_set_recordings,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_core_module_t  ngx_camera_module_ctx = {
    ngx_string("camera"),
    ngx_camera_create_conf,
    ngx_camera_init_conf
};


ngx_module_t  ngx_camera_module = {
    NGX_MODULE_V1,
    &ngx_camera_module_ctx,            /* module context */
    ngx_camera_commands,               /* module directives */
    NGX_CORE_MODULE,                   /* module type */
    NULL,                              /* init master */
    ngx_camera_init_module,            /* init module */
    ngx_camera_init_process,           /* init process */
    NULL,                              /* init thread */
    NULL,                              /* exit thread */
    ngx_camera_exit_process,           /* exit process */
    NULL,                              /* exit master */
    NGX_MODULE_V1_PADDING
};


ngx_camera_conf_t *
ngx_camera_conf(ngx_cycle_t *cycle)
{
    ngx_camera_conf_t  *ccf;

    ccf = (ngx_camera_conf_t *) ngx_get_conf(cycle->conf_ctx,
                                             ngx_camera_module);

    return (ccf && ccf->keys) ? ccf : NULL;
}


ngx_uint_t
ngx_camera_newer(ngx_camera_conf_t *ccf)
{
    return *ngx_camera_generation - ccf->generation;
}


ngx_camera_redis_t *
ngx_camera_redis_client(void)
{
    return ngx_camera_redis;
}


ngx_uint_t
ngx_camera_is_worker(void)
{
    return ngx_process == NGX_PROCESS_WORKER
           || ngx_process == NGX_PROCESS_SINGLE;
}


void
ngx_camera_background_event(ngx_event_t *ev, ngx_event_handler_pt handler,
    ngx_log_t *log)
{
    static ngx_connection_t  none;

    none.fd = (ngx_socket_t) -1;

    ngx_memzero(ev, sizeof(ngx_event_t));

    ev->handler = handler;
    ev->data = &none;
    ev->log = log;
    ev->cancelable = 1;
}


static char *
ngx_camera_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char               *rv;
    ngx_conf_t          save;
    ngx_camera_conf_t  *ccf = conf;

    if (ccf->cameras != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    save = *cf;
    cf->module_type = NGX_CORE_MODULE;
    cf->cmd_type = NGX_CAMERA_CONF;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    if (ccf->cameras == NGX_CONF_UNSET_UINT) {
        ccf->cameras = 4096;
    }

    return rv;
}


static char *
ngx_camera_set_redis(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t          *value;
    const char         *error;
    ngx_camera_conf_t  *ccf = conf;

    if (ccf->redis) {
        return "is duplicate";
    }

    ccf->redis = ngx_palloc(cf->pool, sizeof(ngx_camera_redis_address_t));
    if (ccf->redis == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;
    error = ngx_camera_redis_parse(cf->pool, &value[1], ccf->redis);

    if (error) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"redis\" %s", error);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* looked up in with each request: a volume may come and go */

static char *
ngx_camera_set_recordings(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t          *value;
    ngx_uint_t          i;
    ngx_camera_conf_t  *ccf = conf;

    if (ccf->recordings) {
        return "is duplicate";
    }

    if (cf->args->nelts - 1 > CAM_RECORD_VOLUMES) {
        return "has more than 8 directories";
    }

    value = cf->args->elts;

    ccf->nrecordings = cf->args->nelts - 1;
    ccf->recordings = ngx_palloc(cf->pool, ccf->nrecordings * sizeof(char *));
    if (ccf->recordings == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < ccf->nrecordings; i++) {

        if (ngx_conf_full_name(cf->cycle, &value[i + 1], 0) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        ccf->recordings[i] = (char *) value[i + 1].data;
    }

    return ngx_camera_threads(cf, &ngx_camera_task_pool,
                              NGX_CAMERA_TASK_THREADS, NGX_CAMERA_TASKS)
           == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static void *
ngx_camera_create_conf(ngx_cycle_t *cycle)
{
    ngx_camera_conf_t  *ccf;

    ccf = ngx_pcalloc(cycle->pool, sizeof(ngx_camera_conf_t));
    if (ccf == NULL) {
        return NULL;
    }

    ccf->cameras = NGX_CONF_UNSET_UINT;
    ccf->ring_size = NGX_CONF_UNSET_SIZE;
    ccf->ring_max = NGX_CONF_UNSET_SIZE;
    ccf->drain = NGX_CONF_UNSET_MSEC;
    ccf->rings_fd = -1;
    ccf->live_fd = -1;

    return ccf;
}


static char *
ngx_camera_init_conf(ngx_cycle_t *cycle, void *conf)
{
    ngx_camera_conf_t *ccf = conf;

    if (ccf->cameras == NGX_CONF_UNSET_UINT) {
        return NGX_CONF_OK;                     /* no camera {} block */
    }

    ngx_conf_init_size_value(ccf->ring_size, CAM_RING_SIZE_DEFAULT);
    ngx_conf_init_size_value(ccf->ring_max, CAM_RING_SIZE_MAX);
    ngx_conf_init_msec_value(ccf->drain, 24 * 60 * 60 * 1000);

    if (ccf->shm.len == 0 || ccf->keys_file.len == 0
        || ccf->database.len == 0)
    {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "\"camera\" needs \"shm\", \"keys\" and \"database\"");
        return NGX_CONF_ERROR;
    }

    if (ccf->ring_max > CAM_RING_SIZE_MAX || ccf->ring_size > ccf->ring_max
        || ccf->ring_size < 65536)
    {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "\"ring_size\" must be between 64k and \"ring_max\", "
                      "and \"ring_max\" at most 64m");
        return NGX_CONF_ERROR;
    }

    if (ccf->node.len == 0) {
        ngx_str_set(&ccf->node, "node-1");
    }

    if (ngx_conf_full_name(cycle, &ccf->shm, 0) != NGX_OK
        || ngx_conf_full_name(cycle, &ccf->keys_file, 1) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (ngx_camera_check_reload(cycle, ccf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_camera_keys_load(cycle, ccf) == NGX_OK ? NGX_CONF_OK
                                                      : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_camera_init_module(ngx_cycle_t *cycle)
{
    ngx_camera_conf_t  *ccf;

    ccf = ngx_camera_conf(cycle);

    if (ccf == NULL) {
        return NGX_OK;
    }

    if (ngx_camera_shm_make(cycle, ccf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_camera_count_generation(cycle, ccf);
}


/* an old worker is to know how old it is, see ngx_camera_newer() */

static ngx_int_t
ngx_camera_count_generation(ngx_cycle_t *cycle, ngx_camera_conf_t *ccf)
{
    ngx_shm_t  shm;

    if (ngx_camera_generation == NULL) {
        ngx_memzero(&shm, sizeof(ngx_shm_t));

        shm.size = ngx_pagesize;
        shm.log = cycle->log;
        ngx_str_set(&shm.name, "camera_generation");

        if (ngx_shm_alloc(&shm) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_camera_generation = (ngx_atomic_t *) shm.addr;
    }

    ccf->generation = ngx_atomic_fetch_add(ngx_camera_generation, 1) + 1;

    return NGX_OK;
}


/*
 * Workers of both generations share these files: they cannot move or grow.
 * This is part of reading the configuration, because an error in init_module
 * ends the master.
 */

static ngx_int_t
ngx_camera_check_reload(ngx_cycle_t *cycle, ngx_camera_conf_t *ccf)
{
    ngx_camera_conf_t  *old;

    if (ngx_is_init_cycle(cycle->old_cycle)) {
        return NGX_OK;
    }

    old = ngx_camera_conf(cycle->old_cycle);

    if (old == NULL) {
        return NGX_OK;
    }

    if (old->cameras == ccf->cameras && old->shm.len == ccf->shm.len
        && ngx_strncmp(old->shm.data, ccf->shm.data, ccf->shm.len) == 0)
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                  "\"shm\" and \"cameras\" cannot change on reload, "
                  "stop and start nginx instead");

    return NGX_ERROR;
}


static ngx_int_t
ngx_camera_init_process(ngx_cycle_t *cycle)
{
    ngx_camera_conf_t  *ccf;

    ccf = ngx_camera_conf(cycle);

    if (ccf == NULL || !ngx_camera_is_worker()) {
        return NGX_OK;
    }

    /*
     * A worker that outlives a killed master would hold the listening sockets
     * against the next one, for as long as cameras stay connected.
     */

    if (ngx_process == NGX_PROCESS_WORKER
        && prctl(PR_SET_PDEATHSIG, SIGTERM) == -1)
    {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, ngx_errno,
                      "prctl(PR_SET_PDEATHSIG) failed");
    }

    if (ngx_camera_shm_open(cycle, ccf) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_camera_keys_init(cycle, ccf);

    return ngx_camera_init_redis(cycle, ccf);
}


static ngx_int_t
ngx_camera_init_redis(ngx_cycle_t *cycle, ngx_camera_conf_t *ccf)
{
    ngx_camera_redis_conf_t  conf;

    if (ccf->redis == NULL) {
        return NGX_OK;
    }

    ngx_memzero(&conf, sizeof(conf));

    conf.name = "camera";
    conf.address = *ccf->redis;

    ngx_camera_redis = ngx_camera_redis_create(cycle->pool, cycle->log, &conf);

    return ngx_camera_redis ? NGX_OK : NGX_ERROR;
}


/* whoever uses the client later finds it closed, which is like being away */

static void
ngx_camera_exit_process(ngx_cycle_t *cycle)
{
    if (ngx_camera_redis) {
        ngx_camera_redis_close(ngx_camera_redis);
    }
}
