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
 *
 * A pool may have a session setting, app.tenant say: each query then runs with
 * the value its caller gave, or with an empty one, never with somebody else's.
 */

#ifndef NGX_CAMERA_PG_H
#define NGX_CAMERA_PG_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


typedef struct ngx_camera_pg_pool_s   ngx_camera_pg_pool_t;
typedef struct ngx_camera_pg_query_s  ngx_camera_pg_query_t;

struct pg_result;

#define NGX_CAMERA_PG_SETTING_MAX  288       /* bytes of a value */


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


/* a question to each new connection: unless the answer is true it serves
   nobody, and one line at [crit] says why */
typedef struct {
    const char        *sql;                  /* one row of one boolean */
    const char        *otherwise;            /* what is wrong then */
} ngx_camera_pg_demand_t;


typedef enum {
    NGX_CAMERA_PG_OK = 0,
    NGX_CAMERA_PG_REFUSED,                   /* by SQL: see the error */
    NGX_CAMERA_PG_TIMEOUT,                   /* may have been done or not */
    NGX_CAMERA_PG_LOST                       /* may have been done or not */
} ngx_camera_pg_rc_e;


typedef struct {
    const char        *sqlstate;             /* never NULL */
    const char        *constraint;           /* NULL unless it was violated */
} ngx_camera_pg_error_t;


/* res is NULL unless rc is _OK, error is NULL unless rc is _REFUSED; both are
   freed after the handler */
typedef void (*ngx_camera_pg_handler_pt)(void *data, ngx_camera_pg_rc_e rc,
    const struct pg_result *res, const ngx_camera_pg_error_t *error);


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
    ngx_uint_t         generic_plans;        /* one for all parameters */

    /* reads of one turn that go to one connection before another one is
       taken, 0 = 1, which suits statements that take their time */
    ngx_uint_t         gather;

    /* any of the following may be NULL */

    const char                    *setting;  /* of the session, by its name */
    const ngx_camera_pg_demand_t  *demands;  /* end with a NULL sql */

    /* channels, a NULL behind the last; the first connection LISTENs */
    const char *const *listen;
    void             (*notified)(void *data, const char *channel,
                                 const char *payload);
    void             (*ready)(void *data, ngx_uint_t connections);
    void             (*listening)(void *data, ngx_uint_t up);  /* each change */
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
   exiting worker's pool does so by itself as soon as nothing is in flight and
   nobody holds it */
void ngx_camera_pg_close(ngx_camera_pg_pool_t *pg);

/* for who has a query to come; each is released once */
void ngx_camera_pg_hold(ngx_camera_pg_pool_t *pg);
void ngx_camera_pg_release(ngx_camera_pg_pool_t *pg);

/* connections that take queries now */
ngx_uint_t ngx_camera_pg_ready(ngx_camera_pg_pool_t *pg);

/*
 * Sends the statement of that index.  NULL: no connection, or too many
 * queries in flight; the handler will not run.  Otherwise the query may be
 * cancelled until its handler runs.
 */
ngx_camera_pg_query_t *ngx_camera_pg_start(ngx_camera_pg_pool_t *pg,
    ngx_uint_t statement, const ngx_camera_pg_param_t *params, ngx_uint_t n,
    ngx_msec_t timeout, ngx_camera_pg_handler_pt handler, void *data);

/* the same with a value of at most NGX_CAMERA_PG_SETTING_MAX bytes for the
   pool's setting; NULL and ngx_camera_pg_start() mean an empty one */
ngx_camera_pg_query_t *ngx_camera_pg_start_as(ngx_camera_pg_pool_t *pg,
    const ngx_str_t *value, ngx_uint_t statement,
    const ngx_camera_pg_param_t *params, ngx_uint_t n, ngx_msec_t timeout,
    ngx_camera_pg_handler_pt handler, void *data);

/*
 * The same for a statement that only reads: it is sent at the end of this turn
 * of the event loop, in one transaction with other reads, and a second time
 * when one before it fails.
 */
ngx_camera_pg_query_t *ngx_camera_pg_start_read(ngx_camera_pg_pool_t *pg,
    const ngx_str_t *value, ngx_uint_t statement,
    const ngx_camera_pg_param_t *params, ngx_uint_t n, ngx_msec_t timeout,
    ngx_camera_pg_handler_pt handler, void *data);

/* the handler will not run; the server may do the work nevertheless */
void ngx_camera_pg_cancel(ngx_camera_pg_query_t *query);


#endif /* NGX_CAMERA_PG_H */
