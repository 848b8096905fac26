/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Segments and parts: written by appending, listed when they are written,
 * removed when no index lists them any more.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "count.h"
#include "log.h"
#include "store.h"


static void cw_store_recover(cw_store_t *store);
static void cw_store_add_part(cw_store_t *store, const cw_store_part_t *part,
    size_t size);
static void cw_store_keep(cw_store_t *store, const cw_resume_t *resume);
static int cw_store_append(cw_store_t *store, const uint8_t *data,
    size_t size);
static void cw_store_add_segment(cw_store_t *store);
static uint64_t cw_store_forget_oldest(cw_store_t *store);
static void cw_store_remove(cw_store_t *store, uint64_t msn);
static void cw_store_measure(cw_store_t *store, cam_live_segment_t *seg);
static cam_live_segment_t *cw_store_last(cw_store_t *store);


int
cw_store_open(cw_store_t *store, int livefd, const uint8_t *camera)
{
    memset(store, 0, sizeof(cw_store_t));
    store->fd = -1;

    store->live = cam_live_writer_open(livefd, camera, &store->index);

    if (store->live == NULL) {
        return -1;
    }

    cw_store_recover(store);

    return 0;
}


/* a segment that was never finished keeps the parts that were published */

static void
cw_store_recover(cw_store_t *store)
{
    char                 name[CAM_LIVE_NAME_MAX];
    cam_live_segment_t  *seg;

    if (store->index->segments == 0) {
        return;
    }

    seg = cw_store_last(store);

    if (seg->complete) {
        return;
    }

    store->fd = openat(cam_live_dirfd(store->live),
                       cam_live_segment_name(name, seg->msn),
                       O_WRONLY|O_CLOEXEC|O_NOFOLLOW);

    if (store->fd != -1 && ftruncate(store->fd, seg->size) == -1) {
        cw_log(CW_LOG_CRIT, errno, "ftruncate(\"%s\") failed", name);
    }

    store->open = 1;
    cw_store_end(store);
}


int
cw_store_resume(cw_store_t *store, cw_resume_t *resume)
{
    int                  n;
    cam_live_segment_t  *seg;

    if (store->index->segments == 0 || store->index->state != CAM_LIVE_ON) {
        return 0;
    }

    seg = cw_store_last(store);
    n = cw_resume_read(cam_live_dirfd(store->live), resume, seg->msn,
                       seg->parts);
    if (n == -1) {
        return 0;
    }

    store->resume = !n;

    return 1;
}


void
cw_store_close(cw_store_t *store)
{
    if (store->live == NULL) {
        return;
    }

    if (store->fd != -1) {
        close(store->fd);
    }

    cam_live_close(store->live);
    memset(store, 0, sizeof(cw_store_t));
    store->fd = -1;
}


void
cw_store_state(cw_store_t *store, cam_live_state_e state, uint32_t warning)
{
    store->index->state = state;
    store->index->warning = warning;
    cam_live_publish(store->live);
}


void
cw_store_begin(cw_store_t *store, int64_t wall_msec, int discontinuity)
{
    memset(&store->next, 0, sizeof(cam_live_segment_t));

    store->next.msn = store->index->next_msn;
    store->next.generation = store->index->generation;
    store->next.wall_msec = wall_msec;
    store->next.init = cw_store_current_init(store)->version;
    store->next.discontinuity = discontinuity;
}


int
cw_store_part(cw_store_t *store, const cw_store_part_t *part,
    const uint8_t *data, size_t size)
{
    uint64_t  gone;

    if (cw_store_append(store, data, size) == -1) {
        store->lost_parts++;
        cw_count(CAM_METRIC_PACKAGE_LOST_PARTS, 1);
        cw_store_failed(store, "segment");
        return -1;
    }

    if (store->full) {
        cw_log(CW_LOG_INFO, 0, "shared memory has room again after %llu "
               "lost parts", (unsigned long long) store->lost_parts);
        store->full = 0;
        store->lost_parts = 0;
    }

    gone = 0;

    if (!store->open) {

        if (store->index->segments == CAM_LIVE_SEGMENTS) {
            gone = cw_store_forget_oldest(store);
        }

        cw_store_add_segment(store);
    }

    cw_store_add_part(store, part, size);
    cw_store_keep(store, part->resume);
    cw_count(CAM_METRIC_PACKAGE_PARTS, 1);
    cw_count(CAM_METRIC_PACKAGE_BYTES, size);

    if (part->last) {
        cw_store_end(store);

    } else {
        cam_live_publish(store->live);
    }

    if (gone != 0) {
        cw_store_remove(store, gone);
    }

    return 0;
}


static void
cw_store_add_part(cw_store_t *store, const cw_store_part_t *part, size_t size)
{
    cam_live_init_t     *init;
    cam_live_part_t     *p;
    cam_live_segment_t  *seg;

    seg = cw_store_last(store);
    p = &seg->part[seg->parts++];

    p->offset = seg->size;
    p->size = size;
    p->duration_usec = part->duration_usec;
    p->independent = part->independent;

    seg->size += size;
    seg->duration_usec += part->duration_usec;

    if (p->duration_usec > store->index->part_target_msec * 1000) {
        store->index->part_target_msec = (p->duration_usec + 999) / 1000;
    }

    /* a first guess, until a segment is whole */

    init = cw_store_current_init(store);

    if (init->bandwidth == 0 && p->duration_usec != 0) {
        init->bandwidth = (uint64_t) size * 8 * 1000000 / p->duration_usec;
    }
}


/* to be found by whoever finds the part in the index */

