/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for the registry: look-ups, loads, claims, and feeders that die. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "registry.h"

#define CAPACITY  64


static char  dir[64];


static int
setup(void **state)
{
    strcpy(dir, "/tmp/registry.XXXXXX");
    assert_non_null(mkdtemp(dir));

    *state = cam_registry_open(dir, CAPACITY, 1);
    assert_non_null(*state);

    return 0;
}


static int
teardown(void **state)
{
    char  name[128];

    cam_registry_close(*state);

    snprintf(name, sizeof(name), "%s/registry", dir);
    unlink(name);
    rmdir(dir);

    return 0;
}


/* camera n, of a certain edition; its fields all follow from the two */

static cam_registry_entry_t
camera(int n, int edition)
{
    cam_registry_entry_t  entry = { 0 };

    memset(entry.camera, 1 + n, CAM_UUID_LEN);
    entry.camera[0] = (uint8_t) (n >> 8);
    memset(entry.tenant, edition, CAM_UUID_LEN);
    snprintf(entry.key, sizeof(entry.key), "cam-%d-%d", n, edition);
    entry.key_generation = (uint32_t) edition;
    entry.opaque[0][0] = 1;
    memcpy(&entry.opaque[0][1], &n, sizeof(n));
    memcpy(&entry.opaque[0][5], &edition, sizeof(edition));
    entry.play_epoch = (uint32_t) edition;

    return entry;
}


static int
find_key(cam_registry_t *reg, int n, int edition, cam_registry_entry_t *entry)
{
    cam_registry_entry_t  want;

    want = camera(n, edition);

    return cam_registry_find_key(reg, want.key, strlen(want.key), entry);
}


static void
put(cam_registry_t *reg, int n, int edition)
{
    cam_registry_entry_t  entry;

    entry = camera(n, edition);
    assert_int_equal(cam_registry_put(reg, &entry), 0);
}


static void
finds_a_camera_by_each_of_its_names(void **state)
{
    int                    slot;
    cam_registry_t        *reg = *state;
    cam_registry_entry_t   want, entry;

    want = camera(7, 1);
    want.opaque[1][31] = 9;

    assert_int_equal(cam_registry_put(reg, &want), 0);

    slot = cam_registry_find_id(reg, want.camera, &entry);
    assert_int_not_equal(slot, -1);
    assert_memory_equal(&entry, &want, sizeof(want));

    assert_int_equal(find_key(reg, 7, 1, &entry), slot);
    assert_int_equal(cam_registry_find_opaque(reg, want.opaque[0], &entry),
                     slot);
    assert_int_equal(cam_registry_find_opaque(reg, want.opaque[1], &entry),
                     slot);
    assert_int_equal(cam_registry_get(reg, slot, &entry), 0);
    assert_memory_equal(&entry, &want, sizeof(want));
}


static void
does_not_find_what_is_not_there(void **state)
{
    uint8_t                none[32] = { 0 };
    cam_registry_t        *reg = *state;
    cam_registry_entry_t   entry;

    put(reg, 7, 1);

    assert_int_equal(find_key(reg, 8, 1, &entry), -1);
    assert_int_equal(cam_registry_find_key(reg, "cam-7", 5, &entry), -1);
    assert_int_equal(cam_registry_find_key(reg, "", 0, &entry), -1);
    assert_int_equal(cam_registry_find_opaque(reg, none, &entry), -1);
    assert_int_equal(cam_registry_get(reg, -1, &entry), -1);
    assert_int_equal(cam_registry_get(reg, CAPACITY, &entry), -1);
}


