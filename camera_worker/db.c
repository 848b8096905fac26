/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Two deadlines guard each call.  The server ends a statement after five
 * seconds by itself; a second later we stop waiting for a server that cannot.
 * While we wait, the owner's alive() is called, or the master would take us
 * for hung.
 *
 * Only a change is worth a line in the log: that the server is away, that it
 * is back, and a statement that fails in a new way.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "db.h"
#include "log.h"
#include "worker.h"

#define CW_DB_CONNECT_MSEC    3000
#define CW_DB_STATEMENT_MSEC  6000
#define CW_DB_SLICE_MSEC      500        /* between two calls of alive() */
#define CW_DB_DELAY_MSEC      200        /* before the second try */
#define CW_DB_DELAY_MAX       5000
#define CW_DB_LINE_MAX        2048
#define CW_DB_LISTEN_MAX      64


static int cw_db_connect(cw_db_t *db);
static char *cw_db_read_file(cw_db_t *db, char line[CW_DB_LINE_MAX]);
static int cw_db_check_file(cw_db_t *db, int fd);
static int cw_db_establish(cw_db_t *db);
static int cw_db_settings(cw_db_t *db);
static PGresult *cw_db_result(cw_db_t *db);
static int cw_db_await(cw_db_t *db, int64_t until_msec);
static int cw_db_poll(cw_db_t *db, short events, int64_t until_msec);
static void cw_db_failed(cw_db_t *db, const char *sql, PGresult *result);
static void cw_db_lost(cw_db_t *db, const char *why);


int
cw_db_ready(cw_db_t *db)
{
    int64_t  now;

    if (db->pg != NULL) {
        return 1;
    }

    now = cam_clock_monotonic_msec();

    if (now < db->retry_msec) {
        return 0;
    }

    if (cw_db_connect(db) == 0) {

        if (db->away) {
            cw_log(CW_LOG_INFO, 0, "the database is back");
            db->away = 0;
        }

        db->connects++;
        db->delay_msec = 0;
        return 1;
    }

    db->delay_msec = db->delay_msec ? db->delay_msec * 2 : CW_DB_DELAY_MSEC;

    if (db->delay_msec > CW_DB_DELAY_MAX) {
        db->delay_msec = CW_DB_DELAY_MAX;
    }

    /* many workers need not come all at once */

    db->retry_msec = cam_clock_monotonic_msec() + db->delay_msec
                     + random() % (db->delay_msec / 4);
    return 0;
}


static int
cw_db_connect(cw_db_t *db)
{
    char              *conninfo, *ignored, line[CW_DB_LINE_MAX];
    PQconninfoOption  *options;
    const char        *names[] = { "connect_timeout", "tcp_user_timeout",
                                   "keepalives_idle", "application_name",
                                   "dbname", "client_encoding", NULL };
    const char        *values[] = { "3", "6000", "10", "camera-worker", NULL,
                                    "UTF8", NULL };

    conninfo = cw_db_read_file(db, line);

    if (conninfo == NULL) {
        return -1;
    }

    /* libpq's message about a string it cannot read would quote it */

    ignored = NULL;
    options = PQconninfoParse(conninfo, &ignored);
    PQfreemem(ignored);

    if (options == NULL) {
        explicit_bzero(line, sizeof(line));
        cw_db_lost(db, "its file has no connection string");
        return -1;
    }

    PQconninfoFree(options);

    values[4] = conninfo;
    db->pg = PQconnectStartParams(names, values, 1);
    explicit_bzero(line, sizeof(line));

    if (db->pg == NULL) {
        cw_db_lost(db, "out of memory");
        return -1;
    }

    if (cw_db_establish(db) == -1 || cw_db_settings(db) == -1) {
        return -1;
    }

    return 0;
}


static char *
cw_db_read_file(cw_db_t *db, char line[CW_DB_LINE_MAX])
{
    int      fd;
    ssize_t  n;

    fd = open(db->file, O_RDONLY|O_CLOEXEC|O_NONBLOCK);

    if (fd == -1) {
        cw_db_lost(db, "its file cannot be opened");
        return NULL;
    }

    if (cw_db_check_file(db, fd) == -1) {
        (void) close(fd);
        return NULL;
    }

    n = read(fd, line, CW_DB_LINE_MAX - 1);
    (void) close(fd);

    if (n <= 0) {
        cw_db_lost(db, "its file cannot be read, or is empty");
        return NULL;
    }

    line[n] = '\0';
    line[strcspn(line, "\r\n")] = '\0';

    return line;
}


