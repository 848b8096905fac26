/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * ISO/IEC 14496-12.  A box is a 32-bit size, four letters and a body; those
 * that say something about time are few:
 *
 *     init       moov { trak { tkhd: id, mdia { mdhd: scale, hdlr: what } },
 *                       mvex { trex: a sample's duration } }
 *     fragment   moof { mfhd: sequence,
 *                       traf { tfhd: id, tfdt: begin, trun: durations } } mdat
 */

#include <string.h>

#include "record_cipher.h"
#include "record_tfdt.h"

#define CW_RECORD_TICKS_MAX   (INT64_C(1) << 60)
#define CW_RECORD_SEC_MAX     (INT64_C(1) << 40)
#define CW_RECORD_SCALE_MAX   10000000
#define CW_RECORD_SAMPLES_MAX (1u << 20)     /* of a fragment */

/* of tfhd and trun */
#define CW_TFHD_BASE          0x000001
#define CW_TFHD_DESCRIPTION   0x000002
#define CW_TFHD_DURATION      0x000008
#define CW_TRUN_OFFSET        0x000001
#define CW_TRUN_FIRST_FLAGS   0x000004
#define CW_TRUN_DURATION      0x000100
#define CW_TRUN_SIZE          0x000200
#define CW_TRUN_FLAGS         0x000400
#define CW_TRUN_CTS           0x000800

#define cw_box_is(box, name)  (memcmp((box)->type, name, 4) == 0)


typedef struct {
    const uint8_t  *type;
    const uint8_t  *body;
    size_t          size;            /* of the body */
} cw_record_box_t;


typedef struct {
    const cw_record_tracks_t  *tracks;
    const cw_record_track_t   *track;
    int                        n;
    uint32_t                   duration;
    int                        begun;    /* its tfdt was seen */
    int64_t                    end;
    cw_record_times_t         *times;
} cw_record_traf_t;


static int cw_record_box(const uint8_t **p, const uint8_t *end,
    cw_record_box_t *box);
static int cw_record_find(const cw_record_box_t *in, const char *name,
    cw_record_box_t *box);
static int cw_record_trak(cw_record_tracks_t *tracks,
    const cw_record_box_t *trak);
static void cw_record_trex(cw_record_tracks_t *tracks,
    const cw_record_box_t *moov);
static int cw_record_moof(const cw_record_tracks_t *tracks,
    cw_record_times_t *times, const cw_record_box_t *moof);
static int cw_record_traf(cw_record_traf_t *t, const cw_record_box_t *traf);
static int cw_record_tfhd(cw_record_traf_t *t, const cw_record_box_t *tfhd);
static int cw_record_tfdt(cw_record_traf_t *t, const cw_record_box_t *tfdt);
static int cw_record_trun(cw_record_traf_t *t, const cw_record_box_t *trun);
static int cw_record_traf_move(const cw_record_tracks_t *tracks,
    const cw_record_box_t *traf, const int64_t *shift);
static int cw_record_track(const cw_record_tracks_t *tracks, uint32_t id);
static uint32_t cw_get32(const uint8_t *p);
static uint64_t cw_get64(const uint8_t *p);
static void cw_put32(uint8_t *p, uint32_t n);


int
cw_record_tracks_read(cw_record_tracks_t *tracks, const uint8_t *init,
    size_t size)
{
    int               i;
    const uint8_t    *p, *end;
    cw_record_box_t   file, moov, box;

    memset(tracks, 0, sizeof(cw_record_tracks_t));

    file.body = init;
    file.size = size;

    if (!cw_record_find(&file, "moov", &moov)) {
        return -1;
    }

    p = moov.body;
    end = p + moov.size;

    while (cw_record_box(&p, end, &box)) {

        if (cw_box_is(&box, "trak") && cw_record_trak(tracks, &box) == -1) {
            return -1;
        }
    }

    if (p != end || tracks->n == 0) {
        return -1;
    }

    cw_record_trex(tracks, &moov);

    for (i = tracks->n - 1; i >= 0; i--) {
        if (tracks->track[i].video) {
            tracks->lead = i;
        }
    }

    return 0;
}


/* 1, or 0: at the end, or at one that does not fit */

static int
cw_record_box(const uint8_t **p, const uint8_t *end, cw_record_box_t *box)
{
    uint64_t  size;

    if (end - *p < 8) {
        return 0;
    }

    size = cw_get32(*p);

    if (size < 8 || size > (uint64_t) (end - *p)) {
        return 0;
    }

    box->type = *p + 4;
    box->body = *p + 8;
    box->size = size - 8;
    *p += size;

    return 1;
}


static int
cw_record_find(const cw_record_box_t *in, const char *name,
    cw_record_box_t *box)
{
    const uint8_t  *p;

    p = in->body;

    while (cw_record_box(&p, in->body + in->size, box)) {
        if (cw_box_is(box, name)) {
            return 1;
        }
    }

    return 0;
}


static int
cw_record_trak(cw_record_tracks_t *tracks, const cw_record_box_t *trak)
{
    size_t              at;
    cw_record_box_t     tkhd, mdia, mdhd, hdlr;
    cw_record_track_t  *t;

    if (tracks->n == CW_RECORD_TRACKS
        || !cw_record_find(trak, "tkhd", &tkhd)
        || !cw_record_find(trak, "mdia", &mdia)
        || !cw_record_find(&mdia, "mdhd", &mdhd)
        || !cw_record_find(&mdia, "hdlr", &hdlr)
        || tkhd.size < 24 || mdhd.size < 24 || hdlr.size < 12)
    {
        return -1;
    }

    t = &tracks->track[tracks->n];

    /* version 1 has times of 64 bits before them */

    at = tkhd.body[0] ? 20 : 12;
    t->id = cw_get32(tkhd.body + at);

    at = mdhd.body[0] ? 20 : 12;
    t->scale = cw_get32(mdhd.body + at);
    t->video = memcmp(hdlr.body + 8, "vide", 4) == 0;

    if (t->scale == 0 || t->scale > CW_RECORD_SCALE_MAX
        || cw_record_track(tracks, t->id) != -1)
    {
        return -1;
    }

    tracks->n++;

    return 0;
}


static void
cw_record_trex(cw_record_tracks_t *tracks, const cw_record_box_t *moov)
{
    int               i;
    const uint8_t    *p;
    cw_record_box_t   mvex, box;

    if (!cw_record_find(moov, "mvex", &mvex)) {
        return;
    }

    p = mvex.body;

    while (cw_record_box(&p, mvex.body + mvex.size, &box)) {

        if (!cw_box_is(&box, "trex") || box.size < 24) {
            continue;
        }

        i = cw_record_track(tracks, cw_get32(box.body + 4));

        if (i != -1) {
            tracks->track[i].duration = cw_get32(box.body + 12);
        }
    }
}


int
cw_record_times_read(const cw_record_tracks_t *tracks,
    cw_record_times_t *times, const uint8_t *data, size_t size)
{
    int               media;
    const uint8_t    *p, *end;
    cw_record_box_t   box;

    memset(times, 0, sizeof(cw_record_times_t));

    p = data;
    end = data + size;
    media = 0;

    while (cw_record_box(&p, end, &box)) {

        /* on disk those of an encrypted recording have another type */

        if (cw_box_is(&box, "mdat") || cw_box_is(&box, CAM_RECORD_SEALED)) {
            media = 1;

        } else if (cw_box_is(&box, "moof")) {
            media = 0;

            if (cw_record_moof(tracks, times, &box) == -1) {
                return -1;
            }
        }
    }

    return p == end && media && times->present ? 0 : -1;
}


static int
cw_record_moof(const cw_record_tracks_t *tracks, cw_record_times_t *times,
    const cw_record_box_t *moof)
{
    const uint8_t     *p, *end;
    cw_record_box_t    box;
    cw_record_traf_t   t;

    p = moof->body;
    end = p + moof->size;

    while (cw_record_box(&p, end, &box)) {

        if (cw_box_is(&box, "mfhd") && box.size < 8) {
            return -1;
        }

        if (!cw_box_is(&box, "traf")) {
            continue;
        }

        memset(&t, 0, sizeof(cw_record_traf_t));
        t.tracks = tracks;
        t.times = times;

        if (cw_record_traf(&t, &box) == -1) {
            return -1;
        }
    }

    return p == end ? 0 : -1;
}


static int
cw_record_traf(cw_record_traf_t *t, const cw_record_box_t *traf)
{
    int               rc;
    const uint8_t    *p, *end;
    cw_record_box_t   box;

    if (!cw_record_find(traf, "tfhd", &box) || cw_record_tfhd(t, &box) == -1) {
        return -1;
    }

    p = traf->body;
    end = p + traf->size;

    while (cw_record_box(&p, end, &box)) {
        rc = 0;

        if (cw_box_is(&box, "tfdt")) {
            rc = cw_record_tfdt(t, &box);

        } else if (cw_box_is(&box, "trun")) {
            rc = cw_record_trun(t, &box);
        }

        if (rc == -1) {
            return -1;
        }
    }

    if (p != end || !t->begun) {
        return -1;
    }

    t->times->end[t->n] = t->end;
    t->times->present |= 1 << t->n;

    return 0;
}


static int
cw_record_tfhd(cw_record_traf_t *t, const cw_record_box_t *tfhd)
{
    size_t    at;
    uint32_t  flags;

    if (tfhd->size < 8) {
        return -1;
    }

    flags = cw_get32(tfhd->body) & 0xffffff;
    t->n = cw_record_track(t->tracks, cw_get32(tfhd->body + 4));

    if (t->n == -1) {
        return -1;
    }

    t->track = &t->tracks->track[t->n];
    t->duration = t->track->duration;

    if (flags & CW_TFHD_DURATION) {
        at = 8 + (flags & CW_TFHD_BASE ? 8 : 0)
             + (flags & CW_TFHD_DESCRIPTION ? 4 : 0);

        if (tfhd->size < at + 4) {
            return -1;
        }

        t->duration = cw_get32(tfhd->body + at);
    }

    return 0;
}


static int
cw_record_tfdt(cw_record_traf_t *t, const cw_record_box_t *tfdt)
{
    uint64_t  begin;

    if (tfdt->size < 8 || (tfdt->body[0] && tfdt->size < 12) || t->begun) {
        return -1;
    }

    begin = tfdt->body[0] ? cw_get64(tfdt->body + 4)
                          : cw_get32(tfdt->body + 4);

    if (begin > CW_RECORD_TICKS_MAX
        || (int64_t) begin / t->track->scale > CW_RECORD_SEC_MAX)
    {
        return -1;
    }

    /* of several moof the first begins and the last ends */

    if (!(t->times->present & 1 << t->n)) {
        t->times->begin[t->n] = begin;
    }

    t->begun = 1;
    t->end = begin;

    return 0;
}


static int
cw_record_trun(cw_record_traf_t *t, const cw_record_box_t *trun)
{
    size_t    at, step;
    uint32_t  i, n, flags;

    if (trun->size < 8 || !t->begun) {
        return -1;
    }

    flags = cw_get32(trun->body) & 0xffffff;
    n = cw_get32(trun->body + 4);
    at = 8 + (flags & CW_TRUN_OFFSET ? 4 : 0)
         + (flags & CW_TRUN_FIRST_FLAGS ? 4 : 0);
    step = (flags & CW_TRUN_DURATION ? 4 : 0) + (flags & CW_TRUN_SIZE ? 4 : 0)
           + (flags & CW_TRUN_FLAGS ? 4 : 0) + (flags & CW_TRUN_CTS ? 4 : 0);

    if (trun->size < at || n > CW_RECORD_SAMPLES_MAX
        || (trun->size - at) < (size_t) n * step)
    {
        return -1;
    }

    if (!(flags & CW_TRUN_DURATION)) {
        t->end += (int64_t) n * t->duration;

    } else {
        for (i = 0; i < n; i++) {
            t->end += cw_get32(trun->body + at + i * step);
        }
    }

    return t->end / t->track->scale <= CW_RECORD_SEC_MAX ? 0 : -1;
}


int
cw_record_times_move(const cw_record_tracks_t *tracks, uint8_t *data,
    size_t size, const int64_t *shift, uint32_t sequence)
{
    const uint8_t    *p, *q;
    cw_record_box_t   moof, box;

    p = data;

    while (cw_record_box(&p, data + size, &moof)) {

        if (!cw_box_is(&moof, "moof")) {
            continue;
        }

        q = moof.body;

        while (cw_record_box(&q, moof.body + moof.size, &box)) {

            if (cw_box_is(&box, "mfhd")) {
                cw_put32((uint8_t *) box.body + 4, sequence);

            } else if (cw_box_is(&box, "traf")
                       && cw_record_traf_move(tracks, &box, shift) == -1)
            {
                return -1;
            }
        }
    }

    return 0;
}


static int
cw_record_traf_move(const cw_record_tracks_t *tracks,
    const cw_record_box_t *traf, const int64_t *shift)
{
    int               i;
    int64_t           begin;
    uint8_t          *p;
    cw_record_box_t   tfhd, tfdt;

    if (!cw_record_find(traf, "tfhd", &tfhd)
        || !cw_record_find(traf, "tfdt", &tfdt))
    {
        return -1;
    }

    i = cw_record_track(tracks, cw_get32(tfhd.body + 4));
    p = (uint8_t *) tfdt.body + 4;
    begin = tfdt.body[0] ? (int64_t) cw_get64(p) : cw_get32(p);
    begin += shift[i];

    if (begin < 0 || begin > CW_RECORD_TICKS_MAX
        || (!tfdt.body[0] && begin > UINT32_MAX))
    {
        return -1;
    }

    if (tfdt.body[0]) {
        cw_put32(p, begin >> 32);
        p += 4;
    }

    cw_put32(p, begin);

    return 0;
}


static int
cw_record_track(const cw_record_tracks_t *tracks, uint32_t id)
{
    int  i;

    for (i = 0; i < tracks->n; i++) {
        if (tracks->track[i].id == id) {
            return i;
        }
    }

    return -1;
}


int64_t
cw_record_ticks(const cw_record_track_t *track, int64_t usec)
{
    return usec / 1000000 * track->scale
           + usec % 1000000 * (int64_t) track->scale / 1000000;
}


int64_t
cw_record_usec(const cw_record_track_t *track, int64_t ticks)
{
    return ticks / track->scale * 1000000
           + ticks % track->scale * 1000000 / track->scale;
}


static uint32_t
cw_get32(const uint8_t *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
           | (uint32_t) p[2] << 8 | p[3];
}


static uint64_t
cw_get64(const uint8_t *p)
{
    return (uint64_t) cw_get32(p) << 32 | cw_get32(p + 4);
}


static void
cw_put32(uint8_t *p, uint32_t n)
{
    p[0] = (uint8_t) (n >> 24);
    p[1] = (uint8_t) (n >> 16);
    p[2] = (uint8_t) (n >> 8);
    p[3] = (uint8_t) n;
}
