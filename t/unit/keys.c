/*
 * Copyright (C) The nginx camera platform authors
 */

/* Tests for signing keys: what a key file may be, and how keys rotate. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base64url.h"
#include "keys.h"


/* 32 bytes that begin and end with 'A', with 'B', and 31 of the first; and what
   people write where a secret belongs */
#define A32   "QUFBYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXowMUE"
#define B32   "QkJCYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXowMUI"
#define A31   "QUFBYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXowMQ"
#define DEV   "ZGV2LXNlY3JldGRldi1zZWNyZXRkZXYtc2VjcmV0ZGU"

#define STREAM(kid, k, sign)                                                  \
    "{\"kid\":\"" kid "\",\"use\":\"stream\",\"k\":\"" k "\",\"sign\":" sign "}"
#define PLAYBACK(kid, k, sign)                                                \
    "{\"kid\":\"" kid "\",\"use\":\"playback\",\"k\":\"" k "\",\"sign\":"     \
    sign "}"
#define ACCESS(kid, k, sign)                                                  \
    "{\"kid\":\"" kid "\",\"use\":\"access\",\"k\":\"" k "\",\"sign\":" sign "}"
#define KEYS(list)  "{\"keys\":[" list "]}"


static char  dir[] = "/tmp/camera-keys-XXXXXX";
static char  path[64];
static char  err[256];


static void
put(const char *text, mode_t mode)
{
    FILE  *f;

    unlink(path);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}


static void
refused(const char *text, const char *reason)
{
    cam_keys_t  keys;

    put(text, 0600);
    err[0] = '\0';
    assert_int_equal(cam_keys_load(&keys, path, err, sizeof(err)), -1);

    if (strstr(err, reason) == NULL) {
        print_error("\"%s\" does not say \"%s\"\n", err, reason);
        fail();
    }

    assert_int_equal(keys.n, 0);
    assert_null(strstr(err, "QUFB"));
}


static void
test_loads(void **state)
{
    cam_keys_t        keys;
    const cam_key_t  *key;

    put(KEYS(STREAM("s1", A32, "true") "," PLAYBACK("p1", B32, "true") ","
             STREAM("s0", "Q0ND" A32 , "false")), 0640);
    assert_int_equal(cam_keys_load(&keys, path, err, sizeof(err)), 0);

    assert_int_equal(keys.n, 3);
    key = cam_keys_signer(&keys, CAM_KEY_STREAM);
    assert_string_equal(key->kid, "s1");
    assert_int_equal(key->len, 32);
    assert_int_equal(key->secret[31], 'A');
    assert_string_equal(cam_keys_signer(&keys, CAM_KEY_PLAYBACK)->kid, "p1");

    key = cam_keys_find(&keys, CAM_KEY_STREAM, "s0xxx", 2);
    assert_int_equal(key->index, 2);
    assert_int_equal(key->len, 35);
    assert_int_equal(key->secret[0], 'C');
    assert_null(cam_keys_find(&keys, CAM_KEY_PLAYBACK, "s0", 2));
    assert_null(cam_keys_find(&keys, CAM_KEY_STREAM, "s", 1));
    assert_null(cam_keys_find(&keys, CAM_KEY_STREAM, "", 0));
}


/* a node that only carries media has nobody who logs in, exports or encrypts */

static void
test_what_a_node_does_not_do_needs_no_key(void **state)
{
    cam_keys_t  keys;

    put(KEYS(STREAM("s", A32, "true") "," PLAYBACK("p", B32, "true")), 0600);
    assert_int_equal(cam_keys_load(&keys, path, err, sizeof(err)), 0);
    assert_null(cam_keys_signer(&keys, CAM_KEY_ACCESS));
    assert_null(cam_keys_signer(&keys, CAM_KEY_EXPORT));
    assert_null(cam_keys_signer(&keys, CAM_KEY_RECORDING));

    assert_int_equal(cam_keys_renew(&keys, CAM_KEY_ACCESS, 0), 0);
    assert_int_equal(cam_keys_save(&keys, path, 1), 0);
    assert_int_equal(cam_keys_load(&keys, path, err, sizeof(err)), 0);
    assert_int_equal(cam_keys_signer(&keys, CAM_KEY_ACCESS)->index, 2);
    assert_int_equal(cam_keys_signer(&keys, CAM_KEY_STREAM)->index, 0);

    /* but one that is there signs, and shares no secret */

    refused(KEYS(STREAM("s", A32, "true") "," PLAYBACK("p", B32, "true") ","
                 ACCESS("a", "Q0ND" A32, "false")),
            "0 keys of use \"access\"");
    refused(KEYS(STREAM("s", A32, "true") "," PLAYBACK("p", B32, "true") ","
                 ACCESS("a", B32, "true")), "same secret");
}


