/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for events: their ids, types, and the forms in which they come. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event.h"
#include "role.h"


#define TENANT  "0b0e7f0a-1111-4222-8333-0123456789ab"
#define EVENT   "{\"type\":\"stream.status\",\"cameraId\":\"c\",\"at\":\"now\"," \
                "\"data\":{\"streamStatus\":\"online\"}}"


static int
id_is(const char *text)
{
    cam_event_id_t  id;

    return cam_event_id_parse(&id, text, strlen(text)) == 0;
}


static unsigned
types_of(const char *text)
{
    return cam_event_types_parse(text, strlen(text));
}


static void
an_id_is_two_numbers(void **state)
{
    char            text[CAM_EVENT_ID_TEXT + 1];
    cam_event_id_t  id;

    static const char  last[] = "18446744073709551615-18446744073709551615";

    assert_true(id_is("0-0"));
    assert_int_equal(cam_event_id_parse(&id, last, strlen(last)), 0);
    assert_true(id.msec == UINT64_MAX && id.seq == UINT64_MAX);
    assert_int_equal(cam_event_id_print(text, &id), strlen(last));
    assert_string_equal(text, last);

    assert_false(id_is(""));
    assert_false(id_is("-"));
    assert_false(id_is("1"));
    assert_false(id_is("1-"));
    assert_false(id_is("-1"));
    assert_false(id_is("1-1-1"));
    assert_false(id_is("+1-1"));
    assert_false(id_is(" 1-1"));
    assert_false(id_is("1-1\n"));
    assert_false(id_is("18446744073709551616-0"));
    assert_false(id_is("0-18446744073709551616"));
    assert_false(id_is("000000000000000000001-0"));
}


static void
ids_have_an_order(void **state)
{
    cam_event_id_t  a = { 1, 9 }, b = { 2, 0 }, c = { 2, 1 };

    assert_true(cam_event_id_compare(&a, &b) < 0);
    assert_true(cam_event_id_compare(&c, &b) > 0);
    assert_int_equal(cam_event_id_compare(&c, &c), 0);
}


static void
types_are_known_by_their_names(void **state)
{
    unsigned  type;

    for (type = 0; type < CAM_EVENT_TYPES; type++) {
        assert_int_equal(types_of(cam_event_type_name(type)), 1u << type);
    }

    assert_int_equal(types_of("stream.status,camera.deleted"), 0x9);
    assert_int_equal(types_of("stream.status,stream.status"), 0x1);

    assert_int_equal(types_of(""), 0);
    assert_int_equal(types_of(","), 0);
    assert_int_equal(types_of("stream.status,"), 0);
    assert_int_equal(types_of("stream.status, camera.deleted"), 0);
    assert_int_equal(types_of("stream"), 0);
    assert_int_equal(types_of("Stream.status"), 0);
}


static uint32_t
needs(const char *name)
{
    unsigned  type, types;

    types = types_of(name);

    for (type = 0; types >> type != 1; type++) { /* void */ }

    return cam_event_type_needs(type);
}


static void
types_need_what_reading_them_needs(void **state)
{
    assert_int_equal(needs("stream.status"), CAM_PERMIT_CAMERAS_READ);
    assert_int_equal(needs("camera.deleted"), CAM_PERMIT_CAMERAS_READ);
    assert_int_equal(needs("recording.started"), CAM_PERMIT_RECORDINGS_READ);
    assert_int_equal(needs("recording.finished"), CAM_PERMIT_RECORDINGS_READ);
    assert_int_equal(needs("recording.gap"), CAM_PERMIT_RECORDINGS_READ);
    assert_int_equal(needs("recording.deleted"), CAM_PERMIT_RECORDINGS_READ);
    assert_int_equal(needs("alert.created"), CAM_PERMIT_CAMERAS_READ);
    assert_int_equal(needs("alert.updated"), CAM_PERMIT_CAMERAS_READ);
    assert_int_equal(needs("alert.acknowledged"), CAM_PERMIT_CAMERAS_READ);
    assert_int_equal(needs("export.progress"), CAM_PERMIT_RECORDINGS_READ);
    assert_int_equal(needs("export.finished"), CAM_PERMIT_RECORDINGS_READ);
}


