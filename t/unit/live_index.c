/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for the live index: what a reader sees while a writer publishes, dies
 * or restarts, and what it refuses to believe.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "clock.h"
#include "live_index.h"

#define HEADER     64
#define READS_MAX  10000000


static const uint8_t  camera[CAM_UUID_LEN] = "0123456789abcde";
static char           base[64];
static int            livefd;


/* every number in the index follows from k, so that a torn copy shows */

static void
fill(cam_live_index_t *index, uint64_t k)
{
    uint32_t             i;
    cam_live_segment_t  *seg;

    index->state = CAM_LIVE_ON;
    index->generation = k;
    index->next_msn = k;
    index->segments = CAM_LIVE_SEGMENTS;
    index->init[0].version = 7;
    strcpy(index->init[0].codecs, "avc1.64001f,mp4a.40.2");

    for (i = 0; i < CAM_LIVE_SEGMENTS; i++) {
        seg = &index->segment[i];

        seg->msn = k - CAM_LIVE_SEGMENTS + i;
        seg->wall_msec = k;
        seg->init = 7;
        seg->complete = 1;
        seg->parts = 1;
        seg->size = seg->part[0].size = 1 + (k & 0xffff);
        seg->part[0].duration_usec = seg->duration_usec = k & 0xffffff;
    }
}


static void
assert_whole(const cam_live_index_t *index)
{
    uint32_t  i;

    assert_int_equal(index->next_msn, index->generation);

    for (i = 0; i < index->segments; i++) {
        assert_int_equal(index->segment[i].wall_msec, index->next_msn);
    }
}


static void
remove_index(void)
{
    char  path[160], text[CAM_UUID_TEXT + 1];

    cam_uuid_print(text, camera);
    snprintf(path, sizeof(path), "rm -rf %s/%s", base, text);
    assert_int_equal(system(path), 0);
}


static int
index_fd(void)
{
    int   fd;
    char  path[80];

    cam_uuid_print(path, camera);
    strcat(path, "/index");
    fd = openat(livefd, path, O_RDWR);
    assert_int_not_equal(fd, -1);

    return fd;
}


static int
setup(void **state)
{
    strcpy(base, "/dev/shm/live_index.XXXXXX");

    if (mkdtemp(base) == NULL) {
        strcpy(base, "/tmp/live_index.XXXXXX");
        assert_non_null(mkdtemp(base));
    }

    livefd = open(base, O_RDONLY|O_DIRECTORY);

    return livefd == -1;
}


static int
teardown(void **state)
{
    remove_index();
    close(livefd);

    return rmdir(base);
}


static void
a_new_index_is_empty_and_starts_at_the_time(void **state)
{
    cam_live_t        *writer, *reader;
    cam_live_index_t  *index, copy;

    errno = 0;
    assert_null(cam_live_reader_open(livefd, camera));
    assert_int_equal(errno, ENOENT);

    writer = cam_live_writer_open(livefd, camera, &index);
    assert_non_null(writer);

    reader = cam_live_reader_open(livefd, camera);
    assert_non_null(reader);

    assert_int_equal(cam_live_read(reader, &copy), 0);
    assert_int_equal(copy.state, CAM_LIVE_EMPTY);
    assert_int_equal(copy.segments, 0);
    assert_int_equal(copy.target_msec, CAM_LIVE_TARGET_MSEC);
    assert_true(copy.next_msn + 5 > (uint64_t) cam_clock_wall_msec() / 1000);

    cam_live_close(reader);
    cam_live_close(writer);
    remove_index();
}


static void
a_publish_is_seen_and_counted(void **state)
{
    uint64_t           before;
    cam_live_t        *writer, *reader;
    cam_live_index_t  *index, copy;

    writer = cam_live_writer_open(livefd, camera, &index);
    reader = cam_live_reader_open(livefd, camera);

    before = cam_live_version(reader);

    fill(index, 1000);
    assert_int_equal(cam_live_read(reader, &copy), 0);
    assert_int_equal(copy.segments, 0);

    cam_live_publish(writer);
    assert_int_not_equal(cam_live_version(reader), before);
    assert_int_equal(cam_live_read(reader, &copy), 0);
    assert_int_equal(copy.next_msn, 1000);
    assert_whole(&copy);

    cam_live_close(reader);
    cam_live_close(writer);
}


static void
a_restarted_writer_goes_on(void **state)
{
    cam_live_t        *writer;
    cam_live_index_t  *index;

    writer = cam_live_writer_open(livefd, camera, &index);
    assert_int_equal(index->next_msn, 1000);
    assert_int_equal(index->segments, CAM_LIVE_SEGMENTS);

    cam_live_close(writer);
}