static void
test_refuses_content(void **state)
{
    refused("", "not JSON");
    refused("{\"keys\":[]}", "0 keys of use \"stream\"");
    refused("{\"keys\":[]} x", "not JSON");
    refused("{\"keys\":[],\"keys\":[]}", "not JSON");
    refused("{\"keys\":{}}", "not of the form");
    refused("[]", "not of the form");
    refused("{\"keys\":[1]}", "key 1 needs");
    refused(KEYS(STREAM("s", A32, "true")), "0 keys of use \"playback\"");
    refused(KEYS(STREAM("s", A32, "true") "," PLAYBACK("p", B32, "false")),
            "0 keys of use \"playback\"");
    refused(KEYS(STREAM("s", A32, "true") "," STREAM("t", B32, "true")),
            "2 keys of use \"stream\"");
    refused(KEYS(STREAM("s", A31, "true") "," PLAYBACK("p", B32, "true")),
            "32 to 64 bytes");
    refused(KEYS(STREAM("s", "", "true") "," PLAYBACK("p", B32, "true")),
            "32 to 64 bytes");
    refused(KEYS(STREAM("s", A32 "=", "true") "," PLAYBACK("p", B32, "true")),
            "32 to 64 bytes");
    refused(KEYS(STREAM("s", "QUFB" A32 A32, "true")), "32 to 64 bytes");
    refused(KEYS(STREAM("s", DEV, "true") "," PLAYBACK("p", B32, "true")),
            "is no random secret");
    refused(KEYS(STREAM("s", A32, "true") "," PLAYBACK("s", B32, "true")),
            "two keys named \"s\"");
    refused(KEYS(STREAM("s", A32, "true") "," PLAYBACK("p", A32, "true")),
            "same secret");
    refused(KEYS(STREAM("", A32, "true")), "\"kid\" must be");
    refused(KEYS(STREAM("a b", A32, "true")), "\"kid\" must be");
    refused(KEYS(STREAM("0123456789abcdef", A32, "true")), "\"kid\" must be");
    refused(KEYS("{\"kid\":\"s\",\"use\":\"api\",\"k\":\"" A32 "\"}"),
            "\"use\" must be");
    refused(KEYS("{\"kid\":\"s\",\"use\":\"stream\"}"), "key 1 needs");
    refused(KEYS("{\"kid\":\"s\",\"use\":\"stream\",\"k\":\"" A32
                 "\",\"sing\":true}"), "key 1 needs");
    refused(KEYS(STREAM("s", A32, "1")), "key 1 needs");
}


static void
test_refuses_too_many(void **state)
{
    int   i, n;
    char  text[4096];

    n = sprintf(text, "{\"keys\":[");

    for (i = 0; i < CAM_KEYS_MAX + 1; i++) {
        n += sprintf(text + n, "%s{\"kid\":\"k%d\",\"use\":\"stream\",\"k\":\""
                     A32 "\"}", i ? "," : "", i);
    }

    strcpy(text + n, "]}");
    refused(text, "more than 16");
}


static void
test_refuses_file(void **state)
{
    int         i;
    char        big[32768];
    cam_keys_t  keys;
    mode_t      modes[] = { 0644, 0604, 0602, 0601, 0620, 0666 };

    for (i = 0; i < 6; i++) {
        put(KEYS(STREAM("s", A32, "true") "," PLAYBACK("p", B32, "true")),
            modes[i]);
        assert_int_equal(cam_keys_load(&keys, path, err, sizeof(err)), -1);
        assert_non_null(strstr(err, "open to others"));
    }

    memset(big, ' ', sizeof(big));
    big[sizeof(big) - 1] = '\0';
    refused(big, "larger than");

    unlink(path);
    assert_int_equal(cam_keys_load(&keys, path, err, sizeof(err)), -1);
    assert_non_null(strstr(err, "No such file"));

    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(cam_keys_load(&keys, path, err, sizeof(err)), -1);
    assert_non_null(strstr(err, "not a regular file"));
    unlink(path);

    assert_int_equal(cam_keys_load(&keys, dir, err, sizeof(err)), -1);
}


