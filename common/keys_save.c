/*
 * Copyright (C) The nginx camera platform authors
 */

/* New signing keys, and the file that they are written to. */

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base64url.h"
#include "keys.h"


static int cam_keys_write(int fd, const cam_keys_t *keys);
static json_t *cam_keys_json(const cam_keys_t *keys);


int
cam_keys_create(const char *path)
{
    int         rc, use;
    cam_keys_t  keys;

    memset(&keys, 0, sizeof(cam_keys_t));

    rc = 0;

    for (use = 0; use < CAM_KEY_USES && rc == 0; use++) {
        rc = cam_keys_renew(&keys, use, 0);
    }

    if (rc == 0) {
        rc = cam_keys_save(&keys, path, 0);
    }

    cam_keys_wipe(&keys);

    return rc;
}


int
cam_keys_renew(cam_keys_t *keys, int use, int retire)
{
    unsigned    i, place;
    uint8_t     name[4];
    cam_key_t  *key;

    place = keys->n;

    for (i = 0; i < keys->n; i++) {
        key = &keys->keys[i];

        if (key->use == use && !key->sign && retire && place == keys->n
            && use != CAM_KEY_RECORDING)
        {
            place = i;
        }
    }

    if (place == CAM_KEYS_MAX) {
        errno = ENOSPC;
        return -1;
    }

    for (i = 0; i < keys->n; i++) {
        keys->keys[i].sign &= keys->keys[i].use != use;
    }

    key = &keys->keys[place];

    if (RAND_bytes(name, sizeof(name)) != 1
        || RAND_bytes(key->secret, CAM_KEY_MIN) != 1)
    {
        errno = EIO;
        return -1;
    }

    snprintf(key->kid, CAM_KID_MAX, "%c%02x%02x%02x%02x",
             cam_keys_uses[use][0], name[0], name[1], name[2], name[3]);
    key->use = (uint8_t) use;
    key->sign = 1;
    key->index = (uint8_t) place;
    key->len = CAM_KEY_MIN;

    keys->n += place == keys->n;

    return 0;
}


int
cam_keys_save(const cam_keys_t *keys, const char *path, int replace)
{
    int          fd, rc, error;
    char         temp[4096];
    mode_t       mode;
    struct stat  st;

    if (snprintf(temp, sizeof(temp), "%s.%d", path, (int) getpid())
        >= (int) sizeof(temp))
    {
        errno = ENAMETOOLONG;
        return -1;
    }

    /* a group that could read the old file can read the new one */

    mode = S_IRUSR|S_IWUSR;
    memset(&st, 0, sizeof(struct stat));

    if (replace && stat(path, &st) == 0) {
        mode |= st.st_mode & S_IRGRP;
    }

    fd = open(temp, O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC|O_NOFOLLOW, S_IRUSR);

    if (fd == -1) {
        return -1;
    }

    rc = cam_keys_write(fd, keys);

    if (rc == 0 && st.st_nlink != 0 && geteuid() == 0) {
        rc = fchown(fd, st.st_uid, st.st_gid);
    }

    if (rc == 0 && (rc = fchmod(fd, mode)) == 0) {
        /* a link refuses to replace a file, a rename does it at once */
        rc = replace ? rename(temp, path) : link(temp, path);
    }

    error = errno;
    close(fd);
    unlink(temp);
    errno = error;

    return rc;
}


static int
cam_keys_write(int fd, const cam_keys_t *keys)
{
    int      rc;
    json_t  *root;

    root = cam_keys_json(keys);

    if (root == NULL) {
        errno = ENOMEM;
        return -1;
    }

    rc = json_dumpfd(root, fd, JSON_INDENT(2)|JSON_PRESERVE_ORDER);

    json_decref(root);

    if (rc != 0 || write(fd, "\n", 1) != 1) {
        errno = errno ? errno : EIO;
        return -1;
    }

    return fsync(fd);
}


static json_t *
cam_keys_json(const cam_keys_t *keys)
{
    char              text[cam_base64url_encoded_len(CAM_KEY_MAX) + 1];
    json_t           *list, *item;
    unsigned          i;
    const cam_key_t  *key;

    list = json_array();

    for (i = 0; i < keys->n; i++) {
        key = &keys->keys[i];
        cam_base64url_encode(text, key->secret, key->len);

        item = json_pack("{s:s, s:s, s:s, s:b}", "kid", key->kid,
                         "use", cam_keys_uses[key->use], "k", text,
                         "sign", key->sign);

        if (json_array_append_new(list, item) != 0) {
            json_decref(list);
            list = NULL;
            break;
        }
    }

    OPENSSL_cleanse(text, sizeof(text));

    return list ? json_pack("{s:o}", "keys", list) : NULL;
}
