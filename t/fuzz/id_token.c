/*
 * Copyright (C) The nginx camera platform authors
 */

/* Documents of keys, and ID tokens up to their signature, as strangers may send
   them. */

#include <stdint.h>
#include <string.h>

#include "id_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cam_jwks_t             jwks;
    const uint8_t         *end;
    cam_id_token_t         token;
    cam_id_token_wanted_t  wanted = {
        "https://id.example/{tenantid}/v2.0", "client", "nonce",
        CAM_ID_TOKEN_MICROSOFT, 1700000000
    };

    /* a document of keys, a NUL, a token */

    end = memchr(data, '\0', size);
    end = end ? end : data + size;

    if (cam_jwks_parse(&jwks, (const char *) data, (size_t) (end - data))
        != 0)
    {
        memset(&jwks, 0, sizeof(jwks));
    }

    if (end < data + size) {
        (void) cam_id_token_verify(&token, &jwks, &wanted,
                                   (const char *) end + 1,
                                   (size_t) (data + size - end - 1));
    }

    cam_jwks_free(&jwks);

    return 0;
}
