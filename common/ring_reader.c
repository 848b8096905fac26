/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The reading half of the ring.
 *
 * The file is another process's memory and may say anything at any moment:
 * each word is loaded once, into our own memory, and checked there before it
 * is used as a position or a size.  What was copied counts only when tail,
 * read after it behind an acquire fence, has not passed the record:
 *
 *   ok          record by record                        [cam_ring_read()]
 *   overrun     tail passed us; stand at the newest key frame and say how
 *               many records that skipped               [cam_ring_join()]
 *   closed      all is read, and the writer said so or has lost its lock
 *                                                       [cam_ring_ended()]
 *   corrupt     tail has not passed us, yet the record makes no sense
 *
 * Polling costs no system call while the writer shows signs of life, and two
 * each half second when it does not.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "ring_format.h"

#define CAM_RING_TRIES          8
#define CAM_RING_SILENT_MSEC    1000   /* then the writer's lock is probed */
#define CAM_RING_PROBE_MSEC     500


struct cam_ring_reader_s {
    const cam_ring_header_t  *header;
    const uint8_t            *records;
    size_t                    mapped;       /* 0: the mapping is not ours */
    int                       fd;
    uint32_t                  capacity;
    uint64_t                  generation;
    uint8_t                   camera[CAM_UUID_LEN];
    uint64_t                  pos;          /* of the next record */
    uint64_t                  next;         /* its sequence number */
    int64_t                   probed_msec;
    size_t                    config_size[CAM_TRACKS];
    uint64_t                  config_seq[CAM_TRACKS];
    uint64_t                  config[CAM_TRACKS][CAM_RING_CONFIG_MAX / 8];
};


/* a record's first five words, as loaded */
typedef struct {
    uint64_t                  word[CAM_RING_RECORD_HEAD / 8];
} cam_ring_record_t;


static int cam_ring_reader_map(cam_ring_reader_t **rp, int fd,
    const uint8_t camera[CAM_UUID_LEN], uint64_t generation);
static int cam_ring_check_header(cam_ring_reader_t *r, size_t size);
static int cam_ring_join(cam_ring_reader_t *r);
static int cam_ring_join_key(cam_ring_reader_t *r);
static int cam_ring_join_head(cam_ring_reader_t *r);
static int cam_ring_join_config(cam_ring_reader_t *r, int track);
static int cam_ring_locate(cam_ring_reader_t *r, cam_ring_record_t *record);
static int cam_ring_passed(const cam_ring_reader_t *r);
static int cam_ring_overrun(cam_ring_reader_t *r, cam_frame_t *frame);
static void cam_ring_frame(cam_frame_t *frame,
    const cam_ring_record_t *record);
static int cam_ring_copy_data(cam_ring_reader_t *r, void *data,
    uint32_t size);
static int cam_ring_ended(cam_ring_reader_t *r, uint64_t head);
static int cam_ring_continue(cam_ring_reader_t *r, uint64_t next);
static int cam_ring_corrupt(void);