static void
a_second_writer_is_refused(void **state)
{
    cam_live_t        *writer;
    cam_live_index_t  *index;

    writer = cam_live_writer_open(livefd, camera, &index);

    errno = 0;
    assert_null(cam_live_writer_open(livefd, camera, &index));
    assert_int_equal(errno, EBUSY);

    cam_live_close(writer);
}


static void
a_half_written_publish_loses_nothing(void **state)
{
    int                fd, i;
    uint64_t           word;
    cam_live_t        *writer, *reader;
    cam_live_index_t  *index, copy;

    writer = cam_live_writer_open(livefd, camera, &index);
    fill(index, 2000);
    cam_live_publish(writer);
    reader = cam_live_reader_open(livefd, camera);
    word = cam_live_version(reader) + 1;
    cam_live_close(writer);

    /* what a writer leaves that dies in mid-publish: begin, half an image */

    fd = index_fd();
    assert_int_equal(pwrite(fd, &word, 8, 40), 8);

    memset(&copy, 0xa5, sizeof(copy));
    i = HEADER + (word & 1) * sizeof(cam_live_index_t);
    assert_int_equal(pwrite(fd, &copy, 4000, i), 4000);
    close(fd);

    assert_int_equal(cam_live_read(reader, &copy), 0);
    assert_int_equal(copy.next_msn, 2000);

    writer = cam_live_writer_open(livefd, camera, &index);
    assert_int_equal(index->next_msn, 2000);

    fill(index, 2001);
    cam_live_publish(writer);
    assert_int_equal(cam_live_read(reader, &copy), 0);
    assert_int_equal(copy.next_msn, 2001);
    assert_whole(&copy);

    cam_live_close(reader);
    cam_live_close(writer);
}


static void
publish_for_ever(uint64_t k)
{
    cam_live_t        *writer;
    cam_live_index_t  *index;

    writer = cam_live_writer_open(livefd, camera, &index);

    if (writer == NULL || index->next_msn < k) {
        _exit(1);
    }

    for (k = index->next_msn + 1; /* void */ ; k++) {
        fill(index, k);
        cam_live_publish(writer);
    }
}


static void
writers_killed_at_any_point_never_go_back(void **state)
{
    int                round, n, reads, status;
    long               left;
    pid_t              pid;
    uint64_t           last, before;
    cam_live_t        *reader;
    cam_live_index_t   copy;

    reader = cam_live_reader_open(livefd, camera);
    assert_non_null(reader);
    assert_int_equal(cam_live_read(reader, &copy), 0);
    last = copy.next_msn;
    reads = 0;

    for (round = 0; round < 60; round++) {

        pid = fork();
        if (pid == 0) {
            publish_for_ever(last);
        }

        before = last;
        left = 200 + random() % 300;

        /* from its first publish on, which may take it a while */

        for (n = 0; left > 0 && n < READS_MAX; n++) {
            left -= last > before;

            if (cam_live_read(reader, &copy) == -1) {
                assert_int_equal(errno, EAGAIN);
                continue;
            }

            assert_whole(&copy);
            assert_true(copy.next_msn >= last);
            last = copy.next_msn;
            reads++;
        }

        assert_true(last > before);

        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));

        /* without a writer each read succeeds */

        assert_int_equal(cam_live_read(reader, &copy), 0);
        assert_whole(&copy);
        assert_true(copy.next_msn >= last);
        last = copy.next_msn;
    }

    assert_true(reads > 1000);

    cam_live_close(reader);
}


static void *
publish_some(void *data)
{
    uint64_t           k;
    cam_live_t        *writer;
    cam_live_index_t  *index;

    writer = cam_live_writer_open(livefd, camera, &index);

    for (k = 1; k < 20000; k++) {
        fill(index, index->next_msn + 1);
        cam_live_publish(writer);
    }

    cam_live_close(writer);

    return NULL;
}


static void
a_reading_thread_sees_whole_indexes(void **state)
{
    int                reads;
    uint64_t           last;
    pthread_t          thread;
    cam_live_t        *reader;
    cam_live_index_t   copy;

    reader = cam_live_reader_open(livefd, camera);
    assert_int_equal(cam_live_read(reader, &copy), 0);
    last = copy.next_msn;

    assert_int_equal(pthread_create(&thread, NULL, publish_some, NULL), 0);

    for (reads = 0; reads < 20000; reads++) {
        if (cam_live_read(reader, &copy) == 0) {
            assert_whole(&copy);
            assert_true(copy.next_msn >= last);
            last = copy.next_msn;
        }
    }

    pthread_join(thread, NULL);
    cam_live_close(reader);
}


