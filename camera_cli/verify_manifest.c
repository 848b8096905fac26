/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * camera verify FILE.json: says whether an exported file is what its manifest
 * says, and whether the manifest is ours.  It needs the signing keys and
 * nothing that runs.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fsck.h"
#include "manifest.h"
#include "verify.h"

#define CLI_VERIFY_BUFFER  (1u << 20)


typedef struct {
    const char  *name;
    const char  *text;
} cli_verdict_t;


static json_t *cli_manifest_read(cli_t *cli, const char *path, int *rc);
static const cli_verdict_t *cli_manifest_judge(cli_t *cli, json_t *manifest,
    const char *path, char file[PATH_MAX]);
static int cli_manifest_file(cli_t *cli, json_t *manifest, const char *path,
    char file[PATH_MAX]);
static const cli_verdict_t *cli_manifest_compare(json_t *manifest,
    const char *file);
static int cli_manifest_sha256(int fd, off_t size, char text[65]);
static json_t *cli_manifest_answer(json_t *manifest,
    const cli_verdict_t *verdict, const char *file);
static void cli_manifest_print(json_t *value);


enum {
    CLI_GENUINE = 0,
    CLI_MALFORMED,
    CLI_UNKNOWN_KEY,
    CLI_BAD_SIGNATURE,
    CLI_NO_FILE,
    CLI_WRONG_SIZE,
    CLI_WRONG_CHECKSUM
};

static const cli_verdict_t  cli_verdicts[] = {

    { "ok", "the file is what was exported, and the manifest is ours" },

    { "malformed", "this is no manifest of an export" },

    { "unknown_key", "the key that signed the manifest is not among these "
      "keys: it was made elsewhere, or the key was retired" },

    { "bad_signature", "the manifest was changed after it had been signed" },

    { "no_file", "the manifest is ours, its file cannot be read" },

    { "wrong_size", "the manifest is ours, but the file is longer or shorter "
      "than what was exported" },

    { "wrong_checksum", "the manifest is ours, but the file was changed" }
};


int
cli_verify_manifest(cli_t *cli)
{
    int                   rc;
    char                  file[PATH_MAX];
    json_t               *manifest, *value;
    const cli_verdict_t  *verdict;

    if (cli->opt.keys) {
        free(cli->env.keys);
        cli->env.keys = strdup(cli->opt.keys);
    }

    rc = cli_keys_load(cli);

    if (rc != 0) {
        return rc;
    }

    manifest = cli_manifest_read(cli, cli->opt.words[0], &rc);

    if (rc != 0) {
        return rc;
    }

    file[0] = '\0';
    verdict = cli_manifest_judge(cli, manifest, cli->opt.words[0], file);
    value = cli_manifest_answer(manifest, verdict, file);
    json_decref(manifest);

    return cli_answer(cli, verdict == &cli_verdicts[CLI_GENUINE] ? CLI_OK
                                                                 : CLI_NO,
                      value, cli_manifest_print);
}


/* NULL with rc 0: it is none.  What was given as a path may be a token that
   landed in the wrong place, and is not repeated */

static json_t *
cli_manifest_read(cli_t *cli, const char *path, int *rc)
{
    FILE         *f;
    json_t       *manifest;
    struct stat   st;

    f = fopen(path, "re");

    if (f == NULL || fstat(fileno(f), &st) == -1) {
        *rc = cli_fail(cli, CLI_UNKNOWN, NULL,
                       "the manifest cannot be read (%s)", strerror(errno));

        if (f != NULL) {
            fclose(f);
        }

        return NULL;
    }

    *rc = 0;
    manifest = st.st_size > CAM_MANIFEST_MAX ? NULL
               : json_loadf(f, JSON_REJECT_DUPLICATES, NULL);
    fclose(f);

    return manifest;
}


static const cli_verdict_t *
cli_manifest_judge(cli_t *cli, json_t *manifest, const char *path,
    char file[PATH_MAX])
{
    switch (cam_manifest_verify(manifest, CAM_MANIFEST_EXPORT, &cli->keys)) {

    case CAM_MANIFEST_OK:
        break;

    case CAM_MANIFEST_UNKNOWN_KEY:
        return &cli_verdicts[CLI_UNKNOWN_KEY];

    case CAM_MANIFEST_BAD_SIGNATURE:
        return &cli_verdicts[CLI_BAD_SIGNATURE];

    default: /* CAM_MANIFEST_MALFORMED */
        return &cli_verdicts[CLI_MALFORMED];
    }

    if (cli_manifest_file(cli, manifest, path, file) != 0) {
        return &cli_verdicts[CLI_NO_FILE];
    }

    return cli_manifest_compare(manifest, file);
}


