/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * PostgreSQL for the API: two pools per worker, so that no list stands in the
 * way of a look-up; every query runs under the tenant of its principal, and
 * under none before that is known.  What a query can end in other than an
 * answer is answered here, in one place.
 */

#include "ngx_camera_api_core.h"

#define NGX_CAMERA_API_POOL_QUICK     0
#define NGX_CAMERA_API_POOL_SLOW      1
#define NGX_CAMERA_API_POOLS          2

#define NGX_CAMERA_API_QUICK_MSEC     2000     /* for the server */
#define NGX_CAMERA_API_SLOW_MSEC      5000
#define NGX_CAMERA_API_GRACE_MSEC     500      /* more for its answer */

#define NGX_CAMERA_API_GATHER         32        /* look-ups of one moment */

#define NGX_CAMERA_API_STATEMENTS     128      /* of a pool */
#define NGX_CAMERA_API_CHANNELS       8


static ngx_int_t ngx_camera_api_pg_collect(ngx_cycle_t *cycle);
static ngx_int_t ngx_camera_api_pg_add(ngx_camera_api_statement_t *statement);
static ngx_int_t ngx_camera_api_pg_create(ngx_cycle_t *cycle,
    ngx_uint_t slow, ngx_str_t *conninfo);
static void ngx_camera_api_pg_ready(void *data, ngx_uint_t connections);
static void ngx_camera_api_pg_listening(void *data, ngx_uint_t up);
static void ngx_camera_api_pg_notified(void *data, const char *channel,
    const char *payload);
static ngx_camera_pg_query_t *ngx_camera_api_pg_start_as(
    const ngx_str_t *who, ngx_camera_api_statement_t *statement,
    const ngx_camera_pg_param_t *params, ngx_uint_t n, ngx_msec_t timeout,
    ngx_camera_pg_handler_pt handler, void *data);
static ngx_uint_t ngx_camera_api_pg_pool(
    const ngx_camera_api_statement_t *statement);
static void ngx_camera_api_pg_ask(ngx_camera_api_ctx_t *ctx);
static void ngx_camera_api_pg_done(void *data, ngx_camera_pg_rc_e rc,
    const PGresult *res, const ngx_camera_pg_error_t *error);
static void ngx_camera_api_pg_refused(ngx_camera_api_ctx_t *ctx,
    const ngx_camera_pg_error_t *error);
static ngx_camera_api_code_e ngx_camera_api_pg_conflict(
    ngx_camera_api_ctx_t *ctx, const char *constraint);
static ngx_camera_api_code_e ngx_camera_api_pg_code(const char *sqlstate);


extern ngx_camera_api_statement_t  ngx_camera_api_ids_camera;
extern ngx_camera_api_statement_t  ngx_camera_api_usage_statement;
extern ngx_camera_api_statement_t  ngx_camera_api_ids_granted;

/* those of the core */
static ngx_camera_api_statement_t  *const ngx_camera_api_pg_core[] = {
    &ngx_camera_api_identify_check,
    &ngx_camera_api_identify_check_api,
    &ngx_camera_api_ids_camera,
    &ngx_camera_api_usage_statement,
    &ngx_camera_api_ids_granted,
    NULL
};


static const ngx_camera_pg_demand_t  ngx_camera_api_pg_demands[] = {
    { "SELECT NOT (rolsuper OR rolbypassrls"
      " OR pg_has_role(oid, (SELECT relowner FROM pg_class"
      " WHERE oid = 'public.cameras'::regclass), 'USAGE'))"
      " FROM pg_roles WHERE rolname = current_user",
      "its role could see what belongs to other tenants: it is a superuser, "
      "bypasses row-level security or owns the tables" },
    { NULL, NULL }
};


static struct {
    ngx_camera_pg_pool_t      *pools[NGX_CAMERA_API_POOLS];

    ngx_camera_pg_statement_t  statements[NGX_CAMERA_API_POOLS]
                                         [NGX_CAMERA_API_STATEMENTS + 1];
    ngx_uint_t                 n[NGX_CAMERA_API_POOLS];

    ngx_camera_api_notify_t   *notify;
    const char                *channels[NGX_CAMERA_API_CHANNELS + 1];
    ngx_uint_t                 nchannels;
} ngx_camera_api_pg;


