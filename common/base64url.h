/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * base64url without padding (RFC 4648 section 5), the alphabet of tokens and
 * signed URLs.  Only the canonical form is read: no padding, no white space,
 * no length that cannot be, no bits set behind the last byte.
 */

#ifndef CAM_BASE64URL_H
#define CAM_BASE64URL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define cam_base64url_encoded_len(len)  (((len) * 4 + 2) / 3)
#define cam_base64url_decoded_len(len)  ((len) * 3 / 4)


/* writes cam_base64url_encoded_len(len) characters and a NUL; answers their
   number */
size_t cam_base64url_encode(char *text, const void *data, size_t len);

/* answers the number of bytes, or -1: not canonical, or more than cap */
ssize_t cam_base64url_decode(void *data, size_t cap, const char *text,
    size_t len);


#endif /* CAM_BASE64URL_H */
