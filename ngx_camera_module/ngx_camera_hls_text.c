/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The text of a media playlist (RFC 8216bis).
 *
 * It is made once per change of the index, with holes of fixed size where each
 * session's own signatures belong; an answer is a copy of it and one MAC per
 * hole.  All else is a function of the index alone, and so is the expiry of
 * each URI: the text of a listed piece never changes from reload to reload.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_camera_hls.h"


#define NGX_CAMERA_HLS_TEXT_MAX    65536
#define NGX_CAMERA_HLS_HOLES       (CAM_LIVE_SEGMENTS * 2                     \
                                    + 3 * CAM_LIVE_PARTS + 2)

/* complete segments whose parts are listed, besides the open one */
#define NGX_CAMERA_HLS_WITH_PARTS  2

/*
 * A piece's URI is valid for the time its segment lasts, is listed and is kept
 * by the packager, and a minute more; counted from a start that is up to a gap
 * too early.
 */
#define NGX_CAMERA_HLS_GAP_MSEC    60000
#define NGX_CAMERA_HLS_URI_SEC     180

#define NGX_CAMERA_HLS_TIME_DIGITS  10

/* s={session}&e={expires}&m={mac} */
#define NGX_CAMERA_HLS_AT_TIME     (CAM_URL_SESSION_TEXT + sizeof("&e=") - 1)
#define NGX_CAMERA_HLS_AT_MAC      (NGX_CAMERA_HLS_AT_TIME                    \
                                    + NGX_CAMERA_HLS_TIME_DIGITS              \
                                    + sizeof("&m=") - 1)
#define NGX_CAMERA_HLS_HOLE_LEN    (NGX_CAMERA_HLS_AT_MAC + CAM_URL_MAC_TEXT)


typedef struct {
    size_t           at;
    cam_url_media_t  media;      /* expires is 0 for what is listed for as long
                                    as the session lasts: an init segment */
    ngx_uint_t       same;       /* file and expiry as in the hole before */
} ngx_camera_hls_hole_t;


typedef struct {
    size_t                  len;
    u_char                 *data;
    ngx_uint_t              n;
    ngx_camera_hls_hole_t   holes[1];
} ngx_camera_hls_text_t;


/* what is being made */
typedef struct {
    u_char                 *p;
    u_char                 *last;
    ngx_uint_t              back;        /* of a list that reaches back: URIs
                                            of segments last as long, too */
    ngx_uint_t              n;
    ngx_camera_hls_hole_t   holes[NGX_CAMERA_HLS_HOLES];
    u_char                  data[NGX_CAMERA_HLS_TEXT_MAX];
} ngx_camera_hls_draft_t;


static void ngx_camera_hls_text_fill(u_char *p,
    const ngx_camera_hls_hole_t *hole, ngx_uint_t n,
    const ngx_camera_live_t *live, const cam_url_session_t *s,
    const char session[CAM_URL_SESSION_TEXT]);
static ngx_camera_hls_text_t *ngx_camera_hls_text(ngx_camera_live_t *live);
static ngx_camera_hls_text_t *ngx_camera_hls_text_keep(
    ngx_camera_hls_draft_t *d);
static void ngx_camera_hls_text_make(ngx_camera_hls_draft_t *d,
    const cam_live_index_t *index);
static ngx_uint_t ngx_camera_hls_text_complete(const cam_live_index_t *index);
static ngx_uint_t ngx_camera_hls_text_first(const cam_live_index_t *index);
static void ngx_camera_hls_text_lines(ngx_camera_hls_draft_t *d,
    const cam_live_index_t *index, ngx_uint_t first);
static void ngx_camera_hls_text_map(ngx_camera_hls_draft_t *d,
    const cam_live_index_t *index, uint32_t init);
static void ngx_camera_hls_text_head(ngx_camera_hls_draft_t *d,
    const cam_live_index_t *index, ngx_uint_t first);
static void ngx_camera_hls_text_segment(ngx_camera_hls_draft_t *d,
    const cam_live_index_t *index, ngx_uint_t i, ngx_uint_t parts);
static void ngx_camera_hls_text_part(ngx_camera_hls_draft_t *d,
    const cam_live_segment_t *seg, ngx_uint_t part, int64_t expires);
static void ngx_camera_hls_text_hint(ngx_camera_hls_draft_t *d,
    const cam_live_index_t *index);
static void ngx_camera_hls_text_time(ngx_camera_hls_draft_t *d, int64_t msec);
static void ngx_camera_hls_text_hole(ngx_camera_hls_draft_t *d,
    ngx_uint_t kind, uint64_t number, ngx_uint_t part, int64_t expires);
