/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Fuzz target: a camera that sends any frames at any time, through a stream
 * of the packager and libavformat into a live store.  Whatever it does, the
 * index that results must pass a reader's check, with every byte it names in
 * the files.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../camera_worker/log.h"
#include "../../camera_worker/stream.h"
#include "clock.h"

#define FUZZ_FRAME_MAX  65536


typedef struct {
    const uint8_t  *p;
    const uint8_t  *end;
} fuzz_input_t;


static const uint8_t  camera[CAM_UUID_LEN];
static char           base[] = "/dev/shm/fuzz_stream.XXXXXX";
static int            livefd = -1;

/* two sizes of picture and three of sound, all of them usable */

static const uint8_t  avcc[][50] = {
    { 0x01, 0x42, 0xc0, 0x0c, 0xff, 0xe1, 0x00, 0x20, 0x67, 0x42, 0xc0, 0x0c,
      0xda, 0x05, 0x06, 0x7e, 0x7c, 0x04, 0x40, 0x00, 0x00, 0x03, 0x00, 0x40,
      0x00, 0x00, 0x07, 0x98, 0x08, 0x01, 0x86, 0x80, 0x06, 0x1a, 0xe4, 0x81,
      0x80, 0x78, 0xa1, 0x55, 0x01, 0x00, 0x04, 0x68, 0xce, 0x3c, 0x80 },
    { 0x01, 0x4d, 0x40, 0x16, 0xff, 0xe1, 0x00, 0x23, 0x67, 0x4d, 0x40, 0x16,
      0xda, 0x02, 0x80, 0xbf, 0xe5, 0xc0, 0x44, 0x00, 0x00, 0x03, 0x00, 0x04,
      0x00, 0x00, 0x03, 0x00, 0x79, 0x80, 0x80, 0x07, 0xa1, 0x00, 0x01, 0xe8,
      0x4e, 0x48, 0x18, 0x07, 0x8b, 0x17, 0x50, 0x01, 0x00, 0x04, 0x68, 0xef,
      0x3c, 0x80 },
};

static const uint8_t  avcc_size[] = { 47, 50 };

static const uint8_t  asc[][2] = {
    { 0x11, 0x88 }, { 0x12, 0x10 }, { 0x15, 0x88 }
};


static uint32_t
take(fuzz_input_t *in, int bytes)
{
    uint32_t  n;

    for (n = 0; bytes--; in->p++) {
        n = n << 8 | (in->p < in->end ? *in->p : 0);
    }

    return n;
}


static void
config(cw_stream_t *s, fuzz_input_t *in)
{
    uint32_t  what, size;

    what = take(in, 1);

    switch (what & 3) {

    case 0:
        cw_stream_config(s, CAM_TRACK_VIDEO, avcc[what >> 2 & 1],
                         avcc_size[what >> 2 & 1]);
        break;

    case 1:
        cw_stream_config(s, CAM_TRACK_AUDIO, asc[(what >> 2) % 3], 2);
        break;

    default:
        size = take(in, 1);

        if (size > in->end - in->p) {
            size = in->end > in->p ? in->end - in->p : 0;
        }

        cw_stream_config(s, what & 1, in->p, size);
        in->p += size;
        break;
    }
}


static void
frame(cw_stream_t *s, fuzz_input_t *in, int64_t dts[CAM_TRACKS],
    int64_t *wall)
{
    uint32_t     what;
    cam_frame_t  f;

    static uint8_t  data[FUZZ_FRAME_MAX];

    what = take(in, 1);
    memset(&f, 0, sizeof(f));

    f.track = what & 1;
    f.flags = what & 2 ? CAM_FRAME_KEY : 0;
    f.size = what & 4 ? take(in, 2) : 100;

    /* mostly a frame interval, at times anything */

    if (what & 8) {
        dts[f.track] += f.track == CAM_TRACK_VIDEO ? 66 : 21;
    } else if (what & 16) {
        dts[f.track] += (int16_t) take(in, 2);
    } else if (what & 32) {
        dts[f.track] = (int64_t) (int32_t) take(in, 4) * 1000;
    }

    if (what & 64) {
        f.cts = (int32_t) (take(in, 3) << 8) >> 8;
    }

    *wall += what & 128 ? (int16_t) take(in, 2) : 30;

    f.dts = dts[f.track];
    f.wall_msec = *wall;

    cw_stream_frame(s, &f, data);
}


static void
check(void)
{
    uint32_t           i;
    char               name[CAM_LIVE_NAME_MAX], path[128];
    struct stat        st;
    cam_live_t        *live;
    cam_live_index_t   index;

    live = cam_live_reader_open(livefd, camera);

    if (live == NULL || cam_live_read(live, &index) == -1) {
        abort();
    }

    for (i = 0; i < index.segments; i++) {
        cam_uuid_print(path, camera);
        strcat(path, "/");
        strcat(path, cam_live_segment_name(name, index.segment[i].msn));

        if (fstatat(livefd, path, &st, 0) == -1
            || st.st_size < index.segment[i].size)
        {
            abort();
        }

        if ((index.segment[i].duration_usec + 500000) / 1000000 * 1000
            > index.target_msec && index.segment[i].complete)
        {
            abort();
        }
    }

    cam_live_close(live);
}


static void
clean(void)
{
    char  command[64];

    snprintf(command, sizeof(command), "rm -rf %s", base);
    (void) !system(command);
}


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    if (mkdtemp(base) == NULL) {
        abort();
    }

    atexit(clean);
    livefd = open(base, O_RDONLY|O_DIRECTORY);
    cw_log_set_level("alert");
    cw_log_set_name("fuzz");

    return 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t       wall, dts[CAM_TRACKS] = { 0, 0 };
    uint64_t      generation;
    cw_stream_t  *s;
    fuzz_input_t  in = { data, data + size };

    s = cw_stream_create(livefd, camera);
    if (s == NULL) {
        abort();
    }

    generation = 1;
    wall = INT64_C(1700000000000);
    cw_stream_begin(s, generation);

    while (in.p < in.end) {

        switch (take(&in, 1) & 15) {

        case 0:
            config(s, &in);
            break;

        case 1:
            cw_stream_lost(s, 1);
            break;

        case 2:
            cw_stream_end(s);
            cw_stream_begin(s, ++generation);
            break;

        case 3:
            cw_stream_begin(s, ++generation);
            break;

        case 4:
            cw_stream_tick(s, cam_clock_monotonic_msec() + 2000);
            break;

        case 5:
            cw_stream_continue(s, ++generation);
            break;

        default:
            frame(s, &in, dts, &wall);
            break;
        }
    }

    cw_stream_destroy(s);
    check();

    return 0;
}
