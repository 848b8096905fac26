/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * HLS playlists of what was recorded (RFC 8216), over byte ranges of the hour
 * files.  A list that may grow is an EVENT; its text is a function of what is
 * on disk and of the session alone, so a reload differs by lines appended.
 *
 * Both functions read directories and indexes: for threads.
 */

#ifndef CAM_RECORD_PLAYLIST_H
#define CAM_RECORD_PLAYLIST_H

#include <stddef.h>
#include <stdint.h>

#include "record_range.h"
#include "record_uri.h"
#include "uuid.h"

#define CAM_RECORD_ENDED_MSEC   60000   /* nothing new so long: a list ends */
#define CAM_RECORD_SETTLE_MSEC  10000   /* fragments come so late at most */

#define CAM_RECORD_CODECS       256


/* what the multivariant playlist says */
typedef struct {
    uint32_t        pieces;
    uint64_t        bandwidth;          /* bits/s: the peak, and all in all */
    uint64_t        average;
    uint16_t        width;              /* the largest picture */
    uint16_t        height;
    uint8_t         target_sec;
    int64_t         end_msec;           /* of the last piece, wall clock */
    char            codecs[CAM_RECORD_CODECS];
} cam_record_summary_t;


/* of the session the range and "started" are looked at; 0, or -1 with errno,
   ENOENT: nothing in this range */
int cam_record_summary(char *const *volume, unsigned volumes,
    const uint8_t camera[CAM_UUID_LEN], const cam_record_session_t *s,
    cam_record_summary_t *summary);

/* adds those of more that are not there yet; what has no room is left out */
void cam_record_codecs(char codecs[CAM_RECORD_CODECS], const char *more);

/* 1 when the list of the session may grow */
int cam_record_session_open(const cam_record_session_t *s);

/* the media playlist in memory of malloc(), and its length; NULL with errno,
   ENOENT: nothing is left, EFBIG */
char *cam_record_playlist(char *const *volume, unsigned volumes,
    const uint8_t camera[CAM_UUID_LEN], const cam_record_session_t *s,
    const cam_mac_t *macs, int64_t now_msec, size_t *len);


#endif /* CAM_RECORD_PLAYLIST_H */
