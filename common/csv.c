/*
 * Copyright (C) The nginx camera platform authors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "csv.h"


#define CAM_CSV_CELL  4096              /* bytes of a cell, unquoted */


typedef struct {
    const char         *p;
    const char         *end;
    unsigned            line;

    const cam_field_t  *columns[CAM_FIELDS_MAX];
    unsigned            n;              /* of them */

    char                cell[CAM_CSV_CELL + 1];
    size_t              len;
    unsigned            last;           /* it ended its line */

    char               *err;
    size_t              size;
} cam_csv_t;


static int cam_csv_names(cam_csv_t *csv, const cam_field_t *fields);
static int cam_csv_name(cam_csv_t *csv, const cam_field_t *fields);
static json_t *cam_csv_row(cam_csv_t *csv);
static int cam_csv_put(cam_csv_t *csv, json_t *row, const cam_field_t *field);
static json_t *cam_csv_value(cam_csv_t *csv, const cam_field_t *field);
static json_t *cam_csv_list(cam_csv_t *csv);
static int cam_csv_cell(cam_csv_t *csv);
static int cam_csv_quoted(cam_csv_t *csv);
static int cam_csv_take(cam_csv_t *csv, char c);
static int cam_csv_end(cam_csv_t *csv);
static int cam_csv_wrong(cam_csv_t *csv, const char *what);


json_t *
cam_csv_read(const char *text, size_t len, const cam_field_t *fields,
    size_t rows, char *err, size_t size)
{
    json_t     *list, *row;
    cam_csv_t   csv;

    static const char  mark[] = "\xef\xbb\xbf";     /* of byte order */

    memset(&csv, 0, sizeof(csv));

    csv.p = text;
    csv.end = text + len;
    csv.line = 1;
    csv.err = err;
    csv.size = size;

    if (len >= 3 && memcmp(text, mark, 3) == 0) {
        csv.p += 3;
    }

    if (cam_csv_names(&csv, fields) != 0) {
        return NULL;
    }

    list = json_array();

    while (list && csv.p < csv.end) {

        if (*csv.p == '\r' || *csv.p == '\n') {
            csv.p++;                    /* an empty line */
            continue;
        }

        if (json_array_size(list) == rows) {
            (void) snprintf(err, size, "has more than %zu rows", rows);
            json_decref(list);
            return NULL;
        }

        csv.line++;
        row = cam_csv_row(&csv);

        if (row == NULL || json_array_append_new(list, row) != 0) {
            json_decref(list);
            return NULL;
        }
    }

    return list;
}


static int
cam_csv_names(cam_csv_t *csv, const cam_field_t *fields)
{
    do {
        if (cam_csv_cell(csv) != 0 || cam_csv_name(csv, fields) != 0) {
            return -1;
        }

    } while (!csv->last);

    return 0;
}


static int
cam_csv_name(cam_csv_t *csv, const cam_field_t *fields)
{
    unsigned            i;
    const cam_field_t  *field;

    for (field = fields; field->name; field++) {
        if (strlen(field->name) == csv->len
            && memcmp(field->name, csv->cell, csv->len) == 0)
        {
            break;
        }
    }

    if (field->name == NULL) {
        return cam_csv_wrong(csv, "names a column that is no field");
    }

    for (i = 0; i < csv->n; i++) {
        if (csv->columns[i] == field) {
            return cam_csv_wrong(csv, "names a column twice");
        }
    }

    csv->columns[csv->n++] = field;

    return 0;
}


static json_t *
cam_csv_row(cam_csv_t *csv)
{
    json_t    *row;
    unsigned   i;

    row = json_object();

    for (i = 0; row; i++) {

        if (cam_csv_cell(csv) != 0) {
            break;
        }

        if (i == csv->n || csv->last != (i + 1 == csv->n)) {
            (void) cam_csv_wrong(csv, "has another number of cells than the "
                                      "first one");
            break;
        }

        if (cam_csv_put(csv, row, csv->columns[i]) != 0) {
            break;
        }

        if (csv->last) {
            return row;
        }
    }

    json_decref(row);

    return NULL;
}


