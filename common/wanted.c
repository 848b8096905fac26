/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A wish is one word, the monotonic time until which it is in force, and is
 * only ever pushed forward.  The header holds the furthest of each kind, so
 * that a reader without work looks at one word, and counts wishes that are
 * new: on that count it sleeps, by a futex, which works over a mapping that is
 * read-only and between processes that know nothing of each other.
 *
 * A time much further ahead than any wish reaches is nonsense, from another
 * boot perhaps: it counts as none, and the next wish takes its place.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "shared_file.h"
#include "wanted.h"


#define CAM_WANTED_MAGIC      0x31544e57      /* "WNT1" */
#define CAM_WANTED_VERSION    1
#define CAM_WANTED_WORDS      16              /* of a slot, spare ones too */
#define CAM_WANTED_SLOTS_MAX  100000
#define CAM_WANTED_FRESH      100             /* ms left: counts as new */
#define CAM_WANTED_NONSENSE   (2 * CAM_WANTED_MAX_MSEC)

#define cam_load(p)           __atomic_load_n(p, __ATOMIC_RELAXED)


typedef struct {
    uint32_t   magic;
    uint32_t   version;
    uint32_t   slots;
    uint32_t   words;
    uint32_t   news;             /* wishes so far that were new; the futex */
    uint8_t    unused[44];
    uint64_t   until[CAM_WANTED_WORDS];       /* the furthest of all slots */
} cam_wanted_header_t;


typedef struct {
    uint64_t   until[CAM_WANTED_WORDS];       /* monotonic ms, by kind */
} cam_wanted_slot_t;


struct cam_wanted_s {
    cam_wanted_header_t  *header;
    cam_wanted_slot_t    *slot;
    uint32_t              slots;
    size_t                size;
    ino_t                 ino;   /* of a reader's file */
    dev_t                 dev;
};


_Static_assert(sizeof(cam_wanted_header_t) == 192, "layout of shm/wanted");
_Static_assert(sizeof(cam_wanted_slot_t) == 128, "layout of shm/wanted");
_Static_assert(CAM_WANTED_KINDS <= CAM_WANTED_WORDS, "layout of shm/wanted");


static void cam_wanted_header(cam_wanted_header_t *header, uint32_t slots);
static size_t cam_wanted_size(uint32_t slots);
static int cam_wanted_map(cam_wanted_t *w, int fd);
static int cam_wanted_raise(uint64_t *word, uint64_t now, uint64_t until);
static int cam_wanted_in_force(uint64_t until, uint64_t now);


cam_wanted_t *
cam_wanted_open(const char *shm, uint32_t slots)
{
    cam_wanted_t        *w;
    cam_shared_file_t    file;
    cam_wanted_header_t  header;

    if (slots == 0 || slots > CAM_WANTED_SLOTS_MAX) {
        errno = EINVAL;
        return NULL;
    }

    w = calloc(1, sizeof(cam_wanted_t));
    if (w == NULL) {
        return NULL;
    }

    cam_wanted_header(&header, slots);

    file.header = &header;
    file.header_len = sizeof(header);
    file.known_len = offsetof(cam_wanted_header_t, news);
    file.size = cam_wanted_size(slots);

    w->header = cam_shared_file_map(shm, "wanted", &file);

    if (w->header == NULL) {
        free(w);
        return NULL;
    }

    w->slot = (cam_wanted_slot_t *) (w->header + 1);
    w->slots = slots;
    w->size = file.size;

    return w;
}


static void
cam_wanted_header(cam_wanted_header_t *header, uint32_t slots)
{
    memset(header, 0, sizeof(cam_wanted_header_t));

    header->magic = CAM_WANTED_MAGIC;
    header->version = CAM_WANTED_VERSION;
    header->slots = slots;
    header->words = CAM_WANTED_WORDS;
}


static size_t
cam_wanted_size(uint32_t slots)
{
    return sizeof(cam_wanted_header_t) + slots * sizeof(cam_wanted_slot_t);
}


