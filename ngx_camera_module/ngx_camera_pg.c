/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Queries and pools of the PostgreSQL client; connections are in
 * ngx_camera_pg_connection.c.
 *
 * A query goes to the ready connection with the fewest in flight, among equals
 * to one that has its value of the session setting already, and stays in that
 * connection's queue until its answer was read, because answers carry no
 * name.  Its handler may go earlier: by its deadline, or when the caller
 * cancels.  Each query has a Sync of its own, so that one that fails aborts
 * nothing else, and its result is delivered only when that Sync was answered:
 * earlier it is not committed.  For reads that is different, see
 * ngx_camera_pg_batch.c.
 *
 *     started    [ngx_camera_pg_start_as]   handler set, in the queue
 *     cancelled  [ngx_camera_pg_cancel]     handler cleared, in the queue
 *     expired    [_query_deadline]          handler run, in the queue
 *     done       [ngx_camera_pg_query_done] out of the queue
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_camera.h"
#include "ngx_camera_pg_connection.h"


static void ngx_camera_pg_tick(ngx_event_t *ev);
static void ngx_camera_pg_call(ngx_camera_pg_call_t *call,
    ngx_camera_pg_pool_t *pg, const ngx_str_t *value, ngx_uint_t statement,
    const ngx_camera_pg_param_t *params, ngx_uint_t n);
static ngx_camera_pg_query_t *ngx_camera_pg_query_take(
    ngx_camera_pg_pool_t *pg, const ngx_camera_pg_call_t *call);
static ngx_int_t ngx_camera_pg_send_alone(ngx_camera_pg_query_t *query,
    const ngx_camera_pg_call_t *call);
static void ngx_camera_pg_query_expect(ngx_camera_pg_query_t *query,
    ngx_msec_t timeout, ngx_camera_pg_handler_pt handler, void *data);
static void ngx_camera_pg_query_deadline(ngx_event_t *ev);
static void ngx_camera_pg_error(ngx_camera_pg_error_t *error,
    const PGresult *res);
static void ngx_camera_pg_query_free(ngx_camera_pg_query_t *query);


ngx_camera_pg_pool_t *
ngx_camera_pg_create(ngx_pool_t *pool, ngx_log_t *log,
    const ngx_camera_pg_conf_t *conf)
{
    ngx_uint_t             i;
    ngx_camera_pg_conn_t  *conn;
    ngx_camera_pg_pool_t  *pg;

    pg = ngx_pcalloc(pool, sizeof(ngx_camera_pg_pool_t));
    if (pg == NULL) {
        return NULL;
    }

    pg->conf = *conf;
    pg->log = log;
    pg->pool = pool;

    pg->conf.queue = conf->queue ? conf->queue : 256;
    pg->conf.connect_timeout = conf->connect_timeout ? conf->connect_timeout
                                                     : 2000;
    pg->conf.statement_timeout = conf->statement_timeout
                                 ? conf->statement_timeout : 2000;

    ngx_queue_init(&pg->free);
    ngx_queue_init(&pg->reads);

    pg->conns = ngx_pcalloc(pool,
                            conf->connections * sizeof(ngx_camera_pg_conn_t));

    if (pg->conns == NULL || ngx_camera_pg_keywords(pg) != NGX_OK) {
        return NULL;
    }

    ngx_camera_background_event(&pg->tick, ngx_camera_pg_tick, log);
    ngx_add_timer(&pg->tick, 1000);

    ngx_camera_background_event(&pg->turn, ngx_camera_pg_batch_handler, log);

    for (i = 0; i < conf->connections; i++) {
        conn = &pg->conns[i];

        conn->pool = pg;
        conn->index = i;
        ngx_queue_init(&conn->queries);

        ngx_camera_pg_connect(conn);
    }

    return pg;
}


/* an exiting worker may live for as long as a camera stays connected */

static void
ngx_camera_pg_tick(ngx_event_t *ev)
{
    ngx_camera_pg_pool_t  *pg;

    pg = (ngx_camera_pg_pool_t *)
             ((u_char *) ev - offsetof(ngx_camera_pg_pool_t, tick));

    if ((ngx_exiting || ngx_quit || ngx_terminate) && pg->in_flight == 0
        && pg->held == 0)
    {
        ngx_camera_pg_close(pg);
        return;
    }

    ngx_add_timer(ev, 1000);
}


void
ngx_camera_pg_close(ngx_camera_pg_pool_t *pg)
{
    ngx_uint_t              i;
    ngx_queue_t            *q;
    ngx_camera_pg_query_t  *query;

    if (pg->closed) {
        return;
    }

    pg->closed = 1;

    if (pg->tick.timer_set) {
        ngx_del_timer(&pg->tick);
    }

    if (pg->turn.posted) {
        ngx_delete_posted_event(&pg->turn);
    }

    for (i = 0; i < pg->conf.connections; i++) {
        ngx_camera_pg_disconnect(&pg->conns[i], 0);
    }

    ngx_camera_pg_batch_lost(pg);

    while (!ngx_queue_empty(&pg->free)) {
        q = ngx_queue_head(&pg->free);
        ngx_queue_remove(q);

        query = ngx_queue_data(q, ngx_camera_pg_query_t, queue);
        ngx_free(query);
    }
}


