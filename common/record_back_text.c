/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Lines of a list that reaches back, see record_back.h.
 *
 * Where a number has no piece any more there is an EXT-X-GAP.  What is missing
 * before the seam was removed by retention, and is the oldest; when it is not,
 * nobody can tell which numbers they had, and all of them are gaps.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record_back.h"
#include "record_text.h"


#define CAM_RECORD_BACK_DRIFT_MSEC  250     /* then the time is said anew */
#define CAM_RECORD_BACK_URI         256


typedef struct {
    cam_record_text_t                text;
    const cam_record_back_list_t    *list;
    cam_record_session_t             session;
    int64_t                          clock_usec;    /* as a player counts it */
    int64_t                          file_msec;     /* whose init is in force */
    uint32_t                         init;          /* or that of the store */
    char                             of[CAM_RECORD_SESSION_TEXT];
    char                             live_of[CAM_URL_SESSION_TEXT];
    char                             uri[CAM_RECORD_BACK_URI];
} cam_record_back_draft_t;


static int cam_record_back_before(cam_record_back_draft_t *d,
    const cam_record_back_t *past);
static int cam_record_back_recorded(cam_record_back_draft_t *d,
    const cam_record_back_piece_t *p);
static int cam_record_back_file(cam_record_back_draft_t *d,
    const cam_record_back_piece_t *p);
static int cam_record_back_since(cam_record_back_draft_t *d,
    const cam_record_back_t *past);
static const cam_record_back_piece_t **cam_record_back_sort(
    const cam_record_back_t *past, uint64_t seam, size_t *n);
static int cam_record_back_compare(const void *one, const void *two);
static int cam_record_back_kept(cam_record_back_draft_t *d,
    const cam_record_back_live_t *live);
static int cam_record_back_past(cam_record_back_draft_t *d,
    const cam_record_back_piece_t *p);
static int cam_record_back_segment(cam_record_back_draft_t *d, uint64_t msn,
    int64_t wall_msec, uint32_t duration_usec, uint64_t size);
static int cam_record_back_gap(cam_record_back_draft_t *d, uint64_t msn);
static void cam_record_back_sign(cam_record_back_draft_t *d, unsigned kind,
    uint64_t number, char mac[CAM_URL_MAC_TEXT]);


char *
cam_record_back_text(const cam_record_back_t *past,
    const cam_record_back_list_t *list, size_t *len)
{
    cam_record_back_draft_t  d;

    memset(&d, 0, sizeof(cam_record_back_draft_t));
    d.list = list;

    cam_record_back_session(list->s, list->back, &d.session);
    cam_record_session_sign(list->macs, list->camera, &d.session, d.of);
    cam_url_session_sign(list->macs, list->camera, list->s, d.live_of);

    if (cam_record_back_before(&d, past) != 0
        || cam_record_back_since(&d, past) != 0
        || cam_record_text_room(&d.text) != 0)
    {
        free(d.text.data);
        return NULL;
    }

    return cam_record_text_take(&d.text, len);
}


/* all that is recorded alone */

static int
cam_record_back_before(cam_record_back_draft_t *d,
    const cam_record_back_t *past)
{
    size_t                          i, n, gaps;
    const cam_url_back_t           *back;
    const cam_record_back_piece_t  *p;

    back = d->list->back;
    n = cam_record_back_count(past, back->last);
    gaps = back->count > n ? back->count - n : 0;

    if (n > back->count
        || (gaps && n && past->piece[0].wall_msec == back->from_msec))
    {
        gaps = back->count;
    }

    for (i = 0; i < gaps; i++) {
        if (cam_record_back_gap(d, back->seam - back->count + i) != 0) {
            return -1;
        }
    }

    for (i = 0; gaps < back->count && i < past->n; i++) {
        p = &past->piece[i];

        if (p->msn <= back->last && cam_record_back_recorded(d, p) != 0) {
            return -1;
        }
    }

    return 0;
}


