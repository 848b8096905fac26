/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A module for tests only: the PostgreSQL client behind a location, with no
 * camera near it.
 *
 *     camera_pg_test_pool "host=..." 2 8;     # connections, queue
 *     camera_pg_test_setting app.test;        # of the session
 *     camera_pg_test_demand "SELECT ...";     # true, or no connection serves
 *     location = /pg   { camera_pg_test; }    # ?q=sleep&p=0.5&t=1000&s=value
 *     location = /stat { camera_pg_test_stat; }
 *
 * With r=1 the query is started as one that only reads.  Answers 200 and the
 * first value, 409 with SQLSTATE and constraint, 504 for a missed deadline, 502
 * for a lost connection, 503 when the query was not taken.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <libpq-fe.h>

#include "ngx_camera_pg_connection.h"


typedef struct {
    ngx_http_request_t     *request;
    ngx_camera_pg_query_t  *query;
} ngx_http_camera_pg_test_ctx_t;


static ngx_int_t ngx_http_camera_pg_test_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_camera_pg_test_statement(ngx_str_t *name);
static void ngx_http_camera_pg_test_cleanup(void *data);
static void ngx_http_camera_pg_test_done(void *data, ngx_camera_pg_rc_e rc,
    const PGresult *res, const ngx_camera_pg_error_t *error);
static ngx_int_t ngx_http_camera_pg_test_stat_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_camera_pg_test_send(ngx_http_request_t *r,
    ngx_uint_t status, const char *text, size_t len);
static void ngx_http_camera_pg_test_notified(void *data, const char *channel,
    const char *payload);
