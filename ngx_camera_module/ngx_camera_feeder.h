/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The feeder's two halves: ngx_camera_feeder.c decides which worker feeds the
 * registry and when it reads; ngx_camera_feeder_rows.c turns rows into
 * entries.
 */

#ifndef NGX_CAMERA_FEEDER_H
#define NGX_CAMERA_FEEDER_H

#include <ngx_config.h>
#include <ngx_core.h>

#include "registry.h"

#define NGX_CAMERA_FEEDER_XID_MAX  24        /* xid8 as text, with its NUL */

struct pg_result;


/* columns of the statement that reads cameras, in its order */
enum {
    NGX_CAMERA_FEEDER_XMIN = 0,
    NGX_CAMERA_FEEDER_CAMERA,
    NGX_CAMERA_FEEDER_TENANT,
    NGX_CAMERA_FEEDER_KEY,
    NGX_CAMERA_FEEDER_ACTIVE,
    NGX_CAMERA_FEEDER_CUT_AT_EXPIRY,
    NGX_CAMERA_FEEDER_KEY_GENERATION,
    NGX_CAMERA_FEEDER_PREV_GENERATION,
    NGX_CAMERA_FEEDER_PREV_UNTIL,
    NGX_CAMERA_FEEDER_OPAQUE,
    NGX_CAMERA_FEEDER_PREV_OPAQUE,
    NGX_CAMERA_FEEDER_PLAY_EPOCH,
    NGX_CAMERA_FEEDER_MAX_PUBLISHERS,
    NGX_CAMERA_FEEDER_CIDRS,
    NGX_CAMERA_FEEDER_STATUS,
    NGX_CAMERA_FEEDER_REMOVED,
    NGX_CAMERA_FEEDER_COLUMNS
};


#define NGX_CAMERA_FEEDER_SELECT                                              \
    "SELECT x.xmin, f.camera, f.tenant, f.key, f.active, f.cut_at_expiry, "   \
           "f.key_generation, f.prev_generation, f.prev_until, "              \
           "f.opaque_hash, f.prev_opaque_hash, f.play_epoch, "                \
           "f.max_publishers, f.cidrs, f.stream_status, f.removed "           \
    "FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xmin) x "        \
    "LEFT JOIN feeder_cameras f "                                             \
        "ON f.rev >= $1::text::xid8 "                                         \
       "AND NOT (f.removed AND $1::text = '0')"


/*
 * Puts the rows of a read into the registry; whole: what is not among them is
 * removed.  Answers the number of cameras that did not fit, or NGX_ERROR when
 * the answer is not what the statement promises.
 */
ngx_int_t ngx_camera_feeder_rows(cam_registry_t *reg,
    const struct pg_result *res, ngx_uint_t whole, ngx_log_t *log);


#endif /* NGX_CAMERA_FEEDER_H */
