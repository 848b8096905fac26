/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Reads URIs of what was recorded, see record_uri.h for what there is.  Paths
 * are those of the files on a volume, without "media/" and "exports/" before
 * them: whatever is not exactly the name that a recording has is no path.
 */

#include <string.h>

#include "percent.h"
#include "record_path.h"
#include "record_uri.h"
#include "rfc3339.h"


#define CAM_RECORD_URI_PATH    128     /* of a file on a volume */
#define CAM_RECORD_URI_TIME    72      /* characters of a time, encoded */
#define CAM_RECORD_URI_DIGITS  15      /* of a number */

#define cam_record_is(text, len, name)                                        \
    ((len) == sizeof(name) - 1 && memcmp(text, name, sizeof(name) - 1) == 0)


static int cam_record_uri_camera(uint8_t uuid[CAM_UUID_LEN], const char *text,
    size_t len);
static int cam_record_uri_export(cam_record_uri_t *what, const char *text,
    size_t len);
static int cam_record_uri_file(cam_record_uri_t *what, const char *text,
    size_t len);
static int cam_record_args_set(cam_record_args_t *args, cam_record_kind_e kind,
    const char *name, size_t nlen, const cam_play_text_t *value);
static int cam_record_args_text(cam_play_text_t *text,
    const cam_play_text_t *value);
static int cam_record_args_time(int64_t *msec, const cam_play_text_t *value);
static int cam_record_args_number(int64_t *number,
    const cam_play_text_t *value);
static int cam_record_args_judge(const cam_record_args_t *args,
    cam_record_kind_e kind);


int
cam_record_uri_parse(cam_record_uri_t *what, const char *text, size_t len,
    int exports)
{
    const char  *file;

    memset(what, 0, sizeof(cam_record_uri_t));

    if (len < CAM_UUID_TEXT + 1 || text[CAM_UUID_TEXT] != '/'
        || cam_record_uri_camera(what->camera, text, CAM_UUID_TEXT) != 0)
    {
        return -1;
    }

    file = text + CAM_UUID_TEXT + 1;

    if (exports) {
        return cam_record_uri_export(what, file, text + len - file);
    }

    if (cam_record_is(file, (size_t) (text + len - file), "playlist.m3u8")) {
        what->kind = CAM_RECORD_MASTER;
        return 0;
    }

    if (cam_record_is(file, (size_t) (text + len - file), "media.m3u8")) {
        what->kind = CAM_RECORD_MEDIA;
        return 0;
    }

    return cam_record_uri_file(what, text, len);
}


/* in small letters alone */

static int
cam_record_uri_camera(uint8_t uuid[CAM_UUID_LEN], const char *text, size_t len)
{
    char  again[CAM_UUID_TEXT + 1];

    return cam_uuid_parse(uuid, text, len) == 0
           && memcmp(cam_uuid_print(again, uuid), text, CAM_UUID_TEXT) == 0
           ? 0 : -1;
}


static int
cam_record_uri_export(cam_record_uri_t *what, const char *text, size_t len)
{
    if (len <= CAM_UUID_TEXT
        || cam_record_uri_camera(what->id, text, CAM_UUID_TEXT) != 0)
    {
        return -1;
    }

    text += CAM_UUID_TEXT;
    len -= CAM_UUID_TEXT;

    what->kind = cam_record_is(text, len, ".json") ? CAM_RECORD_MANIFEST
                                                   : CAM_RECORD_EXPORT;

    return what->kind == CAM_RECORD_MANIFEST
           || cam_record_is(text, len, ".mp4") ? 0 : -1;
}


static int
cam_record_uri_file(cam_record_uri_t *what, const char *text, size_t len)
{
    char     path[CAM_RECORD_URI_PATH], again[CAM_RECORD_PATH_MAX];
    size_t   before;
    uint8_t  camera[CAM_UUID_LEN];

    before = sizeof("media/") - 1;

    if (before + len >= sizeof(path) || memchr(text, '\0', len)) {
        return -1;
    }

    memcpy(path, "media/", before);
    memcpy(path + before, text, len);
    path[before + len] = '\0';

    what->kind = CAM_RECORD_FILE;

    if (cam_record_path_parse(path, camera, &what->start_msec) != 0) {
        return -1;
    }

    (void) cam_record_path(again, camera, what->start_msec, "mp4");

    return strcmp(again, path) == 0 ? 0 : -1;
}


