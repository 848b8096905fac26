/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Reads that are started in one turn of the event loop are sent at its end,
 * sorted by their value of the session setting, as one batch for each of a few
 * connections: a batch is one transaction of the server, has one Sync and is
 * one write to the socket.
 *
 * In the queue of a connection the Sync is an entry behind its reads.  These
 * are done as each is answered, for what they read needs no commit.  When one
 * fails the server skips those behind it up to the Sync; they are sent again,
 * each with a Sync of its own.
 *
 *     waiting   in the pool's queue of reads      [ngx_camera_pg_batch_add]
 *     sent      in the queue of a connection      [_batch_send]
 *     again     the same, with a Sync of its own  [_batch_again]
 *     done                                        [_batch_answered, _lost]
 *
 * A read keeps a copy of what it is sent with, both times; one that is too
 * large for that is sent at once, as if it were no read.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_camera_pg_connection.h"


static void ngx_camera_pg_batch_forget(ngx_camera_pg_pool_t *pg);
static ngx_int_t ngx_camera_pg_batch_order(const ngx_queue_t *one,
    const ngx_queue_t *two);
static ngx_int_t ngx_camera_pg_batch_send(ngx_camera_pg_conn_t *conn,
    ngx_uint_t n);
static ngx_uint_t ngx_camera_pg_batch_fatal(const PGresult *res);
static void ngx_camera_pg_batch_again(ngx_camera_pg_query_t *query);


ngx_int_t
ngx_camera_pg_batch_keep(ngx_camera_pg_query_t *query,
    const ngx_camera_pg_call_t *call)
{
    u_char                 *p, *last;
    size_t                  len;
    ngx_uint_t              i;
    ngx_camera_pg_kept_t   *kept;
    ngx_camera_pg_param_t  *param;

    kept = &query->kept;

    if (call->n > NGX_CAMERA_PG_KEPT_PARAMS) {
        return NGX_DECLINED;
    }

    p = kept->data;
    last = p + sizeof(kept->data);

    kept->call = *call;
    kept->call.params = kept->params;
    kept->call.value.data = p;

    p = ngx_cpymem(p, call->value.data, call->value.len);

    for (i = 0; i < call->n; i++) {
        param = &kept->params[i];
        *param = call->params[i];

        if (param->data == NULL) {
            continue;
        }

        len = param->binary ? (size_t) param->len
                            : ngx_strlen(param->data) + 1;

        if (len > (size_t) (last - p)) {
            return NGX_DECLINED;
        }

        p = ngx_cpymem(p, param->data, len);
        param->data = (char *) p - len;
    }

    return NGX_OK;
}


void
ngx_camera_pg_batch_add(ngx_camera_pg_query_t *query)
{
    ngx_camera_pg_pool_t  *pg;

    pg = query->pool;

    ngx_queue_insert_tail(&pg->reads, &query->queue);
    pg->nreads++;

    query->counted = 1;
    pg->in_flight++;

    ngx_post_event(&pg->turn, &ngx_posted_events);
}


void
ngx_camera_pg_batch_handler(ngx_event_t *ev)
{
    ngx_str_t              *value;
    ngx_uint_t              batches, gather;
    ngx_queue_t            *q;
    ngx_camera_pg_conn_t   *conn;
    ngx_camera_pg_pool_t   *pg;
    ngx_camera_pg_query_t  *query;

    pg = (ngx_camera_pg_pool_t *)
             ((u_char *) ev - offsetof(ngx_camera_pg_pool_t, turn));

    ngx_camera_pg_batch_forget(pg);

    if (pg->conf.setting) {
        ngx_queue_sort(&pg->reads, ngx_camera_pg_batch_order);
    }

    gather = ngx_max(pg->conf.gather, 1);
    batches = ngx_min((pg->nreads + gather - 1) / gather, pg->ready);

    for ( /* void */ ; batches; batches--) {
        q = ngx_queue_head(&pg->reads);
        query = ngx_queue_data(q, ngx_camera_pg_query_t, queue);
        value = &query->kept.call.value;

        conn = ngx_camera_pg_choose(pg, value);

        if (conn == NULL
            || ngx_camera_pg_batch_send(conn, (pg->nreads + batches - 1)
                                              / batches)
               != NGX_OK)
        {
            break;
        }
    }

    ngx_camera_pg_batch_lost(pg);
}


/* those that nobody waits for any more */

