/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Room is made before there is none: below the reserve the oldest recordings
 * of the volume go, those of all cameras, day by day, but none that is held
 * and none that is open.  Media go before their index, so that what is left of
 * a removal that was interrupted is found by the next one.
 *
 *     OK    more than the reserve is free
 *     LOW   less, and recordings are removed
 *     FULL  hardly anything is free and there is nothing to remove: nothing is
 *           written until that changes  [cw_record_space_full]
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "count.h"
#include "dir.h"
#include "log.h"
#include "record.h"

#define CW_SPACE_LOOK_MSEC   1000
#define CW_SPACE_AGAIN_MSEC  10000       /* after nothing was found */
#define CW_SPACE_OLD         4096        /* known at once */
#define CW_SPACE_AT_ONCE     32          /* removed in one look */


static int cw_record_space_stat(cw_record_t *r);
static uint64_t cw_record_space_reserve(const cw_record_t *r);
static uint64_t cw_record_space_floor(const cw_record_t *r);
static int cw_record_space_make(cw_record_t *r, uint64_t bytes);
static void cw_record_space_find(cw_record_t *r);
static int64_t cw_record_space_oldest_day(int mediafd, int64_t after_msec);
static int cw_record_space_day(cw_record_t *r, int mediafd,
    int64_t day_msec);
static int cw_record_space_camera(cw_record_t *r, const uint8_t *camera,
    int64_t day_msec);
static int cw_record_space_removable(const cw_record_t *r,
    const cw_record_old_t *old);
static int cw_record_space_remove(cw_record_t *r, const cw_record_old_t *old);
static int cw_record_space_compare(const void *one, const void *two);


void
cw_record_space_look(cw_record_t *r)
{
    uint64_t             reserve;
    cw_record_volume_t  *v;

    v = &r->volume;

    if (r->now_msec < v->space_msec) {
        return;
    }

    v->space_msec = r->now_msec + CW_SPACE_LOOK_MSEC;
    reserve = cw_record_space_reserve(r);

    if (cw_record_space_stat(r) == -1) {
        return;
    }

    if (v->bytes_free >= reserve) {
        if (v->state == CAM_RECORD_VOLUME_LOW) {
            v->state = CAM_RECORD_VOLUME_OK;
        }

        return;
    }

    if (v->state == CAM_RECORD_VOLUME_OK) {
        v->state = CAM_RECORD_VOLUME_LOW;
    }

    if (!cw_record_space_make(r, reserve)
        && v->bytes_free < cw_record_space_floor(r))
    {
        (void) cw_record_space_full(r, 0);
    }
}


static int
cw_record_space_stat(cw_record_t *r)
{
    struct statvfs       st;
    cw_record_volume_t  *v;

    v = &r->volume;

    if (fstatvfs(v->fd, &st) == -1) {
        return -1;
    }

    v->bytes_total = (uint64_t) st.f_blocks * st.f_frsize;
    v->bytes_free = (uint64_t) st.f_bavail * st.f_frsize;

    return 0;
}


static uint64_t
cw_record_space_reserve(const cw_record_t *r)
{
    uint64_t  floor, reserve;

    floor = cw_record_space_floor(r);
    reserve = r->worker->reserve_bytes;

    if (reserve == 0) {
        reserve = r->volume.bytes_total / 100 * r->worker->reserve_percent;
    }

    /* half of a small disk is not kept free for a number meant for others */

    if (reserve > r->volume.bytes_total / 2) {
        reserve = r->volume.bytes_total / 2;
    }

    return reserve > floor ? reserve : floor;
}


static uint64_t
cw_record_space_floor(const cw_record_t *r)
{
    return r->volume.bytes_total / 100 * CW_RECORD_FLOOR;
}


