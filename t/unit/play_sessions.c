/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for the table of playback sessions: its limit under a race of many
 * processes, idle seats, quotas of tenants, and what happens when the file is
 * lost or foreign.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/rand.h>

#include "clock.h"
#include "play_sessions.h"
#include "play_viewers.h"
#include "token.h"

#define LIMIT      4
#define IDLE       60
#define PROCESSES  8
#define ROUNDS     200


static char           dir[] = "/tmp/play-sessions-XXXXXX";
static const uint8_t  camera[CAM_UUID_LEN] = "a camera's uuid";
static cam_viewers_t  viewers;


static int
make_dir(void **state)
{
    return mkdtemp(dir) ? 0 : -1;
}


static int
remove_dir(void **state)
{
    char  path[64];

    snprintf(path, sizeof(path), "%s/sessions", dir);
    unlink(path);

    return rmdir(dir);
}


/* how many watch the camera */

static unsigned
watched(const cam_sessions_t *z)
{
    cam_viewers_count(&viewers, z, IDLE);

    return cam_viewers_of(&viewers, camera);
}


/* what a tenant may have, NULL: anything */

static int
start_of(cam_sessions_t *z, const uint8_t jti[16],
    const cam_sessions_start_t *quotas, unsigned idle, cam_url_session_t *s)
{
    cam_sessions_start_t  start;

    memset(&start, 0, sizeof(start));

    if (quotas) {
        start = *quotas;
    }

    start.jti = jti;
    start.camera = start.camera ? start.camera : camera;
    start.limit = LIMIT;
    s->started = cam_clock_wall_msec() / 1000;

    return cam_sessions_start(z, &start, idle, s);
}


static int
start(cam_sessions_t *z, const uint8_t jti[16], unsigned idle,
    cam_url_session_t *s)
{
    memset(s, 0, sizeof(cam_url_session_t));

    return start_of(z, jti, NULL, idle, s);
}


static void
limit_holds(void **state)
{
    unsigned            i;
    uint8_t             jti[16];
    cam_sessions_t     *z;
    cam_url_session_t   s[LIMIT], more;

    z = cam_sessions_open(dir, 256);
    assert_non_null(z);
    RAND_bytes(jti, sizeof(jti));

    for (i = 0; i < LIMIT; i++) {
        assert_int_equal(start(z, jti, IDLE, &s[i]), CAM_SESSIONS_OK);
    }

    assert_int_equal(start(z, jti, IDLE, &more), CAM_SESSIONS_LIMIT);

    for (i = 0; i < LIMIT; i++) {
        assert_int_equal(cam_sessions_touch(z, &s[i], IDLE), CAM_SESSIONS_OK);
    }

    more = s[0];
    more.sid[3] ^= 1;
    assert_int_equal(cam_sessions_touch(z, &more, IDLE), CAM_SESSIONS_ENDED);
    more.slot = 256;
    assert_int_equal(cam_sessions_touch(z, &more, IDLE), CAM_SESSIONS_ENDED);

    cam_sessions_close(z);
}


static void
idle_seats_are_free(void **state)
{
    unsigned            i;
    int64_t             until;
    uint8_t             jti[16];
    cam_sessions_t     *z;
    cam_url_session_t   s[LIMIT], more;

    z = cam_sessions_open(dir, 256);
    RAND_bytes(jti, sizeof(jti));

    for (i = 0; i < LIMIT; i++) {
        assert_int_equal(start(z, jti, 0, &s[i]), CAM_SESSIONS_OK);
    }

    until = cam_clock_monotonic_msec() / 1000 + 1;

    while (cam_clock_monotonic_msec() / 1000 <= until) {
        assert_int_equal(cam_sessions_touch(z, &s[0], 1), CAM_SESSIONS_OK);
        usleep(1000);
    }

    assert_int_equal(cam_sessions_touch(z, &s[1], 1), CAM_SESSIONS_ENDED);
    assert_int_equal(start(z, jti, 1, &more), CAM_SESSIONS_OK);
    assert_int_equal(cam_sessions_touch(z, &s[0], 1), CAM_SESSIONS_OK);

    cam_sessions_close(z);
}


/* the files of the tests before are of other sizes: this one is new */

