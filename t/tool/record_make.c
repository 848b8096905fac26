/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Makes a recording without a recorder: an hour file and its index out of
 * fragmented MP4, at the place where they belong.
 *
 *   record_make [-k KEYS] DIR CAMERA START INPUT [FIRST [COUNT]]
 *
 * DIR is a volume, or becomes one.  START is the wall clock of the first frame
 * in Unix ms.  INPUT is what "ffmpeg -movflags frag_keyframe+empty_moov+
 * default_base_moof" writes; of its fragments COUNT are taken, from number
 * FIRST on, and their time begins at 0.  With a file of keys the recording is
 * encrypted.  Prints
 *
 *   volume=UUID id=UUID path=PATH start=MS end=MS bytes=N usec=N fragments=N
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record_cipher.h"
#include "record_index.h"
#include "record_media.h"
#include "record_path.h"


static int                  volume_fd, media_fd, index_fd;
static char                 path[CAM_RECORD_PATH_MAX];
static uint8_t             *input;
static size_t               input_size;
static const char          *keys_file;
static cam_record_head_t    head;
static cam_record_cipher_t *cipher;
static cam_record_tracks_t  tracks;


static void
die(const char *what)
{
    fprintf(stderr, "record_make: %s: %s\n", what, strerror(errno));
    exit(1);
}


static void
read_input(const char *name)
{
    int          fd;
    struct stat  st;

    fd = open(name, O_RDONLY|O_CLOEXEC);

    if (fd == -1 || fstat(fd, &st) == -1) {
        die(name);
    }

    input_size = st.st_size;
    input = malloc(input_size);

    if (input == NULL || read(fd, input, input_size) != (ssize_t) input_size) {
        die(name);
    }

    close(fd);
}


/* the size of the boxes before the first moof, or of the fragment at data */

static size_t
boxes(const uint8_t *data, const uint8_t *last, const char *until)
{
    char            type[5];
    uint64_t        size;
    const uint8_t  *p;

    for (p = data; p < last; p += size) {

        if (cam_record_box(p, last - p, type, &size) != 0
            || size > (uint64_t) (last - p))
        {
            break;
        }

        if (strcmp(type, "mdat") == 0 && strcmp(until, "mdat") == 0) {
            return p + size - data;
        }

        if (strcmp(type, until) == 0) {
            return p - data;
        }
    }

    return 0;
}