static void
an_event_may_be_about_no_camera(void **state)
{
    char         json[CAM_EVENT_MAX];
    cam_event_t  event;

    static const char  text[] =
        "{\"type\":\"alert.created\",\"tenantId\":\"" TENANT "\","
        "\"cameraId\":null,\"at\":\"now\",\"data\":{}}";

    static const char  none[] =
        "{\"type\":\"alert.created\",\"tenantId\":\"" TENANT "\","
        "\"at\":\"now\",\"data\":{}}";

    assert_int_equal(cam_event_notified(&event, text, json), 0);
    assert_string_equal(cam_event_type_name(event.type), "alert.created");
    assert_int_equal(cam_event_notified(&event, none, json), -1);
}


static void
a_notification_loses_its_tenant(void **state)
{
    char         json[CAM_EVENT_MAX], text[] =
                     "{\"type\":\"stream.status\", \"tenantId\":\"" TENANT "\","
                     "\"cameraId\":\"c\",\n\"at\":\"now\","
                     "\"data\":{\"streamStatus\":\"online\"}}";
    cam_event_t  event;

    assert_int_equal(cam_event_notified(&event, text, json), 0);
    assert_string_equal(event.tenant, TENANT);
    assert_int_equal(event.type, 0);
    assert_int_equal(event.len, strlen(EVENT));
    assert_memory_equal(event.json, EVENT, event.len);

    *strstr(text, "stream") = 'x';
    assert_int_equal(cam_event_notified(&event, text, json), -1);
    assert_int_equal(cam_event_notified(&event, EVENT, json), -1);
    assert_int_equal(cam_event_notified(&event, "", json), -1);
    assert_int_equal(cam_event_notified(&event, "[]", json), -1);
    assert_int_equal(cam_event_notified(&event, "{}", json), -1);
}


static void
an_event_is_of_a_camera_with_a_uuid(void **state)
{
    uint8_t      uuid[CAM_UUID_LEN];
    cam_event_t  event;

    static const char  of[] = "{\"type\":\"stream.status\",\"cameraId\":\""
                              TENANT "\",\"at\":\"now\",\"data\":{}}";
    static const char  none[] = "{\"type\":\"alert.created\",\"cameraId\":"
                                "null,\"at\":\"now\",\"data\":{}}";

    cam_uuid_parse(uuid, TENANT, CAM_UUID_TEXT);

    assert_int_equal(cam_event_json(&event, of, strlen(of)), 0);
    assert_true(event.of_camera);
    assert_memory_equal(event.camera, uuid, CAM_UUID_LEN);

    assert_int_equal(cam_event_json(&event, none, strlen(none)), 0);
    assert_false(event.of_camera);
    assert_int_equal(cam_event_json(&event, EVENT, strlen(EVENT)), 0);
    assert_false(event.of_camera);
}


static void
a_message_is_tenant_id_and_event(void **state)
{
    size_t          i;
    cam_event_t     event;
    cam_event_id_t  id;

    static const char   good[] = TENANT " 17-3 " EVENT;
    static const char  *bad[] = {
        "", " ", TENANT, TENANT " ", TENANT " 17-3", TENANT " 17-3 ",
        TENANT " 17 " EVENT, TENANT "  17-3 " EVENT, "x" TENANT " 17-3 " EVENT,
        TENANT " 17-3 " EVENT "x", TENANT " 17-3 " EVENT "\n",
        TENANT " 17-3 {\"type\":\"stream.status\",\"cameraId\":\"c\","
        "\"at\":\"now\",\"data\":{},\"tenantId\":\"t\"}",
        TENANT " 17-3 {\"type\":\"none\",\"cameraId\":\"c\",\"at\":\"now\","
        "\"data\":{}}"
    };

    assert_int_equal(cam_event_message(&event, &id, good, strlen(good)), 0);
    assert_true(id.msec == 17 && id.seq == 3);
    assert_string_equal(event.tenant, TENANT);
    assert_int_equal(event.len, strlen(EVENT));

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(cam_event_message(&event, &id, bad[i],
                                           strlen(bad[i])), -1);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(an_id_is_two_numbers),
        cmocka_unit_test(ids_have_an_order),
        cmocka_unit_test(types_are_known_by_their_names),
        cmocka_unit_test(types_need_what_reading_them_needs),
        cmocka_unit_test(an_event_may_be_about_no_camera),
        cmocka_unit_test(a_notification_loses_its_tenant),
        cmocka_unit_test(an_event_is_of_a_camera_with_a_uuid),
        cmocka_unit_test(a_message_is_tenant_id_and_event)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
