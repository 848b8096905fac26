/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Rows of the view feeder_cameras, in text, as entries of the registry.  A
 * row that cannot be understood is a bug of ours or of the schema: it is
 * logged, and the camera stays as it was.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <errno.h>
#include <libpq-fe.h>

#include "ngx_camera_feeder.h"


static ngx_int_t ngx_camera_feeder_put(cam_registry_t *reg,
    const PGresult *res, ngx_log_t *log);
static ngx_int_t ngx_camera_feeder_entry(cam_registry_entry_t *entry,
    const PGresult *res, int row);
static ngx_int_t ngx_camera_feeder_names(cam_registry_entry_t *entry,
    const PGresult *res, int row);
static ngx_int_t ngx_camera_feeder_number(const PGresult *res, int row,
    int column, int64_t max, int64_t *value);
static ngx_int_t ngx_camera_feeder_hash(uint8_t hash[32],
    const PGresult *res, int row, int column);
static ngx_int_t ngx_camera_feeder_cidrs(cam_registry_entry_t *entry,
    const char *text);


#define ngx_camera_feeder_true(res, row, column)                              \
    (PQgetvalue(res, row, column)[0] == 't')


ngx_int_t
ngx_camera_feeder_rows(cam_registry_t *reg, const PGresult *res,
    ngx_uint_t whole, ngx_log_t *log)
{
    int        row, rows;
    uint8_t    camera[CAM_UUID_LEN];
    ngx_int_t  left_out;

    rows = PQntuples(res);

    if (PQnfields(res) != NGX_CAMERA_FEEDER_COLUMNS || rows == 0) {
        return NGX_ERROR;
    }

    if (whole) {
        cam_registry_load_begin(reg);
    }

    /* first, because another camera may have been given the key since */

    for (row = 0; row < rows; row++) {

        if (ngx_camera_feeder_true(res, row, NGX_CAMERA_FEEDER_REMOVED)
            && cam_uuid_parse(camera,
                              PQgetvalue(res, row, NGX_CAMERA_FEEDER_CAMERA),
                              CAM_UUID_TEXT)
               == 0)
        {
            cam_registry_remove(reg, camera);
        }
    }

    left_out = ngx_camera_feeder_put(reg, res, log);

    if (whole) {
        cam_registry_load_commit(reg);
    }

    /* what the load removed may have made room */

    if (whole && left_out) {
        cam_registry_load_begin(reg);
        left_out = ngx_camera_feeder_put(reg, res, log);
        cam_registry_load_commit(reg);
    }

    return left_out;
}


static ngx_int_t
ngx_camera_feeder_put(cam_registry_t *reg, const PGresult *res,
    ngx_log_t *log)
{
    int                   row;
    ngx_int_t             left_out;
    cam_registry_entry_t  entry;

    left_out = 0;

    for (row = 0; row < PQntuples(res); row++) {

        if (PQgetisnull(res, row, NGX_CAMERA_FEEDER_CAMERA)
            || ngx_camera_feeder_true(res, row, NGX_CAMERA_FEEDER_REMOVED))
        {
            continue;
        }

        if (ngx_camera_feeder_entry(&entry, res, row) != NGX_OK) {
            ngx_log_error(NGX_LOG_ALERT, log, 0,
                          "row of camera \"%s\" is not understood",
                          PQgetvalue(res, row, NGX_CAMERA_FEEDER_CAMERA));
            continue;
        }

        if (cam_registry_put(reg, &entry) != 0) {
            left_out++;
        }
    }

    return left_out;
}


