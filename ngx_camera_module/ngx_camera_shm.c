/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The shared directory: made by the master, with the rights of its workers,
 * and opened by each of them.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_camera.h"
#include "ring.h"


static ngx_int_t ngx_camera_shm_make_dir(ngx_cycle_t *cycle, ngx_str_t *shm,
    const char *name);
static int ngx_camera_shm_open_dir(ngx_cycle_t *cycle, ngx_str_t *shm,
    const char *name);
static void ngx_camera_shm_close(void *data);


ngx_int_t
ngx_camera_shm_make(ngx_cycle_t *cycle, ngx_camera_conf_t *ccf)
{
    if (ngx_camera_shm_make_dir(cycle, &ccf->shm, "") != NGX_OK
        || ngx_camera_shm_make_dir(cycle, &ccf->shm, "/rings") != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_camera_shm_make_dir(cycle, &ccf->shm, "/live");
}


static ngx_int_t
ngx_camera_shm_make_dir(ngx_cycle_t *cycle, ngx_str_t *shm, const char *name)
{
    u_char            path[NGX_MAX_PATH];
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    ngx_snprintf(path, NGX_MAX_PATH, "%V%s%Z", shm, name);

    if (ngx_create_dir(path, 0750) == NGX_FILE_ERROR) {

        if (ngx_errno == NGX_EEXIST) {
            return NGX_OK;
        }

        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      ngx_create_dir_n " \"%s\" failed", path);
        return NGX_ERROR;
    }

    if (geteuid() == 0 && ccf->user != (ngx_uid_t) NGX_CONF_UNSET_UINT
        && chown((char *) path, ccf->user, ccf->group) == -1)
    {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "chown(\"%s\") failed", path);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_camera_shm_open(ngx_cycle_t *cycle, ngx_camera_conf_t *ccf)
{
    ngx_pool_cleanup_t  *cln;

    ccf->rings_fd = ngx_camera_shm_open_dir(cycle, &ccf->shm, "/rings");
    ccf->live_fd = ngx_camera_shm_open_dir(cycle, &ccf->shm, "/live");

    if (ccf->rings_fd == -1 || ccf->live_fd == -1) {
        return NGX_ERROR;
    }

    /* rings of workers that were killed, this one's predecessor perhaps */

    (void) cam_ring_sweep(ccf->rings_fd);

    ccf->registry = cam_registry_open((char *) ccf->shm.data, ccf->cameras, 1);

    if (ccf->registry == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "cam_registry_open(\"%V\") failed", &ccf->shm);
        return NGX_ERROR;
    }

    ccf->wanted = cam_wanted_open((char *) ccf->shm.data, ccf->cameras);

    if (ccf->wanted == NULL) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_errno,
                      "cam_wanted_open(\"%V\") failed, this worker gets "
                      "nothing that is made on demand", &ccf->shm);
    }

    /* modules after this one use the files in their exit_process */

    cln = ngx_pool_cleanup_add(cycle->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_camera_shm_close;
    cln->data = ccf;

    return NGX_OK;
}


static int
ngx_camera_shm_open_dir(ngx_cycle_t *cycle, ngx_str_t *shm, const char *name)
{
    int     fd;
    u_char  path[NGX_MAX_PATH];

    ngx_snprintf(path, NGX_MAX_PATH, "%V%s%Z", shm, name);

    fd = open((char *) path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      ngx_open_file_n " \"%s\" failed", path);
    }

    return fd;
}


static void
ngx_camera_shm_close(void *data)
{
    ngx_camera_conf_t *ccf = data;

    cam_registry_close(ccf->registry);
    ccf->registry = NULL;

    if (ccf->wanted) {
        cam_wanted_close(ccf->wanted);
        ccf->wanted = NULL;
    }

    close(ccf->rings_fd);
    close(ccf->live_fd);
}
