/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for FLV tag headers: what is a frame, what is foreign, what is not. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flv.h"


static cam_flv_tag_t
video(const char *bytes, size_t n)
{
    cam_flv_tag_t  tag;

    cam_flv_video(&tag, (const uint8_t *) bytes, n);

    return tag;
}


static cam_flv_tag_t
audio(const char *bytes, size_t n)
{
    cam_flv_tag_t  tag;

    cam_flv_audio(&tag, (const uint8_t *) bytes, n);

    return tag;
}


static void
video_frames(void **state)
{
    cam_flv_tag_t  tag;

    tag = video("\x17\x00\x00\x00\x00\x01", 6);
    assert_int_equal(tag.kind, CAM_FLV_CONFIG);
    assert_int_equal(tag.header, 5);

    tag = video("\x17\x01\x00\x00\x50\x01", 6);
    assert_int_equal(tag.kind, CAM_FLV_FRAME);
    assert_int_equal(tag.key, 1);
    assert_int_equal(tag.cts, 80);

    tag = video("\x27\x01\xff\xff\xff\x01", 6);
    assert_int_equal(tag.kind, CAM_FLV_FRAME);
    assert_int_equal(tag.key, 0);
    assert_int_equal(tag.cts, -1);

    tag = video("\x27\x01\x80\x00\x00\x01", 6);
    assert_int_equal(tag.cts, -8388608);
}


static void
video_ignored(void **state)
{
    assert_int_equal(video("", 0).kind, CAM_FLV_IGNORED);
    assert_int_equal(video("\x57\x00", 2).kind, CAM_FLV_IGNORED);
    assert_int_equal(video("\x17\x02\0\0\0", 5).kind, CAM_FLV_IGNORED);
    assert_int_equal(video("\x17\x01\0\0\0", 5).kind, CAM_FLV_IGNORED);
}


static void
video_broken(void **state)
{
    size_t  n;

    for (n = 1; n < 5; n++) {
        assert_int_equal(video("\x17\x01\0\0\0", n).kind, CAM_FLV_BROKEN);
        assert_int_equal(video("\x90hvc1", n).kind, CAM_FLV_BROKEN);
    }

    assert_int_equal(video("\x17\x03\0\0\0\1", 6).kind, CAM_FLV_BROKEN);
}


static void
audio_frames(void **state)
{
    assert_int_equal(audio("\xaf\x00\x11\x88", 4).kind, CAM_FLV_CONFIG);
    assert_int_equal(audio("\xaf\x01\x21", 3).kind, CAM_FLV_FRAME);
    assert_int_equal(audio("\xaf\x01\x21", 3).header, 2);
    assert_int_equal(audio("\xaf\x01", 2).kind, CAM_FLV_IGNORED);
    assert_int_equal(audio("", 0).kind, CAM_FLV_IGNORED);
    assert_int_equal(audio("\xaf", 1).kind, CAM_FLV_BROKEN);
    assert_int_equal(audio("\xaf\x02\x21", 3).kind, CAM_FLV_BROKEN);
}


static void
foreign_names(void **state)
{
    char           name[CAM_FLV_CODEC_NAME];
    cam_flv_tag_t  tag;

    tag = video("\x1c\x00\0\0\0\1", 6);
    assert_int_equal(tag.kind, CAM_FLV_FOREIGN);
    assert_string_equal(cam_flv_video_name(name, tag.codec), "H.265 (HEVC)");

    tag = video("\x90hvc1\1", 6);
    assert_int_equal(tag.kind, CAM_FLV_FOREIGN);
    assert_string_equal(cam_flv_video_name(name, tag.codec), "H.265 (HEVC)");

    tag = video("\x91" "av01\1", 6);
    assert_string_equal(cam_flv_video_name(name, tag.codec), "AV1");

    tag = video("\x90%s\n\1", 6);
    assert_string_equal(cam_flv_video_name(name, tag.codec),
                        "video codec 0x25730a01");

    assert_string_equal(cam_flv_video_name(name, 9), "video codec 9");

    tag = audio("\x7f\x00", 2);
    assert_int_equal(tag.kind, CAM_FLV_FOREIGN);
    assert_string_equal(cam_flv_audio_name(name, tag.codec), "G.711 A-law");

    tag = audio("\x90Opus", 5);
    assert_string_equal(cam_flv_audio_name(name, tag.codec), "Opus");

    assert_string_equal(cam_flv_audio_name(name, 15), "audio codec 15");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(video_frames),
        cmocka_unit_test(video_ignored),
        cmocka_unit_test(video_broken),
        cmocka_unit_test(audio_frames),
        cmocka_unit_test(foreign_names),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
