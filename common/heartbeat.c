/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A slot's owner is one word, taken by compare-and-swap when it is empty or
 * its process is no more; so nobody has to clean up after one that was killed.
 * The beat beside it is stored by the owner alone, and has no order with
 * anything: whoever reads it only asks whether it changes.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "heartbeat.h"
#include "shared_file.h"


#define CAM_HEARTBEAT_MAGIC     0x31545248    /* "HRT1" */
#define CAM_HEARTBEAT_PID_BITS  22            /* PID_MAX_LIMIT of Linux */
#define CAM_HEARTBEAT_PID_MAX   ((UINT64_C(1) << CAM_HEARTBEAT_PID_BITS) - 1)
#define CAM_HEARTBEAT_FIELDS    19            /* from a state to a start */


typedef struct {
    uint32_t   magic;
    uint32_t   slots;
    uint8_t    unused[56];
} cam_heartbeat_header_t;


typedef struct {
    cam_heartbeat_header_t   header;
    cam_heartbeat_slot_t     slot[CAM_HEARTBEAT_SLOTS];
} cam_heartbeat_file_t;


struct cam_heartbeat_s {
    cam_heartbeat_file_t  *file;
    uint64_t               owner;
    int                    n;    /* our slot; -1 = none yet */
};


_Static_assert(sizeof(cam_heartbeat_header_t) == 64,
               "layout of shm/heartbeats");
_Static_assert(sizeof(cam_heartbeat_slot_t) == 16, "layout of shm/heartbeats");


static void cam_heartbeat_header(cam_heartbeat_header_t *header);
static int cam_heartbeat_claim(cam_heartbeat_t *hb);
static int cam_heartbeat_is_gone(uint64_t owner);
static int cam_heartbeat_swap(cam_heartbeat_t *hb, int n, uint64_t from,
    uint64_t to);
static ssize_t cam_heartbeat_stat(pid_t pid, char *text, size_t size);
static const char *cam_heartbeat_field(const char *p, unsigned n);


cam_heartbeat_t *
cam_heartbeat_open(const char *shm)
{
    cam_heartbeat_t         *hb;
    cam_shared_file_t        file;
    cam_heartbeat_header_t   header;

    cam_heartbeat_header(&header);

    file.header = &header;
    file.header_len = sizeof(header);
    file.known_len = sizeof(header);
    file.size = sizeof(cam_heartbeat_file_t);

    hb = calloc(1, sizeof(cam_heartbeat_t));
    if (hb == NULL) {
        return NULL;
    }

    hb->n = -1;
    hb->file = cam_shared_file_map(shm, "heartbeats", &file);

    if (hb->file == NULL) {
        free(hb);
        return NULL;
    }

    return hb;
}


static void
cam_heartbeat_header(cam_heartbeat_header_t *header)
{
    memset(header, 0, sizeof(cam_heartbeat_header_t));
    header->magic = CAM_HEARTBEAT_MAGIC;
    header->slots = CAM_HEARTBEAT_SLOTS;
}


void
cam_heartbeat_close(cam_heartbeat_t *hb)
{
    if (hb->n != -1) {
        (void) cam_heartbeat_swap(hb, hb->n, hb->owner, 0);
    }

    munmap(hb->file, sizeof(cam_heartbeat_file_t));
    free(hb);
}


int
cam_heartbeat_beat(cam_heartbeat_t *hb)
{
    cam_heartbeat_slot_t  *slot;

    /* taken from us, perhaps, by one that could not see us in its /proc */

    if (hb->n == -1
        || __atomic_load_n(&hb->file->slot[hb->n].owner, __ATOMIC_RELAXED)
           != hb->owner)
    {
        hb->n = cam_heartbeat_claim(hb);

        if (hb->n == -1) {
            return -1;
        }
    }

    slot = &hb->file->slot[hb->n];
    __atomic_store_n(&slot->beat_msec, (uint64_t) cam_clock_monotonic_msec(),
                     __ATOMIC_RELAXED);

    return 0;
}


