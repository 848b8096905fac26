/*
 * Copyright (C) The nginx camera platform authors
 */

/* Users as rows, and their passwords. */

#ifndef CLI_USERS_H
#define CLI_USERS_H

#include "db.h"
#include "password.h"

#define CLI_HASH_MAX       256
#define CLI_PASSWORD_SIZE  256   /* what is longer is no password */


/* one row of users */
typedef struct {
    char      id[CLI_ID_MAX];
    char      name[CLI_NAME_MAX];
    char      hash[CLI_HASH_MAX];
    json_t   *json;              /* what list prints of it */
} cli_user_t;


/*
 * Finds the user that the second word names, by username or email in any
 * case.  0, or an exit code after its message.
 */
int cli_user_find(cli_t *cli, cli_user_t *user);

int cli_user_password(cli_t *cli);
int cli_user_check(cli_t *cli);

/*
 * A password for username, as --password-stdin says, that may be one, and its
 * hash.  0, or an exit code after its message.
 */
int cli_password_new(cli_t *cli, const char *username,
    char password[CLI_PASSWORD_SIZE], char hash[CAM_PASSWORD_HASH_LEN + 1]);


#endif /* CLI_USERS_H */