static ngx_int_t
ngx_camera_feeder_entry(cam_registry_entry_t *entry, const PGresult *res,
    int row)
{
    int64_t  kg, pg, until, epoch, quota, viewers, egress;

    ngx_memzero(entry, sizeof(cam_registry_entry_t));

    if (ngx_camera_feeder_names(entry, res, row) != NGX_OK
        || ngx_camera_feeder_number(res, row,
               NGX_CAMERA_FEEDER_KEY_GENERATION, UINT32_MAX, &kg) != NGX_OK
        || ngx_camera_feeder_number(res, row,
               NGX_CAMERA_FEEDER_PREV_GENERATION, UINT32_MAX, &pg) != NGX_OK
        || ngx_camera_feeder_number(res, row,
               NGX_CAMERA_FEEDER_PREV_UNTIL, INT64_MAX, &until) != NGX_OK
        || ngx_camera_feeder_number(res, row,
               NGX_CAMERA_FEEDER_PLAY_EPOCH, UINT32_MAX, &epoch) != NGX_OK
        || ngx_camera_feeder_number(res, row,
               NGX_CAMERA_FEEDER_MAX_PUBLISHERS, UINT32_MAX, &quota) != NGX_OK
        || ngx_camera_feeder_number(res, row,
               NGX_CAMERA_FEEDER_MAX_VIEWERS, UINT32_MAX, &viewers) != NGX_OK
        || ngx_camera_feeder_number(res, row,
               NGX_CAMERA_FEEDER_MAX_EGRESS, UINT32_MAX, &egress) != NGX_OK
        || ngx_camera_feeder_hash(entry->opaque[0], res, row,
                                  NGX_CAMERA_FEEDER_OPAQUE) != NGX_OK
        || ngx_camera_feeder_hash(entry->opaque[1], res, row,
                                  NGX_CAMERA_FEEDER_PREV_OPAQUE) != NGX_OK
        || ngx_camera_feeder_cidrs(entry,
               PQgetvalue(res, row, NGX_CAMERA_FEEDER_CIDRS)) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_camera_feeder_true(res, row, NGX_CAMERA_FEEDER_ACTIVE)) {
        entry->flags |= CAM_CAMERA_ACTIVE;
    }

    if (ngx_camera_feeder_true(res, row, NGX_CAMERA_FEEDER_CUT_AT_EXPIRY)) {
        entry->flags |= CAM_CAMERA_CUT_AT_EXPIRY;
    }

    entry->key_generation = (uint32_t) kg;
    entry->prev_generation = (uint32_t) pg;
    entry->prev_until = until;
    entry->opaque_generation[0] = entry->key_generation;
    entry->opaque_generation[1] = entry->prev_generation;
    entry->play_epoch = (uint32_t) epoch;
    entry->max_publishers = (uint32_t) quota;
    entry->max_viewers = (uint32_t) viewers;
    entry->max_egress_kbps = (uint32_t) egress;

    return NGX_OK;
}


static ngx_int_t
ngx_camera_feeder_names(cam_registry_entry_t *entry, const PGresult *res,
    int row)
{
    int          len;
    const char  *key;

    len = PQgetlength(res, row, NGX_CAMERA_FEEDER_KEY);
    key = PQgetvalue(res, row, NGX_CAMERA_FEEDER_KEY);

    if (len == 0 || len >= CAM_REGISTRY_KEY_MAX) {
        return NGX_ERROR;
    }

    ngx_memcpy(entry->key, key, (size_t) len);

    if (cam_uuid_parse(entry->camera,
                       PQgetvalue(res, row, NGX_CAMERA_FEEDER_CAMERA),
                       PQgetlength(res, row, NGX_CAMERA_FEEDER_CAMERA)) != 0
        || cam_uuid_parse(entry->tenant,
                          PQgetvalue(res, row, NGX_CAMERA_FEEDER_TENANT),
                          PQgetlength(res, row, NGX_CAMERA_FEEDER_TENANT))
           != 0)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_camera_feeder_number(const PGresult *res, int row, int column, int64_t max,
    int64_t *value)
{
    char        *end;
    const char  *text;

    text = PQgetvalue(res, row, column);

    errno = 0;
    *value = strtoll(text, &end, 10);

    if (errno || end == text || *end != '\0' || *value < 0 || *value > max) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* bytea as text: \x and hexadecimal digits */

static ngx_int_t
ngx_camera_feeder_hash(uint8_t hash[32], const PGresult *res, int row,
    int column)
{
    int         i;
    u_char     *text;
    ngx_int_t   byte;

    if (PQgetisnull(res, row, column)) {
        return NGX_OK;
    }

    text = (u_char *) PQgetvalue(res, row, column);

    if (PQgetlength(res, row, column) != 2 + 64
        || text[0] != '\\' || text[1] != 'x')
    {
        return NGX_ERROR;
    }

    for (i = 0; i < 32; i++) {
        byte = ngx_hextoi(&text[2 + 2 * i], 2);

        if (byte == NGX_ERROR) {
            return NGX_ERROR;
        }

        hash[i] = (uint8_t) byte;
    }

    return NGX_OK;
}


/* separated by single spaces */

static ngx_int_t
ngx_camera_feeder_cidrs(cam_registry_entry_t *entry, const char *text)
{
    size_t      len;
    ngx_uint_t  n;

    for (n = 0; *text; n++) {
        len = strcspn(text, " ");

        if (n == CAM_REGISTRY_CIDRS
            || cam_cidr_parse(&entry->cidr[n], text, len) != 0)
        {
            return NGX_ERROR;
        }

        text += len;
        text += *text == ' ';
    }

    return NGX_OK;
}
