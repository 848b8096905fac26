/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for the entry of the index that a fragment says itself. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "record_media.h"
#include "record_name.h"

#define MEDIA  64                            /* bytes of samples */


static uint8_t                      data[512];
static size_t                       size;
static const cam_record_tracks_t    tracks = { 2, 0, { { 1, 1000, 1 },
                                                       { 2, 1000, 0 } } };
static const cam_record_fragment_t  entry = {
    .wall_msec = INT64_C(1764165600123), .msn = UINT64_C(0x123456789abcdef),
    .duration_usec = 200000, .part = 3, .flags = 5, .live_time = 0xdeadbeef
};


static void
put32(uint32_t value)
{
    data[size++] = (uint8_t) (value >> 24);
    data[size++] = (uint8_t) (value >> 16);
    data[size++] = (uint8_t) (value >> 8);
    data[size++] = (uint8_t) value;
}


static size_t
begin(const char *type)
{
    put32(0);
    memcpy(data + size, type, 4);
    size += 4;

    return size - 8;
}


static void
end(size_t at)
{
    data[at + 2] = (uint8_t) ((size - at) >> 8);
    data[at + 3] = (uint8_t) (size - at);
}


static void
put_traf(uint32_t id, uint32_t tfhd_flags, uint32_t trun_flags,
    uint32_t offset)
{
    size_t  traf, box;

    traf = begin("traf");

    box = begin("tfhd");
    put32(0x020000 | tfhd_flags);
    put32(id);
    end(box);

    box = begin("tfdt");
    put32(0);
    put32(1000);
    end(box);

    box = begin("trun");
    put32(0x300 | trun_flags);
    put32(1);

    if (trun_flags & 1) {
        put32(offset);
    }

    put32(200);
    put32(MEDIA / 2);
    end(box);

    end(traf);
}


/* as the packager writes it: one moof and one mdat */

static void
make(uint32_t tfhd_flags, uint32_t trun_flags, const char *media)
{
    int     i;
    size_t  moof, box;

    size = 0;
    moof = begin("moof");
    box = begin("mfhd");
    put32(0);
    put32(1);
    end(box);
    put_traf(1, tfhd_flags, trun_flags, 1000);
    put_traf(2, tfhd_flags, trun_flags, 1000 + MEDIA / 2);
    end(moof);

    box = begin(media);

    for (i = 0; i < MEDIA; i++) {
        data[size++] = (uint8_t) i;
    }

    end(box);
}


static int
look(void *offsets, const cam_record_sample_t *sample)
{
    ((uint64_t *) offsets)[sample->track] = sample->offset;

    return 0;
}


static void
a_fragment_says_its_entry(void **state)
{
    int                    i;
    char                   type[5];
    uint64_t               moof, offsets[2];
    cam_record_fragment_t  f;

    make(0, 1, "mdat");
    assert_int_equal(cam_record_name_room(data, size), 0);
    size += CAM_RECORD_NAME_SIZE;
    assert_int_equal(cam_record_name_write(data, size, &entry), 0);

    assert_int_equal(cam_record_box(data, size, type, &moof), 0);
    memset(&f, 0, sizeof(f));
    assert_int_equal(cam_record_name_read(data, moof, &f), 0);
    assert_memory_equal(&f, &entry, sizeof(f));

    /* samples are where the moof says, as many bytes later as it has grown */

    assert_int_equal(cam_record_samples(data, moof, &tracks, look, offsets), 0);
    assert_int_equal(offsets[0], 1000 + CAM_RECORD_NAME_SIZE);
    assert_int_equal(offsets[1], 1000 + MEDIA / 2 + CAM_RECORD_NAME_SIZE);
    assert_memory_equal(data + moof + 4, "mdat", 4);

    for (i = 0; i < MEDIA; i++) {
        assert_int_equal(data[moof + 8 + i], i);
    }
}


static void
what_has_another_form_stays_as_it_is(void **state)
{
    size_t   i;
    uint8_t  before[sizeof(data)];

    static const struct {
        uint32_t     tfhd;
        uint32_t     trun;
        const char  *media;
    } forms[] = {
        { 1, 1, "mdat" },                   /* places in the file */
        { 0, 0, "mdat" },                   /* none at all */
        { 0, 1, "free" }
    };

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        make(forms[i].tfhd, forms[i].trun, forms[i].media);
        memcpy(before, data, sizeof(data));
        assert_int_equal(cam_record_name_room(data, size), -1);
        assert_memory_equal(data, before, sizeof(data));
    }

    make(0, 1, "mdat");

    for (i = 0; i < size; i++) {
        assert_int_equal(cam_record_name_room(data, i), -1);
    }

    make(0, 1, "mdat");
    data[size++] = 0;
    assert_int_equal(cam_record_name_room(data, size), -1);
}


static void
what_it_adds_goes_again(void **state)
{
    uint8_t  before[sizeof(data)];

    make(0, 1, "mdat");
    memcpy(before, data, sizeof(data));
    assert_int_equal(cam_record_name_remove(data, size), -1);
    assert_memory_equal(data, before, sizeof(data));

    assert_int_equal(cam_record_name_room(data, size), 0);
    assert_int_equal(cam_record_name_write(data, size + CAM_RECORD_NAME_SIZE,
                                           &entry), 0);
    assert_int_equal(cam_record_name_remove(data, size + CAM_RECORD_NAME_SIZE),
                     0);
    assert_memory_equal(data, before, size);
}


static void
without_room_nothing_is_written(void **state)
{
    uint8_t  before[sizeof(data)];

    make(0, 1, "mdat");
    memcpy(before, data, sizeof(data));
    assert_int_equal(cam_record_name_write(data, size, &entry), -1);
    assert_memory_equal(data, before, sizeof(data));
}


/* of one that is not whole nothing is believed: a wrong name decrypts noise */

static void
a_damaged_one_says_nothing(void **state)
{
    char                   type[5];
    size_t                 i;
    uint64_t               moof;
    cam_record_fragment_t  f;

    make(0, 1, "mdat");
    assert_int_equal(cam_record_name_room(data, size), 0);
    size += CAM_RECORD_NAME_SIZE;
    assert_int_equal(cam_record_name_write(data, size, &entry), 0);
    assert_int_equal(cam_record_box(data, size, type, &moof), 0);

    for (i = moof - CAM_RECORD_NAME_SIZE; i < moof; i++) {
        data[i] ^= 0x40;
        assert_int_equal(cam_record_name_read(data, moof, &f), -1);
        data[i] ^= 0x40;
    }

    for (i = 0; i < moof; i++) {
        assert_int_equal(cam_record_name_read(data, i, &f), -1);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(a_fragment_says_its_entry),
        cmocka_unit_test(what_has_another_form_stays_as_it_is),
        cmocka_unit_test(what_it_adds_goes_again),
        cmocka_unit_test(without_room_nothing_is_written),
        cmocka_unit_test(a_damaged_one_says_nothing)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
