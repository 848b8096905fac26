/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Signatures inside URIs of what was recorded (see record_uri.h), by the keys
 * of use "playback" and the MAC of mac.h.  What is signed is laid out in
 * binary, big-endian, with a first byte that is no other kind's:
 *
 *   session   'R' camera[16] session[44]
 *   file      'F' purpose camera[16] sid[8] slot[4] start_msec[8]
 *   download  'D' kind key epoch[4] camera[16] what[16] expires[8] name
 *
 * The session's 44 bytes, which with its MAC make the 80 characters of "s":
 *
 *   version=2 key purpose target_sec sid[8] slot[4] epoch[4]
 *   started[6] ends[6] from_msec[6] to_msec[6]
 *
 * what is the id of an export, or eight zeros and a recording's start_msec.
 * "m" of a download is key[1] epoch[4] MAC[16].  The name is signed as it
 * stands in the URI.
 */

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base64url.h"
#include "percent.h"
#include "record_path.h"
#include "record_uri.h"
#include "url_seal.h"
#include "utf8.h"


#define CAM_RECORD_VERSION        2
#define CAM_RECORD_BODY_LEN       44
#define CAM_RECORD_SESSION_LEN    (CAM_RECORD_BODY_LEN + CAM_MAC_LEN)

#define CAM_RECORD_EPOCH_LEN      5       /* key and epoch */
#define CAM_RECORD_DOWNLOAD_LEN   (CAM_RECORD_EPOCH_LEN + CAM_MAC_LEN)
#define CAM_RECORD_SIGNED_MAX     (64 + 3 * CAM_RECORD_NAME_MAX)


static int cam_record_uri_path(char *uri, const cam_record_uri_t *what);
static void cam_record_download_mac(const cam_mac_t *mac,
    const cam_record_uri_t *what, const uint8_t *key_epoch, int64_t expires,
    const cam_play_text_t *name, uint8_t out[CAM_MAC_LEN]);


int
cam_record_uri_playlist(const cam_keys_t *keys, cam_token_t *token,
    char uri[CAM_RECORD_URI_MAX])
{
    int   n;
    char  camera[CAM_UUID_TEXT + 1];

    token->use = CAM_KEY_PLAYBACK;
    token->purpose = CAM_PURPOSE_RECORDINGS;

    n = sprintf(uri, "/recordings/%s/playlist.m3u8?from=%lld",
                cam_uuid_print(camera, token->camera),
                (long long) token->from_msec);

    if (token->to_msec) {
        n += sprintf(uri + n, "&to=%lld", (long long) token->to_msec);
    }

    n += sprintf(uri + n, "&token=");

    return cam_token_sign(keys, token, uri + n, CAM_RECORD_URI_MAX - n) == -1
           ? -1 : 0;
}


int
cam_record_uri_download(const cam_keys_t *keys, const cam_record_uri_t *what,
    uint32_t epoch, int64_t expires, const char *name, size_t len,
    char uri[CAM_RECORD_URI_MAX])
{
    int               n;
    char              text[CAM_RECORD_DOWNLOAD_MAC + 1];
    char              encoded[3 * CAM_RECORD_NAME_MAX];
    uint8_t           m[CAM_RECORD_DOWNLOAD_LEN];
    cam_mac_t         mac;
    const cam_key_t  *key;
    cam_play_text_t   as;

    n = cam_record_uri_path(uri, what);

    if (n < 0 || expires < 0 || len > CAM_RECORD_NAME_MAX
        || (len && cam_utf8_length(name, len) < 0))
    {
        errno = EINVAL;
        return -1;
    }

    key = cam_keys_signer(keys, CAM_KEY_PLAYBACK);

    if (key == NULL || key->len < CAM_KEY_MIN) {
        errno = ENOKEY;
        return -1;
    }

    as.data = encoded;
    as.len = len ? cam_percent_encode(encoded, name, len) - encoded : 0;

    cam_url_put(cam_url_put(m, key->index, 1), epoch, 4);
    cam_mac_init(&mac, key->secret, key->len);
    cam_record_download_mac(&mac, what, m, expires, &as,
                            m + CAM_RECORD_EPOCH_LEN);
    OPENSSL_cleanse(&mac, sizeof(mac));

    (void) cam_base64url_encode(text, m, sizeof(m));

    n += sprintf(uri + n, "?e=%lld&m=%s", (long long) expires, text);

    if (as.len) {
        sprintf(uri + n, "&d=%.*s", (int) as.len, as.data);
    }

    return 0;
}


/* its length, or -1: no such thing can be downloaded */

