/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Stands in for the feeder and the packager in tests of playback: writes
 * registry entries and a live store as it is told, so that a test decides which
 * part exists at which moment.  The bytes of the media are a pattern.
 *
 *   live_store SHM
 *
 * reads one command a line and answers "ok" and a number, or "error":
 *
 *   camera ID TENANT EPOCH ACTIVE     puts the camera into the registry
 *   remove ID                         takes it out
 *   fed AGE                           the registry was read AGE s ago
 *   volume N STATE AGE                a cam_record_volume_e, AGE s ago
 *   init ID WIDTH HEIGHT              a new init; the next segment breaks
 *   part ID SIZE                      a part of 0.5 s; answers the msn
 *   done ID                           completes the open segment
 *   segments ID N SIZE                N whole segments of four parts
 *   state ID N                        cam_live_state_e
 *   break ID                          the next segment is a discontinuity
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "live_index.h"
#include "record_table.h"
#include "registry.h"


#define CAMERAS  8


typedef struct {
    uint8_t            id[CAM_UUID_LEN];
    cam_live_t        *live;
    cam_live_index_t  *index;
    uint32_t           init;
    int                discontinuity;
    int64_t            wall_msec;
} camera_t;


static const char      *shm;
static cam_registry_t  *registry;
static int              live_fd;
static camera_t         cameras[CAMERAS];
static unsigned         ncameras;


static camera_t *
find_camera(const char *text)
{
    unsigned   i;
    uint8_t    id[CAM_UUID_LEN];
    camera_t  *c;

    if (cam_uuid_parse(id, text, strlen(text)) != 0) {
        return NULL;
    }

    for (i = 0; i < ncameras; i++) {
        if (memcmp(cameras[i].id, id, CAM_UUID_LEN) == 0) {
            return &cameras[i];
        }
    }

    c = &cameras[ncameras];
    memcpy(c->id, id, CAM_UUID_LEN);
    c->live = cam_live_writer_open(live_fd, id, &c->index);

    if (c->live == NULL) {
        return NULL;
    }

    for (i = 0; i < CAM_LIVE_INITS; i++) {
        if (c->index->init[i].version > c->init) {
            c->init = c->index->init[i].version;
        }
    }

    ncameras++;

    return c;
}


static int
append_pattern(camera_t *c, const char *name, uint64_t seed, uint32_t offset,
    uint32_t size)
{
    int       fd, rc;
    uint32_t  i;
    uint8_t  *data;

    data = malloc(size);
    fd = openat(cam_live_dirfd(c->live), name,
                O_WRONLY|O_CREAT|O_NOFOLLOW|O_CLOEXEC, 0640);

    if (data == NULL || fd == -1) {
        return -1;
    }

    for (i = 0; i < size; i++) {
        data[i] = (uint8_t) (seed * 31 + (offset + i) * 7 + (offset + i) / 256);
    }

    rc = pwrite(fd, data, size, offset) == (ssize_t) size ? 0 : -1;

    close(fd);
    free(data);

    return rc;
}


static int
put_init(camera_t *c, unsigned width, unsigned height)
{
    char              name[CAM_LIVE_NAME_MAX];
    cam_live_init_t  *init;

    c->init++;
    c->discontinuity = c->init > 1;

    init = &c->index->init[c->init % CAM_LIVE_INITS];
    memset(init, 0, sizeof(cam_live_init_t));
    init->version = c->init;
    init->size = 700;
    init->width = width;
    init->height = height;
    init->bandwidth = 1000000;
    init->has_video = 1;
    init->has_audio = 1;
    strcpy(init->codecs, "avc1.64001f,mp4a.40.2");

    return append_pattern(c, cam_live_init_name(name, c->init), c->init, 0,
                          init->size);
}


static cam_live_segment_t *
open_segment(camera_t *c)
{
    char                 name[CAM_LIVE_NAME_MAX];
    cam_live_index_t    *index;
    cam_live_segment_t  *seg;

    index = c->index;
    seg = &index->segment[index->segments - 1];

    if (index->segments && !seg->complete) {
        return seg;
    }

    if (index->segments == CAM_LIVE_SEGMENTS) {
        index->discontinuity_seq += index->segment[0].discontinuity;
        unlinkat(cam_live_dirfd(c->live),
                 cam_live_segment_name(name, index->segment[0].msn), 0);
        memmove(index->segment, index->segment + 1,
                sizeof(cam_live_segment_t) * --index->segments);
    }

    if (c->wall_msec == 0) {
        c->wall_msec = cam_clock_wall_msec();
    }

    seg = &index->segment[index->segments++];
    memset(seg, 0, sizeof(cam_live_segment_t));
    seg->msn = index->next_msn++;
    seg->generation = 1;
    seg->wall_msec = c->wall_msec;
    seg->init = c->init;
    seg->discontinuity = c->discontinuity;
    c->discontinuity = 0;

    return seg;
}


static int64_t
put_part(camera_t *c, uint32_t size)
{
    char                 name[CAM_LIVE_NAME_MAX];
    cam_live_part_t     *part;
    cam_live_segment_t  *seg;

    seg = open_segment(c);
    part = &seg->part[seg->parts];
    part->offset = seg->size;
    part->size = size;
    part->duration_usec = 500000;
    part->independent = seg->parts == 0;

    if (append_pattern(c, cam_live_segment_name(name, seg->msn), seg->msn,
                       seg->size, size)
        != 0)
    {
        return -1;
    }

    seg->parts++;
    seg->size += size;
    seg->duration_usec += part->duration_usec;
    c->wall_msec += 500;

    return seg->msn;
}


