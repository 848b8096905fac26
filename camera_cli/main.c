/*
 * Copyright (C) The nginx camera platform authors
 */

/* bin/camera: the table of commands, their help, and main(). */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"


static const cli_command_t *cli_command_find(const char *name);
static int cli_run(cli_t *cli, const cli_command_t *command);
static void cli_help(void);
static void cli_help_command(const cli_command_t *command);


static const cli_command_t  cli_commands[] = {

    { "keys", "init [FILE] | rotate [FILE] [--use stream|playback] [--retire]"
              " | list [FILE]",
      "make, rotate or list signing keys",
      "init makes FILE (mode 0600) with one key for publish tokens and one for\n"
      "playback; it never replaces a file.  rotate adds a key that signs from\n"
      "now on, while the older ones verify what they signed; with --retire it\n"
      "takes the place of a key that only verified, whose tokens end.  nginx\n"
      "takes a changed file with its next reload.  FILE is that of the instance\n"
      "when it is not given.",
      "use retire", 1, 2, 0, cli_keys },

    { "verify", "[--kind publish|playback] < TOKENS",
      "say what tokens are worth",
      "Reads tokens from standard input, one a line, and judges each as nginx\n"
      "does by its signature, kind and time.  Whether it was revoked is known\n"
      "to the database alone: see doctor.",
      "kind", 0, 0, 1, cli_verify },

    { NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL }
};


int
main(int argc, char **argv)
{
    int                   rc;
    cli_t                 cli;
    const cli_command_t  *command;

    memset(&cli, 0, sizeof(cli_t));
    cli.opt.ttl = -1;
    cli.opt.overlap = -1;

    if (argc < 2 || strcmp(argv[1], "help") == 0
        || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
    {
        cli_help();
        return argc < 2 ? CLI_USAGE : CLI_OK;
    }

    command = cli_command_find(argv[1]);

    if (command == NULL) {
        fprintf(stderr, "camera: there is no command \"%s\"\n"
                "  next: camera help\n", argv[1]);
        return CLI_USAGE;
    }

    /* "camera: ..." before the messages of getopt_long() */

    argv[1] = argv[0] = (char *) "camera";

    rc = cli_options_parse(&cli.opt, command, argc - 1, argv + 1);

    if (rc == 0) {
        rc = cli_run(&cli, command);
    }

    cam_keys_wipe(&cli.keys);
    cli_env_free(&cli.env);

    return rc;
}


static const cli_command_t *
cli_command_find(const char *name)
{
    const cli_command_t  *command;

    for (command = cli_commands; command->name; command++) {
        if (strcmp(command->name, name) == 0) {
            return command;
        }
    }

    return NULL;
}


static int
cli_run(cli_t *cli, const cli_command_t *command)
{
    int  rc;

    if (cli->opt.help) {
        cli_help_command(command);
        return CLI_OK;
    }

    if (cli->opt.n < command->words_min || cli->opt.n > command->words_max) {
        return cli_fail(cli, CLI_USAGE, NULL, "usage: camera %s %s",
                        command->name, command->usage);
    }

    if (command->instance) {
        rc = cli_env_load(cli);

        if (rc != 0) {
            return rc;
        }
    }

    return command->run(cli);
}


static void
cli_help(void)
{
    const cli_command_t  *command;

    printf("usage: camera COMMAND [ARGUMENTS] [--env FILE] [--json]\n\n");

    for (command = cli_commands; command->name; command++) {
        printf("  %-12s  %s\n", command->name, command->summary);
    }

    printf("\nID is a camera's uuid, external id, camera key or unique name.\n"
           "The instance is found by --env FILE, $CAMERA_ENV or var/run.env.\n"
           "camera COMMAND --help says more.\n");
}


static void
cli_help_command(const cli_command_t *command)
{
    printf("usage: camera %s %s\n\n%s\n", command->name, command->usage,
           command->help);
}