int
cam_ring_reader_open(cam_ring_reader_t **rp, int dirfd,
    const uint8_t camera[CAM_UUID_LEN])
{
    int       i, fd, rc;
    char      name[CAM_RING_NAME];
    uint64_t  generation;

    fd = -1;
    generation = 0;

    /* a file that vanishes behind its link was superseded or closed */

    for (i = 0; fd == -1 && i < CAM_RING_TRIES; i++) {
        generation = cam_ring_link_read(dirfd, camera);

        if (generation == 0) {
            return errno == ENOENT ? CAM_RING_AGAIN : CAM_RING_ERROR;
        }

        cam_ring_name(name, camera, generation);

        fd = openat(dirfd, name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

        if (fd == -1 && errno != ENOENT) {
            return CAM_RING_ERROR;
        }
    }

    if (fd == -1) {
        return CAM_RING_AGAIN;
    }

    rc = cam_ring_reader_map(rp, fd, camera, generation);

    if (rc != CAM_RING_OK) {
        i = errno;
        close(fd);
        errno = i;
    }

    return rc;
}


static int
cam_ring_reader_map(cam_ring_reader_t **rp, int fd,
    const uint8_t camera[CAM_UUID_LEN], uint64_t generation)
{
    int                 rc, err;
    void               *map;
    size_t              size;
    struct stat         st;
    cam_ring_reader_t  *r;

    if (fstat(fd, &st) == -1) {
        return CAM_RING_ERROR;
    }

    /* the writer never truncates, so a size seen once remains mapped */

    if (!S_ISREG(st.st_mode)
        || st.st_size < CAM_RING_HEADER + CAM_RING_SIZE_MIN
        || st.st_size > CAM_RING_HEADER + (off_t) CAM_RING_SIZE_MAX)
    {
        return cam_ring_corrupt();
    }

    size = (size_t) st.st_size;

    map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        return CAM_RING_ERROR;
    }

    rc = cam_ring_reader_attach(&r, map, size, fd);

    if (rc == CAM_RING_OK
        && (r->generation != generation
            || memcmp(r->camera, camera, CAM_UUID_LEN) != 0))
    {
        free(r);
        rc = cam_ring_corrupt();
    }

    if (rc != CAM_RING_OK) {
        err = errno;
        munmap(map, size);
        errno = err;
        return rc;
    }

    r->mapped = size;
    *rp = r;

    return CAM_RING_OK;
}


int
cam_ring_reader_attach(cam_ring_reader_t **rp, const void *map, size_t size,
    int fd)
{
    int                 rc, err;
    cam_ring_reader_t  *r;

    if (size < CAM_RING_HEADER + CAM_RING_SIZE_MIN) {
        return cam_ring_corrupt();
    }

    r = calloc(1, sizeof(cam_ring_reader_t));
    if (r == NULL) {
        return CAM_RING_ERROR;
    }

    r->fd = fd;
    r->header = map;
    r->records = (const uint8_t *) map + CAM_RING_HEADER;

    rc = cam_ring_check_header(r, size);

    if (rc == CAM_RING_OK) {
        rc = cam_ring_join(r);
    }

    if (rc != CAM_RING_OK) {
        err = errno;
        free(r);
        errno = err;
        return rc;
    }

    *rp = r;

    return CAM_RING_OK;
}


static int
cam_ring_check_header(cam_ring_reader_t *r, size_t size)
{
    const cam_ring_header_t  *h;

    h = r->header;

    if (cam_ring_load(&h->magic) != CAM_RING_MAGIC
        || cam_ring_load(&h->version) != CAM_RING_VERSION
        || cam_ring_load(&h->header_size) != CAM_RING_HEADER)
    {
        return cam_ring_corrupt();
    }

    r->capacity = cam_ring_load(&h->capacity);
    r->generation = cam_ring_load(&h->generation);
    memcpy(r->camera, h->camera, CAM_UUID_LEN);

    if (r->capacity < CAM_RING_SIZE_MIN
        || r->capacity > CAM_RING_SIZE_MAX
        || r->capacity % CAM_RING_SIZE_MIN != 0
        || size != CAM_RING_HEADER + (size_t) r->capacity
        || r->generation == 0)
    {
        return cam_ring_corrupt();
    }

    return CAM_RING_OK;
}


/*
 * Stands at the newest key frame, or at the head, with the configurations
 * that belong there.  AGAIN: the writer was at work each time we looked, or
 * stands still in the middle of a configuration.
 */

static int
cam_ring_join(cam_ring_reader_t *r)
{
    int  i, rc, track;

    for (i = 0; i < CAM_RING_TRIES; i++) {
        rc = cam_ring_join_key(r);

        if (rc == CAM_RING_CLOSED) {
            rc = cam_ring_join_head(r);
        }

        for (track = 0; rc == CAM_RING_OK && track < CAM_TRACKS; track++) {
            rc = cam_ring_join_config(r, track);
        }

        if (rc != CAM_RING_AGAIN) {
            return rc;
        }
    }

    return CAM_RING_AGAIN;
}


/* _CLOSED: there is no key frame to stand at */

