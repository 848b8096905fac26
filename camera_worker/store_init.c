/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Init files: made whole under another name and renamed, shared by as many
 * segments as go by, replaced when no segment kept needs them.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "store.h"

#define CW_STORE_TMP       ".init"
#define CW_STORE_INIT_MAX  16384


static int cw_store_init_is_same(cw_store_t *store, uint32_t version,
    const uint8_t *data, size_t size);
static int cw_store_write_init(cw_store_t *store, uint32_t version,
    const uint8_t *data, size_t size);
static cam_live_init_t *cw_store_init_slot(cw_store_t *store);
static int cw_store_init_is_used(const cam_live_index_t *index,
    uint32_t version);


int
cw_store_init(cw_store_t *store, cam_live_init_t *init, const uint8_t *data,
    size_t size)
{
    uint32_t          version;
    cam_live_init_t  *slot;

    version = cw_store_current_init(store)->version;

    if (version && cw_store_init_is_same(store, version, data, size)) {
        init->version = version;
        return 0;
    }

    /* as with sequence numbers: a name is never used again */

    init->version = version ? version + 1 : cam_clock_wall_msec() / 1000;
    init->size = size;

    if (cw_store_write_init(store, init->version, data, size) == -1) {
        cw_store_failed(store, "init file");
        return -1;
    }

    slot = cw_store_init_slot(store);
    *slot = *init;
    cam_live_publish(store->live);

    return 0;
}


/* a reconnect or a restart without a change goes on with the same file */

static int
cw_store_init_is_same(cw_store_t *store, uint32_t version,
    const uint8_t *data, size_t size)
{
    int      fd;
    char     name[CAM_LIVE_NAME_MAX];
    ssize_t  n;
    uint8_t  buf[CW_STORE_INIT_MAX];

    if (size >= sizeof(buf)) {
        return 0;
    }

    fd = openat(cam_live_dirfd(store->live), cam_live_init_name(name, version),
                O_RDONLY|O_CLOEXEC|O_NOFOLLOW);
    if (fd == -1) {
        return 0;
    }

    n = read(fd, buf, sizeof(buf));
    close(fd);

    return n == (ssize_t) size && memcmp(buf, data, size) == 0;
}


static int
cw_store_write_init(cw_store_t *store, uint32_t version, const uint8_t *data,
    size_t size)
{
    int      fd, dirfd, err;
    char     name[CAM_LIVE_NAME_MAX];
    ssize_t  n;

    dirfd = cam_live_dirfd(store->live);

    fd = openat(dirfd, CW_STORE_TMP,
                O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC|O_NOFOLLOW, 0640);
    if (fd == -1) {
        return -1;
    }

    n = write(fd, data, size);
    err = (n == -1) ? errno : ENOSPC;
    close(fd);

    if (n == (ssize_t) size) {

        if (renameat(dirfd, CW_STORE_TMP, dirfd,
                     cam_live_init_name(name, version)) == 0)
        {
            return 0;
        }

        err = errno;
    }

    unlinkat(dirfd, CW_STORE_TMP, 0);
    errno = err;

    return -1;
}


/*
 * The oldest version that no segment needs.  When each slot is needed, the
 * codec changed eight times within the window: the oldest segments go.
 */

static cam_live_init_t *
cw_store_init_slot(cw_store_t *store)
{
    int               i;
    char              name[CAM_LIVE_NAME_MAX];
    cam_live_init_t  *oldest, *init;

    for ( ;; ) {
        oldest = NULL;

        for (i = 0; i < CAM_LIVE_INITS; i++) {
            init = &store->index->init[i];

            if (init->version == 0) {
                return init;
            }

            if (!cw_store_init_is_used(store->index, init->version)
                && (oldest == NULL || init->version < oldest->version))
            {
                oldest = init;
            }
        }

        if (oldest != NULL) {
            unlinkat(cam_live_dirfd(store->live),
                     cam_live_init_name(name, oldest->version), 0);
            return oldest;
        }

        cw_store_drop_oldest(store);
    }
}


static int
cw_store_init_is_used(const cam_live_index_t *index, uint32_t version)
{
    uint32_t  i;

    for (i = 0; i < index->segments; i++) {
        if (index->segment[i].init == version) {
            return 1;
        }
    }

    return 0;
}


cam_live_init_t *
cw_store_current_init(cw_store_t *store)
{
    int               i;
    cam_live_init_t  *init;

    init = &store->index->init[0];

    for (i = 1; i < CAM_LIVE_INITS; i++) {
        if (store->index->init[i].version > init->version) {
            init = &store->index->init[i];
        }
    }

    return init;
}