static void
a_changed_camera_keeps_its_slot_and_loses_its_old_names(void **state)
{
    int                    slot;
    uint64_t               version;
    cam_registry_t        *reg = *state;
    cam_registry_entry_t   entry, old;

    put(reg, 7, 1);

    slot = find_key(reg, 7, 1, &old);
    version = cam_registry_slot_version(reg, slot);

    put(reg, 7, 2);

    assert_int_equal(find_key(reg, 7, 2, &entry), slot);
    assert_int_equal(find_key(reg, 7, 1, &entry), -1);
    assert_int_equal(cam_registry_find_opaque(reg, old.opaque[0], &entry), -1);
    assert_true(cam_registry_slot_version(reg, slot) > version);
}


static void
an_unchanged_camera_keeps_its_version(void **state)
{
    int                    slot;
    uint64_t               version;
    cam_registry_t        *reg = *state;
    cam_registry_info_t    before, after;
    cam_registry_entry_t   entry;

    put(reg, 7, 1);

    slot = find_key(reg, 7, 1, &entry);
    version = cam_registry_slot_version(reg, slot);
    cam_registry_info(reg, &before);

    put(reg, 7, 1);

    cam_registry_info(reg, &after);
    assert_int_equal(cam_registry_slot_version(reg, slot), version);
    assert_int_equal(after.changes, before.changes);
    assert_int_equal(after.used, 1);
}


static void
a_full_registry_says_so_and_recovers(void **state)
{
    int                    i;
    cam_registry_t        *reg = *state;
    cam_registry_info_t    info;
    cam_registry_entry_t   entry;

    cam_registry_load_begin(reg);

    for (i = 0; i < CAPACITY; i++) {
        put(reg, i, 1);
    }

    entry = camera(CAPACITY, 1);
    assert_int_equal(cam_registry_put(reg, &entry), -1);
    assert_int_equal(errno, ENOSPC);

    cam_registry_load_commit(reg);
    cam_registry_info(reg, &info);
    assert_int_equal(info.used, CAPACITY);
    assert_true(info.full_at > 0);

    cam_registry_remove(reg, camera(3, 1).camera);
    assert_int_equal(cam_registry_put(reg, &entry), 0);
    assert_int_not_equal(find_key(reg, CAPACITY, 1, &entry), -1);

    cam_registry_load_begin(reg);

    for (i = 0; i <= CAPACITY; i++) {
        if (i != 3) {
            put(reg, i, 1);
        }
    }

    cam_registry_load_commit(reg);
    cam_registry_info(reg, &info);
    assert_int_equal(info.full_at, 0);
}


static void
a_whole_load_removes_what_it_did_not_name(void **state)
{
    int                    i;
    cam_registry_t        *reg = *state;
    cam_registry_info_t    info;
    cam_registry_entry_t   entry;

    for (i = 0; i < 10; i++) {
        put(reg, i, 1);
    }

    cam_registry_load_begin(reg);

    for (i = 0; i < 10; i += 2) {
        put(reg, i, 1);
    }

    assert_int_not_equal(find_key(reg, 1, 1, &entry), -1);

    cam_registry_load_commit(reg);

    for (i = 0; i < 10; i++) {
        assert_int_equal(find_key(reg, i, 1, &entry) == -1, i % 2);
    }

    cam_registry_info(reg, &info);
    assert_int_equal(info.used, 5);
}


/* every name of every camera must lead to it, whatever the order of changes */

static void
the_index_survives_random_changes(void **state)
{
    int                    i, n, round, edition[40] = { 0 };
    unsigned               seed = 1;
    cam_registry_t        *reg = *state;
    cam_registry_entry_t   entry, want;

    for (round = 0; round < 20000; round++) {

        n = rand_r(&seed) % 40;

        if (rand_r(&seed) % 3 == 0) {
            cam_registry_remove(reg, camera(n, 0).camera);
            edition[n] = 0;

        } else {
            edition[n] = round + 1;
            put(reg, n, edition[n]);
        }

        if (round % 100) {
            continue;
        }

        for (i = 0; i < 40; i++) {
            want = camera(i, edition[i]);

            assert_int_equal(cam_registry_find_id(reg, want.camera, &entry)
                             != -1, edition[i] != 0);
            assert_int_equal(find_key(reg, i, edition[i], &entry) != -1,
                             edition[i] != 0);
            assert_int_equal(cam_registry_find_opaque(reg, want.opaque[0],
                                                      &entry)
                             != -1, edition[i] != 0);
        }
    }
}


