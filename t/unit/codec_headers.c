/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for codec headers: what cameras send, and what nobody should. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec_headers.h"


/* writes bits as the standards do: parameter sets built from their syntax */
typedef struct {
    uint8_t   data[512];
    unsigned  bits;
} out_t;


static void
put(out_t *o, unsigned n, uint32_t value)
{
    while (n--) {
        o->data[o->bits / 8] |= (value >> n & 1) << (7 - o->bits % 8);
        o->bits++;
    }
}


static void
put_ue(out_t *o, uint32_t value)
{
    unsigned  n;

    for (n = 0; ((uint64_t) value + 1) >> (n + 1); n++) { /* void */ }

    put(o, n, 0);
    put(o, 1, 1);
    put(o, n, value + 1);
}


static void
put_se(out_t *o, int32_t value)
{
    put_ue(o, value > 0 ? (uint32_t) value * 2 - 1 : (uint32_t) -value * 2);
}


/* wraps an SPS, emulation prevention added, into avcC with a small PPS */

static size_t
wrap(uint8_t *avcc, out_t *o)
{
    unsigned  i, n, zeros;
    uint8_t  *p, *size;

    static const uint8_t  pps[] = { 1, 0, 4, 0x68, 0xee, 0x3c, 0x80 };

    n = (o->bits + 7) / 8;

    p = avcc;
    *p++ = 1;
    memcpy(p, o->data, 3);
    p += 3;
    *p++ = 0xff;
    *p++ = 0xe1;
    size = p;
    p += 2;
    *p++ = 0x67;

    for (i = 0, zeros = 0; i < n; i++) {
        if (zeros == 2 && o->data[i] <= 3) {
            *p++ = 3;
            zeros = 0;
        }

        *p++ = o->data[i];
        zeros = o->data[i] ? 0 : zeros + 1;
    }

    size[0] = (uint8_t) ((p - size - 2) >> 8);
    size[1] = (uint8_t) (p - size - 2);

    memcpy(p, pps, sizeof(pps));

    return (size_t) (p - avcc) + sizeof(pps);
}


static void
put_profile(out_t *o, unsigned profile)
{
    memset(o, 0, sizeof(out_t));

    put(o, 8, profile);
    put(o, 8, 0);
    put(o, 8, 31);
    put_ue(o, 0);
}


/* from log2_max_frame_num to the end: 1920 x 1080 */

static void
put_rest(out_t *o, unsigned poc_type, unsigned poc_cycle)
{
    unsigned  i;

    put_ue(o, 4);
    put_ue(o, poc_type);

    if (poc_type == 0) {
        put_ue(o, 6);
    }

    if (poc_type == 1) {
        put(o, 1, 0);
        put_se(o, -3);
        put_se(o, 7);
        put_ue(o, poc_cycle);

        for (i = 0; i < poc_cycle && i < 255; i++) {
            put_se(o, (int) i - 100);
        }
    }

    put_ue(o, 4);
    put(o, 1, 0);
    put_ue(o, 119);
    put_ue(o, 67);
    put(o, 1, 1);
    put(o, 1, 1);
    put(o, 1, 1);
    put_ue(o, 0);
    put_ue(o, 0);
    put_ue(o, 0);
    put_ue(o, 4);
    put(o, 1, 0);
    put(o, 1, 1);                      /* rbsp_stop_one_bit */
}


static int
parse(cam_h264_config_t *config, out_t *o)
{
    int       rc;
    size_t    size;
    uint8_t   avcc[1024], *exact;

    memset(config, 0, sizeof(*config));
    size = wrap(avcc, o);

    /* its own allocation, so that one byte too far is seen by ASan */

    exact = malloc(size);
    assert_non_null(exact);
    memcpy(exact, avcc, size);
    rc = cam_h264_parse_config(config, exact, size);
    free(exact);

    return rc;
}


