/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The tables of an export: sizes, times and places of its samples, taken from
 * the heads of the fragments.
 *
 * A piece begins where the piece before ended in the track that reaches
 * furthest, and both of its tracks keep the distance that they have in the
 * recording.  The sample before a jump is shown until the sample after it, so
 * sound and pictures stay together, whatever is missing.
 */

#include <stdlib.h>
#include <string.h>

#include "export.h"

#define CW_EXPORT_VIDEO  0
#define CW_EXPORT_SOUND  1


typedef struct {
    cw_export_job_t            *job;
    const cam_record_tracks_t  *tracks;
    uint64_t                    media;        /* of the fragment, in mdat */
    uint64_t                    head;         /* bytes of it before media */
    uint64_t                    room;
    int                         failed;
    int                         begun[CAM_RECORD_TRACKS];
} cw_export_walk_t;


static int cw_export_box(const uint8_t *data, size_t n, const char *type,
    const uint8_t **box, size_t *size);
static cw_export_rc_e cw_export_trak(cw_export_job_t *job,
    const uint8_t *trak, size_t size, const cam_record_track_t *t);
static int cw_export_entry(cw_export_track_t *track, const uint8_t *stsd,
    size_t size);
static int cw_export_boxes(cw_export_track_t *track, const uint8_t *mdia,
    size_t mdia_size, const uint8_t *minf, size_t minf_size);
static cw_export_track_t *cw_export_track(cw_export_job_t *job, int video);
static int cw_export_sample(void *data, const cam_record_sample_t *s);
static int cw_export_align(cw_export_job_t *job, cw_export_track_t *track,
    int64_t dts);
static int cw_export_chunk(cw_export_walk_t *w, cw_export_track_t *track,
    const cam_record_sample_t *s);
static int cw_export_count(cw_export_job_t *job, cw_export_list_t *list,
    uint32_t value);
static int cw_export_add(cw_export_job_t *job, cw_export_list_t *list,
    uint32_t value);


cw_export_rc_e
cw_export_table_begin(cw_export_job_t *job, const uint8_t *init, size_t size,
    cam_record_tracks_t *tracks)
{
    int             n;
    char            type[5];
    size_t          left;
    uint64_t        box;
    const uint8_t  *moov;
    cw_export_rc_e  rc;

    if (cam_record_tracks(init, size, tracks) != 0
        || cw_export_box(init, size, "moov", &moov, &left) != 0)
    {
        return cw_export_fail(job, "damaged: the head of a recording");
    }

    for (n = 0; left; moov += box, left -= box) {

        if (cam_record_box(moov, left, type, &box) != 0 || box > left) {
            return cw_export_fail(job, "damaged: the head of a recording");
        }

        if (strcmp(type, "trak") != 0) {
            continue;
        }

        rc = cw_export_trak(job, moov + 8, box - 8, &tracks->track[n++]);

        if (rc != CW_EXPORT_OK) {
            return rc;
        }
    }

    return CW_EXPORT_OK;
}


/* the content of the first box of that type */

static int
cw_export_box(const uint8_t *data, size_t n, const char *type,
    const uint8_t **box, size_t *size)
{
    char      found[5];
    uint64_t  whole;

    for ( /* void */ ; cam_record_box(data, n, found, &whole) == 0
          && whole <= n; data += whole, n -= whole)
    {
        if (strcmp(found, type) == 0) {
            *box = data + 8;
            *size = whole - 8;
            return 0;
        }
    }

    return -1;
}


static cw_export_rc_e
cw_export_trak(cw_export_job_t *job, const uint8_t *trak, size_t size,
    const cam_record_track_t *t)
{
    size_t              mdia_size, minf_size, stbl_size, stsd_size;
    const uint8_t      *mdia, *minf, *stbl, *stsd;
    cw_export_track_t  *track;

    if (cw_export_box(trak, size, "mdia", &mdia, &mdia_size) != 0
        || cw_export_box(mdia, mdia_size, "minf", &minf, &minf_size) != 0
        || cw_export_box(minf, minf_size, "stbl", &stbl, &stbl_size) != 0
        || cw_export_box(stbl, stbl_size, "stsd", &stsd, &stsd_size) != 0
        || stsd_size < 16)
    {
        return cw_export_fail(job, "damaged: the head of a recording");
    }

    track = cw_export_track(job, t->video);

    if (!track->there) {
        track->there = 1;
        track->scale = t->scale;
        track->all_sync = 1;
        track->all_plain = 1;

        if (cw_export_boxes(track, mdia, mdia_size, minf, minf_size) != 0) {
            return cw_export_fail(job, "damaged: the head of a recording");
        }
    }

    /* version, flags and count stand before the one entry */

    if (cw_export_entry(track, stsd + 8, stsd_size - 8) != 0) {
        return cw_export_fail(job, "codec_changed: more than %d times",
                              CW_EXPORT_ENTRIES);
    }

    return CW_EXPORT_OK;
}


