/*
 * Copyright (C) The nginx camera platform authors
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"


static void cli_db_error(char *err, size_t len, const char *message);
static int cli_db_refused(const cli_t *cli, const PGresult *result);


int
cli_db_connect(cli_t *cli)
{
    char  err[512];

    if (cli_db_try(cli, err, sizeof(err)) == 0) {
        return 0;
    }

    return cli_fail(cli, CLI_INSTANCE,
                    cli->env.database
                    ? "check that PostgreSQL runs and that this user may "
                      "connect to it"
                    : "start an instance with \"make run\", or name its "
                      "run.env with --env FILE or CAMERA_ENV",
                    "%s", err);
}


int
cli_db_try(cli_t *cli, char *err, size_t len)
{
    char              *ignored;
    PQconninfoOption  *options;
    const char        *names[] = { "connect_timeout", "application_name",
                                   "client_encoding", "dbname", NULL };
    const char        *values[] = { "5", "camera", "UTF8", NULL, NULL };

    if (cli->pg) {
        return 0;
    }

    if (cli->env.database == NULL) {
        snprintf(err, len, "no instance found: CAMERA_DATABASE_URL is not "
                 "known");
        return -1;
    }

    /* libpq's message about a string it cannot read would quote it */

    ignored = NULL;
    options = PQconninfoParse(cli->env.database, &ignored);
    PQfreemem(ignored);

    if (options == NULL) {
        snprintf(err, len, "CAMERA_DATABASE_URL is no connection string");
        return -1;
    }

    PQconninfoFree(options);

    values[3] = cli->env.database;
    cli->pg = PQconnectdbParams(names, values, 1);

    if (PQstatus(cli->pg) != CONNECTION_OK) {
        cli_db_error(err, len, PQerrorMessage(cli->pg));
        cli_db_close(cli);
        return -1;
    }

    PQclear(PQexec(cli->pg, "SET statement_timeout = '10s'"));

    return 0;
}


void
cli_db_close(cli_t *cli)
{
    if (cli->pg) {
        PQfinish(cli->pg);
        cli->pg = NULL;
    }
}


/* the first line is the message, the others are hints to programmers */

static void
cli_db_error(char *err, size_t len, const char *message)
{
    snprintf(err, len, "%.*s", (int) strcspn(message, "\n"), message);
}


PGresult *
cli_db_query(const cli_t *cli, int *rc, const char *sql, int n,
    const char *const *values)
{
    char             err[512];
    PGresult        *result;
    ExecStatusType   status;

    result = PQexecParams(cli->pg, sql, n, NULL, values, NULL, NULL, 0);
    status = PQresultStatus(result);

    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        return result;
    }

    *rc = cli_db_refused(cli, result);

    if (*rc == 0) {
        cli_db_error(err, sizeof(err), PQerrorMessage(cli->pg));
        *rc = cli_fail(cli, CLI_INSTANCE,
                       "check that the migrations were applied and that this "
                       "user owns the tables", "the database says: %s", err);
    }

    PQclear(result);

    return NULL;
}


/*
 * Class 22 is data that does not fit its type, class 23 a broken constraint,
 * and constraints have names that read as sentences.
 */

static int
cli_db_refused(const cli_t *cli, const PGresult *result)
{
    char         text[128], *p;
    const char  *state, *constraint;

    state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);

    if (state == NULL) {
        return 0;
    }

    if (strncmp(state, "22", 2) == 0) {
        return cli_fail(cli, CLI_REFUSED, NULL, "%s",
                        PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    }

    if (strncmp(state, "23", 2) != 0 || constraint == NULL) {
        return 0;
    }

    snprintf(text, sizeof(text), "%s", constraint);

    for (p = text; *p; p++) {
        *p = *p == '_' ? ' ' : *p;
    }

    return cli_fail(cli, CLI_REFUSED, NULL, "refused: %s", text);
}


json_t *
cli_db_text(const PGresult *result, int row, const char *column)
{
    int  field;

    field = PQfnumber(result, column);

    if (field < 0 || PQgetisnull(result, row, field)) {
        return json_null();
    }

    return json_string(PQgetvalue(result, row, field));
}


int
cli_db_true(const PGresult *result, int row, const char *column)
{
    int  field;

    field = PQfnumber(result, column);

    return field >= 0 && PQgetvalue(result, row, field)[0] == 't';
}


json_int_t
cli_db_number(const PGresult *result, int row, const char *column)
{
    int  field;

    field = PQfnumber(result, column);

    return field < 0 ? 0 : strtoll(PQgetvalue(result, row, field), NULL, 10);
}
