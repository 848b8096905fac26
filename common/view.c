/*
 * Copyright (C) The nginx camera platform authors
 */

#include <string.h>

#include "clock.h"
#include "view.h"


#define CAM_VIEW_BITRATE_OF  3           /* segments */


static void cam_view_state(cam_view_t *view, cam_registry_state_t *state);
static uint64_t cam_view_generation(const cam_view_t *view);
static const cam_live_init_t *cam_view_find_init(
    const cam_live_index_t *index, uint32_t version);


int
cam_view_look(cam_view_t *view, cam_registry_t *registry,
    const uint8_t camera[CAM_UUID_LEN])
{
    memset(view, 0, sizeof(cam_view_t));
    view->slot = -1;

    if (registry) {
        view->slot = cam_registry_find_id(registry, camera, &view->entry);
    }

    if (view->slot < 0) {
        return -1;
    }

    cam_view_state(view, cam_registry_state(registry, view->slot));

    return 0;
}


static void
cam_view_state(cam_view_t *view, cam_registry_state_t *state)
{
#define cam_view_load(field)                                                  \
    view->state.field = __atomic_load_n(&state->field, __ATOMIC_ACQUIRE)

    cam_view_load(generation);
    cam_view_load(ended_generation);
    cam_view_load(refused_msec);
    cam_view_load(refused_reason);
    cam_view_load(refused_detail);
    cam_view_load(warning);
    cam_view_load(warning_detail);

#undef cam_view_load
}


void
cam_view_look_ring(cam_view_t *view, int rings_fd,
    const uint8_t camera[CAM_UUID_LEN])
{
    cam_ring_reader_t  *r;

    if (cam_ring_reader_open(&r, rings_fd, camera) != CAM_RING_OK) {
        return;
    }

    if (cam_ring_info(r, &view->ring) == CAM_RING_OK) {
        view->has_ring = 1;
        view->alive = cam_ring_writer_alive(r);
    }

    cam_ring_reader_close(r);
}


int
cam_view_publishing(const cam_view_t *view)
{
    return view->slot >= 0 && view->has_ring && view->alive
           && view->state.generation != 0
           && view->state.generation != view->state.ended_generation;
}


int64_t
cam_view_silence(const cam_view_t *view)
{
    int64_t  now;

    if (!view->has_ring) {
        return -1;
    }

    now = cam_clock_monotonic_msec();

    return view->ring.last_media_msec < now
           ? now - view->ring.last_media_msec : 0;
}


const cam_live_index_t *
cam_view_index(const cam_view_t *view)
{
    return view->index
           && view->index->generation >= cam_view_generation(view)
           ? view->index : NULL;
}


const cam_live_init_t *
cam_view_init(const cam_view_t *view)
{
    const cam_live_segment_t  *last;

    if (view->index == NULL || view->index->segments == 0) {
        return NULL;
    }

    last = &view->index->segment[view->index->segments - 1];

    return last->generation >= cam_view_generation(view)
           ? cam_view_find_init(view->index, last->init) : NULL;
}


/* of the publication, or of the ring that this one grew out of */

static uint64_t
cam_view_generation(const cam_view_t *view)
{
    return view->has_ring && view->ring.continues
           && view->ring.generation == view->state.generation
           ? view->ring.continues : view->state.generation;
}


static const cam_live_init_t *
cam_view_find_init(const cam_live_index_t *index, uint32_t version)
{
    int  i;

    for (i = 0; i < CAM_LIVE_INITS; i++) {
        if (index->init[i].version == version && version != 0) {
            return &index->init[i];
        }
    }

    return NULL;
}


int
cam_view_has_picture(const cam_view_t *view)
{
    uint32_t                    i;
    const cam_live_init_t      *init;
    const cam_live_segment_t   *segment;

    for (i = 0; view->index && i < view->index->segments; i++) {
        segment = &view->index->segment[i];
        init = cam_view_find_init(view->index, segment->init);

        if (segment->complete && init && init->has_video
            && segment->generation >= cam_view_generation(view))
        {
            return 1;
        }
    }

    return 0;
}


int64_t
cam_view_bitrate(const cam_view_t *view)
{
    uint32_t                    i, n;
    uint64_t                    bytes, usec;
    const cam_live_segment_t   *segment;

    bytes = 0;
    usec = 0;
    n = 0;

    for (i = view->index ? view->index->segments : 0;
         i && n < CAM_VIEW_BITRATE_OF;
         i--)
    {
        segment = &view->index->segment[i - 1];

        if (segment->generation < cam_view_generation(view)) {
            break;
        }

        if (segment->complete) {
            bytes += segment->size;
            usec += segment->duration_usec;
            n++;
        }
    }

    return usec ? (int64_t) (bytes * 8000000 / usec) : -1;
}


int64_t
cam_view_seen_msec(const cam_view_t *view)
{
    const cam_live_segment_t  *last;

    if (view->index == NULL || view->index->segments == 0) {
        return 0;
    }

    last = &view->index->segment[view->index->segments - 1];

    return last->wall_msec + last->duration_usec / 1000;
}


/* a generation is about the time in ms at which it began */

cam_reason_e
cam_view_warning(const cam_view_t *view)
{
    if (cam_view_publishing(view)) {
        return view->state.warning ? view->state.warning
               : view->index ? view->index->warning : CAM_REASON_NONE;
    }

    if (view->index && view->index->state == CAM_LIVE_QUARANTINED) {
        return CAM_REASON_QUARANTINED;
    }

    return view->state.refused_msec > (int64_t) view->state.generation
           ? view->state.refused_reason : CAM_REASON_NONE;
}


const char *
cam_view_status(const cam_view_t *view)
{
    int64_t  refused;

    if (view->index && view->index->state == CAM_LIVE_QUARANTINED) {
        return "error";
    }

    if (cam_view_publishing(view)) {

        if (cam_view_silence(view) > CAM_VIEW_SILENT_MSEC) {
            return "error";
        }

        return cam_view_has_picture(view) ? "online" : "connecting";
    }

    refused = cam_clock_wall_msec() - view->state.refused_msec;

    return view->state.refused_msec && refused < CAM_VIEW_REFUSED_MSEC
           ? "error" : "offline";
}
