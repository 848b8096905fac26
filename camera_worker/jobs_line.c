/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A kind of line is a row of the table below.  Members that a line has beside
 * those are left alone, so that a newer recorder may say more.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "jobs_line.h"
#include "json_read.h"
#include "record_cipher.h"

#define CW_JOBS_TIME(n)  "to_timestamp($" #n "::bigint / 1000.0)"


typedef enum {
    CW_JOBS_END = 0,
    CW_JOBS_VOLUME,              /* not of the line: the one it is about */
    CW_JOBS_UUID,
    CW_JOBS_UUID_OR_NULL,
    CW_JOBS_NUMBER,
    CW_JOBS_NUMBER_OR_NULL,      /* or absent, as for all of these */
    CW_JOBS_TEXT,
    CW_JOBS_TEXT_OR_NULL,
    CW_JOBS_KEY_OR_NULL          /* wrapped, and the kid beside it */
} cw_jobs_type_e;


typedef struct {
    const char      *name;
    cw_jobs_type_e   type;
} cw_jobs_member_t;


typedef struct {
    const char         *name;
    const char         *sql;
    cw_jobs_member_t    member[CW_JOBS_LINE_VALUES];
} cw_jobs_kind_t;


static const cw_jobs_kind_t *cw_jobs_kind(const json_t *json);
static int cw_jobs_value(cw_jobs_line_t *line, const cw_jobs_member_t *member,
    const char *volume);
static int cw_jobs_value_text(cw_jobs_line_t *line, const json_t *value,
    const cw_jobs_member_t *member);
static int cw_jobs_value_key(const cw_jobs_line_t *line);


static const cw_jobs_kind_t  cw_jobs_kinds[] = {

    { "open",
      "SELECT journal_open($1, $2, $3, $4, " CW_JOBS_TIME(5) ", $6, $7, $8,"
      " $9, $10, $11)",
      { { NULL, CW_JOBS_VOLUME },
        { "id", CW_JOBS_UUID },
        { "camera", CW_JOBS_UUID },
        { "path", CW_JOBS_TEXT },
        { "start", CW_JOBS_NUMBER },
        { "codecs", CW_JOBS_TEXT_OR_NULL },
        { "width", CW_JOBS_NUMBER_OR_NULL },
        { "height", CW_JOBS_NUMBER_OR_NULL },
        { "length", CW_JOBS_NUMBER_OR_NULL },
        { "kid", CW_JOBS_TEXT_OR_NULL },
        { "wrapped", CW_JOBS_KEY_OR_NULL } } },

    { "advance",
      "SELECT journal_advance($1, " CW_JOBS_TIME(2) ", $3, $4, $5)",
      { { "id", CW_JOBS_UUID },
        { "end", CW_JOBS_NUMBER },
        { "bytes", CW_JOBS_NUMBER },
        { "usec", CW_JOBS_NUMBER },
        { "fragments", CW_JOBS_NUMBER } } },

    { "close",
      "SELECT journal_close($1, " CW_JOBS_TIME(2) ", $3, $4, $5, $6)",
      { { "id", CW_JOBS_UUID },
        { "end", CW_JOBS_NUMBER },
        { "bytes", CW_JOBS_NUMBER },
        { "usec", CW_JOBS_NUMBER },
        { "fragments", CW_JOBS_NUMBER },
        { "why", CW_JOBS_TEXT } } },

    { "gap",
      "SELECT journal_gap($1, g.starts, g.ends, $4),"
      " recording_gap_alert($1, g.starts, g.ends, $4)"
      " FROM (SELECT " CW_JOBS_TIME(2) " AS starts, "
      CW_JOBS_TIME(3) " AS ends) g",
      { { "camera", CW_JOBS_UUID },
        { "start", CW_JOBS_NUMBER },
        { "end", CW_JOBS_NUMBER_OR_NULL },
        { "cause", CW_JOBS_TEXT } } },

    { "removed",
      "SELECT journal_removed($1, $2)",
      { { "id", CW_JOBS_UUID },
        { "why", CW_JOBS_TEXT } } },

    { "alert",
      "SELECT journal_alert($1, $2, $3, $4, " CW_JOBS_TIME(5) ")",
      { { "type", CW_JOBS_TEXT },
        { "severity", CW_JOBS_TEXT },
        { "camera", CW_JOBS_UUID_OR_NULL },
        { "message", CW_JOBS_TEXT },
        { "at", CW_JOBS_NUMBER } } },

    { "calm",
      "SELECT journal_calm($1, $2, " CW_JOBS_TIME(3) ")",
      { { "type", CW_JOBS_TEXT },
        { "camera", CW_JOBS_UUID_OR_NULL },
        { "at", CW_JOBS_NUMBER } } },

    { NULL, NULL, { { NULL, CW_JOBS_END } } }
};


