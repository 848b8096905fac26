/*
 * Copyright (C) The nginx camera platform authors
 */

/* camera doctor: does the camera publish, what does it send, and does the
   packager take it? */

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "doctor.h"


#define CLI_DOCTOR_STALE_MSEC  5000   /* of an index that is written */


static uint32_t cli_doctor_gop(const cam_live_index_t *index);


void
cli_doctor_publisher(cli_doctor_t *d)
{
    char                     since[32];
    int64_t                  silence;
    const cam_ring_info_t   *ring;

    ring = &d->live.view.ring;

    if (!d->publishing && !d->nginx) {
        cli_doctor_note(d, "publisher", CLI_CHECK_SKIPPED, NULL,
                        "waits for nginx");
        return;
    }

    if (!d->publishing) {
        cli_doctor_note(d, "publisher", CLI_CHECK_FAILED,
                        d->live.view.state.refused_msec
                        ? "see why it was refused, above"
                        : "start the camera with the address that \"camera "
                          "publish-url ID\" prints; it never got here yet",
                        "nobody publishes this camera");
        return;
    }

    silence = cam_view_silence(&d->live.view);
    cli_ago(since, (cam_clock_wall_msec() - ring->started_msec) / 1000);

    if (silence > CAM_VIEW_SILENT_MSEC) {
        cli_doctor_note(d, "publisher", CLI_CHECK_FAILED,
                        "check the camera's encoder and the network: the "
                        "connection is there, frames are not",
                        "%s publishes since %s, but sent nothing for %lld s",
                        ring->addr, since, (long long) silence / 1000);

    } else if (ring->frames[CAM_TRACK_VIDEO] == 0) {
        cli_doctor_note(d, "publisher", CLI_CHECK_FAILED,
                        "switch the camera's video on",
                        "%s publishes since %s without any video", ring->addr,
                        since);

    } else {
        cli_doctor_note(d, "publisher", CLI_CHECK_OK, NULL,
                        "%s publishes since %s: %llu video and %llu audio "
                        "frames, %llu kB", ring->addr, since,
                        (unsigned long long) ring->frames[CAM_TRACK_VIDEO],
                        (unsigned long long) ring->frames[CAM_TRACK_AUDIO],
                        (unsigned long long) ring->bytes / 1000);
    }
}


void
cli_doctor_codec(cli_doctor_t *d)
{
    uint32_t                warning;
    const cam_live_init_t  *init;

    if (!d->publishing) {
        return;
    }

    warning = d->live.view.state.warning ? d->live.view.state.warning
              : d->live.view.index ? d->live.index.warning : CAM_REASON_NONE;

    if (warning != CAM_REASON_NONE) {
        cli_doctor_note(d, "codec", CLI_CHECK_WARNING, cam_reason_text(warning),
                        "the stream is not as it should be: %s",
                        cam_reason_name(warning));
        return;
    }

    init = cam_view_init(&d->live.view);

    if (init == NULL) {
        cli_doctor_note(d, "codec", CLI_CHECK_SKIPPED, NULL,
                        "codecs are known with the first segment");

    } else {
        cli_doctor_note(d, "codec", CLI_CHECK_OK, NULL,
                        "%s, %ux%u, %u kbit/s", init->codecs, init->width,
                        init->height, init->bandwidth / 1000);
    }
}


void
cli_doctor_b_frames(cli_doctor_t *d)
{
    const cam_live_init_t  *init;

    init = cam_view_init(&d->live.view);

    if (!d->publishing || init == NULL || !init->has_video) {
        return;
    }

    if (init->b_frames) {
        cli_doctor_note(d, "b-frames", CLI_CHECK_WARNING,
                        "set the encoder to no B-frames (or to the baseline "
                        "profile): they cost delay, and WebRTC cannot show "
                        "them", "the video has B-frames");

    } else {
        cli_doctor_note(d, "b-frames", CLI_CHECK_OK, NULL, "no B-frames");
    }
}


void
cli_doctor_key_frames(cli_doctor_t *d)
{
    uint32_t  gop;

    if (!d->publishing || !cam_view_has_picture(&d->live.view)) {
        return;
    }

    gop = cli_doctor_gop(&d->live.index);

    if (gop > d->live.index.target_msec * 3 / 2) {
        cli_doctor_note(d, "key frames", CLI_CHECK_WARNING,
                        "set the encoder to a key frame every 2 s: players "
                        "start and recover at key frames only",
                        "a key frame comes only every %.1f s", gop / 1000.0);

    } else if (gop) {
        cli_doctor_note(d, "key frames", CLI_CHECK_OK, NULL,
                        "segments of %.1f s, each with a key frame",
                        gop / 1000.0);
    }
}


/*
 * The longest way from one segment that starts with a key frame to the next,
 * in ms: a longer GOP is cut into segments that do not.
 */

static uint32_t
cli_doctor_gop(const cam_live_index_t *index)
{
    uint32_t                    i;
    uint64_t                    way, longest;
    const cam_live_segment_t   *segment;

    way = 0;
    longest = 0;

    for (i = 0; i < index->segments; i++) {
        segment = &index->segment[i];

        if (segment->parts && segment->part[0].independent) {
            way = 0;
        }

        way += segment->duration_usec;
        longest = way > longest ? way : longest;
    }

    return (uint32_t) (longest / 1000);
}


void
cli_doctor_packager(cli_doctor_t *d)
{
    uint64_t  age;

    if (d->live.view.index && d->live.index.state == CAM_LIVE_QUARANTINED) {
        cli_doctor_note(d, "packager", CLI_CHECK_FAILED,
                        cam_reason_text(CAM_REASON_QUARANTINED),
                        "the camera is quarantined");
        return;
    }

    if (!d->publishing) {
        cli_doctor_note(d, "packager", CLI_CHECK_SKIPPED, NULL,
                        "waits for a publisher");
        return;
    }

    if (!cam_view_has_picture(&d->live.view)) {
        cli_doctor_note(d, "packager", CLI_CHECK_FAILED,
                        "wait for the next key frame and ask again; then look "
                        "into camera-worker's log",
                        "there is no whole segment of this publication yet");
        return;
    }

    age = (uint64_t) cam_clock_monotonic_msec() - d->live.index.updated_msec;

    if (age > CLI_DOCTOR_STALE_MSEC) {
        cli_doctor_note(d, "packager", CLI_CHECK_FAILED,
                        "look into camera-worker's log",
                        "the packager wrote nothing for %llu s",
                        (unsigned long long) age / 1000);
        return;
    }

    cli_doctor_note(d, "packager", CLI_CHECK_OK, NULL,
                    "%u segments, the newest %llu ms old",
                    d->live.index.segments, (unsigned long long) age);
}
