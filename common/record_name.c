/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Places of samples are counted from the first byte of their moof, so they grow
 * by what comes in between.
 */

#include <stddef.h>
#include <string.h>

#include "record_media.h"
#include "record_name.h"

#define CAM_NAME_BOX       8
#define CAM_NAME_MAGIC     "CAMF"

/* of tfhd and trun, ISO/IEC 14496-12 */
#define CAM_NAME_BASE      0x01
#define CAM_NAME_OFFSET    0x01


/* of the box; the crc is the last word */
typedef struct {
    uint8_t     size[4];
    char        type[4];
    char        magic[4];
    uint8_t     wall_msec[8];
    uint8_t     msn[8];
    uint8_t     duration_usec[4];
    uint8_t     part[2];
    uint8_t     flags[2];
    uint8_t     live_time[4];
    uint8_t     crc[4];
} cam_name_t;

_Static_assert(sizeof(cam_name_t) == CAM_RECORD_NAME_SIZE, "no padding");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "bytes as they are");


static cam_name_t *cam_name_of(const uint8_t *moof, size_t size);
static int cam_name_moof(uint8_t *data, size_t size, int by, int move);
static int cam_name_traf(uint8_t *data, size_t size, int by, int move);
static int cam_name_trun(uint8_t *data, size_t size, int first, int by,
    int move);
static size_t cam_name_next(const uint8_t *data, size_t size, char type[5]);
static uint32_t cam_name_crc(const cam_name_t *name);
static uint32_t cam_name_get(const uint8_t *p);
static void cam_name_put(uint8_t *p, uint32_t value);


int
cam_record_name_room(uint8_t *data, size_t size)
{
    char         type[5];
    size_t       moof, media;
    cam_name_t  *name;

    moof = cam_name_next(data, size, type);

    if (moof == 0 || strcmp(type, "moof") != 0) {
        return -1;
    }

    media = cam_name_next(data + moof, size - moof, type);

    if (moof + media != size || strcmp(type, "mdat") != 0
        || moof > INT32_MAX - CAM_RECORD_NAME_SIZE
        || cam_name_moof(data, moof, CAM_RECORD_NAME_SIZE, 0) == -1)
    {
        return -1;
    }

    (void) cam_name_moof(data, moof, CAM_RECORD_NAME_SIZE, 1);

    memmove(data + moof + CAM_RECORD_NAME_SIZE, data + moof, media);
    cam_name_put(data, (uint32_t) moof + CAM_RECORD_NAME_SIZE);

    name = (cam_name_t *) (data + moof);
    memset(name, 0, sizeof(cam_name_t));
    cam_name_put(name->size, CAM_RECORD_NAME_SIZE);
    memcpy(name->type, "free", 4);
    memcpy(name->magic, CAM_NAME_MAGIC, 4);

    return 0;
}


int
cam_record_name_remove(uint8_t *data, size_t size)
{
    char    type[5];
    size_t  moof;

    moof = cam_name_next(data, size, type);

    if (cam_name_of(data, moof) == NULL
        || cam_name_moof(data, moof, -CAM_RECORD_NAME_SIZE, 0) == -1)
    {
        return -1;
    }

    (void) cam_name_moof(data, moof, -CAM_RECORD_NAME_SIZE, 1);

    cam_name_put(data, (uint32_t) moof - CAM_RECORD_NAME_SIZE);
    memmove(data + moof - CAM_RECORD_NAME_SIZE, data + moof, size - moof);

    return 0;
}


/* looks whether all of its places can be moved, or moves them */

static int
cam_name_moof(uint8_t *data, size_t size, int by, int move)
{
    char    type[5];
    size_t  at, box;

    for (at = CAM_NAME_BOX; at < size; at += box) {
        box = cam_name_next(data + at, size - at, type);

        if (box == 0
            || (strcmp(type, "traf") == 0
                && cam_name_traf(data + at, box, by, move) == -1))
        {
            return -1;
        }
    }

    return 0;
}


