/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Writing a ring.  One record is written in this order, and the order is the
 * protocol:
 *
 *   tail        all that the record is about to overwrite is given up
 *   fence       release: who sees a new word below also sees the tail above
 *   words       the record, by relaxed stores of 8 bytes
 *   head_pos    the slot that the readers do not look at now
 *   head_seq    release: the record exists
 *   key_pos     release, after a key frame
 *
 * A writer that is killed between any two of these leaves a ring in which
 * every published record that tail does not exclude is whole.
 */

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "ring_writer.h"


/* gathers pieces of any size and alignment into aligned words */
typedef struct {
    uint64_t           *dst;
    uint64_t            word;
    size_t              fill;        /* bytes in word */
} cam_ring_gather_t;


static uint64_t cam_ring_place(cam_ring_writer_t *w, uint64_t total);
static int cam_ring_same_config(const cam_ring_config_t *config,
    const struct iovec *iov, int n, uint32_t size);
static void cam_ring_keep_config(cam_ring_writer_t *w, unsigned track,
    const struct iovec *iov, int n, uint32_t size);
static uint64_t *cam_ring_gather(uint64_t *dst, const struct iovec *iov,
    int n);
static void cam_ring_gather_bytes(cam_ring_gather_t *g, const uint8_t *p,
    size_t len);


int
cam_ring_write(cam_ring_writer_t *w, const cam_frame_t *frame,
    const struct iovec *iov, int n)
{
    int       i;
    size_t    size;
    unsigned  track;

    size = 0;
    track = frame->track;

    for (i = 0; i < n; i++) {
        if (__builtin_add_overflow(size, iov[i].iov_len, &size)) {
            return CAM_RING_TOOBIG;
        }
    }

    if (track >= CAM_TRACKS) {
        errno = EINVAL;
        return CAM_RING_ERROR;
    }

    if (size > w->capacity || cam_ring_record_size(size) > w->capacity / 2) {
        return CAM_RING_TOOBIG;
    }

    if (frame->flags & CAM_FRAME_CONFIG) {

        if (size > CAM_RING_CONFIG_MAX) {
            return CAM_RING_TOOBIG;
        }

        if (!cam_ring_same_config(&w->header->config[track], iov, n,
                                  (uint32_t) size))
        {
            cam_ring_keep_config(w, track, iov, n, (uint32_t) size);
        }

    } else {
        w->frames[track]++;
        cam_ring_store(&w->header->frames[track], w->frames[track]);
    }

    w->bytes += size;

    cam_ring_store(&w->header->bytes, w->bytes);
    cam_ring_store(&w->header->last_media_msec, cam_clock_monotonic_msec());

    cam_ring_append(w, frame, iov, n, (uint32_t) size);

    return CAM_RING_OK;
}


void
cam_ring_append(cam_ring_writer_t *w, const cam_frame_t *frame,
    const struct iovec *iov, int n, uint32_t size)
{
    uint64_t  pos, *p;

    pos = cam_ring_place(w, cam_ring_record_size(size));
    p = (uint64_t *) (w->records + pos % w->capacity);

    cam_ring_store(p, (uint64_t) size << 32 | CAM_RING_RECORD);
    cam_ring_store(p + 1, w->seq);
    cam_ring_store(p + 2, (uint64_t) frame->dts);
    cam_ring_store(p + 3, (uint64_t) frame->flags << 40
                          | (uint64_t) frame->track << 32
                          | (uint32_t) frame->cts);
    cam_ring_store(p + 4, (uint64_t) frame->wall_msec);

    p = cam_ring_gather(p + 5, iov, n);

    cam_ring_store(p, w->seq);

    w->seq++;

    cam_ring_store(&w->header->head_pos[w->seq & 1], w->head);
    __atomic_store_n(&w->header->head_seq, w->seq, __ATOMIC_RELEASE);

    if ((frame->flags & (CAM_FRAME_KEY | CAM_FRAME_CONFIG)) == CAM_FRAME_KEY) {
        w->key = pos;
        __atomic_store_n(&w->header->key_pos, pos, __ATOMIC_RELEASE);
    }
}