static int
cam_record_uri_path(char *uri, const cam_record_uri_t *what)
{
    char  path[CAM_RECORD_PATH_MAX];
    char  camera[CAM_UUID_TEXT + 1], id[CAM_UUID_TEXT + 1];

    switch (what->kind) {

    case CAM_RECORD_FILE:
        return sprintf(uri, "/recordings/%s",
                       cam_record_path(path, what->camera, what->start_msec,
                                       "mp4")
                       + sizeof("media/") - 1);

    case CAM_RECORD_EXPORT:
    case CAM_RECORD_MANIFEST:
        return sprintf(uri, "/exports/%s/%s.%s",
                       cam_uuid_print(camera, what->camera),
                       cam_uuid_print(id, what->id),
                       what->kind == CAM_RECORD_EXPORT ? "mp4" : "json");

    default:
        return -1;
    }
}


void
cam_record_session_sign(const cam_mac_t *macs,
    const uint8_t camera[CAM_UUID_LEN], const cam_record_session_t *s,
    char text[CAM_RECORD_SESSION_TEXT])
{
    uint8_t  *p, body[CAM_RECORD_SESSION_LEN];

    p = cam_url_seal_put(body, CAM_RECORD_VERSION, s->target_sec, &s->url);
    p = cam_url_put(p, s->from_msec, 6);
    p = cam_url_put(p, s->to_msec, 6);

    cam_url_seal(macs, 'R', camera, body, p - body, text);
}


int
cam_record_session_verify(const cam_keys_t *keys, const cam_mac_t *macs,
    const uint8_t camera[CAM_UUID_LEN], const cam_play_text_t *text,
    cam_record_session_t *s)
{
    uint8_t         body[CAM_RECORD_SESSION_LEN];
    const uint8_t  *p;

    if (cam_url_unseal(keys, macs, 'R', camera, text->data, text->len, body,
                       CAM_RECORD_BODY_LEN) == -1
        || body[0] != CAM_RECORD_VERSION)
    {
        return -1;
    }

    s->target_sec = body[CAM_URL_SEAL_EXTRA];

    p = cam_url_seal_get(body, &s->url);
    s->from_msec = cam_url_get(&p, 6);
    s->to_msec = cam_url_get(&p, 6);

    return 0;
}


void
cam_record_file_sign(const cam_mac_t *macs,
    const uint8_t camera[CAM_UUID_LEN], const cam_record_session_t *s,
    int64_t start_msec, char text[CAM_URL_MAC_TEXT])
{
    uint8_t  *p, data[64];

    p = data;
    *p++ = 'F';
    p = cam_url_seal_put_viewer(p, camera, &s->url);
    p = cam_url_put(p, start_msec, 8);

    cam_url_seal_print(&macs[s->url.key], data, p - data, text);
}


int
cam_record_file_verify(const cam_mac_t *macs,
    const uint8_t camera[CAM_UUID_LEN], const cam_record_session_t *s,
    int64_t start_msec, const cam_play_text_t *text)
{
    char  right[CAM_URL_MAC_TEXT];

    cam_record_file_sign(macs, camera, s, start_msec, right);

    return cam_url_seal_compare(right, text->data, text->len);
}


int
cam_record_download_verify(const cam_keys_t *keys, const cam_mac_t *macs,
    const cam_record_uri_t *what, const cam_record_args_t *args,
    uint32_t *epoch)
{
    uint8_t         m[CAM_RECORD_DOWNLOAD_LEN], mac[CAM_MAC_LEN];
    const uint8_t  *p;

    if (args->mac.len != CAM_RECORD_DOWNLOAD_MAC
        || args->name.len > 3 * CAM_RECORD_NAME_MAX
        || cam_base64url_decode(m, sizeof(m), args->mac.data, args->mac.len)
           != (ssize_t) sizeof(m)
        || !cam_url_seal_key(keys, m[0]))
    {
        return -1;
    }

    cam_record_download_mac(&macs[m[0]], what, m, args->expires, &args->name,
                            mac);

    if (CRYPTO_memcmp(mac, m + CAM_RECORD_EPOCH_LEN, sizeof(mac)) != 0) {
        return -1;
    }

    p = m + 1;
    *epoch = cam_url_get(&p, 4);

    return 0;
}


static void
cam_record_download_mac(const cam_mac_t *mac, const cam_record_uri_t *what,
    const uint8_t *key_epoch, int64_t expires, const cam_play_text_t *name,
    uint8_t out[CAM_MAC_LEN])
{
    uint8_t  *p, data[CAM_RECORD_SIGNED_MAX];

    p = data;
    *p++ = 'D';
    *p++ = what->kind;
    memcpy(p, key_epoch, CAM_RECORD_EPOCH_LEN);
    p += CAM_RECORD_EPOCH_LEN;
    memcpy(p, what->camera, CAM_UUID_LEN);
    p += CAM_UUID_LEN;

    if (what->kind == CAM_RECORD_FILE) {
        p = cam_url_put(p, 0, 8);
        p = cam_url_put(p, what->start_msec, 8);

    } else {
        memcpy(p, what->id, CAM_UUID_LEN);
        p += CAM_UUID_LEN;
    }

    p = cam_url_put(p, expires, 8);

    if (name->len) {
        memcpy(p, name->data, name->len);
        p += name->len;
    }

    cam_mac(mac, data, p - data, out);
}