static void
viewers_are_those_who_play(void **state)
{
    uint8_t             jti[16];
    cam_viewer_t        viewer;
    cam_sessions_t     *z;
    cam_url_session_t   s[2];

    z = cam_sessions_open(dir, 512);
    RAND_bytes(jti, sizeof(jti));

    assert_int_equal(start(z, jti, IDLE, &s[0]), CAM_SESSIONS_OK);
    assert_int_equal(start(z, jti, IDLE, &s[1]), CAM_SESSIONS_OK);
    assert_int_equal(watched(z), 0);
    assert_false(cam_viewers_get(z, s[0].slot, IDLE, &viewer));

    assert_int_equal(cam_sessions_touch(z, &s[0], IDLE), CAM_SESSIONS_OK);
    assert_int_equal(cam_sessions_touch(z, &s[0], IDLE), CAM_SESSIONS_OK);
    assert_int_equal(watched(z), 1);
    assert_int_equal(cam_sessions_touch(z, &s[1], IDLE), CAM_SESSIONS_OK);
    assert_int_equal(watched(z), 2);
    assert_int_equal(cam_viewers_of(&viewers, jti), 0);

    assert_true(cam_viewers_get(z, s[0].slot, IDLE, &viewer));
    assert_memory_equal(viewer.camera, camera, CAM_UUID_LEN);
    assert_memory_equal(viewer.sid, s[0].sid, sizeof(viewer.sid));
    assert_int_equal(viewer.started, s[0].started);
    assert_string_equal(viewer.agent, "");
    assert_false(cam_viewers_get(z, 512, IDLE, &viewer));

    /* who looks at recordings does not watch the camera */

    s[0].purpose = CAM_PURPOSE_RECORDINGS;
    assert_int_equal(start_of(z, jti, NULL, IDLE, &s[0]), CAM_SESSIONS_OK);
    assert_int_equal(cam_sessions_touch(z, &s[0], IDLE), CAM_SESSIONS_OK);
    assert_int_equal(watched(z), 2);

    cam_sessions_close(z);
}


/* cameras whose places in the table are the same, or next to one another */

static void
each_camera_has_its_own_viewers(void **state)
{
    unsigned               i, n;
    uint8_t                id[3][CAM_UUID_LEN] = { "a", "b", "c" };
    uint8_t                jti[16];
    cam_sessions_t        *z;
    cam_url_session_t      s;
    cam_sessions_start_t   of = { .agent = "VLC/3.0 \x01\xc3\xa4",
                                  .agent_len = 11 };
    cam_viewer_t           viewer;

    z = cam_sessions_open(dir, 640);

    for (i = 0; i < 3; i++) {
        id[i][CAM_UUID_LEN - 1] = 0;
        of.camera = id[i];

        for (n = 0; n <= i; n++) {
            memset(&s, 0, sizeof(s));
            RAND_bytes(jti, sizeof(jti));
            assert_int_equal(start_of(z, jti, &of, IDLE, &s),
                             CAM_SESSIONS_OK);
            assert_int_equal(cam_sessions_touch(z, &s, IDLE),
                             CAM_SESSIONS_OK);
        }
    }

    cam_viewers_count(&viewers, z, IDLE);

    for (i = 0; i < 3; i++) {
        assert_int_equal(cam_viewers_of(&viewers, id[i]), i + 1);
    }

    id[0][0] = 'd';
    assert_int_equal(cam_viewers_of(&viewers, id[0]), 0);

    assert_true(cam_viewers_get(z, s.slot, IDLE, &viewer));
    assert_string_equal(viewer.agent, "VLC/3.0 ???");

    cam_sessions_close(z);
}