static int
cam_heartbeat_claim(cam_heartbeat_t *hb)
{
    int       n;
    uint64_t  owner;

    hb->owner = cam_heartbeat_owner(getpid());

    if (hb->owner == 0) {
        return -1;
    }

    for (n = 0; n < CAM_HEARTBEAT_SLOTS; n++) {
        owner = __atomic_load_n(&hb->file->slot[n].owner, __ATOMIC_RELAXED);

        if ((owner == 0 || cam_heartbeat_is_gone(owner))
            && cam_heartbeat_swap(hb, n, owner, hb->owner))
        {
            return n;
        }
    }

    errno = ENOSPC;
    return -1;
}


static int
cam_heartbeat_is_gone(uint64_t owner)
{
    uint64_t  now;

    now = cam_heartbeat_owner(cam_heartbeat_pid(owner));

    return now != owner && (now != 0 || errno == ESRCH);
}


static int
cam_heartbeat_swap(cam_heartbeat_t *hb, int n, uint64_t from, uint64_t to)
{
    return __atomic_compare_exchange_n(&hb->file->slot[n].owner, &from, to, 0,
                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}


int
cam_heartbeat_read(int shmfd, cam_heartbeat_slot_t slot[CAM_HEARTBEAT_SLOTS])
{
    int                      fd, err;
    ssize_t                  n;
    struct stat              st;
    cam_heartbeat_file_t     file;
    cam_heartbeat_header_t   header;

    fd = openat(shmfd, "heartbeats",
                O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);
    if (fd == -1) {
        return -1;
    }

    n = -1;

    if (fstat(fd, &st) == 0) {
        n = pread(fd, &file, sizeof(file), 0);
    }

    err = errno;
    close(fd);

    if (n == -1) {
        errno = err;
        return -1;
    }

    cam_heartbeat_header(&header);

    if (n != (ssize_t) sizeof(file) || st.st_size != n
        || memcmp(&file.header, &header, sizeof(header)) != 0)
    {
        errno = EPROTO;
        return -1;
    }

    memcpy(slot, file.slot, sizeof(file.slot));

    return 0;
}


/* "PID (NAME) STATE ...", where NAME may be anything; field 22 is the start */

uint64_t
cam_heartbeat_owner(pid_t pid)
{
    char                 text[1024], *end;
    const char          *p;
    unsigned long long   start;

    if (pid <= 0 || (uint64_t) pid > CAM_HEARTBEAT_PID_MAX) {
        errno = ESRCH;
        return 0;
    }

    if (cam_heartbeat_stat(pid, text, sizeof(text)) == -1) {
        return 0;
    }

    p = strrchr(text, ')');

    if (p == NULL || p[1] != ' ') {
        errno = EPROTO;
        return 0;
    }

    p += 2;

    if (*p == 'Z' || *p == 'X') {               /* dead, and not waited for */
        errno = ESRCH;
        return 0;
    }

    p = cam_heartbeat_field(p, CAM_HEARTBEAT_FIELDS);
    start = strtoull(p, &end, 10);

    if (end == p || *end != ' '
        || start >> (64 - CAM_HEARTBEAT_PID_BITS) != 0)
    {
        errno = EPROTO;
        return 0;
    }

    return (uint64_t) start << CAM_HEARTBEAT_PID_BITS | (uint64_t) pid;
}


pid_t
cam_heartbeat_pid(uint64_t owner)
{
    return (pid_t) (owner & CAM_HEARTBEAT_PID_MAX);
}


static ssize_t
cam_heartbeat_stat(pid_t pid, char *text, size_t size)
{
    int      fd, err;
    char     path[32];
    ssize_t  n;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);

    fd = open(path, O_RDONLY|O_CLOEXEC);

    if (fd == -1) {
        if (errno == ENOENT && access("/proc/self/stat", F_OK) == 0) {
            errno = ESRCH;
        }

        return -1;
    }

    n = read(fd, text, size - 1);

    err = errno;                                /* ESRCH: it just ended */
    close(fd);
    errno = err;

    if (n != -1) {
        text[n] = '\0';
    }

    return n;
}


/* the n-th after this one */

static const char *
cam_heartbeat_field(const char *p, unsigned n)
{
    while (n-- && (p = strchr(p, ' ')) != NULL) {
        p++;
    }

    return p != NULL ? p : "";
}