ngx_int_t
ngx_camera_api_pg_init(ngx_cycle_t *cycle, ngx_camera_api_main_conf_t *amcf)
{
    if (ngx_camera_api_pg_collect(cycle) != NGX_OK
        || ngx_camera_api_pg_create(cycle, NGX_CAMERA_API_POOL_QUICK,
                                    &amcf->database)
           != NGX_OK
        || ngx_camera_api_pg_create(cycle, NGX_CAMERA_API_POOL_SLOW,
                                    &amcf->database)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_pg_collect(ngx_cycle_t *cycle)
{
    ngx_int_t                           rc;
    ngx_uint_t                          i;
    ngx_camera_api_statement_t  *const *st;

    rc = NGX_OK;

    for (st = ngx_camera_api_pg_core; *st; st++) {
        rc |= ngx_camera_api_pg_add(*st);
    }

    for (i = 0; ngx_camera_api_resources[i]; i++) {

        for (st = ngx_camera_api_resources[i]->statements; *st; st++) {
            rc |= ngx_camera_api_pg_add(*st);
        }
    }

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "too many statements of the API");
    }

    return rc;
}


static ngx_int_t
ngx_camera_api_pg_add(ngx_camera_api_statement_t *statement)
{
    ngx_uint_t                  pool;
    ngx_camera_pg_statement_t  *st;

    pool = ngx_camera_api_pg_pool(statement);

    if (ngx_camera_api_pg.n[pool] == NGX_CAMERA_API_STATEMENTS) {
        return NGX_ERROR;
    }

    statement->index = ngx_camera_api_pg.n[pool]++;
    st = &ngx_camera_api_pg.statements[pool][statement->index];

    st->name = statement->name;
    st->sql = statement->sql;
    st->params = statement->params;

    return NGX_OK;
}


static ngx_int_t
ngx_camera_api_pg_create(ngx_cycle_t *cycle, ngx_uint_t slow,
    ngx_str_t *conninfo)
{
    ngx_camera_pg_conf_t  conf;

    ngx_memzero(&conf, sizeof(ngx_camera_pg_conf_t));

    conf.name = slow ? "api lists" : "api";
    conf.conninfo = *conninfo;
    conf.connections = slow ? 2 : 4;
    conf.queue = slow ? 64 : 256;
    conf.statement_timeout = slow ? NGX_CAMERA_API_SLOW_MSEC
                                  : NGX_CAMERA_API_QUICK_MSEC;
    conf.statements = ngx_camera_api_pg.statements[slow];
    conf.binary_results = 1;
    conf.generic_plans = 1;
    conf.gather = slow ? 1 : NGX_CAMERA_API_GATHER;
    conf.setting = "app.tenant";
    conf.demands = ngx_camera_api_pg_demands;

    if (!slow && ngx_camera_api_pg.nchannels) {
        conf.listen = ngx_camera_api_pg.channels;
        conf.notified = ngx_camera_api_pg_notified;
        conf.listening = ngx_camera_api_pg_listening;
    }

    conf.ready = ngx_camera_api_pg_ready;

    ngx_camera_api_pg.pools[slow] = ngx_camera_pg_create(cycle->pool,
                                                         cycle->log, &conf);

    return ngx_camera_api_pg.pools[slow] ? NGX_OK : NGX_ERROR;
}


void
ngx_camera_api_pg_exit(void)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_CAMERA_API_POOLS; i++) {
        if (ngx_camera_api_pg.pools[i]) {
            ngx_camera_pg_close(ngx_camera_api_pg.pools[i]);
            ngx_camera_api_pg.pools[i] = NULL;
        }
    }
}


void
ngx_camera_api_pg_hold(void)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_CAMERA_API_POOLS; i++) {
        ngx_camera_pg_hold(ngx_camera_api_pg.pools[i]);
    }
}


void
ngx_camera_api_pg_release(void)
{
    ngx_uint_t  i;

    /* what is left of requests when a worker is told to end at once */

    for (i = 0; i < NGX_CAMERA_API_POOLS; i++) {
        if (ngx_camera_api_pg.pools[i]) {
            ngx_camera_pg_release(ngx_camera_api_pg.pools[i]);
        }
    }
}


void
ngx_camera_api_notify(ngx_camera_api_notify_t *notify)
{
    ngx_uint_t  i;

    notify->next = ngx_camera_api_pg.notify;
    ngx_camera_api_pg.notify = notify;

    for (i = 0; i < ngx_camera_api_pg.nchannels; i++) {

        if (ngx_strcmp(ngx_camera_api_pg.channels[i], notify->channel) == 0) {
            return;
        }
    }

    if (i < NGX_CAMERA_API_CHANNELS) {
        ngx_camera_api_pg.channels[i] = notify->channel;
        ngx_camera_api_pg.nchannels++;
    }
}


static void
ngx_camera_api_pg_ready(void *data, ngx_uint_t connections)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_CAMERA_API_POOLS; i++) {

        if (ngx_camera_api_pg.pools[i] == NULL
            || ngx_camera_pg_ready(ngx_camera_api_pg.pools[i]) == 0)
        {
            return;
        }
    }

    ngx_camera_api_warm_done();
}


