/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What an identity provider says of somebody who logged in there: an ID token
 * of OpenID Connect.  Nothing in it is believed before its signature was found
 * to be that of one of the provider's keys, and nothing unless it is for us, of
 * now, and an answer to what we asked.
 *
 * Its times are of another clock than ours: CAM_TOKEN_LEEWAY_SEC holds for each
 * of them, also for the end, since such a token is good for one login alone.
 */

#ifndef CAM_ID_TOKEN_H
#define CAM_ID_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "jwks.h"
#include "token.h"

#define CAM_ID_TOKEN_MAX         16384   /* longer is refused unread */
#define CAM_ID_TOKEN_TEXT        255     /* bytes of issuer and subject */
#define CAM_ID_TOKEN_EMAIL       254
#define CAM_ID_TOKEN_NAME        100     /* characters */
#define CAM_ID_TOKEN_AGE_SEC     600     /* since it was issued, at most */

/* stands in the issuer of providers that have one for each of their own
   tenants; the claim tid, a UUID, says which */
#define CAM_ID_TOKEN_TENANT      "{tenantid}"


/* who may be believed that an address is somebody's */

typedef enum {
    CAM_ID_TOKEN_PLAIN = 0,       /* email_verified */
    CAM_ID_TOKEN_GOOGLE,          /* the same, for gmail.com and domains that
                                     are managed there */
    CAM_ID_TOKEN_MICROSOFT        /* xms_edov, or email_verified */
} cam_id_token_flavor_e;


typedef enum {
    CAM_ID_TOKEN_OK = 0,
    CAM_ID_TOKEN_MALFORMED,
    CAM_ID_TOKEN_ALGORITHM,
    CAM_ID_TOKEN_UNKNOWN_KEY,     /* the provider may have new ones */
    CAM_ID_TOKEN_SIGNATURE,
    CAM_ID_TOKEN_ISSUER,
    CAM_ID_TOKEN_AUDIENCE,
    CAM_ID_TOKEN_NONCE,
    CAM_ID_TOKEN_EXPIRED,
    CAM_ID_TOKEN_NOT_YET,
    CAM_ID_TOKEN_SUBJECT
} cam_id_token_rc_e;


typedef struct {
    const char             *issuer;
    const char             *audience;    /* our client id there */
    const char             *nonce;
    cam_id_token_flavor_e   flavor;
    int64_t                 now;         /* Unix s */
} cam_id_token_wanted_t;


typedef struct {
    char                    issuer[CAM_ID_TOKEN_TEXT + 1];
    char                    subject[CAM_ID_TOKEN_TEXT + 1];
    char                    email[CAM_ID_TOKEN_EMAIL + 1];  /* empty: none, or
                                                               not verified */
    char                    name[4 * CAM_ID_TOKEN_NAME + 1];
} cam_id_token_t;


/* token is whole only on CAM_ID_TOKEN_OK */
cam_id_token_rc_e cam_id_token_verify(cam_id_token_t *token,
    const cam_jwks_t *jwks, const cam_id_token_wanted_t *wanted,
    const char *text, size_t len);

/* for logs: "has an unknown key" */
const char *cam_id_token_rc_text(cam_id_token_rc_e rc);


#endif /* CAM_ID_TOKEN_H */
