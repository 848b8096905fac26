/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A volume is used while its directory is the one that was opened and has the
 * same uuid, and while we hold its lock.  An unmounted disk leaves an empty
 * directory behind, on a disk that nobody meant to fill: an empty one is made a
 * volume only where none was known before.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dir.h"
#include "log.h"
#include "record.h"

#define CW_VOLUME_CHECK_MSEC  5000
#define CW_VOLUME_SAY_MSEC    60000


static int cw_record_volume_identify(cw_record_t *r);
static int cw_record_volume_take(cw_record_t *r);
static int cw_record_volume_empty(int fd);
static int cw_record_volume_was_known(const cw_record_t *r);
static int cw_record_volume_lock(cw_record_volume_t *v);
static int cw_record_volume_dirs(cw_record_volume_t *v);
static int cw_record_volume_journal(cw_record_t *r);
static int cw_record_volume_same(cw_record_volume_t *v);
static void cw_record_volume_say(cw_record_t *r, const char *what, int err);


int
cw_record_volume_open(cw_record_t *r)
{
    cw_record_volume_t  *v;

    v = &r->volume;
    v->fd = open(v->path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (v->fd == -1) {
        cw_record_volume_say(r, "cannot open it", errno);
        v->state = CAM_RECORD_VOLUME_AWAY;
        return -1;
    }

    if (cw_record_volume_identify(r) == -1) {
        v->state = CAM_RECORD_VOLUME_AWAY;
        cw_record_volume_close(r);
        return -1;
    }

    if (cw_record_volume_take(r) == -1) {
        cw_record_volume_close(r);
        return -1;
    }

    v->known = 1;
    v->state = CAM_RECORD_VOLUME_OK;
    v->check_msec = r->now_msec + CW_VOLUME_CHECK_MSEC;
    v->space_msec = 0;
    v->said_msec = 0;

    cw_log(CW_LOG_INFO, 0, "recording on \"%s\"", v->path);

    return 0;
}


/* whose it is; a new one is made ours */

static int
cw_record_volume_identify(cw_record_t *r)
{
    uint8_t              uuid[CAM_UUID_LEN];
    cw_record_volume_t  *v;

    v = &r->volume;

    if (fstat(v->fd, &v->stat) == -1) {
        cw_record_volume_say(r, "cannot open it", errno);
        return -1;
    }

    if (cam_record_volume_read(v->fd, uuid) == -1) {

        if (errno != ENOENT) {
            cw_record_volume_say(r, "cannot read its file \"volume\"", errno);
            return -1;
        }

        if (v->known || cw_record_volume_was_known(r)) {
            cw_record_volume_say(r, "the disk is not mounted", 0);
            return -1;
        }

        if (!cw_record_volume_empty(v->fd)) {
            cw_record_volume_say(r, "it is no volume of ours, and not empty",
                                 0);
            return -1;
        }

        if (cam_record_volume_init(v->fd, uuid) == -1) {
            cw_record_volume_say(r, "cannot make it a volume", errno);
            return -1;
        }
    }

    if (v->known && memcmp(uuid, v->uuid, CAM_UUID_LEN) != 0) {
        cw_record_volume_say(r, "another disk is mounted there", 0);
        return -1;
    }

    memcpy(v->uuid, uuid, CAM_UUID_LEN);

    return 0;
}


static int
cw_record_volume_take(cw_record_t *r)
{
    cw_record_volume_t  *v;

    v = &r->volume;

    if (cw_record_volume_lock(v) == -1) {
        v->state = CAM_RECORD_VOLUME_ABSENT;
        cw_record_volume_say(r, errno == EWOULDBLOCK
                                ? "another camera-worker records there"
                                : "cannot lock it", errno);
        return -1;
    }

    if (cw_record_volume_dirs(v) == -1 || cw_record_volume_journal(r) == -1) {
        v->state = errno == ENOSPC ? CAM_RECORD_VOLUME_FULL
                                   : CAM_RECORD_VOLUME_ERROR;
        cw_record_volume_say(r, "cannot write there", errno);
        return -1;
    }

    return 0;
}


/* but for what file systems put there by themselves */

static int
cw_record_volume_empty(int fd)
{
    int             empty;
    DIR            *dir;
    struct dirent  *de;

    dir = cam_dir_open(fd, ".");
    if (dir == NULL) {
        return 0;
    }

    empty = 1;

    while ((de = readdir(dir)) != NULL) {
        if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0
            && strcmp(de->d_name, "lost+found") != 0
            && strcmp(de->d_name, ".volume") != 0)
        {
            empty = 0;
        }
    }

    closedir(dir);

    return empty;
}