static void
open_volume(const char *dir)
{
    if (mkdir(dir, 0750) == -1 && errno != EEXIST) {
        die(dir);
    }

    volume_fd = open(dir, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (volume_fd == -1
        || (cam_record_volume_read(volume_fd, head.volume) != 0
            && cam_record_volume_init(volume_fd, head.volume) != 0))
    {
        die(dir);
    }
}


static void
open_files(void)
{
    char  dir[CAM_RECORD_PATH_MAX], *p;

    if (cam_record_path(path, head.camera, head.start_msec, "mp4") == NULL) {
        die("start");
    }

    strcpy(dir, path);

    for (p = strchr(dir, '/'); p; p = strchr(p + 1, '/')) {
        *p = '\0';

        if (mkdirat(volume_fd, dir, 0750) == -1 && errno != EEXIST) {
            die(dir);
        }

        *p = '/';
    }

    media_fd = openat(volume_fd, path, O_WRONLY|O_CREAT|O_EXCL, 0640);

    cam_record_path(dir, head.camera, head.start_msec, "idx");
    index_fd = openat(volume_fd, dir, O_WRONLY|O_CREAT|O_EXCL, 0640);

    if (media_fd == -1 || index_fd == -1) {
        die(path);
    }
}


static void
encrypt(void)
{
    char        err[256];
    cam_keys_t  keys;

    if (keys_file == NULL) {
        return;
    }

    if (cam_keys_load(&keys, keys_file, err, sizeof(err)) != 0) {
        die(err);
    }

    cipher = cam_record_cipher_new(&head, &keys);

    if (cipher == NULL) {
        die(keys_file);
    }
}


static void
seal(cam_record_fragment_t *f, uint8_t *data)
{
    char      type[5];
    uint64_t  moof;

    if (cipher != NULL
        && (cam_record_box(data, f->size, type, &moof) != 0
            || cam_record_cipher_apply(cipher, f, moof, 0, data, f->size)
               != 0))
    {
        die("encryption");
    }
}


static void
write_head(void)
{
    int  i;

    head.segment_sec = 3600;
    strcpy(head.codecs, "avc1.42c01f");

    for (i = 0; i < tracks.n; i++) {
        head.has_video |= tracks.track[i].video;
        head.has_audio |= !tracks.track[i].video;
    }

    if (head.has_audio) {
        strcat(head.codecs, ",mp4a.40.2");
    }

    if (cam_record_id(head.recording, head.start_msec) != 0) {
        die("id");
    }

    encrypt();

    if (cam_record_head_write(index_fd, &head) != 0
        || write(media_fd, input, head.init_size) != head.init_size)
    {
        die("head");
    }
}


/* answers how many there are */

static uint32_t
write_fragments(int64_t first, int64_t count, cam_record_fragment_t *f,
    int64_t *usec)
{
    size_t              size;
    int64_t             i, n, base;
    uint8_t            *p;
    cam_record_moof_t   m;

    base = -1;
    n = 0;

    for (i = 0, p = input + head.init_size; n < count; i++, p += size) {

        size = boxes(p, input + input_size, "mdat");

        if (size == 0) {
            break;
        }

        if (cam_record_moof(p, size, &tracks, &m) != 0) {
            die("moof");
        }

        if (i < first) {
            f->msn += m.key;
            continue;
        }

        base = base == -1 ? m.time_usec : base;
        f->offset = n ? f->offset + f->size : head.init_size;
        f->msn += m.key || n == 0;
        f->part = m.key || n == 0 ? 0 : f->part + 1;
        f->size = size;
        f->time_usec = m.time_usec - base;
        f->wall_msec = head.start_msec + f->time_usec / 1000;
        f->duration_usec = m.duration_usec;
        f->flags = (m.key ? CAM_RECORD_KEY : 0)
                   | (f->part == 0 ? CAM_RECORD_SEGMENT : 0);

        if (cam_record_moof_rebase(p, size, &tracks, n + 1, base) != 0) {
            die("tfdt");
        }

        seal(f, p);
        f->data_crc = cam_record_crc(p, size);
        *usec += f->duration_usec;

        if (write(media_fd, p, size) != (ssize_t) size
            || cam_record_append(index_fd, n, f, 1) != 0)
        {
            die("write");
        }

        n++;
    }

    return n;
}


int
main(int argc, char **argv)
{
    char                   volume[CAM_UUID_TEXT + 1], id[CAM_UUID_TEXT + 1];
    int64_t                usec;
    uint32_t               n;
    cam_record_fragment_t  f;

    if (argc > 2 && strcmp(argv[1], "-k") == 0) {
        keys_file = argv[2];
        argv += 2;
        argc -= 2;
    }

    if (argc < 5 || argc > 7) {
        fprintf(stderr, "usage: record_make [-k KEYS] DIR CAMERA START "
                "INPUT [FIRST [COUNT]]\n");
        return 2;
    }

    head.start_msec = atoll(argv[3]);

    if (cam_uuid_parse(head.camera, argv[2], strlen(argv[2])) != 0) {
        die(argv[2]);
    }

    read_input(argv[4]);
    head.init_size = boxes(input, input + input_size, "moof");

    if (head.init_size == 0
        || cam_record_tracks(input, head.init_size, &tracks) != 0)
    {
        die("init");
    }

    open_volume(argv[1]);
    open_files();
    write_head();

    memset(&f, 0, sizeof(cam_record_fragment_t));
    usec = 0;
    n = write_fragments(argc > 5 ? atoll(argv[5]) : 0,
                        argc > 6 ? atoll(argv[6]) : INT64_MAX, &f, &usec);

    printf("volume=%s id=%s path=%s start=%" PRId64 " end=%" PRId64
           " bytes=%" PRIu64 " usec=%" PRId64 " fragments=%u\n",
           cam_uuid_print(volume, head.volume),
           cam_uuid_print(id, head.recording), path, head.start_msec,
           f.wall_msec + f.duration_usec / 1000, f.offset + f.size, usec, n);

    return 0;
}
