/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Which recordings a volume has of a camera in a range of time: the names in
 * the directories of its days.  No database, no cache: the names are the truth.
 */

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dir.h"
#include "record_path.h"

#define CAM_RECORD_LIST_STEP  64


typedef struct {
    int64_t             from_msec;
    int64_t             to_msec;
    cam_record_name_t  *name;
    size_t              n;
    size_t              cap;
} cam_record_list_t;


static int cam_record_list_days(int volumefd, const char *path,
    cam_record_list_t *list);
static int cam_record_list_day(int camerafd, const char *day,
    cam_record_list_t *list);
static int cam_record_list_add(cam_record_list_t *list, int64_t start_msec,
    unsigned has);
static int cam_record_list_compare(const void *one, const void *two);
static void cam_record_list_merge(cam_record_list_t *list);


int
cam_record_list(int fd, const uint8_t camera[CAM_UUID_LEN], int64_t from_msec,
    int64_t to_msec, cam_record_name_t **names, size_t *n)
{
    int                err;
    char               path[CAM_RECORD_PATH_MAX];
    cam_record_list_t  list;

    memset(&list, 0, sizeof(cam_record_list_t));
    list.from_msec = from_msec - CAM_RECORD_LENGTH_MAX * INT64_C(1000);
    list.to_msec = to_msec;

    memcpy(path, "media/", 6);
    cam_uuid_print(path + 6, camera);

    if (cam_record_list_days(fd, path, &list) == -1) {
        err = errno;
        free(list.name);
        errno = err;
        return -1;
    }

    cam_record_list_merge(&list);

    *names = list.name;
    *n = list.n;

    return 0;
}


static int
cam_record_list_days(int volumefd, const char *path, cam_record_list_t *list)
{
    int             rc, err;
    DIR            *dir;
    int64_t         day;
    struct dirent  *de;

    dir = cam_dir_open(volumefd, path);

    if (dir == NULL) {
        return errno == ENOENT ? 0 : -1;
    }

    rc = 0;

    while (rc == 0 && (de = readdir(dir)) != NULL) {

        if (cam_record_day_parse(de->d_name, &day) == 0
            && day + CAM_RECORD_DAY_MSEC > list->from_msec
            && day < list->to_msec)
        {
            rc = cam_record_list_day(dirfd(dir), de->d_name, list);
        }
    }

    err = errno;
    closedir(dir);
    errno = err;

    return rc;
}


/* one that is removed meanwhile is no error */

static int
cam_record_list_day(int camerafd, const char *day, cam_record_list_t *list)
{
    int             rc, err;
    DIR            *dir;
    int64_t         start;
    unsigned        has;
    struct dirent  *de;

    dir = cam_dir_open(camerafd, day);

    if (dir == NULL) {
        return errno == ENOENT ? 0 : -1;
    }

    rc = 0;

    while (rc == 0 && (de = readdir(dir)) != NULL) {
        has = cam_record_name_parse(de->d_name, &start);

        if (has != 0 && start >= list->from_msec && start < list->to_msec) {
            rc = cam_record_list_add(list, start, has);
        }
    }

    err = errno;
    closedir(dir);
    errno = err;

    return rc;
}


static int
cam_record_list_add(cam_record_list_t *list, int64_t start_msec, unsigned has)
{
    size_t              cap;
    cam_record_name_t  *p;

    if (list->n == list->cap) {
        cap = list->cap ? list->cap * 2 : CAM_RECORD_LIST_STEP;
        p = realloc(list->name, cap * sizeof(cam_record_name_t));

        if (p == NULL) {
            return -1;
        }

        list->name = p;
        list->cap = cap;
    }

    list->name[list->n].start_msec = start_msec;
    list->name[list->n].has = has;
    list->n++;

    return 0;
}


static int
cam_record_list_compare(const void *one, const void *two)
{
    const cam_record_name_t  *a, *b;

    a = one;
    b = two;

    return (a->start_msec > b->start_msec) - (a->start_msec < b->start_msec);
}


/* the files of one recording are one name */

static void
cam_record_list_merge(cam_record_list_t *list)
{
    size_t  i, n;

    if (list->n == 0) {
        return;
    }

    qsort(list->name, list->n, sizeof(cam_record_name_t),
          cam_record_list_compare);

    for (i = 1, n = 0; i < list->n; i++) {

        if (list->name[i].start_msec == list->name[n].start_msec) {
            list->name[n].has |= list->name[i].has;

        } else {
            list->name[++n] = list->name[i];
        }
    }

    list->n = n + 1;
}
