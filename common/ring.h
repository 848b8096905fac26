/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The ring: frames of one publication, from one writer (an nginx worker or
 * camera-worker's pull role) to any number of readers in any process.
 *
 * A ring file belongs to one writer for its whole life.  It is created as
 * rings/{camera}.{generation}, filled, and only then becomes visible by a
 * symbolic link rings/{camera} that is renamed into place; a takeover or a
 * resize makes a new file with a higher generation.  The writer holds
 * flock(LOCK_EX), so a reader that gets LOCK_SH knows that it is gone, however
 * it died.  Readers map the file read-only and trust no field in it.
 *
 * The writer makes no system call and no allocation per frame.  The byte
 * layout is documented in docs/ring.md.
 */

#ifndef CAM_RING_H
#define CAM_RING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "uuid.h"

#define CAM_RING_OK         0
#define CAM_RING_AGAIN      1   /* nothing new yet */
#define CAM_RING_OVERRUN    2   /* reader was too slow, see frame->lost */
#define CAM_RING_CLOSED     3   /* all read, and the writer is gone */
#define CAM_RING_NOSPACE    4   /* tmpfs full, or below the 10 % reserve */
#define CAM_RING_TOOBIG     5   /* frame does not fit half of this ring */
#define CAM_RING_ERROR     -1   /* errno says why; EBADMSG: corrupt file */

#define CAM_RING_SIZE_DEFAULT  (4u << 20)
#define CAM_RING_SIZE_MAX      (64u << 20)
#define CAM_RING_CONFIG_MAX    4096      /* avcC or AudioSpecificConfig */

#define CAM_TRACK_VIDEO     0
#define CAM_TRACK_AUDIO     1
#define CAM_TRACKS          2

#define CAM_FRAME_KEY       0x01
#define CAM_FRAME_CONFIG    0x02   /* data is avcC (video) or ASC (audio) */


typedef struct {
    uint64_t    seq;         /* of this record; set by the ring */
    int64_t     dts;         /* ms, unwrapped, increases by track */
    int32_t     cts;         /* ms, pts = dts + cts */
    uint8_t     track;
    uint8_t     flags;
    int64_t     wall_msec;   /* arrival, Unix ms */
    uint32_t    size;        /* of the data, bytes */
    uint64_t    lost;        /* records skipped; only with OVERRUN */
    uint64_t    pos;         /* where it lies; set by cam_ring_read() */
} cam_frame_t;


/* of a record that was read, for cam_ring_reader_seek() */
typedef struct {
    uint64_t    generation;  /* of the ring it was read from */
    uint64_t    pos;
    uint64_t    seq;
} cam_ring_place_t;


/* what a successor or an observer may know of a publication */
typedef struct {
    uint8_t     camera[CAM_UUID_LEN];
    uint64_t    generation;
    uint64_t    continues;           /* generation it grew out of, or 0 */
    uint32_t    capacity;            /* bytes of record space */
    uint32_t    writer_pid;
    uint8_t     holder[16];          /* opaque id of the credential in use */
    int64_t     started_msec;        /* wall */
    int64_t     last_media_msec;     /* monotonic */
    int64_t     takeover_msec[4];    /* monotonic, newest first, 0 = none */
    uint64_t    head_seq;            /* records written so far */
    uint64_t    frames[CAM_TRACKS];
    uint64_t    bytes;
    char        addr[46];            /* of the publisher, text */
} cam_ring_info_t;


typedef struct cam_ring_writer_s  cam_ring_writer_t;
typedef struct cam_ring_reader_s  cam_ring_reader_t;


/*
 * 1 when a ring of that capacity (0: default) may be made now, without a look
 * at what may come between.  To be asked before a generation is claimed: who
 * finds no room after that has ended the publication before for nothing.
 */
int cam_ring_has_room(int dirfd, uint32_t capacity);

/*
 * Creates the ring of info->generation and makes it the camera's current
 * one.  dirfd is rings/ and stays open as long as the writer.  Of info these
 * are read: camera, generation, capacity (0: default), holder, takeover_msec
 * and addr.
 * Answers CAM_RING_OK, _NOSPACE or _ERROR (EEXIST: that generation was already
 * taken; ESTALE: the camera has a newer one; EAGAIN: met a sweep, come again).
 */
int cam_ring_writer_open(cam_ring_writer_t **w, int dirfd,
    const cam_ring_info_t *info);

/*
 * Appends one frame; its data is the concatenation of iov.  A CONFIG frame is
 * also kept in the header for readers that join.  The kept configuration
 * always fits the frames that a joining reader gets: one that differs from
 * the kept one forgets the newest key frame, unless no frame of its track was
 * written before.  The size is that of iov.  Answers CAM_RING_OK, or with
 * nothing written _TOOBIG (a configuration: more than CAM_RING_CONFIG_MAX) or
 * _ERROR (EINVAL: no such track).
 */
int cam_ring_write(cam_ring_writer_t *w, const cam_frame_t *frame,
    const struct iovec *iov, int n);

/*
 * Goes on in a bigger file of a new generation, which begins with the frames
 * since the newest key frame; sequence numbers go on.  Best called just before
 * a key frame is written: a reader that opens the new file then stands exactly
 * where the old one ended.  After an error *w is the old ring, unchanged.
 */
int cam_ring_writer_grow(cam_ring_writer_t **w, uint64_t generation,
    uint32_t capacity);

/* bytes, as rounded */
uint32_t cam_ring_writer_capacity(const cam_ring_writer_t *w);

/* marks the ring as closed, removes its link when it is still the current
   one, unlinks or parks the file for reuse, frees w */
void cam_ring_writer_close(cam_ring_writer_t *w);


/*
 * Opens the camera's current ring at its newest key frame (at the head when
 * there is none yet).  Answers CAM_RING_OK, _AGAIN (no such publication) or
 * _ERROR.
 */
int cam_ring_reader_open(cam_ring_reader_t **r, int dirfd,
    const uint8_t camera[CAM_UUID_LEN]);

/*
 * Copies the next record.  frame->size is always its true size; when it is
 * more than cap, answers CAM_RING_TOOBIG and the same record is next again.
 * On CAM_RING_OVERRUN nothing was copied, the reader stands at the newest key
 * frame and frame->lost says how many records were skipped.  On _CLOSED the
 * caller goes on with cam_ring_reader_follow(), at once and on later polls.
 */
int cam_ring_read(cam_ring_reader_t *r, cam_frame_t *frame, void *data,
    size_t cap);

/*
 * Exchanges a reader for one of the camera's newer ring.  When that grew out
 * of the old ring and still has the next record, *continued is 1 and reading
 * goes on with exactly that record; otherwise the reader stands as after
 * cam_ring_reader_open().  On _AGAIN (no newer ring yet) and _ERROR *r is the
 * old reader.  A ring whose writer was killed remains the camera's current one
 * until there is a newer: opening it anew would read its end again.
 */
int cam_ring_reader_follow(cam_ring_reader_t **r, int dirfd, int *continued);

/*
 * Stands at a record that another reader has read, of this ring or of the one
 * that it grew out of: 1.  When that is overwritten, or was under another
 * configuration: 0, and the reader stands as after cam_ring_reader_open().
 * CAM_RING_ERROR, also when there is no such place just now: the reader is good
 * for nothing but to be closed.
 */
int cam_ring_reader_seek(cam_ring_reader_t *r, const cam_ring_place_t *place);

/*
 * The configuration that was in force at the reader's position when it was
 * opened or overrun.  Answers its size in bytes, 0 when there is none;
 * data holds CAM_RING_CONFIG_MAX bytes.
 */
size_t cam_ring_config(cam_ring_reader_t *r, int track, void *data);

/* a copy of the header; CAM_RING_OK or _ERROR */
int cam_ring_info(cam_ring_reader_t *r, cam_ring_info_t *info);

uint64_t cam_ring_reader_generation(const cam_ring_reader_t *r);

/* 1 while the writer lives, by flock: costs two system calls */
int cam_ring_writer_alive(cam_ring_reader_t *r);

void cam_ring_reader_close(cam_ring_reader_t *r);

/* removes ring files whose writer is gone and that no link names; answers
   the number removed */
int cam_ring_sweep(int dirfd);


#endif /* CAM_RING_H */
