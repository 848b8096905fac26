/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for URIs of what was recorded: what each spelling means, that there is
 * no other one, and that what was signed is good for nothing else.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "record_uri.h"

#define ID    "0123abcd-0123-4abc-8def-0123456789ab"
#define ID2   "0123abcd-0123-4abc-8def-0123456789ac"
#define FILE  ID "/2026-09-21/20260921T131312.345Z.mp4"

#define START INT64_C(1789996392345)
#define NOW   INT64_C(1790000000)


static cam_keys_t  keys;
static cam_mac_t   macs[CAM_KEYS_MAX];


static int
setup(void **state)
{
    unsigned  i;

    keys.n = 3;

    for (i = 0; i < keys.n; i++) {
        sprintf(keys.keys[i].kid, "k%u", i);
        keys.keys[i].use = i ? CAM_KEY_PLAYBACK : CAM_KEY_STREAM;
        keys.keys[i].sign = i < 2;
        keys.keys[i].index = i;
        keys.keys[i].len = CAM_KEY_MIN;
        memset(keys.keys[i].secret, 'a' + i, CAM_KEY_MIN);
        cam_mac_init(&macs[i], keys.keys[i].secret, CAM_KEY_MIN);
    }

    return 0;
}


static int
path(cam_record_uri_t *u, const char *text)
{
    return cam_record_uri_parse(u, text, strlen(text), 0);
}


static int
args(cam_record_args_t *a, cam_record_kind_e kind, const char *text)
{
    return cam_record_args_parse(a, kind, text, strlen(text));
}


static void
paths_are_read(void **state)
{
    cam_record_uri_t  u;

    assert_int_equal(path(&u, ID "/playlist.m3u8"), 0);
    assert_int_equal(u.kind, CAM_RECORD_MASTER);
    assert_int_equal(u.camera[15], 0xab);

    assert_int_equal(path(&u, ID "/media.m3u8"), 0);
    assert_int_equal(u.kind, CAM_RECORD_MEDIA);

    assert_int_equal(path(&u, FILE), 0);
    assert_int_equal(u.kind, CAM_RECORD_FILE);
    assert_true(u.start_msec == START);

    assert_int_equal(cam_record_uri_parse(&u, ID "/" ID2 ".mp4", 77, 1), 0);
    assert_int_equal(u.kind, CAM_RECORD_EXPORT);
    assert_int_equal(u.id[15], 0xac);

    assert_int_equal(cam_record_uri_parse(&u, ID "/" ID2 ".json", 78, 1), 0);
    assert_int_equal(u.kind, CAM_RECORD_MANIFEST);
}


static void
other_paths_are_none(void **state)
{
    size_t             i;
    cam_record_uri_t   u;

    static const char  *none[] = {
        "", "/", ID, ID "/", "playlist.m3u8", "/" ID "/playlist.m3u8",
        ID "//playlist.m3u8", ID "/./media.m3u8", ID "/live.m3u8",
        ID "/Playlist.m3u8", ID "/media.m3u8/", ID "/../" ID "/media.m3u8",
        "0123ABCD-0123-4abc-8def-0123456789ab/playlist.m3u8",
        "media/" FILE, "/" FILE, FILE "/", FILE "x", FILE "%00",
        ID "/2026-09-21/20260921T131312.345Z.idx",
        ID "/2026-09-21/20260921T131312.345Z.hold",
        ID "/2026-09-21/20260921T131312.345Z",
        ID "/2026-09-21/20260921T131312.345Z.MP4",
        ID "/2026-09-21/20260921t131312.345Z.mp4",
        ID "/2026-09-21/20260921T131312Z.mp4",
        ID "/2026-09-21/20260921T131312.3456Z.mp4",
        ID "/2026-09-20/20260921T131312.345Z.mp4",
        ID "/2026-09-21/20260921T241312.345Z.mp4",
        ID "/2026-09-21/20260921T131360.345Z.mp4",
        ID "/2026-02-30/20260230T131312.345Z.mp4",
        ID "/2026-09-21//20260921T131312.345Z.mp4",
        ID "/20260921T131312.345Z.mp4",
        ID "/2026-09-21/../2026-09-21/20260921T131312.345Z.mp4",
        ID "/ 026-09-21/20260921T131312.345Z.mp4",
        ID "/" ID2 ".mp4", ID "/" ID2 ".json"
    };

    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        if (path(&u, none[i]) == 0) {
            fail_msg("\"%s\" was read", none[i]);
        }
    }

    assert_int_equal(cam_record_uri_parse(&u, FILE "\0", sizeof(FILE), 0), -1);
    assert_int_equal(cam_record_uri_parse(&u, FILE, sizeof(FILE) - 1, 1), -1);
    assert_int_equal(cam_record_uri_parse(&u, ID "/playlist.m3u8", 50, 1), -1);
    assert_int_equal(cam_record_uri_parse(&u, ID "/" ID2 ".idx", 77, 1), -1);
    assert_int_equal(cam_record_uri_parse(&u, ID "/" ID2, 73, 1), -1);
}