/* the description of what comes is made the last one */

static int
cw_export_entry(cw_export_track_t *track, const uint8_t *entry, size_t size)
{
    int  n;

    for (n = 0; n < track->entries; n++) {
        if (track->entry_at[n + 1] - track->entry_at[n] == size
            && memcmp(track->entry.data + track->entry_at[n], entry, size)
               == 0)
        {
            track->description = n + 1;
            return 0;
        }
    }

    if (track->entries == CW_EXPORT_ENTRIES
        || cw_export_put(&track->entry, entry, size) != 0)
    {
        return -1;
    }

    track->entry_at[++track->entries] = track->entry.size;
    track->description = track->entries;

    return 0;
}


static int
cw_export_boxes(cw_export_track_t *track, const uint8_t *mdia,
    size_t mdia_size, const uint8_t *minf, size_t minf_size)
{
    size_t          size;
    const uint8_t  *box;

    if (cw_export_box(mdia, mdia_size, "hdlr", &box, &size) != 0
        || cw_export_put(&track->hdlr, box - 8, size + 8) != 0)
    {
        return -1;
    }

    if ((cw_export_box(minf, minf_size, "vmhd", &box, &size) != 0
         && cw_export_box(minf, minf_size, "smhd", &box, &size) != 0)
        || cw_export_put(&track->media_head, box - 8, size + 8) != 0)
    {
        return -1;
    }

    return cw_export_box(minf, minf_size, "dinf", &box, &size) == 0
           ? cw_export_put(&track->dinf, box - 8, size + 8) : -1;
}


int
cw_export_put(cw_export_buf_t *buf, const void *data, size_t size)
{
    size_t    cap;
    uint8_t  *p;

    if (buf->size + size > buf->cap) {
        cap = (buf->size + size) * 3 / 2 + 64;
        p = realloc(buf->data, cap);

        if (p == NULL) {
            return -1;
        }

        buf->data = p;
        buf->cap = cap;
    }

    memcpy(buf->data + buf->size, data, size);
    buf->size += size;

    return 0;
}


static cw_export_track_t *
cw_export_track(cw_export_job_t *job, int video)
{
    return &job->track[video ? CW_EXPORT_VIDEO : CW_EXPORT_SOUND];
}


cw_export_rc_e
cw_export_table_add(cw_export_job_t *job, const cam_record_tracks_t *tracks,
    const uint8_t *moof, size_t size, uint32_t fragment_size)
{
    cw_export_walk_t  w;

    memset(&w, 0, sizeof(cw_export_walk_t));
    w.job = job;
    w.tracks = tracks;
    w.media = job->media;
    w.head = size + 8;
    w.room = fragment_size - w.head;

    if (fragment_size < w.head
        || cam_record_samples(moof, size, tracks, cw_export_sample, &w) != 0)
    {
        return w.failed ? cw_export_fail(job, "too_long: its tables take more "
                                         "than %u MB", CW_EXPORT_TABLES >> 20)
                        : cw_export_fail(job, "damaged: the head of a "
                                         "fragment");
    }

    job->media += w.room;

    return CW_EXPORT_OK;
}


