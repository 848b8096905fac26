/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Fuzzes the reader of URIs of what was recorded.  The first byte picks what
 * the rest is: a path below either prefix, or the arguments of some kind of
 * URI.  A path that was read is written again and must be the input; what has
 * no signature is never a download.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record_path.h"
#include "record_uri.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
check(int condition)
{
    if (!condition) {
        abort();
    }
}


static void
judge_path(const char *text, size_t len, int exports)
{
    int               n;
    char              again[256], path[CAM_RECORD_PATH_MAX];
    char              camera[CAM_UUID_TEXT + 1], id[CAM_UUID_TEXT + 1];
    cam_record_uri_t  u;

    if (cam_record_uri_parse(&u, text, len, exports) != 0) {
        return;
    }

    cam_uuid_print(camera, u.camera);
    cam_uuid_print(id, u.id);

    switch (u.kind) {

    case CAM_RECORD_MASTER:
        n = sprintf(again, "%s/playlist.m3u8", camera);
        break;

    case CAM_RECORD_MEDIA:
        n = sprintf(again, "%s/media.m3u8", camera);
        break;

    case CAM_RECORD_FILE:
        check(cam_record_path(path, u.camera, u.start_msec, "mp4") != NULL);
        n = sprintf(again, "%s", path + sizeof("media/") - 1);
        break;

    default:
        n = sprintf(again, "%s/%s.%s", camera, id,
                    u.kind == CAM_RECORD_EXPORT ? "mp4" : "json");
    }

    check(exports == (u.kind >= CAM_RECORD_EXPORT));
    check((size_t) n == len && memcmp(again, text, len) == 0);
}


static void
judge_args(cam_record_kind_e kind, const char *text, size_t len)
{
    uint32_t            epoch;
    static cam_keys_t   keys;
    static cam_mac_t    macs[CAM_KEYS_MAX];
    cam_record_uri_t    what;
    cam_record_args_t   a;

    if (cam_record_args_parse(&a, kind, text, len) != CAM_PLAY_OK) {
        return;
    }

    switch (kind) {

    case CAM_RECORD_MASTER:
        check(a.token.len > 0 && a.from_msec >= -1 && a.to_msec >= -1);
        return;

    case CAM_RECORD_MEDIA:
        check(a.session.len > 0);
        return;

    default:
        check(a.mac.len > 0);
    }

    check(a.session.len ? kind == CAM_RECORD_FILE && a.expires == -1
                        : a.expires >= 0);

    keys.n = 1;
    keys.keys[0].use = CAM_KEY_PLAYBACK;
    cam_mac_init(&macs[0], (uint8_t *) "0123456789abcdef0123456789abcdef", 32);

    memset(&what, 0, sizeof(what));
    what.kind = kind;

    check(cam_record_download_verify(&keys, macs, &what, &a, &epoch) != 0);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char  *text;

    if (size == 0) {
        return 0;
    }

    /* exactly as long as it is, so that reading on is noticed */

    text = malloc(size);
    memcpy(text, data + 1, size - 1);

    if (data[0] % 7 < 2) {
        judge_path(text, size - 1, data[0] % 7);

    } else {
        judge_args((cam_record_kind_e) (data[0] % 7 - 1), text, size - 1);
    }

    free(text);

    return 0;
}