static int64_t ngx_camera_hls_expires(const cam_live_index_t *index,
    ngx_uint_t i);


static ngx_camera_hls_draft_t  ngx_camera_hls_draft;


size_t
ngx_camera_hls_text_len(ngx_camera_live_t *live)
{
    ngx_camera_hls_text_t  *text;

    text = ngx_camera_hls_text(live);

    return text ? text->len : 0;
}


u_char *
ngx_camera_hls_text_print(u_char *p, ngx_camera_live_t *live,
    const cam_url_session_t *s, const char session[CAM_URL_SESSION_TEXT])
{
    ngx_camera_hls_text_t  *text;

    text = live->text;

    ngx_memcpy(p, text->data, text->len);
    ngx_camera_hls_text_fill(p, text->holes, text->n, live, s, session);

    return p + text->len;
}


/* the lines of all segments from number msn on, in a list that reaches back */

ngx_str_t
ngx_camera_hls_text_tail(ngx_camera_live_t *live, uint64_t msn,
    const cam_url_session_t *s, const char session[CAM_URL_SESSION_TEXT])
{
    ngx_str_t                text;
    ngx_uint_t               first;
    ngx_camera_hls_draft_t  *d;

    d = &ngx_camera_hls_draft;

    d->p = d->data;
    d->last = d->data + sizeof(d->data);
    d->n = 0;
    d->back = 1;

    for (first = 0;
         first < live->index.segments && live->index.segment[first].msn < msn;
         first++)
    {
        /* void */
    }

    ngx_camera_hls_text_lines(d, &live->index, first);
    ngx_camera_hls_text_fill(d->data, d->holes, d->n, live, s, session);

    text.data = d->data;
    text.len = d->p - d->data;

    return text;
}


static void
ngx_camera_hls_text_fill(u_char *p, const ngx_camera_hls_hole_t *hole,
    ngx_uint_t n, const ngx_camera_live_t *live, const cam_url_session_t *s,
    const char session[CAM_URL_SESSION_TEXT])
{
    u_char           *at, *signed_at;
    ngx_uint_t        i;
    cam_url_media_t   media;

    signed_at = NULL;

    for (i = 0; i < n; i++) {
        at = p + hole[i].at;
        media = hole[i].media;

        ngx_memcpy(at, session, CAM_URL_SESSION_TEXT);

        if (media.expires == 0) {
            media.expires = s->ends;
            ngx_sprintf(at + NGX_CAMERA_HLS_AT_TIME, "%010L", s->ends);
        }

        at += NGX_CAMERA_HLS_AT_MAC;

        if (signed_at && hole[i].same) {
            ngx_memcpy(at, signed_at, CAM_URL_MAC_TEXT);
            continue;
        }

        ngx_camera_hls_mac(live->camera, s, &media, (char *) at);
        signed_at = at;
    }
}


static ngx_camera_hls_text_t *
ngx_camera_hls_text(ngx_camera_live_t *live)
{
    if (live->text && live->text_changes == live->changes) {
        return live->text;
    }

    if (live->text) {
        ngx_free(live->text);
    }

    ngx_camera_hls_text_make(&ngx_camera_hls_draft, &live->index);

    live->text = ngx_camera_hls_text_keep(&ngx_camera_hls_draft);
    live->text_changes = live->changes;

    return live->text;
}


static ngx_camera_hls_text_t *
ngx_camera_hls_text_keep(ngx_camera_hls_draft_t *d)
{
    size_t                  size;
    ngx_camera_hls_text_t  *text;

    size = sizeof(ngx_camera_hls_text_t)
           + d->n * sizeof(ngx_camera_hls_hole_t);

    text = ngx_alloc(size + (d->p - d->data), ngx_cycle->log);
    if (text == NULL) {
        return NULL;
    }

    text->len = d->p - d->data;
    text->data = (u_char *) text + size;
    text->n = d->n;

    ngx_memcpy(text->holes, d->holes, d->n * sizeof(ngx_camera_hls_hole_t));
    ngx_memcpy(text->data, d->data, text->len);

    return text;
}


static void
ngx_camera_hls_text_make(ngx_camera_hls_draft_t *d,
    const cam_live_index_t *index)
{
    ngx_uint_t  first;

    d->p = d->data;
    d->last = d->data + sizeof(d->data);
    d->n = 0;
    d->back = 0;

    first = ngx_camera_hls_text_first(index);

    ngx_camera_hls_text_head(d, index, first);
    ngx_camera_hls_text_lines(d, index, first);
}


static ngx_uint_t
ngx_camera_hls_text_complete(const cam_live_index_t *index)
{
    ngx_uint_t  complete;

    complete = index->segments;

    if (complete && !index->segment[complete - 1].complete) {
        complete--;
    }

    return complete;
}


