/*
 * Copyright (C) The nginx camera platform authors
 */

/* Playlists of recordings, see record_playlist.h. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record_playlist.h"
#include "record_text.h"


#define CAM_RECORD_LIMIT_SEC   20       /* of a piece, before one is known */
#define CAM_RECORD_GROWTH_MSEC 1800000
#define CAM_RECORD_DRIFT_MSEC  250      /* then the time is said anew */


/* how long pieces are in playlists of what range: many pieces make a long text,
   few make a player load more than it shows after a seek */

static const struct {
    int64_t     range_msec;
    unsigned    sec;
} cam_record_pieces[] = {
    { 3600000,     2 },
    { 6 * 3600000, 6 },
    { INT64_MAX,   10 }
};


typedef struct {
    cam_record_summary_t        *summary;
    uint64_t                     bytes;
    uint64_t                     usec;
    uint64_t                     longest_usec;
} cam_record_sum_t;


typedef struct {
    cam_record_text_t            text;

    const cam_mac_t             *macs;
    const cam_record_session_t  *s;
    const uint8_t               *camera;
    int64_t                      now_msec;
    int                          open;

    int64_t                      end_msec;      /* of the last piece */
    int64_t                      clock_usec;    /* as a player counts it */
    char                         session[CAM_RECORD_SESSION_TEXT];
    char                         uri[CAM_RECORD_PATH_MAX
                                     + CAM_RECORD_SESSION_TEXT
                                     + CAM_URL_MAC_TEXT + 16];
} cam_record_draft_t;


static unsigned cam_record_piece_sec(const cam_record_session_t *s);
static int cam_record_sum_piece(void *data, const cam_record_piece_t *piece);
static int cam_record_draft_piece(void *data, const cam_record_piece_t *piece);
static void cam_record_draft_head(cam_record_draft_t *t,
    const cam_record_piece_t *piece);
static int cam_record_draft_file(cam_record_draft_t *t,
    const cam_record_piece_t *piece);
static int cam_record_draft_time(cam_record_draft_t *t, int64_t msec);


int
cam_record_summary(char *const *volume, unsigned volumes,
    const uint8_t camera[CAM_UUID_LEN], const cam_record_session_t *s,
    cam_record_summary_t *summary)
{
    unsigned            sec;
    cam_record_sum_t    sum;
    cam_record_range_t  range;

    sec = cam_record_piece_sec(s);

    memset(&range, 0, sizeof(cam_record_range_t));
    range.volume = volume;
    range.volumes = volumes;
    memcpy(range.camera, camera, CAM_UUID_LEN);
    range.from_msec = s->from_msec;
    range.to_msec = s->to_msec;
    range.piece_usec = sec * 900000;
    range.limit_usec = CAM_RECORD_LIMIT_SEC * 1000000;

    memset(summary, 0, sizeof(cam_record_summary_t));
    memset(&sum, 0, sizeof(cam_record_sum_t));
    sum.summary = summary;

    if (cam_record_walk(&range, cam_record_sum_piece, &sum) == -1) {
        return -1;
    }

    if (summary->pieces == 0) {
        errno = ENOENT;
        return -1;
    }

    summary->average = sum.usec ? sum.bytes * 8 * 1000000 / sum.usec : 1;
    sum.longest_usec = (sum.longest_usec + 500000) / 1000000;
    sum.longest_usec = sum.longest_usec > UINT8_MAX ? UINT8_MAX
                                                    : sum.longest_usec;
    summary->target_sec = sum.longest_usec > sec ? sum.longest_usec : sec;

    return 0;
}


/* of a list that grows half an hour is expected to come */

static unsigned
cam_record_piece_sec(const cam_record_session_t *s)
{
    int64_t   to;
    unsigned  i;

    to = s->url.started * 1000 + CAM_RECORD_GROWTH_MSEC;
    to = cam_record_session_open(s) && to < s->to_msec ? to : s->to_msec;

    for (i = 0; to - s->from_msec > cam_record_pieces[i].range_msec; i++) {
        /* void */
    }

    return cam_record_pieces[i].sec;
}


