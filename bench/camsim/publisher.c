/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * A publisher: one camera, or many of them.  States and what leads on:
 *
 *   IDLE        not connected                [sim_publisher_start]
 *   HANDSHAKE   C0 and C1 sent               [sim_publisher_handshake]
 *   CONNECT     connect sent                 [sim_publisher_result]
 *   CREATE      createStream sent            [sim_publisher_result]
 *   PUBLISH     publish sent                 [sim_publisher_status]
 *   LIVE        accepted: tags are sent as they fall due [media.c]
 *
 * A connection that ends goes back to IDLE [sim_publisher_closed], and stays
 * there unless it is part of a storm or --retry was given.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "publisher.h"

#define SIM_RETRY_USEC       500000
#define SIM_REFUSED_USEC     200000     /* a storm tries again after */
#define SIM_PING_REQUEST     6
#define SIM_PING_RESPONSE    7


static void sim_publisher_init(sim_publisher_t *p, unsigned number);
static void sim_publisher_start(void *data);
static void sim_publisher_opened(void *data);
static void sim_publisher_received(void *data, sim_buf_t *in);
static int sim_publisher_handshake(sim_publisher_t *p, sim_buf_t *in);
static void sim_publisher_message(sim_publisher_t *p, uint8_t type,
    sim_buf_t *body);
static void sim_publisher_pong(sim_publisher_t *p, const sim_buf_t *body);
static void sim_publisher_command(sim_publisher_t *p, const sim_buf_t *body);
static void sim_publisher_result(sim_publisher_t *p, double number);
static void sim_publisher_status(sim_publisher_t *p,
    const sim_rtmp_command_t *command);
static void sim_publisher_call(sim_publisher_t *p, const char *name,
    double transaction, const char *argument, const char *type);
static void sim_publisher_connect(sim_publisher_t *p);
static void sim_publisher_live(sim_publisher_t *p);
static void sim_publisher_refused(sim_publisher_t *p, const char *text);
static void sim_publisher_closed(void *data, const char *why);
static void sim_storm(void *data);


static sim_publisher_t  *sim_publishers;
static sim_timer_t       sim_storm_timer;
static int64_t           sim_storm_usec;

static const sim_conn_handlers_t  sim_publisher_handlers = {
    sim_publisher_opened,
    sim_publisher_received,
    sim_publisher_closed
};


void
sim_publishers_start(void)
{
    unsigned         i, n;
    int64_t          delay_usec;
    sim_publisher_t  *p;

    n = sim_options.connections;
    sim_publishers = calloc(n ? n : 1, sizeof(sim_publisher_t));

    for (i = 0; i < n; i++) {
        p = &sim_publishers[i];
        sim_publisher_init(p, i);

        delay_usec = sim_options.spread_sec * 1e6 * i / n;
        sim_timer_set(&p->timer, sim_now_usec() + delay_usec);
    }

    if (sim_options.storm) {
        sim_storm_timer.handler = sim_storm;
        sim_timer_set(&sim_storm_timer, sim_now_usec()
                      + (int64_t) (sim_options.storm_at_sec * 1e6));
    }
}


/* "%d" in a URL is the publisher's number */

static void
sim_publisher_init(sim_publisher_t *p, unsigned number)
{
    char        *text, *slash;
    size_t       len;
    const char  *pattern, *d;

    pattern = sim_options.publish[number % sim_options.publishes];
    d = strstr(pattern, "%d");
    len = strlen(pattern) + 16;
    text = malloc(len);

    if (d) {
        snprintf(text, len, "%.*s%u%s", (int) (d - pattern), pattern, number,
                 d + 2);
    } else {
        snprintf(text, len, "%s", pattern);
    }

    if (sim_url_parse(&p->url, text) == -1
        || (slash = strchr(p->url.path + 1, '/')) == NULL)
    {
        fprintf(stderr, "camsim: cannot publish to \"%s\"\n", pattern);
        exit(2);
    }

    free(text);

    *slash = '\0';
    p->app = p->url.path + 1;
    p->name = slash + 1;
    p->number = number;
    p->conn.fd = -1;
    p->timer.handler = sim_publisher_start;
    p->timer.data = p;
}


static void
sim_publisher_start(void *data)
{
    sim_publisher_t *p = data;

    p->state = SIM_HANDSHAKE;
    p->connect_usec = sim_clock_usec();
    p->tag = 0;
    p->passes = 0;
    p->audio = 0;
    sim_rtmp_in_reset(&p->in);
    sim_stats.attempts++;

    sim_conn_open(&p->conn, &p->url, &sim_publisher_handlers, p);
}


