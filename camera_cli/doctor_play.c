/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * camera doctor: fetches the picture as a player does, from the entrance with
 * a fresh token over both playlists to the newest segment.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "http.h"


static int cli_doctor_walk(cli_doctor_t *d, char *url, size_t cap,
    size_t *len);
static int cli_doctor_fetch(cli_doctor_t *d, const char *what,
    const char *url, cli_http_t *http);
static int cli_doctor_follow(char *url, size_t cap, const char *playlist);
static int cli_doctor_join(char *url, size_t len, const char *uri);


void
cli_doctor_playlist(cli_doctor_t *d)
{
    char     url[CAM_TOKEN_MAX + 1024];
    size_t   len;
    json_t  *play;

    if (!d->nginx || !d->keys || !d->publishing) {
        cli_doctor_note(d, "playlist", CLI_CHECK_SKIPPED, NULL,
                        "waits for %s", !d->nginx ? "nginx"
                        : !d->keys ? "keys" : "a publisher");
        return;
    }

    play = json_object();

    if (cli_play_url(d->cli, &d->camera, play) != 0) {
        json_decref(play);
        return;
    }

    snprintf(url, sizeof(url), "%s", cli_string(play, "playUrl"));
    json_decref(play);

    if (cli_doctor_walk(d, url, sizeof(url), &len) != 0) {
        return;
    }

    /* what a silent camera left behind can be fetched as well */

    d->picture = strcmp(cam_view_status(&d->live.view), "online") == 0;
    cli_doctor_note(d, "playlist", CLI_CHECK_OK, NULL,
                    "entrance, playlist and newest segment (%zu kB) were "
                    "fetched", len / 1000);
}


/* the entrance names the media playlist, and that one the segments */

static int
cli_doctor_walk(cli_doctor_t *d, char *url, size_t cap, size_t *len)
{
    int                 i, rc;
    cli_http_t          http;
    static const char  *steps[] = { "the entrance", "the playlist",
                                    "the newest segment", NULL };

    for (i = 0; steps[i]; i++) {

        if (cli_doctor_fetch(d, steps[i], url, &http) != 0) {
            return -1;
        }

        *len = http.len;
        rc = steps[i + 1] ? cli_doctor_follow(url, cap, http.body) : 0;
        cli_http_free(&http);

        if (rc != 0) {
            cli_doctor_note(d, "playlist", CLI_CHECK_FAILED,
                            "the first segment takes a few seconds: ask again",
                            "%s does not name %s yet", steps[i],
                            steps[i + 1]);
            return -1;
        }
    }

    return 0;
}


static int
cli_doctor_fetch(cli_doctor_t *d, const char *what, const char *url,
    cli_http_t *http)
{
    cli_http_get(http, url);

    if (http->status == 200 && http->len) {
        return 0;
    }

    if (http->status == 0) {
        cli_doctor_note(d, "playlist", CLI_CHECK_FAILED, NULL,
                        "%s could not be fetched: %s", what, http->error);

    } else {
        cli_doctor_note(d, "playlist", CLI_CHECK_FAILED,
                        http->status == 401 || http->status == 403
                        ? "nginx may hold other signing keys: reload it after "
                          "a change of the key file"
                        : "look into nginx's error log",
                        "%s was answered with %ld", what, http->status);
    }

    cli_http_free(http);

    return -1;
}


/* makes url that of the last line that is neither empty nor a tag */

static int
cli_doctor_follow(char *url, size_t cap, const char *playlist)
{
    char         uri[2048];
    size_t       n;
    const char  *line;

    uri[0] = '\0';

    for (line = playlist; *line; line += n + strspn(line + n, "\r\n")) {
        n = strcspn(line, "\r\n");

        if (n && *line != '#') {
            snprintf(uri, sizeof(uri), "%.*s", (int) n, line);
        }
    }

    return uri[0] ? cli_doctor_join(url, cap, uri) : -1;
}


/* replaces what follows the last slash of url's path */

static int
cli_doctor_join(char *url, size_t len, const char *uri)
{
    char  *end;

    if (strstr(uri, "://")) {
        return snprintf(url, len, "%s", uri) < (int) len ? 0 : -1;
    }

    url[strcspn(url, "?#")] = '\0';

    if (*uri == '/') {
        end = strstr(url, "://");
        end = end ? strchr(end + 3, '/') : NULL;

    } else {
        end = strrchr(url, '/');
        end = end ? end + 1 : NULL;
    }

    if (end == NULL) {
        return -1;
    }

    len -= (size_t) (end - url);

    return snprintf(end, len, "%s", uri) < (int) len ? 0 : -1;
}
