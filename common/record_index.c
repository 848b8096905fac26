/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Entries have a fixed size, so number n lies at a known place.  A reader
 * believes a length only as far as entries are valid; the writer of the file
 * writes media before entries, so a valid entry has its bytes.
 */

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "record_index.h"

#define CAM_RECORD_MAGIC         "CAMRIDX1"
#define CAM_RECORD_LAYOUT        1           /* plain */
#define CAM_RECORD_LAYOUT_SEALED 2           /* encrypted */
#define CAM_RECORD_BATCH         64          /* entries read at once */
#define CAM_RECORD_INIT_MAX      (1u << 20)
#define CAM_RECORD_SIZE_MAX      (INT64_C(1) << 48)
#define CAM_RECORD_LIVE_USEC     100         /* unit of live_time */
#define CAM_RECORD_LIVE_WRAP     (INT64_C(1) << 32)
#define CAM_RECORD_WALL_MAX      INT64_C(253402300800000)    /* year 10000 */

_Static_assert(sizeof(cam_record_fragment_t) == CAM_RECORD_FRAGMENT_SIZE,
               "layouts 1 and 2");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "bytes as they are");


/* of the file; the crc is the last word */
typedef struct {
    char        magic[8];
    uint32_t    layout;
    uint32_t    size;
    uint8_t     camera[CAM_UUID_LEN];
    uint8_t     recording[CAM_UUID_LEN];
    uint8_t     volume[CAM_UUID_LEN];
    int64_t     start_msec;
    uint32_t    init_size;
    uint16_t    width;
    uint16_t    height;
    uint8_t     has_video;
    uint8_t     has_audio;
    uint16_t    cipher;
    uint32_t    segment_sec;
    char        codecs[CAM_LIVE_CODECS];
    char        kid[CAM_KID_MAX];
    uint8_t     wrapped[CAM_RECORD_WRAPPED];
    uint8_t     rest[44];
    uint32_t    crc;
} cam_record_file_head_t;

_Static_assert(sizeof(cam_record_file_head_t) == CAM_RECORD_HEAD_SIZE,
               "layouts 1 and 2");


static int cam_record_head_check(const cam_record_file_head_t *h);
static int cam_record_head_cipher(const cam_record_file_head_t *h);
static int cam_record_valid(const cam_record_fragment_t *f);
static int cam_record_follows(const cam_record_fragment_t *f,
    const cam_record_fragment_t *next);
static ssize_t cam_record_read(int fd, uint32_t first,
    cam_record_fragment_t *f, size_t n);
static off_t cam_record_place(uint32_t number);


int
cam_record_head_write(int fd, const cam_record_head_t *head)
{
    ssize_t                 n;
    cam_record_file_head_t  h;

    memset(&h, 0, sizeof(h));

    memcpy(h.magic, CAM_RECORD_MAGIC, sizeof(h.magic));
    h.layout = head->cipher ? CAM_RECORD_LAYOUT_SEALED : CAM_RECORD_LAYOUT;
    h.size = CAM_RECORD_HEAD_SIZE;
    memcpy(h.camera, head->camera, CAM_UUID_LEN);
    memcpy(h.recording, head->recording, CAM_UUID_LEN);
    memcpy(h.volume, head->volume, CAM_UUID_LEN);
    h.start_msec = head->start_msec;
    h.init_size = head->init_size;
    h.width = head->width;
    h.height = head->height;
    h.has_video = head->has_video;
    h.has_audio = head->has_audio;
    h.segment_sec = head->segment_sec;
    memcpy(h.codecs, head->codecs, CAM_LIVE_CODECS);
    h.codecs[CAM_LIVE_CODECS - 1] = '\0';

    if (head->cipher) {
        h.cipher = head->cipher;
        memcpy(h.kid, head->kid, CAM_KID_MAX);
        memcpy(h.wrapped, head->wrapped, CAM_RECORD_WRAPPED);
    }

    h.crc = cam_record_crc(&h, offsetof(cam_record_file_head_t, crc));

    n = pwrite(fd, &h, sizeof(h), 0);

    if (n >= 0 && n != (ssize_t) sizeof(h)) {
        errno = ENOSPC;
    }

    return n == (ssize_t) sizeof(h) ? 0 : -1;
}


