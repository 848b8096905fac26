/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A player: an ordinary HLS client (RFC 8216) that decodes nothing.  It walks
 *
 *   MASTER     fetches the multivariant playlist and takes its first variant
 *   PLAYLIST   fetches the media playlist, again and again
 *   INIT       fetches a map it has not seen
 *   SEGMENT    fetches the next segment of the list
 *
 * one request at a time on one connection that is kept.  It begins three
 * segments before the end of the list, and keeps account of what a decoder
 * would have shown: a segment is late when everything before it had been
 * played for longer than the player's own polling takes.
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "camsim.h"

#define SIM_PLAYER_BEHIND     3
#define SIM_PLAYER_POLLS      4         /* in a target duration */
#define SIM_PLAYER_RETRY      500000
#define SIM_PLAYER_TRIES      20        /* of a start, while it is not there */
#define SIM_URI_MAX           1024


typedef enum {
    SIM_MASTER = 0,
    SIM_PLAYLIST,
    SIM_INIT,
    SIM_SEGMENT,
    SIM_GONE
} sim_step_e;


typedef struct {
    int64_t         msn;                /* of the first line, -1 = none yet */
    double          target;
    char            map[SIM_URI_MAX];   /* of the segment chosen */
    char            uri[SIM_URI_MAX];   /* "" = nothing new */
    double          duration;
    int64_t         chosen;             /* its msn */
    int             discontinuity;
} sim_playlist_t;


typedef struct {
    sim_step_e      step;
    sim_url_t       url;
    sim_conn_t      conn;
    sim_timer_t     timer;
    sim_playlist_t  list;
    char            base[SIM_URI_MAX];  /* path of the media playlist */
    char            path[SIM_URI_MAX];  /* being fetched */
    char            map[SIM_URI_MAX];   /* fetched */
    unsigned        tries;
    unsigned        playing:1;
    int64_t         start_usec;
    int64_t         request_usec;
    int64_t         next;               /* msn wanted, -1 = choose */
    int64_t         played_usec;        /* when all fetched will be shown */
} sim_player_t;


static void sim_player_start(void *data);
static void sim_player_fetch(sim_player_t *p, sim_step_e step,
    const char *path);
static void sim_player_opened(void *data);
static void sim_player_request(sim_player_t *p);
static void sim_player_received(void *data, sim_buf_t *in);
static void sim_player_body(sim_player_t *p, int status, char *body,
    size_t size);
static void sim_player_error(sim_player_t *p, int status);
static void sim_player_master(sim_player_t *p, char *body);
static void sim_player_next(sim_player_t *p, char *body);
static void sim_player_parse(sim_player_t *p, char *body);
static int64_t sim_player_choose(sim_player_t *p, const char *body);
static void sim_player_segment(sim_player_t *p, size_t size);
static void sim_player_again(void *data);
static void sim_player_closed(void *data, const char *why);
static void sim_player_resolve(char *path, const char *base, const char *uri);


static const sim_conn_handlers_t  sim_player_handlers = {
    sim_player_opened,
    sim_player_received,
    sim_player_closed
};


void
sim_players_start(void)
{
    unsigned       i, n;
    sim_player_t  *p, *players;

    n = sim_options.plays ? sim_options.players : 0;
    players = calloc(n ? n : 1, sizeof(sim_player_t));

    for (i = 0; i < n; i++) {
        p = &players[i];

        if (sim_url_parse(&p->url, sim_options.play[i % sim_options.plays])
            == -1 || strlen(p->url.path) >= SIM_URI_MAX)
        {
            fprintf(stderr, "camsim: cannot play \"%s\"\n",
                    sim_options.play[i % sim_options.plays]);
            exit(2);
        }

        p->conn.fd = -1;
        p->timer.handler = sim_player_start;
        p->timer.data = p;
        sim_timer_set(&p->timer, sim_now_usec()
                      + (int64_t) (sim_options.spread_sec * 1e6 * i / n));
        sim_stats.players++;
    }
}


static void
sim_player_start(void *data)
{
    sim_player_t *p = data;

    if (p->start_usec == 0) {
        p->start_usec = sim_clock_usec();
    }

    p->next = -1;
    p->timer.handler = sim_player_again;
    sim_player_fetch(p, SIM_MASTER, p->url.path);
}


static void
sim_player_fetch(sim_player_t *p, sim_step_e step, const char *path)
{
    p->step = step;

    if (path != p->path) {
        snprintf(p->path, SIM_URI_MAX, "%s", path);
    }

    if (p->conn.fd == -1) {
        sim_conn_open(&p->conn, &p->url, &sim_player_handlers, p);
        return;
    }

    sim_player_request(p);
}


