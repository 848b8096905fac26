/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * E-mail addresses: what the database takes for one, and no more.  Whether
 * anybody reads what is sent there, only a letter would tell.
 */

#ifndef CAM_EMAIL_H
#define CAM_EMAIL_H

#include <stddef.h>

#define CAM_EMAIL_MAX  254


/* NULL, or what is wrong with it; as a cam_field_t has its check */
const char *cam_email_check(const char *text, size_t len);

/* what follows the at sign of an address that is one */
const char *cam_email_domain(const char *text, size_t len, size_t *domain_len);


#endif /* CAM_EMAIL_H */
