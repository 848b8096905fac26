/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A file appears whole, under its name by a link, so that of processes that
 * make it together one wins and the others take the winner's.  Its pages are
 * there before it is mapped: a store into a hole of a full tmpfs is a SIGBUS.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared_file.h"


#define CAM_SHARED_FILE_TRIES  3
#define CAM_SHARED_FILE_KNOWN  64        /* of known_len, at most */


static int cam_shared_file_open(const char *path,
    const cam_shared_file_t *file);
static int cam_shared_file_usable(int fd, const cam_shared_file_t *file);
static void cam_shared_file_remove(const char *path, int fd);
static int cam_shared_file_create(const char *path,
    const cam_shared_file_t *file);


void *
cam_shared_file_map(const char *dir, const char *name,
    const cam_shared_file_t *file)
{
    int    fd, err;
    char   path[PATH_MAX];
    void  *map;

    if ((size_t) snprintf(path, sizeof(path), "%s/%s", dir, name)
        >= sizeof(path))
    {
        errno = ENAMETOOLONG;
        return NULL;
    }

    fd = cam_shared_file_open(path, file);
    if (fd == -1) {
        return NULL;
    }

    map = mmap(NULL, file->size, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);

    err = errno;
    close(fd);
    errno = err;

    return map != MAP_FAILED ? map : NULL;
}


static int
cam_shared_file_open(const char *path, const cam_shared_file_t *file)
{
    int  fd, tries;

    for (tries = 0; tries < CAM_SHARED_FILE_TRIES; tries++) {
        fd = open(path, O_RDWR|O_NOFOLLOW|O_CLOEXEC);

        if (fd != -1) {
            if (cam_shared_file_usable(fd, file)) {
                return fd;
            }

            cam_shared_file_remove(path, fd);
            close(fd);

        } else if (errno != ENOENT) {
            return -1;
        }

        if (cam_shared_file_create(path, file) == -1 && errno != EEXIST) {
            return -1;
        }
    }

    errno = EPROTO;
    return -1;
}


static int
cam_shared_file_usable(int fd, const cam_shared_file_t *file)
{
    char         known[CAM_SHARED_FILE_KNOWN];
    ssize_t      len;
    struct stat  st;

    len = file->known_len;

    return len <= CAM_SHARED_FILE_KNOWN
           && fstat(fd, &st) == 0
           && st.st_size == (off_t) file->size
           && pread(fd, known, len, 0) == len
           && memcmp(known, file->header, len) == 0;
}


/* only this very file: another process may have put a good one in its place */

static void
cam_shared_file_remove(const char *path, int fd)
{
    struct stat  held, there;

    if (flock(fd, LOCK_EX) == 0 && fstat(fd, &held) == 0
        && lstat(path, &there) == 0 && held.st_ino == there.st_ino)
    {
        unlink(path);
    }
}


static int
cam_shared_file_create(const char *path, const cam_shared_file_t *file)
{
    int   fd, err;
    char  temp[PATH_MAX];

    if ((size_t) snprintf(temp, sizeof(temp), "%s.%d", path, (int) getpid())
        >= sizeof(temp))
    {
        errno = ENAMETOOLONG;
        return -1;
    }

    fd = open(temp, O_RDWR|O_CREAT|O_TRUNC|O_NOFOLLOW|O_CLOEXEC, 0640);
    if (fd == -1) {
        return -1;
    }

    err = posix_fallocate(fd, 0, file->size);

    if (err == 0 && pwrite(fd, file->header, file->header_len, 0)
                    != (ssize_t) file->header_len)
    {
        err = EIO;
    }

    if (err == 0 && link(temp, path) == -1) {
        err = errno;
    }

    close(fd);
    unlink(temp);

    errno = err;
    return err ? -1 : 0;
}
