/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What all signatures inside URIs share: numbers big-endian, the fields of a
 * session, a MAC as text; private to url_sign.c and record_uri_sign.c.
 *
 * Sessions of all kinds begin alike, and end in their MAC, which covers a
 * letter that is the kind's own and the camera, too:
 *
 *   version key purpose extra sid[8] slot[4] epoch[4] started[6] ends[6] ...
 */

#ifndef CAM_URL_SEAL_H
#define CAM_URL_SEAL_H

#include <endian.h>
#include <string.h>

#include "keys.h"
#include "mac.h"
#include "url_sign.h"
#include "uuid.h"

#define CAM_URL_SEAL_MAX    64      /* bytes of a session, its MAC included */
#define CAM_URL_SEAL_EXTRA  3       /* the byte that is the kind's own */


static inline uint8_t *
cam_url_put(uint8_t *p, uint64_t value, unsigned bytes)
{
    value = htobe64(value << (64 - bytes * 8));
    memcpy(p, &value, bytes);

    return p + bytes;
}


static inline uint64_t
cam_url_get(const uint8_t **p, unsigned bytes)
{
    uint64_t  value;

    value = 0;

    while (bytes--) {
        value = value << 8 | *(*p)++;
    }

    return value;
}


/* 1 when macs has a playback key there, 0 otherwise */
int cam_url_seal_key(const cam_keys_t *keys, uint8_t index);

/* the beginning of a session's body; both answer where it goes on */
uint8_t *cam_url_seal_put(uint8_t *body, uint8_t version, uint8_t extra,
    const cam_url_session_t *s);
const uint8_t *cam_url_seal_get(const uint8_t *body, cam_url_session_t *s);

/* puts the MAC behind len bytes of a body, where there is room for it, and
   writes both as text, of a length that is a multiple of four, without a NUL */
void cam_url_seal(const cam_mac_t *macs, char kind,
    const uint8_t camera[CAM_UUID_LEN], uint8_t *body, size_t len, char *text);

/* the other way; -1: another length, malformed, unknown key or wrong MAC, and
   then nothing of the body may be believed */
int cam_url_unseal(const cam_keys_t *keys, const cam_mac_t *macs, char kind,
    const uint8_t camera[CAM_UUID_LEN], const char *text, size_t text_len,
    uint8_t *body, size_t len);


/* for whom a file is signed; answers where its data goes on */
uint8_t *cam_url_seal_put_viewer(uint8_t *p,
    const uint8_t camera[CAM_UUID_LEN], const cam_url_session_t *s);

void cam_url_seal_print(const cam_mac_t *mac, const uint8_t *data, size_t len,
    char text[CAM_URL_MAC_TEXT]);

/* texts are compared, so there is one spelling of each signature; 0 or -1 */
int cam_url_seal_compare(const char right[CAM_URL_MAC_TEXT], const char *text,
    size_t len);


#endif /* CAM_URL_SEAL_H */