int
cam_record_args_parse(cam_record_args_t *args, cam_record_kind_e kind,
    const char *text, size_t len)
{
    int               rc;
    const char       *end, *amp, *eq;
    cam_play_text_t   value;

    memset(args, 0, sizeof(cam_record_args_t));
    args->expires = -1;
    args->from_msec = -1;
    args->to_msec = -1;

    for (end = text + len; text < end; text = amp + 1) {

        amp = memchr(text, '&', end - text);
        amp = amp ? amp : end;

        eq = memchr(text, '=', amp - text);

        if (eq == NULL || amp + 1 == end) {
            return CAM_PLAY_DENIED;
        }

        value.data = eq + 1;
        value.len = amp - value.data;

        rc = cam_record_args_set(args, kind, text, eq - text, &value);

        if (rc != CAM_PLAY_OK) {
            return rc;
        }
    }

    return cam_record_args_judge(args, kind);
}


static int
cam_record_args_set(cam_record_args_t *args, cam_record_kind_e kind,
    const char *name, size_t nlen, const cam_play_text_t *value)
{
    if (kind == CAM_RECORD_MASTER) {

        if (cam_record_is(name, nlen, "from")) {
            return cam_record_args_time(&args->from_msec, value);
        }

        if (cam_record_is(name, nlen, "to")) {
            return cam_record_args_time(&args->to_msec, value);
        }

        return cam_record_is(name, nlen, "token")
               ? cam_record_args_text(&args->token, value) : CAM_PLAY_DENIED;
    }

    if (cam_record_is(name, nlen, "s")
        && (kind == CAM_RECORD_MEDIA || kind == CAM_RECORD_FILE))
    {
        return cam_record_args_text(&args->session, value);
    }

    if (kind == CAM_RECORD_MEDIA) {

        /* delivery directives are for lists that offer them */

        return nlen > 5 && memcmp(name, "_HLS_", 5) == 0 ? CAM_PLAY_OK
                                                         : CAM_PLAY_DENIED;
    }

    if (cam_record_is(name, nlen, "m")) {
        return cam_record_args_text(&args->mac, value);
    }

    if (cam_record_is(name, nlen, "e")) {
        return cam_record_args_number(&args->expires, value);
    }

    return cam_record_is(name, nlen, "d")
           ? cam_record_args_text(&args->name, value) : CAM_PLAY_DENIED;
}


static int
cam_record_args_text(cam_play_text_t *text, const cam_play_text_t *value)
{
    if (value->len == 0 || text->len) {
        return CAM_PLAY_DENIED;
    }

    *text = *value;

    return CAM_PLAY_OK;
}


static int
cam_record_args_time(int64_t *msec, const cam_play_text_t *value)
{
    char     text[CAM_RECORD_URI_TIME + 1];
    ssize_t  n;

    if (*msec != -1 || value->len == 0 || value->len > CAM_RECORD_URI_TIME) {
        return CAM_PLAY_BAD;
    }

    if (cam_record_args_number(msec, value) == CAM_PLAY_OK) {
        return CAM_PLAY_OK;
    }

    n = cam_percent_decode(text, value->data, value->len, 0);

    if (n < 0 || cam_rfc3339_parse(text, (size_t) n, msec) != 0 || *msec < 0) {
        return CAM_PLAY_BAD;
    }

    return CAM_PLAY_OK;
}


/* without leading zeros */

static int
cam_record_args_number(int64_t *number, const cam_play_text_t *value)
{
    size_t   i;
    int64_t  n;

    if (*number != -1 || value->len == 0 || value->len > CAM_RECORD_URI_DIGITS
        || (value->len > 1 && value->data[0] == '0'))
    {
        return CAM_PLAY_DENIED;
    }

    n = 0;

    for (i = 0; i < value->len; i++) {

        if (value->data[i] < '0' || value->data[i] > '9') {
            return CAM_PLAY_DENIED;
        }

        n = n * 10 + (value->data[i] - '0');
    }

    *number = n;

    return CAM_PLAY_OK;
}


static int
cam_record_args_judge(const cam_record_args_t *args, cam_record_kind_e kind)
{
    switch (kind) {

    case CAM_RECORD_MASTER:
        return args->token.len ? CAM_PLAY_OK : CAM_PLAY_DENIED;

    case CAM_RECORD_MEDIA:
        return args->session.len ? CAM_PLAY_OK : CAM_PLAY_DENIED;

    default:

        if (args->mac.len == 0) {
            return CAM_PLAY_DENIED;
        }

        if (args->session.len) {
            return args->expires == -1 && args->name.len == 0
                   ? CAM_PLAY_OK : CAM_PLAY_DENIED;
        }

        return args->expires >= 0 ? CAM_PLAY_OK : CAM_PLAY_DENIED;
    }
}