int
cw_record_space_full(cw_record_t *r, int refused)
{
    uint64_t             wanted;
    cw_record_volume_t  *v;

    v = &r->volume;

    (void) cw_record_space_stat(r);
    wanted = cw_record_space_reserve(r);

    /* a quota is reached whatever the disk has */

    if (refused && wanted <= v->bytes_free) {
        wanted = v->bytes_free + 1;
    }

    if (cw_record_space_make(r, wanted)
        || (!refused && v->bytes_free >= cw_record_space_floor(r)))
    {
        return 1;
    }

    if (v->state != CAM_RECORD_VOLUME_FULL) {
        cw_log(CW_LOG_CRIT, 0, "\"%s\" is full, and nothing there may be "
               "removed", v->path);
        v->state = CAM_RECORD_VOLUME_FULL;
    }

    if (!r->storage_full) {
        cw_record_journal_alert(r, "storage_full", "critical", NULL,
                                "a volume for recordings is full and has "
                                "nothing that may be removed");
        r->storage_full = 1;
    }

    return 0;
}


/* something could be written */

void
cw_record_space_has(cw_record_t *r)
{
    if (r->volume.state == CAM_RECORD_VOLUME_FULL) {
        cw_log(CW_LOG_INFO, 0, "\"%s\" has room again", r->volume.path);
        r->volume.state = CAM_RECORD_VOLUME_LOW;
        r->volume.space_msec = 0;
    }

    if (r->storage_full) {
        cw_record_journal_calm(r, "storage_full", NULL);
        r->storage_full = 0;
    }
}


/* removes until so much is free: 1, or 0: there is nothing to remove */

static int
cw_record_space_make(cw_record_t *r, uint64_t bytes)
{
    int                 n;
    cw_record_space_t  *s;

    s = &r->space;

    for (n = 0; n < CW_SPACE_AT_ONCE; n++) {

        if (r->volume.bytes_free >= bytes) {
            return 1;
        }

        if (s->next == s->n) {

            if (r->now_msec < s->look_msec) {
                return 0;
            }

            cw_record_space_find(r);

            if (s->n == 0) {
                s->look_msec = r->now_msec + CW_SPACE_AGAIN_MSEC;
                return 0;
            }
        }

        if (cw_record_space_remove(r, &s->old[s->next++])) {
            (void) cw_record_space_stat(r);
        }
    }

    return 1;
}


/* the recordings of the oldest day that has some to be removed */

