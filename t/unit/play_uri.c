/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for the reader of playback URIs: what each spelling means, that there
 * is no other one, and that nothing secret survives the mask.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "play_uri.h"

#define ID  "0123abcd-0123-4abc-8def-0123456789ab"


static int
path(cam_play_path_t *p, const char *text)
{
    return cam_play_parse_path(p, text, strlen(text));
}


#define BACK  "s=x&f=1790000000000&l=6&n=7&c=5&o=700&t=2&m=z"


static int
args(cam_play_args_t *a, cam_play_kind_e kind, const char *text)
{
    return cam_play_parse_args(a, kind, text, strlen(text));
}


static void
paths_are_read(void **state)
{
    cam_play_path_t  p;

    assert_int_equal(path(&p, ID "/playlist.m3u8"), 0);
    assert_int_equal(p.kind, CAM_PLAY_MASTER);
    assert_int_equal(p.camera[0], 0x01);
    assert_int_equal(p.camera[15], 0xab);

    assert_int_equal(path(&p, ID "/live.m3u8"), 0);
    assert_int_equal(p.kind, CAM_PLAY_LIVE);

    assert_int_equal(path(&p, ID "/back.m3u8"), 0);
    assert_int_equal(p.kind, CAM_PLAY_BACK);

    assert_int_equal(path(&p, ID "/init.7.mp4"), 0);
    assert_int_equal(p.kind, CAM_PLAY_INIT);
    assert_int_equal(p.number, 7);

    assert_int_equal(path(&p, ID "/1790000000.m4s"), 0);
    assert_int_equal(p.kind, CAM_PLAY_SEGMENT);
    assert_int_equal(p.number, 1790000000);

    assert_int_equal(path(&p, ID "/0.31.m4s"), 0);
    assert_int_equal(p.kind, CAM_PLAY_PART);
    assert_int_equal(p.number, 0);
    assert_int_equal(p.part, 31);
}


static void
other_paths_are_none(void **state)
{
    size_t            i;
    cam_play_path_t   p;

    static const char  *none[] = {
        "", "/", ID, ID "/", "playlist.m3u8", "/" ID "/playlist.m3u8",
        ID "//playlist.m3u8", ID "/./playlist.m3u8", ID "/x/../playlist.m3u8",
        ID "/playlist.m3u8/", ID "/playlist.m3u8x", ID "/playlist.m3u",
        ID "/Playlist.m3u8", ID "/playlist%2em3u8", ID "\\playlist.m3u8",
        "0123ABCD-0123-4abc-8def-0123456789ab/playlist.m3u8",
        "0123abcd0123-4abc-8def-0123456789ab-/playlist.m3u8",
        ID "/index", ID "/.index", ID "/.m4s", ID "/..m4s", ID "/1..m4s",
        ID "/1.2.3.m4s", ID "/1.m4s.m4s", ID "/01.m4s", ID "/00.m4s",
        ID "/1.00.m4s", ID "/-1.m4s", ID "/+1.m4s", ID "/ 1.m4s",
        ID "/1 .m4s", ID "/0x1.m4s", ID "/1e3.m4s", ID "/1.m4s ",
        ID "/9999999999999999999.m4s", ID "/1.4294967296.m4s",
        ID "/init.mp4", ID "/init..mp4", ID "/init.01.mp4", ID "/init.1.m4s",
        ID "/init.1.1.mp4", ID "/init.4294967296.mp4", ID "/1.mp4"
    };

    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        if (path(&p, none[i]) == 0) {
            fail_msg("\"%s\" was read", none[i]);
        }
    }

    assert_int_equal(cam_play_parse_path(&p, ID "/playlist.m3u8\0", 51), -1);
    assert_int_equal(cam_play_parse_path(&p, ID "/live\0m3u8", 46), -1);
}


static void
arguments_are_read(void **state)
{
    cam_play_args_t  a;

    assert_int_equal(args(&a, CAM_PLAY_MASTER, "token=a.b.c"), CAM_PLAY_OK);
    assert_int_equal(a.token.len, 5);
    assert_memory_equal(a.token.data, "a.b.c", 5);
    assert_true(a.from_msec == -1);

    assert_int_equal(args(&a, CAM_PLAY_MASTER, "from=1790000000000&token=a"),
                     CAM_PLAY_OK);
    assert_true(a.from_msec == 1790000000000);

    assert_int_equal(args(&a, CAM_PLAY_LIVE, "s=x"), CAM_PLAY_OK);
    assert_int_equal(a.msn, -1);
    assert_int_equal(a.part, -1);

    assert_int_equal(args(&a, CAM_PLAY_LIVE,
                          "_HLS_msn=12&s=x&_HLS_part=0&_HLS_skip=YES"),
                     CAM_PLAY_OK);
    assert_int_equal(a.msn, 12);
    assert_int_equal(a.part, 0);

    assert_int_equal(a.skip, 0);

    assert_int_equal(args(&a, CAM_PLAY_BACK, BACK "&_HLS_skip=YES"),
                     CAM_PLAY_OK);
    assert_true(a.from_msec == 1790000000000);
    assert_int_equal(a.last, 6);
    assert_int_equal(a.seam, 7);
    assert_int_equal(a.count, 5);
    assert_int_equal(a.start, 700);
    assert_int_equal(a.target, 2);
    assert_int_equal(a.skip, 1);
    assert_int_equal(args(&a, CAM_PLAY_BACK, BACK "&_HLS_skip=NO"),
                     CAM_PLAY_OK);
    assert_int_equal(a.skip, 0);

    assert_int_equal(args(&a, CAM_PLAY_PART, "m=z&e=17&s=x"), CAM_PLAY_OK);
    assert_int_equal(a.expires, 17);
    assert_memory_equal(a.mac.data, "z", 1);
}


