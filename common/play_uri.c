/*
 * Copyright (C) The nginx camera platform authors
 */

/* Reads playback URIs, see play_uri.h for what there is. */

#include <string.h>

#include "play_uri.h"


#define CAM_PLAY_DIGITS  18     /* fits int64_t */

#define cam_play_is(text, len, name)                                          \
    ((len) == sizeof(name) - 1 && memcmp(text, name, sizeof(name) - 1) == 0)

#define cam_play_starts(text, len, name)                                      \
    ((len) >= sizeof(name) - 1 && memcmp(text, name, sizeof(name) - 1) == 0)


static int cam_play_parse_file(cam_play_path_t *path, const char *text,
    size_t len);
static int cam_play_parse_arg(cam_play_args_t *args, cam_play_kind_e kind,
    const char *name, size_t nlen, const char *value, size_t vlen);
static int cam_play_parse_delivery(cam_play_args_t *args,
    cam_play_kind_e kind, const char *name, size_t nlen, const char *value,
    size_t vlen);
static int64_t *cam_play_back_number(cam_play_args_t *args, char name);
static int cam_play_set_text(cam_play_text_t *text, const char *value,
    size_t len);
static int cam_play_set_number(int64_t *number, const char *value,
    size_t len);
static int64_t cam_play_number(const char **text, const char *end);
static int cam_play_is_digits(const char *text, const char *end);


int
cam_play_parse_path(cam_play_path_t *path, const char *text, size_t len)
{
    size_t  i;

    memset(path, 0, sizeof(cam_play_path_t));

    if (len < CAM_UUID_TEXT + 1 || text[CAM_UUID_TEXT] != '/'
        || cam_uuid_parse(path->camera, text, CAM_UUID_TEXT) != 0)
    {
        return -1;
    }

    for (i = 0; i < CAM_UUID_TEXT; i++) {
        if (text[i] >= 'A' && text[i] <= 'F') {
            return -1;
        }
    }

    return cam_play_parse_file(path, text + CAM_UUID_TEXT + 1,
                               len - CAM_UUID_TEXT - 1);
}


static int
cam_play_parse_file(cam_play_path_t *path, const char *text, size_t len)
{
    int64_t      number;
    const char  *p, *end;

    if (cam_play_is(text, len, "playlist.m3u8")) {
        path->kind = CAM_PLAY_MASTER;
        return 0;
    }

    if (cam_play_is(text, len, "live.m3u8")) {
        path->kind = CAM_PLAY_LIVE;
        return 0;
    }

    if (cam_play_is(text, len, "back.m3u8")) {
        path->kind = CAM_PLAY_BACK;
        return 0;
    }

    p = text;
    end = text + len;
    path->kind = CAM_PLAY_SEGMENT;

    if (cam_play_starts(p, len, "init.")) {
        path->kind = CAM_PLAY_INIT;
        p += sizeof("init.") - 1;
    }

    number = cam_play_number(&p, end);

    if (number < 0) {
        return -1;
    }

    path->number = number;

    if (path->kind == CAM_PLAY_INIT) {
        return cam_play_is(p, (size_t) (end - p), ".mp4")
               && number <= UINT32_MAX ? 0 : -1;
    }

    if (cam_play_is(p, (size_t) (end - p), ".m4s")) {
        return 0;
    }

    if (p == end || *p++ != '.') {
        return -1;
    }

    number = cam_play_number(&p, end);

    if (number < 0 || number > UINT32_MAX) {
        return -1;
    }

    path->kind = CAM_PLAY_PART;
    path->part = number;

    return cam_play_is(p, (size_t) (end - p), ".m4s") ? 0 : -1;
}


int
cam_play_parse_args(cam_play_args_t *args, cam_play_kind_e kind,
    const char *text, size_t len)
{
    int          rc;
    size_t       left, nlen;
    const char  *end, *amp, *eq;

    memset(args, 0, sizeof(cam_play_args_t));
    args->from_msec = -1;
    args->expires = -1;
    args->msn = -1;
    args->part = -1;
    args->last = -1;
    args->seam = -1;
    args->count = -1;
    args->start = -1;
    args->target = -1;

    for (end = text + len; text < end; text = amp + 1) {
        left = end - text;

        amp = memchr(text, '&', left);
        amp = amp ? amp : end;

        eq = memchr(text, '=', amp - text);
        if (eq == NULL || amp + 1 == end) {
            return CAM_PLAY_DENIED;
        }

        nlen = eq - text;

        rc = cam_play_parse_arg(args, kind, text, nlen, eq + 1, amp - eq - 1);

        if (rc != CAM_PLAY_OK) {
            return rc;
        }
    }

    if (args->part >= 0 && args->msn < 0) {
        return CAM_PLAY_BAD;
    }

    switch (kind) {

    case CAM_PLAY_MASTER:
        return args->token.len ? CAM_PLAY_OK : CAM_PLAY_DENIED;

    case CAM_PLAY_LIVE:
        return args->session.len ? CAM_PLAY_OK : CAM_PLAY_DENIED;

    case CAM_PLAY_BACK:
        return args->session.len && args->mac.len && args->from_msec >= 0
               && args->last >= 0 && args->seam >= 0 && args->count >= 0
               && args->count <= UINT32_MAX
               && args->start >= 0 && args->start <= UINT16_MAX
               && args->target >= 0 && args->target <= UINT8_MAX
               ? CAM_PLAY_OK : CAM_PLAY_DENIED;

    default:
        return args->session.len && args->mac.len && args->expires >= 0
               ? CAM_PLAY_OK : CAM_PLAY_DENIED;
    }
}


