/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Fuzz target: an init segment and a fragment of any content.  What is read of
 * a fragment must be there, and after it was moved be where it was moved to.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../camera_worker/record_tfdt.c"


static void
must(int condition)
{
    if (!condition) {
        abort();
    }
}


/* two tracks, for inputs without an init of their own */

static void
usual(cw_record_tracks_t *t)
{
    memset(t, 0, sizeof(*t));
    t->n = 2;
    t->track[0].id = 1;
    t->track[0].scale = 90000;
    t->track[0].video = 1;
    t->track[1].id = 2;
    t->track[1].scale = 48000;
    t->track[1].duration = 1024;
}


static void
look(const cw_record_tracks_t *t, const uint8_t *data, size_t size,
    uint32_t by)
{
    int                 i;
    int64_t             shift[CW_RECORD_TRACKS];
    uint8_t            *copy;
    cw_record_times_t   before, after;

    copy = malloc(size ? size : 1);
    must(copy != NULL);
    memcpy(copy, data, size);

    if (cw_record_times_read(t, &before, copy, size) == 0) {

        for (i = 0; i < t->n; i++) {
            shift[i] = by;
            must(!(before.present & 1 << i)
                 || (before.begin[i] >= 0 && before.end[i] >= 0));
            (void) cw_record_usec(&t->track[i], before.end[i]);
            (void) cw_record_ticks(&t->track[i],
                                   cw_record_usec(&t->track[i],
                                                  before.begin[i]));
        }

        if (cw_record_times_move(t, copy, size, shift, 7) == 0
            && cw_record_times_read(t, &after, copy, size) == 0)
        {
            must(before.present == after.present);

            for (i = 0; i < t->n; i++) {
                must(!(before.present & 1 << i)
                     || after.begin[i] == before.begin[i] + by);
            }
        }
    }

    free(copy);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t              init;
    cw_record_tracks_t  tracks;

    usual(&tracks);

    if (size < 3) {
        return 0;
    }

    init = data[0] | data[1] << 8;
    init = init < size - 2 ? init : 0;

    if (init > 0 && cw_record_tracks_read(&tracks, data + 2, init) == -1) {
        return 0;
    }

    look(&tracks, data + 2 + init, size - 2 - init, data[2]);

    return 0;
}