static void
arguments_are_read(void **state)
{
    cam_record_args_t  a;

    assert_int_equal(args(&a, CAM_RECORD_MASTER, "token=a.b.c"), CAM_PLAY_OK);
    assert_int_equal(a.token.len, 5);
    assert_true(a.from_msec == -1 && a.to_msec == -1);

    assert_int_equal(args(&a, CAM_RECORD_MASTER,
                          "from=1790000000000&to=1790000060000&token=a"),
                     CAM_PLAY_OK);
    assert_true(a.from_msec == 1790000000000 && a.to_msec == 1790000060000);

    assert_int_equal(args(&a, CAM_RECORD_MASTER,
                          "from=2026-09-21T15:13:20%2B02:00&token=a"
                          "&to=2026-09-21T13%3A13%3A20.500Z"),
                     CAM_PLAY_OK);
    assert_true(a.from_msec == 1789996400000 && a.to_msec == 1789996400500);

    assert_int_equal(args(&a, CAM_RECORD_MEDIA, "s=x&_HLS_msn=3"),
                     CAM_PLAY_OK);
    assert_int_equal(args(&a, CAM_RECORD_FILE, "m=z&s=x"), CAM_PLAY_OK);
    assert_int_equal(a.session.len, 1);

    assert_int_equal(args(&a, CAM_RECORD_FILE, "e=17&m=z&d=a%20b.mp4"),
                     CAM_PLAY_OK);
    assert_true(a.expires == 17);
    assert_memory_equal(a.name.data, "a%20b.mp4", a.name.len);
    assert_int_equal(args(&a, CAM_RECORD_EXPORT, "e=17&m=z"), CAM_PLAY_OK);
}


static void
other_arguments_are_refused(void **state)
{
    size_t              i;
    cam_record_args_t   a;

    static const struct {
        cam_record_kind_e  kind;
        int                rc;
        const char        *text;
    } wrong[] = {
        { CAM_RECORD_MASTER, CAM_PLAY_DENIED, "" },
        { CAM_RECORD_MASTER, CAM_PLAY_DENIED, "token=" },
        { CAM_RECORD_MASTER, CAM_PLAY_DENIED, "token=a&token=a" },
        { CAM_RECORD_MASTER, CAM_PLAY_DENIED, "from=1" },
        { CAM_RECORD_MASTER, CAM_PLAY_DENIED, "token=a&s=b" },
        { CAM_RECORD_MASTER, CAM_PLAY_DENIED, "token=a&" },
        { CAM_RECORD_MASTER, CAM_PLAY_BAD, "token=a&from=" },
        { CAM_RECORD_MASTER, CAM_PLAY_BAD, "token=a&from=-1" },
        { CAM_RECORD_MASTER, CAM_PLAY_BAD, "token=a&from=01" },
        { CAM_RECORD_MASTER, CAM_PLAY_BAD, "token=a&from=1&from=1" },
        { CAM_RECORD_MASTER, CAM_PLAY_BAD, "token=a&from=yesterday" },
        { CAM_RECORD_MASTER, CAM_PLAY_BAD, "token=a&to=9999999999999999" },
        { CAM_RECORD_MASTER, CAM_PLAY_BAD, "token=a&to=1960-01-01T00:00:00Z" },
        { CAM_RECORD_MASTER, CAM_PLAY_BAD, "token=a&to=2026-02-30T00:00:00Z" },
        { CAM_RECORD_MASTER, CAM_PLAY_BAD, "token=a&to=%zz" },
        { CAM_RECORD_MEDIA, CAM_PLAY_DENIED, "" },
        { CAM_RECORD_MEDIA, CAM_PLAY_DENIED, "token=a" },
        { CAM_RECORD_MEDIA, CAM_PLAY_DENIED, "s=a&from=1" },
        { CAM_RECORD_MEDIA, CAM_PLAY_DENIED, "s=a&_HLS=1" },
        { CAM_RECORD_FILE, CAM_PLAY_DENIED, "s=a" },
        { CAM_RECORD_FILE, CAM_PLAY_DENIED, "m=a" },
        { CAM_RECORD_FILE, CAM_PLAY_DENIED, "s=a&m=a&e=1" },
        { CAM_RECORD_FILE, CAM_PLAY_DENIED, "s=a&m=a&d=x" },
        { CAM_RECORD_FILE, CAM_PLAY_DENIED, "e=1&m=a&m=b" },
        { CAM_RECORD_FILE, CAM_PLAY_DENIED, "e=01&m=a" },
        { CAM_RECORD_FILE, CAM_PLAY_DENIED, "e=&m=a" },
        { CAM_RECORD_EXPORT, CAM_PLAY_DENIED, "s=a&m=a" },
        { CAM_RECORD_MANIFEST, CAM_PLAY_DENIED, "e=1" }
    };

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (args(&a, wrong[i].kind, wrong[i].text) != wrong[i].rc) {
            fail_msg("\"%s\"", wrong[i].text);
        }
    }
}


