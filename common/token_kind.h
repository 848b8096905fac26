/*
 * Copyright (C) The nginx camera platform authors
 */

/* What issuing and judging of tokens share; private to token*.c. */

#ifndef CAM_TOKEN_KIND_H
#define CAM_TOKEN_KIND_H

#include "token.h"

#define CAM_TOKEN_JTI_TEXT  22


typedef struct {
    const char  *name;        /* the claim "typ" */
    int64_t      ttl_max;     /* s */
} cam_token_kind_t;


/* by the use of the key that signs it */
extern const cam_token_kind_t  cam_token_kinds[CAM_KEY_TOKENS];


/* not empty and not longer than its kind may live */
int cam_token_lifetime_ok(const cam_token_t *token);


#endif /* CAM_TOKEN_KIND_H */
