/*
 * Copyright (C) The nginx camera platform authors
 */

#ifndef CAM_RFC3339_H
#define CAM_RFC3339_H

#include <stddef.h>
#include <stdint.h>


/* "2026-01-01T00:00:00.000Z", with any number of decimals up to nine or none,
   Z or an offset, years 1 to 9999; 0 and Unix milliseconds, or -1 */
int cam_rfc3339_parse(const char *text, size_t len, int64_t *msec);


#endif /* CAM_RFC3339_H */
