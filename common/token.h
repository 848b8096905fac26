/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The tokens people and cameras hold.
 *
 * JWT, HS256 only: issued by libjwt, judged here, with a length cap before
 * anything is parsed, the key chosen by kid from our own, the kind in the
 * claim "typ", integer "iat" and "exp".
 *
 *   typ sk+jwt  publish:  sub = camera id, gen = key generation, jti, iat, exp
 *   typ pb+jwt  playback: sub = camera id, pur = purpose, ten = tenant id,
 *                         ep = play epoch, jti, iat, exp, and, for what was
 *                         recorded, fr and to: Unix ms, the range it is for;
 *                         where it was given to somebody, usr = user id and
 *                         sid = session or API token
 *   typ at+jwt  access:   sub = user id, ten = tenant id, sid = session id,
 *                         rol = role, jti, iat, exp
 *
 * Two credentials are random strings in base64url, of which only the SHA-256
 * is stored: the second shape of a publish credential, 128 bits, and what
 * renews a session, 256 bits.
 */

#ifndef CAM_TOKEN_H
#define CAM_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "keys.h"
#include "role.h"
#include "uuid.h"

#define CAM_TOKEN_MAX           2048   /* longer is refused unread */
#define CAM_TOKEN_OPAQUE_LEN    22
#define CAM_TOKEN_REFRESH_LEN   43
#define CAM_TOKEN_LEEWAY_SEC    60     /* iat may be that far ahead */

/* the life of a token, usual and longest */
#define CAM_TOKEN_STREAM_TTL        (30 * 86400)
#define CAM_TOKEN_STREAM_TTL_MAX    (366 * 86400)
#define CAM_TOKEN_PLAYBACK_TTL      900
#define CAM_TOKEN_PLAYBACK_TTL_MAX  (12 * 3600)
#define CAM_TOKEN_ACCESS_TTL        900
#define CAM_TOKEN_ACCESS_TTL_MAX    3600

#define CAM_PURPOSE_LIVE        1
#define CAM_PURPOSE_RECORDINGS  2


typedef enum {
    CAM_TOKEN_OK = 0,
    CAM_TOKEN_MALFORMED,
    CAM_TOKEN_UNKNOWN_KEY,
    CAM_TOKEN_BAD_SIGNATURE,
    CAM_TOKEN_WRONG_TYPE,
    CAM_TOKEN_EXPIRED,
    CAM_TOKEN_NOT_YET
} cam_token_rc_e;


typedef struct {
    int          use;                   /* CAM_KEY_STREAM and so on */
    uint8_t      camera[CAM_UUID_LEN];  /* stream and playback */
    uint8_t      user[CAM_UUID_LEN];    /* access; playback: zero for none */
    uint8_t      tenant[CAM_UUID_LEN];  /* playback and access */
    uint8_t      sid[CAM_UUID_LEN];     /* access: the session; playback: the
                                           same, or an API token, or zero */
    cam_role_e   role;                  /* access */
    uint32_t     generation;            /* stream */
    uint32_t     epoch;                 /* playback */
    uint32_t     purpose;               /* playback */
    int64_t      from_msec;             /* playback; 0: none */
    int64_t      to_msec;
    uint8_t      jti[16];
    int64_t      issued;                /* Unix s */
    int64_t      expires;
} cam_token_t;


/*
 * Fills jti with random bytes when it is all zero.  Answers the length
 * written to text (NUL-terminated), or -1: no key, a life that is empty or
 * too long, text too small.
 */
int cam_token_sign(const cam_keys_t *keys, cam_token_t *token, char *text,
    size_t cap);

/* use is the kind expected; token is whole only on CAM_TOKEN_OK, but on
   _EXPIRED its subject is set too, for diagnosis */
cam_token_rc_e cam_token_verify(const cam_keys_t *keys, int use,
    const char *text, size_t len, int64_t now, cam_token_t *token);

/* random characters and a NUL; 0/-1 */
int cam_token_opaque(char text[CAM_TOKEN_OPAQUE_LEN + 1]);
int cam_token_refresh(char text[CAM_TOKEN_REFRESH_LEN + 1]);
/* what is stored of them */
void cam_token_sha256(uint8_t hash[32], const char *text, size_t len);

/* for logs: "expired" */
const char *cam_token_rc_name(cam_token_rc_e rc);


#endif /* CAM_TOKEN_H */
