/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Identity providers of the configuration.
 *
 *     camera_api_oidc  google  client_id=ID  client_secret_file=FILE
 *                      [tenant=SLUG] [domains=D,...] [role=R auto_create=on];
 *
 * Whoever may be asked, the configuration says: the issuer's host, those of its
 * preset, and those of "hosts".  What a provider answers never leads elsewhere.
 */

#include <sys/stat.h>

#include "ngx_camera_api_oidc.h"

#define NGX_CAMERA_API_OIDC_SECRET_MAX  512      /* bytes of a client's */
#define NGX_CAMERA_API_OIDC_VALUE_MAX   255


typedef struct {
    const char                      *name;
    const char                      *label;
    const char                      *issuer;     /* NULL: must be given */
    const char                      *hosts;
    cam_id_token_flavor_e            flavor;
} ngx_camera_api_oidc_preset_t;


typedef struct {
    const char                      *name;
    size_t                           offset;
    ngx_int_t                      (*set)(ngx_conf_t *cf,
                                          ngx_camera_api_oidc_provider_t *p,
                                          ngx_str_t *field, ngx_str_t *value);
} ngx_camera_api_oidc_param_t;


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
static const ngx_camera_api_oidc_preset_t *ngx_camera_api_oidc_preset_of(
    const ngx_str_t *name);
static const char *ngx_camera_api_oidc_wrong(
    ngx_camera_api_oidc_provider_t *p);
static ngx_int_t ngx_camera_api_oidc_complete(ngx_conf_t *cf,
    ngx_camera_api_oidc_provider_t *p);
static ngx_int_t ngx_camera_api_oidc_expect(ngx_conf_t *cf,
    ngx_camera_api_oidc_provider_t *p);
static ngx_int_t ngx_camera_api_oidc_host(const char *url, size_t len,
    ngx_str_t *host);
static void ngx_camera_api_oidc_cleanup(void *data);


static const ngx_camera_api_oidc_preset_t  ngx_camera_api_oidc_presets[] = {
    { "google", "Google", "https://accounts.google.com",
      "oauth2.googleapis.com,www.googleapis.com", CAM_ID_TOKEN_GOOGLE },
    { "microsoft", "Microsoft",
      "https://login.microsoftonline.com/organizations/v2.0", NULL,
      CAM_ID_TOKEN_MICROSOFT },
    { "okta", "Okta", NULL, NULL, CAM_ID_TOKEN_PLAIN },
    { "oidc", NULL, NULL, NULL, CAM_ID_TOKEN_PLAIN }
};

#define NGX_CAMERA_API_OIDC_PRESETS  (sizeof(ngx_camera_api_oidc_presets)     \
                                      / sizeof(ngx_camera_api_oidc_presets[0]))


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
    const char                      *wrong;
    ngx_str_t                       *value;
    ngx_uint_t                       i;
    ngx_camera_api_oidc_provider_t  *p;

    value = cf->args->elts;

    p = ngx_camera_api_oidc_add(cf, conf, &value[1]);

    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_camera_api_oidc_param(cf, p, &value[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_camera_api_oidc_complete(cf, p) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    wrong = ngx_camera_api_oidc_wrong(p);

    if (wrong) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "identity provider \"%V\" %s", &p->name, wrong);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_camera_api_oidc_provider_t *
ngx_camera_api_oidc_add(ngx_conf_t *cf, ngx_camera_api_auth_conf_t *conf,
    ngx_str_t *name)
{
    size_t                           i;
    ngx_uint_t                       n;
    ngx_pool_cleanup_t              *cln;
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
        return NULL;
    }

    p = conf->providers.elts;

    for (n = 0; n < conf->providers.nelts; n++) {
        if (p[n].name.len == name->len
            && ngx_strncmp(p[n].name.data, name->data, name->len) == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "identity provider \"%V\" is duplicate", name);
            return NULL;
        }
    }

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


