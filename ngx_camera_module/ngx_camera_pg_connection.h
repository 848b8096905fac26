/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What the files of the PostgreSQL client share: pools and queries are in
 * ngx_camera_pg.c, the connection string in ngx_camera_pg_conninfo.c,
 * connections in ngx_camera_pg_connection.c, what goes over them in
 * ngx_camera_pg_answer.c, what a new one is told and asked in
 * ngx_camera_pg_setup.c, the session setting in ngx_camera_pg_setting.c, reads
 * that share a Sync in ngx_camera_pg_batch.c.
 */

#ifndef NGX_CAMERA_PG_CONNECTION_H
#define NGX_CAMERA_PG_CONNECTION_H

#include <libpq-fe.h>

#include "ngx_camera_pg.h"

#define NGX_CAMERA_PG_PARAMS_MAX   32
#define NGX_CAMERA_PG_KEPT_PARAMS  8         /* of a read in a batch */
#define NGX_CAMERA_PG_KEPT_BYTES   256


typedef enum {
    NGX_CAMERA_PG_IDLE = 0,
    NGX_CAMERA_PG_CONNECTING,
    NGX_CAMERA_PG_PREPARING,
    NGX_CAMERA_PG_READY
} ngx_camera_pg_state_e;


typedef struct {
    ngx_camera_pg_pool_t   *pool;
    ngx_camera_pg_state_e   state;
    PGconn                 *pg;
    ngx_connection_t       *connection;

    ngx_queue_t             queries;         /* sent, oldest first */
    ngx_uint_t              in_flight;

    ngx_event_t             retry;           /* connects again */
    ngx_event_t             deadline;        /* of connecting, or a stall */
    ngx_event_t             broken;          /* posted: fail from outside */
    ngx_camera_pg_query_t  *batch;           /* the Sync of what is sent now */
    ngx_msec_t              backoff_msec;
    ngx_uint_t              index;

    ngx_uint_t              demand;          /* the next to be answered */
    const char             *unfit;           /* the first that was not met */

    u_char                  setting[NGX_CAMERA_PG_SETTING_MAX];
    size_t                  setting_len;
    ngx_uint_t              settling;        /* Syncs in flight after a set */
    unsigned                setting_known:1;
} ngx_camera_pg_conn_t;


/* what a query is sent with */
typedef struct {
    const ngx_camera_pg_statement_t  *statement;
    const ngx_camera_pg_param_t      *params;
    ngx_uint_t                        n;
    ngx_str_t                         value;          /* of the setting */
} ngx_camera_pg_call_t;


typedef struct {
    ngx_camera_pg_call_t    call;
    ngx_camera_pg_param_t   params[NGX_CAMERA_PG_KEPT_PARAMS];
    u_char                  data[NGX_CAMERA_PG_SETTING_MAX
                                 + NGX_CAMERA_PG_KEPT_BYTES];
} ngx_camera_pg_kept_t;


struct ngx_camera_pg_query_s {
    ngx_queue_t               queue;
    ngx_camera_pg_pool_t     *pool;
    ngx_camera_pg_conn_t     *conn;          /* NULL: it waits for the turn */
    ngx_camera_pg_handler_pt  handler;       /* NULL: ran, or cancelled */
    void                     *data;
    PGresult                 *result;        /* first one, or first error */
    ngx_event_t               deadline;
    unsigned                  setup:1;       /* see ngx_camera_pg_setup.c */
    unsigned                  sets:1;        /* its Sync is behind a set */
    unsigned                  skip:1;        /* the set's answer is awaited */
    unsigned                  counted:1;     /* in flight, for the caller */
    unsigned                  shared:1;      /* its Sync is another entry */
    unsigned                  sync:1;        /* that entry */

    ngx_camera_pg_kept_t      kept;          /* of a read in a batch */
};


struct ngx_camera_pg_pool_s {
    ngx_camera_pg_conf_t    conf;
    ngx_log_t              *log;
    ngx_pool_t             *pool;

    ngx_camera_pg_conn_t   *conns;
    ngx_uint_t              ready;
    ngx_uint_t              in_flight;
    ngx_uint_t              held;            /* by queries to come */
    ngx_queue_t             free;            /* queries to be used again */

    ngx_queue_t             reads;           /* started in this turn */
    ngx_uint_t              nreads;
    ngx_event_t             turn;            /* posted: send them */

    const char            **keywords;        /* parsed connection string */
    const char            **values;

