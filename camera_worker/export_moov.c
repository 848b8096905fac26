/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What stands in front of the samples of an exported file: ftyp, the moov with
 * its tables, and the head of the mdat (ISO/IEC 14496-12).  The boxes that
 * describe a codec are those of the recordings, byte for byte.
 *
 * The time of its first frame stands in it as the time of creation.
 */

#include <stdlib.h>
#include <string.h>

#include "export.h"

#define CW_MOOV_SCALE   1000               /* of the movie: ms */
#define CW_MOOV_1904    INT64_C(2082844800)
#define CW_MOOV_WIDTH   32                 /* place in a visual sample entry */
#define CW_MDAT_HEAD    16


static int cw_moov(const cw_export_job_t *job, uint64_t media,
    cw_export_buf_t *b);
static int cw_moov_mvhd(const cw_export_job_t *job, cw_export_buf_t *b);
static int cw_moov_trak(const cw_export_job_t *job, int n, uint64_t media,
    cw_export_buf_t *b);
static int cw_moov_tkhd(const cw_export_job_t *job, int n,
    cw_export_buf_t *b);
static int cw_moov_edts(const cw_export_track_t *track, cw_export_buf_t *b);
static int cw_moov_mdhd(const cw_export_job_t *job,
    const cw_export_track_t *track, cw_export_buf_t *b);
static int cw_moov_stbl(const cw_export_track_t *track, int video,
    uint64_t media, cw_export_buf_t *b);
static int cw_moov_pairs(const cw_export_list_t *list, const char *type,
    uint32_t version, cw_export_buf_t *b);
static int cw_moov_stsc(const cw_export_track_t *track, cw_export_buf_t *b);
static int cw_moov_sizes(const cw_export_track_t *track, uint64_t media,
    cw_export_buf_t *b);
static int cw_moov_times(const cw_export_job_t *job, cw_export_buf_t *b);
static uint64_t cw_moov_duration(const cw_export_track_t *track);
static size_t cw_moov_begin(cw_export_buf_t *b, const char *type);
static int cw_moov_end(cw_export_buf_t *b, size_t begin);
static int cw_moov_u16(cw_export_buf_t *b, uint16_t value);
static int cw_moov_u32(cw_export_buf_t *b, uint32_t value);
static int cw_moov_u64(cw_export_buf_t *b, uint64_t value);
static int cw_moov_zeros(cw_export_buf_t *b, int n);


int
cw_export_head(const cw_export_job_t *job, cw_export_buf_t *head)
{
    int     rc;
    size_t  begin, size;

    static const char  ftyp[] = "isom\0\0\2\0isomiso2avc1mp41";

    begin = cw_moov_begin(head, "ftyp");
    rc = cw_export_put(head, ftyp, sizeof(ftyp) - 1);
    rc |= cw_moov_end(head, begin);

    /* places are of a fixed width: what it measures once it measures again */

    size = head->size;
    rc |= cw_moov(job, 0, head);

    if (rc == 0) {
        begin = head->size;
        head->size = size;
        rc = cw_moov(job, begin + CW_MDAT_HEAD, head);
    }

    rc |= cw_moov_u32(head, 1);
    rc |= cw_export_put(head, "mdat", 4);
    rc |= cw_moov_u64(head, job->media + CW_MDAT_HEAD);

    return rc;
}


static int
cw_moov(const cw_export_job_t *job, uint64_t media, cw_export_buf_t *b)
{
    int     n, rc;
    size_t  begin;

    begin = cw_moov_begin(b, "moov");
    rc = cw_moov_mvhd(job, b);

    for (n = 0; n < CAM_RECORD_TRACKS; n++) {
        if (job->track[n].samples) {
            rc |= cw_moov_trak(job, n, media, b);
        }
    }

    return rc | cw_moov_end(b, begin);
}


static int
cw_moov_mvhd(const cw_export_job_t *job, cw_export_buf_t *b)
{
    int       n, rc;
    size_t    begin;
    uint64_t  duration, longest;

    longest = 0;

    for (n = 0; n < CAM_RECORD_TRACKS; n++) {
        duration = job->track[n].samples ? cw_moov_duration(&job->track[n])
                                         : 0;
        longest = duration > longest ? duration : longest;
    }

    begin = cw_moov_begin(b, "mvhd");
    rc = cw_moov_u32(b, 1u << 24);
    rc |= cw_moov_times(job, b);
    rc |= cw_moov_u32(b, CW_MOOV_SCALE);
    rc |= cw_moov_u64(b, longest);
    rc |= cw_moov_u32(b, 0x10000);              /* rate and volume: normal */
    rc |= cw_moov_u16(b, 0x100);
    rc |= cw_moov_zeros(b, 10);

    for (n = 0; n < 9; n++) {
        rc |= cw_moov_u32(b, n == 8 ? 0x40000000 : n % 4 == 0 ? 0x10000 : 0);
    }

    rc |= cw_moov_zeros(b, 24);
    rc |= cw_moov_u32(b, CAM_RECORD_TRACKS + 1);

    return rc | cw_moov_end(b, begin);
}


