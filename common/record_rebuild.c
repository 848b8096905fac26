/*
 * Copyright (C) The nginx camera platform authors
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE                  /* memmem() */
#endif

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record_cipher.h"
#include "record_media.h"
#include "record_name.h"
#include "record_rebuild.h"

#define CAM_REBUILD_INIT   (1u << 20)
#define CAM_REBUILD_MAX    (256u << 20)      /* bytes of a fragment */


typedef struct {
    cam_record_rebuild_t  *r;
    uint8_t               *init;
    cam_record_tracks_t    tracks;
    uint8_t               *buf;
    size_t                 cap;
    off_t                  at;
    int64_t                shift_msec;    /* wall clock less time in the file */
    uint64_t               msn;
    uint16_t               part;
} cam_rebuild_t;


static off_t cam_rebuild_first(int fd);
static int cam_rebuild_box(int fd, off_t at, const char *type,
    uint64_t *size);
static int cam_rebuild_init(cam_rebuild_t *b);
static void cam_rebuild_codecs(const uint8_t *init, size_t size,
    const cam_record_tracks_t *tracks, cam_record_head_t *head);
static int cam_rebuild_fragments(cam_rebuild_t *b);
static ssize_t cam_rebuild_read(cam_rebuild_t *b, size_t *moof);
static int cam_rebuild_entry(cam_rebuild_t *b, size_t size, size_t moof);
static int cam_rebuild_says(cam_rebuild_t *b, size_t moof,
    cam_record_fragment_t *f);


int
cam_record_rebuild_sealed(int media_fd)
{
    off_t     at;
    uint64_t  moof, media;

    at = cam_rebuild_first(media_fd);

    return at > 0
           && cam_rebuild_box(media_fd, at, "moof", &moof) == 0
           && cam_rebuild_box(media_fd, at + (off_t) moof, CAM_RECORD_SEALED,
                              &media) == 0;
}


int
cam_record_rebuild_key(cam_record_head_t *head, const cam_keys_t *keys,
    const cam_record_sealed_t *sealed, unsigned n)
{
    int                         refused;
    unsigned                    i;
    cam_record_head_t           h;
    cam_record_cipher_t        *cipher;
    const cam_record_sealed_t  *other;

    other = NULL;
    refused = 0;

    for (i = 0; i < n; i++) {

        if (sealed[i].kid[0] == '\0') {
            continue;
        }

        h = *head;
        h.cipher = CAM_RECORD_AES_CTR;
        memcpy(h.recording, sealed[i].recording, CAM_UUID_LEN);
        memcpy(h.kid, sealed[i].kid, CAM_KID_MAX);
        memcpy(h.wrapped, sealed[i].wrapped, CAM_RECORD_WRAPPED);

        cipher = keys ? cam_record_cipher_open(&h, keys) : NULL;

        if (cipher != NULL) {
            cam_record_cipher_free(cipher);
            *head = h;
            return 0;
        }

        if (keys != NULL && errno != ENOKEY) {
            refused = 1;

        } else if (other == NULL) {
            other = &sealed[i];
        }
    }

    if (other == NULL) {
        errno = refused ? EBADMSG : ENOENT;
        return -1;
    }

    head->cipher = CAM_RECORD_AES_CTR;
    memcpy(head->recording, other->recording, CAM_UUID_LEN);
    memcpy(head->kid, other->kid, CAM_KID_MAX);
    memcpy(head->wrapped, other->wrapped, CAM_RECORD_WRAPPED);

    return 0;
}


int
cam_record_rebuild(cam_record_rebuild_t *r)
{
    int            rc;
    cam_rebuild_t  b;

    memset(&b, 0, sizeof(cam_rebuild_t));
    b.r = r;
    b.shift_msec = r->head.start_msec;
    r->fragments = 0;

    rc = cam_rebuild_init(&b) == -1
         || cam_record_head_write(r->index_fd, &r->head) == -1
         || cam_rebuild_fragments(&b) == -1 ? -1 : 0;

    free(b.init);
    free(b.buf);

    if (rc == 0 && r->fragments == 0) {
        errno = ENODATA;
        rc = -1;
    }

    return rc;
}


/* where fragments begin: whatever stands before them */

static off_t
cam_rebuild_first(int fd)
{
    off_t     size;
    uint64_t  box;

    for (size = 0; cam_rebuild_box(fd, size, NULL, &box) == 0; size += box) {

        if (cam_rebuild_box(fd, size, "moof", &box) == 0) {
            break;
        }

        if (size + (off_t) box > CAM_REBUILD_INIT) {
            return -1;
        }
    }

    return size;
}


/* of that type, or, with none, of any */

static int
cam_rebuild_box(int fd, off_t at, const char *type, uint64_t *size)
{
    char     found[5];
    uint8_t  head[8];

    return pread(fd, head, 8, at) == 8
           && cam_record_box(head, 8, found, size) == 0
           && (type == NULL || strcmp(found, type) == 0) ? 0 : -1;
}


