/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A camera for tests, without nginx: plays FLV files into a ring, with the
 * registry entry and generation that ingest would have made, and can misbehave
 * the way cameras do.
 *
 *   ring_feed -s SHM -c UUID [OPTION]... FILE...
 *
 *     -x SPEED       of real time; 0: at once.  Arrival times follow the media
 *     -C BYTES       ring size
 *     --loop=N       plays the files N times, their time runs on
 *     --no-audio, --no-video
 *     --audio-after=MS        until then
 *     --audio-until=MS        from then on
 *     --jump-at=MS --jump-by=MS   the camera's clock is set
 *     --clock-at=MS --clock-by=MS the clock of arrival is set
 *     --reconnect-at=MS       a new publication, whose time starts at 0
 *     --silent-from=MS --silent-until=MS   nothing is sent between
 *     --stay         keeps the publication open at the end, until SIGTERM
 *
 * The first frame of a publication is sent, and the rest when the packager has
 * seen it (or after 5 s): how soon it looks is not what most tests are about.
 * Times are of the media, from its start.  Several files are one publication:
 * the configuration changes in mid-stream.  When the machine's clock is set,
 * the times of arrival are, too.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "live_index.h"
#include "registry.h"
#include "ring.h"

#define FEED_SLOTS       64
#define FEED_AWAIT_MSEC  5000
#define FEED_STEP_MSEC   1000


typedef struct {
    const char         *shm;
    uint8_t             camera[CAM_UUID_LEN];
    uint32_t            capacity;
    double              speed;
    int                 loops;
    int                 no_audio;
    int                 no_video;
    int                 stay;
    long                audio_after;
    long                audio_until;
    long                jump_at;
    long                jump_by;
    long                clock_at;
    long                clock_by;
    long                reconnect_at;
    long                silent_from;
    long                silent_until;

    cam_registry_t     *registry;
    int                 slot;
    int                 rings;
    int                 live;
    int                 awaited;           /* the packager has begun */
    uint64_t            generation;
    cam_ring_writer_t  *writer;
    int64_t             started_msec;      /* monotonic */
    int64_t             started_wall;
    int64_t             clock;             /* wall less monotonic */
    int64_t             base;              /* of the file in the media */
    int64_t             offset;            /* of dts against the media */
    int64_t             last;              /* media time of the last frame */
    int                 audio_late;        /* its config was held back */
    uint8_t             asc[64];
    uint32_t            asc_size;
    uint64_t            sent[CAM_TRACKS];
} feed_t;


static volatile sig_atomic_t  feed_quit;


static void
feed_die(const char *what)
{
    perror(what);
    exit(1);
}


static void
feed_on_signal(int signo)
{
    feed_quit = 1;
}


static void
feed_open_registry(feed_t *f)
{
    char                  path[4096];
    mode_t                mask;
    cam_registry_entry_t  entry;

    mask = umask(0);
    (void) mkdir(f->shm, 0777);
    snprintf(path, sizeof(path), "%s/live", f->shm);
    (void) mkdir(path, 0777);
    f->live = open(path, O_RDONLY|O_DIRECTORY);
    snprintf(path, sizeof(path), "%s/rings", f->shm);
    (void) mkdir(path, 0777);

    f->rings = open(path, O_RDONLY|O_DIRECTORY);

    /* nginx's own, or a new one */

    f->registry = cam_registry_open(f->shm, 0, 1);

    if (f->registry == NULL) {
        f->registry = cam_registry_open(f->shm, FEED_SLOTS, 1);
    }

    if (f->registry == NULL || f->rings == -1) {
        feed_die("cam_registry_open");
    }

    umask(mask);

    memset(&entry, 0, sizeof(entry));
    memcpy(entry.camera, f->camera, CAM_UUID_LEN);
    memcpy(entry.tenant, f->camera, CAM_UUID_LEN);
    cam_uuid_print(entry.key, f->camera);
    entry.flags = CAM_CAMERA_ACTIVE;
    entry.key_generation = 1;

    f->slot = cam_registry_find_id(f->registry, f->camera, &entry);

    if (f->slot == -1) {
        if (cam_registry_put(f->registry, &entry) == -1) {
            feed_die("cam_registry_put");
        }

        f->slot = cam_registry_find_id(f->registry, f->camera, &entry);
        cam_registry_fed(f->registry, time(NULL));
    }
}


