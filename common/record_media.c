/*
 * Copyright (C) The nginx camera platform authors
 */

#include <string.h>

#include "record_media.h"

#define CAM_BOX_HEAD           8

/* flags of tfhd and trun, ISO/IEC 14496-12 */
#define CAM_TFHD_BASE          0x01
#define CAM_TFHD_DESCRIPTION   0x02
#define CAM_TFHD_DURATION      0x08
#define CAM_TFHD_SIZE          0x10
#define CAM_TFHD_FLAGS         0x20
#define CAM_TRUN_OFFSET        0x001
#define CAM_TRUN_FIRST_FLAGS   0x004
#define CAM_TRUN_DURATION      0x100
#define CAM_TRUN_SIZE          0x200
#define CAM_TRUN_FLAGS         0x400
#define CAM_TRUN_CTS           0x800

#define CAM_RECORD_SECONDS     (UINT64_C(1) << 36)
#define CAM_TRUN_SAMPLES       100000       /* more is no fragment of ours */

#define CAM_SAMPLE_NOT_SYNC    0x10000


/* what is still to be read of a box */
typedef struct {
    const uint8_t  *p;
    size_t          n;
} cam_box_t;


/* a track's part of a moof */
typedef struct {
    const cam_record_tracks_t  *tracks;
    cam_record_sample_pt        each;
    void                       *data;
    cam_record_sample_t         sample;      /* the next one */
    int                         known;       /* its track is one of ours */
    uint32_t                    duration;    /* defaults of its samples */
    uint32_t                    size;
    uint32_t                    flags;
    size_t                      tfdt;        /* place of its time, 0: none */
    int                         wide;        /* which has 64 bits */
} cam_traf_t;


static uint32_t cam_box_u32(cam_box_t *box);
static uint64_t cam_box_u64(cam_box_t *box);
static int cam_box_next(cam_box_t *box, char type[5], cam_box_t *child);
static int cam_box_find(cam_box_t box, const char *type, cam_box_t *child);
static int cam_record_trak(cam_box_t trak, cam_record_track_t *track);
static int cam_record_traf(cam_box_t box, cam_traf_t *traf);
static int cam_record_tfhd(cam_box_t box, cam_traf_t *traf);
static int cam_record_tfdt(cam_box_t box, cam_traf_t *traf);
static int cam_record_trun(cam_box_t box, cam_traf_t *traf);
static int cam_record_trun_sample(cam_box_t *box, uint32_t flags,
    uint32_t sample_flags, cam_traf_t *traf);
static int cam_record_measure(void *data, const cam_record_sample_t *sample);
static int cam_record_stop(void *data, const cam_record_sample_t *sample);
static int64_t cam_record_usec(uint64_t time, uint32_t scale);
static int64_t cam_record_ticks(int64_t usec, uint32_t scale);
static void cam_record_put(uint8_t *p, int bytes, uint64_t value);


int
cam_record_box(const uint8_t *data, size_t n, char type[5], uint64_t *size)
{
    cam_box_t  box = { data, n };

    if (n < CAM_BOX_HEAD) {
        return -1;
    }

    *size = cam_box_u32(&box);
    memcpy(type, box.p, 4);
    type[4] = '\0';

    return *size < CAM_BOX_HEAD ? -1 : 0;
}


/* reading past the end answers 0, and the caller finds too little there */

static uint32_t
cam_box_u32(cam_box_t *box)
{
    uint32_t  value;

    if (box->n < 4) {
        box->n = 0;
        return 0;
    }

    value = (uint32_t) box->p[0] << 24 | (uint32_t) box->p[1] << 16
            | (uint32_t) box->p[2] << 8 | box->p[3];
    box->p += 4;
    box->n -= 4;

    return value;
}


static uint64_t
cam_box_u64(cam_box_t *box)
{
    uint64_t  high;

    high = cam_box_u32(box);

    return high << 32 | cam_box_u32(box);
}


