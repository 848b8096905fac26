/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for the table of whose leave a session plays by. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "play_owners.h"

#define SLOTS  64


static char                dir[] = "/tmp/owners.XXXXXX";
static cam_owners_t       *z;
static const cam_owner_t   anna = { "anna, a user    ", "one session     " };
static const cam_owner_t   bert = { "bert, a user    ", "two session     " };


static cam_url_session_t
session(uint32_t slot, char sid)
{
    cam_url_session_t  s;

    memset(&s, 0, sizeof(s));
    memset(s.sid, sid, sizeof(s.sid));
    s.slot = slot;

    return s;
}


static void
who_loses_it_ends_and_starts_nothing(void **state)
{
    cam_url_session_t  a = session(1, 'a'), b = session(2, 'b');

    cam_owners_keep(z, &a, &anna);
    cam_owners_keep(z, &b, &bert);
    assert_false(cam_owners_over(z, &a));
    assert_false(cam_owners_gone(z, &anna, 100));

    assert_int_equal(cam_owners_end(z, anna.user, 100), 1);
    assert_true(cam_owners_over(z, &a));
    assert_false(cam_owners_over(z, &b));

    assert_true(cam_owners_gone(z, &anna, 99));
    assert_true(cam_owners_gone(z, &anna, 100));
    assert_false(cam_owners_gone(z, &anna, 101));
    assert_false(cam_owners_gone(z, &bert, 99));

    /* the same again, as another worker does it */

    assert_int_equal(cam_owners_end(z, anna.user, 100), 0);

    assert_int_equal(cam_owners_end(z, bert.credential, 200), 1);
    assert_true(cam_owners_over(z, &b));
}


static void
a_slot_is_the_next_session(void **state)
{
    cam_url_session_t  old = session(3, 'c'), next = session(3, 'd');
    cam_url_session_t  none = session(SLOTS, 'e');

    cam_owners_keep(z, &old, &anna);
    cam_owners_end(z, anna.credential, 300);
    assert_true(cam_owners_over(z, &old));

    cam_owners_keep(z, &next, &anna);
    assert_false(cam_owners_over(z, &next));
    assert_false(cam_owners_over(z, &old));

    cam_owners_keep(z, &none, &anna);
    assert_false(cam_owners_over(z, &none));
}


static void
the_last_thousand_are_known(void **state)
{
    int          n;
    cam_owner_t  owner;

    memset(&owner, 0, sizeof(owner));

    for (n = 1; n <= 2000; n++) {
        memcpy(owner.user, &n, sizeof(n));
        cam_owners_end(z, owner.user, 1000 + n);
    }

    assert_true(cam_owners_gone(z, &owner, 3000));

    n = 1100;
    memcpy(owner.user, &n, sizeof(n));
    assert_true(cam_owners_gone(z, &owner, 2100));
    assert_false(cam_owners_gone(z, &owner, 2101));
}


int
main(void)
{
    int   rc;
    char  path[64];

    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(who_loses_it_ends_and_starts_nothing),
        cmocka_unit_test(a_slot_is_the_next_session),
        cmocka_unit_test(the_last_thousand_are_known)
    };

    if (mkdtemp(dir) == NULL || (z = cam_owners_open(dir, SLOTS)) == NULL) {
        return 1;
    }

    cmocka_set_message_output(CM_OUTPUT_TAP);
    rc = cmocka_run_group_tests(tests, NULL, NULL);

    cam_owners_close(z);
    snprintf(path, sizeof(path), "%s/owners", dir);
    (void) unlink(path);
    (void) rmdir(dir);

    return rc;
}
