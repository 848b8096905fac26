/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Names on a volume, a directory for recordings:
 *
 *     volume                                       whose it is
 *     media/{camera}/{YYYY-MM-DD}/{YYYYMMDD}T{HHMMSS}.{mmm}Z.mp4
 *
 * and beside each .mp4 an .idx and, while it must not be removed, a .hold.
 * Times are those of the first frame, in UTC.  Names are made and read here and
 * nowhere else; what does not parse is not ours.
 */

#ifndef CAM_RECORD_PATH_H
#define CAM_RECORD_PATH_H

#include <stddef.h>
#include <stdint.h>

#include "uuid.h"

#define CAM_RECORD_PATH_MAX     96      /* with its NUL */
#define CAM_RECORD_DAY_MSEC     INT64_C(86400000)
#define CAM_RECORD_LENGTH_MAX   86400   /* of a recording, seconds */

/* what a name on disk has */
#define CAM_RECORD_HAS_MEDIA    1
#define CAM_RECORD_HAS_INDEX    2
#define CAM_RECORD_HAS_HOLD     4


typedef struct {
    int64_t     start_msec;
    unsigned    has;
} cam_record_name_t;


/* relative to the volume; suffix is "mp4", "idx" or "hold".  Answers path,
   NULL when start_msec has no four-digit year */
char *cam_record_path(char path[CAM_RECORD_PATH_MAX],
    const uint8_t camera[CAM_UUID_LEN], int64_t start_msec,
    const char *suffix);

/* such a path of any suffix, exactly; 0/-1 */
int cam_record_path_parse(const char *path, uint8_t camera[CAM_UUID_LEN],
    int64_t *start_msec);

/* the last part of it alone; answers CAM_RECORD_HAS_*, or 0 */
unsigned cam_record_name_parse(const char *name, int64_t *start_msec);

/* "media/{camera}/{day}", of the day in which start_msec is; as above */
char *cam_record_day_path(char path[CAM_RECORD_PATH_MAX],
    const uint8_t camera[CAM_UUID_LEN], int64_t start_msec);

/* "YYYY-MM-DD", exactly: its first ms; 0/-1 */
int cam_record_day_parse(const char *name, int64_t *start_msec);

/*
 * The file "volume".  0, or -1: ENOENT there is none, EPROTO it is none of
 * ours; init makes one with a uuid of its own, EEXIST when there is one.
 */
int cam_record_volume_read(int dirfd, uint8_t uuid[CAM_UUID_LEN]);
int cam_record_volume_init(int dirfd, uint8_t uuid[CAM_UUID_LEN]);

/* a UUID of version 7: its first 48 bits are start_msec; 0/-1 */
int cam_record_id(uint8_t id[CAM_UUID_LEN], int64_t start_msec);

/*
 * What a volume has of a camera and begins in [from_msec - a day, to_msec):
 * no recording is longer than a day, so whatever reaches into the range is
 * among them.  Sorted by time; the caller frees *names.  0/-1 with errno; a
 * camera without any is no error.
 */
int cam_record_list(int dirfd, const uint8_t camera[CAM_UUID_LEN],
    int64_t from_msec, int64_t to_msec, cam_record_name_t **names, size_t *n);


#endif /* CAM_RECORD_PATH_H */