/* x264 superfast 1280x720, as FFmpeg writes it into FLV */
static const uint8_t  avcc_x264[] = {
    0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f,
    0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00,
    0x10, 0x00, 0x00, 0x03, 0x03, 0x20, 0xf1, 0x83, 0x19, 0x60, 0x01, 0x00,
    0x04, 0x68, 0xef, 0x8f, 0xcb, 0xfd, 0xf8, 0xf8, 0x00
};


static void
h264_of_x264(void **state)
{
    char               text[12];
    cam_h264_config_t  config;

    assert_int_equal(cam_h264_parse_config(&config, avcc_x264,
                                           sizeof(avcc_x264)), 0);
    assert_int_equal(config.width, 1280);
    assert_int_equal(config.height, 720);
    assert_int_equal(config.nal_length_size, 4);
    assert_int_equal(config.chroma_format, 1);
    assert_string_equal(cam_h264_codec(text, &config), "avc1.64001f");
}


static void
h264_baseline_cropped(void **state)
{
    out_t              o;
    char               text[12];
    cam_h264_config_t  config;

    put_profile(&o, 66);
    put_rest(&o, 2, 0);

    assert_int_equal(parse(&config, &o), 0);
    assert_int_equal(config.width, 1920);
    assert_int_equal(config.height, 1080);
    assert_string_equal(cam_h264_codec(text, &config), "avc1.42001f");
}


/* two fields, 4:2:2 and 4:4:4: the units of cropping differ */

static void
h264_chroma_and_fields(void **state)
{
    out_t              o;
    unsigned           chroma;
    cam_h264_config_t  config;

    for (chroma = 0; chroma <= 3; chroma++) {
        put_profile(&o, 244);
        put_ue(&o, chroma);

        if (chroma == 3) {
            put(&o, 1, 0);
        }

        put_ue(&o, 2);
        put_ue(&o, 2);
        put(&o, 2, 0);
        put_ue(&o, 0);
        put_ue(&o, 2);
        put_ue(&o, 1);
        put(&o, 1, 0);
        put_ue(&o, 9);
        put_ue(&o, 9);
        put(&o, 1, 0);                 /* fields */
        put(&o, 1, 0);
        put(&o, 1, 1);
        put(&o, 1, 1);
        put_ue(&o, 1);
        put_ue(&o, 1);
        put_ue(&o, 1);
        put_ue(&o, 1);
        put(&o, 1, 0);

        assert_int_equal(parse(&config, &o), 0);
        assert_int_equal(config.chroma_format, chroma);
        assert_int_equal(config.width,
                         160 - (chroma == 1 || chroma == 2 ? 4 : 2));
        assert_int_equal(config.height, 320 - (chroma == 1 ? 8 : 4));
    }
}


/* present lists are read number by number: only so is what follows right */

static void
h264_scaling_lists(void **state)
{
    out_t              o;
    unsigned           i, k;
    cam_h264_config_t  config;

    put_profile(&o, 100);
    put_ue(&o, 1);
    put_ue(&o, 0);
    put_ue(&o, 0);
    put(&o, 1, 0);
    put(&o, 1, 1);

    for (i = 0; i < 8; i++) {
        put(&o, 1, i % 2);

        if (i == 1) {
            put_se(&o, -8);            /* the default list: ends at once */

        } else if (i % 2) {
            for (k = 0; k < (i < 6 ? 16 : 64); k++) {
                put_se(&o, k % 2 ? 5 : -3);
            }
        }
    }

    put_rest(&o, 0, 0);

    assert_int_equal(parse(&config, &o), 0);
    assert_int_equal(config.width, 1920);
    assert_int_equal(config.height, 1080);
}


static void
h264_order_count_cycle(void **state)
{
    out_t              o;
    cam_h264_config_t  config;

    put_profile(&o, 77);
    put_rest(&o, 1, 255);
    assert_int_equal(parse(&config, &o), 0);
    assert_int_equal(config.height, 1080);

    put_profile(&o, 77);
    put_rest(&o, 1, 256);
    assert_int_equal(parse(&config, &o), -1);

    put_profile(&o, 77);
    put_rest(&o, 1, 0xfffffffe);
    assert_int_equal(parse(&config, &o), -1);
}


