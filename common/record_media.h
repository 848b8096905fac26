/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The media of a recording, as far as its index can be checked against it, or
 * made anew: the boxes of fragmented MP4 that we write ourselves, one moof and
 * one mdat a fragment.  Everything is read within the bytes that are given;
 * what is of another form is refused.
 */

#ifndef CAM_RECORD_MEDIA_H
#define CAM_RECORD_MEDIA_H

#include <stddef.h>
#include <stdint.h>

#define CAM_RECORD_TRACKS  2


typedef struct {
    uint32_t    id;
    uint32_t    scale;              /* units of time in a second */
    int         video;
} cam_record_track_t;


typedef struct {
    int                 n;
    int                 lead;       /* whose time counts: the video's */
    cam_record_track_t  track[CAM_RECORD_TRACKS];
} cam_record_tracks_t;


typedef struct {
    int64_t     time_usec;          /* of the lead, or of what there is */
    int64_t     duration_usec;
    int         key;                /* the lead starts with a key frame */
} cam_record_moof_t;


/* one of a moof, whose defaults are filled in */
typedef struct {
    int         track;              /* its place in the tracks */
    uint64_t    dts;                /* in its track's units, as cts */
    uint32_t    duration;
    int32_t     cts;                /* added to dts when it is shown */
    uint32_t    size;
    uint64_t    offset;             /* of its bytes, from the moof's first */
    int         sync;
} cam_record_sample_t;


/* 0, or -1, which ends the walk */
typedef int (*cam_record_sample_pt)(void *data,
    const cam_record_sample_t *sample);


/* type and size of the box at data, whole or not; 0, or -1 when it is none */
int cam_record_box(const uint8_t *data, size_t n, char type[5],
    uint64_t *size);

/* ftyp and moov; 0/-1 */
int cam_record_tracks(const uint8_t *init, size_t n,
    cam_record_tracks_t *tracks);

/* each sample of one whole moof, track by track; 0/-1 */
int cam_record_samples(const uint8_t *moof, size_t n,
    const cam_record_tracks_t *tracks, cam_record_sample_pt each, void *data);

/* one whole moof; 0/-1 */
int cam_record_moof(const uint8_t *moof, size_t n,
    const cam_record_tracks_t *tracks, cam_record_moof_t *m);

/* sets its number, and takes so much from its times, none of which becomes less
   than 0; what is negative is added; 0/-1 */
int cam_record_moof_rebase(uint8_t *moof, size_t n,
    const cam_record_tracks_t *tracks, uint32_t sequence, int64_t usec);


#endif /* CAM_RECORD_MEDIA_H */
