/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * ring_dump SHM CAMERA SECONDS
 *
 * Reads a camera's ring to the end of its publication, or for so long, and
 * prints a line for each record:
 *
 *   seq track flags dts cts size sum wall
 *
 * where sum is the CRC-32 of the data and wall its arrival in Unix ms.  A lost
 * record, and a capacity or a generation that changed, are lines that begin
 * with '#'.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "ring.h"
#include "uuid.h"


static uint8_t  data[32 << 20];


static uint32_t
crc32_of(const uint8_t *p, size_t n)
{
    int       bit;
    uint32_t  crc = 0xffffffff;

    while (n--) {
        crc ^= *p++;

        for (bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        }
    }

    return ~crc;
}


/* 1 when the ring has ended */

static int
dump(cam_ring_reader_t *r, int64_t end)
{
    int          rc;
    cam_frame_t  f;

    while (cam_clock_monotonic_msec() < end) {

        rc = cam_ring_read(r, &f, data, sizeof(data));

        switch (rc) {

        case CAM_RING_OK:
            printf("%" PRIu64 " %s %s%s %" PRId64 " %d %u %08x %"
                   PRId64 "\n", f.seq,
                   f.track == CAM_TRACK_VIDEO ? "video" : "audio",
                   f.flags & CAM_FRAME_KEY ? "key" : "-",
                   f.flags & CAM_FRAME_CONFIG ? "config" : "",
                   f.dts, f.cts, f.size, crc32_of(data, f.size), f.wall_msec);
            break;

        case CAM_RING_AGAIN:
            fflush(stdout);
            usleep(5000);
            break;

        case CAM_RING_CLOSED:
            return 1;

        default:
            printf("# rc %d lost %" PRIu64 "\n", rc, f.lost);

            if (rc != CAM_RING_OVERRUN) {
                return 1;
            }
        }
    }

    return 0;
}


int
main(int argc, char **argv)
{
    int                 dirfd;
    char                path[512];
    int64_t             end;
    uint8_t             camera[CAM_UUID_LEN];
    cam_ring_info_t     info;
    cam_ring_reader_t  *r;

    if (argc != 4 || cam_uuid_parse(camera, argv[2], strlen(argv[2])) != 0) {
        fprintf(stderr, "usage: ring_dump SHM CAMERA SECONDS\n");
        return 2;
    }

    snprintf(path, sizeof(path), "%s/rings", argv[1]);
    end = cam_clock_monotonic_msec() + atoi(argv[3]) * 1000;

    dirfd = open(path, O_RDONLY|O_DIRECTORY);
    if (dirfd == -1) {
        perror(path);
        return 1;
    }

    while (cam_clock_monotonic_msec() < end) {

        if (cam_ring_reader_open(&r, dirfd, camera) != CAM_RING_OK) {
            usleep(5000);
            continue;
        }

        if (cam_ring_info(r, &info) == CAM_RING_OK) {
            printf("# generation %" PRIu64 " capacity %u addr %s\n",
                   info.generation, info.capacity, info.addr);
        }

        (void) dump(r, end);

        cam_ring_reader_close(r);
        fflush(stdout);
    }

    return 0;
}