/* a copy with its NUL, as nginx's own arguments have one */

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
    u_char       *from, *to, *last;
    ngx_str_t    *item;
    ngx_array_t  *list;

    list = (ngx_array_t *) field;
    last = value->data + value->len;

    for (from = value->data; from <= last; from = to + 1) {
        to = ngx_strlchr(from, last, ',');
        to = to ? to : last;

        if (to == from) {
            continue;
        }

        item = ngx_array_push(list);
        if (item == NULL) {
            return NGX_ERROR;
        }

        item->data = from;
        item->len = to - from;
    }

    return NGX_OK;
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
    const ngx_camera_api_oidc_preset_t  *preset;

    preset = ngx_camera_api_oidc_preset_of(value);

    if (preset == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "there is no preset \"%V\"", value);
        return NGX_ERROR;
    }

    p->preset = preset->name;

    return NGX_OK;
}


static const ngx_camera_api_oidc_preset_t *
ngx_camera_api_oidc_preset_of(const ngx_str_t *name)
{
    ngx_uint_t                           i;
    const ngx_camera_api_oidc_preset_t  *preset;

    for (i = 0; i < NGX_CAMERA_API_OIDC_PRESETS; i++) {
        preset = &ngx_camera_api_oidc_presets[i];

        if (ngx_strlen(preset->name) == name->len
            && ngx_strncmp(preset->name, name->data, name->len) == 0)
        {
            return preset;
        }
    }

    return NULL;
}


/* a provider of the name of a preset is of that kind */

