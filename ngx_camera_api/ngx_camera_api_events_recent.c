/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Which events this worker saw lately.  The same event comes by PostgreSQL and
 * by Redis, in either order, and may have to go out before Redis says it; it
 * is known again by a fingerprint of its text.  A table of fixed size, in sets
 * of four; whoever falls out of it may be sent twice.
 */

#include <ngx_md5.h>

#include "ngx_camera_api_events.h"

#define NGX_CAMERA_API_RECENT_SETS  1024
#define NGX_CAMERA_API_RECENT_WAYS  4


static ngx_camera_api_recent_t *ngx_camera_api_recent_set(
    const u_char print[NGX_CAMERA_API_PRINT]);


static ngx_camera_api_recent_t  ngx_camera_api_recents
    [NGX_CAMERA_API_RECENT_SETS][NGX_CAMERA_API_RECENT_WAYS];


void
ngx_camera_api_recent_print(u_char print[NGX_CAMERA_API_PRINT],
    const cam_event_t *event)
{
    ngx_md5_t  md5;

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, event->tenant, CAM_UUID_TEXT);
    ngx_md5_update(&md5, event->json, event->len);
    ngx_md5_final(print, &md5);
}


ngx_camera_api_recent_t *
ngx_camera_api_recent_find(const u_char print[NGX_CAMERA_API_PRINT])
{
    ngx_uint_t                i;
    ngx_camera_api_recent_t  *set;

    set = ngx_camera_api_recent_set(print);

    for (i = 0; i < NGX_CAMERA_API_RECENT_WAYS; i++) {

        if (set[i].used
            && ngx_memcmp(set[i].print, print, NGX_CAMERA_API_PRINT) == 0)
        {
            return &set[i];
        }
    }

    return NULL;
}


ngx_camera_api_recent_t *
ngx_camera_api_recent_get(const u_char print[NGX_CAMERA_API_PRINT])
{
    ngx_uint_t                i;
    ngx_camera_api_recent_t  *set, *recent;

    static uint64_t  uses;

    recent = ngx_camera_api_recent_find(print);

    if (recent) {
        return recent;
    }

    set = ngx_camera_api_recent_set(print);
    recent = set;

    for (i = 1; i < NGX_CAMERA_API_RECENT_WAYS; i++) {
        if (set[i].used < recent->used) {
            recent = &set[i];
        }
    }

    ngx_memcpy(recent->print, print, NGX_CAMERA_API_PRINT);

    recent->handed = 0;
    recent->seen = 0;
    recent->used = ++uses;

    return recent;
}


static ngx_camera_api_recent_t *
ngx_camera_api_recent_set(const u_char print[NGX_CAMERA_API_PRINT])
{
    return ngx_camera_api_recents[((ngx_uint_t) print[0] << 8 | print[1])
                                  % NGX_CAMERA_API_RECENT_SETS];
}