static void
feed_publish(feed_t *f)
{
    cam_ring_info_t        info;
    cam_registry_state_t  *state;

    state = cam_registry_state(f->registry, f->slot);
    f->generation = cam_registry_claim(f->registry, f->slot,
                                       state->generation);

    memset(&info, 0, sizeof(info));
    memcpy(info.camera, f->camera, CAM_UUID_LEN);
    info.generation = f->generation;
    info.capacity = f->capacity;

    if (cam_ring_writer_open(&f->writer, f->rings, &info) != CAM_RING_OK) {
        feed_die("cam_ring_writer_open");
    }

    f->awaited = 0;
}


static int
feed_is_packaged(feed_t *f)
{
    int                rc;
    cam_live_t        *live;
    cam_live_index_t   index;

    live = cam_live_reader_open(f->live, f->camera);

    if (live == NULL) {
        return 0;
    }

    rc = cam_live_read(live, &index);
    cam_live_close(live);

    return rc == 0 && index.generation == f->generation;
}


static void
feed_await(feed_t *f)
{
    int64_t  start, now;

    f->awaited = 1;
    start = now = cam_clock_monotonic_msec();

    while (!feed_is_packaged(f) && now - start < FEED_AWAIT_MSEC
           && !feed_quit)
    {
        usleep(5000);
        now = cam_clock_monotonic_msec();
    }

    f->started_msec += now - start;
}


static void
feed_unpublish(feed_t *f)
{
    cam_ring_writer_close(f->writer);
    cam_registry_release(f->registry, f->slot, f->generation);
}


static void
feed_write(feed_t *f, cam_frame_t *frame, const uint8_t *data)
{
    int           rc;
    uint32_t      capacity;
    uint64_t      generation;
    struct iovec  iov;

    iov.iov_base = (void *) data;
    iov.iov_len = frame->size;

    rc = cam_ring_write(f->writer, frame, &iov, 1);

    if (rc == CAM_RING_TOOBIG) {
        capacity = cam_ring_writer_capacity(f->writer) * 2;
        generation = cam_registry_claim(f->registry, f->slot, f->generation);

        if (cam_ring_writer_grow(&f->writer, generation, capacity)
            != CAM_RING_OK)
        {
            feed_die("cam_ring_writer_grow");
        }

        f->generation = generation;
        rc = cam_ring_write(f->writer, frame, &iov, 1);
    }

    if (rc != CAM_RING_OK) {
        feed_die("cam_ring_write");
    }

    if (frame->flags & CAM_FRAME_CONFIG) {
        return;
    }

    f->sent[frame->track]++;

    if (!f->awaited) {
        feed_await(f);
    }
}


static void
feed_wait(feed_t *f, int64_t media)
{
    int64_t          due, now;
    struct timespec  ts;

    if (f->speed <= 0) {
        return;
    }

    due = f->started_msec + (int64_t) (media / f->speed);
    now = cam_clock_monotonic_msec();

    if (due > now && !feed_quit) {
        ts.tv_sec = (due - now) / 1000;
        ts.tv_nsec = (due - now) % 1000 * 1000000;
        (void) nanosleep(&ts, NULL);
    }
}


static void
feed_clock(feed_t *f)
{
    int64_t  clock;

    clock = cam_clock_wall_msec() - cam_clock_monotonic_msec();

    if (llabs(clock - f->clock) > FEED_STEP_MSEC) {
        f->started_wall += clock - f->clock;
        f->clock = clock;
    }
}


/* 1 when the frame is sent */

