/*
 * Copyright (C) The nginx camera platform authors
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "live.h"


#define CLI_LIVE_REFUSED_MSEC  60000   /* a camera that is turned away */


static int cli_shm_dir(const char *shm, const char *name);
static void cli_live_state(const cli_shm_t *shm, cli_live_t *live);
static void cli_live_ring(const cli_shm_t *shm, const uint8_t *camera,
    cli_live_t *live);
static void cli_live_index(const cli_shm_t *shm, const uint8_t *camera,
    cli_live_t *live);
static const cam_live_init_t *cli_live_find_init(
    const cam_live_index_t *index, uint32_t version);
static json_t *cli_live_publisher(const cli_live_t *live);
static json_t *cli_live_media(const cli_live_t *live);
static json_t *cli_live_refusal(const cli_live_t *live);


void
cli_shm_open(cli_shm_t *shm, const char *path)
{
    memset(shm, 0, sizeof(cli_shm_t));
    shm->rings_fd = -1;
    shm->live_fd = -1;
    shm->error = ENOENT;

    if (path == NULL) {
        return;
    }

    shm->registry = cam_registry_open(path, 0, 0);
    shm->error = shm->registry ? 0 : errno;
    shm->rings_fd = cli_shm_dir(path, "rings");
    shm->live_fd = cli_shm_dir(path, "live");
}


static int
cli_shm_dir(const char *shm, const char *name)
{
    char  path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", shm, name);

    return open(path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);
}


void
cli_shm_close(cli_shm_t *shm)
{
    if (shm->registry) {
        cam_registry_close(shm->registry);
    }

    if (shm->rings_fd != -1) {
        close(shm->rings_fd);
    }

    if (shm->live_fd != -1) {
        close(shm->live_fd);
    }
}


void
cli_live_look(const cli_shm_t *shm, const uint8_t camera[CAM_UUID_LEN],
    cli_live_t *live)
{
    memset(live, 0, sizeof(cli_live_t));
    live->slot = -1;

    if (shm->registry) {
        live->slot = cam_registry_find_id(shm->registry, camera, &live->entry);
    }

    if (live->slot >= 0) {
        cli_live_state(shm, live);
    }

    if (shm->rings_fd != -1) {
        cli_live_ring(shm, camera, live);
    }

    if (shm->live_fd != -1) {
        cli_live_index(shm, camera, live);
    }
}


static void
cli_live_state(const cli_shm_t *shm, cli_live_t *live)
{
    cam_registry_state_t  *state;

    state = cam_registry_state(shm->registry, live->slot);

#define cli_live_load(field)                                                  \
    live->state.field = __atomic_load_n(&state->field, __ATOMIC_ACQUIRE)

    cli_live_load(generation);
    cli_live_load(ended_generation);
    cli_live_load(refused_msec);
    cli_live_load(refused_reason);
    cli_live_load(refused_detail);
    cli_live_load(warning);
    cli_live_load(warning_detail);

#undef cli_live_load
}


static void
cli_live_ring(const cli_shm_t *shm, const uint8_t *camera, cli_live_t *live)
{
    cam_ring_reader_t  *r;

    if (cam_ring_reader_open(&r, shm->rings_fd, camera) != CAM_RING_OK) {
        return;
    }

    if (cam_ring_info(r, &live->ring) == CAM_RING_OK) {
        live->has_ring = 1;
        live->alive = cam_ring_writer_alive(r);
    }

    cam_ring_reader_close(r);
}


static void
cli_live_index(const cli_shm_t *shm, const uint8_t *camera, cli_live_t *live)
{
    cam_live_t  *reader;

    reader = cam_live_reader_open(shm->live_fd, camera);

    if (reader == NULL) {
        return;
    }

    live->has_index = cam_live_read(reader, &live->index) == 0;

    cam_live_close(reader);
}


int
cli_live_publishing(const cli_live_t *live)
{
    return live->slot >= 0 && live->has_ring && live->alive
           && live->state.generation != 0
           && live->state.generation != live->state.ended_generation;
}


int64_t
cli_live_silence(const cli_live_t *live)
{
    int64_t  now;

    if (!live->has_ring) {
        return -1;
    }

    now = cam_clock_monotonic_msec();

    return live->ring.last_media_msec < now
           ? now - live->ring.last_media_msec : 0;
}


