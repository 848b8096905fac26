/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * HMAC-SHA256 (RFC 2104) truncated to 16 bytes, with the key's inner and outer
 * pads hashed once: 0.2 us for a message of up to 55 bytes instead of 1.9.
 */

#ifndef CAM_MAC_H
#define CAM_MAC_H

#include <openssl/sha.h>
#include <stddef.h>
#include <stdint.h>

#define CAM_MAC_LEN  16


/* as secret as its key: wiped by whoever keeps it */
typedef struct {
    SHA256_CTX   inner;
    SHA256_CTX   outer;
} cam_mac_t;


void cam_mac_init(cam_mac_t *mac, const uint8_t *key, size_t len);
void cam_mac(const cam_mac_t *mac, const void *data, size_t len,
    uint8_t out[CAM_MAC_LEN]);


#endif /* CAM_MAC_H */