/* as for the signing keys: its group may read it, the world may not */

static int
cw_db_check_file(cw_db_t *db, int fd)
{
    struct stat  st;

    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
        cw_db_lost(db, "its file is no regular file");
        return -1;
    }

    if (st.st_mode & S_IRWXO) {
        cw_db_lost(db, "everybody may read its file, wants mode 0600");
        return -1;
    }

    return 0;
}


static int
cw_db_establish(cw_db_t *db)
{
    short                      events;
    int64_t                    until;
    PostgresPollingStatusType  rc;

    until = cam_clock_monotonic_msec() + CW_DB_CONNECT_MSEC;
    rc = PQstatus(db->pg) == CONNECTION_BAD ? PGRES_POLLING_FAILED
                                            : PGRES_POLLING_WRITING;

    while (rc == PGRES_POLLING_READING || rc == PGRES_POLLING_WRITING) {
        events = rc == PGRES_POLLING_READING ? POLLIN : POLLOUT;

        if (cw_db_poll(db, events, until) == -1) {
            cw_db_lost(db, "no answer to a connect");
            return -1;
        }

        rc = PQconnectPoll(db->pg);
    }

    /* a server that does not read must not stop us in a send either */

    if (rc != PGRES_POLLING_OK || PQsetnonblocking(db->pg, 1) == -1) {
        cw_db_lost(db, PQerrorMessage(db->pg));
        return -1;
    }

    return 0;
}


static int
cw_db_settings(cw_db_t *db)
{
    static const char  *settings[] = {
        "SET statement_timeout = '5s'",
        "SET lock_timeout = '2s'",
        "SET idle_in_transaction_session_timeout = '10s'",
        "SET timezone = 'UTC'",
        NULL
    };

    int   i, rc;
    char  listen[CW_DB_LISTEN_MAX];

    rc = 0;

    for (i = 0; rc == 0 && settings[i]; i++) {
        rc = cw_db_do(db, settings[i], 0, NULL);
    }

    for (i = 0; rc == 0 && db->channels && db->channels[i]; i++) {
        snprintf(listen, sizeof(listen), "LISTEN %s", db->channels[i]);
        rc = cw_db_do(db, listen, 0, NULL);
    }

    if (rc == -1) {
        cw_db_close(db);
    }

    return rc;
}


PGresult *
cw_db_query(cw_db_t *db, const char *sql, int n, const char *const *values)
{
    PGresult        *result;
    ExecStatusType   status;

    db->state[0] = '\0';

    if (db->pg == NULL) {
        return NULL;
    }

    if (PQsendQueryParams(db->pg, sql, n, NULL, values, NULL, NULL, 0) == 0) {
        cw_db_lost(db, PQerrorMessage(db->pg));
        return NULL;
    }

    result = cw_db_result(db);

    if (result == NULL) {
        return NULL;
    }

    status = PQresultStatus(result);

    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        return result;
    }

    cw_db_failed(db, sql, result);
    PQclear(result);

    return NULL;
}


/* the last one of the statement; NULL when the connection is gone */

static PGresult *
cw_db_result(cw_db_t *db)
{
    int64_t    until;
    PGresult  *last, *result;

    last = NULL;
    until = cam_clock_monotonic_msec() + CW_DB_STATEMENT_MSEC;

    while (cw_db_await(db, until) == 0) {
        result = PQgetResult(db->pg);

        if (result == NULL) {

            if (last == NULL || PQstatus(db->pg) == CONNECTION_BAD) {
                cw_db_lost(db, PQerrorMessage(db->pg));
                break;
            }

            return last;
        }

        PQclear(last);
        last = result;
    }

    PQclear(last);

    return NULL;
}


/* until all is sent and a result is there; -1 when the connection is gone */

