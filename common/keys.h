/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Signing keys by key id, read once from a JSON file:
 *
 *   { "keys": [ { "kid": "k1", "use": "stream", "k": "<base64url>",
 *                 "sign": true }, ... ] }
 *
 * "use" is "stream" (publish tokens), "playback" (start tokens and signed
 * URLs), "access" (the tokens of people who logged in), "export" (manifests of
 * exported video) or "recording" (which encrypts the keys of recordings); "k"
 * is at least 32 bytes.  Of each use exactly one key has "sign": true, the
 * others still verify: that is how keys are rotated.  A key of use "recording"
 * encrypts while it signs and decrypts for ever: without it what it encrypted
 * is lost, so none is ever retired.  A node without the API needs no key of use
 * "access", one without exports none of use "export", one whose cameras are all
 * recorded plain none of use "recording"; whoever does asks cam_keys_signer()
 * for it.  A file that others can read or its group can write, a short key or
 * one that is plainly not random, another missing use and one secret under two
 * names are refused: a missing secret never is an empty secret, and there is no
 * default.
 */

#ifndef CAM_KEYS_H
#define CAM_KEYS_H

#include <stddef.h>
#include <stdint.h>

#define CAM_KEY_STREAM     0
#define CAM_KEY_PLAYBACK   1
#define CAM_KEY_ACCESS     2
#define CAM_KEY_TOKENS     3    /* the uses before it sign tokens */
#define CAM_KEY_EXPORT     3
#define CAM_KEY_RECORDING  4
#define CAM_KEY_USES       5

#define CAM_KID_MAX        16   /* with its NUL, of these: */
#define CAM_KID_LETTERS    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"                      \
                           "abcdefghijklmnopqrstuvwxyz0123456789_-"
#define CAM_KEY_MIN        32
#define CAM_KEY_MAX        64
#define CAM_KEYS_MAX       16


typedef struct {
    char       kid[CAM_KID_MAX];
    uint8_t    use;
    uint8_t    sign;
    uint8_t    index;            /* position in the file: a short kid */
    uint8_t    len;              /* CAM_KEY_MIN .. CAM_KEY_MAX */
    uint8_t    secret[CAM_KEY_MAX];
} cam_key_t;


typedef struct {
    unsigned   n;
    cam_key_t  keys[CAM_KEYS_MAX];
} cam_keys_t;


/* "stream", "playback", "access", "export", "recording" */
extern const char  *cam_keys_uses[CAM_KEY_USES];


/* 0, or -1 and a sentence for the operator, without secrets, in err */
int cam_keys_load(cam_keys_t *keys, const char *path, char *err, size_t len);

/* makes a file with one new key of each use, mode 0600; 0, or -1 with errno
   (EEXIST: it is there already) */
int cam_keys_create(const char *path);

/*
 * Makes a new key that signs; the one that signed before verifies on.  The
 * new key comes last, or, with retire, takes the place of a key that only
 * verified, but for one of recordings, so that the index of every other key
 * stays.  0, or -1 with errno
 * (ENOSPC: no room).
 */
int cam_keys_renew(cam_keys_t *keys, int use, int retire);

/* writes the whole file under a temporary name and moves it into place, where
   it replaces another one only with replace; 0, or -1 with errno (EEXIST) */
int cam_keys_save(const cam_keys_t *keys, const char *path, int replace);

/* which signs for that use, NULL: none does; part of keys, as what _find()
   answers */
const cam_key_t *cam_keys_signer(const cam_keys_t *keys, int use);

/* NULL unless kid names a key of that use */
const cam_key_t *cam_keys_find(const cam_keys_t *keys, int use,
    const char *kid, size_t len);

/* those that sign, a bit for each by its index */
uint32_t cam_keys_signers(const cam_keys_t *keys);
void cam_keys_set_signers(cam_keys_t *keys, uint32_t signers);

/*
 * The same, but where who has the keys before, of which signers signed, does
 * not know a key: then the one that signed before, unless it is gone.
 */
uint32_t cam_keys_known_signers(const cam_keys_t *keys,
    const cam_keys_t *before, uint32_t signers);

void cam_keys_wipe(cam_keys_t *keys);


#endif /* CAM_KEYS_H */
