/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The directive of identity providers: its parameters, one by one.
 *
 *     camera_api_oidc  google  client_id=ID  client_secret_file=FILE
 *                      [tenant=SLUG] [domains=D,...] [role=R auto_create=on];
 *
 * What follows from them, and whether it is enough: ..._oidc_provider.c.
 */

#include <sys/stat.h>

#include "ngx_camera_api_oidc.h"

#define NGX_CAMERA_API_OIDC_SECRET_MAX  512      /* bytes of a client's */
#define NGX_CAMERA_API_OIDC_VALUE_MAX   255


typedef struct {
    const char                      *name;
    size_t                           offset;
    ngx_int_t                      (*set)(ngx_conf_t *cf,
                                          ngx_camera_api_oidc_provider_t *p,
                                          ngx_str_t *field, ngx_str_t *value);
} ngx_camera_api_oidc_param_t;


static ngx_int_t ngx_camera_api_oidc_check_name(ngx_conf_t *cf,
    ngx_camera_api_auth_conf_t *conf, ngx_str_t *name);
static ngx_camera_api_oidc_provider_t *ngx_camera_api_oidc_add(ngx_conf_t *cf,
    ngx_camera_api_auth_conf_t *conf, ngx_str_t *name);
static ngx_int_t ngx_camera_api_oidc_param(ngx_conf_t *cf,
    ngx_camera_api_oidc_provider_t *p, ngx_str_t *arg);
static ngx_int_t ngx_camera_api_oidc_text(ngx_conf_t *cf,
    ngx_camera_api_oidc_provider_t *p, ngx_str_t *field, ngx_str_t *value);
static ngx_int_t ngx_camera_api_oidc_list(ngx_conf_t *cf,
    ngx_camera_api_oidc_provider_t *p, ngx_str_t *field, ngx_str_t *value);
static ngx_int_t ngx_camera_api_oidc_file(ngx_conf_t *cf,
    ngx_camera_api_oidc_provider_t *p, ngx_str_t *field, ngx_str_t *value);
static ngx_int_t ngx_camera_api_oidc_flag(ngx_conf_t *cf,
    ngx_camera_api_oidc_provider_t *p, ngx_str_t *field, ngx_str_t *value);
static ngx_int_t ngx_camera_api_oidc_preset(ngx_conf_t *cf,
    ngx_camera_api_oidc_provider_t *p, ngx_str_t *field, ngx_str_t *value);
static void ngx_camera_api_oidc_cleanup(void *data);


#define ngx_camera_api_oidc_field(name)                                       \
    offsetof(ngx_camera_api_oidc_provider_t, name)

static const ngx_camera_api_oidc_param_t  ngx_camera_api_oidc_params[] = {
    { "preset", 0, ngx_camera_api_oidc_preset },
    { "label", ngx_camera_api_oidc_field(label), ngx_camera_api_oidc_text },
    { "issuer", ngx_camera_api_oidc_field(issuer), ngx_camera_api_oidc_text },
    { "client_id", ngx_camera_api_oidc_field(client_id),
      ngx_camera_api_oidc_text },
    { "client_secret_file", ngx_camera_api_oidc_field(secret),
      ngx_camera_api_oidc_file },
    { "redirect_uri", ngx_camera_api_oidc_field(redirect_uri),
      ngx_camera_api_oidc_text },
    { "scopes", ngx_camera_api_oidc_field(scopes), ngx_camera_api_oidc_text },
    { "hosts", ngx_camera_api_oidc_field(hosts), ngx_camera_api_oidc_list },
    { "domains", ngx_camera_api_oidc_field(domains),
      ngx_camera_api_oidc_list },
    { "tenant", ngx_camera_api_oidc_field(tenant), ngx_camera_api_oidc_text },
    { "role", ngx_camera_api_oidc_field(role), ngx_camera_api_oidc_text },
    { "auto_create", ngx_camera_api_oidc_field(create),
      ngx_camera_api_oidc_flag }
};

#define NGX_CAMERA_API_OIDC_PARAMS  (sizeof(ngx_camera_api_oidc_params)       \
                                     / sizeof(ngx_camera_api_oidc_params[0]))


