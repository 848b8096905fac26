/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * camera verify without a file: says what nginx would make of tokens, without
 * asking it.
 * They are read from standard input, one a line, so that they show in no
 * process list and no shell history.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "verify.h"


static int cli_verify_kind(const cli_t *cli);
static json_t *cli_verify_line(const cli_t *cli, int use, const char *text,
    size_t len);
static json_t *cli_verify_subject(const cam_token_t *token);
static void cli_verify_print(json_t *list);


int
cli_cmd_verify(cli_t *cli)
{
    int       rc, use;
    char     *line;
    size_t    cap;
    json_t   *list, *verdict;
    ssize_t   n;

    if (cli->opt.n == 1) {
        return cli_verify_manifest(cli);
    }

    use = cli_verify_kind(cli);

    if (use == -1) {
        return cli_fail(cli, CLI_USAGE, NULL, "--kind takes \"publish\", "
                        "\"playback\" or \"access\"");
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
    int                 use;
    static const char  *kinds[CAM_KEY_TOKENS] = {
        "publish", "playback", "access"
    };

    if (cli->opt.kind == NULL) {
        return CAM_KEY_STREAM;
    }

    for (use = 0; use < CAM_KEY_TOKENS; use++) {
        if (strcmp(cli->opt.kind, kinds[use]) == 0) {
            return use;
        }
    }

    return -1;
}


static json_t *
cli_verify_line(const cli_t *cli, int use, const char *text, size_t len)
{
    char             issued[32], expires[32];
    json_t          *verdict;
    cam_token_t      token;
    cam_token_rc_e   rc;

    rc = cam_token_verify(&cli->keys, use, text, len, time(NULL), &token);
    verdict = json_pack("{s:s}", "verdict", cam_token_rc_name(rc));

    if (rc != CAM_TOKEN_OK && rc != CAM_TOKEN_EXPIRED) {
        return verdict;
    }

    json_object_update_new(verdict, cli_verify_subject(&token));
    json_object_update_new(verdict,
        json_pack("{s:s, s:s}",
                  "issuedAt", cli_time_text(issued, token.issued),
                  "expiresAt", cli_time_text(expires, token.expires)));

    return verdict;
}


static json_t *
cli_verify_subject(const cam_token_t *token)
{
    char  camera[CAM_UUID_TEXT + 1], user[CAM_UUID_TEXT + 1];
    char  tenant[CAM_UUID_TEXT + 1], sid[CAM_UUID_TEXT + 1];

    cam_uuid_print(camera, token->camera);

    switch (token->use) {

    case CAM_KEY_STREAM:
        return json_pack("{s:s, s:I}", "camera", camera,
                         "generation", (json_int_t) token->generation);

    case CAM_KEY_PLAYBACK:
        return json_pack("{s:s, s:I}", "camera", camera,
                         "epoch", (json_int_t) token->epoch);

    default: /* CAM_KEY_ACCESS */
        return json_pack("{s:s, s:s, s:s, s:s}",
                         "user", cam_uuid_print(user, token->user),
                         "role", cam_role_name(token->role),
                         "tenant", cam_uuid_print(tenant, token->tenant),
                         "session", cam_uuid_print(sid, token->sid));
    }
}


static void
cli_verify_print(json_t *list)
{
    size_t   i;
    json_t  *verdict;

    json_array_foreach(list, i, verdict) {
        printf("%s\n", cli_string(verdict, "verdict"));
        cli_field("camera", cli_string(verdict, "camera"));
        cli_field("user", cli_string(verdict, "user"));
        cli_field("role", cli_string(verdict, "role"));
        cli_field("session", cli_string(verdict, "session"));
        cli_field("issued", cli_string(verdict, "issuedAt"));
        cli_field("expires", cli_string(verdict, "expiresAt"));
    }
}
