/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for names on a volume: what is written is read and nothing else, days
 * are those of UTC, a range finds what reaches into it; and for the volume's
 * own file.
 */

#include <errno.h>
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

#include "record_path.h"

#define START  INT64_C(1764165600123)        /* 2025-11-26T14:00:00.123Z */
#define HOUR   INT64_C(3600000)
#define NAME   "20251126T140000.123Z.mp4"
#define PATH   "media/0e8a3c7e-52c1-4f57-9f3d-6a1b1c2d3e4f/2025-11-26/" NAME


static char     dir[] = "/tmp/record-path-XXXXXX";
static int      dirfd;
static uint8_t  camera[CAM_UUID_LEN];


static int
make_dir(void **state)
{
    if (mkdtemp(dir) == NULL) {
        return -1;
    }

    (void) cam_uuid_parse(camera, PATH + 6, CAM_UUID_TEXT);
    dirfd = open(dir, O_RDONLY|O_DIRECTORY);

    return dirfd == -1 ? -1 : 0;
}


static int
remove_dir(void **state)
{
    char  command[64];

    snprintf(command, sizeof(command), "rm -rf %s", dir);

    return system(command);
}


static void
touch(int64_t start, const char *suffix)
{
    int   fd;
    char  path[CAM_RECORD_PATH_MAX];

    (void) mkdirat(dirfd, "media", 0750);
    assert_non_null(cam_record_day_path(path, camera, start));
    path[6 + CAM_UUID_TEXT] = '\0';
    (void) mkdirat(dirfd, path, 0750);
    path[6 + CAM_UUID_TEXT] = '/';
    (void) mkdirat(dirfd, path, 0750);

    fd = openat(dirfd, cam_record_path(path, camera, start, suffix),
                O_WRONLY|O_CREAT, 0640);
    assert_true(fd != -1);
    close(fd);
}


static void
path_is_read_as_written(void **state)
{
    char     path[CAM_RECORD_PATH_MAX];
    int64_t  start;
    uint8_t  id[CAM_UUID_LEN];

    assert_string_equal(cam_record_path(path, camera, START, "mp4"), PATH);
    assert_int_equal(cam_record_path_parse(path, id, &start), 0);
    assert_true(start == START);
    assert_memory_equal(id, camera, CAM_UUID_LEN);

    cam_record_path(path, camera, START, "idx");
    assert_int_equal(cam_record_path_parse(path, id, &start), 0);
    cam_record_path(path, camera, START, "hold");
    assert_int_equal(cam_record_path_parse(path, id, &start), 0);

    /* the edges of what a name can say */

    cam_record_path(path, camera, 0, "mp4");
    assert_int_equal(cam_record_path_parse(path, id, &start), 0);
    assert_true(start == 0);
    cam_record_path(path, camera, INT64_C(253402300799999), "mp4");
    assert_int_equal(cam_record_path_parse(path, id, &start), 0);
    assert_true(start == INT64_C(253402300799999));
    assert_null(cam_record_path(path, camera, INT64_C(253402300800000),
                                "mp4"));
    assert_null(cam_record_path(path, camera, -1, "mp4"));
}


static void
other_paths_are_refused(void **state)
{
    char      path[2 * CAM_RECORD_PATH_MAX];
    size_t    i;
    int64_t   start;
    uint8_t   id[CAM_UUID_LEN];
    unsigned  n;

    static const char *const  names[] = {
        "", "media/", "volume", PATH "/", PATH "x", "/" PATH, "../" PATH,
        "media/0e8a3c7e-52c1-4f57-9f3d-6a1b1c2d3e4f/2025-11-27/" NAME,
        "media/0E8A3C7E-52C1-4F57-9F3D-6A1B1C2D3E4F/2025-11-26/" NAME,
        "media/0e8a3c7e-52c1-4f57-9f3d-6a1b1c2d3e4f/../../../" NAME,
        "media/0e8a3c7e-52c1-4f57-9f3d-6a1b1c2d3e4f/2025-11-26/"
            "20251126T140000.123Z.txt",
        "media/0e8a3c7e-52c1-4f57-9f3d-6a1b1c2d3e4f/2025-02-30/"
            "20250230T140000.123Z.mp4",
        "media/0e8a3c7e-52c1-4f57-9f3d-6a1b1c2d3e4f/2025-11-26/"
            "20251126T240000.123Z.mp4",
    };

    for (n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        assert_int_equal(cam_record_path_parse(names[n], id, &start), -1);
    }

    /* no other character stands anywhere, and no shorter one is a path */

    for (i = 0; i < strlen(PATH); i++) {
        strcpy(path, PATH);
        path[i] = '!';
        assert_int_equal(cam_record_path_parse(path, id, &start), -1);
        path[i] = '\0';
        assert_int_equal(cam_record_path_parse(path, id, &start), -1);
    }

    assert_int_equal(cam_record_name_parse(NAME, &start),
                     CAM_RECORD_HAS_MEDIA);
    assert_int_equal(cam_record_name_parse("x" NAME, &start), 0);
}


