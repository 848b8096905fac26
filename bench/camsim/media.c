/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What a publisher sends once it is live: the tags of the file, each when it
 * is due, again and again, with whatever disturbance was asked for.
 */

#include "publisher.h"

#define SIM_BACKLOG_MAX  (4 << 20)      /* unsent bytes; beyond, tags drop */


static int sim_media_wanted(sim_publisher_t *p, const sim_tag_t *tag);
static void sim_media_late_audio(sim_publisher_t *p, const sim_tag_t *now);
static void sim_media_tag(sim_publisher_t *p, const sim_tag_t *tag);
static int64_t sim_media_due(sim_publisher_t *p);


void
sim_media_send(void *data)
{
    double            lag_msec;
    int64_t           due_usec, now_usec;
    sim_publisher_t  *p = data;

    now_usec = sim_now_usec();

    if (sim_options.freeze_at_sec != 0
        && now_usec - p->live_usec > sim_options.freeze_at_sec * 1e6)
    {
        return;                         /* connected, and silent for ever */
    }

    for ( ;; ) {
        due_usec = sim_media_due(p);

        if (due_usec > now_usec) {
            break;
        }

        lag_msec = (now_usec - due_usec) / 1000.0;

        if (lag_msec > sim_stats.lag_msec_max) {
            sim_stats.lag_msec_max = lag_msec;
        }

        if (sim_media_wanted(p, &sim_flv.tags[p->tag])) {
            sim_media_tag(p, &sim_flv.tags[p->tag]);
        }

        if (++p->tag == sim_flv.n) {

            if (sim_options.no_loop) {
                sim_conn_send(&p->conn);
                return;
            }

            p->tag = 0;
            p->passes++;
        }
    }

    sim_timer_set(&p->timer, due_usec);
    sim_conn_send(&p->conn);
}


static int64_t
sim_media_due(sim_publisher_t *p)
{
    return p->live_usec + ((int64_t) p->passes * sim_flv.duration_msec
                           + sim_flv.tags[p->tag].msec) * 1000;
}


static int
sim_media_wanted(sim_publisher_t *p, const sim_tag_t *tag)
{
    double  sec;

    if (p->conn.out.size > SIM_BACKLOG_MAX) {
        return 0;
    }

    /* metadata and configurations stand at the start, as a camera has it */

    if (p->passes && (tag->type == SIM_TAG_DATA
                      || (tag->size > 1 && tag->data[1] == 0
                          && (tag->type == SIM_TAG_VIDEO
                              || (tag->data[0] & 0xf0) == 0xa0))))
    {
        return 0;
    }

    if (tag->type != SIM_TAG_AUDIO) {
        return 1;
    }

    sec = (sim_now_usec() - p->live_usec) / 1e6;

    if (sim_options.no_audio || sec < sim_options.late_audio_sec) {
        return 0;
    }

    if (!p->audio) {
        p->audio = 1;
        sim_media_late_audio(p, tag);
    }

    return 1;
}


/* a microphone switched on late has its configuration first then */

static void
sim_media_late_audio(sim_publisher_t *p, const sim_tag_t *now)
{
    size_t      i;
    sim_tag_t   config;

    if (sim_options.late_audio_sec == 0) {
        return;
    }

    for (i = 0; i < sim_flv.n; i++) {
        config = sim_flv.tags[i];

        if (config.type == SIM_TAG_AUDIO && config.size > 1
            && config.data[1] == 0)
        {
            config.msec = now->msec;
            sim_media_tag(p, &config);
            return;
        }
    }
}


static void
sim_media_tag(sim_publisher_t *p, const sim_tag_t *tag)
{
    int                 id;
    double              sec;
    uint8_t             first;
    sim_rtmp_header_t   h;

    static const uint8_t  set_data_frame[] = "\2\0\15@setDataFrame";

    h.csid = tag->type == SIM_TAG_VIDEO ? SIM_CSID_VIDEO : SIM_CSID_AUDIO;
    h.type = tag->type;
    h.stream = p->stream;
    h.msec = p->passes * sim_flv.duration_msec + tag->msec;

    sec = (sim_now_usec() - p->live_usec) / 1e6;

    if (sim_options.jump_at_sec != 0 && sec >= sim_options.jump_at_sec) {
        h.msec += (int32_t) (sim_options.jump_sec * 1000);
    }

    sim_stats.tags++;
    sim_stats.bytes += tag->size;

    if (tag->type == SIM_TAG_DATA) {
        sim_rtmp_write(&p->conn.out, &h, SIM_RTMP_CHUNK, set_data_frame,
                       sizeof(set_data_frame) - 1, tag->data, tag->size);
        return;
    }

    first = tag->data[0];
    id = sim_options.codec_id;

    if (tag->type == SIM_TAG_VIDEO && id != -1) {
        first = (first & 0xf0) | id;
    }

    id = sim_options.audio_codec_id;

    if (tag->type == SIM_TAG_AUDIO && id != -1) {
        first = (first & 0x0f) | id << 4;
    }

    sim_rtmp_write(&p->conn.out, &h, SIM_RTMP_CHUNK, &first, 1,
                   tag->data + 1, tag->size - 1);
}
