/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * The bytes of an export: the head, then the samples of each fragment as they
 * lie in its recording.  The file has another name until it is whole, and is
 * on disk before the row says so; the manifest comes last, so a manifest has
 * its file.  A job that was interrupted begins again.
 *
 * What has anything of an encrypted recording in it is encrypted, too, as a
 * whole and under a key of its own, which lies wrapped beside it.  Size and
 * SHA-256 are those of the plain file, which is what a client gets.
 *
 * Each fragment's checksum is compared on the way.  One that is wrong is copied
 * as it is, and the manifest says which time it is.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zlib.h>

#include "export.h"
#include "log.h"

#define CW_EXPORT_BUFFER    (1u << 20)
#define CW_EXPORT_BATCH     64
#define CW_EXPORT_MARGIN    (16u << 20)      /* for the manifest, and others */


typedef struct {
    cw_export_t      *e;
    cw_export_job_t  *job;
    int               fd;
    EVP_MD_CTX       *sha;
    uint64_t          written;
    uint64_t          total;
    uint8_t          *buf;
    uint8_t          *sealed;            /* of the size of buf */
    cam_record_cipher_t  *cipher;        /* of the piece, or NULL */
    cam_record_cipher_t  *own;           /* of the export, or NULL */
} cw_export_out_t;


static cw_export_rc_e cw_export_place(cw_export_t *e, cw_export_job_t *job,
    uint64_t need);
static cw_export_rc_e cw_export_seal(cw_export_out_t *out, int dir);
static int cw_export_key(int dir, const char *name,
    const cam_record_head_t *head);
static cw_export_rc_e cw_export_out(cw_export_out_t *out,
    const cw_export_buf_t *head);
static cw_export_rc_e cw_export_pieces(cw_export_out_t *out);
static cw_export_rc_e cw_export_copy_piece(cw_export_out_t *out,
    const cw_export_piece_t *piece, int fd, int idx);
static cw_export_rc_e cw_export_cipher(cw_export_out_t *out,
    const cw_export_piece_t *piece);
static cw_export_rc_e cw_export_fragments(cw_export_out_t *out,
    const cw_export_piece_t *piece, int fd, int idx);
static cw_export_rc_e cw_export_copy(cw_export_out_t *out,
    const cw_export_piece_t *piece, int fd, const cam_record_fragment_t *f,
    uint64_t head);
static cw_export_rc_e cw_export_append(cw_export_out_t *out, const void *data,
    size_t size);
static ssize_t cw_export_bytes(cw_export_out_t *out, const uint8_t *data,
    size_t size, uint64_t at);
static void cw_export_damaged(cw_export_job_t *job,
    const cw_export_piece_t *piece, const cam_record_fragment_t *f);
static cw_export_rc_e cw_export_finish(cw_export_out_t *out);


cw_export_rc_e
cw_export_write(cw_export_t *e, cw_export_job_t *job)
{
    int              dir;
    char             part[CW_EXPORT_NAME_MAX], name[CW_EXPORT_NAME_MAX];
    cw_export_rc_e   rc;
    cw_export_buf_t  head;
    cw_export_out_t  out;

    memset(&head, 0, sizeof(cw_export_buf_t));
    memset(&out, 0, sizeof(cw_export_out_t));
    out.e = e;
    out.job = job;
    out.fd = -1;

    if (cw_export_head(job, &head) != 0) {
        free(head.data);
        return cw_export_fail(job, "too_long: out of memory");
    }

    out.total = head.size + job->media;
    rc = cw_export_place(e, job, out.total);

    if (rc == CW_EXPORT_OK) {
        dir = e->volume[job->volume].fd;
        cw_export_name(part, job->id, "part");
        cw_export_name(name, job->id, "mp4");

        rc = cw_export_seal(&out, dir);

        if (rc == CW_EXPORT_OK) {
            out.fd = openat(dir, part,
                            O_RDWR|O_CREAT|O_TRUNC|O_NOFOLLOW|O_CLOEXEC, 0640);

            rc = out.fd == -1 ? cw_export_fail(job, "write_failed: %s",
                                               strerror(errno))
                              : cw_export_out(&out, &head);
        }

        if (rc == CW_EXPORT_OK && renameat(dir, part, dir, name) == -1) {
            rc = cw_export_fail(job, "write_failed: %s", strerror(errno));
        }

        if (rc != CW_EXPORT_OK) {
            (void) unlinkat(dir, part, 0);
        }
    }

    if (out.fd != -1) {
        close(out.fd);
    }

    cam_record_cipher_free(out.own);
    free(head.data);

    return rc;
}


