/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * camsim: publishes any number of cameras from one FLV file in real time, and
 * plays HLS.  One process, one epoll; everything it learns is printed at the
 * end.  Exit status: 0 when everybody was accepted and nobody was dropped,
 * 1 when not, 2 when it could not run.
 */

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "camsim.h"


static void sim_usage(FILE *out);
static void sim_parse(int argc, char **argv);
static void sim_option(int option, const char *value);
static void sim_add_url(char ***list, size_t *n, const char *url);
static void sim_pair(const char *option, const char *value, double *a,
    double *b, double *c);
static void sim_stop(void *data);
static void sim_signal(int signo);


enum {
    SIM_FILE = 1, SIM_PUBLISH, SIM_PLAY, SIM_CONNECTIONS, SIM_PLAYERS,
    SIM_SPREAD, SIM_SECONDS, SIM_STORM, SIM_LATE_AUDIO, SIM_JUMP, SIM_FREEZE,
    SIM_CODEC_ID, SIM_AUDIO_CODEC_ID, SIM_NO_AUDIO, SIM_NO_LOOP, SIM_RETRY,
    SIM_QUICKACK, SIM_JSON, SIM_QUIET, SIM_HELP
};


static const struct option  sim_long_options[] = {
    { "file",             required_argument, NULL, SIM_FILE },
    { "publish",          required_argument, NULL, SIM_PUBLISH },
    { "play",             required_argument, NULL, SIM_PLAY },
    { "connections",      required_argument, NULL, SIM_CONNECTIONS },
    { "players",          required_argument, NULL, SIM_PLAYERS },
    { "spread",           required_argument, NULL, SIM_SPREAD },
    { "seconds",          required_argument, NULL, SIM_SECONDS },
    { "reconnect-storm",  required_argument, NULL, SIM_STORM },
    { "late-audio",       required_argument, NULL, SIM_LATE_AUDIO },
    { "jump",             required_argument, NULL, SIM_JUMP },
    { "freeze",           required_argument, NULL, SIM_FREEZE },
    { "codec-id",         required_argument, NULL, SIM_CODEC_ID },
    { "audio-codec-id",   required_argument, NULL, SIM_AUDIO_CODEC_ID },
    { "no-audio",         no_argument,       NULL, SIM_NO_AUDIO },
    { "no-loop",          no_argument,       NULL, SIM_NO_LOOP },
    { "retry",            no_argument,       NULL, SIM_RETRY },
    { "quickack",         no_argument,       NULL, SIM_QUICKACK },
    { "json",             no_argument,       NULL, SIM_JSON },
    { "quiet",            no_argument,       NULL, SIM_QUIET },
    { "help",             no_argument,       NULL, SIM_HELP },
    { NULL, 0, NULL, 0 }
};


sim_options_t  sim_options;
sim_stats_t    sim_stats;
sim_flv_t      sim_flv;


int
main(int argc, char **argv)
{
    int64_t        start_usec;
    sim_timer_t    end;
    struct rlimit  rl;

    sim_parse(argc, argv);

    if (sim_options.connections && sim_flv_load(&sim_flv, sim_options.file)
        == -1)
    {
        return 2;
    }

    /* a descriptor for each connection */

    if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
        rl.rlim_cur = rl.rlim_max;
        setrlimit(RLIMIT_NOFILE, &rl);
    }

    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, sim_signal);
    signal(SIGTERM, sim_signal);

    sim_loop_init();
    start_usec = sim_clock_usec();
    sim_publishers_start();
    sim_players_start();

    memset(&end, 0, sizeof(end));
    end.handler = sim_stop;

    if (sim_options.seconds != 0) {
        sim_timer_set(&end, start_usec
                      + (int64_t) (sim_options.seconds * 1e6));
    }

    sim_loop_run();
    sim_report((sim_clock_usec() - start_usec) / 1e6);

    return sim_stats.failures || sim_stats.storm_left
           || sim_stats.accepted < sim_options.connections
           || sim_stats.playing < sim_stats.players;
}


static void
sim_stop(void *data)
{
    sim_loop_stop();
}


static void
sim_signal(int signo)
{
    sim_loop_stop();
}


static void
sim_parse(int argc, char **argv)
{
    int  option;

    sim_options.codec_id = -1;
    sim_options.audio_codec_id = -1;
    sim_options.verbose = 1;

    while ((option = getopt_long(argc, argv, "", sim_long_options, NULL))
           != -1)
    {
        sim_option(option, optarg);
    }

    if (sim_options.connections == 0) {
        sim_options.connections = sim_options.publishes;
    }

    if (sim_options.players == 0) {
        sim_options.players = sim_options.plays;
    }

    if (optind != argc || sim_options.publishes + sim_options.plays == 0
        || (sim_options.publishes && sim_options.file == NULL)
        || (sim_options.connections && sim_options.publishes == 0))
    {
        sim_usage(stderr);
        exit(2);
    }

    if (sim_options.json || sim_options.connections > 10) {
        sim_options.verbose = 0;
    }
}