static void
h264_values_out_of_range(void **state)
{
    int                i;
    out_t              o;
    unsigned           v[9];
    cam_h264_config_t  config;

    static const unsigned  good[9] = { 0, 1, 0, 0, 0, 0, 1, 9, 9 };
    static const unsigned  bad[9] = { 32, 4, 7, 7, 13, 3, 17, 1024, 1 << 28 };

    for (i = -1; i < 9; i++) {
        memcpy(v, good, sizeof(v));

        if (i >= 0) {
            v[i] = bad[i];
        }

        memset(&o, 0, sizeof(o));
        put(&o, 8, 100);
        put(&o, 16, 31);
        put_ue(&o, v[0]);              /* seq_parameter_set_id */
        put_ue(&o, v[1]);              /* chroma_format_idc */
        put_ue(&o, v[2]);              /* bit depths */
        put_ue(&o, v[3]);
        put(&o, 2, 0);
        put_ue(&o, v[4]);              /* log2_max_frame_num */
        put_ue(&o, v[5]);              /* pic_order_cnt_type */
        put_ue(&o, 0);
        put_ue(&o, v[6]);              /* max_num_ref_frames */
        put(&o, 1, 0);
        put_ue(&o, v[7]);              /* width */
        put_ue(&o, v[8]);              /* height */
        put(&o, 1, 1);
        put(&o, 1, 1);
        put(&o, 2, 0);

        assert_int_equal(parse(&config, &o), i < 0 ? 0 : -1);
    }
}


static void
h264_cropped_to_nothing(void **state)
{
    out_t              o;
    unsigned           crop;
    cam_h264_config_t  config;

    for (crop = 79; crop <= 80; crop++) {
        put_profile(&o, 66);
        put_ue(&o, 0);
        put_ue(&o, 2);
        put_ue(&o, 1);
        put(&o, 1, 0);
        put_ue(&o, 9);
        put_ue(&o, 9);
        put(&o, 1, 1);
        put(&o, 1, 1);
        put(&o, 1, 1);
        put_ue(&o, crop);
        put_ue(&o, 0);
        put_ue(&o, 0);
        put_ue(&o, 0);
        put(&o, 1, 0);

        assert_int_equal(parse(&config, &o), crop == 79 ? 0 : -1);
    }
}


/* 64 zero bits in place of a number */

static void
h264_endless_number(void **state)
{
    out_t              o;
    cam_h264_config_t  config;

    put_profile(&o, 66);
    put(&o, 32, 0);
    put(&o, 32, 0);
    put(&o, 32, 0xffffffff);
    put_rest(&o, 2, 0);

    assert_int_equal(parse(&config, &o), -1);
}


/* refuses the whole of size bytes cut off at every byte */

static void
refuses_cuts(const uint8_t *data, size_t size,
    int (*parser)(const uint8_t *data, size_t size))
{
    size_t    n;
    uint8_t  *cut;

    for (n = 0; n < size; n++) {
        cut = malloc(n + 1);
        assert_non_null(cut);
        memcpy(cut + 1, data, n);
        assert_int_equal(parser(cut + 1, n), -1);
        free(cut);
    }

    assert_int_equal(parser(data, size), 0);
}


static int
parse_h264(const uint8_t *data, size_t size)
{
    cam_h264_config_t  config;

    return cam_h264_parse_config(&config, data, size);
}


static int
parse_aac(const uint8_t *data, size_t size)
{
    cam_aac_config_t  config;

    return cam_aac_parse_config(&config, data, size);
}


static void
h264_every_end_of_file(void **state)
{
    /* the four bytes behind the PPS are an extension and may be absent */

    refuses_cuts(avcc_x264, sizeof(avcc_x264) - 4, parse_h264);
}


/* the same with the SPS itself cut and its length telling the truth */

static void
h264_every_short_sps(void **state)
{
    out_t              o, cut;
    unsigned           n;
    cam_h264_config_t  config;

    put_profile(&o, 77);
    put_rest(&o, 1, 20);

    for (n = 3; n * 8 < o.bits - 1; n++) {
        memset(&cut, 0, sizeof(cut));
        memcpy(cut.data, o.data, n);
        cut.bits = n * 8;

        assert_int_equal(parse(&config, &cut), -1);
    }

    assert_int_equal(parse(&config, &o), 0);
}


