/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Signatures of media URIs that this worker made lately.
 *
 * A player reloads its playlist with each part, and of the files listed all but
 * the newest were listed, and signed, the time before.  What was made is kept
 * in a table without chains: a place holds the last signature that fell on it,
 * under everything that it depends on.  A session's id is random and belongs to
 * one camera.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_camera_hls.h"


#define NGX_CAMERA_HLS_MACS  16384      /* 0.9 MB; ten make a playlist */


typedef struct {
    uint64_t         sid;
    uint64_t         number;
    int64_t          expires;
    uint32_t         slot;
    uint8_t          key;
    uint8_t          purpose;
    uint8_t          init;
    uint8_t          used;
    char             text[CAM_URL_MAC_TEXT];
} ngx_camera_hls_mac_t;


static ngx_camera_hls_mac_t  ngx_camera_hls_macs[NGX_CAMERA_HLS_MACS];


void
ngx_camera_hls_mac(const uint8_t camera[CAM_UUID_LEN],
    const cam_url_session_t *s, const cam_url_media_t *media,
    char text[CAM_URL_MAC_TEXT])
{
    uint8_t                init;
    uint64_t               sid;
    ngx_camera_hls_mac_t  *m;

    ngx_memcpy(&sid, s->sid, sizeof(sid));
    init = media->kind == CAM_URL_INIT;

    m = &ngx_camera_hls_macs[(sid + media->number * 2 + init)
                             % NGX_CAMERA_HLS_MACS];

    if (!m->used || m->sid != sid || m->number != media->number
        || m->expires != media->expires || m->slot != s->slot
        || m->key != s->key || m->purpose != s->purpose || m->init != init)
    {
        m->used = 1;
        m->sid = sid;
        m->number = media->number;
        m->expires = media->expires;
        m->slot = s->slot;
        m->key = s->key;
        m->purpose = s->purpose;
        m->init = init;

        cam_url_media_sign(&ngx_camera_hls_worker.macs[s->key], camera, s,
                           media, m->text);
    }

    ngx_memcpy(text, m->text, CAM_URL_MAC_TEXT);
}