/* before there is anything of the file, and durable before it is whole */

static cw_export_rc_e
cw_export_seal(cw_export_out_t *out, int dir)
{
    char                name[CW_EXPORT_NAME_MAX];
    size_t              i;
    cw_export_job_t    *job;
    cam_record_head_t   head;

    job = out->job;
    cw_export_name(name, job->id, "key");

    for (i = 0; i < job->pieces && !job->piece[i].head.cipher; i++) {
        /* void */
    }

    if (i == job->pieces) {
        (void) unlinkat(dir, name, 0);
        return CW_EXPORT_OK;
    }

    memset(&head, 0, sizeof(cam_record_head_t));
    memcpy(head.camera, job->camera, CAM_UUID_LEN);
    memcpy(head.volume, out->e->volume[job->volume].uuid, CAM_UUID_LEN);
    head.start_msec = job->piece[i].start_msec;
    head.init_size = 1;

    if (cam_uuid_parse(head.recording, job->id, strlen(job->id)) == 0) {
        out->own = cam_record_cipher_new(&head, &out->e->keys);
    }

    if (out->own == NULL) {
        return cw_export_fail(job, "no_key: of use \"recording\"");
    }

    if (cw_export_key(dir, name, &head) == -1) {
        return cw_export_fail(job, "write_failed: %s", strerror(errno));
    }

    return CW_EXPORT_OK;
}


static int
cw_export_key(int dir, const char *name, const cam_record_head_t *head)
{
    int  fd, rc;

    fd = openat(dir, name, O_WRONLY|O_CREAT|O_TRUNC|O_NOFOLLOW|O_CLOEXEC, 0640);

    if (fd == -1) {
        return -1;
    }

    rc = cam_record_head_write(fd, head) == 0 && fsync(fd) == 0 ? 0 : -1;
    close(fd);

    return rc;
}


char *
cw_export_name(char name[CW_EXPORT_NAME_MAX], const char *id,
    const char *suffix)
{
    snprintf(name, CW_EXPORT_NAME_MAX, "exports/%s.%s", id, suffix);

    return name;
}


/* on the volume that has most room; recordings come first */

static cw_export_rc_e
cw_export_place(cw_export_t *e, cw_export_job_t *job, uint64_t need)
{
    int             i;
    int64_t         room, most;
    struct statvfs  st;

    most = -1;

    for (i = 0; i < e->volumes; i++) {

        if (e->volume[i].fd == -1 || fstatvfs(e->volume[i].fd, &st) == -1) {
            continue;
        }

        room = (int64_t) (st.f_bavail * st.f_frsize)
               - (int64_t) (st.f_blocks * st.f_frsize) * CW_RECORD_PERCENT
                 / 100;

        if (most == -1 || room > most) {
            most = room > 0 ? room : 0;
            job->volume = i;
        }
    }

    if (most == -1) {
        return cw_export_fail(job, "no_volume");
    }

    if ((uint64_t) most < need + CW_EXPORT_MARGIN) {
        return cw_export_fail(job, "no_space: needs %" PRIu64 " MB more",
                              ((need + CW_EXPORT_MARGIN - (uint64_t) most)
                               >> 20) + 1);
    }

    if (mkdirat(e->volume[job->volume].fd, "exports", 0750) == -1
        && errno != EEXIST)
    {
        return cw_export_fail(job, "write_failed: %s", strerror(errno));
    }

    return CW_EXPORT_OK;
}


