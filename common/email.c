/*
 * Copyright (C) The nginx camera platform authors
 */

#include <string.h>

#include "email.h"


const char *
cam_email_check(const char *text, size_t len)
{
    size_t       i;
    const char  *at;

    at = memchr(text, '@', len);

    if (at == NULL || at == text || at == text + len - 1
        || memchr(at + 1, '@', text + len - at - 1))
    {
        return "must be an e-mail address";
    }

    if (len > CAM_EMAIL_MAX) {
        return "must not be longer than 254 bytes";
    }

    /* spaces of other alphabets are left to the database */

    for (i = 0; i < len; i++) {
        if ((unsigned char) text[i] <= 0x20 || text[i] == 0x7f) {
            return "must not contain spaces";
        }
    }

    return NULL;
}


const char *
cam_email_domain(const char *text, size_t len, size_t *domain_len)
{
    const char  *at;

    at = memchr(text, '@', len);

    *domain_len = at ? (size_t) (text + len - at - 1) : 0;

    return at ? at + 1 : text + len;
}
