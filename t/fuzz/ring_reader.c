/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Fuzz target: the ring's reader over a file of any content.
 *
 * With an even first byte the rest is the file.  With an odd one it is a
 * program that is run over a good ring while a reader is at it: eight bytes
 * written somewhere, eight bytes of another place written somewhere, a record
 * or a pad of any size anywhere, a read, a look at the rest of the interface.
 * That is a hostile writer, which can do what no file at rest does.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ring_writer.h"

#define FILE_SIZE  (CAM_RING_HEADER + CAM_RING_SIZE_MIN)
#define READS_MAX  64


static uint8_t   good[FILE_SIZE];
static uint64_t  expected;               /* the next sequence number */
static int       positioned;


static void
must(int condition)
{
    if (!condition) {
        abort();
    }
}


/* a ring that has wrapped, with a key frame and both configurations */

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    int                 i, fd;
    char                dir[] = "/tmp/camera-fuzz-ring-XXXXXX";
    cam_frame_t         frame;
    struct iovec        iov;
    cam_ring_info_t     info;
    cam_ring_writer_t  *w;

    static uint8_t  bytes[512];

    must(mkdtemp(dir) != NULL);
    fd = open(dir, O_RDONLY | O_DIRECTORY);

    memset(&info, 0, sizeof(info));
    info.generation = 1;
    info.capacity = CAM_RING_SIZE_MIN;
    must(cam_ring_writer_open(&w, fd, &info) == CAM_RING_OK);

    memset(&frame, 0, sizeof(frame));
    iov.iov_base = bytes;

    for (i = 0; i < 30; i++) {
        iov.iov_len = (size_t) (i * 37 % 400);
        frame.track = (uint8_t) (i % 2);
        frame.flags = i == 24 ? CAM_FRAME_KEY : i < 2 ? CAM_FRAME_CONFIG : 0;
        must(cam_ring_write(w, &frame, &iov, 1) == CAM_RING_OK);
    }

    must(CAM_RING_HEADER + w->capacity == FILE_SIZE);
    memcpy(good, w->header, FILE_SIZE);

    cam_ring_writer_close(w);
    close(fd);
    rmdir(dir);

    return 0;
}


static int
read_one(cam_ring_reader_t *r, size_t cap)
{
    int          rc;
    uint8_t     *data;
    cam_frame_t  frame;

    data = malloc(cap ? cap : 1);
    must(data != NULL);

    rc = cam_ring_read(r, &frame, data, cap);

    if (rc == CAM_RING_OK) {
        must(frame.size <= cap && frame.track < CAM_TRACKS);
        must(!positioned || frame.seq == expected);
        expected = frame.seq + 1;
        positioned = 1;
    }

    if (rc == CAM_RING_OVERRUN) {
        must(!positioned || frame.seq == expected + frame.lost);
        expected = frame.seq;
        positioned = 1;
    }

    if (rc == CAM_RING_TOOBIG) {
        must(frame.size > cap);
    }

    free(data);

    return rc;
}


static void
look_around(cam_ring_reader_t *r)
{
    int               track;
    uint8_t          *config;
    cam_ring_info_t   info;

    config = malloc(CAM_RING_CONFIG_MAX);
    must(config != NULL);

    for (track = -1; track <= CAM_TRACKS; track++) {
        must(cam_ring_config(r, track, config) <= CAM_RING_CONFIG_MAX);
    }

    free(config);

    must(cam_ring_info(r, &info) == CAM_RING_OK);
    must(memchr(info.addr, 0, sizeof(info.addr)) != NULL);
}


static void
file_at_rest(const uint8_t *data, size_t size)
{
    int                 i;
    uint8_t            *map;
    cam_ring_reader_t  *r;

    /* short inputs are the front of a good ring that goes on */

    map = malloc(size < FILE_SIZE ? FILE_SIZE : size);
    must(map != NULL);
    memcpy(map, good, FILE_SIZE);
    memcpy(map, data, size);

    if (size < FILE_SIZE) {
        size = FILE_SIZE;
    }

    if (cam_ring_reader_attach(&r, map, size, -1) == CAM_RING_OK) {
        look_around(r);

        for (i = 0; i < READS_MAX && read_one(r, 4096) == CAM_RING_OK; i++) {
            /* void */
        }

        cam_ring_reader_close(r);
    }

    free(map);
}


/* where the words that matter are, or any other */

static size_t
place(uint16_t n)
{
    return n & 0x8000 ? 256 + n % 12 * 8
           : n & 0x4000 ? CAM_RING_HEADER + n % 512 * 8
                        : n % (FILE_SIZE / 8) * 8;
}


/* the reader is told that it was passed, and sent to what is written here */

static void
forge(uint8_t *map, uint16_t where, uint16_t size, uint8_t lap)
{
    uint64_t            offset, pos, word[5];
    cam_ring_header_t  *h;

    h = (cam_ring_header_t *) map;

    offset = where % (CAM_RING_SIZE_MIN / 8) * 8;
    pos = offset + (uint64_t) (lap + 2) * CAM_RING_SIZE_MIN;

    memset(word, 0, sizeof(word));
    word[0] = (uint64_t) (size & 0x3fff) << 32
              | (size & 0x8000 ? CAM_RING_PAD : CAM_RING_RECORD);
    word[1] = expected + (size >> 14 & 1);

    memcpy(map + CAM_RING_HEADER + offset, word,
           CAM_RING_SIZE_MIN - offset < sizeof(word)
           ? CAM_RING_SIZE_MIN - offset : sizeof(word));

    h->key_pos = pos;
    h->tail = pos;
    h->head_seq = expected + 100;
}


static void
hostile_writer(const uint8_t *data, size_t size)
{
    size_t              at, from;
    uint8_t            *map;
    uint16_t            word[2];
    cam_ring_reader_t  *r;

    map = malloc(FILE_SIZE);
    must(map != NULL);
    memcpy(map, good, FILE_SIZE);

    if (cam_ring_reader_attach(&r, map, FILE_SIZE, -1) != CAM_RING_OK) {
        abort();
    }

    for ( /* void */ ; size >= 13; data += 13, size -= 13) {
        memcpy(word, data + 1, 4);
        at = place(word[0]);
        from = place(word[1]);

        switch (data[0] % 7) {

        case 0:
            memcpy(map + at, data + 5, 8);
            break;

        case 1:
            memcpy(map + at, map + from, 8);
            break;

        case 2:
            map[at + word[1] % 8] ^= (uint8_t) (data[5] | 1);
            break;

        case 3:
            look_around(r);
            break;

        case 4:
            forge(map, word[0], word[1], data[5]);
            break;

        default:
            (void) read_one(r, word[0] % 4096);
        }
    }

    cam_ring_reader_close(r);
    free(map);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    positioned = 0;

    if (size == 0) {
        return 0;
    }

    if (data[0] % 2 == 0) {
        file_at_rest(data + 1, size - 1);

    } else {
        hostile_writer(data + 1, size - 1);
    }

    return 0;
}
