/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What a playback URI says, read strictly: each thing has one spelling, and
 * everything else is no URI of ours.  Nothing is decoded, no argument may come
 * twice, and no number has leading zeros.
 *
 *   {camera}/playlist.m3u8?token=      the entrance, with from= (Unix ms)
 *   {camera}/live.m3u8?s=              the media playlist, with
 *                                      _HLS_msn= and _HLS_part=
 *   {camera}/back.m3u8?s=&f=&l=&n=&c=&o=&t=&m=   that reaches back, with
 *                                      these and _HLS_skip=YES
 *   {camera}/init.{version}.mp4?s=&e=&m=
 *   {camera}/{msn}.m4s?s=&e=&m=
 *   {camera}/{msn}.{part}.m4s?s=&e=&m=
 */

#ifndef CAM_PLAY_URI_H
#define CAM_PLAY_URI_H

#include <stddef.h>
#include <stdint.h>

#include "uuid.h"


typedef enum {
    CAM_PLAY_MASTER = 1,
    CAM_PLAY_LIVE,
    CAM_PLAY_BACK,
    CAM_PLAY_INIT,
    CAM_PLAY_SEGMENT,
    CAM_PLAY_PART
} cam_play_kind_e;


#define CAM_PLAY_OK       0
#define CAM_PLAY_DENIED  -1     /* a credential is missing or twice, or there
                                   is an argument of no meaning */
#define CAM_PLAY_BAD     -2     /* _HLS_ arguments that contradict the RFC */


typedef struct {
    cam_play_kind_e  kind;
    uint8_t          camera[CAM_UUID_LEN];
    uint64_t         number;    /* init version or media sequence number */
    uint32_t         part;
} cam_play_path_t;


typedef struct {
    const char      *data;      /* into what was parsed */
    size_t           len;
} cam_play_text_t;


typedef struct {
    cam_play_text_t  token;
    cam_play_text_t  session;
    cam_play_text_t  mac;
    int64_t          from_msec; /* -1: not given, as of all numbers */
    int64_t          expires;   /* Unix s */
    int64_t          msn;
    int64_t          part;
    int64_t          last;      /* of a list that reaches back */
    int64_t          seam;
    int64_t          count;
    int64_t          start;     /* ms */
    int64_t          target;
    int              skip;      /* what the player has already */
} cam_play_args_t;


/* text follows the location's prefix; 0, or -1: there is no such thing */
int cam_play_parse_path(cam_play_path_t *path, const char *text, size_t len);

/* answers CAM_PLAY_OK, _DENIED or _BAD */
int cam_play_parse_args(cam_play_args_t *args, cam_play_kind_e kind,
    const char *text, size_t len);

/*
 * Writes the arguments with a star for each value that may be secret: all but
 * numbers of "e" and "_HLS_...".  Never more than len bytes; masked may be
 * args.  Answers the end.
 */
char *cam_play_mask(char *masked, const char *args, size_t len);


#endif /* CAM_PLAY_URI_H */