static int
cam_ring_join_key(cam_ring_reader_t *r)
{
    int                rc;
    uint64_t           pos;
    cam_ring_record_t  record;

    pos = __atomic_load_n(&r->header->key_pos, __ATOMIC_ACQUIRE);

    if (pos == CAM_RING_NONE) {
        return CAM_RING_CLOSED;
    }

    r->pos = pos;

    if (cam_ring_passed(r)) {
        return CAM_RING_CLOSED;
    }

    rc = cam_ring_locate(r, &record);

    if (cam_ring_passed(r)) {
        return CAM_RING_AGAIN;
    }

    if (rc != CAM_RING_OK) {
        return rc;
    }

    r->next = record.word[1];

    return CAM_RING_OK;
}


/* the slot is rewritten only after head_seq went on */

static int
cam_ring_join_head(cam_ring_reader_t *r)
{
    uint64_t  seq, pos;

    seq = __atomic_load_n(&r->header->head_seq, __ATOMIC_ACQUIRE);
    pos = cam_ring_load(&r->header->head_pos[seq & 1]);

    __atomic_thread_fence(__ATOMIC_ACQUIRE);

    if (cam_ring_load(&r->header->head_seq) != seq) {
        return CAM_RING_AGAIN;
    }

    if (pos % 8 != 0) {
        return cam_ring_corrupt();
    }

    r->pos = pos;
    r->next = seq;

    return CAM_RING_OK;
}


/* a configuration that is newer than the position does not belong to it;
   one of the very next record does, for that record is the same */

static int
cam_ring_join_config(cam_ring_reader_t *r, int track)
{
    size_t                    i;
    uint64_t                  lock, seq, size;
    const cam_ring_config_t  *config;

    config = &r->header->config[track];

    lock = __atomic_load_n(&config->lock, __ATOMIC_ACQUIRE);

    seq = cam_ring_load(&config->seq);
    size = cam_ring_load(&config->size);

    for (i = 0; i < CAM_RING_CONFIG_MAX / 8 && i * 8 < size; i++) {
        r->config[track][i] = cam_ring_load(&config->data[i]);
    }

    __atomic_thread_fence(__ATOMIC_ACQUIRE);

    if (lock % 2 != 0 || cam_ring_load(&config->lock) != lock) {
        return CAM_RING_AGAIN;
    }

    if (size > CAM_RING_CONFIG_MAX) {
        return cam_ring_corrupt();
    }

    if (size != 0 && seq > r->next) {
        return CAM_RING_AGAIN;
    }

    r->config_size[track] = (size_t) size;
    r->config_seq[track] = seq;

    return CAM_RING_OK;
}


int
cam_ring_read(cam_ring_reader_t *r, cam_frame_t *frame, void *data,
    size_t cap)
{
    int                rc;
    uint32_t           size;
    uint64_t           head;
    cam_ring_record_t  record;

    head = __atomic_load_n(&r->header->head_seq, __ATOMIC_ACQUIRE);

    if (head == r->next) {
        return cam_ring_ended(r, head);
    }

    rc = cam_ring_locate(r, &record);

    if (cam_ring_passed(r)) {
        return cam_ring_overrun(r, frame);
    }

    if (rc != CAM_RING_OK) {
        return rc;
    }

    cam_ring_frame(frame, &record);

    if (frame->seq != r->next || frame->track >= CAM_TRACKS) {
        return cam_ring_corrupt();
    }

    size = frame->size;

    if (size > cap) {
        return CAM_RING_TOOBIG;
    }

    rc = cam_ring_copy_data(r, data, size);

    if (cam_ring_passed(r)) {
        return cam_ring_overrun(r, frame);
    }

    if (rc != CAM_RING_OK) {
        return rc;
    }

    r->pos += cam_ring_record_size(size);
    r->next++;

    return CAM_RING_OK;
}


/*
 * Steps over a pad and loads the head of the record behind it.  What it
 * answers, an error included, counts only when the record was not passed.
 */