static int
cw_export_sample(void *data, const cam_record_sample_t *s)
{
    int                        rc;
    int64_t                    dts;
    uint32_t                   duration;
    cw_export_walk_t          *w = data;
    cw_export_job_t           *job = w->job;
    cw_export_track_t         *track;
    const cam_record_track_t  *t;

    t = &w->tracks->track[s->track];
    track = cw_export_track(job, t->video);

    if (s->offset < w->head || s->offset + s->size > w->head + w->room) {
        return -1;
    }

    /* a later recording may count in other units */

    dts = (int64_t) ((__int128) s->dts * track->scale / t->scale
                     + (__int128) (job->base_usec - job->piece_usec)
                       * track->scale / 1000000);
    duration = (uint32_t) ((uint64_t) s->duration * track->scale / t->scale);

    rc = 0;

    if (!w->begun[s->track]) {
        w->begun[s->track] = 1;
        rc = cw_export_align(job, track, dts);
    }

    rc |= cw_export_chunk(w, track, s);
    rc |= cw_export_add(job, &track->size, s->size);
    rc |= cw_export_count(job, &track->stts, duration);
    rc |= cw_export_count(job, &track->ctts, (uint32_t) s->cts);

    track->samples++;
    track->end += duration;
    track->last = duration;
    track->all_plain &= s->cts == 0;

    if (s->sync) {
        rc |= cw_export_add(job, &track->stss, track->samples);

    } else {
        track->all_sync = 0;
    }

    w->failed = rc != 0;

    return rc;
}


/* the first sample of a fragment comes at its time */

static int
cw_export_align(cw_export_job_t *job, cw_export_track_t *track, int64_t dts)
{
    int64_t   more;
    uint32_t  duration;

    if (track->samples == 0) {
        track->delay = dts > 0 ? (uint64_t) dts : 0;
        track->end = track->delay;
        return 0;
    }

    more = dts - (int64_t) track->end;

    /* what would overlap is shortened as far as it can be */

    if (more == 0 || more > INT32_MAX) {
        return 0;
    }

    if (more < 0 && -more >= (int64_t) track->last) {
        more = 1 - (int64_t) track->last;
    }

    duration = (uint32_t) (track->last + more);
    track->end += (uint64_t) more;

    if (--track->stts.v[track->stts.n - 2] == 0) {
        track->stts.n -= 2;
    }

    return cw_export_count(job, &track->stts, duration);
}


/* samples of a track that lie side by side */

static int
cw_export_chunk(cw_export_walk_t *w, cw_export_track_t *track,
    const cam_record_sample_t *s)
{
    int        rc;
    uint64_t   place;
    uint32_t  *last;

    place = w->media + s->offset - w->head;
    last = track->chunk.n ? track->chunk.v + track->chunk.n - 4 : NULL;

    if (last != NULL && track->next == place
        && last[3] == (uint32_t) track->description)
    {
        last[2]++;
        track->next = place + s->size;
        return 0;
    }

    rc = cw_export_add(w->job, &track->chunk, (uint32_t) place);
    rc |= cw_export_add(w->job, &track->chunk, (uint32_t) (place >> 32));
    rc |= cw_export_add(w->job, &track->chunk, 1);
    rc |= cw_export_add(w->job, &track->chunk, (uint32_t) track->description);
    track->next = place + s->size;

    return rc;
}


/* a list of counts and values */

static int
cw_export_count(cw_export_job_t *job, cw_export_list_t *list, uint32_t value)
{
    if (list->n && list->v[list->n - 1] == value) {
        list->v[list->n - 2]++;
        return 0;
    }

    return cw_export_add(job, list, 1) | cw_export_add(job, list, value);
}


static int
cw_export_add(cw_export_job_t *job, cw_export_list_t *list, uint32_t value)
{
    size_t     cap;
    uint32_t  *p;

    if (list->n == list->cap) {
        cap = list->cap ? list->cap * 3 / 2 : 1024;

        if (job->tables + (cap - list->cap) * sizeof(uint32_t)
            > CW_EXPORT_TABLES)
        {
            return -1;
        }

        p = realloc(list->v, cap * sizeof(uint32_t));

        if (p == NULL) {
            return -1;
        }

        job->tables += (cap - list->cap) * sizeof(uint32_t);
        list->v = p;
        list->cap = cap;
    }

    list->v[list->n++] = value;

    return 0;
}


void
cw_export_table_free(cw_export_job_t *job)
{
    int                 i;
    cw_export_track_t  *track;

    for (i = 0; i < CAM_RECORD_TRACKS; i++) {
        track = &job->track[i];

        free(track->size.v);
        free(track->stts.v);
        free(track->ctts.v);
        free(track->stss.v);
        free(track->chunk.v);
        free(track->entry.data);
        free(track->hdlr.data);
        free(track->media_head.data);
        free(track->dinf.data);
    }

    memset(job->track, 0, sizeof(job->track));
}