static void
sessions_are_signed(void **state)
{
    int                    i;
    char                   text[CAM_RECORD_SESSION_TEXT];
    uint8_t                camera[CAM_UUID_LEN] = { 1 };
    cam_play_text_t        t = { text, sizeof(text) };
    cam_record_session_t   s, read;

    memset(&s, 0, sizeof(s));
    memset(&read, 0, sizeof(read));
    memcpy(s.url.sid, "12345678", 8);
    s.url.slot = 77;
    s.url.key = 2;
    s.url.purpose = CAM_PURPOSE_RECORDINGS;
    s.url.epoch = 0xfffffffe;
    s.url.started = NOW;
    s.url.ends = NOW + 1;
    s.target_sec = 7;
    s.from_msec = START;
    s.to_msec = START + 3600000;

    cam_record_session_sign(macs, camera, &s, text);
    assert_int_equal(cam_record_session_verify(&keys, macs, camera, &t, &read),
                     0);
    assert_memory_equal(&s, &read, sizeof(s));

    for (i = 0; i < CAM_RECORD_SESSION_TEXT; i++) {
        text[i] ^= 1;
        assert_int_equal(cam_record_session_verify(&keys, macs, camera, &t,
                                                   &read),
                         -1);
        text[i] ^= 1;
    }

    camera[0] = 2;
    assert_int_equal(cam_record_session_verify(&keys, macs, camera, &t, &read),
                     -1);
    camera[0] = 1;
    t.len--;
    assert_int_equal(cam_record_session_verify(&keys, macs, camera, &t, &read),
                     -1);
}


static void
files_are_signed(void **state)
{
    char                  text[CAM_URL_MAC_TEXT];
    uint8_t               camera[CAM_UUID_LEN] = { 1 };
    uint8_t               other[CAM_UUID_LEN] = { 2 };
    cam_play_text_t       t = { text, sizeof(text) };
    cam_record_session_t  s, s2;

    memset(&s, 0, sizeof(s));
    s.url.key = 1;
    s.url.purpose = CAM_PURPOSE_RECORDINGS;
    s2 = s;
    s2.url.sid[0] = 1;

    cam_record_file_sign(macs, camera, &s, START, text);
    assert_int_equal(cam_record_file_verify(macs, camera, &s, START, &t), 0);
    assert_int_equal(cam_record_file_verify(macs, camera, &s, START + 1, &t),
                     -1);
    assert_int_equal(cam_record_file_verify(macs, other, &s, START, &t), -1);
    assert_int_equal(cam_record_file_verify(macs, camera, &s2, START, &t), -1);
    s.url.key = 2;
    assert_int_equal(cam_record_file_verify(macs, camera, &s, START, &t), -1);
}


/* reads what was handed out, as nginx does */

