/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The signing keys, which are read with the configuration, so that a wrong file
 * stops a start or a reload with one clear line.
 *
 * While nginx reloads, old and new workers take requests side by side, for a
 * tenth of a second or somewhat more.  What a new worker signs by a new key may
 * come to an old one, which does not know it.  So a new worker goes on for its
 * first seconds with the key that signed before, if that one verifies still:
 *
 *     signs as before ──3 s──► signs as the file says
 *                         [ngx_camera_keys_turn]
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_camera.h"


#define NGX_CAMERA_KEYS_MSEC  3000


static void ngx_camera_keys_turn(ngx_event_t *ev);


static ngx_event_t         ngx_camera_keys_timer;
static ngx_camera_conf_t  *ngx_camera_keys_conf;


ngx_int_t
ngx_camera_keys_load(ngx_cycle_t *cycle, ngx_camera_conf_t *ccf)
{
    char                err[256];
    cam_keys_t         *keys;
    ngx_camera_conf_t  *old;

    keys = ngx_pcalloc(cycle->pool, sizeof(cam_keys_t));
    if (keys == NULL) {
        return NGX_ERROR;
    }

    if (cam_keys_load(keys, (char *) ccf->keys_file.data, err, sizeof(err))
        != 0)
    {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "no usable signing keys in \"%V\": %s",
                      &ccf->keys_file, err);
        return NGX_ERROR;
    }

    ccf->keys = keys;
    ccf->signers = cam_keys_signers(keys);

    old = ngx_is_init_cycle(cycle->old_cycle)
          ? NULL : ngx_camera_conf(cycle->old_cycle);

    if (old) {
        cam_keys_set_signers(keys, cam_keys_known_signers(keys, old->keys,
                                                          old->signers));
    }

    return NGX_OK;
}


/* each worker has its own copy, the master's stays as it was */

void
ngx_camera_keys_init(ngx_cycle_t *cycle, ngx_camera_conf_t *ccf)
{
    if (cam_keys_signers(ccf->keys) == ccf->signers) {
        return;
    }

    ngx_camera_keys_conf = ccf;

    ngx_camera_background_event(&ngx_camera_keys_timer, ngx_camera_keys_turn,
                                cycle->log);
    ngx_add_timer(&ngx_camera_keys_timer, NGX_CAMERA_KEYS_MSEC);
}


static void
ngx_camera_keys_turn(ngx_event_t *ev)
{
    cam_keys_set_signers(ngx_camera_keys_conf->keys,
                         ngx_camera_keys_conf->signers);
}
