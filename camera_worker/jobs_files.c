/*
 * Copyright (C) The nginx camera platform authors
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jobs_files.h"
#include "log.h"

#define CW_JOBS_FILES_MAX  65536


static int cw_jobs_files_read_names(cw_jobs_files_t *files, DIR *dir);
static int cw_jobs_files_is_name(const char *name);
static int cw_jobs_files_cmp(const void *one, const void *two);


int
cw_jobs_files_list(cw_jobs_files_t *files, int volume)
{
    DIR  *dir;

    files->n = 0;
    files->name = NULL;
    files->fd = openat(volume, "journal",
                       O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (files->fd == -1) {
        return -1;
    }

    dir = fdopendir(dup(files->fd));

    if (dir == NULL || cw_jobs_files_read_names(files, dir) == -1) {
        cw_log(CW_LOG_CRIT, errno, "reading a journal's directory failed");

        if (dir != NULL) {
            (void) closedir(dir);
        }

        cw_jobs_files_free(files);
        return -1;
    }

    (void) closedir(dir);

    if (files->n > 0) {
        qsort(files->name, files->n, CW_JOBS_FILES_NAME, cw_jobs_files_cmp);
    }

    return 0;
}


static int
cw_jobs_files_read_names(cw_jobs_files_t *files, DIR *dir)
{
    void           *more;
    struct dirent  *de;

    for ( ;; ) {
        errno = 0;
        de = readdir(dir);

        if (de == NULL) {
            return errno ? -1 : 0;
        }

        if (!cw_jobs_files_is_name(de->d_name)) {
            continue;
        }

        if (files->n == CW_JOBS_FILES_MAX) {
            errno = E2BIG;
            return -1;
        }

        if ((files->n & (files->n - 1)) == 0) {
            more = realloc(files->name, (files->n ? files->n * 2 : 1)
                                        * CW_JOBS_FILES_NAME);
            if (more == NULL) {
                return -1;
            }

            files->name = more;
        }

        memcpy(files->name[files->n++], de->d_name, CW_JOBS_FILES_NAME);
    }
}


static int
cw_jobs_files_is_name(const char *name)
{
    return strlen(name) == CW_JOBS_FILES_NAME - 1
           && strspn(name, "0123456789") == 13
           && strcmp(name + 13, ".log") == 0;
}


static int
cw_jobs_files_cmp(const void *one, const void *two)
{
    return strcmp(one, two);
}


void
cw_jobs_files_free(cw_jobs_files_t *files)
{
    (void) close(files->fd);
    free(files->name);
    files->name = NULL;
}


int
cw_jobs_files_find(const cw_jobs_files_t *files, const char *name)
{
    int  i;

    for (i = 0; i < files->n; i++) {
        if (strcmp(files->name[i], name) >= 0) {
            return i;
        }
    }

    return -1;
}


int64_t
cw_jobs_files_pending(const cw_jobs_files_t *files, int current,
    const char *name, int64_t position)
{
    int          i;
    int64_t      pending;
    struct stat  st;

    pending = 0;

    for (i = current; i != -1 && i < files->n; i++) {

        if (fstatat(files->fd, files->name[i], &st, AT_SYMLINK_NOFOLLOW)
            == 0)
        {
            pending += st.st_size;
        }

        if (strcmp(files->name[i], name) == 0) {
            pending -= position;
        }
    }

    return pending > 0 ? pending : 0;
}


ssize_t
cw_jobs_files_read(const cw_jobs_files_t *files, int n, int64_t position,
    char *buf, size_t size)
{
    int      fd;
    ssize_t  len;

    fd = openat(files->fd, files->name[n], O_RDONLY|O_NOFOLLOW|O_CLOEXEC);

    if (fd == -1) {
        cw_log(CW_LOG_CRIT, errno, "open(\"journal/%s\") failed",
               files->name[n]);
        return -1;
    }

    len = pread(fd, buf, size, position);

    if (len == -1) {
        cw_log(CW_LOG_CRIT, errno, "pread(\"journal/%s\") failed",
               files->name[n]);
    }

    (void) close(fd);

    return len;
}


/* a recorder that starts makes a file, reads in the others what is open, and
   writes that there first */

void
cw_jobs_files_remove(const cw_jobs_files_t *files, const char *name)
{
    int          i;
    struct stat  st;

    if (files->n == 0
        || fstatat(files->fd, files->name[files->n - 1], &st,
                   AT_SYMLINK_NOFOLLOW) == -1
        || st.st_size == 0)
    {
        return;
    }

    for (i = 0; i < files->n && strcmp(files->name[i], name) < 0; i++) {

        if (unlinkat(files->fd, files->name[i], 0) == -1) {
            cw_log(CW_LOG_WARN, errno, "unlink(\"journal/%s\") failed",
                   files->name[i]);
        }
    }
}
