/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Fuzz target: a finished recording of any content, its first two bytes being
 * how long the index is, and a line of a journal.  A line that is taken has a
 * value for whatever its statement asks for.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../camera_worker/jobs_line.c"
#include "../../camera_worker/jobs_probe.c"

#define LARGEST  65536


static void
must(int condition)
{
    if (!condition) {
        abort();
    }
}


/* an index with right checksums, or little would be reached */

static void
write_index(int fd, const uint8_t *data, size_t size,
    cw_jobs_probe_row_t *row)
{
    size_t    at, len;
    uint8_t   file[LARGEST];
    uint32_t  crc;

    memset(file, 0, sizeof(file));
    memcpy(file, data, size);

    if (size >= CAM_RECORD_HEAD_SIZE) {
        memcpy(file, "CAMRIDX1\1\0\0\0\0\1\0\0", 16);
        memset(file + 16, 1, 2 * CAM_UUID_LEN);
        memset(row->id, 1, CAM_UUID_LEN);
        memset(row->camera, 1, CAM_UUID_LEN);
    }

    for (at = 0, len = CAM_RECORD_HEAD_SIZE; at + len <= size;
         at += len, len = CAM_RECORD_FRAGMENT_SIZE)
    {
        crc = cam_record_crc(file + at, len - 4);
        memcpy(file + at + len - 4, &crc, 4);
    }

    must(ftruncate(fd, 0) == 0);
    must(pwrite(fd, file, size, 0) == (ssize_t) size);
}


static void
fuzz_line(const uint8_t *data, size_t size)
{
    char            err[64];
    cw_jobs_line_t  line;

    if (cw_jobs_line_parse(&line, "volume", (const char *) data, size, err,
                           sizeof(err)) == 0)
    {
        must(line.sql != NULL && line.n > 0 && line.n <= CW_JOBS_LINE_VALUES);
        cw_jobs_line_free(&line);

    } else {
        must(line.json == NULL && strlen(err) > 0);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                 err[256];
    size_t               index;
    static int           mp4, idx;
    cw_jobs_probe_row_t  row = { .bytes = 1000, .usec = 1000, .fragments = 1 };

    if (mp4 == 0) {
        mp4 = memfd_create("mp4", MFD_CLOEXEC);
        idx = memfd_create("idx", MFD_CLOEXEC);
        must(mp4 > 0 && idx > 0);
    }

    fuzz_line(data, size);

    if (size < 2 || size > LARGEST) {
        return 0;
    }

    index = data[0] | data[1] << 8;
    data += 2;
    size -= 2;
    index = index < size ? index : size;

    write_index(idx, data, index, &row);
    must(ftruncate(mp4, 0) == 0);
    must(pwrite(mp4, data + index, size - index, 0)
         == (ssize_t) (size - index));

    err[0] = '\0';

    if (cw_jobs_probe(mp4, idx, &row, err, sizeof(err)) == -1) {
        must(strlen(err) > 0);
    }

    return 0;
}
