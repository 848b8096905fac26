/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Runs once a minute, and some seconds after cameras were changed, in the first
 * package child, on whatever lies in live/.  Only directories whose name is a
 * UUID are ours.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "dir.h"
#include "log.h"
#include "snapshot_file.h"
#include "store.h"
#include "sweep.h"

#define CW_SWEEP_ENDED_MSEC    3600000
#define CW_SWEEP_SNAPSHOT_SEC  60


static void cw_sweep_camera(int livefd, cam_registry_t *registry,
    const uint8_t *camera);
static void cw_sweep_snapshots(int livefd, const uint8_t *camera);
static int cw_sweep_is_published(cam_registry_t *registry, int slot);
static void cw_sweep_remove(int livefd, const uint8_t *camera);


void
cw_sweep(int livefd, cam_registry_t *registry)
{
    DIR                  *dir;
    uint8_t               camera[CAM_UUID_LEN];
    struct dirent        *de;
    cam_registry_info_t   info;

    /* a registry that was never fed knows no camera at all */

    cam_registry_info(registry, &info);

    if (info.fed_at == 0) {
        return;
    }

    dir = cam_dir_open(livefd, ".");
    if (dir == NULL) {
        return;
    }

    while ((de = readdir(dir)) != NULL) {
        if (cam_uuid_parse(camera, de->d_name, strlen(de->d_name)) == 0) {
            cw_sweep_camera(livefd, registry, camera);
        }
    }

    closedir(dir);
}


static void
cw_sweep_camera(int livefd, cam_registry_t *registry, const uint8_t *camera)
{
    int                    rc, slot;
    cw_store_t             store;
    cam_live_t            *live;
    cam_live_index_t       index;
    cam_registry_entry_t   entry;

    slot = cam_registry_find_id(registry, camera, &entry);

    if (slot == -1) {
        cw_sweep_remove(livefd, camera);
        return;
    }

    cw_sweep_snapshots(livefd, camera);

    if (cw_sweep_is_published(registry, slot)) {
        return;
    }

    live = cam_live_reader_open(livefd, camera);

    if (live == NULL) {
        return;
    }

    rc = cam_live_read(live, &index);
    cam_live_close(live);

    if (rc == -1) {
        return;
    }

    if (index.state == CAM_LIVE_ON) {

        /* fails when a child has it: then it is not dead */

        if (cw_store_open(&store, livefd, camera) == 0) {
            cw_store_state(&store, CAM_LIVE_ENDED, index.warning);
            cw_store_close(&store);
        }

        return;
    }

    if (cam_clock_monotonic_msec() - (int64_t) index.updated_msec
        > CW_SWEEP_ENDED_MSEC)
    {
        cw_sweep_remove(livefd, camera);
    }
}


/* those that nobody asked for lately; the change time tells */

static void
cw_sweep_snapshots(int livefd, const uint8_t *camera)
{
    char         uuid[CAM_UUID_TEXT + 1], name[CAM_SNAPSHOT_NAME_MAX];
    char         path[sizeof(uuid) + sizeof(name)];
    time_t       now;
    unsigned     n;
    struct stat  st;

    now = cam_clock_wall_msec() / 1000;
    cam_uuid_print(uuid, camera);

    for (n = 0; n < CAM_SNAPSHOT_WIDTHS; n++) {
        snprintf(path, sizeof(path), "%s/%s", uuid,
                 cam_snapshot_name(name, n));

        if (fstatat(livefd, path, &st, AT_SYMLINK_NOFOLLOW) == 0
            && now - st.st_ctime > CW_SWEEP_SNAPSHOT_SEC)
        {
            (void) unlinkat(livefd, path, 0);
        }
    }
}


static int
cw_sweep_is_published(cam_registry_t *registry, int slot)
{
    cam_registry_state_t  *state;

    state = cam_registry_state(registry, slot);

    return __atomic_load_n(&state->generation, __ATOMIC_ACQUIRE)
           != __atomic_load_n(&state->ended_generation, __ATOMIC_ACQUIRE);
}


/* under the writer's lock, so that nobody is packaging into it */

static void
cw_sweep_remove(int livefd, const uint8_t *camera)
{
    DIR            *dir;
    char            name[CAM_UUID_TEXT + 1];
    cw_store_t      store;
    struct dirent  *de;

    if (cw_store_open(&store, livefd, camera) == -1) {
        return;
    }

    dir = cam_dir_open(cam_live_dirfd(store.live), ".");

    if (dir != NULL) {
        while ((de = readdir(dir)) != NULL) {
            if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
            {
                (void) unlinkat(dirfd(dir), de->d_name, 0);
            }
        }

        closedir(dir);
    }

    cam_uuid_print(name, camera);

    if (unlinkat(livefd, name, AT_REMOVEDIR) == -1) {
        cw_log(CW_LOG_WARN, errno, "rmdir(\"%s\") failed", name);

    } else {
        cw_log(CW_LOG_INFO, 0, "removed the live store of camera %s", name);
    }

    cw_store_close(&store);
}