static void
days_are_those_of_utc(void **state)
{
    int64_t  day;

    assert_int_equal(setenv("TZ", "Pacific/Auckland", 1), 0);
    path_is_read_as_written(state);

    assert_int_equal(cam_record_day_parse("2025-11-26", &day), 0);
    assert_true(day == START - 14 * HOUR - 123);
    assert_int_equal(cam_record_day_parse("2024-02-29", &day), 0);
    assert_int_equal(cam_record_day_parse("2025-02-29", &day), -1);
    assert_int_equal(cam_record_day_parse("2025-11-2", &day), -1);
    assert_int_equal(cam_record_day_parse("2025-11-260", &day), -1);
    assert_int_equal(cam_record_day_parse("..", &day), -1);
    unsetenv("TZ");
}


static void
range_finds_what_reaches_into_it(void **state)
{
    size_t              i, n;
    cam_record_name_t  *names;

    assert_int_equal(cam_record_list(dirfd, camera, 0, START, &names, &n), 0);
    assert_int_equal(n, 0);
    free(names);

    /* three days of hours, the newest first */

    for (i = 72; i > 0; i--) {
        touch(START + (i - 1) * HOUR, "mp4");
        touch(START + (i - 1) * HOUR, "idx");
    }

    touch(START + 30 * HOUR, "hold");
    assert_int_equal(mkdirat(dirfd, "media/lost+found", 0750), 0);

    assert_int_equal(cam_record_list(dirfd, camera, START + 26 * HOUR,
                                     START + 32 * HOUR, &names, &n), 0);
    assert_int_equal(n, 30);

    for (i = 0; i < n; i++) {
        assert_true(names[i].start_msec
                    == START + ((int64_t) i + 2) * HOUR);
        assert_int_equal(names[i].has, CAM_RECORD_HAS_MEDIA
                         |CAM_RECORD_HAS_INDEX
                         |(i == 28 ? CAM_RECORD_HAS_HOLD : 0));
    }

    free(names);
}


static void
volume_is_made_once(void **state)
{
    int      fd;
    uint8_t  made[CAM_UUID_LEN], again[CAM_UUID_LEN];

    assert_int_equal(cam_record_volume_read(dirfd, made), -1);
    assert_int_equal(errno, ENOENT);

    assert_int_equal(cam_record_volume_init(dirfd, made), 0);
    assert_int_equal(cam_record_volume_read(dirfd, again), 0);
    assert_memory_equal(made, again, CAM_UUID_LEN);

    assert_int_equal(cam_record_volume_init(dirfd, again), -1);
    assert_int_equal(errno, EEXIST);
    assert_int_equal(cam_record_volume_read(dirfd, again), 0);
    assert_memory_equal(made, again, CAM_UUID_LEN);

    fd = openat(dirfd, "volume", O_WRONLY|O_APPEND);
    assert_int_equal(write(fd, "\n", 1), 1);
    close(fd);
    assert_int_equal(cam_record_volume_read(dirfd, again), -1);
    assert_int_equal(errno, EPROTO);
}


static void
id_begins_with_the_time(void **state)
{
    char     text[CAM_UUID_TEXT + 1];
    uint8_t  one[CAM_UUID_LEN], two[CAM_UUID_LEN];

    assert_int_equal(cam_record_id(one, START), 0);
    assert_int_equal(cam_record_id(two, START), 0);
    assert_memory_equal(one, two, 6);
    assert_memory_not_equal(one, two, CAM_UUID_LEN);

    cam_uuid_print(text, one);
    assert_memory_equal(text, "019ac076-", 9);
    assert_int_equal(text[14], '7');
    assert_non_null(strchr("89ab", text[19]));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(path_is_read_as_written),
        cmocka_unit_test(other_paths_are_refused),
        cmocka_unit_test(days_are_those_of_utc),
        cmocka_unit_test(range_finds_what_reaches_into_it),
        cmocka_unit_test(volume_is_made_once),
        cmocka_unit_test(id_begins_with_the_time),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
