/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * One connection of the PostgreSQL client, from connecting to its end; what is
 * read meanwhile is ngx_camera_pg_answer.c's.
 *
 *     IDLE        waits for its retry timer        [_disconnect]
 *     CONNECTING  PQconnectPoll() at each event    [ngx_camera_pg_connect]
 *     PREPARING   LISTEN, PREPAREs, demands sent   [_prepare]
 *     READY       takes queries                    [_prepared]
 *
 * Whatever fails ends in ngx_camera_pg_disconnect(), which tells every query
 * in flight and connects again after a while that doubles from 50 ms to 5 s,
 * half of it random.
 *
 * Events are level-triggered, because libpq reads only what it wants.  While
 * connecting, libpq may close its socket and open another one under the same
 * number, so the events are removed before each poll and added after it.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_camera.h"
#include "ngx_camera_pg_connection.h"

#define NGX_CAMERA_PG_BACKOFF_MIN  50
#define NGX_CAMERA_PG_BACKOFF_MAX  5000
#define NGX_CAMERA_PG_BACKOFF_EAR  600     /* of the one that LISTENs */


static void ngx_camera_pg_connect_handler(ngx_event_t *ev);
static void ngx_camera_pg_poll(ngx_camera_pg_conn_t *conn);
static ngx_int_t ngx_camera_pg_attach(ngx_camera_pg_conn_t *conn,
    ngx_event_handler_pt handler);
static void ngx_camera_pg_detach(ngx_camera_pg_conn_t *conn);
static void ngx_camera_pg_prepare(ngx_camera_pg_conn_t *conn);
static void ngx_camera_pg_listening(ngx_camera_pg_conn_t *conn,
    ngx_uint_t up);
static ngx_msec_t ngx_camera_pg_backoff(ngx_camera_pg_conn_t *conn);
static void ngx_camera_pg_retry_handler(ngx_event_t *ev);
static void ngx_camera_pg_deadline_handler(ngx_event_t *ev);
static void ngx_camera_pg_broken_handler(ngx_event_t *ev);
static void ngx_camera_pg_unfit(ngx_camera_pg_conn_t *conn);
static void ngx_camera_pg_notice(void *data, const PGresult *res);


void
ngx_camera_pg_connect(ngx_camera_pg_conn_t *conn)
{
    ngx_camera_pg_pool_t  *pg;

    pg = conn->pool;

    if (conn->retry.handler == NULL) {
        ngx_camera_background_event(&conn->retry, ngx_camera_pg_retry_handler,
                                    pg->log);
        ngx_camera_background_event(&conn->deadline,
                                    ngx_camera_pg_deadline_handler, pg->log);
        ngx_camera_background_event(&conn->broken,
                                    ngx_camera_pg_broken_handler, pg->log);
    }

    conn->state = NGX_CAMERA_PG_CONNECTING;
    conn->pg = PQconnectStartParams(pg->keywords, pg->values, 0);

    if (conn->pg == NULL || PQstatus(conn->pg) == CONNECTION_BAD) {
        ngx_camera_pg_failed(conn, "PQconnectStartParams()");
        return;
    }

    PQsetNoticeReceiver(conn->pg, ngx_camera_pg_notice, NULL);

    ngx_add_timer(&conn->deadline, pg->conf.connect_timeout);

    if (ngx_camera_pg_attach(conn, ngx_camera_pg_connect_handler) != NGX_OK
        || ngx_camera_pg_want(conn, 0, 1) != NGX_OK)
    {
        ngx_camera_pg_failed(conn, "ngx_add_event()");
    }
}


static void
ngx_camera_pg_connect_handler(ngx_event_t *ev)
{
    ngx_connection_t      *c;
    ngx_camera_pg_conn_t  *conn;

    c = ev->data;
    conn = c->data;

    ngx_camera_pg_detach(conn);
    ngx_camera_pg_poll(conn);
}


static void
ngx_camera_pg_poll(ngx_camera_pg_conn_t *conn)
{
    ngx_int_t                  rc;
    PostgresPollingStatusType  status;

    status = PQconnectPoll(conn->pg);

    if (status == PGRES_POLLING_FAILED) {
        ngx_camera_pg_failed(conn, "PQconnectPoll()");
        return;
    }

    if (status == PGRES_POLLING_OK) {
        ngx_camera_pg_prepare(conn);
        return;
    }

    rc = ngx_camera_pg_attach(conn, ngx_camera_pg_connect_handler);

    if (rc == NGX_OK) {
        rc = ngx_camera_pg_want(conn, status == PGRES_POLLING_READING,
                                status == PGRES_POLLING_WRITING);
    }

    if (rc != NGX_OK) {
        ngx_camera_pg_failed(conn, "ngx_add_event()");
    }
}


