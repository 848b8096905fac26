/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Preloaded, it makes a disk slow, hang, or fail, at any moment: by the words of
 * the file $CAMERA_DISK, for processes whose name begins with $CAMERA_DISK_OF.
 * A call that fails is not made.
 */

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DISK_COMM  16


typedef struct {
    int64_t     write_msec;         /* a write takes so much longer */
    int64_t     sync_msec;          /* a sync, too */
    int64_t     write_errno;        /* of the next */
    int64_t     write_fails;        /* so many writes */
    int64_t     sync_errno;
    int64_t     sync_fails;
    int64_t     syncs;              /* that were asked for */
} disk_t;


static volatile disk_t  *disk;
static const char       *disk_of;


__attribute__((constructor))
static void
disk_open(void)
{
    int          fd;
    void        *p;
    const char  *path;

    path = getenv("CAMERA_DISK");
    disk_of = getenv("CAMERA_DISK_OF");
    fd = path != NULL ? open(path, O_RDWR|O_CLOEXEC) : -1;

    if (fd == -1) {
        return;
    }

    p = mmap(NULL, sizeof(disk_t), PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);

    if (p != MAP_FAILED) {
        disk = p;
    }
}


static int
disk_is_for_us(void)
{
    char  comm[DISK_COMM];

    if (disk == NULL || disk_of == NULL
        || prctl(PR_GET_NAME, comm) == -1)
    {
        return 0;
    }

    return strncmp(comm, disk_of, strlen(disk_of)) == 0;
}


/* in small steps, for the test may have mercy */

static void
disk_wait(volatile int64_t *msec)
{
    int64_t          waited;
    struct timespec  ts;

    ts.tv_sec = 0;
    ts.tv_nsec = 10000000;

    for (waited = 0; waited < *msec; waited += 10) {
        (void) nanosleep(&ts, NULL);
    }
}


/* -1 when it is the turn of an error, which errno is then */

static int
disk_fails(volatile int64_t *fails, volatile int64_t *err)
{
    if (*fails <= 0 || __sync_fetch_and_sub(fails, 1) <= 0) {
        return 0;
    }

    errno = (int) *err;

    return -1;
}


static int
disk_write(void)
{
    if (!disk_is_for_us()) {
        return 0;
    }

    disk_wait(&disk->write_msec);

    return disk_fails(&disk->write_fails, &disk->write_errno);
}


static int
disk_sync(void)
{
    if (!disk_is_for_us()) {
        return 0;
    }

    __sync_fetch_and_add(&disk->syncs, 1);
    disk_wait(&disk->sync_msec);

    return disk_fails(&disk->sync_fails, &disk->sync_errno);
}


ssize_t
pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return disk_write() == -1 ? -1
           : syscall(SYS_pwrite64, fd, data, size, offset);
}


ssize_t
pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    return pwrite(fd, data, size, offset);
}


int
fsync(int fd)
{
    return disk_sync() == -1 ? -1 : syscall(SYS_fsync, fd);
}


int
fdatasync(int fd)
{
    return disk_sync() == -1 ? -1 : syscall(SYS_fdatasync, fd);
}


int
syncfs(int fd)
{
    return disk_sync() == -1 ? -1 : syscall(SYS_syncfs, fd);
}