static void
a_claim_has_one_winner_and_grows_for_ever(void **state)
{
    int                    slot;
    uint64_t               first, second;
    cam_registry_t        *reg = *state;
    cam_registry_entry_t   entry;
    cam_registry_state_t  *st;

    put(reg, 7, 1);
    slot = find_key(reg, 7, 1, &entry);
    st = cam_registry_state(reg, slot);

    first = cam_registry_claim(reg, slot, 0);
    assert_true(first >= (uint64_t) cam_clock_wall_msec() - 1000);
    assert_int_equal(cam_registry_claim(reg, slot, 0), 0);

    second = cam_registry_claim(reg, slot, first);
    assert_true(second > first);

    cam_registry_release(reg, slot, first);
    assert_int_not_equal(st->ended_generation, st->generation);

    cam_registry_release(reg, slot, second);
    assert_int_equal(st->ended_generation, st->generation);

    /* the clock was set back by an hour */

    st->generation += 3600 * 1000;
    first = st->generation;
    assert_int_equal(cam_registry_claim(reg, slot, first), first + 1);
}


static void
a_new_camera_does_not_inherit_a_slots_past(void **state)
{
    int                    i, slot;
    cam_registry_t        *reg = *state;
    cam_registry_entry_t   entry;
    cam_registry_state_t  *st;

    for (i = 0; i < CAPACITY; i++) {
        put(reg, i, 1);
    }

    slot = find_key(reg, 7, 1, &entry);
    cam_registry_claim(reg, slot, 0);
    cam_registry_refused(reg, slot, CAM_REASON_BUSY, 3);

    cam_registry_remove(reg, entry.camera);
    put(reg, CAPACITY, 1);

    assert_int_equal(find_key(reg, CAPACITY, 1, &entry), slot);

    st = cam_registry_state(reg, slot);
    assert_int_equal(st->ended_generation, st->generation);
    assert_int_equal(st->refused_msec, 0);
}


static void
a_file_outlives_its_processes(void **state)
{
    cam_registry_t        *reg;
    cam_registry_info_t    info;
    cam_registry_entry_t   entry;

    put(*state, 7, 1);
    cam_registry_fed(*state, 12345);
    cam_registry_close(*state);

    *state = cam_registry_open(dir, CAPACITY, 1);
    assert_non_null(*state);

    cam_registry_info(*state, &info);
    assert_int_equal(info.used, 1);
    assert_int_equal(info.fed_at, 12345);

    reg = cam_registry_open(dir, 0, 0);
    assert_non_null(reg);
    assert_int_not_equal(find_key(reg, 7, 1, &entry), -1);
    cam_registry_close(reg);
}


static void
a_registry_in_use_is_not_replaced(void **state)
{
    int   fd;
    char  name[128];

    snprintf(name, sizeof(name), "%s/registry", dir);

    assert_null(cam_registry_open(dir, CAPACITY + 1, 1));
    assert_int_equal(errno, EINVAL);

    fd = open(name, O_RDWR);
    assert_int_equal(pwrite(fd, "\xff", 1, 8), 1);          /* another version */
    assert_null(cam_registry_open(dir, CAPACITY, 1));
    assert_int_equal(errno, EPROTO);
    assert_null(cam_registry_open(dir, 0, 0));
    assert_int_equal(errno, EPROTO);

    assert_int_equal(pwrite(fd, "\x02", 1, 8), 1);
    close(fd);
}


