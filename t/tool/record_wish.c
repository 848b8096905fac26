/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Stands in for the jobs role, and shows what is recorded:
 *
 *   record_wish SHM wish UUID WANT [FROM_MSEC [UNTIL_MSEC [ENCRYPT]]]
 *   record_wish SHM state UUID          as JSON
 *   record_wish SHM volumes             as JSON
 *   record_wish - index FILE.idx        as JSON
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record_index.h"
#include "record_table.h"


static int
wish(cam_record_table_t *t, const uint8_t *camera, int n, char **arg)
{
    cam_record_wish_t  w;

    memset(&w, 0, sizeof(w));
    w.want = atoi(arg[0]);
    w.from_msec = n > 1 ? atoll(arg[1]) : 0;
    w.until_msec = n > 2 ? atoll(arg[2]) : 0;
    w.encrypt = n > 3 ? atoi(arg[3]) : 0;

    return cam_record_wish_set(t, camera, &w);
}


static int
show_state(cam_record_table_t *t, const uint8_t *camera)
{
    char                id[CAM_UUID_TEXT + 1];
    cam_record_state_t  s;

    if (cam_record_state_get(t, camera, &s) == -1) {
        return -1;
    }

    printf("{\"volume\":%u,\"state\":%u,\"msn\":%" PRIu64 ",\"part\":%u,"
           "\"recording\":\"%s\",\"start\":%" PRId64 ",\"end\":%" PRId64
           ",\"bytes\":%" PRIu64 ",\"fragments\":%" PRIu64 "}\n", s.volume,
           s.state, s.msn, s.part, cam_uuid_print(id, s.recording),
           s.start_msec, s.end_msec, s.bytes, s.fragments);

    return 0;
}


static int
show_volumes(cam_record_table_t *t)
{
    char                 id[CAM_UUID_TEXT + 1];
    unsigned             n;
    cam_record_volume_t  v;

    for (n = 0; n < CAM_RECORD_VOLUMES; n++) {
        cam_record_volume_get(t, n, &v);
        printf("%s{\"uuid\":\"%s\",\"state\":%u,\"total\":%" PRIu64
               ",\"free\":%" PRIu64 ",\"beat\":%" PRId64 "}%s", n ? "," : "[",
               cam_uuid_print(id, v.uuid), v.state, v.bytes_total,
               v.bytes_free, v.beat_msec,
               n == CAM_RECORD_VOLUMES - 1 ? "]\n" : "");
    }

    return 0;
}


static int
show_index(const char *path)
{
    int                    fd;
    char                   camera[CAM_UUID_TEXT + 1], id[CAM_UUID_TEXT + 1];
    uint32_t               n;
    cam_record_head_t      head;
    cam_record_fragment_t  f;

    fd = open(path, O_RDONLY);

    if (fd == -1 || cam_record_head_read(fd, &head) == -1) {
        return -1;
    }

    printf("{\"camera\":\"%s\",\"recording\":\"%s\",\"start\":%" PRId64
           ",\"init_size\":%u,\"segment_sec\":%u,\"width\":%u,\"height\":%u,"
           "\"codecs\":\"%s\",\"cipher\":%u,\"kid\":\"%s\",\"count\":%u,"
           "\"fragments\":[",
           cam_uuid_print(camera, head.camera),
           cam_uuid_print(id, head.recording), head.start_msec,
           head.init_size, head.segment_sec, head.width, head.height,
           head.codecs, head.cipher, head.kid, cam_record_count(fd));

    for (n = 0; cam_record_fragments(fd, n, &f, 1) == 1; n++) {
        printf("%s{\"offset\":%" PRIu64 ",\"wall\":%" PRId64 ",\"time\":%"
               PRId64 ",\"msn\":%" PRIu64 ",\"size\":%u,\"duration\":%u,"
               "\"crc\":%u,\"part\":%u,\"flags\":%u,\"live\":%u}",
               n ? "," : "", f.offset,
               f.wall_msec, f.time_usec, f.msn, f.size, f.duration_usec,
               f.data_crc, f.part, f.flags, f.live_time);
    }

    printf("]}\n");
    close(fd);

    return 0;
}


int
main(int argc, char **argv)
{
    int                  rc;
    uint8_t              camera[CAM_UUID_LEN];
    cam_record_table_t  *t;

    if (argc == 4 && strcmp(argv[2], "index") == 0) {
        rc = show_index(argv[3]);

    } else {
        t = argc > 2 ? cam_record_table_open(argv[1]) : NULL;

        if (t == NULL
            || (argc > 3 && cam_uuid_parse(camera, argv[3], strlen(argv[3]))
                            == -1))
        {
            fprintf(stderr, "record_wish: cannot open \"%s\"\n", argv[1]);
            return 2;
        }

        rc = argc > 4 ? wish(t, camera, argc - 4, argv + 4)
             : argc > 3 ? show_state(t, camera) : show_volumes(t);
    }

    if (rc == -1) {
        fprintf(stderr, "record_wish: %s\n", strerror(errno));
    }

    return rc == 0 ? 0 : 1;
}
