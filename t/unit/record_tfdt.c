/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for times in fragments: tracks of an init segment, the time of each
 * track by every way in which a fragment can say it, moving it, and what does
 * not fit.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../camera_worker/record_tfdt.c"

#define VIDEO  1
#define AUDIO  2


static uint8_t  bytes[4096];
static size_t   len;


static void
put(uint32_t n)
{
    cw_put32(bytes + len, n);
    len += 4;
}


static size_t
begin(const char *type)
{
    put(0);
    memcpy(bytes + len, type, 4);
    len += 4;

    return len - 8;
}


static void
end(size_t box)
{
    cw_put32(bytes + box, len - box);
}


static void
put_track(uint32_t id, uint32_t scale, const char *what)
{
    size_t  trak, mdia, box;

    trak = begin("trak");

    box = begin("tkhd");
    put(0), put(0), put(0), put(id), put(0), put(0);
    end(box);

    mdia = begin("mdia");

    box = begin("mdhd");
    put(0), put(0), put(0), put(scale), put(0), put(0);
    end(box);

    box = begin("hdlr");
    put(0), put(0);
    memcpy(bytes + len, what, 4);
    len += 4;
    end(box);

    end(mdia);
    end(trak);
}


static cw_record_tracks_t
tracks(void)
{
    size_t              moov, mvex, box;
    cw_record_tracks_t  t;

    len = 0;
    moov = begin("moov");
    put_track(AUDIO, 48000, "soun");
    put_track(VIDEO, 90000, "vide");

    mvex = begin("mvex");
    box = begin("trex");
    put(0), put(AUDIO), put(1), put(1024), put(0), put(0);
    end(box);
    end(mvex);
    end(moov);

    assert_int_equal(cw_record_tracks_read(&t, bytes, len), 0);

    return t;
}


/* tfdt of 64 or 32 bits, a run of three samples by its flags */

static void
put_traf(uint32_t id, int wide, uint64_t at, uint32_t tfhd, uint32_t trun)
{
    size_t    traf, box;
    uint32_t  i;

    traf = begin("traf");

    box = begin("tfhd");
    put(0x20000|tfhd), put(id);
    if (tfhd & CW_TFHD_BASE) {
        put(7), put(7);
    }
    if (tfhd & CW_TFHD_DESCRIPTION) {
        put(7);
    }
    if (tfhd & CW_TFHD_DURATION) {
        put(3000);
    }
    end(box);

    box = begin("tfdt");
    put(wide ? 1u << 24 : 0);
    if (wide) {
        put(at >> 32);
    }
    put(at);
    end(box);

    box = begin("trun");
    put(trun), put(3);
    if (trun & CW_TRUN_OFFSET) {
        put(0);
    }
    if (trun & CW_TRUN_FIRST_FLAGS) {
        put(0);
    }
    for (i = 0; i < 3; i++) {
        if (trun & CW_TRUN_DURATION) {
            put(100 + i);
        }
        if (trun & CW_TRUN_SIZE) {
            put(9);
        }
        if (trun & CW_TRUN_FLAGS) {
            put(9);
        }
        if (trun & CW_TRUN_CTS) {
            put(9);
        }
    }
    end(box);

    end(traf);
}


static void
put_fragment(int wide, uint32_t tfhd, uint32_t trun)
{
    size_t  moof, box;

    moof = begin("moof");
    box = begin("mfhd");
    put(0), put(77);
    end(box);
    put_traf(VIDEO, wide, 900000, tfhd, trun);
    put_traf(AUDIO, wide, 480000, 0, CW_TRUN_OFFSET);
    end(moof);

    box = begin("mdat");
    put(1), put(2), put(3);
    end(box);
}


static void
tracks_are_read(void **state)
{
    size_t              n;
    cw_record_tracks_t  t, other;

    t = tracks();
    assert_int_equal(t.n, 2);
    assert_int_equal(t.lead, 1);
    assert_int_equal(t.track[0].id, AUDIO);
    assert_int_equal(t.track[0].scale, 48000);
    assert_int_equal(t.track[0].duration, 1024);
    assert_int_equal(t.track[1].scale, 90000);
    assert_true(t.track[1].video);

    /* no shorter one is one */

    for (n = 0; n < len; n++) {
        assert_int_equal(cw_record_tracks_read(&other, bytes, n), -1);
    }
}


