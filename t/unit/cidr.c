/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for address lists: what is a CIDR, and who is allowed by a list. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "registry.h"


static int
parse(cam_cidr_t *cidr, const char *text)
{
    return cam_cidr_parse(cidr, text, strlen(text));
}


static int
allows(const cam_registry_entry_t *entry, const char *text)
{
    struct sockaddr_in   sin = { .sin_family = AF_INET };
    struct sockaddr_in6  sin6 = { .sin6_family = AF_INET6 };

    if (inet_pton(AF_INET, text, &sin.sin_addr) == 1) {
        return cam_registry_allows(entry, (struct sockaddr *) &sin);
    }

    assert_int_equal(inet_pton(AF_INET6, text, &sin6.sin6_addr), 1);

    return cam_registry_allows(entry, (struct sockaddr *) &sin6);
}


static void
parses_networks_and_bare_addresses(void **state)
{
    cam_cidr_t  cidr;

    assert_int_equal(parse(&cidr, "10.1.2.3/8"), 0);
    assert_int_equal(cidr.family, AF_INET);
    assert_int_equal(cidr.bits, 8);
    assert_memory_equal(cidr.addr, "\x0a\0\0\0", 4);

    assert_int_equal(parse(&cidr, "192.0.2.7"), 0);
    assert_int_equal(cidr.bits, 32);

    assert_int_equal(parse(&cidr, "2001:db8:ffff::/35"), 0);
    assert_int_equal(cidr.family, AF_INET6);
    assert_memory_equal(cidr.addr, "\x20\x01\x0d\xb8\xe0\0\0\0", 8);

    assert_int_equal(parse(&cidr, "::1"), 0);
    assert_int_equal(cidr.bits, 128);
}


static void
refuses_what_is_no_network(void **state)
{
    size_t       i;
    cam_cidr_t   cidr;
    const char  *bad[] = { "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8",
                           "10.0.0.0/-1", "10.0.0.0/ 8", "10.0.0.0/0x8",
                           "10.0.0.0/08", "::/00",
                           "::1/129", "::1/1280", "camera.example/8",
                           "10.0.0.0/8/8", " 10.0.0.0" };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(parse(&cidr, bad[i]), -1);
    }

    assert_int_equal(cam_cidr_parse(&cidr, "10.0.0.1\0/8", 11), -1);
}


static void
an_empty_list_allows_anybody(void **state)
{
    cam_registry_entry_t  entry = { 0 };

    assert_true(allows(&entry, "198.51.100.1"));
    assert_true(allows(&entry, "2001:db8::1"));
}


static void
a_list_allows_its_networks_only(void **state)
{
    cam_registry_entry_t  entry = { 0 };

    parse(&entry.cidr[0], "10.20.0.0/14");
    parse(&entry.cidr[4], "192.0.2.7");
    parse(&entry.cidr[9], "2001:db8::/32");

    assert_true(allows(&entry, "10.23.255.255"));
    assert_false(allows(&entry, "10.24.0.0"));
    assert_true(allows(&entry, "192.0.2.7"));
    assert_false(allows(&entry, "192.0.2.6"));
    assert_true(allows(&entry, "2001:db8:1::1"));
    assert_false(allows(&entry, "2001:db9::1"));
}


static void
a_mapped_address_counts_as_ipv4(void **state)
{
    cam_registry_entry_t  entry = { 0 };

    parse(&entry.cidr[0], "10.0.0.0/8");

    assert_true(allows(&entry, "::ffff:10.1.2.3"));
    assert_false(allows(&entry, "::ffff:11.1.2.3"));
    assert_false(allows(&entry, "::10.1.2.3"));
}


/* once, they were taken, and allowed nobody */

static void
a_mapped_network_counts_as_ipv4(void **state)
{
    cam_cidr_t            cidr;
    cam_registry_entry_t  entry = { 0 };

    assert_int_equal(parse(&entry.cidr[0], "::ffff:10.0.0.0/104"), 0);
    assert_int_equal(parse(&entry.cidr[1], "::ffff:192.0.2.7"), 0);

    assert_true(allows(&entry, "10.1.2.3"));
    assert_true(allows(&entry, "::ffff:10.1.2.3"));
    assert_true(allows(&entry, "192.0.2.7"));
    assert_false(allows(&entry, "192.0.2.6"));
    assert_false(allows(&entry, "2001:db8::1"));

    assert_int_equal(parse(&cidr, "::ffff:0:0/95"), 0);
    assert_int_equal(cidr.family, AF_INET6);
    assert_int_equal(parse(&cidr, "::ffff:0:0/96"), 0);
    assert_int_equal(cidr.family, AF_INET);
    assert_int_equal(cidr.bits, 0);
}


static void
another_family_is_not_allowed_by_a_list(void **state)
{
    struct sockaddr       sa = { .sa_family = AF_UNIX };
    cam_registry_entry_t  entry = { 0 };

    parse(&entry.cidr[0], "0.0.0.0/0");

    assert_false(cam_registry_allows(&entry, &sa));
    assert_false(allows(&entry, "2001:db8::1"));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(parses_networks_and_bare_addresses),
        cmocka_unit_test(refuses_what_is_no_network),
        cmocka_unit_test(an_empty_list_allows_anybody),
        cmocka_unit_test(a_list_allows_its_networks_only),
        cmocka_unit_test(a_mapped_address_counts_as_ipv4),
        cmocka_unit_test(a_mapped_network_counts_as_ipv4),
        cmocka_unit_test(another_family_is_not_allowed_by_a_list)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
