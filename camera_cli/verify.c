/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * camera verify: says what nginx would make of tokens, without asking it.
 * They are read from standard input, one a line, so that they show in no
 * process list and no shell history.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"


static int cli_verify_kind(const cli_t *cli);
static json_t *cli_verify_line(const cli_t *cli, int use, const char *text,
    size_t len);
static void cli_verify_print(json_t *list);


int
cli_cmd_verify(cli_t *cli)
{
    int       rc, use;
    char     *line;
    size_t    cap;
    json_t   *list, *verdict;
    ssize_t   n;

    use = cli_verify_kind(cli);

    if (use == -1) {
        return cli_fail(cli, CLI_USAGE, NULL,
                        "--kind takes \"publish\" or \"playback\"");
    }

    rc = cli_keys_load(cli);

    if (rc != 0) {
        return rc;
    }

    list = json_array();
    line = NULL;
    cap = 0;

    while ((n = getline(&line, &cap, stdin)) != -1) {

        if (n && line[n - 1] == '\n') {
            n--;
        }

        verdict = cli_verify_line(cli, use, line, (size_t) n);

        if (strcmp(cli_string(verdict, "verdict"), "ok") != 0) {
            rc = CLI_NO;
        }

        json_array_append_new(list, verdict);
    }

    free(line);

    return cli_answer(cli, rc, list, cli_verify_print);
}


static int
cli_verify_kind(const cli_t *cli)
{
    if (cli->opt.kind == NULL || strcmp(cli->opt.kind, "publish") == 0) {
        return CAM_KEY_STREAM;
    }

    return strcmp(cli->opt.kind, "playback") == 0 ? CAM_KEY_PLAYBACK : -1;
}


static json_t *
cli_verify_line(const cli_t *cli, int use, const char *text, size_t len)
{
    char             camera[CAM_UUID_TEXT + 1], issued[32], expires[32];
    json_t          *verdict;
    cam_token_t      token;
    cam_token_rc_e   rc;

    rc = cam_token_verify(&cli->keys, use, text, len, time(NULL), &token);
    verdict = json_pack("{s:s}", "verdict", cam_token_rc_name(rc));

    if (rc != CAM_TOKEN_OK && rc != CAM_TOKEN_EXPIRED) {
        return verdict;
    }

    json_object_update_new(verdict,
        json_pack("{s:s, s:s, s:s}",
                  "camera", cam_uuid_print(camera, token.camera),
                  "issuedAt", cli_time_text(issued, token.issued),
                  "expiresAt", cli_time_text(expires, token.expires)));

    if (use == CAM_KEY_STREAM) {
        json_object_set_new(verdict, "generation",
                            json_integer(token.generation));

    } else {
        json_object_set_new(verdict, "epoch", json_integer(token.epoch));
    }

    return verdict;
}


static void
cli_verify_print(json_t *list)
{
    size_t   i;
    json_t  *verdict;

    json_array_foreach(list, i, verdict) {
        printf("%s\n", cli_string(verdict, "verdict"));
        cli_field("camera", cli_string(verdict, "camera"));
        cli_field("issued", cli_string(verdict, "issuedAt"));
        cli_field("expires", cli_string(verdict, "expiresAt"));
    }
}
