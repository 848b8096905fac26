/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * One publication per camera, over all workers of all generations: the
 * registry's state holds the generation of the current one, and who wants to
 * be next replaces it by compare-and-swap.  The loser of a race looks again;
 * the superseded writer finds a number that is not its own and ends itself.
 *
 * What may be superseded is read from the ring of the current publication:
 *
 *   its writer is dead                      a claim like any other
 *   same credential, or silent for 3 s      a takeover, at once
 *   another credential, media flows         refused: busy
 *   three takeovers within a minute         refused for a minute: two
 *                                           devices fight over one camera
 *
 * Nobody is superseded without room for another ring: a full shared memory
 * keeps newcomers out, it ends nobody who is live.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "clock.h"
#include "ngx_camera_ingest.h"


#define NGX_CAMERA_INGEST_SILENT_MSEC    3000
#define NGX_CAMERA_INGEST_TAKEOVERS      3
#define NGX_CAMERA_INGEST_TAKEOVER_MSEC  60000


static ngx_uint_t ngx_camera_ingest_quota(ngx_camera_conf_t *ccf,
    ngx_camera_grant_t *grant);
static ngx_uint_t ngx_camera_ingest_alive(ngx_camera_conf_t *ccf,
    const uint8_t *camera, cam_ring_info_t *info);
static ngx_uint_t ngx_camera_ingest_live(cam_registry_state_t *state,
    uint64_t *generation);
static cam_reason_e ngx_camera_ingest_takeover(ngx_camera_conf_t *ccf,
    ngx_camera_grant_t *grant, cam_ring_info_t *info);
static cam_reason_e ngx_camera_ingest_open(ngx_camera_conf_t *ccf,
    ngx_camera_ingest_ctx_t *ctx, cam_ring_info_t *info);


cam_reason_e
ngx_camera_ingest_claim(ngx_camera_conf_t *ccf, ngx_camera_ingest_ctx_t *ctx,
    ngx_camera_grant_t *grant)
{
    uint64_t               current;
    ngx_uint_t             tries;
    cam_reason_e           reason;
    cam_ring_info_t        info;
    cam_registry_state_t  *state;

    if (!ngx_camera_ingest_quota(ccf, grant)) {
        return CAM_REASON_QUOTA;
    }

    state = cam_registry_state(ccf->registry, grant->slot);

    for (tries = 0; tries < 3; tries++) {

        ngx_memzero(&info, sizeof(info));

        if (ngx_camera_ingest_live(state, &current)) {

            reason = ngx_camera_ingest_takeover(ccf, grant, &info);

            if (reason != CAM_REASON_NONE) {
                return reason;
            }
        }

        info.generation = cam_registry_claim(ccf->registry, grant->slot,
                                             current);

        if (info.generation == 0) {
            continue;
        }

        ctx->slot = grant->slot;
        ctx->state = state;
        ctx->version = grant->version;
        ctx->checked = ngx_time();
        ctx->credential = grant->credential;
        ctx->generation = info.generation;
        ngx_memcpy(ctx->camera, grant->entry.camera, CAM_UUID_LEN);

        return ngx_camera_ingest_open(ccf, ctx, &info);
    }

    return CAM_REASON_BUSY;
}


/*
 * Publications of the tenant, this camera's own not counted.  After a crash
 * the registry names some that are gone, so when there are too many each is
 * looked at.
 */

static ngx_uint_t
ngx_camera_ingest_quota(ngx_camera_conf_t *ccf, ngx_camera_grant_t *grant)
{
    int                    slot;
    uint64_t               generation;
    ngx_uint_t             others, check;
    cam_ring_info_t        ring;
    cam_registry_info_t    info;
    cam_registry_entry_t   entry;

    if (grant->entry.max_publishers == 0) {
        return 1;
    }

    cam_registry_info(ccf->registry, &info);

    for (check = 0; check < 2; check++) {

        others = 0;

        for (slot = 0; slot < (int) info.capacity; slot++) {

            if (slot != grant->slot
                && ngx_camera_ingest_live(
                       cam_registry_state(ccf->registry, slot), &generation)
                && cam_registry_get(ccf->registry, slot, &entry) == 0
                && ngx_memcmp(entry.tenant, grant->entry.tenant,
                              CAM_UUID_LEN) == 0
                && (!check
                    || ngx_camera_ingest_alive(ccf, entry.camera, &ring)))
            {
                others++;
            }
        }

        if (others < grant->entry.max_publishers) {
            return 1;
        }
    }

    return 0;
}