static void
times_are_read_however_they_are_said(void **state)
{
    int                 wide;
    uint32_t            tfhd, trun;
    cw_record_times_t   times;
    cw_record_tracks_t  t;

    t = tracks();

    for (wide = 0; wide < 2; wide++) {
        for (tfhd = 0; tfhd < 16; tfhd++) {
            for (trun = 0; trun < 0x1000; trun += 0x100) {

                len = 0;
                put_fragment(wide, (tfhd & 3) | (tfhd & 8)
                                   | CW_TFHD_DURATION,
                             trun | (tfhd & 1 ? 5 : 0));

                assert_int_equal(cw_record_times_read(&t, &times, bytes, len),
                                 0);
                assert_int_equal(times.present, 3);
                assert_true(times.begin[1] == 900000);
                assert_true(times.end[1] == 900000
                            + (trun & CW_TRUN_DURATION ? 303 : 9000));
                assert_true(times.begin[0] == 480000);
                assert_true(times.end[0] == 480000 + 3 * 1024);
            }
        }
    }
}


static void
times_are_moved(void **state)
{
    int                 wide;
    int64_t             shift[CW_RECORD_TRACKS];
    cw_record_times_t   times;
    cw_record_tracks_t  t;

    t = tracks();

    for (wide = 0; wide < 2; wide++) {
        len = 0;
        put_fragment(wide, CW_TFHD_DURATION, 0);
        put_fragment(wide, CW_TFHD_DURATION, 0);

        shift[0] = -480000;
        shift[1] = wide ? INT64_C(1) << 40 : -900000;

        assert_int_equal(cw_record_times_move(&t, bytes, len, shift, 5), 0);
        assert_int_equal(cw_get32(bytes + 20), 5);
        assert_int_equal(cw_record_times_read(&t, &times, bytes, len), 0);
        assert_true(times.begin[0] == 0);
        assert_true(times.begin[1] == 900000 + shift[1]);

        /* not before 0, and not beyond what it can say */

        shift[0] = -1;
        shift[1] = 0;
        assert_int_equal(cw_record_times_move(&t, bytes, len, shift, 6), -1);
        shift[0] = 0;
        shift[1] = wide ? INT64_C(1) << 60 : UINT32_MAX;
        shift[1]++;
        assert_int_equal(cw_record_times_move(&t, bytes, len, shift, 6), -1);
    }
}


static void
other_bytes_are_refused(void **state)
{
    size_t              n;
    cw_record_times_t   times;
    cw_record_tracks_t  t;

    t = tracks();
    len = 0;
    put_fragment(1, CW_TFHD_DURATION, 0x301);

    for (n = 1; n < len; n++) {
        assert_int_equal(cw_record_times_read(&t, &times, bytes, n), -1);
    }

    /* a track of nobody */

    len = 0;
    put_fragment(1, CW_TFHD_DURATION, 0x301);
    t.track[1].id = 9;
    assert_int_equal(cw_record_times_read(&t, &times, bytes, len), -1);

    /* more samples than there are */

    t = tracks();
    len = 0;
    put_fragment(1, CW_TFHD_DURATION, 0x301);
    cw_put32(bytes + 84, 4);
    assert_int_equal(cw_record_times_read(&t, &times, bytes, len), -1);
}


static void
a_tenth_of_a_second_is_that(void **state)
{
    int64_t            usec;
    cw_record_track_t  t;

    memset(&t, 0, sizeof(t));
    t.scale = 90000;

    for (usec = -10000000; usec < 10000000; usec += 100000) {
        assert_true(cw_record_usec(&t, cw_record_ticks(&t, usec)) == usec);
    }

    /* years of it */

    usec = INT64_C(1000000000000000);
    assert_true(cw_record_usec(&t, cw_record_ticks(&t, usec)) == usec);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(tracks_are_read),
        cmocka_unit_test(times_are_read_however_they_are_said),
        cmocka_unit_test(times_are_moved),
        cmocka_unit_test(other_bytes_are_refused),
        cmocka_unit_test(a_tenth_of_a_second_is_that),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
