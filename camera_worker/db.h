/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * PostgreSQL for the roles that need it: one connection, one statement after
 * the other, values only as parameters.  A call waits, but never longer than
 * its deadline: a server that is there and does not answer is as good as away.
 * Then the connection is closed, and whatever was sent may or may not have
 * happened; callers find out by asking on the next one.
 *
 * The connection string is read from its file at each connect, so that a
 * changed password needs no restart, and is in no message.
 */

#ifndef CW_DB_H
#define CW_DB_H

#include <libpq-fe.h>
#include <stdint.h>

#include "uuid.h"


typedef struct {
    const char   *file;          /* whose first line is the connection string */
    const char  *const *channels;        /* to listen to; ends in NULL */
    void        (*alive)(void *data);    /* while a call waits; may be NULL */
    void         *data;

    PGconn       *pg;            /* NULL: not connected */
    unsigned      connects;      /* another number: another connection */
    int64_t       retry_msec;    /* nobody tries before */
    int64_t       delay_msec;
    char          state[6];      /* SQLSTATE of the last statement, "" is ok */
    char          said[6];       /* what was logged last, and about what */
    const char   *said_sql;
    int           away;          /* and it was said */
} cw_db_t;


/* 1 when there is a connection, which is made when it is time to try */
int cw_db_ready(cw_db_t *db);

/* the answer, or NULL when there is none: db->pg and db->state say why */
PGresult *cw_db_query(cw_db_t *db, const char *sql, int n,
    const char *const *values);

/* for statements whose answer does not matter: 0, or -1 */
int cw_db_do(cw_db_t *db, const char *sql, int n, const char *const *values);

/*
 * 1 when the last statement failed for what it was given: the same values
 * would be refused again.  0 is for everything that may be better later.
 */
int cw_db_refused(const cw_db_t *db);

/* a value of a row; NULL where the database has none */
const char *cw_db_text(const PGresult *result, int row, int column);
int64_t cw_db_number(const PGresult *result, int row, int column);
int cw_db_uuid(const PGresult *result, int row, int column,
    uint8_t uuid[CAM_UUID_LEN]);

/* sleeps until something comes from the server, or for so long */
void cw_db_wait(cw_db_t *db, int msec);

/* takes all notifications that have come; a bit for each of the channels */
unsigned cw_db_news(cw_db_t *db);

void cw_db_close(cw_db_t *db);


#endif /* CW_DB_H */