static char *ngx_http_camera_pg_test_pool(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_camera_pg_test_word(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_camera_pg_test(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static void *ngx_http_camera_pg_test_create_conf(ngx_conf_t *cf);
static ngx_int_t ngx_http_camera_pg_test_init_process(ngx_cycle_t *cycle);
static void ngx_http_camera_pg_test_exit_process(ngx_cycle_t *cycle);


static const ngx_camera_pg_statement_t  ngx_http_camera_pg_test_statements[] = {
    { "one", "SELECT $1::text", 1 },
    { "sleep", "SELECT pg_sleep($1::text::float8)::text", 1 },
    { "pid", "SELECT pg_backend_pid()::text || $1::text", 1 },
    { "divide", "SELECT (1 / $1::text::integer)::text", 1 },
    { "big", "SELECT repeat('x', $1::text::integer)", 1 },
    { "moment", "SELECT now()::text || $1::text", 1 },
    { "setting", "SELECT coalesce(current_setting('app.test', true), 'unset') "
                 "|| $1::text", 1 },
    { "commit", "INSERT INTO pg_test VALUES ($1::text::integer) "
                "RETURNING n::text", 1 },
    { NULL, NULL, 0 }
};


static const char *const  ngx_http_camera_pg_test_channels[] = {
    "pg_test", "pg_other", NULL
};


static ngx_camera_pg_demand_t  ngx_http_camera_pg_test_demands[] = {
    { "SELECT true", "the first demand was not met" },
    { NULL, "the role is not the one for tests" },
    { NULL, NULL }
};


static ngx_camera_pg_pool_t  *ngx_http_camera_pg_test_pg;
static ngx_uint_t             ngx_http_camera_pg_test_started;
static ngx_uint_t             ngx_http_camera_pg_test_handled;
static ngx_uint_t             ngx_http_camera_pg_test_gone;
static ngx_uint_t             ngx_http_camera_pg_test_news;
static u_char                 ngx_http_camera_pg_test_last[128] = "none";


static ngx_command_t  ngx_http_camera_pg_test_commands[] = {

    { ngx_string("camera_pg_test_pool"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE3,
      ngx_http_camera_pg_test_pool,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("camera_pg_test_setting"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_camera_pg_test_word,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("camera_pg_test_demand"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_camera_pg_test_word,
      0,
      0,
      &ngx_http_camera_pg_test_demands[1].sql },

    { ngx_string("camera_pg_test"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_camera_pg_test,
      0,
      0,
      ngx_http_camera_pg_test_handler },

    { ngx_string("camera_pg_test_stat"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_camera_pg_test,
      0,
      0,
      ngx_http_camera_pg_test_stat_handler },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_camera_pg_test_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */
    ngx_http_camera_pg_test_create_conf,   /* create main configuration */
    NULL,                                  /* init main configuration */
    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */
    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_camera_pg_test_module = {
    NGX_MODULE_V1,
    &ngx_http_camera_pg_test_module_ctx,   /* module context */
    ngx_http_camera_pg_test_commands,      /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_camera_pg_test_init_process,  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_camera_pg_test_exit_process,  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* what nginx's build system writes for a dynamic module */

ngx_module_t  *ngx_modules[] = { &ngx_http_camera_pg_test_module, NULL };
char          *ngx_module_names[] = { "ngx_http_camera_pg_test_module", NULL };
char          *ngx_module_order[] = { NULL };


static ngx_int_t
ngx_http_camera_pg_test_handler(ngx_http_request_t *r)
{
    u_char                         *text;
    ngx_int_t                       timeout, statement;
    ngx_str_t                       q, p, t, s, read;
    ngx_http_cleanup_t             *cln;
    ngx_camera_pg_param_t           param;
    ngx_http_camera_pg_test_ctx_t  *ctx;

    if (ngx_http_arg(r, (u_char *) "q", 1, &q) != NGX_OK
        || ngx_http_arg(r, (u_char *) "p", 1, &p) != NGX_OK
        || ngx_http_arg(r, (u_char *) "t", 1, &t) != NGX_OK
        || (timeout = ngx_atoi(t.data, t.len)) == NGX_ERROR
        || (statement = ngx_http_camera_pg_test_statement(&q)) == NGX_ERROR)
    {
        return NGX_HTTP_BAD_REQUEST;
    }

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_camera_pg_test_ctx_t));
    text = ngx_pnalloc(r->pool, p.len + 1);

    if (cln == NULL || text == NULL) {
        return NGX_ERROR;
    }

    ngx_cpystrn(text, p.data, p.len + 1);

    param.data = (char *) text;
    param.len = (int) p.len;
    param.binary = 0;

    ctx = cln->data;
    ctx->request = r;

    ngx_str_set(&s, "");

    if (ngx_http_arg(r, (u_char *) "r", 1, &read) == NGX_OK) {
        (void) ngx_http_arg(r, (u_char *) "s", 1, &s);
        ctx->query = ngx_camera_pg_start_read(ngx_http_camera_pg_test_pg, &s,
                                              statement, &param, 1, timeout,
                                              ngx_http_camera_pg_test_done,
                                              ctx);

    } else if (ngx_http_arg(r, (u_char *) "s", 1, &s) == NGX_OK) {
        ctx->query = ngx_camera_pg_start_as(ngx_http_camera_pg_test_pg, &s,
                                            statement, &param, 1, timeout,
                                            ngx_http_camera_pg_test_done, ctx);

    } else {
        ctx->query = ngx_camera_pg_start(ngx_http_camera_pg_test_pg, statement,
                                         &param, 1, timeout,
                                         ngx_http_camera_pg_test_done, ctx);
    }

    if (ctx->query == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    cln->handler = ngx_http_camera_pg_test_cleanup;
    ngx_http_camera_pg_test_started++;

    r->read_event_handler = ngx_http_test_reading;
    r->main->count++;

    return NGX_DONE;
}


static ngx_int_t
ngx_http_camera_pg_test_statement(ngx_str_t *name)
{
    ngx_int_t                         i;
    const ngx_camera_pg_statement_t  *st;

    st = ngx_http_camera_pg_test_statements;

    for (i = 0; st[i].name; i++) {

        if (ngx_strlen(st[i].name) == name->len
            && ngx_strncmp(name->data, st[i].name, name->len) == 0)
        {
            return i;
        }
    }

    return NGX_ERROR;
}


static void
ngx_http_camera_pg_test_cleanup(void *data)
{
    ngx_http_camera_pg_test_ctx_t  *ctx = data;

    if (ctx->query) {
        ngx_camera_pg_cancel(ctx->query);
        ngx_http_camera_pg_test_gone++;
    }
}


static void
ngx_http_camera_pg_test_done(void *data, ngx_camera_pg_rc_e rc,
    const PGresult *res, const ngx_camera_pg_error_t *error)
{
    size_t                          len;
    u_char                          failure[128];
    ngx_int_t                       sent;
    const char                     *text;
    ngx_connection_t               *c;
    ngx_http_request_t             *r;
    ngx_http_camera_pg_test_ctx_t  *ctx = data;

    static const ngx_uint_t  status[] = { 200, 409, 504, 502 };

    r = ctx->request;
    c = r->connection;

    ctx->query = NULL;
    ngx_http_camera_pg_test_handled++;

    text = "";
    len = 0;

    if (rc == NGX_CAMERA_PG_OK && PQntuples(res)) {
        text = PQgetvalue(res, 0, 0);
        len = PQgetlength(res, 0, 0);

    } else if (rc == NGX_CAMERA_PG_REFUSED) {
        text = (char *) failure;
        len = ngx_snprintf(failure, sizeof(failure), "%s%s%s", error->sqlstate,
                           error->constraint ? " " : "",
                           error->constraint ? error->constraint : "")
              - failure;
    }

    sent = ngx_http_camera_pg_test_send(r, status[rc], text, len);

    ngx_http_finalize_request(r, sent);
    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_camera_pg_test_stat_handler(ngx_http_request_t *r)
{
    u_char  *last, text[512];

    last = ngx_sprintf(text, "pid=%P started=%ui handled=%ui gone=%ui "
                       "in_flight=%ui ready=%ui notified=%ui last=%s",
                       ngx_pid, ngx_http_camera_pg_test_started,
                       ngx_http_camera_pg_test_handled,
                       ngx_http_camera_pg_test_gone,
                       ngx_http_camera_pg_test_pg->in_flight,
                       ngx_camera_pg_ready(ngx_http_camera_pg_test_pg),
                       ngx_http_camera_pg_test_news,
                       ngx_http_camera_pg_test_last);

    return ngx_http_camera_pg_test_send(r, NGX_HTTP_OK, (char *) text,
                                        last - text);
}


static ngx_int_t
ngx_http_camera_pg_test_send(ngx_http_request_t *r, ngx_uint_t status,
    const char *text, size_t len)
{
    ngx_int_t    rc;
    ngx_buf_t   *b;
    ngx_chain_t  out;

    r->headers_out.status = status;
    r->headers_out.content_length_n = len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_create_temp_buf(r->pool, len + 1);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->last = ngx_cpymem(b->last, text, len);
    b->last_buf = 1;
    b->memory = len != 0;
    b->temporary = 0;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static void
ngx_http_camera_pg_test_notified(void *data, const char *channel,
    const char *payload)
{
    ngx_http_camera_pg_test_news++;

    ngx_snprintf(ngx_http_camera_pg_test_last,
                 sizeof(ngx_http_camera_pg_test_last), "%s:%s%Z", channel,
                 payload);
}


static char *
ngx_http_camera_pg_test_pool(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t             *value;
    const char            *error;
    ngx_camera_pg_conf_t  *pg = conf;

    value = cf->args->elts;

    error = ngx_camera_pg_check(&value[1], cf->pool);

    if (error) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "database %s", error);
        return NGX_CONF_ERROR;
    }

    pg->name = "test";
    pg->conninfo = value[1];
    pg->connections = ngx_atoi(value[2].data, value[2].len);
    pg->queue = ngx_atoi(value[3].data, value[3].len);
    pg->statements = ngx_http_camera_pg_test_statements;
    pg->demands = ngx_http_camera_pg_test_demands;
    pg->listen = ngx_http_camera_pg_test_channels;
    pg->notified = ngx_http_camera_pg_test_notified;

    return NGX_CONF_OK;
}


/* a C string: into the configuration of the pool, or where post points */

static char *
ngx_http_camera_pg_test_word(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t             *value;
    const char           **word;
    ngx_camera_pg_conf_t  *pg = conf;

    value = cf->args->elts;
    word = cmd->post;

    if (word == NULL) {
        word = &pg->setting;
    }

    *word = (char *) value[1].data;

    return NGX_CONF_OK;
}


static char *
ngx_http_camera_pg_test(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = (ngx_http_handler_pt) cmd->post;

    return NGX_CONF_OK;
}


static void *
ngx_http_camera_pg_test_create_conf(ngx_conf_t *cf)
{
    ngx_http_camera_pg_test_demands[1].sql = NULL;

    return ngx_pcalloc(cf->pool, sizeof(ngx_camera_pg_conf_t));
}


static ngx_int_t
ngx_http_camera_pg_test_init_process(ngx_cycle_t *cycle)
{
    ngx_camera_pg_conf_t  *pg;

    if (ngx_process != NGX_PROCESS_WORKER) {
        return NGX_OK;
    }

    pg = ngx_http_cycle_get_module_main_conf(cycle,
                                             ngx_http_camera_pg_test_module);

    ngx_http_camera_pg_test_pg = ngx_camera_pg_create(cycle->pool, cycle->log,
                                                      pg);

    return ngx_http_camera_pg_test_pg ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_camera_pg_test_exit_process(ngx_cycle_t *cycle)
{
    if (ngx_http_camera_pg_test_pg) {
        ngx_camera_pg_close(ngx_http_camera_pg_test_pg);
    }
}
