/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for the signatures inside playback URLs: the MAC against OpenSSL's
 * own HMAC(), and that no bit of a session or of a media signature, nor of
 * what it covers, can change unnoticed.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "clock.h"
#include "url_sign.h"


static cam_keys_t  keys;
static cam_mac_t   macs[CAM_KEYS_MAX];

static const uint8_t  camera[CAM_UUID_LEN] = "a camera's uuid";
static const uint8_t  other[CAM_UUID_LEN] = "another's uuid.";


static int
make_keys(void **state)
{
    unsigned  i;

    keys.n = 3;

    for (i = 0; i < keys.n; i++) {
        keys.keys[i].index = i;
        keys.keys[i].use = i ? CAM_KEY_PLAYBACK : CAM_KEY_STREAM;
        keys.keys[i].len = 32;
        assert_int_equal(RAND_bytes(keys.keys[i].secret, 32), 1);
        cam_mac_init(&macs[i], keys.keys[i].secret, 32);
    }

    return 0;
}


static cam_url_session_t
a_session(void)
{
    cam_url_session_t  s;

    memset(&s, 0, sizeof(s));
    memcpy(s.sid, "\x00\xff" "sid.id", 8);
    s.slot = 4711;
    s.key = 1;
    s.purpose = 1;
    s.epoch = 0xfffffffe;
    s.started = 1790000000;
    s.ends = s.started + CAM_URL_SESSION_TTL;

    return s;
}


static void
mac_is_hmac_sha256(void **state)
{
    size_t     len, keylen;
    uint8_t    key[100], data[200], mine[CAM_MAC_LEN], theirs[32];
    cam_mac_t  mac;

    RAND_bytes(key, sizeof(key));
    RAND_bytes(data, sizeof(data));

    for (keylen = 1; keylen <= sizeof(key); keylen += 9) {
        cam_mac_init(&mac, key, keylen);

        for (len = 0; len <= sizeof(data); len++) {
            cam_mac(&mac, data, len, mine);
            HMAC(EVP_sha256(), key, keylen, data, len, theirs, NULL);
            assert_memory_equal(mine, theirs, sizeof(mine));
        }
    }
}


static void
session_comes_back(void **state)
{
    char               text[CAM_URL_SESSION_TEXT];
    cam_url_session_t  s, back;

    s = a_session();
    memset(&back, 0, sizeof(back));

    cam_url_session_sign(macs, camera, &s, text);
    assert_int_equal(cam_url_session_verify(&keys, macs, camera, text,
                                            sizeof(text), &back), 0);

    assert_memory_equal(s.sid, back.sid, sizeof(s.sid));
    assert_int_equal(s.slot, back.slot);
    assert_int_equal(s.key, back.key);
    assert_int_equal(s.purpose, back.purpose);
    assert_int_equal(s.epoch, back.epoch);
    assert_int_equal(s.started, back.started);
    assert_int_equal(s.ends, back.ends);
}


/* any other text of the same length is refused, whichever bit differs */

static void
session_bits_are_all_signed(void **state)
{
    char               text[CAM_URL_SESSION_TEXT];
    unsigned           i, bit;
    cam_url_session_t  s, back;

    s = a_session();
    cam_url_session_sign(macs, camera, &s, text);

    for (i = 0; i < sizeof(text); i++) {
        for (bit = 0; bit < 8; bit++) {
            text[i] ^= 1 << bit;
            assert_int_equal(cam_url_session_verify(&keys, macs, camera, text,
                                                    sizeof(text), &back), -1);
            text[i] ^= 1 << bit;
        }
    }

    assert_int_equal(cam_url_session_verify(&keys, macs, camera, text,
                                            sizeof(text), &back), 0);
    assert_int_equal(cam_url_session_verify(&keys, macs, camera, text,
                                            sizeof(text) - 1, &back), -1);
    assert_int_equal(cam_url_session_verify(&keys, macs, camera, text, 0,
                                            &back), -1);
    assert_int_equal(cam_url_session_verify(&keys, macs, other, text,
                                            sizeof(text), &back), -1);
}


/* a key of another use, and one that is gone from the file */

static void
session_key_must_be_of_playback(void **state)
{
    char               text[CAM_URL_SESSION_TEXT];
    cam_url_session_t  s, back;

    s = a_session();

    s.key = 0;
    cam_url_session_sign(macs, camera, &s, text);
    assert_int_equal(cam_url_session_verify(&keys, macs, camera, text,
                                            sizeof(text), &back), -1);

    s.key = 2;
    cam_url_session_sign(macs, camera, &s, text);
    assert_int_equal(cam_url_session_verify(&keys, macs, camera, text,
                                            sizeof(text), &back), 0);

    keys.n = 2;
    assert_int_equal(cam_url_session_verify(&keys, macs, camera, text,
                                            sizeof(text), &back), -1);
    keys.n = 3;
}


static int
verify(const cam_url_session_t *s, const uint8_t *of,
    const cam_url_media_t *media, const char *text)
{
    return cam_url_media_verify(&macs[1], of, s, media, text,
                                CAM_URL_MAC_TEXT);
}