static int
cam_ring_locate(cam_ring_reader_t *r, cam_ring_record_t *record)
{
    size_t           i;
    uint64_t         offset, room, word;
    const uint64_t  *p;

    offset = r->pos % r->capacity;
    room = r->capacity - offset;

    if (offset % 8 != 0) {
        return cam_ring_corrupt();
    }

    p = (const uint64_t *) (r->records + offset);
    word = cam_ring_load(p);

    if ((uint32_t) word == CAM_RING_PAD) {

        if (word >> 32 != room) {
            return cam_ring_corrupt();
        }

        /* a pad that was passed may be half a frame: stay where we are */

        if (cam_ring_passed(r)) {
            return CAM_RING_AGAIN;
        }

        r->pos += room;
        room = r->capacity;

        p = (const uint64_t *) r->records;
        word = cam_ring_load(p);
    }

    if ((uint32_t) word != CAM_RING_RECORD
        || cam_ring_record_size(word >> 32) > room
        || cam_ring_record_size(word >> 32) > r->capacity / 2)
    {
        return cam_ring_corrupt();
    }

    record->word[0] = word;

    for (i = 1; i < CAM_RING_RECORD_HEAD / 8; i++) {
        record->word[i] = cam_ring_load(p + i);
    }

    return CAM_RING_OK;
}


static int
cam_ring_passed(const cam_ring_reader_t *r)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);

    return cam_ring_load(&r->header->tail) > r->pos;
}


static int
cam_ring_overrun(cam_ring_reader_t *r, cam_frame_t *frame)
{
    int       rc;
    uint64_t  head, next, pos;

    pos = r->pos;
    next = r->next;
    head = __atomic_load_n(&r->header->head_seq, __ATOMIC_ACQUIRE);

    rc = cam_ring_join(r);

    if (rc == CAM_RING_OK && r->next < next) {
        rc = cam_ring_corrupt();
    }

    if (rc != CAM_RING_OK) {
        r->pos = pos;
        r->next = next;

        return rc == CAM_RING_AGAIN ? cam_ring_ended(r, head) : rc;
    }

    if (r->next == next) {
        return CAM_RING_AGAIN;     /* only the pad before it was passed */
    }

    memset(frame, 0, sizeof(cam_frame_t));
    frame->seq = r->next;
    frame->lost = r->next - next;

    return CAM_RING_OVERRUN;
}


static void
cam_ring_frame(cam_frame_t *frame, const cam_ring_record_t *record)
{
    frame->seq = record->word[1];
    frame->dts = (int64_t) record->word[2];
    frame->cts = (int32_t) record->word[3];
    frame->track = (uint8_t) (record->word[3] >> 32);
    frame->flags = (uint8_t) (record->word[3] >> 40);
    frame->wall_msec = (int64_t) record->word[4];
    frame->size = (uint32_t) (record->word[0] >> 32);
    frame->lost = 0;
}


static int
cam_ring_copy_data(cam_ring_reader_t *r, void *data, uint32_t size)
{
    uint8_t         *dst;
    uint64_t         word;
    const uint64_t  *p;

    dst = data;
    p = (const uint64_t *) (r->records + r->pos % r->capacity)
        + CAM_RING_RECORD_HEAD / 8;

    for ( /* void */ ; size >= 8; size -= 8, dst += 8) {
        word = cam_ring_load(p++);
        memcpy(dst, &word, 8);
    }

    if (size) {
        word = cam_ring_load(p++);
        memcpy(dst, &word, size);
    }

    return cam_ring_load(p) == r->next ? CAM_RING_OK : cam_ring_corrupt();
}


/* nothing to read while head_seq was head: is there ever going to be? */

static int
cam_ring_ended(cam_ring_reader_t *r, uint64_t head)
{
    int64_t                   now, media;
    const cam_ring_header_t  *h;

    h = r->header;

    if (__atomic_load_n(&h->closed, __ATOMIC_ACQUIRE) == 0) {
        now = cam_clock_monotonic_msec();
        media = cam_ring_load(&h->last_media_msec);

        if ((media <= now && media > now - CAM_RING_SILENT_MSEC)
            || now - r->probed_msec < CAM_RING_PROBE_MSEC)
        {
            return CAM_RING_AGAIN;
        }

        r->probed_msec = now;

        if (cam_ring_writer_alive(r)) {
            return CAM_RING_AGAIN;
        }
    }

    /* its last record may have come just before its end */

    if (__atomic_load_n(&h->head_seq, __ATOMIC_ACQUIRE) != head) {
        return CAM_RING_AGAIN;
    }

    return CAM_RING_CLOSED;
}


