/*
 * Copyright (C) The nginx camera platform authors
 */

/* camera add, list, show, enable, disable and remove. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "credentials.h"
#include "db.h"
#include "live.h"


static int cli_cameras_add_row(cli_t *cli, char id[CLI_ID_MAX]);
static void cli_cameras_print_added(json_t *value);
static void cli_cameras_print_list(json_t *value);
static void cli_cameras_print_one(json_t *value);
static void cli_cameras_print_live(json_t *live);
static int cli_cameras_change(cli_t *cli, const char *sql, const char *done);
static void cli_cameras_print_changed(json_t *value);


int
cli_cmd_add(cli_t *cli)
{
    int           rc;
    char          id[CLI_ID_MAX];
    json_t       *value;
    cli_camera_t  camera;

    rc = cli_keys_load(cli);

    if (rc == 0) {
        rc = cli_db_connect(cli);
    }

    if (rc == 0) {
        rc = cli_cameras_add_row(cli, id);
    }

    if (rc == 0) {
        rc = cli_camera_find(cli, id, &camera);
    }

    if (rc != 0) {
        return rc;
    }

    value = json_pack("{s:s, s:s, s:s}", "id", camera.id_text,
                      "name", camera.name, "key", camera.key);

    rc = cli_publish_url(cli, &camera, value);

    if (rc == 0) {
        rc = cli_play_url(cli, &camera, value);
    }

    cli_camera_free(&camera);

    if (rc != 0) {
        json_decref(value);
        return rc;
    }

    return cli_answer(cli, CLI_OK, value, cli_cameras_print_added);
}


static int
cli_cameras_add_row(cli_t *cli, char id[CLI_ID_MAX])
{
    int          rc;
    char         base[512], tenant[CLI_ID_MAX];
    PGresult    *result;
    const char  *values[] = {
        cli->opt.words[0], cli->opt.company, cli->opt.model, cli->opt.serial,
        cli->opt.location, cli->opt.place, cli->opt.key, cli->opt.cidr, base,
        cli->opt.external_id, tenant
    };

    rc = cli_tenant_find(cli, tenant);

    if (rc != 0) {
        return rc;
    }

    cli_publish_base(cli, base, sizeof(base));

    result = cli_db_query(cli, &rc,
        "INSERT INTO cameras (name, company, model, serial_number, location,"
        " place, rtmp_key, allowed_cidrs, rtmp_url, external_id, tenant_id)"
        " VALUES ($1, coalesce($2, ''), coalesce($3, ''),"
        " coalesce($4, gen_random_uuid()::text), coalesce($5, ''),"
        " coalesce($6, ''), coalesce($7,"
        " left(translate(gen_random_uuid()::text, '-', ''), 16)),"
        " coalesce(string_to_array(replace($8, ' ', ''), ',')::cidr[], '{}'),"
        " $9, $10, $11) RETURNING id", 11, values);

    if (result == NULL) {
        return rc;
    }

    snprintf(id, CLI_ID_MAX, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);

    return 0;
}


static void
cli_cameras_print_added(json_t *value)
{
    printf("added %s\n", cli_string(value, "name"));
    cli_field("id", cli_string(value, "id"));
    cli_field("push to", cli_string(value, "publishUrl"));
    cli_field("play", cli_string(value, "playUrl"));
}


int
cli_cmd_list(cli_t *cli)
{
    int           i, rc;
    json_t       *list;
    PGresult     *result;
    cli_shm_t     shm;
    cli_live_t    live;
    cli_camera_t  camera;

    result = cli_camera_all(cli, &rc);

    if (result == NULL) {
        return rc;
    }

    list = json_array();
    cli_shm_open(&shm, cli->env.shm);

    for (i = 0; i < PQntuples(result); i++) {

        if (cli_camera_row(result, i, &camera) != 0) {
            continue;
        }

        cli_live_look(&shm, camera.id, &live);
        json_object_set_new(camera.json, "live", cli_live_json(&live));
        json_array_append(list, camera.json);
        cli_camera_free(&camera);
    }

    cli_shm_close(&shm);
    PQclear(result);

    return cli_answer(cli, CLI_OK, json_pack("{s:o}", "cameras", list),
                      cli_cameras_print_list);
}


static void
cli_cameras_print_list(json_t *value)
{
    size_t       i;
    json_t      *list, *camera, *live;
    const char  *status;

    list = json_object_get(value, "cameras");

    if (json_array_size(list) == 0) {
        printf("no cameras yet; the first: camera add NAME\n");
        return;
    }

    printf("%-10s  %-36s  %-16s  %s\n", "STATUS", "ID", "KEY", "NAME");

    json_array_foreach(list, i, camera) {
        live = json_object_get(camera, "live");
        status = json_is_true(json_object_get(camera, "isActive"))
                 ? cli_string(live, "status") : "disabled";

        printf("%-10s  %-36s  %-16s  %s", status, cli_string(camera, "id"),
               cli_string(camera, "key"), cli_string(camera, "name"));

        if (json_object_get(live, "codecs")) {
            printf("  (%dx%d, %d kbit/s)",
                   (int) json_integer_value(json_object_get(live, "width")),
                   (int) json_integer_value(json_object_get(live, "height")),
                   (int) json_integer_value(json_object_get(live, "bitrate"))
                   / 1000);
        }

        printf("\n");
    }
}


int
cli_cmd_show(cli_t *cli)
{
    int           rc;
    json_t       *value;
    cli_shm_t     shm;
    cli_live_t    live;
    cli_camera_t  camera;

    rc = cli_camera_find(cli, cli->opt.words[0], &camera);

    if (rc != 0) {
        return rc;
    }

    cli_shm_open(&shm, cli->env.shm);
    cli_live_look(&shm, camera.id, &live);
    cli_shm_close(&shm);

    value = json_incref(camera.json);
    json_object_set_new(value, "live", cli_live_json(&live));
    cli_camera_free(&camera);

    return cli_answer(cli, CLI_OK, value, cli_cameras_print_one);
}


static void
cli_cameras_print_one(json_t *value)
{
    size_t   i;
    json_t  *cidr;

    printf("%s\n", cli_string(value, "name"));
    cli_field("id", cli_string(value, "id"));
    cli_field("external id", cli_string(value, "externalId"));
    cli_field("key", cli_string(value, "key"));
    cli_field("company", cli_string(value, "company"));
    cli_field("model", cli_string(value, "model"));
    cli_field("serial number", cli_string(value, "serialNumber"));
    cli_field("location", cli_string(value, "location"));
    cli_field("place", cli_string(value, "place"));
    cli_field("active", json_is_true(json_object_get(value, "isActive"))
                        ? "yes" : "no");

    json_array_foreach(json_object_get(value, "allowedCidrs"), i, cidr) {
        cli_field("allowed from", json_string_value(cidr));
    }

    cli_field("opaque key", json_is_true(json_object_get(value, "opaqueKey"))
                            ? "yes" : "no");
    cli_field("old key until", cli_string(value, "previousKeyUntil"));
    cli_field("created", cli_string(value, "createdAt"));

    cli_cameras_print_live(json_object_get(value, "live"));
}


static void
cli_cameras_print_live(json_t *live)
{
    char     text[128];
    json_t  *refusal;

    cli_field("status", cli_string(live, "status"));
    cli_field("since", cli_string(live, "since"));
    cli_field("from", cli_string(live, "address"));
    cli_field("codecs", cli_string(live, "codecs"));

    if (json_object_get(live, "width")) {
        snprintf(text, sizeof(text), "%dx%d, %d kbit/s",
                 (int) json_integer_value(json_object_get(live, "width")),
                 (int) json_integer_value(json_object_get(live, "height")),
                 (int) json_integer_value(json_object_get(live, "bitrate"))
                 / 1000);
        cli_field("picture", text);
    }

    cli_field("warning", cli_string(live, "warning"));

    refusal = json_object_get(live, "lastRefusal");

    if (refusal) {
        cli_field("last refused", cli_string(refusal, "at"));
        cli_field("because", cli_string(refusal, "text"));
    }
}


int
cli_cmd_enable(cli_t *cli)
{
    return cli_cameras_change(cli, "UPDATE cameras SET is_active = true"
                              " WHERE id = $1", "enabled");
}


int
cli_cmd_disable(cli_t *cli)
{
    return cli_cameras_change(cli, "UPDATE cameras SET is_active = false"
                              " WHERE id = $1", "disabled");
}


int
cli_cmd_remove(cli_t *cli)
{
    return cli_cameras_change(cli, "UPDATE cameras SET deleted_at ="
                              " CURRENT_TIMESTAMP WHERE id = $1", "removed");
}


static int
cli_cameras_change(cli_t *cli, const char *sql, const char *done)
{
    int           rc;
    json_t       *value;
    PGresult     *result;
    cli_camera_t  camera;
    const char   *values[1];

    rc = cli_camera_find(cli, cli->opt.words[0], &camera);

    if (rc != 0) {
        return rc;
    }

    values[0] = camera.id_text;
    value = json_pack("{s:s, s:s, s:s}", "id", camera.id_text,
                      "name", camera.name, "done", done);

    result = cli_db_query(cli, &rc, sql, 1, values);

    cli_camera_free(&camera);

    if (result == NULL) {
        json_decref(value);
        return rc;
    }

    PQclear(result);

    return cli_answer(cli, CLI_OK, value, cli_cameras_print_changed);
}


static void
cli_cameras_print_changed(json_t *value)
{
    printf("%s %s\n", cli_string(value, "done"), cli_string(value, "name"));
}