static void
an_unusable_file_is_replaced_above_the_media_files(void **state)
{
    int                fd;
    char               name[80];
    cam_live_t        *writer, *reader;
    cam_live_index_t  *index, copy;

    cam_uuid_print(name, camera);
    strcat(name, "/9999999999.m4s");
    close(openat(livefd, name, O_CREAT|O_WRONLY, 0640));

    reader = cam_live_reader_open(livefd, camera);
    assert_int_equal(cam_live_stale(reader, livefd), 0);

    fd = index_fd();
    assert_int_equal(pwrite(fd, "garbage!", 8, 0), 8);
    close(fd);

    errno = 0;
    assert_null(cam_live_reader_open(livefd, camera));
    assert_int_equal(errno, EPROTO);

    writer = cam_live_writer_open(livefd, camera, &index);
    assert_non_null(writer);
    assert_int_equal(index->segments, 0);
    assert_true(index->next_msn == UINT64_C(10000000000));
    assert_int_equal(cam_live_stale(reader, livefd), 1);
    cam_live_close(reader);

    reader = cam_live_reader_open(livefd, camera);
    assert_int_equal(cam_live_read(reader, &copy), 0);
    assert_int_equal(cam_live_stale(reader, livefd), 0);

    cam_live_close(reader);
    cam_live_close(writer);
    remove_index();
}


/* one change to a good index, and the reader must refuse it */

#define REFUSED(change)                                                       \
    do {                                                                      \
        fill(index, 5000);                                                    \
        index->state = CAM_LIVE_ON;                                           \
        index->target_msec = 2000;                                            \
        change;                                                               \
        cam_live_publish(writer);                                             \
        errno = 0;                                                            \
        assert_int_equal(cam_live_read(reader, &copy), -1);                   \
        assert_int_equal(errno, EBADMSG);                                     \
    } while (0)


static void
a_reader_refuses_what_does_not_add_up(void **state)
{
    cam_live_t        *writer, *reader;
    cam_live_index_t  *index, copy;

    writer = cam_live_writer_open(livefd, camera, &index);
    reader = cam_live_reader_open(livefd, camera);

    REFUSED(index->state = 9);
    REFUSED(index->segments = CAM_LIVE_SEGMENTS + 1);
    index->segments = CAM_LIVE_SEGMENTS;
    REFUSED(index->target_msec = 0);
    REFUSED(index->target_msec = UINT32_MAX);
    REFUSED(index->next_msn = 3);
    REFUSED(index->next_msn = UINT64_MAX);
    REFUSED(index->segment[3].msn++);
    REFUSED(index->segment[3].complete = 0);
    index->segment[3].complete = 1;
    REFUSED(index->segment[3].parts = CAM_LIVE_PARTS + 1);
    REFUSED(index->segment[3].parts = 0);
    REFUSED(index->segment[3].size++);
    REFUSED(index->segment[3].duration_usec++);
    REFUSED(index->segment[3].part[0].offset = 1);
    index->segment[3].part[0].offset = 0;
    REFUSED(index->segment[3].init = 8);
    REFUSED(memset(index->init[0].codecs, 'a', CAM_LIVE_CODECS));
    REFUSED(strcpy(index->init[0].codecs, "a\"\n#EXT"));
    REFUSED(index->camera[0]++);
    index->camera[0]--;

    fill(index, 5000);
    cam_live_publish(writer);
    assert_int_equal(cam_live_read(reader, &copy), 0);

    cam_live_close(reader);
    cam_live_close(writer);
}


static void
names_of_media_files(void **state)
{
    char  name[CAM_LIVE_NAME_MAX];

    assert_string_equal(cam_live_init_name(name, 4294967295u),
                        "init.4294967295.mp4");
    assert_string_equal(cam_live_segment_name(name, UINT64_MAX),
                        "18446744073709551615.m4s");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(a_new_index_is_empty_and_starts_at_the_time),
        cmocka_unit_test(a_publish_is_seen_and_counted),
        cmocka_unit_test(a_restarted_writer_goes_on),
        cmocka_unit_test(a_second_writer_is_refused),
        cmocka_unit_test(a_half_written_publish_loses_nothing),
        cmocka_unit_test(writers_killed_at_any_point_never_go_back),
        cmocka_unit_test(a_reading_thread_sees_whole_indexes),
        cmocka_unit_test(an_unusable_file_is_replaced_above_the_media_files),
        cmocka_unit_test(a_reader_refuses_what_does_not_add_up),
        cmocka_unit_test(names_of_media_files),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests_name("live_index", tests, setup, teardown);
}
