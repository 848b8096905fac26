/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Which bytes of a recording are sent, and under which name.
 *
 * A session's file is answered by nginx's range filter when the whole of it is
 * in the session's range.  Otherwise one plain range is answered here, cut to
 * what the session may see: with If-Range and the like the filter would send
 * the whole file.
 */

#include "ngx_camera_rec.h"
#include "percent.h"


static ngx_uint_t ngx_camera_rec_range_asked(ngx_http_request_t *r);
static ngx_int_t ngx_camera_rec_range_suffix(ngx_str_t *value, off_t size,
    off_t *start, off_t *end);
static ngx_int_t ngx_camera_rec_range_parse(ngx_http_request_t *r, off_t size,
    off_t *start, off_t *end);
static ngx_int_t ngx_camera_rec_range_number(u_char **p, u_char *last,
    off_t *number);
static ngx_int_t ngx_camera_rec_range_set(ngx_http_request_t *r,
    const char *format, off_t start, off_t end, off_t size);
static u_char *ngx_camera_rec_name_plain(u_char *p, const char *text,
    size_t len);


ngx_int_t
ngx_camera_rec_range(ngx_http_request_t *r, off_t size, off_t init,
    off_t *start, off_t *end)
{
    off_t      first, last, wanted, until;
    ngx_int_t  rc;

    first = *start;
    last = *end;

    if (first == init && last == size) {
        *start = 0;
        return NGX_OK;
    }

    rc = ngx_camera_rec_range_parse(r, size, &wanted, &until);

    if (rc == NGX_DECLINED) {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "not one range of the file");
    }

    if (wanted >= size) {
        return ngx_camera_rec_range_set(r, "bytes */%O", size, 0, 0) == NGX_OK
               ? NGX_HTTP_RANGE_NOT_SATISFIABLE
               : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (wanted < init) {
        last = first == init ? last : init;

    } else if (wanted < first || wanted >= last) {
        return ngx_camera_play_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "outside of the session's range");
    }

    *start = wanted;
    *end = ngx_min(until, last);

    r->headers_out.status = NGX_HTTP_PARTIAL_CONTENT;
    r->allow_ranges = 0;

    return ngx_camera_rec_range_set(r, "bytes %O-%O/%O", *start, *end - 1,
                                    size)
           == NGX_OK ? NGX_OK : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