const cam_live_init_t *
cli_live_init(const cli_live_t *live)
{
    const cam_live_segment_t  *last;

    if (!live->has_index || live->index.segments == 0) {
        return NULL;
    }

    last = &live->index.segment[live->index.segments - 1];

    return last->generation >= live->state.generation
           ? cli_live_find_init(&live->index, last->init) : NULL;
}


static const cam_live_init_t *
cli_live_find_init(const cam_live_index_t *index, uint32_t version)
{
    int  i;

    for (i = 0; i < CAM_LIVE_INITS; i++) {
        if (index->init[i].version == version && version != 0) {
            return &index->init[i];
        }
    }

    return NULL;
}


int64_t
cli_live_heartbeat(const cli_shm_t *shm)
{
    int         fd;
    char        text[64], *p;
    ssize_t     n;
    long long   at;

    fd = openat(shm->live_fd, ".worker", O_RDONLY|O_NOFOLLOW|O_CLOEXEC);

    if (fd == -1) {
        return -1;
    }

    n = read(fd, text, sizeof(text) - 1);
    close(fd);

    text[n > 0 ? n : 0] = '\0';
    p = strchr(text, ' ');
    at = p ? strtoll(p, NULL, 10) : 0;

    if (at <= 0) {
        return -1;
    }

    return cam_clock_monotonic_msec() > at ? cam_clock_monotonic_msec() - at
                                           : 0;
}


const char *
cli_live_status(const cli_live_t *live)
{
    int64_t  refused;

    if (live->has_index && live->index.state == CAM_LIVE_QUARANTINED) {
        return "error";
    }

    if (cli_live_publishing(live)) {

        if (cli_live_silence(live) > CLI_LIVE_SILENT_MSEC) {
            return "error";
        }

        return cli_live_has_picture(live) ? "online" : "connecting";
    }

    refused = cam_clock_wall_msec() - live->state.refused_msec;

    return live->state.refused_msec && refused < CLI_LIVE_REFUSED_MSEC
           ? "error" : "offline";
}


int
cli_live_has_picture(const cli_live_t *live)
{
    uint32_t                    i;
    const cam_live_init_t      *init;
    const cam_live_segment_t   *segment;

    for (i = 0; live->has_index && i < live->index.segments; i++) {
        segment = &live->index.segment[i];
        init = cli_live_find_init(&live->index, segment->init);

        if (segment->complete && init && init->has_video
            && segment->generation >= live->state.generation)
        {
            return 1;
        }
    }

    return 0;
}


json_t *
cli_live_json(const cli_live_t *live)
{
    json_t  *value;

    value = json_pack("{s:s}", "status", cli_live_status(live));

    if (cli_live_publishing(live)) {
        json_object_update_new(value, cli_live_publisher(live));
        json_object_update_new(value, cli_live_media(live));
    }

    if (live->state.refused_msec) {
        json_object_set_new(value, "lastRefusal", cli_live_refusal(live));
    }

    return value;
}


static json_t *
cli_live_publisher(const cli_live_t *live)
{
    char  since[32];

    return json_pack("{s:s, s:s, s:I, s:I, s:I}",
                     "since", cli_time_text(since,
                                            live->ring.started_msec / 1000),
                     "address", live->ring.addr,
                     "silentMsec", (json_int_t) cli_live_silence(live),
                     "videoFrames",
                     (json_int_t) live->ring.frames[CAM_TRACK_VIDEO],
                     "audioFrames",
                     (json_int_t) live->ring.frames[CAM_TRACK_AUDIO]);
}


static json_t *
cli_live_media(const cli_live_t *live)
{
    json_t                 *value;
    const cam_live_init_t  *init;

    value = json_object();
    init = cli_live_init(live);

    if (init) {
        json_object_update_new(value,
            json_pack("{s:s, s:i, s:i, s:i}", "codecs", init->codecs,
                      "width", (int) init->width, "height", (int) init->height,
                      "bitrate", (int) init->bandwidth));
    }

    if (live->state.warning) {
        json_object_set_new(value, "warning",
                            json_string(cam_reason_name(live->state.warning)));
    }

    return value;
}


static json_t *
cli_live_refusal(const cli_live_t *live)
{
    char  at[32];

    return json_pack("{s:s, s:s, s:s}",
                     "reason", cam_reason_name(live->state.refused_reason),
                     "text", cam_reason_text(live->state.refused_reason),
                     "at", cli_time_text(at, live->state.refused_msec / 1000));
}