static int
cam_play_parse_arg(cam_play_args_t *args, cam_play_kind_e kind,
    const char *name, size_t nlen, const char *value, size_t vlen)
{
    int64_t  *number;

    if (kind == CAM_PLAY_MASTER) {

        if (cam_play_is(name, nlen, "from")) {
            return cam_play_set_number(&args->from_msec, value, vlen)
                   ? CAM_PLAY_DENIED : CAM_PLAY_OK;
        }

        return cam_play_is(name, nlen, "token")
               ? cam_play_set_text(&args->token, value, vlen)
               : CAM_PLAY_DENIED;
    }

    if (cam_play_is(name, nlen, "s")) {
        return cam_play_set_text(&args->session, value, vlen);
    }

    if ((kind == CAM_PLAY_LIVE || kind == CAM_PLAY_BACK)
        && cam_play_starts(name, nlen, "_HLS_"))
    {
        return cam_play_parse_delivery(args, kind, name, nlen, value, vlen);
    }

    if (kind == CAM_PLAY_LIVE) {
        return CAM_PLAY_DENIED;
    }

    if (cam_play_is(name, nlen, "m")) {
        return cam_play_set_text(&args->mac, value, vlen);
    }

    if (kind == CAM_PLAY_BACK) {
        number = nlen == 1 ? cam_play_back_number(args, *name) : NULL;

    } else {
        number = cam_play_is(name, nlen, "e") ? &args->expires : NULL;
    }

    return number == NULL || cam_play_set_number(number, value, vlen)
           ? CAM_PLAY_DENIED : CAM_PLAY_OK;
}


/* directives that are not offered have no effect */

static int
cam_play_parse_delivery(cam_play_args_t *args, cam_play_kind_e kind,
    const char *name, size_t nlen, const char *value, size_t vlen)
{
    if (cam_play_is(name, nlen, "_HLS_msn")) {
        return cam_play_set_number(&args->msn, value, vlen)
               ? CAM_PLAY_BAD : CAM_PLAY_OK;
    }

    if (cam_play_is(name, nlen, "_HLS_part")) {
        return cam_play_set_number(&args->part, value, vlen)
               ? CAM_PLAY_BAD : CAM_PLAY_OK;
    }

    if (cam_play_is(name, nlen, "_HLS_skip") && kind == CAM_PLAY_BACK) {
        args->skip = cam_play_is(value, vlen, "YES")
                     || cam_play_is(value, vlen, "v2");
    }

    return CAM_PLAY_OK;
}


static int64_t *
cam_play_back_number(cam_play_args_t *args, char name)
{
    switch (name) {

    case 'f':
        return &args->from_msec;

    case 'l':
        return &args->last;

    case 'n':
        return &args->seam;

    case 'c':
        return &args->count;

    case 'o':
        return &args->start;

    case 't':
        return &args->target;

    default:
        return NULL;
    }
}


static int
cam_play_set_text(cam_play_text_t *text, const char *value, size_t len)
{
    if (len == 0 || text->len) {
        return CAM_PLAY_DENIED;
    }

    text->data = value;
    text->len = len;

    return CAM_PLAY_OK;
}


static int
cam_play_set_number(int64_t *number, const char *value, size_t len)
{
    const char  *p;

    if (*number >= 0) {
        return -1;
    }

    p = value;
    *number = cam_play_number(&p, value + len);

    return *number >= 0 && p == value + len ? 0 : -1;
}


/* -1: no number stands there, or one with leading zeros */

static int64_t
cam_play_number(const char **text, const char *end)
{
    int64_t      number;
    const char  *p, *start;

    number = 0;
    start = *text;

    for (p = start; p < end && *p >= '0' && *p <= '9'; p++) {

        if (p - start == CAM_PLAY_DIGITS || (p > start && *start == '0')) {
            return -1;
        }

        number = number * 10 + (*p - '0');
    }

    *text = p;

    return p == start ? -1 : number;
}


/* a "&" may follow */

static int
cam_play_is_digits(const char *text, const char *end)
{
    while (text < end && *text >= '0' && *text <= '9') {
        text++;
    }

    return text == end || (*text == '&' && text + 1 == end);
}


char *
cam_play_mask(char *masked, const char *args, size_t len)
{
    size_t       n;
    const char  *end, *next, *value;

    for (end = args + len; args < end; args = next) {

        next = memchr(args, '&', end - args);
        next = next ? next + 1 : end;

        value = memchr(args, '=', next - args);
        value = value ? value + 1 : args;

        if ((cam_play_starts(args, (size_t) (next - args), "e=")
             || cam_play_starts(args, (size_t) (next - args), "_HLS_"))
            && cam_play_is_digits(value, next))
        {
            value = next;
        }

        n = value - args;
        memmove(masked, args, n);
        masked += n;

        n = next - value;

        if (n > 0 && *value != '&') {
            *masked++ = '*';
        }

        if (n > 0 && next[-1] == '&') {
            *masked++ = '&';
        }
    }

    return masked;
}
