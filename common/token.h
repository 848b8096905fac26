/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The tokens people and cameras hold.
 *
 * JWT, HS256 only, through libjwt behind checks that libjwt leaves to us: a
 * length cap before it is parsed, the key chosen by kid from our own, the kind
 * in the claim "typ", integer "iat" and "exp".
 *
 *   typ sk+jwt  publish:  sub = camera id, gen = key generation, jti, iat, exp
 *   typ pb+jwt  playback: sub = camera id, pur = purpose, ten = tenant id,
 *                         ep = play epoch, jti, iat, exp
 *
 * The second shape of a publish credential is an opaque string of 128 random
 * bits, 22 characters of base64url; only its SHA-256 is stored.
 */

#ifndef CAM_TOKEN_H
#define CAM_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "keys.h"
#include "uuid.h"

#define CAM_TOKEN_MAX           2048   /* longer is refused unread */
#define CAM_TOKEN_OPAQUE_LEN    22
#define CAM_TOKEN_LEEWAY_SEC    60     /* iat may be that far ahead */

/* the life of a token, usual and longest */
#define CAM_TOKEN_STREAM_TTL        (30 * 86400)
#define CAM_TOKEN_STREAM_TTL_MAX    (366 * 86400)
#define CAM_TOKEN_PLAYBACK_TTL      900
#define CAM_TOKEN_PLAYBACK_TTL_MAX  (12 * 3600)

#define CAM_PURPOSE_LIVE        1


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
    int        use;                     /* CAM_KEY_STREAM or _PLAYBACK */
    uint8_t    camera[CAM_UUID_LEN];
    uint8_t    tenant[CAM_UUID_LEN];    /* playback only */
    uint32_t   generation;              /* stream only */
    uint32_t   epoch;                   /* playback only */
    uint32_t   purpose;                 /* playback only */
    uint8_t    jti[16];
    int64_t    issued;                  /* Unix s */
    int64_t    expires;
} cam_token_t;


/*
 * Fills jti with random bytes when it is all zero.  Answers the length
 * written to text (NUL-terminated), or -1: no key, a life that is empty or
 * too long, text too small.
 */
int cam_token_sign(const cam_keys_t *keys, cam_token_t *token, char *text,
    size_t cap);

/* use is the kind expected; token is whole only on CAM_TOKEN_OK, but on
   _EXPIRED its camera is set too, for diagnosis */
cam_token_rc_e cam_token_verify(const cam_keys_t *keys, int use,
    const char *text, size_t len, int64_t now, cam_token_t *token);

/* 22 characters and a NUL; 0/-1 */
int cam_token_opaque(char text[CAM_TOKEN_OPAQUE_LEN + 1]);
void cam_token_sha256(uint8_t hash[32], const char *text, size_t len);

const char *cam_token_rc_name(cam_token_rc_e rc);


#endif /* CAM_TOKEN_H */