static int
cam_rebuild_init(cam_rebuild_t *b)
{
    off_t               size;
    cam_record_head_t  *head;

    head = &b->r->head;
    size = cam_rebuild_first(b->r->media_fd);
    b->init = size > 0 ? malloc((size_t) size) : NULL;

    if (b->init == NULL
        || pread(b->r->media_fd, b->init, (size_t) size, 0) != size
        || cam_record_tracks(b->init, (size_t) size, &b->tracks) != 0)
    {
        errno = EBADMSG;
        return -1;
    }

    b->at = size;
    head->init_size = (uint32_t) size;

    if (head->segment_sec == 0) {
        head->segment_sec = 3600;
    }

    cam_rebuild_codecs(b->init, (size_t) size, &b->tracks, head);

    return 0;
}


/* as the packager wrote them into this very head */

static void
cam_rebuild_codecs(const uint8_t *init, size_t size,
    const cam_record_tracks_t *tracks, cam_record_head_t *head)
{
    int             i;
    size_t          n;
    const uint8_t  *p, *last;

    last = init + size;
    n = 0;

    p = memmem(init, size, "avcC", 4);

    if (p != NULL && last - p >= 8) {
        n = (size_t) snprintf(head->codecs, sizeof(head->codecs),
                              "avc1.%02x%02x%02x", p[5], p[6], p[7]);
    }

    /* of its sample entry, behind what is common to all of them */

    p = memmem(init, size, "avc1", 4);
    p = p != NULL && p < init + 32 ? memmem(p + 4, (size_t) (last - p) - 4,
                                            "avc1", 4) : p;

    if (p != NULL && last - p >= 32) {
        head->width = (uint16_t) (p[28] << 8 | p[29]);
        head->height = (uint16_t) (p[30] << 8 | p[31]);
    }

    for (i = 0; i < tracks->n; i++) {
        head->has_video |= tracks->track[i].video;
        head->has_audio |= !tracks->track[i].video;
    }

    if (head->has_audio) {
        snprintf(head->codecs + n, sizeof(head->codecs) - n, "%smp4a.40.2",
                 n ? "," : "");
    }
}


static int
cam_rebuild_fragments(cam_rebuild_t *b)
{
    size_t   moof;
    ssize_t  size;

    for ( ;; ) {
        size = cam_rebuild_read(b, &moof);

        /* what is behind the last whole one is torn */

        if (size <= 0) {
            return (int) size;
        }

        if (cam_rebuild_entry(b, (size_t) size, moof) == -1) {
            return -1;
        }

        b->r->fragments++;
        b->at += size;
    }
}


/* the next fragment, into buf; its size, 0: there is none that is whole, or
   -1 */

static ssize_t
cam_rebuild_read(cam_rebuild_t *b, size_t *moof)
{
    int          fd;
    size_t       size;
    uint8_t     *p;
    uint64_t     head, media;
    const char  *type;

    fd = b->r->media_fd;
    type = b->r->head.cipher ? CAM_RECORD_SEALED : "mdat";

    if (cam_rebuild_box(fd, b->at, "moof", &head) == -1
        || cam_rebuild_box(fd, b->at + (off_t) head, type, &media) == -1
        || head + media > CAM_REBUILD_MAX
        || b->at + (off_t) (head + media) > b->r->media_size)
    {
        return 0;
    }

    size = head + media;

    if (size > b->cap) {
        p = realloc(b->buf, size);

        if (p == NULL) {
            return -1;
        }

        b->buf = p;
        b->cap = size;
    }

    *moof = head;

    return pread(fd, b->buf, size, b->at) == (ssize_t) size
           ? (ssize_t) size : -1;
}


static int
cam_rebuild_entry(cam_rebuild_t *b, size_t size, size_t moof)
{
    cam_record_rebuild_t   *r;
    cam_record_fragment_t   f;

    r = b->r;

    if (r->old_fd != -1 && cam_record_fragments(r->old_fd, r->fragments, &f, 1)
        == 1 && f.offset == (uint64_t) b->at && f.size == size)
    {
        b->shift_msec = f.wall_msec - f.time_usec / 1000;
        b->msn = f.msn;
        b->part = f.part;

        return cam_record_append(r->index_fd, r->fragments, &f, 1);
    }

    memset(&f, 0, sizeof(cam_record_fragment_t));
    f.offset = (uint64_t) b->at;
    f.size = (uint32_t) size;
    f.data_crc = cam_record_crc(b->buf, size);

    if (cam_rebuild_says(b, moof, &f) == -1) {
        return -1;
    }

    return cam_record_append(r->index_fd, r->fragments, &f, 1);
}


static int
cam_rebuild_says(cam_rebuild_t *b, size_t moof, cam_record_fragment_t *f)
{
    cam_record_moof_t  m;

    if (cam_record_moof(b->buf, moof, &b->tracks, &m) == -1) {
        errno = EBADMSG;
        return -1;
    }

    f->time_usec = m.time_usec;

    if (b->r->head.cipher) {

        if (cam_record_name_read(b->buf, moof, f) == -1) {
            errno = ENOMSG;
            return -1;
        }

        return 0;
    }

    b->part = m.key ? 0 : (uint16_t) (b->part + 1);
    b->msn += m.key != 0;

    f->wall_msec = b->shift_msec + m.time_usec / 1000;
    f->duration_usec = (uint32_t) m.duration_usec;
    f->msn = b->msn;
    f->part = b->part;
    f->flags = (uint16_t) ((m.key ? CAM_RECORD_KEY : 0)
                           | (b->part == 0 ? CAM_RECORD_SEGMENT : 0));

    return 0;
}
