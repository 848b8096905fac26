/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * camera keys: makes and rotates the file of signing keys.  nginx reads it
 * with its configuration, so a change is in force after a reload.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"


static int cli_keys_init(cli_t *cli, const char *path);
static int cli_keys_rotate(cli_t *cli, const char *path);
static int cli_keys_use(const cli_t *cli);
static json_t *cli_keys_json(const cam_keys_t *keys, const char *path);
static void cli_keys_print(json_t *value);


int
cli_cmd_keys(cli_t *cli)
{
    int          rc;
    char         err[256];
    const char  *verb, *path;

    verb = cli->opt.words[0];
    path = cli->opt.n == 2 ? cli->opt.words[1] : NULL;

    if (path == NULL) {
        rc = cli_env_load(cli);

        if (rc != 0) {
            return rc;
        }

        path = cli->env.keys;
    }

    if (path == NULL) {
        return cli_fail(cli, CLI_USAGE, "camera keys --help",
                        "name the file of keys");
    }

    if (strcmp(verb, "init") == 0) {
        return cli_keys_init(cli, path);
    }

    if (cam_keys_load(&cli->keys, path, err, sizeof(err)) != 0) {
        return cli_fail(cli, CLI_INSTANCE, NULL, "\"%s\" %s", path, err);
    }

    if (strcmp(verb, "rotate") == 0) {
        return cli_keys_rotate(cli, path);
    }

    if (strcmp(verb, "list") == 0) {
        return cli_answer(cli, CLI_OK, cli_keys_json(&cli->keys, path),
                          cli_keys_print);
    }

    return cli_fail(cli, CLI_USAGE, "camera keys --help",
                    "\"%s\" is not one of init, rotate and list", verb);
}


static int
cli_keys_init(cli_t *cli, const char *path)
{
    char  err[256];

    if (cam_keys_create(path) != 0) {
        return cli_fail(cli, CLI_REFUSED,
                        errno == EEXIST
                        ? "keep it: tokens that were issued need its keys; "
                          "\"camera keys rotate\" makes new ones" : NULL,
                        "\"%s\" was not made: %s", path, strerror(errno));
    }

    if (cam_keys_load(&cli->keys, path, err, sizeof(err)) != 0) {
        return cli_fail(cli, CLI_INSTANCE, NULL, "\"%s\" %s", path, err);
    }

    return cli_answer(cli, CLI_OK, cli_keys_json(&cli->keys, path),
                      cli_keys_print);
}


static int
cli_keys_rotate(cli_t *cli, const char *path)
{
    int  use, asked;

    asked = cli_keys_use(cli);

    if (asked == CAM_KEY_USES) {
        return cli_fail(cli, CLI_USAGE, NULL, "--use takes \"stream\", "
                        "\"playback\", \"access\", \"export\" or "
                        "\"recording\"");
    }

    /* a node that has no API gets no key for it unless it is asked for, and
       one that exports nothing none for that; those of recordings are kept for
       ever, so they do not grow in number with the others */

    for (use = 0; use < CAM_KEY_USES; use++) {

        if (asked == -1 ? use == CAM_KEY_RECORDING
                          || cam_keys_signer(&cli->keys, use) == NULL
                        : use != asked)
        {
            continue;
        }

        if (cam_keys_renew(&cli->keys, use, cli->opt.retire) != 0) {
            return cli_fail(cli, CLI_REFUSED,
                            errno == ENOSPC ? "rotate with --retire, which "
                            "replaces a key that only verifies" : NULL,
                            "no new key: %s", strerror(errno));
        }
    }

    if (cam_keys_save(&cli->keys, path, 1) != 0) {
        return cli_fail(cli, CLI_REFUSED, NULL, "\"%s\" was not written: %s",
                        path, strerror(errno));
    }

    return cli_answer(cli, CLI_OK, cli_keys_json(&cli->keys, path),
                      cli_keys_print);
}


/* the use asked for, -1 for all, CAM_KEY_USES when there is none such */

static int
cli_keys_use(const cli_t *cli)
{
    int  use;

    if (cli->opt.use == NULL) {
        return -1;
    }

    for (use = 0; use < CAM_KEY_USES; use++) {
        if (strcmp(cli->opt.use, cam_keys_uses[use]) == 0) {
            break;
        }
    }

    return use;
}


static json_t *
cli_keys_json(const cam_keys_t *keys, const char *path)
{
    json_t           *list;
    unsigned          i;
    const cam_key_t  *key;

    list = json_array();

    for (i = 0; i < keys->n; i++) {
        key = &keys->keys[i];
        json_array_append_new(list,
            json_pack("{s:s, s:s, s:b}", "kid", key->kid, "use",
                      cam_keys_uses[key->use], "signs", key->sign));
    }

    return json_pack("{s:s, s:o}", "file", path, "keys", list);
}


static void
cli_keys_print(json_t *value)
{
    size_t   i;
    json_t  *key;

    printf("%s\n", cli_string(value, "file"));

    json_array_foreach(json_object_get(value, "keys"), i, key) {
        printf("  %-15s  %-8s  %s\n", cli_string(key, "kid"),
               cli_string(key, "use"),
               json_is_true(json_object_get(key, "signs")) ? "signs"
                                                           : "verifies");
    }

    printf("  nginx uses it after a reload\n");
}
