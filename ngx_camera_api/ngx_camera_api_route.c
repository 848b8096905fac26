/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Routes: which row of the tables is meant by a method and a path.
 *
 * Paths are taken as they stand in the request line, segment by segment, each
 * decoded once and alone, so that an encoded slash is a character of an id.  A
 * URI that nginx had to clean up first is none of ours.  Where a literal and a
 * parameter both fit, the literal is meant.
 *
 * Paths of the tables follow "/api/v1"; those of other interfaces, which have
 * no version, begin with "/api" themselves.
 */

#include "ngx_camera_api_core.h"

#define NGX_CAMERA_API_VERSION   "v1"
#define NGX_CAMERA_API_OTHERS    "api"
#define NGX_CAMERA_API_SEGMENTS  6
#define NGX_CAMERA_API_ROUTES    128


typedef struct {
    ngx_str_t                      segments[NGX_CAMERA_API_SEGMENTS];
    ngx_uint_t                     n;
} ngx_camera_api_path_t;


typedef struct {
    const ngx_camera_api_route_t  *route;
    ngx_camera_api_path_t          path;
} ngx_camera_api_entry_t;


static ngx_int_t ngx_camera_api_route_split(ngx_camera_api_path_t *path,
    u_char *p, u_char *last);
static ngx_int_t ngx_camera_api_route_path(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_path_t *path);
static ngx_int_t ngx_camera_api_route_other_path(ngx_camera_api_path_t *path,
    u_char *p, u_char *last);
static ngx_uint_t ngx_camera_api_route_is(ngx_str_t *segment,
    const char *text);
static ngx_camera_api_entry_t *ngx_camera_api_route_find(
    ngx_camera_api_path_t *path, ngx_uint_t method, ngx_uint_t *methods);
static ngx_uint_t ngx_camera_api_route_fits(ngx_camera_api_entry_t *entry,
    ngx_camera_api_path_t *path);
static void ngx_camera_api_route_ids(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_entry_t *entry, ngx_camera_api_path_t *path);
static ngx_int_t ngx_camera_api_route_other(ngx_camera_api_ctx_t *ctx,
    ngx_uint_t methods);


extern const ngx_camera_api_resource_t  ngx_camera_api_alerts;
extern const ngx_camera_api_resource_t  ngx_camera_api_analytics;
extern const ngx_camera_api_resource_t  ngx_camera_api_audit;
extern const ngx_camera_api_resource_t  ngx_camera_api_audit_note;
extern const ngx_camera_api_resource_t  ngx_camera_api_auth;
extern const ngx_camera_api_resource_t  ngx_camera_api_bookmarks;
extern const ngx_camera_api_resource_t  ngx_camera_api_cameras;
extern const ngx_camera_api_resource_t  ngx_camera_api_cameras_bulk;
extern const ngx_camera_api_resource_t  ngx_camera_api_cameras_write;
extern const ngx_camera_api_resource_t  ngx_camera_api_events;
extern const ngx_camera_api_resource_t  ngx_camera_api_exports;
extern const ngx_camera_api_resource_t  ngx_camera_api_grants;
extern const ngx_camera_api_resource_t  ngx_camera_api_groups;
extern const ngx_camera_api_resource_t  ngx_camera_api_identities;
extern const ngx_camera_api_resource_t  ngx_camera_api_layouts;
extern const ngx_camera_api_resource_t  ngx_camera_api_nodes;
extern const ngx_camera_api_resource_t  ngx_camera_api_playback;
extern const ngx_camera_api_resource_t  ngx_camera_api_recording_audit;
extern const ngx_camera_api_resource_t  ngx_camera_api_recording_control;
extern const ngx_camera_api_resource_t  ngx_camera_api_recording_settings;
extern const ngx_camera_api_resource_t  ngx_camera_api_recordings;
extern const ngx_camera_api_resource_t  ngx_camera_api_recordings_signed;
extern const ngx_camera_api_resource_t  ngx_camera_api_recordings_write;
extern const ngx_camera_api_resource_t  ngx_camera_api_settings;
extern const ngx_camera_api_resource_t  ngx_camera_api_snapshots;
extern const ngx_camera_api_resource_t  ngx_camera_api_status;
extern const ngx_camera_api_resource_t  ngx_camera_api_storage;
extern const ngx_camera_api_resource_t  ngx_camera_api_stream_keys;
extern const ngx_camera_api_resource_t  ngx_camera_api_streams;
extern const ngx_camera_api_resource_t  ngx_camera_api_tenant;
extern const ngx_camera_api_resource_t  ngx_camera_api_timeline;
extern const ngx_camera_api_resource_t  ngx_camera_api_tokens;
extern const ngx_camera_api_resource_t  ngx_camera_api_user_sessions;
extern const ngx_camera_api_resource_t  ngx_camera_api_users;