static int
download(const char *uri, cam_record_uri_t *u, cam_record_args_t *a,
    uint32_t *epoch)
{
    int          exports;
    const char  *at, *q;

    exports = strncmp(uri, "/exports/", 9) == 0;
    at = uri + (exports ? 9 : 12);
    q = strchr(uri, '?');

    if (cam_record_uri_parse(u, at, q - at, exports) != 0
        || args(a, u->kind, q + 1) != CAM_PLAY_OK)
    {
        return -1;
    }

    return cam_record_download_verify(&keys, macs, u, a, epoch);
}


static void
downloads_are_signed(void **state)
{
    char               uri[CAM_RECORD_URI_MAX], copy[CAM_RECORD_URI_MAX];
    size_t             i;
    unsigned           kind;
    uint32_t           epoch;
    cam_record_uri_t   what, read;
    cam_record_args_t  a;

    static const char  name[] = "Hof \xc3\xa4\xc3\xb6 \"1\".mp4";

    for (kind = CAM_RECORD_FILE; kind <= CAM_RECORD_MANIFEST; kind++) {
        memset(&what, 0, sizeof(what));
        what.kind = kind;
        what.camera[0] = 9;

        if (kind == CAM_RECORD_FILE) {
            what.start_msec = START;

        } else {
            what.id[3] = 8;
        }

        assert_int_equal(cam_record_uri_download(&keys, &what, 5, NOW, name,
                                                 strlen(name), uri), 0);
        assert_int_equal(download(uri, &read, &a, &epoch), 0);
        assert_memory_equal(&what, &read, sizeof(what));
        assert_int_equal(epoch, 5);
        assert_true(a.expires == NOW);
        assert_non_null(strstr(uri, "&d=Hof%20%C3%A4%C3%B6%20%221%22.mp4"));

        for (i = strlen("/recordings/"); i < strlen(uri); i++) {
            strcpy(copy, uri);
            copy[i] ^= 1;

            if (download(copy, &read, &a, &epoch) == 0) {
                fail_msg("\"%s\" is good, too", copy);
            }
        }

        *strstr(uri, "&d=") = '\0';
        assert_int_equal(download(uri, &read, &a, &epoch), -1);
    }

    what.kind = CAM_RECORD_MEDIA;
    assert_int_equal(cam_record_uri_download(&keys, &what, 5, NOW, "", 0, uri),
                     -1);
    what.kind = CAM_RECORD_EXPORT;
    assert_int_equal(cam_record_uri_download(&keys, &what, 5, NOW, "\xff", 1,
                                             uri), -1);
    assert_int_equal(cam_record_uri_download(&keys, &what, 5, NOW, copy,
                                             CAM_RECORD_NAME_MAX + 1, uri),
                     -1);
}


static void
playlists_are_handed_out(void **state)
{
    char               uri[CAM_RECORD_URI_MAX];
    char              *q;
    cam_token_t        token;
    cam_record_uri_t   u;
    cam_record_args_t  a;

    memset(&token, 0, sizeof(token));
    cam_uuid_parse(token.camera, ID, CAM_UUID_TEXT);
    token.issued = NOW;
    token.expires = NOW + 900;
    token.from_msec = START;
    token.to_msec = START + 1000;

    assert_int_equal(cam_record_uri_playlist(&keys, &token, uri), 0);
    q = strchr(uri, '?');
    assert_int_equal(cam_record_uri_parse(&u, uri + 12, q - uri - 12, 0), 0);
    assert_int_equal(args(&a, u.kind, q + 1), CAM_PLAY_OK);
    assert_true(a.from_msec == START && a.to_msec == START + 1000);
    assert_int_equal(cam_token_verify(&keys, CAM_KEY_PLAYBACK, a.token.data,
                                      a.token.len, NOW, &token),
                     CAM_TOKEN_OK);
    assert_int_equal(token.purpose, CAM_PURPOSE_RECORDINGS);
    assert_true(token.to_msec == START + 1000);

    memset(token.jti, 0, sizeof(token.jti));
    token.to_msec = 0;
    assert_int_equal(cam_record_uri_playlist(&keys, &token, uri), 0);
    assert_null(strstr(uri, "&to="));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(paths_are_read),
        cmocka_unit_test(other_paths_are_none),
        cmocka_unit_test(arguments_are_read),
        cmocka_unit_test(other_arguments_are_refused),
        cmocka_unit_test(sessions_are_signed),
        cmocka_unit_test(files_are_signed),
        cmocka_unit_test(downloads_are_signed),
        cmocka_unit_test(playlists_are_handed_out)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, setup, NULL);
}
