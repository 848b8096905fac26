/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Events of granted cameras: which they are, is asked when a follower comes,
 * before it is told anything, and holds for as long as it stays.  A change of
 * its grants ends it, as every change of its user does, and it asks anew when
 * it comes again.
 *
 *     asks      [_ask]     the database; what comes meanwhile is only noted
 *     knows     [_done]    and asks for what came before, like everybody
 *
 * Without an answer it is ended; nobody is told more than is known to be
 * theirs.
 */

#include "ngx_camera_api_core.h"
#include "ngx_camera_api_events.h"

#define NGX_CAMERA_API_SCOPE_MSEC   2500
#define NGX_CAMERA_API_SCOPE_AGAIN  800     /* ms: over how long it is ended */


static void ngx_camera_api_scope_done(void *data, ngx_camera_pg_rc_e rc,
    const PGresult *res, const ngx_camera_pg_error_t *error);
static ngx_int_t ngx_camera_api_scope_keep(
    ngx_camera_api_follower_t *follower, const PGresult *res);


/* in the order of memcmp(), which is that of uuid */

ngx_camera_api_statement_t  ngx_camera_api_scope_cameras = {
    "api_cameras_granted",
    "SELECT DISTINCT c FROM granted_cameras() c ORDER BY c",
    0, NGX_CAMERA_API_READS, 0
};


ngx_int_t
ngx_camera_api_scope_ask(ngx_camera_api_follower_t *follower)
{
    follower->asking = ngx_camera_api_pg_start_for(follower->principal,
                                               &ngx_camera_api_scope_cameras,
                                               NULL, 0,
                                               NGX_CAMERA_API_SCOPE_MSEC,
                                               ngx_camera_api_scope_done,
                                               follower);

    return follower->asking ? NGX_OK : NGX_ERROR;
}


void
ngx_camera_api_scope_cancel(ngx_camera_api_follower_t *follower)
{
    if (follower->asking) {
        ngx_camera_pg_cancel(follower->asking);
        follower->asking = NULL;
    }

    if (follower->granted) {
        ngx_free(follower->granted);
        follower->granted = NULL;
    }
}


static void
ngx_camera_api_scope_done(void *data, ngx_camera_pg_rc_e rc,
    const PGresult *res, const ngx_camera_pg_error_t *error)
{
    ngx_camera_api_follower_t  *follower = data;

    follower->asking = NULL;

    if (rc == NGX_CAMERA_PG_OK
        && ngx_camera_api_scope_keep(follower, res) == NGX_OK)
    {
        ngx_camera_api_history_ask(follower);
        return;
    }

    follower->end(follower, (ngx_msec_t) ngx_random()
                            % NGX_CAMERA_API_SCOPE_AGAIN);
}


/* for the whole of its stay: freed when it leaves */

static ngx_int_t
ngx_camera_api_scope_keep(ngx_camera_api_follower_t *follower,
    const PGresult *res)
{
    int  i, n;

    n = PQntuples(res);

    follower->granted = ngx_alloc((n + 1) * CAM_UUID_LEN,
                                  follower->connection->log);

    if (follower->granted == NULL) {
        return NGX_ERROR;
    }

    follower->ngranted = n;

    for (i = 0; i < n; i++) {
        ngx_memcpy(follower->granted + i * CAM_UUID_LEN,
                   PQgetvalue(res, i, 0), CAM_UUID_LEN);
    }

    return NGX_OK;
}


/* what is about no camera in particular is about the whole tenant */

ngx_uint_t
ngx_camera_api_scope_has(const ngx_camera_api_follower_t *follower,
    const cam_event_t *event)
{
    ngx_int_t   cmp;
    ngx_uint_t  low, high, middle;

    if (follower->granted == NULL || !event->of_camera) {
        return 0;
    }

    low = 0;
    high = follower->ngranted;

    while (low < high) {
        middle = (low + high) / 2;

        cmp = ngx_memcmp(event->camera,
                         follower->granted + middle * CAM_UUID_LEN,
                         CAM_UUID_LEN);

        if (cmp == 0) {
            return 1;
        }

        if (cmp < 0) {
            high = middle;

        } else {
            low = middle + 1;
        }
    }

    return 0;
}
