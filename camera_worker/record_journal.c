/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Names of files are times, and only grow, whatever the clock does.  The space
 * of a file is allocated with it: that a disk is full can be told on that disk.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "dir.h"
#include "log.h"
#include "record.h"

#define CW_JOURNAL_SIZE    (1u << 20)
#define CW_JOURNAL_KEEP    (4u << 20)    /* lines that wait, at most */
#define CW_JOURNAL_LINE    512
#define CW_JOURNAL_TEXT    (CAM_UUID_TEXT + 1)
#define CW_JOURNAL_KEY     (32 + CAM_KID_MAX + CAM_RECORD_WRAPPED_TEXT)


static int cw_record_journal_begin(cw_record_journal_t *j);
static int64_t cw_record_journal_newest(int dirfd);
static const char *cw_record_journal_key(char key[CW_JOURNAL_KEY],
    const cam_record_head_t *head);
static void cw_record_journal_length(struct cw_record_s *r, const char *name,
    const cw_record_file_t *f);
static const char *cw_record_journal_camera(char *text,
    const uint8_t *camera);
static void cw_record_journal_said(cw_record_journal_t *j, const char *what);


int
cw_record_journal_open(cw_record_journal_t *j, int volumefd)
{
    j->fd = -1;
    j->failed = 0;

    if (j->dirfd == -1) {
        j->dirfd = openat(volumefd, "journal", O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    }

    if (j->dirfd == -1) {
        return -1;
    }

    return cw_record_journal_begin(j);
}


static int
cw_record_journal_begin(cw_record_journal_t *j)
{
    int      fd;
    char     name[32];
    int64_t  newest;

    newest = cw_record_journal_newest(j->dirfd);
    j->name_msec = cam_clock_wall_msec();

    if (j->name_msec <= newest) {
        j->name_msec = newest + 1;
    }

    snprintf(name, sizeof(name), "%013" PRId64 ".log", j->name_msec);

    fd = openat(j->dirfd, name, O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0640);
    if (fd == -1) {
        return -1;
    }

    /* not every file system can */

    (void) fallocate(fd, FALLOC_FL_KEEP_SIZE, 0,
                     CW_JOURNAL_SIZE + CW_JOURNAL_SIZE / 4);

    if (fsync(j->dirfd) == -1) {
        close(fd);
        return -1;
    }

    if (j->fd != -1) {
        close(j->fd);
    }

    j->fd = fd;
    j->size = 0;

    return 0;
}


static int64_t
cw_record_journal_newest(int dirfd)
{
    DIR            *dir;
    char           *end;
    int64_t         msec, newest;
    struct dirent  *de;

    newest = 0;

    dir = cam_dir_open(dirfd, ".");
    if (dir == NULL) {
        return newest;
    }

    while ((de = readdir(dir)) != NULL) {
        msec = strtoll(de->d_name, &end, 10);

        if (strcmp(end, ".log") == 0 && msec > newest
            && msec < INT64_C(9999999999999))
        {
            newest = msec;
        }
    }

    closedir(dir);

    return newest;
}


void
cw_record_journal_close(cw_record_journal_t *j)
{
    if (j->fd != -1) {
        close(j->fd);
        j->fd = -1;
    }

    if (j->dirfd != -1) {
        close(j->dirfd);
        j->dirfd = -1;
    }

    free(j->line);
    j->line = NULL;
    j->len = 0;
    j->cap = 0;
    j->dirty = 0;
}


void
cw_record_journal_add(struct cw_record_s *r, const char *fmt, ...)
{
    int                   n;
    char                 *p;
    va_list               args;
    cw_record_journal_t  *j;

    j = &r->journal;

    if (j->cap - j->len < CW_JOURNAL_LINE) {
        p = j->cap < CW_JOURNAL_KEEP ? realloc(j->line, j->cap * 2 + 8192)
                                     : NULL;
        if (p == NULL) {
            cw_record_journal_said(j, "keep a line");
            return;
        }

        j->line = p;
        j->cap = j->cap * 2 + 8192;
    }

    p = j->line + j->len;
    n = snprintf(p, CW_JOURNAL_LINE, "{\"at\":%" PRId64 ",",
                 cam_clock_wall_msec());

    va_start(args, fmt);
    n += vsnprintf(p + n, CW_JOURNAL_LINE - n, fmt, args);
    va_end(args);

    if (n > CW_JOURNAL_LINE - 3) {
        return;
    }

    memcpy(p + n, "}\n", 2);
    j->len += n + 2;
}


void
cw_record_journal_opened(struct cw_record_s *r, const cw_record_file_t *f)
{
    char  id[CW_JOURNAL_TEXT], camera[CW_JOURNAL_TEXT], key[CW_JOURNAL_KEY];

    cw_record_journal_add(r, "\"n\":\"open\",\"id\":\"%s\",\"camera\":\"%s\","
                          "\"path\":\"%s\",\"start\":%" PRId64
                          ",\"codecs\":\"%s\",\"width\":%u,\"height\":%u%s",
                          cam_uuid_print(id, f->head.recording),
                          cam_uuid_print(camera, f->head.camera), f->path,
                          f->head.start_msec, f->head.codecs, f->head.width,
                          f->head.height,
                          cw_record_journal_key(key, &f->head));
}


/* the key of an encrypted one, as its head has it: wrapped */

static const char *
cw_record_journal_key(char key[CW_JOURNAL_KEY], const cam_record_head_t *head)
{
    char  text[CAM_RECORD_WRAPPED_TEXT + 1];

    key[0] = '\0';

    if (head->cipher) {
        snprintf(key, CW_JOURNAL_KEY, ",\"kid\":\"%s\",\"wrapped\":\"%s\"",
                 head->kid, cam_record_cipher_print(text, head->wrapped));
    }

    return key;
}


void
cw_record_journal_advanced(struct cw_record_s *r, const cw_record_file_t *f)
{
    cw_record_journal_length(r, "advance", f);
}


void
cw_record_journal_closed(struct cw_record_s *r, const cw_record_file_t *f)
{
    cw_record_journal_length(r, "close", f);
}


static void
cw_record_journal_length(struct cw_record_s *r, const char *name,
    const cw_record_file_t *f)
{
    char  id[CW_JOURNAL_TEXT];

    cw_record_journal_add(r, "\"n\":\"%s\",\"id\":\"%s\",\"end\":%" PRId64
                          ",\"bytes\":%" PRIu64 ",\"usec\":%" PRId64
                          ",\"fragments\":%u%s%s%s", name,
                          cam_uuid_print(id, f->head.recording), f->end_msec,
                          f->size, f->usec, f->number,
                          f->why ? ",\"why\":\"" : "", f->why ? f->why : "",
                          f->why ? "\"" : "");
}


void
cw_record_journal_gap(struct cw_record_s *r, const uint8_t *camera,
    int64_t start_msec, int64_t end_msec, const char *cause)
{
    char  id[CW_JOURNAL_TEXT], end[24];

    snprintf(end, sizeof(end), "%" PRId64, end_msec);

    cw_record_journal_add(r, "\"n\":\"gap\",\"camera\":\"%s\",\"start\":%"
                          PRId64 ",\"end\":%s,\"cause\":\"%s\"",
                          cam_uuid_print(id, camera), start_msec,
                          end_msec ? end : "null", cause);
}


void
cw_record_journal_removed(struct cw_record_s *r, const uint8_t *id,
    const char *why)
{
    char  text[CW_JOURNAL_TEXT];

    cw_record_journal_add(r, "\"n\":\"removed\",\"id\":\"%s\",\"why\":\"%s\"",
                          cam_uuid_print(text, id), why);
}


void
cw_record_journal_alert(struct cw_record_s *r, const char *type,
    const char *severity, const uint8_t *camera, const char *message)
{
    char  text[CW_JOURNAL_TEXT + 2];

    cw_record_journal_add(r, "\"n\":\"alert\",\"type\":\"%s\","
                          "\"severity\":\"%s\",\"camera\":%s,"
                          "\"message\":\"%s\"", type, severity,
                          cw_record_journal_camera(text, camera), message);
}


void
cw_record_journal_calm(struct cw_record_s *r, const char *type,
    const uint8_t *camera)
{
    char  text[CW_JOURNAL_TEXT + 2];

    cw_record_journal_add(r, "\"n\":\"calm\",\"type\":\"%s\",\"camera\":%s",
                          type, cw_record_journal_camera(text, camera));
}


static const char *
cw_record_journal_camera(char *text, const uint8_t *camera)
{
    if (camera == NULL) {
        return "null";
    }

    text[0] = '"';
    cam_uuid_print(text + 1, camera);
    strcpy(text + 1 + CAM_UUID_TEXT, "\"");

    return text;
}


int
cw_record_journal_flush(struct cw_record_s *r, int sync)
{
    ssize_t               n;
    cw_record_journal_t  *j;

    j = &r->journal;

    if (j->fd == -1) {
        return -1;
    }

    if (j->size >= CW_JOURNAL_SIZE && cw_record_journal_begin(j) == 0) {
        cw_record_restate(r);
    }

    if (j->len > 0) {
        n = pwrite(j->fd, j->line, j->len, j->size);

        if (n != (ssize_t) j->len) {
            cw_record_journal_said(j, "write");
            (void) !ftruncate(j->fd, j->size);
            return -1;
        }

        j->size += n;
        j->len = 0;
        j->dirty = 1;
        j->failed = 0;
    }

    if (sync && j->dirty) {

        if (fdatasync(j->fd) == -1) {
            cw_record_journal_said(j, "sync");
            return -1;
        }

        j->dirty = 0;
    }

    return 0;
}


static void
cw_record_journal_said(cw_record_journal_t *j, const char *what)
{
    if (!j->failed) {
        cw_log(CW_LOG_CRIT, errno, "cannot %s the journal", what);
        j->failed = 1;
    }
}