void
ngx_camera_pg_hold(ngx_camera_pg_pool_t *pg)
{
    pg->held++;
}


void
ngx_camera_pg_release(ngx_camera_pg_pool_t *pg)
{
    pg->held--;
}


ngx_uint_t
ngx_camera_pg_ready(ngx_camera_pg_pool_t *pg)
{
    return pg->ready;
}


ngx_camera_pg_query_t *
ngx_camera_pg_start(ngx_camera_pg_pool_t *pg, ngx_uint_t statement,
    const ngx_camera_pg_param_t *params, ngx_uint_t n, ngx_msec_t timeout,
    ngx_camera_pg_handler_pt handler, void *data)
{
    return ngx_camera_pg_start_as(pg, NULL, statement, params, n, timeout,
                                  handler, data);
}


ngx_camera_pg_query_t *
ngx_camera_pg_start_as(ngx_camera_pg_pool_t *pg, const ngx_str_t *value,
    ngx_uint_t statement, const ngx_camera_pg_param_t *params, ngx_uint_t n,
    ngx_msec_t timeout, ngx_camera_pg_handler_pt handler, void *data)
{
    ngx_camera_pg_call_t    call;
    ngx_camera_pg_query_t  *query;

    ngx_camera_pg_call(&call, pg, value, statement, params, n);

    query = ngx_camera_pg_query_take(pg, &call);

    if (query == NULL || ngx_camera_pg_send_alone(query, &call) != NGX_OK) {
        return NULL;
    }

    ngx_camera_pg_query_expect(query, timeout, handler, data);

    return query;
}


ngx_camera_pg_query_t *
ngx_camera_pg_start_read(ngx_camera_pg_pool_t *pg, const ngx_str_t *value,
    ngx_uint_t statement, const ngx_camera_pg_param_t *params, ngx_uint_t n,
    ngx_msec_t timeout, ngx_camera_pg_handler_pt handler, void *data)
{
    ngx_camera_pg_call_t    call;
    ngx_camera_pg_query_t  *query;

    ngx_camera_pg_call(&call, pg, value, statement, params, n);

    query = ngx_camera_pg_query_take(pg, &call);

    if (query == NULL) {
        return NULL;
    }

    if (ngx_camera_pg_batch_keep(query, &call) == NGX_OK) {
        ngx_camera_pg_batch_add(query);

    } else if (ngx_camera_pg_send_alone(query, &call) != NGX_OK) {
        return NULL;
    }

    ngx_camera_pg_query_expect(query, timeout, handler, data);

    return query;
}


static void
ngx_camera_pg_call(ngx_camera_pg_call_t *call, ngx_camera_pg_pool_t *pg,
    const ngx_str_t *value, ngx_uint_t statement,
    const ngx_camera_pg_param_t *params, ngx_uint_t n)
{
    call->statement = &pg->conf.statements[statement];
    call->params = params;
    call->n = n;

    if (value) {
        call->value = *value;

    } else {
        ngx_str_set(&call->value, "");
    }
}


static ngx_camera_pg_query_t *
ngx_camera_pg_query_take(ngx_camera_pg_pool_t *pg,
    const ngx_camera_pg_call_t *call)
{
    if (pg->closed || pg->ready == 0 || pg->in_flight >= pg->conf.queue) {
        return NULL;
    }

    if (call->value.len > (pg->conf.setting ? NGX_CAMERA_PG_SETTING_MAX : 0)) {
        ngx_log_error(NGX_LOG_ALERT, pg->log, 0,
                      "\"%s\" cannot take a setting of %uz bytes",
                      pg->conf.name, call->value.len);
        return NULL;
    }

    return ngx_camera_pg_query_get(pg);
}


/* NGX_ERROR: the query is given back */

static ngx_int_t
ngx_camera_pg_send_alone(ngx_camera_pg_query_t *query,
    const ngx_camera_pg_call_t *call)
{
    ngx_camera_pg_conn_t  *conn;
    ngx_camera_pg_pool_t  *pg;

    pg = query->pool;
    conn = ngx_camera_pg_choose(pg, &call->value);

    if (conn == NULL) {
        goto failed;
    }

    query->conn = conn;

    if (ngx_camera_pg_send(query, call) != NGX_OK) {
        ngx_post_event(&conn->broken, &ngx_posted_events);
        goto failed;
    }

    query->counted = 1;
    pg->in_flight++;

    ngx_camera_pg_sent(conn, query);
    ngx_camera_pg_push(conn);

    return NGX_OK;

failed:

    ngx_queue_insert_head(&pg->free, &query->queue);

    return NGX_ERROR;
}


static void
ngx_camera_pg_query_expect(ngx_camera_pg_query_t *query, ngx_msec_t timeout,
    ngx_camera_pg_handler_pt handler, void *data)
{
    query->handler = handler;
    query->data = data;
    query->deadline.handler = ngx_camera_pg_query_deadline;
    query->deadline.data = query->pool->tick.data;
    query->deadline.log = query->pool->log;

    ngx_add_timer(&query->deadline, timeout);
}


