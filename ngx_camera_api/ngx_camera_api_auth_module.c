/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Directives of /auth.
 *
 *     camera_api_access_ttl        15m;
 *     camera_api_password_threads  1;
 *     camera_api_password_queue    16;
 *     camera_api_register          off;
 *     camera_api_register_limit    10r/h;
 *     camera_api_oidc              google client_id=ID client_secret_file=FILE;
 */

#include "ngx_camera_api_auth.h"
#include "ngx_camera_api_oidc.h"
#include "ngx_camera_api_password.h"


static void *ngx_camera_api_auth_create_main_conf(ngx_conf_t *cf);
static char *ngx_camera_api_auth_init_main_conf(ngx_conf_t *cf, void *conf);


static ngx_conf_num_bounds_t  ngx_camera_api_auth_ttl_bounds = {
    ngx_conf_check_num_bounds, 10, CAM_TOKEN_ACCESS_TTL_MAX
};

static ngx_conf_num_bounds_t  ngx_camera_api_auth_threads_bounds = {
    ngx_conf_check_num_bounds, 1, 64
};

static ngx_conf_num_bounds_t  ngx_camera_api_auth_queue_bounds = {
    ngx_conf_check_num_bounds, 0, 1024
};


static ngx_command_t  ngx_camera_api_auth_commands[] = {

    { ngx_string("camera_api_access_ttl"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_camera_api_auth_conf_t, access_ttl),
      &ngx_camera_api_auth_ttl_bounds },

    { ngx_string("camera_api_password_threads"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_camera_api_auth_conf_t, password_threads),
      &ngx_camera_api_auth_threads_bounds },

    { ngx_string("camera_api_password_queue"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_camera_api_auth_conf_t, password_queue),
      &ngx_camera_api_auth_queue_bounds },

    { ngx_string("camera_api_register"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_camera_api_auth_conf_t, registration),
      NULL },

    { ngx_string("camera_api_register_limit"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_camera_api_rate_set,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_camera_api_auth_conf_t, register_rate),
      NULL },

    { ngx_string("camera_api_oidc"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_camera_api_oidc_set,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_camera_api_auth_module_ctx = {
    ngx_camera_api_oidc_add_variables,     /* preconfiguration */
    NULL,                                  /* postconfiguration */
    ngx_camera_api_auth_create_main_conf,  /* create main configuration */
    ngx_camera_api_auth_init_main_conf,    /* init main configuration */
    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */
    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_camera_api_auth_module = {
    NGX_MODULE_V1,
    &ngx_camera_api_auth_module_ctx,       /* module context */
    ngx_camera_api_auth_commands,          /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_camera_api_auth_create_main_conf(ngx_conf_t *cf)
{
    ngx_camera_api_auth_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_camera_api_auth_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&conf->providers, cf->pool, 4,
                       sizeof(ngx_camera_api_oidc_provider_t))
        != NGX_OK)
    {
        return NULL;
    }

    conf->access_ttl = NGX_CONF_UNSET;
    conf->password_threads = NGX_CONF_UNSET;
    conf->password_queue = NGX_CONF_UNSET;
    conf->registration = NGX_CONF_UNSET;

    return conf;
}


/* locations were read before, so it is known whether any has the API */

static char *
ngx_camera_api_auth_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_camera_api_auth_conf_t  *auth = conf;
    ngx_camera_api_main_conf_t  *amcf;

    ngx_conf_init_value(auth->access_ttl, CAM_TOKEN_ACCESS_TTL);
    ngx_conf_init_value(auth->password_threads, 1);
    ngx_conf_init_value(auth->password_queue, 16);
    ngx_conf_init_value(auth->registration, 0);

    ngx_camera_api_rate_init(&auth->register_rate, 10, 3600);

    amcf = ngx_http_conf_get_module_main_conf(cf, ngx_camera_api_module);

    if (!amcf->used) {
        return NGX_CONF_OK;
    }

    return ngx_camera_api_password_threads(cf, auth->password_threads,
                                           auth->password_queue)
           == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}
