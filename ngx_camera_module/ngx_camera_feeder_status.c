/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What the media plane sees of each camera, written back for lists and alerts
 * as cameras.stream_status:
 *
 *     connecting  accepted, no frame yet
 *     online      frames came, and their writer lives
 *     error       turned away within the last minute
 *     offline     otherwise
 *
 * The slots are walked through once a second, a fifth of them at each tick,
 * and what changed goes out in one statement.  That the writer of a ring
 * lives is asked of the kernel: a worker that was killed has told nobody.
 * A publication that is known to be online is asked after each 5 s only, for
 * that costs seven system calls.  Nothing depends on the column; when a write
 * fails all are written again.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <libpq-fe.h>

#include "clock.h"
#include "ngx_camera.h"
#include "ngx_camera_feeder.h"
#include "ring.h"

#define NGX_CAMERA_FEEDER_BATCH        256
#define NGX_CAMERA_FEEDER_PROBES       200    /* rings opened at one tick */
#define NGX_CAMERA_FEEDER_TRUST_MSEC   5000   /* online until probed again */
#define NGX_CAMERA_FEEDER_ERROR_MSEC   60000
#define NGX_CAMERA_FEEDER_PAUSE        25     /* ticks after a failure */
#define NGX_CAMERA_FEEDER_WRITE_MSEC   5000


typedef enum {
    NGX_CAMERA_FEEDER_UNKNOWN = 0,
    NGX_CAMERA_FEEDER_OFFLINE,
    NGX_CAMERA_FEEDER_CONNECTING,
    NGX_CAMERA_FEEDER_ONLINE,
    NGX_CAMERA_FEEDER_ERROR
} ngx_camera_feeder_status_e;


typedef struct {
    uint8_t                      camera[CAM_UUID_LEN];
    ngx_camera_feeder_status_e   status;         /* last written */
    uint64_t                     generation;     /* last probed, and when */
    int64_t                      probed_msec;
} ngx_camera_feeder_slot_t;


struct ngx_camera_feeder_status_s {
    ngx_camera_conf_t           *conf;
    ngx_camera_feeder_slot_t    *slots;
    ngx_uint_t                   next;           /* slot to be looked at */
    ngx_uint_t                   pause;
    ngx_uint_t                   n;              /* of the batch */
    ngx_uint_t                   writing;

    /* two arrays of PostgreSQL in text */
    u_char                      *ids_last;
    u_char                      *words_last;
    u_char     ids[NGX_CAMERA_FEEDER_BATCH * (CAM_UUID_TEXT + 1) + 3];
    u_char     words[NGX_CAMERA_FEEDER_BATCH * sizeof("connecting,") + 3];
};


static void ngx_camera_feeder_status_walk(ngx_camera_feeder_status_t *st);
static ngx_camera_feeder_status_e ngx_camera_feeder_status_see(
    ngx_camera_feeder_status_t *st, ngx_uint_t slot, const uint8_t *camera,
    ngx_uint_t *probes);
static ngx_uint_t ngx_camera_feeder_status_trusted(
    ngx_camera_feeder_slot_t *slot, uint64_t generation, int64_t now);
static ngx_camera_feeder_status_e ngx_camera_feeder_status_probe(
    ngx_camera_feeder_status_t *st, const uint8_t *camera);
static void ngx_camera_feeder_status_add(ngx_camera_feeder_status_t *st,
    const uint8_t *camera, ngx_camera_feeder_status_e status);
static void ngx_camera_feeder_status_send(ngx_camera_feeder_status_t *st,
    ngx_camera_pg_pool_t *pg, ngx_uint_t statement);
static void ngx_camera_feeder_status_done(void *data, ngx_camera_pg_rc_e rc,
    const PGresult *res, const ngx_camera_pg_error_t *error);


static const char  *ngx_camera_feeder_status_words[] = {
    "", "offline", "connecting", "online", "error"
};


ngx_camera_feeder_status_t *
ngx_camera_feeder_status_create(ngx_pool_t *pool, ngx_camera_conf_t *conf)
{
    ngx_camera_feeder_status_t  *st;

    st = ngx_pcalloc(pool, sizeof(ngx_camera_feeder_status_t));
    if (st == NULL) {
        return NULL;
    }

    st->conf = conf;
    st->slots = ngx_pcalloc(pool,
                            conf->cameras * sizeof(ngx_camera_feeder_slot_t));

    return st->slots ? st : NULL;
}


void
ngx_camera_feeder_status_tick(ngx_camera_feeder_status_t *st,
    ngx_camera_pg_pool_t *pg, ngx_uint_t statement)
{
    if (st->writing || ngx_camera_pg_ready(pg) == 0) {
        return;
    }

    if (st->pause) {
        st->pause--;
        return;
    }

    st->n = 0;
    st->ids_last = st->ids;
    st->words_last = st->words;

    ngx_camera_feeder_status_walk(st);

    if (st->n) {
        ngx_camera_feeder_status_send(st, pg, statement);
    }
}


static void
ngx_camera_feeder_status_walk(ngx_camera_feeder_status_t *st)
{
    ngx_uint_t                   n, probes;
    cam_registry_entry_t         entry;
    ngx_camera_feeder_slot_t    *slot;
    ngx_camera_feeder_status_e   status;

    probes = 0;

    for (n = st->conf->cameras / 5 + 1; n; n--) {

        if (st->n == NGX_CAMERA_FEEDER_BATCH
            || probes == NGX_CAMERA_FEEDER_PROBES)
        {
            return;
        }

        st->next = (st->next + 1) % st->conf->cameras;
        slot = &st->slots[st->next];

        if (cam_registry_get(st->conf->registry, (int) st->next, &entry) != 0)
        {
            slot->status = NGX_CAMERA_FEEDER_UNKNOWN;
            continue;
        }

        status = ngx_camera_feeder_status_see(st, st->next, entry.camera,
                                              &probes);

        if (slot->status == status
            && ngx_memcmp(slot->camera, entry.camera, CAM_UUID_LEN) == 0)
        {
            continue;
        }

        ngx_camera_feeder_status_add(st, entry.camera, status);

        ngx_memcpy(slot->camera, entry.camera, CAM_UUID_LEN);
        slot->status = status;
    }
}