void
cam_wanted_push(cam_wanted_t *w, uint32_t slot, cam_wanted_e kind,
    int64_t now_msec, unsigned msec)
{
    int       new;
    uint64_t  until;

    if (slot >= w->slots || kind >= CAM_WANTED_KINDS) {
        return;
    }

    if (msec > CAM_WANTED_MAX_MSEC) {
        msec = CAM_WANTED_MAX_MSEC;
    }

    until = (uint64_t) now_msec + msec;

    new = cam_wanted_raise(&w->slot[slot].until[kind], now_msec, until);
    (void) cam_wanted_raise(&w->header->until[kind], now_msec, until);

    if (new) {
        __atomic_fetch_add(&w->header->news, 1, __ATOMIC_RELEASE);
        (void) syscall(SYS_futex, &w->header->news, FUTEX_WAKE, INT_MAX, NULL,
                       NULL, 0);
    }
}


/* 1 when it was not in force, or soon would not have been any more */

static int
cam_wanted_raise(uint64_t *word, uint64_t now, uint64_t until)
{
    uint64_t  old;

    old = cam_load(word);

    while (old < until || old > now + CAM_WANTED_NONSENSE) {

        if (__atomic_compare_exchange_n(word, &old, until, 0,
                                        __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        {
            break;
        }
    }

    return old <= now + CAM_WANTED_FRESH || old > now + CAM_WANTED_NONSENSE;
}


cam_wanted_t *
cam_wanted_reader_open(int shmfd)
{
    int            fd, err;
    cam_wanted_t  *w;

    fd = openat(shmfd, "wanted", O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);
    if (fd == -1) {
        return NULL;
    }

    w = calloc(1, sizeof(cam_wanted_t));

    if (w != NULL && cam_wanted_map(w, fd) == -1) {
        err = errno;
        free(w);
        w = NULL;
        errno = err;
    }

    err = errno;
    close(fd);
    errno = err;

    return w;
}


static int
cam_wanted_map(cam_wanted_t *w, int fd)
{
    void                 *map;
    struct stat           st;
    cam_wanted_header_t   header, known;

    if (fstat(fd, &st) == -1) {
        return -1;
    }

    if (!S_ISREG(st.st_mode)
        || pread(fd, &header, sizeof(header), 0) != (ssize_t) sizeof(header))
    {
        errno = EPROTO;
        return -1;
    }

    cam_wanted_header(&known, header.slots);

    if (memcmp(&header, &known, offsetof(cam_wanted_header_t, news)) != 0
        || header.slots == 0 || header.slots > CAM_WANTED_SLOTS_MAX
        || st.st_size != (off_t) cam_wanted_size(header.slots))
    {
        errno = EPROTO;
        return -1;
    }

    map = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        return -1;
    }

    w->header = map;
    w->slot = (cam_wanted_slot_t *) (w->header + 1);
    w->slots = header.slots;
    w->size = st.st_size;
    w->ino = st.st_ino;
    w->dev = st.st_dev;

    return 0;
}


int
cam_wanted_stale(const cam_wanted_t *w, int shmfd)
{
    struct stat  st;

    return fstatat(shmfd, "wanted", &st, AT_SYMLINK_NOFOLLOW) == -1
           || st.st_ino != w->ino || st.st_dev != w->dev;
}


void
cam_wanted_close(cam_wanted_t *w)
{
    munmap(w->header, w->size);
    free(w);
}


uint32_t
cam_wanted_slots(const cam_wanted_t *w)
{
    return w->slots;
}


int
cam_wanted_is(const cam_wanted_t *w, uint32_t slot, cam_wanted_e kind,
    int64_t now_msec)
{
    return slot < w->slots && kind < CAM_WANTED_KINDS
           && cam_wanted_in_force(cam_load(&w->slot[slot].until[kind]),
                                  now_msec);
}


int
cam_wanted_any(const cam_wanted_t *w, cam_wanted_e kind, int64_t now_msec)
{
    return kind < CAM_WANTED_KINDS
           && cam_wanted_in_force(cam_load(&w->header->until[kind]),
                                  now_msec);
}


static int
cam_wanted_in_force(uint64_t until, uint64_t now)
{
    return until > now && until <= now + CAM_WANTED_NONSENSE;
}


uint32_t
cam_wanted_news(const cam_wanted_t *w)
{
    return __atomic_load_n(&w->header->news, __ATOMIC_ACQUIRE);
}


void
cam_wanted_wait(const cam_wanted_t *w, uint32_t news, unsigned msec)
{
    struct timespec  ts;

    ts.tv_sec = msec / 1000;
    ts.tv_nsec = msec % 1000 * 1000000;

    (void) syscall(SYS_futex, &w->header->news, FUTEX_WAIT, news, &ts, NULL,
                   0);
}
