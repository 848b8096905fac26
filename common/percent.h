/*
 * Copyright (C) The nginx camera platform authors
 */

#ifndef CAM_PERCENT_H
#define CAM_PERCENT_H

#include <stddef.h>
#include <sys/types.h>


/*
 * Decodes %xx and, in a form, + for a blank; writes a NUL behind, so text has
 * room for len + 1 bytes.  The length, or -1: a percent sign without two
 * digits, a NUL, or no UTF-8.
 */
ssize_t cam_percent_decode(char *text, const char *from, size_t len, int form);

/* writes at most 3 * len characters that need no encoding anywhere in a URL;
   answers the end */
char *cam_percent_encode(char *p, const char *text, size_t len);


#endif /* CAM_PERCENT_H */
