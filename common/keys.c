/*
 * Copyright (C) The nginx camera platform authors
 */

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base64url.h"
#include "keys.h"


#define CAM_KEYS_FILE_MAX   16384
#define CAM_KEY_KINDS       16     /* bytes that differ, of a random secret */


/* where a message for the operator goes */
typedef struct {
    char    *text;
    size_t   len;
} cam_keys_error_t;


static int cam_keys_fail(cam_keys_error_t *err, const char *fmt, ...)
    __attribute__ ((format(printf, 2, 3)));
static ssize_t cam_keys_read(const char *path, char *buf, size_t cap,
    cam_keys_error_t *err);
static int cam_keys_check_file(int fd, cam_keys_error_t *err);
static int cam_keys_parse(cam_keys_t *keys, const char *buf, size_t len,
    cam_keys_error_t *err);
static int cam_keys_add(cam_keys_t *keys, json_t *item, cam_keys_error_t *err);
static int cam_keys_read_kid(cam_key_t *key, const char *kid);
static int cam_keys_read_use(cam_key_t *key, const char *use);
static int cam_keys_read_secret(cam_key_t *key, const char *k);
static unsigned cam_keys_kinds(const cam_key_t *key);
static int cam_keys_check(const cam_keys_t *keys, cam_keys_error_t *err);
static int cam_keys_check_use(const cam_keys_t *keys, int use,
    cam_keys_error_t *err);
static int cam_keys_check_pair(const cam_key_t *one, const cam_key_t *two,
    cam_keys_error_t *err);
static const cam_key_t *cam_keys_signed(const cam_keys_t *keys,
    uint32_t signers, int use);
static const cam_key_t *cam_keys_same(const cam_keys_t *keys,
    const cam_key_t *key);


const char  *cam_keys_uses[CAM_KEY_USES] = {
    "stream", "playback", "access", "export", "recording"
};


int
cam_keys_load(cam_keys_t *keys, const char *path, char *err, size_t len)
{
    int               rc;
    char              buf[CAM_KEYS_FILE_MAX + 1];
    ssize_t           n;
    cam_keys_error_t  e = { err, len };

    memset(keys, 0, sizeof(cam_keys_t));

    n = cam_keys_read(path, buf, sizeof(buf), &e);

    if (n == -1) {
        return -1;
    }

    rc = cam_keys_parse(keys, buf, (size_t) n, &e);

    OPENSSL_cleanse(buf, sizeof(buf));

    if (rc != 0 || cam_keys_check(keys, &e) != 0) {
        cam_keys_wipe(keys);
        return -1;
    }

    return 0;
}


static int
cam_keys_fail(cam_keys_error_t *err, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    vsnprintf(err->text, err->len, fmt, args);
    va_end(args);

    return -1;
}


static ssize_t
cam_keys_read(const char *path, char *buf, size_t cap, cam_keys_error_t *err)
{
    int      fd;
    size_t   len;
    ssize_t  n;

    /* a FIFO in its place must not stall a start */

    fd = open(path, O_RDONLY|O_CLOEXEC|O_NONBLOCK);

    if (fd == -1) {
        return cam_keys_fail(err, "cannot be opened (%s)", strerror(errno));
    }

    if (cam_keys_check_file(fd, err) != 0) {
        close(fd);
        return -1;
    }

    len = 0;

    do {
        n = read(fd, buf + len, cap - len);
        len += n > 0 ? (size_t) n : 0;
    } while ((n > 0 && len < cap) || (n == -1 && errno == EINTR));

    close(fd);

    if (n == -1) {
        return cam_keys_fail(err, "cannot be read (%s)", strerror(errno));
    }

    if (len == cap) {
        return cam_keys_fail(err, "is larger than %d bytes",
                             CAM_KEYS_FILE_MAX);
    }

    return (ssize_t) len;
}


/*
 * The owner may be anyone: whoever could plant the file could change the
 * configuration that names it.  Its group may read, for services that share
 * the keys; the world may not.
 */

static int
cam_keys_check_file(int fd, cam_keys_error_t *err)
{
    struct stat  st;

    if (fstat(fd, &st) == -1) {
        return cam_keys_fail(err, "cannot be examined (%s)", strerror(errno));
    }

    if (!S_ISREG(st.st_mode)) {
        return cam_keys_fail(err, "is not a regular file");
    }

    if (st.st_mode & (S_IRWXO|S_IWGRP)) {
        return cam_keys_fail(err, "is open to others (mode %04o), use 0600 "
                             "or 0640", st.st_mode & 07777);
    }

    return 0;
}