/* 1 and the next box inside of this one, 0 at its end, -1 when it is torn */

static int
cam_box_next(cam_box_t *box, char type[5], cam_box_t *child)
{
    uint64_t  size;

    if (box->n == 0) {
        return 0;
    }

    if (cam_record_box(box->p, box->n, type, &size) != 0 || size > box->n) {
        return -1;
    }

    child->p = box->p + CAM_BOX_HEAD;
    child->n = size - CAM_BOX_HEAD;
    box->p += size;
    box->n -= size;

    return 1;
}


static int
cam_box_find(cam_box_t box, const char *type, cam_box_t *child)
{
    char  found[5];

    while (cam_box_next(&box, found, child) == 1) {
        if (strcmp(found, type) == 0) {
            return 0;
        }
    }

    return -1;
}


int
cam_record_tracks(const uint8_t *init, size_t n, cam_record_tracks_t *tracks)
{
    char       type[5];
    cam_box_t  box = { init, n }, moov, trak;

    memset(tracks, 0, sizeof(cam_record_tracks_t));

    if (cam_box_find(box, "moov", &moov) != 0) {
        return -1;
    }

    while (cam_box_next(&moov, type, &trak) == 1) {

        if (strcmp(type, "trak") != 0) {
            continue;
        }

        if (tracks->n == CAM_RECORD_TRACKS
            || cam_record_trak(trak, &tracks->track[tracks->n]) != 0)
        {
            return -1;
        }

        if (tracks->track[tracks->n].video) {
            tracks->lead = tracks->n;
        }

        tracks->n++;
    }

    return tracks->n ? 0 : -1;
}


static int
cam_record_trak(cam_box_t trak, cam_record_track_t *track)
{
    int        wide;
    cam_box_t  tkhd, mdia, mdhd, hdlr;

    if (cam_box_find(trak, "tkhd", &tkhd) != 0
        || cam_box_find(trak, "mdia", &mdia) != 0
        || cam_box_find(mdia, "mdhd", &mdhd) != 0
        || cam_box_find(mdia, "hdlr", &hdlr) != 0
        || tkhd.n < 24 || mdhd.n < 24 || hdlr.n < 12)
    {
        return -1;
    }

    /* version and flags, two times, then what is asked for */

    wide = cam_box_u32(&tkhd) >> 24;
    (void) (wide ? cam_box_u64(&tkhd) : cam_box_u32(&tkhd));
    (void) (wide ? cam_box_u64(&tkhd) : cam_box_u32(&tkhd));
    track->id = cam_box_u32(&tkhd);

    wide = cam_box_u32(&mdhd) >> 24;
    (void) (wide ? cam_box_u64(&mdhd) : cam_box_u32(&mdhd));
    (void) (wide ? cam_box_u64(&mdhd) : cam_box_u32(&mdhd));
    track->scale = cam_box_u32(&mdhd);

    track->video = memcmp(hdlr.p + 8, "vide", 4) == 0;

    return track->id && track->scale ? 0 : -1;
}


int
cam_record_samples(const uint8_t *moof, size_t n,
    const cam_record_tracks_t *tracks, cam_record_sample_pt each, void *data)
{
    int         rc;
    char        type[5];
    cam_box_t   box = { moof, n }, child;
    cam_traf_t  traf;

    if (cam_box_next(&box, type, &child) != 1 || strcmp(type, "moof") != 0) {
        return -1;
    }

    box = child;

    while ((rc = cam_box_next(&box, type, &child)) == 1) {

        if (strcmp(type, "traf") != 0) {
            continue;
        }

        memset(&traf, 0, sizeof(cam_traf_t));
        traf.tracks = tracks;
        traf.each = each;
        traf.data = data;

        if (cam_record_traf(child, &traf) != 0) {
            return -1;
        }
    }

    return rc;
}


