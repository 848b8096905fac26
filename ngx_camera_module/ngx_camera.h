/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The camera {} block: what every part of the modules shares.  The block may
 * stand before or after rtmp {} and http {}; take its values at init_module
 * or later, never while the configuration is read.
 */

#ifndef NGX_CAMERA_H
#define NGX_CAMERA_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "keys.h"
#include "registry.h"
#include "wanted.h"


typedef struct {
    ngx_str_t        node;
    ngx_str_t        region;        /* empty: none */
    ngx_str_t        database;      /* libpq connection string: a secret */
    struct ngx_camera_redis_address_s  *redis;   /* NULL: none */
    ngx_str_t        keys_file;
    ngx_str_t        shm;
    ngx_uint_t       cameras;       /* slots of the registry */
    size_t           ring_size;
    size_t           ring_max;
    ngx_msec_t       drain;
    char           **recordings;    /* volumes; NULL: none */
    ngx_uint_t       nrecordings;

    ngx_uint_t       generation;    /* counted by the master */

    cam_keys_t      *keys;          /* loaded with the configuration */
    uint32_t         signers;       /* of them, as the file says */

    /* opened in each worker */
    cam_registry_t  *registry;
    cam_wanted_t    *wanted;        /* NULL: no room, nothing is wished */
    int              rings_fd;      /* shm/rings */
    int              live_fd;       /* shm/live */
} ngx_camera_conf_t;


/* NULL without a camera {} block */
ngx_camera_conf_t *ngx_camera_conf(ngx_cycle_t *cycle);

/* the file of keys, while the configuration is read; in each worker, who signs
   (ngx_camera_keys.c) */
ngx_int_t ngx_camera_keys_load(ngx_cycle_t *cycle, ngx_camera_conf_t *ccf);
void ngx_camera_keys_init(ngx_cycle_t *cycle, ngx_camera_conf_t *ccf);

/* the shared directory (ngx_camera_shm.c): made in the master; in each worker,
   its files opened until the cycle ends.  NGX_OK or NGX_ERROR, which was
   logged */
ngx_int_t ngx_camera_shm_make(ngx_cycle_t *cycle, ngx_camera_conf_t *ccf);
ngx_int_t ngx_camera_shm_open(ngx_cycle_t *cycle, ngx_camera_conf_t *ccf);

/* how many reloads came after the one that brought this configuration */
ngx_uint_t ngx_camera_newer(ngx_camera_conf_t *ccf);

/* as if the configuration said "thread_pool name threads= max_queue=;" */
ngx_int_t ngx_camera_threads(ngx_conf_t *cf, ngx_str_t *name,
    ngx_uint_t threads, ngx_uint_t queue);

/* this worker's client, NULL without "redis"; good until the worker's end */
struct ngx_camera_redis_s *ngx_camera_redis_client(void);

/* 1 in processes that serve clients, 0 in cache managers and the like, where
   init_process runs too */
ngx_uint_t ngx_camera_is_worker(void);

/* age of camera-worker's last sign of life, of one a second; -1: there is none
   (ngx_camera_health.c) */
int64_t ngx_camera_worker_beat_msec(ngx_camera_conf_t *ccf);

/*
 * A timer that does not keep an exiting worker alive.  data of the event is a
 * connection for the debug log's sake; the caller's own data is what it finds
 * around the event (offsetof).
 */
void ngx_camera_background_event(ngx_event_t *ev, ngx_event_handler_pt handler,
    ngx_log_t *log);


extern ngx_module_t  ngx_camera_module;


#endif /* NGX_CAMERA_H */
