/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What goes over a connection of the PostgreSQL client: queries out, results
 * in their order back, notifications.
 *
 *     sent        [ngx_camera_pg_sent]   the last of the connection's queries
 *     result      [_result]              kept; an error outweighs rows
 *     its Sync    [_synced]              the handler is told
 *
 * A server that does not answer the oldest query for half a second longer than
 * it may work on a statement counts as lost.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_camera_pg_connection.h"

#define NGX_CAMERA_PG_STALL  500


static ngx_int_t ngx_camera_pg_flush(ngx_camera_pg_conn_t *conn);
static ngx_int_t ngx_camera_pg_read(ngx_camera_pg_conn_t *conn);
static void ngx_camera_pg_result(ngx_camera_pg_conn_t *conn, PGresult *res);
static void ngx_camera_pg_keep(ngx_camera_pg_query_t *query, PGresult *res);
static void ngx_camera_pg_synced(ngx_camera_pg_conn_t *conn);
static void ngx_camera_pg_notifies(ngx_camera_pg_conn_t *conn);


void
ngx_camera_pg_sent(ngx_camera_pg_conn_t *conn, ngx_camera_pg_query_t *query)
{
    ngx_queue_insert_tail(&conn->queries, &query->queue);

    if (query->counted) {
        conn->in_flight++;
    }

    if (!conn->deadline.timer_set) {
        ngx_camera_pg_watch(conn);
    }
}


/* the caller does not expect its handler yet */

void
ngx_camera_pg_push(ngx_camera_pg_conn_t *conn)
{
    if (ngx_camera_pg_flush(conn) != NGX_OK) {
        ngx_post_event(&conn->broken, &ngx_posted_events);
    }
}


/* libpq may need to read before it can write on */

void
ngx_camera_pg_io_handler(ngx_event_t *ev)
{
    ngx_connection_t      *c;
    ngx_camera_pg_conn_t  *conn;

    c = ev->data;
    conn = c->data;

    if (PQconsumeInput(conn->pg) != 1) {
        ngx_camera_pg_failed(conn, "PQconsumeInput()");
        return;
    }

    if (ngx_camera_pg_read(conn) != NGX_OK) {
        return;
    }

    if (ngx_camera_pg_flush(conn) != NGX_OK) {
        ngx_camera_pg_failed(conn, "PQflush()");
    }
}


static ngx_int_t
ngx_camera_pg_flush(ngx_camera_pg_conn_t *conn)
{
    int  rc;

    rc = PQflush(conn->pg);

    if (rc == -1) {
        return NGX_ERROR;
    }

    return ngx_camera_pg_want(conn, 1, rc == 1);
}


/* NGX_OK, or NGX_DONE: the connection is gone, a handler may have run */

static ngx_int_t
ngx_camera_pg_read(ngx_camera_pg_conn_t *conn)
{
    PGconn      *pg;
    PGresult    *res;
    ngx_uint_t   ends;

    pg = conn->pg;
    ends = 0;

    while (conn->pg == pg && !ngx_queue_empty(&conn->queries)) {

        if (PQisBusy(pg)) {
            break;
        }

        res = PQgetResult(pg);

        if (res) {
            ends = 0;
            ngx_camera_pg_result(conn, res);
            continue;
        }

        /* one end stands between the results of two queries */

        if (++ends == 3) {
            break;
        }
    }

    /* only now the library has looked at everything that was read */

    if (conn->pg == pg) {
        ngx_camera_pg_notifies(conn);
    }

    if (conn->pg == pg && (PQstatus(pg) == CONNECTION_BAD || ends == 3)) {
        ngx_camera_pg_failed(conn, "PQgetResult()");
    }

    return conn->pg == pg ? NGX_OK : NGX_DONE;
}


static void
ngx_camera_pg_result(ngx_camera_pg_conn_t *conn, PGresult *res)
{
    ngx_uint_t              skip;
    ngx_queue_t            *q;
    ngx_camera_pg_query_t  *query;

    if (PQresultStatus(res) == PGRES_PIPELINE_SYNC) {
        PQclear(res);
        ngx_camera_pg_synced(conn);
        return;
    }

    q = ngx_queue_head(&conn->queries);
    query = ngx_queue_data(q, ngx_camera_pg_query_t, queue);

    if (query->setup) {
        ngx_camera_pg_setup_answer(conn, res);
    }

    skip = query->skip;
    query->skip = 0;

    /* of the setting before a query only an error is of interest */

    if (skip && ngx_camera_pg_judge(res) == NGX_CAMERA_PG_OK) {
        PQclear(res);
        return;
    }

    ngx_camera_pg_keep(query, res);

    if (query->shared && !skip) {
        ngx_camera_pg_watch(conn);
        ngx_camera_pg_batch_answered(query);
    }
}


/* an error counts, whether it comes before or after a result */

static void
ngx_camera_pg_keep(ngx_camera_pg_query_t *query, PGresult *res)
{
    if (query->result == NULL
        || (ngx_camera_pg_judge(query->result) == NGX_CAMERA_PG_OK
            && ngx_camera_pg_judge(res) != NGX_CAMERA_PG_OK))
    {
        PQclear(query->result);
        query->result = res;
        return;
    }

    PQclear(res);
}


static void
ngx_camera_pg_synced(ngx_camera_pg_conn_t *conn)
{
    ngx_queue_t            *q;
    ngx_camera_pg_rc_e      rc;
    ngx_camera_pg_query_t  *query;

    q = ngx_queue_head(&conn->queries);
    query = ngx_queue_data(q, ngx_camera_pg_query_t, queue);

    if (query->setup) {
        ngx_camera_pg_prepared(conn, query);
        return;
    }

    ngx_queue_remove(q);
    ngx_queue_init(q);

    /* what shared this Sync was told already */

    rc = query->sync && query->result == NULL
         ? NGX_CAMERA_PG_OK : ngx_camera_pg_judge(query->result);

    ngx_camera_pg_setting_synced(conn, query, rc);
    ngx_camera_pg_watch(conn);
    ngx_camera_pg_query_done(query, rc);
}


ngx_camera_pg_rc_e
ngx_camera_pg_judge(const PGresult *res)
{
    switch (PQresultStatus(res)) {

    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
        return NGX_CAMERA_PG_OK;

    default:
        return NGX_CAMERA_PG_REFUSED;
    }
}


/* the one who is told may close the pool: there is no connection then */

static void
ngx_camera_pg_notifies(ngx_camera_pg_conn_t *conn)
{
    PGnotify              *notify;
    ngx_camera_pg_conf_t  *conf;

    conf = &conn->pool->conf;

    while ((notify = PQnotifies(conn->pg)) != NULL) {

        if (conf->notified) {
            conf->notified(conf->data, notify->relname, notify->extra);
        }

        PQfreemem(notify);
    }
}


/*
 * While an answer is due: how long the server may be silent about the oldest.
 * nginx leaves a timer alone that is put off by less than NGX_TIMER_LAZY_DELAY,
 * so it may be so much less.
 */

void
ngx_camera_pg_watch(ngx_camera_pg_conn_t *conn)
{
    if (!ngx_queue_empty(&conn->queries)) {
        ngx_add_timer(&conn->deadline, conn->pool->conf.statement_timeout
                                       + NGX_CAMERA_PG_STALL);

    } else if (conn->deadline.timer_set) {
        ngx_del_timer(&conn->deadline);
    }
}
