/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Fuzzes the reader of playback URIs.  The first byte picks what the rest is:
 * a path, the arguments of some kind of piece, or a whole "path?arguments".
 * What was read is written again and must be the input: there is only one
 * spelling of each thing.  A mask never grows what it masks, is the same in
 * place, and leaves nothing more to mask.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "play_uri.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
check(int condition)
{
    if (!condition) {
        abort();
    }
}


static void
judge_path(const char *text, size_t len)
{
    int              n;
    char             again[128], id[CAM_UUID_TEXT + 1];
    cam_play_path_t  p;

    if (cam_play_parse_path(&p, text, len) != 0) {
        return;
    }

    cam_uuid_print(id, p.camera);

    switch (p.kind) {

    case CAM_PLAY_MASTER:
        n = sprintf(again, "%s/playlist.m3u8", id);
        break;

    case CAM_PLAY_LIVE:
        n = sprintf(again, "%s/live.m3u8", id);
        break;

    case CAM_PLAY_BACK:
        n = sprintf(again, "%s/back.m3u8", id);
        break;

    case CAM_PLAY_INIT:
        n = sprintf(again, "%s/init.%" PRIu64 ".mp4", id, p.number);
        break;

    case CAM_PLAY_SEGMENT:
        n = sprintf(again, "%s/%" PRIu64 ".m4s", id, p.number);
        break;

    default:
        n = sprintf(again, "%s/%" PRIu64 ".%u.m4s", id, p.number, p.part);
    }

    check((size_t) n == len && memcmp(again, text, len) == 0);
}


static void
judge_args(cam_play_kind_e kind, char *text, size_t len)
{
    size_t           n;
    char            *masked, *end;
    cam_play_args_t  a;

    if (cam_play_parse_args(&a, kind, text, len) == CAM_PLAY_OK) {
        check(kind == CAM_PLAY_MASTER ? a.token.len > 0 : a.session.len > 0);
        check(kind < CAM_PLAY_INIT || (a.mac.len > 0 && a.expires >= 0));
        check(a.part < 0 || a.msn >= 0);
    }

    masked = malloc(len + 1);
    n = cam_play_mask(masked, text, len) - masked;
    check(n <= len);

    end = cam_play_mask(text, text, len);
    check((size_t) (end - text) == n && memcmp(text, masked, n) == 0);

    end = cam_play_mask(text, text, n);
    check((size_t) (end - text) == n && memcmp(text, masked, n) == 0);

    free(masked);
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

    if (data[0] % 7 == 0) {
        judge_path(text, size - 1);

    } else {
        judge_args((cam_play_kind_e) (data[0] % 7), text, size - 1);
    }

    free(text);

    return 0;
}