static void
test_creates(void **state)
{
    cam_keys_t   keys;
    struct stat  st;

    unlink(path);
    assert_int_equal(cam_keys_create(path), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(cam_keys_load(&keys, path, err, sizeof(err)), 0);
    assert_int_equal(keys.n, CAM_KEY_USES);
    assert_int_equal(keys.keys[3].len, 32);
    assert_non_null(cam_keys_signer(&keys, CAM_KEY_ACCESS));
    assert_non_null(cam_keys_signer(&keys, CAM_KEY_EXPORT));
    assert_non_null(cam_keys_signer(&keys, CAM_KEY_RECORDING));

    assert_int_equal(cam_keys_create(path), -1);
    assert_int_equal(errno, EEXIST);

    assert_int_equal(cam_keys_create("/nonexistent/keys.json"), -1);
    assert_int_equal(errno, ENOENT);
}


static void
test_rotates(void **state)
{
    char        first[CAM_KID_MAX], second[CAM_KID_MAX];
    cam_keys_t  keys;

    unlink(path);
    assert_int_equal(cam_keys_create(path), 0);
    assert_int_equal(cam_keys_load(&keys, path, err, sizeof(err)), 0);
    strcpy(first, cam_keys_signer(&keys, CAM_KEY_STREAM)->kid);

    assert_int_equal(cam_keys_renew(&keys, CAM_KEY_STREAM, 1), 0);
    assert_int_equal(cam_keys_save(&keys, path, 0), -1);
    assert_int_equal(cam_keys_save(&keys, path, 1), 0);
    assert_int_equal(cam_keys_load(&keys, path, err, sizeof(err)), 0);

    /* nothing could retire yet: the first key verifies on */
    assert_int_equal(keys.n, CAM_KEY_USES + 1);
    strcpy(second, cam_keys_signer(&keys, CAM_KEY_STREAM)->kid);
    assert_string_not_equal(first, second);
    assert_int_equal(cam_keys_find(&keys, CAM_KEY_STREAM, first,
                                   strlen(first))->index, 0);
    assert_int_equal(cam_keys_signer(&keys, CAM_KEY_PLAYBACK)->index, 1);

    /* now the first one goes, and every other key keeps its index */
    assert_int_equal(cam_keys_renew(&keys, CAM_KEY_STREAM, 1), 0);
    assert_int_equal(keys.n, CAM_KEY_USES + 1);
    assert_null(cam_keys_find(&keys, CAM_KEY_STREAM, first, strlen(first)));
    assert_int_equal(cam_keys_signer(&keys, CAM_KEY_STREAM)->index, 0);
    assert_int_equal(cam_keys_find(&keys, CAM_KEY_STREAM, second,
                                   strlen(second))->index, CAM_KEY_USES);
}


/* what it encrypted is lost without it */

static void
test_retires_none_of_recordings(void **state)
{
    char        first[CAM_KID_MAX];
    cam_keys_t  keys;

    memset(&keys, 0, sizeof(cam_keys_t));
    assert_int_equal(cam_keys_renew(&keys, CAM_KEY_RECORDING, 0), 0);
    strcpy(first, keys.keys[0].kid);

    while (keys.n < CAM_KEYS_MAX) {
        assert_int_equal(cam_keys_renew(&keys, CAM_KEY_RECORDING, 1), 0);
    }

    assert_int_equal(cam_keys_renew(&keys, CAM_KEY_RECORDING, 1), -1);
    assert_int_equal(errno, ENOSPC);
    assert_non_null(cam_keys_find(&keys, CAM_KEY_RECORDING, first,
                                  strlen(first)));
    cam_keys_wipe(&keys);
}


static void
test_renews_until_full(void **state)
{
    int         i;
    cam_keys_t  keys;

    memset(&keys, 0, sizeof(cam_keys_t));

    for (i = 0; i < CAM_KEYS_MAX; i++) {
        assert_int_equal(cam_keys_renew(&keys, CAM_KEY_PLAYBACK, 0), 0);
    }

    assert_int_equal(cam_keys_renew(&keys, CAM_KEY_PLAYBACK, 0), -1);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(cam_keys_renew(&keys, CAM_KEY_PLAYBACK, 1), 0);

    cam_keys_wipe(&keys);
    assert_null(cam_keys_signer(&keys, CAM_KEY_PLAYBACK));
}


/* who has the file before, knows what the file after signs */

static void
test_signs_as_before(void **state)
{
    uint32_t    access, signers;
    cam_keys_t  before, after;

    memset(&before, 0, sizeof(cam_keys_t));
    assert_int_equal(cam_keys_renew(&before, CAM_KEY_ACCESS, 0), 0);
    assert_int_equal(cam_keys_renew(&before, CAM_KEY_PLAYBACK, 0), 0);
    signers = cam_keys_signers(&before);
    assert_int_equal(signers, 3);

    /* nothing is new */
    assert_int_equal(cam_keys_known_signers(&before, &before, signers), 3);

    /* a new one beside the old one */
    after = before;
    assert_int_equal(cam_keys_renew(&after, CAM_KEY_ACCESS, 0), 0);
    assert_int_equal(cam_keys_signers(&after), 6);
    assert_int_equal(cam_keys_known_signers(&after, &before, signers), 3);

    /* the next one takes its place: the second, as the file said, not as it was
       held back */
    before = after;
    signers = cam_keys_signers(&before);
    cam_keys_set_signers(&before, 3);
    assert_int_equal(cam_keys_renew(&after, CAM_KEY_ACCESS, 1), 0);
    assert_int_equal(cam_keys_signers(&after), 3);
    access = cam_keys_known_signers(&after, &before, signers);
    assert_int_equal(access, 6);

    /* one that was known before it signs needs no wait */
    before = after;
    cam_keys_set_signers(&before, 6);
    assert_int_equal(cam_keys_known_signers(&after, &before, 6), 3);

    /* one that is gone signs no more */
    memset(&after, 0, sizeof(cam_keys_t));
    assert_int_equal(cam_keys_renew(&after, CAM_KEY_ACCESS, 0), 0);
    assert_int_equal(cam_keys_renew(&after, CAM_KEY_EXPORT, 0), 0);
    assert_int_equal(cam_keys_known_signers(&after, &before, 6), 3);
}


static void
test_base64url(void **state)
{
    char                text[16];
    size_t              i;
    uint8_t             data[8];
    static const char  *plain[] = { "", "f", "fo", "foo", "foob", "\xfb\xff" };
    static const char  *coded[] = { "", "Zg", "Zm8", "Zm9v", "Zm9vYg", "-_8" };
    static const char  *wrong[] = { "Z", "A", "AAAAA", "Zh", "Zm9", "Zg==", "Z+8",
                                    "Z/8", "Zm 8", "Zm8\n" };

    for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        assert_int_equal(cam_base64url_encode(text, plain[i],
                                              strlen(plain[i])),
                         strlen(coded[i]));
        assert_string_equal(text, coded[i]);
        assert_int_equal(cam_base64url_decode(data, sizeof(data), coded[i],
                                              strlen(coded[i])),
                         strlen(plain[i]));
        assert_memory_equal(data, plain[i], strlen(plain[i]));
    }

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(cam_base64url_decode(data, sizeof(data), wrong[i],
                                              strlen(wrong[i])), -1);
    }

    assert_int_equal(cam_base64url_decode(data, 2, "Zm9v", 4), -1);
}


int
main(void)
{
    int                      rc;
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_loads),
        cmocka_unit_test(test_what_a_node_does_not_do_needs_no_key),
        cmocka_unit_test(test_refuses_content),
        cmocka_unit_test(test_refuses_too_many),
        cmocka_unit_test(test_refuses_file),
        cmocka_unit_test(test_creates),
        cmocka_unit_test(test_rotates),
        cmocka_unit_test(test_retires_none_of_recordings),
        cmocka_unit_test(test_renews_until_full),
        cmocka_unit_test(test_signs_as_before),
        cmocka_unit_test(test_base64url),
    };

    if (mkdtemp(dir) == NULL) {
        return 1;
    }

    snprintf(path, sizeof(path), "%s/keys.json", dir);
    cmocka_set_message_output(CM_OUTPUT_TAP);

    rc = cmocka_run_group_tests(tests, NULL, NULL);

    unlink(path);
    rmdir(dir);

    return rc;
}
