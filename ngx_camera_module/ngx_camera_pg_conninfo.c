/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The connection string of the PostgreSQL client: whether it can be used
 * without blocking, and what is added to it.  It may hold a password, so
 * nothing of it is ever logged, nor what the library says about it.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_camera_pg_connection.h"


static PQconninfoOption *ngx_camera_pg_parse(ngx_str_t *conninfo,
    ngx_pool_t *pool);
static const char *ngx_camera_pg_check_host(const char *host);
static const char *ngx_camera_pg_option(PQconninfoOption *options,
    const char *keyword);
static size_t ngx_camera_pg_add_defaults(ngx_camera_pg_pool_t *pg,
    PQconninfoOption *options);
static ngx_int_t ngx_camera_pg_add_given(ngx_camera_pg_pool_t *pg,
    PQconninfoOption *options, size_t n);
static char *ngx_camera_pg_limits(ngx_camera_pg_pool_t *pg, const char *user);
static char *ngx_camera_pg_copy(ngx_pool_t *pool, const char *text);


static const char *const  ngx_camera_pg_defaults[][2] = {
    { "host", "/var/run/postgresql" },
    { "fallback_application_name", "nginx" },
    { "gssencmode", "disable" },
    { "client_encoding", "UTF8" },
    { "keepalives_idle", "5" },
    { "keepalives_interval", "2" },
    { "keepalives_count", "3" },
    { "tcp_user_timeout", "5000" }
};

#define NGX_CAMERA_PG_DEFAULTS  (sizeof(ngx_camera_pg_defaults)               \
                                 / sizeof(ngx_camera_pg_defaults[0]))


const char *
ngx_camera_pg_check(ngx_str_t *conninfo, ngx_pool_t *pool)
{
    const char        *host, *hostaddr, *error;
    PQconninfoOption  *options;

    options = ngx_camera_pg_parse(conninfo, pool);

    if (options == NULL) {
        return "is not a connection string of libpq";
    }

    host = ngx_camera_pg_option(options, "host");
    hostaddr = ngx_camera_pg_option(options, "hostaddr");

    if (ngx_camera_pg_option(options, "service")) {
        error = "must not name a service: write its settings out";

    } else {
        error = hostaddr || host == NULL ? NULL
                                         : ngx_camera_pg_check_host(host);
    }

    PQconninfoFree(options);

    return error;
}


/* the library's own message is not used, it quotes what it could not parse */

static PQconninfoOption *
ngx_camera_pg_parse(ngx_str_t *conninfo, ngx_pool_t *pool)
{
    char              *text, *error;
    PQconninfoOption  *options;

    text = ngx_pnalloc(pool, conninfo->len + 1);
    if (text == NULL) {
        return NULL;
    }

    ngx_cpystrn((u_char *) text, conninfo->data, conninfo->len + 1);

    error = NULL;
    options = PQconninfoParse(text, &error);

    if (error) {
        PQfreemem(error);
    }

    return options;
}


/* a list of directories of sockets, or abstract names */

static const char *
ngx_camera_pg_check_host(const char *host)
{
    while (host) {

        if (*host != '/' && *host != '@' && *host != ',' && *host != '\0') {
            return "names a host, whose look-up would block: give its "
                   "address as hostaddr, or the directory of a socket as host";
        }

        host = ngx_strchr(host, ',');

        if (host) {
            host++;
        }
    }

    return NULL;
}


static const char *
ngx_camera_pg_option(PQconninfoOption *options, const char *keyword)
{
    for ( /* void */ ; options->keyword; options++) {

        if (ngx_strcmp(options->keyword, keyword) == 0) {
            return options->val && *options->val ? options->val : NULL;
        }
    }

    return NULL;
}


/* the caller's settings and, where it is silent, ours */

ngx_int_t
ngx_camera_pg_keywords(ngx_camera_pg_pool_t *pg)
{
    size_t             n;
    ngx_int_t          rc;
    PQconninfoOption  *options;

    options = ngx_camera_pg_parse(&pg->conf.conninfo, pg->pool);
    if (options == NULL) {
        return NGX_ERROR;
    }

    for (n = 0; options[n].keyword; n++) { /* void */ }

    /* with "options", and a NULL behind the last one */

    n += NGX_CAMERA_PG_DEFAULTS + 2;

    pg->keywords = ngx_pcalloc(pg->pool, n * sizeof(char *));
    pg->values = ngx_pcalloc(pg->pool, n * sizeof(char *));

    if (pg->keywords == NULL || pg->values == NULL) {
        rc = NGX_ERROR;

    } else {
        n = ngx_camera_pg_add_defaults(pg, options);
        rc = ngx_camera_pg_add_given(pg, options, n);
    }

    PQconninfoFree(options);

    return rc;
}


/* answers how many */

static size_t
ngx_camera_pg_add_defaults(ngx_camera_pg_pool_t *pg, PQconninfoOption *options)
{
    size_t  n, i;

    for (n = 0, i = 0; i < NGX_CAMERA_PG_DEFAULTS; i++) {

        if (ngx_camera_pg_option(options, ngx_camera_pg_defaults[i][0])
            || (i == 0 && ngx_camera_pg_option(options, "hostaddr")))
        {
            continue;
        }

        pg->keywords[n] = ngx_camera_pg_defaults[i][0];
        pg->values[n++] = ngx_camera_pg_defaults[i][1];
    }

    return n;
}


static ngx_int_t
ngx_camera_pg_add_given(ngx_camera_pg_pool_t *pg, PQconninfoOption *options,
    size_t n)
{
    PQconninfoOption  *option;

    for (option = options; option->keyword; option++) {

        if (option->val == NULL || ngx_strcmp(option->keyword, "options") == 0)
        {
            continue;
        }

        pg->keywords[n] = ngx_camera_pg_copy(pg->pool, option->keyword);
        pg->values[n] = ngx_camera_pg_copy(pg->pool, option->val);

        if (pg->keywords[n] == NULL || pg->values[n++] == NULL) {
            return NGX_ERROR;
        }
    }

    pg->keywords[n] = "options";
    pg->values[n] = ngx_camera_pg_limits(pg,
                                   ngx_camera_pg_option(options, "options"));

    return pg->values[n] ? NGX_OK : NGX_ERROR;
}


/* of each statement, and what the caller says besides, which may be NULL */

static char *
ngx_camera_pg_limits(ngx_camera_pg_pool_t *pg, const char *user)
{
    u_char  *limits;

    limits = ngx_pnalloc(pg->pool, 200 + (user ? ngx_strlen(user) : 0));
    if (limits == NULL) {
        return NULL;
    }

    ngx_sprintf(limits, "-c statement_timeout=%M -c lock_timeout=500 "
                "-c idle_in_transaction_session_timeout=5000 %s%s%Z",
                pg->conf.statement_timeout,
                pg->conf.generic_plans
                    ? "-c plan_cache_mode=force_generic_plan " : "",
                user ? user : "");

    return (char *) limits;
}


static char *
ngx_camera_pg_copy(ngx_pool_t *pool, const char *text)
{
    size_t   len;
    u_char  *copy;

    len = ngx_strlen(text) + 1;

    copy = ngx_pnalloc(pool, len);
    if (copy == NULL) {
        return NULL;
    }

    ngx_memcpy(copy, text, len);

    return (char *) copy;
}