static int
feed_shape_audio(feed_t *f, cam_frame_t *frame, const uint8_t *data,
    int64_t media)
{
    cam_frame_t  config;

    if (f->no_audio || (f->audio_until && media >= f->audio_until)) {
        return 0;
    }

    if (media >= f->audio_after) {

        if (f->audio_late && !(frame->flags & CAM_FRAME_CONFIG)) {
            f->audio_late = 0;
            config = *frame;
            config.flags = CAM_FRAME_CONFIG;
            config.size = f->asc_size;
            feed_write(f, &config, f->asc);
        }

        return 1;
    }

    if (frame->flags & CAM_FRAME_CONFIG) {
        f->audio_late = 1;
        f->asc_size = frame->size;
        memcpy(f->asc, data, frame->size);
    }

    return 0;
}


static void
feed_reconnect(feed_t *f, int64_t media, const uint8_t config[2][4096],
    const uint32_t size[2])
{
    int          i;
    cam_frame_t  frame;

    feed_unpublish(f);
    feed_publish(f);

    f->reconnect_at = 0;
    f->offset = -media;

    memset(&frame, 0, sizeof(frame));
    frame.flags = CAM_FRAME_CONFIG;
    frame.wall_msec = f->started_wall + media;

    for (i = 0; i < CAM_TRACKS; i++) {
        if (size[i] && !(i == CAM_TRACK_AUDIO && f->no_audio)) {
            frame.track = i;
            frame.size = size[i];
            feed_write(f, &frame, config[i]);
        }
    }
}


/* one FLV tag's body */

static void
feed_tag(feed_t *f, int type, int64_t media, const uint8_t *p, uint32_t size)
{
    int          head;
    cam_frame_t  frame;

    static uint8_t   config[2][4096];
    static uint32_t  config_size[2];

    memset(&frame, 0, sizeof(frame));

    if (type == 9 && size > 5 && !f->no_video) {
        frame.track = CAM_TRACK_VIDEO;
        frame.flags = (p[0] >> 4 == 1) ? CAM_FRAME_KEY : 0;
        frame.cts = (int32_t) ((uint32_t) p[2] << 24 | p[3] << 16 | p[4] << 8)
                    >> 8;
        head = 5;

    } else if (type == 8 && size > 2) {
        frame.track = CAM_TRACK_AUDIO;
        head = 2;

    } else {
        return;
    }

    if (p[1] == 0) {
        frame.flags = CAM_FRAME_CONFIG;
        config_size[frame.track] = size - head;
        memcpy(config[frame.track], p + head, size - head);

    } else if (p[1] != 1) {
        return;
    }

    if (f->silent_until && media >= f->silent_from && media < f->silent_until)
    {
        return;
    }

    feed_wait(f, media);
    feed_clock(f);

    if (f->reconnect_at && media >= f->reconnect_at
        && frame.flags & CAM_FRAME_KEY)
    {
        feed_reconnect(f, media, config, config_size);
    }

    if (f->jump_at && media >= f->jump_at) {
        f->offset += f->jump_by;
        f->jump_at = 0;
    }

    if (f->clock_at && media >= f->clock_at) {
        f->started_wall += f->clock_by;
        f->clock_at = 0;
    }

    frame.size = size - head;
    frame.dts = media + f->offset;
    frame.wall_msec = f->started_wall + media;

    if (f->last < media) {
        f->last = media;
    }

    if (frame.track == CAM_TRACK_AUDIO
        && !feed_shape_audio(f, &frame, p + head, media))
    {
        return;
    }

    feed_write(f, &frame, p + head);
}


static void
feed_file(feed_t *f, const char *name)
{
    FILE      *in;
    int64_t    dts;
    uint32_t   size;
    uint8_t    head[11], *body;

    in = fopen(name, "rb");
    if (in == NULL || fread(head, 9, 1, in) != 1) {
        feed_die(name);
    }

    while (!feed_quit && fseek(in, 4, SEEK_CUR) == 0
           && fread(head, 11, 1, in) == 1)
    {
        size = head[1] << 16 | head[2] << 8 | head[3];
        dts = (int64_t) head[7] << 24 | head[4] << 16 | head[5] << 8 | head[6];

        body = malloc(size + 1);

        if (size && fread(body, size, 1, in) != 1) {
            feed_die(name);
        }

        feed_tag(f, head[0], f->base + dts, body, size);
        free(body);
    }

    fclose(in);

    f->base = f->last + 67;
}