static int
cam_csv_put(cam_csv_t *csv, json_t *row, const cam_field_t *field)
{
    if (csv->len == 0) {
        return 0;
    }

    return json_object_set_new(row, field->name, cam_csv_value(csv, field)) == 0
           ? 0 : cam_csv_wrong(csv, "has a text that is no UTF-8");
}


/* NULL: it is no UTF-8 */

static json_t *
cam_csv_value(cam_csv_t *csv, const cam_field_t *field)
{
    char       *end;
    long long   n;

    switch (field->type) {

    case CAM_FIELD_BOOL:
        if (strcasecmp(csv->cell, "true") == 0) {
            return json_true();
        }

        if (strcasecmp(csv->cell, "false") == 0) {
            return json_false();
        }

        break;

    case CAM_FIELD_INT:
        errno = 0;
        n = strtoll(csv->cell, &end, 10);

        if (errno == 0 && *end == '\0' && csv->cell[0] != ' ') {
            return json_integer(n);
        }

        break;

    case CAM_FIELD_TEXTS:
    case CAM_FIELD_CIDRS:
        return cam_csv_list(csv);

    default:
        break;
    }

    return json_stringn(csv->cell, csv->len);
}


static json_t *
cam_csv_list(cam_csv_t *csv)
{
    size_t   n;
    char    *p;
    json_t  *list;

    list = json_array();

    for (p = csv->cell; list && *p; p += n) {
        p += strspn(p, " ");
        n = strcspn(p, " ");

        if (n && json_array_append_new(list, json_stringn(p, n)) != 0) {
            json_decref(list);
            return NULL;
        }
    }

    return list;
}


/* the next one, up to its comma, or to the end of its line */

static int
cam_csv_cell(cam_csv_t *csv)
{
    csv->len = 0;

    if (csv->p < csv->end && *csv->p == '"') {

        if (cam_csv_quoted(csv) != 0) {
            return -1;
        }

    } else {

        while (csv->p < csv->end && memchr(",\r\n", *csv->p, 3) == NULL) {

            if (*csv->p == '"') {
                return cam_csv_wrong(csv, "has a quote within a cell");
            }

            if (cam_csv_take(csv, *csv->p++) != 0) {
                return -1;
            }
        }
    }

    csv->cell[csv->len] = '\0';

    return cam_csv_end(csv);
}


static int
cam_csv_quoted(cam_csv_t *csv)
{
    for (csv->p++; csv->p < csv->end; csv->p++) {

        if (*csv->p == '"') {

            if (++csv->p == csv->end || *csv->p != '"') {
                return 0;
            }
        }

        if (cam_csv_take(csv, *csv->p) != 0) {
            return -1;
        }
    }

    return cam_csv_wrong(csv, "has a quote without an end");
}


static int
cam_csv_take(cam_csv_t *csv, char c)
{
    if (c == '\0') {
        return cam_csv_wrong(csv, "has a byte of zero");
    }

    if (csv->len == CAM_CSV_CELL) {
        return cam_csv_wrong(csv, "has a cell that is too long");
    }

    csv->cell[csv->len++] = c;

    return 0;
}


static int
cam_csv_end(cam_csv_t *csv)
{
    csv->last = 1;

    if (csv->p == csv->end) {
        return 0;
    }

    if (*csv->p == ',') {
        csv->p++;
        csv->last = 0;
        return 0;
    }

    csv->p += *csv->p == '\r';

    if (csv->p < csv->end && *csv->p == '\n') {
        csv->p++;
        return 0;
    }

    return cam_csv_wrong(csv, "has something behind a quote, or a line that "
                              "ends in half");
}


static int
cam_csv_wrong(cam_csv_t *csv, const char *what)
{
    (void) snprintf(csv->err, csv->size, "%s in row %u", what, csv->line);

    return -1;
}