static void
sim_publisher_opened(void *data)
{
    size_t           i;
    uint8_t          hello[1 + SIM_RTMP_HANDSHAKE];
    sim_publisher_t *p = data;

    memset(hello, 0, 9);
    hello[0] = 3;                           /* version, then time and zero */

    for (i = 9; i < sizeof(hello); i++) {
        hello[i] = random();
    }

    sim_buf_add(&p->conn.out, hello, sizeof(hello));
    sim_conn_send(&p->conn);
}


static void
sim_publisher_received(void *data, sim_buf_t *in)
{
    int               rc;
    uint8_t           type;
    sim_buf_t        *body;
    sim_publisher_t  *p = data;

    if (p->state == SIM_HANDSHAKE && !sim_publisher_handshake(p, in)) {
        return;
    }

    for ( ;; ) {
        rc = sim_rtmp_read(&p->in, in, &type, &body);

        if (rc == -1) {
            return;
        }

        if (rc == -2) {
            sim_publisher_refused(p, "not RTMP");
            return;
        }

        if (rc == 1) {
            sim_publisher_message(p, type, body);
        }

        if (p->conn.fd == -1) {
            return;
        }
    }
}


/* S0, S1 and S2 in, C2 out */

static int
sim_publisher_handshake(sim_publisher_t *p, sim_buf_t *in)
{
    if (in->size < 1 + 2 * SIM_RTMP_HANDSHAKE) {
        return 0;
    }

    sim_buf_add(&p->conn.out, in->data + 1, SIM_RTMP_HANDSHAKE);
    sim_buf_take(in, 1 + 2 * SIM_RTMP_HANDSHAKE);
    sim_publisher_connect(p);

    return p->conn.fd != -1;
}


static void
sim_publisher_message(sim_publisher_t *p, uint8_t type, sim_buf_t *body)
{
    uint8_t  *b = (uint8_t *) body->data;

    switch (type) {

    case SIM_RTMP_SET_CHUNK:
        if (body->size == 4) {
            p->in.chunk = (uint32_t) b[0] << 24 | b[1] << 16 | b[2] << 8
                          | b[3];
        }

        break;

    case SIM_RTMP_CONTROL:
        sim_publisher_pong(p, body);
        break;

    case SIM_RTMP_COMMAND:
        sim_publisher_command(p, body);
        break;
    }
}


static void
sim_publisher_pong(sim_publisher_t *p, const sim_buf_t *body)
{
    uint8_t             pong[6];
    sim_rtmp_header_t   h = { SIM_CSID_PROTOCOL, SIM_RTMP_CONTROL, 0, 0 };

    if (body->size != 6 || body->data[1] != SIM_PING_REQUEST) {
        return;
    }

    memcpy(pong, body->data, 6);
    pong[1] = SIM_PING_RESPONSE;
    sim_rtmp_write(&p->conn.out, &h, SIM_RTMP_CHUNK, pong, 6, NULL, 0);
    sim_conn_send(&p->conn);
}


static void
sim_publisher_command(sim_publisher_t *p, const sim_buf_t *body)
{
    char                text[SIM_TEXT_MAX];
    sim_rtmp_command_t  command;

    if (sim_rtmp_command_parse(&command, body) == -1) {
        return;
    }

    if (strcmp(command.name, "_error") == 0
        || strcmp(command.level, "error") == 0)
    {
        snprintf(text, sizeof(text), "%s: %s", command.code,
                 command.description);
        sim_publisher_refused(p, text);
        return;
    }

    if (strcmp(command.name, "_result") == 0) {
        sim_publisher_result(p, command.number);

    } else if (strcmp(command.name, "onStatus") == 0) {
        sim_publisher_status(p, &command);
    }
}


static void
sim_publisher_result(sim_publisher_t *p, double number)
{
    switch (p->state) {

    case SIM_CONNECT:
        p->state = SIM_CREATE;
        sim_publisher_call(p, "releaseStream", 2, p->name, NULL);
        sim_publisher_call(p, "FCPublish", 3, p->name, NULL);
        sim_publisher_call(p, "createStream", 4, NULL, NULL);
        sim_conn_send(&p->conn);
        break;

    case SIM_CREATE:
        if (number == 0) {
            break;                          /* of FCPublish */
        }

        p->state = SIM_PUBLISH;
        p->stream = number;
        sim_publisher_call(p, "publish", 5, p->name, "live");
        sim_conn_send(&p->conn);
        break;

    default:
        break;
    }
}


static void
sim_publisher_status(sim_publisher_t *p, const sim_rtmp_command_t *command)
{
    if (p->state == SIM_PUBLISH
        && strcmp(command->code, "NetStream.Publish.Start") == 0)
    {
        sim_publisher_live(p);
    }
}


