/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * An asynchronous PostgreSQL client that knows nothing of cameras: a pool of
 * connections in pipeline mode, statements prepared beforehand, a bounded
 * number of queries in flight, a deadline for each.
 *
 * A query that was started has its handler run exactly once, never before
 * ngx_camera_pg_start() returned, unless it is cancelled first.
 */

#ifndef NGX_CAMERA_PG_H
#define NGX_CAMERA_PG_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


typedef struct ngx_camera_pg_pool_s   ngx_camera_pg_pool_t;
typedef struct ngx_camera_pg_query_s  ngx_camera_pg_query_t;

struct pg_result;


typedef struct {
    const char        *name;
    const char        *sql;
    ngx_int_t          params;
} ngx_camera_pg_statement_t;


/* a text parameter needs its final NUL, a binary one does not */
typedef struct {
    const char        *data;                 /* NULL: SQL's NULL */
    int                len;
    int                binary;
} ngx_camera_pg_param_t;


typedef enum {
    NGX_CAMERA_PG_OK = 0,
    NGX_CAMERA_PG_REFUSED,                   /* by SQL: see sqlstate */
    NGX_CAMERA_PG_TIMEOUT,                   /* may have been done or not */
    NGX_CAMERA_PG_LOST                       /* may have been done or not */
} ngx_camera_pg_rc_e;


/* res is freed after the handler; NULL unless rc is _OK */
typedef void (*ngx_camera_pg_handler_pt)(void *data, ngx_camera_pg_rc_e rc,
    const struct pg_result *res, const char *sqlstate);


typedef struct {
    const char        *name;                 /* of the pool, in the log */
    ngx_str_t          conninfo;             /* never logged */
    ngx_uint_t         connections;
    ngx_uint_t         queue;                /* queries in flight, 0 = 256 */
    ngx_msec_t         connect_timeout;      /* 0 = 2 s */
    ngx_msec_t         statement_timeout;    /* by the server, 0 = 2 s */

    /* ends with a NULL name; not copied */
    const ngx_camera_pg_statement_t  *statements;
    ngx_uint_t         binary_results;

    /* the first connection LISTENs; any may be NULL */
    const char        *listen;
    void             (*notified)(void *data);
    void             (*ready)(void *data, ngx_uint_t connections);
    void              *data;
} ngx_camera_pg_conf_t;


/*
 * NULL when the connection string can be used without blocking, otherwise
 * what is wrong with it, without quoting it: a host name would be looked up
 * by a resolver that blocks.
 */
const char *ngx_camera_pg_check(ngx_str_t *conninfo, ngx_pool_t *pool);

/* starts to connect, in a worker's init_process; conf is copied */
ngx_camera_pg_pool_t *ngx_camera_pg_create(ngx_pool_t *pool, ngx_log_t *log,
    const ngx_camera_pg_conf_t *conf);

/* fails what is in flight and disconnects, in exit_process or earlier; an
   exiting worker's pool does so by itself as soon as nothing is in flight */
void ngx_camera_pg_close(ngx_camera_pg_pool_t *pg);

/* connections that take queries now */
ngx_uint_t ngx_camera_pg_ready(ngx_camera_pg_pool_t *pg);
ngx_uint_t ngx_camera_pg_in_flight(ngx_camera_pg_pool_t *pg);

/*
 * Sends the statement of that index.  NULL: no connection, or too many
 * queries in flight; the handler will not run.  Otherwise the query may be
 * cancelled until its handler runs.
 */
ngx_camera_pg_query_t *ngx_camera_pg_start(ngx_camera_pg_pool_t *pg,
    ngx_uint_t statement, const ngx_camera_pg_param_t *params, ngx_uint_t n,
    ngx_msec_t timeout, ngx_camera_pg_handler_pt handler, void *data);

/* the handler will not run; the server may do the work nevertheless */
void ngx_camera_pg_cancel(ngx_camera_pg_query_t *query);


#endif /* NGX_CAMERA_PG_H */
