/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Fuzz target: the boxes of a recording, of any content.  A sample that is taken
 * has a track; what is made of a fragment is the same each time; its time may be
 * moved without a touch to anything else; and where there is room for a name it
 * is read as it was written.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "record_media.h"
#include "record_name.h"

#define BOXES  2048


typedef struct {
    uint8_t  data[BOXES];
    size_t   size;
} boxes_t;


static void
must(int condition)
{
    if (!condition) {
        abort();
    }
}


static size_t
begin(boxes_t *b, const char *type)
{
    memset(b->data + b->size, 0, 4);
    memcpy(b->data + b->size + 4, type, 4);
    b->size += 8;

    return b->size - 8;
}


static void
end(boxes_t *b, size_t at)
{
    size_t  size;

    size = b->size - at;
    b->data[at + 2] = (uint8_t) (size >> 8);
    b->data[at + 3] = (uint8_t) size;
}


static void
put(boxes_t *b, const void *data, size_t size)
{
    memcpy(b->data + b->size, data, size);
    b->size += size;
}


/* what is random goes to where it matters: into the boxes of a fragment */

static void
wrap(boxes_t *b, const uint8_t *data, size_t size)
{
    size_t  moof, traf, box, part;

    part = size / 4;
    moof = begin(b, "moof");
    traf = begin(b, "traf");

    box = begin(b, "tfhd");
    put(b, "\0\0\0", 3);
    put(b, data, 1);
    put(b, "\0\0\0\1", 4);
    put(b, data, part);
    end(b, box);

    box = begin(b, "tfdt");
    put(b, data + part, part);
    end(b, box);

    box = begin(b, "trun");
    put(b, data + 2 * part, size - 2 * part);
    end(b, box);

    end(b, traf);
    end(b, moof);
}


static int
each(void *data, const cam_record_sample_t *sample)
{
    int  *samples = data;

    must(sample->track == 0 || sample->track == 1);
    must(sample->offset != 0);

    return ++*samples > 1000 ? -1 : 0;
}


static void
judge(const uint8_t *moof, size_t size, const cam_record_tracks_t *tracks)
{
    int                 rc, samples;
    uint8_t            *copy;
    cam_record_moof_t   m, again;

    samples = 0;
    (void) cam_record_samples(moof, size, tracks, each, &samples);

    rc = cam_record_moof(moof, size, tracks, &m);
    must(cam_record_moof(moof, size, tracks, &again) == rc);
    must(rc != 0 || memcmp(&m, &again, sizeof(m)) == 0);
    must(rc != 0 || (m.duration_usec >= 0 && m.duration_usec <= UINT32_MAX));

    copy = malloc(size + 1);
    must(copy != NULL);
    memcpy(copy, moof, size);

    if (cam_record_moof_rebase(copy, size, tracks, 7, 1000000) == 0 && rc == 0)
    {
        rc = cam_record_moof(copy, size, tracks, &again);
        must(rc == 0 && again.key == m.key);
    }

    free(copy);
}


/* a fragment of that moof; what is of another form stays as it was */

static void
name(const uint8_t *moof, size_t size, const cam_record_tracks_t *tracks)
{
    size_t                 all;
    uint8_t               *copy;
    cam_record_moof_t      before, after;
    cam_record_fragment_t  f, g;

    (void) cam_record_name_read(moof, size, &g);

    all = size + 16;
    copy = calloc(1, all + CAM_RECORD_NAME_SIZE);
    must(copy != NULL);
    memcpy(copy, moof, size);
    memcpy(copy + size, "\0\0\0\20mdat", 8);

    if (cam_record_name_room(copy, all) == -1) {
        must(memcmp(copy, moof, size) == 0);
        free(copy);
        return;
    }

    memset(&f, 0, sizeof(f));
    memset(&g, 0, sizeof(g));
    f.wall_msec = 1764165600123;
    f.msn = size;
    f.part = 3;

    must(cam_record_name_write(copy, all + CAM_RECORD_NAME_SIZE, &f) == 0);
    must(cam_record_name_read(copy, size + CAM_RECORD_NAME_SIZE, &g) == 0);
    must(memcmp(&f, &g, sizeof(f)) == 0);
    must(memcmp(copy + size + CAM_RECORD_NAME_SIZE, "\0\0\0\20mdat", 8) == 0);

    if (cam_record_moof(moof, size, tracks, &before) == 0) {
        must(cam_record_moof(copy, size + CAM_RECORD_NAME_SIZE, tracks, &after)
             == 0);
        must(memcmp(&before, &after, sizeof(before)) == 0);
    }

    must(cam_record_name_remove(copy, all + CAM_RECORD_NAME_SIZE) == 0);
    must(memcmp(copy, moof, size) == 0);

    free(copy);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    boxes_t              b;
    cam_record_tracks_t  tracks;

    if (size < 16 || size > BOXES / 2) {
        return 0;
    }

    (void) cam_record_tracks(data, size, &tracks);

    memset(&tracks, 0, sizeof(tracks));
    tracks.n = 2;
    tracks.lead = data[0] & 1;
    tracks.track[0].id = 1;
    tracks.track[0].scale = 90000;
    tracks.track[0].video = 1;
    tracks.track[1].id = 2;
    tracks.track[1].scale = data[1] + 1u;

    judge(data, size, &tracks);
    name(data, size, &tracks);

    b.size = 0;
    wrap(&b, data + 2, size - 2);
    judge(b.data, b.size, &tracks);
    name(b.data, b.size, &tracks);

    return 0;
}
