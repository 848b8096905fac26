/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The view of a camera, by shared memory that is opened for it, read-only; and
 * as JSON.
 */

#ifndef CLI_LIVE_H
#define CLI_LIVE_H

#include "cli.h"
#include "view.h"

#define CLI_LIVE_BEAT_MSEC  5000     /* camera-worker beats each second */


typedef struct {
    int               error;         /* errno of the registry, or 0 */
    cam_registry_t   *registry;
    int               rings_fd;
    int               live_fd;
} cli_shm_t;


typedef struct {
    cam_view_t         view;
    cam_live_index_t   index;        /* view.index, when there is one */
} cli_live_t;


void cli_shm_open(cli_shm_t *shm, const char *path);
void cli_shm_close(cli_shm_t *shm);

void cli_live_look(const cli_shm_t *shm, const uint8_t camera[CAM_UUID_LEN],
    cli_live_t *live);

/* age of camera-worker's last sign of life in ms, or -1 */
int64_t cli_live_heartbeat(const cli_shm_t *shm);

json_t *cli_live_json(const cli_live_t *live);


#endif /* CLI_LIVE_H */
