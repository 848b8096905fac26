/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * record_table SHM: prints what is wished for and how volumes are, as JSON.
 * record_table SHM STATE DIR...: until it is killed, says of each directory
 * what a record child would that finds it in that state (a number).
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "record_path.h"
#include "record_table.h"


static void
dump_wishes(const cam_record_table_t *table)
{
    char               text[CAM_UUID_TEXT + 1];
    int                n;
    uint32_t           slot;
    uint8_t            camera[CAM_UUID_LEN];
    cam_record_wish_t  wish;

    for (slot = 0, n = 0; slot < CAM_RECORD_SLOTS; slot++) {

        if (cam_record_wish_at(table, slot, camera, &wish) == 1) {
            printf("%s\"%s\":{\"want\":%u,\"why_not\":%u,\"from\":%" PRId64
                   ",\"until\":%" PRId64 "}", n++ ? "," : "",
                   cam_uuid_print(text, camera), wish.want, wish.why_not,
                   wish.from_msec, wish.until_msec);
        }
    }
}


static void
say(cam_record_table_t *table, unsigned n, unsigned state, const char *path)
{
    int                  fd;
    cam_record_volume_t  volume;

    memset(&volume, 0, sizeof(cam_record_volume_t));

    fd = open(path, O_RDONLY|O_DIRECTORY);

    if (fd == -1
        || (cam_record_volume_read(fd, volume.uuid) == -1
            && cam_record_volume_init(fd, volume.uuid) == -1))
    {
        perror(path);
        exit(1);
    }

    (void) close(fd);

    volume.state = state;
    volume.path = cam_record_volume_hash(path);
    volume.bytes_total = 1000000;
    volume.bytes_free = 400000;
    volume.beat_msec = cam_clock_monotonic_msec();

    cam_record_volume_set(table, n, &volume);
}


int
main(int argc, char **argv)
{
    int                  i;
    cam_record_table_t  *table;

    table = argc < 2 ? NULL : cam_record_table_open(argv[1]);

    if (table == NULL) {
        perror("cam_record_table_open()");
        return 1;
    }

    if (argc == 2) {
        printf("{");
        dump_wishes(table);
        printf("}\n");
        return 0;
    }

    for ( ;; ) {
        for (i = 3; i < argc; i++) {
            say(table, i - 3, atoi(argv[2]), argv[i]);
        }

        (void) usleep(300000);
    }
}