static void
ngx_camera_api_pg_listening(void *data, ngx_uint_t up)
{
    ngx_camera_api_notify_t  *notify;

    for (notify = ngx_camera_api_pg.notify; notify; notify = notify->next) {

        if (notify->listening) {
            notify->listening(notify->data, up);
        }
    }
}


static void
ngx_camera_api_pg_notified(void *data, const char *channel,
    const char *payload)
{
    ngx_camera_api_notify_t  *notify;

    for (notify = ngx_camera_api_pg.notify; notify; notify = notify->next) {

        if (ngx_strcmp(notify->channel, channel) == 0) {
            notify->handler(notify->data, payload);
        }
    }
}


ngx_camera_pg_query_t *
ngx_camera_api_pg_start(ngx_camera_api_statement_t *statement,
    const ngx_camera_pg_param_t *params, ngx_uint_t n, ngx_msec_t timeout,
    ngx_camera_pg_handler_pt handler, void *data)
{
    return ngx_camera_api_pg_start_as(NULL, statement, params, n, timeout,
                                      handler, data);
}


ngx_camera_pg_query_t *
ngx_camera_api_pg_start_for(const ngx_camera_api_principal_t *principal,
    ngx_camera_api_statement_t *statement,
    const ngx_camera_pg_param_t *params, ngx_uint_t n, ngx_msec_t timeout,
    ngx_camera_pg_handler_pt handler, void *data)
{
    u_char     text[NGX_CAMERA_PG_SETTING_MAX];
    ngx_str_t  who;

    who.data = text;
    who.len = ngx_camera_api_who_sees(text, principal) - text;

    return ngx_camera_api_pg_start_as(&who, statement, params, n, timeout,
                                      handler, data);
}


/* the request is answered meanwhile, and may be gone when handler runs */

void
ngx_camera_api_pg_note(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_statement_t *statement,
    const ngx_camera_pg_param_t *params, ngx_uint_t n,
    ngx_camera_pg_handler_pt handler)
{
    ngx_str_t  who;

    if (ngx_camera_api_who(ctx, statement, &who) != NGX_OK
        || ngx_camera_api_pg_start_as(&who, statement, params, n,
                                      NGX_CAMERA_API_QUICK_MSEC
                                      + NGX_CAMERA_API_GRACE_MSEC,
                                      handler, NULL)
           == NULL)
    {
        handler(NULL, NGX_CAMERA_PG_LOST, NULL, NULL);
    }
}


static ngx_camera_pg_query_t *
ngx_camera_api_pg_start_as(const ngx_str_t *who,
    ngx_camera_api_statement_t *statement,
    const ngx_camera_pg_param_t *params, ngx_uint_t n, ngx_msec_t timeout,
    ngx_camera_pg_handler_pt handler, void *data)
{
    ngx_camera_pg_pool_t  *pool;

    pool = ngx_camera_api_pg.pools[ngx_camera_api_pg_pool(statement)];

    if (statement->flags & NGX_CAMERA_API_READS) {
        return ngx_camera_pg_start_read(pool, who, statement->index, params,
                                        n, timeout, handler, data);
    }

    return ngx_camera_pg_start_as(pool, who, statement->index, params, n,
                                  timeout, handler, data);
}


static ngx_uint_t
ngx_camera_api_pg_pool(const ngx_camera_api_statement_t *statement)
{
    return statement->flags & NGX_CAMERA_API_SLOW ? NGX_CAMERA_API_POOL_SLOW
                                                  : NGX_CAMERA_API_POOL_QUICK;
}


void
ngx_camera_api_query(ngx_camera_api_ctx_t *ctx,
    ngx_camera_api_statement_t *statement, ngx_camera_api_rows_pt rows)
{
    ctx->asked = ctx->nparams;
    ctx->nparams = 0;
    ctx->rows = rows;
    ctx->statement = statement;
    ctx->again = 0;

    ngx_camera_api_pg_ask(ctx);
}


static void
ngx_camera_api_pg_ask(ngx_camera_api_ctx_t *ctx)
{
    ngx_str_t   who;
    ngx_msec_t  timeout;

    if (ngx_camera_api_who(ctx, ctx->statement, &who) != NGX_OK) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_INTERNAL_ERROR, NULL);
        return;
    }

    timeout = ctx->statement->flags & NGX_CAMERA_API_SLOW
              ? NGX_CAMERA_API_SLOW_MSEC : NGX_CAMERA_API_QUICK_MSEC;

    ctx->pg_query = ngx_camera_api_pg_start_as(&who, ctx->statement,
                                    ctx->params, ctx->asked,
                                    timeout + NGX_CAMERA_API_GRACE_MSEC,
                                    ngx_camera_api_pg_done, ctx);

    if (ctx->pg_query == NULL) {
        ngx_camera_api_error(ctx, NGX_CAMERA_API_SERVICE_UNAVAILABLE, NULL);
    }
}


