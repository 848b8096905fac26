/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Which fragments an export takes: from the last one before its beginning that
 * starts with a key frame, to the last one that begins before its end, of all
 * volumes, by the wall clock.  Names and indexes on disk say so; the database
 * is not asked.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "export.h"
#include "log.h"

#define CW_EXPORT_BATCH      64
#define CW_EXPORT_GAP_MSEC   1000
#define CW_EXPORT_MOOF       4096             /* of most fragments */
#define CW_EXPORT_MOOF_MAX   (4u << 20)
#define CW_EXPORT_INIT_MAX   (1u << 20)
#define CW_EXPORT_PIECES     20000


static int cw_export_list(cw_export_t *e, cw_export_job_t *job);
static int cw_export_list_volume(cw_export_t *e, cw_export_job_t *job, int n);
static int cw_export_compare(const void *one, const void *two);
static cw_export_rc_e cw_export_piece(cw_export_t *e, cw_export_job_t *job,
    cw_export_piece_t *piece);
static cw_export_rc_e cw_export_piece_first(const cw_export_job_t *job,
    cw_export_piece_t *piece, int idx);
static cw_export_rc_e cw_export_piece_init(cw_export_job_t *job,
    const cw_export_piece_t *piece, int fd, cam_record_tracks_t *tracks);
static cw_export_rc_e cw_export_piece_add(cw_export_t *e, cw_export_job_t *job,
    cw_export_piece_t *piece, int fd, int idx,
    const cam_record_tracks_t *tracks);
static cw_export_rc_e cw_export_fragment(cw_export_job_t *job, int fd,
    const cam_record_tracks_t *tracks, const cam_record_fragment_t *f);
static void cw_export_gap(cw_export_job_t *job, int64_t until_msec);


cw_export_rc_e
cw_export_plan(cw_export_t *e, cw_export_job_t *job)
{
    size_t          i, n;
    cw_export_rc_e  rc;

    job->gaps = json_array();
    job->damaged = json_array();
    job->last_msec = job->from_msec;

    if (cw_export_list(e, job) == -1) {
        return cw_export_fail(job, "no_volume: %s", strerror(errno));
    }

    for (i = n = 0; i < job->pieces; i++) {
        rc = cw_export_piece(e, job, &job->piece[i]);

        if (rc != CW_EXPORT_OK) {
            return rc;
        }

        if (job->piece[i].count) {
            job->piece[n++] = job->piece[i];
        }
    }

    job->pieces = n;

    if (n == 0 || job->media == 0) {
        return cw_export_fail(job, "nothing_recorded");
    }

    cw_export_gap(job, job->to_msec);

    return CW_EXPORT_OK;
}


void
cw_export_free(cw_export_job_t *job)
{
    cw_export_table_free(job);
    free(job->piece);
    json_decref(job->gaps);
    json_decref(job->damaged);

    job->piece = NULL;
    job->pieces = 0;
    job->gaps = job->damaged = NULL;
    job->media = 0;
    job->tables = 0;
    job->base_usec = job->piece_usec = 0;
    job->width = job->height = 0;
}


static int
cw_export_list(cw_export_t *e, cw_export_job_t *job)
{
    int  i;

    for (i = 0; i < e->volumes; i++) {
        if (e->volume[i].fd != -1 && cw_export_list_volume(e, job, i) == -1) {
            return -1;
        }
    }

    if (job->pieces) {
        qsort(job->piece, job->pieces, sizeof(cw_export_piece_t),
              cw_export_compare);
    }

    return 0;
}


static int
cw_export_list_volume(cw_export_t *e, cw_export_job_t *job, int n)
{
    int                 rc;
    size_t              i, names;
    cw_export_piece_t  *p;
    cam_record_name_t  *name;

    if (cam_record_list(e->volume[n].fd, job->camera, job->from_msec,
                        job->to_msec, &name, &names)
        == -1)
    {
        return -1;
    }

    rc = 0;

    if (job->pieces + names > CW_EXPORT_PIECES) {
        errno = E2BIG;
        rc = -1;

    } else {
        p = realloc(job->piece,
                    (job->pieces + names + 1) * sizeof(cw_export_piece_t));
        rc = p == NULL ? -1 : 0;
        job->piece = p ? p : job->piece;
    }

    for (i = 0; rc == 0 && i < names; i++) {
        if ((name[i].has & CAM_RECORD_HAS_MEDIA)
            && (name[i].has & CAM_RECORD_HAS_INDEX))
        {
            p = &job->piece[job->pieces++];
            memset(p, 0, sizeof(cw_export_piece_t));
            p->volume = n;
            p->start_msec = name[i].start_msec;
        }
    }

    free(name);

    return rc;
}


