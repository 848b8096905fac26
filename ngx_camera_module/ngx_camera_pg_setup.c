/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What each new connection of the PostgreSQL client is told and asked before
 * it serves: LISTEN, on the first one, the statements to prepare, and the
 * pool's demands, all in one pipeline under one Sync.  Only demands answer
 * with rows, so the n-th answer with rows belongs to the n-th demand.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_camera_pg_connection.h"


static ngx_int_t ngx_camera_pg_setup_listen(ngx_camera_pg_conn_t *conn);
static ngx_int_t ngx_camera_pg_setup_demands(ngx_camera_pg_conn_t *conn);
static ngx_int_t ngx_camera_pg_setup_query(ngx_camera_pg_conn_t *conn,
    const char *sql);


ngx_int_t
ngx_camera_pg_setup_send(ngx_camera_pg_conn_t *conn)
{
    const ngx_camera_pg_statement_t  *st;

    if (ngx_camera_pg_setup_listen(conn) != NGX_OK
        || ngx_camera_pg_setup_demands(conn) != NGX_OK
        || ngx_camera_pg_setting_prepare(conn) != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (st = conn->pool->conf.statements; st->name; st++) {

        if (PQsendPrepare(conn->pg, st->name, st->sql, 0, NULL) != 1) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_camera_pg_setup_listen(ngx_camera_pg_conn_t *conn)
{
    u_char              sql[128];
    const char *const  *channel;

    channel = conn->pool->conf.listen;

    if (channel == NULL || conn->index != 0) {
        return NGX_OK;
    }

    for ( /* void */ ; *channel; channel++) {
        ngx_snprintf(sql, sizeof(sql), "LISTEN \"%s\"%Z", *channel);

        if (ngx_camera_pg_setup_query(conn, (char *) sql) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_camera_pg_setup_demands(ngx_camera_pg_conn_t *conn)
{
    const ngx_camera_pg_demand_t  *demand;

    conn->demand = 0;
    conn->unfit = NULL;

    demand = conn->pool->conf.demands;

    for ( /* void */ ; demand && demand->sql; demand++) {

        if (ngx_camera_pg_setup_query(conn, demand->sql) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_camera_pg_setup_query(ngx_camera_pg_conn_t *conn, const char *sql)
{
    if (PQsendQueryParams(conn->pg, sql, 0, NULL, NULL, NULL, NULL, 0) != 1) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* whatever is not plainly true is not met, no row and NULL included */

void
ngx_camera_pg_setup_answer(ngx_camera_pg_conn_t *conn, const PGresult *res)
{
    const ngx_camera_pg_demand_t  *demand;

    if (PQresultStatus(res) != PGRES_TUPLES_OK) {
        return;
    }

    demand = &conn->pool->conf.demands[conn->demand++];

    if (conn->unfit == NULL
        && (PQntuples(res) != 1 || PQnfields(res) != 1
            || ngx_strcmp(PQgetvalue(res, 0, 0), "t") != 0))
    {
        conn->unfit = demand->otherwise;
    }
}
