/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * /cameras/:id/recording: start, stop, and the weekly schedule.
 *
 * What is wanted is a row in the database, which the camera-worker follows
 * within a second; it stays wanted while nobody is there to record.  A start is
 * refused where this node's volumes are known and none of them can take it:
 * whoever presses the button is told, not only an alert.
 */

#include "ngx_camera_api.h"
#include "ngx_camera_api_recordings.h"
#include "record_schedule.h"

#define NGX_CAMERA_API_CONTROL_DURATION  0     /* fields, by their place */
#define NGX_CAMERA_API_CONTROL_PRE_ROLL  1
#define NGX_CAMERA_API_CONTROL_REASON    2

#define NGX_CAMERA_API_CONTROL_DURATION_MAX  86400
#define NGX_CAMERA_API_CONTROL_PRE_ROLL_MAX  300


static void ngx_camera_api_control_start(ngx_camera_api_ctx_t *ctx);


static ngx_camera_api_statement_t  ngx_camera_api_control_starting = {
    "api_recording_start",
    "SELECT $1::uuid, outcome, event_id, start_time, until_time"
    " FROM api_recording_start($1, $2, $3, $4, $5)",
    5, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_control_stopping = {
    "api_recording_stop",
    "SELECT $1::uuid, 'off', NULL::uuid, NULL::timestamptz, CURRENT_TIMESTAMP"
    " FROM api_recording_stop($1)",
    1, 0, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_control_schedule_get = {
    "api_schedule_get",
    "SELECT c.id, s.timezone, s.windows::text, s.updated_at FROM cameras c"
    " LEFT JOIN recording_schedules s ON s.camera_id = c.id"
    " WHERE c.id = $1 AND c.deleted_at IS NULL",
    1, NGX_CAMERA_API_READS, 0
};

static ngx_camera_api_statement_t  ngx_camera_api_control_schedule_put = {
    "api_schedule_put",
    "SELECT camera_id, timezone, windows::text, updated_at"
    " FROM api_schedule_put($1, $2, $3)",
    3, 0, 0
};

/* taking away what is not there is no error, as long as the camera is */

static ngx_camera_api_statement_t  ngx_camera_api_control_schedule_delete = {
    "api_schedule_delete",
    "SELECT api_schedule_delete(id) FROM cameras"
    " WHERE id = $1 AND deleted_at IS NULL",
    1, 0, 0
};

static ngx_camera_api_statement_t  *const
    ngx_camera_api_control_statements[] =
{
    &ngx_camera_api_control_starting,
    &ngx_camera_api_control_stopping,
    &ngx_camera_api_control_schedule_get,
    &ngx_camera_api_control_schedule_put,
    &ngx_camera_api_control_schedule_delete,
    NULL
};


static const ngx_camera_api_column_t  ngx_camera_api_control_columns[] = {
    { "cameraId", NGX_CAMERA_API_UUID, NULL },
    { "mode", NGX_CAMERA_API_TEXT, NULL },
    { "eventId", NGX_CAMERA_API_UUID, NULL },
    { "startTime", NGX_CAMERA_API_TIME, NULL },
    { "untilTime", NGX_CAMERA_API_TIME, NULL },
    NGX_CAMERA_API_COLUMNS_END
};

static const ngx_camera_api_column_t  ngx_camera_api_control_schedule[] = {
    { "cameraId", NGX_CAMERA_API_UUID, NULL },
    { "timezone", NGX_CAMERA_API_TEXT, NULL },
    { "windows", NGX_CAMERA_API_JSON, NULL },
    { "updatedAt", NGX_CAMERA_API_TIME, NULL },
    NGX_CAMERA_API_COLUMNS_END
};


static const cam_field_t  ngx_camera_api_control_event[] = {
    { "durationSeconds", CAM_FIELD_INT, 0, 1,
      NGX_CAMERA_API_CONTROL_DURATION_MAX, NULL, NULL },
    { "preRollSeconds", CAM_FIELD_INT, 0, 0,
      NGX_CAMERA_API_CONTROL_PRE_ROLL_MAX, NULL, NULL },
    { "reason", CAM_FIELD_TEXT, 0, 1, 200, NULL, NULL },
    CAM_FIELD_END
};

static const cam_field_t  ngx_camera_api_control_week[] = {
    { "timezone", CAM_FIELD_TEXT, CAM_FIELD_REQUIRED, 1, CAM_SCHEDULE_ZONE_MAX,
      NULL, cam_schedule_check_zone },
    { "windows", CAM_FIELD_OBJECTS, CAM_FIELD_REQUIRED, 0,
      CAM_SCHEDULE_WINDOWS_MAX, NULL, cam_schedule_check },
    CAM_FIELD_END
};


static const ngx_camera_api_conflict_t  ngx_camera_api_control_conflicts[] = {
    { "schedule_time_zones_are_known", NGX_CAMERA_API_VALIDATION_FAILED },
    { "schedule_windows_are_times_of_a_week",
      NGX_CAMERA_API_VALIDATION_FAILED },
    { NULL, NGX_CAMERA_API_OK }
};


static const ngx_camera_api_route_t  ngx_camera_api_control_routes[] = {

    {
        .method = NGX_HTTP_POST,
        .path = "/cameras/:id/recording/start",
        .needs = CAM_PERMIT_CAMERAS_WRITE,
        .flags = NGX_CAMERA_API_BODY_OPTIONAL,
        .ids = NGX_CAMERA_API_ID_CAMERA,
        .body = ngx_camera_api_control_event,
        .handler = ngx_camera_api_control_start,
        .columns = ngx_camera_api_control_columns,
        .missing = NGX_CAMERA_API_CAMERA_NOT_FOUND
    },

    {
        .method = NGX_HTTP_POST,
        .path = "/cameras/:id/recording/stop",
        .needs = CAM_PERMIT_CAMERAS_WRITE,
        .ids = NGX_CAMERA_API_ID_CAMERA,
        .statement = &ngx_camera_api_control_stopping,
        .columns = ngx_camera_api_control_columns,
        .missing = NGX_CAMERA_API_CAMERA_NOT_FOUND
    },

    {
        .method = NGX_HTTP_GET,
        .path = "/cameras/:id/recording/schedule",
        .needs = CAM_PERMIT_CAMERAS_READ,
        .ids = NGX_CAMERA_API_ID_CAMERA,
        .statement = &ngx_camera_api_control_schedule_get,
        .columns = ngx_camera_api_control_schedule,
        .missing = NGX_CAMERA_API_CAMERA_NOT_FOUND
    },

    {
        .method = NGX_HTTP_PUT,
        .path = "/cameras/:id/recording/schedule",
        .needs = CAM_PERMIT_CAMERAS_WRITE,
        .ids = NGX_CAMERA_API_ID_CAMERA,
        .body = ngx_camera_api_control_week,
        .statement = &ngx_camera_api_control_schedule_put,
        .columns = ngx_camera_api_control_schedule,
        .missing = NGX_CAMERA_API_CAMERA_NOT_FOUND,
        .conflicts = ngx_camera_api_control_conflicts
    },

    {
        .method = NGX_HTTP_DELETE,
        .path = "/cameras/:id/recording/schedule",
        .needs = CAM_PERMIT_CAMERAS_WRITE,
        .flags = NGX_CAMERA_API_NO_CONTENT,
        .ids = NGX_CAMERA_API_ID_CAMERA,
        .statement = &ngx_camera_api_control_schedule_delete,
        .missing = NGX_CAMERA_API_CAMERA_NOT_FOUND
    },

    { .path = NULL }
};


const ngx_camera_api_resource_t  ngx_camera_api_recording_control = {
    "recording control",
    ngx_camera_api_control_routes,
    ngx_camera_api_control_statements,
    NULL,
    NULL
};


/* without a duration from now on; with one, an event of that many seconds */

static void
ngx_camera_api_control_start(ngx_camera_api_ctx_t *ctx)
{
    cam_value_t            *body;
    ngx_camera_api_code_e   code;

    body = ctx->body;

    if (body[NGX_CAMERA_API_CONTROL_DURATION].text == NULL
        && (body[NGX_CAMERA_API_CONTROL_PRE_ROLL].text
            || body[NGX_CAMERA_API_CONTROL_REASON].text))
    {
        ngx_camera_api_problem(ctx, "durationSeconds",
                               "is required for an event");
        ngx_camera_api_error(ctx, NGX_CAMERA_API_VALIDATION_FAILED, NULL);
        return;
    }

    code = ngx_camera_api_recording_room();

    if (code != NGX_CAMERA_API_OK) {
        ngx_camera_api_error(ctx, code, NULL);
        return;
    }

    ngx_camera_api_params(ctx);
    ngx_camera_api_param_uuid(ctx, ctx->principal->user);

    ngx_camera_api_query(ctx, &ngx_camera_api_control_starting,
                         ngx_camera_api_reply_rows);
}
