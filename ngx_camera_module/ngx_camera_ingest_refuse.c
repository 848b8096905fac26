/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * How a publisher is turned away: a status with a sentence for whoever looks
 * at the encoder, one line in the log, a note in the registry for `camera
 * doctor`, and the end of the session a moment later.
 *
 * Encoders come back at once, so a camera that was refused a moment ago gets
 * its next refusal late.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_rtmp.h>

#include "clock.h"
#include "flv.h"
#include "ngx_camera_guard.h"
#include "ngx_camera_ingest.h"
#include "ngx_camera_metrics.h"


#define NGX_CAMERA_INGEST_AGAIN_MSEC   3000   /* "a moment ago" */
#define NGX_CAMERA_INGEST_DELAY_MSEC   500    /* and as much again, random */
#define NGX_CAMERA_INGEST_LINGER_MSEC  300


static ngx_msec_t ngx_camera_ingest_delay(ngx_camera_conf_t *ccf, int slot);
static void ngx_camera_ingest_delayed(ngx_event_t *ev);
static void ngx_camera_ingest_send_refusal(ngx_camera_ingest_ctx_t *ctx);
static char *ngx_camera_ingest_code(cam_reason_e reason);
static char *ngx_camera_ingest_text(cam_reason_e reason, uint32_t detail);


void
ngx_camera_ingest_refuse(ngx_camera_ingest_ctx_t *ctx, int slot,
    cam_reason_e reason, uint32_t detail)
{
    ngx_msec_t             delay;
    ngx_connection_t      *c;
    ngx_camera_conf_t     *ccf;
    cam_registry_entry_t   entry;

    c = ctx->session->connection;
    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    ctx->reason = reason;
    ctx->detail = detail;

    delay = 0;

    if (slot != -1) {
        delay = ngx_camera_ingest_delay(ccf, slot);
        cam_registry_refused(ccf->registry, slot, reason, detail);

        if (cam_registry_get(ccf->registry, slot, &entry) == 0) {
            ngx_camera_ingest_set_camera(ctx, entry.camera);
        }
    }

    ngx_camera_count(CAM_METRIC_REFUSED + reason, 1);

    ngx_log_error(NGX_LOG_NOTICE, c->log, 0,
                  "publish refused: %s", cam_reason_name(reason));

    if (delay == 0) {
        ngx_camera_ingest_send_refusal(ctx);
        return;
    }

    /* nothing that it sends meanwhile is looked at */

    ngx_camera_guard_closing(ctx->session,
                             delay + NGX_CAMERA_INGEST_LINGER_MSEC);

    ctx->refusal.handler = ngx_camera_ingest_delayed;
    ctx->refusal.data = c;
    ctx->refusal.log = c->log;

    ngx_add_timer(&ctx->refusal, delay);
}


static ngx_msec_t
ngx_camera_ingest_delay(ngx_camera_conf_t *ccf, int slot)
{
    int64_t                age;
    cam_registry_state_t  *state;

    state = cam_registry_state(ccf->registry, slot);
    age = cam_clock_wall_msec()
          - __atomic_load_n(&state->refused_msec, __ATOMIC_RELAXED);

    if (age < 0 || age > NGX_CAMERA_INGEST_AGAIN_MSEC) {
        return 0;
    }

    return NGX_CAMERA_INGEST_DELAY_MSEC
           + ngx_random() % NGX_CAMERA_INGEST_DELAY_MSEC;
}


static void
ngx_camera_ingest_delayed(ngx_event_t *ev)
{
    ngx_connection_t    *c;
    ngx_rtmp_session_t  *s;

    c = ev->data;
    s = c->data;

    if (!c->destroyed) {
        ngx_camera_ingest_send_refusal(
            ngx_rtmp_get_module_ctx(s, ngx_camera_ingest_module));
    }
}


static void
ngx_camera_ingest_send_refusal(ngx_camera_ingest_ctx_t *ctx)
{
    ngx_rtmp_session_t  *s;

    s = ctx->session;

    if (ngx_rtmp_send_status(s, ngx_camera_ingest_code(ctx->reason), "error",
                             ngx_camera_ingest_text(ctx->reason, ctx->detail))
        != NGX_OK)
    {
        ngx_rtmp_finalize_session(s);
        return;
    }

    ngx_camera_guard_closing(s, NGX_CAMERA_INGEST_LINGER_MSEC);
}


void
ngx_camera_ingest_cut(ngx_camera_ingest_ctx_t *ctx, cam_reason_e reason,
    uint32_t detail)
{
    ngx_camera_conf_t  *ccf;

    ccf = ngx_camera_conf((ngx_cycle_t *) ngx_cycle);

    ctx->reason = reason;
    ctx->detail = detail;

    ngx_log_error(NGX_LOG_NOTICE, ctx->session->connection->log, 0,
                  "publishing cut: %s", cam_reason_name(reason));

    ngx_camera_count(CAM_METRIC_CUT, 1);

    ngx_camera_ingest_stop(ctx);
    cam_registry_refused(ccf->registry, ctx->slot, reason, detail);
    ngx_camera_ingest_send_refusal(ctx);
}


void
ngx_camera_ingest_superseded(ngx_camera_ingest_ctx_t *ctx)
{
    ngx_log_error(NGX_LOG_NOTICE, ctx->session->connection->log, 0,
                  "publishing superseded by another session");

    ngx_camera_count(CAM_METRIC_TAKEOVERS, 1);

    ngx_camera_ingest_stop(ctx);

    ctx->reason = CAM_REASON_BUSY;
    ngx_camera_ingest_send_refusal(ctx);
}


void
ngx_camera_ingest_drained(ngx_camera_ingest_ctx_t *ctx)
{
    ngx_log_error(NGX_LOG_NOTICE, ctx->session->connection->log, 0,
                  "publishing drained");

    ngx_camera_ingest_stop(ctx);

    ctx->reason = CAM_REASON_DRAINED;
    ngx_camera_ingest_send_refusal(ctx);
}


/* encoders tell their user apart what can be corrected and what will pass */

static char *
ngx_camera_ingest_code(cam_reason_e reason)
{
    switch (reason) {

    case CAM_REASON_BUSY:
    case CAM_REASON_TAKEOVER_LIMIT:
        return "NetStream.Publish.BadName";

    case CAM_REASON_NO_SPACE:
    case CAM_REASON_NOT_READY:
    case CAM_REASON_IDLE:
    case CAM_REASON_DRAINED:
        return "NetStream.Failed";

    default:
        return "NetStream.Publish.Denied";
    }
}


static char *
ngx_camera_ingest_text(cam_reason_e reason, uint32_t detail)
{
    char  name[CAM_FLV_CODEC_NAME];

    static u_char  text[256];

    switch (reason) {

    case CAM_REASON_VIDEO_CODEC:
        (void) cam_flv_video_name(name, detail);
        break;

    case CAM_REASON_AUDIO_CODEC:
        (void) cam_flv_audio_name(name, detail);
        break;

    default:
        return (char *) cam_reason_text(reason);
    }

    (void) ngx_snprintf(text, sizeof(text) - 1, "%s: %s%Z", name,
                        cam_reason_text(reason));

    return (char *) text;
}