static int
cam_record_back_recorded(cam_record_back_draft_t *d,
    const cam_record_back_piece_t *p)
{
    int64_t  drift;

    if (cam_record_text_room(&d->text) != 0) {
        return -1;
    }

    drift = p->wall_msec - d->clock_usec / 1000;

    if (p->file_msec != d->file_msec || p->discontinuity
        || drift > CAM_RECORD_BACK_DRIFT_MSEC
        || drift < -CAM_RECORD_BACK_DRIFT_MSEC)
    {
        if (d->text.len
            && (p->file_msec != d->file_msec || p->discontinuity))
        {
            cam_record_text_print(&d->text, "#EXT-X-DISCONTINUITY\n");
        }

        if ((p->file_msec != d->file_msec && cam_record_back_file(d, p) != 0)
            || cam_record_text_time(&d->text, p->wall_msec) != 0)
        {
            return -1;
        }

        d->clock_usec = p->wall_msec * 1000;
    }

    d->clock_usec += p->duration_usec;

    cam_record_text_print(&d->text, "#EXTINF:%u.%06u,\n"
                          "#EXT-X-BYTERANGE:%llu@%llu\n%s\n",
                          p->duration_usec / 1000000,
                          p->duration_usec % 1000000,
                          (unsigned long long) p->size,
                          (unsigned long long) p->offset, d->uri);

    return 0;
}


static int
cam_record_back_file(cam_record_back_draft_t *d,
    const cam_record_back_piece_t *p)
{
    char  path[CAM_RECORD_PATH_MAX], mac[CAM_URL_MAC_TEXT];

    if (cam_record_path(path, d->list->camera, p->file_msec, "mp4") == NULL) {
        return -1;
    }

    cam_record_file_sign(d->list->macs, d->list->camera, &d->session,
                         p->file_msec, mac);

    snprintf(d->uri, sizeof(d->uri), "/recordings/%s?s=%.*s&m=%.*s",
             path + sizeof("media/") - 1, (int) sizeof(d->of), d->of,
             (int) sizeof(mac), mac);

    cam_record_text_print(&d->text,
                          "#EXT-X-MAP:URI=\"%s\",BYTERANGE=\"%u@0\"\n",
                          d->uri, p->init_size);

    d->file_msec = p->file_msec;
    d->init = 0;

    return 0;
}


/* from the seam on by number: of the live store, recorded, or neither */

static int
cam_record_back_since(cam_record_back_draft_t *d,
    const cam_record_back_t *past)
{
    int                              rc;
    size_t                           n, p, l;
    uint64_t                         msn;
    const cam_record_back_list_t    *list;
    const cam_record_back_piece_t  **piece;

    list = d->list;
    piece = cam_record_back_sort(past, list->back->seam, &n);

    if (piece == NULL) {
        return -1;
    }

    d->file_msec = 0;
    rc = 0;

    for (msn = list->back->seam, p = 0, l = 0;
         rc == 0 && msn < list->end;
         msn++)
    {
        while (p < n && piece[p]->msn < msn) {
            p++;
        }

        while (l < list->lives && list->live[l].msn < msn) {
            l++;
        }

        if (l < list->lives && list->live[l].msn == msn) {
            rc = cam_record_back_kept(d, &list->live[l]);

        } else if (p < n && piece[p]->msn == msn) {
            rc = cam_record_back_past(d, piece[p]);

        } else {
            rc = cam_record_back_gap(d, msn);
        }
    }

    free(piece);

    return rc;
}


/* where a clock was set back the order of time is another one */

static const cam_record_back_piece_t **
cam_record_back_sort(const cam_record_back_t *past, uint64_t seam, size_t *n)
{
    size_t                           i;
    const cam_record_back_piece_t  **piece;

    piece = malloc((past->n + 1) * sizeof(cam_record_back_piece_t *));

    if (piece == NULL) {
        return NULL;
    }

    for (i = 0, *n = 0; i < past->n; i++) {
        if (past->piece[i].msn >= seam) {
            piece[(*n)++] = &past->piece[i];
        }
    }

    qsort(piece, *n, sizeof(cam_record_back_piece_t *),
          cam_record_back_compare);

    return piece;
}


