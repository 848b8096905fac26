/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Every worker beats once a second into shm/heartbeats, until it has exited:
 * one that shuts down and still has publishers is as worth watching as any.
 * Who stands still for five seconds is killed by camera-worker, and respawned
 * by nginx's master.  A process without a master does not beat, since nobody
 * would start it again.
 *
 * A worker that cannot beat serves unwatched.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "heartbeat.h"
#include "ngx_camera.h"


#define NGX_CAMERA_HEARTBEAT_MSEC  1000


static ngx_int_t ngx_camera_heartbeat_init_process(ngx_cycle_t *cycle);
static void ngx_camera_heartbeat_exit_process(ngx_cycle_t *cycle);
static void ngx_camera_heartbeat_handler(ngx_event_t *ev);


static ngx_core_module_t  ngx_camera_heartbeat_module_ctx = {
    ngx_string("camera_heartbeat"),
    NULL,
    NULL
};


ngx_module_t  ngx_camera_heartbeat_module = {
    NGX_MODULE_V1,
    &ngx_camera_heartbeat_module_ctx,      /* module context */
    NULL,                                  /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_camera_heartbeat_init_process,     /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_camera_heartbeat_exit_process,     /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_event_t       ngx_camera_heartbeat_timer;
static cam_heartbeat_t  *ngx_camera_heartbeat;


static ngx_int_t
ngx_camera_heartbeat_init_process(ngx_cycle_t *cycle)
{
    ngx_camera_conf_t  *ccf;

    ccf = ngx_camera_conf(cycle);

    if (ccf == NULL || ngx_process != NGX_PROCESS_WORKER) {
        return NGX_OK;
    }

    ngx_camera_heartbeat = cam_heartbeat_open((char *) ccf->shm.data);

    if (ngx_camera_heartbeat == NULL) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_errno,
                      "cam_heartbeat_open(\"%V\") failed, "
                      "this worker is not watched", &ccf->shm);
        return NGX_OK;
    }

    if (cam_heartbeat_beat(ngx_camera_heartbeat) == -1) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_errno,
                      "cam_heartbeat_beat() failed, "
                      "this worker is not watched yet");
    }

    ngx_camera_background_event(&ngx_camera_heartbeat_timer,
                                ngx_camera_heartbeat_handler, cycle->log);

    ngx_add_timer(&ngx_camera_heartbeat_timer, NGX_CAMERA_HEARTBEAT_MSEC);

    return NGX_OK;
}


static void
ngx_camera_heartbeat_exit_process(ngx_cycle_t *cycle)
{
    if (ngx_camera_heartbeat == NULL) {
        return;
    }

    if (ngx_camera_heartbeat_timer.timer_set) {
        ngx_del_timer(&ngx_camera_heartbeat_timer);
    }

    cam_heartbeat_close(ngx_camera_heartbeat);
    ngx_camera_heartbeat = NULL;
}


static void
ngx_camera_heartbeat_handler(ngx_event_t *ev)
{
    (void) cam_heartbeat_beat(ngx_camera_heartbeat);

    ngx_add_timer(ev, NGX_CAMERA_HEARTBEAT_MSEC);
}
