/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Readers go on where they left off, so the fragment that comes next is looked
 * at first; any other place is searched in the index.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record_media.h"
#include "record_reader.h"

#define CAM_READER_HEAD  8               /* of a box */


static ssize_t cam_record_reader_open_bytes(cam_record_reader_t *r,
    uint8_t *buf, size_t n, uint64_t at);
static int cam_record_reader_seek(cam_record_reader_t *r, uint64_t at);
static uint32_t cam_record_reader_find(const cam_record_reader_t *r,
    uint64_t at);
static int cam_record_reader_load(cam_record_reader_t *r, uint32_t number);


cam_record_reader_t *
cam_record_reader_open(int fd, int index_fd, const cam_record_head_t *head,
    const cam_keys_t *keys)
{
    int                   err;
    cam_record_reader_t  *r;

    r = calloc(1, sizeof(cam_record_reader_t));

    if (r == NULL) {
        (void) close(fd);

        if (index_fd != -1) {
            (void) close(index_fd);
        }

        errno = ENOMEM;
        return NULL;
    }

    r->fd = fd;
    r->index_fd = index_fd;
    r->init_size = head->init_size;
    r->cipher = cam_record_cipher_open(head, keys);

    if (r->cipher == NULL) {
        err = errno;
        cam_record_reader_close(r);
        errno = err;
        return NULL;
    }

    return r;
}


void
cam_record_reader_close(cam_record_reader_t *r)
{
    (void) close(r->fd);

    if (r->index_fd != -1) {
        (void) close(r->index_fd);
    }

    cam_record_cipher_free(r->cipher);
    free(r);
}


ssize_t
cam_record_reader_pread(cam_record_reader_t *r, uint8_t *buf, size_t n,
    off_t offset)
{
    size_t   plain;
    ssize_t  got, opened;

    got = pread(r->fd, buf, n, offset);

    if (got <= 0) {
        return got;
    }

    if (r->index_fd == -1) {

        if (cam_record_cipher_flat(r->cipher, offset, buf, got) == -1) {
            errno = EIO;
            return -1;
        }

        return got;
    }

    plain = offset < (off_t) r->init_size ? r->init_size - offset : 0;

    if (plain >= (size_t) got) {
        return got;
    }

    opened = cam_record_reader_open_bytes(r, buf + plain, got - plain,
                                          offset + plain);

    return opened == -1 ? -1 : (ssize_t) plain + opened;
}


/* fragment by fragment; how many bytes are in one */

static ssize_t
cam_record_reader_open_bytes(cam_record_reader_t *r, uint8_t *buf, size_t n,
    uint64_t at)
{
    int       rc;
    size_t    done, part;
    uint64_t  end;

    for (done = 0; done < n; done += part) {

        rc = cam_record_reader_seek(r, at + done);

        if (rc != 1) {
            return rc == 0 ? (ssize_t) done : -1;
        }

        end = r->f.offset + r->f.size;
        part = end - (at + done) < n - done ? end - (at + done) : n - done;

        if (cam_record_cipher_apply(r->cipher, &r->f, r->moof,
                                    (uint32_t) (at + done - r->f.offset),
                                    buf + done, part)
            == -1)
        {
            errno = EIO;
            return -1;
        }
    }

    return (ssize_t) done;
}


/* 1: the fragment that byte is of is in r->f, 0: there is none, -1 */

static int
cam_record_reader_seek(cam_record_reader_t *r, uint64_t at)
{
    int       rc;
    uint64_t  end;

    if (r->moof) {
        end = r->f.offset + r->f.size;

        if (at >= r->f.offset && at < end) {
            return 1;
        }

        if (at == end) {
            return cam_record_reader_load(r, r->number + 1);
        }
    }

    rc = cam_record_reader_load(r, cam_record_reader_find(r, at));

    return rc != 1 ? rc
           : at >= r->f.offset && at - r->f.offset < r->f.size;
}


/* the last fragment that begins at or before that byte */

static uint32_t
cam_record_reader_find(const cam_record_reader_t *r, uint64_t at)
{
    uint32_t               low, high, middle;
    cam_record_fragment_t  f;

    low = 0;
    high = cam_record_count(r->index_fd);

    while (low + 1 < high) {
        middle = low + (high - low) / 2;

        if (cam_record_fragments(r->index_fd, middle, &f, 1) == 1
            && f.offset <= at)
        {
            low = middle;

        } else {
            high = middle;
        }
    }

    return low;
}


static int
cam_record_reader_load(cam_record_reader_t *r, uint32_t number)
{
    char      type[5];
    uint8_t   head[CAM_READER_HEAD];
    ssize_t   n;
    uint64_t  moof;

    r->moof = 0;
    n = cam_record_fragments(r->index_fd, number, &r->f, 1);

    if (n != 1) {
        return n == -1 ? -1 : 0;
    }

    if (pread(r->fd, head, sizeof(head), (off_t) r->f.offset)
        != (ssize_t) sizeof(head)
        || cam_record_box(head, sizeof(head), type, &moof) == -1
        || strcmp(type, "moof") != 0 || moof + CAM_READER_HEAD > r->f.size)
    {
        errno = EBADMSG;
        return -1;
    }

    r->number = number;
    r->moof = (uint32_t) moof;

    return 1;
}
