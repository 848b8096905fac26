/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for roles: their names, what each may do, and that nothing else may. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "role.h"


#define parse(name)       cam_role_parse(name, strlen(name))
#define permission(name)  cam_permission_parse(name, strlen(name))


/* "a b c" of a set */

static const char *
list(uint32_t set)
{
    const char   *name;
    static char   text[256];

    text[0] = '\0';

    while ((name = cam_permission_next(&set)) != NULL) {
        strcat(text, text[0] ? " " : "");
        strcat(text, name);
    }

    return text;
}


static void
test_names(void **state)
{
    int                 i;
    static const char  *names[] = { "admin", "operator", "viewer", "api_only" };
    static const char  *others[] = { "", "Admin", "admin ", "admi", "root",
                                     "operator,admin", "*" };

    for (i = 0; i < 4; i++) {
        assert_int_equal(parse(names[i]), CAM_ROLE_ADMIN + i);
        assert_string_equal(cam_role_name(CAM_ROLE_ADMIN + i), names[i]);
    }

    for (i = 0; i < 7; i++) {
        assert_int_equal(parse(others[i]), CAM_ROLE_NONE);
    }

    assert_string_equal(cam_role_name(CAM_ROLE_NONE), "");
    assert_string_equal(cam_role_name(CAM_ROLE_API_ONLY + 1), "");
    assert_string_equal(cam_role_name((cam_role_e) -1), "");
}


static void
test_rights(void **state)
{
    assert_string_equal(list(cam_role_permissions(CAM_ROLE_ADMIN)), "*");
    assert_string_equal(list(cam_role_permissions(CAM_ROLE_OPERATOR)),
                        "cameras:read cameras:write streams:view "
                        "recordings:read recordings:delete analytics:read "
                        "alerts:manage");
    assert_string_equal(list(cam_role_permissions(CAM_ROLE_VIEWER)),
                        "cameras:read streams:view recordings:read");

    assert_int_equal(cam_role_permissions(CAM_ROLE_API_ONLY), 0);
    assert_int_equal(cam_role_permissions(CAM_ROLE_NONE), 0);
    assert_int_equal(cam_role_permissions(CAM_ROLE_API_ONLY + 1), 0);
    assert_int_equal(cam_role_permissions((cam_role_e) -1), 0);
}


static void
test_permissions(void **state)
{
    int                 i;
    uint32_t            all;
    static const char  *others[] = { "", "cameras", "cameras:", "Cameras:read",
                                     "cameras:read ", "**", "cameras:*" };

    all = CAM_PERMIT_ALL & ~CAM_PERMIT_USERS_MANAGE;

    assert_string_equal(list(all),
                        "cameras:read cameras:write streams:view "
                        "recordings:read recordings:delete tokens:manage "
                        "analytics:read alerts:manage audit:read");
    assert_string_equal(list(0), "");
    assert_string_equal(list(~CAM_PERMIT_ALL), "");

    assert_int_equal(permission("*"), CAM_PERMIT_ALL);
    assert_int_equal(permission("cameras:read"), CAM_PERMIT_CAMERAS_READ);
    assert_int_equal(permission("cameras:write"), CAM_PERMIT_CAMERAS_WRITE);
    assert_int_equal(permission("streams:view"), CAM_PERMIT_STREAMS_VIEW);
    assert_int_equal(permission("recordings:read"),
                     CAM_PERMIT_RECORDINGS_READ);
    assert_int_equal(permission("recordings:delete"),
                     CAM_PERMIT_RECORDINGS_DELETE);
    assert_int_equal(permission("tokens:manage"), CAM_PERMIT_TOKENS_MANAGE);
    assert_int_equal(permission("analytics:read"), CAM_PERMIT_ANALYTICS_READ);
    assert_int_equal(permission("alerts:manage"), CAM_PERMIT_ALERTS_MANAGE);
    assert_int_equal(permission("users:manage"), CAM_PERMIT_USERS_MANAGE);
    assert_int_equal(permission("audit:read"), CAM_PERMIT_AUDIT_READ);

    for (i = 0; i < 7; i++) {
        assert_int_equal(permission(others[i]), 0);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_rights),
        cmocka_unit_test(test_permissions),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
