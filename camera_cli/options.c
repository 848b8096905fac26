/*
 * Copyright (C) The nginx camera platform authors
 */

/* The command line: one table of options, of which each command takes some. */

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"


typedef enum {
    CLI_FLAG = 0,
    CLI_TEXT,
    CLI_SECONDS
} cli_option_type_e;


typedef struct {
    const char         *name;
    cli_option_type_e   type;
    size_t              offset;
} cli_option_t;


static int cli_options_takes(const cli_command_t *command, const char *name);
static void cli_options_complain(const char *option, int missing);
static int cli_options_set(cli_options_t *opt, const cli_option_t *option,
    const char *value);


#define CLI_OPTIONS  (sizeof(cli_options) / sizeof(cli_options[0]))

static const cli_option_t  cli_options[] = {
    { "env",       CLI_TEXT,     offsetof(cli_options_t, env) },
    { "json",      CLI_FLAG,     offsetof(cli_options_t, json) },
    { "help",      CLI_FLAG,     offsetof(cli_options_t, help) },
    { "key",       CLI_TEXT,     offsetof(cli_options_t, key) },
    { "cidr",      CLI_TEXT,     offsetof(cli_options_t, cidr) },
    { "company",   CLI_TEXT,     offsetof(cli_options_t, company) },
    { "model",     CLI_TEXT,     offsetof(cli_options_t, model) },
    { "external-id", CLI_TEXT,   offsetof(cli_options_t, external_id) },
    { "serial",    CLI_TEXT,     offsetof(cli_options_t, serial) },
    { "location",  CLI_TEXT,     offsetof(cli_options_t, location) },
    { "place",     CLI_TEXT,     offsetof(cli_options_t, place) },
    { "ttl",       CLI_SECONDS,  offsetof(cli_options_t, ttl) },
    { "overlap",   CLI_SECONDS,  offsetof(cli_options_t, overlap) },
    { "jwt",       CLI_FLAG,     offsetof(cli_options_t, jwt) },
    { "opaque",    CLI_FLAG,     offsetof(cli_options_t, opaque) },
    { "viewers",   CLI_FLAG,     offsetof(cli_options_t, viewers) },
    { "use",       CLI_TEXT,     offsetof(cli_options_t, use) },
    { "retire",    CLI_FLAG,     offsetof(cli_options_t, retire) },
    { "kind",      CLI_TEXT,     offsetof(cli_options_t, kind) },
    { "tenant",    CLI_TEXT,     offsetof(cli_options_t, tenant) },
    { "role",      CLI_TEXT,     offsetof(cli_options_t, role) },
    { "email",     CLI_TEXT,     offsetof(cli_options_t, email) },
    { "permissions", CLI_TEXT,   offsetof(cli_options_t, permissions) },
    { "password-stdin", CLI_FLAG, offsetof(cli_options_t, password_stdin) },
    { "volume",    CLI_TEXT,     offsetof(cli_options_t, volume) },
    { "file",      CLI_TEXT,     offsetof(cli_options_t, file) },
    { "keys",      CLI_TEXT,     offsetof(cli_options_t, keys) },
    { "from",      CLI_TEXT,     offsetof(cli_options_t, from) },
    { "anchor",    CLI_TEXT,     offsetof(cli_options_t, anchor) },
    { "dry-run",   CLI_FLAG,     offsetof(cli_options_t, dry_run) },
    { "deep",      CLI_FLAG,     offsetof(cli_options_t, deep) },
    { "force",     CLI_FLAG,     offsetof(cli_options_t, force) },
};


int
cli_options_parse(cli_options_t *opt, const cli_command_t *command, int argc,
    char **argv)
{
    int            c, i, n;
    struct option  options[CLI_OPTIONS + 1];

    memset(options, 0, sizeof(options));
    n = 0;

    for (i = 0; i < (int) CLI_OPTIONS; i++) {
        if (!cli_options_takes(command, cli_options[i].name)) {
            continue;
        }

        options[n].name = cli_options[i].name;
        options[n].has_arg = cli_options[i].type != CLI_FLAG;
        options[n++].val = i + 1;
    }

    opterr = 0;

    while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {

        if (c == 'h') {
            opt->help = 1;
            continue;
        }

        if (c == '?' || c == ':') {
            cli_options_complain(argv[optind - 1], c == ':');

        } else if (cli_options_set(opt, &cli_options[c - 1], optarg) == 0) {
            continue;
        }

        fprintf(stderr, "  next: camera %s --help\n", command->name);
        return CLI_USAGE;
    }

    opt->n = argc - optind;
    opt->words = argv + optind;

    return 0;
}


static int
cli_options_takes(const cli_command_t *command, const char *name)
{
    size_t       len;
    const char  *p;

    if (strcmp(name, "env") == 0 || strcmp(name, "json") == 0
        || strcmp(name, "help") == 0)
    {
        return 1;
    }

    len = strlen(name);

    for (p = command->options; p && *p; p += strcspn(p, " ")) {
        p += strspn(p, " ");

        if (strcspn(p, " ") == len && strncmp(p, name, len) == 0) {
            return 1;
        }
    }

    return 0;
}


/* only the name: what follows it may be a token that landed in the wrong
   place, and standard error may be somebody's log */

static void
cli_options_complain(const char *option, int missing)
{
    int  len;

    len = (int) strcspn(option, "=");

    fprintf(stderr, missing ? "camera: option '%.*s' needs a value\n"
                            : "camera: unrecognized option '%.*s'\n",
            len < 24 ? len : 24, option);
}


static int
cli_options_set(cli_options_t *opt, const cli_option_t *option,
    const char *value)
{
    char   *end, *field;
    long    seconds;

    field = (char *) opt + option->offset;

    if (option->type == CLI_FLAG) {
        *(int *) field = 1;
        return 0;
    }

    if (option->type == CLI_TEXT) {
        *(const char **) field = value;
        return 0;
    }

    errno = 0;
    seconds = strtol(value, &end, 10);

    if (errno || end == value || *end != '\0' || seconds < 0) {
        fprintf(stderr, "camera: --%s takes a number of seconds\n",
                option->name);
        return -1;
    }

    *(long *) field = seconds;

    return 0;
}
