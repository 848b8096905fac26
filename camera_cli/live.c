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


static int cli_shm_dir(const char *shm, const char *name);
static void cli_live_index(const cli_shm_t *shm, const uint8_t *camera,
    cli_live_t *live);
static json_t *cli_live_publisher(const cam_view_t *view);
static json_t *cli_live_media(const cam_view_t *view);
static json_t *cli_live_refusal(const cam_view_t *view);


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
    (void) cam_view_look(&live->view, shm->registry, camera);

    if (shm->rings_fd != -1) {
        cam_view_look_ring(&live->view, shm->rings_fd, camera);
    }

    if (shm->live_fd != -1) {
        cli_live_index(shm, camera, live);
    }
}


static void
cli_live_index(const cli_shm_t *shm, const uint8_t *camera, cli_live_t *live)
{
    cam_live_t  *reader;

    reader = cam_live_reader_open(shm->live_fd, camera);

    if (reader == NULL) {
        return;
    }

    if (cam_live_read(reader, &live->index) == 0) {
        live->view.index = &live->index;
    }

    cam_live_close(reader);
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


json_t *
cli_live_json(const cli_live_t *live)
{
    json_t            *value;
    const cam_view_t  *view;

    view = &live->view;
    value = json_pack("{s:s}", "status", cam_view_status(view));

    if (cam_view_publishing(view)) {
        json_object_update_new(value, cli_live_publisher(view));
        json_object_update_new(value, cli_live_media(view));
    }

    if (view->state.refused_msec) {
        json_object_set_new(value, "lastRefusal", cli_live_refusal(view));
    }

    return value;
}


static json_t *
cli_live_publisher(const cam_view_t *view)
{
    char  since[32];

    return json_pack("{s:s, s:s, s:I, s:I, s:I}",
                     "since", cli_time_text(since,
                                            view->ring.started_msec / 1000),
                     "address", view->ring.addr,
                     "silentMsec", (json_int_t) cam_view_silence(view),
                     "videoFrames",
                     (json_int_t) view->ring.frames[CAM_TRACK_VIDEO],
                     "audioFrames",
                     (json_int_t) view->ring.frames[CAM_TRACK_AUDIO]);
}


static json_t *
cli_live_media(const cam_view_t *view)
{
    json_t                 *value;
    const cam_live_init_t  *init;

    value = json_object();
    init = cam_view_init(view);

    if (init) {
        json_object_update_new(value,
            json_pack("{s:s, s:i, s:i, s:i}", "codecs", init->codecs,
                      "width", (int) init->width, "height", (int) init->height,
                      "bitrate", (int) init->bandwidth));
    }

    if (view->state.warning) {
        json_object_set_new(value, "warning",
                            json_string(cam_reason_name(view->state.warning)));
    }

    return value;
}


static json_t *
cli_live_refusal(const cam_view_t *view)
{
    char  at[32];

    return json_pack("{s:s, s:s, s:s}",
                     "reason", cam_reason_name(view->state.refused_reason),
                     "text", cam_reason_text(view->state.refused_reason),
                     "at", cli_time_text(at, view->state.refused_msec / 1000));
}