static void
h264_bad_records(void **state)
{
    unsigned  i;
    uint8_t   avcc[sizeof(avcc_x264)];

    static const struct {
        unsigned  at;
        uint8_t   value;
    } bad[] = {
        { 0, 0 },        /* version */
        { 4, 0xfe },     /* lengths of 3 bytes */
        { 5, 0xe0 },     /* no SPS */
        { 5, 0xe2 },     /* two, and there is one */
        { 6, 0xff },     /* an SPS of 65 kB */
        { 7, 0x01 },     /* an SPS of one byte */
        { 8, 0x68 },     /* not an SPS */
        { 8, 0xe7 },     /* forbidden_zero_bit */
        { 34, 0 },       /* no PPS */
        { 37, 0x67 },    /* not a PPS */
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memcpy(avcc, avcc_x264, sizeof(avcc));
        avcc[bad[i].at] = bad[i].value;
        assert_int_equal(parse_h264(avcc, sizeof(avcc)), -1);
    }
}


static void
h264_frames_are_tiled(void **state)
{
    cam_h264_config_t  config;

    static const uint8_t  two[] = { 0, 0, 0, 2, 0x09, 0xf0,
                                    0, 0, 0, 3, 0x65, 1, 2 };
    static const uint8_t  none[] = { 0, 0, 0, 2, 0x09, 0xf0, 0, 0, 0, 0 };
    static const uint8_t  huge[] = { 0xff, 0xff, 0xff, 0xff, 0x65 };
    static const uint8_t  bytes[] = { 1, 0x65, 2, 0x65, 1 };

    config.nal_length_size = 4;

    assert_int_equal(cam_h264_check_frame(&config, two, sizeof(two)), 0);
    assert_int_equal(cam_h264_check_frame(&config, two, 6), 0);
    assert_int_equal(cam_h264_check_frame(&config, two, 0), -1);
    assert_int_equal(cam_h264_check_frame(&config, none, sizeof(none)), -1);
    assert_int_equal(cam_h264_check_frame(&config, huge, sizeof(huge)), -1);

    for (size_t n = 0; n < sizeof(two); n++) {
        assert_int_equal(cam_h264_check_frame(&config, two, n),
                         n == 6 ? 0 : -1);
    }

    config.nal_length_size = 1;
    assert_int_equal(cam_h264_check_frame(&config, bytes, 5), 0);
    assert_int_equal(cam_h264_check_frame(&config, bytes, 4), -1);

    config.nal_length_size = 2;
    assert_int_equal(cam_h264_check_frame(&config, two + 2, 4), 0);
}


static void
aac_of_cameras(void **state)
{
    unsigned          i;
    char              text[12];
    cam_aac_config_t  config;

    static const struct {
        uint8_t      data[8];
        size_t       size;
        unsigned     type, channels, rate, samples;
        const char  *codec;
    } good[] = {
        { { 0x12, 0x10 }, 2, 2, 2, 44100, 1024, "mp4a.40.2" },
        { { 0x11, 0x88 }, 2, 2, 1, 48000, 1024, "mp4a.40.2" },
        { { 0x15, 0x88 }, 2, 2, 1, 8000, 1024, "mp4a.40.2" },
        { { 0x14, 0x0c }, 2, 2, 1, 16000, 960, "mp4a.40.2" },
        { { 0x12, 0x38 }, 2, 2, 8, 44100, 1024, "mp4a.40.2" },
        { { 0x12, 0x10, 0x56, 0xe5, 0 }, 5, 2, 2, 44100, 1024, "mp4a.40.2" },
        { { 0x2b, 0x11, 0x88, 0 }, 4, 5, 2, 24000, 1024, "mp4a.40.5" },
        { { 0xeb, 0x09, 0x88, 0 }, 4, 29, 1, 24000, 1024, "mp4a.40.29" },
        { { 0x17, 0x80, 0x56, 0x20, 0x08 }, 5, 2, 1, 44096, 1024,
          "mp4a.40.2" },
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(cam_aac_parse_config(&config, good[i].data,
                                              good[i].size), 0);
        assert_int_equal(config.object_type, good[i].type);
        assert_int_equal(config.channels, good[i].channels);
        assert_int_equal(config.sample_rate, good[i].rate);
        assert_int_equal(config.frame_samples, good[i].samples);
        assert_string_equal(cam_aac_codec(text, &config), good[i].codec);
    }
}


