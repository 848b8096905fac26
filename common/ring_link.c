/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Names in rings/: files {camera}.{generation}, and for each camera one
 * symbolic link {camera} to its current file.
 *
 * A link only ever moves to a higher generation, though its writers are
 * unrelated processes without a lock between them.  A new link is exchanged
 * with the present one in one step and what came back is looked at: was it
 * the newer one, it is exchanged again.  In the same way a link is taken away
 * first and looked at afterwards.  Whoever is killed between the two steps
 * leaves a {camera}.{generation}.link, which the sweep removes.  The file of a
 * killed writer goes when its successor takes the link.
 *
 * A reader never follows a link: it reads the text, accepts nothing but a
 * name of that camera, and opens that with O_NOFOLLOW.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE                  /* renameat2() */
#endif

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dir.h"
#include "ring_format.h"

#define CAM_RING_LINK_TRIES  100


static int cam_ring_link_exchange(int dirfd,
    const uint8_t camera[CAM_UUID_LEN], uint64_t generation,
    uint64_t *displaced);
static uint64_t cam_ring_target_read(int dirfd, const char *name,
    const uint8_t camera[CAM_UUID_LEN]);
static uint64_t cam_ring_name_parse(const char *name,
    uint8_t camera[CAM_UUID_LEN], const char **rest);
static void cam_ring_spare(char name[CAM_RING_NAME],
    const uint8_t camera[CAM_UUID_LEN], uint64_t generation);
static int cam_ring_sweep_name(int dirfd, const char *name);
static int cam_ring_sweep_file(int dirfd, const uint8_t camera[CAM_UUID_LEN],
    uint64_t generation);


char *
cam_ring_name(char name[CAM_RING_NAME], const uint8_t camera[CAM_UUID_LEN],
    uint64_t generation)
{
    cam_uuid_print(name, camera);

    if (generation) {
        snprintf(name + CAM_UUID_TEXT, CAM_RING_NAME - CAM_UUID_TEXT,
                 ".%" PRIu64, generation);
    }

    return name;
}


uint64_t
cam_ring_link_read(int dirfd, const uint8_t camera[CAM_UUID_LEN])
{
    char  name[CAM_RING_NAME];

    return cam_ring_target_read(dirfd, cam_ring_name(name, camera, 0), camera);
}


static uint64_t
cam_ring_target_read(int dirfd, const char *name,
    const uint8_t camera[CAM_UUID_LEN])
{
    char         target[CAM_RING_NAME];
    ssize_t      n;
    uint8_t      owner[CAM_UUID_LEN];
    uint64_t     generation;
    const char  *rest;

    n = readlinkat(dirfd, name, target, sizeof(target));

    if (n < 0) {
        return 0;
    }

    if ((size_t) n < sizeof(target)) {
        target[n] = '\0';
        generation = cam_ring_name_parse(target, owner, &rest);

        if (generation && *rest == '\0'
            && memcmp(owner, camera, CAM_UUID_LEN) == 0)
        {
            return generation;
        }
    }

    errno = EBADMSG;
    return 0;
}


/* "{camera}.{generation}" as cam_ring_name() writes it; 0 when it is not */

static uint64_t
cam_ring_name_parse(const char *name, uint8_t camera[CAM_UUID_LEN],
    const char **rest)
{
    uint64_t     n;
    const char  *p;

    if (strlen(name) < CAM_UUID_TEXT + 2
        || cam_uuid_parse(camera, name, CAM_UUID_TEXT) == -1
        || name[CAM_UUID_TEXT] != '.'
        || name[CAM_UUID_TEXT + 1] == '0')
    {
        return 0;
    }

    n = 0;

    for (p = name + CAM_UUID_TEXT + 1; *p >= '0' && *p <= '9'; p++) {
        if (__builtin_mul_overflow(n, 10, &n)
            || __builtin_add_overflow(n, (uint64_t) (*p - '0'), &n))
        {
            return 0;
        }
    }

    *rest = p;

    return n;
}


int
cam_ring_link_set(int dirfd, const uint8_t camera[CAM_UUID_LEN],
    uint64_t generation)
{
    int       err;
    char      file[CAM_RING_NAME], spare[CAM_RING_NAME];
    uint64_t  displaced;

    cam_ring_name(file, camera, generation);
    cam_ring_spare(spare, camera, generation);

    if (symlinkat(file, dirfd, spare) == -1) {
        return -1;
    }

    if (cam_ring_link_exchange(dirfd, camera, generation, &displaced) == -1) {
        err = errno;
        unlinkat(dirfd, spare, 0);
        errno = err;
        return -1;
    }

    unlinkat(dirfd, spare, 0);

    if (displaced == generation) {
        errno = ESTALE;
        return -1;
    }

    if (displaced) {
        (void) cam_ring_sweep_file(dirfd, camera, displaced);
    }

    return 0;
}


