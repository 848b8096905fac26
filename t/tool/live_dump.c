/*
 * Copyright (C) The nginx camera platform authors
 */

/* Prints a camera's live index as JSON:  live_dump SHM UUID */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live_index.h"


static void
dump_segment(const cam_live_segment_t *seg)
{
    uint32_t  i;

    printf("{\"msn\":%" PRIu64 ",\"generation\":%" PRIu64 ",\"wall\":%" PRId64
           ",\"init\":%u,\"duration\":%u,\"size\":%u,\"complete\":%d,"
           "\"discontinuity\":%d,\"parts\":[", seg->msn, seg->generation,
           seg->wall_msec, seg->init, seg->duration_usec, seg->size,
           seg->complete, seg->discontinuity);

    for (i = 0; i < seg->parts; i++) {
        printf("%s{\"offset\":%u,\"size\":%u,\"duration\":%u,"
               "\"independent\":%u}", i ? "," : "", seg->part[i].offset,
               seg->part[i].size, seg->part[i].duration_usec,
               seg->part[i].independent);
    }

    printf("]}");
}


static void
dump_index(const cam_live_index_t *index)
{
    uint32_t                i, n;
    const cam_live_init_t  *init;

    printf("{\"state\":%u,\"warning\":%u,\"generation\":%" PRIu64
           ",\"updated\":%" PRIu64 ",\"target\":%u,\"part_target\":%u,"
           "\"next_msn\":%" PRIu64 ",\"discontinuity_seq\":%" PRIu64
           ",\"fps\":%u,\"dropped\":%u,\"inits\":[",
           index->state, index->warning, index->generation,
           index->updated_msec, index->target_msec, index->part_target_msec,
           index->next_msn, index->discontinuity_seq, index->fps_centi,
           index->dropped);

    for (i = 0, n = 0; i < CAM_LIVE_INITS; i++) {
        init = &index->init[i];

        if (init->version) {
            printf("%s{\"version\":%u,\"size\":%u,\"width\":%u,\"height\":%u,"
                   "\"bandwidth\":%u,\"has_video\":%d,\"has_audio\":%d,"
                   "\"b_frames\":%d,\"codecs\":\"%s\"}", n++ ? "," : "",
                   init->version, init->size, init->width, init->height,
                   init->bandwidth, init->has_video, init->has_audio,
                   init->b_frames, init->codecs);
        }
    }

    printf("],\"segments\":[");

    for (i = 0; i < index->segments; i++) {
        printf(i ? "," : "");
        dump_segment(&index->segment[i]);
    }

    printf("]}\n");
}


int
main(int argc, char **argv)
{
    int                livefd;
    char               path[4096];
    uint8_t            camera[CAM_UUID_LEN];
    cam_live_t        *live;
    cam_live_index_t   index;

    if (argc != 3 || cam_uuid_parse(camera, argv[2], strlen(argv[2])) == -1) {
        return 2;
    }

    snprintf(path, sizeof(path), "%s/live", argv[1]);
    livefd = open(path, O_RDONLY|O_DIRECTORY);

    live = cam_live_reader_open(livefd, camera);

    if (live == NULL || cam_live_read(live, &index) == -1) {
        perror("live index");
        return 1;
    }

    dump_index(&index);
    cam_live_close(live);

    return 0;
}
