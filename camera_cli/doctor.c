/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * camera doctor: why is there no picture?  The checks follow a frame's way
 * from the camera to the player; the first that fails is the cause.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "doctor.h"


static int cli_doctor_find(cli_doctor_t *d);
static int cli_doctor_find_without_database(cli_doctor_t *d, const char *err);
static json_t *cli_doctor_verdict(cli_doctor_t *d);
static json_t *cli_doctor_first(json_t *checks, const char *result);
static void cli_doctor_print(json_t *value);


static void (*const cli_doctor_checks[])(cli_doctor_t *d) = {
    cli_doctor_nginx,
    cli_doctor_https,
    cli_doctor_worker,
    cli_doctor_port,
    cli_doctor_camera,
    cli_doctor_keys,
    cli_doctor_address,
    cli_doctor_refusal,
    cli_doctor_publisher,
    cli_doctor_codec,
    cli_doctor_b_frames,
    cli_doctor_key_frames,
    cli_doctor_packager,
    cli_doctor_playlist,
    NULL
};


static const char  *cli_doctor_results[] = {
    "ok", "warning", "failed", "skipped"
};


int
cli_cmd_doctor(cli_t *cli)
{
    int           i, rc;
    json_t       *value;
    cli_doctor_t  d;

    memset(&d, 0, sizeof(cli_doctor_t));
    d.cli = cli;
    d.checks = json_array();

    cli_shm_open(&d.shm, cli->env.shm);

    rc = cli_doctor_find(&d);

    if (rc == 0) {
        cli_live_look(&d.shm, d.camera.id, &d.live);
        d.publishing = cam_view_publishing(&d.live.view);

        for (i = 0; cli_doctor_checks[i]; i++) {
            cli_doctor_checks[i](&d);
        }

        value = cli_doctor_verdict(&d);
        rc = cli_answer(cli, d.picture ? CLI_OK : CLI_NO, value,
                        cli_doctor_print);
    }

    json_decref(d.checks);
    cli_camera_free(&d.camera);
    cli_shm_close(&d.shm);

    return rc;
}


static int
cli_doctor_find(cli_doctor_t *d)
{
    int   rc;
    char  err[512];

    if (cli_db_try(d->cli, err, sizeof(err)) != 0) {
        return cli_doctor_find_without_database(d, err);
    }

    rc = cli_camera_find(d->cli, d->cli->opt.words[0], &d->camera);

    if (rc == 0) {
        d->in_database = 1;
        cli_doctor_note(d, "database", CLI_CHECK_OK, NULL, "PostgreSQL "
                        "answers and knows the camera");
    }

    return rc;
}


/* nginx goes on without PostgreSQL, and so do we, by what nginx knows */

static int
cli_doctor_find_without_database(cli_doctor_t *d, const char *err)
{
    int                    slot;
    uint8_t                id[CAM_UUID_LEN];
    const char            *name;
    cam_registry_entry_t   entry;

    name = d->cli->opt.words[0];
    slot = -1;

    if (d->shm.registry) {
        slot = cam_uuid_parse(id, name, strlen(name)) == 0
               ? cam_registry_find_id(d->shm.registry, id, &entry)
               : cam_registry_find_key(d->shm.registry, name, strlen(name),
                                       &entry);
    }

    if (slot < 0) {
        return cli_fail(d->cli, CLI_INSTANCE,
                        "start PostgreSQL; without it only cameras that nginx "
                        "knows are found, by uuid or key",
                        "no database, and nginx knows no camera \"%s\": %s",
                        name, err);
    }

    memcpy(d->camera.id, entry.camera, CAM_UUID_LEN);
    memcpy(d->camera.tenant, entry.tenant, CAM_UUID_LEN);
    cam_uuid_print(d->camera.id_text, entry.camera);
    snprintf(d->camera.name, sizeof(d->camera.name), "%s", entry.key);
    snprintf(d->camera.key, sizeof(d->camera.key), "%s", entry.key);
    d->camera.active = (entry.flags & CAM_CAMERA_ACTIVE) != 0;
    d->camera.generation = entry.key_generation;
    d->camera.epoch = entry.play_epoch;

    cli_doctor_note(d, "database", CLI_CHECK_WARNING,
                    "start PostgreSQL: live video goes on without it, changes "
                    "do not", "%s", err);

    return 0;
}


void
cli_doctor_note(cli_doctor_t *d, const char *check, cli_check_e result,
    const char *next, const char *fmt, ...)
{
    char      text[1024];
    va_list   args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    json_array_append_new(d->checks,
        json_pack("{s:s, s:s, s:s, s:s?}", "check", check,
                  "result", cli_doctor_results[result], "text", text,
                  "next", next));
}


static json_t *
cli_doctor_verdict(cli_doctor_t *d)
{
    json_t  *value, *cause;

    value = json_pack("{s:s, s:s, s:b, s:O}", "id", d->camera.id_text,
                      "name", d->camera.name, "picture", d->picture,
                      "checks", d->checks);

    cause = d->picture ? NULL : cli_doctor_first(d->checks, "failed");

    if (cause) {
        json_object_set(value, "cause", json_object_get(cause, "text"));
        json_object_set(value, "next", json_object_get(cause, "next"));
    }

    return value;
}


static json_t *
cli_doctor_first(json_t *checks, const char *result)
{
    size_t   i;
    json_t  *check;

    json_array_foreach(checks, i, check) {
        if (strcmp(cli_string(check, "result"), result) == 0) {
            return check;
        }
    }

    return NULL;
}


static void
cli_doctor_print(json_t *value)
{
    size_t       i;
    json_t      *check;
    const char  *result, *mark;

    printf("%s (%s)\n", cli_string(value, "name"), cli_string(value, "id"));

    json_array_foreach(json_object_get(value, "checks"), i, check) {
        result = cli_string(check, "result");

        mark = strcmp(result, "ok") == 0 ? "\u2713"
               : strcmp(result, "failed") == 0 ? "\u2717"
               : strcmp(result, "warning") == 0 ? "!" : "-";

        printf("  %s %-11s %s\n", mark, cli_string(check, "check"),
               cli_string(check, "text"));

        if (*cli_string(check, "next")) {
            printf("      next: %s\n", cli_string(check, "next"));
        }
    }

    if (json_is_true(json_object_get(value, "picture"))) {
        printf("a picture is served\n");
        return;
    }

    printf("no picture: %s\n", cli_string(value, "cause"));
}
