/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Fuzz target: cursors, times and percent encoding.  What is read is what was
 * written, and nothing else is.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cursor.h"
#include "json_write.h"
#include "percent.h"
#include "rfc3339.h"
#include "utf8.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const uint8_t  tenant[CAM_UUID_LEN] = { 1 };


static void
must(int promise)
{
    if (!promise) {
        abort();
    }
}


static void
cursor(const char *text, size_t len)
{
    char          again[CAM_CURSOR_TEXT + 1];
    cam_cursor_t  c;

    if (cam_cursor_parse(&c, text, len, tenant, "/list") == 0) {
        cam_cursor_print(again, &c, tenant, "/list");
        must(len == CAM_CURSOR_TEXT && memcmp(again, text, len) == 0);
    }

    if (len >= sizeof(c)) {
        memcpy(&c, text, sizeof(c));
        cam_cursor_print(again, &c, tenant, "/list");
        must(cam_cursor_parse(&c, again, CAM_CURSOR_TEXT, tenant, "/list")
             == 0);
        must(memcmp(c.id, text + offsetof(cam_cursor_t, id), CAM_UUID_LEN)
             == 0);
    }
}


static void
moment(const char *text, size_t len)
{
    char     again[CAM_JSON_TIME_MAX];
    size_t   n;
    int64_t  msec, back;

    if (cam_rfc3339_parse(text, len, &msec) != 0) {
        return;
    }

    /* an offset may lead out of the years that are written */

    n = (size_t) (cam_json_time(again, msec) - again);

    must(n == 4 || (cam_rfc3339_parse(again + 1, n - 2, &back) == 0
                    && back == msec));
}


static void
percent(const char *text, size_t len)
{
    char     *decoded, *encoded, *end;
    ssize_t   n;

    decoded = malloc(len + 1);
    encoded = malloc(3 * len + 1);

    n = cam_percent_decode(decoded, text, len, 0);

    if (n >= 0) {
        must(cam_utf8_length(decoded, (size_t) n) >= 0);
        must(strlen(decoded) == (size_t) n);

        end = cam_percent_encode(encoded, decoded, (size_t) n);
        free(decoded);
        decoded = malloc((size_t) (end - encoded) + 1);
        must(cam_percent_decode(decoded, encoded, (size_t) (end - encoded), 1)
             == n);
    }

    free(decoded);
    free(encoded);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char  *text;

    text = malloc(size + 1);
    memcpy(text, data, size);

    cursor(text, size);
    moment(text, size);
    percent(text, size);

    free(text);

    return 0;
}
