/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Signatures inside playback URLs (see url_sign.h).
 *
 * What is signed is laid out in binary, big-endian, with a first byte that
 * tells the kinds apart, and is at most 55 bytes long, which is what costs the
 * least (see mac.c).
 *
 *   session  'S' camera[16] session[32]
 *   media    'M' file purpose camera[16] sid[8] slot[4] number[8] expires[8]
 *   back     'B' purpose camera[16] sid[8] slot[4] from[6] last[6] seam[6]
 *            count[4] start[2] target
 *
 * A part has its segment's signature: it is a range of the same file.
 * The 32 bytes of a session, which with its MAC make the 64 characters of the
 * "s" argument:
 *
 *   version=1 key purpose 0 sid[8] slot[4] epoch[4] started[6] ends[6]
 */

#include "url_seal.h"


#define CAM_URL_VERSION     1
#define CAM_URL_BODY_LEN    (CAM_URL_SESSION_LEN - CAM_MAC_LEN)
#define CAM_URL_SIGNED_MAX  64


void
cam_url_session_sign(const cam_mac_t *macs,
    const uint8_t camera[CAM_UUID_LEN], const cam_url_session_t *s,
    char text[CAM_URL_SESSION_TEXT])
{
    uint8_t  body[CAM_URL_SESSION_LEN];

    (void) cam_url_seal_put(body, CAM_URL_VERSION, 0, s);

    cam_url_seal(macs, 'S', camera, body, CAM_URL_BODY_LEN, text);
}


int
cam_url_session_verify(const cam_keys_t *keys, const cam_mac_t *macs,
    const uint8_t camera[CAM_UUID_LEN], const char *text, size_t len,
    cam_url_session_t *s)
{
    uint8_t  body[CAM_URL_SESSION_LEN];

    if (cam_url_unseal(keys, macs, 'S', camera, text, len, body,
                       CAM_URL_BODY_LEN) == -1
        || body[0] != CAM_URL_VERSION || body[CAM_URL_SEAL_EXTRA] != 0)
    {
        return -1;
    }

    (void) cam_url_seal_get(body, s);

    return 0;
}


void
cam_url_media_sign(const cam_mac_t *mac, const uint8_t camera[CAM_UUID_LEN],
    const cam_url_session_t *s, const cam_url_media_t *media,
    char text[CAM_URL_MAC_TEXT])
{
    uint8_t  *p, data[CAM_URL_SIGNED_MAX];

    p = data;
    *p++ = 'M';
    *p++ = media->kind == CAM_URL_INIT ? CAM_URL_INIT : CAM_URL_SEGMENT;
    p = cam_url_seal_put_viewer(p, camera, s);
    p = cam_url_put(p, media->number, 8);
    p = cam_url_put(p, media->expires, 8);

    cam_url_seal_print(mac, data, p - data, text);
}


int
cam_url_media_verify(const cam_mac_t *mac, const uint8_t camera[CAM_UUID_LEN],
    const cam_url_session_t *s, const cam_url_media_t *media,
    const char *text, size_t len)
{
    char  right[CAM_URL_MAC_TEXT];

    cam_url_media_sign(mac, camera, s, media, right);

    return cam_url_seal_compare(right, text, len);
}


void
cam_url_back_sign(const cam_mac_t *mac, const uint8_t camera[CAM_UUID_LEN],
    const cam_url_session_t *s, const cam_url_back_t *back,
    char text[CAM_URL_MAC_TEXT])
{
    uint8_t  *p, data[CAM_URL_SIGNED_MAX];

    p = data;
    *p++ = 'B';
    p = cam_url_seal_put_viewer(p, camera, s);
    p = cam_url_put(p, back->from_msec, 6);
    p = cam_url_put(p, back->last, 6);
    p = cam_url_put(p, back->seam, 6);
    p = cam_url_put(p, back->count, 4);
    p = cam_url_put(p, back->start_msec, 2);
    p = cam_url_put(p, back->target_sec, 1);

    cam_url_seal_print(mac, data, p - data, text);
}


int
cam_url_back_verify(const cam_mac_t *mac, const uint8_t camera[CAM_UUID_LEN],
    const cam_url_session_t *s, const cam_url_back_t *back,
    const char *text, size_t len)
{
    char  right[CAM_URL_MAC_TEXT];

    cam_url_back_sign(mac, camera, s, back, right);

    return cam_url_seal_compare(right, text, len);
}
