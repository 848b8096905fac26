/*
 * Copyright (C) The nginx camera platform authors
 */

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "credentials.h"


static int cli_play_token(cli_t *cli, const cli_camera_t *camera, long ttl,
    char text[CAM_TOKEN_MAX]);
static const char *cli_play_base(const cli_t *cli);
static int cli_is_loopback(const char *url);
static int cli_bad_ttl(const cli_t *cli, long longest);


/* the database sees only the hash: what is printed now is printed once */

int
cli_opaque(cli_t *cli, const cli_camera_t *camera,
    char text[CAM_TOKEN_OPAQUE_LEN + 1])
{
    int          i, n, rc;
    char         hex[2 + 64 + 1], generation[16];
    uint8_t      hash[32];
    PGresult    *result;
    const char  *values[] = { camera->id_text, generation, hex };

    if (cam_token_opaque(text) != 0) {
        return cli_fail(cli, CLI_REFUSED, NULL, "no random bytes to be had");
    }

    cam_token_sha256(hash, text, CAM_TOKEN_OPAQUE_LEN);
    strcpy(hex, "\\x");

    for (i = 0; i < 32; i++) {
        sprintf(hex + 2 + 2 * i, "%02x", hash[i]);
    }

    snprintf(generation, sizeof(generation), "%u", camera->generation);

    result = cli_db_query(cli, &rc, "UPDATE stream_keys SET opaque_hash = $3"
                          " WHERE camera_id = $1 AND generation = $2"
                          " AND opaque_hash IS NULL RETURNING generation", 3,
                          values);

    if (result == NULL) {
        return rc;
    }

    n = PQntuples(result);
    PQclear(result);

    if (n == 0) {
        return cli_fail(cli, CLI_REFUSED,
                        "make another with \"camera rotate ID --opaque\", or "
                        "cut the old one off first with \"camera revoke ID\"",
                        "this camera has an opaque key; it was shown once and "
                        "is stored only as a hash");
    }

    return 0;
}


void
cli_publish_base(const cli_t *cli, char *base, size_t len)
{
    size_t       n;
    const char  *url, *host;

    url = cli->env.rtmps_url;

    if (url == NULL) {
        base[0] = '\0';
        return;
    }

    n = strlen(url);

    while (n && url[n - 1] == '/') {
        n--;
    }

    host = strstr(url, "://");
    host = host ? host + 3 : url;

    snprintf(base, len, "%.*s%s", (int) n, url,
             memchr(host, '/', (size_t) (url + n - host)) ? "" : "/live");
}


int
cli_publish_url(cli_t *cli, const cli_camera_t *camera, json_t *value)
{
    int      rc;
    char     base[512], text[CAM_TOKEN_MAX], url[CAM_TOKEN_MAX + 1024];
    int64_t  expires;

    cli_publish_base(cli, base, sizeof(base));

    if (base[0] == '\0') {
        return cli_fail(cli, CLI_INSTANCE, NULL,
                        "CAMERA_RTMPS_URL is not known");
    }

    if (cli->opt.opaque) {
        rc = cli_opaque(cli, camera, text);

        if (rc != 0) {
            return rc;
        }

        snprintf(url, sizeof(url), "%s/%s", base, text);

    } else {
        rc = cli_stream_token(cli, camera, text, &expires);

        if (rc != 0) {
            return rc;
        }

        snprintf(url, sizeof(url), "%s/%s?token=%s", base, camera->key, text);
        cli_set_expiry(value, expires);
    }

    json_object_set_new(value, "publishUrl", json_string(url));

    OPENSSL_cleanse(text, sizeof(text));
    OPENSSL_cleanse(url, sizeof(url));

    return 0;
}


int
cli_stream_token(cli_t *cli, const cli_camera_t *camera,
    char text[CAM_TOKEN_MAX], int64_t *expires)
{
    cam_token_t  token;

    memset(&token, 0, sizeof(cam_token_t));

    token.use = CAM_KEY_STREAM;
    token.generation = camera->generation;
    token.issued = time(NULL);
    token.expires = token.issued
                    + (cli->opt.ttl == -1 ? CAM_TOKEN_STREAM_TTL
                                          : cli->opt.ttl);
    memcpy(token.camera, camera->id, CAM_UUID_LEN);

    if (cam_token_sign(&cli->keys, &token, text, CAM_TOKEN_MAX) == -1) {
        return cli_bad_ttl(cli, CAM_TOKEN_STREAM_TTL_MAX);
    }

    *expires = token.expires;

    return 0;
}


int
cli_play_url(cli_t *cli, const cli_camera_t *camera, json_t *value)
{
    long         ttl;
    char         text[CAM_TOKEN_MAX], url[CAM_TOKEN_MAX + 1024];
    const char  *base;

    base = cli_play_base(cli);

    if (base == NULL) {
        return cli_fail(cli, CLI_INSTANCE, NULL,
                        "neither CAMERA_HTTPS_URL nor CAMERA_URL is known");
    }

    ttl = cli->opt.ttl == -1 || json_object_get(value, "publishUrl")
          ? CAM_TOKEN_PLAYBACK_TTL : cli->opt.ttl;

    if (cli_play_token(cli, camera, ttl, text) == -1) {
        return cli_bad_ttl(cli, CAM_TOKEN_PLAYBACK_TTL_MAX);
    }

    snprintf(url, sizeof(url), "%.*s/hls/%s/playlist.m3u8?token=%s",
             (int) strlen(base) - (base[strlen(base) - 1] == '/'), base,
             camera->id_text, text);

    if (json_object_get(value, "publishUrl") == NULL) {
        cli_set_expiry(value, time(NULL) + ttl);
    }

    json_object_set_new(value, "playUrl", json_string(url));

    return 0;
}


static int
cli_play_token(cli_t *cli, const cli_camera_t *camera, long ttl,
    char text[CAM_TOKEN_MAX])
{
    cam_token_t  token;

    memset(&token, 0, sizeof(cam_token_t));

    token.use = CAM_KEY_PLAYBACK;
    token.purpose = CAM_PURPOSE_LIVE;
    token.epoch = camera->epoch;
    token.issued = time(NULL);
    token.expires = token.issued + ttl;
    memcpy(token.camera, camera->id, CAM_UUID_LEN);
    memcpy(token.tenant, camera->tenant, CAM_UUID_LEN);

    return cam_token_sign(&cli->keys, &token, text, CAM_TOKEN_MAX);
}


/*
 * HTTPS, except on this machine itself, where a certificate that nobody knows
 * yet would only be in the way.
 */

static const char *
cli_play_base(const cli_t *cli)
{
    if (cli->env.url
        && (cli->env.https_url == NULL || cli_is_loopback(cli->env.url)))
    {
        return cli->env.url;
    }

    return cli->env.https_url;
}


static int
cli_is_loopback(const char *url)
{
    const char  *host;

    host = strstr(url, "://");
    host = host ? host + 3 : url;

    return strncmp(host, "127.", 4) == 0 || strncmp(host, "[::1]", 5) == 0
           || strncmp(host, "localhost", 9) == 0;
}


void
cli_set_expiry(json_t *value, int64_t expires)
{
    char  text[32];

    json_object_set_new(value, "expiresAt",
                        json_string(cli_time_text(text, expires)));
    json_object_set_new(value, "expiresIn", json_integer(expires - time(NULL)));
}


static int
cli_bad_ttl(const cli_t *cli, long longest)
{
    return cli_fail(cli, CLI_USAGE, NULL,
                    "no token: --ttl takes 1 to %ld seconds", longest);
}