int
cw_jobs_line_parse(cw_jobs_line_t *line, const char *volume, const char *text,
    size_t len, char *err, size_t size)
{
    const cw_jobs_kind_t    *kind;
    const cw_jobs_member_t  *member;

    memset(line, 0, sizeof(cw_jobs_line_t));

    line->json = cam_json_read(text, len, err, size);

    if (line->json == NULL) {
        return -1;
    }

    kind = cw_jobs_kind(line->json);

    if (kind == NULL) {
        snprintf(err, size, "is of no kind that is known");
        goto failed;
    }

    line->sql = kind->sql;

    for (member = kind->member; member->type != CW_JOBS_END; member++) {

        if (cw_jobs_value(line, member, volume) == -1) {
            snprintf(err, size, "has no good \"%s\"", member->name);
            goto failed;
        }

        line->n++;
    }

    return 0;

failed:

    cw_jobs_line_free(line);

    return -1;
}


void
cw_jobs_line_free(cw_jobs_line_t *line)
{
    json_decref(line->json);
    line->json = NULL;
}


static const cw_jobs_kind_t *
cw_jobs_kind(const json_t *json)
{
    const char            *name;
    const cw_jobs_kind_t  *kind;

    name = json_string_value(json_object_get(json, "n"));

    if (name == NULL) {
        return NULL;
    }

    for (kind = cw_jobs_kinds; kind->name; kind++) {
        if (strcmp(kind->name, name) == 0) {
            return kind;
        }
    }

    return NULL;
}


static int
cw_jobs_value(cw_jobs_line_t *line, const cw_jobs_member_t *member,
    const char *volume)
{
    const json_t  *value;

    if (member->type == CW_JOBS_VOLUME) {
        line->value[line->n] = volume;
        return 0;
    }

    value = json_object_get(line->json, member->name);

    if (value == NULL || json_is_null(value)) {
        return member->type == CW_JOBS_UUID_OR_NULL
               || member->type == CW_JOBS_NUMBER_OR_NULL
               || member->type == CW_JOBS_TEXT_OR_NULL
               || member->type == CW_JOBS_KEY_OR_NULL ? 0 : -1;
    }

    if (member->type != CW_JOBS_NUMBER
        && member->type != CW_JOBS_NUMBER_OR_NULL)
    {
        return cw_jobs_value_text(line, value, member);
    }

    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        return -1;
    }

    snprintf(line->number[line->n], CW_JOBS_LINE_NUMBER, "%" PRId64,
             (int64_t) json_integer_value(value));
    line->value[line->n] = line->number[line->n];

    return 0;
}


static int
cw_jobs_value_text(cw_jobs_line_t *line, const json_t *value,
    const cw_jobs_member_t *member)
{
    uint8_t  uuid[CAM_UUID_LEN];

    if (!json_is_string(value)) {
        return -1;
    }

    line->value[line->n] = json_string_value(value);

    if (member->type == CW_JOBS_KEY_OR_NULL) {
        return cw_jobs_value_key(line);
    }

    if (member->type != CW_JOBS_UUID && member->type != CW_JOBS_UUID_OR_NULL) {
        return 0;
    }

    return cam_uuid_parse(uuid, json_string_value(value),
                          json_string_length(value));
}


/* both texts are what a head could have, so nothing else comes into a row */

static int
cw_jobs_value_key(const cw_jobs_line_t *line)
{
    char         kid[CAM_KID_MAX];
    uint8_t      wrapped[CAM_RECORD_WRAPPED];
    const char  *name;

    name = line->value[line->n - 1];

    return name != NULL
           ? cam_record_cipher_parse(kid, wrapped, name, line->value[line->n])
           : -1;
}
