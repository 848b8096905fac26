/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Reads that are started on a connection in one turn of the event loop share a
 * Sync, which is sent, and they with it, at the end of the turn: they are one
 * transaction of the server and one write to the socket.  A query that is no
 * read ends the batch before it and has a Sync of its own.
 *
 * In the queue of the connection the Sync is an entry behind its reads.  These
 * are done as each is answered, for what they read needs no commit.  When one
 * fails the server skips those behind it up to the Sync; they are sent again,
 * each with a Sync of its own.  For that a read keeps a copy of what it was
 * sent with; one that is too large for that takes part in no batch.
 *
 *     none    conn->batch is NULL
 *     open    conn->batch is the entry to be, not in the queue  [_join]
 *     sent    the entry is in the queue behind the last read    [_end]
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_camera_pg_connection.h"


static ngx_int_t ngx_camera_pg_batch_keep(ngx_camera_pg_query_t *query,
    const ngx_camera_pg_call_t *call);
static ngx_uint_t ngx_camera_pg_batch_fatal(const PGresult *res);
static void ngx_camera_pg_batch_again(ngx_camera_pg_query_t *query);


/* NGX_DECLINED: it goes with a Sync of its own */

ngx_int_t
ngx_camera_pg_batch_join(ngx_camera_pg_query_t *query,
    const ngx_camera_pg_call_t *call)
{
    ngx_camera_pg_conn_t  *conn;

    if (ngx_camera_pg_batch_keep(query, call) != NGX_OK) {
        return NGX_DECLINED;
    }

    conn = query->conn;

    if (conn->batch == NULL) {
        conn->batch = ngx_camera_pg_query_get(conn);

        if (conn->batch == NULL) {
            return NGX_DECLINED;
        }

        conn->batch->sync = 1;
        ngx_post_event(&conn->turn, &ngx_posted_events);
    }

    query->shared = 1;

    return NGX_OK;
}


static ngx_int_t
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


ngx_int_t
ngx_camera_pg_batch_end(ngx_camera_pg_conn_t *conn)
{
    ngx_camera_pg_query_t  *sync;

    sync = conn->batch;

    if (sync == NULL) {
        return NGX_OK;
    }

    conn->batch = NULL;

    if (conn->turn.posted) {
        ngx_delete_posted_event(&conn->turn);
    }

    ngx_queue_insert_tail(&conn->queries, &sync->queue);

    return PQpipelineSync(conn->pg) == 1 ? NGX_OK : NGX_ERROR;
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
