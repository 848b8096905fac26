/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The file shm/registry: made whole under a temporary name and renamed, while
 * the directory is locked, so that workers that start together agree on one
 * file and nobody sees half of it.  Its space is allocated before it is
 * mapped, because a store into a hole of a full tmpfs is a SIGBUS.
 *
 * Each writer holds a shared lock of the file as long as it maps it.  A file
 * of another size or layout is replaced when nobody holds one, and its cameras
 * move into the new one.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry_layout.h"


static cam_registry_t *cam_registry_open_at(int dirfd, uint32_t capacity,
    int write);
static cam_registry_t *cam_registry_replace(int dirfd, uint32_t capacity);
static cam_registry_t *cam_registry_create(int dirfd, uint32_t capacity,
    cam_registry_t *old);
static int cam_registry_fill(int fd, uint32_t capacity);
static cam_registry_t *cam_registry_map(int fd, uint32_t capacity, int write);
static int cam_registry_check(int fd, uint32_t capacity,
    cam_registry_header_t *header);


cam_registry_t *
cam_registry_open(const char *shm, uint32_t capacity, int write)
{
    int              dirfd, err;
    cam_registry_t  *reg;

    if (capacity > CAM_REGISTRY_CAPACITY_MAX) {
        errno = EINVAL;
        return NULL;
    }

    dirfd = open(shm, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (dirfd == -1) {
        return NULL;
    }

    reg = cam_registry_open_at(dirfd, capacity, write);

    if (reg == NULL && write && capacity != 0
        && (errno == ENOENT || errno == EINVAL || errno == EPROTO))
    {
        reg = cam_registry_replace(dirfd, capacity);
    }

    err = errno;
    close(dirfd);                               /* drops the lock, too */
    errno = err;

    return reg;
}


static cam_registry_t *
cam_registry_open_at(int dirfd, uint32_t capacity, int write)
{
    int              fd, err;
    cam_registry_t  *reg;

    fd = openat(dirfd, "registry", (write ? O_RDWR : O_RDONLY)|O_CLOEXEC);

    if (fd == -1) {
        return NULL;
    }

    if (write && flock(fd, LOCK_SH) == -1) {
        goto failed;
    }

    reg = cam_registry_map(fd, capacity, write);

    if (reg) {
        return reg;
    }

failed:

    err = errno;
    close(fd);
    errno = err;

    return NULL;
}


/* makes the file when it is absent or of no use to anybody */

static cam_registry_t *
cam_registry_replace(int dirfd, uint32_t capacity)
{
    int              fd, err;
    cam_registry_t  *reg, *old;

    if (flock(dirfd, LOCK_EX) == -1) {
        return NULL;
    }

    /* somebody may have done it while we waited */

    reg = cam_registry_open_at(dirfd, capacity, 1);

    if (reg || (errno != ENOENT && errno != EINVAL && errno != EPROTO)) {
        return reg;
    }

    err = errno;
    old = NULL;

    if (err != ENOENT) {
        fd = openat(dirfd, "registry", O_RDWR|O_CLOEXEC);

        if (fd == -1) {
            return NULL;
        }

        if (flock(fd, LOCK_EX|LOCK_NB) == -1) {
            close(fd);
            errno = err;
            return NULL;
        }

        old = cam_registry_map(fd, 0, 1);

        if (old == NULL) {
            close(fd);
        }
    }

    reg = cam_registry_create(dirfd, capacity, old);

    if (old) {
        err = errno;
        cam_registry_close(old);
        errno = err;
    }

    return reg;
}


static cam_registry_t *
cam_registry_create(int dirfd, uint32_t capacity, cam_registry_t *old)
{
    int              fd, err;
    cam_registry_t  *reg;

    fd = openat(dirfd, "registry.new", O_RDWR|O_CREAT|O_TRUNC|O_CLOEXEC, 0640);

    if (fd == -1) {
        return NULL;
    }

    reg = NULL;

    if (flock(fd, LOCK_SH) == 0 && cam_registry_fill(fd, capacity) == 0) {
        reg = cam_registry_map(fd, capacity, 1);
    }

    if (reg == NULL) {
        err = errno;
        close(fd);
        goto failed;
    }

    if (old) {
        cam_registry_move(reg, old);
    }

    if (renameat(dirfd, "registry.new", dirfd, "registry") == 0) {
        return reg;
    }

    err = errno;
    cam_registry_close(reg);

failed:

    unlinkat(dirfd, "registry.new", 0);
    errno = err;

    return NULL;
}


static int
cam_registry_fill(int fd, uint32_t capacity)
{
    int                      err;
    ssize_t                  n;
    cam_registry_header_t    header;
    cam_registry_geometry_t  geo;

    cam_registry_geometry(&geo, capacity);

    err = posix_fallocate(fd, 0, (off_t) geo.size);

    if (err != 0) {
        errno = err;
        return -1;
    }

    memset(&header, 0, sizeof(header));

    header.magic = CAM_REGISTRY_MAGIC;
    header.version = CAM_REGISTRY_VERSION;
    header.slot_size = sizeof(cam_registry_slot_t);
    header.capacity = capacity;
    header.index_words = geo.index_words;
    header.size = geo.size;

    n = pwrite(fd, &header, sizeof(header), 0);

    if (n != (ssize_t) sizeof(header)) {
        if (n != -1) {
            errno = ENOSPC;
        }

        return -1;
    }

    return 0;
}


void
cam_registry_geometry(cam_registry_geometry_t *geo, uint32_t capacity)
{
    size_t  page = CAM_REGISTRY_PAGE;

    /* at most half full: probes stay short and always find a free word */

    geo->index_words = 64;

    while (geo->index_words < 2 * CAM_REGISTRY_KINDS * (size_t) capacity) {
        geo->index_words *= 2;
    }

    geo->slots = page;
    geo->states = geo->slots + capacity * sizeof(cam_registry_slot_t);
    geo->states = (geo->states + page - 1) / page * page;
    geo->index = geo->states + capacity * sizeof(cam_registry_state_slot_t);
    geo->index = (geo->index + page - 1) / page * page;
    geo->size = geo->index + geo->index_words * sizeof(uint64_t);
    geo->size = (geo->size + page - 1) / page * page;
}


static cam_registry_t *
cam_registry_map(int fd, uint32_t capacity, int write)
{
    uint8_t                  *p;
    cam_registry_t           *reg;
    cam_registry_header_t     header;
    cam_registry_geometry_t   geo;

    if (cam_registry_check(fd, capacity, &header) == -1) {
        return NULL;
    }

    reg = calloc(1, sizeof(cam_registry_t));
    if (reg == NULL) {
        return NULL;
    }

    cam_registry_geometry(&geo, header.capacity);

    p = mmap(NULL, geo.size, write ? PROT_READ|PROT_WRITE : PROT_READ,
             MAP_SHARED, fd, 0);

    if (p == MAP_FAILED) {
        free(reg);
        return NULL;
    }

    reg->header = (cam_registry_header_t *) p;
    reg->slots = (cam_registry_slot_t *) (p + geo.slots);
    reg->states = (cam_registry_state_slot_t *) (p + geo.states);
    reg->index = (uint64_t *) (p + geo.index);
    reg->capacity = header.capacity;
    reg->index_words = geo.index_words;
    reg->size = geo.size;
    reg->fd = fd;
    reg->write = write;

    return reg;
}


static int
cam_registry_check(int fd, uint32_t capacity, cam_registry_header_t *header)
{
    struct stat              st;
    cam_registry_geometry_t  geo;

    if (pread(fd, header, sizeof(*header), 0) != (ssize_t) sizeof(*header)
        || header->magic != CAM_REGISTRY_MAGIC
        || header->version != CAM_REGISTRY_VERSION
        || header->slot_size != sizeof(cam_registry_slot_t)
        || header->capacity == 0
        || header->capacity > CAM_REGISTRY_CAPACITY_MAX)
    {
        errno = EPROTO;
        return -1;
    }

    cam_registry_geometry(&geo, header->capacity);

    if (fstat(fd, &st) == -1) {
        return -1;
    }

    if (header->index_words != geo.index_words || header->size != geo.size
        || (uint64_t) st.st_size != geo.size)
    {
        errno = EPROTO;
        return -1;
    }

    if (capacity != 0 && capacity != header->capacity) {
        errno = EINVAL;
        return -1;
    }

    return 0;
}


void
cam_registry_close(cam_registry_t *reg)
{
    munmap(reg->header, reg->size);
    close(reg->fd);
    free(reg);
}
