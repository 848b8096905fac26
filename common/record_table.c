/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * An open hash table by the camera's UUID.  Only the jobs role adds keys; a
 * slot whose camera is neither wanted nor recorded is given to another when
 * none is free.  "used" is stored after the key and cleared before it, and a
 * slot once used never ends a chain, so look-ups need no lock.
 *
 * Words are copied by relaxed atomics.  A copy of image v is whole when the
 * count is still v: the writer fills the other image first.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record_table_layout.h"
#include "shared_file.h"

#define CAM_RECORD_TABLE_MAGIC    0x31544352      /* "RCT1" */
#define CAM_RECORD_TABLE_VERSION  1
#define CAM_RECORD_TABLE_FILE     ".records"
#define CAM_RECORD_TABLE_TRIES    64

#define CAM_RECORD_SLOT_FREE      0
#define CAM_RECORD_SLOT_USED      1
#define CAM_RECORD_SLOT_MOVED     2               /* changes its camera */


static void cam_record_table_head(cam_record_table_head_t *head);
static int cam_record_table_map(cam_record_table_t *t, int fd);
static cam_record_slot_t *cam_record_slot(const cam_record_table_t *t,
    const uint8_t *camera);
static cam_record_slot_t *cam_record_slot_new(cam_record_table_t *t,
    const uint8_t *camera);
static int cam_record_slot_idle(const cam_record_slot_t *s);
static uint32_t cam_record_slot_place(const uint64_t *key);
static void cam_record_write(uint64_t *count, uint64_t *images,
    const void *from, size_t words);
static int cam_record_copy(const uint64_t *count, const uint64_t *images,
    void *to, size_t words);


cam_record_table_t *
cam_record_table_open(const char *shm)
{
    char                     path[PATH_MAX];
    struct stat              st;
    cam_shared_file_t        file;
    cam_record_table_t      *t;
    cam_record_table_head_t  head;

    t = calloc(1, sizeof(cam_record_table_t));
    if (t == NULL) {
        return NULL;
    }

    cam_record_table_head(&head);

    file.header = &head;
    file.header_len = sizeof(head);
    file.known_len = offsetof(cam_record_table_head_t, unused);
    file.size = sizeof(cam_record_table_file_t);

    t->file = cam_shared_file_map(shm, "live/" CAM_RECORD_TABLE_FILE, &file);

    if (t->file == NULL) {
        free(t);
        return NULL;
    }

    snprintf(path, sizeof(path), "%s/live/" CAM_RECORD_TABLE_FILE, shm);

    if (stat(path, &st) == 0) {
        t->ino = st.st_ino;
        t->dev = st.st_dev;
    }

    return t;
}


static void
cam_record_table_head(cam_record_table_head_t *head)
{
    memset(head, 0, sizeof(cam_record_table_head_t));

    head->magic = CAM_RECORD_TABLE_MAGIC;
    head->version = CAM_RECORD_TABLE_VERSION;
    head->slots = CAM_RECORD_SLOTS;
    head->slot_size = sizeof(cam_record_slot_t);
}


cam_record_table_t *
cam_record_table_reader_open(int livefd)
{
    int                  fd, err;
    cam_record_table_t  *t;

    fd = openat(livefd, CAM_RECORD_TABLE_FILE,
                O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);
    if (fd == -1) {
        return NULL;
    }

    t = calloc(1, sizeof(cam_record_table_t));

    if (t != NULL && cam_record_table_map(t, fd) == -1) {
        err = errno;
        free(t);
        t = NULL;
        errno = err;
    }

    err = errno;
    close(fd);
    errno = err;

    return t;
}