static void
cameras_move_into_a_registry_of_another_size(void **state)
{
    int                    i, slot;
    uint32_t               sizes[] = { 2 * CAPACITY, 20, CAPACITY };
    uint64_t               generation;
    cam_registry_info_t    info;
    cam_registry_entry_t   entry;

    for (i = 0; i < 20; i++) {
        put(*state, i, 1);
    }

    cam_registry_fed(*state, 12345);
    slot = find_key(*state, 7, 1, &entry);
    generation = cam_registry_claim(*state, slot, 0);

    for (i = 0; i < 3; i++) {
        cam_registry_close(*state);

        *state = cam_registry_open(dir, sizes[i], 1);
        assert_non_null(*state);
        cam_registry_info(*state, &info);
        assert_int_equal(info.capacity, sizes[i]);
        assert_int_equal(info.used, 20);
        assert_int_equal(info.fed_at, 12345);

        slot = find_key(*state, 7, 1, &entry);
        assert_int_equal(cam_registry_state(*state, slot)->generation,
                         generation);
    }
}


static void
a_strange_file_is_replaced(void **state)
{
    int                    i;
    char                   name[128];
    cam_registry_info_t    info;

    snprintf(name, sizeof(name), "%s/registry", dir);

    for (i = 0; i < 3; i++) {
        cam_registry_close(*state);
        assert_int_equal(truncate(name, i * 4096), 0);

        assert_null(cam_registry_open(dir, 0, 0));
        assert_int_equal(errno, EPROTO);

        *state = cam_registry_open(dir, CAPACITY, 1);
        assert_non_null(*state);
        put(*state, 7, 1);
    }

    cam_registry_close(*state);
    unlink(name);

    assert_null(cam_registry_open(dir, 0, 0));
    assert_int_equal(errno, ENOENT);

    *state = cam_registry_open(dir, CAPACITY, 1);
    cam_registry_info(*state, &info);
    assert_int_equal(info.used, 0);
}


static void
workers_that_start_together_share_one_file(void **state)
{
    int                    i, status, good;
    char                   name[128];
    pid_t                  pid[8];
    cam_registry_t        *reg;
    cam_registry_info_t    info;

    snprintf(name, sizeof(name), "%s/registry", dir);
    unlink(name);

    for (i = 0; i < 8; i++) {
        pid[i] = fork();

        if (pid[i] == 0) {
            reg = cam_registry_open(dir, CAPACITY, 1);

            if (reg == NULL) {
                _exit(1);
            }

            __atomic_add_fetch(&cam_registry_state(reg, 0)->generation, 1,
                               __ATOMIC_RELAXED);
            _exit(0);
        }
    }

    for (good = 0, i = 0; i < 8; i++) {
        waitpid(pid[i], &status, 0);
        good += status == 0;
    }

    reg = cam_registry_open(dir, CAPACITY, 1);
    cam_registry_info(reg, &info);

    assert_int_equal(good, 8);
    assert_int_equal(info.capacity, CAPACITY);
    assert_int_equal(cam_registry_state(reg, 0)->generation, 8);

    cam_registry_close(reg);
}


typedef struct {
    cam_registry_t  *reg;
    int              stop;
    long             changes;
} feeding_t;


static void *
feed(void *data)
{
    int                    n, edition;
    feeding_t             *feeding = data;
    cam_registry_entry_t   entry;

    for (edition = 2; !__atomic_load_n(&feeding->stop, __ATOMIC_RELAXED);
         edition++)
    {
        for (n = 0; n < 8; n++) {
            entry = camera(n, edition);
            (void) cam_registry_put(feeding->reg, &entry);
            feeding->changes++;
        }

        entry = camera(20 + edition % 8, edition);
        (void) cam_registry_put(feeding->reg, &entry);
        cam_registry_remove(feeding->reg, entry.camera);
    }

    return NULL;
}


/* a camera that exists is found at any moment, and never torn */

