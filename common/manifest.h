/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What was signed to be shown to others: the manifest of an exported file, an
 * anchor of the audit log.  A JSON object says what it is, and proves it by
 * "signature", an HMAC-SHA256 in base64url with the key of use "export" that
 * "kid" names.  Signed are words that say of which kind it is and all the rest
 * of the object, compact and with its names in order, so that a reader may
 * format it as it likes.  It has no numbers but integers, for which there is
 * one way to write them.
 */

#ifndef CAM_MANIFEST_H
#define CAM_MANIFEST_H

#include <jansson.h>

#include "keys.h"

#define CAM_MANIFEST_EXPORT  "camera-export 1\n"
#define CAM_MANIFEST_ANCHOR  "camera-audit-anchor 1\n"

#define CAM_MANIFEST_MAX  (8 * 1024 * 1024)     /* bytes of its file */


typedef enum {
    CAM_MANIFEST_OK = 0,
    CAM_MANIFEST_MALFORMED,      /* not of this form */
    CAM_MANIFEST_UNKNOWN_KEY,    /* no key of this name and use */
    CAM_MANIFEST_BAD_SIGNATURE
} cam_manifest_rc_e;


/* adds "kid" and "signature"; 0, or -1: no key of use "export", no memory */
int cam_manifest_sign(json_t *manifest, const char *words,
    const cam_keys_t *keys);

cam_manifest_rc_e cam_manifest_verify(json_t *manifest, const char *words,
    const cam_keys_t *keys);


#endif /* CAM_MANIFEST_H */
