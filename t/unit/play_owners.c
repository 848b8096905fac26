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

    cam_owners_keep(z, &a, &anna, 90);
    cam_owners_keep(z, &b, &bert, 90);
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

    cam_owners_keep(z, &old, &anna, 90);
    cam_owners_end(z, anna.credential, 300);
    assert_true(cam_owners_over(z, &old));

    cam_owners_keep(z, &next, &anna, 90);
    assert_false(cam_owners_over(z, &next));
    assert_false(cam_owners_over(z, &old));

    cam_owners_keep(z, &none, &anna, 90);
    assert_false(cam_owners_over(z, &none));
}


/* news that come late end what was there, not what was asked for since */

static void
what_is_told_late_is_of_its_time(void **state)
{
    cam_url_session_t  before = session(4, 'f'), skewed = session(5, 'g');
    cam_url_session_t  since = session(6, 'h'), bert_s = session(7, 'i');
    cam_owners_late_t  late[2] = {
        { "carl, a user    ", 5000 }, { "dora, a user    ", 9000 }
    };
    cam_owner_t        carl = { "carl, a user    ", "four session    " };
    cam_owner_t        dora = { "dora, a user    ", "five session    " };

    cam_owners_keep(z, &before, &carl, 5000);
    cam_owners_keep(z, &skewed, &carl, 5060);
    cam_owners_keep(z, &since, &carl, 5061);
    cam_owners_keep(z, &bert_s, &bert, 4000);

    assert_int_equal(cam_owners_end_late(z, late, 2, 9100), 2);
    assert_true(cam_owners_over(z, &before));
    assert_true(cam_owners_over(z, &skewed));
    assert_false(cam_owners_over(z, &since));
    assert_false(cam_owners_over(z, &bert_s));
    assert_int_equal(cam_owners_end_late(z, late, 2, 9100), 0);
    assert_int_equal(cam_owners_end_late(z, late, 0, 9100), 0);

    /* tokens that old are over by themselves */

    assert_false(cam_owners_gone(z, &carl, 5000));
    assert_true(cam_owners_gone(z, &dora, 9000));
    assert_false(cam_owners_gone(z, &dora, 9001));

    /* and it takes nothing back that was heard in time */

    cam_owners_end(z, dora.user, 9050);
    cam_owners_end_late(z, late, 2, 9100);
    assert_true(cam_owners_gone(z, &dora, 9050));
}


static void
who_heard_until_when_is_known(void **state)
{
    assert_int_equal(cam_owners_heard(z), 0);
    cam_owners_hear(z, 1234);
    assert_int_equal(cam_owners_heard(z), 1234);
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
        cmocka_unit_test(what_is_told_late_is_of_its_time),
        cmocka_unit_test(who_heard_until_when_is_known),
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
