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
static char *ngx_camera_pg_copy(ngx_pool_t *pool, const char *text);


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
    size_t             n, i;
    u_char            *limits;
    const char        *user;
    PQconninfoOption  *options, *option;

    static const char *const  defaults[][2] = {
        { "host", "/var/run/postgresql" },
        { "fallback_application_name", "nginx" },
        { "gssencmode", "disable" },
        { "client_encoding", "UTF8" },
        { "keepalives_idle", "5" },
        { "keepalives_interval", "2" },
        { "keepalives_count", "3" },
        { "tcp_user_timeout", "5000" }
    };

    options = ngx_camera_pg_parse(&pg->conf.conninfo, pg->pool);
    if (options == NULL) {
        return NGX_ERROR;
    }

    for (n = 0; options[n].keyword; n++) { /* void */ }

    n += sizeof(defaults) / sizeof(defaults[0]) + 2;

    pg->keywords = ngx_pcalloc(pg->pool, n * sizeof(char *));
    pg->values = ngx_pcalloc(pg->pool, n * sizeof(char *));

    if (pg->keywords == NULL || pg->values == NULL) {
        goto failed;
    }

    for (n = 0, i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {

        if (ngx_camera_pg_option(options, defaults[i][0])
            || (i == 0 && ngx_camera_pg_option(options, "hostaddr")))
        {
            continue;
        }

        pg->keywords[n] = defaults[i][0];
        pg->values[n++] = defaults[i][1];
    }

    for (option = options; option->keyword; option++) {

        if (option->val == NULL || ngx_strcmp(option->keyword, "options") == 0)
        {
            continue;
        }

        pg->keywords[n] = ngx_camera_pg_copy(pg->pool, option->keyword);
        pg->values[n] = ngx_camera_pg_copy(pg->pool, option->val);

        if (pg->keywords[n] == NULL || pg->values[n++] == NULL) {
            goto failed;
        }
    }

    user = ngx_camera_pg_option(options, "options");

    limits = ngx_pnalloc(pg->pool, 200 + (user ? ngx_strlen(user) : 0));
    if (limits == NULL) {
        goto failed;
    }

    ngx_sprintf(limits, "-c statement_timeout=%M -c lock_timeout=500 "
                "-c idle_in_transaction_session_timeout=5000 %s%s%Z",
                pg->conf.statement_timeout,
                pg->conf.generic_plans
                    ? "-c plan_cache_mode=force_generic_plan " : "",
                user ? user : "");

    pg->keywords[n] = "options";
    pg->values[n] = (char *) limits;

    PQconninfoFree(options);

    return NGX_OK;

failed:

    PQconninfoFree(options);

    return NGX_ERROR;
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