static int
cam_keys_parse(cam_keys_t *keys, const char *buf, size_t len,
    cam_keys_error_t *err)
{
    int           rc;
    size_t        i;
    json_t       *root, *list, *item;
    json_error_t  error;

    root = json_loadb(buf, len, JSON_REJECT_DUPLICATES, &error);

    if (root == NULL) {
        /* error.text quotes the input: a part of a secret */
        return cam_keys_fail(err, "is not JSON (line %d, column %d)",
                             error.line, error.column);
    }

    list = json_object_get(root, "keys");
    rc = -1;

    if (!json_is_array(list) || json_object_size(root) != 1) {
        cam_keys_fail(err, "is not of the form { \"keys\": [ ... ] }");
        goto done;
    }

    if (json_array_size(list) > CAM_KEYS_MAX) {
        cam_keys_fail(err, "has more than %d keys", CAM_KEYS_MAX);
        goto done;
    }

    json_array_foreach(list, i, item) {
        if (cam_keys_add(keys, item, err) != 0) {
            goto done;
        }
    }

    rc = 0;

done:

    json_decref(root);

    return rc;
}


static int
cam_keys_add(cam_keys_t *keys, json_t *item, cam_keys_error_t *err)
{
    int          sign;
    cam_key_t   *key;
    const char  *kid, *use, *k;

    sign = 0;

    if (json_unpack_ex(item, NULL, JSON_STRICT, "{s:s, s:s, s:s, s?b}",
                       "kid", &kid, "use", &use, "k", &k, "sign", &sign)
        != 0)
    {
        return cam_keys_fail(err, "key %u needs the strings \"kid\", \"use\" "
                             "and \"k\", may have a boolean \"sign\", and "
                             "nothing else", keys->n + 1);
    }

    key = &keys->keys[keys->n];
    key->index = (uint8_t) keys->n;
    key->sign = sign ? 1 : 0;

    if (cam_keys_read_kid(key, kid) != 0) {
        return cam_keys_fail(err, "key %u: \"kid\" must be 1 to %d characters "
                             "of A-Z a-z 0-9 _ -", keys->n + 1,
                             CAM_KID_MAX - 1);
    }

    if (cam_keys_read_use(key, use) != 0) {
        return cam_keys_fail(err, "key \"%s\": \"use\" must be \"stream\", "
                             "\"playback\", \"access\", \"export\" or "
                             "\"recording\"", key->kid);
    }

    if (cam_keys_read_secret(key, k) != 0) {
        return cam_keys_fail(err, "key \"%s\": \"k\" must be %d to %d bytes "
                             "in base64url", key->kid, CAM_KEY_MIN,
                             CAM_KEY_MAX);
    }

    if (cam_keys_kinds(key) < CAM_KEY_KINDS) {
        return cam_keys_fail(err, "key \"%s\": \"k\" is no random secret",
                             key->kid);
    }

    keys->n++;

    return 0;
}


static int
cam_keys_read_kid(cam_key_t *key, const char *kid)
{
    size_t  len;

    len = strspn(kid, CAM_KID_LETTERS);

    if (len == 0 || len >= CAM_KID_MAX || kid[len] != '\0') {
        return -1;
    }

    memcpy(key->kid, kid, len + 1);

    return 0;
}


static int
cam_keys_read_use(cam_key_t *key, const char *use)
{
    int  i;

    for (i = 0; i < CAM_KEY_USES; i++) {
        if (strcmp(use, cam_keys_uses[i]) == 0) {
            key->use = (uint8_t) i;
            return 0;
        }
    }

    return -1;
}


static int
cam_keys_read_secret(cam_key_t *key, const char *k)
{
    ssize_t  len;

    len = cam_base64url_decode(key->secret, CAM_KEY_MAX, k, strlen(k));

    if (len < CAM_KEY_MIN) {
        return -1;
    }

    key->len = (uint8_t) len;

    return 0;
}


/* how many different bytes it has: "dev-secret" over and over has eight, and 32
   random ones have fewer than 16 once in 10^16 keys */

static unsigned
cam_keys_kinds(const cam_key_t *key)
{
    unsigned  i, kinds;
    uint8_t   seen[256] = { 0 };

    kinds = 0;

    for (i = 0; i < key->len; i++) {
        kinds += !seen[key->secret[i]];
        seen[key->secret[i]] = 1;
    }

    OPENSSL_cleanse(seen, sizeof(seen));

    return kinds;
}