static ngx_uint_t
ngx_camera_hls_text_first(const cam_live_index_t *index)
{
    ngx_uint_t  complete;

    complete = ngx_camera_hls_text_complete(index);

    return complete > CAM_LIVE_LISTED ? complete - CAM_LIVE_LISTED : 0;
}


cam_live_segment_t *
ngx_camera_hls_first(ngx_camera_live_t *live)
{
    return &live->index.segment[ngx_camera_hls_text_first(&live->index)];
}


static void
ngx_camera_hls_text_lines(ngx_camera_hls_draft_t *d,
    const cam_live_index_t *index, ngx_uint_t first)
{
    ngx_uint_t  i, complete;

    complete = ngx_camera_hls_text_complete(index);

    for (i = first; i < index->segments; i++) {

        if (i == first
            || index->segment[i].init != index->segment[i - 1].init
            || index->segment[i].discontinuity)
        {
            if (index->segment[i].discontinuity) {
                d->p = ngx_slprintf(d->p, d->last, "#EXT-X-DISCONTINUITY\n");
            }

            ngx_camera_hls_text_map(d, index, index->segment[i].init);
        }

        ngx_camera_hls_text_segment(d, index, i,
                                    i + NGX_CAMERA_HLS_WITH_PARTS >= complete);
    }

    if (index->state == CAM_LIVE_ON) {
        ngx_camera_hls_text_hint(d, index);
    }
}


/* ffmpeg 5 waits in vain for the rest of what is no range after one that was,
   so next to recordings all are ranges */

static void
ngx_camera_hls_text_map(ngx_camera_hls_draft_t *d,
    const cam_live_index_t *index, uint32_t init)
{
    ngx_uint_t  i;

    d->p = ngx_slprintf(d->p, d->last, "#EXT-X-MAP:URI=\"init.%uD.mp4", init);
    ngx_camera_hls_text_hole(d, CAM_URL_INIT, init, 0, 0);
    d->p = ngx_slprintf(d->p, d->last, "\"");

    for (i = 0; d->back && i < CAM_LIVE_INITS; i++) {

        if (index->init[i].version == init) {
            d->p = ngx_slprintf(d->p, d->last, ",BYTERANGE=\"%uD@0\"",
                                index->init[i].size);
        }
    }

    d->p = ngx_slprintf(d->p, d->last, "\n");
}


static void
ngx_camera_hls_text_head(ngx_camera_hls_draft_t *d,
    const cam_live_index_t *index, ngx_uint_t first)
{
    uint64_t    msn, discontinuities;
    ngx_uint_t  i;

    msn = index->segments ? index->segment[first].msn : index->next_msn;
    discontinuities = index->discontinuity_seq;

    for (i = 0; i < first; i++) {
        discontinuities += index->segment[i].discontinuity;
    }

    d->p = ngx_slprintf(d->p, d->last,
                        "#EXTM3U\n"
                        "#EXT-X-VERSION:9\n"
                        "#EXT-X-TARGETDURATION:%uD\n",
                        (index->target_msec + 999) / 1000);

    d->p = ngx_slprintf(d->p, d->last,
                        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,"
                        "PART-HOLD-BACK=%uD.%03uD\n"
                        "#EXT-X-PART-INF:PART-TARGET=%uD.%03uD\n",
                        3 * index->part_target_msec / 1000,
                        3 * index->part_target_msec % 1000,
                        index->part_target_msec / 1000,
                        index->part_target_msec % 1000);

    d->p = ngx_slprintf(d->p, d->last,
                        "#EXT-X-MEDIA-SEQUENCE:%uL\n"
                        "#EXT-X-DISCONTINUITY-SEQUENCE:%uL\n",
                        msn, discontinuities);
}


static void
ngx_camera_hls_text_segment(ngx_camera_hls_draft_t *d,
    const cam_live_index_t *index, ngx_uint_t i, ngx_uint_t parts)
{
    int64_t                    expires;
    ngx_uint_t                 n;
    const cam_live_segment_t  *seg;

    seg = &index->segment[i];
    expires = ngx_camera_hls_expires(index, i);

    ngx_camera_hls_text_time(d, seg->wall_msec);

    for (n = 0; parts && n < seg->parts; n++) {
        ngx_camera_hls_text_part(d, seg, n, expires);
    }

    if (!seg->complete) {
        return;
    }

    d->p = ngx_slprintf(d->p, d->last, "#EXTINF:%uD.%06uD,\n",
                        seg->duration_usec / 1000000,
                        seg->duration_usec % 1000000);

    if (d->back) {
        d->p = ngx_slprintf(d->p, d->last, "#EXT-X-BYTERANGE:%uD@0\n",
                            seg->size);
    }

    d->p = ngx_slprintf(d->p, d->last, "%uL.m4s", seg->msn);

    ngx_camera_hls_text_hole(d, CAM_URL_SEGMENT, seg->msn, 0,
                             d->back ? 0 : expires);

    d->p = ngx_slprintf(d->p, d->last, "\n");
}


