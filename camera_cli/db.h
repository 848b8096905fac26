/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The database, as the tool uses it: one connection, one statement after the
 * other, values only as parameters.  No message repeats the connection string.
 */

#ifndef CLI_DB_H
#define CLI_DB_H

#include <libpq-fe.h>

#include "cli.h"

#define CLI_ID_MAX    40
#define CLI_NAME_MAX  512   /* 100 characters of UTF-8 and more */


/* one row of cameras with its current key */
typedef struct {
    uint8_t     id[CAM_UUID_LEN];
    uint8_t     tenant[CAM_UUID_LEN];
    char        id_text[CLI_ID_MAX];
    char        name[CLI_NAME_MAX];
    char        key[CAM_REGISTRY_KEY_MAX];
    int         active;
    int         opaque;            /* the current key has an opaque form */
    uint32_t    generation;
    uint32_t    epoch;
    json_t     *json;              /* what show and list print of it */
} cli_camera_t;


/* connects once; 0, or an exit code after its message */
int cli_db_connect(cli_t *cli);
/* the same without a message: 0, or -1 and a sentence without secrets */
int cli_db_try(cli_t *cli, char *err, size_t len);
void cli_db_close(cli_t *cli);

/*
 * Runs one statement.  NULL after a message, whose exit code is in *rc:
 * CLI_REFUSED when the database refused the values.
 */
PGresult *cli_db_query(const cli_t *cli, int *rc, const char *sql, int n,
    const char *const *values);

/*
 * Finds the camera that id names: uuid, external id, camera key or a name
 * only one camera has.  0, or an exit code after its message.
 */
int cli_camera_find(cli_t *cli, const char *id, cli_camera_t *camera);
void cli_camera_free(cli_camera_t *camera);

/*
 * The id of the tenant of --tenant, or of "default".  0, or an exit code after
 * its message.
 */
int cli_tenant_find(cli_t *cli, char id[CLI_ID_MAX]);

/* a value by the name of its column; a text may be null */
json_t *cli_db_text(const PGresult *result, int row, const char *column);
int cli_db_true(const PGresult *result, int row, const char *column);
json_int_t cli_db_number(const PGresult *result, int row, const char *column);

/* all cameras, oldest first; NULL and *rc after a message */
PGresult *cli_camera_all(cli_t *cli, int *rc);
/* 0, or -1 when the row is not of the kind expected */
int cli_camera_row(PGresult *result, int row, cli_camera_t *camera);


#endif /* CLI_DB_H */