static int
cam_record_table_map(cam_record_table_t *t, int fd)
{
    void                     *map;
    ssize_t                   n;
    struct stat               st;
    cam_record_table_head_t   head, known;

    cam_record_table_head(&known);
    n = offsetof(cam_record_table_head_t, unused);

    if (fstat(fd, &st) == -1) {
        return -1;
    }

    if (!S_ISREG(st.st_mode)
        || st.st_size != (off_t) sizeof(cam_record_table_file_t)
        || pread(fd, &head, n, 0) != n || memcmp(&head, &known, n) != 0)
    {
        errno = EPROTO;
        return -1;
    }

    map = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        return -1;
    }

    t->file = map;
    t->ino = st.st_ino;
    t->dev = st.st_dev;

    return 0;
}


int
cam_record_table_stale(const cam_record_table_t *t, int livefd)
{
    struct stat  st;

    return fstatat(livefd, CAM_RECORD_TABLE_FILE, &st, AT_SYMLINK_NOFOLLOW)
           == -1
           || st.st_ino != t->ino || st.st_dev != t->dev;
}


void
cam_record_table_close(cam_record_table_t *t)
{
    munmap(t->file, sizeof(cam_record_table_file_t));
    free(t);
}


int
cam_record_wish_set(cam_record_table_t *t, const uint8_t *camera,
    const cam_record_wish_t *wish)
{
    cam_record_slot_t  *s;

    s = cam_record_slot(t, camera);

    if (s == NULL) {
        s = cam_record_slot_new(t, camera);
    }

    if (s == NULL) {
        errno = ENOSPC;
        return -1;
    }

    cam_record_write(&s->wishes, s->wish[0], wish, CAM_RECORD_WISH_WORDS);

    return 0;
}


int
cam_record_wish_get(const cam_record_table_t *t, const uint8_t *camera,
    cam_record_wish_t *wish)
{
    cam_record_slot_t  *s;

    s = cam_record_slot(t, camera);

    if (s == NULL) {
        errno = ENOENT;
        return -1;
    }

    return cam_record_copy(&s->wishes, s->wish[0], wish,
                           CAM_RECORD_WISH_WORDS);
}


int
cam_record_wish_at(const cam_record_table_t *t, uint32_t slot,
    uint8_t *camera, cam_record_wish_t *wish)
{
    uint64_t            key[2];
    cam_record_slot_t  *s;

    s = &t->file->slot[slot % CAM_RECORD_SLOTS];

    if (__atomic_load_n(&s->used, __ATOMIC_ACQUIRE) != CAM_RECORD_SLOT_USED) {
        return 0;
    }

    key[0] = cam_load(&s->camera[0]);
    key[1] = cam_load(&s->camera[1]);
    memcpy(camera, key, CAM_UUID_LEN);

    return cam_record_copy(&s->wishes, s->wish[0], wish,
                           CAM_RECORD_WISH_WORDS) == 0
           && cam_load(&s->used) == CAM_RECORD_SLOT_USED;
}


int
cam_record_state_set(cam_record_table_t *t, const uint8_t *camera,
    const cam_record_state_t *state)
{
    cam_record_slot_t  *s;

    s = cam_record_slot(t, camera);

    if (s == NULL) {
        errno = ENOENT;
        return -1;
    }

    cam_record_write(&s->states, s->state[0], state, CAM_RECORD_STATE_WORDS);

    return 0;
}


int
cam_record_state_get(const cam_record_table_t *t, const uint8_t *camera,
    cam_record_state_t *state)
{
    cam_record_slot_t  *s;

    s = cam_record_slot(t, camera);

    if (s == NULL) {
        errno = ENOENT;
        return -1;
    }

    return cam_record_copy(&s->states, s->state[0], state,
                           CAM_RECORD_STATE_WORDS);
}


/* NULL when it has none */

