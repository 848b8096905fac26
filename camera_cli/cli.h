/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * bin/camera, the operator's tool: what its files share.
 *
 * A command builds one JSON value and hands it to cli_answer() with a function
 * that prints the same value for people; so both forms say the same.  A
 * command that fails returns cli_fail(), which prints what is wrong and the
 * next step to take.
 */

#ifndef CLI_H
#define CLI_H

#include <jansson.h>
#include <stdint.h>

#include "keys.h"
#include "registry.h"
#include "token.h"

/* exit codes; docs/cli.md */
#define CLI_OK         0
#define CLI_NO         1     /* the answer is no: doctor, verify, fsck */
#define CLI_USAGE      2
#define CLI_INSTANCE   3     /* not found, or a part of it not reachable */
#define CLI_UNKNOWN    4     /* no such camera or user, or more than one */
#define CLI_REFUSED    5     /* duplicate or invalid value */

struct pg_conn;


/* where the instance is; NULL when the environment does not say */
typedef struct {
    char        *file;
    char        *url;
    char        *https_url;
    char        *rtmps_url;
    char        *rtmp_url;
    char        *database;         /* a secret */
    char        *keys;
    char        *shm;
    char        *record;           /* volumes, with colons between them */
    char        *nginx_pid;
} cli_env_t;


typedef struct {
    const char  *env;
    const char  *key;
    const char  *cidr;
    const char  *company;
    const char  *model;
    const char  *serial;
    const char  *external_id;
    const char  *location;
    const char  *place;
    const char  *use;
    const char  *kind;
    const char  *tenant;
    const char  *role;
    const char  *email;
    const char  *permissions;
    const char  *volume;
    const char  *file;
    const char  *keys;
    const char  *from;
    const char  *anchor;
    long         ttl;              /* seconds, -1 = not given */
    long         overlap;
    int          json;
    int          jwt;
    int          opaque;
    int          viewers;
    int          retire;
    int          password_stdin;
    int          dry_run;
    int          deep;
    int          force;
    int          help;
    int          n;                /* words that are no options */
    char       **words;
} cli_options_t;


typedef struct cli_command_s  cli_command_t;


typedef struct {
    cli_env_t             env;
    cli_options_t         opt;
    cam_keys_t            keys;
    struct pg_conn       *pg;
    const cli_command_t  *command;
} cli_t;


struct cli_command_s {
    const char  *name;
    const char  *usage;
    const char  *summary;
    const char  *help;
    const char  *options;          /* names of those it takes, with spaces */
    int          words_min;
    int          words_max;
    int          instance;         /* needs cli_env_load() */
    int        (*run)(cli_t *cli);
};


/* one of several things that a command does, by its first word */
typedef struct {
    const char  *name;
    int          words;            /* with this one */
    int        (*run)(cli_t *cli);
} cli_verb_t;


/* main.c: runs the verb of words[0]; the list ends with a NULL name */
int cli_run_verb(cli_t *cli, const cli_verb_t *verbs);

/* options.c: 0, or an exit code after its message */
int cli_options_parse(cli_options_t *opt, const cli_command_t *command,
    int argc, char **argv);

/* env.c */
int cli_env_load(cli_t *cli);
void cli_env_free(cli_env_t *env);
int cli_keys_load(cli_t *cli);

/* output.c */
int cli_fail(const cli_t *cli, int code, const char *next, const char *fmt,
    ...) __attribute__ ((format(printf, 4, 5)));
/* takes value; answers code */
int cli_answer(const cli_t *cli, int code, json_t *value,
    void (*print)(json_t *value));
const char *cli_string(json_t *object, const char *name);
void cli_field(const char *label, const char *value);
char *cli_time_text(char text[32], int64_t sec);
const char *cli_ago(char text[32], int64_t sec);


/* the commands, one file for each group */
int cli_cmd_add(cli_t *cli);
int cli_cmd_list(cli_t *cli);
int cli_cmd_show(cli_t *cli);
int cli_cmd_enable(cli_t *cli);
int cli_cmd_disable(cli_t *cli);
int cli_cmd_remove(cli_t *cli);
int cli_cmd_publish_url(cli_t *cli);
int cli_cmd_play_url(cli_t *cli);
int cli_cmd_token(cli_t *cli);
int cli_cmd_rotate(cli_t *cli);
int cli_cmd_revoke(cli_t *cli);
int cli_cmd_doctor(cli_t *cli);
int cli_cmd_user(cli_t *cli);
int cli_cmd_tenant(cli_t *cli);
int cli_tenant_quota(cli_t *cli);
int cli_cmd_retention(cli_t *cli);
int cli_cmd_audit(cli_t *cli);
int cli_cmd_keys(cli_t *cli);
int cli_cmd_verify(cli_t *cli);
int cli_cmd_fsck(cli_t *cli);
int cli_cmd_volume(cli_t *cli);


#endif /* CLI_H */
