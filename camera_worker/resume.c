/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * One write a part, of one page that is there since the first.  A program of
 * another version has another size, and finds nothing.
 */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "resume.h"

#define CW_RESUME_FILE   "resume"
#define CW_RESUME_MAGIC  0x52574331u     /* "1CWR" */
#define CW_RESUME_PLACE  1024


typedef struct {
    uint32_t     magic;
    uint32_t     size;
    uint64_t     msn;
    uint32_t     parts;
    uint32_t     crc;                    /* with 0 here */
    cw_resume_t  resume;
} cw_resume_file_t;

_Static_assert(sizeof(cw_resume_file_t) <= CW_RESUME_PLACE, "resume file");


static uint32_t cw_resume_crc(const cw_resume_file_t *file);


void
cw_resume_write(int dirfd, unsigned n, const cw_resume_t *resume, uint64_t msn,
    uint32_t parts)
{
    int               fd;
    ssize_t           written;
    cw_resume_file_t  file;

    memset(&file, 0, sizeof(file));

    file.magic = CW_RESUME_MAGIC;
    file.size = sizeof(file);
    file.msn = msn;
    file.parts = parts;
    memcpy(&file.resume, resume, sizeof(cw_resume_t));
    file.crc = cw_resume_crc(&file);

    fd = openat(dirfd, CW_RESUME_FILE, O_WRONLY|O_CREAT|O_CLOEXEC|O_NOFOLLOW,
                0640);
    if (fd == -1) {
        return;
    }

    /* what is cut short has a wrong checksum */

    written = pwrite(fd, &file, sizeof(file), n * CW_RESUME_PLACE);
    (void) written;

    close(fd);
}


int
cw_resume_read(int dirfd, cw_resume_t *resume, uint64_t msn, uint32_t parts)
{
    int               fd, n;
    cw_resume_file_t  file;

    fd = openat(dirfd, CW_RESUME_FILE, O_RDONLY|O_CLOEXEC|O_NOFOLLOW);
    if (fd == -1) {
        return -1;
    }

    for (n = 0; n < 2; n++) {

        if (pread(fd, &file, sizeof(file), n * CW_RESUME_PLACE)
            == (ssize_t) sizeof(file)
            && file.magic == CW_RESUME_MAGIC && file.size == sizeof(file)
            && file.msn == msn && file.parts == parts
            && file.crc == cw_resume_crc(&file))
        {
            *resume = file.resume;
            close(fd);
            return n;
        }
    }

    close(fd);

    return -1;
}


static uint32_t
cw_resume_crc(const cw_resume_file_t *file)
{
    cw_resume_file_t  copy;

    memcpy(&copy, file, sizeof(copy));
    copy.crc = 0;

    return crc32(0, (const uint8_t *) &copy, sizeof(copy));
}
