/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * camera user password and check, and the passwords of user add: out of
 * standard input or made up, never an argument, never in a message.
 */

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "users.h"


static int cli_password_read(cli_t *cli, char password[CLI_PASSWORD_SIZE]);
static int cli_password_echo(int on);
static int cli_user_set_password(cli_t *cli, const cli_user_t *user,
    const char *password, const char *hash);
static void cli_user_print_password(json_t *value);
static void cli_user_print_check(json_t *value);


int
cli_user_password(cli_t *cli)
{
    int         rc;
    char        password[CLI_PASSWORD_SIZE], hash[CAM_PASSWORD_HASH_LEN + 1];
    cli_user_t  user;

    rc = cli_user_find(cli, &user);

    if (rc != 0) {
        return rc;
    }

    json_decref(user.json);

    rc = cli_password_new(cli, user.name, password, hash);

    if (rc == 0) {
        rc = cli_user_set_password(cli, &user, password, hash);
    }

    OPENSSL_cleanse(password, sizeof(password));

    return rc;
}


static int
cli_user_set_password(cli_t *cli, const cli_user_t *user, const char *password,
    const char *hash)
{
    int          rc;
    json_t      *value;
    PGresult    *result;
    const char  *values[] = { user->id, hash };

    result = cli_db_query(cli, &rc, "SELECT api_password_set($1, $2, NULL)"
                          " AS ended", 2, values);

    if (result == NULL) {
        return rc;
    }

    value = json_pack("{s:s, s:s, s:I}", "id", user->id, "username",
                      user->name, "sessionsEnded",
                      cli_db_number(result, 0, "ended"));
    PQclear(result);

    if (!cli->opt.password_stdin) {
        json_object_set_new(value, "password", json_string(password));
    }

    return cli_answer(cli, CLI_OK, value, cli_user_print_password);
}


/* the credential alone on standard output, as publish-url does */

static void
cli_user_print_password(json_t *value)
{
    if (*cli_string(value, "password")) {
        printf("%s\n", cli_string(value, "password"));
    }

    fprintf(stderr, "  %s has a new password; sessions ended: %d\n",
            cli_string(value, "username"),
            (int) json_integer_value(json_object_get(value,
                                                     "sessionsEnded")));
}


int
cli_user_check(cli_t *cli)
{
    int         rc, right;
    char        password[CLI_PASSWORD_SIZE];
    cli_user_t  user;

    rc = cli_user_find(cli, &user);

    if (rc != 0) {
        return rc;
    }

    rc = cli_password_read(cli, password);

    if (rc != 0) {
        json_decref(user.json);
        return rc;
    }

    right = cam_password_verify(user.hash, strlen(user.hash), password,
                                strlen(password)) == 0;

    OPENSSL_cleanse(password, sizeof(password));
    json_object_set_new(user.json, "right", json_boolean(right));

    return cli_answer(cli, right ? CLI_OK : CLI_NO, user.json,
                      cli_user_print_check);
}


static void
cli_user_print_check(json_t *value)
{
    printf("%s\n", json_is_true(json_object_get(value, "right")) ? "right"
                                                                 : "wrong");
}


int
cli_password_new(cli_t *cli, const char *username,
    char password[CLI_PASSWORD_SIZE], char hash[CAM_PASSWORD_HASH_LEN + 1])
{
    int          rc;
    const char  *wrong;

    if (cli->opt.password_stdin) {
        rc = cli_password_read(cli, password);

        if (rc != 0) {
            return rc;
        }

    } else if (cam_password_generate(password, username, strlen(username))
               != 0)
    {
        return cli_fail(cli, CLI_REFUSED, "give one with --password-stdin",
                        "no password was made: %s", strerror(errno));
    }

    wrong = cam_password_check(password, strlen(password), username,
                               strlen(username));

    if (wrong) {
        return cli_fail(cli, CLI_REFUSED, NULL, "the password %s", wrong);
    }

    if (cam_password_hash(hash, password, strlen(password)) != 0) {
        return cli_fail(cli, CLI_REFUSED, NULL,
                        "the password was not hashed: %s", strerror(errno));
    }

    return 0;
}


/* the first line of standard input, typed unseen at a terminal */

static int
cli_password_read(cli_t *cli, char password[CLI_PASSWORD_SIZE])
{
    int    typed;
    char  *line;

    typed = cli_password_echo(0) == 0;

    if (typed) {
        fprintf(stderr, "password: ");
    }

    line = fgets(password, CLI_PASSWORD_SIZE, stdin);

    if (typed) {
        fprintf(stderr, "\n");
        cli_password_echo(1);
    }

    if (line == NULL) {
        return cli_fail(cli, CLI_USAGE, NULL,
                        "there is no password on standard input");
    }

    if (strchr(password, '\n') == NULL && !feof(stdin)) {
        OPENSSL_cleanse(password, CLI_PASSWORD_SIZE);
        return cli_fail(cli, CLI_REFUSED, NULL,
                        "the password must not be longer than %d bytes",
                        CAM_PASSWORD_MAX);
    }

    password[strcspn(password, "\r\n")] = '\0';

    return 0;
}


/* -1 when standard input is no terminal */

static int
cli_password_echo(int on)
{
    struct termios  term;

    if (tcgetattr(STDIN_FILENO, &term) == -1) {
        return -1;
    }

    term.c_lflag = on ? term.c_lflag|ECHO : term.c_lflag & ~(tcflag_t) ECHO;

    return tcsetattr(STDIN_FILENO, TCSAFLUSH, &term);
}