static void
media_bits_are_all_signed(void **state)
{
    char               text[CAM_URL_MAC_TEXT];
    unsigned           i, bit;
    cam_url_media_t    media = { CAM_URL_PART, 12, 3, 1790000100 };
    cam_url_session_t  s;

    s = a_session();
    cam_url_media_sign(&macs[1], camera, &s, &media, text);

    assert_int_equal(verify(&s, camera, &media, text), 0);
    assert_int_equal(verify(&s, other, &media, text), -1);
    assert_int_equal(cam_url_media_verify(&macs[1], camera, &s, &media, text,
                                          sizeof(text) - 1), -1);
    assert_int_equal(cam_url_media_verify(&macs[2], camera, &s, &media, text,
                                          sizeof(text)), -1);

    for (i = 0; i < sizeof(text); i++) {
        for (bit = 0; bit < 8; bit++) {
            text[i] ^= 1 << bit;
            assert_int_equal(verify(&s, camera, &media, text), -1);
            text[i] ^= 1 << bit;
        }
    }
}


static void
media_fields_are_all_signed(void **state)
{
    char               text[CAM_URL_MAC_TEXT];
    cam_url_media_t    media = { CAM_URL_PART, 12, 3, 1790000100 };
    cam_url_media_t    changed;
    cam_url_session_t  s, foreign;

    s = a_session();
    cam_url_media_sign(&macs[1], camera, &s, &media, text);

    changed = media;
    changed.kind = CAM_URL_INIT;
    assert_int_equal(verify(&s, camera, &changed, text), -1);

    changed = media;
    changed.number++;
    assert_int_equal(verify(&s, camera, &changed, text), -1);

    changed = media;
    changed.expires++;
    assert_int_equal(verify(&s, camera, &changed, text), -1);

    foreign = s;
    foreign.sid[7] ^= 1;
    assert_int_equal(verify(&foreign, camera, &media, text), -1);

    foreign = s;
    foreign.purpose++;
    assert_int_equal(verify(&foreign, camera, &media, text), -1);
}


static void
back_fields_are_all_signed(void **state)
{
    char               text[CAM_URL_MAC_TEXT];
    size_t             i;
    cam_url_back_t     back = { 1790000000000, 1790000007, 1790000008, 5,
                                700, 2 };
    cam_url_back_t     changed[6];
    cam_url_session_t  s, foreign;

    s = a_session();
    cam_url_back_sign(&macs[1], camera, &s, &back, text);

    for (i = 0; i < 6; i++) {
        changed[i] = back;
    }

    changed[0].from_msec--;
    changed[1].last++;
    changed[2].seam++;
    changed[3].count++;
    changed[4].target_sec++;
    changed[5].start_msec++;

    assert_int_equal(cam_url_back_verify(&macs[1], camera, &s, &back, text,
                                         sizeof(text)), 0);
    assert_int_equal(cam_url_back_verify(&macs[1], other, &s, &back, text,
                                         sizeof(text)), -1);
    assert_int_equal(cam_url_back_verify(&macs[1], camera, &s, &back, text,
                                         sizeof(text) - 1), -1);

    for (i = 0; i < 6; i++) {
        assert_int_equal(cam_url_back_verify(&macs[1], camera, &s, &changed[i],
                                             text, sizeof(text)), -1);
    }

    foreign = s;
    foreign.sid[7] ^= 1;
    assert_int_equal(cam_url_back_verify(&macs[1], camera, &foreign, &back,
                                         text, sizeof(text)), -1);
}


/* a part is a range of its segment's file, and whoever may have one may have
   the other */

static void
parts_share_a_signature(void **state)
{
    char               text[CAM_URL_MAC_TEXT];
    cam_url_media_t    media = { CAM_URL_SEGMENT, 12, 0, 1790000100 };
    cam_url_session_t  s;

    s = a_session();
    cam_url_media_sign(&macs[1], camera, &s, &media, text);

    media.kind = CAM_URL_PART;
    media.part = 7;
    assert_int_equal(verify(&s, camera, &media, text), 0);
}


/* a playlist signs some twenty URIs: the pads must be kept */

static void
signing_is_fast(void **state)
{
    char               text[CAM_URL_MAC_TEXT];
    int64_t            start, msec;
    unsigned           i;
    cam_url_media_t    media = { CAM_URL_SEGMENT, 12, 0, 1790000100 };
    cam_url_session_t  s;

    s = a_session();
    start = cam_clock_monotonic_msec();

    for (i = 0; i < 200000; i++) {
        media.number = i;
        cam_url_media_sign(&macs[1], camera, &s, &media, text);
    }

    msec = cam_clock_monotonic_msec() - start;
    printf("# %.2f us a signature\n", msec / 200.0);
    assert_true(msec < 400);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(mac_is_hmac_sha256),
        cmocka_unit_test(session_comes_back),
        cmocka_unit_test(session_bits_are_all_signed),
        cmocka_unit_test(session_key_must_be_of_playback),
        cmocka_unit_test(media_bits_are_all_signed),
        cmocka_unit_test(media_fields_are_all_signed),
        cmocka_unit_test(back_fields_are_all_signed),
        cmocka_unit_test(parts_share_a_signature),
        cmocka_unit_test(signing_is_fast)
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, make_keys, NULL);
}
