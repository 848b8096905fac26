/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Signatures inside playback URLs: MACs (mac.h) over a fixed binary layout.
 *
 * A session is created by a start token and carried in the "s" argument of
 * every URI of its playlists.  A media URI also has "e", its expiry, and "m",
 * a MAC over (session, camera, file, e): a function of the session and the
 * file alone, so that a piece has the same URI on every reload (RFC 8216
 * section 6.2.1).  Parts are ranges of their segment's file and share its MAC.
 */

#ifndef CAM_URL_SIGN_H
#define CAM_URL_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "keys.h"
#include "mac.h"
#include "uuid.h"

#define CAM_URL_MAC_TEXT       22
#define CAM_URL_SESSION_LEN    48   /* bytes, before base64url */
#define CAM_URL_SESSION_TEXT   64
#define CAM_URL_SESSION_TTL    (12 * 3600)


typedef struct {
    uint8_t      sid[8];
    uint32_t     slot;        /* of the session zone */
    uint8_t      key;         /* cam_key_t.index */
    uint8_t      purpose;
    uint32_t     epoch;       /* play_epoch it was started under */
    int64_t      started;     /* Unix s */
    int64_t      ends;        /* Unix s, absolute */
} cam_url_session_t;


/* what a media URI names */
typedef struct {
    uint8_t      kind;        /* CAM_URL_INIT, _SEGMENT, _PART */
    uint64_t     number;      /* init version or media sequence number */
    uint32_t     part;        /* with CAM_URL_PART */
    int64_t      expires;     /* Unix s */
} cam_url_media_t;

#define CAM_URL_INIT           1
#define CAM_URL_SEGMENT        2
#define CAM_URL_PART           3


/* what a list that reaches back has, the same in each reload of a session */
typedef struct {
    int64_t      from_msec;   /* recordings from then on */
    uint64_t     last;        /* number of the last recorded segment */
    uint64_t     seam;        /* of the first live one */
    uint32_t     count;       /* of recorded ones */
    uint16_t     start_msec;  /* where in the list playing begins */
    uint8_t      target_sec;
} cam_url_back_t;


/* macs is indexed by cam_key_t.index and covers all playback keys */
void cam_url_session_sign(const cam_mac_t *macs,
    const uint8_t camera[CAM_UUID_LEN], const cam_url_session_t *s,
    char text[CAM_URL_SESSION_TEXT]);
/* 0, or -1 when malformed, unknown key or wrong MAC; expiry is not checked */
int cam_url_session_verify(const cam_keys_t *keys, const cam_mac_t *macs,
    const uint8_t camera[CAM_UUID_LEN], const char *text, size_t len,
    cam_url_session_t *s);

/* of what a list of the session names, by the MAC of the session's key; texts
   have no NUL; 0, or -1: it is another one */
void cam_url_media_sign(const cam_mac_t *mac,
    const uint8_t camera[CAM_UUID_LEN], const cam_url_session_t *s,
    const cam_url_media_t *media, char text[CAM_URL_MAC_TEXT]);
int cam_url_media_verify(const cam_mac_t *mac,
    const uint8_t camera[CAM_UUID_LEN], const cam_url_session_t *s,
    const cam_url_media_t *media, const char *text, size_t len);

void cam_url_back_sign(const cam_mac_t *mac,
    const uint8_t camera[CAM_UUID_LEN], const cam_url_session_t *s,
    const cam_url_back_t *back, char text[CAM_URL_MAC_TEXT]);
int cam_url_back_verify(const cam_mac_t *mac,
    const uint8_t camera[CAM_UUID_LEN], const cam_url_session_t *s,
    const cam_url_back_t *back, const char *text, size_t len);


#endif /* CAM_URL_SIGN_H */
