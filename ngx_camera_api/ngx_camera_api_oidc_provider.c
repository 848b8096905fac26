/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * An identity provider, once its parameters were read: what its preset adds to
 * them, what is wrong with it, and which of its addresses may be asked.
 *
 * Whoever may be asked, the configuration says: the issuer's host, those of its
 * preset, and those of "hosts".  What a provider answers never leads elsewhere.
 */

#include "ngx_camera_api_oidc.h"


typedef struct {
    const char                      *name;
    const char                      *label;
    const char                      *issuer;     /* NULL: must be given */
    const char                      *hosts;
    cam_id_token_flavor_e            flavor;
} ngx_camera_api_oidc_preset_t;


static const ngx_camera_api_oidc_preset_t *ngx_camera_api_oidc_preset_of(
    const ngx_str_t *name);
static void ngx_camera_api_oidc_fill(ngx_camera_api_oidc_provider_t *p,
    const ngx_camera_api_oidc_preset_t *preset);
static ngx_int_t ngx_camera_api_oidc_expect(ngx_conf_t *cf,
    ngx_camera_api_oidc_provider_t *p);
static const char *ngx_camera_api_oidc_wrong(
    ngx_camera_api_oidc_provider_t *p);
static ngx_int_t ngx_camera_api_oidc_host(const char *url, size_t len,
    ngx_str_t *host);


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


const char *
ngx_camera_api_oidc_preset_name(const ngx_str_t *name)
{
    const ngx_camera_api_oidc_preset_t  *preset;

    preset = ngx_camera_api_oidc_preset_of(name);

    return preset ? preset->name : NULL;
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

ngx_int_t
ngx_camera_api_oidc_complete(ngx_conf_t *cf,
    ngx_camera_api_oidc_provider_t *p)
{
    ngx_str_t                            name, hosts;
    const char                          *wrong;
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

    ngx_camera_api_oidc_fill(p, preset);

    if (preset->hosts) {
        hosts.data = (u_char *) preset->hosts;
        hosts.len = ngx_strlen(preset->hosts);

        if (ngx_camera_api_oidc_split(&p->hosts, &hosts) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ngx_camera_api_oidc_expect(cf, p) != NGX_OK) {
        return NGX_ERROR;
    }

    wrong = ngx_camera_api_oidc_wrong(p);

    if (wrong) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "identity provider \"%V\" %s", &p->name, wrong);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_camera_api_oidc_fill(ngx_camera_api_oidc_provider_t *p,
    const ngx_camera_api_oidc_preset_t *preset)
{
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


ngx_int_t
ngx_camera_api_oidc_split(ngx_array_t *list, const ngx_str_t *text)
{
    u_char     *from, *to, *last;
    ngx_str_t  *item;

    last = text->data + text->len;

    for (from = text->data; from <= last; from = to + 1) {
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
