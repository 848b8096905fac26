/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The writer of a live index: its lock, a new file, publishing.  Layout and
 * the order of a publish: live_index_layout.h.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "dir.h"
#include "live_index_layout.h"

#define CAM_LIVE_TMP       ".index"


static int cam_live_lock_dir(int livefd, const char *name);
static int cam_live_create(cam_live_t *live);
static int cam_live_write_file(int dirfd, const cam_live_file_t *file);
static uint64_t cam_live_newest_file(int dirfd);


cam_live_t *
cam_live_writer_open(int livefd, const uint8_t camera[CAM_UUID_LEN],
    cam_live_index_t **index)
{
    int          err;
    char         name[CAM_UUID_TEXT + 1];
    cam_live_t  *live;

    live = calloc(1, sizeof(cam_live_t));
    if (live == NULL) {
        return NULL;
    }

    memcpy(live->camera, camera, CAM_UUID_LEN);

    live->dirfd = cam_live_lock_dir(livefd, cam_uuid_print(name, camera));

    if (live->dirfd == -1) {
        free(live);
        return NULL;
    }

    /* a file that cannot be used is replaced: readers see it as stale */

    if ((cam_live_map(live, live->dirfd, 1) == -1
         || cam_live_read(live, &live->index) == -1)
        && cam_live_create(live) == -1)
    {
        err = errno;
        cam_live_close(live);
        errno = err;
        return NULL;
    }

    *index = &live->index;

    return live;
}


/* the directory's flock, not the file's, so that the file can be replaced */

static int
cam_live_lock_dir(int livefd, const char *name)
{
    int          fd, err, tries;
    struct stat  held, current;

    for (tries = 0; tries < 8; tries++) {

        if (mkdirat(livefd, name, 0750) == -1 && errno != EEXIST) {
            return -1;
        }

        fd = openat(livefd, name, O_RDONLY|O_DIRECTORY|O_CLOEXEC|O_NOFOLLOW);
        if (fd == -1) {
            return -1;
        }

        if (flock(fd, LOCK_EX|LOCK_NB) == -1) {
            err = (errno == EWOULDBLOCK) ? EBUSY : errno;
            close(fd);
            errno = err;
            return -1;
        }

        /* it may have been removed before it was locked */

        if (fstat(fd, &held) == 0
            && fstatat(livefd, name, &current, AT_SYMLINK_NOFOLLOW) == 0
            && held.st_ino == current.st_ino && held.st_dev == current.st_dev)
        {
            return fd;
        }

        close(fd);
    }

    errno = EBUSY;

    return -1;
}


/*
 * A new file.  Its first sequence number is the Unix time, or above any media
 * file that is still there: a cache in front of us must never see a name
 * again, and a camera makes less than one segment a second for long.
 */

static int
cam_live_create(cam_live_t *live)
{
    int                err;
    uint64_t           msn;
    cam_live_file_t   *file;
    cam_live_index_t  *index;

    if (live->file != NULL) {
        munmap(live->file, sizeof(cam_live_file_t));
        live->file = NULL;
    }

    index = &live->index;
    memset(index, 0, sizeof(cam_live_index_t));

    msn = cam_live_newest_file(live->dirfd) + 1;
    index->next_msn = cam_clock_wall_msec() / 1000;

    if (index->next_msn < msn) {
        index->next_msn = msn;
    }

    memcpy(index->camera, live->camera, CAM_UUID_LEN);
    index->target_msec = CAM_LIVE_TARGET_MSEC;
    index->part_target_msec = CAM_LIVE_PART_MSEC;

    file = calloc(1, sizeof(cam_live_file_t));
    if (file == NULL) {
        return -1;
    }

    file->header.magic = CAM_LIVE_MAGIC;
    file->header.layout = CAM_LIVE_LAYOUT;
    file->header.image = sizeof(cam_live_index_t);
    memcpy(file->header.camera, live->camera, CAM_UUID_LEN);
    memcpy(file->image[0], index, sizeof(cam_live_index_t));

    err = cam_live_write_file(live->dirfd, file);
    free(file);

    if (err != 0) {
        unlinkat(live->dirfd, CAM_LIVE_TMP, 0);
        errno = err;
        return -1;
    }

    return cam_live_map(live, live->dirfd, 1);
}


/* 0 or an errno; all blocks are there before anybody maps it, for a store
   into a hole of a full tmpfs is a SIGBUS */

static int
cam_live_write_file(int dirfd, const cam_live_file_t *file)
{
    int  fd, err;

    fd = openat(dirfd, CAM_LIVE_TMP,
                O_RDWR|O_CREAT|O_TRUNC|O_CLOEXEC|O_NOFOLLOW, 0640);
    if (fd == -1) {
        return errno;
    }

    err = posix_fallocate(fd, 0, sizeof(cam_live_file_t));

    if (err == 0 && (write(fd, file, sizeof(cam_live_file_t))
                     != (ssize_t) sizeof(cam_live_file_t)
                     || renameat(dirfd, CAM_LIVE_TMP, dirfd, CAM_LIVE_FILE)
                        == -1))
    {
        err = errno;
    }

    close(fd);

    return err;
}


static uint64_t
cam_live_newest_file(int dirfd)
{
    DIR            *dir;
    char           *end;
    uint64_t        msn, newest;
    struct dirent  *de;

    newest = 0;

    dir = cam_dir_open(dirfd, ".");
    if (dir == NULL) {
        return newest;
    }

    while ((de = readdir(dir)) != NULL) {

        msn = strtoull(de->d_name, &end, 10);

        if (strcmp(end, ".m4s") == 0 && msn > newest && msn < INT64_MAX) {
            newest = msn;
        }
    }

    closedir(dir);

    return newest;
}


void
cam_live_publish(cam_live_t *live)
{
    uint64_t            version;
    cam_live_header_t  *h;

    h = &live->file->header;
    live->index.updated_msec = cam_clock_monotonic_msec();

    version = __atomic_load_n(&h->version, __ATOMIC_RELAXED) + 1;

    __atomic_store_n(&h->begin, version, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);

    cam_live_copy(live->file->image[version & 1], (uint64_t *) &live->index);

    __atomic_store_n(&h->version, version, __ATOMIC_RELEASE);
}


int
cam_live_dirfd(const cam_live_t *live)
{
    return live->dirfd;
}
