/*
 * Copyright (C) The nginx camera platform authors
 */

/* camera publish-url, play-url, token of a camera, rotate and revoke. */

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "credentials.h"


#define CLI_OVERLAP_SEC  86400   /* time to bring a new key to a camera */


static int cli_credential(cli_t *cli, void (*print)(json_t *value),
    int (*make)(cli_t *cli, cli_camera_t *camera, json_t *value));
static int cli_make_publish_url(cli_t *cli, cli_camera_t *camera,
    json_t *value);
static int cli_make_play_url(cli_t *cli, cli_camera_t *camera, json_t *value);
static int cli_make_token(cli_t *cli, cli_camera_t *camera, json_t *value);
static int cli_make_rotated(cli_t *cli, cli_camera_t *camera, json_t *value);
static int cli_make_revoked(cli_t *cli, cli_camera_t *camera, json_t *value);
static int cli_new_generation(cli_t *cli, cli_camera_t *camera, long overlap);
static void cli_print_credential(json_t *value);


int
cli_cmd_publish_url(cli_t *cli)
{
    return cli_credential(cli, cli_print_credential, cli_make_publish_url);
}


int
cli_cmd_play_url(cli_t *cli)
{
    return cli_credential(cli, cli_print_credential, cli_make_play_url);
}


int
cli_publish_token(cli_t *cli)
{
    return cli_credential(cli, cli_print_credential, cli_make_token);
}


int
cli_cmd_rotate(cli_t *cli)
{
    return cli_credential(cli, cli_print_credential, cli_make_rotated);
}


int
cli_cmd_revoke(cli_t *cli)
{
    return cli_credential(cli, cli_print_credential, cli_make_revoked);
}


static int
cli_credential(cli_t *cli, void (*print)(json_t *value),
    int (*make)(cli_t *cli, cli_camera_t *camera, json_t *value))
{
    int           rc;
    json_t       *value;
    cli_camera_t  camera;

    rc = cli_keys_load(cli);

    if (rc == 0) {
        rc = cli_camera_find(cli, cli->opt.words[0], &camera);
    }

    if (rc != 0) {
        return rc;
    }

    value = json_pack("{s:s}", "id", camera.id_text);
    rc = make(cli, &camera, value);

    cli_camera_free(&camera);

    if (rc != 0) {
        json_decref(value);
        return rc;
    }

    return cli_answer(cli, CLI_OK, value, print);
}


static int
cli_make_publish_url(cli_t *cli, cli_camera_t *camera, json_t *value)
{
    return cli_publish_url(cli, camera, value);
}


static int
cli_make_play_url(cli_t *cli, cli_camera_t *camera, json_t *value)
{
    return cli_play_url(cli, camera, value);
}


static int
cli_make_token(cli_t *cli, cli_camera_t *camera, json_t *value)
{
    int      rc;
    char     text[CAM_TOKEN_MAX];
    int64_t  expires;

    if (cli->opt.jwt == cli->opt.opaque) {
        return cli_fail(cli, CLI_USAGE, NULL,
                        "choose one of --jwt and --opaque");
    }

    if (cli->opt.opaque) {
        rc = cli_opaque(cli, camera, text);

    } else {
        rc = cli_stream_token(cli, camera, text, &expires);
    }

    if (rc != 0) {
        return rc;
    }

    json_object_set_new(value, "token", json_string(text));

    if (cli->opt.jwt) {
        cli_set_expiry(value, expires);
    }

    OPENSSL_cleanse(text, sizeof(text));

    return 0;
}


static int
cli_make_rotated(cli_t *cli, cli_camera_t *camera, json_t *value)
{
    int      rc;
    long     overlap;
    char     until[32];

    overlap = cli->opt.overlap == -1 ? CLI_OVERLAP_SEC : cli->opt.overlap;

    if (overlap > CAM_TOKEN_STREAM_TTL_MAX) {
        return cli_fail(cli, CLI_USAGE, NULL, "--overlap takes at most %d",
                        CAM_TOKEN_STREAM_TTL_MAX);
    }

    rc = cli_new_generation(cli, camera, overlap);

    if (rc != 0) {
        return rc;
    }

    json_object_set_new(value, "generation", json_integer(camera->generation));
    json_object_set_new(value, "previousUntil",
        json_string(cli_time_text(until, time(NULL) + overlap)));

    return cli_publish_url(cli, camera, value);
}


static int
cli_make_revoked(cli_t *cli, cli_camera_t *camera, json_t *value)
{
    int          rc;
    PGresult    *result;
    const char  *values[] = { camera->id_text };

    if (!cli->opt.viewers) {
        rc = cli_new_generation(cli, camera, 0);

        json_object_set_new(value, "revoked", json_string("publish"));
        json_object_set_new(value, "generation",
                            json_integer(camera->generation));
        return rc;
    }

    result = cli_db_query(cli, &rc, "UPDATE cameras SET play_epoch ="
                          " play_epoch + 1 WHERE id = $1 RETURNING play_epoch",
                          1, values);

    if (result == NULL) {
        return rc;
    }

    json_object_set_new(value, "revoked", json_string("playback"));
    json_object_set_new(value, "epoch",
                        json_integer(atoll(PQgetvalue(result, 0, 0))));
    PQclear(result);

    return 0;
}


static int
cli_new_generation(cli_t *cli, cli_camera_t *camera, long overlap)
{
    int          rc;
    char         seconds[24];
    PGresult    *result;
    const char  *values[] = { camera->id_text, seconds };

    snprintf(seconds, sizeof(seconds), "%ld", overlap);

    result = cli_db_query(cli, &rc, "SELECT rotate_stream_key($1, $2)", 2,
                          values);

    if (result == NULL) {
        return rc;
    }

    camera->generation = (uint32_t) strtoul(PQgetvalue(result, 0, 0), NULL, 10);
    camera->opaque = 0;
    PQclear(result);

    if (camera->generation == 0) {
        return cli_fail(cli, CLI_UNKNOWN, "camera list",
                        "the camera was removed meanwhile");
    }

    return 0;
}


/* the credential alone on standard output, so that $(camera ...) is it */

static void
cli_print_credential(json_t *value)
{
    size_t              i;
    const char         *text;
    static const char  *names[] = { "token", "publishUrl", "playUrl" };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        text = cli_string(value, names[i]);

        if (*text) {
            printf("%s\n", text);
        }
    }

    if (*cli_string(value, "expiresAt")) {
        fprintf(stderr, "  until %s\n", cli_string(value, "expiresAt"));
    }

    if (*cli_string(value, "previousUntil")) {
        fprintf(stderr, "  the key before is valid until %s\n",
                cli_string(value, "previousUntil"));
    }

    if (*cli_string(value, "revoked")) {
        printf("every %s credential of the camera is revoked\n",
               cli_string(value, "revoked"));
    }
}
