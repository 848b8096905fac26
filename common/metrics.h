/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Counters of all processes of a node: one word each in shm/metrics, which
 * nginx's workers and camera-worker add to and /metrics shows.  They only
 * grow, over the death of whoever counts, for as long as the directory lives.
 * A gauge is such a word that one process sets.
 *
 * What is counted has its name, labels and help here and nowhere else.
 */

#ifndef CAM_METRICS_H
#define CAM_METRICS_H

#include <stdint.h>

#define CAM_METRICS_WORDS    256     /* of the file, those to come too */
#define CAM_METRICS_REASONS  32      /* cam_reason_e, with room to grow */


/* the numbers are part of the file: a new counter goes to the end of its
   part */

typedef enum {
    CAM_METRIC_PUBLISH_ACCEPTED = 0,
    CAM_METRIC_PUBLISH_ENDED,
    CAM_METRIC_TAKEOVERS,
    CAM_METRIC_CUT,
    CAM_METRIC_INGEST_VIDEO_FRAMES,
    CAM_METRIC_INGEST_AUDIO_FRAMES,
    CAM_METRIC_INGEST_BYTES,
    CAM_METRIC_RTMPS_OK,
    CAM_METRIC_RTMPS_FAILED,
    CAM_METRIC_GUARD_CLOSED,

    CAM_METRIC_HLS_MASTER,
    CAM_METRIC_HLS_PLAYLIST,
    CAM_METRIC_HLS_INIT,
    CAM_METRIC_HLS_SEGMENT,
    CAM_METRIC_HLS_PART,
    CAM_METRIC_HLS_REFUSED,
    CAM_METRIC_HLS_UNAVAILABLE,
    CAM_METRIC_HLS_BYTES,

    CAM_METRIC_PACKAGE_PARTS,
    CAM_METRIC_PACKAGE_SEGMENTS,
    CAM_METRIC_PACKAGE_BYTES,
    CAM_METRIC_PACKAGE_LOST_FRAMES,
    CAM_METRIC_PACKAGE_LOST_PARTS,
    CAM_METRIC_WORKER_CRASHES,
    CAM_METRIC_WORKER_HANGS,
    CAM_METRIC_QUARANTINES,
    CAM_METRIC_PROBE_KILLS,
    CAM_METRIC_SNAPSHOTS,
    CAM_METRIC_JOURNAL_LINES,
    CAM_METRIC_JOURNAL_SKIPPED,
    CAM_METRIC_JOURNAL_PENDING,
    CAM_METRIC_JOURNAL_BEHIND,
    CAM_METRIC_REMOVED,
    CAM_METRIC_PROBED,
    CAM_METRIC_DAMAGED,
    CAM_METRIC_RECORDINGS_START,
    CAM_METRIC_RECORDINGS_PLAYLIST,
    CAM_METRIC_RECORDINGS_MEDIA,
    CAM_METRIC_RECORDINGS_DOWNLOAD,
    CAM_METRIC_RECORDINGS_EXPORT,
    CAM_METRIC_RECORDINGS_REFUSED,
    CAM_METRIC_RECORDINGS_UNAVAILABLE,
    CAM_METRIC_RECORDINGS_BYTES,
    CAM_METRIC_RECORD_FILES,
    CAM_METRIC_RECORD_FRAGMENTS,
    CAM_METRIC_RECORD_BYTES,
    CAM_METRIC_RECORD_ERRORS,
    CAM_METRIC_RECORD_REMOVED,
    CAM_METRICS_NAMED,

    CAM_METRIC_REFUSED = 128,        /* the first of a counter per reason */
    CAM_METRICS = CAM_METRIC_REFUSED + CAM_METRICS_REASONS
} cam_metric_e;


typedef struct {
    const char   *name;              /* counters of one name stand together */
    const char   *labels;            /* "a=\"b\"", "" for none */
    const char   *help;
    int           gauge;             /* is set, and may fall */
} cam_metric_info_t;

typedef struct cam_metrics_s  cam_metrics_t;


/* maps shm/metrics, creating it when it is absent; NULL with errno */
cam_metrics_t *cam_metrics_open(const char *shm);
void cam_metrics_close(cam_metrics_t *m);

/* m may be NULL: then nothing is counted */
void cam_metrics_add(cam_metrics_t *m, cam_metric_e metric, uint64_t n);
void cam_metrics_set(cam_metrics_t *m, cam_metric_e gauge, uint64_t value);
uint64_t cam_metrics_get(cam_metrics_t *m, cam_metric_e metric);

/* for the counters below CAM_METRICS_NAMED; those of a reason are
   camera_publish_refused_total{reason="..."} */
const cam_metric_info_t *cam_metrics_info(cam_metric_e metric);


#endif /* CAM_METRICS_H */