static cw_export_rc_e
cw_export_out(cw_export_out_t *out, const cw_export_buf_t *head)
{
    cw_export_rc_e  rc;

    out->sha = EVP_MD_CTX_new();
    out->buf = malloc(CW_EXPORT_BUFFER);
    out->sealed = malloc(CW_EXPORT_BUFFER);

    if (out->sha == NULL || out->buf == NULL || out->sealed == NULL
        || EVP_DigestInit_ex(out->sha, EVP_sha256(), NULL) != 1)
    {
        rc = cw_export_fail(out->job, "write_failed: out of memory");

    } else {
        rc = cw_export_append(out, head->data, head->size);
    }

    if (rc == CW_EXPORT_OK) {
        rc = cw_export_pieces(out);
    }

    if (rc == CW_EXPORT_OK) {
        rc = cw_export_finish(out);
    }

    EVP_MD_CTX_free(out->sha);
    free(out->buf);
    free(out->sealed);

    return rc;
}


static cw_export_rc_e
cw_export_pieces(cw_export_out_t *out)
{
    int                       fd, idx;
    size_t                    i;
    cw_export_rc_e            rc;
    const cw_export_piece_t  *piece;

    rc = CW_EXPORT_OK;

    for (i = 0; i < out->job->pieces && rc == CW_EXPORT_OK; i++) {
        piece = &out->job->piece[i];

        idx = cw_export_open(out->e, out->job, piece, "idx");
        fd = cw_export_open(out->e, out->job, piece, "mp4");

        /* retention was faster: what is left is another export */

        rc = idx == -1 || fd == -1 ? CW_EXPORT_AGAIN
                                   : cw_export_copy_piece(out, piece, fd, idx);

        if (idx != -1) {
            close(idx);
        }

        if (fd != -1) {
            close(fd);
        }
    }

    return rc;
}


static cw_export_rc_e
cw_export_copy_piece(cw_export_out_t *out, const cw_export_piece_t *piece,
    int fd, int idx)
{
    cw_export_rc_e  rc;

    rc = piece->head.cipher ? cw_export_cipher(out, piece) : CW_EXPORT_OK;

    if (rc == CW_EXPORT_OK) {
        rc = cw_export_fragments(out, piece, fd, idx);
    }

    cam_record_cipher_free(out->cipher);
    out->cipher = NULL;

    return rc;
}


static cw_export_rc_e
cw_export_cipher(cw_export_out_t *out, const cw_export_piece_t *piece)
{
    out->cipher = cam_record_cipher_open(&piece->head, &out->e->keys);

    if (out->cipher != NULL) {
        return CW_EXPORT_OK;
    }

    if (errno != ENOKEY) {
        return cw_export_fail(out->job, "damaged: the head of a recording");
    }

    return cw_export_fail(out->job, "no_key: \"%s\", which encrypted what was "
                          "recorded, is missing", piece->head.kid);
}


static cw_export_rc_e
cw_export_fragments(cw_export_out_t *out, const cw_export_piece_t *piece,
    int fd, int idx)
{
    size_t                  size;
    ssize_t                 i, n;
    uint32_t                done;
    const uint8_t          *moof;
    cw_export_rc_e          rc;
    cam_record_moof_t       m;
    cam_record_tracks_t     tracks;
    cam_record_fragment_t   list[CW_EXPORT_BATCH];

    if (cw_export_tracks(piece, fd, &tracks) == -1) {
        return CW_EXPORT_AGAIN;
    }

    for (done = 0; done < piece->count; done += n) {
        n = cam_record_fragments(idx, piece->first + done, list,
                                 CW_EXPORT_BATCH);

        if (n <= 0) {
            return CW_EXPORT_AGAIN;
        }

        for (i = 0; i < n && done + i < piece->count; i++) {

            if (cw_export_moof(fd, &list[i], &moof, &size) == -1
                || cam_record_moof(moof, size, &tracks, &m) == -1)
            {
                continue;
            }

            rc = cw_export_copy(out, piece, fd, &list[i], size + 8);

            if (rc != CW_EXPORT_OK) {
                return rc;
            }
        }
    }

    return CW_EXPORT_OK;
}