int
cam_record_head_read(int fd, cam_record_head_t *head)
{
    ssize_t                 n;
    cam_record_file_head_t  h;

    n = pread(fd, &h, sizeof(h), 0);

    if (n == -1) {
        return -1;
    }

    if (n != (ssize_t) sizeof(h)
        || memcmp(h.magic, CAM_RECORD_MAGIC, sizeof(h.magic)) != 0
        || h.size != CAM_RECORD_HEAD_SIZE)
    {
        errno = EPROTO;
        return -1;
    }

    if (h.layout != CAM_RECORD_LAYOUT && h.layout != CAM_RECORD_LAYOUT_SEALED)
    {
        errno = ENOTSUP;
        return -1;
    }

    if (!cam_record_head_check(&h) || !cam_record_head_cipher(&h)) {
        errno = EBADMSG;
        return -1;
    }

    memcpy(head->camera, h.camera, CAM_UUID_LEN);
    memcpy(head->recording, h.recording, CAM_UUID_LEN);
    memcpy(head->volume, h.volume, CAM_UUID_LEN);
    head->start_msec = h.start_msec;
    head->init_size = h.init_size;
    head->segment_sec = h.segment_sec;
    head->width = h.width;
    head->height = h.height;
    head->has_video = h.has_video;
    head->has_audio = h.has_audio;
    memcpy(head->codecs, h.codecs, CAM_LIVE_CODECS);
    head->cipher = h.cipher;
    memcpy(head->kid, h.kid, CAM_KID_MAX);
    memcpy(head->wrapped, h.wrapped, CAM_RECORD_WRAPPED);

    return 0;
}


/* a checksum says that nobody slipped, not who wrote it: bounds hold, too */

static int
cam_record_head_check(const cam_record_file_head_t *h)
{
    const char  *p;

    if (h->crc != cam_record_crc(h, offsetof(cam_record_file_head_t, crc))
        || h->start_msec < 0 || h->start_msec >= CAM_RECORD_WALL_MAX
        || h->init_size == 0 || h->init_size > CAM_RECORD_INIT_MAX)
    {
        return 0;
    }

    /* the text stands in a playlist between quotes */

    for (p = h->codecs; p < h->codecs + CAM_LIVE_CODECS; p++) {

        if (*p == '\0') {
            return 1;
        }

        if ((*p < '0' || *p > '9') && (*p < 'a' || *p > 'z')
            && (*p < 'A' || *p > 'Z') && *p != '.' && *p != ',')
        {
            return 0;
        }
    }

    return 0;
}


/* a layout has a cipher or none; a kid is a text that can be logged */

static int
cam_record_head_cipher(const cam_record_file_head_t *h)
{
    size_t  len;

    if (h->layout == CAM_RECORD_LAYOUT) {
        return h->cipher == 0;
    }

    len = strspn(h->kid, CAM_KID_LETTERS);

    return h->cipher == CAM_RECORD_AES_CTR && len > 0 && len < CAM_KID_MAX
           && h->kid[len] == '\0';
}


ssize_t
cam_record_fragments(int fd, uint32_t first, cam_record_fragment_t *f,
    size_t n)
{
    ssize_t  i, got;

    got = cam_record_read(fd, first, f, n);

    if (got == -1) {
        return -1;
    }

    for (i = 0; i < got; i++) {

        if (!cam_record_valid(&f[i])
            || (i > 0 && !cam_record_follows(&f[i - 1], &f[i])))
        {
            break;
        }
    }

    return i;
}


static int
cam_record_valid(const cam_record_fragment_t *f)
{
    return f->crc == cam_record_crc(f, offsetof(cam_record_fragment_t, crc))
           && f->offset > 0 && f->offset < CAM_RECORD_SIZE_MAX
           && f->size > 0
           && f->wall_msec >= 0 && f->wall_msec < CAM_RECORD_WALL_MAX
           && f->time_usec >= 0 && f->time_usec < CAM_RECORD_SIZE_MAX;
}