static ngx_int_t
ngx_camera_pg_attach(ngx_camera_pg_conn_t *conn, ngx_event_handler_pt handler)
{
    ngx_connection_t  *c;

    c = ngx_get_connection(PQsocket(conn->pg), conn->pool->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->data = conn;
    c->log = conn->pool->log;

    c->read->handler = handler;
    c->read->log = c->log;
    c->write->handler = handler;
    c->write->log = c->log;

    conn->connection = c;

    return NGX_OK;
}


static void
ngx_camera_pg_detach(ngx_camera_pg_conn_t *conn)
{
    ngx_uint_t         flags;
    ngx_connection_t  *c;

    c = conn->connection;

    if (c == NULL) {
        return;
    }

    /* libpq closes a socket that failed, and epoll forgets it with that */

    flags = PQsocket(conn->pg) == c->fd ? 0 : NGX_CLOSE_EVENT;

    if (c->read->active) {
        (void) ngx_del_event(c->read, NGX_READ_EVENT, flags);
    }

    if (c->write->active) {
        (void) ngx_del_event(c->write, NGX_WRITE_EVENT, flags);
    }

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    /* the descriptor is libpq's */

    c->fd = (ngx_socket_t) -1;
    ngx_free_connection(c);

    conn->connection = NULL;
}


ngx_int_t
ngx_camera_pg_want(ngx_camera_pg_conn_t *conn, ngx_uint_t read,
    ngx_uint_t write)
{
    ngx_int_t     rc;
    ngx_event_t  *rev, *wev;

    rc = NGX_OK;
    rev = conn->connection->read;
    wev = conn->connection->write;

    if (read && !rev->active) {
        rc = ngx_add_event(rev, NGX_READ_EVENT, NGX_LEVEL_EVENT);

    } else if (!read && rev->active) {
        rc = ngx_del_event(rev, NGX_READ_EVENT, 0);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (write && !wev->active) {
        rc = ngx_add_event(wev, NGX_WRITE_EVENT, NGX_LEVEL_EVENT);

    } else if (!write && wev->active) {
        rc = ngx_del_event(wev, NGX_WRITE_EVENT, 0);
    }

    return rc;
}


static void
ngx_camera_pg_prepare(ngx_camera_pg_conn_t *conn)
{
    ngx_camera_pg_query_t  *query;

    if (PQsetnonblocking(conn->pg, 1) != 0
        || PQenterPipelineMode(conn->pg) != 1
        || ngx_camera_pg_setup_send(conn) != NGX_OK
        || PQpipelineSync(conn->pg) != 1)
    {
        ngx_camera_pg_failed(conn, "PQsendPrepare()");
        return;
    }

    if (ngx_camera_pg_attach(conn, ngx_camera_pg_io_handler) != NGX_OK) {
        ngx_camera_pg_failed(conn, "ngx_get_connection()");
        return;
    }

    query = ngx_camera_pg_query_get(conn->pool);

    if (query == NULL) {
        ngx_camera_pg_failed(conn, "ngx_alloc()");
        return;
    }

    query->conn = conn;
    query->setup = 1;
    conn->state = NGX_CAMERA_PG_PREPARING;

    ngx_camera_pg_sent(conn, query);
    ngx_camera_pg_push(conn);
}


void
ngx_camera_pg_prepared(ngx_camera_pg_conn_t *conn,
    ngx_camera_pg_query_t *query)
{
    ngx_camera_pg_pool_t  *pg;

    pg = conn->pool;

    if (ngx_camera_pg_judge(query->result) != NGX_CAMERA_PG_OK) {
        ngx_camera_pg_failed(conn, "preparing statements");
        return;
    }

    if (conn->unfit) {
        ngx_camera_pg_unfit(conn);
        return;
    }

    ngx_camera_pg_query_done(query, NGX_CAMERA_PG_OK);
    ngx_camera_pg_watch(conn);

    conn->state = NGX_CAMERA_PG_READY;
    conn->backoff_msec = 0;
    pg->ready++;

    if ((pg->complained || pg->unfit)
        && pg->ready == pg->conf.connections)
    {
        pg->complained = 0;
        pg->unfit = 0;
        ngx_log_error(NGX_LOG_NOTICE, pg->log, 0,
                      "PostgreSQL serves \"%s\" again", pg->conf.name);
    }

    if (pg->conf.ready) {
        pg->conf.ready(pg->conf.data, pg->ready);
    }

    ngx_camera_pg_listening(conn, 1);
}


/* the first connection is the one that LISTENs */

static void
ngx_camera_pg_listening(ngx_camera_pg_conn_t *conn, ngx_uint_t up)
{
    ngx_camera_pg_conf_t  *conf;

    conf = &conn->pool->conf;

    if (conf->listening && conf->listen && conn->index == 0) {
        conf->listening(conf->data, up);
    }
}


void
ngx_camera_pg_disconnect(ngx_camera_pg_conn_t *conn, ngx_uint_t retry)
{
    ngx_queue_t             lost, *q;
    ngx_camera_pg_pool_t   *pg;
    ngx_camera_pg_query_t  *query;

    pg = conn->pool;

    if (conn->state == NGX_CAMERA_PG_READY) {
        pg->ready--;
        ngx_camera_pg_listening(conn, 0);
    }

    conn->state = NGX_CAMERA_PG_IDLE;

    if (conn->deadline.timer_set) {
        ngx_del_timer(&conn->deadline);
    }

    if (conn->retry.timer_set) {
        ngx_del_timer(&conn->retry);
    }

    if (conn->broken.posted) {
        ngx_delete_posted_event(&conn->broken);
    }

    ngx_camera_pg_detach(conn);

    PQfinish(conn->pg);
    conn->pg = NULL;

    ngx_camera_pg_setting_forget(conn);

    if (retry) {
        conn->backoff_msec = ngx_camera_pg_backoff(conn);

        ngx_add_timer(&conn->retry, conn->backoff_msec / 2
                              + (ngx_msec_t) ngx_random()
                                % (conn->backoff_msec / 2));
    }

    /* handlers may start queries: on other connections, this one is idle */

    ngx_queue_init(&lost);

    if (!ngx_queue_empty(&conn->queries)) {
        ngx_queue_add(&lost, &conn->queries);
        ngx_queue_init(&conn->queries);
    }

    while (!ngx_queue_empty(&lost)) {
        q = ngx_queue_head(&lost);
        query = ngx_queue_data(q, ngx_camera_pg_query_t, queue);

        ngx_camera_pg_query_done(query, NGX_CAMERA_PG_LOST);
    }
}


/* what was said while nobody listened is to be known within a second */

static ngx_msec_t
ngx_camera_pg_backoff(ngx_camera_pg_conn_t *conn)
{
    ngx_msec_t  longest;

    longest = conn->pool->conf.listen && conn->index == 0
              ? NGX_CAMERA_PG_BACKOFF_EAR : NGX_CAMERA_PG_BACKOFF_MAX;

    return ngx_min(ngx_max(conn->backoff_msec * 2, NGX_CAMERA_PG_BACKOFF_MIN),
                   longest);
}


static void
ngx_camera_pg_retry_handler(ngx_event_t *ev)
{
    ngx_camera_pg_conn_t  *conn;

    conn = (ngx_camera_pg_conn_t *)
               ((u_char *) ev - offsetof(ngx_camera_pg_conn_t, retry));

    if (!ngx_exiting) {
        ngx_camera_pg_connect(conn);
    }
}


static void
ngx_camera_pg_deadline_handler(ngx_event_t *ev)
{
    ngx_camera_pg_conn_t  *conn;

    conn = (ngx_camera_pg_conn_t *)
               ((u_char *) ev - offsetof(ngx_camera_pg_conn_t, deadline));

    ngx_camera_pg_failed(conn, "no answer in time");
}


static void
ngx_camera_pg_broken_handler(ngx_event_t *ev)
{
    ngx_camera_pg_conn_t  *conn;

    conn = (ngx_camera_pg_conn_t *)
               ((u_char *) ev - offsetof(ngx_camera_pg_conn_t, broken));

    ngx_camera_pg_failed(conn, "PQsendQueryPrepared()");
}


/*
 * One line for each outage, not for each attempt.  The library's text names
 * sockets, users and databases, never the password; of an SQL error only the
 * statement that could not be prepared is to blame, which is ours.
 */

void
ngx_camera_pg_failed(ngx_camera_pg_conn_t *conn, const char *what)
{
    size_t                  len;
    const char             *text;
    ngx_queue_t            *q;
    ngx_camera_pg_pool_t   *pg;
    ngx_camera_pg_query_t  *query;

    pg = conn->pool;

    if (!pg->complained) {
        pg->complained = 1;

        text = conn->pg ? PQerrorMessage(conn->pg) : "";

        if (conn->state == NGX_CAMERA_PG_PREPARING
            && !ngx_queue_empty(&conn->queries))
        {
            q = ngx_queue_head(&conn->queries);
            query = ngx_queue_data(q, ngx_camera_pg_query_t, queue);

            if (query->result) {
                text = PQresultErrorMessage(query->result);
            }
        }

        len = strcspn(text, "\n");

        ngx_log_error(NGX_LOG_ERR, pg->log, 0,
                      "PostgreSQL does not serve \"%s\": %s failed: %*s",
                      pg->conf.name, what, len, text);
    }

    ngx_camera_pg_disconnect(conn, 1);
}


/* it is tried again: who looks after the database may put it right */

static void
ngx_camera_pg_unfit(ngx_camera_pg_conn_t *conn)
{
    ngx_camera_pg_pool_t  *pg;

    pg = conn->pool;

    if (!pg->unfit) {
        pg->unfit = 1;

        ngx_log_error(NGX_LOG_CRIT, pg->log, 0,
                      "PostgreSQL may not serve \"%s\": %s",
                      pg->conf.name, conn->unfit);
    }

    ngx_camera_pg_disconnect(conn, 1);
}


/* warnings of the server would go to stderr otherwise */

static void
ngx_camera_pg_notice(void *data, const PGresult *res)
{
    /* void */
}
