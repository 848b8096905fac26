/*
 * Copyright (C) The nginx camera platform authors
 */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "dir.h"


DIR *
cam_dir_open(int parentfd, const char *path)
{
    int   fd, err;
    DIR  *dir;

    fd = openat(parentfd, path, O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);
    if (fd == -1) {
        return NULL;
    }

    dir = fdopendir(fd);

    if (dir == NULL) {
        err = errno;
        close(fd);
        errno = err;
    }

    return dir;
}
