/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * After a start: what the newest files of the journal say was open, the table
 * what had just been begun.  A recording whose camera is still wanted goes on,
 * any other is closed as recovered; one without a single fragment is removed.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "record.h"

#define CW_RECOVER_FILES  8              /* the newest of the journal */
#define CW_RECOVER_SIZE   (8u << 20)     /* of one of them, at most */


typedef struct {
    char       id[CAM_UUID_TEXT + 1];    /* of a recording, or "" */
    char       camera[CAM_UUID_TEXT + 1];
    char       path[CAM_RECORD_PATH_MAX];
    int        open;                     /* else it was closed */
    int64_t    gap_msec;                 /* of a gap that is open */
    char       cause[16];
} cw_recover_entry_t;


typedef struct {
    cw_recover_entry_t  *entry;
    size_t               n;
    size_t               cap;
} cw_recover_t;


static void cw_recover_journal(cw_record_t *r, cw_recover_t *v);
static void cw_recover_file(cw_recover_t *v, int dirfd, int64_t name);
static void cw_recover_lines(cw_recover_t *v, char *text);
static void cw_recover_line(cw_recover_t *v, json_t *line);
static void cw_recover_opened(cw_recover_t *v, json_t *line);
static void cw_recover_ended(cw_recover_t *v, json_t *line);
static void cw_recover_gap(cw_recover_t *v, json_t *line);
static cw_recover_entry_t *cw_recover_add(cw_recover_t *v);
static cw_recover_entry_t *cw_recover_find(cw_recover_t *v, const char *id);
static void cw_recover_table(cw_record_t *r, cw_recover_t *v);
static void cw_recover_take(cw_record_t *r, const cw_recover_entry_t *e);
static cw_record_camera_t *cw_recover_camera(cw_record_t *r,
    const char *text);
static void cw_recover_remove(cw_record_t *r, const cw_recover_entry_t *e);


void
cw_record_recover(cw_record_t *r)
{
    size_t         i;
    cw_recover_t   v;

    memset(&v, 0, sizeof(cw_recover_t));

    cw_recover_journal(r, &v);
    cw_recover_table(r, &v);

    for (i = 0; i < v.n; i++) {
        cw_recover_take(r, &v.entry[i]);
    }

    free(v.entry);

    cw_record_restate(r);
    cw_record_settle(r, 1);
}