/* that of --file, or beside the manifest the one that it names */

static int
cli_manifest_file(cli_t *cli, json_t *manifest, const char *path,
    char file[PATH_MAX])
{
    int          dir;
    const char  *name;

    if (cli->opt.file) {
        snprintf(file, PATH_MAX, "%s", cli->opt.file);
        return 0;
    }

    name = cli_string(manifest, "file");

    if (*name == '\0' || strchr(name, '/') != NULL) {
        return -1;
    }

    dir = strrchr(path, '/') ? (int) (strrchr(path, '/') + 1 - path) : 0;

    return snprintf(file, PATH_MAX, "%.*s%s", dir, path, name) < PATH_MAX
           ? 0 : -1;
}


static const cli_verdict_t *
cli_manifest_compare(json_t *manifest, const char *file)
{
    int          fd, rc;
    char         text[65];
    struct stat  st;

    fd = open(file, O_RDONLY|O_CLOEXEC);

    if (fd == -1 || fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
        if (fd != -1) {
            close(fd);
        }

        return &cli_verdicts[CLI_NO_FILE];
    }

    if (st.st_size != json_integer_value(json_object_get(manifest, "size"))) {
        close(fd);
        return &cli_verdicts[CLI_WRONG_SIZE];
    }

    rc = cli_manifest_sha256(fd, st.st_size, text);
    close(fd);

    if (rc != 0) {
        return &cli_verdicts[CLI_NO_FILE];
    }

    return strcmp(text, cli_string(manifest, "sha256")) == 0
           ? &cli_verdicts[CLI_GENUINE] : &cli_verdicts[CLI_WRONG_CHECKSUM];
}


static int
cli_manifest_sha256(int fd, off_t size, char text[65])
{
    int              i, rc;
    uint8_t          sha[32], *buf;
    ssize_t          n;
    EVP_MD_CTX      *ctx;
    cli_progress_t   progress;

    buf = malloc(CLI_VERIFY_BUFFER);
    ctx = EVP_MD_CTX_new();
    rc = buf && ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 ? 0
                                                                       : -1;
    n = rc;
    cli_progress_start(&progress, "bytes");
    progress.total = (uint64_t) size;

    while (rc == 0 && (n = read(fd, buf, CLI_VERIFY_BUFFER)) > 0) {
        rc = EVP_DigestUpdate(ctx, buf, (size_t) n) == 1 ? 0 : -1;
        cli_progress(&progress, (uint64_t) n);
    }

    cli_progress_end(&progress);
    rc = rc == 0 && n == 0 && EVP_DigestFinal_ex(ctx, sha, NULL) == 1 ? 0 : -1;

    EVP_MD_CTX_free(ctx);
    free(buf);

    for (i = 0; rc == 0 && i < 32; i++) {
        sprintf(text + 2 * i, "%02x", sha[i]);
    }

    return rc;
}


/* what a manifest says that is not ours is not repeated */

static json_t *
cli_manifest_answer(json_t *manifest, const cli_verdict_t *verdict,
    const char *file)
{
    json_t  *value;

    value = json_pack("{s:s, s:s}", "verdict", verdict->name,
                      "text", verdict->text);

    if (verdict >= &cli_verdicts[CLI_MALFORMED]
        && verdict <= &cli_verdicts[CLI_BAD_SIGNATURE])
    {
        return value;
    }

    json_object_update_new(value,
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I}",
                  "file", file,
                  "export", cli_string(manifest, "export"),
                  "camera", cli_string(manifest, "camera"),
                  "cameraName", cli_string(manifest, "cameraName"),
                  "start", cli_string(manifest, "start"),
                  "end", cli_string(manifest, "end"),
                  "gaps", (json_int_t) json_array_size(
                              json_object_get(manifest, "gaps")),
                  "damaged", (json_int_t) json_array_size(
                                 json_object_get(manifest, "damaged"))));

    return value;
}


static void
cli_manifest_print(json_t *value)
{
    char        text[96];
    json_int_t  gaps, damaged;

    printf("%s: %s\n", cli_string(value, "verdict"),
           cli_string(value, "text"));

    cli_field("file", cli_string(value, "file"));
    cli_field("camera", cli_string(value, "cameraName"));
    cli_field("id", cli_string(value, "camera"));
    cli_field("from", cli_string(value, "start"));
    cli_field("to", cli_string(value, "end"));

    gaps = json_integer_value(json_object_get(value, "gaps"));
    damaged = json_integer_value(json_object_get(value, "damaged"));

    if (gaps || damaged) {
        snprintf(text, sizeof(text), "%lld gaps, %lld damaged fragments, see "
                 "the manifest", (long long) gaps, (long long) damaged);
        cli_field("missing", text);
    }
}