static int
cam_record_sum_piece(void *data, const cam_record_piece_t *piece)
{
    uint64_t               bits;
    cam_record_sum_t      *sum = data;
    cam_record_summary_t  *summary;

    summary = sum->summary;
    summary->pieces++;

    sum->bytes += piece->size;
    sum->usec += piece->duration_usec;

    if (piece->duration_usec > sum->longest_usec) {
        sum->longest_usec = piece->duration_usec;
    }

    /* RFC 8216 section 4.3.4.2: of pieces of half the target and more */

    if (piece->duration_usec >= 500000) {
        bits = piece->size * 8 * 1000000 / piece->duration_usec;
        summary->bandwidth = bits > summary->bandwidth ? bits
                                                       : summary->bandwidth;
    }

    summary->end_msec = piece->wall_msec
                        + (int64_t) piece->duration_usec / 1000;

    if (piece->first) {
        cam_record_codecs(summary->codecs, piece->head->codecs);

        if (piece->head->width > summary->width) {
            summary->width = piece->head->width;
            summary->height = piece->head->height;
        }
    }

    return 0;
}


void
cam_record_codecs(char codecs[CAM_RECORD_CODECS], const char *more)
{
    char    all[CAM_RECORD_CODECS + 2], one[CAM_LIVE_CODECS + 3];
    size_t  n, len;

    for ( ; *more; more += n + (more[n] == ',')) {
        n = strcspn(more, ",");
        len = strlen(codecs);

        if (n == 0 || n >= CAM_LIVE_CODECS) {
            continue;
        }

        snprintf(all, sizeof(all), ",%s,", codecs);
        snprintf(one, sizeof(one), ",%.*s,", (int) n, more);

        if (strstr(all, one) == NULL && len + n + 2 < CAM_RECORD_CODECS) {
            sprintf(codecs + len, "%s%.*s", len ? "," : "", (int) n, more);
        }
    }
}


int
cam_record_session_open(const cam_record_session_t *s)
{
    return s->to_msec > s->url.started * 1000 - CAM_RECORD_SETTLE_MSEC;
}


char *
cam_record_playlist(char *const *volume, unsigned volumes,
    const uint8_t camera[CAM_UUID_LEN], const cam_record_session_t *s,
    const cam_mac_t *macs, int64_t now_msec, size_t *len)
{
    int                 rc;
    cam_record_draft_t  t;
    cam_record_range_t  range;

    memset(&range, 0, sizeof(cam_record_range_t));
    range.volume = volume;
    range.volumes = volumes;
    memcpy(range.camera, camera, CAM_UUID_LEN);
    range.from_msec = s->from_msec;
    range.to_msec = s->to_msec;
    range.piece_usec = cam_record_piece_sec(s) * 900000;
    range.limit_usec = s->target_sec * 1000000 + 499999;

    memset(&t, 0, sizeof(cam_record_draft_t));
    t.macs = macs;
    t.s = s;
    t.camera = camera;
    t.now_msec = now_msec;
    t.open = cam_record_session_open(s);
    cam_record_session_sign(macs, camera, s, t.session);

    rc = cam_record_walk(&range, cam_record_draft_piece, &t);

    if (rc == 0 && t.text.len == 0) {
        errno = ENOENT;
        rc = -1;
    }

    if (rc != 0 || cam_record_text_room(&t.text) != 0) {
        free(t.text.data);
        return NULL;
    }

    if (!t.open || now_msec >= s->to_msec + CAM_RECORD_SETTLE_MSEC
        || now_msec >= t.end_msec + CAM_RECORD_ENDED_MSEC)
    {
        cam_record_text_print(&t.text, "#EXT-X-ENDLIST\n");
    }

    return cam_record_text_take(&t.text, len);
}