static int
cam_record_traf(cam_box_t box, cam_traf_t *traf)
{
    int             rc;
    char            type[5];
    cam_box_t       child;
    const uint8_t  *start;

    start = box.p;

    while ((rc = cam_box_next(&box, type, &child)) == 1) {

        if (strcmp(type, "tfhd") == 0) {
            rc = cam_record_tfhd(child, traf);

        } else if (strcmp(type, "tfdt") == 0) {
            traf->tfdt = child.p + 4 - start;
            rc = cam_record_tfdt(child, traf);

        } else if (strcmp(type, "trun") == 0) {
            rc = traf->known && traf->tfdt ? cam_record_trun(child, traf) : -1;
        }

        if (rc == -1) {
            return -1;
        }
    }

    return rc == 0 && traf->known && traf->tfdt ? 0 : -1;
}


/* a place in the file instead of one in the moof is not ours */

static int
cam_record_tfhd(cam_box_t box, cam_traf_t *traf)
{
    int       i;
    uint32_t  flags, id;

    flags = cam_box_u32(&box);
    id = cam_box_u32(&box);

    if (flags & CAM_TFHD_DESCRIPTION) {
        (void) cam_box_u32(&box);
    }

    traf->duration = flags & CAM_TFHD_DURATION ? cam_box_u32(&box) : 0;
    traf->size = flags & CAM_TFHD_SIZE ? cam_box_u32(&box) : 0;
    traf->flags = flags & CAM_TFHD_FLAGS ? cam_box_u32(&box) : 0;

    for (i = 0; i < traf->tracks->n && !(flags & CAM_TFHD_BASE); i++) {
        if (traf->tracks->track[i].id == id) {
            traf->sample.track = i;
            traf->known = 1;
            return 0;
        }
    }

    return -1;
}


static int
cam_record_tfdt(cam_box_t box, cam_traf_t *traf)
{
    traf->wide = cam_box_u32(&box) >> 24 == 1;

    if (box.n < (traf->wide ? 8 : 4)) {
        return -1;
    }

    traf->sample.dts = traf->wide ? cam_box_u64(&box) : cam_box_u32(&box);

    /* no time of ours is so long, and sums of those that are shorter fit */

    return traf->known
           && traf->sample.dts
              / traf->tracks->track[traf->sample.track].scale
              < CAM_RECORD_SECONDS ? 0 : -1;
}


static int
cam_record_trun(cam_box_t box, cam_traf_t *traf)
{
    size_t    row;
    uint32_t  i, n, flags, first;

    flags = cam_box_u32(&box);
    n = cam_box_u32(&box);

    if (flags & CAM_TRUN_OFFSET) {
        traf->sample.offset = cam_box_u32(&box);
    }

    first = flags & CAM_TRUN_FIRST_FLAGS ? cam_box_u32(&box) : traf->flags;

    row = 4 * (!!(flags & CAM_TRUN_DURATION) + !!(flags & CAM_TRUN_SIZE)
               + !!(flags & CAM_TRUN_FLAGS) + !!(flags & CAM_TRUN_CTS));

    if (traf->sample.offset == 0 || n > CAM_TRUN_SAMPLES || n * row > box.n) {
        return -1;
    }

    for (i = 0; i < n; i++) {
        if (cam_record_trun_sample(&box, flags, i ? traf->flags : first, traf)
            != 0)
        {
            return -1;
        }
    }

    return 0;
}


static int
cam_record_trun_sample(cam_box_t *box, uint32_t flags, uint32_t sample_flags,
    cam_traf_t *traf)
{
    cam_record_sample_t  *s;

    s = &traf->sample;

    s->duration = flags & CAM_TRUN_DURATION ? cam_box_u32(box)
                                            : traf->duration;
    s->size = flags & CAM_TRUN_SIZE ? cam_box_u32(box) : traf->size;

    if (flags & CAM_TRUN_FLAGS) {
        sample_flags = cam_box_u32(box);
    }

    s->sync = (sample_flags & CAM_SAMPLE_NOT_SYNC) == 0;
    s->cts = flags & CAM_TRUN_CTS ? (int32_t) cam_box_u32(box) : 0;

    if (traf->each(traf->data, s) != 0) {
        return -1;
    }

    s->dts += s->duration;
    s->offset += s->size;

    return 0;
}


