/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Stands in for camera-worker in tests of what others make of live/.records:
 *
 *   record_state SHM volume N STATE AGE
 *       volume N in that cam_record_volume_e, its last beat AGE ms ago
 *   record_state SHM camera ID STATE START END BYTES
 *       the camera in that cam_record_state_e, times in Unix ms
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "record_table.h"


static int
set_volume(cam_record_table_t *table, char **argv)
{
    cam_record_volume_t  volume;

    memset(&volume, 0, sizeof(cam_record_volume_t));

    memset(volume.uuid, 1 + atoi(argv[0]), CAM_UUID_LEN);
    volume.state = (uint32_t) atoi(argv[1]);
    volume.bytes_total = 1000000000;
    volume.bytes_free = 500000000;
    volume.beat_msec = cam_clock_monotonic_msec() - atoll(argv[2]);

    cam_record_volume_set(table, (unsigned) atoi(argv[0]), &volume);

    return 0;
}


static int
set_camera(cam_record_table_t *table, char **argv)
{
    uint8_t             camera[CAM_UUID_LEN];
    cam_record_wish_t   wish;
    cam_record_state_t  state;

    if (cam_uuid_parse(camera, argv[0], strlen(argv[0])) != 0) {
        return -1;
    }

    memset(&wish, 0, sizeof(cam_record_wish_t));
    memset(&state, 0, sizeof(cam_record_state_t));

    wish.want = 1;
    state.state = (uint32_t) atoi(argv[1]);
    state.start_msec = atoll(argv[2]);
    state.end_msec = atoll(argv[3]);
    state.bytes = (uint64_t) atoll(argv[4]);

    return cam_record_wish_set(table, camera, &wish) == 0
           && cam_record_state_set(table, camera, &state) == 0 ? 0 : -1;
}


int
main(int argc, char **argv)
{
    int                  rc;
    cam_record_table_t  *table;

    table = argc > 2 ? cam_record_table_open(argv[1]) : NULL;

    if (table == NULL) {
        perror("record_state");
        return 1;
    }

    rc = argc == 6 && strcmp(argv[2], "volume") == 0
         ? set_volume(table, argv + 3)
         : argc == 8 && strcmp(argv[2], "camera") == 0
         ? set_camera(table, argv + 3) : -1;

    cam_record_table_close(table);

    return rc == 0 ? 0 : 1;
}