/*
 * Puts the spare link in the place of the camera's, until what is there is
 * the newest of all that were seen; displaced is what the spare one names
 * then, 0 when that is nothing.
 */

static int
cam_ring_link_exchange(int dirfd, const uint8_t camera[CAM_UUID_LEN],
    uint64_t generation, uint64_t *displaced)
{
    int       i;
    char      link[CAM_RING_NAME], spare[CAM_RING_NAME];
    uint64_t  put;

    cam_ring_name(link, camera, 0);
    cam_ring_spare(spare, camera, generation);

    put = generation;

    for (i = 0; i < CAM_RING_LINK_TRIES; i++) {

        if (renameat2(dirfd, spare, dirfd, link, RENAME_NOREPLACE) == 0) {
            *displaced = put == generation ? 0 : generation;
            return 0;
        }

        if (errno == EEXIST
            && renameat2(dirfd, spare, dirfd, link, RENAME_EXCHANGE) == 0)
        {
            *displaced = cam_ring_target_read(dirfd, spare, camera);

            if (*displaced <= put) {
                return 0;
            }

            put = *displaced;
            continue;
        }

        /* it was taken away between the two */

        if (errno != ENOENT) {
            return -1;
        }
    }

    return -1;
}


void
cam_ring_link_remove(int dirfd, const uint8_t camera[CAM_UUID_LEN],
    uint64_t generation)
{
    char  link[CAM_RING_NAME], spare[CAM_RING_NAME];

    if (cam_ring_link_read(dirfd, camera) != generation) {
        return;
    }

    cam_ring_name(link, camera, 0);
    cam_ring_spare(spare, camera, generation);

    if (renameat(dirfd, link, dirfd, spare) == -1) {
        return;
    }

    if (cam_ring_target_read(dirfd, spare, camera) != generation
        && renameat2(dirfd, spare, dirfd, link, RENAME_NOREPLACE) == 0)
    {
        return;
    }

    unlinkat(dirfd, spare, 0);
}


/* the name a link has while it is exchanged */

static void
cam_ring_spare(char name[CAM_RING_NAME], const uint8_t camera[CAM_UUID_LEN],
    uint64_t generation)
{
    cam_ring_name(name, camera, generation);
    strcat(name, ".link");
}


int
cam_ring_sweep(int dirfd)
{
    int             n;
    DIR            *dir;
    struct dirent  *entry;

    dir = cam_dir_open(dirfd, ".");
    if (dir == NULL) {
        return 0;
    }

    n = 0;

    while ((entry = readdir(dir)) != NULL) {
        n += cam_ring_sweep_name(dirfd, entry->d_name);
    }

    closedir(dir);

    return n;
}


static int
cam_ring_sweep_name(int dirfd, const char *name)
{
    char         file[CAM_RING_NAME];
    uint8_t      camera[CAM_UUID_LEN];
    uint64_t     generation;
    const char  *rest;

    generation = cam_ring_name_parse(name, camera, &rest);

    if (generation == 0) {
        return 0;
    }

    if (*rest == '\0') {
        return cam_ring_sweep_file(dirfd, camera, generation);
    }

    /* a writer's, killed between two renames: its file is gone or unlocked */

    if (strcmp(rest, ".link") == 0) {
        cam_ring_name(file, camera, generation);

        if (faccessat(dirfd, file, F_OK, AT_SYMLINK_NOFOLLOW) == -1) {
            unlinkat(dirfd, name, 0);
        }
    }

    return 0;
}


/*
 * The lock is held while the file is removed, so that a file which is only
 * just being created is left alone, or its writer finds the lock taken.
 */

static int
cam_ring_sweep_file(int dirfd, const uint8_t camera[CAM_UUID_LEN],
    uint64_t generation)
{
    int   fd, removed;
    char  name[CAM_RING_NAME];

    cam_ring_name(name, camera, generation);

    fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd == -1) {
        return 0;
    }

    removed = 0;

    if (flock(fd, LOCK_EX | LOCK_NB) == 0
        && cam_ring_link_read(dirfd, camera) != generation
        && unlinkat(dirfd, name, 0) == 0)
    {
        removed = 1;
    }

    close(fd);

    return removed;
}
