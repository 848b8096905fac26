/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The file shm/registry: made whole under a temporary name and renamed, while
 * the directory is locked, so that workers that start together agree on one
 * file and nobody sees half of it.  Its space is allocated before it is
 * mapped, because a store into a hole of a full tmpfs is a SIGBUS.
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


static int cam_registry_open_file(int dirfd, uint32_t capacity, int write);
static int cam_registry_create(int dirfd, uint32_t capacity);
static int cam_registry_fill(int fd, uint32_t capacity);
static cam_registry_t *cam_registry_map(int fd, uint32_t capacity, int write);
static int cam_registry_check(int fd, uint32_t capacity,
    cam_registry_header_t *header);


cam_registry_t *
cam_registry_open(const char *shm, uint32_t capacity, int write)
{
    int              fd, dirfd, err;
    cam_registry_t  *reg;

    if (capacity > CAM_REGISTRY_CAPACITY_MAX) {
        errno = EINVAL;
        return NULL;
    }

    dirfd = open(shm, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (dirfd == -1) {
        return NULL;
    }

    fd = cam_registry_open_file(dirfd, capacity, write);
    err = errno;

    close(dirfd);                               /* drops the lock, too */

    if (fd == -1) {
        errno = err;
        return NULL;
    }

    reg = cam_registry_map(fd, capacity, write);

    if (reg == NULL) {
        err = errno;
        close(fd);
        errno = err;
    }

    return reg;
}


static int
cam_registry_open_file(int dirfd, uint32_t capacity, int write)
{
    int  fd;

    if (!write) {
        return openat(dirfd, "registry", O_RDONLY|O_CLOEXEC);
    }

    fd = openat(dirfd, "registry", O_RDWR|O_CLOEXEC);

    if (fd != -1 || errno != ENOENT || capacity == 0) {
        return fd;
    }

    if (flock(dirfd, LOCK_EX) == -1) {
        return -1;
    }

    /* somebody may have made it while we waited */

    fd = openat(dirfd, "registry", O_RDWR|O_CLOEXEC);

    if (fd != -1 || errno != ENOENT) {
        return fd;
    }

    return cam_registry_create(dirfd, capacity);
}


static int
cam_registry_create(int dirfd, uint32_t capacity)
{
    int  fd, err;

    fd = openat(dirfd, "registry.new", O_RDWR|O_CREAT|O_TRUNC|O_CLOEXEC, 0640);

    if (fd == -1) {
        return -1;
    }

    if (cam_registry_fill(fd, capacity) == -1
        || renameat(dirfd, "registry.new", dirfd, "registry") == -1)
    {
        err = errno;

        unlinkat(dirfd, "registry.new", 0);
        close(fd);

        errno = err;
        return -1;
    }

    return fd;
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
