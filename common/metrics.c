/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The file is a header and an array of words, to which all processes add by
 * relaxed atomics: a counter is nobody's, so nothing is lost with a process.
 * What counts often does so in sums (see the callers), since one word is in
 * one cache line for all.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "metrics.h"
#include "shared_file.h"


#define CAM_METRICS_MAGIC  0x3154454d        /* "MET1" */


typedef struct {
    uint32_t   magic;
    uint32_t   counters;
    uint8_t    unused[56];
} cam_metrics_header_t;


struct cam_metrics_s {
    cam_metrics_header_t   header;
    uint64_t               counter[CAM_METRICS_WORDS];
};


_Static_assert(sizeof(cam_metrics_header_t) == 64, "layout of shm/metrics");
_Static_assert(CAM_METRICS_NAMED <= CAM_METRIC_REFUSED
               && CAM_METRICS <= CAM_METRICS_WORDS, "room in shm/metrics");


static const cam_metric_info_t  cam_metrics_infos[CAM_METRICS_NAMED] = {

    [CAM_METRIC_PUBLISH_ACCEPTED] = {
        "camera_publish_accepted_total", "",
        "Publications that were accepted."
    },
    [CAM_METRIC_PUBLISH_ENDED] = {
        "camera_publish_ended_total", "",
        "Publications that ended, for whatever reason."
    },
    [CAM_METRIC_TAKEOVERS] = {
        "camera_publish_takeovers_total", "",
        "Publications that took the place of another one."
    },
    [CAM_METRIC_CUT] = {
        "camera_publish_cut_total", "",
        "Live publications that were ended by us: revoked, silent, bad media."
    },
    [CAM_METRIC_INGEST_VIDEO_FRAMES] = {
        "camera_ingest_frames_total", "track=\"video\"",
        "Frames taken in."
    },
    [CAM_METRIC_INGEST_AUDIO_FRAMES] = {
        "camera_ingest_frames_total", "track=\"audio\"",
        "Frames taken in."
    },
    [CAM_METRIC_INGEST_BYTES] = {
        "camera_ingest_bytes_total", "",
        "Bytes of frames taken in."
    },
    [CAM_METRIC_RTMPS_OK] = {
        "camera_rtmps_handshakes_total", "result=\"ok\"",
        "TLS handshakes of publishers."
    },
    [CAM_METRIC_RTMPS_FAILED] = {
        "camera_rtmps_handshakes_total", "result=\"failed\"",
        "TLS handshakes of publishers."
    },
    [CAM_METRIC_GUARD_CLOSED] = {
        "camera_guard_closed_total", "",
        "RTMP sessions closed for what they sent, or did not send in time."
    },

    [CAM_METRIC_HLS_MASTER] = {
        "camera_hls_requests_total", "kind=\"start\"",
        "Playback requests that were served."
    },
    [CAM_METRIC_HLS_PLAYLIST] = {
        "camera_hls_requests_total", "kind=\"playlist\"",
        "Playback requests that were served."
    },
    [CAM_METRIC_HLS_INIT] = {
        "camera_hls_requests_total", "kind=\"init\"",
        "Playback requests that were served."
    },
    [CAM_METRIC_HLS_SEGMENT] = {
        "camera_hls_requests_total", "kind=\"segment\"",
        "Playback requests that were served."
    },
    [CAM_METRIC_HLS_PART] = {
        "camera_hls_requests_total", "kind=\"part\"",
        "Playback requests that were served."
    },
    [CAM_METRIC_HLS_REFUSED] = {
        "camera_hls_refused_total", "",
        "Playback requests answered with a status of 4xx."
    },
    [CAM_METRIC_HLS_UNAVAILABLE] = {
        "camera_hls_unavailable_total", "",
        "Playback requests answered with a status of 5xx: no picture now."
    },
    [CAM_METRIC_HLS_BYTES] = {
        "camera_hls_bytes_total", "",
        "Bytes sent to players, headers included."
    },

    [CAM_METRIC_PACKAGE_PARTS] = {
        "camera_package_parts_total", "",
        "Parts written by camera-worker."
    },
    [CAM_METRIC_PACKAGE_SEGMENTS] = {
        "camera_package_segments_total", "",
        "Segments begun by camera-worker."
    },
    [CAM_METRIC_PACKAGE_BYTES] = {
        "camera_package_bytes_total", "",
        "Bytes of parts."
    },
    [CAM_METRIC_PACKAGE_LOST_FRAMES] = {
        "camera_package_lost_frames_total", "",
        "Frames that camera-worker was too slow for."
    },
    [CAM_METRIC_PACKAGE_LOST_PARTS] = {
        "camera_package_lost_parts_total", "",
        "Parts for which there was no room in shared memory."
    },
    [CAM_METRIC_WORKER_CRASHES] = {
        "camera_worker_crashes_total", "",
        "Children of camera-worker that died."
    },
    [CAM_METRIC_WORKER_HANGS] = {
        "camera_worker_hangs_total", "",
        "Children of camera-worker that were killed because they hung."
    },
    [CAM_METRIC_QUARANTINES] = {
        "camera_worker_quarantines_total", "",
        "Cameras shut out after three crashes."
    },
    [CAM_METRIC_SNAPSHOTS] = {
        "camera_snapshots_total", "",
        "Pictures made of key frames."
    },
    [CAM_METRIC_PROBE_KILLS] = {
        "camera_nginx_worker_hangs_total", "",
        "Workers of nginx that were killed because they hung."
    },

    [CAM_METRIC_JOURNAL_LINES] = {
        "camera_record_journal_lines_total", "",
        "Lines of recordings' journals that went into the database."
    },
    [CAM_METRIC_JOURNAL_SKIPPED] = {
        "camera_record_journal_skipped_total", "",
        "Lines of journals that could not be read, or were refused."
    },
    [CAM_METRIC_JOURNAL_PENDING] = {
        "camera_record_journal_pending_bytes", "",
        "Bytes of journals that are not in the database yet.", 1
    },
    [CAM_METRIC_JOURNAL_BEHIND] = {
        "camera_record_journal_behind_seconds", "",
        "Age of the oldest line that is not in the database yet.", 1
    },
    [CAM_METRIC_REMOVED] = {
        "camera_recordings_removed_total", "",
        "Recordings whose files were removed, asked for or by retention."
    },
    [CAM_METRIC_PROBED] = {
        "camera_recordings_probed_total", "",
        "Finished recordings whose file was checked."
    },
    [CAM_METRIC_DAMAGED] = {
        "camera_recordings_damaged_total", "",
        "Of these, files that are not what they should be."
    },

    [CAM_METRIC_RECORDINGS_START] = {
        "camera_recordings_requests_total", "kind=\"start\"",
        "Requests for what was recorded that were served."
    },
    [CAM_METRIC_RECORDINGS_PLAYLIST] = {
        "camera_recordings_requests_total", "kind=\"playlist\"",
        "Requests for what was recorded that were served."
    },
    [CAM_METRIC_RECORDINGS_MEDIA] = {
        "camera_recordings_requests_total", "kind=\"media\"",
        "Requests for what was recorded that were served."
    },
    [CAM_METRIC_RECORDINGS_DOWNLOAD] = {
        "camera_recordings_requests_total", "kind=\"download\"",
        "Requests for what was recorded that were served."
    },
    [CAM_METRIC_RECORDINGS_EXPORT] = {
        "camera_recordings_requests_total", "kind=\"export\"",
        "Requests for what was recorded that were served."
    },
    [CAM_METRIC_RECORDINGS_REFUSED] = {
        "camera_recordings_refused_total", "",
        "Requests for what was recorded answered with a status of 4xx."
    },
    [CAM_METRIC_RECORDINGS_UNAVAILABLE] = {
        "camera_recordings_unavailable_total", "",
        "Requests for what was recorded answered with a status of 5xx."
    },
    [CAM_METRIC_RECORDINGS_BYTES] = {
        "camera_recordings_bytes_total", "",
        "Bytes sent of what was recorded, headers included."
    },

    [CAM_METRIC_RECORD_FILES] = {
        "camera_record_files_total", "",
        "Recordings begun."
    },
    [CAM_METRIC_RECORD_FRAGMENTS] = {
        "camera_record_fragments_total", "",
        "Fragments written to recordings."
    },
    [CAM_METRIC_RECORD_BYTES] = {
        "camera_record_bytes_total", "",
        "Bytes of fragments written to recordings."
    },
    [CAM_METRIC_RECORD_ERRORS] = {
        "camera_record_errors_total", "",
        "Recordings that a write or a sync failed on."
    },
    [CAM_METRIC_RECORD_REMOVED] = {
        "camera_record_removed_total", "",
        "Recordings removed for their space."
    }
};