ngx_camera_pg_conn_t *
ngx_camera_pg_choose(ngx_camera_pg_pool_t *pg, const ngx_str_t *value)
{
    ngx_uint_t             i;
    ngx_camera_pg_conn_t  *conn, *best;

    best = NULL;

    for (i = 0; i < pg->conf.connections; i++) {
        conn = &pg->conns[i];

        if (conn->state != NGX_CAMERA_PG_READY || conn->broken.posted) {
            continue;
        }

        if (best == NULL || conn->in_flight < best->in_flight
            || (conn->in_flight == best->in_flight
                && ngx_camera_pg_setting_fit(conn, value)
                   > ngx_camera_pg_setting_fit(best, value)))
        {
            best = conn;
        }
    }

    return best;
}


ngx_int_t
ngx_camera_pg_send(ngx_camera_pg_query_t *query,
    const ngx_camera_pg_call_t *call)
{
    int                    len[NGX_CAMERA_PG_PARAMS_MAX];
    int                    binary[NGX_CAMERA_PG_PARAMS_MAX];
    ngx_uint_t             i;
    const char            *name, *values[NGX_CAMERA_PG_PARAMS_MAX];
    ngx_camera_pg_conn_t  *conn;

    conn = query->conn;
    name = call->statement->name;

    if (call->n != (ngx_uint_t) call->statement->params
        || call->n > NGX_CAMERA_PG_PARAMS_MAX)
    {
        ngx_log_error(NGX_LOG_ALERT, conn->pool->log, 0,
                      "statement \"%s\" got %ui parameters", name, call->n);
        return NGX_ERROR;
    }

    for (i = 0; i < call->n; i++) {
        values[i] = call->params[i].data;
        len[i] = call->params[i].len;
        binary[i] = call->params[i].binary;
    }

    if (ngx_camera_pg_setting_send(conn, query, &call->value) != NGX_OK
        || PQsendQueryPrepared(conn->pg, name, (int) call->n, values, len,
                               binary, (int) conn->pool->conf.binary_results)
           != 1
        || (!query->shared && PQpipelineSync(conn->pg) != 1))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_camera_pg_cancel(ngx_camera_pg_query_t *query)
{
    query->handler = NULL;

    if (query->deadline.timer_set) {
        ngx_del_timer(&query->deadline);
    }
}


/* the query stays in the queue: its answer will have to be skipped */

static void
ngx_camera_pg_query_deadline(ngx_event_t *ev)
{
    ngx_camera_pg_query_t     *query;
    ngx_camera_pg_handler_pt   handler;

    query = (ngx_camera_pg_query_t *)
                ((u_char *) ev - offsetof(ngx_camera_pg_query_t, deadline));

    handler = query->handler;
    query->handler = NULL;

    if (handler) {
        handler(query->data, NGX_CAMERA_PG_TIMEOUT, NULL, NULL);
    }
}


ngx_camera_pg_query_t *
ngx_camera_pg_query_get(ngx_camera_pg_pool_t *pg)
{
    ngx_queue_t            *q;
    ngx_camera_pg_query_t  *query;

    if (ngx_queue_empty(&pg->free)) {
        query = ngx_alloc(sizeof(ngx_camera_pg_query_t), pg->log);

        if (query == NULL) {
            return NULL;
        }

    } else {
        q = ngx_queue_head(&pg->free);
        ngx_queue_remove(q);
        query = ngx_queue_data(q, ngx_camera_pg_query_t, queue);
    }

    ngx_memzero(query, offsetof(ngx_camera_pg_query_t, kept));
    query->pool = pg;

    return query;
}


void
ngx_camera_pg_query_done(ngx_camera_pg_query_t *query, ngx_camera_pg_rc_e rc)
{
    void                      *data;
    PGresult                  *res;
    ngx_camera_pg_error_t      error;
    ngx_camera_pg_handler_pt   handler;

    res = query->result;
    data = query->data;
    handler = query->handler;

    ngx_camera_pg_cancel(query);
    ngx_camera_pg_query_free(query);

    if (handler && rc == NGX_CAMERA_PG_REFUSED) {
        ngx_camera_pg_error(&error, res);
        handler(data, rc, NULL, &error);

    } else if (handler) {
        handler(data, rc, rc == NGX_CAMERA_PG_OK ? res : NULL, NULL);
    }

    PQclear(res);
}


/* an error that the library itself made has no SQLSTATE */

static void
ngx_camera_pg_error(ngx_camera_pg_error_t *error, const PGresult *res)
{
    error->sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    error->constraint = PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME);

    if (error->sqlstate == NULL) {
        error->sqlstate = "XX000";
    }
}


static void
ngx_camera_pg_query_free(ngx_camera_pg_query_t *query)
{
    ngx_queue_remove(&query->queue);
    ngx_queue_insert_head(&query->pool->free, &query->queue);

    if (query->counted) {
        query->pool->in_flight--;

        if (query->conn) {
            query->conn->in_flight--;
        }
    }
}

