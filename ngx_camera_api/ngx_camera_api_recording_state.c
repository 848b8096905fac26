/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What is being recorded now, out of shared memory: live/.records, which
 * camera-worker writes.  A node without recording has no such file, and nothing
 * is said then.
 */

#include "clock.h"
#include "ngx_camera.h"
#include "ngx_camera_api_recordings.h"
#include "record_table.h"

#define NGX_CAMERA_API_RECORDING_LOOK_MSEC  1000


static cam_record_table_t *ngx_camera_api_recording_table(void);


static struct {
    cam_record_table_t  *table;
    ngx_msec_t           looked;
    unsigned             ever:1;
} ngx_camera_api_recording;


static const char  *const ngx_camera_api_recording_states[] = {
    [CAM_RECORD_IDLE] = "idle",
    [CAM_RECORD_RECORDING] = "recording",
    [CAM_RECORD_WAITING] = "waiting",
    [CAM_RECORD_NO_SPACE] = "noSpace",
    [CAM_RECORD_DISK_ERROR] = "diskError",
    [CAM_RECORD_NO_KEY] = "noKey"
};


/* the file is looked for once a second at most: camera-worker may have made
   it, or another one, since */

static cam_record_table_t *
ngx_camera_api_recording_table(void)
{
    ngx_camera_conf_t  *ccf;

    if (ngx_camera_api_recording.ever
        && ngx_current_msec - ngx_camera_api_recording.looked
           < NGX_CAMERA_API_RECORDING_LOOK_MSEC)
    {
        return ngx_camera_api_recording.table;
    }

    ngx_camera_api_recording.ever = 1;
    ngx_camera_api_recording.looked = ngx_current_msec;

    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    if (ngx_camera_api_recording.table
        && cam_record_table_stale(ngx_camera_api_recording.table,
                                  ccf->live_fd))
    {
        cam_record_table_close(ngx_camera_api_recording.table);
        ngx_camera_api_recording.table = NULL;
    }

    if (ngx_camera_api_recording.table == NULL) {
        ngx_camera_api_recording.table =
            cam_record_table_reader_open(ccf->live_fd);
    }

    return ngx_camera_api_recording.table;
}


ngx_camera_api_code_e
ngx_camera_api_recording_room(void)
{
    int64_t               now;
    ngx_uint_t            n, known, full;
    cam_record_table_t   *table;
    cam_record_volume_t   volume;

    table = ngx_camera_api_recording_table();

    if (table == NULL) {
        return NGX_CAMERA_API_OK;
    }

    now = cam_clock_monotonic_msec();
    known = 0;
    full = 0;

    for (n = 0; n < CAM_RECORD_VOLUMES; n++) {
        cam_record_volume_get(table, n, &volume);

        if (volume.state == CAM_RECORD_VOLUME_ABSENT) {
            continue;
        }

        known++;

        if (now - volume.beat_msec > CAM_RECORD_BEAT_MSEC) {
            continue;
        }

        if (volume.state == CAM_RECORD_VOLUME_OK
            || volume.state == CAM_RECORD_VOLUME_LOW)
        {
            return NGX_CAMERA_API_OK;
        }

        full += volume.state == CAM_RECORD_VOLUME_FULL;
    }

    if (known == 0) {
        return NGX_CAMERA_API_OK;
    }

    return full ? NGX_CAMERA_API_STORAGE_FULL
                : NGX_CAMERA_API_RECORDING_FAILED;
}


void
ngx_camera_api_recording_put(ngx_camera_api_ctx_t *ctx, const u_char *camera)
{
    cam_record_state_t   state;
    cam_record_table_t  *table;

    table = ngx_camera_api_recording_table();

    if (table == NULL || cam_record_state_get(table, camera, &state) != 0
        || state.state > CAM_RECORD_NO_KEY)
    {
        ngx_camera_api_put_null(ctx, "recording");
        return;
    }

    ngx_camera_api_begin(ctx, "recording", '{');
    ngx_camera_api_put_string(ctx, "state",
                              ngx_camera_api_recording_states[state.state]);

    if (state.state == CAM_RECORD_RECORDING && state.start_msec) {
        ngx_camera_api_put_time(ctx, "startTime", state.start_msec);
        ngx_camera_api_put_time(ctx, "endTime", state.end_msec);
        ngx_camera_api_put_int(ctx, "bytes", (int64_t) state.bytes);

    } else {
        ngx_camera_api_put_null(ctx, "startTime");
        ngx_camera_api_put_null(ctx, "endTime");
        ngx_camera_api_put_null(ctx, "bytes");
    }

    ngx_camera_api_end(ctx, '}');
}
