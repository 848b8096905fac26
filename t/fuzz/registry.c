/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Fuzz target: the registry's reader over a file of any content.  The input is
 * a program that is run over a good registry: bytes written somewhere, before
 * it is opened or while it is mapped, and look-ups of all kinds in between.
 * What a look-up answers must be what was asked for.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "registry_layout.h"

#define SLOTS    8
#define CAMERAS  6


static char                   dir[] = "/tmp/camera-fuzz-registry-XXXXXX";
static uint8_t               *file;          /* mapped as its writer does */
static uint8_t               *good;
static size_t                 size;
static cam_registry_entry_t   entries[CAMERAS];


static void
must(int condition)
{
    if (!condition) {
        abort();
    }
}


static void
clean(void)
{
    char  path[64];

    snprintf(path, sizeof(path), "%s/registry", dir);
    unlink(path);
    rmdir(dir);
}


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    int              i, fd;
    char             path[64];
    cam_registry_t  *reg;

    must(mkdtemp(dir) != NULL);
    atexit(clean);

    reg = cam_registry_open(dir, SLOTS, 1);
    must(reg != NULL);

    cam_registry_load_begin(reg);

    for (i = 0; i < CAMERAS; i++) {
        memset(entries[i].camera, i + 1, CAM_UUID_LEN);
        memset(entries[i].opaque[i % 2], i + 100, 32);
        snprintf(entries[i].key, CAM_REGISTRY_KEY_MAX, "camera-%d", i);
        must(cam_registry_put(reg, &entries[i]) == 0);
    }

    cam_registry_load_commit(reg);
    size = reg->size;
    cam_registry_close(reg);

    snprintf(path, sizeof(path), "%s/registry", dir);
    fd = open(path, O_RDWR);
    file = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    must(file != MAP_FAILED);
    close(fd);

    good = malloc(size);
    must(good != NULL);
    memcpy(good, file, size);

    return 0;
}


static void
look_up(cam_registry_t *reg, unsigned n)
{
    int                          slot, slots;
    struct sockaddr              addr;
    cam_registry_info_t          info;
    cam_registry_entry_t         found;
    cam_registry_geometry_t      geo;
    const cam_registry_entry_t  *wanted;

    /* a capacity that fills the same pages cannot be told from the true one */

    cam_registry_info(reg, &info);
    cam_registry_geometry(&geo, info.capacity);
    must(geo.size == size);
    slots = info.capacity;

    wanted = &entries[n % CAMERAS];
    memset(&addr, 0, sizeof(addr));
    addr.sa_family = n & 8 ? AF_INET : AF_UNSPEC;

    slot = cam_registry_find_key(reg, wanted->key, strlen(wanted->key),
                                 &found);

    if (slot >= 0) {
        must(slot < slots && strcmp(found.key, wanted->key) == 0);
        (void) cam_registry_allows(&found, &addr);
        (void) __atomic_load_n(&cam_registry_state(reg, slot)->generation,
                               __ATOMIC_ACQUIRE);
    }

    slot = cam_registry_find_id(reg, wanted->camera, &found);

    if (slot >= 0) {
        must(slot < slots
             && memcmp(found.camera, wanted->camera, CAM_UUID_LEN) == 0);
    }

    slot = cam_registry_find_opaque(reg, wanted->opaque[n % 2], &found);

    if (slot >= 0) {
        must(slot < slots);
        must(memcmp(found.opaque[0], wanted->opaque[n % 2], 32) == 0
             || memcmp(found.opaque[1], wanted->opaque[n % 2], 32) == 0);
    }

    for (slot = -1; slot <= slots; slot++) {
        if (slot >= 0 && slot < slots) {
            (void) cam_registry_slot_version(reg, slot);
        }

        (void) cam_registry_get(reg, slot, &found);
    }
}


/* half of all writes go to the header, to slots and to the index */

static size_t
place(uint16_t n, const cam_registry_geometry_t *geo)
{
    switch (n >> 13) {

    case 0:
        return n % (sizeof(cam_registry_header_t) / 8) * 8;

    case 1:
        return geo->slots + n % SLOTS * sizeof(cam_registry_slot_t)
               + n / SLOTS % 64 * 8;

    case 2:
    case 3:
        return geo->index + n % geo->index_words * 8;

    default:
        return n % (size / 8) * 8;
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint16_t                 where;
    cam_registry_t          *reg;
    cam_registry_geometry_t  geo;

    cam_registry_geometry(&geo, SLOTS);
    memcpy(file, good, size);
    reg = NULL;

    for ( /* void */ ; len >= 11; data += 11, len -= 11) {
        memcpy(&where, data + 1, 2);

        switch (data[0] % 4) {

        case 0:
            memcpy(file + place(where, &geo), data + 3, 8);
            break;

        case 1:
            file[place(where, &geo) + data[3] % 8] ^= data[4] | 1;
            break;

        default:
            if (reg == NULL) {
                reg = cam_registry_open(dir, 0, 0);
            }

            if (reg != NULL) {
                look_up(reg, where);
            }
        }
    }

    if (reg != NULL) {
        cam_registry_close(reg);
    }

    return 0;
}