char *
ngx_camera_api_oidc_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                       *value;
    ngx_uint_t                       i;
    ngx_camera_api_oidc_provider_t  *p;

    value = cf->args->elts;

    if (ngx_camera_api_oidc_check_name(cf, conf, &value[1]) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    p = ngx_camera_api_oidc_add(cf, conf, &value[1]);

    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_camera_api_oidc_param(cf, p, &value[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return ngx_camera_api_oidc_complete(cf, p) == NGX_OK ? NGX_CONF_OK
                                                         : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_camera_api_oidc_check_name(ngx_conf_t *cf,
    ngx_camera_api_auth_conf_t *conf, ngx_str_t *name)
{
    size_t                           i;
    ngx_uint_t                       n;
    ngx_camera_api_oidc_provider_t  *p;

    for (i = 0; i < name->len; i++) {
        if ((name->data[i] < 'a' || name->data[i] > 'z')
            && (name->data[i] < '0' || name->data[i] > '9')
            && name->data[i] != '-')
        {
            break;
        }
    }

    if (i < name->len || i == 0 || i > NGX_CAMERA_API_OIDC_NAME_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" is no name of an "
                           "identity provider: lower case, digits and dashes",
                           name);
        return NGX_ERROR;
    }

    p = conf->providers.elts;

    for (n = 0; n < conf->providers.nelts; n++) {
        if (p[n].name.len == name->len
            && ngx_strncmp(p[n].name.data, name->data, name->len) == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "identity provider \"%V\" is duplicate", name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_camera_api_oidc_provider_t *
ngx_camera_api_oidc_add(ngx_conf_t *cf, ngx_camera_api_auth_conf_t *conf,
    ngx_str_t *name)
{
    ngx_pool_cleanup_t              *cln;
    ngx_camera_api_oidc_provider_t  *p;

    p = ngx_array_push(&conf->providers);
    cln = ngx_pool_cleanup_add(cf->pool, 0);

    if (p == NULL || cln == NULL) {
        return NULL;
    }

    ngx_memzero(p, sizeof(ngx_camera_api_oidc_provider_t));

    p->name = *name;
    p->known = ngx_pcalloc(cf->pool, sizeof(ngx_camera_api_oidc_known_t));

    if (p->known == NULL
        || ngx_array_init(&p->hosts, cf->pool, 4, sizeof(ngx_str_t)) != NGX_OK
        || ngx_array_init(&p->domains, cf->pool, 4, sizeof(ngx_str_t))
           != NGX_OK)
    {
        return NULL;
    }

    cln->handler = ngx_camera_api_oidc_cleanup;
    cln->data = p->known;

    return p;
}


static ngx_int_t
ngx_camera_api_oidc_param(ngx_conf_t *cf, ngx_camera_api_oidc_provider_t *p,
    ngx_str_t *arg)
{
    size_t                              len;
    u_char                             *sign;
    ngx_str_t                           value;
    ngx_uint_t                          i;
    const ngx_camera_api_oidc_param_t  *param;

    sign = ngx_strlchr(arg->data, arg->data + arg->len, '=');
    len = sign ? (size_t) (sign - arg->data) : arg->len;

    for (i = 0; sign && i < NGX_CAMERA_API_OIDC_PARAMS; i++) {
        param = &ngx_camera_api_oidc_params[i];

        if (ngx_strlen(param->name) != len
            || ngx_strncmp(param->name, arg->data, len) != 0)
        {
            continue;
        }

        value.data = sign + 1;
        value.len = arg->len - len - 1;

        if (value.len == 0 || value.len > NGX_CAMERA_API_OIDC_VALUE_MAX) {
            break;
        }

        return param->set(cf, p, (ngx_str_t *) ((u_char *) p + param->offset),
                          &value);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%*s\" of "
                       "identity provider \"%V\"", len, arg->data, &p->name);

    return NGX_ERROR;
}


/* the end of an argument: behind it is the NUL of nginx's */

static ngx_int_t
ngx_camera_api_oidc_text(ngx_conf_t *cf, ngx_camera_api_oidc_provider_t *p,
    ngx_str_t *field, ngx_str_t *value)
{
    *field = *value;

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_oidc_list(ngx_conf_t *cf, ngx_camera_api_oidc_provider_t *p,
    ngx_str_t *field, ngx_str_t *value)
{
    return ngx_camera_api_oidc_split((ngx_array_t *) field, value);
}


/* the first line of a file that others cannot read */

static ngx_int_t
ngx_camera_api_oidc_file(ngx_conf_t *cf, ngx_camera_api_oidc_provider_t *p,
    ngx_str_t *field, ngx_str_t *value)
{
    u_char       text[NGX_CAMERA_API_OIDC_SECRET_MAX + 1];
    ssize_t      n;
    ngx_fd_t     fd;
    ngx_str_t    name;
    struct stat  st;

    name = *value;

    if (ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    fd = ngx_open_file(name.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", &name);
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, text, sizeof(text));

    if (fstat(fd, &st) == -1 || (st.st_mode & (S_IROTH|S_IWOTH|S_IWGRP))) {
        n = -1;
    }

    (void) ngx_close_file(fd);

    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r')) {
        n--;
    }

    if (n <= 0 || n > NGX_CAMERA_API_OIDC_SECRET_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must hold a secret, and others must not be "
                           "able to read it", &name);
        return NGX_ERROR;
    }

    field->len = n;
    field->data = ngx_pnalloc(cf->pool, n);

    if (field->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(field->data, text, n);
    ngx_explicit_memzero(text, sizeof(text));

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_oidc_flag(ngx_conf_t *cf, ngx_camera_api_oidc_provider_t *p,
    ngx_str_t *field, ngx_str_t *value)
{
    if (value->len == 2 && ngx_strncmp(value->data, "on", 2) == 0) {
        p->create = 1;
        return NGX_OK;
    }

    if (value->len == 3 && ngx_strncmp(value->data, "off", 3) == 0) {
        p->create = 0;
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"auto_create\" is \"on\" or \"off\"");
    return NGX_ERROR;
}


static ngx_int_t
ngx_camera_api_oidc_preset(ngx_conf_t *cf, ngx_camera_api_oidc_provider_t *p,
    ngx_str_t *field, ngx_str_t *value)
{
    p->preset = ngx_camera_api_oidc_preset_name(value);

    if (p->preset == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "there is no preset \"%V\"", value);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* keys are OpenSSL's memory */

static void
ngx_camera_api_oidc_cleanup(void *data)
{
    ngx_camera_api_oidc_known_t *known = data;

    cam_jwks_free(&known->jwks);
}
