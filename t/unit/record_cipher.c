/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for the encryption of recordings, against a second implementation out of
 * single blocks of AES, which is held against the vectors of NIST SP 800-38A,
 * RFC 3394 and RFC 3686: any range of a fragment is the same as all of it at
 * once, a key is found again by its head alone, and no two fragments have the
 * same keystream.
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "record_cipher.h"
#include "record_reader.h"

#define MOOF   100
#define SIZE   1000
#define INIT   50


static cam_keys_t  keys;
static uint8_t     data_key[32];


static void
from_hex(uint8_t *to, const char *text)
{
    unsigned  byte;

    for ( /* void */ ; *text; text += 2) {
        assert_int_equal(sscanf(text, "%2x", &byte), 1);
        *to++ = (uint8_t) byte;
    }
}


static void
aes_block(const uint8_t key[32], int encrypt, uint8_t block[16])
{
    int              len;
    EVP_CIPHER_CTX  *ctx;

    ctx = EVP_CIPHER_CTX_new();
    assert_non_null(ctx);
    assert_int_equal(EVP_CipherInit_ex(ctx, EVP_aes_256_ecb(), NULL, key, NULL,
                                       encrypt), 1);
    EVP_CIPHER_CTX_set_padding(ctx, 0);
    assert_int_equal(EVP_CipherUpdate(ctx, block, &len, block, 16), 1);
    EVP_CIPHER_CTX_free(ctx);
}


/* SP 800-38A, 6.5 and B.1, the counter in the last 32 bits */

static void
counter_mode(const uint8_t key[32], const uint8_t first[16], uint8_t *data,
    size_t n)
{
    size_t    i;
    uint8_t   counter[16], block[16];
    unsigned  k;

    memcpy(counter, first, 16);

    for (i = 0; i < n; i++) {

        if (i % 16 == 0) {
            memcpy(block, counter, 16);
            aes_block(key, 1, block);

            for (k = 15; k > 11 && ++counter[k] == 0; k--) { /* void */ }
        }

        data[i] ^= block[i % 16];
    }
}


/* RFC 3394, 2.2.1; n blocks of 64 bits and one more */

static void
key_wrap(const uint8_t kek[32], const uint8_t *in, unsigned n, uint8_t *out)
{
    uint8_t   block[16];
    unsigned  i, j, t;

    memset(block, 0xa6, 8);
    memcpy(out + 8, in, 8 * n);

    for (j = 0; j < 6; j++) {
        for (i = 1; i <= n; i++) {
            memcpy(block + 8, out + 8 * i, 8);
            aes_block(kek, 1, block);
            t = n * j + i;
            block[7] ^= (uint8_t) t;
            memcpy(out + 8 * i, block + 8, 8);
        }
    }

    memcpy(out, block, 8);
}