static void
publish(camera_t *c)
{
    if (c->index->state == CAM_LIVE_EMPTY) {
        c->index->state = CAM_LIVE_ON;
    }

    cam_live_publish(c->live);
}


static int64_t
put_segments(camera_t *c, unsigned n, uint32_t size)
{
    int64_t   msn;
    unsigned  i;

    if (c->wall_msec == 0) {
        c->wall_msec = cam_clock_wall_msec() - n * 2000;
    }

    for (msn = -1; n; n--) {
        for (i = 0; i < 4; i++) {
            msn = put_part(c, size / 4);
        }

        c->index->segment[c->index->segments - 1].complete = 1;
        publish(c);
    }

    return msn;
}


static int64_t
put_camera(char *id, char *tenant, unsigned epoch, unsigned active)
{
    cam_registry_entry_t  entry;

    memset(&entry, 0, sizeof(entry));
    entry.flags = active ? CAM_CAMERA_ACTIVE : 0;
    entry.play_epoch = epoch;
    entry.key_generation = 1;
    snprintf(entry.key, sizeof(entry.key), "key-%.8s", id);

    if (cam_uuid_parse(entry.camera, id, strlen(id)) != 0
        || cam_uuid_parse(entry.tenant, tenant, strlen(tenant)) != 0)
    {
        return -1;
    }

    return cam_registry_put(registry, &entry);
}


static int64_t
put_volume(unsigned n, unsigned state, int64_t age_sec)
{
    cam_record_table_t   *table;
    cam_record_volume_t   volume;

    table = cam_record_table_open(shm);
    if (table == NULL) {
        return -1;
    }

    memset(&volume, 0, sizeof(volume));
    volume.state = state;
    volume.beat_msec = cam_clock_monotonic_msec() - age_sec * 1000;

    cam_record_volume_set(table, n, &volume);
    cam_record_table_close(table);

    return n;
}


static int64_t
media_command(char **word, int n)
{
    int64_t    rc;
    camera_t  *c;

    c = n > 1 ? find_camera(word[1]) : NULL;
    if (c == NULL) {
        return -1;
    }

    rc = 0;

    if (strcmp(word[0], "init") == 0 && n == 4) {
        rc = put_init(c, atoi(word[2]), atoi(word[3]));

    } else if (strcmp(word[0], "part") == 0 && n == 3) {
        rc = put_part(c, atoi(word[2]));

    } else if (strcmp(word[0], "done") == 0) {
        c->index->segment[c->index->segments - 1].complete = 1;

    } else if (strcmp(word[0], "segments") == 0 && n == 4) {
        return put_segments(c, atoi(word[2]), atoi(word[3]));

    } else if (strcmp(word[0], "state") == 0 && n == 3) {
        c->index->state = atoi(word[2]);

    } else if (strcmp(word[0], "break") == 0) {
        c->discontinuity = 1;
        return 0;

    } else {
        return -1;
    }

    publish(c);

    return rc;
}


static int64_t
command(char **word, int n)
{
    uint8_t  id[CAM_UUID_LEN];

    if (n == 5 && strcmp(word[0], "camera") == 0) {
        return put_camera(word[1], word[2], atoi(word[3]), atoi(word[4]));
    }

    if (n == 2 && strcmp(word[0], "remove") == 0
        && cam_uuid_parse(id, word[1], strlen(word[1])) == 0)
    {
        cam_registry_remove(registry, id);
        return 0;
    }

    if (n == 2 && strcmp(word[0], "fed") == 0) {
        cam_registry_fed(registry, cam_clock_wall_msec() / 1000
                                   - atoi(word[1]));
        return 0;
    }

    if (n == 4 && strcmp(word[0], "volume") == 0) {
        return put_volume(atoi(word[1]), atoi(word[2]), atoi(word[3]));
    }

    return media_command(word, n);
}


int
main(int argc, char **argv)
{
    int      n;
    char     line[512], path[512], *word[8], *p;
    int64_t  rc;

    if (argc != 2) {
        fprintf(stderr, "usage: live_store SHM\n");
        return 2;
    }

    setvbuf(stdout, NULL, _IOLBF, 0);

    shm = argv[1];
    snprintf(path, sizeof(path), "%s/live", shm);
    live_fd = open(path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    registry = cam_registry_open(argv[1], 0, 1);

    if (live_fd == -1 || registry == NULL) {
        fprintf(stderr, "open(\"%s\") failed: %s\n", argv[1], strerror(errno));
        return 1;
    }

    while (fgets(line, sizeof(line), stdin)) {

        n = 0;

        for (p = strtok(line, " \n"); p && n < 8; p = strtok(NULL, " \n")) {
            word[n++] = p;
        }

        rc = n ? command(word, n) : -1;

        if (rc < 0) {
            printf("error %s\n", strerror(errno));

        } else {
            printf("ok %" PRId64 "\n", rc);
        }
    }

    return 0;
}
