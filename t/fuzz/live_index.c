/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Fuzz target: a live index file of any content.  A reader opens and reads
 * it, and then walks the copy as a playlist writer does; a writer takes it
 * over.  Neither may touch memory that is not its own.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "live_index.h"


static const uint8_t  camera[CAM_UUID_LEN];
static char           base[] = "/dev/shm/fuzz_live.XXXXXX";


static void
walk(const cam_live_index_t *index)
{
    uint32_t                    i, k;
    volatile uint64_t           sum;
    const cam_live_segment_t   *seg;

    sum = 0;

    for (i = 0; i < CAM_LIVE_INITS; i++) {
        if (index->init[i].version != 0) {
            sum += strlen(index->init[i].codecs);
        }
    }

    for (i = 0; i < index->segments; i++) {
        seg = &index->segment[i];

        for (k = 0; k < seg->parts; k++) {

            if (seg->part[k].offset + seg->part[k].size > seg->size) {
                abort();
            }

            sum += seg->part[k].duration_usec;
        }
    }
}


static void
clean(void)
{
    char  command[64];

    snprintf(command, sizeof(command), "rm -rf %s", base);
    (void) !system(command);
}


static int
open_live(char *path)
{
    char  text[CAM_UUID_TEXT + 1];

    static int  livefd = -1;

    if (livefd == -1) {
        if (mkdtemp(base) == NULL) {
            abort();
        }

        atexit(clean);
        livefd = open(base, O_RDONLY|O_DIRECTORY);
        mkdirat(livefd, cam_uuid_print(text, camera), 0750);
    }

    cam_uuid_print(path, camera);
    strcat(path, "/index");

    return livefd;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                fd, livefd;
    char               path[CAM_UUID_TEXT + 16];
    cam_live_t        *live;
    cam_live_index_t   copy, *index;

    livefd = open_live(path);

    fd = openat(livefd, path, O_CREAT|O_TRUNC|O_WRONLY, 0640);

    /* the length is always right, or little would be reached */

    if (write(fd, data, size) < 0
        || ftruncate(fd, 64 + 2 * sizeof(cam_live_index_t)) == -1)
    {
        abort();
    }

    close(fd);

    live = cam_live_reader_open(livefd, camera);

    if (live != NULL) {
        if (cam_live_read(live, &copy) == 0) {
            walk(&copy);
        }

        cam_live_close(live);
    }

    live = cam_live_writer_open(livefd, camera, &index);

    if (live == NULL) {
        abort();
    }

    walk(index);
    cam_live_publish(live);
    cam_live_close(live);

    return 0;
}