/* a fragment without its head */

static cw_export_rc_e
cw_export_copy(cw_export_out_t *out, const cw_export_piece_t *piece, int fd,
    const cam_record_fragment_t *f, uint64_t head)
{
    size_t          part, skip;
    uint32_t        crc;
    uint64_t        at;
    cw_export_rc_e  rc;

    crc = 0;

    for (at = 0; at < f->size; at += part) {
        part = f->size - at < CW_EXPORT_BUFFER ? f->size - at
                                               : CW_EXPORT_BUFFER;

        if (pread(fd, out->buf, part, (off_t) (f->offset + at))
            != (ssize_t) part)
        {
            return CW_EXPORT_AGAIN;
        }

        crc = crc32_z(crc, out->buf, part);

        if (out->cipher != NULL
            && cam_record_cipher_apply(out->cipher, f, (uint32_t) head - 8,
                                       (uint32_t) at, out->buf, part)
               == -1)
        {
            return cw_export_fail(out->job, "write_failed: no cipher");
        }

        skip = at >= head ? 0 : head - at < part ? head - at : part;
        rc = cw_export_append(out, out->buf + skip, part - skip);

        if (rc != CW_EXPORT_OK) {
            return rc;
        }
    }

    if (crc != f->data_crc) {
        cw_export_damaged(out->job, piece, f);
    }

    return CW_EXPORT_OK;
}


static void
cw_export_damaged(cw_export_job_t *job, const cw_export_piece_t *piece,
    const cam_record_fragment_t *f)
{
    char  recording[CAM_UUID_TEXT + 1], from[32], to[32];

    json_array_append_new(job->damaged,
        json_pack("{s:s, s:s, s:s}",
                  "recording", cam_uuid_print(recording,
                                              piece->head.recording),
                  "from", cw_export_time(from, f->wall_msec),
                  "to", cw_export_time(to, f->wall_msec
                                           + f->duration_usec / 1000)));
}


static cw_export_rc_e
cw_export_append(cw_export_out_t *out, const void *data, size_t size)
{
    size_t   done;
    ssize_t  n;

    for (done = 0; done < size; done += n) {
        n = cw_export_bytes(out, (const uint8_t *) data + done, size - done,
                            out->written + done);

        if (n <= 0) {
            return cw_export_fail(out->job, errno == ENOSPC || errno == EDQUOT
                                  ? "no_space: %s" : "write_failed: %s",
                                  strerror(errno));
        }
    }

    if (EVP_DigestUpdate(out->sha, data, size) != 1) {
        return cw_export_fail(out->job, "write_failed: no checksum");
    }

    out->written += size;

    return cw_export_alive(out->e, out->job,
                           (double) out->written / (double) out->total);
}


/* like write() */

static ssize_t
cw_export_bytes(cw_export_out_t *out, const uint8_t *data, size_t size,
    uint64_t at)
{
    if (out->own == NULL) {
        return write(out->fd, data, size);
    }

    size = size < CW_EXPORT_BUFFER ? size : CW_EXPORT_BUFFER;
    memcpy(out->sealed, data, size);

    if (cam_record_cipher_flat(out->own, at, out->sealed, size) == -1) {
        errno = EIO;
        return -1;
    }

    return write(out->fd, out->sealed, size);
}


static cw_export_rc_e
cw_export_finish(cw_export_out_t *out)
{
    int       i;
    uint8_t   sha[32];

    if (out->written != out->total) {
        return CW_EXPORT_AGAIN;
    }

    if (fsync(out->fd) == -1) {
        return cw_export_fail(out->job, "write_failed: %s", strerror(errno));
    }

    if (EVP_DigestFinal_ex(out->sha, sha, NULL) != 1) {
        return cw_export_fail(out->job, "write_failed: no checksum");
    }

    for (i = 0; i < 32; i++) {
        sprintf(out->job->sha256 + 2 * i, "%02x", sha[i]);
    }

    out->job->bytes = out->written;

    return CW_EXPORT_OK;
}