/* by an earlier child, or an earlier camera-worker */

static int
cw_record_volume_was_known(const cw_record_t *r)
{
    unsigned             n;
    cam_record_volume_t  v;

    for (n = 0; n < CAM_RECORD_VOLUMES; n++) {
        cam_record_volume_get(r->table, n, &v);

        if (v.path == r->volume.hash) {
            return 1;
        }
    }

    return 0;
}


static int
cw_record_volume_lock(cw_record_volume_t *v)
{
    v->lock_fd = openat(v->fd, "lock", O_RDWR|O_CREAT|O_NOFOLLOW|O_CLOEXEC,
                        0640);

    return v->lock_fd != -1 ? flock(v->lock_fd, LOCK_EX|LOCK_NB) : -1;
}


static int
cw_record_volume_dirs(cw_record_volume_t *v)
{
    unsigned  i;

    static const char *const  dirs[] = { "journal", "media", "exports" };

    for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        if (mkdirat(v->fd, dirs[i], 0750) == -1 && errno != EEXIST) {
            return -1;
        }
    }

    return fsync(v->fd);
}


/* of a disk that is full to the last byte something must go first */

static int
cw_record_volume_journal(cw_record_t *r)
{
    int  rc;

    rc = cw_record_journal_open(&r->journal, r->volume.fd);

    if (rc == -1 && (errno == ENOSPC || errno == EDQUOT)) {

        if (!cw_record_space_full(r, 1)) {
            errno = ENOSPC;
            return -1;
        }

        rc = cw_record_journal_open(&r->journal, r->volume.fd);
    }

    return rc;
}


void
cw_record_volume_close(cw_record_t *r)
{
    cw_record_volume_t  *v;

    v = &r->volume;
    cw_record_journal_close(&r->journal);

    if (v->lock_fd != -1) {
        close(v->lock_fd);
        v->lock_fd = -1;
    }

    if (v->fd != -1) {
        close(v->fd);
        v->fd = -1;
    }
}


int
cw_record_volume_is_there(cw_record_t *r)
{
    cw_record_volume_t  *v;

    v = &r->volume;

    if (v->state == CAM_RECORD_VOLUME_AWAY || v->fd == -1) {
        return 0;
    }

    v->check_msec = r->now_msec + CW_VOLUME_CHECK_MSEC;

    if (cw_record_volume_same(v)) {
        return 1;
    }

    v->state = CAM_RECORD_VOLUME_AWAY;
    cw_record_volume_say(r, "the disk is not there any more", 0);

    return 0;
}


static int
cw_record_volume_same(cw_record_volume_t *v)
{
    int          fd, same;
    uint8_t      uuid[CAM_UUID_LEN];
    struct stat  st;

    fd = open(v->path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1) {
        return 0;
    }

    same = fstat(fd, &st) == 0 && st.st_dev == v->stat.st_dev
           && st.st_ino == v->stat.st_ino
           && cam_record_volume_read(fd, uuid) == 0
           && memcmp(uuid, v->uuid, CAM_UUID_LEN) == 0;

    close(fd);

    return same;
}


void
cw_record_volume_tell(cw_record_t *r)
{
    cam_record_volume_t  v;

    /* who is not known now may have been: that stays */

    cam_record_volume_get(r->table, r->number, &v);
    v.state = r->volume.state;
    v.bytes_total = r->volume.bytes_total;
    v.bytes_free = r->volume.bytes_free;
    v.beat_msec = r->now_msec;

    if (r->volume.known) {
        memcpy(v.uuid, r->volume.uuid, CAM_UUID_LEN);
        v.path = r->volume.hash;
    }

    cam_record_volume_set(r->table, r->number, &v);
}


static void
cw_record_volume_say(cw_record_t *r, const char *what, int err)
{
    if (r->now_msec < r->volume.said_msec) {
        return;
    }

    cw_log(CW_LOG_CRIT, err, "not recording on \"%s\": %s", r->volume.path,
           what);
    r->volume.said_msec = r->now_msec + CW_VOLUME_SAY_MSEC;
}