int
cam_ring_reader_follow(cam_ring_reader_t **rp, int dirfd, int *continued)
{
    int                 rc;
    cam_ring_reader_t  *r, *old;

    old = *rp;

    rc = cam_ring_reader_open(&r, dirfd, old->camera);

    if (rc != CAM_RING_OK) {
        return rc;
    }

    if (r->generation <= old->generation) {
        cam_ring_reader_close(r);
        return CAM_RING_AGAIN;
    }

    *continued = cam_ring_load(&r->header->continues) == old->generation
                 && cam_ring_continue(r, old->next);

    cam_ring_reader_close(old);
    *rp = r;

    return CAM_RING_OK;
}


/* walks from the first record of a ring to the one wanted; 0 when that is
   overwritten already, and the reader stands where it did */

static int
cam_ring_continue(cam_ring_reader_t *r, uint64_t next)
{
    int                rc;
    uint64_t           pos, seq, head;
    cam_ring_record_t  record;

    pos = r->pos;
    seq = r->next;
    head = __atomic_load_n(&r->header->head_seq, __ATOMIC_ACQUIRE);

    if (seq == next) {
        return 1;
    }

    r->pos = 0;

    while (r->pos < r->capacity) {
        rc = cam_ring_locate(r, &record);

        if (cam_ring_passed(r) || rc != CAM_RING_OK) {
            break;
        }

        if (record.word[1] == next) {
            r->next = next;
            return 1;
        }

        r->pos += cam_ring_record_size(record.word[0] >> 32);

        if (record.word[1] + 1 == next && next == head) {
            r->next = next;
            return 1;
        }
    }

    r->pos = pos;
    r->next = seq;

    return 0;
}


int
cam_ring_writer_alive(cam_ring_reader_t *r)
{
    if (r->fd < 0 || flock(r->fd, LOCK_SH | LOCK_NB) == -1) {
        return 1;
    }

    (void) flock(r->fd, LOCK_UN);

    return 0;
}


size_t
cam_ring_config(cam_ring_reader_t *r, int track, void *data)
{
    if (track < 0 || track >= CAM_TRACKS) {
        return 0;
    }

    memcpy(data, r->config[track], r->config_size[track]);

    return r->config_size[track];
}


int
cam_ring_info(cam_ring_reader_t *r, cam_ring_info_t *info)
{
    int                       i;
    const cam_ring_header_t  *h;

    h = r->header;

    memset(info, 0, sizeof(cam_ring_info_t));
    memcpy(info->camera, r->camera, CAM_UUID_LEN);
    memcpy(info->holder, h->holder, sizeof(info->holder));
    memcpy(info->takeover_msec, h->takeover_msec, sizeof(info->takeover_msec));
    memcpy(info->addr, h->addr, sizeof(info->addr) - 1);

    info->generation = r->generation;
    info->continues = cam_ring_load(&h->continues);
    info->capacity = r->capacity;
    info->writer_pid = cam_ring_load(&h->writer_pid);
    info->started_msec = cam_ring_load(&h->started_msec);
    info->last_media_msec = cam_ring_load(&h->last_media_msec);
    info->head_seq = __atomic_load_n(&h->head_seq, __ATOMIC_ACQUIRE);
    info->bytes = cam_ring_load(&h->bytes);

    for (i = 0; i < CAM_TRACKS; i++) {
        info->frames[i] = cam_ring_load(&h->frames[i]);
    }

    return CAM_RING_OK;
}


uint64_t
cam_ring_reader_generation(const cam_ring_reader_t *r)
{
    return r->generation;
}


void
cam_ring_reader_close(cam_ring_reader_t *r)
{
    if (r->mapped) {
        munmap((void *) r->header, r->mapped);
        close(r->fd);
    }

    free(r);
}


static int
cam_ring_corrupt(void)
{
    errno = EBADMSG;

    return CAM_RING_ERROR;
}
