/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The times in a fragment of MP4, read and moved: pure functions over the bytes
 * of an init segment and of one or several moof and mdat.  Nothing is believed
 * that does not fit into the box around it.
 */

#ifndef CW_RECORD_TFDT_H
#define CW_RECORD_TFDT_H

#include <stddef.h>
#include <stdint.h>

#define CW_RECORD_TRACKS  2


/* of a track, by the init segment */
typedef struct {
    uint32_t   id;
    uint32_t   scale;                /* ticks in a second */
    uint32_t   duration;             /* of a sample that says nothing else */
    int        video;
} cw_record_track_t;

typedef struct {
    int                n;
    int                lead;         /* the pictures, or all there is */
    cw_record_track_t  track[CW_RECORD_TRACKS];
} cw_record_tracks_t;

/* of a fragment, in ticks of each track */
typedef struct {
    int        present;              /* a bit per track */
    int64_t    begin[CW_RECORD_TRACKS];
    int64_t    end[CW_RECORD_TRACKS];
} cw_record_times_t;


/* 0, or -1: no tracks of ours */
int cw_record_tracks_read(cw_record_tracks_t *tracks, const uint8_t *init,
    size_t size);

/* 0, or -1: no whole fragment of these tracks */
int cw_record_times_read(const cw_record_tracks_t *tracks,
    cw_record_times_t *times, const uint8_t *data, size_t size);

/* adds shift to the times of each track and sets the sequence number; for
   bytes whose times were read: 0, or -1: a time left its bounds */
int cw_record_times_move(const cw_record_tracks_t *tracks, uint8_t *data,
    size_t size, const int64_t *shift, uint32_t sequence);

/* ticks and microseconds */
int64_t cw_record_ticks(const cw_record_track_t *track, int64_t usec);
int64_t cw_record_usec(const cw_record_track_t *track, int64_t ticks);


#endif /* CW_RECORD_TFDT_H */