static void
ngx_camera_pg_batch_forget(ngx_camera_pg_pool_t *pg)
{
    ngx_queue_t            *q, *next;
    ngx_camera_pg_query_t  *query;

    for (q = ngx_queue_head(&pg->reads);
         q != ngx_queue_sentinel(&pg->reads);
         q = next)
    {
        next = ngx_queue_next(q);
        query = ngx_queue_data(q, ngx_camera_pg_query_t, queue);

        if (query->handler == NULL) {
            pg->nreads--;
            ngx_camera_pg_query_done(query, NGX_CAMERA_PG_LOST);
        }
    }
}


static ngx_int_t
ngx_camera_pg_batch_order(const ngx_queue_t *one, const ngx_queue_t *two)
{
    const ngx_str_t              *a, *b;
    const ngx_camera_pg_query_t  *first, *second;

    first = ngx_queue_data(one, ngx_camera_pg_query_t, queue);
    second = ngx_queue_data(two, ngx_camera_pg_query_t, queue);

    a = &first->kept.call.value;
    b = &second->kept.call.value;

    return ngx_memn2cmp(a->data, b->data, a->len, b->len);
}


/* NGX_ERROR: none of them was sent */

static ngx_int_t
ngx_camera_pg_batch_send(ngx_camera_pg_conn_t *conn, ngx_uint_t n)
{
    ngx_int_t               rc;
    ngx_queue_t            *q;
    ngx_camera_pg_pool_t   *pg;
    ngx_camera_pg_query_t  *query, *sync;

    pg = conn->pool;

    sync = ngx_camera_pg_query_get(pg);
    if (sync == NULL) {
        return NGX_ERROR;
    }

    sync->conn = conn;
    sync->sync = 1;
    conn->batch = sync;

    for (rc = NGX_OK; n; n--) {
        q = ngx_queue_head(&pg->reads);
        query = ngx_queue_data(q, ngx_camera_pg_query_t, queue);

        ngx_queue_remove(q);
        pg->nreads--;

        query->conn = conn;
        query->shared = 1;

        if (rc == NGX_OK) {
            rc = ngx_camera_pg_send(query, &query->kept.call);
        }

        ngx_camera_pg_sent(conn, query);
    }

    conn->batch = NULL;
    ngx_camera_pg_sent(conn, sync);

    if (rc != NGX_OK || PQpipelineSync(conn->pg) != 1) {
        ngx_post_event(&conn->broken, &ngx_posted_events);
        return NGX_OK;
    }

    ngx_camera_pg_push(conn);

    return NGX_OK;
}


void
ngx_camera_pg_batch_lost(ngx_camera_pg_pool_t *pg)
{
    ngx_queue_t             lost, *q;
    ngx_camera_pg_query_t  *query;

    if (ngx_queue_empty(&pg->reads)) {
        return;
    }

    /* handlers may start reads */

    ngx_queue_init(&lost);
    ngx_queue_add(&lost, &pg->reads);
    ngx_queue_init(&pg->reads);
    pg->nreads = 0;

    while (!ngx_queue_empty(&lost)) {
        q = ngx_queue_head(&lost);
        query = ngx_queue_data(q, ngx_camera_pg_query_t, queue);

        ngx_camera_pg_query_done(query, NGX_CAMERA_PG_LOST);
    }
}


void
ngx_camera_pg_batch_answered(ngx_camera_pg_query_t *query)
{
    ngx_camera_pg_rc_e  rc;

    /* the end of the connection is next, and tells it as it does the others */

    if (ngx_camera_pg_batch_fatal(query->result)) {
        return;
    }

    ngx_queue_remove(&query->queue);
    ngx_queue_init(&query->queue);

    if (PQresultStatus(query->result) == PGRES_PIPELINE_ABORTED) {
        PQclear(query->result);
        query->result = NULL;

        /* one that nobody waits for any more is not sent again */

        if (query->handler) {
            ngx_camera_pg_batch_again(query);
            return;
        }
    }

    rc = ngx_camera_pg_judge(query->result);

    ngx_camera_pg_setting_synced(query->conn, query, rc);
    ngx_camera_pg_query_done(query, rc);
}


static ngx_uint_t
ngx_camera_pg_batch_fatal(const PGresult *res)
{
    const char  *severity;

    severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);

    return severity && (ngx_strcmp(severity, "FATAL") == 0
                        || ngx_strcmp(severity, "PANIC") == 0);
}


/* what was read with the answer is flushed with the rest of its event */

static void
ngx_camera_pg_batch_again(ngx_camera_pg_query_t *query)
{
    ngx_int_t              rc;
    ngx_camera_pg_conn_t  *conn;

    conn = query->conn;
    query->shared = 0;

    rc = ngx_camera_pg_send(query, &query->kept.call);

    ngx_queue_insert_tail(&conn->queries, &query->queue);

    if (rc != NGX_OK) {
        ngx_post_event(&conn->broken, &ngx_posted_events);
    }
}