static int
cam_name_traf(uint8_t *data, size_t size, int by, int move)
{
    int     first;
    char    type[5];
    size_t  at, box;

    first = 1;

    for (at = CAM_NAME_BOX; at < size; at += box) {
        box = cam_name_next(data + at, size - at, type);

        if (box == 0) {
            return -1;
        }

        if (strcmp(type, "tfhd") == 0
            && (box < CAM_NAME_BOX + 4
                || data[at + CAM_NAME_BOX + 3] & CAM_NAME_BASE))
        {
            return -1;
        }

        if (strcmp(type, "trun") == 0) {

            if (cam_name_trun(data + at, box, first, by, move) == -1) {
                return -1;
            }

            first = 0;
        }
    }

    return 0;
}


/* one without a place goes on where the one before ended */

static int
cam_name_trun(uint8_t *data, size_t size, int first, int by, int move)
{
    int64_t   offset;
    uint8_t  *place;

    if (size < CAM_NAME_BOX + 8) {
        return -1;
    }

    if (!(data[CAM_NAME_BOX + 3] & CAM_NAME_OFFSET)) {
        return first ? -1 : 0;
    }

    if (size < CAM_NAME_BOX + 12) {
        return -1;
    }

    place = data + CAM_NAME_BOX + 8;
    offset = (int64_t) cam_name_get(place) + by;

    if (offset < 0 || offset > INT32_MAX) {
        return -1;
    }

    if (move) {
        cam_name_put(place, (uint32_t) offset);
    }

    return 0;
}


int
cam_record_name_write(uint8_t *data, size_t size,
    const cam_record_fragment_t *f)
{
    char         type[5];
    size_t       moof;
    uint32_t     crc;
    cam_name_t  *name;

    moof = cam_name_next(data, size, type);
    name = cam_name_of(data, moof);

    if (name == NULL) {
        return -1;
    }

    memcpy(name->wall_msec, &f->wall_msec, 8);
    memcpy(name->msn, &f->msn, 8);
    memcpy(name->duration_usec, &f->duration_usec, 4);
    memcpy(name->part, &f->part, 2);
    memcpy(name->flags, &f->flags, 2);
    memcpy(name->live_time, &f->live_time, 4);

    crc = cam_name_crc(name);
    memcpy(name->crc, &crc, 4);

    return 0;
}


int
cam_record_name_read(const uint8_t *moof, size_t size,
    cam_record_fragment_t *f)
{
    uint32_t           crc;
    const cam_name_t  *name;

    name = cam_name_of(moof, size);

    if (name == NULL) {
        return -1;
    }

    memcpy(&crc, name->crc, 4);

    if (crc != cam_name_crc(name)) {
        return -1;
    }

    memcpy(&f->wall_msec, name->wall_msec, 8);
    memcpy(&f->msn, name->msn, 8);
    memcpy(&f->duration_usec, name->duration_usec, 4);
    memcpy(&f->part, name->part, 2);
    memcpy(&f->flags, name->flags, 2);
    memcpy(&f->live_time, name->live_time, 4);

    return 0;
}


/* at the end of the moof, or NULL */

static cam_name_t *
cam_name_of(const uint8_t *moof, size_t size)
{
    cam_name_t  *name;

    if (size < CAM_NAME_BOX + CAM_RECORD_NAME_SIZE) {
        return NULL;
    }

    name = (cam_name_t *) (moof + size - CAM_RECORD_NAME_SIZE);

    return cam_name_get(name->size) == CAM_RECORD_NAME_SIZE
           && memcmp(name->type, "free" CAM_NAME_MAGIC, 8) == 0 ? name : NULL;
}


/* the size of the whole box at data, or 0 */

static size_t
cam_name_next(const uint8_t *data, size_t size, char type[5])
{
    uint64_t  box;

    return cam_record_box(data, size, type, &box) == 0 && box <= size
           ? (size_t) box : 0;
}


static uint32_t
cam_name_crc(const cam_name_t *name)
{
    size_t  first;

    first = offsetof(cam_name_t, wall_msec);

    return cam_record_crc((const uint8_t *) name + first,
                          offsetof(cam_name_t, crc) - first);
}


static uint32_t
cam_name_get(const uint8_t *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
           | (uint32_t) p[2] << 8 | p[3];
}


static void
cam_name_put(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t) (value >> 24);
    p[1] = (uint8_t) (value >> 16);
    p[2] = (uint8_t) (value >> 8);
    p[3] = (uint8_t) value;
}
