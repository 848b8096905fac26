/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Public keys of an identity provider (RFC 7517), and signatures by them: RS256
 * with keys of 2048 to 8192 bits, ES256 on P-256.  Which of the two a key is
 * good for, the key says; a token's header only chooses among keys.
 */

#ifndef CAM_JWKS_H
#define CAM_JWKS_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#define CAM_JWKS_MAX      16
#define CAM_JWKS_KID_MAX  128
#define CAM_JWKS_BYTES    65536      /* of the document */
#define CAM_JWKS_SIG_MAX  1024       /* bytes of a signature */


typedef enum {
    CAM_JWK_RS256 = 0,
    CAM_JWK_ES256
} cam_jwk_alg_e;


typedef struct {
    char            kid[CAM_JWKS_KID_MAX + 1];   /* empty: none */
    cam_jwk_alg_e   alg;
    EVP_PKEY       *key;
} cam_jwk_t;


typedef struct {
    unsigned        n;
    cam_jwk_t       keys[CAM_JWKS_MAX];
} cam_jwks_t;


/* keys of other kinds are passed over; 0, or -1: no document of keys, or none
   that could be used, and nothing to be freed */
int cam_jwks_parse(cam_jwks_t *jwks, const char *text, size_t len);

void cam_jwks_free(cam_jwks_t *jwks);

/* the key of that name, or without a name the only one of its kind; NULL:
   there is none */
const cam_jwk_t *cam_jwks_find(const cam_jwks_t *jwks, cam_jwk_alg_e alg,
    const char *kid, size_t len);

/* 0: sig is this key's signature of the text; -1: it is not */
int cam_jwk_verify(const cam_jwk_t *jwk, const char *text, size_t len,
    const uint8_t *sig, size_t sig_len);


#endif /* CAM_JWKS_H */