static ngx_int_t
ngx_camera_api_oidc_complete(ngx_conf_t *cf,
    ngx_camera_api_oidc_provider_t *p)
{
    ngx_str_t                            name, hosts;
    const ngx_camera_api_oidc_preset_t  *preset;

    name = p->name;

    if (p->preset) {
        name.data = (u_char *) p->preset;
        name.len = ngx_strlen(p->preset);
    }

    preset = ngx_camera_api_oidc_preset_of(&name);

    if (preset == NULL) {
        preset = &ngx_camera_api_oidc_presets[NGX_CAMERA_API_OIDC_PRESETS - 1];
    }

    p->preset = preset->name;
    p->flavor = preset->flavor;

    if (p->label.len == 0) {
        p->label = p->name;

        if (preset->label) {
            p->label.data = (u_char *) preset->label;
            p->label.len = ngx_strlen(preset->label);
        }
    }

    if (p->issuer.len == 0 && preset->issuer) {
        p->issuer.data = (u_char *) preset->issuer;
        p->issuer.len = ngx_strlen(preset->issuer);
    }

    if (p->scopes.len == 0) {
        ngx_str_set(&p->scopes, "openid email profile");
    }

    if (p->tenant.len == 0) {
        ngx_str_set(&p->tenant, "default");
    }

    if (preset->hosts) {
        hosts.data = (u_char *) preset->hosts;
        hosts.len = ngx_strlen(preset->hosts);

        if (ngx_camera_api_oidc_list(cf, p, (ngx_str_t *) &p->hosts, &hosts)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_camera_api_oidc_expect(cf, p);
}


/* Microsoft's common entrances have an issuer for each directory behind them */

static ngx_int_t
ngx_camera_api_oidc_expect(ngx_conf_t *cf, ngx_camera_api_oidc_provider_t *p)
{
    u_char      *part, *rest;
    ngx_str_t   *host;
    ngx_uint_t   i;

    static const char  *common[] = { "/common/", "/organizations/",
                                     "/consumers/" };

    p->expected = p->issuer;

    if (p->issuer.len) {
        host = ngx_array_push(&p->hosts);

        if (host == NULL) {
            return NGX_ERROR;
        }

        if (ngx_camera_api_oidc_host((char *) p->issuer.data, p->issuer.len,
                                     host)
            != NGX_OK)
        {
            ngx_str_null(&p->issuer);       /* see _wrong() */
            p->hosts.nelts--;
            return NGX_OK;
        }
    }

    for (i = 0; p->flavor == CAM_ID_TOKEN_MICROSOFT && i < 3; i++) {
        part = ngx_strnstr(p->issuer.data, (char *) common[i], p->issuer.len);

        if (part == NULL) {
            continue;
        }

        rest = part + ngx_strlen(common[i]);

        p->many = 1;
        p->expected.data = ngx_pnalloc(cf->pool, p->issuer.len
                                       + sizeof(CAM_ID_TOKEN_TENANT));

        if (p->expected.data == NULL) {
            return NGX_ERROR;
        }

        p->expected.len = ngx_sprintf(p->expected.data, "%*s/%s/%s%Z",
                                      (size_t) (part - p->issuer.data),
                                      p->issuer.data, CAM_ID_TOKEN_TENANT,
                                      rest)
                          - p->expected.data - 1;
        break;
    }

    return NGX_OK;
}


/* whoever makes users of strangers says of which */

static const char *
ngx_camera_api_oidc_wrong(ngx_camera_api_oidc_provider_t *p)
{
    if (p->issuer.len == 0 || p->issuer.data[p->issuer.len - 1] == '/') {
        return "needs \"issuer\", an https URL without a slash at its end";
    }

    if (p->client_id.len == 0 || p->secret.len == 0) {
        return "needs \"client_id\" and \"client_secret_file\"";
    }

    if (p->role.len && cam_role_parse((char *) p->role.data, p->role.len)
                       == CAM_ROLE_NONE)
    {
        return "has no such role";
    }

    if (p->role.len == sizeof("api_only") - 1
        && ngx_strncmp(p->role.data, "api_only", p->role.len) == 0)
    {
        return "has a role that never logs in";
    }

    if (p->create && p->role.len == 0) {
        return "needs \"role\" for users that it makes";
    }

    if (p->create && p->domains.nelts == 0
        && (p->flavor == CAM_ID_TOKEN_GOOGLE || p->many))
    {
        return "knows the whole world: \"auto_create\" needs \"domains\"";
    }

    return NULL;
}


ngx_camera_api_oidc_provider_t *
ngx_camera_api_oidc_find(ngx_http_request_t *r, const ngx_str_t *name)
{
    ngx_uint_t                       i;
    ngx_camera_api_auth_conf_t      *conf;
    ngx_camera_api_oidc_provider_t  *p;

    conf = ngx_http_get_module_main_conf(r, ngx_camera_api_auth_module);
    p = conf->providers.elts;

    for (i = 0; i < conf->providers.nelts; i++) {
        if (p[i].name.len == name->len
            && ngx_strncmp(p[i].name.data, name->data, name->len) == 0)
        {
            return &p[i];
        }
    }

    return NULL;
}


ngx_int_t
ngx_camera_api_oidc_allows(const ngx_camera_api_oidc_provider_t *provider,
    const char *url, size_t len)
{
    ngx_str_t    host, *hosts;
    ngx_uint_t   i;

    if (len > NGX_CAMERA_API_OIDC_URL_MAX
        || ngx_camera_api_oidc_host(url, len, &host) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    hosts = provider->hosts.elts;

    for (i = 0; i < provider->hosts.nelts; i++) {
        if (hosts[i].len == host.len
            && ngx_strncasecmp(hosts[i].data, host.data, host.len) == 0)
        {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* of "https://host[:port][/...]", in which nothing else is */

static ngx_int_t
ngx_camera_api_oidc_host(const char *url, size_t len, ngx_str_t *host)
{
    size_t  i;

    static const size_t  scheme = sizeof("https://") - 1;

    if (len <= scheme || ngx_strncmp(url, "https://", scheme) != 0) {
        return NGX_DECLINED;
    }

    for (i = scheme; i < len; i++) {
        if (url[i] <= 0x20 || url[i] >= 0x7f || url[i] == '"'
            || url[i] == '\\' || url[i] == '#' || url[i] == '$')
        {
            return NGX_DECLINED;
        }
    }

    host->data = (u_char *) url + scheme;

    for (i = scheme; i < len && url[i] != '/' && url[i] != '?'; i++) {
        /* void */
    }

    host->len = i - scheme;

    return host->len ? NGX_OK : NGX_DECLINED;
}


/* keys are OpenSSL's memory */

static void
ngx_camera_api_oidc_cleanup(void *data)
{
    ngx_camera_api_oidc_known_t *known = data;

    cam_jwks_free(&known->jwks);
}
