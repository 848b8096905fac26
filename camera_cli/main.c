/*
 * Copyright (C) The nginx camera platform authors
 */

/* bin/camera: the table of commands, their help, and main(). */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"


static const cli_command_t *cli_command_find(const char *name);
static int cli_run(cli_t *cli, const cli_command_t *command);
static void cli_help(void);
static void cli_help_command(const cli_command_t *command);


static const cli_command_t  cli_commands[] = {

    { "add", "NAME [--key KEY] [--cidr A,B] [--external-id TEXT]"
             " [--company TEXT] [--model TEXT] [--serial TEXT]"
             " [--location TEXT] [--place TEXT] [--tenant SLUG] [--ttl S]",
      "add a camera; answers its id, publish URL and play URL",
      "KEY is its public name in the publish URL (letters, digits, . _ -),\n"
      "made up when it is not given.  --cidr lists the networks it may push\n"
      "from, none means any.  It belongs to the tenant of --tenant, or to\n"
      "\"default\".  The publish token lives for --ttl seconds, 30 days when\n"
      "it is not given.",
      "key cidr external-id company model serial location place tenant ttl",
      1, 1, 1, cli_cmd_add },

    { "list", "", "list cameras with their live status",
      "Status is online, connecting, error (refused or silent), offline or\n"
      "disabled, as the running nginx and camera-worker see the camera now.",
      "", 0, 0, 1, cli_cmd_list },

    { "show", "ID", "show all that is known of one camera",
      "Includes who publishes from where, codecs, size, bitrate, and the last\n"
      "refusal with its reason.",
      "", 1, 1, 1, cli_cmd_show },

    { "publish-url", "ID [--ttl S] [--opaque]",
      "print an address to push to, with a fresh token",
      "The token is a JWT of 30 days or --ttl seconds.  --opaque makes a\n"
      "short address for firmware with a small field; it is stored as a hash\n"
      "and shown this once.",
      "ttl opaque", 1, 1, 1, cli_cmd_publish_url },

    { "play-url", "ID [--ttl S]",
      "print a signed address to play",
      "The address starts sessions for 15 minutes or --ttl seconds; a\n"
      "session that was started goes on for 12 hours.",
      "ttl", 1, 1, 1, cli_cmd_play_url },

    { "token", "ID --jwt|--opaque [--ttl S]"
               " | create USER NAME --permissions A,B [--ttl S] [--cidr A,B]"
               " | list [USER] | revoke TOKEN-ID",
      "print a publish token; make, list and revoke API tokens",
      "With --jwt or --opaque it is the publish token of the camera ID alone;\n"
      "see publish-url for the two shapes.\n\n"
      "create makes a token for a program, which belongs to USER and may do\n"
      "what --permissions say and USER may; one of the role api_only may do\n"
      "all they say.  It is printed this once, alone.  It is good for ever or\n"
      "for --ttl seconds, from anywhere or from the networks of --cidr.\n"
      "Permissions are cameras:read, cameras:write, streams:view,\n"
      "recordings:read, recordings:delete, tokens:manage, analytics:read,\n"
      "alerts:manage, users:manage, audit:read, or *.  revoke ends a token\n"
      "at once and for good, by the id that list shows.",
      "jwt opaque ttl permissions cidr", 1, 3, 1, cli_cmd_token },

    { "rotate", "ID [--overlap S] [--ttl S] [--opaque]",
      "make a new publish key; the old one goes on for a while",
      "Prints the new publish URL.  Tokens of the key before are valid for\n"
      "another day or --overlap seconds, those of older keys end now.",
      "overlap ttl opaque", 1, 1, 1, cli_cmd_rotate },

    { "revoke", "ID [--viewers]",
      "end every publish credential (or playback, with --viewers) at once",
      "A live publisher is cut within a second; give the camera a new publish\n"
      "URL afterwards.  With --viewers running sessions and play URLs end\n"
      "instead, and publishing goes on.",
      "viewers", 1, 1, 1, cli_cmd_revoke },

    { "doctor", "ID", "say why a camera has no picture, and what to do",
      "Follows a frame's way: nginx, camera-worker, RTMPS port, certificate,\n"
      "key, address list, publisher, last refusal, codec, B-frames, key\n"
      "frames, packager; then fetches the picture as a player does.  Exits\n"
      "with 0 when a picture is served and with 1 when not.",
      "", 1, 1, 1, cli_cmd_doctor },

    { "enable", "ID", "let a camera publish and be watched again",
      "Undoes disable; its keys are the same as before.",
      "", 1, 1, 1, cli_cmd_enable },

    { "disable", "ID", "cut a camera and its viewers, keep its row and keys",
      "Takes effect within a second; enable undoes it.",
      "", 1, 1, 1, cli_cmd_disable },

    { "remove", "ID", "remove a camera",
      "It is cut within a second and its name and key become free.",
      "", 1, 1, 1, cli_cmd_remove },

    { "user", "add NAME [--role ROLE] [--tenant SLUG] [--email E]"
              " [--password-stdin] | list | password NAME [--password-stdin]"
              " | check NAME | role NAME ROLE [--force] | enable NAME"
              " | disable NAME [--force]",
      "add and change the people who may log in",
      "NAME is a username or an email address.  ROLE is admin, operator,\n"
      "viewer or api_only; when it is not given, the first user of a tenant\n"
      "is its admin and others are viewers.  With --password-stdin the\n"
      "password is the first line of standard input, otherwise one is made up\n"
      "and printed this once.  check reads one, too, and exits with 0 when it\n"
      "is right and with 1 when not.  A new password and disable end the\n"
      "sessions of the user at once.  The last active admin of a tenant stays\n"
      "one, unless --force says otherwise.",
      "role tenant email password-stdin force", 1, 3, 1, cli_cmd_user },

    { "tenant", "add SLUG NAME | list | quota SLUG QUOTA N",
      "add and list tenants, who own cameras and users",
      "SLUG is a word of lower-case letters, digits and dashes, for addresses\n"
      "and options.  The tenant \"default\" is there from the start; who has\n"
      "one site only needs no other.  QUOTA is cameras, publishers, viewers,\n"
      "egress (kbit/s), storage (bytes) or requests (an hour), N a number or\n"
      "none.",
      "", 1, 4, 1, cli_cmd_tenant },

    { "retention", "[--dry-run | confirm]",
      "say what recordings are kept, and what would go now",
      "Without more: the limits of each tenant, what it has, and of each node\n"
      "when its jobs removed what has to go, and whether they believe its\n"
      "clock.  --dry-run lists what would go now and changes nothing.  A clock\n"
      "that was put forward makes nothing old: confirm says that it is right.",
      "dry-run", 0, 1, 1, cli_cmd_retention },

    { "audit", "verify [--tenant SLUG] [--from TIME] [--anchor FILE]"
               " [--keys FILE] | anchor | retention [MONTHS|keep]",
      "prove that the audit log is what was written",
      "verify follows the chain of each tenant, or of SLUG, and names the\n"
      "first row that was changed, removed, inserted or moved; TIME says where\n"
      "to begin.  anchor prints the last place of each chain, signed; kept in\n"
      "another place, and given back as --anchor FILE, it shows whether all\n"
      "that is up to there was made anew, or what is behind it cut off.  The\n"
      "log of camera-worker has such lines, too.  retention says for how long\n"
      "the log is kept, or sets it.  verify exits with 0 when all is good and\n"
      "with 1 when not.",
      "tenant from anchor keys", 1, 2, 1, cli_cmd_audit },

    { "keys", "init [FILE] | rotate [FILE] [--use USE] [--retire]"
              " | list [FILE]",
      "make, rotate or list signing keys",
      "init makes FILE (mode 0600) with one key of each use: stream (publish\n"
      "tokens), playback, access (people who logged in) and export (manifests\n"
      "of exported video); it never replaces a file.  rotate adds a key that\n"
      "signs from now on, while the older ones verify what they signed; with\n"
      "--retire it takes the place of a key that only verified, whose tokens\n"
      "end.  It does so for each use that has a key, or for USE alone, which\n"
      "may be new to the file.  nginx takes a changed file with its next\n"
      "reload.  FILE is that of the instance when it is not given.",
      "use retire", 1, 2, 0, cli_cmd_keys },

    { "volume", "init DIR | list | show DIR",
      "make and see directories for recordings",
      "init makes DIR, which must be empty, a volume: it gets the file\n"
      "\"volume\" with a uuid, by which camera-worker knows it from an empty\n"
      "mount point or another disk.  list is what the database knows of\n"
      "volumes, and whether this machine has them.",
      "", 1, 2, 1, cli_cmd_volume },

    { "fsck", "[--volume DIR] [--dry-run] [--deep]",
      "prove that recordings and the database agree, and repair",
      "Each row has its file and the file its stated size; each file has its\n"
      "row; index and media fit together.  Torn ends are cut, files without a\n"
      "row get one, rows without a file become gaps.  --dry-run only says\n"
      "what is wrong, --deep compares every byte with its checksum as well.\n"
      "All volumes of the instance, or DIR; while a recorder works on one,\n"
      "the files it has closed.  Exits with 0 when nothing was found, with 1\n"
      "when something was, and with 3 when it could not look.",
      "volume dry-run deep", 0, 0, 1, cli_cmd_fsck },

    { "verify", "[--kind publish|playback|access] < TOKENS"
                " | FILE.json [--file MP4] [--keys FILE]",
      "say what tokens are worth, or an exported file",
      "Without FILE.json it reads tokens from standard input, one a line, and\n"
      "judges each as nginx does by its signature, kind and time.  Whether it\n"
      "was revoked, or the session ended, is known to the database alone: see\n"
      "doctor.  With the manifest of an export it says whether the MP4 beside\n"
      "it, or that of --file, is what was exported: its signature, size and\n"
      "checksum.  That needs the signing keys, of the instance or of --keys,\n"
      "and nothing that runs.",
      "kind file keys", 0, 1, 1, cli_cmd_verify },

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
        fprintf(stderr, "camera: there is no command \"%.24s\"\n"
                "  next: camera help\n", argv[1]);
        return CLI_USAGE;
    }

    /* "camera: ..." before the messages of getopt_long() */

    argv[1] = argv[0] = (char *) "camera";

    rc = cli_options_parse(&cli.opt, command, argc - 1, argv + 1);

    if (rc == 0) {
        rc = cli_run(&cli, command);
    }

    cli_db_close(&cli);
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

    cli->command = command;

    if (command->instance) {
        rc = cli_env_load(cli);

        if (rc != 0) {
            return rc;
        }
    }

    return command->run(cli);
}


int
cli_run_verb(cli_t *cli, const cli_verb_t *verbs)
{
    const cli_verb_t  *verb;

    for (verb = verbs; verb->name; verb++) {
        if (strcmp(verb->name, cli->opt.words[0]) == 0
            && verb->words == cli->opt.n)
        {
            return verb->run(cli);
        }
    }

    return cli_fail(cli, CLI_USAGE, NULL, "usage: camera %s %s",
                    cli->command->name, cli->command->usage);
}


static void
cli_help(void)
{
    const cli_command_t  *command;

    printf("usage: camera COMMAND [ARGUMENTS] [--env FILE] [--json]\n\n");

    for (command = cli_commands; command->name; command++) {
        printf("  %-11s  %s\n", command->name, command->summary);
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