static void
cw_record_space_find(cw_record_t *r)
{
    int                 fd;
    int64_t             day;
    cw_record_space_t  *s;

    s = &r->space;
    s->n = 0;
    s->next = 0;

    if (s->old == NULL) {
        s->old = malloc(CW_SPACE_OLD * sizeof(cw_record_old_t));

        if (s->old == NULL) {
            return;
        }
    }

    fd = openat(r->volume.fd, "media", O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    if (fd == -1) {
        return;
    }

    for (day = -1; s->n == 0; /* void */ ) {
        day = cw_record_space_oldest_day(fd, day);

        if (day == -1 || cw_record_space_day(r, fd, day) == -1) {
            break;
        }
    }

    close(fd);

    qsort(s->old, s->n, sizeof(cw_record_old_t), cw_record_space_compare);
}


/* of all cameras; -1: none is later than that */

static int64_t
cw_record_space_oldest_day(int mediafd, int64_t after_msec)
{
    DIR            *media, *camera;
    int64_t         day, oldest;
    struct dirent  *de;

    oldest = -1;
    media = cam_dir_open(mediafd, ".");

    while (media != NULL && (de = readdir(media)) != NULL) {

        if (strlen(de->d_name) != CAM_UUID_TEXT) {
            continue;
        }

        camera = cam_dir_open(mediafd, de->d_name);

        while (camera != NULL && (de = readdir(camera)) != NULL) {

            if (cam_record_day_parse(de->d_name, &day) == 0
                && day > after_msec && (oldest == -1 || day < oldest))
            {
                oldest = day;
            }
        }

        if (camera != NULL) {
            closedir(camera);
        }
    }

    if (media != NULL) {
        closedir(media);
    }

    return oldest;
}


static int
cw_record_space_day(cw_record_t *r, int mediafd, int64_t day_msec)
{
    DIR            *media;
    uint8_t         camera[CAM_UUID_LEN];
    struct dirent  *de;

    media = cam_dir_open(mediafd, ".");
    if (media == NULL) {
        return -1;
    }

    while ((de = readdir(media)) != NULL) {

        if (cam_uuid_parse(camera, de->d_name, strlen(de->d_name)) == 0
            && cw_record_space_camera(r, camera, day_msec) == -1)
        {
            closedir(media);
            return -1;
        }
    }

    closedir(media);

    return 0;
}


/* an empty directory of a day that is over goes, too */

static int
cw_record_space_camera(cw_record_t *r, const uint8_t *camera,
    int64_t day_msec)
{
    char                path[CAM_RECORD_PATH_MAX];
    size_t              i, n;
    cw_record_old_t     old;
    cam_record_name_t  *name;

    if (cam_record_list(r->volume.fd, camera, day_msec + CAM_RECORD_DAY_MSEC,
                        day_msec + CAM_RECORD_DAY_MSEC, &name, &n) == -1)
    {
        return -1;
    }

    if (n == 0 && day_msec + 2 * CAM_RECORD_DAY_MSEC < r->clock.wall_msec) {
        (void) unlinkat(r->volume.fd,
                        cam_record_day_path(path, camera, day_msec),
                        AT_REMOVEDIR);
    }

    memcpy(old.camera, camera, CAM_UUID_LEN);

    for (i = 0; i < n && r->space.n < CW_SPACE_OLD; i++) {
        old.start_msec = name[i].start_msec;

        if (!(name[i].has & CAM_RECORD_HAS_HOLD)
            && cw_record_space_removable(r, &old))
        {
            r->space.old[r->space.n++] = old;
        }
    }

    free(name);

    return 0;
}


static int
cw_record_space_removable(const cw_record_t *r, const cw_record_old_t *old)
{
    int                      i;
    const cw_record_file_t  *f;

    for (i = 0; i < CAM_RECORD_SLOTS; i++) {
        f = r->camera[i] != NULL ? r->camera[i]->file : NULL;

        if (f != NULL && f->head.start_msec == old->start_msec
            && memcmp(f->head.camera, old->camera, CAM_UUID_LEN) == 0)
        {
            return 0;
        }
    }

    for (f = r->closing; f != NULL; f = f->next) {
        if (f->head.start_msec == old->start_msec
            && memcmp(f->head.camera, old->camera, CAM_UUID_LEN) == 0)
        {
            return 0;
        }
    }

    return 1;
}


/* 1 when it is gone by us; a hold may have come since it was found */

static int
cw_record_space_remove(cw_record_t *r, const cw_record_old_t *old)
{
    int                fd, known;
    char               path[CAM_RECORD_PATH_MAX];
    cam_record_head_t  head;

    cam_record_path(path, old->camera, old->start_msec, "hold");

    if (faccessat(r->volume.fd, path, F_OK, 0) == 0
        || !cw_record_space_removable(r, old))
    {
        return 0;
    }

    cam_record_path(path, old->camera, old->start_msec, "idx");
    fd = openat(r->volume.fd, path, O_RDONLY|O_NOFOLLOW|O_CLOEXEC);
    known = fd != -1 && cam_record_head_read(fd, &head) == 0;

    if (fd != -1) {
        close(fd);
    }

    cam_record_path(path, old->camera, old->start_msec, "mp4");

    if (unlinkat(r->volume.fd, path, 0) == -1 && errno != ENOENT) {
        cw_log(CW_LOG_CRIT, errno, "unlink(\"%s\") failed", path);
        return 0;
    }

    cam_record_path(path, old->camera, old->start_msec, "idx");
    (void) unlinkat(r->volume.fd, path, 0);

    if (known) {
        cw_record_journal_removed(r, head.recording, "space");
    }

    cw_count(CAM_METRIC_RECORD_REMOVED, 1);
    cw_log(CW_LOG_INFO, 0, "removed \"%s\" for its space", path);

    return 1;
}


static int
cw_record_space_compare(const void *one, const void *two)
{
    const cw_record_old_t  *a, *b;

    a = one;
    b = two;

    return (a->start_msec > b->start_msec) - (a->start_msec < b->start_msec);
}


void
cw_record_space_forget(cw_record_space_t *space)
{
    free(space->old);
    memset(space, 0, sizeof(cw_record_space_t));
}
