/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Each file of the journal begins with what was open then, so the newest ones
 * are enough; more than one, for the last may have been made just before its
 * recorder died.
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

#include "record_cipher.h"
#include "record_open.h"

#define CAM_RECORD_OPEN_FILES  8             /* of the journal */
#define CAM_RECORD_OPEN_SIZE   (8 << 20)     /* of one of them, at most */


static int cam_record_open_newest(DIR *dir, int64_t *names);
static int cam_record_open_read(cam_record_opens_t *o, int dirfd,
    int64_t name);
static int cam_record_open_lines(cam_record_opens_t *o, char *text);
static int cam_record_open_line(cam_record_opens_t *o, json_t *line);
static int cam_record_open_begun(cam_record_opens_t *o, const uint8_t *id,
    json_t *line);
static void cam_record_open_key(cam_record_open_t *f, json_t *line);
static int cam_record_open_ended(cam_record_opens_t *o, const uint8_t *id);
static int cam_record_open_gap(cam_record_opens_t *o, json_t *line);
static cam_record_open_t *cam_record_open_file(cam_record_opens_t *o,
    const uint8_t *id);
static void *cam_record_open_add(void **list, size_t *n, size_t *cap,
    size_t size);
static int cam_record_open_uuid(uint8_t *uuid, json_t *line,
    const char *name);
static int cam_record_open_compare(const void *one, const void *two);