/* gives up what is in the way, pads to the ring's end when the record does
   not fit before it, and answers the record's position */

static uint64_t
cam_ring_place(cam_ring_writer_t *w, uint64_t total)
{
    uint64_t  pos, room, *p;

    pos = w->head;
    room = w->capacity - pos % w->capacity;

    w->head = pos + (room < total ? room : 0) + total;

    if (w->head > w->capacity) {
        w->tail = w->head - w->capacity;
    }

    cam_ring_store(&w->header->tail, w->tail);
    __atomic_thread_fence(__ATOMIC_RELEASE);

    if (room < total) {
        p = (uint64_t *) (w->records + pos % w->capacity);
        cam_ring_store(p, room << 32 | CAM_RING_PAD);
        pos += room;
    }

    return pos;
}


/* cameras repeat their configuration, some with each key frame */

static int
cam_ring_same_config(const cam_ring_config_t *config,
    const struct iovec *iov, int n, uint32_t size)
{
    int             i;
    const uint8_t  *kept;

    if (size != config->size) {
        return 0;
    }

    kept = (const uint8_t *) config->data;

    for (i = 0; i < n; kept += iov[i++].iov_len) {
        if (memcmp(kept, iov[i].iov_base, iov[i].iov_len) != 0) {
            return 0;
        }
    }

    return 1;
}


/*
 * The newest key frame is forgotten before the configuration changes: a
 * reader that finds both finds them matching, or looks again.  Where no frame
 * of the track lies behind us there is nothing that the new configuration
 * does not fit, and it is valid from the beginning: the key frame, which is
 * of the other track, stays.
 */

static void
cam_ring_keep_config(cam_ring_writer_t *w, unsigned track,
    const struct iovec *iov, int n, uint32_t size)
{
    uint64_t            lock, seq;
    cam_ring_config_t  *config;

    config = &w->header->config[track];
    lock = cam_ring_load(&config->lock);
    seq = 0;

    if (w->frames[track]) {
        seq = w->seq;
        w->key = CAM_RING_NONE;
        cam_ring_store(&w->header->key_pos, CAM_RING_NONE);
    }

    cam_ring_store(&config->lock, lock + 1);
    __atomic_thread_fence(__ATOMIC_RELEASE);

    cam_ring_store(&config->seq, seq);
    cam_ring_store(&config->size, (uint64_t) size);
    (void) cam_ring_gather(config->data, iov, n);

    __atomic_store_n(&config->lock, lock + 2, __ATOMIC_RELEASE);
}


/* answers the word behind the data */

static uint64_t *
cam_ring_gather(uint64_t *dst, const struct iovec *iov, int n)
{
    int                i;
    cam_ring_gather_t  g;

    g.dst = dst;
    g.word = 0;
    g.fill = 0;

    for (i = 0; i < n; i++) {
        cam_ring_gather_bytes(&g, iov[i].iov_base, iov[i].iov_len);
    }

    if (g.fill) {
        cam_ring_store(g.dst++, g.word);
    }

    return g.dst;
}


static void
cam_ring_gather_bytes(cam_ring_gather_t *g, const uint8_t *p, size_t len)
{
    size_t    n, shift;
    uint64_t  word;

    shift = g->fill * 8;

    /* the middle, word by word: part of each belongs to the word before */

    for ( /* void */ ; len >= 8; len -= 8, p += 8) {
        memcpy(&word, p, 8);

        if (shift == 0) {
            cam_ring_store(g->dst++, word);
            continue;
        }

        cam_ring_store(g->dst++, g->word | word << shift);
        g->word = word >> (64 - shift);
    }

    while (len) {
        n = 8 - g->fill < len ? 8 - g->fill : len;

        word = 0;
        memcpy(&word, p, n);

        g->word |= word << (g->fill * 8);
        g->fill += n;
        p += n;
        len -= n;

        if (g->fill == 8) {
            cam_ring_store(g->dst++, g->word);
            g->word = 0;
            g->fill = 0;
        }
    }
}