static int
cw_export_compare(const void *one, const void *two)
{
    const cw_export_piece_t  *a, *b;

    a = one;
    b = two;

    return (a->start_msec > b->start_msec) - (a->start_msec < b->start_msec);
}


/* one that was removed meanwhile, or never finished, is a gap */

static cw_export_rc_e
cw_export_piece(cw_export_t *e, cw_export_job_t *job, cw_export_piece_t *piece)
{
    int                  fd, idx;
    cw_export_rc_e       rc;
    cam_record_tracks_t  tracks;

    idx = cw_export_open(e, job, piece, "idx");
    fd = cw_export_open(e, job, piece, "mp4");
    rc = CW_EXPORT_OK;

    if (idx != -1 && fd != -1 && cam_record_head_read(idx, &piece->head) == 0
        && cw_export_piece_first(job, piece, idx) == CW_EXPORT_OK)
    {
        rc = cw_export_piece_init(job, piece, fd, &tracks);

        if (rc == CW_EXPORT_OK) {
            rc = cw_export_piece_add(e, job, piece, fd, idx, &tracks);
        }
    }

    if (idx != -1) {
        close(idx);
    }

    if (fd != -1) {
        close(fd);
    }

    return rc;
}


int
cw_export_open(cw_export_t *e, const cw_export_job_t *job,
    const cw_export_piece_t *piece, const char *suffix)
{
    char  path[CAM_RECORD_PATH_MAX];

    cam_record_path(path, job->camera, piece->start_msec, suffix);

    return openat(e->volume[piece->volume].fd, path,
                  O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);
}


/* CW_EXPORT_OK, or there is nothing in it for this export */

static cw_export_rc_e
cw_export_piece_first(const cw_export_job_t *job, cw_export_piece_t *piece,
    int idx)
{
    uint32_t               n, first;
    cam_record_fragment_t  f;

    n = cam_record_count(idx);
    first = cam_record_find(idx, job->from_msec);

    /* what ended before, although nothing follows it until then */

    while (first < n && cam_record_fragments(idx, first, &f, 1) == 1
           && f.wall_msec + f.duration_usec / 1000 <= job->from_msec)
    {
        first++;
    }

    if (first >= n || cam_record_fragments(idx, first, &f, 1) != 1
        || f.wall_msec >= job->to_msec)
    {
        return CW_EXPORT_FAILED;
    }

    if (!piece->head.has_video) {
        piece->first = first;
        return CW_EXPORT_OK;
    }

    /* back to a key frame, else on to the next */

    for (piece->first = first; !(f.flags & CAM_RECORD_KEY); piece->first--) {

        if (piece->first == 0
            || cam_record_fragments(idx, piece->first - 1, &f, 1) != 1)
        {
            break;
        }
    }

    for ( /* void */ ; piece->first < n; piece->first++) {
        if (cam_record_fragments(idx, piece->first, &f, 1) == 1
            && (f.flags & CAM_RECORD_KEY))
        {
            return CW_EXPORT_OK;
        }
    }

    return CW_EXPORT_FAILED;
}


static cw_export_rc_e
cw_export_piece_init(cw_export_job_t *job, const cw_export_piece_t *piece,
    int fd, cam_record_tracks_t *tracks)
{
    uint8_t         *init;
    cw_export_rc_e   rc;

    init = piece->head.init_size > CW_EXPORT_INIT_MAX
           ? NULL : malloc(piece->head.init_size);

    if (init == NULL
        || pread(fd, init, piece->head.init_size, 0)
           != (ssize_t) piece->head.init_size)
    {
        free(init);
        return cw_export_fail(job, "damaged: the head of a recording");
    }

    rc = cw_export_table_begin(job, init, piece->head.init_size, tracks);
    free(init);

    return rc;
}


