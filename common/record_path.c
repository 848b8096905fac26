/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Times are computed by timegm() and gmtime_r(), and a name is read by writing
 * the time it says and comparing: one way to write each, and no second one to
 * read it.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "record_path.h"

#define CAM_RECORD_VOLUME        "volume"
#define CAM_RECORD_VOLUME_TMP    ".volume"
#define CAM_RECORD_VOLUME_MAGIC  "camera-volume 1\n"
#define CAM_RECORD_VOLUME_SIZE   (sizeof(CAM_RECORD_VOLUME_MAGIC) - 1       \
                                  + CAM_UUID_TEXT + 1)

#define CAM_RECORD_DAY_LEN       10      /* 2026-11-26 */
#define CAM_RECORD_STEM_LEN      20      /* 20261126T140000.123Z */
#define CAM_RECORD_WALL_MAX      INT64_C(253402300800000)    /* year 10000 */


static char *cam_record_stem(char *stem, int64_t msec);
static char *cam_record_day(char *day, int64_t msec);
static unsigned cam_record_suffix(const char *suffix);
static int cam_record_number(const char *text, int digits);
static int cam_record_volume_write(int dirfd, const char *text);


char *
cam_record_path(char path[CAM_RECORD_PATH_MAX],
    const uint8_t camera[CAM_UUID_LEN], int64_t start_msec,
    const char *suffix)
{
    char    stem[32];
    size_t  n;

    if (cam_record_day_path(path, camera, start_msec) == NULL) {
        return NULL;
    }

    n = strlen(path);
    snprintf(path + n, CAM_RECORD_PATH_MAX - n, "/%s.%s",
             cam_record_stem(stem, start_msec), suffix);

    return path;
}


char *
cam_record_day_path(char path[CAM_RECORD_PATH_MAX],
    const uint8_t camera[CAM_UUID_LEN], int64_t start_msec)
{
    char  day[32], uuid[CAM_UUID_TEXT + 1];

    if (start_msec < 0 || start_msec >= CAM_RECORD_WALL_MAX) {
        return NULL;
    }

    snprintf(path, CAM_RECORD_PATH_MAX, "media/%s/%s",
             cam_uuid_print(uuid, camera), cam_record_day(day, start_msec));

    return path;
}


static char *
cam_record_stem(char *stem, int64_t msec)
{
    time_t     sec;
    struct tm  tm;

    sec = msec / 1000;
    gmtime_r(&sec, &tm);

    snprintf(stem, 32, "%04u%02u%02uT%02u%02u%02u.%03uZ",
             (unsigned) (tm.tm_year + 1900) % 10000,
             (unsigned) (tm.tm_mon + 1) % 100, (unsigned) tm.tm_mday % 100,
             (unsigned) tm.tm_hour % 100, (unsigned) tm.tm_min % 100,
             (unsigned) tm.tm_sec % 100, (unsigned) (msec % 1000));

    return stem;
}


static char *
cam_record_day(char *day, int64_t msec)
{
    time_t     sec;
    struct tm  tm;

    sec = msec / 1000;
    gmtime_r(&sec, &tm);

    snprintf(day, 32, "%04u-%02u-%02u", (unsigned) (tm.tm_year + 1900) % 10000,
             (unsigned) (tm.tm_mon + 1) % 100, (unsigned) tm.tm_mday % 100);

    return day;
}


int
cam_record_path_parse(const char *path, uint8_t camera[CAM_UUID_LEN],
    int64_t *start_msec)
{
    char        again[CAM_RECORD_PATH_MAX];
    const char  *name;

    if (strncmp(path, "media/", 6) != 0
        || strnlen(path, CAM_RECORD_PATH_MAX)
           < 6 + CAM_UUID_TEXT + 1 + CAM_RECORD_DAY_LEN + 1
        || cam_uuid_parse(camera, path + 6, CAM_UUID_TEXT) == -1)
    {
        return -1;
    }

    name = path + 6 + CAM_UUID_TEXT + 1 + CAM_RECORD_DAY_LEN + 1;

    if (cam_record_name_parse(name, start_msec) == 0
        || cam_record_path(again, camera, *start_msec,
                           name + CAM_RECORD_STEM_LEN + 1) == NULL
        || strcmp(again, path) != 0)
    {
        return -1;
    }

    return 0;
}


unsigned
cam_record_name_parse(const char *name, int64_t *start_msec)
{
    int        msec;
    char       again[32];
    time_t     sec;
    unsigned   has;
    struct tm  tm;

    if (strnlen(name, CAM_RECORD_STEM_LEN + 1) <= CAM_RECORD_STEM_LEN
        || name[CAM_RECORD_STEM_LEN] != '.')
    {
        return 0;
    }

    has = cam_record_suffix(name + CAM_RECORD_STEM_LEN + 1);

    memset(&tm, 0, sizeof(struct tm));
    tm.tm_year = cam_record_number(name, 4) - 1900;
    tm.tm_mon = cam_record_number(name + 4, 2) - 1;
    tm.tm_mday = cam_record_number(name + 6, 2);
    tm.tm_hour = cam_record_number(name + 9, 2);
    tm.tm_min = cam_record_number(name + 11, 2);
    tm.tm_sec = cam_record_number(name + 13, 2);
    msec = cam_record_number(name + 16, 3);

    sec = timegm(&tm);

    if (has == 0 || msec == -1 || sec < 0
        || sec >= CAM_RECORD_WALL_MAX / 1000)
    {
        return 0;
    }

    *start_msec = (int64_t) sec * 1000 + msec;

    return strncmp(cam_record_stem(again, *start_msec), name,
                   CAM_RECORD_STEM_LEN) == 0 ? has : 0;
}


