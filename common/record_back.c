/*
 * Copyright (C) The nginx camera platform authors
 */

/* What was recorded, segment by segment; see record_back.h. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "record_back.h"
#include "token.h"


#define CAM_RECORD_BACK_STEP  1024


static int cam_record_back_piece(void *data, const cam_record_piece_t *piece);
static int cam_record_back_add(cam_record_back_t *past);
static void cam_record_back_sum(cam_record_back_t *past,
    const cam_record_piece_t *piece);


int
cam_record_back_read(cam_record_back_t *past, char *const *volume,
    unsigned volumes, const uint8_t camera[CAM_UUID_LEN], int64_t from_msec,
    int64_t to_msec)
{
    cam_record_range_t  range;

    memset(past, 0, sizeof(cam_record_back_t));
    memset(&range, 0, sizeof(cam_record_range_t));

    range.volume = volume;
    range.volumes = volumes;
    memcpy(range.camera, camera, CAM_UUID_LEN);
    range.from_msec = from_msec;
    range.to_msec = to_msec;
    range.by_segment = 1;

    return cam_record_walk(&range, cam_record_back_piece, past);
}


/* a segment that was begun on one volume may be on another once more, whole */

static int
cam_record_back_piece(void *data, const cam_record_piece_t *piece)
{
    cam_record_back_t        *past = data;
    cam_record_back_piece_t  *p;

    if ((past->n == 0 || past->piece[past->n - 1].msn != piece->msn)
        && cam_record_back_add(past) != 0)
    {
        return -1;
    }

    p = &past->piece[past->n - 1];

    p->msn = piece->msn;
    p->file_msec = piece->file_msec;
    p->wall_msec = piece->wall_msec;
    p->offset = piece->offset;
    p->size = piece->size;
    p->live_size = piece->size - piece->names;
    p->duration_usec = (uint32_t) piece->duration_usec;
    p->init_size = piece->head->init_size;
    p->discontinuity = piece->discontinuity;
    p->breaks = piece->breaks;
    p->open = piece->open;

    cam_record_back_sum(past, piece);

    return 0;
}


static int
cam_record_back_add(cam_record_back_t *past)
{
    size_t                    cap;
    cam_record_back_piece_t  *piece;

    if (past->n == CAM_RECORD_BACK_MAX) {
        errno = EFBIG;
        return -1;
    }

    if (past->n == past->cap) {
        cap = past->cap ? past->cap * 2 : CAM_RECORD_BACK_STEP;
        piece = realloc(past->piece, cap * sizeof(cam_record_back_piece_t));

        if (piece == NULL) {
            return -1;
        }

        past->piece = piece;
        past->cap = cap;
    }

    past->n++;

    return 0;
}


static void
cam_record_back_sum(cam_record_back_t *past, const cam_record_piece_t *piece)
{
    uint64_t  bits;

    if (piece->duration_usec > past->longest_usec) {
        past->longest_usec = (uint32_t) piece->duration_usec;
    }

    if (piece->duration_usec >= 500000) {
        bits = piece->size * 8 * 1000000 / piece->duration_usec;
        past->bandwidth = bits > past->bandwidth ? bits : past->bandwidth;
    }

    if (piece->first) {
        cam_record_codecs(past->codecs, piece->head->codecs);

        if (piece->head->width > past->width) {
            past->width = piece->head->width;
            past->height = piece->head->height;
        }
    }
}


void
cam_record_back_free(cam_record_back_t *past)
{
    free(past->piece);
    past->piece = NULL;
}


void
cam_record_back_settle(const cam_record_back_t *past, cam_url_back_t *back)
{
    size_t                          i;
    const cam_record_back_piece_t  *p;

    back->last = 0;

    for (i = 0; i < past->n; i++) {
        p = &past->piece[i];

        if (p->msn < back->seam && p->msn > back->last && !p->open) {
            back->last = p->msn;
        }
    }

    back->count = (uint32_t) cam_record_back_count(past, back->last);
}


size_t
cam_record_back_count(const cam_record_back_t *past, uint64_t last)
{
    size_t  i, n;

    for (i = 0, n = 0; i < past->n; i++) {
        n += past->piece[i].msn <= last;
    }

    return n;
}


/* the same place in the table, and the same end */

void
cam_record_back_session(const cam_url_session_t *s, const cam_url_back_t *back,
    cam_record_session_t *session)
{
    session->url = *s;
    session->url.purpose = CAM_PURPOSE_RECORDINGS;
    session->from_msec = back->from_msec;
    session->to_msec = s->ends * 1000;
    session->target_sec = back->target_sec;
}