static int
cam_record_follows(const cam_record_fragment_t *f,
    const cam_record_fragment_t *next)
{
    return next->offset == f->offset + f->size
           && next->wall_msec >= f->wall_msec
           && next->time_usec >= f->time_usec;
}


/* whole entries, of any content */

static ssize_t
cam_record_read(int fd, uint32_t first, cam_record_fragment_t *f, size_t n)
{
    ssize_t  got;

    got = pread(fd, f, n * CAM_RECORD_FRAGMENT_SIZE, cam_record_place(first));

    return got == -1 ? -1 : got / CAM_RECORD_FRAGMENT_SIZE;
}


static off_t
cam_record_place(uint32_t number)
{
    return CAM_RECORD_HEAD_SIZE + (off_t) number * CAM_RECORD_FRAGMENT_SIZE;
}


uint32_t
cam_record_count(int fd)
{
    off_t                  n;
    ssize_t                i, got;
    uint32_t               first;
    struct stat            st;
    cam_record_fragment_t  f[CAM_RECORD_BATCH];

    if (fstat(fd, &st) == -1 || st.st_size < CAM_RECORD_HEAD_SIZE) {
        return 0;
    }

    n = (st.st_size - CAM_RECORD_HEAD_SIZE) / CAM_RECORD_FRAGMENT_SIZE;

    if (n > UINT32_MAX) {
        return 0;
    }

    /* back from the end, to the first that is valid */

    while (n > 0) {
        first = n > CAM_RECORD_BATCH ? n - CAM_RECORD_BATCH : 0;
        got = cam_record_read(fd, first, f, n - first);

        for (i = got - 1; i >= 0; i--) {
            if (cam_record_valid(&f[i])) {
                return first + i + 1;
            }
        }

        n = first;
    }

    return 0;
}


uint32_t
cam_record_find(int fd, int64_t wall_msec)
{
    uint32_t               low, high, middle;
    cam_record_fragment_t  f;

    low = 0;
    high = cam_record_count(fd);

    /* number low begins in time or is the first, number high does not */

    while (low + 1 < high) {
        middle = low + (high - low) / 2;

        if (cam_record_read(fd, middle, &f, 1) == 1 && cam_record_valid(&f)
            && f.wall_msec <= wall_msec)
        {
            low = middle;

        } else {
            high = middle;
        }
    }

    return low;
}


int
cam_record_append(int fd, uint32_t number, cam_record_fragment_t *f, size_t n)
{
    size_t   i, size;
    ssize_t  done;

    for (i = 0; i < n; i++) {
        f[i].crc = cam_record_crc(&f[i],
                                  offsetof(cam_record_fragment_t, crc));
    }

    size = n * CAM_RECORD_FRAGMENT_SIZE;
    done = pwrite(fd, f, size, cam_record_place(number));

    if (done >= 0 && done != (ssize_t) size) {
        errno = ENOSPC;
    }

    return done == (ssize_t) size ? 0 : -1;
}


uint32_t
cam_record_live_time(int64_t usec)
{
    uint32_t  time;

    time = (uint32_t) (usec / CAM_RECORD_LIVE_USEC);

    return time ? time : 1;
}


int64_t
cam_record_live_usec(uint32_t live_time, int64_t near_usec)
{
    int64_t  time, near;

    if (live_time == 0) {
        return 0;
    }

    time = live_time;
    near = near_usec / CAM_RECORD_LIVE_USEC;

    if (near > time) {
        time += (near - time + CAM_RECORD_LIVE_WRAP / 2) / CAM_RECORD_LIVE_WRAP
                * CAM_RECORD_LIVE_WRAP;
    }

    return time * CAM_RECORD_LIVE_USEC;
}


uint32_t
cam_record_crc(const void *data, size_t size)
{
    return crc32_z(0, data, size);
}