static void
other_arguments_are_denied(void **state)
{
    cam_play_args_t  a;

    assert_int_equal(args(&a, CAM_PLAY_MASTER, ""), CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_MASTER, "token"), CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_MASTER, "token="), CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_MASTER, "token=a&token=a"),
                     CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_MASTER, "token=a&"), CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_BACK, BACK "&l=6"), CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_BACK, BACK "&e=6"), CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_BACK, BACK + 4), CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_BACK, "s=x&f=1&l=6&n=7&c=5&o=0&t=256&m=z"),
                     CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_BACK, "s=x&f=1&l=6&n=7&o=0&t=2&m=z"),
                     CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_LIVE, BACK), CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_MASTER, "token=a&from="),
                     CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_MASTER, "token=a&from=01"),
                     CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_MASTER, "token=a&from=1&from=1"),
                     CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_MASTER, "from=1"), CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_LIVE, "s=a&from=1"), CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_MASTER, "&token=a"), CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_MASTER, "Token=a"), CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_MASTER, "token=a&s=b"),
                     CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_LIVE, "token=a"), CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_LIVE, "s=a&e=1"), CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_SEGMENT, "s=a&e=1"), CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_SEGMENT, "s=a&m=b"), CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_SEGMENT, "s=a&m=b&e=01"),
                     CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_SEGMENT, "s=a&m=b&e=-1"),
                     CAM_PLAY_DENIED);
    assert_int_equal(args(&a, CAM_PLAY_SEGMENT, "s=a&m=b&e=1&_HLS_msn=1"),
                     CAM_PLAY_DENIED);
}


static void
delivery_directives_may_be_bad(void **state)
{
    cam_play_args_t  a;

    assert_int_equal(args(&a, CAM_PLAY_LIVE, "s=a&_HLS_part=1"), CAM_PLAY_BAD);
    assert_int_equal(args(&a, CAM_PLAY_LIVE, "s=a&_HLS_msn="), CAM_PLAY_BAD);
    assert_int_equal(args(&a, CAM_PLAY_LIVE, "s=a&_HLS_msn=x"), CAM_PLAY_BAD);
    assert_int_equal(args(&a, CAM_PLAY_LIVE, "s=a&_HLS_msn=1&_HLS_msn=1"),
                     CAM_PLAY_BAD);
    assert_int_equal(args(&a, CAM_PLAY_LIVE,
                          "s=a&_HLS_msn=99999999999999999999"), CAM_PLAY_BAD);
}


static void
mask(const char *text, const char *masked)
{
    char    copy[128];
    size_t  len;

    len = strlen(text);

    *cam_play_mask(copy, text, len) = '\0';
    assert_string_equal(copy, masked);

    memcpy(copy, text, len + 1);
    *cam_play_mask(copy, copy, len) = '\0';
    assert_string_equal(copy, masked);
}


static void
secrets_are_masked(void **state)
{
    mask("", "");
    mask("token=secret", "token=*");
    mask("s=abc&e=12&m=def", "s=*&e=12&m=*");
    mask("_HLS_msn=3&s=abc", "_HLS_msn=3&s=*");
    mask("_HLS_skip=YES&e=&s=", "_HLS_skip=*&e=&s=");
    mask("e=12\"m=secret&s=a", "e=*&s=*");
    mask("s=a&e=12\"m=secret", "s=*&e=*");
    mask("s=&m=x", "s=&m=*");
    mask("secret", "*");
    mask("&&secret&", "&&*&");
    mask("=secret", "=*");
    mask("e&e=1&eE=secret", "*&e=1&eE=*");
    mask("%74oken=secret=secret", "%74oken=*");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(paths_are_read),
        cmocka_unit_test(other_paths_are_none),
        cmocka_unit_test(arguments_are_read),
        cmocka_unit_test(other_arguments_are_denied),
        cmocka_unit_test(delivery_directives_may_be_bad),
        cmocka_unit_test(secrets_are_masked)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
