/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * URIs of what was recorded: read strictly as those of play_uri.h, and signed.
 *
 *   {camera}/playlist.m3u8?token=[&from=][&to=]   the entrance
 *   {camera}/media.m3u8?s=                        the media playlist
 *   {camera}/{day}/{name}.mp4?s=&m=               a file of it, by ranges
 *   {camera}/{day}/{name}.mp4?e=&m=[&d=]          download of the whole file
 *
 * below /recordings/, and below /exports/
 *
 *   {camera}/{id}.mp4?e=&m=[&d=]                  an exported range
 *   {camera}/{id}.json?e=&m=[&d=]                 its manifest
 *
 * Times are Unix ms or RFC 3339.  "s" is a session as in url_sign.h that also
 * has the range which it may see; "m" of a file is a function of session and
 * file alone, that of a download of all that its URI says, "d" included: under
 * which name it is saved is no choice of whoever passes a link on.
 */

#ifndef CAM_RECORD_URI_H
#define CAM_RECORD_URI_H

#include <stddef.h>
#include <stdint.h>

#include "keys.h"
#include "play_uri.h"
#include "token.h"
#include "url_sign.h"
#include "uuid.h"

#define CAM_RECORD_NAME_MAX      128      /* bytes of "d", before encoding */
#define CAM_RECORD_URI_MAX       (CAM_TOKEN_MAX + 256)    /* with its NUL */

#define CAM_RECORD_SESSION_TEXT  80
#define CAM_RECORD_DOWNLOAD_MAC  28       /* characters of "m" */

#define CAM_RECORD_RANGE_MSEC    INT64_C(86400000)    /* of one playlist */
#define CAM_RECORD_TIME_MAX      (INT64_C(1) << 47)   /* of "from" and "to" */


typedef enum {
    CAM_RECORD_MASTER = 1,
    CAM_RECORD_MEDIA,
    CAM_RECORD_FILE,
    CAM_RECORD_EXPORT,
    CAM_RECORD_MANIFEST
} cam_record_kind_e;


typedef struct {
    cam_record_kind_e  kind;
    uint8_t            camera[CAM_UUID_LEN];
    int64_t            start_msec;             /* of a file */
    uint8_t            id[CAM_UUID_LEN];       /* of an export */
} cam_record_uri_t;


typedef struct {
    cam_play_text_t    token;
    cam_play_text_t    session;
    cam_play_text_t    mac;
    cam_play_text_t    name;                   /* encoded */
    int64_t            expires;                /* Unix s; -1: not given */
    int64_t            from_msec;
    int64_t            to_msec;
} cam_record_args_t;


typedef struct {
    cam_url_session_t  url;
    uint8_t            target_sec;             /* of its playlist */
    int64_t            from_msec;
    int64_t            to_msec;
} cam_record_session_t;


/*
 * What the API hands out; the path with its arguments, or -1 with errno
 * (EINVAL, ENOKEY, EIO).  Of the token are set: camera, tenant, epoch, issued,
 * expires, from_msec, to_msec: nothing outside of from and to can be seen with
 * it.  A to_msec of 0 leaves the end open.
 */
int cam_record_uri_playlist(const cam_keys_t *keys, cam_token_t *token,
    char uri[CAM_RECORD_URI_MAX]);

/*
 * A download of kind _FILE, _EXPORT or _MANIFEST, good until expires (Unix s)
 * or until the camera's play epoch is raised above the one given.  name is what
 * it is to be saved under, UTF-8, len 0 for none.
 */
int cam_record_uri_download(const cam_keys_t *keys,
    const cam_record_uri_t *what, uint32_t epoch, int64_t expires,
    const char *name, size_t len, char uri[CAM_RECORD_URI_MAX]);


/* text follows the location's prefix; exports: it is that of exports.  0, or
   -1: there is no such thing */
int cam_record_uri_parse(cam_record_uri_t *what, const char *text, size_t len,
    int exports);

/* CAM_PLAY_OK, _DENIED, or _BAD: a time that is none */
int cam_record_args_parse(cam_record_args_t *args, cam_record_kind_e kind,
    const char *text, size_t len);

/* macs is indexed by cam_key_t.index and covers all playback keys; 0, or -1:
   malformed, unknown key or wrong signature.  No time is looked at. */
void cam_record_session_sign(const cam_mac_t *macs,
    const uint8_t camera[CAM_UUID_LEN], const cam_record_session_t *s,
    char text[CAM_RECORD_SESSION_TEXT]);
int cam_record_session_verify(const cam_keys_t *keys, const cam_mac_t *macs,
    const uint8_t camera[CAM_UUID_LEN], const cam_play_text_t *text,
    cam_record_session_t *s);

void cam_record_file_sign(const cam_mac_t *macs,
    const uint8_t camera[CAM_UUID_LEN], const cam_record_session_t *s,
    int64_t start_msec, char text[CAM_URL_MAC_TEXT]);
int cam_record_file_verify(const cam_mac_t *macs,
    const uint8_t camera[CAM_UUID_LEN], const cam_record_session_t *s,
    int64_t start_msec, const cam_play_text_t *text);

/* and the epoch under which it was handed out */
int cam_record_download_verify(const cam_keys_t *keys, const cam_mac_t *macs,
    const cam_record_uri_t *what, const cam_record_args_t *args,
    uint32_t *epoch);


#endif /* CAM_RECORD_URI_H */
