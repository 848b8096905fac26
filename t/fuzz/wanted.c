/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Fuzz target: wishes in a file of any content.  The input is a program that
 * is run over a good file: bytes written somewhere, before it is opened or
 * while it is mapped, and in between a reader that looks at all wishes and a
 * writer that pushes one.  What was just wished must be wanted, and nothing
 * for longer than a wish may last.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wanted.h"

#define SLOTS   4
#define NOW     1000000


static char      dir[] = "/tmp/camera-fuzz-wanted-XXXXXX";
static int       dirfd;
static uint8_t  *file;                   /* mapped as its writers do */
static uint8_t  *good;
static size_t    size;


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
    unlinkat(dirfd, "wanted", 0);
    rmdir(dir);
}


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    int            fd;
    struct stat    st;
    cam_wanted_t  *w;

    must(mkdtemp(dir) != NULL);
    dirfd = open(dir, O_RDONLY|O_DIRECTORY);
    must(dirfd != -1);
    atexit(clean);

    w = cam_wanted_open(dir, SLOTS);
    must(w != NULL);
    cam_wanted_close(w);

    fd = openat(dirfd, "wanted", O_RDWR);
    must(fd != -1 && fstat(fd, &st) == 0);
    size = st.st_size;

    file = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
    must(file != MAP_FAILED);
    close(fd);

    good = malloc(size);
    must(good != NULL);
    memcpy(good, file, size);

    return 0;
}


static void
look(const cam_wanted_t *r)
{
    uint32_t  slot, kind;

    must(cam_wanted_slots(r) == SLOTS);

    for (kind = 0; kind <= CAM_WANTED_KINDS; kind++) {
        (void) cam_wanted_any(r, kind, NOW);

        for (slot = 0; slot <= SLOTS; slot++) {
            must(!cam_wanted_is(r, slot, kind, NOW)
                 || !cam_wanted_is(r, slot, kind,
                                   NOW + 2 * CAM_WANTED_MAX_MSEC));
        }
    }

    (void) cam_wanted_news(r);
}


static void
push(const cam_wanted_t *r, uint32_t slot, uint32_t kind)
{
    cam_wanted_t  *w;

    /* opening replaces a file that is none, so the writer has its own */

    w = cam_wanted_open(dir, SLOTS);
    must(w != NULL);
    cam_wanted_push(w, slot, kind, NOW, 1000);

    if (!cam_wanted_stale(r, dirfd) && slot < SLOTS && kind < CAM_WANTED_KINDS)
    {
        must(cam_wanted_is(r, slot, kind, NOW + 999));
        must(cam_wanted_any(r, kind, NOW + 999));
    }

    cam_wanted_close(w);
}


/* the file that this process has mapped, under its name again */

static void
restore(void)
{
    int   fd;
    char  path[64];

    memcpy(file, good, size);
    snprintf(path, sizeof(path), "%s/wanted", dir);
    unlink(path);

    fd = open(path, O_RDWR|O_CREAT|O_EXCL, 0600);
    must(fd != -1 && write(fd, good, size) == (ssize_t) size);
    must(mmap(file, size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_FIXED, fd, 0)
         == file);
    close(fd);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    size_t         where;
    cam_wanted_t  *r;

    restore();
    r = NULL;

    for ( /* void */ ; len >= 11; data += 11, len -= 11) {
        where = (data[1] | data[2] << 8) % (size - 8);

        switch (data[0] % 4) {

        case 0:
            memcpy(file + where, data + 3, 8);
            break;

        case 1:
            file[where % 64] ^= data[3] | 1;
            break;

        default:
            if (r == NULL) {
                r = cam_wanted_reader_open(dirfd);
            }

            if (r != NULL) {
                look(r);
                push(r, data[3] % (SLOTS + 2), data[4] % 16);
            }
        }
    }

    if (r != NULL) {
        cam_wanted_close(r);
    }

    return 0;
}
