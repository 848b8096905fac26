/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Fuzz target: the text of API tokens.  What is taken has its length, its
 * prefix and no other character of it changed.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api_token.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
must(int promise)
{
    if (!promise) {
        abort();
    }
}


/* a token with as much of the input over it as there is room for */

static void
spoilt(const uint8_t *data, size_t size)
{
    char    text[CAM_API_TOKEN_LEN + 1], good[CAM_API_TOKEN_LEN + 1];
    size_t  at, n;

    must(cam_api_token_make(good) == 0);
    must(cam_api_token_check(good, CAM_API_TOKEN_LEN) == 0);

    at = data[0] % CAM_API_TOKEN_LEN;
    n = CAM_API_TOKEN_LEN - at;
    n = size - 1 < n ? size - 1 : n;
    n = n < 3 ? n : 3;                  /* a CRC-32 knows up to 32 bits */

    memcpy(text, good, sizeof(text));
    memcpy(text + at, data + 1, n);

    must((cam_api_token_check(text, CAM_API_TOKEN_LEN) == 0)
         == (memcmp(text, good, CAM_API_TOKEN_LEN) == 0));
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char  *text;

    text = malloc(size + 1);
    memcpy(text, data, size);

    if (cam_api_token_check(text, size) == 0) {
        must(size == CAM_API_TOKEN_LEN && cam_api_token_is(text, size));
    }

    if (size > 1) {
        spoilt(data, size);
    }

    free(text);

    return 0;
}