static cam_record_slot_t *
cam_record_slot(const cam_record_table_t *t, const uint8_t *camera)
{
    uint32_t            i, place;
    uint64_t            key[2], used;
    cam_record_slot_t  *s;

    memcpy(key, camera, CAM_UUID_LEN);
    place = cam_record_slot_place(key);

    for (i = 0; i < CAM_RECORD_SLOTS; i++) {
        s = &t->file->slot[(place + i) % CAM_RECORD_SLOTS];
        used = __atomic_load_n(&s->used, __ATOMIC_ACQUIRE);

        if (used == CAM_RECORD_SLOT_FREE) {
            return NULL;
        }

        if (used == CAM_RECORD_SLOT_USED && cam_load(&s->camera[0]) == key[0]
            && cam_load(&s->camera[1]) == key[1])
        {
            return s;
        }
    }

    return NULL;
}


/* the first that is free, else the first that nobody needs any more */

static cam_record_slot_t *
cam_record_slot_new(cam_record_table_t *t, const uint8_t *camera)
{
    uint32_t            i, place;
    uint64_t            key[2];
    cam_record_slot_t  *s, *idle;

    memcpy(key, camera, CAM_UUID_LEN);
    place = cam_record_slot_place(key);
    idle = NULL;

    for (i = 0; i < CAM_RECORD_SLOTS; i++) {
        s = &t->file->slot[(place + i) % CAM_RECORD_SLOTS];

        if (cam_load(&s->used) == CAM_RECORD_SLOT_FREE) {
            break;
        }

        if (idle == NULL && cam_record_slot_idle(s)) {
            idle = s;
        }
    }

    s = i < CAM_RECORD_SLOTS ? s : idle;

    if (s == NULL) {
        return NULL;
    }

    /* readers pass over it while it is neither the one nor the other */

    __atomic_store_n(&s->used, CAM_RECORD_SLOT_MOVED, __ATOMIC_RELEASE);

    cam_store(&s->camera[0], key[0]);
    cam_store(&s->camera[1], key[1]);
    memset(s->wish, 0, sizeof(s->wish));
    memset(s->state, 0, sizeof(s->state));

    __atomic_store_n(&s->used, CAM_RECORD_SLOT_USED, __ATOMIC_RELEASE);

    return s;
}


static int
cam_record_slot_idle(const cam_record_slot_t *s)
{
    cam_record_wish_t   wish;
    cam_record_state_t  state;

    memset(&wish, 0, sizeof(wish));
    memset(&state, 0, sizeof(state));

    return cam_load(&s->used) == CAM_RECORD_SLOT_MOVED
           || (cam_record_copy(&s->wishes, s->wish[0], &wish,
                               CAM_RECORD_WISH_WORDS) == 0
               && cam_record_copy(&s->states, s->state[0], &state,
                                  CAM_RECORD_STATE_WORDS) == 0
               && !wish.want && state.state == CAM_RECORD_IDLE);
}


static uint32_t
cam_record_slot_place(const uint64_t *key)
{
    return cam_record_mix(key[0] ^ cam_record_mix(key[1])) % CAM_RECORD_SLOTS;
}


/* one writer at a time */

static void
cam_record_write(uint64_t *count, uint64_t *images, const void *from,
    size_t words)
{
    size_t           i;
    uint64_t         next, *image;
    const uint64_t  *word;

    next = cam_load(count) + 1;
    image = images + (next & 1) * words;
    word = from;

    for (i = 0; i < words; i++) {
        cam_store(&image[i], word[i]);
    }

    __atomic_store_n(count, next, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}


static int
cam_record_copy(const uint64_t *count, const uint64_t *images, void *to,
    size_t words)
{
    int              tries;
    size_t           i;
    uint64_t         now, *word;
    const uint64_t  *image;

    word = to;

    for (tries = 0; tries < CAM_RECORD_TABLE_TRIES; tries++) {
        now = __atomic_load_n(count, __ATOMIC_ACQUIRE);
        image = images + (now & 1) * words;

        for (i = 0; i < words; i++) {
            word[i] = cam_load(&image[i]);
        }

        __atomic_thread_fence(__ATOMIC_ACQUIRE);

        if (cam_load(count) == now) {
            return 0;
        }
    }

    errno = EAGAIN;

    return -1;
}
