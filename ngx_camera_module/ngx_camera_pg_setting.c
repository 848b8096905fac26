/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The session setting of the PostgreSQL client: each query runs with its own
 * value, whatever came before it on the connection.
 *
 * set_config() is queued before the query and under the same Sync: when it
 * fails the query does not run, and when the query fails it is rolled back.
 * The latter is why a query may go without one of its own only when the value
 * it wants was confirmed:
 *
 *     unknown    new connection, or any query failed   [_forget, _synced]
 *     settling   set, and at least one Sync of those   [_send]
 *                that set is not answered yet
 *     confirmed  the last set was answered well        [_synced]
 *
 * While it is settling a query that wants the very same value sets it again,
 * because the one before it may yet be rolled back; unless both share a Sync,
 * for then the query does not run either.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_camera_pg_connection.h"

#define NGX_CAMERA_PG_SETTING  "ngx_camera_pg_setting"


ngx_int_t
ngx_camera_pg_setting_prepare(ngx_camera_pg_conn_t *conn)
{
    u_char       sql[128];
    const char  *setting;

    setting = conn->pool->conf.setting;

    if (setting == NULL) {
        return NGX_OK;
    }

    ngx_snprintf(sql, sizeof(sql), "SELECT set_config('%s', $1, false)%Z",
                 setting);

    if (PQsendPrepare(conn->pg, NGX_CAMERA_PG_SETTING, (char *) sql, 0, NULL)
        != 1)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_camera_pg_setting_send(ngx_camera_pg_conn_t *conn,
    ngx_camera_pg_query_t *query, const ngx_str_t *value)
{
    int                     len, binary;
    const char             *data;
    ngx_camera_pg_query_t  *sync;

    sync = query->shared ? conn->batch : query;

    if (conn->pool->conf.setting == NULL
        || ((conn->settling == 0 || sync->sets)
            && ngx_camera_pg_setting_fit(conn, value) == 2))
    {
        return NGX_OK;
    }

    /* as binary it goes by its length, and a NUL in it is the server's error;
       a NULL here would be SQL's */

    data = value->len ? (const char *) value->data : "";
    len = (int) value->len;
    binary = 1;

    if (PQsendQueryPrepared(conn->pg, NGX_CAMERA_PG_SETTING, 1, &data, &len,
                            &binary, 0)
        != 1)
    {
        return NGX_ERROR;
    }

    ngx_memcpy(conn->setting, data, value->len);
    conn->setting_len = value->len;
    conn->setting_known = 1;

    if (!sync->sets) {
        sync->sets = 1;
        conn->settling++;
    }

    query->skip = 1;

    return NGX_OK;
}


ngx_uint_t
ngx_camera_pg_setting_fit(ngx_camera_pg_conn_t *conn, const ngx_str_t *value)
{
    if (!conn->setting_known) {
        return 1;
    }

    return conn->setting_len == value->len
           && ngx_memcmp(conn->setting, value->data, value->len) == 0 ? 2 : 0;
}


void
ngx_camera_pg_setting_synced(ngx_camera_pg_conn_t *conn,
    ngx_camera_pg_query_t *query, ngx_camera_pg_rc_e rc)
{
    if (query->sets) {
        conn->settling--;
    }

    if (rc != NGX_CAMERA_PG_OK) {
        conn->setting_known = 0;
    }
}


void
ngx_camera_pg_setting_forget(ngx_camera_pg_conn_t *conn)
{
    conn->settling = 0;
    conn->setting_known = 0;
}
