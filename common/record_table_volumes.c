/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Volumes, in front of the table of recordings, and which of them a camera is
 * recorded on: rendezvous hashing, so that a volume that comes or goes moves
 * no cameras but its own.
 */

#include <string.h>

#include "record_table_layout.h"


static uint64_t cam_record_rank(const uint8_t *camera, const uint8_t *volume);


void
cam_record_volume_set(cam_record_table_t *t, unsigned n,
    const cam_record_volume_t *volume)
{
    unsigned   i;
    uint64_t   word[CAM_RECORD_VOLUME_WORDS];

    memcpy(word, volume, sizeof(word));

    for (i = 0; i < CAM_RECORD_VOLUME_WORDS; i++) {
        cam_store(&t->file->head.volume[n % CAM_RECORD_VOLUMES][i], word[i]);
    }
}


void
cam_record_volume_get(const cam_record_table_t *t, unsigned n,
    cam_record_volume_t *volume)
{
    unsigned   i;
    uint64_t   word[CAM_RECORD_VOLUME_WORDS];

    for (i = 0; i < CAM_RECORD_VOLUME_WORDS; i++) {
        word[i] = cam_load(&t->file->head.volume[n % CAM_RECORD_VOLUMES][i]);
    }

    memcpy(volume, word, sizeof(word));
}


uint64_t
cam_record_volume_hash(const char *path)
{
    uint64_t  hash;

    for (hash = 1; *path; path++) {
        hash = cam_record_mix(hash ^ (uint8_t) *path);
    }

    return hash;
}


int
cam_record_volume_of(const cam_record_table_t *t, const uint8_t *camera,
    int64_t now_msec)
{
    int                  i, found, room, found_room;
    uint64_t             rank, best;
    cam_record_volume_t  v;

    found = -1;
    found_room = 0;
    best = 0;

    for (i = 0; i < CAM_RECORD_VOLUMES; i++) {
        cam_record_volume_get(t, i, &v);

        if (v.state == CAM_RECORD_VOLUME_ABSENT
            || v.state == CAM_RECORD_VOLUME_AWAY
            || now_msec - v.beat_msec > CAM_RECORD_BEAT_MSEC
            || v.beat_msec - now_msec > CAM_RECORD_BEAT_MSEC)
        {
            continue;
        }

        room = v.state == CAM_RECORD_VOLUME_OK
               || v.state == CAM_RECORD_VOLUME_LOW;
        rank = cam_record_rank(camera, v.uuid);

        if (found == -1 || room > found_room
            || (room == found_room && rank > best))
        {
            found = i;
            found_room = room;
            best = rank;
        }
    }

    return found;
}


static uint64_t
cam_record_rank(const uint8_t *camera, const uint8_t *volume)
{
    uint64_t  c[2], v[2];

    memcpy(c, camera, CAM_UUID_LEN);
    memcpy(v, volume, CAM_UUID_LEN);

    return cam_record_mix(c[0] ^ cam_record_mix(c[1] ^ cam_record_mix(
                          v[0] ^ cam_record_mix(v[1]))));
}