static int
cam_keys_check(const cam_keys_t *keys, cam_keys_error_t *err)
{
    int       use;
    unsigned  i, j;

    for (i = 0; i < keys->n; i++) {
        for (j = 0; j < i; j++) {
            if (cam_keys_check_pair(&keys->keys[j], &keys->keys[i], err)
                != 0)
            {
                return -1;
            }
        }
    }

    for (use = 0; use < CAM_KEY_USES; use++) {
        if (cam_keys_check_use(keys, use, err) != 0) {
            return -1;
        }
    }

    return 0;
}


static int
cam_keys_check_use(const cam_keys_t *keys, int use, cam_keys_error_t *err)
{
    unsigned  i, all, signers;

    all = 0;
    signers = 0;

    for (i = 0; i < keys->n; i++) {
        all += keys->keys[i].use == use;
        signers += keys->keys[i].use == use && keys->keys[i].sign;
    }

    if (signers == 1 || (all == 0 && use >= CAM_KEY_ACCESS)) {
        return 0;
    }

    return cam_keys_fail(err, "has %u keys of use \"%s\" with \"sign\": "
                         "true instead of one", signers, cam_keys_uses[use]);
}


/* one secret for two uses would make their tokens interchangeable */

static int
cam_keys_check_pair(const cam_key_t *one, const cam_key_t *two,
    cam_keys_error_t *err)
{
    if (strcmp(one->kid, two->kid) == 0) {
        return cam_keys_fail(err, "has two keys named \"%s\"", one->kid);
    }

    if (one->len == two->len
        && CRYPTO_memcmp(one->secret, two->secret, one->len) == 0)
    {
        return cam_keys_fail(err, "has the same secret as \"%s\" and as "
                             "\"%s\"", one->kid, two->kid);
    }

    return 0;
}


const cam_key_t *
cam_keys_signer(const cam_keys_t *keys, int use)
{
    unsigned  i;

    for (i = 0; i < keys->n; i++) {
        if (keys->keys[i].use == use && keys->keys[i].sign) {
            return &keys->keys[i];
        }
    }

    return NULL;
}


uint32_t
cam_keys_signers(const cam_keys_t *keys)
{
    unsigned  i;
    uint32_t  signers;

    for (i = 0, signers = 0; i < keys->n; i++) {
        signers |= (uint32_t) keys->keys[i].sign << i;
    }

    return signers;
}


void
cam_keys_set_signers(cam_keys_t *keys, uint32_t signers)
{
    unsigned  i;

    for (i = 0; i < keys->n; i++) {
        keys->keys[i].sign = signers >> i & 1;
    }
}


uint32_t
cam_keys_known_signers(const cam_keys_t *keys, const cam_keys_t *before,
    uint32_t signers)
{
    unsigned          i;
    uint32_t          known;
    const cam_key_t  *key, *old;

    known = 0;

    for (i = 0; i < keys->n; i++) {
        key = &keys->keys[i];

        if (!key->sign) {
            continue;
        }

        if (cam_keys_same(before, key) == NULL) {
            old = cam_keys_signed(before, signers, key->use);
            old = old ? cam_keys_same(keys, old) : NULL;
            key = old ? old : key;
        }

        known |= (uint32_t) 1 << key->index;
    }

    return known;
}


static const cam_key_t *
cam_keys_signed(const cam_keys_t *keys, uint32_t signers, int use)
{
    unsigned  i;

    for (i = 0; i < keys->n; i++) {
        if (keys->keys[i].use == use && signers >> i & 1) {
            return &keys->keys[i];
        }
    }

    return NULL;
}


/* the same one among others: its index too, which is in play sessions */

static const cam_key_t *
cam_keys_same(const cam_keys_t *keys, const cam_key_t *key)
{
    const cam_key_t  *same;

    same = key->index < keys->n ? &keys->keys[key->index] : NULL;

    if (same && same->use == key->use && strcmp(same->kid, key->kid) == 0
        && same->len == key->len
        && CRYPTO_memcmp(same->secret, key->secret, key->len) == 0)
    {
        return same;
    }

    return NULL;
}


const cam_key_t *
cam_keys_find(const cam_keys_t *keys, int use, const char *kid, size_t len)
{
    unsigned          i;
    const cam_key_t  *key;

    for (i = 0; i < keys->n; i++) {
        key = &keys->keys[i];

        if (key->use == use && strlen(key->kid) == len
            && memcmp(key->kid, kid, len) == 0)
        {
            return key;
        }
    }

    return NULL;
}


void
cam_keys_wipe(cam_keys_t *keys)
{
    OPENSSL_cleanse(keys, sizeof(cam_keys_t));
}