static void
tenants_have_quotas(void **state)
{
    int64_t               window;
    uint8_t               jti[3][16], other[16];
    cam_sessions_t       *z;
    cam_url_session_t     s[4];
    cam_sessions_use_t    use;
    cam_sessions_start_t  a = { .tenant = (uint8_t *) "a tenant's uuid.",
                                .max_viewers = 2 };
    cam_sessions_start_t  b = { .tenant = (uint8_t *) "b tenant's uuid.",
                                .max_viewers = 2 };

    z = cam_sessions_open(dir, 768);
    RAND_bytes(jti[0], sizeof(jti));
    RAND_bytes(other, sizeof(other));

    assert_int_equal(start_of(z, jti[0], &a, IDLE, &s[0]), CAM_SESSIONS_OK);
    assert_int_equal(start_of(z, jti[1], &a, IDLE, &s[1]), CAM_SESSIONS_OK);
    assert_int_equal(start_of(z, jti[2], &a, IDLE, &s[2]),
                     CAM_SESSIONS_VIEWERS);
    assert_int_equal(cam_sessions_touch(z, &s[2], IDLE), CAM_SESSIONS_ENDED);
    assert_int_equal(start_of(z, other, &b, IDLE, &s[3]), CAM_SESSIONS_OK);

    a.max_viewers = 3;
    assert_int_equal(start_of(z, jti[2], &a, IDLE, &s[2]), CAM_SESSIONS_OK);

    cam_sessions_use(z, a.tenant, IDLE, &use);
    assert_int_equal(use.viewers, 3);
    assert_int_equal(use.egress_kbps, 0);

    /* what was sent counts when its window is over */

    a.max_viewers = 0;
    a.max_egress_kbps = 1000;
    cam_sessions_sent(z, &s[0], 1000000);
    window = cam_clock_monotonic_msec() / 10000;
    cam_sessions_sent(z, &s[1], 250000);

    while (cam_clock_monotonic_msec() / 10000 == window) {
        usleep(10000);
    }

    cam_sessions_use(z, a.tenant, IDLE, &use);
    assert_in_range(use.egress_kbps, 200, 1000);

    if (use.egress_kbps == 1000) {
        assert_int_equal(start_of(z, other, &a, IDLE, &s[3]),
                         CAM_SESSIONS_EGRESS);
    }

    a.max_egress_kbps = 1001;
    assert_int_equal(start_of(z, other, &a, IDLE, &s[3]), CAM_SESSIONS_OK);

    cam_sessions_use(z, b.tenant, IDLE, &use);
    assert_int_equal(use.egress_kbps, 0);

    cam_sessions_close(z);
}


static void
table_full_is_told(void **state)
{
    unsigned            i;
    uint8_t             jti[16];
    cam_sessions_t     *z;
    cam_url_session_t   s;

    z = cam_sessions_open(dir, 16);

    for (i = 0; i < 16; i++) {
        RAND_bytes(jti, sizeof(jti));
        assert_int_equal(start(z, jti, IDLE, &s), CAM_SESSIONS_OK);
    }

    RAND_bytes(jti, sizeof(jti));
    assert_int_equal(start(z, jti, IDLE, &s), CAM_SESSIONS_FULL);

    cam_sessions_close(z);
}


/* opened with another size it is a new table; older sessions go on */

static void
sessions_outlive_their_table(void **state)
{
    uint8_t             jti[16];
    cam_sessions_t     *z;
    cam_url_session_t   s;

    z = cam_sessions_open(dir, 256);
    RAND_bytes(jti, sizeof(jti));
    assert_int_equal(start(z, jti, IDLE, &s), CAM_SESSIONS_OK);
    cam_sessions_close(z);

    z = cam_sessions_open(dir, 512);
    s.started -= 10;
    assert_int_equal(cam_sessions_touch(z, &s, IDLE), CAM_SESSIONS_OK);
    s.started += 20;
    assert_int_equal(cam_sessions_touch(z, &s, IDLE), CAM_SESSIONS_ENDED);
    cam_sessions_close(z);
}


/* one process of the race; answers how many sessions it got */

static int
racer(int go, const uint8_t jti[16])
{
    int                 n;
    char                c;
    cam_sessions_t     *z;
    cam_url_session_t   s;

    z = cam_sessions_open(dir, CAM_SESSIONS_SLOTS);

    if (z == NULL || read(go, &c, 1) != 0) {
        return 100;
    }

    for (n = 0; start(z, jti, IDLE, &s) == CAM_SESSIONS_OK; n++) { /* void */ }

    return n;
}


static void
race_never_exceeds_the_limit(void **state)
{
    int       go[2], status, sum;
    unsigned  i, round, most;
    uint8_t   jti[16];

    for (round = 0, most = 0; round < ROUNDS; round++) {
        RAND_bytes(jti, sizeof(jti));
        assert_int_equal(pipe(go), 0);

        for (i = 0; i < PROCESSES; i++) {
            if (fork() == 0) {
                close(go[1]);
                _exit(racer(go[0], jti));
            }
        }

        close(go[0]);
        close(go[1]);

        for (i = 0, sum = 0; i < PROCESSES; i++) {
            wait(&status);
            sum += WEXITSTATUS(status);
        }

        assert_in_range(sum, 1, LIMIT);
        most += sum == LIMIT;
    }

    assert_true(most > ROUNDS * 9 / 10);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(limit_holds),
        cmocka_unit_test(idle_seats_are_free),
        cmocka_unit_test(viewers_are_those_who_play),
        cmocka_unit_test(each_camera_has_its_own_viewers),
        cmocka_unit_test(tenants_have_quotas),
        cmocka_unit_test(table_full_is_told),
        cmocka_unit_test(sessions_outlive_their_table),
        cmocka_unit_test(race_never_exceeds_the_limit)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