static int
cw_db_await(cw_db_t *db, int64_t until_msec)
{
    int    flushed;
    short  events;

    for ( ;; ) {
        flushed = PQflush(db->pg);

        if (flushed == 0 && !PQisBusy(db->pg)) {
            return 0;
        }

        events = flushed == 1 ? POLLIN|POLLOUT : POLLIN;

        if (flushed != -1 && cw_db_poll(db, events, until_msec) == -1) {
            cw_db_lost(db, cw_quit ? NULL : "no answer to a statement");
            return -1;
        }

        if (flushed == -1 || PQconsumeInput(db->pg) == 0) {
            cw_db_lost(db, PQerrorMessage(db->pg));
            return -1;
        }
    }
}


static int
cw_db_poll(cw_db_t *db, short events, int64_t until_msec)
{
    int            rc;
    int64_t        left;
    struct pollfd  pfd;

    for ( ;; ) {

        if (db->alive) {
            db->alive(db->data);
        }

        left = until_msec - cam_clock_monotonic_msec();

        if (left <= 0 || cw_quit) {
            return -1;
        }

        pfd.fd = PQsocket(db->pg);
        pfd.events = events;

        rc = poll(&pfd, 1, left < CW_DB_SLICE_MSEC ? left : CW_DB_SLICE_MSEC);

        if (rc > 0) {
            return 0;
        }

        if (rc == -1 && errno != EINTR) {
            return -1;
        }
    }
}


static void
cw_db_failed(cw_db_t *db, const char *sql, PGresult *result)
{
    const char  *state, *message;

    state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    snprintf(db->state, sizeof(db->state), "%s", state ? state : "58000");

    if (db->said_sql == sql && strcmp(db->said, db->state) == 0) {
        return;
    }

    db->said_sql = sql;
    strcpy(db->said, db->state);

    message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    cw_log(CW_LOG_WARN, 0, "the database refused \"%.40s\": %s (%s)", sql,
           message ? message : "", db->state);
}


/* the message's first line only: the others are hints to programmers */

static void
cw_db_lost(cw_db_t *db, const char *why)
{
    if (why != NULL && !db->away) {
        cw_log(CW_LOG_WARN, 0, "the database is away: %.*s",
               (int) strcspn(why, "\n"), why);
        db->away = 1;
    }

    cw_db_close(db);
}


int
cw_db_do(cw_db_t *db, const char *sql, int n, const char *const *values)
{
    PGresult  *result;

    result = cw_db_query(db, sql, n, values);

    if (result == NULL) {
        return -1;
    }

    PQclear(result);

    return 0;
}


/*
 * Data that does not fit, a broken constraint, a condition that a function of
 * ours raised.  Anything else is about the server, our rights or our schema.
 */

int
cw_db_refused(const cw_db_t *db)
{
    return strncmp(db->state, "22", 2) == 0
           || strncmp(db->state, "23", 2) == 0
           || strcmp(db->state, "P0001") == 0;
}


const char *
cw_db_text(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) ? NULL
                                            : PQgetvalue(result, row, column);
}


int64_t
cw_db_number(const PGresult *result, int row, int column)
{
    return strtoll(PQgetvalue(result, row, column), NULL, 10);
}


int
cw_db_uuid(const PGresult *result, int row, int column,
    uint8_t uuid[CAM_UUID_LEN])
{
    return cam_uuid_parse(uuid, PQgetvalue(result, row, column),
                          PQgetlength(result, row, column));
}


void
cw_db_wait(cw_db_t *db, int msec)
{
    int            rc;
    struct pollfd  pfd;

    pfd.fd = db->pg ? PQsocket(db->pg) : -1;
    pfd.events = POLLIN;

    rc = poll(&pfd, 1, msec);

    if (rc > 0 && PQconsumeInput(db->pg) == 0) {
        cw_db_lost(db, PQerrorMessage(db->pg));
    }
}


unsigned
cw_db_news(cw_db_t *db)
{
    int        i;
    unsigned   news;
    PGnotify  *notify;

    news = 0;

    while (db->pg != NULL && (notify = PQnotifies(db->pg)) != NULL) {

        for (i = 0; db->channels && db->channels[i]; i++) {
            if (strcmp(notify->relname, db->channels[i]) == 0) {
                news |= 1u << i;
            }
        }

        PQfreemem(notify);
    }

    return news;
}


void
cw_db_close(cw_db_t *db)
{
    if (db->pg != NULL) {
        PQfinish(db->pg);
        db->pg = NULL;
    }
}
