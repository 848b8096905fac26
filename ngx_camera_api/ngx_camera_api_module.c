/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The control plane, the module: directives and the life of a worker.
 *
 *     camera_api_database     "host=/run/postgresql user=camera_api";
 *     camera_api_publish_url  rtmps://camera.example:1936/live;
 *
 *     location /api/ {
 *         camera_api;
 *     }
 *
 * Its keys are those of the camera {} block, one of which must be for access
 * tokens.
 */

#include "ngx_camera.h"
#include "ngx_camera_api_core.h"
#include "ngx_camera_api_limit_sync.h"
#include "ngx_camera_api_login_limit.h"
#include "ngx_camera_api_usage.h"


typedef struct {
    ngx_flag_t  enabled;
    ngx_uint_t  credentials;
} ngx_camera_api_loc_conf_t;


static void *ngx_camera_api_create_conf(ngx_cycle_t *cycle);
static char *ngx_camera_api_init_conf(ngx_cycle_t *cycle, void *conf);
static void *ngx_camera_api_create_main_conf(ngx_conf_t *cf);
static char *ngx_camera_api_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_camera_api_create_loc_conf(ngx_conf_t *cf);
static char *ngx_camera_api_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_camera_api_enable(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_camera_api_database(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_camera_api_public_url(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_camera_api_init_process(ngx_cycle_t *cycle);
static void ngx_camera_api_exit_process(ngx_cycle_t *cycle);


static ngx_conf_num_bounds_t  ngx_camera_api_count_bounds = {
    ngx_conf_check_num_bounds, 1, 10000
};


static ngx_conf_num_bounds_t  ngx_camera_api_comment_bounds = {
    ngx_conf_check_num_bounds, 100, 60000
};


static ngx_conf_bitmask_t  ngx_camera_api_credential_names[] = {
    { ngx_string("bearer"), NGX_CAMERA_API_BY_BEARER },
    { ngx_string("api_key"), NGX_CAMERA_API_BY_API_KEY },
    { ngx_string("basic"), NGX_CAMERA_API_BY_BASIC },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_camera_api_commands[] = {

    { ngx_string("camera_api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_camera_api_enable,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("camera_api_credentials"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_conf_set_bitmask_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_camera_api_loc_conf_t, credentials),
      &ngx_camera_api_credential_names },

    { ngx_string("camera_api_database"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_camera_api_database,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_camera_api_main_conf_t, database),
      NULL },

    { ngx_string("camera_api_public_url"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_camera_api_public_url,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_camera_api_main_conf_t, public_url),
      NULL },

    { ngx_string("camera_api_publish_url"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_camera_api_main_conf_t, publish_url),
      NULL },

    { ngx_string("camera_api_limit"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_camera_api_rate_set,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_camera_api_main_conf_t, user_rate),
      NULL },

    { ngx_string("camera_api_address_limit"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_camera_api_rate_set,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_camera_api_main_conf_t, address_rate),
      NULL },

    { ngx_string("camera_api_tenant_limit"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_camera_api_rate_set,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_camera_api_main_conf_t, tenant_rate),
      NULL },

    { ngx_string("camera_api_concurrent"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_camera_api_main_conf_t, concurrent),
      &ngx_camera_api_count_bounds },

    { ngx_string("camera_api_token_concurrent"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_camera_api_main_conf_t, token_concurrent),
      &ngx_camera_api_count_bounds },

    { ngx_string("camera_api_streams"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_camera_api_main_conf_t, streams),
      &ngx_camera_api_count_bounds },

    { ngx_string("camera_api_events_comment"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_camera_api_main_conf_t, events_comment),
      &ngx_camera_api_comment_bounds },

    { ngx_string("camera_api_login_failures"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_camera_api_main_conf_t, login_failures),
      &ngx_camera_api_count_bounds },

    { ngx_string("camera_api_login_limit"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_camera_api_rate_set,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_camera_api_main_conf_t, login_rate),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_camera_api_module_ctx = {
    ngx_camera_api_add_variables,          /* preconfiguration */
    NULL,                                  /* postconfiguration */
    ngx_camera_api_create_main_conf,       /* create main configuration */
    ngx_camera_api_init_main_conf,         /* init main configuration */
    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */
    ngx_camera_api_create_loc_conf,        /* create location configuration */
    ngx_camera_api_merge_loc_conf          /* merge location configuration */
};


ngx_module_t  ngx_camera_api_module = {
    NGX_MODULE_V1,
    &ngx_camera_api_module_ctx,            /* module context */
    ngx_camera_api_commands,               /* module directives */
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


/* this one sees the whole configuration, the camera {} block included, and
   gives the file its name */

static ngx_core_module_t  ngx_camera_api_core_ctx = {
    ngx_string("camera_api"),
    ngx_camera_api_create_conf,
    ngx_camera_api_init_conf
};


ngx_module_t  ngx_camera_api = {
    NGX_MODULE_V1,
    &ngx_camera_api_core_ctx,       /* module context */
    NULL,                                  /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_camera_api_init_process,           /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_camera_api_exit_process,           /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_camera_api_create_main_conf(ngx_conf_t *cf)
{
    ngx_camera_api_main_conf_t  *amcf;

    amcf = ngx_pcalloc(cf->pool, sizeof(ngx_camera_api_main_conf_t));
    if (amcf == NULL) {
        return NULL;
    }

    amcf->concurrent = NGX_CONF_UNSET_UINT;
    amcf->token_concurrent = NGX_CONF_UNSET_UINT;
    amcf->streams = NGX_CONF_UNSET_UINT;
    amcf->events_comment = NGX_CONF_UNSET_MSEC;
    amcf->login_failures = NGX_CONF_UNSET_UINT;

    return amcf;
}


static char *
ngx_camera_api_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_camera_api_main_conf_t *amcf = conf;

    ngx_conf_init_uint_value(amcf->concurrent, 64);
    ngx_conf_init_uint_value(amcf->token_concurrent, 20);
    ngx_conf_init_uint_value(amcf->streams, 16);
    ngx_conf_init_msec_value(amcf->events_comment, 15000);
    ngx_conf_init_uint_value(amcf->login_failures, 5);

    ngx_camera_api_rate_init(&amcf->user_rate, 6000, 60);
    ngx_camera_api_rate_init(&amcf->address_rate, 600, 60);
    ngx_camera_api_rate_init(&amcf->login_rate, 30, 60);

    return NGX_CONF_OK;
}


static void *
ngx_camera_api_create_loc_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_camera_api_loc_conf_t));
}


/* the size of a body is judged here, with an answer of ours */

static char *
ngx_camera_api_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_core_loc_conf_t   *clcf;
    ngx_camera_api_loc_conf_t  *prev = parent;
    ngx_camera_api_loc_conf_t  *conf = child;

    ngx_conf_merge_bitmask_value(conf->credentials, prev->credentials,
                                 (NGX_CONF_BITMASK_SET
                                  |NGX_CAMERA_API_BY_BEARER
                                  |NGX_CAMERA_API_BY_API_KEY
                                  |NGX_CAMERA_API_BY_BASIC));

    if (conf->enabled) {
        clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
        clcf->client_max_body_size = 0;
    }

    return NGX_CONF_OK;
}


static char *
ngx_camera_api_enable(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t    *clcf;
    ngx_camera_api_loc_conf_t   *alcf = conf;
    ngx_camera_api_main_conf_t  *amcf;

    if (alcf->enabled) {
        return "is duplicate";
    }

    amcf = ngx_http_conf_get_module_main_conf(cf, ngx_camera_api_module);
    amcf->used = 1;

    if (ngx_camera_api_session_zone(cf, &ngx_camera_api_module) != NGX_OK
        || ngx_camera_api_limit_zone(cf, &ngx_camera_api_module) != NGX_OK
        || ngx_camera_api_login_zone(cf, &ngx_camera_api_module) != NGX_OK
        || ngx_camera_api_usage_zone(cf, &ngx_camera_api_module) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    alcf->enabled = 1;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_camera_api_handler;

    return NGX_CONF_OK;
}


static char *
ngx_camera_api_database(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    const char                  *error;
    ngx_str_t                   *value;
    ngx_camera_api_main_conf_t  *amcf = conf;

    if (amcf->database.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    error = ngx_camera_pg_check(&value[1], cf->pool);

    if (error) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"camera_api_database\" %s", error);
        return NGX_CONF_ERROR;
    }

    amcf->database = value[1];

    return NGX_CONF_OK;
}


/* "https://host" or "https://host/prefix", without the slash at its end */

static char *
ngx_camera_api_public_url(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                   *value, *url;
    ngx_camera_api_main_conf_t  *amcf = conf;

    if (amcf->public_url.len) {
        return "is duplicate";
    }

    value = cf->args->elts;
    url = &value[1];

    while (url->len && url->data[url->len - 1] == '/') {
        url->len--;
    }

    if ((ngx_strncmp(url->data, "https://", 8) != 0
         && ngx_strncmp(url->data, "http://", 7) != 0)
        || url->len <= sizeof("https://") - 1
        || ngx_strlchr(url->data, url->data + url->len, '?')
        || ngx_strlchr(url->data, url->data + url->len, '#'))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is no URL of a server", url);
        return NGX_CONF_ERROR;
    }

    amcf->public_url = *url;

    return NGX_CONF_OK;
}


ngx_uint_t
ngx_camera_api_credentials(ngx_http_request_t *r)
{
    ngx_camera_api_loc_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_camera_api_module);

    return alcf->credentials;
}


ngx_camera_api_main_conf_t *
ngx_camera_api_conf(ngx_cycle_t *cycle)
{
    ngx_camera_api_main_conf_t  *amcf;

    amcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_camera_api_module);

    return amcf && amcf->used ? amcf : NULL;
}


/* nginx calls init_conf only for modules that made a configuration */

static void *
ngx_camera_api_create_conf(ngx_cycle_t *cycle)
{
    return &ngx_camera_api;
}


static char *
ngx_camera_api_init_conf(ngx_cycle_t *cycle, void *conf)
{
    ngx_camera_conf_t           *ccf;
    ngx_camera_api_main_conf_t  *amcf;

    amcf = ngx_camera_api_conf(cycle);

    if (amcf == NULL) {
        return NGX_CONF_OK;
    }

    ccf = ngx_camera_conf(cycle);

    if (ccf == NULL || amcf->database.len == 0 || amcf->publish_url.len == 0) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "\"camera_api\" needs a \"camera\" block, "
                      "\"camera_api_database\" and "
                      "\"camera_api_publish_url\"");
        return NGX_CONF_ERROR;
    }

    if (cam_keys_signer(ccf->keys, CAM_KEY_ACCESS) == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "\"camera_api\" needs a key of use \"access\" in "
                      "\"%V\"", &ccf->keys_file);
        return NGX_CONF_ERROR;
    }

    amcf->keys = ccf->keys;

    return ngx_camera_api_routes_init(cycle) == NGX_OK ? NGX_CONF_OK
                                                       : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_camera_api_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                        i;
    ngx_camera_api_main_conf_t       *amcf;
    const ngx_camera_api_resource_t  *resource;

    amcf = ngx_camera_api_conf(cycle);

    if (amcf == NULL || !ngx_camera_is_worker()) {
        return NGX_OK;
    }

    ngx_camera_api_warm_init(cycle);
    ngx_camera_api_identify_init(cycle, amcf->keys);
    ngx_camera_api_limit_init(cycle);
    ngx_camera_api_sync_init(cycle);
    ngx_camera_api_usage_init(cycle);

    for (i = 0; ngx_camera_api_resources[i]; i++) {
        resource = ngx_camera_api_resources[i];

        if (resource->init_process && resource->init_process(cycle) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    /* resources have said what they want to be notified of */

    return ngx_camera_api_pg_init(cycle, amcf);
}


static void
ngx_camera_api_exit_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                        i;
    const ngx_camera_api_resource_t  *resource;

    if (ngx_camera_api_conf(cycle) == NULL || !ngx_camera_is_worker()) {
        return;
    }

    for (i = 0; ngx_camera_api_resources[i]; i++) {
        resource = ngx_camera_api_resources[i];

        if (resource->exit_process) {
            resource->exit_process(cycle);
        }
    }

    ngx_camera_api_pg_exit();
}