static unsigned
cam_record_suffix(const char *suffix)
{
    if (strcmp(suffix, "mp4") == 0) {
        return CAM_RECORD_HAS_MEDIA;
    }

    if (strcmp(suffix, "idx") == 0) {
        return CAM_RECORD_HAS_INDEX;
    }

    return strcmp(suffix, "hold") == 0 ? CAM_RECORD_HAS_HOLD : 0;
}


static int
cam_record_number(const char *text, int digits)
{
    int  n;

    for (n = 0; digits; text++, digits--) {

        if (*text < '0' || *text > '9') {
            return -1;
        }

        n = n * 10 + *text - '0';
    }

    return n;
}


int
cam_record_day_parse(const char *name, int64_t *start_msec)
{
    char       again[32];
    time_t     sec;
    struct tm  tm;

    if (strnlen(name, CAM_RECORD_DAY_LEN + 1) != CAM_RECORD_DAY_LEN) {
        return -1;
    }

    memset(&tm, 0, sizeof(struct tm));
    tm.tm_year = cam_record_number(name, 4) - 1900;
    tm.tm_mon = cam_record_number(name + 5, 2) - 1;
    tm.tm_mday = cam_record_number(name + 8, 2);

    sec = timegm(&tm);

    if (sec < 0 || sec >= CAM_RECORD_WALL_MAX / 1000) {
        return -1;
    }

    *start_msec = (int64_t) sec * 1000;

    return strcmp(cam_record_day(again, *start_msec), name) == 0 ? 0 : -1;
}


int
cam_record_volume_read(int dirfd, uint8_t uuid[CAM_UUID_LEN])
{
    int      fd;
    char     text[CAM_RECORD_VOLUME_SIZE + 1];
    ssize_t  n;

    fd = openat(dirfd, CAM_RECORD_VOLUME,
                O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);
    if (fd == -1) {
        return -1;
    }

    n = read(fd, text, sizeof(text));
    close(fd);

    if (n == -1) {
        return -1;
    }

    if (n != (ssize_t) CAM_RECORD_VOLUME_SIZE
        || memcmp(text, CAM_RECORD_VOLUME_MAGIC,
                  sizeof(CAM_RECORD_VOLUME_MAGIC) - 1) != 0
        || text[n - 1] != '\n'
        || cam_uuid_parse(uuid, text + n - 1 - CAM_UUID_TEXT,
                          CAM_UUID_TEXT) == -1)
    {
        errno = EPROTO;
        return -1;
    }

    return 0;
}


/* it appears whole, and outlives a loss of power from then on */

int
cam_record_volume_init(int dirfd, uint8_t uuid[CAM_UUID_LEN])
{
    int   rc, err;
    char  text[CAM_RECORD_VOLUME_SIZE + 1], name[CAM_UUID_TEXT + 1];

    if (getrandom(uuid, CAM_UUID_LEN, 0) != CAM_UUID_LEN) {
        return -1;
    }

    uuid[6] = (uint8_t) ((uuid[6] & 0x0f) | 0x40);
    uuid[8] = (uint8_t) ((uuid[8] & 0x3f) | 0x80);

    snprintf(text, sizeof(text), "%s%s\n", CAM_RECORD_VOLUME_MAGIC,
             cam_uuid_print(name, uuid));

    rc = cam_record_volume_write(dirfd, text);

    if (rc == 0) {
        rc = linkat(dirfd, CAM_RECORD_VOLUME_TMP, dirfd, CAM_RECORD_VOLUME, 0);
    }

    err = errno;
    (void) unlinkat(dirfd, CAM_RECORD_VOLUME_TMP, 0);

    if (rc == 0) {
        rc = fsync(dirfd);
        err = errno;
    }

    errno = err;

    return rc;
}


static int
cam_record_volume_write(int dirfd, const char *text)
{
    int      fd, rc, err;
    ssize_t  n;

    fd = openat(dirfd, CAM_RECORD_VOLUME_TMP,
                O_WRONLY|O_CREAT|O_TRUNC|O_NOFOLLOW|O_CLOEXEC, 0640);
    if (fd == -1) {
        return -1;
    }

    n = write(fd, text, CAM_RECORD_VOLUME_SIZE);

    if (n >= 0 && n != (ssize_t) CAM_RECORD_VOLUME_SIZE) {
        errno = ENOSPC;
    }

    rc = n == (ssize_t) CAM_RECORD_VOLUME_SIZE ? fsync(fd) : -1;

    err = errno;
    close(fd);
    errno = err;

    return rc;
}


int
cam_record_id(uint8_t id[CAM_UUID_LEN], int64_t start_msec)
{
    int  i;

    if (getrandom(id, CAM_UUID_LEN, 0) != CAM_UUID_LEN) {
        return -1;
    }

    for (i = 0; i < 6; i++) {
        id[i] = (uint8_t) (start_msec >> (40 - 8 * i));
    }

    id[6] = (uint8_t) ((id[6] & 0x0f) | 0x70);
    id[8] = (uint8_t) ((id[8] & 0x3f) | 0x80);

    return 0;
}
