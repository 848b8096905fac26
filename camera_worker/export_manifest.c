/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The manifest beside an exported file: what was asked for, what is in it, what
 * is missing and why, and the checksum, signed.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "export.h"
#include "manifest.h"


static json_t *cw_manifest(cw_export_t *e, cw_export_job_t *job);
static json_t *cw_manifest_pieces(const cw_export_job_t *job);
static json_t *cw_manifest_gaps(cw_export_t *e, const cw_export_job_t *job);
static const char *cw_manifest_cause(const PGresult *known, int64_t from,
    int64_t to);
static cw_export_rc_e cw_manifest_write(cw_export_t *e, cw_export_job_t *job,
    json_t *manifest);


cw_export_rc_e
cw_export_manifest(cw_export_t *e, cw_export_job_t *job)
{
    json_t          *manifest;
    cw_export_rc_e   rc;

    manifest = cw_manifest(e, job);

    if (manifest == NULL
        || cam_manifest_sign(manifest, CAM_MANIFEST_EXPORT, &e->keys) != 0)
    {
        json_decref(manifest);
        return cw_export_fail(job, "no_key: the manifest cannot be signed");
    }

    rc = cw_manifest_write(e, job, manifest);
    json_decref(manifest);

    return rc;
}


static json_t *
cw_manifest(cw_export_t *e, cw_export_job_t *job)
{
    char                      from[32], to[32], start[32], end[32], now[32];
    char                      file[CW_EXPORT_ID + 8];
    const cw_export_piece_t  *last;

    last = &job->piece[job->pieces - 1];
    snprintf(file, sizeof(file), "%s.mp4", job->id);

    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s,"
                     " s:I, s:s, s:o, s:o, s:O}",
                     "version", 1,
                     "export", job->id,
                     "tenant", job->tenant,
                     "camera", job->camera_text,
                     "cameraName", job->camera_name,
                     "from", cw_export_time(from, job->from_msec),
                     "to", cw_export_time(to, job->to_msec),
                     "start", cw_export_time(start, job->piece[0].from_msec),
                     "end", cw_export_time(end, last->to_msec),
                     "createdAt", cw_export_time(now, cam_clock_wall_msec()),
                     "file", file,
                     "size", (json_int_t) job->bytes,
                     "sha256", job->sha256,
                     "pieces", cw_manifest_pieces(job),
                     "gaps", cw_manifest_gaps(e, job),
                     "damaged", job->damaged);
}


static json_t *
cw_manifest_pieces(const cw_export_job_t *job)
{
    char                      id[CAM_UUID_TEXT + 1], from[32], to[32];
    size_t                    i;
    json_t                   *list;
    const cw_export_piece_t  *p;

    list = json_array();

    for (i = 0; i < job->pieces; i++) {
        p = &job->piece[i];

        json_array_append_new(list,
            json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:i, s:i}",
                      "recording", cam_uuid_print(id, p->head.recording),
                      "from", cw_export_time(from, p->from_msec),
                      "to", cw_export_time(to, p->to_msec),
                      "fileUsec", (json_int_t) p->time_usec,
                      "fragments", (json_int_t) p->count,
                      "codecs", p->head.codecs,
                      "width", p->head.width, "height", p->head.height));
    }

    return list;
}


/* what is missing the indexes say, why it is the database knows */

static json_t *
cw_manifest_gaps(cw_export_t *e, const cw_export_job_t *job)
{
    char         from[32], to[32];
    size_t       i;
    json_t      *list, *gap;
    int64_t      begin, end;
    PGresult    *known;
    const char  *values[] = { job->camera_text, from, to };

    cw_export_time(from, job->from_msec);
    cw_export_time(to, job->to_msec);

    known = json_array_size(job->gaps) == 0 || !cw_db_ready(&e->db) ? NULL
            : cw_db_query(&e->db,
                  "SELECT cause,"
                  " (extract(epoch FROM start_time) * 1000)::bigint,"
                  " (extract(epoch FROM coalesce(end_time, now())) * 1000)"
                  "::bigint FROM recording_gaps WHERE camera_id = $1"
                  " AND start_time < $3 AND coalesce(end_time, now()) > $2",
                  3, values);

    list = json_array();

    json_array_foreach(job->gaps, i, gap) {
        begin = json_integer_value(json_array_get(gap, 0));
        end = json_integer_value(json_array_get(gap, 1));

        json_array_append_new(list,
            json_pack("{s:s, s:s, s:s}",
                      "from", cw_export_time(from, begin),
                      "to", cw_export_time(to, end),
                      "cause", cw_manifest_cause(known, begin, end)));
    }

    PQclear(known);

    return list;
}


/* of the gap that has most in common with it */

static const char *
cw_manifest_cause(const PGresult *known, int64_t from, int64_t to)
{
    int          i;
    int64_t      begin, end, most;
    const char  *cause;

    cause = "unknown";
    most = 0;

    for (i = 0; known != NULL && i < PQntuples(known); i++) {
        begin = cw_db_number(known, i, 1);
        end = cw_db_number(known, i, 2);

        begin = begin > from ? begin : from;
        end = end < to ? end : to;

        if (end - begin > most) {
            most = end - begin;
            cause = cw_db_text(known, i, 0);
        }
    }

    return cause;
}


static cw_export_rc_e
cw_manifest_write(cw_export_t *e, cw_export_job_t *job, json_t *manifest)
{
    int   dir, fd, rc;
    char  part[CW_EXPORT_NAME_MAX], name[CW_EXPORT_NAME_MAX];

    dir = e->volume[job->volume].fd;
    cw_export_name(part, job->id, "part");
    cw_export_name(name, job->id, "json");

    fd = openat(dir, part, O_WRONLY|O_CREAT|O_TRUNC|O_NOFOLLOW|O_CLOEXEC,
                0640);
    if (fd == -1) {
        return cw_export_fail(job, "write_failed: %s", strerror(errno));
    }

    rc = json_dumpfd(manifest, fd, JSON_INDENT(2)|JSON_PRESERVE_ORDER) == 0
         && write(fd, "\n", 1) == 1 && fsync(fd) == 0
         && renameat(dir, part, dir, name) == 0 ? 0 : -1;

    if (rc == -1) {
        (void) cw_export_fail(job, "write_failed: %s", strerror(errno));
        (void) unlinkat(dir, part, 0);
    }

    close(fd);

    fd = openat(dir, "exports", O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd != -1) {
        (void) fsync(fd);
        close(fd);
    }

    return rc == 0 ? CW_EXPORT_OK : CW_EXPORT_FAILED;
}


char *
cw_export_time(char text[32], int64_t msec)
{
    time_t     sec;
    struct tm  tm;

    sec = msec / 1000;
    memset(&tm, 0, sizeof(struct tm));
    gmtime_r(&sec, &tm);

    snprintf(text, 32, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
             (unsigned) (tm.tm_year + 1900) % 10000,
             (unsigned) (tm.tm_mon + 1) % 100, (unsigned) tm.tm_mday % 100,
             (unsigned) tm.tm_hour % 100, (unsigned) tm.tm_min % 100,
             (unsigned) tm.tm_sec % 100, (unsigned) (msec % 1000) % 1000);

    return text;
}