static int
cam_record_back_compare(const void *one, const void *two)
{
    const cam_record_back_piece_t  *a, *b;

    a = *(const cam_record_back_piece_t *const *) one;
    b = *(const cam_record_back_piece_t *const *) two;

    return (a->msn > b->msn) - (a->msn < b->msn);
}


static int
cam_record_back_kept(cam_record_back_draft_t *d,
    const cam_record_back_live_t *live)
{
    char  mac[CAM_URL_MAC_TEXT];

    if (cam_record_text_room(&d->text) != 0) {
        return -1;
    }

    if (live->discontinuity
        || (live->msn == d->list->back->seam && d->list->back->count))
    {
        cam_record_text_print(&d->text, "#EXT-X-DISCONTINUITY\n");
    }

    if (live->init != d->init) {
        d->init = live->init;
        d->file_msec = 0;
        cam_record_back_sign(d, CAM_URL_INIT, live->init, mac);

        cam_record_text_print(&d->text, "#EXT-X-MAP:URI=\"init.%u.mp4"
                              "?s=%.*s&e=%010lld&m=%.*s\","
                              "BYTERANGE=\"%u@0\"\n", live->init,
                              (int) sizeof(d->live_of), d->live_of,
                              (long long) d->list->s->ends,
                              (int) sizeof(mac), mac, live->init_size);
    }

    return cam_record_back_segment(d, live->msn, live->wall_msec,
                                   live->duration_usec, live->size);
}


/* a recording's first bytes are those of the init that the store had */

static int
cam_record_back_past(cam_record_back_draft_t *d,
    const cam_record_back_piece_t *p)
{
    if (cam_record_text_room(&d->text) != 0) {
        return -1;
    }

    if (p->breaks || (p->msn == d->list->back->seam && d->list->back->count)) {
        cam_record_text_print(&d->text, "#EXT-X-DISCONTINUITY\n");
    }

    if (p->file_msec != d->file_msec && cam_record_back_file(d, p) != 0) {
        return -1;
    }

    return cam_record_back_segment(d, p->msn, p->wall_msec, p->duration_usec,
                                   p->live_size);
}


static int
cam_record_back_segment(cam_record_back_draft_t *d, uint64_t msn,
    int64_t wall_msec, uint32_t duration_usec, uint64_t size)
{
    char  mac[CAM_URL_MAC_TEXT];

    if (cam_record_text_time(&d->text, wall_msec) != 0) {
        return -1;
    }

    cam_record_back_sign(d, CAM_URL_SEGMENT, msn, mac);

    cam_record_text_print(&d->text, "#EXTINF:%u.%06u,\n"
                          "#EXT-X-BYTERANGE:%llu@0\n"
                          "%llu.m4s?s=%.*s&e=%010lld&m=%.*s\n",
                          duration_usec / 1000000, duration_usec % 1000000,
                          (unsigned long long) size, (unsigned long long) msn,
                          (int) sizeof(d->live_of), d->live_of,
                          (long long) d->list->s->ends, (int) sizeof(mac),
                          mac);

    return 0;
}


static int
cam_record_back_gap(cam_record_back_draft_t *d, uint64_t msn)
{
    if (cam_record_text_room(&d->text) != 0) {
        return -1;
    }

    cam_record_text_print(&d->text, "%s#EXT-X-GAP\n#EXTINF:%u,\n%llu.m4s\n",
                          msn == d->list->back->seam && d->list->back->count
                          ? "#EXT-X-DISCONTINUITY\n" : "",
                          CAM_LIVE_TARGET_MSEC / 1000,
                          (unsigned long long) msn);

    return 0;
}


static void
cam_record_back_sign(cam_record_back_draft_t *d, unsigned kind,
    uint64_t number, char mac[CAM_URL_MAC_TEXT])
{
    cam_url_media_t  media;

    media.kind = kind;
    media.number = number;
    media.part = 0;
    media.expires = d->list->s->ends;

    cam_url_media_sign(&d->list->macs[d->list->s->key], d->list->camera,
                       d->list->s, &media, mac);
}
