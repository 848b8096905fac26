/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Passwords of people: what one may be, and its bcrypt hash of cost 12.
 *
 * A hash costs a quarter of a second on purpose: it belongs into a thread or
 * a process of its own, never into nginx's event loop.  Everything here may
 * run in many threads at once, and leaves no copy of a password behind.
 */

#ifndef CAM_PASSWORD_H
#define CAM_PASSWORD_H

#include <stddef.h>

#define CAM_PASSWORD_MIN        8
#define CAM_PASSWORD_MAX        72    /* bcrypt does not see what follows */
#define CAM_PASSWORD_HASH_LEN   60
#define CAM_PASSWORD_GENERATED  23


/* NULL, or what is wrong with it, to be put behind "the password" */
const char *cam_password_check(const char *password, size_t len,
    const char *username, size_t username_len);

/* the hash and a NUL; 0, or -1 with errno: EINVAL for a length that no
   password has and for a NUL inside */
int cam_password_hash(char hash[CAM_PASSWORD_HASH_LEN + 1],
    const char *password, size_t len);

/*
 * 0 when it is the right one, -1 when not.  Without a hash, or with one that
 * is none of ours, it takes the same time and answers -1: so that nobody
 * learns from a clock which users there are.
 */
int cam_password_verify(const char *hash, size_t hash_len,
    const char *password, size_t len);

/* a well-formed hash of a password that nobody knows */
const char *cam_password_dummy(void);

/* a new one that passes the check, 99 random bits in letters that are not
   mistaken for others, and a NUL; 0/-1 */
int cam_password_generate(char text[CAM_PASSWORD_GENERATED + 1],
    const char *username, size_t username_len);


#endif /* CAM_PASSWORD_H */