static int
cw_moov_trak(const cw_export_job_t *job, int n, uint64_t media,
    cw_export_buf_t *b)
{
    int                       rc;
    size_t                    trak, mdia, minf;
    const cw_export_track_t  *track;

    track = &job->track[n];

    trak = cw_moov_begin(b, "trak");
    rc = cw_moov_tkhd(job, n, b);
    rc |= track->delay ? cw_moov_edts(track, b) : 0;

    mdia = cw_moov_begin(b, "mdia");
    rc |= cw_moov_mdhd(job, track, b);
    rc |= cw_export_put(b, track->hdlr.data, track->hdlr.size);

    minf = cw_moov_begin(b, "minf");
    rc |= cw_export_put(b, track->media_head.data, track->media_head.size);
    rc |= cw_export_put(b, track->dinf.data, track->dinf.size);
    rc |= cw_moov_stbl(track, n == 0, media, b);
    rc |= cw_moov_end(b, minf);
    rc |= cw_moov_end(b, mdia);

    return rc | cw_moov_end(b, trak);
}


static int
cw_moov_tkhd(const cw_export_job_t *job, int n, cw_export_buf_t *b)
{
    int                       i, rc;
    size_t                    begin;
    const cw_export_track_t  *track;

    track = &job->track[n];

    begin = cw_moov_begin(b, "tkhd");
    rc = cw_moov_u32(b, 1u << 24 | 3);          /* enabled, in the movie */
    rc |= cw_moov_times(job, b);
    rc |= cw_moov_u32(b, n + 1);
    rc |= cw_moov_zeros(b, 4);
    rc |= cw_moov_u64(b, cw_moov_duration(track));
    rc |= cw_moov_zeros(b, 12);
    rc |= cw_moov_u16(b, n == 0 ? 0 : 0x100);   /* volume */
    rc |= cw_moov_zeros(b, 2);

    for (i = 0; i < 9; i++) {
        rc |= cw_moov_u32(b, i == 8 ? 0x40000000 : i % 4 == 0 ? 0x10000 : 0);
    }

    /* 16.16; the entry has 16 bits for each */

    for (i = 0; i < 2; i++) {
        rc |= n == 0 && track->entry.size >= CW_MOOV_WIDTH + 4
              ? cw_export_put(b, track->entry.data + CW_MOOV_WIDTH + 2 * i, 2)
              : cw_moov_u16(b, 0);
        rc |= cw_moov_u16(b, 0);
    }

    return rc | cw_moov_end(b, begin);
}


/* a track that begins later waits for its time */

static int
cw_moov_edts(const cw_export_track_t *track, cw_export_buf_t *b)
{
    int       rc;
    size_t    edts, elst;
    uint64_t  wait;

    wait = track->delay * CW_MOOV_SCALE / track->scale;

    edts = cw_moov_begin(b, "edts");
    elst = cw_moov_begin(b, "elst");
    rc = cw_moov_u32(b, 1u << 24);
    rc |= cw_moov_u32(b, 2);
    rc |= cw_moov_u64(b, wait);
    rc |= cw_moov_u64(b, UINT64_MAX);           /* nothing */
    rc |= cw_moov_u32(b, 0x10000);
    rc |= cw_moov_u64(b, cw_moov_duration(track) - wait);
    rc |= cw_moov_u64(b, 0);
    rc |= cw_moov_u32(b, 0x10000);
    rc |= cw_moov_end(b, elst);

    return rc | cw_moov_end(b, edts);
}


static int
cw_moov_mdhd(const cw_export_job_t *job, const cw_export_track_t *track,
    cw_export_buf_t *b)
{
    int     rc;
    size_t  begin;

    begin = cw_moov_begin(b, "mdhd");
    rc = cw_moov_u32(b, 1u << 24);
    rc |= cw_moov_times(job, b);
    rc |= cw_moov_u32(b, track->scale);
    rc |= cw_moov_u64(b, track->end - track->delay);
    rc |= cw_moov_u16(b, 0x55c4);               /* no language */
    rc |= cw_moov_zeros(b, 2);

    return rc | cw_moov_end(b, begin);
}


static int
cw_moov_stbl(const cw_export_track_t *track, int video, uint64_t media,
    cw_export_buf_t *b)
{
    int     rc;
    size_t  i, stbl, begin;

    stbl = cw_moov_begin(b, "stbl");

    begin = cw_moov_begin(b, "stsd");
    rc = cw_moov_u32(b, 0);
    rc |= cw_moov_u32(b, (uint32_t) track->entries);
    rc |= cw_export_put(b, track->entry.data, track->entry.size);
    rc |= cw_moov_end(b, begin);

    rc |= cw_moov_pairs(&track->stts, "stts", 0, b);
    rc |= track->all_plain ? 0 : cw_moov_pairs(&track->ctts, "ctts", 1u << 24,
                                               b);

    if (video && !track->all_sync) {
        begin = cw_moov_begin(b, "stss");
        rc |= cw_moov_u32(b, 0);
        rc |= cw_moov_u32(b, (uint32_t) track->stss.n);

        for (i = 0; i < track->stss.n; i++) {
            rc |= cw_moov_u32(b, track->stss.v[i]);
        }

        rc |= cw_moov_end(b, begin);
    }

    rc |= cw_moov_stsc(track, b);
    rc |= cw_moov_sizes(track, media, b);

    return rc | cw_moov_end(b, stbl);
}


