/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What shared memory says about a camera at this moment: its registry entry
 * and state, the header of its ring, the live index.  Everything is opened
 * read-only, and what is not there is simply not known.
 */

#ifndef CLI_LIVE_H
#define CLI_LIVE_H

#include "cli.h"
#include "live_index.h"
#include "ring.h"

#define CLI_LIVE_SILENT_MSEC  3000   /* the takeover rule's silence */
#define CLI_LIVE_BEAT_MSEC    5000   /* camera-worker beats each second */


typedef struct {
    int               error;         /* errno of the registry, or 0 */
    cam_registry_t   *registry;
    int               rings_fd;
    int               live_fd;
} cli_shm_t;


typedef struct {
    int                    slot;     /* -1: nginx does not know the camera */
    cam_registry_entry_t   entry;
    cam_registry_state_t   state;
    int                    has_ring;
    int                    alive;    /* the ring's writer */
    cam_ring_info_t        ring;
    int                    has_index;
    cam_live_index_t       index;
} cli_live_t;


void cli_shm_open(cli_shm_t *shm, const char *path);
void cli_shm_close(cli_shm_t *shm);

void cli_live_look(const cli_shm_t *shm, const uint8_t camera[CAM_UUID_LEN],
    cli_live_t *live);

/* 1 while somebody publishes and the writer of the ring lives */
int cli_live_publishing(const cli_live_t *live);
/* ms since the last frame; -1 without a ring */
int64_t cli_live_silence(const cli_live_t *live);
/* of the newest segment of this publication; NULL when there is none */
const cam_live_init_t *cli_live_init(const cli_live_t *live);
/* 1 when a whole segment of this publication, with video, is there */
int cli_live_has_picture(const cli_live_t *live);
/* age of camera-worker's last sign of life in ms, or -1 */
int64_t cli_live_heartbeat(const cli_shm_t *shm);

/* "online", "connecting", "error" or "offline" */
const char *cli_live_status(const cli_live_t *live);
json_t *cli_live_json(const cli_live_t *live);


#endif /* CLI_LIVE_H */