/* channels by a program_config_element: two pairs in front, one at the back,
   one lfe, one coupling and one data element */

static void
aac_program_channels(void **state)
{
    out_t             o;
    cam_aac_config_t  config;

    memset(&o, 0, sizeof(o));
    put(&o, 5, 2);
    put(&o, 4, 3);
    put(&o, 4, 0);
    put(&o, 3, 0);
    put(&o, 4 + 2 + 4, 0);
    put(&o, 4, 2);
    put(&o, 4, 0);
    put(&o, 4, 1);
    put(&o, 2, 1);
    put(&o, 3, 1);
    put(&o, 4, 1);
    put(&o, 3, 0);
    put(&o, 5, 0x10);
    put(&o, 5, 0x10);
    put(&o, 5, 0x00);
    put(&o, 4, 0);
    put(&o, 4, 0);
    put(&o, 5, 0);

    refuses_cuts(o.data, (o.bits + 7) / 8, parse_aac);

    assert_int_equal(cam_aac_parse_config(&config, o.data, 32), 0);
    assert_int_equal(config.channels, 6);
}


static void
aac_refused(void **state)
{
    unsigned  i;

    static const struct {
        uint8_t  data[8];
        size_t   size;
    } bad[] = {
        { { 0x0a, 0x10 }, 2 },                  /* Main */
        { { 0x22, 0x10 }, 2 },                  /* LTP */
        { { 0xf8, 0xe8, 0x50 }, 3 },            /* escaped: xHE-AAC */
        { { 0x16, 0x90 }, 2 },                  /* reserved rate */
        { { 0x17, 0x80, 0, 0, 0x08 }, 5 },      /* a rate of 0 */
        { { 0x17, 0xff, 0xff, 0xff, 0x88 }, 5 },
        { { 0x12, 0x40 }, 2 },                  /* reserved channels */
        { { 0x2b, 0x11, 0x04, 0 }, 4 },         /* SBR over Main */
        { { 0x2b, 0x96, 0x88, 0 }, 4 },         /* SBR of a reserved rate */
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(parse_aac(bad[i].data, bad[i].size), -1);
    }
}


static void
aac_every_end_of_file(void **state)
{
    static const uint8_t  lc[] = { 0x12, 0x10 };
    static const uint8_t  he[] = { 0x2b, 0x11, 0x88, 0 };
    static const uint8_t  rate[] = { 0x17, 0x80, 0x56, 0x22, 0x08 };

    refuses_cuts(lc, sizeof(lc), parse_aac);
    refuses_cuts(he, 4, parse_aac);
    refuses_cuts(rate, sizeof(rate), parse_aac);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(h264_of_x264),
        cmocka_unit_test(h264_baseline_cropped),
        cmocka_unit_test(h264_chroma_and_fields),
        cmocka_unit_test(h264_scaling_lists),
        cmocka_unit_test(h264_order_count_cycle),
        cmocka_unit_test(h264_values_out_of_range),
        cmocka_unit_test(h264_cropped_to_nothing),
        cmocka_unit_test(h264_endless_number),
        cmocka_unit_test(h264_every_end_of_file),
        cmocka_unit_test(h264_every_short_sps),
        cmocka_unit_test(h264_bad_records),
        cmocka_unit_test(h264_frames_are_tiled),
        cmocka_unit_test(aac_of_cameras),
        cmocka_unit_test(aac_program_channels),
        cmocka_unit_test(aac_refused),
        cmocka_unit_test(aac_every_end_of_file),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