static int
cam_record_draft_piece(void *data, const cam_record_piece_t *piece)
{
    int64_t              drift;
    cam_record_draft_t  *t = data;

    if (cam_record_text_room(&t->text) != 0) {
        return -1;
    }

    if (t->text.len == 0) {
        cam_record_draft_head(t, piece);
    }

    /* what may grow is listed when it has stopped to */

    if (piece->open && t->open
        && t->now_msec < t->s->to_msec + CAM_RECORD_SETTLE_MSEC
        && t->now_msec < piece->wall_msec
                         + (int64_t) piece->duration_usec / 1000
                         + CAM_RECORD_ENDED_MSEC)
    {
        t->end_msec = t->now_msec;
        return 0;
    }

    if (piece->first && cam_record_draft_file(t, piece) != 0) {
        return -1;
    }

    if (piece->discontinuity) {
        cam_record_text_print(&t->text, "#EXT-X-DISCONTINUITY\n");
    }

    drift = piece->wall_msec - t->clock_usec / 1000;

    if ((piece->first || piece->discontinuity
         || drift > CAM_RECORD_DRIFT_MSEC || drift < -CAM_RECORD_DRIFT_MSEC)
        && cam_record_draft_time(t, piece->wall_msec) != 0)
    {
        return -1;
    }

    t->end_msec = piece->wall_msec + (int64_t) piece->duration_usec / 1000;
    t->clock_usec += (int64_t) piece->duration_usec;

    cam_record_text_print(&t->text, "#EXTINF:%u.%06u,\n"
                          "#EXT-X-BYTERANGE:%llu@%llu\n%s\n",
                          (unsigned) (piece->duration_usec / 1000000),
                          (unsigned) (piece->duration_usec % 1000000),
                          (unsigned long long) piece->size,
                          (unsigned long long) piece->offset, t->uri);

    return 0;
}


static void
cam_record_draft_head(cam_record_draft_t *t, const cam_record_piece_t *piece)
{
    int64_t  offset;

    offset = t->s->from_msec - piece->wall_msec;
    offset = offset > 0 ? offset : 0;

    cam_record_text_print(&t->text, "#EXTM3U\n#EXT-X-VERSION:6\n"
                          "#EXT-X-TARGETDURATION:%u\n"
                          "#EXT-X-PLAYLIST-TYPE:%s\n"
                          "#EXT-X-START:TIME-OFFSET=%u.%03u,PRECISE=YES\n",
                          t->s->target_sec, t->open ? "EVENT" : "VOD",
                          (unsigned) (offset / 1000),
                          (unsigned) (offset % 1000));
}


static int
cam_record_draft_file(cam_record_draft_t *t, const cam_record_piece_t *piece)
{
    char  path[CAM_RECORD_PATH_MAX], mac[CAM_URL_MAC_TEXT];

    if (cam_record_path(path, t->camera, piece->file_msec, "mp4") == NULL) {
        return -1;
    }

    cam_record_file_sign(t->macs, t->camera, t->s, piece->file_msec, mac);

    /* relative to the playlist, which lies in the camera's directory */

    snprintf(t->uri, sizeof(t->uri), "%s?s=%.*s&m=%.*s",
             path + sizeof("media/") - 1 + CAM_UUID_TEXT + 1,
             (int) sizeof(t->session), t->session, (int) sizeof(mac), mac);

    cam_record_text_print(&t->text,
                          "%s#EXT-X-MAP:URI=\"%s\",BYTERANGE=\"%u@0\"\n",
                          t->end_msec ? "#EXT-X-DISCONTINUITY\n" : "",
                          t->uri, piece->head->init_size);

    return 0;
}


static int
cam_record_draft_time(cam_record_draft_t *t, int64_t msec)
{
    t->clock_usec = msec * 1000;

    return cam_record_text_time(&t->text, msec);
}
