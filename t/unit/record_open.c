/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for what is open on a volume, by its journal and by the table. */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "record_open.h"

#define START   INT64_C(1764165600123)       /* 2025-11-26T14:00:00.123Z */
#define DAY     "media/0e8a3c7e-52c1-4f57-9f3d-6a1b1c2d3e4f/2025-11-26/"
#define EARLY   DAY "20251126T130000.000Z.mp4"
#define NOON    DAY "20251126T140000.123Z.mp4"
#define LATE    DAY "20251126T150000.000Z.mp4"
#define ID(n)   "0192f3a0-0000-7000-8000-00000000000" n

#define OPEN(n, path)  "{\"n\":\"open\",\"id\":\"" ID(n) "\",\"path\":\"" \
                       path "\"}\n"
#define CLOSE(n)       "{\"n\":\"close\",\"id\":\"" ID(n) "\"}\n"
#define CAMERA         "\"camera\":\"0e8a3c7e-52c1-4f57-9f3d-6a1b1c2d3e4f\""


static char                dir[32];
static int                 volume;
static cam_record_opens_t  opens;


static int
make_volume(void **state)
{
    strcpy(dir, "/tmp/record-open-XXXXXX");

    if (mkdtemp(dir) == NULL) {
        return -1;
    }

    memset(&opens, 0, sizeof(opens));
    volume = open(dir, O_RDONLY|O_DIRECTORY);

    return volume == -1 || mkdirat(volume, "journal", 0700) == -1
           || mkdirat(volume, "live", 0700) == -1 ? -1 : 0;
}


static int
remove_volume(void **state)
{
    char  command[64];

    cam_record_open_free(&opens);
    close(volume);
    snprintf(command, sizeof(command), "rm -rf %s", dir);

    return system(command);
}