/* by the registry's word alone */

static ngx_uint_t
ngx_camera_ingest_live(cam_registry_state_t *state, uint64_t *generation)
{
    *generation = __atomic_load_n(&state->generation, __ATOMIC_ACQUIRE);

    return *generation != 0
           && *generation != __atomic_load_n(&state->ended_generation,
                                             __ATOMIC_ACQUIRE);
}


/* 1 and the facts, when the camera's current ring has a living writer */

static ngx_uint_t
ngx_camera_ingest_alive(ngx_camera_conf_t *ccf, const uint8_t *camera,
    cam_ring_info_t *info)
{
    ngx_uint_t          alive;
    cam_ring_reader_t  *reader;

    if (cam_ring_reader_open(&reader, ccf->rings_fd, camera) != CAM_RING_OK) {
        return 0;
    }

    alive = cam_ring_info(reader, info) == CAM_RING_OK
            && cam_ring_writer_alive(reader);

    cam_ring_reader_close(reader);

    return alive;
}


static cam_reason_e
ngx_camera_ingest_takeover(ngx_camera_conf_t *ccf, ngx_camera_grant_t *grant,
    cam_ring_info_t *info)
{
    int64_t     now, *past;
    ngx_uint_t  n;

    if (!ngx_camera_ingest_alive(ccf, grant->entry.camera, info)) {
        ngx_memzero(info, sizeof(cam_ring_info_t));
        return CAM_REASON_NONE;
    }

    now = cam_clock_monotonic_msec();

    if (now - info->last_media_msec < NGX_CAMERA_INGEST_SILENT_MSEC
        && ngx_memcmp(info->holder, grant->credential.holder,
                      sizeof(info->holder)) != 0)
    {
        return CAM_REASON_BUSY;
    }

    past = info->takeover_msec;
    n = NGX_CAMERA_INGEST_TAKEOVERS - 1;

    if (past[n] != 0
        && past[0] - past[n] < NGX_CAMERA_INGEST_TAKEOVER_MSEC
        && now - past[0] < NGX_CAMERA_INGEST_TAKEOVER_MSEC)
    {
        return CAM_REASON_TAKEOVER_LIMIT;
    }

    if (!cam_ring_has_room(ccf->rings_fd, ccf->ring_size)) {
        return CAM_REASON_NO_SPACE;
    }

    ngx_memmove(past + 1, past, sizeof(info->takeover_msec) - sizeof(*past));
    past[0] = now;

    return CAM_REASON_NONE;
}


static cam_reason_e
ngx_camera_ingest_open(ngx_camera_conf_t *ccf, ngx_camera_ingest_ctx_t *ctx,
    cam_ring_info_t *info)
{
    int                rc;
    size_t             len;
    ngx_err_t          err;
    ngx_connection_t  *c;

    c = ctx->session->connection;

    ngx_memcpy(info->camera, ctx->camera, CAM_UUID_LEN);
    ngx_memcpy(info->holder, ctx->credential.holder, sizeof(info->holder));
    info->capacity = ccf->ring_size;

    len = ngx_min(c->addr_text.len, sizeof(info->addr) - 1);
    ngx_memcpy(info->addr, c->addr_text.data, len);
    info->addr[len] = '\0';

    rc = cam_ring_writer_open(&ctx->ring, ccf->rings_fd, info);

    if (rc == CAM_RING_OK) {
        return CAM_REASON_NONE;
    }

    err = ngx_errno;

    ctx->ring = NULL;
    cam_registry_release(ccf->registry, ctx->slot, ctx->generation);

    if (rc == CAM_RING_NOSPACE) {
        return CAM_REASON_NO_SPACE;
    }

    if (err == ESTALE) {
        return CAM_REASON_BUSY;         /* a newer one was faster */
    }

    ngx_log_error(NGX_LOG_CRIT, c->log, err, "cam_ring_writer_open() failed");

    return CAM_REASON_NOT_READY;
}