static void
cw_recover_journal(cw_record_t *r, cw_recover_t *v)
{
    int             fd, i, n;
    DIR            *dir;
    char           *end;
    int64_t         name, names[CW_RECOVER_FILES];
    struct dirent  *de;

    fd = openat(r->journal.dirfd, ".", O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    dir = fd != -1 ? fdopendir(fd) : NULL;

    if (dir == NULL) {
        (void) close(fd);
        return;
    }

    n = 0;

    while ((de = readdir(dir)) != NULL) {
        name = strtoll(de->d_name, &end, 10);

        if (strcmp(end, ".log") != 0 || name == r->journal.name_msec) {
            continue;
        }

        /* sorted, and the oldest falls out */

        if (n == CW_RECOVER_FILES) {
            if (name < names[0]) {
                continue;
            }

            memmove(names, names + 1, --n * sizeof(int64_t));
        }

        for (i = n++; i > 0 && names[i - 1] > name; i--) {
            names[i] = names[i - 1];
        }

        names[i] = name;
    }

    for (i = 0; i < n; i++) {
        cw_recover_file(v, fd, names[i]);
    }

    closedir(dir);
}


static void
cw_recover_file(cw_recover_t *v, int dirfd, int64_t name)
{
    int          fd;
    char         path[32], *text;
    ssize_t      n;
    struct stat  st;

    snprintf(path, sizeof(path), "%013" PRId64 ".log", name);

    fd = openat(dirfd, path, O_RDONLY|O_NOFOLLOW|O_CLOEXEC);
    if (fd == -1) {
        return;
    }

    text = fstat(fd, &st) == 0 && st.st_size < CW_RECOVER_SIZE
           ? malloc(st.st_size + 1) : NULL;

    if (text != NULL) {
        n = read(fd, text, st.st_size);

        if (n > 0) {
            text[n] = '\0';
            cw_recover_lines(v, text);
        }

        free(text);
    }

    close(fd);
}


/* a line that is torn says nothing */

static void
cw_recover_lines(cw_recover_t *v, char *text)
{
    char    *end;
    json_t  *line;

    for (end = strchr(text, '\n'); end != NULL;
         text = end + 1, end = strchr(text, '\n'))
    {
        *end = '\0';
        line = json_loads(text, 0, NULL);

        if (line != NULL) {
            cw_recover_line(v, line);
            json_decref(line);
        }
    }
}


static void
cw_recover_line(cw_recover_t *v, json_t *line)
{
    const char  *name;

    name = json_string_value(json_object_get(line, "n"));

    if (name == NULL) {
        return;
    }

    if (strcmp(name, "open") == 0) {
        cw_recover_opened(v, line);

    } else if (strcmp(name, "close") == 0 || strcmp(name, "removed") == 0) {
        cw_recover_ended(v, line);

    } else if (strcmp(name, "gap") == 0) {
        cw_recover_gap(v, line);
    }
}


static void
cw_recover_opened(cw_recover_t *v, json_t *line)
{
    const char          *id, *camera, *path;
    cw_recover_entry_t  *e;

    id = json_string_value(json_object_get(line, "id"));
    camera = json_string_value(json_object_get(line, "camera"));
    path = json_string_value(json_object_get(line, "path"));

    if (id == NULL || camera == NULL || path == NULL
        || cw_recover_find(v, id) != NULL)
    {
        return;
    }

    e = cw_recover_add(v);

    if (e != NULL) {
        snprintf(e->id, sizeof(e->id), "%s", id);
        snprintf(e->camera, sizeof(e->camera), "%s", camera);
        snprintf(e->path, sizeof(e->path), "%s", path);
        e->open = 1;
    }
}


static void
cw_recover_ended(cw_recover_t *v, json_t *line)
{
    const char          *id;
    cw_recover_entry_t  *e;

    id = json_string_value(json_object_get(line, "id"));

    if (id == NULL) {
        return;
    }

    e = cw_recover_find(v, id);

    if (e == NULL) {
        e = cw_recover_add(v);

        if (e == NULL) {
            return;
        }

        snprintf(e->id, sizeof(e->id), "%s", id);
    }

    e->open = 0;
}


static void
cw_recover_gap(cw_recover_t *v, json_t *line)
{
    size_t               i;
    const char          *camera, *cause;
    cw_recover_entry_t  *e;

    camera = json_string_value(json_object_get(line, "camera"));
    cause = json_string_value(json_object_get(line, "cause"));

    if (camera == NULL || cause == NULL) {
        return;
    }

    e = NULL;

    for (i = 0; i < v->n; i++) {
        if (v->entry[i].id[0] == '\0'
            && strcmp(v->entry[i].camera, camera) == 0)
        {
            e = &v->entry[i];
        }
    }

    if (e == NULL) {
        e = cw_recover_add(v);

        if (e == NULL) {
            return;
        }
    }

    snprintf(e->camera, sizeof(e->camera), "%s", camera);
    snprintf(e->cause, sizeof(e->cause), "%s", cause);
    e->gap_msec = json_is_null(json_object_get(line, "end"))
                  ? json_integer_value(json_object_get(line, "start")) : 0;
}


static cw_recover_entry_t *
cw_recover_add(cw_recover_t *v)
{
    size_t               cap;
    cw_recover_entry_t  *p;

    if (v->n == v->cap) {
        cap = v->cap ? v->cap * 2 : 64;
        p = realloc(v->entry, cap * sizeof(cw_recover_entry_t));

        if (p == NULL) {
            return NULL;
        }

        v->entry = p;
        v->cap = cap;
    }

    p = &v->entry[v->n++];
    memset(p, 0, sizeof(cw_recover_entry_t));

    return p;
}


/* the newest are looked for */

static cw_recover_entry_t *
cw_recover_find(cw_recover_t *v, const char *id)
{
    size_t  i;

    for (i = v->n; i-- > 0; ) {
        if (strcmp(v->entry[i].id, id) == 0) {
            return &v->entry[i];
        }
    }

    return NULL;
}


/* files that were begun and not yet in the journal */

static void
cw_recover_table(cw_record_t *r, cw_recover_t *v)
{
    char                 id[CAM_UUID_TEXT + 1];
    uint8_t              camera[CAM_UUID_LEN];
    uint32_t             slot;
    cam_record_wish_t    wish;
    cam_record_state_t   s;
    cw_recover_entry_t  *e;

    for (slot = 0; slot < CAM_RECORD_SLOTS; slot++) {

        if (!cam_record_wish_at(r->table, slot, camera, &wish)
            || cam_record_state_get(r->table, camera, &s) == -1
            || (int) s.volume != r->number || s.start_msec == 0)
        {
            continue;
        }

        if (cw_recover_find(v, cam_uuid_print(id, s.recording)) != NULL) {
            continue;
        }

        e = cw_recover_add(v);

        if (e == NULL
            || cam_record_path(e->path, camera, s.start_msec, "mp4") == NULL)
        {
            return;
        }

        strcpy(e->id, id);
        cam_uuid_print(e->camera, camera);
        e->open = 2;
    }
}


static void
cw_recover_take(cw_record_t *r, const cw_recover_entry_t *e)
{
    char                 id[CAM_UUID_TEXT + 1];
    cw_record_file_t    *f;
    cw_record_camera_t  *c;

    if (e->id[0] == '\0') {
        c = e->gap_msec ? cw_recover_camera(r, e->camera) : NULL;

        if (c != NULL && c->gap.end_msec == 0) {
            c->gap.end_msec = e->gap_msec;
            c->gap.open = 1;
            c->gap.cause = strcmp(e->cause, "camera") == 0 ? "camera"
                           : strcmp(e->cause, "disk") == 0 ? "disk"
                           : "network";
        }

        return;
    }

    if (!e->open) {
        return;
    }

    f = cw_record_file_reopen(r->volume.fd, e->path);

    if (f == NULL) {
        cw_recover_remove(r, e);
        return;
    }

    if (strcmp(cam_uuid_print(id, f->head.recording), e->id) != 0) {
        cw_record_file_free(f);
        return;
    }

    f->announced = e->open == 1;
    f->advance_msec = r->now_msec + CW_RECORD_ADVANCE_MSEC;

    c = cw_recover_camera(r, e->camera);

    /* it died between two of them: the later one goes on */

    if (c != NULL && c->file != NULL
        && c->file->head.start_msec < f->head.start_msec)
    {
        cw_record_closing(r, c->file,
                          f->head.start_msec >= c->file->limit_msec
                          ? "hour" : "recovered");
        c->file = NULL;
    }

    if (c == NULL || c->file != NULL) {
        cw_log(CW_LOG_INFO, 0, "closed \"%s\", which was open", e->path);
        cw_record_closing(r, f, "recovered");
        return;
    }

    cw_log(CW_LOG_INFO, 0, "going on with \"%s\"", e->path);

    c->file = f;
    c->wall.msec = f->wall_msec;
    c->wall.usec = (f->end_msec - f->wall_msec) * 1000;
    c->wall.ahead_msec = r->clock.ahead_msec;
    c->gap.end_msec = f->end_msec;
    c->gap.open = 0;
    c->gap.restarted = 1;
}


/* NULL when it is not wanted, or not here */

static cw_record_camera_t *
cw_recover_camera(cw_record_t *r, const char *text)
{
    uint8_t            camera[CAM_UUID_LEN], other[CAM_UUID_LEN];
    uint32_t           slot;
    cam_record_wish_t  wish;

    if (cam_uuid_parse(camera, text, strlen(text)) == -1
        || cam_record_volume_of(r->table, camera, r->now_msec) != r->number)
    {
        return NULL;
    }

    for (slot = 0; slot < CAM_RECORD_SLOTS; slot++) {

        if (cam_record_wish_at(r->table, slot, other, &wish)
            && memcmp(camera, other, CAM_UUID_LEN) == 0)
        {
            return wish.want ? cw_record_camera(r, slot, camera) : NULL;
        }
    }

    return NULL;
}


static void
cw_recover_remove(cw_record_t *r, const cw_recover_entry_t *e)
{
    char     path[CAM_RECORD_PATH_MAX];
    int64_t  start;
    uint8_t  camera[CAM_UUID_LEN], id[CAM_UUID_LEN];

    if (errno != ENODATA && errno != ENOENT && errno != EPROTO) {
        cw_log(CW_LOG_CRIT, errno, "cannot go on with \"%s\"", e->path);
        return;
    }

    cw_log(CW_LOG_WARN, errno, "nothing is left of \"%s\"", e->path);

    if (cam_record_path_parse(e->path, camera, &start) == -1
        || cam_uuid_parse(id, e->id, strlen(e->id)) == -1)
    {
        return;
    }

    (void) unlinkat(r->volume.fd, e->path, 0);
    (void) unlinkat(r->volume.fd, cam_record_path(path, camera, start, "idx"),
                    0);

    if (e->open == 1) {
        cw_record_journal_removed(r, id, "missing");
    }
}