static void
cw_store_keep(cw_store_t *store, const cw_resume_t *resume)
{
    cam_live_segment_t  *seg;

    seg = cw_store_last(store);

    cw_resume_write(cam_live_dirfd(store->live), store->resume, resume,
                    seg->msn, seg->parts);
    store->resume = !store->resume;
}


/* all of it or nothing: a reader may trust the file's length */

static int
cw_store_append(cw_store_t *store, const uint8_t *data, size_t size)
{
    off_t    end;
    char     name[CAM_LIVE_NAME_MAX];
    ssize_t  n;

    if (!store->open) {
        store->fd = openat(cam_live_dirfd(store->live),
                           cam_live_segment_name(name, store->next.msn),
                           O_WRONLY|O_CREAT|O_TRUNC|O_APPEND|O_CLOEXEC
                           |O_NOFOLLOW, 0640);
    }

    if (store->fd == -1) {
        return -1;
    }

    n = write(store->fd, data, size);

    if (n == (ssize_t) size) {
        return 0;
    }

    if (n >= 0) {
        errno = ENOSPC;
    }

    end = store->open ? cw_store_last(store)->size : 0;

    if (ftruncate(store->fd, end) == -1) {
        cw_log(CW_LOG_CRIT, errno, "ftruncate() failed");
    }

    return -1;
}


static void
cw_store_add_segment(cw_store_t *store)
{
    cw_count(CAM_METRIC_PACKAGE_SEGMENTS, 1);

    store->index->segment[store->index->segments++] = store->next;
    store->index->next_msn = store->next.msn + 1;
    store->open = 1;
}


/* answers its number: its file goes only when no index names it any more */

static uint64_t
cw_store_forget_oldest(cw_store_t *store)
{
    uint64_t           msn;
    cam_live_index_t  *index;

    index = store->index;
    msn = index->segment[0].msn;
    index->discontinuity_seq += index->segment[0].discontinuity;
    index->segments--;

    memmove(&index->segment[0], &index->segment[1],
            index->segments * sizeof(cam_live_segment_t));

    return msn;
}


void
cw_store_drop_oldest(cw_store_t *store)
{
    uint64_t  msn;

    msn = cw_store_forget_oldest(store);
    cam_live_publish(store->live);
    cw_store_remove(store, msn);
}


static void
cw_store_remove(cw_store_t *store, uint64_t msn)
{
    char  name[CAM_LIVE_NAME_MAX];

    if (unlinkat(cam_live_dirfd(store->live),
                 cam_live_segment_name(name, msn), 0) == -1
        && errno != ENOENT)
    {
        cw_log(CW_LOG_WARN, errno, "unlink(\"%s\") failed", name);
    }
}


void
cw_store_end(cw_store_t *store)
{
    cam_live_segment_t  *seg;

    if (store->open) {
        seg = cw_store_last(store);
        seg->complete = 1;
        cw_store_measure(store, seg);
        cam_live_publish(store->live);
    }

    if (store->fd != -1) {
        close(store->fd);
        store->fd = -1;
    }

    store->open = 0;
}


/* BANDWIDTH of a playlist is its peak segment's: it rises at once and sinks
   slowly; tails shorter than half a second say little */

static void
cw_store_measure(cw_store_t *store, cam_live_segment_t *seg)
{
    uint32_t          rounded;
    uint64_t          bandwidth;
    cam_live_init_t  *init;

    rounded = (seg->duration_usec + 500000) / 1000000 * 1000;

    if (rounded > store->index->target_msec) {
        store->index->target_msec = rounded;
    }

    if (seg->duration_usec < CAM_LIVE_PART_MSEC * 1000) {
        return;
    }

    init = cw_store_current_init(store);

    if (init->version != seg->init) {
        return;
    }

    bandwidth = (uint64_t) seg->size * 8 * 1000000 / seg->duration_usec;

    if (bandwidth < init->bandwidth) {
        bandwidth = init->bandwidth - (init->bandwidth - bandwidth) / 16;
    }

    init->bandwidth = bandwidth < UINT32_MAX ? bandwidth : UINT32_MAX;
}


/*
 * Says it once: the camera goes on trying, and gives back what is kept beyond
 * a playlist.
 */

void
cw_store_failed(cw_store_t *store, const char *what)
{
    char  name[CAM_LIVE_NAME_MAX];

    if (!store->full) {
        cw_log(CW_LOG_CRIT, errno, "no room for the %s, dropping until there "
               "is", what);
        store->full = 1;
    }

    if (!store->open && store->fd != -1) {
        unlinkat(cam_live_dirfd(store->live),
                 cam_live_segment_name(name, store->next.msn), 0);
    }

    cw_store_end(store);

    while (store->index->segments > CAM_LIVE_LISTED + 1) {
        cw_store_drop_oldest(store);
    }
}


void
cw_store_fps(cw_store_t *store, uint32_t frames, int64_t usec)
{
    int64_t  fps;

    fps = usec > 0 ? (frames * INT64_C(100000000) + usec / 2) / usec : 0;

    store->index->fps_centi = fps < UINT16_MAX ? fps : UINT16_MAX;
}


void
cw_store_dropped(cw_store_t *store, uint64_t frames)
{
    uint64_t  sum;

    sum = store->index->dropped + frames;

    store->index->dropped = sum < UINT16_MAX ? sum : UINT16_MAX;
}


int
cw_store_parts_full(const cw_store_t *store)
{
    return store->open
           && store->index->segment[store->index->segments - 1].parts
              == CAM_LIVE_PARTS - 1;
}


static cam_live_segment_t *
cw_store_last(cw_store_t *store)
{
    return &store->index->segment[store->index->segments - 1];
}
