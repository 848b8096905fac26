/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Reading a ring.  What was copied counts only when tail, loaded after it
 * behind an acquire fence, has not passed the record:
 *
 *   ok          record by record                        [cam_ring_read()]
 *   overrun     tail passed us; stand at the newest key frame and say how
 *               many records that skipped               [cam_ring_overrun()]
 *   closed      all is read, and the writer said so or has lost its lock
 *                                                       [cam_ring_ended()]
 *   corrupt     tail has not passed us, yet the record makes no sense
 *                                                       [cam_ring_corrupt()]
 *
 * Polling costs no system call while the writer shows signs of life, and two
 * each half second when it does not.
 */

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "ring_reader.h"

#define CAM_RING_JOIN_TRIES     8
#define CAM_RING_SILENT_MSEC    1000   /* then the writer's lock is probed */
#define CAM_RING_PROBE_MSEC     500


static int cam_ring_join_key(cam_ring_reader_t *r);
static int cam_ring_join_head(cam_ring_reader_t *r);
static int cam_ring_join_config(cam_ring_reader_t *r, int track);
static int cam_ring_overrun(cam_ring_reader_t *r, cam_frame_t *frame);
static void cam_ring_frame(cam_frame_t *frame,
    const cam_ring_record_t *record);
static int cam_ring_copy_data(cam_ring_reader_t *r, void *data,
    uint32_t size);
static int cam_ring_ended(cam_ring_reader_t *r, uint64_t head);


int
cam_ring_join(cam_ring_reader_t *r)
{
    int  i, rc;

    for (i = 0; i < CAM_RING_JOIN_TRIES; i++) {
        rc = cam_ring_join_key(r);

        if (rc == CAM_RING_CLOSED) {
            rc = cam_ring_join_head(r);
        }

        if (rc == CAM_RING_OK) {
            rc = cam_ring_join_configs(r);
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


int
cam_ring_join_configs(cam_ring_reader_t *r)
{
    int  rc, track;

    rc = CAM_RING_OK;

    for (track = 0; rc == CAM_RING_OK && track < CAM_TRACKS; track++) {
        rc = cam_ring_join_config(r, track);
    }

    return rc;
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
    frame->pos = r->pos;

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


int
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


int
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
cam_ring_corrupt(void)
{
    errno = EBADMSG;

    return CAM_RING_ERROR;
}