static int
cw_moov_pairs(const cw_export_list_t *list, const char *type,
    uint32_t version, cw_export_buf_t *b)
{
    int     rc;
    size_t  i, begin;

    begin = cw_moov_begin(b, type);
    rc = cw_moov_u32(b, version);
    rc |= cw_moov_u32(b, (uint32_t) (list->n / 2));

    for (i = 0; i < list->n; i++) {
        rc |= cw_moov_u32(b, list->v[i]);
    }

    return rc | cw_moov_end(b, begin);
}


/* a row where chunks begin to be of another kind */

static int
cw_moov_stsc(const cw_export_track_t *track, cw_export_buf_t *b)
{
    int              rc;
    size_t           i, begin, count;
    uint32_t         n, be;
    const uint32_t  *v;

    begin = cw_moov_begin(b, "stsc");
    rc = cw_moov_u32(b, 0);
    count = b->size;
    rc |= cw_moov_u32(b, 0);
    n = 0;

    for (i = 0; i < track->chunk.n; i += 4) {
        v = track->chunk.v + i;

        if (i && v[2] == v[-2] && v[3] == v[-1]) {
            continue;
        }

        rc |= cw_moov_u32(b, (uint32_t) (i / 4 + 1));
        rc |= cw_moov_u32(b, v[2]);
        rc |= cw_moov_u32(b, v[3]);
        n++;
    }

    be = __builtin_bswap32(n);

    if (rc == 0) {
        memcpy(b->data + count, &be, 4);
    }

    return rc | cw_moov_end(b, begin);
}


static int
cw_moov_sizes(const cw_export_track_t *track, uint64_t media,
    cw_export_buf_t *b)
{
    int              rc;
    size_t           i, begin;
    const uint32_t  *v;

    begin = cw_moov_begin(b, "stsz");
    rc = cw_moov_zeros(b, 8);
    rc |= cw_moov_u32(b, (uint32_t) track->size.n);

    for (i = 0; i < track->size.n; i++) {
        rc |= cw_moov_u32(b, track->size.v[i]);
    }

    rc |= cw_moov_end(b, begin);

    begin = cw_moov_begin(b, "co64");
    rc |= cw_moov_u32(b, 0);
    rc |= cw_moov_u32(b, (uint32_t) (track->chunk.n / 4));

    for (i = 0; i < track->chunk.n; i += 4) {
        v = track->chunk.v + i;
        rc |= cw_moov_u64(b, ((uint64_t) v[1] << 32 | v[0]) + media);
    }

    return rc | cw_moov_end(b, begin);
}


static int
cw_moov_times(const cw_export_job_t *job, cw_export_buf_t *b)
{
    int       rc;
    uint64_t  time;

    time = (uint64_t) (job->piece[0].from_msec / 1000 + CW_MOOV_1904);

    rc = cw_moov_u64(b, time);

    return rc | cw_moov_u64(b, time);
}


/* in units of the movie, with its delay */

static uint64_t
cw_moov_duration(const cw_export_track_t *track)
{
    return (uint64_t) ((unsigned __int128) track->end * CW_MOOV_SCALE
                       / track->scale);
}


static size_t
cw_moov_begin(cw_export_buf_t *b, const char *type)
{
    size_t  begin;

    begin = b->size;

    /* when there is no room here, there is none at its end */

    if (cw_moov_u32(b, 0) != 0 || cw_export_put(b, type, 4) != 0) {
        return SIZE_MAX;
    }

    return begin;
}


static int
cw_moov_end(cw_export_buf_t *b, size_t begin)
{
    uint32_t  size;

    if (begin == SIZE_MAX || b->size - begin > UINT32_MAX) {
        return -1;
    }

    size = __builtin_bswap32((uint32_t) (b->size - begin));
    memcpy(b->data + begin, &size, 4);

    return 0;
}


static int
cw_moov_u16(cw_export_buf_t *b, uint16_t value)
{
    value = __builtin_bswap16(value);

    return cw_export_put(b, &value, 2);
}


static int
cw_moov_u32(cw_export_buf_t *b, uint32_t value)
{
    value = __builtin_bswap32(value);

    return cw_export_put(b, &value, 4);
}


static int
cw_moov_u64(cw_export_buf_t *b, uint64_t value)
{
    value = __builtin_bswap64(value);

    return cw_export_put(b, &value, 8);
}


static int
cw_moov_zeros(cw_export_buf_t *b, int n)
{
    int  rc;

    for (rc = 0; n; n -= 2) {
        rc |= cw_moov_u16(b, 0);
    }

    return rc;
}