    ngx_event_t             tick;            /* notices that we are exiting */
    unsigned                closed:1;
    unsigned                complained:1;    /* this outage is in the log */
    unsigned                unfit:1;         /* that a demand is not met, too */
};


/* fills in keywords and values of the pool */
ngx_int_t ngx_camera_pg_keywords(ngx_camera_pg_pool_t *pg);


void ngx_camera_pg_connect(ngx_camera_pg_conn_t *conn);

/* ends the connection and what is in flight on it; retries when told so */
void ngx_camera_pg_disconnect(ngx_camera_pg_conn_t *conn, ngx_uint_t retry);

/* gives it up: said once in an outage, connected anew after a while */
void ngx_camera_pg_failed(ngx_camera_pg_conn_t *conn, const char *what);

/* which events the library waits for */
ngx_int_t ngx_camera_pg_want(ngx_camera_pg_conn_t *conn, ngx_uint_t read,
    ngx_uint_t write);

/* the connection's setup was answered */
void ngx_camera_pg_prepared(ngx_camera_pg_conn_t *conn,
    ngx_camera_pg_query_t *query);

/* of its socket, while it prepares or is ready */
void ngx_camera_pg_io_handler(ngx_event_t *ev);

/* sets the deadline anew, after something was answered */
void ngx_camera_pg_watch(ngx_camera_pg_conn_t *conn);

/* after it was sent: an answer is awaited */
void ngx_camera_pg_sent(ngx_camera_pg_conn_t *conn,
    ngx_camera_pg_query_t *query);

/* out to the socket; whoever fails is told in a later event */
void ngx_camera_pg_push(ngx_camera_pg_conn_t *conn);

ngx_camera_pg_query_t *ngx_camera_pg_query_get(ngx_camera_pg_pool_t *pg);

/* the ready one with the fewest queries, NULL when there is none */
ngx_camera_pg_conn_t *ngx_camera_pg_choose(ngx_camera_pg_pool_t *pg,
    const ngx_str_t *value);

/* hands it to the library, with a Sync unless it is part of a batch */
ngx_int_t ngx_camera_pg_send(ngx_camera_pg_query_t *query,
    const ngx_camera_pg_call_t *call);

/* takes the query out of its connection, tells the handler as the last thing */
void ngx_camera_pg_query_done(ngx_camera_pg_query_t *query,
    ngx_camera_pg_rc_e rc);

ngx_camera_pg_rc_e ngx_camera_pg_judge(const PGresult *res);


/* queues what makes a new connection ready */
ngx_int_t ngx_camera_pg_setup_send(ngx_camera_pg_conn_t *conn);

/* looks at an answer to it, which may be one to a demand */
void ngx_camera_pg_setup_answer(ngx_camera_pg_conn_t *conn,
    const PGresult *res);


/* prepares the statement that sets */
ngx_int_t ngx_camera_pg_setting_prepare(ngx_camera_pg_conn_t *conn);

/* queues it before a query that could not rely on the value otherwise */
ngx_int_t ngx_camera_pg_setting_send(ngx_camera_pg_conn_t *conn,
    ngx_camera_pg_query_t *query, const ngx_str_t *value);

/* the better it fits the more: 2 has this value, 1 none, 0 another one */
ngx_uint_t ngx_camera_pg_setting_fit(ngx_camera_pg_conn_t *conn,
    const ngx_str_t *value);

/* after the Sync of a query was answered */
void ngx_camera_pg_setting_synced(ngx_camera_pg_conn_t *conn,
    ngx_camera_pg_query_t *query, ngx_camera_pg_rc_e rc);

void ngx_camera_pg_setting_forget(ngx_camera_pg_conn_t *conn);


/* keeps a copy of it; NGX_DECLINED: it is too large */
ngx_int_t ngx_camera_pg_batch_keep(ngx_camera_pg_query_t *query,
    const ngx_camera_pg_call_t *call);

void ngx_camera_pg_batch_add(ngx_camera_pg_query_t *query);

/* at the end of the turn */
void ngx_camera_pg_batch_handler(ngx_event_t *ev);

/* tells those that wait for the end of the turn that they are lost */
void ngx_camera_pg_batch_lost(ngx_camera_pg_pool_t *pg);

/* a read of a batch has its result: it is done, or sent again */
void ngx_camera_pg_batch_answered(ngx_camera_pg_query_t *query);


#endif /* NGX_CAMERA_PG_CONNECTION_H */
