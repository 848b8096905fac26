/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Rows of a result, binary as PostgreSQL sends them, to members of JSON by a
 * table of columns.
 */

#include "json_write.h"
#include "ngx_camera_api_core.h"

#define NGX_CAMERA_API_ARRAY_HEADER  20    /* dimensions, flags, type, one
                                              length, one lower bound */


static void ngx_camera_api_put_value(ngx_camera_api_ctx_t *ctx,
    const ngx_camera_api_column_t *column, u_char *data, size_t len);
static int64_t ngx_camera_api_number(const u_char *data, size_t len);
static int64_t ngx_camera_api_time(const u_char *data, size_t len);
static double ngx_camera_api_float(const u_char *data, size_t len);
static void ngx_camera_api_put_texts(ngx_camera_api_ctx_t *ctx,
    const char *name, u_char *p, size_t len);
static uint32_t ngx_camera_api_word(const u_char *p);


void
ngx_camera_api_put_row(ngx_camera_api_ctx_t *ctx,
    const ngx_camera_api_column_t *columns, const PGresult *res, int row)
{
    int                             n;
    size_t                          len;
    const ngx_camera_api_column_t  *column;

    for (n = 0; columns[n].name; n++) {
        column = &columns[n];

        if (column->type == NGX_CAMERA_API_HIDDEN) {
            continue;
        }

        if (column->type == NGX_CAMERA_API_BY) {
            column->put(ctx, column->name, res, row, n);
            continue;
        }

        len = PQgetlength(res, row, n);

        if (len == 0 && column->type != NGX_CAMERA_API_TEXTS
            && PQgetisnull(res, row, n))
        {
            ngx_camera_api_put_null(ctx, column->name);
            continue;
        }

        ngx_camera_api_put_value(ctx, column,
                                 (u_char *) PQgetvalue(res, row, n), len);
    }
}


static void
ngx_camera_api_put_value(ngx_camera_api_ctx_t *ctx,
    const ngx_camera_api_column_t *column, u_char *data, size_t len)
{
    switch (column->type) {

    case NGX_CAMERA_API_TEXT:
        ngx_camera_api_put_text(ctx, column->name, data, len);
        break;

    case NGX_CAMERA_API_UUID:
        ngx_camera_api_put_uuid(ctx, column->name, data);
        break;

    case NGX_CAMERA_API_BOOL:
        ngx_camera_api_put_bool(ctx, column->name, data[0]);
        break;

    case NGX_CAMERA_API_INT:
        ngx_camera_api_put_int(ctx, column->name,
                               ngx_camera_api_number(data, len));
        break;

    case NGX_CAMERA_API_FLOAT:
        ngx_camera_api_put_float(ctx, column->name,
                                 ngx_camera_api_float(data, len));
        break;

    case NGX_CAMERA_API_TIME:
        ngx_camera_api_put_time(ctx, column->name,
                                ngx_camera_api_time(data, len));
        break;

    case NGX_CAMERA_API_TEXTS:
        ngx_camera_api_put_texts(ctx, column->name, data, len);
        break;

    default:
        ngx_camera_api_put_json(ctx, column->name, data, len);
        break;
    }
}


void
ngx_camera_api_put_int_of(ngx_camera_api_ctx_t *ctx, const char *name,
    const PGresult *res, int row, int column)
{
    if (PQgetisnull(res, row, column)) {
        ngx_camera_api_put_null(ctx, name);

    } else {
        ngx_camera_api_put_int(ctx, name,
                               ngx_camera_api_int(res, row, column));
    }
}


int64_t
ngx_camera_api_int(const PGresult *res, int row, int column)
{
    return ngx_camera_api_number((u_char *) PQgetvalue(res, row, column),
                                 PQgetlength(res, row, column));
}


int64_t
ngx_camera_api_msec(const PGresult *res, int row, int column)
{
    return ngx_camera_api_time((u_char *) PQgetvalue(res, row, column),
                               PQgetlength(res, row, column));
}


static int64_t
ngx_camera_api_number(const u_char *data, size_t len)
{
    size_t    i;
    uint64_t  value;

    value = len && data[0] & 0x80 ? (uint64_t) -1 : 0;

    for (i = 0; i < len && i < 8; i++) {
        value = value << 8 | data[i];
    }

    return (int64_t) value;
}


/* microseconds since 2000; those before it round down, too */

static int64_t
ngx_camera_api_time(const u_char *data, size_t len)
{
    int64_t  usec, msec;

    usec = ngx_camera_api_number(data, len);
    msec = usec / 1000 - (usec % 1000 < 0);

    return msec + CAM_JSON_EPOCH_2000_MSEC;
}


static double
ngx_camera_api_float(const u_char *data, size_t len)
{
    float     single;
    double    value;
    uint32_t  bits4;
    uint64_t  bits8;

    bits8 = (uint64_t) ngx_camera_api_number(data, len);

    if (len == sizeof(single)) {
        bits4 = (uint32_t) bits8;
        ngx_memcpy(&single, &bits4, sizeof(single));
        return single;
    }

    ngx_memcpy(&value, &bits8, sizeof(value));

    return value;
}


/* text[]; an empty one has no dimension, NULL is one, too */

static void
ngx_camera_api_put_texts(ngx_camera_api_ctx_t *ctx, const char *name,
    u_char *p, size_t len)
{
    u_char    *last;
    uint32_t   n, size;

    last = p + len;
    n = 0;

    if (len >= NGX_CAMERA_API_ARRAY_HEADER) {
        n = ngx_camera_api_word(p + 12);
        p += NGX_CAMERA_API_ARRAY_HEADER;
    }

    ngx_camera_api_begin(ctx, name, '[');

    while (n-- && last - p >= 4) {
        size = ngx_camera_api_word(p);
        p += 4;

        if (size > (size_t) (last - p)) {
            ngx_camera_api_put_null(ctx, NULL);
            continue;
        }

        ngx_camera_api_put_text(ctx, NULL, p, size);
        p += size;
    }

    ngx_camera_api_end(ctx, ']');
}


static uint32_t
ngx_camera_api_word(const u_char *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
           | (uint32_t) p[2] << 8 | p[3];
}