const ngx_camera_api_resource_t  *const ngx_camera_api_resources[] = {
    &ngx_camera_api_alerts,
    &ngx_camera_api_analytics,
    &ngx_camera_api_audit,
    &ngx_camera_api_audit_note,
    &ngx_camera_api_auth,
    &ngx_camera_api_bookmarks,
    &ngx_camera_api_cameras,
    &ngx_camera_api_cameras_bulk,
    &ngx_camera_api_cameras_write,
    &ngx_camera_api_events,
    &ngx_camera_api_exports,
    &ngx_camera_api_grants,
    &ngx_camera_api_groups,
    &ngx_camera_api_identities,
    &ngx_camera_api_layouts,
    &ngx_camera_api_nodes,
    &ngx_camera_api_playback,
    &ngx_camera_api_recording_audit,
    &ngx_camera_api_recording_control,
    &ngx_camera_api_recording_settings,
    &ngx_camera_api_recordings,
    &ngx_camera_api_recordings_signed,
    &ngx_camera_api_recordings_write,
    &ngx_camera_api_settings,
    &ngx_camera_api_snapshots,
    &ngx_camera_api_status,
    &ngx_camera_api_storage,
    &ngx_camera_api_stream_keys,
    &ngx_camera_api_streams,
    &ngx_camera_api_tenant,
    &ngx_camera_api_timeline,
    &ngx_camera_api_tokens,
    &ngx_camera_api_user_sessions,
    &ngx_camera_api_users,
    NULL
};


static ngx_camera_api_entry_t  ngx_camera_api_entries[NGX_CAMERA_API_ROUTES];
static ngx_uint_t              ngx_camera_api_nentries;


static const struct {
    ngx_uint_t                     method;
    const char                    *name;
} ngx_camera_api_methods[] = {
    { NGX_HTTP_GET, "GET, HEAD" },
    { NGX_HTTP_POST, "POST" },
    { NGX_HTTP_PUT, "PUT" },
    { NGX_HTTP_PATCH, "PATCH" },
    { NGX_HTTP_DELETE, "DELETE" }
};


