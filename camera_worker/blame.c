/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The page is anonymous shared memory: it dies with the master, and a new
 * master starts without a grudge.  Children write their own record only.
 */

#include <string.h>
#include <sys/mman.h>

#include "blame.h"

#define CW_BLAME_CRASHES      3
#define CW_BLAME_WITHIN_MSEC  60000
#define CW_BLAME_SHUT_MSEC    600000
#define CW_BLAME_RECORDS      64


typedef struct {
    uint32_t             busy;
    uint8_t              camera[CAM_UUID_LEN];
    uint64_t             generation;
    int64_t              alive_msec;
} cw_blame_child_t;


/* free when its last crash is old and it is not shut out */
typedef struct {
    uint8_t              camera[CAM_UUID_LEN];
    uint64_t             generation;        /* at the last crash */
    int64_t              crash_msec[CW_BLAME_CRASHES];   /* newest first */
    int64_t              shut_msec;         /* until then at least, 0 = not */
} cw_blame_record_t;


struct cw_blame_s {
    cw_blame_child_t     child[CW_CHILDREN_MAX];
    cw_blame_record_t    record[CW_BLAME_RECORDS];
};


static cw_blame_record_t *cw_blame_record(cw_blame_t *blame,
    const uint8_t *camera);


cw_blame_t *
cw_blame_create(void)
{
    void  *p;

    p = mmap(NULL, sizeof(cw_blame_t), PROT_READ|PROT_WRITE,
             MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}


void
cw_blame_forget(cw_blame_t *blame)
{
    (void) munmap(blame, sizeof(cw_blame_t));
}


void
cw_blame_begin(cw_blame_t *blame, int child, const uint8_t *camera,
    uint64_t generation)
{
    cw_blame_child_t  *c;

    c = &blame->child[child];

    memcpy(c->camera, camera, CAM_UUID_LEN);
    c->generation = generation;
    __atomic_store_n(&c->busy, 1, __ATOMIC_RELEASE);
}


void
cw_blame_end(cw_blame_t *blame, int child)
{
    __atomic_store_n(&blame->child[child].busy, 0, __ATOMIC_RELEASE);
}


void
cw_blame_alive(cw_blame_t *blame, int child, int64_t now_msec)
{
    __atomic_store_n(&blame->child[child].alive_msec, now_msec,
                     __ATOMIC_RELAXED);
}


int64_t
cw_blame_last_alive(const cw_blame_t *blame, int child)
{
    return __atomic_load_n(&blame->child[child].alive_msec, __ATOMIC_RELAXED);
}


int
cw_blame_settle(cw_blame_t *blame, int child, int64_t now_msec,
    uint8_t *camera)
{
    cw_blame_child_t   *c;
    cw_blame_record_t  *r;

    c = &blame->child[child];

    if (__atomic_exchange_n(&c->busy, 0, __ATOMIC_ACQUIRE) == 0) {
        return CW_BLAME_NOBODY;
    }

    memcpy(camera, c->camera, CAM_UUID_LEN);

    r = cw_blame_record(blame, camera);

    memmove(&r->crash_msec[1], &r->crash_msec[0],
            (CW_BLAME_CRASHES - 1) * sizeof(int64_t));
    r->crash_msec[0] = now_msec;
    r->generation = c->generation;

    if (r->crash_msec[CW_BLAME_CRASHES - 1] == 0
        || now_msec - r->crash_msec[CW_BLAME_CRASHES - 1]
           > CW_BLAME_WITHIN_MSEC)
    {
        return CW_BLAME_CAMERA;
    }

    __atomic_store_n(&r->shut_msec, now_msec + CW_BLAME_SHUT_MSEC,
                     __ATOMIC_RELEASE);

    return CW_BLAME_QUARANTINE;
}


/* the camera's record, or the one whose last crash is oldest, emptied */

static cw_blame_record_t *
cw_blame_record(cw_blame_t *blame, const uint8_t *camera)
{
    int                 i;
    cw_blame_record_t  *r, *oldest;

    oldest = &blame->record[0];

    for (i = 0; i < CW_BLAME_RECORDS; i++) {
        r = &blame->record[i];

        if (r->crash_msec[0] != 0
            && memcmp(r->camera, camera, CAM_UUID_LEN) == 0)
        {
            return r;
        }

        if (r->crash_msec[0] < oldest->crash_msec[0]) {
            oldest = r;
        }
    }

    memset(oldest, 0, sizeof(cw_blame_record_t));
    memcpy(oldest->camera, camera, CAM_UUID_LEN);

    return oldest;
}


int
cw_blame_quarantined(cw_blame_t *blame, const uint8_t *camera,
    uint64_t generation, int64_t now_msec)
{
    int                 i;
    int64_t             shut;
    cw_blame_record_t  *r;

    for (i = 0; i < CW_BLAME_RECORDS; i++) {
        r = &blame->record[i];
        shut = __atomic_load_n(&r->shut_msec, __ATOMIC_ACQUIRE);

        if (shut == 0 || memcmp(r->camera, camera, CAM_UUID_LEN) != 0) {
            continue;
        }

        if (now_msec < shut || generation == r->generation) {
            return 1;
        }

        __atomic_store_n(&r->shut_msec, 0, __ATOMIC_RELEASE);

        return 0;
    }

    return 0;
}


int
cw_blame_crashes(const cw_blame_t *blame, const uint8_t *camera,
    int64_t now_msec)
{
    int                       i, n;
    const cw_blame_record_t  *r;

    for (i = 0; i < CW_BLAME_RECORDS; i++) {
        r = &blame->record[i];

        if (memcmp(r->camera, camera, CAM_UUID_LEN) != 0) {
            continue;
        }

        for (n = 0; n < CW_BLAME_CRASHES; n++) {
            if (r->crash_msec[n] == 0
                || now_msec - r->crash_msec[n] > CW_BLAME_WITHIN_MSEC)
            {
                break;
            }
        }

        return n;
    }

    return 0;
}


int
cw_blame_shut(const cw_blame_t *blame, int *n, uint8_t *camera)
{
    const cw_blame_record_t  *r;

    while (*n < CW_BLAME_RECORDS) {
        r = &blame->record[(*n)++];

        if (__atomic_load_n(&r->shut_msec, __ATOMIC_ACQUIRE) != 0) {
            memcpy(camera, r->camera, CAM_UUID_LEN);
            return 1;
        }
    }

    return 0;
}
