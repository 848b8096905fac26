/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Where Redis is:
 *
 *     unix:/path    ip[:port]                                     as in nginx
 *     redis://[[user]:password@]ip[:port][/db]                      as a URL
 *     unix://[[user]:password@]/path[?db=n]
 *
 * A name is refused, because the library would look it up and block, and so is
 * TLS, which it has not.  Nothing of the text is ever quoted: it may hold a
 * password.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <sys/un.h>

#include "ngx_camera_redis.h"

#define NGX_CAMERA_REDIS_PORT  6379


static ngx_uint_t ngx_camera_redis_prefix(ngx_str_t *text, const char *prefix);
static const char *ngx_camera_redis_parse_user(ngx_pool_t *pool,
    ngx_str_t *text, ngx_camera_redis_address_t *address);
static ngx_int_t ngx_camera_redis_unescape(ngx_pool_t *pool, ngx_str_t *to,
    u_char *p, u_char *last);
static const char *ngx_camera_redis_parse_db(ngx_str_t *text,
    const char *mark, ngx_camera_redis_address_t *address);
static const char *ngx_camera_redis_parse_path(ngx_pool_t *pool,
    ngx_str_t *text, ngx_camera_redis_address_t *address);
static const char *ngx_camera_redis_parse_ip(ngx_pool_t *pool,
    ngx_str_t *text, ngx_camera_redis_address_t *address);


const char *
ngx_camera_redis_parse(ngx_pool_t *pool, const ngx_str_t *text,
    ngx_camera_redis_address_t *address)
{
    ngx_str_t    rest;
    ngx_uint_t   path;
    const char  *error;

    ngx_memzero(address, sizeof(ngx_camera_redis_address_t));

    rest = *text;
    error = NULL;

    if (ngx_camera_redis_prefix(&rest, "rediss://")) {
        return "asks for TLS, which is not supported: put Redis on this "
               "machine, or behind a tunnel";
    }

    path = 0;

    if (ngx_camera_redis_prefix(&rest, "unix://")) {
        path = 1;
        error = ngx_camera_redis_parse_user(pool, &rest, address);

    } else if (ngx_camera_redis_prefix(&rest, "redis://")) {
        error = ngx_camera_redis_parse_user(pool, &rest, address);

    } else {
        path = ngx_camera_redis_prefix(&rest, "unix:");
    }

    if (error == NULL) {
        error = ngx_camera_redis_parse_db(&rest, path ? "?db=" : "/", address);
    }

    if (error) {
        return error;
    }

    return path ? ngx_camera_redis_parse_path(pool, &rest, address)
                : ngx_camera_redis_parse_ip(pool, &rest, address);
}


static ngx_uint_t
ngx_camera_redis_prefix(ngx_str_t *text, const char *prefix)
{
    size_t  len;

    len = ngx_strlen(prefix);

    if (text->len < len || ngx_strncmp(text->data, prefix, len) != 0) {
        return 0;
    }

    text->data += len;
    text->len -= len;

    return 1;
}


/* a slash, a colon or an at sign in a password is written %2F, %3A, %40 */

static const char *
ngx_camera_redis_parse_user(ngx_pool_t *pool, ngx_str_t *text,
    ngx_camera_redis_address_t *address)
{
    u_char  *at, *colon, *last;

    last = text->data + text->len;
    at = ngx_strlchr(text->data, last, '@');

    if (at == NULL) {
        return NULL;
    }

    colon = ngx_strlchr(text->data, at, ':');

    if (colon == NULL || colon + 1 == at) {
        return "names a user without a password";
    }

    if (ngx_camera_redis_unescape(pool, &address->user, text->data, colon)
        != NGX_OK
        || ngx_camera_redis_unescape(pool, &address->password, colon + 1, at)
           != NGX_OK)
    {
        return "needs more memory than there is";
    }

    text->data = at + 1;
    text->len = last - text->data;

    return NULL;
}


static ngx_int_t
ngx_camera_redis_unescape(ngx_pool_t *pool, ngx_str_t *to, u_char *p,
    u_char *last)
{
    u_char  *dst;

    to->data = ngx_pnalloc(pool, last - p + 1);
    if (to->data == NULL) {
        return NGX_ERROR;
    }

    dst = to->data;
    ngx_unescape_uri(&dst, &p, last - p, 0);

    to->len = dst - to->data;

    return NGX_OK;
}


static const char *
ngx_camera_redis_parse_db(ngx_str_t *text, const char *mark,
    ngx_camera_redis_address_t *address)
{
    u_char     *p, *number, *last;
    ngx_int_t   db;

    last = text->data + text->len;
    p = ngx_strnstr(text->data, (char *) mark, text->len);

    if (p == NULL) {
        return NULL;
    }

    number = p + ngx_strlen(mark);
    db = number == last ? 0 : ngx_atoi(number, last - number);

    if (db == NGX_ERROR) {
        return "has no number of a database at its end";
    }

    address->db = db;
    text->len = p - text->data;

    return NULL;
}


static const char *
ngx_camera_redis_parse_path(ngx_pool_t *pool, ngx_str_t *text,
    ngx_camera_redis_address_t *address)
{
    u_char  *path;

    if (text->len == 0 || text->data[0] != '/') {
        return "needs an absolute path behind \"unix:\"";
    }

    if (text->len >= sizeof(((struct sockaddr_un *) 0)->sun_path)) {
        return "has a path too long for a socket";
    }

    path = ngx_pnalloc(pool, text->len + 1);
    if (path == NULL) {
        return "needs more memory than there is";
    }

    ngx_cpystrn(path, text->data, text->len + 1);
    address->path = (char *) path;

    return NULL;
}


static const char *
ngx_camera_redis_parse_ip(ngx_pool_t *pool, ngx_str_t *text,
    ngx_camera_redis_address_t *address)
{
    size_t      len;
    u_char      ip[NGX_SOCKADDR_STRLEN];
    ngx_int_t   rc;
    ngx_addr_t  addr;

    if (text->len > 2 && text->data[0] == '['
        && text->data[text->len - 1] == ']')
    {
        rc = ngx_parse_addr(pool, &addr, text->data + 1, text->len - 2);

    } else {
        rc = ngx_parse_addr_port(pool, &addr, text->data, text->len);
    }

    if (rc == NGX_ERROR) {
        return "needs more memory than there is";
    }

    if (rc != NGX_OK) {
        return "is neither \"unix:/path\" nor a numeric \"ip:port\": a name "
               "would be looked up, which blocks";
    }

    address->port = ngx_inet_get_port(addr.sockaddr);

    if (address->port == 0) {
        address->port = NGX_CAMERA_REDIS_PORT;
    }

    ngx_inet_set_port(addr.sockaddr, 0);

    len = ngx_sock_ntop(addr.sockaddr, addr.socklen, ip, sizeof(ip), 0);

    address->ip = (char *) ngx_pnalloc(pool, len + 1);
    if (address->ip == NULL) {
        return "needs more memory than there is";
    }

    ngx_cpystrn((u_char *) address->ip, ip, len + 1);

    return NULL;
}
