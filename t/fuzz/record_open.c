/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Fuzz target: a journal of any content.  What is taken from it has a path that
 * is one, and a key of the form of a key or none; and what is random goes once
 * more to where it matters, into the members of a line.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record_cipher.h"
#include "record_open.h"

#define SIZE    4096
#define PATH    "media/0e8a3c7e-52c1-4f57-9f3d-6a1b1c2d3e4f/2025-11-26/" \
                "20251126T140000.123Z.mp4"


static void
must(int condition)
{
    if (!condition) {
        abort();
    }
}


/* letters, so that most of them are JSON */

static void
text_of(char *text, const uint8_t *data, size_t size)
{
    size_t  i;

    for (i = 0; i < size; i++) {
        text[i] = data[i] < 0xf0 ? CAM_KID_LETTERS[data[i] % 64]
                                 : (char) (data[i] & 0x7f);
    }

    text[size] = '\0';
}


static size_t
wrap(char *line, size_t room, const uint8_t *data, size_t size)
{
    char    kid[SIZE + 1], key[SIZE + 1];
    size_t  first;

    first = size > 0 ? data[0] % 20 : 0;
    first = first < size ? first : size;

    text_of(kid, data, first);
    text_of(key, data + first, size - first);

    return (size_t) snprintf(line, room, "{\"n\":\"open\",\"id\":"
                             "\"0192f3a0-0000-7000-8000-000000000001\","
                             "\"path\":\"" PATH "\",\"kid\":\"%s\","
                             "\"wrapped\":\"%s\"}\n", kid, key);
}


static void
judge(int volume, int fd, const void *data, size_t size)
{
    char                      text[CAM_RECORD_WRAPPED_TEXT + 1];
    size_t                    i;
    int64_t                   start;
    uint8_t                   uuid[CAM_UUID_LEN], key[CAM_RECORD_WRAPPED];
    char                      kid[CAM_KID_MAX];
    cam_record_opens_t        opens;
    const cam_record_open_t  *f;

    must(ftruncate(fd, 0) == 0);
    must(pwrite(fd, data, size, 0) == (ssize_t) size);

    memset(&opens, 0, sizeof(opens));
    must(cam_record_open_journal(&opens, volume) == 0);

    for (i = 0; i < opens.files; i++) {
        f = &opens.file[i];

        must(f->path[0] == '\0'
             || cam_record_path_parse(f->path, uuid, &start) == 0);

        if (f->kid[0] != '\0') {
            must(cam_record_cipher_parse(kid, key, f->kid,
                     cam_record_cipher_print(text, f->wrapped)) == 0);
            must(strcmp(kid, f->kid) == 0);
            must(memcmp(key, f->wrapped, sizeof(key)) == 0);
            must(cam_record_open_sealed(&opens, f->path) != NULL);
        }
    }

    cam_record_open_sort(&opens);
    cam_record_open_free(&opens);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char         line[2 * SIZE + 512];
    static char  dir[] = "/tmp/fuzz-record-open-XXXXXX";
    static int   volume = -1, fd;

    if (size > SIZE) {
        return 0;
    }

    /* a name is looked for, so it stays: one for each run */

    if (volume == -1) {
        must(mkdtemp(dir) != NULL);
        volume = open(dir, O_RDONLY|O_DIRECTORY|O_CLOEXEC);
        must(volume != -1 && mkdirat(volume, "journal", 0700) == 0);
        fd = openat(volume, "journal/0000000000001.log",
                    O_RDWR|O_CREAT|O_CLOEXEC, 0600);
        must(fd != -1);
    }

    judge(volume, fd, data, size);
    judge(volume, fd, line, wrap(line, sizeof(line), data, size));

    return 0;
}