typedef struct {
    const cam_record_tracks_t  *tracks;
    cam_record_moof_t          *m;
    int                         track;       /* whose time it is, -1: none */
    uint64_t                    dts;
} cam_measure_t;


int
cam_record_moof(const uint8_t *moof, size_t n,
    const cam_record_tracks_t *tracks, cam_record_moof_t *m)
{
    cam_measure_t  measure = { tracks, m, -1, 0 };

    memset(m, 0, sizeof(cam_record_moof_t));

    return cam_record_samples(moof, n, tracks, cam_record_measure, &measure)
           == 0 && measure.track != -1 && m->duration_usec <= UINT32_MAX
           ? 0 : -1;
}


static int
cam_record_measure(void *data, const cam_record_sample_t *sample)
{
    cam_measure_t             *measure = data;
    const cam_record_track_t  *track;

    track = &measure->tracks->track[sample->track];

    if (measure->track != sample->track) {

        if (measure->track != -1 && sample->track != measure->tracks->lead) {
            return 0;
        }

        measure->track = sample->track;
        measure->dts = sample->dts;
        measure->m->time_usec = cam_record_usec(sample->dts, track->scale);
        measure->m->key = track->video && sample->sync;
    }

    measure->m->duration_usec = cam_record_usec(sample->dts + sample->duration,
                                                track->scale)
                                - measure->m->time_usec;

    return 0;
}


static int64_t
cam_record_usec(uint64_t time, uint32_t scale)
{
    return (int64_t) (time / scale * 1000000 + time % scale * 1000000 / scale);
}


int
cam_record_moof_rebase(uint8_t *moof, size_t n,
    const cam_record_tracks_t *tracks, uint32_t sequence, int64_t usec)
{
    char        type[5];
    int64_t     time;
    cam_box_t   box = { moof, n }, child;
    cam_traf_t  traf;

    if (cam_box_next(&box, type, &child) != 1 || strcmp(type, "moof") != 0) {
        return -1;
    }

    for (box = child; cam_box_next(&box, type, &child) == 1; /* void */ ) {

        if (strcmp(type, "mfhd") == 0 && child.n >= 8) {
            cam_record_put(moof + (child.p - moof) + 4, 4, sequence);
        }

        if (strcmp(type, "traf") != 0) {
            continue;
        }

        memset(&traf, 0, sizeof(cam_traf_t));
        traf.tracks = tracks;
        traf.each = cam_record_stop;

        /* the time that it begins with is still there when it stops */

        (void) cam_record_traf(child, &traf);

        if (!traf.known || !traf.tfdt) {
            return -1;
        }

        time = (int64_t) traf.sample.dts
               - cam_record_ticks(usec,
                                  tracks->track[traf.sample.track].scale);
        time = time > 0 ? time : 0;

        if (!traf.wide && time > UINT32_MAX) {
            return -1;
        }

        cam_record_put(moof + (child.p - moof) + traf.tfdt, traf.wide ? 8 : 4,
                       (uint64_t) time);
    }

    return 0;
}


static int64_t
cam_record_ticks(int64_t usec, uint32_t scale)
{
    return usec / 1000000 * scale + usec % 1000000 * scale / 1000000;
}


static int
cam_record_stop(void *data, const cam_record_sample_t *sample)
{
    return -1;
}


static void
cam_record_put(uint8_t *p, int bytes, uint64_t value)
{
    for (p += bytes; bytes; bytes--, value >>= 8) {
        *--p = (uint8_t) value;
    }
}