static void
ngx_camera_api_pg_done(void *data, ngx_camera_pg_rc_e rc, const PGresult *res,
    const ngx_camera_pg_error_t *error)
{
    ngx_connection_t      *c;
    ngx_camera_api_ctx_t  *ctx = data;

    c = ctx->request->connection;

    ngx_http_set_log_request(c->log, ctx->request);

    ctx->pg_query = NULL;

    switch (rc) {

    case NGX_CAMERA_PG_OK:
        ctx->rows(ctx, res);
        break;

    case NGX_CAMERA_PG_REFUSED:
        ngx_camera_api_pg_refused(ctx, error);
        break;

    default:
        ngx_camera_api_error(ctx, NGX_CAMERA_API_SERVICE_UNAVAILABLE, NULL);
        break;
    }

    ngx_http_run_posted_requests(c);
}


/*
 * What refers to a row that was removed meanwhile is asked for once more: by
 * now that has an answer.  The server's text is left out of the log: it quotes
 * values.
 */

static void
ngx_camera_api_pg_refused(ngx_camera_api_ctx_t *ctx,
    const ngx_camera_pg_error_t *error)
{
    ngx_uint_t             level;
    ngx_camera_api_code_e  code;

    code = ngx_camera_api_pg_conflict(ctx, error->constraint);

    if (code == NGX_CAMERA_API_OK && !ctx->again
        && ngx_strcmp(error->sqlstate, "23503") == 0)
    {
        ctx->again = 1;
        ngx_camera_api_pg_ask(ctx);
        return;
    }

    if (code == NGX_CAMERA_API_OK) {
        code = ngx_camera_api_pg_code(error->sqlstate);
        level = code == NGX_CAMERA_API_INTERNAL_ERROR ? NGX_LOG_ERR
                                                      : NGX_LOG_WARN;

        ngx_log_error(level, ctx->request->connection->log, 0,
                      "api request \"%V\": statement \"%s\" failed, "
                      "SQLSTATE %s%s%s", &ctx->id, ctx->statement->name,
                      error->sqlstate,
                      error->constraint ? ", constraint " : "",
                      error->constraint ? error->constraint : "");
    }

    ngx_camera_api_error(ctx, code, NULL);
}


static ngx_camera_api_code_e
ngx_camera_api_pg_conflict(ngx_camera_api_ctx_t *ctx, const char *constraint)
{
    const ngx_camera_api_conflict_t  *conflict;

    conflict = ctx->route->conflicts;

    if (conflict == NULL || constraint == NULL) {
        return NGX_CAMERA_API_OK;
    }

    for ( /* void */ ; conflict->constraint; conflict++) {

        if (ngx_strcmp(conflict->constraint, constraint) == 0) {
            return conflict->code;
        }
    }

    return NGX_CAMERA_API_OK;
}


/*
 * A value that SQL refuses is the client's fault; what may go away by itself
 * asks it to come again: a deadline, a lock, a deadlock, a server that is full
 * or goes down, somebody who is just being removed.  The rest is ours.
 */

static ngx_camera_api_code_e
ngx_camera_api_pg_code(const char *sqlstate)
{
    ngx_uint_t  i;

    static const struct {
        const char             *prefix;
        ngx_camera_api_code_e   code;
    } codes[] = {
        { "22", NGX_CAMERA_API_VALIDATION_FAILED },
        { "23514", NGX_CAMERA_API_VALIDATION_FAILED },
        { "23502", NGX_CAMERA_API_VALIDATION_FAILED },
        { "23503", NGX_CAMERA_API_SERVICE_UNAVAILABLE },
        { "40", NGX_CAMERA_API_SERVICE_UNAVAILABLE },
        { "53", NGX_CAMERA_API_SERVICE_UNAVAILABLE },
        { "55P03", NGX_CAMERA_API_SERVICE_UNAVAILABLE },
        { "57", NGX_CAMERA_API_SERVICE_UNAVAILABLE }
    };

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {

        if (ngx_strncmp(sqlstate, codes[i].prefix,
                        ngx_strlen(codes[i].prefix))
            == 0)
        {
            return codes[i].code;
        }
    }

    return NGX_CAMERA_API_INTERNAL_ERROR;
}
