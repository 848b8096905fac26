/*
 * Copyright (C) The nginx camera platform authors
 */

/* camera audit: what its files share. */

#ifndef CLI_AUDIT_H
#define CLI_AUDIT_H

#include "db.h"
#include "fsck.h"

#define CLI_AUDIT_HASH  32
#define CLI_AUDIT_HEX   (2 * CLI_AUDIT_HASH + 1)


/* the chain of one tenant, as far as it was walked */
typedef struct {
    const char      *tenant;               /* uuid */
    json_int_t       first;                /* place that the walk began with */
    json_int_t       position;             /* the last one that was looked at */
    json_int_t       log_id;
    char             at[40];
    char             hash[CLI_AUDIT_HEX];  /* of that place */
    char             before[CLI_AUDIT_HEX];  /* of the place before it */
    json_int_t       rows;
    json_int_t       expired;              /* rows whose month is over */
    json_t          *broken;               /* NULL: nothing yet */
    cli_progress_t  *progress;
} cli_audit_walk_t;


/* audit_walk.c: 0, or an exit code after its message; what is wrong with the
   first place that is broken is in walk->broken */
int cli_audit_walk(cli_t *cli, cli_audit_walk_t *walk);

/* {"what", "place", "row", "at", "action"}, unless there is one */
void cli_audit_broken(cli_audit_walk_t *walk, const char *what,
    json_int_t place, json_int_t row, const char *at, const char *action);

/* audit_hash.c: SHA-256, in hexadecimal, of a row and of a place */
int cli_audit_row_hash(const PGresult *result, int row, int first, int fields,
    char hex[CLI_AUDIT_HEX]);
int cli_audit_place_hash(const char *before, const char *row_hash,
    char hex[CLI_AUDIT_HEX]);

/* audit_verify.c */
int cli_audit_verify(cli_t *cli);


#endif /* CLI_AUDIT_H */