static void
sim_publisher_call(sim_publisher_t *p, const char *name, double transaction,
    const char *argument, const char *type)
{
    sim_buf_t           body;
    sim_rtmp_header_t   h = { SIM_CSID_COMMAND, SIM_RTMP_COMMAND, 0, 0 };

    memset(&body, 0, sizeof(body));

    sim_amf_string(&body, name);
    sim_amf_number(&body, transaction);
    sim_amf_null(&body);

    if (argument) {
        sim_amf_string(&body, argument);
    }

    if (type) {
        sim_amf_string(&body, type);
        h.stream = p->stream;
    }

    sim_rtmp_write(&p->conn.out, &h, SIM_RTMP_CHUNK, (uint8_t *) body.data,
                   body.size, NULL, 0);
    free(body.data);
}


static void
sim_publisher_connect(sim_publisher_t *p)
{
    char                url[512];
    uint8_t             chunk[4] = { 0, 0, SIM_RTMP_CHUNK >> 8, 0 };
    sim_buf_t           body;
    const char         *pairs[] = {
        "app", p->app, "type", "nonprivate",
        "flashVer", "FMLE/3.0 (compatible; camsim)", "tcUrl", url, NULL
    };
    sim_rtmp_header_t   set = { SIM_CSID_PROTOCOL, SIM_RTMP_SET_CHUNK, 0, 0 };
    sim_rtmp_header_t   h = { SIM_CSID_COMMAND, SIM_RTMP_COMMAND, 0, 0 };

    snprintf(url, sizeof(url), "%s://%s:%d/%s", p->url.tls ? "rtmps" : "rtmp",
             p->url.host, p->url.port, p->app);
    memset(&body, 0, sizeof(body));

    sim_amf_string(&body, "connect");
    sim_amf_number(&body, 1);
    sim_amf_object(&body, pairs);

    sim_rtmp_write(&p->conn.out, &set, SIM_RTMP_CHUNK, chunk, 4, NULL, 0);
    sim_rtmp_write(&p->conn.out, &h, SIM_RTMP_CHUNK, (uint8_t *) body.data,
                   body.size, NULL, 0);
    free(body.data);

    p->state = SIM_CONNECT;
    sim_conn_send(&p->conn);
}


static void
sim_publisher_live(sim_publisher_t *p)
{
    double  msec;

    p->state = SIM_LIVE;
    p->live_usec = sim_clock_usec();
    msec = (p->live_usec - p->connect_usec) / 1000.0;

    sim_stats.accepted++;
    sim_stats.live++;

    if (p->storm) {
        p->storm = 0;
        sim_stats.storm_left--;
        sim_sample(&sim_stats.again_msec, msec);
        sim_stats.storm_msec = (p->live_usec - sim_storm_usec) / 1000.0;

    } else {
        sim_sample(&sim_stats.accept_msec, msec);
    }

    if (sim_options.verbose) {
        printf("publisher %u: accepted after %.1f ms\n", p->number, msec);
        fflush(stdout);
    }

    p->timer.handler = sim_media_send;
    sim_timer_set(&p->timer, p->live_usec);
}


/* the server said no; a second answer would not change that */

static void
sim_publisher_refused(sim_publisher_t *p, const char *text)
{
    sim_conn_close(&p->conn);
    sim_publisher_closed(p, text);
}


static void
sim_publisher_closed(void *data, const char *why)
{
    sim_publisher_t *p = data;

    sim_timer_clear(&p->timer);
    p->timer.handler = sim_publisher_start;

    if (p->state == SIM_LIVE) {
        sim_stats.live--;
        sim_stats.disconnected++;
    }

    sim_failed(why);
    p->state = SIM_IDLE;

    if (sim_options.verbose) {
        printf("publisher %u: %s\n", p->number, why);
        fflush(stdout);
    }

    if (p->storm) {
        sim_timer_set(&p->timer, sim_now_usec() + SIM_REFUSED_USEC);

    } else if (sim_options.retry) {
        sim_timer_set(&p->timer, sim_now_usec() + SIM_RETRY_USEC);
    }
}


/* closes so many live connections at once and spreads their return */

static void
sim_storm(void *data)
{
    unsigned          i, n;
    sim_publisher_t  *p;

    sim_storm_usec = sim_clock_usec();
    n = 0;

    for (i = 0; i < sim_options.connections && n < sim_options.storm; i++) {
        p = &sim_publishers[i];

        if (p->state != SIM_LIVE) {
            continue;
        }

        sim_conn_close(&p->conn);
        sim_stats.live--;
        p->state = SIM_IDLE;
        p->storm = 1;
        p->timer.handler = sim_publisher_start;

        sim_timer_set(&p->timer, sim_storm_usec
                      + (int64_t) (sim_options.storm_sec * 1e6 * n
                                   / sim_options.storm));
        n++;
    }

    sim_stats.storm_left = n;
}