cam_metrics_t *
cam_metrics_open(const char *shm)
{
    cam_shared_file_t     file;
    cam_metrics_header_t  header;

    memset(&header, 0, sizeof(header));
    header.magic = CAM_METRICS_MAGIC;
    header.counters = CAM_METRICS_WORDS;

    file.header = &header;
    file.header_len = sizeof(header);
    file.known_len = sizeof(header);
    file.size = sizeof(cam_metrics_t);

    return cam_shared_file_map(shm, "metrics", &file);
}


void
cam_metrics_close(cam_metrics_t *m)
{
    if (m != NULL) {
        munmap(m, sizeof(cam_metrics_t));
    }
}


void
cam_metrics_add(cam_metrics_t *m, cam_metric_e metric, uint64_t n)
{
    if (m != NULL && (unsigned) metric < CAM_METRICS) {
        __atomic_fetch_add(&m->counter[metric], n, __ATOMIC_RELAXED);
    }
}


void
cam_metrics_set(cam_metrics_t *m, cam_metric_e gauge, uint64_t value)
{
    if (m != NULL && (unsigned) gauge < CAM_METRICS) {
        __atomic_store_n(&m->counter[gauge], value, __ATOMIC_RELAXED);
    }
}


uint64_t
cam_metrics_get(cam_metrics_t *m, cam_metric_e metric)
{
    return __atomic_load_n(&m->counter[metric], __ATOMIC_RELAXED);
}


const cam_metric_info_t *
cam_metrics_info(cam_metric_e metric)
{
    return &cam_metrics_infos[metric];
}