static void
feed_options(feed_t *f, int argc, char **argv)
{
    int  c;

    enum { LOOP = 256, NO_AUDIO, NO_VIDEO, AFTER, UNTIL, JUMP_AT, JUMP_BY,
           CLOCK_AT, CLOCK_BY, RECONNECT, SILENT_FROM, SILENT_UNTIL, STAY };

    static const struct option  options[] = {
        { "loop",         required_argument, NULL, LOOP },
        { "no-audio",     no_argument,       NULL, NO_AUDIO },
        { "no-video",     no_argument,       NULL, NO_VIDEO },
        { "audio-after",  required_argument, NULL, AFTER },
        { "audio-until",  required_argument, NULL, UNTIL },
        { "jump-at",      required_argument, NULL, JUMP_AT },
        { "jump-by",      required_argument, NULL, JUMP_BY },
        { "clock-at",     required_argument, NULL, CLOCK_AT },
        { "clock-by",     required_argument, NULL, CLOCK_BY },
        { "reconnect-at", required_argument, NULL, RECONNECT },
        { "silent-from",  required_argument, NULL, SILENT_FROM },
        { "silent-until", required_argument, NULL, SILENT_UNTIL },
        { "stay",         no_argument,       NULL, STAY },
        { NULL, 0, NULL, 0 }
    };

    f->speed = 1;
    f->loops = 1;

    while ((c = getopt_long(argc, argv, "s:c:x:C:", options, NULL)) != -1) {
        switch (c) {
        case 's': f->shm = optarg; break;
        case 'x': f->speed = atof(optarg); break;
        case 'C': f->capacity = atoi(optarg); break;
        case LOOP: f->loops = atoi(optarg); break;
        case NO_AUDIO: f->no_audio = 1; break;
        case NO_VIDEO: f->no_video = 1; break;
        case AFTER: f->audio_after = atol(optarg); break;
        case UNTIL: f->audio_until = atol(optarg); break;
        case JUMP_AT: f->jump_at = atol(optarg); break;
        case JUMP_BY: f->jump_by = atol(optarg); break;
        case CLOCK_AT: f->clock_at = atol(optarg); break;
        case CLOCK_BY: f->clock_by = atol(optarg); break;
        case RECONNECT: f->reconnect_at = atol(optarg); break;
        case SILENT_FROM: f->silent_from = atol(optarg); break;
        case SILENT_UNTIL: f->silent_until = atol(optarg); break;
        case STAY: f->stay = 1; break;

        case 'c':
            if (cam_uuid_parse(f->camera, optarg, strlen(optarg)) == 0) {
                break;
            }

            /* fall through */

        default:
            exit(2);
        }
    }

    if (f->shm == NULL || optind == argc) {
        exit(2);
    }
}


int
main(int argc, char **argv)
{
    int     i, n;
    feed_t  f;

    memset(&f, 0, sizeof(f));
    feed_options(&f, argc, argv);

    signal(SIGTERM, feed_on_signal);
    signal(SIGINT, feed_on_signal);

    feed_open_registry(&f);
    feed_publish(&f);

    f.started_msec = cam_clock_monotonic_msec();
    f.started_wall = cam_clock_wall_msec();
    f.clock = f.started_wall - f.started_msec;

    for (n = 0; n < f.loops && !feed_quit; n++) {
        for (i = optind; i < argc && !feed_quit; i++) {
            feed_file(&f, argv[i]);
        }
    }

    while (f.stay && !feed_quit) {
        pause();
    }

    printf("%llu %llu\n", (unsigned long long) f.sent[CAM_TRACK_VIDEO],
           (unsigned long long) f.sent[CAM_TRACK_AUDIO]);

    feed_unpublish(&f);
    cam_registry_close(f.registry);

    return 0;
}