static void
ngx_camera_hls_text_part(ngx_camera_hls_draft_t *d,
    const cam_live_segment_t *seg, ngx_uint_t part, int64_t expires)
{
    uint32_t  usec;

    usec = seg->part[part].duration_usec;

    d->p = ngx_slprintf(d->p, d->last,
                        "#EXT-X-PART:DURATION=%uD.%06uD,URI=\"%uL.%ui.m4s",
                        usec / 1000000, usec % 1000000, seg->msn, part);

    ngx_camera_hls_text_hole(d, CAM_URL_PART, seg->msn, part, expires);

    d->p = ngx_slprintf(d->p, d->last, "\"%s\n",
                        seg->part[part].independent ? ",INDEPENDENT=YES" : "");
}


/* the part that comes next, as far as one can know */

static void
ngx_camera_hls_text_hint(ngx_camera_hls_draft_t *d,
    const cam_live_index_t *index)
{
    uint64_t                   msn;
    ngx_uint_t                 part;
    const cam_live_segment_t  *seg;

    if (index->segments == 0) {
        return;
    }

    seg = &index->segment[index->segments - 1];
    msn = seg->complete ? seg->msn + 1 : seg->msn;
    part = seg->complete ? 0 : seg->parts;

    if (part == CAM_LIVE_PARTS) {
        return;
    }

    d->p = ngx_slprintf(d->p, d->last,
                        "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"%uL.%ui.m4s",
                        msn, part);

    ngx_camera_hls_text_hole(d, CAM_URL_PART, msn, part,
                             ngx_camera_hls_expires(index,
                                                    index->segments
                                                    - !seg->complete));

    d->p = ngx_slprintf(d->p, d->last, "\"\n");
}


static void
ngx_camera_hls_text_time(ngx_camera_hls_draft_t *d, int64_t msec)
{
    ngx_tm_t  tm;

    ngx_gmtime((time_t) (msec / 1000), &tm);

    d->p = ngx_slprintf(d->p, d->last,
                        "#EXT-X-PROGRAM-DATE-TIME:"
                        "%4d-%02d-%02dT%02d:%02d:%02d.%03dZ\n",
                        tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                        tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec,
                        (int) (msec % 1000));
}


static void
ngx_camera_hls_text_hole(ngx_camera_hls_draft_t *d, ngx_uint_t kind,
    uint64_t number, ngx_uint_t part, int64_t expires)
{
    ngx_camera_hls_hole_t  *hole;

    if (d->n == NGX_CAMERA_HLS_HOLES
        || d->last - d->p <= (ssize_t) (sizeof("?s=") - 1
                                        + NGX_CAMERA_HLS_HOLE_LEN))
    {
        return;
    }

    hole = &d->holes[d->n++];

    d->p = ngx_cpymem(d->p, "?s=", sizeof("?s=") - 1);

    hole->at = d->p - d->data;
    hole->media.kind = kind;
    hole->media.number = number;
    hole->media.part = part;
    hole->media.expires = expires;
    hole->same = d->n > 1 && kind != CAM_URL_INIT
                 && hole[-1].media.kind != CAM_URL_INIT
                 && hole[-1].media.number == number
                 && hole[-1].media.expires == expires;

    ngx_memset(d->p, '*', NGX_CAMERA_HLS_HOLE_LEN);
    ngx_sprintf(d->p + CAM_URL_SESSION_TEXT, "&e=%010L&m=", expires);

    d->p += NGX_CAMERA_HLS_HOLE_LEN;
}


/*
 * The start of the segment before stands for a segment's own, because the first
 * part of a segment is hinted at before the segment exists; but not over a long
 * gap.  i may be index->segments: the segment to come.
 */

static int64_t
ngx_camera_hls_expires(const cam_live_index_t *index, ngx_uint_t i)
{
    int64_t  gap;

    gap = 0;

    if (i > 0 && i < index->segments) {
        gap = index->segment[i].wall_msec - index->segment[i - 1].wall_msec;
    }

    if (i > 0 && gap >= 0 && gap < NGX_CAMERA_HLS_GAP_MSEC) {
        i--;
    }

    return index->segment[i].wall_msec / 1000 + NGX_CAMERA_HLS_URI_SEC;
}
