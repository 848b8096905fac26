/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Why a publisher was turned away or a stream is poor: a word for machines,
 * and for operators a sentence that ends with the next step.
 */

#include "registry.h"


static const struct {
    const char  *name;
    const char  *text;

} cam_reasons[] = {

    [CAM_REASON_NONE] = { "none",
        "nothing is wrong" },

    [CAM_REASON_TOKEN_MISSING] = { "token_missing",
        "the camera sent no token; copy the whole publish URL, with its "
        "?token=, into the camera" },

    [CAM_REASON_TOKEN_INVALID] = { "token_invalid",
        "the token is damaged or not one of ours; copy the publish URL anew, "
        "some firmware cuts long URLs: then use an opaque key" },

    [CAM_REASON_TOKEN_EXPIRED] = { "token_expired",
        "the token has expired; make a new publish URL, and check the "
        "server's clock when this comes as a surprise" },

    [CAM_REASON_TOKEN_REVOKED] = { "token_revoked",
        "the token was rotated out or revoked; give the camera its current "
        "publish URL" },

    [CAM_REASON_TOKEN_FOREIGN] = { "token_foreign",
        "the token belongs to another camera; the publish URLs of two "
        "cameras were mixed up" },

    [CAM_REASON_CAMERA_INACTIVE] = { "camera_inactive",
        "the camera is switched off here; activate it first" },

    [CAM_REASON_ADDRESS] = { "address",
        "the camera came from an address outside of its list; correct the "
        "list of allowed addresses, or look for the proxy or NAT between" },

    [CAM_REASON_BUSY] = { "busy",
        "another device is sending as this camera; stop it, or rotate the "
        "key if you do not know it" },

    [CAM_REASON_TAKEOVER_LIMIT] = { "takeover_limit",
        "two devices keep pushing each other out; give each its own camera, "
        "then wait a minute" },

    [CAM_REASON_NO_SPACE] = { "no_space",
        "the shared memory is nearly full; enlarge the tmpfs under shm or "
        "remove cameras" },

    [CAM_REASON_VIDEO_CODEC] = { "video_codec",
        "the video is not H.264; set the camera's encoder to H.264" },

    [CAM_REASON_AUDIO_CODEC] = { "audio_codec",
        "the audio is not AAC; set the camera's audio to AAC or switch it "
        "off" },

    [CAM_REASON_BAD_MEDIA] = { "bad_media",
        "the camera sent broken media; restart it and update its firmware" },

    [CAM_REASON_IDLE] = { "idle",
        "the camera connected but sent no media in time; check its encoder "
        "and the network between" },

    [CAM_REASON_QUARANTINED] = { "quarantined",
        "the stream crashed the packager three times and is set aside; "
        "change the camera's encoder settings and reconnect it" },

    [CAM_REASON_NOT_READY] = { "not_ready",
        "the server does not know its cameras yet; check that the database "
        "is running, the camera will come again by itself" },

    [CAM_REASON_QUOTA] = { "quota",
        "the tenant has as many live cameras as it may have; stop one or "
        "raise the quota" },

    [CAM_REASON_DRAINED] = { "drained",
        "the server was reloaded and its old processes end; the camera will "
        "come again by itself" }
};


#define CAM_REASONS  (sizeof(cam_reasons) / sizeof(cam_reasons[0]))


const char *
cam_reason_name(cam_reason_e reason)
{
    return (size_t) reason < CAM_REASONS ? cam_reasons[reason].name : "unknown";
}


const char *
cam_reason_text(cam_reason_e reason)
{
    return (size_t) reason < CAM_REASONS ? cam_reasons[reason].text
           : "of an unknown kind; this program is older than its server";
}
