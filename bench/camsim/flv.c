/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Reads an FLV file (Adobe, annex E) whole into memory as a list of tags.
 * Tags are sent as they are: the payload of an FLV tag is that of an RTMP
 * message.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "camsim.h"

#define SIM_FLV_HEADER  13      /* with the size of the tag before the first */
#define SIM_FLV_TAG     11


static uint8_t *sim_flv_read(const char *path, size_t *size);
static int sim_flv_end_of_sequence(const uint8_t *tag, size_t length);
static uint32_t sim_flv_frame_msec(const sim_flv_t *flv);


int
sim_flv_load(sim_flv_t *flv, const char *path)
{
    size_t      size, pos, cap, length;
    uint8_t    *data, *p;
    sim_tag_t  *tag;

    data = sim_flv_read(path, &size);

    if (data == NULL || size < SIM_FLV_HEADER || memcmp(data, "FLV", 3) != 0) {
        fprintf(stderr, "camsim: \"%s\" is no FLV file\n", path);
        return -1;
    }

    cap = 0;

    for (pos = SIM_FLV_HEADER; pos + SIM_FLV_TAG <= size;
         pos += SIM_FLV_TAG + length + 4)
    {
        p = data + pos;
        length = (size_t) p[1] << 16 | p[2] << 8 | p[3];

        if (pos + SIM_FLV_TAG + length > size) {
            break;
        }

        if (sim_flv_end_of_sequence(p, length)) {
            continue;
        }

        if (flv->n == cap) {
            cap = cap ? cap * 2 : 1024;
            flv->tags = realloc(flv->tags, cap * sizeof(sim_tag_t));

            if (flv->tags == NULL) {
                abort();
            }
        }

        tag = &flv->tags[flv->n++];
        tag->type = p[0] & 0x1f;
        tag->msec = (uint32_t) p[7] << 24 | p[4] << 16 | p[5] << 8 | p[6];
        tag->size = length;
        tag->data = p + SIM_FLV_TAG;
    }

    if (flv->n == 0) {
        fprintf(stderr, "camsim: \"%s\" has no tags\n", path);
        return -1;
    }

    flv->duration_msec = flv->tags[flv->n - 1].msec + sim_flv_frame_msec(flv);

    return 0;
}


static uint8_t *
sim_flv_read(const char *path, size_t *size)
{
    FILE       *f;
    size_t      n;
    uint8_t     chunk[65536];
    sim_buf_t   buf;

    f = fopen(path, "rb");

    if (f == NULL) {
        return NULL;
    }

    memset(&buf, 0, sizeof(buf));

    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0) {
        sim_buf_add(&buf, chunk, n);
    }

    fclose(f);
    *size = buf.size;

    return (uint8_t *) buf.data;
}


/* what muxers put at the end of a file has no place in a loop */

static int
sim_flv_end_of_sequence(const uint8_t *tag, size_t length)
{
    return tag[0] == SIM_TAG_VIDEO && length >= 2
           && (tag[SIM_FLV_TAG] & 0x0f) == 7 && tag[SIM_FLV_TAG + 1] == 2;
}


/* the distance of the last two video tags */

static uint32_t
sim_flv_frame_msec(const sim_flv_t *flv)
{
    size_t    i;
    uint32_t  last;

    last = 0;

    for (i = flv->n; i-- > 0; /* void */ ) {

        if (flv->tags[i].type != SIM_TAG_VIDEO) {
            continue;
        }

        if (last > flv->tags[i].msec) {
            return last - flv->tags[i].msec;
        }

        last = flv->tags[i].msec;
    }

    return 40;
}
