/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The live index: what the packager has of one camera on tmpfs, as one
 * fixed-size, versioned file live/{camera}/index beside the media files
 *
 *   live/{camera}/init.{version}.mp4     ftyp + moov
 *   live/{camera}/{msn}.m4s              one segment; parts are ranges of it
 *
 * One writer (the package child that serves the camera), readers in any
 * process.  The whole index is under one sequence lock: a reader copies it,
 * checks the copy's bounds, and works on the copy.  It goes on across
 * restarts of the packager: media sequence numbers never go back.
 * Layout: docs/live-index.md.
 */

#ifndef CAM_LIVE_INDEX_H
#define CAM_LIVE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "uuid.h"

#define CAM_LIVE_SEGMENTS      16   /* kept; a playlist lists the newest ones */
#define CAM_LIVE_PARTS         32   /* of one segment, at most */
#define CAM_LIVE_INITS         8
#define CAM_LIVE_CODECS        64   /* "avc1.64001f,mp4a.40.2" */

#define CAM_LIVE_TARGET_MSEC   2000
#define CAM_LIVE_PART_MSEC     500
#define CAM_LIVE_LISTED        7    /* complete segments in a playlist */

typedef enum {
    CAM_LIVE_EMPTY = 0,             /* never packaged anything */
    CAM_LIVE_ON,                    /* a publication is being packaged */
    CAM_LIVE_ENDED,                 /* the publisher left; segments remain */
    CAM_LIVE_QUARANTINED            /* refused after repeated crashes */
} cam_live_state_e;


typedef struct {
    uint32_t    version;            /* 0 = unused; names the file */
    uint32_t    size;               /* bytes of the file */
    uint16_t    width;
    uint16_t    height;
    uint32_t    bandwidth;          /* bits/s, measured, for the master list */
    uint8_t     has_video;
    uint8_t     has_audio;
    uint8_t     b_frames;           /* pts seen out of decode order */
    char        codecs[CAM_LIVE_CODECS];
} cam_live_init_t;


typedef struct {
    uint32_t    offset;             /* bytes, in the segment's file */
    uint32_t    size;
    uint32_t    duration_usec;
    uint32_t    independent;        /* starts with a key frame */
} cam_live_part_t;


typedef struct {
    uint64_t    msn;                /* media sequence number */
    uint64_t    generation;         /* of the ring the frames came from */
    int64_t     wall_msec;          /* PROGRAM-DATE-TIME of its first frame */
    uint32_t    init;               /* version */
    uint32_t    duration_usec;      /* so far, while it is incomplete */
    uint32_t    size;               /* bytes so far */
    uint16_t    parts;
    uint8_t     complete;
    uint8_t     discontinuity;      /* before this segment */
    cam_live_part_t  part[CAM_LIVE_PARTS];
} cam_live_segment_t;


typedef struct {
    uint8_t     camera[CAM_UUID_LEN];
    uint32_t    state;              /* cam_live_state_e */
    uint32_t    warning;            /* cam_reason_e seen by the packager */
    uint64_t    generation;         /* ring being read */
    uint64_t    updated_msec;       /* monotonic, at each publish */
    uint32_t    target_msec;        /* EXT-X-TARGETDURATION, only grows */
    uint32_t    part_target_msec;
    uint64_t    next_msn;           /* of the next segment to be opened */
    uint64_t    discontinuity_seq;  /* of the oldest segment kept */
    uint32_t    segments;           /* valid entries below, oldest first */
    cam_live_init_t     init[CAM_LIVE_INITS];
    uint16_t    fps_centi;          /* pictures in 100 s, by the last whole
                                       segment; 0 = not known */
    uint16_t    dropped;            /* frames of this publication that came
                                       and were not packaged; 65535 = more */
    cam_live_segment_t  segment[CAM_LIVE_SEGMENTS];
} cam_live_index_t;


typedef struct cam_live_s  cam_live_t;


/*
 * The writer opens or creates live/{camera}/index (livefd is live/), takes
 * its flock and reads back what is there; NULL with errno (EBUSY: another
 * writer; ENOSPC).  *index points at the writer's private copy: change it,
 * then publish.
 */
cam_live_t *cam_live_writer_open(int livefd,
    const uint8_t camera[CAM_UUID_LEN], cam_live_index_t **index);
void cam_live_publish(cam_live_t *live);

/* the directory live/{camera}, for the media files */
int cam_live_dirfd(const cam_live_t *live);

/* readers: NULL with errno, ENOENT when the camera was never packaged */
cam_live_t *cam_live_reader_open(int livefd,
    const uint8_t camera[CAM_UUID_LEN]);

/* changes with every publish: cheap to poll */
uint64_t cam_live_version(const cam_live_t *live);

/* a consistent, bounds-checked copy; 0, or -1: EAGAIN (writer died while
   writing, or is very busy), EPROTO (layout), EBADMSG (corrupt) */
int cam_live_read(const cam_live_t *live, cam_live_index_t *index);

/* 1 when the reader's file is not the camera's current one any more */
int cam_live_stale(const cam_live_t *live, int livefd);

void cam_live_close(cam_live_t *live);

/* the names of media files, relative to live/{camera}; NUL-terminated */
#define CAM_LIVE_NAME_MAX      40
char *cam_live_init_name(char *name, uint32_t version);
char *cam_live_segment_name(char *name, uint64_t msn);


#endif /* CAM_LIVE_INDEX_H */
