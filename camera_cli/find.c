/*
 * Copyright (C) The nginx camera platform authors
 */

/* Cameras as rows: the one that an ID names, and all of them. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"


static int cli_camera_fill(PGresult *result, int row, cli_camera_t *camera);
static void cli_camera_copy(char *to, size_t cap, PGresult *result, int row,
    const char *column);
static json_t *cli_camera_json(PGresult *result, int row);


#define CLI_CAMERA_SELECT                                                     \
    "SELECT c.id, c.tenant_id, c.external_id, c.name, c.company, c.model,"    \
    " c.serial_number, c.location, c.place, c.rtmp_key, c.is_active,"         \
    " c.play_epoch, f.key_generation, f.prev_generation,"                     \
    " CASE WHEN f.prev_until > 0 THEN"                                        \
    " to_char(to_timestamp(f.prev_until) AT TIME ZONE 'UTC',"                 \
    " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') END AS prev_until,"                   \
    " f.opaque_hash IS NOT NULL AS opaque,"                                   \
    " array_to_json(c.allowed_cidrs)::text AS cidrs,"                         \
    " to_char(c.created_at AT TIME ZONE 'UTC',"                               \
    " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS created_at"                        \
    " FROM cameras c JOIN feeder_cameras f ON f.camera = c.id"                \
    " WHERE c.deleted_at IS NULL"


int
cli_camera_find(cli_t *cli, const char *id, cli_camera_t *camera)
{
    int          rc, n;
    PGresult    *result;
    const char  *values[] = { id };

    memset(camera, 0, sizeof(cli_camera_t));

    /* somebody's publish URL, with its token, is not repeated */

    if (strpbrk(id, "?/") && strstr(id, "token=")) {
        return cli_fail(cli, CLI_UNKNOWN, "camera list",
                        "an address is no ID of a camera");
    }

    rc = cli_db_connect(cli);

    if (rc != 0) {
        return rc;
    }

    /* each way of naming a camera comes before the ones that are less exact */

    result = cli_db_query(cli, &rc,
        "WITH named AS (" CLI_CAMERA_SELECT " AND $1 IN (c.id::text,"
        " c.external_id, c.rtmp_key, c.name)),"
        " ranked AS (SELECT *, CASE WHEN id::text = $1 THEN 1"
        " WHEN external_id = $1 THEN 2 WHEN rtmp_key = $1 THEN 3"
        " ELSE 4 END AS rank FROM named)"
        " SELECT * FROM ranked"
        " WHERE rank = (SELECT min(rank) FROM ranked) LIMIT 2", 1, values);

    if (result == NULL) {
        return rc;
    }

    n = PQntuples(result);

    if (n == 0) {
        rc = cli_fail(cli, CLI_UNKNOWN, "camera list",
                      "there is no camera \"%s\"", id);

    } else if (n > 1) {
        rc = cli_fail(cli, CLI_UNKNOWN,
                      "name it by its uuid; \"camera list\" shows them",
                      "more than one camera is called \"%s\"", id);

    } else if (cli_camera_row(result, 0, camera) != 0) {
        rc = cli_fail(cli, CLI_INSTANCE, "apply the migrations in sql/",
                      "the database is of another version");
    }

    PQclear(result);

    return rc;
}


void
cli_camera_free(cli_camera_t *camera)
{
    json_decref(camera->json);
    camera->json = NULL;
}


PGresult *
cli_camera_all(cli_t *cli, int *rc)
{
    *rc = cli_db_connect(cli);

    if (*rc != 0) {
        return NULL;
    }

    return cli_db_query(cli, rc, CLI_CAMERA_SELECT
                        " ORDER BY c.created_at, c.id", 0, NULL);
}


int
cli_camera_row(PGresult *result, int row, cli_camera_t *camera)
{
    memset(camera, 0, sizeof(cli_camera_t));

    if (cli_camera_fill(result, row, camera) != 0) {
        return -1;
    }

    camera->json = cli_camera_json(result, row);

    return camera->json ? 0 : -1;
}


static int
cli_camera_fill(PGresult *result, int row, cli_camera_t *camera)
{
    char  number[16], tenant[CLI_ID_MAX];

#define cli_camera_get(to, column)                                            \
    cli_camera_copy(to, sizeof(to), result, row, column)

    cli_camera_get(camera->id_text, "id");
    cli_camera_get(camera->name, "name");
    cli_camera_get(camera->key, "rtmp_key");
    cli_camera_get(tenant, "tenant_id");

    cli_camera_get(number, "is_active");
    camera->active = number[0] == 't';
    cli_camera_get(number, "opaque");
    camera->opaque = number[0] == 't';
    cli_camera_get(number, "key_generation");
    camera->generation = (uint32_t) strtoul(number, NULL, 10);
    cli_camera_get(number, "play_epoch");
    camera->epoch = (uint32_t) strtoul(number, NULL, 10);

#undef cli_camera_get

    return cam_uuid_parse(camera->id, camera->id_text, strlen(camera->id_text))
           || cam_uuid_parse(camera->tenant, tenant, strlen(tenant))
           || camera->generation == 0 ? -1 : 0;
}


static void
cli_camera_copy(char *to, size_t cap, PGresult *result, int row,
    const char *column)
{
    int  field;

    field = PQfnumber(result, column);

    snprintf(to, cap, "%s", field < 0 ? "" : PQgetvalue(result, row, field));
}


static json_t *
cli_camera_json(PGresult *result, int row)
{
    json_t  *value;

#define cli_camera_get(column)  cli_db_text(result, row, column)

    value = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                      "id", cli_camera_get("id"),
                      "name", cli_camera_get("name"),
                      "externalId", cli_camera_get("external_id"),
                      "key", cli_camera_get("rtmp_key"),
                      "company", cli_camera_get("company"),
                      "model", cli_camera_get("model"),
                      "serialNumber", cli_camera_get("serial_number"),
                      "location", cli_camera_get("location"),
                      "place", cli_camera_get("place"));

    json_object_update_new(value,
        json_pack("{s:b, s:o, s:o, s:b, s:I, s:I, s:o}",
                  "isActive", cli_db_true(result, row, "is_active"),
                  "allowedCidrs", json_loads(PQgetvalue(result, row,
                                  PQfnumber(result, "cidrs")), 0, NULL),
                  "createdAt", cli_camera_get("created_at"),
                  "opaqueKey", cli_db_true(result, row, "opaque"),
                  "keyGeneration",
                  cli_db_number(result, row, "key_generation"),
                  "playEpoch", cli_db_number(result, row, "play_epoch"),
                  "previousKeyUntil", cli_camera_get("prev_until")));

#undef cli_camera_get

    return value;
}
