/*
 * Copyright (C) The nginx camera platform authors
 */

/* What all signatures inside URIs share (see url_seal.h). */

#include <openssl/crypto.h>

#include "base64url.h"
#include "url_seal.h"


static void cam_url_seal_mac(const cam_mac_t *mac, char kind,
    const uint8_t camera[CAM_UUID_LEN], const uint8_t *body, size_t len,
    uint8_t out[CAM_MAC_LEN]);


int
cam_url_seal_key(const cam_keys_t *keys, uint8_t index)
{
    unsigned  i;

    for (i = 0; i < keys->n; i++) {
        if (keys->keys[i].index == index
            && keys->keys[i].use == CAM_KEY_PLAYBACK)
        {
            return 1;
        }
    }

    return 0;
}


uint8_t *
cam_url_seal_put(uint8_t *body, uint8_t version, uint8_t extra,
    const cam_url_session_t *s)
{
    uint8_t  *p;

    p = body;
    p = cam_url_put(p, version, 1);
    p = cam_url_put(p, s->key, 1);
    p = cam_url_put(p, s->purpose, 1);
    p = cam_url_put(p, extra, 1);
    memcpy(p, s->sid, sizeof(s->sid));
    p += sizeof(s->sid);
    p = cam_url_put(p, s->slot, 4);
    p = cam_url_put(p, s->epoch, 4);
    p = cam_url_put(p, s->started, 6);

    return cam_url_put(p, s->ends, 6);
}


const uint8_t *
cam_url_seal_get(const uint8_t *body, cam_url_session_t *s)
{
    const uint8_t  *p;

    s->key = body[1];
    s->purpose = body[2];
    memcpy(s->sid, body + CAM_URL_SEAL_EXTRA + 1, sizeof(s->sid));

    p = body + CAM_URL_SEAL_EXTRA + 1 + sizeof(s->sid);
    s->slot = cam_url_get(&p, 4);
    s->epoch = cam_url_get(&p, 4);
    s->started = cam_url_get(&p, 6);
    s->ends = cam_url_get(&p, 6);

    return p;
}


void
cam_url_seal(const cam_mac_t *macs, char kind,
    const uint8_t camera[CAM_UUID_LEN], uint8_t *body, size_t len, char *text)
{
    char    whole[cam_base64url_encoded_len(CAM_URL_SEAL_MAX) + 1];
    size_t  n;

    cam_url_seal_mac(&macs[body[1]], kind, camera, body, len, body + len);

    n = cam_base64url_encode(whole, body, len + CAM_MAC_LEN);
    memcpy(text, whole, n);
}


int
cam_url_unseal(const cam_keys_t *keys, const cam_mac_t *macs, char kind,
    const uint8_t camera[CAM_UUID_LEN], const char *text, size_t text_len,
    uint8_t *body, size_t len)
{
    uint8_t  mac[CAM_MAC_LEN];

    if (text_len != cam_base64url_encoded_len(len + CAM_MAC_LEN)
        || cam_base64url_decode(body, len + CAM_MAC_LEN, text, text_len)
           != (ssize_t) (len + CAM_MAC_LEN)
        || !cam_url_seal_key(keys, body[1]))
    {
        return -1;
    }

    cam_url_seal_mac(&macs[body[1]], kind, camera, body, len, mac);

    return CRYPTO_memcmp(mac, body + len, sizeof(mac)) == 0 ? 0 : -1;
}


static void
cam_url_seal_mac(const cam_mac_t *mac, char kind,
    const uint8_t camera[CAM_UUID_LEN], const uint8_t *body, size_t len,
    uint8_t out[CAM_MAC_LEN])
{
    uint8_t  data[1 + CAM_UUID_LEN + CAM_URL_SEAL_MAX];

    data[0] = kind;
    memcpy(data + 1, camera, CAM_UUID_LEN);
    memcpy(data + 1 + CAM_UUID_LEN, body, len);

    cam_mac(mac, data, 1 + CAM_UUID_LEN + len, out);
}


uint8_t *
cam_url_seal_put_viewer(uint8_t *p, const uint8_t camera[CAM_UUID_LEN],
    const cam_url_session_t *s)
{
    p = cam_url_put(p, s->purpose, 1);
    memcpy(p, camera, CAM_UUID_LEN);
    p += CAM_UUID_LEN;
    memcpy(p, s->sid, sizeof(s->sid));
    p += sizeof(s->sid);

    return cam_url_put(p, s->slot, 4);
}


void
cam_url_seal_print(const cam_mac_t *mac, const uint8_t *data, size_t len,
    char text[CAM_URL_MAC_TEXT])
{
    char     whole[CAM_URL_MAC_TEXT + 1];
    uint8_t  out[CAM_MAC_LEN];

    cam_mac(mac, data, len, out);

    (void) cam_base64url_encode(whole, out, sizeof(out));
    memcpy(text, whole, CAM_URL_MAC_TEXT);
}


int
cam_url_seal_compare(const char right[CAM_URL_MAC_TEXT], const char *text,
    size_t len)
{
    return len == CAM_URL_MAC_TEXT
           && CRYPTO_memcmp(right, text, len) == 0 ? 0 : -1;
}