static void
sim_player_opened(void *data)
{
    sim_player_request(data);
}


static void
sim_player_request(sim_player_t *p)
{
    int   len;
    char  text[SIM_URI_MAX + 256];

    len = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: %s:%d\r\n"
                   "User-Agent: camsim\r\n\r\n",
                   p->path, p->url.host, p->url.port);

    p->request_usec = sim_clock_usec();
    sim_buf_add(&p->conn.out, text, len);
    sim_conn_send(&p->conn);
}


/* takes a whole response; every one of ours has a Content-Length */

static void
sim_player_received(void *data, sim_buf_t *in)
{
    char          *end, *line, *body;
    size_t         head, length;
    sim_player_t  *p = data;

    sim_buf_add(in, NULL, 1);
    in->data[in->size] = '\0';
    end = strstr(in->data, "\r\n\r\n");

    if (end == NULL) {
        return;
    }

    head = end + 4 - in->data;
    length = 0;

    for (line = in->data; line < end; line = strstr(line, "\r\n") + 2) {

        if (strncasecmp(line, "Content-Length:", 15) == 0) {
            length = strtoul(line + 15, NULL, 10);
        }
    }

    if (in->size < head + length) {
        return;
    }

    /* a copy, because the next request begins while this one is read */

    body = malloc(length + 1);
    memcpy(body, in->data + head, length);
    body[length] = '\0';

    length = in->size >= 12 ? atoi(in->data + 9) : 0;
    head = in->size - head;
    in->size = 0;

    sim_player_body(p, length, body, head);
    free(body);
}


static void
sim_player_body(sim_player_t *p, int status, char *body, size_t size)
{
    if (status != 200) {
        sim_player_error(p, status);
        return;
    }

    switch (p->step) {

    case SIM_MASTER:
        sim_player_master(p, body);
        break;

    case SIM_PLAYLIST:
        sim_player_next(p, body);
        break;

    case SIM_INIT:
        snprintf(p->map, SIM_URI_MAX, "%s", p->list.map);
        sim_player_fetch(p, SIM_SEGMENT, p->list.uri);
        break;

    case SIM_SEGMENT:
        sim_player_segment(p, size);
        break;

    case SIM_GONE:
        break;
    }
}


/* a stream that is not there yet is asked for again, like players do */

static void
sim_player_error(sim_player_t *p, int status)
{
    char  text[64];

    if ((status == 404 || status == 503) && p->tries++ < SIM_PLAYER_TRIES) {
        p->timer.handler = p->playing ? sim_player_again : sim_player_start;
        sim_timer_set(&p->timer, sim_now_usec() + SIM_PLAYER_RETRY);
        return;
    }

    snprintf(text, sizeof(text), "HTTP %d for %s", status,
             p->step == SIM_MASTER ? "the multivariant playlist"
             : p->step == SIM_PLAYLIST ? "a media playlist"
             : p->step == SIM_INIT ? "a map" : "a segment");
    sim_failed(text);

    if (sim_options.verbose) {
        printf("player: %s\n", text);
        fflush(stdout);
    }

    p->step = SIM_GONE;
    sim_conn_close(&p->conn);
}


static void
sim_player_master(sim_player_t *p, char *body)
{
    char  *line, *save;

    /* a media playlist at the entrance will do as well */

    if (strstr(body, "#EXTINF:")) {
        snprintf(p->base, SIM_URI_MAX, "%s", p->path);
        sim_player_next(p, body);
        return;
    }

    for (line = strtok_r(body, "\r\n", &save); line;
         line = strtok_r(NULL, "\r\n", &save))
    {
        if (*line != '#') {
            sim_player_resolve(p->base, p->path, line);
            sim_player_fetch(p, SIM_PLAYLIST, p->base);
            return;
        }
    }

    sim_player_error(p, 0);
}


static void
sim_player_next(sim_player_t *p, char *body)
{
    int64_t  want;

    want = p->next == -1 ? sim_player_choose(p, body) : p->next;
    p->list.chosen = want;
    sim_player_parse(p, body);

    if (p->list.uri[0] == '\0') {
        sim_timer_set(&p->timer, sim_now_usec()
                      + (int64_t) (p->list.target * 1e6 / SIM_PLAYER_POLLS));
        return;
    }

    if (p->next != -1 && p->list.chosen > p->next) {
        sim_stats.missing += p->list.chosen - p->next;
    }

    sim_stats.discontinuities += p->list.discontinuity;
    p->tries = 0;

    if (p->list.map[0] && strcmp(p->list.map, p->map) != 0) {
        sim_player_fetch(p, SIM_INIT, p->list.map);
        return;
    }

    sim_player_fetch(p, SIM_SEGMENT, p->list.uri);
}