static void
the_other_implementation_is_right(void **state)
{
    uint8_t  key[32], kek[32], first[16], text[64], right[64], wrapped[40];

    /* SP 800-38A, F.5.5 */

    from_hex(key, "603deb1015ca71be2b73aef0857d7781"
                  "1f352c073b6108d72d9810a30914dff4");
    from_hex(first, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    from_hex(text, "6bc1bee22e409f96e93d7e117393172a"
                   "ae2d8a571e03ac9c9eb76fac45af8e51"
                   "30c81c46a35ce411e5fbc1191a0a52ef"
                   "f69f2445df4f9b17ad2b417be66c3710");
    from_hex(right, "601ec313775789a5b7a7f504bbf3d228"
                    "f443e3ca4d62b59aca84e990cacaf5c5"
                    "2b0930daa23de94ce87017ba2d84988d"
                    "dfc9c58db67aada613c2dd08457941a6");
    counter_mode(key, first, text, sizeof(text));
    assert_memory_equal(text, right, sizeof(right));

    /* RFC 3394, 4.6 */

    from_hex(kek, "000102030405060708090a0b0c0d0e0f"
                  "101112131415161718191a1b1c1d1e1f");
    from_hex(key, "00112233445566778899aabbccddeeff"
                  "000102030405060708090a0b0c0d0e0f");
    from_hex(right, "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326"
                    "cbc7f0e71a99f43bfb988b9b7a02dd21");
    key_wrap(kek, key, 4, wrapped);
    assert_memory_equal(wrapped, right, sizeof(wrapped));
}


/* a head whose key is known: made by the other implementation alone */

static cam_record_head_t
make_head(void)
{
    uint8_t            text[19 + 2 * CAM_UUID_LEN], kek[32];
    unsigned           len;
    const cam_key_t   *key;
    cam_record_head_t  head;

    memset(&head, 0, sizeof(head));
    memset(head.camera, 1, CAM_UUID_LEN);
    memset(head.recording, 2, CAM_UUID_LEN);
    head.init_size = INIT;

    key = cam_keys_signer(&keys, CAM_KEY_RECORDING);
    memcpy(text, "camera-recording 1", 19);
    memcpy(text + 19, head.camera, CAM_UUID_LEN);
    memcpy(text + 19 + CAM_UUID_LEN, head.recording, CAM_UUID_LEN);
    assert_non_null(HMAC(EVP_sha256(), key->secret, key->len, text,
                         sizeof(text), kek, &len));

    head.cipher = CAM_RECORD_AES_CTR;
    strcpy(head.kid, key->kid);
    key_wrap(kek, data_key, 4, head.wrapped);

    return head;
}


static cam_record_cipher_t *
make_cipher(void)
{
    cam_record_head_t     head;
    cam_record_cipher_t  *cipher;

    head = make_head();
    cipher = cam_record_cipher_open(&head, &keys);
    assert_non_null(cipher);

    return cipher;
}


static cam_record_fragment_t
make_fragment(void)
{
    cam_record_fragment_t  f;

    memset(&f, 0, sizeof(f));
    f.size = SIZE;
    f.wall_msec = INT64_C(0x100000060);
    f.msn = 0xdb5672c97aa8;
    f.part = 0xf0b2;

    return f;
}


/* moof, and mdat with zeros for samples */

static void
make_bytes(uint8_t data[SIZE])
{
    memset(data, 0, SIZE);
    memcpy(data, "\0\0\0\144moof", 8);
    memcpy(data + MOOF, "\0\0\3\204mdat", 8);
}


static void
counter_is_made_of_time_segment_part_and_block(void **state)
{
    uint8_t                data[SIZE], right[16];
    cam_record_cipher_t   *cipher;
    cam_record_fragment_t  f;

    /* RFC 3686, test vector 7, whose counter begins at 1 */

    from_hex(data_key, "776beff2851db06f4c8a0542c8696f6c"
                       "6a81af1eec96b4d37fc1d689e6c1c104");
    from_hex(right, "145ad01dbf824ec7560863dc71e3e0c0");

    cipher = make_cipher();
    f = make_fragment();
    make_bytes(data);
    memcpy(data + MOOF + 8 + 16, "Single block msg", 16);

    assert_int_equal(cam_record_cipher_apply(cipher, &f, MOOF, 0, data, SIZE),
                     0);
    assert_memory_equal(data + MOOF + 8 + 16, right, 16);
    assert_memory_equal(data + MOOF + 4, "edat", 4);
    assert_memory_equal(data, "\0\0\0\144moof", 8);

    cam_record_cipher_free(cipher);
}


static void
any_range_is_a_part_of_the_whole(void **state)
{
    size_t                 at, n;
    uint8_t                plain[SIZE], whole[SIZE], data[SIZE], first[16];
    cam_record_cipher_t   *cipher;
    cam_record_fragment_t  f;

    memset(data_key, 0x5a, sizeof(data_key));
    cipher = make_cipher();
    f = make_fragment();
    make_bytes(plain);

    for (at = MOOF + 8; at < SIZE; at++) {
        plain[at] = (uint8_t) (at * 7);
    }

    memcpy(whole, plain, SIZE);
    whole[MOOF + 4] = 'e';
    from_hex(first, "00000060db5672c97aa8f0b200000000");
    counter_mode(data_key, first, whole + MOOF + 8, SIZE - MOOF - 8);

    for (at = 0; at < SIZE; at++) {
        for (n = 1; n <= SIZE - at; n += 1 + n / 3) {
            memcpy(data, plain + at, n);
            assert_int_equal(cam_record_cipher_apply(cipher, &f, MOOF, at,
                                                     data, n), 0);
            assert_memory_equal(data, whole + at, n);

            assert_int_equal(cam_record_cipher_apply(cipher, &f, MOOF, at,
                                                     data, n), 0);
            assert_memory_equal(data, plain + at, n);
        }
    }

    cam_record_cipher_free(cipher);
}


static void
whole_file_is_one_text(void **state)
{
    size_t                at, n;
    uint8_t               whole[SIZE], data[SIZE], first[16];
    cam_record_cipher_t  *cipher;

    cipher = make_cipher();
    memset(whole, 0, SIZE);
    memset(first, 0, 16);
    counter_mode(data_key, first, whole, SIZE);

    for (at = 0; at < SIZE; at += 7) {
        n = SIZE - at;
        memset(data, 0, n);
        assert_int_equal(cam_record_cipher_flat(cipher, at, data, n), 0);
        assert_memory_equal(data, whole + at, n);
    }

    /* and does not begin again behind 64 GB */

    memset(data, 0, 64);
    assert_int_equal(cam_record_cipher_flat(cipher, UINT64_C(1) << 36, data,
                                            64), 0);
    assert_memory_not_equal(data, whole, 64);
    from_hex(first, "00000000000000000000000100000000");
    memset(whole, 0, 64);
    counter_mode(data_key, first, whole, 64);
    assert_memory_equal(data, whole, 64);

    cam_record_cipher_free(cipher);
}


static void
no_keystream_is_used_twice(void **state)
{
    int                    i, k;
    uint8_t                data[4][SIZE];
    cam_record_cipher_t   *cipher;
    cam_record_fragment_t  f;

    cipher = make_cipher();

    /* others of the recording, and of a store that was made anew */

    for (i = 0; i < 4; i++) {
        f = make_fragment();
        f.msn += i == 1;
        f.part += i == 2;
        f.wall_msec += i == 3;

        make_bytes(data[i]);
        assert_int_equal(cam_record_cipher_apply(cipher, &f, MOOF, 0, data[i],
                                                 SIZE), 0);

        for (k = 0; k < i; k++) {
            assert_memory_not_equal(data[i] + MOOF + 8, data[k] + MOOF + 8,
                                    16);
        }
    }

    cam_record_cipher_free(cipher);
}


static void
head_is_all_that_is_needed(void **state)
{
    uint8_t                data[SIZE], plain[SIZE];
    cam_record_head_t      head, other;
    cam_record_cipher_t   *one, *two;
    cam_record_fragment_t  f;

    head = make_head();
    one = cam_record_cipher_new(&head, &keys);
    assert_non_null(one);
    assert_int_equal(head.cipher, CAM_RECORD_AES_CTR);

    other = make_head();
    two = cam_record_cipher_new(&other, &keys);
    assert_non_null(two);
    assert_memory_not_equal(head.wrapped, other.wrapped, sizeof(head.wrapped));
    cam_record_cipher_free(two);

    two = cam_record_cipher_open(&head, &keys);
    assert_non_null(two);

    make_bytes(plain);
    memcpy(data, plain, SIZE);
    f = make_fragment();
    assert_int_equal(cam_record_cipher_apply(one, &f, MOOF, 0, data, SIZE), 0);
    assert_memory_not_equal(data + MOOF + 8, plain + MOOF + 8, 16);
    assert_int_equal(cam_record_cipher_apply(two, &f, MOOF, 0, data, SIZE), 0);
    assert_memory_equal(data, plain, SIZE);

    cam_record_cipher_free(one);
    cam_record_cipher_free(two);
}


static void
other_keys_and_heads_are_refused(void **state)
{
    cam_keys_t         none;
    cam_record_head_t  head;

    head = make_head();
    head.recording[3] ^= 1;
    assert_null(cam_record_cipher_open(&head, &keys));
    assert_int_equal(errno, EBADMSG);

    head = make_head();
    head.wrapped[39] ^= 1;
    assert_null(cam_record_cipher_open(&head, &keys));
    assert_int_equal(errno, EBADMSG);

    head = make_head();
    strcpy(head.kid, "other");
    assert_null(cam_record_cipher_open(&head, &keys));
    assert_int_equal(errno, ENOKEY);

    memset(&none, 0, sizeof(none));
    assert_null(cam_record_cipher_new(&head, &none));
    assert_int_equal(errno, ENOKEY);

    /* a key that does not encrypt any more still decrypts */

    head = make_head();
    assert_int_equal(cam_keys_renew(&keys, CAM_KEY_RECORDING, 1), 0);
    assert_string_not_equal(cam_keys_signer(&keys, CAM_KEY_RECORDING)->kid,
                            head.kid);
    cam_record_cipher_free(cam_record_cipher_open(&head, &keys));
    assert_int_equal(cam_keys_renew(&keys, CAM_KEY_RECORDING, 1), 0);
    assert_non_null(cam_keys_find(&keys, CAM_KEY_RECORDING, head.kid,
                                  strlen(head.kid)));
}


static void
a_wrapped_key_is_a_text_and_back(void **state)
{
    char               kid[CAM_KID_MAX], text[CAM_RECORD_WRAPPED_TEXT + 1];
    uint8_t            wrapped[CAM_RECORD_WRAPPED];
    cam_record_head_t  head;

    head = make_head();
    (void) cam_record_cipher_print(text, head.wrapped);
    assert_int_equal(strlen(text), 54);
    assert_int_equal(cam_record_cipher_parse(kid, wrapped, head.kid, text), 0);
    assert_string_equal(kid, head.kid);
    assert_memory_equal(wrapped, head.wrapped, CAM_RECORD_WRAPPED);

    /* nothing is set by what is none */

    assert_int_equal(cam_record_cipher_parse(kid, wrapped, "a kid", text), -1);
    assert_int_equal(cam_record_cipher_parse(kid, wrapped, "", text), -1);
    assert_int_equal(cam_record_cipher_parse(kid, wrapped, "r2", text + 1), -1);
    text[53] = '!';
    assert_int_equal(cam_record_cipher_parse(kid, wrapped, "r2", text), -1);
    assert_string_equal(kid, head.kid);
    assert_memory_equal(wrapped, head.wrapped, CAM_RECORD_WRAPPED);
}


static int
temp_file(void)
{
    int   fd;
    char  path[] = "/tmp/record-cipher-XXXXXX";

    fd = mkstemp(path);
    assert_int_not_equal(fd, -1);
    (void) unlink(path);

    return fd;
}


static void
reader_gives_the_plain_file(void **state)
{
    int                    fd, index_fd, i;
    size_t                 at, n, size;
    uint8_t                plain[INIT + 3 * SIZE], sealed[SIZE], got[4000];
    cam_record_head_t      head;
    cam_record_cipher_t   *cipher;
    cam_record_reader_t   *r;
    cam_record_fragment_t  f;

    fd = temp_file();
    index_fd = temp_file();
    head = make_head();
    cipher = cam_record_cipher_new(&head, &keys);
    assert_non_null(cipher);
    assert_int_equal(cam_record_head_write(index_fd, &head), 0);
    memset(plain, 'i', INIT);
    assert_int_equal(pwrite(fd, plain, INIT, 0), INIT);

    for (i = 0; i < 3; i++) {
        f = make_fragment();
        f.offset = INIT + i * SIZE;
        f.part += i;
        make_bytes(plain + f.offset);
        memcpy(sealed, plain + f.offset, SIZE);
        assert_int_equal(cam_record_cipher_apply(cipher, &f, MOOF, 0, sealed,
                                                 SIZE), 0);
        assert_int_equal(pwrite(fd, sealed, SIZE, f.offset), SIZE);
        assert_int_equal(cam_record_append(index_fd, i, &f, 1), 0);
    }

    cam_record_cipher_free(cipher);

    /* what no entry names is not there */

    assert_int_equal(pwrite(fd, "torn", 4, sizeof(plain)), 4);

    assert_int_equal(cam_record_head_read(index_fd, &head), 0);
    r = cam_record_reader_open(fd, index_fd, &head, &keys);
    assert_non_null(r);

    for (at = 0; at < sizeof(plain); at += 1 + at % 37) {
        for (n = 1; n < sizeof(got); n += 1 + n) {
            size = sizeof(plain) - at < n ? sizeof(plain) - at : n;
            assert_int_equal(cam_record_reader_pread(r, got, n, at), size);
            assert_memory_equal(got, plain + at, size);
        }
    }

    assert_int_equal(cam_record_reader_pread(r, got, 4, sizeof(plain)), 0);

    /* nor is a fragment whose head is none */

    assert_int_equal(pwrite(fd, "nope", 4, INIT + SIZE + 4), 4);
    assert_int_equal(cam_record_reader_pread(r, got, 10, INIT), 10);
    assert_int_equal(cam_record_reader_pread(r, got, 10, INIT + SIZE), -1);
    assert_int_equal(errno, EBADMSG);

    cam_record_reader_close(r);
}


static int
make_keys(void **state)
{
    return cam_keys_renew(&keys, CAM_KEY_RECORDING, 0);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_other_implementation_is_right),
        cmocka_unit_test(counter_is_made_of_time_segment_part_and_block),
        cmocka_unit_test(any_range_is_a_part_of_the_whole),
        cmocka_unit_test(whole_file_is_one_text),
        cmocka_unit_test(no_keystream_is_used_twice),
        cmocka_unit_test(head_is_all_that_is_needed),
        cmocka_unit_test(other_keys_and_heads_are_refused),
        cmocka_unit_test(a_wrapped_key_is_a_text_and_back),
        cmocka_unit_test(reader_gives_the_plain_file),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, make_keys, NULL);
}
