/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * What the files of camsim share: buffers, the event loop, connections, the
 * FLV file that all publishers send, options and statistics.
 */

#ifndef CAMSIM_H
#define CAMSIM_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_TAG_AUDIO       8
#define SIM_TAG_VIDEO       9
#define SIM_TAG_DATA        18

#define SIM_TEXT_MAX        256
#define SIM_FAILURES_MAX    16


typedef struct {
    char           *data;
    size_t          size;
    size_t          cap;
} sim_buf_t;


/* a URL taken apart; the texts lie in one allocation of the caller's */
typedef struct {
    char            host[128];
    int             port;
    int             tls;
    char           *path;           /* "/live/key?token=..." */
} sim_url_t;


typedef struct sim_timer_s  sim_timer_t;

struct sim_timer_s {
    int64_t         due_usec;
    size_t          index;          /* in the heap, 0 = not armed */
    void          (*handler)(void *data);
    void           *data;
};


typedef struct {
    void          (*opened)(void *data);
    void          (*received)(void *data, sim_buf_t *in);
    void          (*closed)(void *data, const char *why);
} sim_conn_handlers_t;


/*
 * opened follows connect() and the TLS handshake.  received takes what it
 * wants off the front of the buffer.  closed is called when the peer ends
 * it or on an error, never by sim_conn_close().
 */
typedef struct {
    int             fd;             /* -1 = closed */
    uint32_t        events;
    unsigned        connecting:1;
    unsigned        handshaking:1;
    unsigned        want_write:1;
    SSL            *ssl;
    sim_buf_t       in;
    sim_buf_t       out;
    size_t          sent;           /* of out */
    int64_t         blocked_usec;   /* since when the peer takes nothing */
    void           *data;
    const sim_conn_handlers_t  *handlers;
} sim_conn_t;


typedef struct {
    uint8_t         type;
    uint32_t        msec;
    uint32_t        size;
    const uint8_t  *data;
} sim_tag_t;


typedef struct {
    sim_tag_t      *tags;
    size_t          n;
    uint32_t        duration_msec;  /* one frame beyond the last tag */
} sim_flv_t;


typedef struct {
    double         *values;
    size_t          n;
    size_t          cap;
} sim_samples_t;


typedef struct {
    char            text[SIM_TEXT_MAX];
    unsigned        count;
} sim_failure_t;


typedef struct {
    sim_samples_t   accept_msec;    /* connect() to NetStream.Publish.Start */
    sim_samples_t   again_msec;     /* the same for reconnects */
    unsigned        attempts;
    unsigned        accepted;
    unsigned        disconnected;   /* by the server, while live */
    unsigned        live;
    unsigned        stalls;         /* the server took nothing for a while */
    double          stall_msec_max;
    double          lag_msec_max;   /* a tag behind its time, our own */
    double          storm_msec;     /* first close to last accept */
    unsigned        storm_left;
    uint64_t        tags;
    uint64_t        bytes;

    sim_samples_t   first_msec;     /* player's start to its first segment */
    sim_samples_t   fetch_msec;     /* of segments */
    unsigned        players;
    unsigned        playing;
    unsigned        segments;
    unsigned        late;           /* came when all before were played */
    unsigned        missing;        /* media sequence numbers never seen */
    unsigned        discontinuities;
    double          late_msec_max;
    uint64_t        played_bytes;

    unsigned        failures;
    sim_failure_t   failure[SIM_FAILURES_MAX];
} sim_stats_t;


typedef struct {
    const char     *file;
    char          **publish;
    size_t          publishes;
    char          **play;
    size_t          plays;
    unsigned        connections;
    unsigned        players;
    double          spread_sec;
    double          seconds;        /* 0 = until a signal */
    unsigned        storm;          /* reconnects */
    double          storm_sec;      /* within */
    double          storm_at_sec;
    double          late_audio_sec;
    double          jump_sec;
    double          jump_at_sec;    /* 0 = no jump */
    double          freeze_at_sec;  /* 0 = never */
    int             codec_id;       /* -1 = the file's */
    int             audio_codec_id;
    unsigned        no_audio:1;
    unsigned        no_loop:1;
    unsigned        retry:1;        /* connect anew when dropped */
    unsigned        quickack:1;
    unsigned        json:1;
    unsigned        verbose:1;
} sim_options_t;


extern sim_options_t  sim_options;
extern sim_stats_t    sim_stats;
extern sim_flv_t      sim_flv;


/* loop.c */
int64_t sim_now_usec(void);         /* monotonic, of this turn of the loop */
int64_t sim_clock_usec(void);       /* monotonic, this moment */
void sim_timer_set(sim_timer_t *timer, int64_t due_usec);
void sim_timer_clear(sim_timer_t *timer);
void sim_loop_init(void);
void sim_loop_watch(int op, sim_conn_t *c, uint32_t events);
void sim_loop_run(void);
void sim_loop_stop(void);

/* conn.c */
void sim_buf_add(sim_buf_t *buf, const void *data, size_t size);
void sim_buf_take(sim_buf_t *buf, size_t size);
int sim_url_parse(sim_url_t *url, const char *text);
void sim_conn_open(sim_conn_t *c, const sim_url_t *url,
    const sim_conn_handlers_t *handlers, void *data);
void sim_conn_send(sim_conn_t *c);
void sim_conn_close(sim_conn_t *c);
void sim_conn_event(sim_conn_t *c, uint32_t events);

/* flv.c */
int sim_flv_load(sim_flv_t *flv, const char *path);

/* publisher.c */
void sim_publishers_start(void);

/* player.c */
void sim_players_start(void);

/* stats.c */
void sim_sample(sim_samples_t *samples, double value);
void sim_failed(const char *text);
void sim_report(double seconds);


#endif /* CAMSIM_H */
