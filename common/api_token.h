/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The text of an API token, which a program keeps for months:
 *
 *     cam_ + 43 random characters of base62 + 6 characters of CRC-32
 *
 * The characters are 256 bits and what makes it a secret.  The prefix lets
 * scanners of source code and logs know it for one, and the sum, over all
 * before it, lets them and us tell a real one from a typo without asking.  Only
 * its SHA-256 is stored, see cam_token_sha256().
 */

#ifndef CAM_API_TOKEN_H
#define CAM_API_TOKEN_H

#include <stddef.h>

#define CAM_API_TOKEN_PREFIX  "cam_"
#define CAM_API_TOKEN_LEN     53
#define CAM_API_TOKEN_SHOWN   8      /* of it, to know it again by */


/* a new one and its NUL; 0/-1 */
int cam_api_token_make(char text[CAM_API_TOKEN_LEN + 1]);

/* 1 when it means to be one, by its prefix */
int cam_api_token_is(const char *text, size_t len);

/* 0, or -1: no API token was ever written like that */
int cam_api_token_check(const char *text, size_t len);


#endif /* CAM_API_TOKEN_H */