static void
readers_see_whole_entries_while_the_feeder_writes(void **state)
{
    int                    i, missing, torn;
    feeding_t              feeding = { *state, 0, 0 };
    pthread_t              thread;
    cam_registry_entry_t   entry, want;

    for (i = 0; i < 8; i++) {
        put(*state, i, 1);
    }

    pthread_create(&thread, NULL, feed, &feeding);

    for (missing = 0, torn = 0, i = 0; i < 100000; i++) {

        want = camera(i % 8, 0);

        if (cam_registry_find_id(*state, want.camera, &entry) == -1) {
            missing++;
            continue;
        }

        want = camera(i % 8, (int) entry.key_generation);
        torn += memcmp(&entry, &want, sizeof(want)) != 0;
    }

    __atomic_store_n(&feeding.stop, 1, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);

    assert_true(feeding.changes > 1000);
    assert_int_equal(torn, 0);
    assert_int_equal(missing, 0);
}


/* kill -9 at any instruction of a feeder: all cameras are found, and whole */

static void
a_killed_feeder_harms_nothing(void **state)
{
    int                    i, n, bad, slot[8];
    pid_t                  pid;
    unsigned               seed = 7;
    feeding_t              feeding = { *state, 0, 0 };
    cam_registry_info_t    info;
    cam_registry_entry_t   entry, want;

    for (n = 0; n < 8; n++) {
        put(*state, n, 1);
        slot[n] = find_key(*state, n, 1, &entry);
    }

    for (bad = 0, i = 0; i < 100; i++) {

        pid = fork();

        if (pid == 0) {
            feed(&feeding);
            _exit(0);
        }

        usleep((useconds_t) (rand_r(&seed) % 2000));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);

        cam_registry_load_begin(*state);

        /* what the database says is what the registry had when it died */

        for (n = 0; n < 8; n++) {
            want = camera(n, 0);
            bad += cam_registry_find_id(*state, want.camera, &entry)
                   != slot[n];

            want = camera(n, (int) entry.key_generation);
            bad += memcmp(&entry, &want, sizeof(want)) != 0;

            put(*state, n, (int) entry.key_generation);
            bad += find_key(*state, n, (int) entry.key_generation, &entry)
                   != slot[n];
        }

        cam_registry_load_commit(*state);

        cam_registry_info(*state, &info);
        bad += info.used != 8;
    }

    assert_int_equal(bad, 0);
}


static void
every_reason_has_a_name_and_a_sentence(void **state)
{
    int  i, j;

    for (i = CAM_REASON_NONE; i <= CAM_REASON_DRAINED; i++) {
        assert_non_null(cam_reason_name(i));
        assert_true(strlen(cam_reason_text(i)) > 10);

        for (j = 0; j < i; j++) {
            assert_string_not_equal(cam_reason_name(i), cam_reason_name(j));
        }
    }

    assert_string_equal(cam_reason_name(i), "unknown");
    assert_non_null(cam_reason_text(-1));
}


#define registry_test(f)  cmocka_unit_test_setup_teardown(f, setup, teardown)


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        registry_test(finds_a_camera_by_each_of_its_names),
        registry_test(does_not_find_what_is_not_there),
        registry_test(a_changed_camera_keeps_its_slot_and_loses_its_old_names),
        registry_test(an_unchanged_camera_keeps_its_version),
        registry_test(a_full_registry_says_so_and_recovers),
        registry_test(a_whole_load_removes_what_it_did_not_name),
        registry_test(the_index_survives_random_changes),
        registry_test(a_claim_has_one_winner_and_grows_for_ever),
        registry_test(a_new_camera_does_not_inherit_a_slots_past),
        registry_test(a_file_outlives_its_processes),
        registry_test(a_registry_in_use_is_not_replaced),
        registry_test(cameras_move_into_a_registry_of_another_size),
        registry_test(a_strange_file_is_replaced),
        registry_test(workers_that_start_together_share_one_file),
        registry_test(readers_see_whole_entries_while_the_feeder_writes),
        registry_test(a_killed_feeder_harms_nothing),
        cmocka_unit_test(every_reason_has_a_name_and_a_sentence)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