static void
write_journal(int n, const char *text)
{
    int   fd;
    char  name[40];

    snprintf(name, sizeof(name), "journal/%013d.log", n);
    fd = openat(volume, name, O_WRONLY|O_CREAT|O_TRUNC, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}


static void
read_journal(void)
{
    cam_record_open_free(&opens);
    assert_int_equal(cam_record_open_journal(&opens, volume), 0);
}


static void
nothing_is_open_without_a_journal(void **state)
{
    assert_int_equal(unlinkat(volume, "journal", AT_REMOVEDIR), 0);
    read_journal();
    cam_record_open_sort(&opens);
    assert_int_equal(opens.files, 0);
    assert_null(cam_record_open_find(&opens, NOON));
}


static void
what_was_begun_is_open_until_it_ends(void **state)
{
    write_journal(1, OPEN("1", NOON));
    read_journal();
    assert_non_null(cam_record_open_find(&opens, NOON));
    assert_null(cam_record_open_find(&opens, LATE));

    write_journal(2, OPEN("1", NOON) "{\"n\":\"advance\",\"id\":\"" ID("1")
                  "\"}\n" CLOSE("1"));
    read_journal();
    assert_null(cam_record_open_find(&opens, NOON));

    write_journal(3, OPEN("1", NOON));
    read_journal();
    assert_null(cam_record_open_find(&opens, NOON));

    write_journal(4, OPEN("2", LATE) "{\"n\":\"removed\",\"id\":\"" ID("2")
                  "\",\"why\":\"missing\"}\n");
    read_journal();
    cam_record_open_sort(&opens);
    assert_int_equal(opens.files, 0);
}


/* the clock was set back between them */

static void
the_last_one_comes_first_whatever_its_name(void **state)
{
    write_journal(1, OPEN("1", LATE) OPEN("2", NOON));
    write_journal(2, OPEN("3", EARLY));
    read_journal();
    cam_record_open_sort(&opens);

    assert_int_equal(opens.files, 3);
    assert_string_equal(opens.file[0].path, EARLY);
    assert_string_equal(opens.file[1].path, NOON);
    assert_string_equal(opens.file[2].path, LATE);
    assert_int_equal(opens.file[1].start_msec, START);

    /* a new file of the journal says again what is open */

    write_journal(3, OPEN("2", NOON));
    read_journal();
    cam_record_open_sort(&opens);
    assert_string_equal(opens.file[0].path, NOON);
}


static void
what_makes_no_sense_is_passed_over(void **state)
{
    write_journal(1, "nonsense\n[]\n{}\n{\"n\":1}\n{\"n\":\"open\"}\n"
                  OPEN("1", "media/../../etc/passwd") OPEN("2", NOON)
                  "{\"n\":\"open\",\"id\":\"1\",\"path\":\"" LATE "\"}\n"
                  "{\"n\":\"close\"}\n{\"n\":\"gap\"}\n\n");
    write_journal(2, CLOSE("1") "{\"n\":\"close\",\"id\":\"" ID("2"));
    read_journal();
    cam_record_open_sort(&opens);

    assert_int_equal(opens.files, 1);
    assert_string_equal(opens.file[0].path, NOON);
}


static void
the_newest_files_are_enough(void **state)
{
    int  n;

    for (n = 1; n <= 20; n++) {
        write_journal(n, n == 1 ? OPEN("1", EARLY) : "");
    }

    write_journal(12, OPEN("2", NOON));
    write_journal(13, OPEN("3", LATE));
    read_journal();

    assert_null(cam_record_open_find(&opens, EARLY));
    assert_null(cam_record_open_find(&opens, NOON));
    assert_non_null(cam_record_open_find(&opens, LATE));
}


static void
gaps_are_open_until_they_end(void **state)
{
    write_journal(1, "{\"n\":\"gap\"," CAMERA ",\"start\":5,\"end\":null,"
                  "\"cause\":\"camera\"}\n");
    read_journal();
    assert_int_equal(opens.gaps, 1);
    assert_int_equal(opens.gap[0].start_msec, 5);
    assert_string_equal(opens.gap[0].cause, "camera");

    write_journal(2, "{\"n\":\"gap\"," CAMERA ",\"start\":5,\"end\":9,"
                  "\"cause\":\"camera\"}\n");
    read_journal();
    assert_int_equal(opens.gaps, 1);
    assert_int_equal(opens.gap[0].start_msec, 0);
}


#define KEY   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJw"
#define KEYED(n, path, kid, key)  "{\"n\":\"open\",\"id\":\"" ID(n) \
                                  "\",\"path\":\"" path "\",\"kid\":" kid \
                                  ",\"wrapped\":" key "}\n"


/* and is known after it has ended, too: its index may be lost by then */

static void
the_key_of_a_recording_is_told(void **state)
{
    size_t                    i;
    const cam_record_open_t  *f;

    write_journal(1, KEYED("1", NOON, "\"r1\"", "\"" KEY "\"") CLOSE("1")
                  OPEN("2", LATE) OPEN("1", NOON));
    read_journal();

    f = cam_record_open_sealed(&opens, NOON);
    assert_non_null(f);
    assert_string_equal(f->kid, "r1");

    for (i = 0; i < CAM_RECORD_WRAPPED; i++) {
        assert_int_equal(f->wrapped[i], i);
    }

    assert_null(cam_record_open_find(&opens, NOON));
    assert_null(cam_record_open_sealed(&opens, LATE));
    assert_null(cam_record_open_sealed(&opens, EARLY));
}


static void
a_key_of_another_form_is_none(void **state)
{
    write_journal(1, KEYED("1", NOON, "\"r1\"", "\"" KEY "A\"")
                  KEYED("2", NOON, "\"r1\"", "7")
                  KEYED("3", NOON, "null", "\"" KEY "\"")
                  KEYED("4", NOON, "\"r 1\"", "\"" KEY "\"")
                  KEYED("5", NOON, "\"0123456789abcdef\"", "\"" KEY "\"")
                  KEYED("6", NOON, "\"\"", "\"" KEY "\"")
                  KEYED("7", LATE, "\"r1\"", "\"" KEY "\"")
                  KEYED("7", LATE, "\"r1\"", "\"=" KEY "\""));
    read_journal();

    assert_non_null(cam_record_open_find(&opens, NOON));
    assert_null(cam_record_open_sealed(&opens, NOON));
    assert_non_null(cam_record_open_sealed(&opens, LATE));
}


/* its recorder died before the journal had a line of it */

static void
the_table_knows_what_was_just_begun(void **state)
{
    uint8_t              camera[CAM_UUID_LEN];
    cam_record_wish_t    wish = { .want = 1 };
    cam_record_state_t   s;
    cam_record_table_t  *table;

    (void) cam_uuid_parse(camera, DAY + 6, CAM_UUID_TEXT);
    memset(&s, 0, sizeof(s));
    s.volume = 1;
    s.start_msec = START;
    (void) cam_uuid_parse(s.recording, ID("1"), CAM_UUID_TEXT);

    table = cam_record_table_open(dir);
    assert_non_null(table);
    assert_int_equal(cam_record_wish_set(table, camera, &wish), 0);
    assert_int_equal(cam_record_state_set(table, camera, &s), 0);

    write_journal(1, OPEN("2", LATE));
    read_journal();
    assert_int_equal(cam_record_open_table(&opens, table, 0), 0);
    assert_null(cam_record_open_find(&opens, NOON));
    assert_int_equal(cam_record_open_table(&opens, table, 1), 0);
    cam_record_open_sort(&opens);

    assert_int_equal(opens.files, 2);
    assert_string_equal(opens.file[0].path, NOON);
    assert_false(opens.file[0].announced);
    assert_true(opens.file[1].announced);

    /* the journal knows more */

    write_journal(2, OPEN("1", NOON) CLOSE("1"));
    read_journal();
    assert_int_equal(cam_record_open_table(&opens, table, 1), 0);
    assert_null(cam_record_open_find(&opens, NOON));

    cam_record_table_close(table);
}


#define TEST(name)  cmocka_unit_test_setup_teardown(name, make_volume, \
                                                    remove_volume)


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(nothing_is_open_without_a_journal),
        TEST(what_was_begun_is_open_until_it_ends),
        TEST(the_last_one_comes_first_whatever_its_name),
        TEST(what_makes_no_sense_is_passed_over),
        TEST(the_newest_files_are_enough),
        TEST(gaps_are_open_until_they_end),
        TEST(the_key_of_a_recording_is_told),
        TEST(a_key_of_another_form_is_none),
        TEST(the_table_knows_what_was_just_begun)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
