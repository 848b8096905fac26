/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What the journal says is durable: one syncfs() for all files of the volume,
 * then the lines about them, then fdatasync() of the journal where a file began
 * or ended.
 *
 * When syncfs() fails nobody knows whose bytes were lost, so each file is
 * asked.  One that fails is closed as failed and never synced again, for the
 * kernel would call that a success; what it should have had since the last good
 * sync is taken from the live store once more.
 */

#include <errno.h>
#include <unistd.h>

#include "log.h"
#include "record.h"


static int cw_record_settle_due(const cw_record_t *r);
static void cw_record_settle_good(cw_record_t *r);
static void cw_record_settle_failed(cw_record_t *r);
static int cw_record_settle_file(cw_record_file_t *f);
static void cw_record_settle_open(cw_record_t *r);
static void cw_record_settle_closing(cw_record_t *r);
static void cw_record_settle_empty(cw_record_t *r, cw_record_file_t *f);


void
cw_record_settle(cw_record_t *r, int now)
{
    int  sync;

    if (!now && !cw_record_settle_due(r)) {
        (void) cw_record_journal_flush(r, 0);
        return;
    }

    if (syncfs(r->volume.fd) == -1) {
        cw_log(CW_LOG_CRIT, errno, "syncfs(\"%s\") failed", r->volume.path);
        cw_record_settle_failed(r);

    } else if (r->failed && r->dirty) {
        cw_record_settle_good(r);
    }

    sync = r->opened || r->closing != NULL;

    cw_record_settle_closing(r);
    cw_record_settle_open(r);

    r->opened = 0;
    r->dirty = 0;
    r->sync_msec = r->now_msec;

    (void) cw_record_journal_flush(r, sync || now);
}


static int
cw_record_settle_due(const cw_record_t *r)
{
    return r->opened || r->closing != NULL
           || (r->dirty && r->now_msec - r->sync_msec >= CW_RECORD_SYNC_MSEC);
}


/* it failed, and does not any more */

static void
cw_record_settle_good(cw_record_t *r)
{
    r->failed = 0;
    cw_record_journal_calm(r, "recording_failed", NULL);

    if (r->volume.state == CAM_RECORD_VOLUME_ERROR) {
        r->volume.state = CAM_RECORD_VOLUME_OK;
    }
}


static void
cw_record_settle_failed(cw_record_t *r)
{
    int                  i;
    cw_record_file_t    *f;
    cw_record_camera_t  *c;

    for (f = r->closing; f != NULL; f = f->next) {
        if (cw_record_settle_file(f) == -1) {
            f->why = "error";
        }
    }

    for (i = 0; i < CAM_RECORD_SLOTS; i++) {
        c = r->camera[i];

        if (c != NULL && c->file != NULL
            && cw_record_settle_file(c->file) == -1)
        {
            cw_log_set_camera(c->camera);
            cw_log(CW_LOG_CRIT, errno, "cannot keep a recording");
            cw_record_camera_failed(r, c);
            cw_log_set_camera(NULL);
        }
    }
}


static int
cw_record_settle_file(cw_record_file_t *f)
{
    if (!f->dirty) {
        return 0;
    }

    return fsync(f->fd) == 0 && fsync(f->index_fd) == 0 ? 0 : -1;
}


static void
cw_record_settle_open(cw_record_t *r)
{
    int                i;
    cw_record_file_t  *f;

    for (i = 0; i < CAM_RECORD_SLOTS; i++) {
        f = r->camera[i] != NULL ? r->camera[i]->file : NULL;

        if (f == NULL) {
            continue;
        }

        if (f->dirty) {
            cw_record_file_synced(f);
        }

        if (!f->announced) {
            cw_record_journal_opened(r, f);
            f->announced = 1;

        } else if (f->advance_msec <= r->now_msec) {
            cw_record_journal_advanced(r, f);
            f->advance_msec = r->now_msec + CW_RECORD_ADVANCE_MSEC;
        }
    }
}


static void
cw_record_settle_closing(cw_record_t *r)
{
    cw_record_file_t  *f;

    while (r->closing != NULL) {
        f = r->closing;
        r->closing = f->next;

        if (f->number == 0) {
            cw_record_settle_empty(r, f);

        } else {
            if (!f->announced) {
                cw_record_journal_opened(r, f);
            }

            cw_record_journal_closed(r, f);
        }

        cw_record_file_free(f);
    }
}


/* one that nothing could be written to */

static void
cw_record_settle_empty(cw_record_t *r, cw_record_file_t *f)
{
    char  path[CAM_RECORD_PATH_MAX];

    (void) unlinkat(r->volume.fd, f->path, 0);
    (void) unlinkat(r->volume.fd, cam_record_path(path, f->head.camera,
                                                  f->head.start_msec, "idx"),
                    0);

    if (f->announced) {
        cw_record_journal_removed(r, f->head.recording, "missing");
    }
}


void
cw_record_closing(cw_record_t *r, cw_record_file_t *f, const char *why)
{
    cw_record_file_t  **last;

    for (last = &r->closing; *last != NULL; last = &(*last)->next) {
        /* in their order */
    }

    f->why = why;
    f->next = NULL;
    *last = f;
}


void
cw_record_restate(cw_record_t *r)
{
    int                  i;
    cw_record_camera_t  *c;

    for (i = 0; i < CAM_RECORD_SLOTS; i++) {
        c = r->camera[i];

        if (c == NULL) {
            continue;
        }

        if (c->file != NULL && c->file->announced) {
            cw_record_journal_opened(r, c->file);
            cw_record_journal_advanced(r, c->file);
        }

        if (c->gap.open) {
            cw_record_journal_gap(r, c->camera, c->gap.end_msec, 0,
                                  c->gap.cause);
        }
    }
}