int
cam_record_open_journal(cam_record_opens_t *o, int volumefd)
{
    int      fd, i, n, rc;
    DIR     *dir;
    int64_t  names[CAM_RECORD_OPEN_FILES];

    fd = openat(volumefd, "journal", O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    if (fd == -1) {
        return errno == ENOENT ? 0 : -1;
    }

    dir = fdopendir(fd);
    if (dir == NULL) {
        close(fd);
        return -1;
    }

    n = cam_record_open_newest(dir, names);
    rc = 0;

    for (i = 0; i < n && rc == 0; i++) {
        rc = cam_record_open_read(o, fd, names[i]);
    }

    closedir(dir);

    return rc;
}


/* how many, sorted; the oldest fall out */

static int
cam_record_open_newest(DIR *dir, int64_t *names)
{
    int             i, n;
    char           *end;
    int64_t         name;
    struct dirent  *de;

    n = 0;

    while ((de = readdir(dir)) != NULL) {
        name = strtoll(de->d_name, &end, 10);

        if (strcmp(end, ".log") != 0) {
            continue;
        }

        if (n == CAM_RECORD_OPEN_FILES) {
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

    return n;
}


/* one that is gone was applied meanwhile, and newer ones know what it knew */

static int
cam_record_open_read(cam_record_opens_t *o, int dirfd, int64_t name)
{
    int          fd, rc;
    char         path[32], *text;
    ssize_t      n;
    struct stat  st;

    snprintf(path, sizeof(path), "%013" PRId64 ".log", name);

    fd = openat(dirfd, path, O_RDONLY|O_NOFOLLOW|O_CLOEXEC);
    if (fd == -1) {
        return errno == ENOENT ? 0 : -1;
    }

    if (fstat(fd, &st) == -1 || st.st_size > CAM_RECORD_OPEN_SIZE) {
        close(fd);
        return 0;
    }

    text = malloc(st.st_size + 1);
    n = text != NULL ? pread(fd, text, st.st_size, 0) : -1;
    rc = -1;

    if (n != -1) {
        text[n] = '\0';
        rc = cam_record_open_lines(o, text);
    }

    free(text);
    close(fd);

    return rc;
}


/* a line that is torn says nothing */

static int
cam_record_open_lines(cam_record_opens_t *o, char *text)
{
    int      rc;
    char    *end;
    json_t  *line;

    rc = 0;

    for (end = strchr(text, '\n'); end != NULL && rc == 0;
         text = end + 1, end = strchr(text, '\n'))
    {
        *end = '\0';
        line = json_loads(text, 0, NULL);

        if (line != NULL) {
            rc = cam_record_open_line(o, line);
            json_decref(line);
        }
    }

    return rc;
}


static int
cam_record_open_line(cam_record_opens_t *o, json_t *line)
{
    uint8_t      id[CAM_UUID_LEN];
    const char  *name;

    name = json_string_value(json_object_get(line, "n"));

    if (name == NULL) {
        return 0;
    }

    if (strcmp(name, "gap") == 0) {
        return cam_record_open_gap(o, line);
    }

    if (cam_record_open_uuid(id, line, "id") == -1) {
        return 0;
    }

    if (strcmp(name, "open") == 0) {
        return cam_record_open_begun(o, id, line);
    }

    if (strcmp(name, "close") == 0 || strcmp(name, "removed") == 0) {
        return cam_record_open_ended(o, id);
    }

    return 0;
}


/* what has ended is not begun again, whoever says so */

static int
cam_record_open_begun(cam_record_opens_t *o, const uint8_t *id,
    json_t *line)
{
    int64_t             start;
    uint8_t             camera[CAM_UUID_LEN];
    const char         *path;
    cam_record_open_t  *f;

    path = json_string_value(json_object_get(line, "path"));

    if (path == NULL || cam_record_path_parse(path, camera, &start) == -1) {
        return 0;
    }

    f = cam_record_open_file(o, id);

    if (f == NULL) {
        return -1;
    }

    if (!f->ended) {
        memcpy(f->camera, camera, CAM_UUID_LEN);
        f->start_msec = start;
        strcpy(f->path, path);
        f->announced = 1;
        f->order = ++o->order;
        cam_record_open_key(f, line);
    }

    return 0;
}


/* texts of any other form are as good as none */

static void
cam_record_open_key(cam_record_open_t *f, json_t *line)
{
    const char  *kid, *text;

    kid = json_string_value(json_object_get(line, "kid"));
    text = json_string_value(json_object_get(line, "wrapped"));

    if (kid != NULL && text != NULL) {
        (void) cam_record_cipher_parse(f->kid, f->wrapped, kid, text);
    }
}


static int
cam_record_open_ended(cam_record_opens_t *o, const uint8_t *id)
{
    cam_record_open_t  *f;

    f = cam_record_open_file(o, id);

    if (f == NULL) {
        return -1;
    }

    f->ended = 1;

    return 0;
}


static int
cam_record_open_gap(cam_record_opens_t *o, json_t *line)
{
    size_t                  i;
    uint8_t                 camera[CAM_UUID_LEN];
    const char             *cause;
    cam_record_open_gap_t  *gap;

    cause = json_string_value(json_object_get(line, "cause"));

    if (cause == NULL || cam_record_open_uuid(camera, line, "camera") == -1) {
        return 0;
    }

    for (i = 0; i < o->gaps; i++) {
        if (memcmp(o->gap[i].camera, camera, CAM_UUID_LEN) == 0) {
            break;
        }
    }

    gap = i < o->gaps ? &o->gap[i]
                      : cam_record_open_add((void **) &o->gap, &o->gaps,
                                            &o->gap_cap, sizeof(*gap));
    if (gap == NULL) {
        return -1;
    }

    memcpy(gap->camera, camera, CAM_UUID_LEN);
    snprintf(gap->cause, sizeof(gap->cause), "%s", cause);
    gap->start_msec = json_is_null(json_object_get(line, "end"))
                      ? json_integer_value(json_object_get(line, "start")) : 0;

    return 0;
}


/* made when it is not known; the newest are looked for */

static cam_record_open_t *
cam_record_open_file(cam_record_opens_t *o, const uint8_t *id)
{
    size_t              i;
    cam_record_open_t  *f;

    for (i = o->files; i-- > 0; ) {
        if (memcmp(o->file[i].recording, id, CAM_UUID_LEN) == 0) {
            return &o->file[i];
        }
    }

    f = cam_record_open_add((void **) &o->file, &o->files, &o->file_cap,
                            sizeof(*f));

    if (f != NULL) {
        memcpy(f->recording, id, CAM_UUID_LEN);
    }

    return f;
}


static void *
cam_record_open_add(void **list, size_t *n, size_t *cap, size_t size)
{
    void  *p;

    if (*n == *cap) {
        p = realloc(*list, (*cap * 2 + 64) * size);

        if (p == NULL) {
            return NULL;
        }

        *list = p;
        *cap = *cap * 2 + 64;
    }

    return memset((char *) *list + (*n)++ * size, 0, size);
}


static int
cam_record_open_uuid(uint8_t *uuid, json_t *line, const char *name)
{
    const char  *text;

    text = json_string_value(json_object_get(line, name));

    return text != NULL ? cam_uuid_parse(uuid, text, strlen(text)) : -1;
}


/* the one it names was begun last of its camera, whatever the journal had time
   to say of it */

int
cam_record_open_table(cam_record_opens_t *o, const cam_record_table_t *table,
    unsigned n)
{
    uint8_t              camera[CAM_UUID_LEN];
    uint32_t             slot;
    cam_record_wish_t    wish;
    cam_record_open_t   *f;
    cam_record_state_t   s;

    for (slot = 0; slot < CAM_RECORD_SLOTS; slot++) {

        if (!cam_record_wish_at(table, slot, camera, &wish)
            || cam_record_state_get(table, camera, &s) == -1
            || s.volume != n || s.start_msec == 0)
        {
            continue;
        }

        f = cam_record_open_file(o, s.recording);

        if (f == NULL) {
            return -1;
        }

        if (!f->announced
            && cam_record_path(f->path, camera, s.start_msec, "mp4") == NULL)
        {
            f->ended = 1;
        }

        memcpy(f->camera, camera, CAM_UUID_LEN);
        f->start_msec = s.start_msec;
        f->order = ++o->order;
    }

    return 0;
}


void
cam_record_open_sort(cam_record_opens_t *o)
{
    size_t  i, n;

    for (i = n = 0; i < o->files; i++) {
        if (!o->file[i].ended) {
            o->file[n++] = o->file[i];
        }
    }

    o->files = n;

    if (n > 0) {
        qsort(o->file, n, sizeof(cam_record_open_t), cam_record_open_compare);
    }
}


static int
cam_record_open_compare(const void *one, const void *two)
{
    const cam_record_open_t  *a = one, *b = two;

    return a->order < b->order ? 1 : -1;
}


const cam_record_open_t *
cam_record_open_find(const cam_record_opens_t *o, const char *path)
{
    size_t  i;

    for (i = 0; i < o->files; i++) {
        if (!o->file[i].ended && strcmp(o->file[i].path, path) == 0) {
            return &o->file[i];
        }
    }

    return NULL;
}


const cam_record_open_t *
cam_record_open_sealed(const cam_record_opens_t *o, const char *path)
{
    size_t  i;

    for (i = o->files; i-- > 0; ) {
        if (o->file[i].kid[0] != '\0' && strcmp(o->file[i].path, path) == 0) {
            return &o->file[i];
        }
    }

    return NULL;
}


void
cam_record_open_free(cam_record_opens_t *o)
{
    free(o->file);
    free(o->gap);
    memset(o, 0, sizeof(cam_record_opens_t));
}
