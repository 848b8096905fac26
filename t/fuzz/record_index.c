/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Fuzz target: an index of any content, and a path of any text.  What is read
 * must be within its bounds and in order, and a path that is taken must be the
 * one that is written for what it says.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "record_cipher.h"
#include "record_index.h"
#include "record_path.h"

#define FRAGMENTS  32


static const cam_keys_t  no_keys;


static void
must(int condition)
{
    if (!condition) {
        abort();
    }
}


/* checksums are made right: little would be reached without */

static void
write_file(int fd, const uint8_t *data, size_t size, int right)
{
    size_t    at, len;
    uint32_t  crc;
    uint8_t   file[CAM_RECORD_HEAD_SIZE
                   + FRAGMENTS * CAM_RECORD_FRAGMENT_SIZE];

    size = size < sizeof(file) ? size : sizeof(file);
    memcpy(file, data, size);

    for (at = 0, len = CAM_RECORD_HEAD_SIZE; right && at + len <= size;
         at += len, len = CAM_RECORD_FRAGMENT_SIZE)
    {
        crc = cam_record_crc(file + at, len - 4);
        memcpy(file + at + len - 4, &crc, 4);
    }

    must(ftruncate(fd, 0) == 0);
    must(pwrite(fd, file, size, 0) == (ssize_t) size);
}


static void
read_file(int fd)
{
    ssize_t                i, n;
    uint32_t               count;
    cam_record_head_t      head;
    cam_record_fragment_t  f[FRAGMENTS];

    if (cam_record_head_read(fd, &head) == 0) {
        must(head.init_size > 0 && head.init_size <= 1u << 20);
        must(strlen(head.codecs) < sizeof(head.codecs));

        if (head.cipher) {
            must(head.kid[0] != '\0');
            must(memchr(head.kid, '\0', CAM_KID_MAX) != NULL);
            must(cam_record_cipher_open(&head, &no_keys) == NULL);
        }
    }

    count = cam_record_count(fd);
    must(count <= FRAGMENTS);
    n = cam_record_fragments(fd, 0, f, FRAGMENTS);
    must(n >= 0 && n <= count);

    for (i = 1; i < n; i++) {
        must(f[i].offset == f[i - 1].offset + f[i - 1].size);
        must(f[i].wall_msec >= f[i - 1].wall_msec);
    }

    must(cam_record_find(fd, n ? f[n - 1].wall_msec : 0)
         <= (count ? count - 1 : 0));
}


static void
read_path(const uint8_t *data, size_t size)
{
    char     text[2 * CAM_RECORD_PATH_MAX], again[CAM_RECORD_PATH_MAX];
    char    *suffix;
    int64_t  start;
    uint8_t  camera[CAM_UUID_LEN];

    size = size < sizeof(text) ? size : sizeof(text) - 1;
    memcpy(text, data, size);
    text[size] = '\0';

    (void) cam_record_day_parse(text, &start);
    (void) cam_record_name_parse(text, &start);

    if (cam_record_path_parse(text, camera, &start) == 0) {
        suffix = strrchr(text, '.');
        must(suffix != NULL);
        must(cam_record_path(again, camera, start, suffix + 1) != NULL);
        must(strcmp(text, again) == 0);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int  fd = -1;

    if (fd == -1) {
        fd = memfd_create("index", MFD_CLOEXEC);
        must(fd != -1);
    }

    if (size == 0) {
        return 0;
    }

    switch (data[0] % 3) {

    case 0:
        read_path(data + 1, size - 1);
        break;

    default:
        write_file(fd, data + 1, size - 1, data[0] % 3 == 1);
        read_file(fd);
    }

    return 0;
}
