/*
 * Copyright (C) The nginx camera platform authors
 */

/* UTF-8 as RFC 3629 has it: no surrogates, no overlong forms. */

#ifndef CAM_UTF8_H
#define CAM_UTF8_H

#include <stddef.h>
#include <sys/types.h>


/* the number of characters, or -1: it is no UTF-8 */
ssize_t cam_utf8_length(const char *text, size_t len);

/* the most bytes, at most max, that end with a whole character */
size_t cam_utf8_cut(const char *text, size_t len, size_t max);

/* 1 when it holds a control character: C0, DEL or C1 */
int cam_utf8_has_control(const char *text, size_t len);


#endif /* CAM_UTF8_H */