ngx_int_t
ngx_camera_api_routes_init(ngx_cycle_t *cycle)
{
    ngx_uint_t                     i;
    ngx_camera_api_entry_t        *entry;
    const ngx_camera_api_route_t  *route;

    ngx_camera_api_nentries = 0;

    for (i = 0; ngx_camera_api_resources[i]; i++) {

        route = ngx_camera_api_resources[i]->routes;

        for ( /* void */ ; route->path; route++) {

            entry = &ngx_camera_api_entries[ngx_camera_api_nentries++];
            entry->route = route;

            if (ngx_camera_api_nentries == NGX_CAMERA_API_ROUTES
                || ngx_camera_api_route_split(&entry->path,
                                   (u_char *) route->path,
                                   (u_char *) route->path
                                   + ngx_strlen(route->path))
                   != NGX_OK)
            {
                ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                              "no room for the route \"%s\"", route->path);
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


const ngx_camera_api_route_t *
ngx_camera_api_route_at(ngx_uint_t number)
{
    return number < ngx_camera_api_nentries
           ? ngx_camera_api_entries[number].route : NULL;
}


ngx_uint_t
ngx_camera_api_route_number(const ngx_camera_api_route_t *route)
{
    ngx_uint_t  i;

    for (i = 0; i < ngx_camera_api_nentries; i++) {
        if (ngx_camera_api_entries[i].route == route) {
            break;
        }
    }

    return i;
}


/* "/a/b": NGX_DECLINED for a path of another shape, or of too many parts */

static ngx_int_t
ngx_camera_api_route_split(ngx_camera_api_path_t *path, u_char *p,
    u_char *last)
{
    u_char  *end;

    for (path->n = 0; p < last; path->n++) {

        if (*p++ != '/' || path->n == NGX_CAMERA_API_SEGMENTS) {
            return NGX_DECLINED;
        }

        end = ngx_strlchr(p, last, '/');
        end = end ? end : last;

        path->segments[path->n].data = p;
        path->segments[path->n].len = end - p;

        if (end == p) {
            return NGX_DECLINED;
        }

        p = end;
    }

    return NGX_OK;
}


ngx_int_t
ngx_camera_api_find_route(ngx_camera_api_ctx_t *ctx)
{
    ngx_uint_t               method, methods;
    ngx_camera_api_path_t    path;
    ngx_camera_api_entry_t  *entry;

    if (ngx_camera_api_route_path(ctx, &path) != NGX_OK) {
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_NOT_FOUND);
    }

    method = ctx->request->method;
    method = method == NGX_HTTP_HEAD ? NGX_HTTP_GET : method;

    entry = ngx_camera_api_route_find(&path, method, &methods);

    if (entry == NULL) {
        return ngx_camera_api_route_other(ctx, methods);
    }

    ctx->route = entry->route;

    ngx_camera_api_route_ids(ctx, entry, &path);

    return NGX_OK;
}


/* what follows "/api/v1" in the request line, or "/api" and what follows it */

static ngx_int_t
ngx_camera_api_route_path(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_path_t *path)
{
    u_char                    *p, *last, *end;
    ngx_str_t                 *name;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = ctx->request;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    name = &clcf->name;

    p = r->unparsed_uri.data;
    last = p + r->unparsed_uri.len;

    end = ngx_strlchr(p, last, '?');
    last = end ? end : last;

    if ((size_t) (last - p) < name->len
        || ngx_memcmp(p, name->data, name->len) != 0)
    {
        return NGX_DECLINED;
    }

    p += name->len;

    if (name->len && p[-1] == '/') {
        p--;
    }

    end = p + sizeof("/" NGX_CAMERA_API_VERSION) - 1;

    if (end > last
        || ngx_memcmp(p, "/" NGX_CAMERA_API_VERSION, end - p) != 0)
    {
        return ngx_camera_api_route_other_path(path, p, last);
    }

    if (ngx_camera_api_route_split(path, end, last) != NGX_OK
        || (path->n && ngx_camera_api_route_is(&path->segments[0],
                                               NGX_CAMERA_API_OTHERS)))
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_route_other_path(ngx_camera_api_path_t *path, u_char *p,
    u_char *last)
{
    if (ngx_camera_api_route_split(path, p, last) != NGX_OK
        || path->n == NGX_CAMERA_API_SEGMENTS)
    {
        return NGX_DECLINED;
    }

    ngx_memmove(&path->segments[1], &path->segments[0],
                path->n * sizeof(ngx_str_t));

    ngx_str_set(&path->segments[0], NGX_CAMERA_API_OTHERS);
    path->n++;

    return NGX_OK;
}


static ngx_uint_t
ngx_camera_api_route_is(ngx_str_t *segment, const char *text)
{
    return segment->len == ngx_strlen(text)
           && ngx_memcmp(segment->data, text, segment->len) == 0;
}


static ngx_camera_api_entry_t *
ngx_camera_api_route_find(ngx_camera_api_path_t *path, ngx_uint_t method,
    ngx_uint_t *methods)
{
    ngx_uint_t               i, fits, best;
    ngx_camera_api_entry_t  *entry, *found;

    best = 0;
    found = NULL;
    *methods = 0;

    for (i = 0; i < ngx_camera_api_nentries; i++) {

        entry = &ngx_camera_api_entries[i];
        fits = ngx_camera_api_route_fits(entry, path);

        if (fits == 0) {
            continue;
        }

        *methods |= entry->route->method;

        if (entry->route->method == method && fits > best) {
            best = fits;
            found = entry;
        }
    }

    return found;
}


/* 0, or more for a path that says more literally, its first segments first */

static ngx_uint_t
ngx_camera_api_route_fits(ngx_camera_api_entry_t *entry,
    ngx_camera_api_path_t *path)
{
    ngx_str_t   *want, *got;
    ngx_uint_t   i, fits;

    if (entry->path.n != path->n) {
        return 0;
    }

    fits = 1;

    for (i = 0; i < path->n; i++) {
        want = &entry->path.segments[i];
        got = &path->segments[i];

        fits <<= 1;

        if (want->data[0] == ':') {
            continue;
        }

        if (want->len != got->len
            || ngx_memcmp(want->data, got->data, got->len) != 0)
        {
            return 0;
        }

        fits |= 1;
    }

    return fits;
}


/* as they are in the request line, see ngx_camera_api_ids() */

static void
ngx_camera_api_route_ids(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_entry_t *entry, ngx_camera_api_path_t *path)
{
    ngx_uint_t  i, n;

    for (i = 0, n = 0; i < path->n; i++) {

        if (entry->path.segments[i].data[0] == ':') {
            ctx->ids[n++] = path->segments[i];
        }
    }
}


static ngx_int_t
ngx_camera_api_route_other(ngx_camera_api_ctx_t *ctx, ngx_uint_t methods)
{
    u_char      *p;
    ngx_str_t    allow;
    ngx_uint_t   i;

    if (methods == 0) {
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_NOT_FOUND);
    }

    p = ngx_pnalloc(ctx->request->pool, 64);
    if (p == NULL) {
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_INTERNAL_ERROR);
    }

    allow.data = p;

    for (i = 0; i < sizeof(ngx_camera_api_methods)
                    / sizeof(ngx_camera_api_methods[0]); i++)
    {
        if (methods & ngx_camera_api_methods[i].method) {
            p = ngx_sprintf(p, "%s, ", ngx_camera_api_methods[i].name);
        }
    }

    p = ngx_cpymem(p, "OPTIONS", sizeof("OPTIONS") - 1);
    allow.len = p - allow.data;

    if (ngx_camera_api_header(ctx, "Allow", &allow) != NGX_OK) {
        return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_INTERNAL_ERROR);
    }

    if (ctx->request->method == NGX_HTTP_OPTIONS) {
        ngx_camera_api_send(ctx, NGX_HTTP_NO_CONTENT);
        return NGX_DONE;
    }

    return ngx_camera_api_refuse(ctx, NGX_CAMERA_API_METHOD_NOT_ALLOWED);
}