/* three segments before the end */

static int64_t
sim_player_choose(sim_player_t *p, const char *body)
{
    int          n;
    int64_t      first;
    const char  *s;

    s = strstr(body, "#EXT-X-MEDIA-SEQUENCE:");
    first = s ? atoll(s + 22) : 0;

    for (n = 0, s = body; (s = strstr(s, "#EXTINF:")) != NULL; s++) {
        n++;
    }

    return first + (n > SIM_PLAYER_BEHIND ? n - SIM_PLAYER_BEHIND : 0);
}


/* finds the first segment that is not before list.chosen */

static void
sim_player_parse(sim_player_t *p, char *body)
{
    char             map[SIM_URI_MAX], *line, *save, *quote;
    int64_t          msn;
    sim_playlist_t  *list = &p->list;

    msn = 0;
    map[0] = '\0';
    list->uri[0] = '\0';
    list->discontinuity = 0;

    for (line = strtok_r(body, "\r\n", &save); line;
         line = strtok_r(NULL, "\r\n", &save))
    {
        if (strncmp(line, "#EXT-X-MEDIA-SEQUENCE:", 22) == 0) {
            msn = atoll(line + 22);

        } else if (strncmp(line, "#EXT-X-TARGETDURATION:", 22) == 0) {
            list->target = atof(line + 22);

        } else if (strncmp(line, "#EXTINF:", 8) == 0) {
            list->duration = atof(line + 8);

        } else if (strcmp(line, "#EXT-X-DISCONTINUITY") == 0) {
            list->discontinuity = 1;

        } else if (strncmp(line, "#EXT-X-MAP:URI=\"", 16) == 0) {
            quote = strchr(line + 16, '"');

            if (quote) {
                *quote = '\0';
                sim_player_resolve(map, p->base, line + 16);
            }

        } else if (*line != '#') {

            if (msn >= list->chosen) {
                list->chosen = msn;
                snprintf(list->map, SIM_URI_MAX, "%s", map);
                sim_player_resolve(list->uri, p->base, line);
                return;
            }

            msn++;
            list->discontinuity = 0;
        }
    }
}


static void
sim_player_segment(sim_player_t *p, size_t size)
{
    double   late_msec;
    int64_t  now;

    now = sim_clock_usec();
    sim_stats.segments++;
    sim_stats.played_bytes += size;
    sim_sample(&sim_stats.fetch_msec, (now - p->request_usec) / 1000.0);

    if (!p->playing) {
        p->playing = 1;
        p->played_usec = now;
        sim_stats.playing++;
        sim_sample(&sim_stats.first_msec, (now - p->start_usec) / 1000.0);
    }

    late_msec = (now - p->played_usec) / 1000.0;

    if (late_msec > p->list.target * 1000 / SIM_PLAYER_POLLS) {
        sim_stats.late++;
        p->played_usec = now;

        if (late_msec > sim_stats.late_msec_max) {
            sim_stats.late_msec_max = late_msec;
        }
    }

    p->played_usec += (int64_t) (p->list.duration * 1e6);
    p->next = p->list.chosen + 1;

    sim_player_fetch(p, SIM_PLAYLIST, p->base);
}


static void
sim_player_again(void *data)
{
    sim_player_t *p = data;

    if (p->step == SIM_SEGMENT || p->step == SIM_INIT) {
        sim_player_fetch(p, SIM_PLAYLIST, p->base);
        return;
    }

    sim_player_fetch(p, p->step, p->path);
}


/* a kept connection may end at any time: the request is made again */

static void
sim_player_closed(void *data, const char *why)
{
    sim_player_t *p = data;

    if (p->step == SIM_GONE) {
        return;
    }

    if (p->tries++ >= SIM_PLAYER_TRIES) {
        sim_failed(why);
        p->step = SIM_GONE;
        return;
    }

    if (p->timer.index == 0) {
        sim_timer_set(&p->timer, sim_now_usec() + SIM_PLAYER_RETRY / 5);
    }
}


static void
sim_player_resolve(char *path, const char *base, const char *uri)
{
    size_t       dir;
    const char  *p;

    p = strstr(uri, "://");

    if (p) {
        p = strchr(p + 3, '/');
        snprintf(path, SIM_URI_MAX, "%s", p ? p : "/");
        return;
    }

    if (*uri == '/') {
        snprintf(path, SIM_URI_MAX, "%s", uri);
        return;
    }

    dir = strcspn(base, "?");

    while (dir && base[dir - 1] != '/') {
        dir--;
    }

    snprintf(path, SIM_URI_MAX, "%.*s%s", (int) dir, base, uri);
}
