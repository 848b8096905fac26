/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Decrypts a recording, or a part of it, to standard output:
 *
 *   record_plain KEYS FILE.mp4
 *
 * Of an export, too, whose key lies beside it.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record_reader.h"


static void
die(const char *what)
{
    fprintf(stderr, "record_plain: %s: %s\n", what, strerror(errno));
    exit(1);
}


int
main(int argc, char **argv)
{
    int                   fd, index_fd, head_fd;
    char                  err[256];
    off_t                 at;
    ssize_t               n;
    uint8_t               buf[65536];
    cam_keys_t            keys;
    cam_record_head_t     head;
    cam_record_reader_t  *r;

    if (argc != 3 || strlen(argv[2]) < 4) {
        fprintf(stderr, "usage: record_plain KEYS FILE.mp4\n");
        return 2;
    }

    if (cam_keys_load(&keys, argv[1], err, sizeof(err)) != 0) {
        die(err);
    }

    fd = open(argv[2], O_RDONLY);
    strcpy(argv[2] + strlen(argv[2]) - 3, "key");
    index_fd = head_fd = open(argv[2], O_RDONLY);

    if (head_fd != -1) {
        index_fd = -1;

    } else {
        strcpy(argv[2] + strlen(argv[2]) - 3, "idx");
        index_fd = head_fd = open(argv[2], O_RDONLY);
    }

    if (fd == -1 || head_fd == -1 || cam_record_head_read(head_fd, &head)) {
        die(argv[2]);
    }

    r = cam_record_reader_open(fd, index_fd, &head, &keys);

    if (r == NULL) {
        die("no key");
    }

    for (at = 0;
         (n = cam_record_reader_pread(r, buf, sizeof(buf), at)) > 0;
         at += n)
    {
        if (fwrite(buf, 1, n, stdout) != (size_t) n) {
            die("write");
        }
    }

    if (n == -1) {
        die("read");
    }

    cam_record_reader_close(r);

    return 0;
}
