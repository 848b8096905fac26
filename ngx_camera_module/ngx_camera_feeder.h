/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The feeder's three parts: ngx_camera_feeder.c decides which worker feeds the
 * registry and when it reads; ngx_camera_feeder_rows.c turns rows into
 * entries; ngx_camera_feeder_status.c reports what became of the cameras.
 */

#ifndef NGX_CAMERA_FEEDER_H
#define NGX_CAMERA_FEEDER_H

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_camera.h"
#include "ngx_camera_pg.h"

#define NGX_CAMERA_FEEDER_XID_MAX  24        /* xid8 as text, with its NUL */

typedef struct ngx_camera_feeder_status_s  ngx_camera_feeder_status_t;


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
    NGX_CAMERA_FEEDER_REMOVED,
    NGX_CAMERA_FEEDER_MAX_VIEWERS,
    NGX_CAMERA_FEEDER_MAX_EGRESS,
    NGX_CAMERA_FEEDER_COLUMNS
};


#define NGX_CAMERA_FEEDER_SELECT                                              \
    "SELECT x.xmin, f.camera, f.tenant, f.key, f.active, f.cut_at_expiry, "   \
           "f.key_generation, f.prev_generation, f.prev_until, "              \
           "f.opaque_hash, f.prev_opaque_hash, f.play_epoch, "                \
           "f.max_publishers, f.cidrs, f.removed, f.max_viewers, "             \
           "f.max_egress_kbps "                                               \
    "FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xmin) x "        \
    "LEFT JOIN feeder_cameras f "                                             \
        "ON f.rev >= $1::text::xid8 "                                         \
       "AND NOT (f.removed AND $1::text = '0')"

/* a node says nothing of a camera that is live at another one */

#define NGX_CAMERA_FEEDER_UPDATE                                              \
    "UPDATE cameras c "                                                       \
    "SET stream_status = v.status, "                                          \
        "assigned_node = CASE WHEN v.live THEN $3::text "                     \
                             "ELSE c.assigned_node END "                      \
    "FROM (SELECT u.id, u.status, u.status IN ('online', 'connecting') "      \
          "FROM unnest($1::text::uuid[], $2::text::stream_status[]) "         \
              "AS u (id, status)) AS v (id, status, live) "                   \
    "WHERE c.id = v.id AND c.deleted_at IS NULL "                             \
      "AND c.stream_status <> v.status "                                      \
      "AND (v.live OR c.assigned_node IS NULL OR c.assigned_node = $3::text)"


/*
 * Puts the rows of a read into the registry; whole: what is not among them is
 * removed.  Answers the number of cameras that did not fit, or NGX_ERROR when
 * the answer is not what the statement promises.
 */
ngx_int_t ngx_camera_feeder_rows(cam_registry_t *reg,
    const struct pg_result *res, ngx_uint_t whole, ngx_log_t *log);

ngx_camera_feeder_status_t *ngx_camera_feeder_status_create(ngx_pool_t *pool,
    ngx_camera_conf_t *conf);

/* looks at some cameras and sends what changed, by the statement of that
   index, unless the last one is still under way */
void ngx_camera_feeder_status_tick(ngx_camera_feeder_status_t *status,
    ngx_camera_pg_pool_t *pg, ngx_uint_t statement);


#endif /* NGX_CAMERA_FEEDER_H */