ngx_int_t
ngx_camera_rec_range_one(ngx_http_request_t *r, off_t size, off_t *start,
    off_t *end)
{
    off_t      first, last;
    ngx_int_t  rc;

    rc = NGX_DECLINED;

    if (ngx_camera_rec_range_asked(r)) {
        rc = ngx_camera_rec_range_suffix(&r->headers_in.range->value, size,
                                         &first, &last);

        if (rc == NGX_DECLINED) {
            rc = ngx_camera_rec_range_parse(r, size, &first, &last);
        }
    }

    /* the filter finds none, and says that there could be one */

    r->headers_in.range = NULL;

    if (rc == NGX_DECLINED) {
        return NGX_OK;
    }

    if (first >= size) {
        return ngx_camera_rec_range_set(r, "bytes */%O", size, 0, 0) == NGX_OK
               ? NGX_HTTP_RANGE_NOT_SATISFIABLE
               : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    *start = first;
    *end = last;

    r->headers_out.status = NGX_HTTP_PARTIAL_CONTENT;
    r->allow_ranges = 0;

    return ngx_camera_rec_range_set(r, "bytes %O-%O/%O", *start, *end - 1,
                                    size)
           == NGX_OK ? NGX_OK : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* RFC 9110, 13.1.5: not of another file than the one that is known */

static ngx_uint_t
ngx_camera_rec_range_asked(ngx_http_request_t *r)
{
    ngx_str_t  *value, *etag;

    if (r->headers_in.range == NULL || r->http_version < NGX_HTTP_VERSION_10) {
        return 0;
    }

    if (r->headers_in.if_range == NULL) {
        return 1;
    }

    value = &r->headers_in.if_range->value;

    if (value->len >= 2 && value->data[value->len - 1] == '"') {
        etag = r->headers_out.etag ? &r->headers_out.etag->value : NULL;

        return etag && value->len == etag->len
               && ngx_memcmp(value->data, etag->data, etag->len) == 0;
    }

    return ngx_parse_http_time(value->data, value->len)
           == r->headers_out.last_modified_time;
}


/* "bytes=-N", the last N */

static ngx_int_t
ngx_camera_rec_range_suffix(ngx_str_t *value, off_t size, off_t *start,
    off_t *end)
{
    off_t    n;
    u_char  *p, *last;

    p = value->data;
    last = p + value->len;

    if (value->len < sizeof("bytes=-0") - 1
        || ngx_strncasecmp(p, (u_char *) "bytes=-", sizeof("bytes=-") - 1)
           != 0)
    {
        return NGX_DECLINED;
    }

    p += sizeof("bytes=-") - 1;

    if (ngx_camera_rec_range_number(&p, last, &n) != NGX_OK || p != last) {
        return NGX_DECLINED;
    }

    *start = n == 0 ? size : size - ngx_min(n, size);
    *end = size;

    return NGX_OK;
}


/* "bytes=N-" and "bytes=N-M"; end is behind the last byte.  NGX_DECLINED: there
   is none, or another kind, or several */

static ngx_int_t
ngx_camera_rec_range_parse(ngx_http_request_t *r, off_t size, off_t *start,
    off_t *end)
{
    u_char     *p, *last;
    ngx_str_t  *value;

    if (r->headers_in.range == NULL) {
        return NGX_DECLINED;
    }

    value = &r->headers_in.range->value;
    p = value->data;
    last = p + value->len;

    if (value->len < sizeof("bytes=0-") - 1
        || ngx_strncasecmp(p, (u_char *) "bytes=", sizeof("bytes=") - 1) != 0)
    {
        return NGX_DECLINED;
    }

    p += sizeof("bytes=") - 1;

    if (ngx_camera_rec_range_number(&p, last, start) != NGX_OK
        || p == last || *p++ != '-')
    {
        return NGX_DECLINED;
    }

    *end = size;

    if (p == last) {
        return NGX_OK;
    }

    if (ngx_camera_rec_range_number(&p, last, end) != NGX_OK || p != last
        || *end < *start)
    {
        return NGX_DECLINED;
    }

    *end = ngx_min(*end + 1, size);

    return NGX_OK;
}


static ngx_int_t
ngx_camera_rec_range_number(u_char **p, u_char *last, off_t *number)
{
    off_t    n;
    u_char  *digit;

    n = 0;

    for (digit = *p; digit < last && *digit >= '0' && *digit <= '9'; digit++) {

        if (digit - *p >= 18) {
            return NGX_DECLINED;
        }

        n = n * 10 + (*digit - '0');
    }

    if (digit == *p) {
        return NGX_DECLINED;
    }

    *number = n;
    *p = digit;

    return NGX_OK;
}


static ngx_int_t
ngx_camera_rec_range_set(ngx_http_request_t *r, const char *format,
    off_t start, off_t end, off_t size)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    ngx_str_set(&h->key, "Content-Range");

    h->value.data = ngx_pnalloc(r->pool, sizeof("bytes -/")
                                         + 3 * NGX_OFF_T_LEN);
    if (h->value.data == NULL) {
        h->hash = 0;
        return NGX_ERROR;
    }

    h->value.len = ngx_sprintf(h->value.data, format, start, end, size)
                   - h->value.data;

    r->headers_out.content_range = h;

    return NGX_OK;
}


/*
 * RFC 6266 and RFC 8187: the name as it is for those who can read it, and one
 * in plain letters.  What was encoded for the URI is right here, too.
 */

ngx_int_t
ngx_camera_rec_disposition(ngx_http_request_t *r, const cam_play_text_t *name)
{
    char              text[CAM_RECORD_NAME_MAX + 1];
    u_char           *p;
    ssize_t           len;
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    ngx_str_set(&h->key, "Content-Disposition");
    ngx_str_set(&h->value, "attachment");

    /* the API signed it, so it is neither long nor wrong */

    len = name->len <= 3 * CAM_RECORD_NAME_MAX && name->len
          ? cam_percent_decode(text, name->data, name->len, 0) : 0;

    if (len <= 0) {
        return NGX_OK;
    }

    h->value.data = ngx_pnalloc(r->pool, sizeof("attachment; filename=\"\"; "
                                                "filename*=UTF-8''")
                                         + len + name->len);
    if (h->value.data == NULL) {
        h->hash = 0;
        return NGX_ERROR;
    }

    p = ngx_sprintf(h->value.data, "attachment; filename=\"");
    p = ngx_camera_rec_name_plain(p, text, (size_t) len);
    p = ngx_sprintf(p, "\"; filename*=UTF-8''");
    p = ngx_cpymem(p, name->data, name->len);

    h->value.len = p - h->value.data;

    return NGX_OK;
}


/* a line below for whatever is no letter of ASCII, or would end the name */

static u_char *
ngx_camera_rec_name_plain(u_char *p, const char *text, size_t len)
{
    size_t  i;
    u_char  c;

    for (i = 0; i < len; i++) {
        c = (u_char) text[i];

        if (c >= 0x80 && c < 0xc0) {
            continue;                   /* goes on with a character */
        }

        *p++ = c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '/'
               || c == '%' ? '_' : c;
    }

    return p;
}