static cw_export_rc_e
cw_export_piece_add(cw_export_t *e, cw_export_job_t *job,
    cw_export_piece_t *piece, int fd, int idx,
    const cam_record_tracks_t *tracks)
{
    int                     lead;
    ssize_t                 i, n;
    cw_export_rc_e          rc;
    cw_export_track_t      *track;
    cam_record_fragment_t   list[CW_EXPORT_BATCH];

    lead = tracks->track[tracks->lead].video ? 0 : 1;
    track = &job->track[lead];
    job->base_usec = track->samples
                     ? (int64_t) ((__int128) track->end * 1000000
                                  / track->scale) : 0;
    piece->time_usec = job->base_usec;

    do {
        n = cam_record_fragments(idx, piece->first + piece->count, list,
                                 CW_EXPORT_BATCH);

        for (i = 0; i < n && list[i].wall_msec < job->to_msec; i++) {

            if (piece->count == 0) {
                piece->from_msec = list[i].wall_msec;
                job->piece_usec = list[i].time_usec;
            }

            rc = cw_export_fragment(job, fd, tracks, &list[i]);

            if (rc != CW_EXPORT_OK) {
                return rc;
            }

            piece->count++;
            piece->to_msec = list[i].wall_msec + list[i].duration_usec / 1000;
        }

        rc = cw_export_alive(e, job, 0);

        if (rc != CW_EXPORT_OK) {
            return rc;
        }

    } while (n == CW_EXPORT_BATCH && i == n);

    return CW_EXPORT_OK;
}


/* one that cannot be understood is left out, as if it were not there */

static cw_export_rc_e
cw_export_fragment(cw_export_job_t *job, int fd,
    const cam_record_tracks_t *tracks, const cam_record_fragment_t *f)
{
    size_t              size;
    const uint8_t      *moof;
    cw_export_rc_e      rc;
    cam_record_moof_t   m;

    if (cw_export_moof(fd, f, &moof, &size) == -1
        || cam_record_moof(moof, size, tracks, &m) == -1)
    {
        return CW_EXPORT_OK;
    }

    cw_export_gap(job, f->wall_msec);
    job->last_msec = f->wall_msec + f->duration_usec / 1000;

    rc = cw_export_table_add(job, tracks, moof, size, f->size);

    return rc;
}


int
cw_export_tracks(const cw_export_piece_t *piece, int fd,
    cam_record_tracks_t *tracks)
{
    int       rc;
    uint8_t  *init;

    init = malloc(piece->head.init_size);
    rc = init != NULL
         && pread(fd, init, piece->head.init_size, 0)
            == (ssize_t) piece->head.init_size
         && cam_record_tracks(init, piece->head.init_size, tracks) == 0
         ? 0 : -1;
    free(init);

    return rc;
}


int
cw_export_moof(int fd, const cam_record_fragment_t *f, const uint8_t **moof,
    size_t *size)
{
    char             type[5];
    size_t           need;
    uint64_t         box;
    static size_t    cap;
    static uint8_t  *buf;

    for (need = CW_EXPORT_MOOF; /* void */ ; need = box) {

        if (need > f->size) {
            need = f->size;
        }

        if (need > cap) {
            free(buf);
            cap = 0;
            buf = malloc(need);

            if (buf == NULL) {
                return -1;
            }

            cap = need;
        }

        if (pread(fd, buf, need, (off_t) f->offset) != (ssize_t) need
            || cam_record_box(buf, need, type, &box) != 0
            || strcmp(type, "moof") != 0 || box > f->size
            || box > CW_EXPORT_MOOF_MAX)
        {
            return -1;
        }

        if (box <= need) {
            *moof = buf;
            *size = box;
            return 0;
        }
    }
}


static void
cw_export_gap(cw_export_job_t *job, int64_t until_msec)
{
    if (until_msec - job->last_msec > CW_EXPORT_GAP_MSEC) {
        json_array_append_new(job->gaps,
            json_pack("[I, I]", (json_int_t) job->last_msec,
                      (json_int_t) until_msec));
    }
}