static void
sim_option(int option, const char *value)
{
    double          n;
    sim_options_t  *o = &sim_options;

    switch (option) {

    case SIM_FILE:            o->file = value; break;
    case SIM_PUBLISH:         sim_add_url(&o->publish, &o->publishes, value);
                              break;
    case SIM_PLAY:            sim_add_url(&o->play, &o->plays, value); break;
    case SIM_CONNECTIONS:     o->connections = atoi(value); break;
    case SIM_PLAYERS:         o->players = atoi(value); break;
    case SIM_SPREAD:          o->spread_sec = atof(value); break;
    case SIM_SECONDS:         o->seconds = atof(value); break;
    case SIM_LATE_AUDIO:      o->late_audio_sec = atof(value); break;
    case SIM_FREEZE:          o->freeze_at_sec = atof(value); break;
    case SIM_CODEC_ID:        o->codec_id = atoi(value) & 15; break;
    case SIM_AUDIO_CODEC_ID:  o->audio_codec_id = atoi(value) & 15; break;
    case SIM_NO_AUDIO:        o->no_audio = 1; break;
    case SIM_NO_LOOP:         o->no_loop = 1; break;
    case SIM_RETRY:           o->retry = 1; break;
    case SIM_QUICKACK:        o->quickack = 1; break;
    case SIM_JSON:            o->json = 1; break;
    case SIM_QUIET:           o->verbose = 0; break;

    case SIM_STORM:
        sim_pair("K/SEC@AT", value, &n, &o->storm_sec, &o->storm_at_sec);
        o->storm = n;
        break;

    case SIM_JUMP:
        sim_pair("SEC@AT", value, &o->jump_sec, NULL, &o->jump_at_sec);
        break;

    case SIM_HELP:
        sim_usage(stdout);
        exit(0);

    default:
        sim_usage(stderr);
        exit(2);
    }
}


/* "a/b@c" or "a@c" */

static void
sim_pair(const char *option, const char *value, double *a, double *b,
    double *c)
{
    char  *end;

    *a = strtod(value, &end);

    if (b && *end == '/') {
        *b = strtod(end + 1, &end);
    }

    if (*end == '@') {
        *c = strtod(end + 1, &end);

        if (*end == '\0') {
            return;
        }
    }

    fprintf(stderr, "camsim: \"%s\" is not of the form %s\n", value, option);
    exit(2);
}


/* a URL, or "@file" with one in each line */

static void
sim_add_url(char ***list, size_t *n, const char *url)
{
    FILE     *f;
    char     *line;
    size_t    cap;
    ssize_t   len;

    if (*url != '@') {
        *list = realloc(*list, (*n + 1) * sizeof(char *));
        (*list)[(*n)++] = strdup(url);
        return;
    }

    f = fopen(url + 1, "r");

    if (f == NULL) {
        perror(url + 1);
        exit(2);
    }

    line = NULL;
    cap = 0;

    while ((len = getline(&line, &cap, f)) > 0) {
        line[strcspn(line, "\r\n")] = '\0';

        if (*line && *line != '@') {
            sim_add_url(list, n, line);
        }
    }

    free(line);
    fclose(f);
}


static void
sim_usage(FILE *out)
{
    fputs(
"usage: camsim [--file FLV --publish URL|@FILE]... [--play URL|@FILE]...\n"
"\n"
"  --connections N        publishers, URLs are used in turn, %d is the number\n"
"  --players N            players, likewise\n"
"  --spread SEC           start them over so many seconds\n"
"  --seconds SEC          end after; without it on INT or TERM\n"
"  --reconnect-storm K/SEC@AT\n"
"                         AT seconds after the start close K publishers and\n"
"                         let them return within SEC seconds\n"
"  --retry                a dropped publisher returns after half a second\n"
"  --no-loop              end of file: stay connected, send nothing\n"
"  --no-audio             \n"
"  --late-audio SEC       audio begins late\n"
"  --jump SEC@AT          timestamps jump by SEC (may be negative)\n"
"  --freeze SEC           after so many seconds send nothing, stay connected\n"
"  --codec-id N           claim another FLV video codec\n"
"  --audio-codec-id N     \n"
"  --quickack             acknowledge at once, unlike ordinary clients\n"
"  --json                 report as one JSON object\n"
"  --quiet                only the report\n",
        out);
}