static ngx_camera_feeder_status_e
ngx_camera_feeder_status_see(ngx_camera_feeder_status_t *st, ngx_uint_t slot,
    const uint8_t *camera, ngx_uint_t *probes)
{
    int64_t                      now, refused;
    uint64_t                     generation, ended;
    cam_registry_state_t        *state;
    ngx_camera_feeder_slot_t    *seen;
    ngx_camera_feeder_status_e   status;

    seen = &st->slots[slot];
    state = cam_registry_state(st->conf->registry, (int) slot);

    generation = __atomic_load_n(&state->generation, __ATOMIC_ACQUIRE);
    ended = __atomic_load_n(&state->ended_generation, __ATOMIC_RELAXED);
    refused = __atomic_load_n(&state->refused_msec, __ATOMIC_RELAXED);

    status = NGX_CAMERA_FEEDER_OFFLINE;

    if (generation != ended) {
        now = cam_clock_monotonic_msec();

        if (ngx_camera_feeder_status_trusted(seen, generation, now)) {
            return NGX_CAMERA_FEEDER_ONLINE;
        }

        (*probes)++;
        status = ngx_camera_feeder_status_probe(st, camera);

        seen->generation = generation;
        seen->probed_msec = now;
    }

    if (status == NGX_CAMERA_FEEDER_OFFLINE && refused != 0
        && refused > cam_clock_wall_msec() - NGX_CAMERA_FEEDER_ERROR_MSEC)
    {
        return NGX_CAMERA_FEEDER_ERROR;
    }

    return status;
}


static ngx_uint_t
ngx_camera_feeder_status_trusted(ngx_camera_feeder_slot_t *slot,
    uint64_t generation, int64_t now)
{
    return slot->status == NGX_CAMERA_FEEDER_ONLINE
           && slot->generation == generation
           && now - slot->probed_msec < NGX_CAMERA_FEEDER_TRUST_MSEC;
}


static ngx_camera_feeder_status_e
ngx_camera_feeder_status_probe(ngx_camera_feeder_status_t *st,
    const uint8_t *camera)
{
    int                          rc;
    cam_ring_info_t              info;
    cam_ring_reader_t           *reader;
    ngx_camera_feeder_status_e   status;

    rc = cam_ring_reader_open(&reader, st->conf->rings_fd, camera);

    if (rc != CAM_RING_OK) {
        return NGX_CAMERA_FEEDER_OFFLINE;
    }

    if (!cam_ring_writer_alive(reader)
        || cam_ring_info(reader, &info) != CAM_RING_OK)
    {
        status = NGX_CAMERA_FEEDER_OFFLINE;

    } else if (info.frames[CAM_TRACK_VIDEO] + info.frames[CAM_TRACK_AUDIO]) {
        status = NGX_CAMERA_FEEDER_ONLINE;

    } else {
        status = NGX_CAMERA_FEEDER_CONNECTING;
    }

    cam_ring_reader_close(reader);

    return status;
}


static void
ngx_camera_feeder_status_add(ngx_camera_feeder_status_t *st,
    const uint8_t *camera, ngx_camera_feeder_status_e status)
{
    char    text[CAM_UUID_TEXT + 1];
    u_char  begin;

    begin = st->n ? ',' : '{';

    st->ids_last = ngx_sprintf(st->ids_last, "%c%s", begin,
                               cam_uuid_print(text, camera));
    st->words_last = ngx_sprintf(st->words_last, "%c%s", begin,
                                 ngx_camera_feeder_status_words[status]);
    st->n++;
}


static void
ngx_camera_feeder_status_send(ngx_camera_feeder_status_t *st,
    ngx_camera_pg_pool_t *pg, ngx_uint_t statement)
{
    ngx_camera_pg_param_t  params[3];

    ngx_sprintf(st->ids_last, "}%Z");
    ngx_sprintf(st->words_last, "}%Z");

    ngx_memzero(params, sizeof(params));

    params[0].data = (char *) st->ids;
    params[1].data = (char *) st->words;
    params[2].data = (char *) st->conf->node.data;

    if (ngx_camera_pg_start(pg, statement, params, 3,
                            NGX_CAMERA_FEEDER_WRITE_MSEC,
                            ngx_camera_feeder_status_done, st)
        == NULL)
    {
        ngx_camera_feeder_status_done(st, NGX_CAMERA_PG_LOST, NULL, NULL);
        return;
    }

    st->writing = 1;
}


static void
ngx_camera_feeder_status_done(void *data, ngx_camera_pg_rc_e rc,
    const PGresult *res, const ngx_camera_pg_error_t *error)
{
    ngx_camera_feeder_status_t  *st = data;

    st->writing = 0;

    if (rc == NGX_CAMERA_PG_OK) {
        return;
    }

    if (rc == NGX_CAMERA_PG_REFUSED) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "states of cameras cannot be written: SQLSTATE %s",
                      error->sqlstate);
    }

    st->pause = NGX_CAMERA_FEEDER_PAUSE;

    ngx_memzero(st->slots,
                st->conf->cameras * sizeof(ngx_camera_feeder_slot_t));
}
